"""The graph that walks are searched in: links of street between junctions and places.

A place on a street is a node of its own, so that a walk may start and end anywhere. The street
between two junctions or places is one link, however many pieces it is cut into: a search then
visits a third of the nodes.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from patrolplan.network.network import Positions, StreetNetwork
from patrolplan.network.pieces import COINCIDENT_METRES, PIECE_METRES, join_both_ways

SIGHT_METRES = 75.0  # how far an adult in the street sees, and is seen; assumed
MIN_LINK_METRES = 1e-9  # minimum length of a link: in a sparse graph 0 means no link


@dataclass(frozen=True, eq=False)
class Segments:
    """Pieces, cut where there are places on them, link after link."""

    # (s, 2) first and last node; place k is node n + k, after the network's own.
    nodes: NDArray[np.int64]
    piece: NDArray[np.int64]  # (s,) which piece it is of
    from_metres: NDArray[np.float64]  # (s,) where it begins, and ends, along the piece
    to_metres: NDArray[np.float64]
    first: NDArray[np.int64]  # (l + 1,) first segment of each link; its others follow

    def compute_costs(self, effort: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """(s, 2) cost of each along its piece and against it, inf where it is closed."""
        length = np.maximum(self.to_metres - self.from_metres, MIN_LINK_METRES)[:, None]
        if effort is None:
            return np.repeat(length, 2, axis=1)
        # Between places at the same point, a one-way street does not force a detour round the
        # block.
        return np.where(length > COINCIDENT_METRES, length * effort[self.piece], length)

    def sum_by_link(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Amounts of the segments (s, ...) summed by link."""
        return np.asarray(np.add.reduceat(amounts, self.first[:-1], axis=0))


@dataclass(frozen=True, eq=False)
class StreetGraph:
    """Nodes, and the links between them."""

    segments: Segments  # What the links consist of
    size: int  # number of nodes
    ends: NDArray[np.int64]  # (l, 2) first and last node of each link
    costs: NDArray[np.float64]  # (l, 2) cost of each, forwards and backwards; inf where closed
    places: NDArray[np.int64]  # (k,) node of each place


def build_street_graph(
    network: StreetNetwork, places: Positions, effort: NDArray[np.float64] | None
) -> StreetGraph:
    """Links between junctions and places; `effort` (p, 2) is as in `WalkFinder`."""
    segments = _join_links(network, cut_at_places(network, places))
    ends = np.column_stack(
        [segments.nodes[segments.first[:-1], 0], segments.nodes[segments.first[1:] - 1, 1]]
    )
    own = np.unique(np.concatenate([ends.ravel(), len(network.node_xy) + np.arange(len(places))]))
    costs = segments.sum_by_link(segments.compute_costs(effort))
    # A place at a junction is the junction: none of its streets is the one that it is on.
    at = len(network.node_xy) + np.arange(len(places))
    for end, share in enumerate([0.0, 1.0]):
        node = network.piece_nodes[places.piece, end]
        away = np.abs(places.offset_metres - share * network.piece_metres[places.piece])
        is_there = away <= COINCIDENT_METRES
        at = np.where(is_there & np.isin(node, own), node, at)
    nodes = np.searchsorted(own, at)
    return StreetGraph(segments, len(own), np.searchsorted(own, ends), costs, nodes)


