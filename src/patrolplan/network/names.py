"""Places in words: a street and its nearest junction, never a house or a shop."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.network.network import Positions, StreetNetwork

PAVEMENT_METRES = 15.0
"""A pavement mapped on its own runs this near to its street."""

MAX_CROSSING_METRES = 250.0
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


def label_streets(network: StreetNetwork) -> NDArray[np.object_]:
    """What each piece is called: its name, its street's where it is a pavement, or its kind.

    Returns
    -------
    NDArray
        (p,) text, never empty.
    """
    return _label_pieces(network, np.arange(len(network)), _NamedPieces.from_network(network))


@dataclass(frozen=True, eq=False)
class _NamedPieces:
    """(k,) pieces that have a name, and a tree of their lines."""

    pieces: NDArray[np.int64]
    tree: shapely.STRtree

    @classmethod
    def from_network(cls, network: StreetNetwork) -> "_NamedPieces":
        pieces = np.flatnonzero(network.piece_name != "")
        return cls(pieces, shapely.STRtree(network.piece_lines[pieces]))

    def within(
        self, points: NDArray[np.object_], metres: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Points and the pieces that are at most so far from them."""
        asked, found = self.tree.query(points, predicate="dwithin", distance=metres)
        return asked, self.pieces[found]


def _label_pieces(
    network: StreetNetwork, pieces: NDArray[np.int64], named: _NamedPieces
) -> NDArray[np.object_]:
    """What some of the pieces are called, see `label_streets`."""
    names = network.piece_name
    labels = np.where(names[pieces] != "", names[pieces], _describe_kinds(network, pieces))
    unnamed = np.flatnonzero(names[pieces] == "")
    middle = shapely.points(network.piece_middle[pieces[unnamed]])
    asked, found = named.within(middle, PAVEMENT_METRES)
    turned = (
        np.abs(
            _compute_bearings(network, pieces[unnamed[asked]]) - _compute_bearings(network, found)
        )
        % np.pi
    )
    parallel = np.minimum(turned, np.pi - turned) < np.pi / 6
    asked, found = asked[parallel], found[parallel]
    apart = shapely.distance(middle[asked], network.piece_lines[found])
    order = np.lexsort((found, apart, asked))
    first = np.unique(asked[order], return_index=True)[1]
    labels[unnamed[asked[order][first]]] = names[found[order][first]]
    return labels


def describe_positions(network: StreetNetwork, positions: Positions) -> list[str]:
    """Each place as "Street near Crossing Street".

    Examples
    --------
    >>> import patrolplan as pp
    >>> network = pp.load_area(pp.demo_settings()).network
    >>> words = describe_positions(network, network.middles([0]))
    >>> len(words[0]) > 0
    True
    """
    named = _NamedPieces.from_network(network)
    labels = _label_pieces(network, positions.piece, named)
    own = pd.Series(labels).reset_index(drop=True)
    crossing = pd.Series(None, index=own.index, dtype=object)
    points = shapely.points(network.xy(positions))
    for metres in MAX_CROSSING_METRES / np.array(
        [4, 2, 1]
    ):  # most find one near: few pieces are asked
        left = np.flatnonzero(crossing.isna())
        asked, name = _find_crossing_streets(network, points[left], labels[left], named, metres)
        crossing.iloc[left[asked]] = name
    return list(own.where(crossing.isna(), own + " near " + crossing.fillna("")))


def _find_crossing_streets(
    network: StreetNetwork,
    points: NDArray[np.object_],
    labels: NDArray[np.object_],
    named: _NamedPieces,
    metres: float,
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Points that have a street of another name so near, and that name; of equals the first."""
    asked, found = named.within(points, metres)
    names = network.piece_name[found]
    other = names != labels[asked]
    asked, found, names = asked[other], found[other], names[other]
    apart = shapely.distance(points[asked], network.piece_lines[found])
    order = np.lexsort((pd.factorize(names, sort=True)[0], apart, asked))
    near, first = np.unique(asked[order], return_index=True)
    return near, names[order][first]


def _describe_kinds(network: StreetNetwork, pieces: NDArray[np.int64]) -> NDArray[np.object_]:
    kinds = pd.Series(network.piece_highway[pieces], dtype=object)
    return kinds.map(KIND_WORDS).fillna("street").to_numpy(dtype=object)


def _compute_bearings(network: StreetNetwork, pieces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Direction of some pieces from end to end, in radians."""
    ends = network.node_xy[network.piece_nodes[pieces]]
    step = ends[:, 1] - ends[:, 0]
    return np.asarray(np.arctan2(step[:, 1], step[:, 0]))
