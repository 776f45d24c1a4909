"""The problem: stops with prizes, the officers' hours, and which stops are allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Sums of minutes in another order differ in the last digits; nobody is late by a nanosecond.
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class TimedPrizes:
    """Worth gathered at each row of a problem, from a first minute on.

    A dwell that begins at b is worth C(b + dwell) - C(b): a continuous and piecewise linear
    function of b, with breaks where b or b + dwell is a whole minute.

    Parameters
    ----------
    first_minute
        Minute of the first column, on the same clock as the officers' hours.
    cumulative
        Shape (n, T + 1): worth gathered at each row from `first_minute` until each whole minute,
        linear in between. Before the first and after the last column nothing is gathered.
    """

    first_minute: int
    cumulative: NDArray[np.float64]

    def gather(self, row: int, minutes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the worth gathered at a row up to each of some minutes."""
        values = self.cumulative[row]
        columns = self.first_minute + np.arange(len(values))
        return np.asarray(np.interp(minutes, columns, values))

    def compute_worth(
        self, row: int, begin_minutes: NDArray[np.float64], dwell_minutes: float
    ) -> NDArray[np.float64]:
        """Give the worth of dwells at a row that begin at some minutes."""
        begin = np.asarray(begin_minutes, dtype=np.float64)
        return self.gather(row, begin + dwell_minutes) - self.gather(row, begin)

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

    Parameters
    ----------
    travel_minutes
        Shape (n, n): minutes from row to column, may be asymmetric; `inf` where there is no way.
        The diagonal is 0.
    timed_prizes
        What a stop is worth by the minute at which its dwell begins.
    dwell_minutes
        Shape (n,): minutes spent at each stop.
    earliest_minutes, latest_minutes
        The officers leave the gate not before the first and are back not after the second.
    officer_count
        How many officers there are, at least one.
    windows
        Shape (n, 2): earliest and latest minute at which the dwell may begin. A visitor who comes
        early waits. `None`: any time.
    mandatory, barred
        Stops that must, or must not, be in the answer.
    follows
        Shape (n,): an earlier row that has to be in the same route before this one, -1 for none:
        for a place that may be visited again.
    """

    travel_minutes: NDArray[np.float64]
    timed_prizes: TimedPrizes
    dwell_minutes: NDArray[np.float64]
    earliest_minutes: float
    latest_minutes: float
    officer_count: int = 1
    windows: NDArray[np.float64] | None = None
    mandatory: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
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
