"""Main roads at the nodes of a network: where they lead from there, and how one crosses them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from patrolplan.inputs.osm_tags import MAIN_ROADS, CrossingKind
from patrolplan.network.pieces import Pieces

LOOK_METRES = 2.0
"""An arm leads to the point so far along it: order round a node is decided near the node."""


NEAR_METRES = 25.0
"""A crossing or traffic lights this near on the main road are how it is crossed."""

SAFEST_FIRST: tuple[CrossingKind, ...] = ("signals", "zebra", "island", "unmarked", "unknown")


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


def find_near_crossings(pieces: Pieces, arms: MainArms) -> pd.DataFrame:
    """Crossings of known kind on the main roads at each node that has some, the nearest first.

    Columns `node`, which is the index, `road`, `metres` in a straight line, and `rank`, the place
    of the kind in `SAFEST_FIRST`. Only crossings on a road that leads from the node itself.
    """
    columns = {"road": object, "metres": float, "rank": int}
    points, nodes = pieces.crossings, np.unique(arms.node)
    rank = np.array([SAFEST_FIRST.index(kind) for kind in points.kind.tolist()], dtype=np.int64)
    road = arms.road_of_way[points.way]
    known = np.flatnonzero((rank < SAFEST_FIRST.index("unknown")) & (road != ""))
    if not len(known) or not len(nodes):
        none = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
        return none.set_index(pd.Index([], dtype=np.int64, name="node"))
    pairs = KDTree(pieces.node_xy[nodes]).sparse_distance_matrix(
        KDTree(points.xy[known]), NEAR_METRES, output_type="ndarray"
    )
    near = pd.DataFrame(
        {
            "node": nodes[pairs["i"]],
            "road": road[known][pairs["j"]],
            "metres": pairs["v"],
            "rank": rank[known][pairs["j"]],
        }
    )
    leads = {"node": arms.node, "road": arms.road_of_way[pieces.piece_way[arms.piece]]}
    near = near.merge(pd.DataFrame(leads).drop_duplicates(), on=["node", "road"])
    return near.sort_values(["node", "metres", "rank"]).set_index("node")
