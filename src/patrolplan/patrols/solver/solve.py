"""The best patrols that time allows, with a bound on how much better any could be.

`solve` takes an `OrienteeringProblem` (stops with prizes and dwell, officers with hours) and gives
a `Solution`. Patrol-sized cases, where dwell keeps the stops few, are settled exactly by listing
stop sets; larger ones by ruin and recreate (Christiaens and Vanden Berghe 2020) with a packing
pass over the routes seen.

Examples
--------
>>> import numpy as np
>>> travel = np.abs(np.subtract.outer([0.0, 10.0, 25.0], [0.0, 10.0, 25.0]))
>>> problem = OrienteeringProblem(
...     travel_minutes=travel,
...     prizes=np.array([0.0, 3.0, 5.0]),
...     dwell_minutes=np.array([0.0, 15.0, 15.0]),
...     officers=(Officer(start=0, end=0, latest_minutes=60.0),),
... )
>>> solve(problem).worth
3.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.compiled import CLOCK
from patrolplan.patrols.solver.label_setting import MAX_CANDIDATES
from patrolplan.patrols.solver.packing import ReducedSolution, order_stops, solve_exactly
from patrolplan.patrols.solver.problem import Officer, OrienteeringProblem
from patrolplan.patrols.solver.reduce import reduce_problem
from patrolplan.patrols.solver.solution import Route, Solution, time_route
from patrolplan.patrols.solver.timed_labels import TimedCase, narrow_case, reduce_timed_problem
from patrolplan.patrols.solver.timed_prizes import GateStay, TimedPrizes
from patrolplan.patrols.solver.timed_search import improve_timed_solution
from patrolplan.patrols.solver.variants import find_variant_routes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.reduce import OfficerGroup, ReducedCase


__all__ = [
    "GateStay",
    "MaxIterations",
    "MaxSeconds",
    "Officer",
    "OrienteeringProblem",
    "Route",
    "Solution",
    "TimedPrizes",
    "find_variants",
    "solve",
]


@dataclass(frozen=True)
class MaxSeconds:
    """Stop after so many seconds; the answer then depends on the speed of the computer."""

    limit: float

    def __post_init__(self) -> None:
        _check_limit(self, "seconds")


@dataclass(frozen=True)
class MaxIterations:
    """Stop after so many rounds of ruin and recreate; equal budgets give equal answers.

    Exact enumeration, which patrol-sized cases get, has a limit of its own.
    """

    limit: int

    def __post_init__(self) -> None:
        _check_limit(self, "rounds")


def _check_limit(stop: MaxSeconds | MaxIterations, what: str) -> None:
    if not stop.limit >= 0:
        message = f"{type(stop).__name__}: limit is {stop.limit!r}; give {what}, 0 or more"
        raise ValueError(message)


DEFAULT_STOP = MaxIterations(30_000)
# Routes of more stops than this can seldom be enumerated; a short attempt is worth while.
MAX_PATROL_STOPS = 16
MAX_PATROL_LABELS = 3_000_000
MAX_ATTEMPT_LABELS = 20_000
# Of a time limit, the share that enumeration may use before the search takes over.
EXACT_SHARE = 0.5


def solve(
    problem: OrienteeringProblem, *, stop: MaxSeconds | MaxIterations | None = None, seed: int = 1
) -> Solution:
    """Find routes of the greatest worth.

    Parameters
    ----------
    problem
        Stops and officers.
    stop
        When to give up proving or improving.
        By default a fixed number of iterations, so that equal problems have equal answers.
    seed
        For the random draws of the search; enumeration draws none.

    Returns
    -------
    Solution
        One route for each officer, and the bound. The status is "infeasible" when mandatory stops
        do not fit; `unmet` and `message` name them.
    """
    begun = CLOCK.read()
    stop = stop or DEFAULT_STOP
    case = _reduce(problem)
    seconds = stop.limit if isinstance(stop, MaxSeconds) else math.inf
    rounds_allowed = stop.limit if isinstance(stop, MaxIterations) else math.inf
    answer = _attempt_exactly(case, begun, seconds)
    rounds = answer.labels
    if isinstance(case, TimedCase):
        if answer.bound > answer.value + case.epsilon:
            answer = improve_timed_solution(
                problem,
                case,
                answer,
                _solve_relaxation,
                max_rounds=rounds_allowed,
                deadline=begun + seconds,
                seed=seed,
            )
    elif answer.bound > answer.value + case.epsilon:
        # The import compiles the search, which patrol-sized cases never need.
        from patrolplan.patrols.solver.several_officers import improve_solution  # noqa: PLC0415

        improved, rounds = improve_solution(case, answer, rounds_allowed, begun + seconds, seed)
        answer = replace(answer, routes=improved.routes, value=improved.value)
    return _build_solution(problem, case, answer, rounds, begun)


def _reduce(problem: OrienteeringProblem) -> ReducedCase:
    return (
        reduce_problem(problem) if problem.timed_prizes is None else reduce_timed_problem(problem)
    )


def _solve_relaxation(
    problem: OrienteeringProblem, rounds: float, deadline: float, seed: int
) -> Solution:
    """Solve a problem with as many rounds, and until the deadline."""
    left = max(0.0, deadline - CLOCK.read())
    stop = MaxIterations(int(rounds)) if math.isfinite(rounds) else MaxSeconds(left)
    return solve(problem, stop=stop, seed=seed)


def find_variants(
    problem: OrienteeringProblem,
    solution: Solution,
    *,
    count: int = 3,
    max_jaccard: float = 0.6,
    min_share: float = 0.85,
    seed: int = 1,
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
        may have in common: size of the intersection over size of the union. Stops that exclude
        each other and are at the same place count as one.
    min_share
        Smallest worth, as a share of the solution's.
    seed
        For cases too large to enumerate.

    Returns
    -------
    tuple of Solution
        Best first. Where the case can be enumerated each is the best possible one given those
        chosen before it. The bound is that of `solution`, so the gap says what variety costs.
    """
    _check_variants(count, max_jaccard, min_share)
    begun = CLOCK.read()
    if count == 0 or solution.status == "infeasible" or not solution.stops:
        return ()
    case = _reduce(problem)

    def resolve(shares: NDArray[np.float64], attempt: int) -> dict[int, list[int]]:
        other = solve(_scale_prizes(problem, shares), seed=seed + attempt)
        local = {int(row): number for number, row in enumerate(case.rows)}
        if other.status == "infeasible":
            return {}
        return {route.officer: [local[k] for k in route.stops] for route in other.routes}

    results = []
    for routes in find_variant_routes(
        problem, case, solution, count=count, jaccard=max_jaccard, min_share=min_share,
        solve_again=resolve,
    ):  # fmt: skip
        ordered = {
            officer: order_stops(case, officer, stops, math.inf)
            if case.size <= MAX_CANDIDATES and problem.timed_prizes is None
            else stops
            for officer, stops in routes.items()
        }
        answer = ReducedSolution(ordered, 0.0, math.inf, 0)
        variant = _build_solution(problem, case, answer, 0, begun)
        results.append(replace(variant, bound=max(solution.bound, variant.worth)))
    results.sort(key=lambda variant: -variant.worth)
    return tuple(results)


