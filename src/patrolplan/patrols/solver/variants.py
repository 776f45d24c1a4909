"""Near-optimal answers whose stops differ from the best and from each other."""

from collections.abc import Iterable, Iterator, Sequence

from patrolplan.patrols.solver.labels import LabelExplorer
from patrolplan.patrols.solver.packing import Routes
from patrolplan.patrols.solver.reduce import ReducedCase

Stops = frozenset[int]
MAX_LABELS = 1_000_000
# Labels of a level where there are too many; of several officers, routes listed and
# first ones tried.
BEAM = 400
LISTED = 300
FIRST_ROUTES = 24


def find_variant_routes(
    case: ReducedCase, best: Stops, worths: Sequence[float], *, count: int, max_jaccard: float
) -> list[Routes]:
    """Find up to `count` routes that differ from the best stops, and from each other."""
    find = _list_for_one_officer if case.officer_count == 1 else _send_several_officers
    return find(case, best, worths, count, max_jaccard)


def _find_places(case: ReducedCase, stops: Iterable[int]) -> Stops:
    """The first stop at each place: how often a patrol stays there makes it no other patrol."""
    return frozenset(stop for stop in stops if case.follows[stop] < 0)


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
    explorer = LabelExplorer(case)
    answers: list[list[int]] = []
    for worth in worths:
        found = explorer.explore(case.value, worth, rising=False, max_labels=MAX_LABELS)
        if not found.complete:
            found = explorer.explore(
                case.value, worths[-1], rising=False, beam=BEAM, max_labels=MAX_LABELS
            )
        seen = [_find_places(case, best)]
        chosen: list[list[int]] = []
        for _, stops in found.list_routes(worth if found.complete else worths[-1]):
            places = _find_places(case, stops)
            if len(chosen) < count and _is_distinct(places, seen, max_jaccard):
                chosen.append(stops)
                seen.append(places)
        answers = max(answers, chosen, key=len)
        if len(chosen) == count or not found.complete:
            break
    return [[stops] for stops in answers]


def _send_several_officers(
    case: ReducedCase, best: Stops, worths: Sequence[float], count: int, max_jaccard: float
) -> list[Routes]:
    """Send officers out one after another, for each answer again, and keep the best outcome."""
    team = _TeamVariants(case, max_jaccard)
    answers: list[Routes] = []
    seen = [best]
    while len(answers) < count:
        tried = [
            (value, routes)
            for value, routes in team.send(seen)
            if value > worths[-1] and _is_distinct(_join(routes), seen, max_jaccard)
        ]
        if not tried:
            break
        answers.append(max(tried, key=lambda outcome: outcome[0])[1])
        seen.append(_join(answers[-1]))
    return answers


class _TeamVariants:
    """Sends several officers out, each over the stops that nobody has yet."""

    def __init__(self, case: ReducedCase, max_jaccard: float) -> None:
        self.case = case
        self.explorer = LabelExplorer(case)
        # With i stops in common, sets of a and b stops differ enough where i <= J (a + b - i), so
        # where i <= J / (1 + J) (a + b).
        self.allowance = max_jaccard / (1.0 + max_jaccard)
        self.listed: dict[Stops, list[tuple[float, list[int]]]] = {}

    def send(self, seen: Sequence[Stops]) -> Iterator[tuple[float, Routes]]:
        """Give value and routes of all officers for each of some first routes."""
        for value, stops in self._list_allowed(0, frozenset(), seen)[:FIRST_ROUTES]:
            total = value
            routes = [stops]
            for officer in range(1, self.case.officer_count):
                for gain, more in self._list_allowed(officer, _join(routes), seen)[:1]:
                    total += gain
                    routes = [*routes, more]
            yield total, routes

    def _list_allowed(
        self, officer: int, taken: Stops, seen: Sequence[Stops]
    ) -> list[tuple[float, list[int]]]:
        """List routes over stops not taken that leave room for the whole to differ."""
        # Of the allowance each officer may use up a share.
        share = (officer + 1) / self.case.officer_count
        return [
            (worth, stops)
            for worth, stops in self._list_left(taken)
            if all(
                len(answer & taken.union(stops))
                <= self.allowance * (len(taken) + len(stops) + share * len(answer)) + 1e-12
                for answer in seen
            )
        ]

    def _list_left(self, taken: Stops) -> list[tuple[float, list[int]]]:
        """List the best routes of an officer over the stops that nobody has yet."""
        if taken not in self.listed:
            value = self.case.value.copy()
            # Worth less than any route can make up for: nobody goes to a stop that is taken.
            value[list(taken)] = -1.0 - value.sum()
            found = self.explorer.explore(
                value, 0.0, rising=False, beam=BEAM, max_labels=MAX_LABELS
            )
            self.listed[taken] = found.list_routes(0.0, LISTED)
        return self.listed[taken]


def _join(routes: Routes) -> Stops:
    return frozenset(stop for stops in routes for stop in stops)
