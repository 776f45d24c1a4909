"""The street network: pieces of street that meet at nodes, and places snapped to them.

Two networks belong together. One holds the streets to patrol: they carry risk, hotspots, stops and
gates. The other holds every street that a walk may use, which is more: passages below ground,
escalators, the outlines of squares and the ways across them, and streets up to `MARGIN_METRES`
beyond the area, since the shortest walk between two places of the area may leave it. Its first
pieces are those of the one to patrol, so a piece or a place has the same numbers in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import scipy
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.crs import Projection
from patrolplan.network.pieces import (
    MainArms,
    NearCrossings,
    Pieces,
    classify_bicycle_ways,
    find_main_arms,
    find_near_crossings,
    join_both_ways,
)

if TYPE_CHECKING:
    import networkx as nx

PATHS = ("footway", "path", "steps", "cycleway", "track", "bridleway")
"""Values of `highway` of ways without vehicles beside them."""

SECLUDED_PASSAGES = ("underpass", "covered")

SPARE_METRES = 0.01  # the search is wider by this, so that rounding loses no piece at the limit


@dataclass(frozen=True, eq=False)
class Positions:
    """(k,) places on streets: piece, metres from its first node, metres moved to get there."""

    piece: NDArray[np.int64]
    offset_metres: NDArray[np.float64]
    moved_metres: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.piece)

    def take(self, which: ArrayLike) -> "Positions":
        """Some of the positions, in the order asked for."""
        rows = np.asarray(which)
        return Positions(self.piece[rows], self.offset_metres[rows], self.moved_metres[rows])

    def map_to_subnetwork(self, pieces: NDArray[np.int64]) -> "Positions":
        """The same positions on a network of these pieces, in order, see `StreetNetwork.take`."""
        return Positions(np.searchsorted(pieces, self.piece), self.offset_metres, self.moved_metres)


def concatenate_positions(*parts: Positions) -> Positions:
    """Positions one after the other."""
    return Positions(
        np.concatenate([part.piece for part in parts]).astype(np.int64),
        np.concatenate([part.offset_metres for part in parts]),
        np.concatenate([part.moved_metres for part in parts]),
    )


def _read_way_column(column: str, kind: type = object) -> "cached_property[NDArray[Any]]":
    """A column of the ways as a property of a network: (p,) the value of each piece's way."""

    def read(network: "StreetNetwork") -> NDArray[Any]:
        values = network.parts.ways[column].to_numpy(dtype=object)
        return np.asarray(values[network.parts.piece_way], dtype=kind)

    return cached_property(read)


