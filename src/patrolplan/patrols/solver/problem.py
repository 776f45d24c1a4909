"""The problem: stops with prizes, officers with hours, and which stops are allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from patrolplan.patrols.solver.timed_prizes import TimedPrizes

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Officer:
    """One officer: where the route begins and ends, and between which minutes.

    Parameters
    ----------
    start, end
        Rows of the travel-time matrix. They may be the same.
    earliest_minutes, latest_minutes
        The officer leaves `start` not before the first and is at `end` not after the second.
    """

    start: int
    end: int
    earliest_minutes: float
    latest_minutes: float


@dataclass(frozen=True, eq=False)
class OrienteeringProblem:
    """Choose stops and their order, for one or more officers, to win the most prizes in time.

    Every stop is visited at most once, by one officer. A prize, also one at a row where officers
    start or end, is won only by dwelling there.

    Parameters
    ----------
    travel_minutes
        Shape (n, n): minutes from row to column, may be asymmetric; `inf` where there is no way.
        The diagonal is ignored.
    prizes
        Shape (n,): what each stop is worth, at least 0.
    dwell_minutes
        Shape (n,): minutes spent at each stop.
    officer
        Start, end and hours, the same for all officers.
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

    Raises
    ------
    ValueError
        Naming every argument that is wrong, the value seen and what to do.
    """

    travel_minutes: NDArray[np.float64]
    prizes: NDArray[np.float64]
    dwell_minutes: NDArray[np.float64]
    officer: Officer
    officer_count: int = 1
    windows: NDArray[np.float64] | None = None
    mandatory: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    timed_prizes: TimedPrizes | None = None
    follows: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Copy the arrays, make them read-only, and check everything."""
        faults: list[str] = []
        travel = _array(self.travel_minutes, "travel_minutes", faults)
        if travel.shape[:1] * 2 != travel.shape or not travel.size:
            faults.append(
                f"travel_minutes has shape {travel.shape}; give a square matrix of at least one row"
            )
            raise ValueError("; ".join(faults))
        size = travel.shape[0]
        np.fill_diagonal(travel, 0.0)
        _check_travel(travel, faults)
        self._store("travel_minutes", travel)
        for name in ("prizes", "dwell_minutes"):
            values = _array(getattr(self, name), name, faults)
            _check_amounts(values, name, size, faults)
            self._store(name, values)
        if self.windows is not None:
            windows = _array(self.windows, "windows", faults)
            _check_windows(windows, size, faults)
            self._store("windows", windows)
        if self.follows is not None:
            follows = np.array(self.follows, dtype=np.int64)
            if follows.shape != (size,) or not (follows < np.arange(size)).all():
                faults.append(f"follows is {follows.tolist()}; give each row an earlier one or -1")
            follows.setflags(write=False)
            object.__setattr__(self, "follows", follows)
        _check_officers(self.officer, self.officer_count, size, faults)
        for name in ("mandatory", "barred"):
            object.__setattr__(self, name, frozenset(int(k) for k in getattr(self, name)))
        _check_stops(self, size, faults)
        self._store_timed(size, faults)
        if faults:
            raise ValueError("; ".join(faults))

    def _store_timed(self, size: int, faults: list[str]) -> None:
        """Copy and check what depends on the time."""
        timed = self.timed_prizes
        if timed is None:
            return
        cumulative = _array(timed.cumulative, "timed_prizes.cumulative", faults)
        _check_cumulative(cumulative, size, faults)
        cumulative.setflags(write=False)
        object.__setattr__(self, "timed_prizes", TimedPrizes(int(timed.first_minute), cumulative))

    @property
    def size(self) -> int:
        """Number of rows of the travel-time matrix."""
        return int(self.travel_minutes.shape[0])

    def compute_worth(self, stop: int, begin: NDArray[np.float64]) -> NDArray[np.float64]:
        """(g,) worth of a dwell at a row that begins at each of some minutes."""
        if self.timed_prizes is None:
            return np.full(len(begin), float(self.prizes[stop]))
        return self.timed_prizes.compute_worth(stop, begin, float(self.dwell_minutes[stop]))

    def _store(self, name: str, values: NDArray[np.float64]) -> None:
        values.setflags(write=False)
        object.__setattr__(self, name, values)


def _array(values: Any, name: str, faults: list[str]) -> NDArray[np.float64]:  # noqa: ANN401
    try:
        return np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        faults.append(f"{name} is {values!r}; give numbers")
        return np.zeros(0)


def _check_travel(travel: NDArray[np.float64], faults: list[str]) -> None:
    wrong = np.argwhere(np.isnan(travel) | (travel < 0))
    if len(wrong):
        row, column = (int(k) for k in wrong[0])
        faults.append(
            f"travel_minutes[{row}, {column}] is {travel[row, column]} ({len(wrong)} such values); "
            "give minutes of 0 or more, inf where there is no way"
        )


def _check_amounts(values: NDArray[np.float64], name: str, size: int, faults: list[str]) -> None:
    if values.shape != (size,):
        faults.append(f"{name} has shape {values.shape}; travel_minutes needs ({size},)")
        return
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        row = int(wrong[0])
        faults.append(
            f"{name}[{row}] is {values[row]} ({len(wrong)} such values); "
            "give finite numbers of 0 or more"
        )


CUMULATIVE_AXES = 2


def _check_cumulative(values: NDArray[np.float64], size: int, faults: list[str]) -> None:
    name = "timed_prizes.cumulative"
    if values.ndim != CUMULATIVE_AXES or len(values) != size or not values.shape[1]:
        faults.append(f"{name} has shape {values.shape}; give ({size}, minutes + 1)")
        return
    if not np.isfinite(values).all() or (np.diff(values, axis=-1) < 0).any():
        faults.append(f"{name} falls or is not finite; give worth gathered, which never falls")


def _check_windows(windows: NDArray[np.float64], size: int, faults: list[str]) -> None:
    if windows.shape != (size, 2):
        faults.append(f"windows has shape {windows.shape}; travel_minutes needs ({size}, 2)")
        return
    wrong = np.flatnonzero(~(windows[:, 0] <= windows[:, 1]))
    if len(wrong):
        row = int(wrong[0])
        faults.append(
            f"windows[{row}] is {windows[row].tolist()} ({len(wrong)} such rows); "
            "give the earliest minute first, then the latest"
        )


def _check_officers(officer: Officer, count: int, size: int, faults: list[str]) -> None:
    for what in ("start", "end"):
        row = getattr(officer, what)
        if not 0 <= row < size:
            faults.append(f"officer.{what} is {row}; give a row from 0 to {size - 1}")
    faults += [
        f"officer.{what} is {getattr(officer, what)}; give a minute"
        for what in ("earliest_minutes", "latest_minutes")
        if not math.isfinite(getattr(officer, what))
    ]
    if officer.latest_minutes < officer.earliest_minutes:
        faults.append(
            f"officer.latest_minutes is {officer.latest_minutes}, before earliest_minutes "
            f"{officer.earliest_minutes}; give a later minute"
        )
    if count < 1:
        faults.append(f"officer_count is {count}; give at least 1")


def _check_stops(problem: OrienteeringProblem, size: int, faults: list[str]) -> None:
    for name, stops in (("mandatory", problem.mandatory), ("barred", problem.barred)):
        outside = sorted(stop for stop in stops if not 0 <= stop < size)
        if outside:
            faults.append(f"{name} names {outside}; give rows from 0 to {size - 1}")
    both = sorted(problem.mandatory & problem.barred)
    if both:
        faults.append(f"stops {both} are both mandatory and barred; remove them from one set")
