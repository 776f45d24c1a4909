"""Good answers to problems with timed prizes that are too large for labels.

Two answers are improved, and the better one is given: that of a few labels, among the candidates of
most worth for their minutes where there are too many for labels, and that of the problem in which
every stop is always worth its mean, which is solved as any other. Times are those of `time_stops`,
exact for an order, and the order is improved by turning routes round and by moving single stops
within and between them, as long as that is worth more. The bound stays that of the labels, or of
the knapsack, so the gap says how much is open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from patrolplan.compiled import CLOCK
from patrolplan.patrols.solver.solution import time_route
from patrolplan.patrols.solver.timed_labels import relax_problem

if TYPE_CHECKING:
    from patrolplan.patrols.solver.packing import ReducedSolution
    from patrolplan.patrols.solver.problem import OrienteeringProblem
    from patrolplan.patrols.solver.solution import Solution
    from patrolplan.patrols.solver.timed_labels import TimedCase


# Orders of a route that are timed while it is improved, at most, and for each round of the search.
MOST_TIMED_ORDERS = 2000
ORDERS_PER_ROUND = 0.1


class StaticSolver(Protocol):
    """Solves a problem without timed prizes."""

    def __call__(
        self, problem: OrienteeringProblem, rounds: float, deadline: float, seed: int
    ) -> Solution:
        """Solve with so many rounds, until a value of `CLOCK.read`."""


def improve_timed_solution(
    problem: OrienteeringProblem,
    case: TimedCase,
    start: ReducedSolution,
    solve_static: StaticSolver,
    *,
    max_rounds: float,
    deadline: float,
    seed: int,
) -> ReducedSolution:
    """Look for a better answer than that of the labels.

    Parameters
    ----------
    problem, case, start
        The problem, what it is reduced to, and feasible routes with a bound.
    solve_static
        For the problem of mean prizes.
    max_rounds, deadline, seed
        As for `several_officers.improve_solution`.
    """
    relaxed = relax_problem(problem)
    means = np.where(relaxed.prizes > 0, _compute_mean_prizes(problem, relaxed), 0.0)
    static = solve_static(replace(relaxed, prizes=means), max_rounds, deadline, seed)
    local = {int(row): number for number, row in enumerate(case.rows)}
    search = _OrderSearch(problem, case, deadline, max_rounds)
    routes, value = start.routes, start.value
    for first in (
        {number: [int(case.rows[k]) for k in stops] for number, stops in start.routes.items()},
        {route.officer: list(route.stops) for route in static.routes},
    ):
        found, worth = search.improve([first.get(n, []) for n in range(len(problem.officers))])
        if worth > value:
            value = worth
            routes = {n: [local[row] for row in stops] for n, stops in enumerate(found) if stops}
    return replace(start, routes=routes, value=value, bound=max(start.bound, value))


def _compute_mean_prizes(
    problem: OrienteeringProblem, relaxed: OrienteeringProblem
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Give the mean worth of a dwell at each row over the hours."""
    timed = problem.timed_prizes
    if timed is None:  # relax_problem has refused it
        raise AssertionError
    earliest = min(officer.earliest_minutes for officer in relaxed.officers)
    end = timed.first_minute + timed.cumulative.shape[1] - 1.0
    latest = min(max(officer.latest_minutes for officer in relaxed.officers), end)
    means = np.zeros(problem.size)
    for row in range(problem.size):
        begin = np.arange(earliest, max(earliest, latest - problem.dwell_minutes[row]) + 1.0)
        means[row] = timed.compute_worth(row, begin, float(problem.dwell_minutes[row])).mean()
    return means


class _OrderSearch:
    """Moves stops as long as that is worth more."""

    def __init__(
        self, problem: OrienteeringProblem, case: TimedCase, deadline: float, max_rounds: float
    ) -> None:
        self.problem = problem
        self.case = case
        self.deadline = deadline
        self.left = min(MOST_TIMED_ORDERS, ORDERS_PER_ROUND * max_rounds)
        extra = case.value - case.peak
        self.bonus = dict(zip(case.rows.tolist(), extra.tolist(), strict=True))

    def improve(self, routes: list[list[int]]) -> tuple[list[list[int]], float]:
        """Give better routes, as rows of the problem, and their value."""
        values = [self._evaluate(number, stops) for number, stops in enumerate(routes)]
        for number, stops in enumerate(routes):
            back = stops[::-1]
            value = self._evaluate(number, back)
            if value > values[number]:
                routes[number], values[number] = back, value
        moved = True
        while moved:
            moved = False
            for number in range(len(routes)):
                for stop in list(routes[number]):
                    moved |= self._move(routes, values, number, stop)
        return routes, sum(values) - self.case.baseline

    def _move(self, routes: list[list[int]], values: list[float], number: int, stop: int) -> bool:
        """Move a stop to where the routes are worth most together; tell whether it moved."""
        without = [k for k in routes[number] if k != stop]
        left_behind = self._evaluate(number, without)
        best, chosen = values[number] + self.case.epsilon, None
        for other in range(len(routes)):
            base = without if other == number else routes[other]
            for at in range(len(base) + 1):
                if self.left <= 0 or CLOCK.read() > self.deadline:
                    return False
                self.left -= 1
                trial = [*base[:at], stop, *base[at:]]
                value = self._evaluate(other, trial)
                gain = value if other == number else value + left_behind - values[other]
                if gain > best:
                    best, chosen = gain, (other, trial, value)
        if chosen is None:
            return False
        other, trial, value = chosen
        routes[number], values[number] = without, left_behind
        routes[other], values[other] = trial, value
        return True

    def _evaluate(self, number: int, stops: list[int]) -> float:
        """Give the scaled worth of one officer's route, bonuses included."""
        route = time_route(self.problem, number, stops)
        if route is None:
            return -np.inf
        bonuses = sum(self.bonus.get(stop, 0.0) for stop in stops)
        return float(route.worth * self.case.scale + bonuses)
