"""Kernels that spread crime to the streets around it, and the choice of their bandwidth.

Network kernel: the equal-split discontinuous kernel of Okabe, Satoh and Sugihara (2009), "A kernel
density estimation method for networks, its computational method and a GIS-based tool",
International Journal of Geographical Information Science 23(1): 7-32; Okabe and Sugihara (2012),
"Spatial Analysis Along Networks", chapter 9. At a junction of n streets a walk divides equally into
the n - 1 others; at a dead end it turns back; no walk turns back elsewhere. So no mass is lost: all
of a crime's mass stays on the streets within the bandwidth.
"""

from collections.abc import Callable, Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from patrolplan.compiled import jit_compile
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments

Streets = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Start of each node's halves, halves by node, and (p, 2) nodes and (p,) metres of pieces.

Half 2i + e is end e of piece i. `halves[first[v]:first[v + 1]]` are the halves that meet at node v.
"""

STREETS = "Tuple((i8[::1], i8[::1], i8[:,::1], f8[::1]))"


@jit_compile("f8(f8)")
def compute_tail(u: float) -> float:
    """Share of the biweight kernel between the centre and `u` bandwidths on one side, up to 1/2.

    The kernel is 15/16 (1 - u^2)^2 on [-1, 1].
    """
    if u >= 1.0:
        return 0.5
    return 0.9375 * (u - 2.0 * u**3 / 3.0 + u**5 / 5.0)


@jit_compile(f"i8(i8, f8, {STREETS}, f8, f8, f8[::1], i8[::1], f8[:,::1])")
def spread_piece(  # noqa: PLR0917 - compiled code takes no keywords
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

    The weight stands at the middle of the source piece and two walks leave it, one through each
    end. The kernel is symmetric, so each walk starts with the whole weight and gives every piece
    that it crosses its share times the kernel's integral over the metres walked there. At a node
    the walk goes on into each other half with an equal part of its share; at a dead end it returns
    into the piece it came from with all of it. The parts of a share always add up to the share, so
    the mass on all pieces is the weight itself. A walk ends where the kernel does, where its share
    falls below the floor, or where the stack is full; it then leaves the rest of its mass on its
    last piece, so nothing is lost then either. The number of walks grows with every junction, but
    their shares fall as fast: the floor keeps them few.

    A row of `stack` is a walk under way: the half it arrived by, metres walked, its share. Pieces
    are noted in `touched` (p,) when they first receive mass, so each only once.
    """
    first, halves, nodes, metres = streets
    found = 0
    half_way = metres[source] / 2.0
    # A little below the floor, so that rounding does not decide about a share that equals it: a
    # fifth of a half, four times over, is one in ten thousand of any weight.
    least = floor * weight * (1.0 - 1e-9)
    given = weight * 2.0 * compute_tail(half_way / bandwidth)
    if out[source] == 0.0:
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
        behind = compute_tail(walked / bandwidth)
        for slot in range(first[node], first[node + 1]):
            half = halves[slot]
            if half == arrived and ways_on > 0:
                continue
            piece = half // 2
            reached = walked + metres[piece]
            ends_here = reached >= bandwidth or share < least or depth == len(stack)
            given = share * ((0.5 if ends_here else compute_tail(reached / bandwidth)) - behind)
            if given > 0.0 and out[piece] == 0.0:
                touched[found] = piece
                found += 1
            out[piece] += given
            if not ends_here:
                stack[depth, 0] = half + 1 - 2 * (half % 2)
                stack[depth, 1] = reached
                stack[depth, 2] = share
                depth += 1
    return found


