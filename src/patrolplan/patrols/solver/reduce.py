"""A problem reduced to what the labels need: candidates only, as plain arrays.

A stop stays a candidate when an officer can visit it in time with nothing else to do, by the
quickest way over other stops (their dwell counted), and when it can serve a purpose: it has a
prize, is mandatory, or is a short cut between two other places. Everything else is in no best
answer, or in none that is worse without it, so the reduced case has the same best worth.

*Prizes.* Which stops are candidates, and on what scale, follows from the static relaxation: every
stop is worth its peak, the most that a dwell there can be worth. The labels know the true prizes:
`cumulative`, and in `value` what a stop is worth beyond them. Constant prizes are the case in which
nothing is gathered by the minute, so `value` is the whole prize and the peak 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.compiled import jit_compile
from patrolplan.patrols.solver.solution import compute_slack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.patrols.solver.problem import OrienteeringProblem


# Linear programs have absolute tolerances, so the largest prize must not be too small for them.
MAX_VALUE = 1000.0


@dataclass(frozen=True, eq=False, kw_only=True)
class ReducedCase:
    """Candidates 0 to c - 1 of a problem; `rows` says which row of the problem each one is.

    `value` is the peak of each candidate's prize, scaled to at most `MAX_VALUE`, plus, for
    mandatory stops, a `bonus` larger than all prizes together, so that the greatest value visits as
    many mandatory stops as possible first. `closing` and `latest` already hold the rounding
    allowed.

    `times` has shape (c + 2, c + 2); row c is the start and row c + 1 the end. `min_times` holds
    the least minutes between two rows by any way over other candidates, their dwell counted, and so
    never more than `times`: a bound that holds whatever comes between.

    `follows`, of shape (c,), is the candidate that has to be visited before, or -1.

    `cumulative` is as in `TimedPrizes`, of the candidates and scaled; `peak`, of shape (c,), the
    most that a dwell is worth by it.
    """

    rows: NDArray[np.int64]
    value: NDArray[np.float64]
    scale: float
    bonus: float
    dwell: NDArray[np.float64]
    opening: NDArray[np.float64]
    closing: NDArray[np.float64]
    officer_count: int
    times: NDArray[np.float64]
    min_times: NDArray[np.float64]
    earliest: float
    latest: float
    first_minute: float
    cumulative: NDArray[np.float64]
    peak: NDArray[np.float64]
    follows: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Number of candidates."""
        return len(self.rows)

    @property
    def epsilon(self) -> float:
        """Worths that differ by less are the same."""
        return 1e-9 * max(float(self.value.sum()), 1.0)

    def select(self, keep: NDArray[np.bool_]) -> ReducedCase:
        """Give the case with only some of its candidates."""
        keep = keep & ((self.follows < 0) | keep[self.follows])
        number = np.append(np.cumsum(keep) - 1, -1)
        both = np.concatenate([np.flatnonzero(keep), [len(keep), len(keep) + 1]])
        return replace(
            self,
            rows=self.rows[keep],
            value=self.value[keep],
            dwell=self.dwell[keep],
            opening=self.opening[keep],
            closing=self.closing[keep],
            times=np.ascontiguousarray(self.times[np.ix_(both, both)]),
            min_times=np.ascontiguousarray(self.min_times[np.ix_(both, both)]),
            cumulative=np.ascontiguousarray(self.cumulative[keep]),
            peak=self.peak[keep],
            follows=number[self.follows[keep]],
        )


