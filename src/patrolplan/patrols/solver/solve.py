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
...     timed_prizes=TimedPrizes(0, np.outer([0.0, 0.2, 0.3], np.arange(61.0))),
...     dwell_minutes=np.array([0.0, 15.0, 15.0]),
...     earliest_minutes=0.0,
...     latest_minutes=60.0,
... )
>>> solve(problem).routes[0].stops
(1,)
"""

import math
from dataclasses import replace

import numpy as np

from patrolplan.patrols.solver.labels import MAX_CANDIDATES
from patrolplan.patrols.solver.packing import ReducedSolution, solve_exactly
from patrolplan.patrols.solver.problem import (
    OrienteeringProblem,
    Route,
    Solution,
    TimedPrizes,
    time_route,
)
from patrolplan.patrols.solver.reduce import ReducedCase, reduce_problem, weigh_stops
from patrolplan.patrols.solver.variants import find_variant_routes

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
    answer = ReducedSolution([], 0.0, bound)
    if promising.size:
        answer = solve_exactly(promising, max_labels=max_labels)
        is_whole = promising.size == case.size
        # A bound on routes over some of the candidates says nothing about those over all.
        bound = min(bound, answer.bound) if is_whole else max(bound, answer.value)
        answer = replace(answer, bound=bound)
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
    # Every mandatory stop has its bonus in the value, so that answers without one are below.
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
        variant = _build_solution(problem, case, ReducedSolution(routes, 0.0, math.inf))
        results.append(replace(variant, bound=max(solution.bound, variant.worth)))
    results.sort(key=lambda variant: -variant.worth)
    return tuple(results)


def select_promising(case: ReducedCase) -> ReducedCase:
    """The candidates of most worth for their minutes alone, as many as labels can hold."""
    if case.size <= MAX_CANDIDATES:
        return case
    ratio = case.value / np.maximum(weigh_stops(case, after_start=False), 1e-12)
    keep = np.zeros(case.size, dtype=bool)
    keep[np.argsort(-ratio, kind="stable")[:MAX_CANDIDATES]] = True
    return case.select(keep)


def compute_knapsack_bound(case: ReducedCase) -> float:
    """Bound the value by a fractional knapsack of all officers' minutes together."""
    if not case.size:
        return 0.0
    # Each leg is shared by its ends, so of their minutes the officers lose half a leg from the
    # start and half a leg to the end. With the ratio of the first stop that does not fit as the
    # price of a minute, gains and all minutes bought are the knapsack's value, by duality.
    weights = np.minimum(weigh_stops(case, after_start=False), 1e300)
    start = float(case.times[case.size, : case.size].min())
    end = float(case.times[: case.size, -1].min())
    room = max(0.0, case.officer_count * (case.latest - case.earliest - (start + end) / 2))
    ratio = np.where(weights > 0, case.value / np.maximum(weights, 1e-12), math.inf)
    order = np.argsort(-ratio, kind="stable")
    beyond = int(np.searchsorted(np.cumsum(weights[order]), room, side="right"))
    price = float(ratio[order[beyond]]) if beyond < case.size else 0.0
    if not math.isfinite(price):
        return float(case.value.sum())
    return float(np.maximum(case.value - price * weights, 0.0).sum()) + price * room


def _build_solution(
    problem: OrienteeringProblem, case: ReducedCase, answer: ReducedSolution
) -> Solution:
    routes = []
    for number in range(problem.officer_count):
        of_officer = answer.routes[number : number + 1]
        stops = [int(case.rows[k]) for each in of_officer for k in each]
        route = time_route(problem, number, stops)
        if route is None:
            message = f"internal: the route of officer {number} over stops {stops} is late"
            raise RuntimeError(message)
        routes.append(route)
    worth = math.fsum(route.worth for route in routes)
    seen = {stop for route in routes for stop in route.stops}
    if not problem.mandatory <= seen:
        return Solution(tuple(routes), worth, worth, "infeasible")
    bonuses = len(problem.mandatory) * case.bonus
    # The worth is counted again by walking the routes; the bound comes back to the problem's scale.
    if answer.bound <= answer.value + case.epsilon:
        return Solution(tuple(routes), worth, worth, "proven")
    bound = max((answer.bound - bonuses) / case.scale, worth)
    return Solution(tuple(routes), worth, bound, "feasible")
