"""A problem reduced to what the labels need: candidates only, as plain arrays.

A stop stays a candidate when an officer can visit it in time and it can serve a purpose. Everything
else is in no best answer, or in none that is worse without it, so the reduced case has the same
best worth.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from patrolplan.compiled import jit_compile
from patrolplan.patrols.solver.problem import TOLERANCE, OrienteeringProblem, allow_rounding

MAX_VALUE = 1000.0


@dataclass(frozen=True, eq=False, kw_only=True)
class ReducedCase:
    """Candidates 0 to c - 1 of a problem."""

    rows: NDArray[np.int64]  # (c,) rows of the problem
    # (c,) peaks, scaled to at most `MAX_VALUE`, plus, for mandatory stops, a bonus larger than all
    # prizes together, so that the greatest value visits as many of these as possible first.
    value: NDArray[np.float64]
    scale: float
    bonus: float
    dwell: NDArray[np.float64]
    opening: NDArray[np.float64]
    closing: NDArray[np.float64]  # it and `latest` already hold the rounding allowed
    officer_count: int
    times: NDArray[np.float64]  # (c + 2, c + 2); row c is the start and row c + 1 the end
    # Least minutes by any way over other candidates, their dwell counted, and so never more than
    # `times`: a bound that holds whatever comes between.
    min_times: NDArray[np.float64]
    earliest: float
    latest: float
    first_minute: float
    cumulative: NDArray[np.float64]  # as in `TimedPrizes`, of the candidates and scaled
    peak: NDArray[np.float64]  # (c,) the most that a dwell is worth by it
    follows: NDArray[np.int64]  # (c,) the candidate that has to be visited before, or -1

    @property
    def size(self) -> int:
        """Number of candidates."""
        return len(self.rows)

    @property
    def epsilon(self) -> float:
        """Worths that differ by less are the same."""
        return 1e-9 * max(float(self.value.sum()), 1.0)

    def select(self, keep: NDArray[np.bool_]) -> "ReducedCase":
        """Give the case with only some of its candidates."""
        # A later visit to a place cannot be made without the one before.
        while (orphans := keep & (self.follows >= 0) & ~keep[self.follows]).any():
            keep = keep & ~orphans
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
    case = _list_candidates(problem)
    is_useful = _find_useful(case, np.isin(case.rows, list(problem.mandatory)))
    case = case.select(_find_reachable(case) & is_useful)
    return _scale(case, np.isin(case.rows, list(problem.mandatory)))


def _list_candidates(problem: OrienteeringProblem) -> ReducedCase:
    """All stops that are allowed, at their peaks."""
    timed = problem.timed_prizes
    rows, follows = _list_allowed(problem)
    dwell = problem.dwell_minutes[rows]
    opening, closing = problem.list_windows(rows, TOLERANCE).T
    # Which stops are candidates, and on what scale, follows from a relaxation without time: every
    # stop is worth its peak, the most that a dwell there can be worth. The labels know the prizes.
    first = np.maximum(problem.earliest_minutes, opening)
    last = allow_rounding(np.minimum(problem.latest_minutes - dwell, closing))
    spans = zip(rows.tolist(), dwell.tolist(), first.tolist(), last.tolist(), strict=True)
    peak = np.array([timed.compute_peak(*span) for span in spans])
    times, min_times = _measure_times(problem, rows)
    return ReducedCase(
        rows=rows,
        value=peak,
        scale=1.0,
        bonus=0.0,
        dwell=dwell,
        opening=np.ascontiguousarray(opening),
        closing=np.ascontiguousarray(closing),
        officer_count=problem.officer_count,
        times=times,
        min_times=min_times,
        earliest=float(problem.earliest_minutes),
        latest=float(allow_rounding(np.array(problem.latest_minutes))),
        first_minute=float(timed.first_minute),
        cumulative=timed.cumulative[rows],
        peak=peak,
        follows=follows,
    )


def _scale(case: ReducedCase, is_mandatory: NDArray[np.bool_]) -> ReducedCase:
    """Scale prizes to `MAX_VALUE` where that is needed, and add a bonus to mandatory stops."""
    top = float(case.peak.max(initial=0.0))
    # Linear programs have absolute tolerances, so the largest prize must not be too small for them.
    is_fine = top <= np.finfo(np.float64).tiny or 1.0 <= top <= MAX_VALUE
    scale = 1.0 if is_fine else MAX_VALUE / top
    peak = case.peak * scale
    # More than all prizes together, so that of two answers the one with more mandatory stops is
    # worth more, and a search for the most worth needs to know nothing of them.
    bonus = 1.5 * float(peak.sum()) or 1.0
    return replace(
        case,
        value=np.where(is_mandatory, peak + bonus, peak),
        scale=scale,
        bonus=bonus,
        cumulative=case.cumulative * scale,
        peak=peak,
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


@jit_compile("void(f8[:,::1], f8[::1])", allocates=False)
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
    # By the quickest way over other stops, whose dwell counts: no other way is quicker.
    size = case.size
    begin = np.maximum(case.earliest + case.min_times[size, :size], case.opening)
    over = begin + case.dwell + case.min_times[:size, size + 1]
    return (begin <= case.closing) & (over <= case.latest)


def _find_useful(case: ReducedCase, is_mandatory: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which candidates have a prize, are mandatory, or are a short cut between others."""
    useful = (case.value > 0) | is_mandatory
    for k in np.flatnonzero(~useful):
        # Travel times need not be shortest: a detour over a stop, with its dwell, may be quicker.
        over = case.times[:, k, None] + case.dwell[k] + case.times[None, k, :]
        over[k, :] = math.inf
        over[:, k] = math.inf
        np.fill_diagonal(over, math.inf)
        # Rounding of straight lines is no short cut.
        useful[k] = bool((over < case.times * (1 - 1e-12)).any())
    # A second visit needs the first, whatever that is worth; later visits come later in the rows.
    for k in np.flatnonzero(useful & (case.follows >= 0))[::-1]:
        useful[case.follows[k]] = True
    return useful


def weigh_stops(case: ReducedCase, *, after_start: bool) -> NDArray[np.float64]:
    """(c,) least minutes that each stop takes of a route; of what is after the start, if wanted."""
    # A stop takes its dwell, and half of the legs to and from it: the other halves belong to the
    # stops at their other ends. Nobody comes from and goes to the same stop. Labels have left the
    # start: for what follows, it is no place from which a stop is reached.
    size = case.size
    ways = case.times + np.diag(np.full(size + 2, math.inf))
    ways[size] = math.inf if after_start else ways[size]
    least = np.full(size, math.inf)
    for k in range(size):
        pairs = ways[:, k, None] + ways[None, k, :]
        np.fill_diagonal(pairs, math.inf)
        least[k] = case.dwell[k] + pairs.min(initial=math.inf) / 2
    return least
