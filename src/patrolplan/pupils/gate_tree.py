"""The streets around a gate: the distance of every place on them, and each street's nearer end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph

from patrolplan.arrays import find_used_numbers
from patrolplan.network.graph import MIN_LINK_METRES
from patrolplan.network.network import Positions, StreetNetwork
from patrolplan.network.pieces import join_both_ways

LONGEST_PIECE_METRES = 100.0
"""Pieces whose middle is up to this far beyond the limit are included: one end may be within it."""


@dataclass(frozen=True, eq=False)
class GateTree:
    """Walking distances from a gate to all streets within a limit.

    A link is a piece of street, or one of the two parts of the gate's own piece. It runs from its
    nearer node to the other.
    """

    network: StreetNetwork  # The walkable network
    gate: Positions  # Where the gate is on it
    # (n,) numbers of the nodes in the network; the gate is a further one, numbered n here.
    nodes: NDArray[np.int64]
    # (n + 1,) from the gate to each node, 0 for the gate, inf beyond the limit.
    node_metres: NDArray[np.float64]
    link_piece: NDArray[np.int64]  # (l,) piece of each link
    # (l, 2) nearer and farther node, as numbered here; the nearer is within the limit.
    link_nodes: NDArray[np.int64]
    link_metres: NDArray[np.float64]  # (l,) length

    @property
    def root(self) -> int:
        """The gate's number among the nodes here."""
        return len(self.nodes)

    @property
    def middle_metres(self) -> NDArray[np.float64]:
        """(l,) from the gate over the nearer end to the middle of each link."""
        return np.asarray(self.node_metres[self.link_nodes[:, 0]] + self.link_metres / 2)

    def measure_to(
        self, places: Positions
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """How far places on streets are, over which node, and the metres after that node.

        Beyond the limit the distance is inf.
        """
        wanted = self.network.piece_nodes[places.piece]
        ends = np.minimum(np.searchsorted(self.nodes, wanted), len(self.nodes) - 1)
        after = np.column_stack(
            [places.offset_metres, self.network.piece_metres[places.piece] - places.offset_metres]
        )
        away = np.where(self.nodes[ends] == wanted, self.node_metres[ends], np.inf) + after
        side = away.argmin(axis=1)
        row = np.arange(len(places))
        metres, node, rest = away[row, side], ends[row, side], after[row, side]
        own = np.abs(places.offset_metres - self.gate.offset_metres[0])
        is_direct = (places.piece == self.gate.piece[0]) & (own <= metres)
        return (
            np.where(is_direct, own, metres),
            np.where(is_direct, self.root, node),
            np.where(is_direct, own, rest),
        )


def grow_tree(network: StreetNetwork, gate: Positions, limit_metres: float) -> GateTree:
    """Shortest paths from a gate to everywhere within a limit, over streets of the network."""
    at = network.xy(gate)[0]
    pieces = network.find_pieces_within(at, limit_metres + LONGEST_PIECE_METRES)
    pieces, _ = find_used_numbers(np.append(pieces, gate.piece), len(network))
    nodes, ends = find_used_numbers(network.piece_nodes[pieces], len(network.node_xy))
    metres = network.piece_metres[pieces]
    root, own = len(nodes), int(np.searchsorted(pieces, gate.piece[0]))
    offset = float(np.clip(gate.offset_metres[0], 0.0, metres[own]))
    first, last = ends[own]
    ends = np.concatenate([np.delete(ends, own, axis=0), [[root, first], [root, last]]])
    metres = np.concatenate([np.delete(metres, own), [offset, metres[own] - offset]])
    metres = np.maximum(metres, MIN_LINK_METRES)
    pieces = np.concatenate([np.delete(pieces, own), [pieces[own]] * 2])
    graph = join_both_ways(ends, np.repeat(metres[:, None], 2, axis=1), root + 1)[0]
    away = csgraph.dijkstra(graph, indices=root, limit=limit_metres)
    ends = np.where((away[ends[:, 0]] > away[ends[:, 1]])[:, None], ends[:, ::-1], ends)
    reached = np.isfinite(away[ends[:, 0]])
    return GateTree(network, gate, nodes, away, pieces[reached], ends[reached], metres[reached])
