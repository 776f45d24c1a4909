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
    and nothing is travelled. Where a stay at the start is worth something, it ends when that is
    all gathered.

    `leave_start_minutes` is when the start is left, after any minimum stay; `gate_worth` what the
    stay gathers, and `stop_worths` what each stop is worth, where prizes depend on the time.
    """

    officer: int
    stops: tuple[int, ...]
    arrive_minutes: tuple[float, ...]
    begin_minutes: tuple[float, ...]
    leave_minutes: tuple[float, ...]
    start_minutes: float
    end_minutes: float
    worth: float
    travelled_minutes: float
    leave_start_minutes: float
    gate_worth: float = 0.0
    stop_worths: tuple[float, ...] = ()


@dataclass(frozen=True)
class Solution:
    """The best routes and an upper bound on what any routes can be worth.

    `status` is "proven" when no answer is worth more, "feasible" when that is open, and
    "infeasible" when mandatory stops are missing: then `unmet` names them and the routes are the
    best found with as many mandatory stops as possible.
    """

    routes: tuple[Route, ...]
    worth: float
    bound: float
    status: Literal["proven", "feasible", "infeasible"]
    iterations: int
    seconds: float
    unmet: tuple[int, ...] = ()
    message: str = ""

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

    def summary(self) -> str:
        """Give a readable table of the routes and how sure the answer is."""
        if self.status == "proven":
            sure = "best possible"
        elif self.status == "feasible":
            sure = f"within {math.ceil(10 * self.gap_percent) / 10:.1f} % of the best possible"
        else:
            sure = f"infeasible: {self.message}"
        lines = [
            (
                f"worth {self.worth:.6g} ({sure}), bound {self.bound:.6g}, "
                f"{self.iterations} iterations, {self.seconds:.2f} s"
            ),
            f"{'officer':>7} {'stops':>5} {'worth':>10} {'start':>8} {'end':>8} {'travelled':>9}",
        ]
        for route in self.routes:
            lines.append(
                f"{route.officer:>7} {len(route.stops):>5} {route.worth:>10.6g} "
                f"{route.start_minutes:>8.1f} {route.end_minutes:>8.1f} "
                f"{route.travelled_minutes:>9.1f}"
            )
            lines.extend(
                f"{'':>7} stop {stop}: arrive {arrive:.1f}, dwell {begin:.1f} to {leave:.1f}"
                for stop, arrive, begin, leave in zip(
                    route.stops,
                    route.arrive_minutes,
                    route.begin_minutes,
                    route.leave_minutes,
                    strict=True,
                )
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        """Give the summary."""
        return self.summary()


def time_route(
    problem: OrienteeringProblem,
    officer_number: int,
    stops: Sequence[int],
    leg_minutes: Sequence[float] | None = None,
) -> Route | None:
    """Walk the stops in order and note the minutes; `None` when something is late.

    With timed prizes, the officer waits where a later beginning is worth more.

    Parameters
    ----------
    problem
        The problem whose times, windows and hours count.
    officer_number
        Position in `problem.officers`.
    stops
        Rows, in the order of visiting.
    leg_minutes
        One more than stops: minutes of the legs, where they are not the problem's.
    """
    officer = problem.officers[officer_number]
    if leg_minutes is None:
        places = [officer.start, *stops, officer.end]
        leg_minutes = [
            float(problem.travel_minutes[a, b]) / officer.speed for a, b in pairwise(places)
        ]
    if problem.timed_prizes is not None:
        return _time_with_prizes(problem, officer_number, stops, leg_minutes)
    now = float(officer.earliest_minutes)
    if not len(stops):
        return Route(officer_number, (), (), (), (), now, now, 0.0, 0.0, now)
    arrive, begin, leave = [], [], []
    travelled = 0.0
    for stop, minutes in zip(stops, leg_minutes, strict=False):
        travelled += minutes
        arrive.append(now + minutes)
        opening, closing = (
            (-math.inf, math.inf) if problem.windows is None else problem.windows[stop]
        )
        begin.append(max(arrive[-1], float(opening)))
        if not (begin[-1] <= closing + compute_slack(closing) and math.isfinite(begin[-1])):
            return None
        now = begin[-1] + float(problem.dwell_minutes[stop])
        leave.append(now)
    travelled += leg_minutes[-1]
    now += leg_minutes[-1]
    latest = officer.latest_minutes
    if not (now <= latest + compute_slack(latest) and math.isfinite(now)):
        return None
    return Route(
        officer_number,
        tuple(int(stop) for stop in stops),
        tuple(arrive),
        tuple(begin),
        tuple(leave),
        float(officer.earliest_minutes),
        now,
        math.fsum(float(problem.prizes[stop]) for stop in stops),
        travelled,
        float(officer.earliest_minutes),
    )


def _time_with_prizes(
    problem: OrienteeringProblem,
    officer_number: int,
    stops: Sequence[int],
    leg_minutes: Sequence[float],
) -> Route | None:
    """Walk the stops in order at the times at which they are worth most together."""
    officer, timed, gate = problem.officers[officer_number], problem.timed_prizes, problem.gate
    if timed is None or not all(map(math.isfinite, leg_minutes[: len(stops) + 1] if stops else ())):
        return None
    rows = [int(stop) for stop in stops]
    present = float(officer.earliest_minutes)
    leave = present + (0.0 if gate is None else gate.minutes)
    dwell = [float(problem.dwell_minutes[row]) for row in rows]
    found = None
    for is_exact in (True, False):
        # The rounding allowed is for what is late by it, not for staying so much longer.
        windows = np.tile([-math.inf, math.inf], (len(rows), 1))
        if problem.windows is not None and rows:
            windows = problem.windows[rows] + 0.0
        latest = officer.latest_minutes
        if not is_exact:
            windows[:, 1] += [compute_slack(float(minute)) for minute in windows[:, 1]]
            latest += compute_slack(latest)
        found = found or time_stops(
            timed,
            rows,
            leg_minutes,
            dwell,
            windows,
            hours=(present, leave if rows else min(leave, latest), latest),
            gate=None if gate is None or officer_number else gate.cumulative,
        )
    if found is None:
        return None
    return Route(
        officer_number,
        tuple(rows),
        found.arrive_minutes,
        found.begin_minutes,
        tuple(begin + minutes for begin, minutes in zip(found.begin_minutes, dwell, strict=True)),
        present,
        found.end_minutes,
        found.worth,
        math.fsum(leg_minutes) if rows else 0.0,
        found.leave_start_minutes,
        found.gate_worth,
        found.worths,
    )


def compute_gap_percent(worth: float, bound: float) -> float:
    """How far a worth may be below the best possible, in percent of the bound."""
    return 0.0 if bound <= 0 else max(0.0, 100 * (bound - worth) / bound)


def compute_slack(minute: float) -> float:
    """Give the rounding allowed at this minute; none where the minute is infinite."""
    return TOLERANCE * max(1.0, abs(minute)) if math.isfinite(minute) else 0.0
