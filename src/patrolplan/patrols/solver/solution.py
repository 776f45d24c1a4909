"""The answer: timed routes, their worth, and how much better they could be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from patrolplan.patrols.solver.timed_prizes import time_stops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.patrols.solver.problem import OrienteeringProblem


# Sums of minutes in another order differ in the last digits; nobody is late by a nanosecond.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Route:
    """One officer's route: stops in order, with minutes of arriving, beginning and leaving.

    An officer without stops is not sent out: the route starts and ends at the earliest minute
    and nothing is travelled.

    `leave_start_minutes` is when the gate is left.
    """

    officer: int
    stops: tuple[int, ...]
    arrive_minutes: tuple[float, ...]
    begin_minutes: tuple[float, ...]
    leave_minutes: tuple[float, ...]
    start_minutes: float
    end_minutes: float
    worth: float
    leave_start_minutes: float


@dataclass(frozen=True)
class Solution:
    """The best routes and an upper bound on what any routes can be worth.

    `status` is "proven" when no answer is worth more, "feasible" when that is open, and
    "infeasible" when mandatory stops are missing: then the routes are the best found with as many
    mandatory stops as possible.
    """

    routes: tuple[Route, ...]
    worth: float
    bound: float
    status: Literal["proven", "feasible", "infeasible"]
    labels: int

    @property
    def proven(self) -> bool:
        """Whether no answer is worth more."""
        return self.status == "proven"

    @property
    def gap_percent(self) -> float:
        """How far the worth may be below the best possible, in percent of the bound."""
        return 0.0 if self.proven else compute_gap_percent(self.worth, self.bound)

    @property
    def stops(self) -> frozenset[int]:
        """All stops visited, by any officer."""
        return frozenset(stop for route in self.routes for stop in route.stops)


def time_route(
    problem: OrienteeringProblem,
    officer_number: int,
    stops: Sequence[int],
    leg_minutes: Sequence[float] | None = None,
) -> Route | None:
    """Walk the stops, which are rows, in order at their best times; `None` if one is late.

    With timed prizes, the officer waits where a later beginning is worth more. `leg_minutes`, one
    more than stops, are minutes of the legs where they are not the problem's.
    """
    legs = list_leg_minutes(problem, stops) if leg_minutes is None else leg_minutes
    timed, leave = problem.timed_prizes, float(problem.earliest_minutes)
    if timed is None:
        return walk_route(problem, officer_number, stops, legs, leave_minutes=leave)
    if not all(map(math.isfinite, legs[: len(stops) + 1] if stops else ())):
        return None
    rows = [int(stop) for stop in stops]
    dwell = [float(problem.dwell_minutes[row]) for row in rows]
    found = None
    for is_exact in (True, False):
        # The rounding allowed is for what is late by it, not for staying so much longer.
        windows = np.tile([-math.inf, math.inf], (len(rows), 1))
        if problem.windows is not None and rows:
            windows = problem.windows[rows] + 0.0
        latest = problem.latest_minutes
        if not is_exact:
            windows[:, 1] += [compute_slack(float(minute)) for minute in windows[:, 1]]
            latest += compute_slack(latest)
        found = found or time_stops(timed, rows, legs, dwell, windows, hours=(leave, latest))
    if found is None:
        return None
    return Route(
        officer_number,
        tuple(rows),
        found.arrive_minutes,
        found.begin_minutes,
        tuple(begin + minutes for begin, minutes in zip(found.begin_minutes, dwell, strict=True)),
        leave,
        found.end_minutes,
        found.worth,
        found.leave_start_minutes,
    )


def walk_route(
    problem: OrienteeringProblem,
    officer_number: int,
    stops: Sequence[int],
    leg_minutes: Sequence[float],
    *,
    leave_minutes: float,
    not_before: Sequence[float] | None = None,
    latest_minutes: float | None = None,
) -> Route | None:
    """Walk the stops in order from a minute of leaving the start; `None` if anything is late.

    Nobody waits but for the hours of a stop and for `not_before`, the earliest minute at which each
    dwell may begin. `latest_minutes` is the end of the hours, where it is not the problem's.
    """
    now, arrive, begin, leave = leave_minutes, list[float](), list[float](), list[float]()
    for number, stop in enumerate(stops):
        opening, closing = (-np.inf, np.inf) if problem.windows is None else problem.windows[stop]
        arrive.append(now + leg_minutes[number])
        earliest = -math.inf if not_before is None else not_before[number]
        begin.append(max(arrive[-1], earliest, float(opening)))
        if begin[-1] > closing + compute_slack(float(closing)):
            return None
        now = begin[-1] + float(problem.dwell_minutes[stop])
        leave.append(now)
    end = now + leg_minutes[-1] if stops else now
    latest = problem.latest_minutes if latest_minutes is None else latest_minutes
    if end > latest + compute_slack(latest):
        return None
    worth = sum(
        float(problem.compute_worth(stop, np.array([minute]))[0])
        for stop, minute in zip(stops, begin, strict=True)
    )
    return Route(
        officer_number,
        tuple(int(stop) for stop in stops),
        tuple(arrive),
        tuple(begin),
        tuple(leave),
        float(problem.earliest_minutes),
        end,
        worth,
        leave_minutes,
    )


def list_leg_minutes(problem: OrienteeringProblem, stops: Sequence[int]) -> list[float]:
    """Minutes of the legs from the gate via the stops and back."""
    places = [0, *stops, 0]
    return [float(problem.travel_minutes[a, b]) for a, b in pairwise(places)]


def compute_gap_percent(worth: float, bound: float) -> float:
    """How far a worth may be below the best possible, in percent of the bound."""
    return 0.0 if bound <= 0 else max(0.0, 100 * (bound - worth) / bound)


def compute_slack(minute: float) -> float:
    """Give the rounding allowed at this minute; none where the minute is infinite."""
    return TOLERANCE * max(1.0, abs(minute)) if math.isfinite(minute) else 0.0