def _scale_prizes(problem: OrienteeringProblem, shares: NDArray[np.float64]) -> OrienteeringProblem:
    """The problem with each stop worth only a share of its prize, at all times."""
    timed = problem.timed_prizes
    if timed is not None:
        timed = replace(timed, cumulative=timed.cumulative * shares[:, None])
    return replace(problem, prizes=problem.prizes * shares, timed_prizes=timed)


def _check_variants(count: int, max_jaccard: float, min_share: float) -> None:
    faults = []
    if count < 0:
        faults.append(f"count is {count}; give 0 or more")
    if not 0.0 <= max_jaccard <= 1.0:
        faults.append(f"max_jaccard is {max_jaccard}; give a share from 0 to 1")
    if not 0.0 <= min_share <= 1.0:
        faults.append(f"min_share is {min_share}; give a share from 0 to 1")
    if faults:
        raise ValueError("; ".join(faults))


def _attempt_exactly(case: ReducedCase, started: float, seconds: float) -> ReducedSolution:
    """Enumerate where that is promising; otherwise give only a bound."""
    bound = compute_knapsack_bound(case)
    if isinstance(case, TimedCase) and case.size > MAX_CANDIDATES:
        return _attempt_with_best(case, bound, started, seconds)
    if not case.size or case.size > MAX_CANDIDATES:
        return ReducedSolution({}, 0.0, bound, 0)
    patrol = _bound_stop_count(case) <= MAX_PATROL_STOPS
    limit = started + (EXACT_SHARE if patrol else EXACT_SHARE / 10) * seconds
    labels = MAX_PATROL_LABELS if patrol else MAX_ATTEMPT_LABELS
    answer = solve_exactly(case, max_labels=labels, deadline=limit)
    if isinstance(case, TimedCase):
        # An order is a part of what labels with times are the best of.
        return replace(answer, bound=min(bound, answer.bound))
    routes = {
        officer: order_stops(case, officer, stops, limit)
        for officer, stops in answer.routes.items()
    }
    return replace(answer, routes=routes, bound=min(bound, answer.bound))


def _attempt_with_best(
    case: TimedCase, bound: float, started: float, seconds: float
) -> ReducedSolution:
    """Send officers to the candidates of most worth for their minutes alone; prove nothing."""
    weights = np.min([_compute_weights(case, unit) for unit in case.officer_groups], axis=0)
    order = np.argsort(-case.value / np.maximum(weights, 1e-12), kind="stable")
    chosen = np.sort(order[:MAX_CANDIDATES])
    answer = solve_exactly(
        narrow_case(case, chosen),
        max_labels=MAX_ATTEMPT_LABELS,
        deadline=started + EXACT_SHARE * seconds,
    )
    routes = {officer: [int(chosen[k]) for k in stops] for officer, stops in answer.routes.items()}
    return ReducedSolution(routes, answer.value, max(bound, answer.value), answer.labels)


