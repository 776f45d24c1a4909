"""Places in words: a street and its nearest junction, never a house or a shop."""

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.network.network import Positions, StreetNetwork

PAVEMENT_METRES = 15.0  # maximum distance of a separately mapped pavement from its street
MAX_CROSSING_METRES = 250.0  # maximum distance of a crossing street that is named to find a place
CROSSING = "crossing"

WALKWAY = "walkway"  # a path above the ground, without a name

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


KIND_LABELS = frozenset({*KIND_WORDS.values(), CROSSING, WALKWAY, "street"})
"""Words for pieces without a name."""

NamedPieces = tuple[NDArray[np.int64], shapely.STRtree]
"""(k,) pieces that have a name, and a tree of their lines."""


def label_streets(network: StreetNetwork) -> NDArray[np.object_]:
    """(p,) words for each piece, never empty: its name, that of its street, or its kind."""
    # A pavement is as high as its street: a walkway above does not have the name of the street
    # below it. A path that leaves its street has its name only as far as it runs along it.
    return _label_pieces(network, np.arange(len(network)), _list_named(network))


def _list_named(network: StreetNetwork) -> NamedPieces:
    pieces = np.flatnonzero(network.piece_name != "")
    return pieces, shapely.STRtree(network.piece_lines[pieces])


def _label_pieces(
    network: StreetNetwork, pieces: NDArray[np.int64], named: NamedPieces
) -> NDArray[np.object_]:
    """Words for some of the pieces, see `label_streets`."""
    names = network.piece_name
    kinds = pd.Series(network.piece_highway[pieces], dtype=object)
    words = kinds.map(KIND_WORDS).fillna("street").to_numpy(dtype=object)
    is_path = np.isin(words, [KIND_WORDS["footway"], KIND_WORDS["pedestrian"]])
    words = np.where(is_path & (network.piece_layer[pieces] > 0), WALKWAY, words)
    words = np.where(network.piece_is_crossing[pieces], CROSSING, words)
    labels = np.where(names[pieces] != "", names[pieces], words)
    is_nameless = (names[pieces] == "") & (network.piece_highway[pieces] != "steps")
    unnamed = np.flatnonzero(is_nameless)
    middle = shapely.points(network.piece_middle[pieces[unnamed]])
    point, number = named[1].query(middle, "dwithin", distance=PAVEMENT_METRES)
    piece = named[0][number]
    own_bearing = _compute_bearings(network, pieces[unnamed[point]])
    angle = np.abs(own_bearing - _compute_bearings(network, piece)) % np.pi
    parallel = np.minimum(angle, np.pi - angle) < np.pi / 6
    parallel &= network.piece_layer[pieces[unnamed[point]]] == network.piece_layer[piece]
    point, piece = point[parallel], piece[parallel]
    distance = shapely.distance(middle[point], network.piece_lines[piece])
    order = np.lexsort((piece, distance, point))
    nearest = np.unique(point[order], return_index=True)[1]
    labels[unnamed[point[order][nearest]]] = names[piece[order][nearest]]
    return labels


def describe_positions(network: StreetNetwork, positions: Positions) -> list[str]:
    """(k,) each place as "Street near Crossing Street"."""
    named = _list_named(network)
    labels = _label_pieces(network, positions.piece, named)
    points = shapely.points(network.xy(positions))
    point, number = named[1].query(points, "dwithin", distance=MAX_CROSSING_METRES)
    piece = named[0][number]
    names = network.piece_name[piece]
    other = names != labels[point]
    point, piece, names = point[other], piece[other], names[other]
    distance = shapely.distance(points[point], network.piece_lines[piece])
    # The nearest street of another name; of two at a junction the first by name.
    order = np.lexsort((pd.factorize(names, sort=True)[0], distance, point))
    found, nearest = np.unique(point[order], return_index=True)
    crossing = dict(zip(found.tolist(), names[order][nearest], strict=True))
    return [
        f"{own} near {crossing[row]}" if row in crossing else str(own)
        for row, own in enumerate(labels)
    ]


def _compute_bearings(network: StreetNetwork, pieces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Direction of some pieces from end to end, in radians."""
    ends = network.node_xy[network.piece_nodes[pieces]]
    return np.asarray(np.arctan2(*(ends[:, 1] - ends[:, 0]).T[::-1]))
