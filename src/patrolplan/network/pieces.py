"""Streets cut into pieces of about 30 m: which are patrolled, ridden, or main roads at a node.

A section of street runs from junction to junction and is cut into equal pieces. All of it is
array work: a city's streets are cut in seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy
import shapely
from numpy.typing import NDArray

from patrolplan.arrays import expand_ranges
from patrolplan.inputs.osm_tags import MAIN_ROADS, ROADS, TRUNK, CrossingKind
from patrolplan.inputs.streets import KIND_TYPE, Streets

PIECE_METRES = 30.0
COINCIDENT_METRES = 1e-6  # points within this distance are one point
MIN_PIECE_METRES = 0.01
"""Length of a piece between two nodes at the same point, which keeps a street connected."""

LOOK_METRES = 2.0
"""Distance along an arm at which its bearing is taken: near the node, to order arms round it."""

NEAR_METRES = 25.0
"""Maximum distance along the main road of a crossing or traffic lights that are used."""

SAFEST_FIRST: tuple[CrossingKind, ...] = ("signals", "zebra", "island", "unmarked", "unknown")
UNKNOWN = SAFEST_FIRST.index("unknown")


@dataclass(frozen=True, eq=False)
class CrossingPoints:
    """Where people on foot cross streets: a row for each street that a node is on."""

    xy: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))  # (c, 2) metres
    # (c,) the `patrolplan.inputs.osm_tags.CrossingKind` of each.
    kind: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype=KIND_TYPE))
    # (c,) row of the ways.
    way: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def find_crossing_points(streets: Streets) -> CrossingPoints:
    """The crossings on the streets where vehicles go."""
    order = np.argsort(streets.crossing_nodes)
    numbers = streets.crossing_nodes[order]
    at = np.searchsorted(numbers, streets.vertex_node)
    is_road = streets.ways["highway"].isin(ROADS | TRUNK).to_numpy(dtype=bool)
    is_there = np.isin(streets.vertex_node, numbers) & is_road[streets.vertex_way]
    return CrossingPoints(
        streets.vertex_xy[is_there],
        streets.crossing_kinds[order][at[is_there]],
        streets.vertex_way[is_there],
    )


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of street and the nodes where they meet."""

    node_xy: NDArray[np.float64]  # (n, 2) metres; junctions, dead ends, joints inside sections
    piece_nodes: NDArray[np.int64]  # (p, 2) first and last node
    piece_metres: NDArray[np.float64]  # (p,) length along the street
    piece_way: NDArray[np.int64]  # (p,) row of the ways
    piece_section: NDArray[np.int64]  # (p,) number of the section from junction to junction
    coordinates: NDArray[np.float64]  # (c, 2) metres
    first: NDArray[np.int64]  # (p,) row of the coordinates that each piece begins with
    last: NDArray[np.int64]  # (p,) the row after its end
    ways: pd.DataFrame  # one row a way, see `patrolplan.inputs.streets.Streets`
    crossings: CrossingPoints = field(default_factory=CrossingPoints)  # of all streets

    def take(self, selection: NDArray[np.bool_] | NDArray[np.int64]) -> "Pieces":
        """Only these pieces, in their order; nodes without a piece are dropped."""
        selection = np.arange(len(self.first))[selection]
        nodes, renumbered = np.unique(self.piece_nodes[selection], return_inverse=True)
        count, rows = self._rows(selection)
        last = np.cumsum(count)
        return Pieces(
            node_xy=self.node_xy[nodes],
            piece_nodes=renumbered.reshape(-1, 2).astype(np.int64),
            piece_metres=self.piece_metres[selection],
            piece_way=self.piece_way[selection],
            piece_section=self.piece_section[selection],
            coordinates=self.coordinates[rows],
            first=last - count,
            last=last,
            ways=self.ways,
            crossings=self.crossings,
        )

    def lines(self, selection: NDArray[np.int64] | None = None) -> NDArray[np.object_]:
        """(k,) these pieces as shapely lines; default all."""
        count, rows = self._rows(np.arange(len(self.first)) if selection is None else selection)
        which = np.repeat(np.arange(len(count)), count)
        lines: NDArray[np.object_] = shapely.linestrings(self.coordinates[rows], indices=which)
        return lines

    def _rows(self, selection: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(k,) how many points each of these pieces has, and their rows of `coordinates`."""
        count = self.last[selection] - self.first[selection]
        return count, expand_ranges(self.first[selection], count)


class _Vertices(NamedTuple):
    """Vertices of all ways (v,), one way after the other, each in the order of its vertices."""

    way: NDArray[np.int64]  # row of the ways, increasing
    along: NDArray[np.float64]  # metres along the streets, cumulative over all ways
    node: NDArray[np.int64]  # vertices of one node have one number
    xy: NDArray[np.float64]  # (v, 2) metres
    is_end: NDArray[np.bool_]  # whether a piece ends there
    is_closed: NDArray[np.bool_]  # whether a barrier closes the node: ways do not meet there


def cut_pieces(streets: Streets, *, piece_metres: float = PIECE_METRES) -> Pieces:
    """Cut streets into pieces; ways meet where they hold the same node, unless it is closed."""
    vertices = _list_vertices(streets)
    heads, tails = _find_sections(vertices.is_end, vertices.way)
    length = vertices.along[tails] - vertices.along[heads]
    parts = np.maximum(1, np.round(length / piece_metres)).astype(np.int64)
    vertices = _insert(vertices, _place_cuts(vertices, heads, parts, length / parts))
    # With the cuts among the vertices, pieces are found as sections were.
    first, last = _find_sections(vertices.is_end, vertices.way)
    node_xy, piece_nodes = _place_nodes(vertices, first, last)
    pieces = Pieces(
        node_xy=node_xy,
        piece_nodes=piece_nodes,
        piece_metres=np.maximum(vertices.along[last] - vertices.along[first], MIN_PIECE_METRES),
        piece_way=vertices.way[first],
        piece_section=np.repeat(np.arange(len(heads)), parts),
        coordinates=vertices.xy,
        first=first,
        last=last + 1,
        ways=streets.ways,
        crossings=find_crossing_points(streets),
    )
    return pieces.take(np.arange(len(first)))


def _list_vertices(streets: Streets) -> _Vertices:
    """The vertices of streets, where sections end at junctions, dead ends and barriers."""
    node = np.unique(streets.vertex_node, return_inverse=True)[1].reshape(-1)
    is_closed = np.isin(streets.vertex_node, streets.closed_nodes)
    is_end = _find_junctions(streets.vertex_way, node) | is_closed
    steps = np.hypot(*np.diff(streets.vertex_xy, axis=0).T).round(6)
    steps[np.diff(streets.vertex_way) != 0] = 0.0  # from the end of a way nobody walks to the next
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return _Vertices(streets.vertex_way, along, node, streets.vertex_xy, is_end, is_closed)


def _place_cuts(
    vertices: _Vertices,
    heads: NDArray[np.int64],
    parts: NDArray[np.int64],
    metres: NDArray[np.float64],
) -> _Vertices:
    """New vertices that cut sections from their heads (s,) on into equal parts (s,) of metres."""
    # A section of n parts has n - 1 cuts, all of them inside it.
    section = np.repeat(np.arange(len(heads)), parts - 1)
    number = expand_ranges(np.zeros_like(parts), parts - 1)
    along = vertices.along[heads][section] + (number + 1) * metres[section]
    way = vertices.way[heads][section]
    # A cut is inside its way, so the two vertices that it is between are known.
    low = np.searchsorted(vertices.way, way)
    high = np.searchsorted(vertices.way, way, side="right")
    before = np.clip(np.searchsorted(vertices.along, along, side="right") - 1, low, high - 2)
    apart = vertices.along[before + 1] - vertices.along[before]
    share = (along - vertices.along[before]) / np.where(apart > 0, apart, 1.0)
    moves = vertices.xy[before + 1] - vertices.xy[before]
    return _Vertices(
        way=way,
        along=along,
        node=int(vertices.node.max()) + 1 + np.arange(len(along)),
        xy=vertices.xy[before] + share[:, None] * moves,
        is_end=np.ones(len(along), dtype=bool),
        is_closed=np.zeros(len(along), dtype=bool),
    )


def _insert(vertices: _Vertices, cuts: _Vertices) -> _Vertices:
    """Vertices and cuts together, in the order of walking; of a place, the vertex comes first."""
    joined = [np.concatenate(columns) for columns in zip(vertices, cuts, strict=True)]
    both = _Vertices(*joined)
    order = np.lexsort((both.along, both.way))
    ordered: list[NDArray[Any]] = [column[order] for column in both]
    return _Vertices(*ordered)


def _place_nodes(
    vertices: _Vertices, first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, 2) places of nodes in metres, and (p, 2) nodes at first and last vertices of pieces."""
    node_xy = np.zeros((int(vertices.node.max()) + 1, 2))
    node_xy[vertices.node] = vertices.xy
    ends = np.column_stack([first, last])
    piece_nodes = vertices.node[ends]
    # Each end at a closed node is a dead end of its own.
    at_closed = vertices.is_closed[ends]
    dead_end_xy = node_xy[piece_nodes[at_closed]]
    piece_nodes[at_closed] = len(node_xy) + np.arange(len(dead_end_xy))
    return np.concatenate([node_xy, dead_end_xy]), piece_nodes


def _find_junctions(way: NDArray[np.int64], node: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(v,) whether another vertex is the same node, or a way ends there."""
    shared = np.bincount(node)[node] > 1
    changes = way[1:] != way[:-1]
    shared[0] = shared[-1] = True
    shared[1:] |= changes
    shared[:-1] |= changes
    return shared


def _find_sections(
    ends: NDArray[np.bool_], way: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last vertex between neighbouring ends on the same way."""
    at = np.flatnonzero(ends)
    same = way[at[1:]] == way[at[:-1]]
    return at[:-1][same], at[1:][same]


def find_patrolled(pieces: Pieces) -> NDArray[np.bool_]:
    """(p,) whether a piece is street to patrol: by its tags, and not a part of a station."""
    of_piece = {
        name: pieces.ways[name].to_numpy()[pieces.piece_way]
        for name in ("is_patrolled", "is_area", "layer", "highway")
    }
    is_patrolled = of_piece["is_patrolled"].astype(bool)
    is_passage = ~is_patrolled & ~of_piece["is_area"].astype(bool)
    on_foot = ~np.isin(of_piece["highway"].astype(str), list(ROADS | TRUNK))
    below = np.flatnonzero(is_passage | ((of_piece["layer"].astype(np.float64) < 0) & on_foot))
    label = label_components(pieces.piece_nodes[below], len(pieces.node_xy))
    is_patrolled[below[np.isin(label, label[is_passage[below]])]] = False
    return is_patrolled


def label_components(piece_nodes: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    """(p,) number of the connected part that each of these pieces (p, 2) belongs to."""
    ones = np.ones(len(piece_nodes), dtype=bool)
    graph = scipy.sparse.csr_array((ones, tuple(piece_nodes.T)), shape=(nodes, nodes))
    label = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    return np.asarray(label[piece_nodes[:, 0]], dtype=np.int64)


def join_both_ways(
    ends: NDArray[np.int64], costs: NDArray[np.float64], size: int
) -> "tuple[scipy.sparse.csr_array, NDArray[np.int64], NDArray[np.bool_]]":
    """Graph of links (l, 2) both ways at costs (l, 2); each entry's link, and if it is reversed."""
    nodes = np.concatenate([ends, ends[:, ::-1]])
    cost = costs.T.ravel()
    link = np.tile(np.arange(len(ends)), 2)
    is_reversed = np.repeat([False, True], len(ends))
    is_open = np.isfinite(cost)
    nodes = nodes[is_open]
    cost = cost[is_open]
    link = link[is_open]
    is_reversed = is_reversed[is_open]
    # Of links between the same nodes the cheapest counts: it comes first among equal keys.
    keys = nodes[:, 0] * size + nodes[:, 1]
    order = np.lexsort((cost, keys))
    order = order[np.diff(keys[order], prepend=-1) != 0]
    rows = np.searchsorted(keys[order], np.arange(size + 1) * size)
    graph = scipy.sparse.csr_array((cost[order], nodes[order, 1], rows), shape=(size, size))
    return graph, link[order], is_reversed[order]


CLOSED = 0
RIDE = 1
PUSH = 2
CARRY = 3
BICYCLE_MODES = {"ride": RIDE, "push": PUSH, "carry": CARRY}

CARRY_FACTOR = 3.0  # how many times slower a bicycle is carried over steps than it is pushed


def classify_bicycle_ways(
    piece_nodes: NDArray[np.int64],
    mode_names: NDArray[np.object_],
    one_way: NDArray[np.int64],
    *,
    nodes: int,
) -> NDArray[np.int8]:
    """(p, 2) how a bicycle goes along each piece and against it: `RIDE`, `PUSH`, `CARRY`, `CLOSED`.

    `one_way` (p,) is 1 in the piece's direction alone, -1 against it alone, 0 both. One-way streets
    are obeyed, but never trap a rider: at a piece with an end outside the largest strongly
    connected component, as at the edge of the area, it may be pushed in the closed direction.
    """
    modes = np.array([BICYCLE_MODES[name] for name in mode_names.tolist()], dtype=np.int8)
    both = np.where(np.column_stack([one_way < 0, one_way > 0]), CLOSED, modes[:, None])
    both = both.astype(np.int8)
    if not (one_way != 0).any():
        return both
    ends = np.concatenate([piece_nodes[both[:, 0] > 0], piece_nodes[both[:, 1] > 0][:, ::-1]])
    graph = scipy.sparse.csr_array((np.ones(len(ends), dtype=bool), ends.T), shape=(nodes, nodes))
    label = scipy.sparse.csgraph.connected_components(graph, directed=True, connection="strong")[1]
    main = label == np.bincount(label).argmax()
    stuck = ~main[piece_nodes].all(axis=1)
    return np.where(stuck[:, None] & (both == CLOSED), np.int8(PUSH), both)


def compute_cycling_effort(
    kinds: NDArray[np.int8], *, riding_kmh: float, walking_kmh: float
) -> NDArray[np.float64]:
    """What a metre costs by `kinds`, in metres ridden: inf where it is closed."""
    pushing = riding_kmh / walking_kmh
    return np.array([np.inf, 1.0, pushing, CARRY_FACTOR * pushing])[kinds]


NearCrossings = dict[int, list[tuple[float, int, str]]]
"""By node its crossings, the nearest first: metres in a straight line, the place of the kind in
`SAFEST_FIRST`, and the road."""


@dataclass(frozen=True, eq=False)
class MainArms:
    """Ends of the pieces of main roads, by node."""

    node: NDArray[np.int64]  # (a,) in increasing order
    piece: NDArray[np.int64]  # (a,) each piece has two arms, one at either node
    bearing: NDArray[np.float64]  # (a,) radians anticlockwise from east
    # (p,) the road of each piece, empty if it is not a main road; ways with the same name are one
    # road, and so are ways of one kind without a name.
    road_of_piece: NDArray[np.object_]

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
    road_of_piece = _name_roads(pieces, ways)[row]
    main = np.flatnonzero(road_of_piece != "")
    piece = np.repeat(main, 2)
    end = np.tile([0, 1], len(main))
    node = pieces.piece_nodes[piece, end]
    order = np.argsort(node, kind="stable")
    bearing = compute_bearings(pieces, piece[order], end[order])
    return MainArms(node[order], piece[order], bearing, road_of_piece)


def _name_roads(pieces: Pieces, ways: NDArray[np.int64]) -> NDArray[np.object_]:
    """(k,) the main road that each of some ways is of: its name, or its kind in brackets."""
    names, kinds = (
        pieces.ways[column].to_numpy(dtype=object)[ways] for column in ("name", "highway")
    )
    roads = [
        (name or f"({kind.removesuffix('_link')})") if kind in MAIN_ROADS else ""
        for name, kind in zip(names, kinds, strict=True)
    ]
    return np.array(roads, dtype=object)


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


def find_near_crossings(pieces: Pieces, arms: MainArms) -> NearCrossings:
    """Crossings of known kind on the main roads that lead from each node, the nearest first."""
    points = pieces.crossings
    held = np.flatnonzero(np.isin(points.way, pieces.piece_way) & (points.kind != "unknown"))
    roads = _name_roads(pieces, points.way[held])
    kinds = [SAFEST_FIRST.index(kind) for kind in points.kind[held].tolist()]
    nodes = np.unique(arms.node)
    near: NearCrossings = {}
    for node, row, metres in _pair_near(nodes, pieces.node_xy[nodes], points.xy[held]):
        # A crossing helps only if it is of a road that meets the node, not of one behind.
        if any(road == roads[row] for _, road, _ in arms.by_node[node]):
            near.setdefault(node, []).append((metres, kinds[row], roads[row]))
    return {node: sorted(crossings) for node, crossings in near.items()}


def _pair_near(
    nodes: NDArray[np.int64], node_xy: NDArray[np.float64], crossing_xy: NDArray[np.float64]
) -> Iterator[tuple[int, int, float]]:
    """Every node (n,) with each crossing (c,) near it, and the metres between them."""
    tree = shapely.STRtree(shapely.points(crossing_xy))
    at, near = tree.query(shapely.points(node_xy), "dwithin", NEAR_METRES)
    metres = np.sqrt(((node_xy[at] - crossing_xy[near]) ** 2).sum(axis=1))
    return zip(nodes[at].tolist(), near.tolist(), metres.tolist(), strict=True)