def compute_knapsack_bound(case: ReducedCase) -> float:
    """Bound the value by a fractional knapsack of all officers' minutes together.

    A stop takes its dwell and at least half of the cheapest way in and the cheapest way out;
    the officers' legs from the start and to the end take the other halves. Stops that exclude
    each other are bounded by the Lagrangian at the break ratio.
    """
    if not case.size:
        return 0.0
    weights = np.min([_compute_weights(case, unit) for unit in case.officer_groups], axis=0)
    room = math.fsum(
        len(unit.officers) * _compute_spare_minutes(case.size, unit) for unit in case.officer_groups
    )
    ratio = np.where(weights > 0, case.value / np.maximum(weights, 1e-12), math.inf)
    order = np.argsort(-ratio, kind="stable")
    filled = np.cumsum(weights[order])
    beyond = int(np.searchsorted(filled, room, side="right"))
    price = float(ratio[order[beyond]]) if beyond < case.size else 0.0
    gains = np.maximum(case.value - price * weights, 0.0) if math.isfinite(price) else case.value
    # Of stops in the same exclusive set only one can gain.
    total = 0.0
    open_stops = np.ones(case.size, dtype=bool)
    for group in case.exclusive_sets:
        members = group[open_stops[group]]
        total += float(gains[members].max(initial=0.0))
        open_stops[members] = False
    total += float(gains[open_stops].sum())
    return total + (price * max(room, 0.0) if math.isfinite(price) else 0.0)


def _compute_weights(case: ReducedCase, unit: OfficerGroup) -> NDArray[np.float64]:
    size = case.size
    legs = unit.times[: size + 1, :size].copy()
    np.fill_diagonal(legs[:size], math.inf)
    out = unit.times[:size, [*range(size), size + 1]].copy()
    np.fill_diagonal(out[:, :size], math.inf)
    least = case.dwell + (legs.min(axis=0) + out.min(axis=1)) / 2
    return np.where(np.isfinite(least), least, 1e300)


def _compute_spare_minutes(size: int, unit: OfficerGroup) -> float:
    first = unit.times[size, :size].min(initial=math.inf)
    final = unit.times[:size, size + 1].min(initial=math.inf)
    room = unit.latest - unit.earliest - (first + final) / 2
    return room if math.isfinite(room) else 0.0


def _bound_stop_count(case: ReducedCase) -> int:
    """Bound the number of stops of a route by the shortest dwells and legs."""
    longest = 0
    for unit in case.officer_groups:
        legs = unit.min_times[: case.size + 1, : case.size] + 0.0
        legs[range(case.size), range(case.size)] = math.inf
        each = sorted(case.dwell + legs.min(axis=0))
        hours = unit.latest - unit.earliest
        longest = max(longest, int((np.subtract.accumulate([hours, *each])[1:] >= 0).sum()))
    return longest


def _build_solution(
    problem: OrienteeringProblem,
    case: ReducedCase,
    answer: ReducedSolution,
    rounds: int,
    started: float,
) -> Solution:
    routes = []
    for number in range(len(problem.officers)):
        stops = [int(case.rows[k]) for k in answer.routes.get(number, ())]
        route = time_route(problem, number, stops)
        if route is None:
            message = f"internal: the route of officer {number} over stops {stops} is late"
            raise RuntimeError(message)
        routes.append(route)
    worth = math.fsum(route.worth for route in routes)
    seen = {stop for route in routes for stop in route.stops}
    unmet = tuple(sorted(problem.mandatory - seen))
    seconds = CLOCK.read() - started
    if unmet:
        text = _describe_unmet(case, unmet, proven=answer.bound <= answer.value + case.epsilon)
        return Solution(tuple(routes), worth, worth, "infeasible", rounds, seconds, unmet, text)
    bonuses = len(problem.mandatory) * case.bonus
    if answer.bound <= answer.value + case.epsilon:
        return Solution(tuple(routes), worth, worth, "proven", rounds, seconds)
    bound = max((answer.bound - bonuses + case.baseline) / case.scale, worth)
    return Solution(tuple(routes), worth, bound, "feasible", rounds, seconds)


def _describe_unmet(case: ReducedCase, unmet: tuple[int, ...], *, proven: bool) -> str:
    reachable = {int(row) for row in case.rows}
    alone = [stop for stop in unmet if stop not in reachable]
    together = [stop for stop in unmet if stop in reachable]
    parts = []
    if alone:
        parts.append(
            f"no officer can reach mandatory stops {alone} in time, even going nowhere else; "
            "give more time or remove them"
        )
    if together:
        how = "do not fit" if proven else "could not be made to fit"
        parts.append(
            f"mandatory stops {together} {how} together with the others that are mandatory; "
            "give more time or officers, or remove some"
        )
    return "; ".join(parts)
