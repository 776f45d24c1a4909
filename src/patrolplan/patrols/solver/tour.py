"""The tour that the search changes: routes of all officers with their times, compiled.

A stop fits when it is reached before its window closes and the next stop is still reached before
the latest minute at which everything after it is in time (Vansteenwegen et al. 2009). Both minutes
are stored for each position, so a check takes constant time, with and without windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from patrolplan.compiled import jit_compile, widen

if TYPE_CHECKING:
    from numpy.typing import NDArray


# A route without stops still holds the start and the end.
EMPTY_LENGTH = 2


class SearchFacts(NamedTuple):
    """What does not change: c candidates, m officers, k groups of officers.

    `times` and `transposed_times` have shape (k, c + 2, c + 2); `neighbours` lists for each
    candidate the others by distance; the stops that j excludes are
    `excluded_stops[exclusion_start[j] : exclusion_start[j + 1]]`. When `always_open` no stop has a
    window; when `symmetric` ways are besides as long back as forth.
    """

    times: NDArray[np.float64]
    transposed_times: NDArray[np.float64]
    group_number: NDArray[np.int64]
    earliest: NDArray[np.float64]
    latest: NDArray[np.float64]
    value: NDArray[np.float64]
    ratio: NDArray[np.float64]
    dwell: NDArray[np.float64]
    opening: NDArray[np.float64]
    closing: NDArray[np.float64]
    neighbours: NDArray[np.int32]
    always_open: bool
    symmetric: bool
    exclusion_start: NDArray[np.int64]
    excluded_stops: NDArray[np.int32]


class Tour(NamedTuple):
    """Routes of m officers, start and end included, with their times.

    `leave` is the minute of leaving each stop; `leg` the minutes of the way from there to the next,
    0 in a route without stops, which nobody walks; `latest_begin` the latest minute to begin it so
    that everything after it is in time; `visited_by` the officer who visits a candidate or -1;
    `position` where in the route; `block_count` how many visited stops exclude it.
    """

    route: NDArray[np.int32]
    length: NDArray[np.int64]
    leave: NDArray[np.float64]
    leg: NDArray[np.float64]
    latest_begin: NDArray[np.float64]
    visited_by: NDArray[np.int64]
    position: NDArray[np.int64]
    block_count: NDArray[np.int64]


@jit_compile(is_inner=True, allocates=False)
def update_times(facts: SearchFacts, tour: Tour, r: int, first: int, last: int) -> None:
    """Compute the times of a route again: forwards when it leaves, backwards how late it may be.

    Only stops at positions first to last are other than before; those after them may have moved.
    """
    times = facts.times[facts.group_number[r]]
    route, leave, leg, due = tour.route[r], tour.leave[r], tour.leg[r], tour.latest_begin[r]
    final = tour.length[r] - 1
    leave[0] = facts.earliest[r]
    now = leave[first - 1]
    for p in range(first, final):
        k = route[p]
        leg[p - 1] = times[route[p - 1], k]
        now = max(now + leg[p - 1], facts.opening[k]) + facts.dwell[k]
        leave[p] = now
        tour.position[k] = p
    leg[final - 1] = times[route[final - 1], route[final]] if final > 1 else 0.0
    leave[final] = now + leg[final - 1]
    due[final] = facts.latest[r]
    for p in range(last, 0, -1):
        k = route[p]
        due[p] = min(facts.closing[k], due[p + 1] - leg[p] - facts.dwell[k])


@jit_compile(allocates=False)
def update_all_times(facts: SearchFacts, tour: Tour, r: int) -> None:
    """Compute all times of a route again."""
    update_times(facts, tour, r, widen(1), tour.length[r] - 2)


@jit_compile(is_inner=True, allocates=False)
def remove_stops(facts: SearchFacts, tour: Tour, r: int, first: int, count: int) -> None:
    """Remove stops from a route without updating its times."""
    route = tour.route[r]
    for p in range(first, first + count):
        k = route[p]
        tour.visited_by[k] = -1
        for q in range(facts.exclusion_start[k], facts.exclusion_start[k + 1]):
            tour.block_count[facts.excluded_stops[q]] -= 1
    for p in range(first, tour.length[r] - count):
        route[p] = route[p + count]
        tour.position[route[p]] = p
    tour.length[r] -= count


@jit_compile(is_inner=True, allocates=False)
def insert_stop(facts: SearchFacts, tour: Tour, r: int, after: int, k: int) -> None:
    """Insert a stop behind a position and update the times."""
    route = tour.route[r]
    due = tour.latest_begin[r]
    for p in range(tour.length[r], after + 1, -1):
        route[p] = route[p - 1]
        due[p] = due[p - 1]
    route[after + 1] = k
    tour.length[r] += 1
    tour.visited_by[k] = r
    for q in range(facts.exclusion_start[k], facts.exclusion_start[k + 1]):
        tour.block_count[facts.excluded_stops[q]] += 1
    update_times(facts, tour, r, after + 1, after + 1)


@jit_compile(is_inner=True, allocates=False)
def copy_routes(source: Tour, target: Tour, chosen: NDArray[np.bool_]) -> None:
    """Copy the chosen routes with their times, and who visits what."""
    for r in range(source.length.shape[0]):
        if chosen[r]:
            length = source.length[r]
            target.length[r] = length
            for p in range(length):
                k = source.route[r, p]
                target.route[r, p] = k
                target.leave[r, p] = source.leave[r, p]
                target.leg[r, p] = source.leg[r, p]
                target.latest_begin[r, p] = source.latest_begin[r, p]
                if 0 < p < length - 1:
                    target.position[k] = p
    for k in range(source.visited_by.shape[0]):
        target.visited_by[k] = source.visited_by[k]
        target.block_count[k] = source.block_count[k]


@jit_compile(is_inner=True, allocates=False)
def draw_uniform(rng: NDArray[np.uint64]) -> float:
    """Draw from [0, 1) by xorshift* (Vigna 2016), so that chunks of rounds join seamlessly."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 2.0**53)


@jit_compile(is_inner=True, allocates=False)
def draw_integer(rng: NDArray[np.uint64], limit: int) -> int:
    """Draw a whole number from 0 to limit - 1."""
    return int(draw_uniform(rng) * limit)
