"""Plain ways to patrol, for comparison: greedy stops, and a loop round the school."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph

from patrolplan.network import StreetNetwork
from patrolplan.network import joined_positions
from patrolplan.patrols.case import SchoolCase
from patrolplan.patrols.orienteering import OrienteeringProblem
from patrolplan.walks import Walk
from patrolplan.walks import Walks
from patrolplan.walks import joined_walks

CORNERS = 3
ROTATIONS = 4
LOOKED_FOR, NEAR_METRES = 2.5, 300.0
"""Walks between corners are looked for up to so many radii and metres first."""

RADII_METRES = (60.0, 120.0, 180.0, 250.0, 330.0, 420.0, 520.0, 640.0, 780.0)


def greedy(problem: OrienteeringProblem, *, by_minute: bool) -> list[int]:
    """Stops of one officer who always goes on to the best next one.

    From where the officer stands, the next stop is the one of most worth per minute of walking
    and dwell (or simply of most worth) that still leaves time for the way back.

    Parameters
    ----------
    problem
        With one officer.
    by_minute
        Go by worth per minute; else by worth.

    Returns
    -------
    list of int
        Rows of the problem, in walking order.
    """
    officer = problem.officers[0]
    travel, dwell = problem.travel_minutes, problem.dwell_minutes
    left = [
        stop for stop in np.flatnonzero(problem.prizes > 0).tolist() if stop not in problem.barred
    ]
    route: list[int] = []
    here, now = officer.start, officer.earliest_minutes
    while left:
        minutes = travel[here, left] + dwell[left]
        fits = now + minutes + travel[left, officer.end] <= officer.latest_minutes + 1e-9
        if not fits.any():
            break
        rate = problem.prizes[left] / (np.maximum(minutes, 1e-9) if by_minute else 1.0)
        best = int(np.argmax(np.where(fits, rate, -1.0)))
        now += float(minutes[best])
        here = left.pop(best)
        route.append(here)
    return route


@dataclass(frozen=True, eq=False)
class Loop:
    """A walk round the school that knows nothing of risk."""

    walk: Walk

    def dwells(self, count: int) -> list[int]:
        """Pieces where so many dwells fall, evenly along the loop."""
        ends = np.cumsum(self.walk.piece_metres)
        wanted = (np.arange(count) + 0.5) / count * ends[-1]
        at = np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)
        return [int(piece) for piece in self.walk.pieces[at]]


def loops_round(case: SchoolCase) -> list[list[Loop]]:
    """Loops over three corners around the gate: for each rotation, one a radius that works."""
    network, gate = case.reach.network, case.reach.gate
    turns = np.arange(CORNERS * ROTATIONS).reshape(CORNERS, ROTATIONS).T
    angles = 2 * np.pi * turns.ravel() / (CORNERS * ROTATIONS)
    around = np.column_stack([np.sin(angles), np.cos(angles)])
    corners = np.concatenate([radius * around for radius in RADII_METRES])
    corner = network.snap(network.xy(gate)[0] + corners)
    graph = Walks(network, joined_positions(gate, corner), limit_metres=0.0)  # none yet
    by_radius = [
        _loops_at(graph, 1 + at * len(angles) + np.arange(len(angles)), radius)
        for at, radius in enumerate(RADII_METRES)
    ]
    return [list(loops) for loops in zip(*by_radius, strict=True)]


def _loops_at(every: Walks, corners: NDArray[np.int64], radius: float) -> list[Loop]:
    """A loop from position 0 for each rotation, all of one radius.

    Walks far longer than the radius are looked for only where there is no shorter way.
    """
    numbers = np.concatenate([[0], corners])
    orders = [[0, *range(at, at + CORNERS), 0] for at in range(1, len(numbers), CORNERS)]
    steps = np.array([pair for order in orders for pair in pairwise(order)])
    walks = every.among(numbers, limit_metres=LOOKED_FOR * radius + NEAR_METRES)
    if not np.isfinite(walks.metres[steps[:, 0], steps[:, 1]]).all():
        walks = every.among(numbers)
    return [
        Loop(joined_walks([walks.between(a, b) for a, b in pairwise(order)])) for order in orders
    ]


def stretch_around(network: StreetNetwork, piece: int, metres: float) -> NDArray[np.int64]:
    """Connected pieces nearest to a piece, up to so many metres of street."""
    start = network.piece_nodes[piece, 0]
    away = csgraph.dijkstra(network.node_graph, indices=start, limit=metres)
    order = np.argsort(away[network.piece_nodes].min(axis=1), kind="stable")
    order = np.concatenate([[piece], order[order != piece]])
    count = int(np.searchsorted(np.cumsum(network.piece_metres[order]), metres, side="right"))
    return np.asarray(order[: max(1, count)])
