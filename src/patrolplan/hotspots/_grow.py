"""The compiled heart of the stretches: one stretch grows from a piece of street."""

import heapq
from collections.abc import Callable
from typing import TypeVar
from typing import cast

import numba
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., object])

Streets = tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
]
"""First neighbour and neighbours by piece, risk per metre, metres and cluster of pieces."""

STREETS = "Tuple((i8[::1], i8[::1], f8[::1], f8[::1], i8[::1]))"


def _compiled(signature: str) -> Callable[[Function], Function]:
    """Compile for one signature and keep the result on disk; numba has no type hints itself."""
    return cast("Callable[[Function], Function]", numba.njit(signature, cache=True))


@_compiled(f"i8[::1](i8, {STREETS}, f8, b1[::1], i8[::1], i8)")
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
