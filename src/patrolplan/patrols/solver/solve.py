"""The best patrols that time allows, with a bound on how much better any could be.

`solve` takes an `OrienteeringProblem` (stops with prizes and dwell, hours) and gives a `Solution`.
Patrol-sized cases, where dwell keeps the stops few, are settled exactly by listing stop sets. What
is too large for that gets the best of a beam of labels, and a bound that says how much is open.
Every search ends at a limit of work, so equal problems have equal answers.

Examples
--------
>>> import numpy as np
>>> travel = np.abs(np.subtract.outer([0.0, 10.0, 25.0], [0.0, 10.0, 25.0]))
>>> problem = OrienteeringProblem(
...     travel_minutes=travel,
...     prizes=np.array([0.0, 3.0, 5.0]),
...     dwell_minutes=np.array([0.0, 15.0, 15.0]),
...     earliest_minutes=0.0,
...     latest_minutes=60.0,
... )
>>> solve(problem).worth
3.0
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.patrols.solver.labels import MAX_CANDIDATES
from patrolplan.patrols.solver.packing import ReducedSolution, order_stops, solve_exactly
from patrolplan.patrols.solver.problem import OrienteeringProblem
from patrolplan.patrols.solver.reduce import reduce_problem
from patrolplan.patrols.solver.solution import Route, Solution, time_route
from patrolplan.patrols.solver.timed_prizes import TimedPrizes
from patrolplan.patrols.solver.variants import find_variant_routes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.packing import Routes
    from patrolplan.patrols.solver.reduce import ReducedCase


__all__ = ["OrienteeringProblem", "Route", "Solution", "TimedPrizes", "find_variants", "solve"]

MAX_LABELS = 500_000
# Shares of the worth down to which variants are listed, one after the other: most are near the
# best, and the nearer the fewer sets there are.
STEPS = (0.97, 0.93, 0.89, 0.85, 0.8, 0.7, 0.5, 0.0)


def solve(problem: OrienteeringProblem, *, max_labels: int = MAX_LABELS) -> Solution:
    """Find routes of the greatest worth.

    Parameters
    ----------
    problem
        Stops and officers.
    max_labels
        Limit of work: beginnings of routes that may be looked at.

    Returns
    -------
    Solution
        One route for each officer, and the bound. The status is "infeasible" when mandatory stops
        do not fit.
    """
    case = reduce_problem(problem)
    bound = compute_knapsack_bound(case)
    promising = select_promising(case)
    answer = ReducedSolution({}, 0.0, bound, 0)
    if promising.size:
        answer = solve_exactly(promising, max_labels=max_labels)
        is_whole = promising.size == case.size
        bound = min(bound, answer.bound) if is_whole else max(bound, answer.value)
        routes = answer.routes if problem.timed_prizes else _order(promising, answer.routes)
        answer = replace(answer, routes=routes, bound=bound)
    return _build_solution(problem, promising, answer)


def find_variants(
    problem: OrienteeringProblem,
    solution: Solution,
    *,
    count: int = 3,
    max_jaccard: float = 0.6,
    min_share: float = 0.85,
) -> tuple[Solution, ...]:
    """Find near-optimal answers that go to other stops, so that patrols are not predictable.

    Parameters
    ----------
    problem, solution
        The problem and its best answer.
    count
        How many to look for; fewer come back where the streets do not hold them.
    max_jaccard
        Largest share that the stops of two answers (of all officers together, the best included)
        may have in common: size of the intersection over size of the union.
    min_share
        Smallest worth, as a share of the solution's.

    Returns
    -------
    tuple of Solution
        Best first. For one officer, where the case can be enumerated, each is the best possible one
        given those chosen before it. The bound is that of `solution`, so the gap says what variety
        costs.
    """
    if count == 0 or solution.status == "infeasible" or not solution.stops:
        return ()
    case = select_promising(reduce_problem(problem))
    base = len(problem.mandatory) * case.bonus - case.epsilon
    worth = solution.worth * case.scale
    best = frozenset(np.flatnonzero(np.isin(case.rows, list(solution.stops))).tolist())
    found = find_variant_routes(
        case,
        best,
        [
            base + step * worth
            for step in (*(step for step in STEPS if step > min_share), min_share)
        ],
        count=count,
        max_jaccard=max_jaccard,
    )
    results = []
    for routes in found:
        ordered = routes if problem.timed_prizes else _order(case, routes)
        answer = ReducedSolution(ordered, 0.0, math.inf, 0)
        variant = _build_solution(problem, case, answer)
        results.append(replace(variant, bound=max(solution.bound, variant.worth)))
    results.sort(key=lambda variant: -variant.worth)
    return tuple(results)


def _order(case: ReducedCase, routes: Routes) -> Routes:
    """Order the stops of each route: where worth is constant, the labels leave that open."""
    return {officer: order_stops(case, stops) for officer, stops in routes.items()}


def select_promising(case: ReducedCase) -> ReducedCase:
    """The candidates of most worth for their minutes alone, as many as labels can hold."""
    if case.size <= MAX_CANDIDATES:
        return case
    ratio = case.value / np.maximum(_compute_weights(case), 1e-12)
    keep = np.zeros(case.size, dtype=bool)
    keep[np.argsort(-ratio, kind="stable")[:MAX_CANDIDATES]] = True
    return case.select(keep)


def compute_knapsack_bound(case: ReducedCase) -> float:
    """Bound the value by a fractional knapsack of all officers' minutes together.

    A stop takes its dwell and at least half of the cheapest way in and the cheapest way out;
    the officers' legs from the start and to the end take the other halves.
    """
    if not case.size:
        return 0.0
    weights = _compute_weights(case)
    room = max(0.0, case.officer_count * _compute_spare_minutes(case))
    ratio = np.where(weights > 0, case.value / np.maximum(weights, 1e-12), math.inf)
    order = np.argsort(-ratio, kind="stable")
    beyond = int(np.searchsorted(np.cumsum(weights[order]), room, side="right"))
    price = float(ratio[order[beyond]]) if beyond < case.size else 0.0
    if not math.isfinite(price):
        return float(case.value.sum())
    return float(np.maximum(case.value - price * weights, 0.0).sum()) + price * room


def _compute_weights(case: ReducedCase) -> NDArray[np.float64]:
    size = case.size
    legs = case.times[: size + 1, :size].copy()
    np.fill_diagonal(legs[:size], math.inf)
    out = case.times[:size, [*range(size), size + 1]].copy()
    np.fill_diagonal(out[:, :size], math.inf)
    least = case.dwell + (legs.min(axis=0) + out.min(axis=1)) / 2
    return np.where(np.isfinite(least), least, 1e300)


def _compute_spare_minutes(case: ReducedCase) -> float:
    size = case.size
    first = case.times[size, :size].min(initial=math.inf)
    final = case.times[:size, size + 1].min(initial=math.inf)
    room = case.latest - case.earliest - (first + final) / 2
    return room if math.isfinite(room) else 0.0


def _build_solution(
    problem: OrienteeringProblem, case: ReducedCase, answer: ReducedSolution
) -> Solution:
    routes = []
    for number in range(problem.officer_count):
        stops = [int(case.rows[k]) for k in answer.routes.get(number, ())]
        route = time_route(problem, number, stops)
        if route is None:
            message = f"internal: the route of officer {number} over stops {stops} is late"
            raise RuntimeError(message)
        routes.append(route)
    worth = math.fsum(route.worth for route in routes)
    seen = {stop for route in routes for stop in route.stops}
    if not problem.mandatory <= seen:
        return Solution(tuple(routes), worth, worth, "infeasible", answer.labels)
    bonuses = len(problem.mandatory) * case.bonus
    if answer.bound <= answer.value + case.epsilon:
        return Solution(tuple(routes), worth, worth, "proven", answer.labels)
    bound = max((answer.bound - bonuses) / case.scale, worth)
    return Solution(tuple(routes), worth, bound, "feasible", answer.labels)
