"""The problem: stops with prizes, the officers' hours, and which stops are allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.timed_prizes import TimedPrizes


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
    prizes
        Shape (n,): what each stop is worth, at least 0.
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
    timed_prizes
        What a stop is worth by the minute at which its dwell begins. Then `prizes` are not counted:
        they are what the stops are worth on average, for ways of planning that know no time.
    follows
        Shape (n,): an earlier row that has to be in the same route before this one, -1 for none:
        for a place that may be visited again.
    """

    travel_minutes: NDArray[np.float64]
    prizes: NDArray[np.float64]
    dwell_minutes: NDArray[np.float64]
    earliest_minutes: float
    latest_minutes: float
    officer_count: int = 1
    windows: NDArray[np.float64] | None = None
    mandatory: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    timed_prizes: TimedPrizes | None = None
    follows: NDArray[np.int64] | None = None

    @property
    def size(self) -> int:
        """Number of rows of the travel-time matrix."""
        return len(self.travel_minutes)

    def compute_worth(self, stop: int, begin: NDArray[np.float64]) -> NDArray[np.float64]:
        """(g,) worth of a dwell at a row that begins at each of some minutes."""
        if self.timed_prizes is None:
            return np.full(len(begin), float(self.prizes[stop]))
        return self.timed_prizes.compute_worth(stop, begin, float(self.dwell_minutes[stop]))
