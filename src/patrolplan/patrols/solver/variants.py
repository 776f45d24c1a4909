"""Near-optimal answers whose stops differ from the best and from each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.patrols.solver.label_setting import MAX_CANDIDATES
from patrolplan.patrols.solver.packing import TeamSolver
from patrolplan.patrols.solver.solution import time_route
from patrolplan.patrols.solver.timed_labels import TimedCase, build_explorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from patrolplan.patrols.solver.packing import ColumnPool
    from patrolplan.patrols.solver.problem import OrienteeringProblem
    from patrolplan.patrols.solver.reduce import ReducedCase
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
class VariantRequest:
    """How many answers are wanted, and how little they may share with which sets of places."""

    case: ReducedCase
    places: NDArray[np.int64]
    visited_sets: tuple[frozenset[int], ...]
    count: int
    jaccard: float


def find_variant_routes(
    problem: OrienteeringProblem,
    case: ReducedCase,
    solution: Solution,
    *,
    count: int,
    jaccard: float,
    min_share: float,
    solve_again: Resolve,
) -> list[Routes]:
    """Find routes worth at least a share of the best that differ enough.

    Parameters
    ----------
    problem, case, solution
        The problem, what it is reduced to, and its best answer.
    count, jaccard, min_share
        How many, how much in common at most, and how good at least.
    solve_again
        Solves the problem again with the prizes of its rows cut to some shares, as the last resort.
    """
    local = {int(row): number for number, row in enumerate(case.rows)}
    best = [local[stop] for stop in solution.stops]
    places = _number_places(problem, case)
    visited = frozenset(places[best].tolist())
    request = VariantRequest(case, places, (visited,), count, jaccard)
    bonuses = len(problem.mandatory) * case.bonus
    best_value = float(case.value[best].sum()) - bonuses
    if isinstance(case, TimedCase):
        best_value = solution.worth * case.scale
    bonuses -= case.baseline
    answers: list[Routes] = []
    if case.size <= MAX_CANDIDATES:
        look = _list_for_one_officer if len(problem.officers) == 1 else _pack_for_team
        for step in [step for step in STEPS if step > min_share] + [min_share]:
            listed = look(request, bonuses + step * best_value - case.epsilon)
            if listed is None:
                break
            answers = listed
            if len(answers) >= count:
                return answers
        else:
            return answers
    least = bonuses + min_share * best_value - case.epsilon
    return _find_by_discounts(problem, request, least, answers, solve_again)


def _number_places(problem: OrienteeringProblem, case: ReducedCase) -> NDArray[np.int64]:
    """Number the places: stops that exclude each other and have no way between are one."""
    places = np.arange(case.size, dtype=np.int64)
    for group in case.exclusive_sets:
        for k in group:
            rows = case.rows[group]
            out = problem.travel_minutes[case.rows[k], rows]
            back = problem.travel_minutes[rows, case.rows[k]]
            same = group[(out == 0) & (back == 0)]
            places[np.isin(places, places[same])] = places[same].min()
    return places


def _is_distinct(stops: frozenset[int], others: Iterable[frozenset[int]], jaccard: float) -> bool:
    return all(
        len(stops & other) <= jaccard * len(stops | other) + 1e-12 and stops != other
        for other in others
    )


def _list_for_one_officer(request: VariantRequest, min_worth: float) -> list[Routes] | None:
    """List all sets of the one officer and pick; `None` when there are too many."""
    harvest = build_explorer(request.case, request.case.officer_groups[0]).explore(
        request.case.value, min_worth, rising=False, max_labels=MAX_LABELS
    )
    if not harvest.complete:
        return None
    answers: list[Routes] = []
    seen = list(request.visited_sets)
    for _, stops in harvest.list_routes(min_worth):
        visited = frozenset(request.places[stops].tolist())
        if _is_distinct(visited, seen, request.jaccard):
            answers.append({0: stops})
            seen.append(visited)
            if len(answers) == request.count:
                break
    return answers


def _pack_for_team(request: VariantRequest, min_worth: float) -> list[Routes] | None:
    """Pack all sets that may be in a good answer, with a row for each answer to differ from."""
    pool = TeamSolver(request.case, MAX_LABELS, math.inf).list_stop_sets(min_worth)
    if pool is None:
        return None
    values = np.array(pool.values)
    answers: list[Routes] = []
    seen = list(request.visited_sets)
    while len(answers) < request.count:
        chosen, _ = pool.pack(
            extra=[
                _build_difference_row(pool, request.places, other, request.jaccard)
                for other in seen
            ]
        )
        if not chosen or float(values[chosen].sum()) < min_worth:
            break
        routes = pool.assign(chosen)
        visited = frozenset(int(request.places[k]) for stops in routes.values() for k in stops)
        answers.append(routes)
        seen.append(visited)
    return answers


def _build_difference_row(
    pool: ColumnPool, places: NDArray[np.int64], other: frozenset[int], jaccard: float
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


def _find_by_discounts(
    problem: OrienteeringProblem,
    request: VariantRequest,
    min_worth: float,
    answers: list[Routes],
    solve_again: Resolve,
) -> list[Routes]:
    """Solve again with smaller prizes for what has been visited, as often as needed."""
    answers = list(answers)
    seen = list(request.visited_sets) + [
        frozenset(int(request.places[k]) for stops in routes.values() for k in stops)
        for routes in answers
    ]
    for attempt in range(request.count - len(answers)):
        for number, discount in enumerate(DISCOUNTS):
            shares = np.ones(problem.size)
            for visited in seen:
                shares[request.case.rows[np.isin(request.places, list(visited))]] *= discount
            routes = solve_again(shares, attempt * len(DISCOUNTS) + number)
            stops = [k for route in routes.values() for k in route]
            visited = frozenset(request.places[stops].tolist())
            enough = _compute_value(problem, request.case, routes) >= min_worth
            if stops and enough and _is_distinct(visited, seen, request.jaccard):
                answers.append(routes)
                seen.append(visited)
                break
    return answers


def _compute_value(problem: OrienteeringProblem, case: ReducedCase, routes: Routes) -> float:
    """Give what routes over candidates are worth, mandatory stops with their bonus."""
    if not isinstance(case, TimedCase):
        return sum(float(case.value[stops].sum()) for stops in routes.values())
    stops = [k for route in routes.values() for k in route]
    value = float((case.value - case.peak)[stops].sum()) - case.baseline
    for number in range(len(problem.officers)):
        route = time_route(problem, number, [int(case.rows[k]) for k in routes.get(number, [])])
        value += -math.inf if route is None else route.worth * case.scale
    return value
