"""Streets -> `StreetNetwork`: snapping to streets, distances within a limit, walks with geometry."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from shapely.geometry.base import BaseGeometry

from patrolplan.inputs.streets import Streets
from patrolplan.pieces import PIECE_METRES
from patrolplan.pieces import Pieces
from patrolplan.pieces import cut_pieces
from patrolplan.projection import Projection
from patrolplan.tables import LeftOut


@dataclass(frozen=True, eq=False)
class Positions:
    """Places on streets: piece, metres from the piece's first node, metres it was moved."""

    piece: NDArray[np.int64]
    offset_metres: NDArray[np.float64]
    moved_metres: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.piece)

    def take(self, which: ArrayLike) -> "Positions":
        """Only these positions."""
        rows = np.asarray(which)
        return Positions(self.piece[rows], self.offset_metres[rows], self.moved_metres[rows])


@dataclass(frozen=True, eq=False)
class StreetNetwork:
    """Walkable streets as pieces of about 30 m that meet at nodes, in the area's metres.

    Every street can be walked both ways. Distances are walking distances along the pieces.

    Parameters
    ----------
    parts
        The arrays.
    projection
        The area's CRS.
    """

    parts: Pieces
    projection: Projection

    def __repr__(self) -> str:
        return f"<StreetNetwork: {len(self):,} pieces, {self.metres / 1000:,.1f} km of street>"

    def __len__(self) -> int:
        return len(self.piece_metres)

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

    @property
    def metres(self) -> float:
        """Metres of street in all."""
        return float(self.piece_metres.sum())

    @cached_property
    def piece_lines(self) -> NDArray[np.object_]:
        """(p,) the pieces as shapely lines."""
        rows = np.repeat(np.arange(len(self)), self.parts.last - self.parts.first)
        lines: NDArray[np.object_] = shapely.linestrings(self.parts.coordinates, indices=rows)
        return lines

    @cached_property
    def piece_middle(self) -> NDArray[np.float64]:
        """(p, 2) the point half way along each piece, in metres."""
        middle = shapely.line_interpolate_point(self.piece_lines, 0.5, normalized=True)
        return shapely.get_coordinates(middle)

    @cached_property
    def piece_name(self) -> NDArray[np.object_]:
        """(p,) street name, empty where it has none."""
        names: NDArray[np.object_] = self.parts.ways["name"].to_numpy(dtype=object)
        return names[self.parts.piece_way]

    @cached_property
    def piece_highway(self) -> NDArray[np.object_]:
        """(p,) kind of street, the OpenStreetMap value of `highway`."""
        kinds: NDArray[np.object_] = self.parts.ways["highway"].to_numpy(dtype=object)
        return kinds[self.parts.piece_way]

    @cached_property
    def neighbours(self) -> sparse.csr_array:
        """(p, p) pieces that share a node."""
        rows = np.repeat(np.arange(len(self)), 2)
        shape = (len(self), len(self.node_xy))
        ones = np.ones(rows.shape, dtype=np.int32)
        holds = sparse.csr_array((ones, (rows, self.piece_nodes.ravel())), shape=shape)
        touching = (holds @ holds.T).tocoo()
        apart = touching.row != touching.col
        pairs = (touching.row[apart], touching.col[apart])
        return sparse.csr_array((np.ones(apart.sum(), dtype=bool), pairs), shape=(len(self),) * 2)

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.piece_lines)

    def frame(self) -> gpd.GeoDataFrame:
        """One row a piece: name, highway, metres, line."""
        data = {
            "name": self.piece_name,
            "highway": self.piece_highway,
            "metres": self.piece_metres,
        }
        return gpd.GeoDataFrame(data, geometry=self.piece_lines, crs=self.projection.crs)

    def snap(self, xy: ArrayLike) -> Positions:
        """Nearest place on a street for each point.

        Parameters
        ----------
        xy
            (k, 2) metres.
        """
        points = shapely.points(np.asarray(xy, dtype=np.float64).reshape(-1, 2))
        asked, piece = self._tree.query_nearest(points, all_matches=False)
        piece = piece[np.argsort(asked, kind="stable")]
        lines = self.piece_lines[piece]
        offset = shapely.line_locate_point(lines, points)
        return Positions(piece, offset, shapely.distance(lines, points))

    def xy(self, positions: Positions) -> NDArray[np.float64]:
        """(k, 2) metres of positions."""
        lines = self.piece_lines[positions.piece]
        return shapely.get_coordinates(
            shapely.line_interpolate_point(lines, positions.offset_metres)
        )

    def middles(self, pieces: ArrayLike) -> Positions:
        """Positions half way along these pieces."""
        piece = np.asarray(pieces, dtype=np.int64)
        return Positions(piece, self.piece_metres[piece] / 2, np.zeros(len(piece)))

    def around(self, xy: ArrayLike, metres: float) -> NDArray[np.int64]:
        """Pieces whose middle is within so many metres of a point in a straight line."""
        apart = np.hypot(*(self.piece_middle - np.asarray(xy)).T)
        return np.flatnonzero(apart <= metres)

    def take(self, pieces: NDArray[np.int64]) -> "StreetNetwork":
        """A network of these pieces alone; piece i of it is piece `pieces[i]` of this one."""
        return StreetNetwork(self.parts.take(pieces), self.projection)


