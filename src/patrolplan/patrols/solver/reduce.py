"""A problem reduced to what the solvers need: candidates only, as plain arrays.

A stop stays a candidate when some officer can visit it in time with nothing else to do, by the
quickest way over other stops (their dwell counted), and when it can serve a purpose: it has a
prize, is mandatory, or is a short cut between two other places. Everything else is in no best
answer, or in none that is worse without it, so the reduced case has the same best worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.compiled import jit_compile
from patrolplan.patrols.solver.solution import compute_slack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.problem import Officer, OrienteeringProblem


# Beyond this, minutes lose their meaning in double precision sums.
MAX_MINUTES = 1e300
# Linear programs have absolute tolerances, so the largest prize must not be too small for them.
MAX_VALUE = 1000.0


@dataclass(frozen=True, eq=False)
class OfficerGroup:
    """A unit: officers who are alike, with the same start, end, hours and speed.

    `times` has shape (c + 2, c + 2) for c candidates; row c is the start and row c + 1 the end.
    `min_times` holds the least minutes between two rows by any way over other candidates, their
    dwell counted, and so never more than `times`: a bound that holds whatever comes between.
    """

    officers: tuple[int, ...]
    times: NDArray[np.float64]
    min_times: NDArray[np.float64]
    earliest: float
    latest: float


@dataclass(frozen=True, eq=False)
class ReducedCase:
    """Candidates 0 to c - 1 of a problem; `rows` says which row of the problem each one is.

    `value` is the prize, scaled to at most `MAX_VALUE`, plus, for mandatory stops, a `bonus` larger
    than all prizes together, so that the greatest value visits as many mandatory stops as possible
    first. `closing` and the officer groups' `latest` already hold the rounding allowed. `conflict`
    has one bit for each candidate that excludes this one, itself included. `baseline` is the scaled
    worth of going nowhere, from which worths of routes count.
    """

    rows: NDArray[np.int64]
    value: NDArray[np.float64]
    scale: float
    bonus: float
    dwell: NDArray[np.float64]
    opening: NDArray[np.float64]
    closing: NDArray[np.float64]
    conflict: NDArray[np.uint64]
    exclusive_sets: tuple[NDArray[np.int64], ...]
    officer_groups: tuple[OfficerGroup, ...]
    baseline: float = 0.0

    @property
    def size(self) -> int:
        """Number of candidates."""
        return len(self.rows)

    @property
    def epsilon(self) -> float:
        """Worths that differ by less are the same."""
        return 1e-9 * max(float(self.value.sum()), 1.0)


@jit_compile("void(f8[:,::1], f8[::1])")
def _shorten_times(min_times: NDArray[np.float64], dwell: NDArray[np.float64]) -> None:
    """Shorten times in place by ways over others, dwell included (Floyd and Warshall)."""
    size = min_times.shape[0]
    for via in range(dwell.shape[0]):
        for start in range(size):
            first = min_times[start, via] + dwell[via]
            if first < np.inf and start != via:
                for end in range(size):
                    min_times[start, end] = min(min_times[start, end], first + min_times[via, end])


def reduce_problem(problem: OrienteeringProblem, *, waiting_minutes: float = 0.0) -> ReducedCase:
    """Keep the stops that some officer can reach and that can be worth something.

    `waiting_minutes` is how long officers may have a reason to wait, apart from windows.
    """
    size = problem.size
    rows = np.array([k for k in range(size) if k not in problem.barred], dtype=np.int64)
    if problem.windows is None:
        windows = np.column_stack([np.full(size, -math.inf), np.full(size, math.inf)])
    else:
        windows = problem.windows
    horizon = min(_compute_horizon(problem, windows) + waiting_minutes, MAX_MINUTES)
    officer_groups = _group_officers(problem, rows, horizon)
    keep = _find_reachable(rows, problem, windows, officer_groups) & _find_useful(
        rows, problem, officer_groups
    )
    rows = rows[keep]
    officer_groups = tuple(narrow_group(unit, keep) for unit in officer_groups)
    scale, prize = _scale_prizes(problem.prizes[rows])
    must = np.array([int(k) in problem.mandatory for k in rows], dtype=bool)
    bonus = 1.5 * float(prize.sum()) or 1.0
    local = {int(row): number for number, row in enumerate(rows)}
    groups = [sorted(local[k] for k in group if k in local) for group in problem.exclusive]
    groups = [group for group in groups if len(group) > 1]
    close = windows[rows, 1]
    return ReducedCase(
        rows=rows,
        value=np.where(must, prize + bonus, prize),
        scale=scale,
        bonus=bonus,
        dwell=problem.dwell_minutes[rows],
        opening=np.ascontiguousarray(windows[rows, 0]),
        closing=np.array([minute + compute_slack(minute) for minute in close], dtype=np.float64),
        conflict=build_conflict_bits(len(rows), groups),
        exclusive_sets=tuple(np.array(group, dtype=np.int64) for group in groups),
        officer_groups=officer_groups,
    )


def _scale_prizes(prizes: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Give the scale and the scaled prizes; integers stay integers where they are small enough."""
    top = float(prizes.max(initial=0.0))
    if top <= np.finfo(np.float64).tiny or 1.0 <= top <= MAX_VALUE:
        return 1.0, prizes.copy()
    return MAX_VALUE / top, prizes / top * MAX_VALUE