@jit_compile(f"Tuple((i8[::1], i8[::1], f8[::1]))({STREETS}, f8, f8)")
def build_columns(
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
        found = spread_piece(source, 1.0, streets, bandwidth, floor, out, touched, stack)
        if filled + found > len(rows):
            more = 2 * len(rows) + found
            grown_rows = np.empty(more, dtype=np.int64)
            grown_values = np.empty(more)
            for slot in range(filled):  # by slices it would take two seconds more to compile
                grown_rows[slot] = rows[slot]
                grown_values[slot] = values[slot]
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


BANDWIDTHS = (40.0, 60.0, 90.0, 130.0, 190.0)
"""Candidate bandwidths in metres, in the order in which they are tried; the first wins a tie."""

FLOOR = 1e-4  # a walk that carries less than this share of its crime is ended; 0 follows every walk

BACKGROUND = 0.01
"""Share of a crime spread over all streets, so that no place has a likelihood of zero."""


def _index_streets(network: StreetNetwork) -> Streets:
    """The network as the compiled functions take it."""
    nodes = np.ascontiguousarray(network.piece_nodes, dtype=np.int64)
    halves = np.argsort(nodes.ravel(), kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(nodes.ravel()))]).astype(np.int64)
    return first, halves, nodes, np.ascontiguousarray(network.piece_metres, dtype=np.float64)


def build_network_matrix(
    network: StreetNetwork, bandwidth: float, *, floor: float = FLOOR
) -> "scipy.sparse.csc_array":
    """(p, p) mass on each piece (row) of one crime on each piece (column), along the streets."""
    starts, rows, values = build_columns(_index_streets(network), float(bandwidth), floor)
    return scipy.sparse.csc_array((values, rows, starts), shape=(len(network), len(network)))


def build_planar_matrix(network: StreetNetwork, bandwidth: float) -> "scipy.sparse.csc_array":
    """(p, p) mass on each piece (row) of one crime on each piece (column), in a straight line.

    The kernel is (1 - (d / bandwidth)^2)^2 in the distance d to the middle of each piece, times the
    piece's metres; each crime's mass sums to one.
    """
    from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and only where not cached

    middle = network.piece_middle
    pairs = cKDTree(middle).query_pairs(bandwidth, output_type="ndarray")
    distance = np.hypot(*(middle[pairs[:, 0]] - middle[pairs[:, 1]]).T) / bandwidth
    own = np.arange(len(middle))
    density = np.concatenate([(1 - distance**2) ** 2] * 2 + [np.ones(len(middle))])
    rows = np.concatenate([pairs[:, 0], pairs[:, 1], own])
    columns = np.concatenate([pairs[:, 1], pairs[:, 0], own])
    mass = density * network.piece_metres[rows]
    total = np.bincount(columns, mass, minlength=len(middle))
    shape = (len(middle), len(middle))
    return scipy.sparse.csc_array((mass / total[columns], (rows, columns)), shape=shape)


PIECE_KERNELS: Mapping[str, "Callable[[StreetNetwork, float], scipy.sparse.csc_array]"] = {
    "network": build_network_matrix,
    "planar": build_planar_matrix,
}
"""What builds a kernel's matrix, by its kind of distance."""


def aggregate_matrix(
    matrix: "scipy.sparse.csc_array", catchments: Catchments
) -> "scipy.sparse.csr_array":
    """(c, c) mass in each place (row) of one crime somewhere in each place (column)."""
    pieces = np.arange(len(catchments.piece_catchment))
    shape = (len(pieces), len(catchments))
    spread = scipy.sparse.csr_array(
        (catchments.piece_share, (pieces, catchments.piece_catchment)), shape=shape
    )
    ones = np.ones(len(pieces))
    gather = scipy.sparse.csr_array((ones, (catchments.piece_catchment, pieces)), shape=shape[::-1])
    return scipy.sparse.csr_array(gather @ (matrix @ spread))


def compute_likelihood(
    unit_matrix: "scipy.sparse.csr_array", counts: NDArray[np.float64], metres: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(k,) leave-one-out log likelihood of the crimes of each category; higher is better.

    Only the place of a crime is known, not where in it: its likelihood is the mass that the kernels
    of all other crimes of its category leave there. Where the place is a single piece, this is the
    usual criterion.

    `unit_matrix`: (c, c) see `aggregate_matrix`. `counts`: (c, k) crimes. `metres`: (c,) street of
    each place.
    """
    mass = unit_matrix @ counts - unit_matrix.diagonal()[:, None]
    share = np.maximum(mass, 0.0) / np.maximum(counts.sum(axis=0) - 1, 1.0)
    share = (1 - BACKGROUND) * share + BACKGROUND * (metres / metres.sum())[:, None]
    return np.asarray((counts * np.log(share)).sum(axis=0))
