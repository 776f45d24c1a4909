"""The compiled heart of the stretches: they grow from pieces of street, the best are taken."""

import heapq

import numpy as np
from numpy.typing import NDArray

from patrolplan.jit import compiled

Streets = tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
]
"""First neighbour and neighbours by piece, risk per metre, metres and cluster of pieces."""

STREETS = "Tuple((i8[::1], i8[::1], f8[::1], f8[::1], i8[::1]))"


@compiled(f"i8[::1](i8, {STREETS}, f8, b1[::1], i8[::1], i8)")
def grow(
    seed: int,
    streets: Streets,
    limit: float,
    free: NDArray[np.bool_],
    seen: NDArray[np.int64],
    call: int,
) -> NDArray[np.int64]:
    """Pieces of the stretch that grows from a seed over free pieces of its cluster, in order.

    Always the neighbour of most risk per metre that still fits is taken, of equals the one of the
    lower number. `seen` holds for every piece the last call that looked at it; `call` is one that
    was not used before.
    """
    first, neighbours, density, metres, group = streets
    stretch = [seed]
    length = metres[seed]
    seen[seed] = call
    frontier: list[tuple[float, int]] = [(-density[seed], seed)]
    frontier.pop()
    newest = seed
    while True:
        for slot in range(first[newest], first[newest + 1]):
            piece = neighbours[slot]
            if seen[piece] != call and free[piece] and group[piece] == group[seed]:
                seen[piece] = call
                heapq.heappush(frontier, (-density[piece], piece))
        while len(frontier) > 0 and length + metres[frontier[0][1]] > limit:
            heapq.heappop(frontier)
        if len(frontier) == 0:
            return np.array(stretch)
        newest = heapq.heappop(frontier)[1]
        stretch.append(newest)
        length += metres[newest]


@compiled("f8(f8[::1], i8[::1])")
def total(values: NDArray[np.float64], pieces: NDArray[np.int64]) -> float:
    """Sum of the values of some pieces.

    Up to 128 pieces are added in the order of `values[pieces].sum()`: eight sums side by side, then
    what is left. The last bit decides between stretches that mirror each other.
    """
    lanes = np.zeros(8)
    whole = len(pieces) - len(pieces) % 8
    for slot in range(whole):
        lanes[slot % 8] += values[pieces[slot]]
    added = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + (
        (lanes[4] + lanes[5]) + (lanes[6] + lanes[7])
    )
    for slot in range(whole, len(pieces)):
        added += values[pieces[slot]]
    return float(added)


@compiled(f"Tuple((i8[::1], i8[::1]))({STREETS}, f8[::1], f8, b1[::1], i8, f8)")
def take_best(
    streets: Streets,
    risk: NDArray[np.float64],
    limit: float,
    free: NDArray[np.bool_],
    count: int,
    most_metres: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pieces of disjoint stretches one after the other, and how many each has (lazy greedy).

    `free` is used up. It ends with so many stretches or metres. A stretch is grown again when its
    turn comes, over what is free by then; if it holds no less than was known, it is the best there
    is, else it waits for its next turn.
    """
    metres = streets[3]
    seen = np.zeros(len(risk), dtype=np.int64)
    queue: list[tuple[float, int]] = [(0.0, 0)]
    queue.pop()
    call = 0
    for seed in range(len(free)):
        if free[seed]:
            call += 1
            queue.append((-total(risk, grow(seed, streets, limit, free, seen, call)), seed))
    heapq.heapify(queue)
    pieces, sizes = np.empty(len(risk), dtype=np.int64), np.empty(len(risk), dtype=np.int64)
    filled, taken, covered = 0, 0, 0.0
    while len(queue) > 0 and taken < count and covered < most_metres:
        known, seed = heapq.heappop(queue)
        if not free[seed]:
            continue
        call += 1
        stretch = grow(seed, streets, limit, free, seen, call)
        now = -total(risk, stretch)
        if now > known:
            heapq.heappush(queue, (now, seed))
            continue
        for piece in stretch:
            pieces[filled] = piece
            free[piece] = False
            filled += 1
        sizes[taken] = len(stretch)
        taken += 1
        covered += total(metres, stretch)
    return pieces[:filled].copy(), sizes[:taken].copy()