def search_from_places(
    network: StreetNetwork,
    places: Positions,
    limit_metres: float,
    effort: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(k, n) walking distance (or cost) from each place to each node; inf beyond a limit."""
    return _search(network, places, limit_metres, effort)[:, : len(network.node_xy)]


def _search(
    network: StreetNetwork,
    places: Positions,
    limit_metres: float,
    effort: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(k, n + k) distance from each place to each node, and then to each place."""
    segments, size = cut_at_places(network, places), len(network.node_xy)
    costs = segments.compute_costs(effort)
    graph, _, _ = join_both_ways(segments.nodes, costs, size + len(places))
    starts = size + np.arange(len(places))
    return np.asarray(scipy.sparse.csgraph.dijkstra(graph, indices=starts, limit=limit_metres))


def compute_piece_distances(
    network: StreetNetwork,
    place: Positions,
    *,
    limit_metres: float = np.inf,
    effort: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(p,) walking distance (or cost) from a place to the nearer end of each piece."""
    away = search_from_places(network, place, limit_metres, effort)[0]
    return np.asarray(away[network.piece_nodes].min(axis=1))


def look_around(
    network: StreetNetwork, places: Positions
) -> tuple["scipy.sparse.csr_array", NDArray[np.bool_]]:
    """What is in sight of places: (k, p) ones for the pieces, and (k, k) the other places.

    A piece is in sight where one of its ends is, or where the place is on it.
    """
    away = _search(network, places, SIGHT_METRES)
    seen = np.asarray(np.isfinite(away[:, network.piece_nodes]).any(axis=2))
    seen[np.arange(len(places)), places.piece] = True
    near = np.isfinite(away[:, len(network.node_xy) :])
    return scipy.sparse.csr_array(seen.astype(np.float64)), np.asarray(near)


def find_pieces_in_sight(network: StreetNetwork, places: Positions) -> "scipy.sparse.csr_array":
    """(k, p) ones where a piece is in sight of a place, see `look_around`."""
    return look_around(network, places)[0]


def list_seen_pieces(network: StreetNetwork, places: Positions) -> list[NDArray[np.int64]]:
    """The pieces to patrol in sight of each place: a search in its own surroundings for each."""
    walkable = network.walkable
    seen = []
    for row in range(len(places)):
        # All of a walk as long as one sees is in this circle, with the pieces where it ends.
        metres = SIGHT_METRES + 2 * PIECE_METRES
        near, place, pieces = take_around(walkable, places.take([row]), metres)
        in_sight = pieces[find_pieces_in_sight(near, place).indices]
        seen.append(in_sight[in_sight < len(network)])
    return seen


def take_around(
    network: StreetNetwork, place: Positions, metres: float
) -> tuple[StreetNetwork, Positions, NDArray[np.int64]]:
    """The streets around a place as a network, the place on it, and (q,) their pieces."""
    around = network.find_pieces_within(network.xy(place)[0], metres)
    pieces = np.union1d(around, place.piece)
    return network.take(pieces), place.map_to_subnetwork(pieces), pieces


def compute_walk_metres(
    network: StreetNetwork, place: Positions, limit_metres: float
) -> NDArray[np.float64]:
    """(p,) walk in metres from a single place to each piece, 0 to its own; inf beyond a limit."""
    # A walk within the limit stays in its circle; at least half of each piece it reaches is inside.
    near, at, pieces = take_around(network, place, limit_metres + 2 * PIECE_METRES)
    metres = np.full(len(network), np.inf)
    metres[pieces] = compute_piece_distances(near, at, limit_metres=limit_metres)
    metres[place.piece] = 0.0
    return metres


def cut_at_places(network: StreetNetwork, places: Positions) -> Segments:
    """Pieces, cut where there are places on them; each is a separate link."""
    n = len(network.node_xy)
    whole = np.setdiff1d(np.arange(len(network)), places.piece)
    order = np.lexsort((places.offset_metres, places.piece))
    piece, node = places.piece[order], n + order
    offset = np.clip(places.offset_metres[order], 0.0, network.piece_metres[piece])
    opens = np.r_[True, piece[1:] != piece[:-1]]
    last = np.r_[opens[1:], True]
    before = np.where(opens, network.piece_nodes[piece, 0], np.r_[0, node[:-1]])
    start = np.where(opens, 0.0, np.r_[0.0, offset[:-1]])
    ends = [
        network.piece_nodes[whole],
        np.column_stack([before, node]),
        np.column_stack([node[last], network.piece_nodes[piece[last], 1]]),
    ]
    of_piece = np.concatenate([whole, piece, piece[last]])
    return Segments(
        nodes=np.concatenate(ends),
        piece=of_piece,
        from_metres=np.concatenate([np.zeros(len(whole)), start, offset[last]]),
        to_metres=np.r_[network.piece_metres[whole], offset, network.piece_metres[piece[last]]],
        first=np.arange(len(of_piece) + 1),
    )


def _join_links(network: StreetNetwork, segments: Segments) -> Segments:
    """Join segments that follow one another between junctions and places to links."""
    section = network.parts.piece_section[segments.piece]
    order = np.lexsort((segments.from_metres, segments.piece, section))
    start, end = segments.nodes[order].T
    meet = np.bincount(segments.nodes.ravel())
    goes_on = (section[order][1:] == section[order][:-1]) & (end[:-1] == start[1:])
    goes_on &= (meet[start[1:]] == 2) & (start[1:] < len(network.node_xy))  # noqa: PLR2004
    opens = np.r_[True, ~goes_on]
    names = ("nodes", "piece", "from_metres", "to_metres")
    parts = {name: getattr(segments, name)[order] for name in names}
    return Segments(**parts, first=np.r_[np.flatnonzero(opens), len(order)])