def build_network(
    streets: Streets,
    projection: Projection,
    left_out: LeftOut,
    *,
    limits: BaseGeometry | None = None,
    piece_metres: float = PIECE_METRES,
) -> StreetNetwork:
    """Cut streets into pieces and keep the largest connected part.

    Parameters
    ----------
    streets
        Walkable ways.
    projection
        The area's CRS.
    left_out
        Is told how much street lies outside the limits or hangs together with nothing.
    limits
        Polygon in the area's metres; pieces whose middle lies outside are left out.
    piece_metres
        Length aimed at.
    """
    pieces = cut_pieces(streets, piece_metres=piece_metres)
    if limits is not None:
        middle = StreetNetwork(pieces, projection).piece_middle
        inside = shapely.contains_xy(limits, middle[:, 0], middle[:, 1])
        outside_km = pieces.piece_metres[~inside].sum() / 1000
        left_out.add("streets", "outside the area (km)", round(outside_km))
        pieces = pieces.take(inside)
    if len(pieces.piece_metres):
        main = _largest_part(pieces)
        left_out.add("streets", "not connected to the rest (pieces)", int((~main).sum()))
        pieces = pieces.take(main)
    return StreetNetwork(pieces, projection)


def _largest_part(pieces: Pieces) -> NDArray[np.bool_]:
    """Pieces of the connected part that holds the most metres of street."""
    n = len(pieces.node_xy)
    ends = (pieces.piece_nodes[:, 0], pieces.piece_nodes[:, 1])
    graph = sparse.csr_array((np.ones(len(ends[0]), dtype=bool), ends), shape=(n, n))
    label = csgraph.connected_components(graph, directed=False)[1][ends[0]]
    metres = np.bincount(label, weights=pieces.piece_metres)
    return np.asarray(label == np.argmax(metres))


@dataclass(frozen=True, eq=False)
class Walk:
    """One walk along the streets.

    Parameters
    ----------
    line
        (v, 2) metres.
    pieces
        (s,) pieces walked, in order.
    piece_metres
        (s,) metres walked on each.
    """

    line: NDArray[np.float64]
    pieces: NDArray[np.int64]
    piece_metres: NDArray[np.float64]

    @property
    def metres(self) -> float:
        """Length of the walk."""
        return float(self.piece_metres.sum())


