"""Stretches: connected pieces of street of bounded length that hold much risk.

How they grow (compiled), which of them are chosen, and what each one holds.
"""

import heapq
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from patrolplan.arrays import round_significant
from patrolplan.compiled import jit_compile
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments

MAX_COVERAGE = 0.25  # maximum share of the street that hotspots of `count = "auto"` cover

DENSITY_DIGITS = 5
"""Risk per metre is compared to this many digits. All street around one snap point has the same
risk per metre, and rounding errors would choose between its pieces, differently per machine."""

WALKED_METRES = {"dbscan": 60.0, "hdbscan": 300.0}
"""Walks up to this length link the pieces of a cluster."""

FAR_METRES = 100_000.0  # between pieces that no such walk links
DBSCAN_MIN_RISK_SHARE = 0.002
HDBSCAN_MIN_PIECES = 5

StreetArrays = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
"""First neighbour and neighbours by piece, risk per metre and metres of pieces."""

GrowingRoom = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""(p,) each: the last call of `grow_stretch` that visited a piece, so that nothing need be cleared;
the pieces of the stretch that it grew, in order; and the pieces that it may grow by: few pieces
wait at a time, and lists and heaps take far longer to compile."""


def build_growing_room(pieces: int) -> GrowingRoom:
    """Room for stretches among so many pieces."""
    seen, stretch, frontier = np.zeros((3, pieces), dtype=np.int64)
    return seen, stretch, frontier


@jit_compile(
    "i8(i8, Tuple((i8[::1], i8[::1], f8[::1], f8[::1])), f8, b1[::1], UniTuple(i8[::1], 3), i8)"
)
def grow_stretch(
    seed: int,
    streets: StreetArrays,
    max_length_metres: float,
    free: NDArray[np.bool_],
    room: GrowingRoom,
    call: int,
) -> int:
    """Grow a stretch from a seed over free pieces; return its number of pieces.

    It always grows by the neighbour with the highest risk per metre that still fits; the lower
    number wins a tie. `call` is a number that was not used before in this room.
    """
    first, neighbours, density, metres = streets
    seen, stretch, frontier = room
    length, count, waiting, newest = metres[seed], 1, 0, seed
    seen[seed] = call
    stretch[0] = seed
    while True:
        for slot in range(first[newest], first[newest + 1]):
            piece = neighbours[slot]
            if seen[piece] != call and free[piece]:
                seen[piece] = call
                frontier[waiting] = piece
                waiting += 1
        newest = -1
        while newest < 0:
            if waiting == 0:
                return count
            at = 0
            for other in range(1, waiting):
                one, its = density[frontier[at]], density[frontier[other]]
                if its > one or (its == one and frontier[other] < frontier[at]):
                    at = other
            piece = frontier[at]
            waiting -= 1
            frontier[at] = frontier[waiting]
            if length + metres[piece] <= max_length_metres:
                newest = piece
        stretch[count] = newest
        count += 1
        length += metres[newest]


def choose_stretches(
    streets: StreetArrays,
    risk: NDArray[np.float64],
    max_length_metres: float,
    free: NDArray[np.bool_],
    *,
    count: int,
    max_covered_metres: float = np.inf,
) -> list[NDArray[np.int64]]:
    """Pieces of disjoint stretches, up to a number of stretches or metres.

    Greedy: of the stretches that grow from every seed, the one of most risk is chosen, and so on
    over the pieces that stay free. Lazy: taking pieces away can only make other stretches hold
    less, so a risk computed earlier is an upper bound. Only the stretch on top of the heap is grown
    again; if it holds no less than its bound, no other can hold more and it is chosen, else it goes
    back with its new risk. (A stretch that has to grow another way may now and then hold more than
    before: it is chosen all the same.)
    """
    metres, room, free = streets[3], build_growing_room(len(free)), free.copy()
    # Minus what the stretch from each seed holds at most; of equals the lower number is first.
    heap = [(-np.inf, seed) for seed in np.flatnonzero(free).tolist()]
    found: list[NDArray[np.int64]] = []
    call, covered = 0, 0.0
    while heap and len(found) < count and covered < max_covered_metres:
        bound, seed = heapq.heappop(heap)
        if not free[seed]:
            continue
        call += 1
        pieces = room[1][: grow_stretch(seed, streets, max_length_metres, free, room, call)]
        now = -risk[pieces].sum()
        if now > bound:
            heapq.heappush(heap, (now, seed))
            continue
        found.append(pieces.copy())
        free[pieces] = False
        covered += metres[pieces].sum()
    return found


def find_stretches(
    network: StreetNetwork,
    risk: NDArray[np.float64],
    *,
    max_length_metres: float,
    count: int | None = None,
    cluster: NDArray[np.int64] | None = None,
    taken: NDArray[np.int64] | None = None,
) -> list[NDArray[np.int64]]:
    """At most `count` disjoint stretches, most risk (p,) first; None: a quarter of the street.

    A stretch holds pieces whose risk per metre is above the mean, stays inside one `cluster` (p,),
    where -1 is none, and includes no `taken` piece.
    """
    metres = network.piece_metres
    density = round_significant(risk / metres, DENSITY_DIGITS)
    free = (density > risk.sum() / metres.sum()) & (metres <= max_length_metres)
    if cluster is not None:
        free &= cluster >= 0
    if taken is not None:
        free[taken] = False
    found = choose_stretches(
        build_street_arrays(network, density, cluster),
        risk,
        max_length_metres,
        free,
        count=len(network) if count is None else count,
        max_covered_metres=MAX_COVERAGE * metres.sum() if count is None else np.inf,
    )
    return [np.sort(stretch) for stretch in found]


def find_best_stretch(
    network: StreetNetwork,
    risk: NDArray[np.float64],
    pieces: NDArray[np.int64],
    max_length_metres: float,
) -> NDArray[np.int64]:
    """The connected stretch of most risk among some pieces; a single piece may be longer."""
    metres = network.piece_metres
    free = np.zeros(len(network), dtype=np.bool_)
    free[pieces] = metres[pieces] <= max_length_metres
    if not free.any():
        return pieces[[int(np.argmax(risk[pieces]))]]
    streets = build_street_arrays(network, round_significant(risk / metres, DENSITY_DIGITS))
    (found,) = choose_stretches(streets, risk, max_length_metres, free, count=1)
    return np.sort(found)


def build_street_arrays(
    network: StreetNetwork, density: NDArray[np.float64], cluster: NDArray[np.int64] | None = None
) -> StreetArrays:
    """What stretches grow on; with clusters (p,), only pieces of the same one are neighbours."""
    near = network.neighbours
    if cluster is not None:
        pairs = near.tocoo()
        is_same = cluster[pairs.row] == cluster[pairs.col]
        ends = pairs.row[is_same], pairs.col[is_same]
        near = sparse.csr_array((np.ones(len(ends[0]), dtype=bool), ends), shape=near.shape)
    first, neighbours = near.indptr.astype(np.int64), near.indices.astype(np.int64)
    return first, neighbours, density, np.ascontiguousarray(network.piece_metres)


def cluster_pieces(
    network: StreetNetwork, risk: NDArray[np.float64], method: Literal["dbscan", "hdbscan"]
) -> NDArray[np.int64]:
    """(p,) cluster of each piece with more risk per metre than the mean, by walks; -1 for none.

    A core of DBSCAN has `DBSCAN_MIN_RISK_SHARE` of the risk (p,) within its reach. HDBSCAN takes no
    weights: the other pieces are left out, so that density means risk.
    """
    from sklearn.cluster import DBSCAN, HDBSCAN  # noqa: PLC0415 - of these alone, and heavy

    metres, clusters = network.piece_metres, np.full(len(network), -1, dtype=np.int64)
    dense = np.flatnonzero(risk / metres > risk.sum() / metres.sum())
    if len(dense) <= HDBSCAN_MIN_PIECES:
        return clusters
    walks = measure_walks_between(network, dense, WALKED_METRES[method])
    if method == "dbscan":
        model = DBSCAN(eps=WALKED_METRES[method], min_samples=1, metric="precomputed")
        weight = risk[dense] / (risk.sum() * DBSCAN_MIN_RISK_SHARE)
        clusters[dense] = model.fit(walks, sample_weight=weight).labels_
    else:
        # HDBSCAN wants all linked, and each with some others: far links stand for no walk.
        steps = [*range(-HDBSCAN_MIN_PIECES, 0), *range(1, HDBSCAN_MIN_PIECES + 1)]
        far = sparse.diags_array([FAR_METRES] * len(steps), offsets=steps, shape=walks.shape)
        walks += far - far.multiply(walks != 0)
        model = HDBSCAN(min_cluster_size=HDBSCAN_MIN_PIECES, metric="precomputed", copy=True)
        clusters[dense] = model.fit(sparse.csr_array(walks)).labels_
    return clusters


def measure_walks_between(
    network: StreetNetwork, pieces: NDArray[np.int64], limit_metres: float
) -> sparse.csr_array:
    """(k, k) metres between the middles of pieces (k,) by the streets to patrol, up to a limit."""
    near = network.neighbours.tocoo()
    half = network.piece_metres / 2
    steps = sparse.csr_array((half[near.row] + half[near.col], near.coords), shape=near.shape)
    rows = []
    for some in np.array_split(pieces, len(pieces) // 256 + 1):
        walks = csgraph.dijkstra(steps, indices=some, limit=limit_metres)[:, pieces]
        rows.append(sparse.csr_array(np.where(np.isfinite(walks), walks, 0.0)))
    return sparse.vstack(rows, format="csr")


def flatten_stretches(
    stretches: Sequence[NDArray[np.int64]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(q,) pieces of all stretches one after the other, and (h,) how many each has."""
    size = np.array([len(stretch) for stretch in stretches], dtype=np.int64)
    return np.concatenate([*stretches, np.empty(0, dtype=np.int64)]), size


def sum_by_stretch(
    values: NDArray[np.float64], stretches: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(h,) sum of a value of each piece over each stretch."""
    return np.array([values[stretch].sum() for stretch in stretches], dtype=np.float64)


def compute_catchment_shares(
    catchments: Catchments, stretches: Sequence[NDArray[np.int64]]
) -> sparse.csr_array:
    """(h, c) share of each catchment's street that lies in each stretch."""
    pieces, size = flatten_stretches(stretches)
    row = np.repeat(np.arange(len(size)), size)
    cells = (catchments.piece_share[pieces], (row, catchments.piece_catchment[pieces]))
    return sparse.csr_array(cells, shape=(len(size), len(catchments)))
