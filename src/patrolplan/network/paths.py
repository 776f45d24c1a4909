"""Shortest walks between places on streets, with their geometry, and walks that pass more risk.

A ride is a walk too: what a metre costs may differ by piece and direction, and then the shortest
walk is the one that costs least. A preference for some streets also decides which walk is chosen,
but is not part of its cost.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csgraph
from shapely.ops import substring

from patrolplan.arrays import expand_ranges
from patrolplan.network.graph import build_street_graph
from patrolplan.network.network import Positions, StreetNetwork
from patrolplan.network.pieces import COINCIDENT_METRES

PRICES = (0.2, 0.4, 0.6, 0.8, 0.95)
"""Discounts on a metre of the richest piece, tried one after the other in `find_richest`."""


@dataclass(frozen=True, eq=False)
class Walk:
    """One walk along the streets."""

    network: StreetNetwork
    pieces: NDArray[np.int64]  # (s,) pieces walked, in order
    # `from_metres`, `to_metres`: (s,) where each is entered and left, in metres from its first
    # node; backwards where `from_metres` is the greater.
    from_metres: NDArray[np.float64]
    to_metres: NDArray[np.float64]
    # (s,) what a metre costs there, in metres at full speed; None where all cost 1.
    effort: NDArray[np.float64] | None = None

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

    @property
    def reversed_walk(self) -> "Walk":
        """The same walk the other way round; on foot alone, where it costs the same."""
        return Walk(
            self.network,
            self.pieces[::-1],
            self.to_metres[::-1],
            self.from_metres[::-1],
            None if self.effort is None else self.effort[::-1],
        )

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
        return _join_lines([*lines, self._build_whole_line(begin, len(self.pieces))])

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


def concatenate_walks(walks: Sequence[Walk]) -> Walk:
    """Walks on one network, end to end."""
    efforts = [walk.effort for walk in walks if walk.effort is not None]
    return Walk(
        walks[0].network,
        np.concatenate([walk.pieces for walk in walks]),
        np.concatenate([walk.from_metres for walk in walks]),
        np.concatenate([walk.to_metres for walk in walks]),
        np.concatenate(efforts) if efforts else None,
    )


class WalkFinder:
    """Shortest walks between positions.

    `positions`: (k,) where walks start and end. `limit_metres`: Walks longer than this are not
    searched; their length is inf. `effort`: (p, 2) what a metre of each piece costs in its own
    direction and against it, 1 or more, inf where it is closed; by default all cost 1. Lengths then
    are costs, in metres that could be gone at full speed in the same time. `preference`: (p,) how
    much longer a metre counts in the choice of the walk, 1 or more; by default all alike. The
    shortest walk is the one that then counts least; its length is without it.
    """

    def __init__(
        self,
        network: StreetNetwork,
        positions: Positions,
        *,
        limit_metres: float = np.inf,
        effort: NDArray[np.float64] | None = None,
        preference: NDArray[np.float64] | None = None,
    ) -> None:
        self.network = network
        self._effort = self._choice = effort
        """(p, 2) what a metre costs, and what it counts in the choice; None where all is 1."""
        if preference is not None:
            self._choice = (1.0 if effort is None else effort) * np.tile(preference, (2, 1)).T
        choice = self._choice
        self._is_symmetric = choice is None or np.array_equal(choice[:, 0], choice[:, 1])
        self._graph = build_street_graph(network, positions, choice)
        self._search(np.arange(len(positions)), limit_metres)

    def restrict_to(
        self,
        numbers: NDArray[np.int64],
        *,
        limit_metres: float = np.inf,
        search_from: NDArray[np.int64] | None = None,
    ) -> "WalkFinder":
        """Walks between some of the positions alone, which get new numbers.

        The graph stays the same: building it takes longer than finding walks within a short limit.
        With `search_from` only walks that start or end at these (by their new number) are wanted:
        for walks on foot alone, which are as long the other way round.
        """
        some = copy(self)
        some._search(numbers, limit_metres, search_from)  # noqa: SLF001 - of its own class
        return some

    def _search(
        self,
        numbers: NDArray[np.int64],
        limit_metres: float,
        search_from: NDArray[np.int64] | None = None,
    ) -> None:
        """Find the walks from these positions to each other."""
        self._node = self._graph.places[numbers]
        sources = np.arange(len(numbers)) if search_from is None else search_from
        self._distances, self._predecessors = csgraph.dijkstra(
            self._graph.costs,
            directed=True,
            indices=self._node[sources],
            limit=limit_metres,
            return_predecessors=True,
        )
        self._row = np.full(len(numbers), -1)
        self._row[sources] = np.arange(len(sources))
        metres = np.full((len(numbers), len(numbers)), np.inf)
        is_alike = self._choice is self._effort
        metres[sources] = self._distances[:, self._node] if is_alike else self._measure_chosen()
        if search_from is not None:
            metres = np.minimum(metres, metres.T)
        self.metres: NDArray[np.float64] = metres
        """(k, k) walking distance (or cost) from each position to each."""

    def _measure_chosen(self) -> NDArray[np.float64]:
        """(s, k) cost of the chosen walks, without the preference.

        All walks are traced back together, one link at a time.
        """
        graph = self._graph
        costs = graph.segments.sum_by_link(graph.segments.compute_costs(self._effort))
        entry_costs = costs[graph.link, graph.is_reversed.astype(np.int64)]
        is_reached = np.isfinite(self._distances[:, self._node])
        total = np.where(is_reached, 0.0, np.inf)
        row, column = np.nonzero(is_reached)
        node = self._node[column]
        while len(row):
            before = self._predecessors[row, node]
            goes_on = before >= 0
            row, column, node, before = (of[goes_on] for of in (row, column, node, before))
            total[row, column] += entry_costs[graph.find_entries(before, node)]
            node = before
        return total

    def find_shortest(self, start: int, end: int) -> Walk:
        """Shortest walk from one position to another; empty from a position to itself.

        Raises `ValueError` when no walk within the limit joins them.
        """
        if not np.isfinite(self.metres[start, end]):
            message = f"no walk within the limit joins positions {start} and {end}"
            raise ValueError(message)
        if self._row[start] < 0:
            return self.find_shortest(end, start).reversed_walk
        before, ends = self._predecessors[self._row[start]], self._node[[start, end]]
        return self._build_walk(_trace(before, *ends.tolist()))

    def find_richest(
        self, start: int, end: int, gain: NDArray[np.float64], *, longest_metres: float
    ) -> Walk:
        """The walk that passes most gain without being longer than a limit.

        The exact problem, a shortest path with a resource, is hard. A few prices of gain are tried
        instead: at each price every metre gets a discount in proportion to its gain, and the
        shortest walk at these costs is a candidate (a Lagrangian relaxation of the limit). The
        candidate that passes most gain within the limit is chosen; the shortest walk is the first,
        so the result never passes less than that.

        `gain`: (p,) worth of passing a piece, 0 or more. `longest_metres`: Maximum length of the
        walk; if the shortest walk is longer, it is returned.
        """
        best = self.find_shortest(start, end)
        if longest_metres <= best.cost_metres or start == end:
            return best
        # The cost with the preference may exceed the shortest walk's by the same factor as the
        # length.
        longest = longest_metres - best.cost_metres + self._sum_choice(best)
        inside = self._find_reachable_nodes(start, end, longest)
        graph, entries = self._graph.restrict_to(inside)
        cost, spared = graph.data, self._compute_discounts(entries, gain)
        first, last = np.searchsorted(inside, self._node[[start, end]]).tolist()
        most, steps = _sum_gain(best, gain), np.empty(0, dtype=np.int64)
        for price in PRICES:
            graph.data = cost - price * spared
            before = csgraph.dijkstra(
                graph, indices=first, limit=longest, return_predecessors=True
            )[1]
            previous, steps = steps, _trace(before, first, last)
            if np.array_equal(previous, steps):
                continue  # the same walk at a higher price
            walk = self._build_walk(inside[steps])
            is_short = walk.cost_metres <= longest_metres and self._sum_choice(walk) <= longest
            if is_short and (much := _sum_gain(walk, gain)) > most:
                best, most = walk, much
        return best

    def _sum_choice(self, walk: Walk) -> float:
        """Cost of a walk in the choice, with the preference."""
        if self._choice is None or self._choice is self._effort:
            return walk.cost_metres
        choice = self._choice[walk.pieces, walk.backwards.astype(np.int64)]
        return float(walk.piece_metres @ np.where(np.isfinite(choice), choice, 1.0))

    def _compute_discounts(
        self, entries: NDArray[np.int64], gain: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Discount on each entry's cost at a price of 1: its whole cost on the richest piece."""
        density = gain / self.network.piece_metres
        segments = self._graph.segments
        pull = density[segments.piece] / max(float(density.max()), 1e-300)
        costs = segments.compute_costs(self._choice)
        spared = segments.sum_by_link(np.where(np.isfinite(costs), costs, 0.0) * pull[:, None])
        graph = self._graph
        return spared[graph.link[entries], graph.is_reversed[entries].astype(np.int64)]

    def _find_reachable_nodes(
        self, start: int, end: int, longest_metres: float
    ) -> NDArray[np.int64]:
        """Nodes of the graph that a walk of no more than this length can pass."""
        outward = self._distances[self._row[start]]
        # On foot a way is as long in both directions; by bicycle it need not be.
        onward = self._distances[self._row[end]] if self._is_symmetric else 0.0
        return np.flatnonzero(outward + onward <= longest_metres + COINCIDENT_METRES)

    def _build_walk(self, steps: NDArray[np.int64]) -> Walk:
        """The walk from node to node."""
        segments = self._graph.segments
        rows, backwards = self._graph.find_segments(self._graph.find_entries(steps[:-1], steps[1:]))
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


def _trace(predecessors: NDArray[np.int32], first: int, last: int) -> NDArray[np.int64]:
    """Nodes from the first to the last, by each node's predecessor."""
    steps = [last]
    while steps[-1] != first:
        steps.append(int(predecessors[steps[-1]]))
    return np.array(steps[::-1])


def _sum_gain(walk: Walk, gain: NDArray[np.float64]) -> float:
    """Gain of the pieces passed, each once."""
    pieces = np.sort(walk.pieces)  # numpy.unique takes much longer for this few
    return float(gain[pieces[np.diff(pieces, prepend=-1) > 0]].sum())


def _join_lines(lines: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Lines end to end as one, without the doubled points where they meet."""
    if not lines:
        return np.empty((0, 2))
    line = np.concatenate(lines)
    moves = np.r_[True, np.any(np.abs(np.diff(line, axis=0)) > COINCIDENT_METRES, axis=1)]
    return line[moves]