@dataclass(frozen=True, eq=False)
class StreetNetwork:
    """Pieces of street of about 30 m that meet at nodes, in metres; walks go both ways."""

    parts: Pieces
    projection: Projection  # the area's CRS
    patrolled_count: int | None = None  # places are snapped to so many first pieces; None: to all
    wider: "StreetNetwork | None" = None  # the network of `walkable`; None where that is this one

    def __repr__(self) -> str:
        return f"<StreetNetwork: {len(self):,} pieces, {self.metres / 1000:,.1f} km of street>"

    def __len__(self) -> int:
        return len(self.piece_metres)

    def __getstate__(self) -> dict[str, Any]:
        """What is sent to another process: arrays. Lines and trees are quicker built than sent."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return own | {"piece_middle": self.piece_middle}

    @property
    def walkable(self) -> "StreetNetwork":
        """Every street that a walk may use; its first pieces are those of this network."""
        return self if self.wider is None else self.wider

    @property
    def piece_metres(self) -> NDArray[np.float64]:
        """(p,) length of each piece."""
        return self.parts.piece_metres

    @property
    def piece_nodes(self) -> NDArray[np.int64]:
        """(p, 2) first and last node of each piece."""
        return self.parts.piece_nodes

    @property
    def node_xy(self) -> NDArray[np.float64]:
        """(n, 2) metres."""
        return self.parts.node_xy

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """Minimum x and y, and maximum x and y, of all nodes."""
        (left, low), (right, top) = self.node_xy.min(axis=0), self.node_xy.max(axis=0)
        return left, low, right, top

    @property
    def metres(self) -> float:
        """Total metres of street."""
        return float(self.piece_metres.sum())

    @cached_property
    def piece_lines(self) -> NDArray[np.object_]:
        """(p,) the pieces as shapely lines."""
        return self.parts.lines()

    def lines(self, pieces: NDArray[np.int64]) -> NDArray[np.object_]:
        """(k,) some of the pieces as shapely lines, without building all of them."""
        held = vars(self).get("piece_lines")
        return self.parts.lines(pieces) if held is None else np.asarray(held[pieces])

    @cached_property
    def piece_middle(self) -> NDArray[np.float64]:
        """(p, 2) the point half way along each piece, in metres."""
        middle = shapely.line_interpolate_point(self.piece_lines, 0.5, normalized=True)
        return np.asarray(shapely.get_coordinates(middle))

    # (p,) values of the street file's tags, empty where they are not known, and what was read of
    # them, see `patrolplan.inputs.osm_tags`.
    piece_name = _read_way_column("name")
    piece_highway = _read_way_column("highway")
    piece_lit = _read_way_column("lit")
    piece_sidewalk = _read_way_column("sidewalk")
    piece_layer = _read_way_column("layer", float)
    piece_passage = _read_way_column("passage")
    piece_crossing = _read_way_column("crossing")  # the `CrossingKind` of a way across a road
    piece_is_crossing = _read_way_column("is_crossing", bool)  # a footway across a road
    piece_is_sidewalk = _read_way_column("is_sidewalk", bool)  # a pavement mapped on its own
    _incline = _read_way_column("incline", int)
    _one_way = _read_way_column("one_way", int)
    _riding = _read_way_column("riding")

    @cached_property
    def piece_is_secluded(self) -> NDArray[np.bool_]:
        """(p,) whether each is a footpath that is no pavement, an underpass or a covered way."""
        is_path = np.isin(self.piece_highway.astype(str), PATHS)
        is_path &= ~self.piece_is_sidewalk & ~self.piece_is_crossing
        return np.asarray(is_path | np.isin(self.piece_passage.astype(str), SECLUDED_PASSAGES))

    @cached_property
    def pieces_by_name(self) -> Mapping[str, NDArray[np.int64]]:
        """(k,) pieces of each street that has a name, in their order."""
        names, street = np.unique(self.piece_name.astype(str), return_inverse=True)
        order = np.argsort(street, kind="stable")
        own = np.split(order, np.cumsum(np.bincount(street))[:-1])
        return {str(name): rows for name, rows in zip(names, own, strict=True) if name}

    @cached_property
    def main_arms(self) -> MainArms:
        """Where the main roads lead from each node."""
        return find_main_arms(self.parts)

    @cached_property
    def near_crossings(self) -> NearCrossings:
        """How the main roads at a node are crossed, see `find_near_crossings`."""
        return find_near_crossings(self.parts, self.main_arms)

    @cached_property
    def piece_flight(self) -> NDArray[np.object_]:
        """(p,) "up", "down" (as from the first node) or "steps" along a flight, else empty."""
        words = np.array(["steps", "up", "down"], dtype=object)  # incline 0, 1 and -1
        return np.where(self.piece_highway == "steps", words[self._incline], "")

    @cached_property
    def bicycle_ways(self) -> NDArray[np.int8]:
        """(p, 2) how a bicycle goes along pieces and against them, see `classify_bicycle_ways`."""
        return classify_bicycle_ways(
            self.piece_nodes, self._riding, self._one_way, nodes=len(self.node_xy)
        )

    @cached_property
    def neighbours(self) -> "scipy.sparse.csr_array":
        """(p, p) pieces that share a node."""
        rows, size = np.repeat(np.arange(len(self)), 2), (len(self), len(self.node_xy))
        ones = np.ones(len(rows), dtype=np.int32)
        incidence = scipy.sparse.csr_array((ones, (rows, self.piece_nodes.ravel())), shape=size)
        touching = (incidence @ incidence.T).astype(bool)
        touching.setdiag(0)
        touching.eliminate_zeros()
        return touching.tocsr()

    @cached_property
    def node_graph(self) -> "scipy.sparse.csr_array":
        """(n, n) metres between nodes that a piece joins, both ways; the shortest of several."""
        metres = np.repeat(self.piece_metres[:, None], 2, axis=1)
        return join_both_ways(self.piece_nodes, metres, len(self.node_xy))[0]

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.piece_lines[: self.patrolled_count])

    def frame(self) -> gpd.GeoDataFrame:
        """One row a piece: name, highway, metres, line."""
        data = {"name": self.piece_name, "highway": self.piece_highway, "metres": self.piece_metres}
        return gpd.GeoDataFrame(data, geometry=self.piece_lines, crs=self.projection.crs)

    def to_networkx(self) -> "nx.MultiDiGraph":
        """The streets as osmnx has them: nodes with x and y, pieces as edges of both directions."""
        import networkx as nx  # noqa: PLC0415 - heavy

        graph = nx.MultiDiGraph(crs=self.projection.crs, simplified=True)
        for node in np.unique(self.piece_nodes).tolist():
            graph.add_node(node, x=self.node_xy[node, 0], y=self.node_xy[node, 1])
        for row in self.frame().assign(ends=self.piece_nodes.tolist()).itertuples():
            start, end = row.ends
            facts = {"osmid": row.Index, "length": row.metres, "name": row.name}
            facts["highway"] = row.highway
            graph.add_edge(start, end, geometry=row.geometry, **facts)
            graph.add_edge(end, start, geometry=row.geometry.reverse(), **facts)
        return graph

    def snap(self, xy: ArrayLike, pieces: NDArray[np.int64] | None = None) -> Positions:
        """Nearest place on a street to patrol, or on these pieces, for each point (k, 2)."""
        places = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        exists = np.isfinite(places).all(axis=1)
        points = shapely.points(places[exists])
        tree = self._tree if pieces is None else shapely.STRtree(self.piece_lines[pieces])
        number, piece = tree.query_nearest(points, all_matches=False)
        piece = piece[np.argsort(number, kind="stable")]
        piece = piece if pieces is None else pieces[piece]
        lines = self.piece_lines[piece]
        # A point without finite coordinates keeps its row, on no piece and infinitely far from
        # every street: callers leave it out, or refuse it, like any other that is too far.
        positions = Positions(
            piece=np.full(len(places), -1),
            offset_metres=np.zeros(len(places)),
            moved_metres=np.full(len(places), np.inf),
        )
        positions.piece[exists] = piece
        positions.offset_metres[exists] = shapely.line_locate_point(lines, points)
        positions.moved_metres[exists] = shapely.distance(lines, points)
        return positions

    def xy(self, positions: Positions) -> NDArray[np.float64]:
        """(k, 2) metres of positions."""
        lines = self.lines(positions.piece)
        places = shapely.line_interpolate_point(lines, positions.offset_metres)
        return np.asarray(shapely.get_coordinates(places))

    def middles(self, pieces: ArrayLike) -> Positions:
        """Positions half way along these pieces."""
        piece = np.asarray(pieces, dtype=np.int64)
        return Positions(piece, self.piece_metres[piece] / 2, np.zeros(len(piece)))

    @cached_property
    def _middle_tree(self) -> shapely.STRtree:
        return shapely.STRtree(shapely.points(self.piece_middle))

    def find_pieces_within(self, xy: ArrayLike, metres: float) -> NDArray[np.int64]:
        """Pieces whose middle is within a distance of a point in a straight line."""
        centre, wide = np.asarray(xy, dtype=np.float64), metres + SPARE_METRES
        near = np.sort(self._middle_tree.query(shapely.Point(centre), "dwithin", distance=wide))
        return np.asarray(near[np.hypot(*(self.piece_middle[near] - centre).T) <= metres])

    def take(self, pieces: NDArray[np.int64]) -> "StreetNetwork":
        """A network of these pieces, those to patrol first; piece i of it is `pieces[i]` here."""
        count = self.patrolled_count
        if count is not None:
            count = int((pieces < count).sum()) or None
        return StreetNetwork(self.parts.take(pieces), self.projection, count)
