"""Near-optimal answers whose stops differ from the best and from each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.patrols.solver.label_setting import MAX_CANDIDATES, Explorer
from patrolplan.patrols.solver.packing import Team

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from patrolplan.patrols.solver.packing import Pool
    from patrolplan.patrols.solver.problem import OrienteeringProblem
    from patrolplan.patrols.solver.reduce import Case
    from patrolplan.patrols.solver.solution import Solution

    Routes = dict[int, list[int]]
    Resolve = Callable[[NDArray[np.float64], int], Routes]


MAX_LABELS = 1_000_000
# Shares of the worth down to which all sets are listed, one after the other: most variants are
# near the best, and the nearer the fewer sets there are.
STEPS = (0.97, 0.93, 0.89, 0.85, 0.8, 0.7, 0.5, 0.0)
# What a prize already won counts for when a large case is solved again.
DISCOUNTS = (0.7, 0.4, 0.1)


@dataclass(frozen=True, eq=False)
class Wanted:
    """How many answers are wanted, and from which sets of places they must differ, how much."""

    case: Case
    places: NDArray[np.int64]
    taken: tuple[frozenset[int], ...]
    count: int
    jaccard: float


def other_routes(
    problem: OrienteeringProblem,
    case: Case,
    solution: Solution,
    *,
    count: int,
    jaccard: float,
    share: float,
    resolve: Resolve,
) -> list[Routes]:
    """Find routes worth at least a share of the best that differ enough.

    Parameters
    ----------
    problem, case, solution
        The problem, what it boils down to, and its best answer.
    count, jaccard, share
        How many, how much in common at most, and how good at least.
    resolve
        Solves the problem again for other prizes, as the last resort.
    """
    local = {int(row): number for number, row in enumerate(case.rows)}
    best = [local[stop] for stop in solution.stops]
    places = _places(problem, case)
    taken = frozenset(places[best].tolist())
    wanted = Wanted(case, places, (taken,), count, jaccard)
    bonuses = len(problem.mandatory) * case.bonus
    best_value = float(case.value[best].sum()) - bonuses
    found: list[Routes] = []
    if case.size <= MAX_CANDIDATES:
        look = _alone if len(problem.officers) == 1 else _together
        for step in [step for step in STEPS if step > share] + [share]:
            listed = look(wanted, bonuses + step * best_value - case.epsilon)
            if listed is None:
                break
            found = listed
            if len(found) >= count:
                return found
        else:
            return found
    least = bonuses + share * best_value - case.epsilon
    return _resolved(problem, wanted, least, found, resolve)


def _places(problem: OrienteeringProblem, case: Case) -> NDArray[np.int64]:
    """Number the places: stops that exclude each other and have no way between are one."""
    places = np.arange(case.size, dtype=np.int64)
    for group in case.groups:
        for k in group:
            rows = case.rows[group]
            there = problem.travel_minutes[case.rows[k], rows]
            back = problem.travel_minutes[rows, case.rows[k]]
            same = group[(there == 0) & (back == 0)]
            places[np.isin(places, places[same])] = places[same].min()
    return places


def _differs(stops: frozenset[int], taken: Iterable[frozenset[int]], jaccard: float) -> bool:
    return all(
        len(stops & other) <= jaccard * len(stops | other) + 1e-12 and stops != other
        for other in taken
    )


def _alone(wanted: Wanted, least: float) -> list[Routes] | None:
    """List all sets of the one officer and pick; `None` when there are too many."""
    harvest = Explorer(wanted.case, wanted.case.crews[0]).explore(
        wanted.case.value, least, rising=False, max_labels=MAX_LABELS
    )
    if not harvest.complete:
        return None
    found: list[Routes] = []
    seen = list(wanted.taken)
    for _, stops in harvest.routes(least):
        visited = frozenset(wanted.places[stops].tolist())
        if _differs(visited, seen, wanted.jaccard):
            found.append({0: stops})
            seen.append(visited)
            if len(found) == wanted.count:
                break
    return found


def _together(wanted: Wanted, least: float) -> list[Routes] | None:
    """Pack all sets that may be in a good answer, with a row for each answer to differ from."""
    pool = Team(wanted.case, MAX_LABELS, math.inf).listed(least)
    if pool is None:
        return None
    values = np.array(pool.values)
    found: list[Routes] = []
    seen = list(wanted.taken)
    while len(found) < wanted.count:
        chosen, _ = pool.pack(
            extra=[_apart(pool, wanted.places, other, wanted.jaccard) for other in seen]
        )
        if not chosen or float(values[chosen].sum()) < least:
            break
        routes = pool.assign(chosen)
        visited = frozenset(int(wanted.places[k]) for stops in routes.values() for k in stops)
        found.append(routes)
        seen.append(visited)
    return found


def _apart(
    pool: Pool, places: NDArray[np.int64], other: frozenset[int], jaccard: float
) -> tuple[NDArray[np.float64], float]:
    """Give the row that keeps an answer from having too much in common with another.

    With i stops in common among a and b, i <= J (a + b - i) is (1 + J) i - J a <= J b.
    At J = 1 the row would allow the same stops again, which are not another answer.
    """
    limit = min(jaccard, 1.0 - 1e-6)
    row = [
        (1 + limit) * len(other.intersection(places[stops].tolist())) - limit * len(stops)
        for stops in pool.stops
    ]
    return np.array(row, dtype=np.float64), limit * len(other) + 1e-9


def _resolved(
    problem: OrienteeringProblem,
    wanted: Wanted,
    least: float,
    found: list[Routes],
    resolve: Resolve,
) -> list[Routes]:
    """Solve again with smaller prizes for what has been visited, as often as needed."""
    found = list(found)
    seen = list(wanted.taken) + [
        frozenset(int(wanted.places[k]) for stops in routes.values() for k in stops)
        for routes in found
    ]
    for attempt in range(wanted.count - len(found)):
        for number, discount in enumerate(DISCOUNTS):
            prizes = problem.prizes.copy()
            for visited in seen:
                prizes[wanted.case.rows[np.isin(wanted.places, list(visited))]] *= discount
            routes = resolve(prizes, attempt * len(DISCOUNTS) + number)
            stops = [k for route in routes.values() for k in route]
            visited = frozenset(wanted.places[stops].tolist())
            enough = float(wanted.case.value[stops].sum()) >= least
            if stops and enough and _differs(visited, seen, wanted.jaccard):
                found.append(routes)
                seen.append(visited)
                break
    return found
