"""Prizes that depend on when a stop is made, and the best times of a route whose order is fixed.

*Prizes.* `TimedPrizes` holds for each row of the problem the worth gathered there up to each whole
minute. Between minutes it is linear, so a dwell that begins at b is worth C(b + dwell) - C(b): a
continuous and piecewise linear function of b, with breaks where b or b + dwell is a whole minute.

*Waiting.* An officer may stay longer anywhere before a dwell begins, so what can be reached by a
minute can be reached by every later one: the most worth gathered when a stop is left by minute t is
a non-decreasing, piecewise linear function of t. `time_stops` carries this function from stop to
stop. It is shifted by the leg, the prize of the next stop is added, and the running maximum is
formed, which adds a corner where a rising piece overtakes an earlier peak. Nothing is rounded to
minutes: the answer is the best of all real begin times.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


# Worths that differ by less than this share of all worth are equal, so the earlier time is taken.
EQUAL_SHARE = 1e-12


@dataclass(frozen=True, eq=False)
class TimedPrizes:
    """Worth gathered at each row of a problem, from a first minute on.

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


class TimedStops(NamedTuple):
    """Times and worth of a route: leaving the start, and at each stop arriving and beginning."""

    leave_start_minutes: float
    arrive_minutes: tuple[float, ...]
    begin_minutes: tuple[float, ...]
    worth: float
    end_minutes: float


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
        low, high = self.worth[at - 1], self.worth[at]
        share = min(1.0, max(0.0, (worth - low) / (high - low)))
        return float(self.minutes[at - 1] + share * (self.minutes[at] - self.minutes[at - 1]))


def time_stops(
    prizes: TimedPrizes,
    stops: Sequence[int],
    leg_minutes: Sequence[float],
    dwell_minutes: Sequence[float],
    windows: NDArray[np.float64],
    *,
    hours: tuple[float, float],
) -> TimedStops | None:
    """Find the times at which stops (rows) in a fixed order are worth most together.

    There is one leg more than stops: from the start to the first, ..., from the last to the end.
    `windows`, of shape (s, 2), is when each dwell may begin. `hours` is when the officer may leave
    the start, and must be at the end. Of equal worth the earliest times are given; None
    where something would be late.
    """
    first, latest = hours
    if first > latest:
        return None
    before = _Gathered(np.array([first]), np.zeros(1))
    arrivals: list[_Gathered] = []
    for stop, leg, dwell, (opening, closing) in zip(
        stops, leg_minutes, dwell_minutes, windows, strict=False
    ):
        arrived = _Gathered(before.minutes + leg, before.worth)
        begun = _begin_stop(
            arrived, prizes, stop, dwell, float(opening), min(float(closing), latest - dwell)
        )
        if begun is None:
            return None
        arrivals.append(arrived)
        before = _Gathered(begun.minutes + dwell, begun.worth)
    last_leave = latest - leg_minutes[-1]
    if stops and not before.minutes[0] <= last_leave:
        return None
    tolerance = EQUAL_SHARE * max(float(np.abs(before.worth).max()), 1e-290)
    most = float(before.evaluate(np.array([last_leave]))[0] if stops else before.worth[-1])
    now = before.find_earliest(most, tolerance)
    end = now + (leg_minutes[-1] if stops else 0.0)
    arrive, begin, worths = [], [], []
    for arrived, stop, dwell, leg in zip(
        reversed(arrivals), reversed(stops), reversed(dwell_minutes), reversed(leg_minutes[:-1]),
        strict=True,
    ):  # fmt: skip
        at = now - dwell
        begin.append(at)
        worths.append(float(prizes.compute_worth(stop, np.array([at]), dwell)[0]))
        so_far = float(arrived.evaluate(np.array([at]))[0])
        there = arrived.find_earliest(so_far, tolerance)
        arrive.append(there)
        now = there - leg
    return TimedStops(
        leave_start_minutes=now,
        arrive_minutes=tuple(reversed(arrive)),
        begin_minutes=tuple(reversed(begin)),
        worth=sum(reversed(worths)),
        end_minutes=end,
    )


def _begin_stop(
    arrived: _Gathered, prizes: TimedPrizes, stop: int, dwell: float, opening: float, last: float
) -> _Gathered | None:
    """Give the most worth by the minute at which a dwell has begun; None where it is too late.

    `last` is the latest minute at which it may begin.
    """
    first = max(float(arrived.minutes[0]), opening)
    if first > last:
        return None
    corners = np.concatenate([arrived.minutes, prizes.list_breaks(dwell)])
    corners = np.unique(corners[(corners > first) & (corners < last)])
    minutes = np.concatenate([[first], corners, [last] if first < last < np.inf else []])
    worth = arrived.evaluate(minutes) + prizes.compute_worth(stop, minutes, dwell)
    peak = np.maximum.accumulate(worth)
    # Where a piece rises from below the peak so far, the peak has a corner inside the piece.
    low, high, held = worth[:-1], worth[1:], peak[:-1]
    crossing = np.flatnonzero((low < held) & (high > held))
    share = (held[crossing] - low[crossing]) / (high[crossing] - low[crossing])
    at = minutes[crossing] + share * np.diff(minutes)[crossing]
    minutes = np.insert(minutes, crossing + 1, at)
    return _Gathered(minutes, np.insert(peak, crossing + 1, held[crossing]))
