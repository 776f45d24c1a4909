"""Stretches: connected pieces of street of bounded length that hold much risk."""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN
from sklearn.cluster import HDBSCAN

from patrolplan.hotspots._grow import Streets
from patrolplan.hotspots._grow import take_best
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
    pieces, sizes = take_best(
        _streets(network, density, group),
        np.ascontiguousarray(risk, dtype=np.float64),
        float(max_length_metres),
        free,
        len(network) if count is None else count,
        MOST_COVERAGE * metres.sum() if count is None else np.inf,
    )
    return [np.sort(stretch) for stretch in np.split(pieces, np.cumsum(sizes)[:-1]) if len(sizes)]


def _streets(
    network: StreetNetwork, density: NDArray[np.float64], group: NDArray[np.int64] | None
) -> Streets:
    """What stretches grow on; without clusters all street is one."""
    near = network.neighbours
    one_cluster = np.zeros(len(network), dtype=np.int64)
    return (
        near.indptr.astype(np.int64),
        near.indices.astype(np.int64),
        density,
        np.ascontiguousarray(network.piece_metres),
        one_cluster if group is None else np.ascontiguousarray(group, dtype=np.int64),
    )


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
