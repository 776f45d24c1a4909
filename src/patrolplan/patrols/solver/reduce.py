"""A problem boiled down to what the solvers need: candidates only, as plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.arrays import compiled
from patrolplan.patrols.solver.solution import slack_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.problem import Officer, OrienteeringProblem


# Beyond this, minutes lose their meaning in double precision sums.
FAR = 1e300
# Linear programs have absolute tolerances, so the largest prize must not be too small for them.
TOP_VALUE = 1000.0


@dataclass(frozen=True, eq=False)
class Crew:
    """Officers who are alike: same start, end, hours and speed.

    `times` has shape (c + 2, c + 2) for c candidates; row c is the start and row c + 1 the end.
    `low` holds the least minutes between two rows by any way over other candidates, their dwell
    counted, and so never more than `times`.
    """

    officers: tuple[int, ...]
    times: NDArray[np.float64]
    low: NDArray[np.float64]
    earliest: float
    latest: float


@dataclass(frozen=True, eq=False)
class Case:
    """Candidates 0 to c - 1 of a problem; `rows` says which row of the problem each one is.

    `value` is the prize, scaled to at most `TOP_VALUE`, plus, for mandatory stops, a `bonus` larger
    than all prizes together, so that whoever maximises it visits as many mandatory stops as
    possible first. `close` and the crews' `latest` already hold the rounding allowed. `conflict`
    has one bit for each candidate that excludes this one, itself included.
    """

    rows: NDArray[np.int64]
    value: NDArray[np.float64]
    scale: float
    bonus: float
    dwell: NDArray[np.float64]
    open: NDArray[np.float64]
    close: NDArray[np.float64]
    conflict: NDArray[np.uint64]
    groups: tuple[NDArray[np.int64], ...]
    crews: tuple[Crew, ...]
    windowed: bool

    @property
    def size(self) -> int:
        """Number of candidates."""
        return len(self.rows)

    @property
    def epsilon(self) -> float:
        """Worths that differ by less are the same."""
        return 1e-9 * max(float(self.value.sum()), 1.0)


@compiled("void(f8[:,::1], f8[::1])")
def _close(low: NDArray[np.float64], dwell: NDArray[np.float64]) -> None:
    """Shorten `low` in place by ways over others (Floyd and Warshall), counting their dwell."""
    size = low.shape[0]
    for via in range(dwell.shape[0]):
        for start in range(size):
            first = low[start, via] + dwell[via]
            if first < np.inf and start != via:
                for end in range(size):
                    low[start, end] = min(low[start, end], first + low[via, end])


def build_case(problem: OrienteeringProblem) -> Case:
    """Keep the stops that some officer can reach and that can be worth something."""
    size = problem.size
    rows = np.array([k for k in range(size) if k not in problem.barred], dtype=np.int64)
    if problem.windows is None:
        windows = np.column_stack([np.full(size, -math.inf), np.full(size, math.inf)])
    else:
        windows = problem.windows
    horizon = _horizon(problem, windows)
    crews = _crews(problem, rows, horizon)
    keep = _reachable(rows, problem, windows, crews) & _useful(rows, problem, crews)
    rows = rows[keep]
    crews = tuple(_narrowed(crew, keep) for crew in crews)
    scale, prize = _scaled(problem.prizes[rows])
    must = np.array([int(k) in problem.mandatory for k in rows], dtype=bool)
    bonus = 1.5 * float(prize.sum()) or 1.0
    local = {int(row): number for number, row in enumerate(rows)}
    groups = [sorted(local[k] for k in group if k in local) for group in problem.exclusive]
    groups = [group for group in groups if len(group) > 1]
    close = windows[rows, 1]
    return Case(
        rows=rows,
        value=np.where(must, prize + bonus, prize),
        scale=scale,
        bonus=bonus,
        dwell=problem.dwell_minutes[rows],
        open=np.ascontiguousarray(windows[rows, 0]),
        close=np.array([minute + slack_of(minute) for minute in close], dtype=np.float64),
        conflict=_conflicts(len(rows), groups),
        groups=tuple(np.array(group, dtype=np.int64) for group in groups),
        crews=crews,
        windowed=problem.windows is not None,
    )


def _scaled(prizes: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Give the scale and the scaled prizes; integers stay integers where they are small enough."""
    top = float(prizes.max(initial=0.0))
    if top <= np.finfo(np.float64).tiny or 1.0 <= top <= TOP_VALUE:
        return 1.0, prizes.copy()
    return TOP_VALUE / top, prizes / top * TOP_VALUE


