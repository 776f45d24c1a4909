"""Baselines for patrols: greedy stops, and a loop around the school."""

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph

from patrolplan.network import StreetNetwork, concatenate_positions
from patrolplan.network.paths import Walk, WalkFinder, concatenate_walks
from patrolplan.patrols.school_problem import SchoolProblem
from patrolplan.patrols.solver.solve import OrienteeringProblem

CORNERS = 3
ROTATIONS = 4
SEARCH_RADII, SEARCH_EXTRA_METRES = 2.5, 300.0
"""Limit of the first search for walks between corners: radii, and metres to add."""

RADII_METRES = (60.0, 120.0, 180.0, 250.0, 330.0, 420.0, 520.0, 640.0, 780.0)


def plan_greedy_routes(problem: OrienteeringProblem, *, per_minute: bool) -> list[list[int]]:
    """Stops of officers who always choose the best next one, one officer after the other.

    The next stop is the one with most worth per minute of walking and dwell (or just with most
    worth) that still leaves time for the way back; worth is the mean over the window. Returns for
    each officer rows of the problem, in walking order.
    """
    worthwhile = np.flatnonzero(problem.prizes > 0).tolist()
    remaining = [stop for stop in worthwhile if stop not in problem.barred]
    return [
        _plan_greedy_route(problem, remaining, per_minute=per_minute)
        for _ in range(problem.officer_count)
    ]


def _plan_greedy_route(
    problem: OrienteeringProblem, remaining: list[int], *, per_minute: bool
) -> list[int]:
    """One officer's stops, which are removed from the remaining ones."""
    travel, dwell, officer = problem.travel_minutes, problem.dwell_minutes, problem.officer
    route: list[int] = []
    at, now = officer.start, problem.officer.earliest_minutes
    while remaining:
        minutes = travel[at, remaining] + dwell[remaining]
        fits = now + minutes + travel[remaining, officer.end] <= officer.latest_minutes + 1e-9
        if not fits.any():
            break
        rate = problem.prizes[remaining] / (np.maximum(minutes, 1e-9) if per_minute else 1.0)
        best = int(np.argmax(np.where(fits, rate, -1.0)))
        now += float(minutes[best])
        at = remaining.pop(best)
        route.append(at)
    return route


@dataclass(frozen=True, eq=False)
class Loop:
    """A walk around the school that does not depend on risk."""

    walks: WalkFinder
    """Walks between the gate and the corners."""
    order: tuple[int, ...]
    """Positions of the walks' places, from the gate and back to it."""

    @property
    def metres(self) -> float:
        """Length of the walk."""
        return float(sum(self.walks.metres[a, b] for a, b in pairwise(self.order)))

    @cached_property
    def walk(self) -> Walk:
        """The walk itself, built when needed, since few of many loops are used."""
        return concatenate_walks([self.walks.find_shortest(a, b) for a, b in pairwise(self.order)])

    def place_dwells(self, count: int) -> list[int]:
        """Pieces of `count` dwells, evenly spaced along the loop."""
        ends = np.cumsum(self.walk.piece_metres)
        wanted = (np.arange(count) + 0.5) / count * ends[-1]
        at = np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)
        return [int(piece) for piece in self.walk.pieces[at]]


class LoopFinder:
    """Loops over three corners around a school's gate: one for each rotation and radius.

    They do not depend on risk, and are searched when first needed, since wide ones are slow.
    """

    def __init__(self, problem: SchoolProblem) -> None:
        network, gate = problem.surroundings.network, problem.surroundings.gate
        turns = np.arange(CORNERS * ROTATIONS).reshape(CORNERS, ROTATIONS).T
        angles = 2 * np.pi * turns.ravel() / (CORNERS * ROTATIONS)
        around = np.column_stack([np.sin(angles), np.cos(angles)])
        centre = network.xy(gate)[0]
        corner = network.snap(centre + np.concatenate([radius * around for radius in RADII_METRES]))
        places = concatenate_positions(gate, corner)
        self._graph = WalkFinder(network, places, limit_metres=0.0)  # no walks yet
        corners = network.xy(corner).reshape(len(RADII_METRES), ROTATIONS, CORNERS, 2)
        ends = np.broadcast_to(centre, (len(RADII_METRES), ROTATIONS, 1, 2))
        steps = np.diff(np.concatenate([ends, corners, ends], axis=2), axis=2)
        self.straight_metres = np.hypot(steps[..., 0], steps[..., 1]).sum(axis=2)
        """(radii, rotations) lengths in straight lines from corner to corner: lower bounds of
        loops."""
        self._found: dict[int, list[Loop]] = {}

    def find_by_radius(self, number: int) -> list[Loop]:
        """A loop for each rotation, all of one radius.

        Walks much longer than the radius are searched only if there is no shorter one.
        """
        if number not in self._found:
            self._found[number] = self._find_loops(number)
        return self._found[number]

    def _find_loops(self, number: int) -> list[Loop]:
        many = CORNERS * ROTATIONS
        numbers = np.r_[0, 1 + number * many + np.arange(many)]
        orders = [(0, *range(at, at + CORNERS), 0) for at in range(1, len(numbers), CORNERS)]
        steps = np.array([pair for order in orders for pair in pairwise(order)])
        limit = SEARCH_RADII * RADII_METRES[number] + SEARCH_EXTRA_METRES
        # Every step of a loop starts or ends at the gate or at the corner opposite to it.
        looked_from = np.r_[0, 2 + CORNERS * np.arange(ROTATIONS)]
        among = partial(self._graph.restrict_to, numbers, search_from=looked_from)
        walks = among(limit_metres=limit)
        if not np.isfinite(walks.metres[steps[:, 0], steps[:, 1]]).all():
            walks = among()
        return [Loop(walks, order) for order in orders]

    def find_nearest_length(self, metres: float) -> list[Loop]:
        """For each rotation the loop whose length is nearest to this; in a tie, the smallest."""
        best = self.find_by_radius(0)
        for number in range(1, len(RADII_METRES)):
            apart = np.array([abs(loop.metres - metres) for loop in best])
            if (self.straight_metres[number] - metres < apart).any():
                best = [
                    min(pair, key=lambda loop: abs(loop.metres - metres))
                    for pair in zip(best, self.find_by_radius(number), strict=True)
                ]
        return best


def find_stretch_around(network: StreetNetwork, piece: int, metres: float) -> NDArray[np.int64]:
    """Connected pieces nearest to a piece, up to this length of street."""
    start = network.piece_nodes[piece, 0]
    away = csgraph.dijkstra(network.node_graph, indices=start, limit=metres)
    order = np.argsort(away[network.piece_nodes].min(axis=1), kind="stable")
    order = np.concatenate([[piece], order[order != piece]])
    count = int(np.searchsorted(np.cumsum(network.piece_metres[order]), metres, side="right"))
    return np.asarray(order[: max(1, count)])
