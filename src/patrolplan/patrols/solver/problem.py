"""The problem: stops with prizes, the officers' hours, and which stops are allowed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Sums of minutes in another order differ in the last digits; nobody is late by a nanosecond.
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class TimedPrizes:
    """Worth gathered at each row of a problem, from a first minute on.

    A dwell that begins at b is worth C(b + dwell) - C(b): a continuous and piecewise linear
    function of b, with breaks where b or b + dwell is a whole minute.
    """

    first_minute: int  # of the first column, on the same clock as the officers' hours
    # (n, T + 1) worth gathered until each whole minute, linear in between; nothing before or after.
    cumulative: NDArray[np.float64]

    def compute_worth(
        self, row: int, begin_minutes: NDArray[np.float64], dwell_minutes: float
    ) -> NDArray[np.float64]:
        """Give the worth of dwells at a row that begin at some minutes."""
        values = self.cumulative[row]
        columns = self.first_minute + np.arange(len(values))
        after = np.interp(np.asarray(begin_minutes) + dwell_minutes, columns, values)
        return np.asarray(after - np.interp(begin_minutes, columns, values))

    def list_breaks(self, dwell_minutes: float) -> NDArray[np.float64]:
        """Give the begin minutes at which the worth of a dwell may change its slope, in order."""
        return _list_breaks(self.first_minute, self.cumulative.shape[1], dwell_minutes)

    def compute_peak(self, row: int, dwell_minutes: float, first: float, last: float) -> float:
        """Give the most that a dwell is worth which begins between two minutes; 0 for none."""
        if last < first:
            return 0.0
        breaks = self.list_breaks(dwell_minutes)
        # Beyond the breaks nothing is gathered.
        within = breaks[(breaks > first) & (breaks < last)]
        begin = np.concatenate([[max(first, breaks[0])], within, [min(last, breaks[-1])]])
        return float(self.compute_worth(row, begin, dwell_minutes).max())


@lru_cache(maxsize=64)
def _list_breaks(first: int, count: int, dwell_minutes: float) -> NDArray[np.float64]:
    """Whole minutes, and those from which a dwell ends with one; all rows have the same."""
    whole = first + np.arange(count, dtype=np.float64)
    breaks = np.unique(np.concatenate([whole, whole - dwell_minutes]))
    breaks.flags.writeable = False
    return breaks


@dataclass(frozen=True, eq=False)
class OrienteeringProblem:
    """Choose stops and their order, for one or more officers, to win the most prizes in time.

    Every route begins and ends at row 0, the gate. Every stop is visited at most once, by one
    officer. A prize is won only by dwelling.
    """

    travel_minutes: NDArray[np.float64]  # (n, n) from row to column, inf for no way, 0 to itself
    timed_prizes: TimedPrizes  # what stops are worth by the minute at which the dwell begins
    dwell_minutes: NDArray[np.float64]  # (n,) spent at each stop
    earliest_minutes: float  # the officers leave the gate not before...
    latest_minutes: float  # ...and are back not after
    officer_count: int = 1
    # (n, 2) earliest and latest begin of the dwell; who comes early waits. None: any time.
    windows: NDArray[np.float64] | None = None
    mandatory: frozenset[int] = frozenset()  # stops that must be in the answer...
    barred: frozenset[int] = frozenset()  # ...and that must not
    # (n,) an earlier row that must be in the same route before this one, or -1: the same place.
    follows: NDArray[np.int64] | None = None

    @property
    def size(self) -> int:
        """Number of rows of the travel-time matrix."""
        return len(self.travel_minutes)

    def compute_worth(self, stop: int, begin: NDArray[np.float64]) -> NDArray[np.float64]:
        """(g,) worth of a dwell at a row that begins at each of some minutes."""
        return self.timed_prizes.compute_worth(stop, begin, float(self.dwell_minutes[stop]))

    def list_windows(
        self, rows: Sequence[int] | NDArray[np.int64], tolerance: float = 0.0
    ) -> NDArray[np.float64]:
        """(k, 2) between when dwells may begin; the latest may be passed by a rounding."""
        if self.windows is None or not len(rows):
            return np.tile([-math.inf, math.inf], (len(rows), 1))
        opening, closing = self.windows[np.asarray(rows)].T
        return np.column_stack([opening, allow_rounding(closing, tolerance)])


def allow_rounding(
    minutes: NDArray[np.float64], tolerance: float = TOLERANCE
) -> NDArray[np.float64]:
    """The latest minutes at which something is not yet late."""
    far = np.maximum(1.0, np.where(np.isfinite(minutes), np.abs(minutes), 0.0))
    return np.asarray(minutes + tolerance * far)


# Worths that differ by less than this share of all worth are equal, so the earlier time is taken.
EQUAL_SHARE = 1e-12


@dataclass(frozen=True)
class Route:
    """One officer's route: stops, begins of dwells, end; without stops it ends as it begins."""

    officer: int
    stops: tuple[int, ...]
    begin_minutes: tuple[float, ...]
    end_minutes: float
    worth: float


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


