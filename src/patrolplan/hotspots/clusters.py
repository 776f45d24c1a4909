"""Stretches: connected pieces of street of bounded length that hold much risk."""

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import DBSCAN
from sklearn.cluster import HDBSCAN

from patrolplan.hotspots._grow import grow
from patrolplan.network import StreetNetwork
from patrolplan.risk.scores import rounded

MOST_COVERAGE = 0.25
"""Hotspots that `count = "auto"` finds cover at most this share of the street."""

DIGITS = 5
"""Risk per metre that agrees to so many digits is equal. All street round one snap point is, so
that arithmetic would choose between its pieces otherwise, differently on the next machine."""

DBSCAN_METRES = 60.0
DBSCAN_SHARE = 0.002
"""A core of DBSCAN holds this share of the area's risk within `DBSCAN_METRES`."""

HDBSCAN_PIECES = 5


def network_stretches(
    network: StreetNetwork,
    risk: NDArray[np.float64],
    *,
    max_length_metres: float,
    count: int | None = None,
    group: NDArray[np.int64] | None = None,
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
    density = rounded(risk / metres, DIGITS)
    free = (density > risk.sum() / metres.sum()) & (metres <= max_length_metres)
    if group is not None:
        free &= group >= 0
    grow = _Grower(network.neighbours, density, metres, max_length_metres, group)
    queue = [(-risk[stretch].sum(), int(seed), stretch) for seed, stretch in grow.all(free)]
    heapq.heapify(queue)
    taken: list[NDArray[np.int64]] = []
    covered, most = 0.0, MOST_COVERAGE * metres.sum()
    while queue and (len(taken) < count if count is not None else covered < most):
        _, seed, stretch = heapq.heappop(queue)
        if not free[seed]:
            continue
        if not free[stretch].all():
            stretch = grow.one(seed, free)
            heapq.heappush(queue, (-risk[stretch].sum(), seed, stretch))
            continue
        taken.append(np.sort(stretch))
        free[stretch] = False
        covered += metres[stretch].sum()
    return taken


class _Grower:
    """Grows stretches on one network."""

    def __init__(
        self,
        neighbours: sparse.csr_array,
        density: NDArray[np.float64],
        metres: NDArray[np.float64],
        limit: float,
        group: NDArray[np.int64] | None,
    ) -> None:
        one_cluster = np.zeros(len(metres), dtype=np.int64)
        self.streets = (
            np.ascontiguousarray(neighbours.indptr, dtype=np.int64),
            np.ascontiguousarray(neighbours.indices, dtype=np.int64),
            np.ascontiguousarray(density, dtype=np.float64),
            np.ascontiguousarray(metres, dtype=np.float64),
            one_cluster if group is None else np.ascontiguousarray(group, dtype=np.int64),
        )
        self.limit = float(limit)
        self.seen = np.zeros(len(metres), dtype=np.int64)
        self.calls = 0

    def all(self, free: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """A stretch from every free piece."""
        for seed in np.flatnonzero(free).tolist():
            yield seed, self.one(seed, free)

    def one(self, seed: int, free: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The stretch that grows from a piece over free pieces."""
        self.calls += 1
        return grow(seed, self.streets, self.limit, free, self.seen, self.calls)


def dbscan_groups(network: StreetNetwork, risk: NDArray[np.float64]) -> NDArray[np.int64]:
    """Clusters of pieces by DBSCAN on their middles, each weighing its share of the risk."""
    found = DBSCAN(eps=DBSCAN_METRES, min_samples=1)
    weight = risk / (risk.sum() * DBSCAN_SHARE)
    labels: NDArray[np.int64] = found.fit(network.piece_middle, sample_weight=weight).labels_
    return labels.astype(np.int64)


def hdbscan_groups(network: StreetNetwork, risk: NDArray[np.float64]) -> NDArray[np.int64]:
    """Clusters of the pieces with more risk per metre than the mean, by HDBSCAN.

    HDBSCAN takes no weights: pieces below the mean stay out, so that density means risk.
    """
    metres = network.piece_metres
    dense = np.flatnonzero(risk / metres > risk.sum() / metres.sum())
    groups = np.full(len(metres), -1, dtype=np.int64)
    if len(dense) > HDBSCAN_PIECES:
        found = HDBSCAN(min_cluster_size=HDBSCAN_PIECES, copy=True)
        groups[dense] = found.fit(network.piece_middle[dense]).labels_
    return groups
