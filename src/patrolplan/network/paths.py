"""The walks that one would choose between places on streets, with their geometry.

A ride is a walk too: what a metre costs may differ by piece and direction, and then the shortest
walk is the one that costs least. A preference for some streets and the price of a turn also decide
which walk is chosen, but are not part of its cost.

The search goes from link to link, each in one direction, and not from node to node: so a turn from
one link into another can have a price.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy
import shapely
from numpy.typing import NDArray
from scipy.sparse import csgraph
from shapely.ops import substring

from patrolplan.arrays import expand_ranges
from patrolplan.network.graph import MIN_LINK_METRES, build_street_graph
from patrolplan.network.network import Positions, StreetNetwork
from patrolplan.network.pieces import COINCIDENT_METRES

MAX_STRAIGHT = 0.5  # cosine of the least change of direction that is a turn: 60 degrees


@dataclass(frozen=True, eq=False)
class Walk:
    """One walk along the streets."""

    network: StreetNetwork
    pieces: NDArray[np.int64]  # (s,) pieces walked, in order
    from_metres: NDArray[np.float64]  # (s,) where each is entered, from its first node
    to_metres: NDArray[np.float64]  # (s,) where it is left; backwards where that is less
    effort: NDArray[np.float64] | None = None  # (s,) cost of a metre; None where all cost 1

    @cached_property
    def piece_metres(self) -> NDArray[np.float64]:
        """(s,) metres walked on each piece."""
        return np.abs(self.to_metres - self.from_metres)

    @property
    def metres(self) -> float:
        """Length of the walk."""
        return float(self.piece_metres.sum())

    @property
    def cost_metres(self) -> float:
        """Metres that could be gone at full speed in the same time."""
        return self.metres if self.effort is None else float(self.piece_metres @ self.effort)

    @property
    def backwards(self) -> NDArray[np.bool_]:
        """(s,) whether the piece is walked from its last node towards its first."""
        return np.asarray(self.from_metres > self.to_metres)

    @cached_property
    def line(self) -> NDArray[np.float64]:
        """(v, 2) metres; computed on demand, since most walks are only compared."""
        low = np.minimum(self.from_metres, self.to_metres)
        high = np.maximum(self.from_metres, self.to_metres)
        cut = (low > 0) | (high < self.network.piece_metres[self.pieces])
        lines, begin = [], 0
        for step in np.flatnonzero(cut).tolist():  # next to the ends, and at places passed
            lines += [self._build_whole_line(begin, step), self._build_part_line(step)]
            begin = step + 1
        line = np.concatenate([*lines, self._build_whole_line(begin, len(self.pieces))])
        # The doubled points where lines meet are left out.
        moves = np.any(np.abs(np.diff(line, axis=0)) > COINCIDENT_METRES, axis=1)
        return np.asarray(line[np.r_[True, moves]])

    def _build_whole_line(self, begin: int, end: int) -> NDArray[np.float64]:
        """The line along these steps, each a whole piece."""
        parts, piece = self.network.parts, self.pieces[begin:end]
        backwards = self.backwards[begin:end]
        count = parts.last[piece] - parts.first[piece]
        return np.asarray(
            parts.coordinates[expand_ranges(parts.first[piece], count, is_reversed=backwards)]
        )

    def _build_part_line(self, step: int) -> NDArray[np.float64]:
        """The line along a step on a part of a piece."""
        whole = self.network.lines(self.pieces[[step]])[0]
        start, end = float(self.from_metres[step]), float(self.to_metres[step])
        line = np.asarray(shapely.get_coordinates(substring(whole, *sorted((start, end)))))
        return line[::-1] if start > end else line


class WalkFinder:
    """Walks between positions (k,), where they start and end.

    `effort` (p, 2) is what a metre of each piece costs in its own direction and against it, 1 or
    more, inf where it is closed; lengths then are costs, in metres that could be gone at full speed
    in the same time. The walk is the one that counts least with `preference` (p,), how much longer
    a metre of a piece counts, and the metres that a turn counts; its length is without both.
    """

    def __init__(
        self,
        network: StreetNetwork,
        positions: Positions,
        *,
        effort: NDArray[np.float64] | None = None,
        preference: NDArray[np.float64] | None = None,
        turn_metres: float = 0.0,
    ) -> None:
        self.network, self._positions = network, positions
        self._effort = effort
        choice = effort
        if preference is not None:
            choice = (1.0 if effort is None else effort) * np.tile(preference, (2, 1)).T
        self._graph = build_street_graph(network, positions, choice)
        self._steps = self._build_steps(turn_metres)
        numbers = np.arange(len(positions))
        self._starts = len(self._link) + numbers
        self._ends = self._starts + len(positions)
        distances, self._predecessors = csgraph.dijkstra(
            self._steps, indices=self._starts, return_predecessors=True
        )
        self.metres = self._measure(np.isfinite(distances[:, self._ends]))
        """(k, k) walking distance (or cost) from each position to each; inf where none leads."""

    def _build_steps(self, turn_metres: float) -> "scipy.sparse.csr_array":
        """(a, a) what it counts to go on from each link to each that follows.

        The links, each in one direction, are the first e rows; then come one out of each place,
        where walks start, and one into each, where they end. Nobody turns round on a link.
        """
        graph, count = self._graph, len(self._graph.places)
        ways = np.concatenate([graph.ends, graph.ends[:, ::-1]])
        costs, inside = graph.costs.T.ravel(), np.arange(count)
        is_open = np.isfinite(costs)
        self._link = np.tile(np.arange(len(graph.ends)), 2)[is_open]
        self._is_back = np.repeat([False, True], len(graph.ends))[is_open]
        start = np.concatenate([ways[is_open, 0], graph.size + inside, graph.places])
        end = np.concatenate([ways[is_open, 1], graph.places, graph.size + count + inside])
        link = np.concatenate([self._link, -1 - np.arange(2 * count)])
        order = np.argsort(start, kind="stable")
        first = np.searchsorted(start[order], end)
        follow = np.searchsorted(start[order], end, side="right") - first
        before, after = np.repeat(np.arange(len(end)), follow), order[expand_ranges(first, follow)]
        goes_on = link[before] != link[after]
        before, after = before[goes_on], after[goes_on]
        counts = np.concatenate([costs[is_open], np.full(2 * count, MIN_LINK_METRES)])[after]
        if turn_metres:
            both = np.flatnonzero(np.maximum(before, after) < len(self._link))
            counts[both] += turn_metres * self._are_turns(before[both], after[both])
        return scipy.sparse.csr_array((counts, (before, after)), shape=(len(end), len(end)))

    def _are_turns(self, before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(k,) whether going on from one link to another is a turn or changes the street's name."""
        segments, network, is_back = self._graph.segments, self.network, self._is_back
        first, last = segments.first[self._link], segments.first[self._link + 1] - 1
        ends = np.where(is_back, first, last), np.where(is_back, last, first)
        pieces = [segments.piece[end] for end in ends]
        xy = network.node_xy[network.piece_nodes]
        ahead = np.arctan2(*(xy[:, 1] - xy[:, 0]).T[::-1])
        left, into = pieces[0][before], pieces[1][after]
        turn = ahead[into] + np.pi * is_back[after] - ahead[left] - np.pi * is_back[before]
        is_bent = np.cos(turn) < MAX_STRAIGHT
        name, section = network.piece_name, network.parts.piece_section
        is_turn = is_bent | (name[left] != name[into])
        return np.asarray(is_turn & (section[left] != section[into]))

    def _measure(self, is_reached: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(k, k) length (or cost) of the chosen walks, without preference and turns."""
        graph = self._graph
        costs = graph.segments.sum_by_link(graph.segments.compute_costs(self._effort))
        entry_costs = costs[self._link, self._is_back.astype(np.int64)]
        total = np.where(is_reached, 0.0, np.inf)
        row, column = np.nonzero(is_reached)
        at = self._predecessors[row, self._ends[column]]
        while len(row):
            goes_on = at < len(entry_costs)  # until the way out of the place where it starts
            row, column, at = row[goes_on], column[goes_on], at[goes_on]
            total[row, column] += entry_costs[at]
            at = self._predecessors[row, at]
        return total

    def find_shortest(self, start: int, end: int) -> Walk:
        """The walk between positions, empty from one to itself; `ValueError` for none."""
        if not np.isfinite(self.metres[start, end]):
            message = f"no walk joins positions {start} and {end}"
            raise ValueError(message)
        before, entries = self._predecessors[start], [int(self._ends[end])]
        while entries[-1] != self._starts[start]:
            entries.append(int(before[entries[-1]]))
        if entries[1:-1] or start == end:
            return self._build_walk(np.array(entries[-2:0:-1], dtype=np.int64))
        here = self._positions.take([end])
        return Walk(self.network, here.piece, here.offset_metres, here.offset_metres)

    def _build_walk(self, entries: NDArray[np.int64]) -> Walk:
        """The walk along links."""
        segments = self._graph.segments
        link, is_back = self._link[entries], self._is_back[entries]
        count = segments.first[link + 1] - segments.first[link]
        rows = expand_ranges(segments.first[link], count, is_reversed=is_back)
        backwards = np.repeat(is_back, count)
        low, high = segments.from_metres[rows], segments.to_metres[rows]
        piece, effort = segments.piece[rows], None
        if self._effort is not None:
            effort = self._effort[piece, backwards.astype(np.int64)]
            effort = np.where(np.isfinite(effort), effort, 1.0)
        return Walk(
            self.network,
            piece,
            np.where(backwards, high, low),
            np.where(backwards, low, high),
            effort,
        )