class Walks:
    """Shortest walks between positions, and from them to every piece within a limit.

    The positions are put into the graph as nodes of their own, so that a walk may start and end
    anywhere on a street.

    Parameters
    ----------
    network
        The streets.
    positions
        (k,) where walks start and end.
    limit_metres
        Walks longer than this are not looked for; their length is inf.
    """

    def __init__(
        self, network: StreetNetwork, positions: Positions, *, limit_metres: float = np.inf
    ) -> None:
        self.network = network
        self._segments = _segments(network, positions)
        self._graph, self._keys, self._best = _graph(self._segments)
        n = len(network.node_xy)
        self._start = n + np.arange(len(positions))
        distance, self._before = csgraph.dijkstra(
            self._graph,
            directed=True,
            indices=self._start,
            limit=limit_metres,
            return_predecessors=True,
        )
        self.metres: NDArray[np.float64] = distance[:, self._start]
        """(k, k) walking distance between positions."""
        self.node_metres: NDArray[np.float64] = distance[:, :n]
        """(k, n) walking distance from positions to nodes."""

    def piece_metres(self, position: int) -> NDArray[np.float64]:
        """(p,) walking distance from a position to the nearer end of each piece."""
        return self.node_metres[position][self.network.piece_nodes].min(axis=1)

    def between(self, start: int, end: int) -> Walk:
        """Shortest walk from one position to another; empty from a position to itself.

        Raises
        ------
        ValueError
            When no walk within the limit joins them.
        """
        if not np.isfinite(self.metres[start, end]):
            message = f"no walk within the limit joins positions {start} and {end}"
            raise ValueError(message)
        steps = [int(self._start[end])]
        while steps[-1] != self._start[start]:
            steps.append(int(self._before[start, steps[-1]]))
        return self._walk(np.array(steps[::-1]))

    def _walk(self, steps: NDArray[np.int64]) -> Walk:
        segments = self._segments
        size = self._graph.shape[0]
        found = self._best[np.searchsorted(self._keys, steps[:-1] * size + steps[1:])]
        backwards = segments.nodes[found, 0] != steps[:-1]
        lines = [
            self._line(int(segment), reverse=bool(back))
            for segment, back in zip(found, backwards, strict=True)
        ]
        metres = segments.to_metres[found] - segments.from_metres[found]
        return Walk(_joined(lines), segments.piece[found], metres)

    def _line(self, segment: int, *, reverse: bool) -> NDArray[np.float64]:
        whole = self.network.piece_lines[self._segments.piece[segment]]
        part = shapely.ops.substring(
            whole, self._segments.from_metres[segment], self._segments.to_metres[segment]
        )
        line = shapely.get_coordinates(part)
        return line[::-1] if reverse else line


@dataclass(frozen=True, eq=False)
class _Segments:
    """Edges of the graph with positions in it: whole pieces, and parts between positions."""

    nodes: NDArray[np.int64]
    piece: NDArray[np.int64]
    from_metres: NDArray[np.float64]
    to_metres: NDArray[np.float64]
    size: int


def _segments(network: StreetNetwork, positions: Positions) -> _Segments:
    """Cut the pieces that hold positions there; a position becomes node n + its number."""
    n = len(network.node_xy)
    whole = np.setdiff1d(np.arange(len(network)), positions.piece)
    order = np.lexsort((positions.offset_metres, positions.piece))
    piece = positions.piece[order]
    offset = np.clip(positions.offset_metres[order], 0.0, network.piece_metres[piece])
    node = n + order
    opens = np.r_[True, piece[1:] != piece[:-1]]
    closes = np.r_[opens[1:], True]
    previous = np.where(opens, network.piece_nodes[piece, 0], np.r_[0, node[:-1]])
    start = np.where(opens, 0.0, np.r_[0.0, offset[:-1]])
    return _Segments(
        nodes=np.concatenate(
            [
                network.piece_nodes[whole],
                np.column_stack([previous, node]),
                np.column_stack([node[closes], network.piece_nodes[piece[closes], 1]]),
            ]
        ),
        piece=np.concatenate([whole, piece, piece[closes]]),
        from_metres=np.concatenate([np.zeros(len(whole)), start, offset[closes]]),
        to_metres=np.concatenate(
            [network.piece_metres[whole], offset, network.piece_metres[piece[closes]]]
        ),
        size=n + len(positions),
    )


def _graph(segments: _Segments) -> tuple[sparse.csr_array, NDArray[np.int64], NDArray[np.int64]]:
    """Both directions of each segment; of parallel ones the shortest, looked up by key."""
    size = segments.size
    length = np.maximum(segments.to_metres - segments.from_metres, 1e-9)
    ends = np.concatenate([segments.nodes, segments.nodes[:, ::-1]])
    which = np.tile(np.arange(len(length)), 2)
    order = np.lexsort((length[which], ends[:, 1], ends[:, 0]))
    keys = (ends[:, 0] * size + ends[:, 1])[order]
    first = np.r_[True, keys[1:] != keys[:-1]]
    best = which[order][first]
    pairs = (ends[order][first, 0], ends[order][first, 1])
    graph = sparse.csr_array((length[best], pairs), shape=(size, size))
    return graph, keys[first], best


def _joined(lines: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Lines end to end as one, without the doubled points where they meet."""
    if not lines:
        return np.empty((0, 2))
    line = np.concatenate(lines)
    moves = np.r_[True, np.any(np.abs(np.diff(line, axis=0)) > 1e-6, axis=1)]
    return line[moves]
