"""Stretches: connected pieces of street of bounded length that hold much risk.

The compiled heart of the stretches: they grow from pieces of street, the best are taken.

What each stretch holds: sums over its pieces, and its share of every catchment.
"""

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import DBSCAN, HDBSCAN

from patrolplan.arrays import jit_compile
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments
from patrolplan.risk.scores import round_significant

StreetArrays = tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
]
"""First neighbour and neighbours by piece, risk per metre, metres and cluster of pieces."""

STREET_ARRAYS = "Tuple((i8[::1], i8[::1], f8[::1], f8[::1], i8[::1]))"


@jit_compile(f"i8[::1](i8, {STREET_ARRAYS}, f8, b1[::1], i8[::1], i8)")
def grow_stretch(
    seed: int,
    streets: StreetArrays,
    max_length_metres: float,
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
        while len(frontier) > 0 and length + metres[frontier[0][1]] > max_length_metres:
            heapq.heappop(frontier)
        if len(frontier) == 0:
            return np.array(stretch)
        newest = heapq.heappop(frontier)[1]
        stretch.append(newest)
        length += metres[newest]


@jit_compile("f8(f8[::1], i8[::1])")
def sum_over_pieces(values: NDArray[np.float64], pieces: NDArray[np.int64]) -> float:
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


@jit_compile(f"Tuple((i8[::1], i8[::1]))({STREET_ARRAYS}, f8[::1], f8, b1[::1], i8, f8)")
def choose_stretches(
    streets: StreetArrays,
    risk: NDArray[np.float64],
    max_length_metres: float,
    free: NDArray[np.bool_],
    count: int,
    max_covered_metres: float,
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
            queue.append(
                (
                    -sum_over_pieces(
                        risk, grow_stretch(seed, streets, max_length_metres, free, seen, call)
                    ),
                    seed,
                )
            )
    heapq.heapify(queue)
    pieces, sizes = np.empty(len(risk), dtype=np.int64), np.empty(len(risk), dtype=np.int64)
    filled, taken, covered = 0, 0, 0.0
    while len(queue) > 0 and taken < count and covered < max_covered_metres:
        known, seed = heapq.heappop(queue)
        if not free[seed]:
            continue
        call += 1
        stretch = grow_stretch(seed, streets, max_length_metres, free, seen, call)
        now = -sum_over_pieces(risk, stretch)
        if now > known:
            heapq.heappush(queue, (now, seed))
            continue
        for piece in stretch:
            pieces[filled] = piece
            free[piece] = False
            filled += 1
        sizes[taken] = len(stretch)
        taken += 1
        covered += sum_over_pieces(metres, stretch)
    return pieces[:filled].copy(), sizes[:taken].copy()


MAX_COVERAGE = 0.25
"""Hotspots that `count = "auto"` finds cover at most this share of the street."""

DENSITY_DIGITS = 5
"""Risk per metre that agrees to so many digits is equal. All street round one snap point is, so
that arithmetic would choose between its pieces otherwise, differently on the next machine."""

DBSCAN_METRES = 60.0
DBSCAN_MIN_RISK_SHARE = 0.002
"""A core of DBSCAN holds this share of the area's risk within `DBSCAN_METRES`."""

HDBSCAN_MIN_PIECES = 5


def find_stretches(
    network: StreetNetwork,
    risk: NDArray[np.float64],
    *,
    max_length_metres: float,
    count: int | None = None,
    cluster: NDArray[np.int64] | None = None,
) -> list[NDArray[np.int64]]:
    """Disjoint stretches, the one of most risk first.

    A stretch grows from every piece whose risk per metre is above the mean, always by the
    neighbour of highest risk per metre that still fits, while that is above the mean. The
    stretch of most risk is taken, those that it overlaps grow anew, and so on (lazy greedy).

    Parameters
    ----------
    network
        The streets.
    risk
        (p,) risk of each piece.
    max_length_metres
        Longest stretch.
    count
        How many; None takes all, up to a quarter of the street.
    group
        (p,) cluster of each piece, -1 for none: a stretch then stays inside one cluster.

    Returns
    -------
    list of NDArray
        Pieces of each stretch.
    """
    metres = network.piece_metres
    density = round_significant(risk / metres, DENSITY_DIGITS)
    free = (density > risk.sum() / metres.sum()) & (metres <= max_length_metres)
    if cluster is not None:
        free &= cluster >= 0
    pieces, sizes = choose_stretches(
        _build_street_arrays(network, density, cluster),
        np.ascontiguousarray(risk, dtype=np.float64),
        float(max_length_metres),
        free,
        len(network) if count is None else count,
        MAX_COVERAGE * metres.sum() if count is None else np.inf,
    )
    return [np.sort(stretch) for stretch in np.split(pieces, np.cumsum(sizes)[:-1]) if len(sizes)]


def _build_street_arrays(
    network: StreetNetwork, density: NDArray[np.float64], cluster: NDArray[np.int64] | None
) -> StreetArrays:
    """What stretches grow on; without clusters all street is one."""
    near = network.neighbours
    one_cluster = np.zeros(len(network), dtype=np.int64)
    return (
        near.indptr.astype(np.int64),
        near.indices.astype(np.int64),
        density,
        np.ascontiguousarray(network.piece_metres),
        one_cluster if cluster is None else np.ascontiguousarray(cluster, dtype=np.int64),
    )


def cluster_by_dbscan(network: StreetNetwork, risk: NDArray[np.float64]) -> NDArray[np.int64]:
    """Clusters of pieces by DBSCAN on their middles, each weighing its share of the risk."""
    found = DBSCAN(eps=DBSCAN_METRES, min_samples=1)
    weight = risk / (risk.sum() * DBSCAN_MIN_RISK_SHARE)
    labels: NDArray[np.int64] = found.fit(network.piece_middle, sample_weight=weight).labels_
    return labels.astype(np.int64)


def cluster_by_hdbscan(network: StreetNetwork, risk: NDArray[np.float64]) -> NDArray[np.int64]:
    """Clusters of the pieces with more risk per metre than the mean, by HDBSCAN.

    HDBSCAN takes no weights: pieces below the mean stay out, so that density means risk.
    """
    metres = network.piece_metres
    dense = np.flatnonzero(risk / metres > risk.sum() / metres.sum())
    groups = np.full(len(metres), -1, dtype=np.int64)
    if len(dense) > HDBSCAN_MIN_PIECES:
        found = HDBSCAN(min_cluster_size=HDBSCAN_MIN_PIECES, copy=True)
        groups[dense] = found.fit(network.piece_middle[dense]).labels_
    return groups


def flatten_stretches(
    stretches: Sequence[NDArray[np.int64]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pieces of all stretches one after the other, and how many each has."""
    size = np.array([len(stretch) for stretch in stretches], dtype=np.int64)
    return np.concatenate([*stretches, np.empty(0, dtype=np.int64)]), size


def sum_by_stretch(
    values: NDArray[np.float64], stretches: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(h,) sum of a value of each piece over each stretch.

    Stretches of as many pieces are summed together, in the order in which `values[stretch].sum()`
    adds, so that the sums are the same to the last bit.

    Examples
    --------
    >>> sum_by_stretch(np.array([1.0, 2.0, 4.0]), [np.array([0, 2]), np.array([1])]).tolist()
    [5.0, 2.0]
    """
    pieces, size = flatten_stretches(stretches)
    start = np.cumsum(size) - size
    sums = np.zeros(len(size))
    for pieces_each in np.unique(size):
        rows = np.flatnonzero(size == pieces_each)
        together = pieces[start[rows][:, None] + np.arange(pieces_each)]
        sums[rows] = values[together].sum(axis=1)
    return sums


def compute_catchment_shares(
    catchments: Catchments, stretches: Sequence[NDArray[np.int64]]
) -> sparse.csr_array:
    """(h, c) share of each catchment's street that lies in each stretch."""
    pieces, size = flatten_stretches(stretches)
    row = np.repeat(np.arange(len(size)), size)
    cells = (catchments.piece_share[pieces], (row, catchments.piece_catchment[pieces]))
    return sparse.csr_array(cells, shape=(len(size), len(catchments)))
