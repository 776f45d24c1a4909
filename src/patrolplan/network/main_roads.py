"""Main roads at the nodes of a network: where they lead from there, and how they are crossed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.inputs.osm_tags import MAIN_ROADS, CrossingKind
from patrolplan.network.pieces import Pieces

LOOK_METRES = 2.0
"""Distance along an arm at which its bearing is taken: near the node, to order arms round it."""


NEAR_METRES = 25.0
"""Maximum distance along the main road of a crossing or traffic lights that are used."""

SAFEST_FIRST: tuple[CrossingKind, ...] = ("signals", "zebra", "island", "unmarked", "unknown")


@dataclass(frozen=True, eq=False)
class MainArms:
    """Ends of the pieces of main roads, by node."""

    node: NDArray[np.int64]  # (a,) in increasing order
    piece: NDArray[np.int64]  # (a,) each piece has two arms, one at either node
    bearing: NDArray[np.float64]  # (a,) radians anticlockwise from east
    # (p,) the road of each piece, empty if it is not a main road; ways with the same name are one
    # road, and so are ways of one kind without a name.
    road_of_piece: NDArray[np.object_]
    # `ways`, `road_of_way`: (w,) rows of the ways that the pieces are of, in increasing order,
    # and the road of each.
    ways: NDArray[np.int64]
    road_of_way: NDArray[np.object_]

    @cached_property
    def by_node(self) -> dict[int, list[tuple[int, str, float]]]:
        """Piece, road and bearing of each arm at each node that has some."""
        listed: dict[int, list[tuple[int, str, float]]] = {}
        arms = zip(self.piece, self.road_of_piece[self.piece], self.bearing, strict=True)
        for node, (piece, road, bearing) in zip(self.node.tolist(), arms, strict=True):
            listed.setdefault(node, []).append((int(piece), road, float(bearing)))
        return listed


def find_main_arms(pieces: Pieces) -> MainArms:
    """The arms of all main roads."""
    ways, row = np.unique(pieces.piece_way, return_inverse=True)
    names, kinds = (
        pieces.ways[column].to_numpy(dtype=object)[ways].tolist() for column in ("name", "highway")
    )
    road_of_way = np.empty(len(ways), dtype=object)
    road_of_way[:] = [
        (name or f"({kind.removesuffix('_link')})") if kind in MAIN_ROADS else ""
        for name, kind in zip(names, kinds, strict=True)
    ]
    road_of_piece = road_of_way[row]
    main = np.flatnonzero(road_of_piece != "")
    piece, end = np.repeat(main, 2), np.tile([0, 1], len(main))
    node = pieces.piece_nodes[piece, end]
    order = np.argsort(node, kind="stable")
    return MainArms(
        node=node[order],
        piece=piece[order],
        bearing=compute_bearings(pieces, piece[order], end[order]),
        road_of_piece=road_of_piece,
        ways=ways,
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
    points, nodes = pieces.crossings, np.unique(arms.node)
    held = np.isin(points.way, arms.ways)
    xy, way = points.xy[held], np.searchsorted(arms.ways, points.way[held])
    rank = np.array([SAFEST_FIRST.index(kind) for kind in points.kind[held].tolist()], dtype=int)
    use = (rank < SAFEST_FIRST.index("unknown")) & (arms.road_of_way[way] != "")
    xy, way, rank = xy[use], way[use], rank[use]
    at = pieces.node_xy[nodes]
    tree = shapely.STRtree(shapely.points(xy))
    near_node, crossing = tree.query(shapely.points(at), "dwithin", NEAR_METRES)
    metres = np.sqrt(((at[near_node] - xy[crossing]) ** 2).sum(axis=1))
    # Roads as numbers: those of a node are looked up among all pairs of node and road.
    number, names = pd.factorize(arms.road_of_way)
    of_arm = number[np.searchsorted(arms.ways, pieces.piece_way[arms.piece])]
    node, road = nodes[near_node], number[way[crossing]]
    leads = np.isin(node * len(names) + road, arms.node * len(names) + of_arm)
    near = pd.DataFrame(
        {"road": names[road[leads]], "metres": metres[leads], "rank": rank[crossing][leads]},
        index=pd.Index(node[leads], name="node"),
    )
    return near.iloc[np.lexsort((near["rank"], near["metres"], near.index))]
