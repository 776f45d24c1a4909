"""Main roads as arms at the nodes of a network: which way each leads from there, and its name."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.inputs.osm_tags import MAIN_ROADS
from patrolplan.network.pieces import Pieces

LOOK_METRES = 2.0
"""An arm leads to the point so far along it: order round a node is decided near the node."""


@dataclass(frozen=True, eq=False)
class MainArms:
    """Ends of the pieces of main roads, by node.

    Parameters
    ----------
    node
        (a,) in increasing order.
    piece
        (a,) each piece has two arms, one at either node.
    bearing
        (a,) radians anticlockwise from east.
    road_of_way
        (w,) the road that each way is of, empty where it is no main road; ways of one name are one
        road, and ways of a kind without a name are too.
    """

    node: NDArray[np.int64]
    piece: NDArray[np.int64]
    bearing: NDArray[np.float64]
    road_of_way: NDArray[np.object_]

    def get_rows(self, node: int) -> slice:
        """The arms at a node."""
        first, last = np.searchsorted(self.node, [node, node + 1])
        return slice(int(first), int(last))


def find_main_arms(pieces: Pieces) -> MainArms:
    """The arms of all main roads."""
    highway = pieces.ways["highway"].to_numpy(dtype=object)
    names = pieces.ways["name"].to_numpy(dtype=object)
    is_main = np.isin(highway.astype(str), list(MAIN_ROADS))
    kinds = [f"({kind.removesuffix('_link')})" for kind in highway]
    road_of_way = np.where(is_main, np.where(names != "", names, kinds), "").astype(object)
    main = np.flatnonzero(is_main[pieces.piece_way])
    piece, end = np.repeat(main, 2), np.tile([0, 1], len(main))
    node = pieces.piece_nodes[piece, end]
    order = np.argsort(node, kind="stable")
    return MainArms(
        node=node[order],
        piece=piece[order],
        bearing=compute_bearings(pieces, piece[order], end[order]),
        road_of_way=road_of_way,
    )


def compute_bearings(
    pieces: Pieces, piece: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(k,) which way each piece leads from its first (0) or last (1) node, see `MainArms`."""
    lines = pieces.lines(piece)
    length = shapely.length(lines)
    near = np.minimum(LOOK_METRES, length)
    start = shapely.line_interpolate_point(lines, np.where(end == 0, 0.0, length))
    ahead = shapely.line_interpolate_point(lines, np.where(end == 0, near, length - near))
    dx, dy = (shapely.get_coordinates(ahead) - shapely.get_coordinates(start)).T
    return np.asarray(np.arctan2(dy, dx))