def reduce_problem(problem: OrienteeringProblem) -> ReducedCase:
    """Keep the stops that an officer can reach and that can be worth something."""
    timed = problem.timed_prizes
    rows, follows = _list_allowed(problem)
    windows = np.full((len(rows), 2), [-math.inf, math.inf])
    if problem.windows is not None:
        windows = problem.windows[rows]
    dwell = problem.dwell_minutes[rows]
    closing = windows[:, 1] + [compute_slack(minute) for minute in windows[:, 1].tolist()]
    prizes, first_minute, cumulative = problem.prizes[rows], 0.0, np.zeros((len(rows), 1))
    if timed is not None:
        first_minute, cumulative = float(timed.first_minute), timed.cumulative[rows]
        prizes = np.zeros(len(rows))
        for k, row in enumerate(rows.tolist()):
            last = min(problem.latest_minutes - dwell[k], closing[k])
            last += compute_slack(last)
            first = max(problem.earliest_minutes, float(windows[k, 0]))
            prizes[k] = timed.compute_peak(row, float(dwell[k]), first, last)
    times, min_times = _measure_times(problem, rows)
    case = ReducedCase(
        rows=rows,
        value=prizes,
        scale=1.0,
        bonus=0.0,
        dwell=dwell,
        opening=np.ascontiguousarray(windows[:, 0]),
        closing=closing,
        officer_count=problem.officer_count,
        times=times,
        min_times=min_times,
        earliest=float(problem.earliest_minutes),
        latest=problem.latest_minutes + compute_slack(problem.latest_minutes),
        first_minute=first_minute,
        cumulative=cumulative,
        peak=prizes if timed is not None else np.zeros(len(rows)),
        follows=follows,
    )
    is_mandatory = np.isin(rows, list(problem.mandatory))
    keep = _find_reachable(case) & _find_useful(case, is_mandatory)
    case, must = case.select(keep), is_mandatory[keep]
    scale, prizes = _scale_prizes(case.value)
    bonus = 1.5 * float(prizes.sum()) or 1.0
    return replace(
        case,
        value=np.where(must, prizes + bonus, prizes),
        scale=scale,
        bonus=bonus,
        cumulative=case.cumulative * scale,
        peak=case.peak * scale,
    )


def _list_allowed(problem: OrienteeringProblem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(c,) rows that are not barred, nor follow one that is, and what each follows, or -1."""
    before = problem.follows
    before = np.full(problem.size, -1, dtype=np.int64) if before is None else before
    number = np.full(problem.size + 1, -1, dtype=np.int64)
    rows: list[int] = []
    for row in range(problem.size):  # a row comes after the one that it follows
        if row not in problem.barred and (before[row] < 0 or number[before[row]] >= 0):
            number[row] = len(rows)
            rows.append(row)
    return np.array(rows, dtype=np.int64), number[before[rows]]


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


def _measure_times(
    problem: OrienteeringProblem, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give `times` and `min_times` of the rows."""
    size = len(rows)
    places = np.concatenate([rows, [0, 0]])
    times = problem.travel_minutes[np.ix_(places, places)]
    times[:, size] = math.inf  # nobody comes back to the start
    times[size + 1, :] = math.inf  # nor goes on from the end
    min_times = times.copy()
    np.fill_diagonal(min_times, math.inf)
    _shorten_times(min_times, problem.dwell_minutes[rows])
    np.fill_diagonal(min_times, 0.0)
    return times, min_times


def _find_reachable(case: ReducedCase) -> NDArray[np.bool_]:
    """Tell which candidates an officer could visit with nothing else to do."""
    size = case.size
    begin = np.maximum(case.earliest + case.min_times[size, :size], case.opening)
    over = begin + case.dwell + case.min_times[:size, size + 1]
    return (begin <= case.closing) & (over <= case.latest)


def _find_useful(case: ReducedCase, is_mandatory: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which candidates have a prize, are mandatory, or are a short cut between others."""
    useful = (case.value > 0) | is_mandatory
    for k in np.flatnonzero(~useful):
        over = case.times[:, k, None] + case.dwell[k] + case.times[None, k, :]
        over[k, :] = math.inf
        over[:, k] = math.inf
        np.fill_diagonal(over, math.inf)
        # Rounding of straight lines is no short cut.
        useful[k] = bool((over < case.times * (1 - 1e-12)).any())
    for k in np.flatnonzero(useful & (case.follows >= 0))[::-1]:
        useful[case.follows[k]] = True
    return useful


def _scale_prizes(prizes: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Give the scale and the scaled prizes; integers stay integers where they are small enough."""
    top = float(prizes.max(initial=0.0))
    if top <= np.finfo(np.float64).tiny or 1.0 <= top <= MAX_VALUE:
        return 1.0, prizes.copy()
    return MAX_VALUE / top, prizes / top * MAX_VALUE
