"""Exchanges of edges that make routes shorter, compiled: what ruin and recreate does not find.

Ruin and recreate moves stops one at a time, so two long parts of a route that cross stay crossed.
Where every stop is open at all hours and ways take as long back as forth, the order of a route is
improved by the two classic exchanges, each looked for only between near neighbours:

- *2-opt* (Croes 1958): two edges are replaced and the part between them is walked backwards.
- *or-opt* (Or 1976): up to three stops in a row are walked elsewhere, either way round.

With windows neither keeps its time in general, and nothing is exchanged. (Exchanging the tails of
two routes, 2-opt*, brought nothing there that ruin and recreate does not find by itself.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from patrolplan.compiled import jit_compile, widen
from patrolplan.patrols.solver.tour import SearchFacts, Tour, update_all_times

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# How many near neighbours of a stop may become its next or previous stop.
NEAR = 8
# The longest part that or-opt moves.
LONGEST_PART = 3
# Savings below this are rounding.
LEAST_SAVING = 1e-7
# Kinds of exchange.
NO_EXCHANGE, TWO_OPT, OR_OPT, OR_OPT_REVERSED = 0, 1, 2, 3


@jit_compile(is_inner=True, allocates=False)
def reverse_part(
    route: NDArray[np.int32], position: NDArray[np.int64], low: int, high: int
) -> None:
    """Walk the positions low to high of a route backwards; its times are not updated."""
    for step in range((high - low + 1) // 2):
        route[low + step], route[high - step] = route[high - step], route[low + step]
    for p in range(low, high + 1):
        position[route[p]] = p


@jit_compile(is_inner=True, allocates=False)
def move_part(
    route: NDArray[np.int32], position: NDArray[np.int64], low: int, high: int, behind: int
) -> None:
    """Move the positions low to high of a route behind another position, in the same direction.

    Swapping two neighbouring parts is reversing each and then both together.
    """
    if behind > high:
        first, middle, last = low, high, behind
    else:
        first, middle, last = behind + 1, low - 1, high
    reverse_part(route, position, first, middle)
    reverse_part(route, position, middle + 1, last)
    reverse_part(route, position, first, last)


@jit_compile(is_inner=True, allocates=False)
def find_exchange(  # noqa: C901, PLR0912, PLR0917 - one compiled loop
    times: NDArray[np.float64],
    neighbours: NDArray[np.int32],
    route: NDArray[np.int32],
    visited_by: NDArray[np.int64],
    position: NDArray[np.int64],
    r: int,
    final: int,
    k: int,
) -> tuple[int, int, int, int]:
    """Find the exchange that saves most and gives stop k a near neighbour.

    Returns the kind, the first and last position of the part that is reversed or moved, and the
    position behind which it is moved.
    """
    p = position[k]
    most, kind, low, high, behind = LEAST_SAVING, NO_EXCHANGE, 0, 0, 0
    before, after = times[route[p - 1], k], times[k, route[p + 1]]
    near = min(NEAR, neighbours.shape[1])
    for step in range(near + 2):
        if step < near:
            if visited_by[neighbours[k, step]] != r:
                continue
            q = position[neighbours[k, step]]
        else:
            # The start and the end are in nobody's list.
            q = 0 if step == near else final
        c = route[q]
        new = times[k, c]
        if q < final and new < after:
            saving = after + times[c, route[q + 1]] - new - times[route[p + 1], route[q + 1]]
            if saving > most:
                most, kind, low, high = saving, TWO_OPT, min(p, q) + 1, max(p, q)
        if q > 0 and new < before:
            saving = before + times[route[q - 1], c] - new - times[route[p - 1], route[q - 1]]
            if saving > most:
                most, kind, low, high = saving, TWO_OPT, min(p, q), max(p, q) - 1
        for length in range(LONGEST_PART):
            for side in range(2 if length else 1):
                begin, end = (p, p + length) if side == 0 else (p - length, p)
                if begin < 1 or end >= final or begin - 1 <= q <= end + 1:
                    continue
                away = route[end] if side == 0 else route[begin]
                room = (
                    times[route[begin - 1], route[begin]]
                    + times[route[end], route[end + 1]]
                    - times[route[begin - 1], route[end + 1]]
                    - new
                )
                if room <= most - new - times[away, c]:
                    continue
                if q < final:
                    x = route[q + 1]
                    saving = room + times[c, x] - times[away, x]
                    if saving > most:
                        most, low, high, behind = saving, begin, end, q
                        kind = OR_OPT if side == 0 else OR_OPT_REVERSED
                if q > 0:
                    x = route[q - 1]
                    saving = room + times[x, c] - times[x, away]
                    if saving > most:
                        most, low, high, behind = saving, begin, end, q - 1
                        kind = OR_OPT_REVERSED if side == 0 else OR_OPT
    return kind, low, high, behind


@jit_compile(allocates=False)
def shorten_route(
    facts: SearchFacts,
    tour: Tour,
    r: int,
    queue: NDArray[np.int32],
    waiting: NDArray[np.bool_],
    count: int,
) -> bool:
    """Exchange edges at the queued stops of a route until none saves time; say if one did.

    `queue` holds `count` stops of the route, which `waiting` marks; both are used up. The times of
    the route are not updated.
    """
    times, neighbours = facts.times[facts.group_number[r]], facts.neighbours
    route, visited_by, position = tour.route[r], tour.visited_by, tour.position
    final, improved = tour.length[r] - 1, False
    while count > 0:
        count -= 1
        k = queue[count]
        waiting[k] = False
        kind, low, high, behind = find_exchange(
            times, neighbours, route, visited_by, position, r, final, k
        )
        if kind == NO_EXCHANGE:
            continue
        improved = True
        if kind == TWO_OPT:
            reverse_part(route, position, low, high)
            ends = (low - 1, low, high, high + 1)
        else:
            if kind == OR_OPT_REVERSED:
                reverse_part(route, position, low, high)
            move_part(route, position, low, high, behind)
            # The gap left, and both ends of the part where it is now.
            if behind > high:
                ends = (low - 1, low, behind - (high - low), behind)
            else:
                ends = (high, high + 1, behind + 1, behind + 1 + high - low)
        for p in ends:
            if 0 < p < final and not waiting[route[p]]:
                waiting[route[p]] = True
                queue[count] = route[p]
                count += 1
    return improved


@jit_compile(is_inner=True, allocates=False)
def shorten_changed(
    facts: SearchFacts,
    tour: Tour,
    current: Tour,
    dirty: NDArray[np.bool_],
    queue: NDArray[np.int32],
    waiting: NDArray[np.bool_],
) -> bool:
    """Shorten the dirty routes at each stop that has other neighbours than in the current tour."""
    improved = False
    route, now, visited_by, position = (
        tour.route, current.route, current.visited_by, current.position,
    )  # fmt: skip
    for r in range(tour.length.shape[0]):
        if not dirty[r]:
            continue
        count = widen(0)
        for p in range(1, tour.length[r] - 1):
            k = route[r, p]
            at = position[k]
            if (
                visited_by[k] != r
                or now[r, at - 1] != route[r, p - 1]
                or now[r, at + 1] != route[r, p + 1]
            ):
                waiting[k] = True
                queue[count] = k
                count += 1
        if shorten_route(facts, tour, r, queue, waiting, count):
            improved = True
            update_all_times(facts, tour, r)
    return improved
