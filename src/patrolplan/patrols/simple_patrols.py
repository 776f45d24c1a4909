"""Baseline for patrols: greedy stops."""

import numpy as np

from patrolplan.patrols.solver.solve import OrienteeringProblem


def plan_greedy_routes(problem: OrienteeringProblem, *, per_minute: bool) -> list[list[int]]:
    """Stops of officers who always choose the best next one, one officer after the other.

    The next stop is the one with most worth per minute of walking and dwell (or just with most
    worth) that still leaves time for the way back; worth is the mean over the window. Returns for
    each officer rows of the problem, in walking order.
    """
    worthwhile = np.flatnonzero(problem.prizes > 0).tolist()
    remaining = [stop for stop in worthwhile if stop not in problem.barred]
    return [
        _plan_greedy_route(problem, remaining, per_minute=per_minute)
        for _ in range(problem.officer_count)
    ]


def _plan_greedy_route(
    problem: OrienteeringProblem, remaining: list[int], *, per_minute: bool
) -> list[int]:
    """One officer's stops, which are removed from the remaining ones."""
    travel, dwell = problem.travel_minutes, problem.dwell_minutes
    route: list[int] = []
    at, now = 0, problem.earliest_minutes
    while remaining:
        minutes = travel[at, remaining] + dwell[remaining]
        fits = now + minutes + travel[remaining, 0] <= problem.latest_minutes + 1e-9
        if not fits.any():
            break
        rate = problem.prizes[remaining] / (np.maximum(minutes, 1e-9) if per_minute else 1.0)
        best = int(np.argmax(np.where(fits, rate, -1.0)))
        now += float(minutes[best])
        at = remaining.pop(best)
        route.append(at)
    return route
