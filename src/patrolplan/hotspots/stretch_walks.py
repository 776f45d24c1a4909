"""Walks from stretches to the nodes around them, for some neighbouring stretches at a time."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from patrolplan.hotspots.clusters import flatten_stretches
from patrolplan.network import StreetNetwork

CHUNK_STRETCHES = 64
"""Walks are searched from so many neighbouring stretches at once."""

STRIP_METRES = 2_000.0
"""Neighbours are found along strips of this width."""


def walk_from_stretches(
    network: StreetNetwork,
    stretches: Sequence[NDArray[np.int64]],
    limit_metres: float,
    start_metres: float = 0.0,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Walks from stretches to the nodes around them, for some neighbouring stretches at a time.

    Neighbours share the nodes near them, so that the work grows with the number of stretches, not
    with that number times the nodes of a city.

    `network`, `stretches`: Streets, and the pieces of each stretch. `limit_metres`: The longest
    walk. `start_metres`: Metres that count as walked at the ends of a stretch's pieces, where its
    walks start. Yields (r,) numbers of stretches; each is in one part. Yields (n,) nodes that some
    of them may reach, in order; none of them reaches any other node. Yields (r, n) walking
    distance, inf beyond the limit.
    """
    firsts = np.array([pieces[0] for pieces in stretches], dtype=np.int64)
    x, y = network.node_xy[network.piece_nodes[firsts, 0]].T
    order = np.lexsort((y, x // STRIP_METRES))
    eastwards = np.argsort(network.node_xy[:, 0])
    for begin in range(0, len(order), CHUNK_STRETCHES):
        rows = order[begin : begin + CHUNK_STRETCHES]
        part = [stretches[row] for row in rows]
        yield rows, *_walk_to_near_nodes(network, part, limit_metres, start_metres, eastwards)


def _walk_to_near_nodes(
    network: StreetNetwork,
    stretches: Sequence[NDArray[np.int64]],
    limit_metres: float,
    start_metres: float,
    eastwards: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nodes in a box around some stretches, and (h, n) how far they are from each.

    `eastwards` are all nodes from west to east.
    """
    whole, (pieces, count) = len(network.node_xy), flatten_stretches(stretches)
    codes = network.piece_nodes[pieces].ravel() + whole * np.repeat(
        np.arange(len(count)), 2 * count
    )
    row, ends = np.divmod(np.unique(codes), whole)
    low, high = network.node_xy[ends].min(axis=0), network.node_xy[ends].max(axis=0)
    margin = limit_metres + 1.0  # no walk is shorter than the straight line, except by rounding
    (west, south), (east, north) = low - margin, high + margin
    x, y = network.node_xy.T
    first = np.searchsorted(x, west, side="left", sorter=eastwards)
    last = np.searchsorted(x, east, side="right", sorter=eastwards)
    nodes = np.sort(eastwards[first:last])
    nodes = nodes[(y[nodes] >= south) & (y[nodes] <= north)]
    size, inside = len(nodes), network.node_graph
    if size < whole:
        inside = inside[nodes][:, nodes]
    # One more row for each stretch, added by hand: scipy takes longer for that than the search.
    starts = inside.nnz + np.searchsorted(row, np.arange(1, len(count) + 1))
    parts = (
        np.append(inside.data, np.full(len(ends), start_metres)),
        np.append(inside.indices, np.searchsorted(nodes, ends).astype(inside.indices.dtype)),
        np.append(inside.indptr, starts.astype(inside.indptr.dtype)),
    )
    graph = sparse.csr_array(parts, shape=(size + len(count),) * 2)
    metres = csgraph.dijkstra(graph, indices=size + np.arange(len(count)), limit=limit_metres)
    return nodes, np.asarray(metres[:, :size])


def look_up_columns(
    metres: NDArray[np.float64],
    nodes: NDArray[np.int64],
    row: NDArray[np.int64],
    wanted: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Entries of (r, n) distances to sorted nodes: of rows to wanted nodes, inf to all others."""
    at = np.minimum(np.searchsorted(nodes, wanted), len(nodes) - 1)
    return np.where(nodes[at] == wanted, metres[row, at], np.inf)
