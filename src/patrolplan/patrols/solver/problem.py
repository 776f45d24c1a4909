"""The problem: stops with prizes, officers with hours, and which stops are allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from patrolplan.patrols.solver.timed_prizes import GateStay, TimedPrizes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Officer:
    """One officer: where the route begins and ends, and between which minutes.

    Parameters
    ----------
    start, end
        Rows of the travel-time matrix. They may be the same.
    earliest_minutes, latest_minutes
        The officer leaves `start` not before the first and is at `end` not after the second.
    speed
        Travel times are divided by it: 2 halves them. Dwell is not changed.
    """

    start: int
    end: int
    earliest_minutes: float = 0.0
    latest_minutes: float = math.inf
    speed: float = 1.0


@dataclass(frozen=True, eq=False)
class OrienteeringProblem:
    """Choose stops and their order, for one or more officers, to win the most prizes in time.

    Every stop is visited at most once, by one officer. A prize, also one at a row where an
    officer starts or ends, is won only by dwelling there.

    Parameters
    ----------
    travel_minutes
        Shape (n, n): minutes from row to column, may be asymmetric; `inf` where there is no way.
        The diagonal is ignored.
    prizes
        Shape (n,): what each stop is worth, at least 0.
    dwell_minutes
        Shape (n,): minutes spent at each stop.
    officers
        At least one.
    windows
        Shape (n, 2): earliest and latest minute at which the dwell may begin. A visitor who comes
        early waits. `None`: any time.
    mandatory, barred
        Stops that must, or must not, be in the answer.
    exclusive
        Sets of stops of which at most one is visited, such as the same place with several dwells.
    timed_prizes
        What a stop is worth by the minute at which its dwell begins. Then `prizes` are not counted:
        they are what the stops are worth on average, for ways of planning that know no time.
    gate
        A minimum stay at the start with a worth of its own, for officers who are all alike; needs
        `timed_prizes`.

    Raises
    ------
    ValueError
        Naming every argument that is wrong, the value seen and what to do.
    """

    travel_minutes: NDArray[np.float64]
    prizes: NDArray[np.float64]
    dwell_minutes: NDArray[np.float64]
    officers: tuple[Officer, ...]
    windows: NDArray[np.float64] | None = None
    mandatory: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    exclusive: tuple[frozenset[int], ...] = field(default=())
    timed_prizes: TimedPrizes | None = None
    gate: GateStay | None = None

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
        prizes = _array(self.prizes, "prizes", faults)
        dwell = _array(self.dwell_minutes, "dwell_minutes", faults)
        windows = (
            np.column_stack([np.full(size, -math.inf), np.full(size, math.inf)])
            if self.windows is None
            else _array(self.windows, "windows", faults)
        )
        _check_travel(travel, faults)
        _check_amounts(prizes, "prizes", size, faults)
        _check_amounts(dwell, "dwell_minutes", size, faults)
        _check_windows(windows, size, faults)
        self._store("travel_minutes", travel)
        self._store("prizes", prizes)
        self._store("dwell_minutes", dwell)
        if self.windows is not None:
            self._store("windows", windows)
        object.__setattr__(self, "officers", tuple(self.officers))
        _check_officers(self.officers, size, faults)
        object.__setattr__(self, "mandatory", frozenset(int(k) for k in self.mandatory))
        object.__setattr__(self, "barred", frozenset(int(k) for k in self.barred))
        groups = tuple(frozenset(int(k) for k in group) for group in self.exclusive)
        object.__setattr__(self, "exclusive", groups)
        _check_stops(self, size, faults)
        self._store_timed(size, faults)
        if faults:
            raise ValueError("; ".join(faults))

    def _store_timed(self, size: int, faults: list[str]) -> None:
        """Copy and check what depends on the time."""
        timed, gate = self.timed_prizes, self.gate
        if timed is None:
            if gate is not None:
                faults.append("gate is given without timed_prizes; give both")
            return
        cumulative = _array(timed.cumulative, "timed_prizes.cumulative", faults)
        _check_cumulative(cumulative, "timed_prizes.cumulative", (size,), faults)
        cumulative.setflags(write=False)
        object.__setattr__(self, "timed_prizes", TimedPrizes(int(timed.first_minute), cumulative))
        if gate is None:
            return
        worth = _array(gate.cumulative, "gate.cumulative", faults)
        _check_cumulative(worth, "gate.cumulative", (), faults)
        if worth.shape[-1:] != cumulative.shape[-1:]:
            faults.append(
                f"gate.cumulative has shape {worth.shape}; timed_prizes needs "
                f"{cumulative.shape[-1:]}"
            )
        if not (math.isfinite(gate.minutes) and gate.minutes >= 0):
            faults.append(f"gate.minutes is {gate.minutes}; give a finite number of 0 or more")
        if any(officer != self.officers[0] for officer in self.officers):
            faults.append(
                "gate is given for officers who differ; give them the same start and hours"
            )
        if self.officers and not math.isfinite(self.officers[0].latest_minutes):
            faults.append("gate is given without an end of the hours; give latest_minutes")
        worth.setflags(write=False)
        object.__setattr__(self, "gate", GateStay(float(gate.minutes), worth))

    @property
    def size(self) -> int:
        """Number of rows of the travel-time matrix."""
        return int(self.travel_minutes.shape[0])

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


def _check_cumulative(
    values: NDArray[np.float64], name: str, shape: tuple[int, ...], faults: list[str]
) -> None:
    if values.ndim != len(shape) + 1 or values.shape[:-1] != shape or not values.shape[-1]:
        rows = "".join(f"{length}, " for length in shape)
        faults.append(f"{name} has shape {values.shape}; give ({rows}minutes + 1)")
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


def _check_officers(officers: Iterable[Officer], size: int, faults: list[str]) -> None:
    number = -1
    for number, officer in enumerate(officers):
        name = f"officers[{number}]"
        for what in ("start", "end"):
            row = getattr(officer, what)
            if not 0 <= row < size:
                faults.append(f"{name}.{what} is {row}; give a row from 0 to {size - 1}")
        if not math.isfinite(officer.earliest_minutes):
            faults.append(f"{name}.earliest_minutes is {officer.earliest_minutes}; give a minute")
        if not officer.latest_minutes >= officer.earliest_minutes:
            faults.append(
                f"{name}.latest_minutes is {officer.latest_minutes}, before earliest_minutes "
                f"{officer.earliest_minutes}; give a later minute or inf"
            )
        if not (math.isfinite(officer.speed) and officer.speed > 0):
            faults.append(f"{name}.speed is {officer.speed}; give a number above 0")
    if number < 0:
        faults.append("officers is empty; give at least one Officer")


def _check_stops(problem: OrienteeringProblem, size: int, faults: list[str]) -> None:
    sets = [("mandatory", problem.mandatory), ("barred", problem.barred)]
    sets += [(f"exclusive[{number}]", group) for number, group in enumerate(problem.exclusive)]
    for name, stops in sets:
        outside = sorted(stop for stop in stops if not 0 <= stop < size)
        if outside:
            faults.append(f"{name} names {outside}; give rows from 0 to {size - 1}")
    both = sorted(problem.mandatory & problem.barred)
    if both:
        faults.append(f"stops {both} are both mandatory and barred; remove them from one set")
    for number, group in enumerate(problem.exclusive):
        clash = sorted(group & problem.mandatory)
        if len(clash) > 1:
            faults.append(
                f"exclusive[{number}] holds {clash}, which are all mandatory; at most one can be"
            )
