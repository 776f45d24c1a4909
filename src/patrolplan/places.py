"""Places in words: a street and its nearest junction, never a house or a shop."""

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.network import Positions
from patrolplan.network import StreetNetwork

BESIDE_METRES = 15.0
"""A pavement mapped on its own runs this near to its street."""

NEAR_METRES = 250.0
"""A crossing street named to find a place is at most this far away."""

KIND_WORDS = {
    "footway": "footpath",
    "path": "footpath",
    "pedestrian": "pedestrian way",
    "steps": "steps",
    "service": "service road",
    "cycleway": "cycle track",
    "track": "track",
    "bridleway": "bridleway",
}


def street_labels(network: StreetNetwork) -> NDArray[np.object_]:
    """What each piece is called: its name, its street's where it is a pavement, or its kind.

    Returns
    -------
    NDArray
        (p,) text, never empty.
    """
    names = network.piece_name
    labels = np.where(names != "", names, _kinds(network))
    named = np.flatnonzero(names != "")
    unnamed = np.flatnonzero(names == "")
    if not len(named) or not len(unnamed):
        return labels
    tree = shapely.STRtree(network.piece_lines[named])
    middle = shapely.points(network.piece_middle[unnamed])
    asked, found = tree.query(middle, predicate="dwithin", distance=BESIDE_METRES)
    along = _bearing(network)
    turned = np.abs(along[unnamed[asked]] - along[named[found]]) % np.pi
    parallel = np.minimum(turned, np.pi - turned) < np.pi / 6
    asked, found = asked[parallel], found[parallel]
    apart = shapely.distance(middle[asked], network.piece_lines[named[found]])
    order = np.lexsort((found, apart, asked))
    first = np.unique(asked[order], return_index=True)[1]
    labels[unnamed[asked[order][first]]] = names[named[found[order][first]]]
    return labels


def describe(network: StreetNetwork, positions: Positions) -> list[str]:
    """Each place as "Street near Crossing Street".

    Examples
    --------
    >>> import patrolplan as pp
    >>> network = pp.load_area(pp.demo_settings()).network
    >>> words = describe(network, network.middles([0]))
    >>> len(words[0]) > 0
    True
    """
    labels = street_labels(network)[positions.piece]
    names = network.piece_name
    named = np.flatnonzero(names != "")
    own = pd.Series(labels).reset_index(drop=True)
    if not len(named):
        return list(own)
    points = shapely.points(network.xy(positions))
    tree = shapely.STRtree(network.piece_lines[named])
    asked, found = tree.query(points, predicate="dwithin", distance=NEAR_METRES)
    rank, words = pd.factorize(names[named], sort=True)
    other = rank[found] != pd.Index(words).get_indexer(pd.Index(labels))[asked]
    asked, found = asked[other], found[other]
    metres = shapely.distance(points[asked], network.piece_lines[named[found]])
    order = np.lexsort((rank[found], metres, asked))
    near, first = np.unique(asked[order], return_index=True)
    crossing = pd.Series(words[rank[found[order][first]]], index=near).reindex(own.index)
    return list(own.where(crossing.isna(), own + " near " + crossing.fillna("")))


def _kinds(network: StreetNetwork) -> NDArray[np.object_]:
    kinds = pd.Series(network.piece_highway, dtype=object)
    return kinds.map(KIND_WORDS).fillna("street").to_numpy(dtype=object)


def _bearing(network: StreetNetwork) -> NDArray[np.float64]:
    """Direction of each piece from end to end, in radians."""
    ends = network.node_xy[network.piece_nodes]
    step = ends[:, 1] - ends[:, 0]
    return np.asarray(np.arctan2(step[:, 1], step[:, 0]))