def _compute_horizon(problem: OrienteeringProblem, windows: NDArray[np.float64]) -> float:
    """Give a minute by which any sensible route is over, for officers without a latest minute."""
    travel = problem.travel_minutes
    slowest = min(officer.speed for officer in problem.officers)
    begin = max(officer.earliest_minutes for officer in problem.officers)
    opening = windows[:, 0][np.isfinite(windows[:, 0])]
    with np.errstate(over="ignore"):
        longest = np.where(np.isfinite(travel), travel, 0.0).max(axis=1).sum() * 2 / slowest
        total = begin + longest + problem.dwell_minutes.sum()
        total += max(float(opening.max(initial=0.0)), 0.0)
    return min(float(total) + 1.0, MAX_MINUTES)


def _group_officers(
    problem: OrienteeringProblem, rows: NDArray[np.int64], horizon: float
) -> tuple[OfficerGroup, ...]:
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
        _build_officer_group(problem, problem.officers[numbers[0]], tuple(numbers), rows, horizon)
        for numbers in alike.values()
    )


def _build_officer_group(
    problem: OrienteeringProblem,
    officer: Officer,
    numbers: tuple[int, ...],
    rows: NDArray[np.int64],
    horizon: float,
) -> OfficerGroup:
    size = len(rows)
    places = np.concatenate([rows, [officer.start, officer.end]])
    with np.errstate(over="ignore"):
        times = problem.travel_minutes[np.ix_(places, places)] / officer.speed
    times[times > MAX_MINUTES] = math.inf
    times[:, size] = math.inf  # nobody comes back to the start
    times[size + 1, :] = math.inf  # nor goes on from the end
    min_times = times.copy()
    np.fill_diagonal(min_times, math.inf)
    _shorten_times(min_times, problem.dwell_minutes[rows])
    np.fill_diagonal(min_times, 0.0)
    latest = min(officer.latest_minutes, horizon)
    return OfficerGroup(
        officers=numbers,
        times=np.ascontiguousarray(times),
        min_times=min_times,
        earliest=float(officer.earliest_minutes),
        latest=latest + compute_slack(latest),
    )


def narrow_group(unit: OfficerGroup, keep: NDArray[np.bool_]) -> OfficerGroup:
    """Give a group of officers who can only go to some of the candidates."""
    both = np.concatenate([np.flatnonzero(keep), [len(keep), len(keep) + 1]])
    return OfficerGroup(
        officers=unit.officers,
        times=np.ascontiguousarray(unit.times[np.ix_(both, both)]),
        min_times=np.ascontiguousarray(unit.min_times[np.ix_(both, both)]),
        earliest=unit.earliest,
        latest=unit.latest,
    )


def _find_reachable(
    rows: NDArray[np.int64],
    problem: OrienteeringProblem,
    windows: NDArray[np.float64],
    officer_groups: tuple[OfficerGroup, ...],
) -> NDArray[np.bool_]:
    """Tell which rows some officer could visit with nothing else to do."""
    reachable = np.zeros(len(rows), dtype=bool)
    size = len(rows)
    for unit in officer_groups:
        begin = np.maximum(unit.earliest + unit.min_times[size, :size], windows[rows, 0])
        over = begin + problem.dwell_minutes[rows] + unit.min_times[:size, size + 1]
        slack = np.array([compute_slack(minute) for minute in windows[rows, 1]])
        reachable |= (begin <= windows[rows, 1] + slack) & (over <= unit.latest)
    return reachable


def _find_useful(
    rows: NDArray[np.int64], problem: OrienteeringProblem, officer_groups: tuple[OfficerGroup, ...]
) -> NDArray[np.bool_]:
    """Tell which rows have a prize, are mandatory, or are a short cut between others."""
    useful = (problem.prizes[rows] > 0) | np.isin(rows, list(problem.mandatory))
    for number in np.flatnonzero(~useful):
        dwell = problem.dwell_minutes[rows[number]]
        for unit in officer_groups:
            over = unit.times[:, number, None] + dwell + unit.times[None, number, :]
            over[number, :] = math.inf
            over[:, number] = math.inf
            np.fill_diagonal(over, math.inf)
            # Rounding of straight lines is no short cut.
            if (over < unit.times * (1 - 1e-12)).any():
                useful[number] = True
                break
    return useful


def build_conflict_bits(size: int, groups: list[list[int]]) -> NDArray[np.uint64]:
    """Give a row of bits for each candidate: itself and all that it excludes."""
    words = max(2, -(-size // 64))
    bits = np.zeros((size, words), dtype=np.uint64)
    own = [[number] for number in range(size)]
    for group in own + groups:
        for number in group:
            for other in group:
                bits[number, other // 64] |= np.uint64(1) << np.uint64(other % 64)
    return bits
