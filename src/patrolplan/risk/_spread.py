"""The compiled heart of the network kernel: walks from one piece of street outwards."""

import numpy as np
from numpy.typing import NDArray

from patrolplan.jit import compiled

Streets = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""First half and halves by node, nodes (p, 2) and metres (p,) of pieces; see `walk`."""

STREETS = "Tuple((i8[::1], i8[::1], i8[:,::1], f8[::1]))"


@compiled("f8(f8)")
def tail(u: float) -> float:
    """Share of the biweight kernel between the centre and `u` bandwidths on one side, up to 1/2.

    The kernel is 15/16 (1 - u^2)^2 on [-1, 1].
    """
    if u >= 1.0:
        return 0.5
    return 0.9375 * (u - 2.0 * u**3 / 3.0 + u**5 / 5.0)


@compiled(f"i8(i8, f8, {STREETS}, f8, f8, f8[::1], i8[::1], f8[:,::1])")
def walk(  # noqa: PLR0917 - compiled code takes no keywords
    source: int,
    weight: float,
    streets: Streets,
    bandwidth: float,
    floor: float,
    out: NDArray[np.float64],
    touched: NDArray[np.int64],
    stack: NDArray[np.float64],
) -> int:
    """Add the kernel of one piece to `out`; give the number of pieces noted in `touched`.

    Half 2i + e is end e of piece i; `halves[first[v]:first[v + 1]]` are those that meet at node v.
    A row of `stack` is a walk under way: the half it arrived by, metres walked, its share. A piece
    is noted when it is first given something, if there is room for that.
    """
    first, halves, nodes, metres = streets
    noting = len(touched) > 0
    found = 0
    half_way = metres[source] / 2.0
    # A little less, so that rounding does not decide where a share is the floor itself: a fifth of
    # a half, four times over, is one in ten thousand of any weight.
    least = floor * weight * (1.0 - 1e-9)
    given = weight * 2.0 * tail(half_way / bandwidth)
    if noting and out[source] == 0.0:
        touched[found] = source
        found += 1
    out[source] += given
    depth = 0
    if half_way < bandwidth:
        for end in range(2):
            stack[depth, 0] = 2 * source + end
            stack[depth, 1] = half_way
            stack[depth, 2] = weight
            depth += 1
    while depth > 0:
        depth -= 1
        arrived = int(stack[depth, 0])
        walked = stack[depth, 1]
        share = stack[depth, 2]
        node = nodes[arrived // 2, arrived % 2]
        ways_on = first[node + 1] - first[node] - 1
        if ways_on > 0:
            share = share / ways_on
        behind = tail(walked / bandwidth)
        for slot in range(first[node], first[node + 1]):
            half = halves[slot]
            if half == arrived and ways_on > 0:
                continue
            piece = half // 2
            reached = walked + metres[piece]
            ends_here = reached >= bandwidth or share < least or depth == len(stack)
            given = share * ((0.5 if ends_here else tail(reached / bandwidth)) - behind)
            if noting and out[piece] == 0.0:
                touched[found] = piece
                found += 1
            out[piece] += given
            if not ends_here:
                stack[depth, 0] = half + 1 - 2 * (half % 2)
                stack[depth, 1] = reached
                stack[depth, 2] = share
                depth += 1
    return found


@compiled(f"f8[::1](f8[::1], {STREETS}, f8, f8)")
def spread_all(
    weights: NDArray[np.float64], streets: Streets, bandwidth: float, floor: float
) -> NDArray[np.float64]:
    """Spread the weight of every piece; see `walk`."""
    out = np.zeros(len(weights))
    touched = np.empty(0, dtype=np.int64)
    stack = np.empty((4096, 3))
    for source in range(len(weights)):
        if weights[source] != 0.0:
            walk(source, weights[source], streets, bandwidth, floor, out, touched, stack)
    return out


@compiled(f"Tuple((i8[::1], i8[::1], f8[::1]))({STREETS}, f8, f8)")
def columns(
    streets: Streets, bandwidth: float, floor: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Every piece's kernel as the columns of a sparse matrix: starts, rows, values."""
    size = len(streets[3])
    starts = np.zeros(size + 1, dtype=np.int64)
    rows = np.empty(32 * size + 1024, dtype=np.int64)
    values = np.empty(len(rows))
    out = np.zeros(size)
    touched = np.empty(size, dtype=np.int64)
    stack = np.empty((4096, 3))
    filled = 0
    for source in range(size):
        found = walk(source, 1.0, streets, bandwidth, floor, out, touched, stack)
        if filled + found > len(rows):
            more = 2 * len(rows) + found
            grown_rows = np.empty(more, dtype=np.int64)
            grown_values = np.empty(more)
            grown_rows[:filled] = rows[:filled]
            grown_values[:filled] = values[:filled]
            rows = grown_rows
            values = grown_values
        for slot in range(found):
            piece = touched[slot]
            rows[filled] = piece
            values[filled] = out[piece]
            out[piece] = 0.0
            filled += 1
        starts[source + 1] = filled
    return starts, rows[:filled].copy(), values[:filled].copy()