class _Gathered(NamedTuple):
    """Most worth gathered by each minute: corners, linear between, constant after the last."""

    minutes: NDArray[np.float64]
    worth: NDArray[np.float64]

    def evaluate(self, minutes: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(minutes, self.minutes, self.worth)

    def find_earliest(self, worth: float, tolerance: float) -> float:
        """Give the earliest minute by which so much is gathered."""
        at = int(np.searchsorted(self.worth, worth - tolerance))
        if at == 0:
            return float(self.minutes[0])
        if at == len(self.worth):
            return float(self.minutes[-1])
        low = self.worth[at - 1]
        high = self.worth[at]
        share = min(1.0, max(0.0, (worth - low) / (high - low)))
        return float(self.minutes[at - 1] + share * (self.minutes[at] - self.minutes[at - 1]))


def time_route(
    problem: OrienteeringProblem, officer_number: int, stops: Sequence[int]
) -> Route | None:
    """Walk the stops in order at their best times, of equals the earliest; `None` if late."""
    legs = list_leg_minutes(problem, stops)
    if not stops or not all(map(math.isfinite, legs)):
        empty = Route(officer_number, (), (), float(problem.earliest_minutes), 0.0)
        return None if stops else empty
    # The rounding allowed is for what is late by it, not for staying so much longer: so the exact
    # hours are tried first.
    for tolerance in (0.0, TOLERANCE):
        latest = float(allow_rounding(np.array(problem.latest_minutes), tolerance))
        windows = problem.list_windows(stops, tolerance)
        if (found := _time_stops(problem, stops, legs, windows, latest)) is not None:
            begins, worth, end = found
            rows = tuple(int(stop) for stop in stops)
            return Route(officer_number, rows, tuple(begins), end, worth)
    return None


def _time_stops(
    problem: OrienteeringProblem,
    stops: Sequence[int],
    legs: Sequence[float],
    windows: NDArray[np.float64],
    latest: float,
) -> tuple[list[float], float, float] | None:
    """Begins, worth and end of a walk at its best times; None where something would be late."""
    carried = _carry_worth(problem, stops, legs, windows, latest)
    due = latest - legs[-1]
    if carried is None or not carried[-1].minutes[0] <= due:
        return None
    *arrivals, left = carried
    tolerance = EQUAL_SHARE * max(float(np.abs(left.worth).max()), 1e-290)
    now = left.find_earliest(float(left.evaluate(np.array([due]))[0]), tolerance)
    end = now + legs[-1]
    # Times are read off these backwards: each dwell ends when the next stop has to be reached, and
    # the worth gathered until then says how early the stop before may have been left.
    begins: list[float] = []
    for arrived, stop, leg in zip(arrivals[::-1], stops[::-1], legs[-2::-1], strict=True):
        begin = now - float(problem.dwell_minutes[stop])
        begins.insert(0, begin)
        so_far = float(arrived.evaluate(np.array([begin]))[0])
        now = arrived.find_earliest(so_far, tolerance) - leg
    worth = 0.0
    for stop, begin in zip(stops, begins, strict=True):
        worth += float(problem.compute_worth(stop, np.array([begin]))[0])
    return begins, worth, end


def _carry_worth(
    problem: OrienteeringProblem,
    stops: Sequence[int],
    legs: Sequence[float],
    windows: NDArray[np.float64],
    latest: float,
) -> list[_Gathered] | None:
    """Most worth on arrival at each stop, then on leaving the last; None where one is late."""
    # An officer may stay longer anywhere before a dwell begins, so what can be reached by a minute
    # can be reached by every later one: the most worth gathered when a stop is left by minute t is
    # a non-decreasing, piecewise linear function of t. It is carried from stop to stop. Nothing is
    # rounded to minutes: the answer is the best of all real begin times.
    left = _Gathered(np.array([float(problem.earliest_minutes)]), np.zeros(1))
    carried: list[_Gathered] = []
    for stop, leg, (opening, closing) in zip(stops, legs, windows, strict=False):
        dwell = float(problem.dwell_minutes[stop])
        arrived = _Gathered(left.minutes + leg, left.worth)
        last = min(float(closing), latest - dwell)
        begun = _begin_stop(problem, arrived, stop, float(opening), last)
        if begun is None:
            return None
        carried.append(arrived)
        left = _Gathered(begun.minutes + dwell, begun.worth)
    return [*carried, left]


def _begin_stop(
    problem: OrienteeringProblem, arrived: _Gathered, stop: int, opening: float, last: float
) -> _Gathered | None:
    """Give the most worth by the minute at which a dwell has begun; None where it is too late."""
    first = max(float(arrived.minutes[0]), opening)
    if first > last:
        return None
    # The sum of the worth so far and the prize is straight between the corners of either.
    breaks = problem.timed_prizes.list_breaks(float(problem.dwell_minutes[stop]))
    corners = np.concatenate([arrived.minutes, breaks])
    corners = np.unique(corners[(corners > first) & (corners < last)])
    minutes = np.concatenate([[first], corners, [last] if first < last < np.inf else []])
    worth = arrived.evaluate(minutes) + problem.compute_worth(stop, minutes)
    peak = np.maximum.accumulate(worth)
    # Where a piece rises from below the peak so far, the peak has a corner inside the piece.
    low = worth[:-1]
    high = worth[1:]
    held = peak[:-1]
    crossing = np.flatnonzero((low < held) & (high > held))
    share = (held[crossing] - low[crossing]) / (high[crossing] - low[crossing])
    at = minutes[crossing] + share * np.diff(minutes)[crossing]
    minutes = np.insert(minutes, crossing + 1, at)
    return _Gathered(minutes, np.insert(peak, crossing + 1, held[crossing]))


def walk_route(
    problem: OrienteeringProblem,
    stops: Sequence[int],
    *,
    leave_minutes: float,
    not_before: Sequence[float],
    latest_minutes: float,
) -> tuple[list[float], float] | None:
    """Begins and end of a walk that waits for hours and `not_before` alone; `None` if late."""
    legs = list_leg_minutes(problem, stops)
    now = leave_minutes
    begins: list[float] = []
    windows = problem.list_windows(stops, TOLERANCE)
    for stop, leg, earliest, (opening, closing) in zip(
        stops, legs[:-1], not_before, windows, strict=True
    ):
        begins.append(max(now + leg, earliest, float(opening)))
        if begins[-1] > closing:
            return None
        now = begins[-1] + float(problem.dwell_minutes[stop])
    end = now + legs[-1]
    return None if end > allow_rounding(np.array(latest_minutes)) else (begins, end)


def list_leg_minutes(problem: OrienteeringProblem, stops: Sequence[int]) -> list[float]:
    """Minutes of the legs from the gate via the stops and back."""
    places = [0, *stops, 0]
    return [float(problem.travel_minutes[a, b]) for a, b in pairwise(places)]


def compute_gap_percent(worth: float, bound: float) -> float:
    """How far a worth may be below the best possible, in percent of the bound."""
    return 0.0 if bound <= 0 else max(0.0, 100 * (bound - worth) / bound)