def _horizon(problem: OrienteeringProblem, windows: NDArray[np.float64]) -> float:
    """Give a minute by which any sensible route is over, for officers without a latest minute."""
    travel = problem.travel_minutes
    slowest = min(officer.speed for officer in problem.officers)
    begin = max(officer.earliest_minutes for officer in problem.officers)
    opening = windows[:, 0][np.isfinite(windows[:, 0])]
    with np.errstate(over="ignore"):
        longest = np.where(np.isfinite(travel), travel, 0.0).max(axis=1).sum() * 2 / slowest
        total = begin + longest + problem.dwell_minutes.sum()
        total += max(float(opening.max(initial=0.0)), 0.0)
    return min(float(total) + 1.0, FAR)


def _crews(
    problem: OrienteeringProblem, rows: NDArray[np.int64], horizon: float
) -> tuple[Crew, ...]:
    alike: dict[tuple[float, ...], list[int]] = {}
    for number, officer in enumerate(problem.officers):
        key = (
            officer.start,
            officer.end,
            officer.earliest_minutes,
            officer.latest_minutes,
            officer.speed,
        )
        alike.setdefault(key, []).append(number)
    return tuple(
        _crew(problem, problem.officers[numbers[0]], tuple(numbers), rows, horizon)
        for numbers in alike.values()
    )


def _crew(
    problem: OrienteeringProblem,
    officer: Officer,
    numbers: tuple[int, ...],
    rows: NDArray[np.int64],
    horizon: float,
) -> Crew:
    size = len(rows)
    places = np.concatenate([rows, [officer.start, officer.end]])
    with np.errstate(over="ignore"):
        times = problem.travel_minutes[np.ix_(places, places)] / officer.speed
    times[times > FAR] = math.inf
    times[:, size] = math.inf  # nobody comes back to the start
    times[size + 1, :] = math.inf  # nor goes on from the end
    low = times.copy()
    np.fill_diagonal(low, math.inf)
    _close(low, problem.dwell_minutes[rows])
    np.fill_diagonal(low, 0.0)
    latest = min(officer.latest_minutes, horizon)
    return Crew(
        officers=numbers,
        times=np.ascontiguousarray(times),
        low=low,
        earliest=float(officer.earliest_minutes),
        latest=latest + slack_of(latest),
    )


def _narrowed(crew: Crew, keep: NDArray[np.bool_]) -> Crew:
    both = np.concatenate([np.flatnonzero(keep), [len(keep), len(keep) + 1]])
    return Crew(
        officers=crew.officers,
        times=np.ascontiguousarray(crew.times[np.ix_(both, both)]),
        low=np.ascontiguousarray(crew.low[np.ix_(both, both)]),
        earliest=crew.earliest,
        latest=crew.latest,
    )


def _reachable(
    rows: NDArray[np.int64],
    problem: OrienteeringProblem,
    windows: NDArray[np.float64],
    crews: tuple[Crew, ...],
) -> NDArray[np.bool_]:
    """Tell which rows some officer could visit if there were nothing else to do."""
    reachable = np.zeros(len(rows), dtype=bool)
    size = len(rows)
    for crew in crews:
        begin = np.maximum(crew.earliest + crew.low[size, :size], windows[rows, 0])
        over = begin + problem.dwell_minutes[rows] + crew.low[:size, size + 1]
        slack = np.array([slack_of(minute) for minute in windows[rows, 1]])
        reachable |= (begin <= windows[rows, 1] + slack) & (over <= crew.latest)
    return reachable


def _useful(
    rows: NDArray[np.int64], problem: OrienteeringProblem, crews: tuple[Crew, ...]
) -> NDArray[np.bool_]:
    """Tell which rows have a prize, are mandatory, or are a short cut between others."""
    useful = (problem.prizes[rows] > 0) | np.isin(rows, list(problem.mandatory))
    for number in np.flatnonzero(~useful):
        dwell = problem.dwell_minutes[rows[number]]
        for crew in crews:
            over = crew.times[:, number, None] + dwell + crew.times[None, number, :]
            over[number, :] = math.inf
            over[:, number] = math.inf
            np.fill_diagonal(over, math.inf)
            # Rounding of straight lines is no short cut.
            if (over < crew.times * (1 - 1e-12)).any():
                useful[number] = True
                break
    return useful


def _conflicts(size: int, groups: list[list[int]]) -> NDArray[np.uint64]:
    """Give a row of bits for each candidate: itself and all that it excludes."""
    words = max(2, -(-size // 64))
    bits = np.zeros((size, words), dtype=np.uint64)
    own = [[number] for number in range(size)]
    for group in own + groups:
        for number in group:
            for other in group:
                bits[number, other // 64] |= np.uint64(1) << np.uint64(other % 64)
    return bits
