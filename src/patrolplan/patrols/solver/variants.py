"""Near-optimal answers whose stops differ from the best and from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patrolplan.patrols.solver.labels import LabelExplorer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from patrolplan.patrols.solver.packing import Routes
    from patrolplan.patrols.solver.reduce import ReducedCase

    Stops = frozenset[int]
    Listed = list[tuple[float, list[int]]]


MAX_LABELS = 1_000_000
# Labels of a level where there are too many; of several officers, routes listed and first ones
# tried.
BEAM = 400
LISTED = 300
FIRST_ROUTES = 24


def find_variant_routes(
    case: ReducedCase, best: Stops, worths: Sequence[float], *, count: int, max_jaccard: float
) -> list[Routes]:
    """Find up to `count` routes that differ from the best stops, and from each other.

    `worths` are the least worths to look down to, one after the other, until there are enough.
    """
    find = _list_for_one_officer if case.officer_count == 1 else _send_several_officers
    return find(case, best, worths, count, max_jaccard)


def _is_distinct(stops: Stops, others: Iterable[Stops], max_jaccard: float) -> bool:
    return all(
        len(stops & other) <= max_jaccard * len(stops | other) + 1e-12 and stops != other
        for other in others
    )


def _list_for_one_officer(
    case: ReducedCase, best: Stops, worths: Sequence[float], count: int, max_jaccard: float
) -> list[Routes]:
    """List all sets of the one officer and choose; of too many, the most promising labels only."""
    # The list is of all sets worth a share of the best, and it is read from the top: so each answer
    # is the best possible one given those chosen before it. Lower shares list many more sets, and
    # are only looked at where the higher ones have too few that differ.
    explorer, answers = LabelExplorer(case), list[list[int]]()
    for worth in worths:
        found = explorer.explore(case.value, worth, rising=False, max_labels=MAX_LABELS)
        if not found.complete:
            found = explorer.explore(
                case.value, worths[-1], rising=False, beam=BEAM, max_labels=MAX_LABELS
            )
        seen, chosen = [best], list[list[int]]()
        for _, stops in found.list_routes(worth if found.complete else worths[-1]):
            if len(chosen) < count and _is_distinct(frozenset(stops), seen, max_jaccard):
                chosen.append(stops)
                seen.append(frozenset(stops))
        answers = max(answers, chosen, key=len)
        if len(chosen) == count or not found.complete:
            break
    return [[stops] for stops in answers]


def _send_several_officers(
    case: ReducedCase, best: Stops, worths: Sequence[float], count: int, max_jaccard: float
) -> list[Routes]:
    """Send officers out one after another, for each answer anew."""
    # Each gets the best listed route over stops that nobody has yet. That is not always the best
    # answer, so it is tried with every good first route, and the best outcome counts.
    crew = _Crew(case, max_jaccard)
    answers: list[Routes] = []
    seen = [best]
    while len(answers) < count:
        tried = [(value, routes) for value, routes in crew.send(seen) if value > worths[-1]]
        tried = [each for each in tried if _is_distinct(_join(each[1]), seen, max_jaccard)]
        if not tried:
            break
        _, routes = max(tried, key=lambda each: each[0])
        answers.append(routes)
        seen.append(_join(routes))
    return answers


def _join(routes: Routes) -> Stops:
    return frozenset(stop for stops in routes for stop in stops)


class _Crew:
    """Several officers, of whom those who went before leave the others fewer stops."""

    def __init__(self, case: ReducedCase, max_jaccard: float) -> None:
        self.case = case
        self.allowance = max_jaccard / (1.0 + max_jaccard)
        self.explorer = LabelExplorer(case)
        self.listed: dict[Stops, Listed] = {}

    def send(self, seen: list[Stops]) -> Iterator[tuple[float, Routes]]:
        """Give value and routes of all officers for each of some first routes."""
        for first in self._list_allowed(0, frozenset(), seen)[:FIRST_ROUTES]:
            value, routes = first[0], [first[1]]
            for officer in range(1, self.case.officer_count):
                allowed = self._list_allowed(officer, _join(routes), seen)
                if allowed:
                    value += allowed[0][0]
                    routes.append(allowed[0][1])
            yield value, routes

    def _list_allowed(self, officer: int, taken: Stops, seen: list[Stops]) -> Listed:
        """List routes over stops not taken that leave room for the whole to differ."""
        # With i stops in common, sets of a and b stops differ enough where i <= J (a + b - i), so
        # where i <= J / (1 + J) (a + b). Of this allowance each officer may use up a share.
        share = (officer + 1) / self.case.officer_count
        return [
            (worth, stops)
            for worth, stops in self._list(taken)
            if all(
                len(other & taken.union(stops))
                <= self.allowance * (len(taken) + len(stops) + share * len(other)) + 1e-12
                for other in seen
            )
        ]

    def _list(self, taken: Stops) -> Listed:
        """List the best routes of an officer over the stops that are left."""
        if taken not in self.listed:
            value = self.case.value.copy()
            # Worth less than any route can make up for: nobody goes to a stop that is taken.
            value[list(taken)] = -1.0 - value.sum()
            found = self.explorer.explore(
                value, 0.0, rising=False, beam=BEAM, max_labels=MAX_LABELS
            )
            self.listed[taken] = found.list_routes(0.0, LISTED)
        return self.listed[taken]
