"""Several schools as one team: nobody is sent to a place where another already stands.

Each school's officers have their own gate, window and places within reach, so that only the places
they share tie them together. The problem is taken apart there (Dantzig and Wolfe 1960): a linear
program packs the patrols known so far and prices the shared places; at these prices each school
is solved anew, exactly, by `solve`. What all schools can win at most at the prices, together with
the prices themselves, bounds the worth of every plan. Whole patrols are then packed for good. Where
that leaves a gap, a small team is solved as one problem.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from patrolplan.patrols.solver.label_setting import MAX_CANDIDATES
from patrolplan.patrols.solver.solve import (
    MaxIterations,
    Officer,
    OrienteeringProblem,
    Solution,
    solve,
)

SEARCH_LIMIT = MaxIterations(3000)
"""For a school that is too large to be solved exactly."""

MAX_PRICING_ITERATIONS = 5_000_000
"""Labels and rounds of all solutions together, after which no more prices are tried."""

PACKING_SCALE = 1000.0
"""The packing's own tolerances are for numbers of about this size."""

WORTH_TOLERANCE = 1e-7
"""Worths that differ by less, as a share, are the same."""

MAX_PRICING_ROUNDS = 200
MAX_IMPROVEMENT_ROUNDS = 5

Routes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Member:
    """One school of a team.

    Parameters
    ----------
    problem
        Its officers and stops, with prizes that compare between schools. Going straight is never
        longer than over another stop.
    places
        (n,) name of the place that each row stands for; empty where officers start and end.
    start_minutes, end_minutes
        When its patrols are out.
    """

    problem: OrienteeringProblem
    places: tuple[str, ...]
    start_minutes: float
    end_minutes: float


@dataclass(frozen=True)
class TeamSolution:
    """The answer: for each member a route an officer, their worth together, and its bound."""

    routes: tuple[Routes, ...]
    worth: float
    bound: float


def is_overlapping(one: Member, other: Member) -> bool:
    """Whether both are out at some time."""
    start = max(one.start_minutes, other.start_minutes)
    return start < min(one.end_minutes, other.end_minutes)


def solve_together(members: Sequence[Member], *, seed: int = 1) -> TeamSolution:
    """Routes of the most worth in which no place has visits of two members out at one time.

    Parameters
    ----------
    members
        The schools.
    seed
        For schools too large to be solved exactly.

    Returns
    -------
    Joint
        Worth at least as much as planning one member after the other. The same input has the
        same answer.
    """
    team = _Team(tuple(members), seed)
    routes = team.solve_in_turn()
    bound = team.generate_columns()
    packed = team.pack()
    if team.compute_worth(packed) > team.compute_worth(routes):
        routes = packed
    if bound > (1 + WORTH_TOLERANCE) * team.compute_worth(routes):
        routes = team.improve(routes)
    stops = sum(member.problem.size - len(member.problem.barred) for member in members)
    if bound > (1 + WORTH_TOLERANCE) * team.compute_worth(routes) and stops <= MAX_CANDIDATES:
        whole, most = team.solve_as_one()
        routes, bound = max(routes, whole, key=team.compute_worth), min(bound, most)
    worth = team.compute_worth(routes)
    return TeamSolution(routes, worth, worth if bound <= (1 + WORTH_TOLERANCE) * worth else bound)


@dataclass(eq=False)
class _Team:
    """Members, and the pool of patrols that have been seen: one column each."""

    members: tuple[Member, ...]
    seed: int
    columns: dict[tuple[int, Routes], None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows, self.count = _build_conflict_rows(self.members)

    def compute_worth(self, routes: Sequence[Routes]) -> float:
        """Prizes of all stops."""
        return math.fsum(
            float(member.problem.prizes[stop])
            for member, own in zip(self.members, routes, strict=True)
            for route in own
            for stop in route
        )

    def solve_in_turn(self) -> tuple[Routes, ...]:
        """Each member's best patrol on the places that those before have left."""
        routes: list[Routes] = [() for _ in self.members]
        for number in range(len(self.members)):
            routes[number] = _get_routes(self._solve_given_others(number, routes))
            self.columns[number, routes[number]] = None
        return tuple(routes)

    def generate_columns(self) -> float:
        """Fill the pool until no further patrol can help, and bound the worth of all together."""
        bound, effort = self._sum_all_prizes(), 0
        duals = np.zeros(self.count)
        for _ in range(MAX_PRICING_ROUNDS):
            found = [self._solve_at_prices(number, duals) for number in range(len(self.members))]
            total = float(duals.sum()) + math.fsum(solution.bound for solution in found)
            bound = min(bound, total)
            effort += sum(solution.iterations for solution in found)
            known = len(self.columns)
            self.columns |= {
                (number, _get_routes(solution)): None for number, solution in enumerate(found)
            }
            if len(self.columns) == known or effort > MAX_PRICING_ITERATIONS:
                break
            duals, objective = self._solve_relaxation()
            if bound <= (1 + WORTH_TOLERANCE) * objective:
                break
        return bound

    def _sum_all_prizes(self) -> float:
        """Prizes of all places, each as often as its visits can be apart in time."""
        shared, alone = np.zeros(self.count), 0.0
        for member, rows in zip(self.members, self.rows, strict=True):
            prizes = member.problem.prizes
            for stop, among in rows.items():
                shared[among] = np.maximum(shared[among], prizes[stop])
            alone += float(prizes.sum() - prizes[list(rows)].sum())
        return float(shared.sum()) + alone

    def pack(self) -> tuple[Routes, ...]:
        """The best choice of one whole patrol a member from the pool."""
        matrix, values = self._build_matrix()
        result = milp(
            -PACKING_SCALE * values,
            integrality=np.ones(len(values)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, ub=np.ones(matrix.shape[0])),
            options={"mip_rel_gap": 0.0},
        )
        chosen: list[Routes] = [
            tuple(() for _ in member.problem.officers) for member in self.members
        ]
        if result.x is not None:
            columns = list(self.columns)
            for column in np.flatnonzero(result.x > 0.5):  # noqa: PLR2004 - taken, not left
                number, routes = columns[column]
                chosen[number] = routes
        return tuple(chosen)

    def improve(self, routes: Sequence[Routes]) -> tuple[Routes, ...]:
        """Solve each member again beside the others, as long as that helps."""
        current = list(routes)
        for _ in range(MAX_IMPROVEMENT_ROUNDS):
            before = self.compute_worth(current)
            for number in range(len(self.members)):
                changed = [*current]
                changed[number] = _get_routes(self._solve_given_others(number, current))
                if self.compute_worth(changed) > (1 + WORTH_TOLERANCE) * self.compute_worth(
                    current
                ):
                    current = changed
            if self.compute_worth(current) <= before:
                break
        return tuple(current)

    def solve_as_one(self) -> tuple[tuple[Routes, ...], float]:
        """All members in one problem, in blocks that no way joins, and a bound on its worth."""
        problems = [member.problem for member in self.members]
        starts = np.cumsum([0, *(problem.size for problem in problems)]).tolist()
        exclusive: list[set[int]] = [set() for _ in range(self.count)]
        for start, rows in zip(starts, self.rows, strict=False):
            for stop, among in rows.items():
                for row in among:
                    exclusive[row].add(start + stop)
        travel = np.full((starts[-1], starts[-1]), np.inf)
        officers: list[Officer] = []
        for start, problem in zip(starts, problems, strict=False):
            block = slice(start, start + problem.size)
            travel[block, block] = problem.travel_minutes
            officers += [
                replace(officer, start=start + officer.start, end=start + officer.end)
                for officer in problem.officers
            ]
        barred = [
            start + row
            for start, problem in zip(starts, problems, strict=False)
            for row in problem.barred
        ]
        together = OrienteeringProblem(
            travel_minutes=travel,
            prizes=np.concatenate([problem.prizes for problem in problems]),
            dwell_minutes=np.concatenate([problem.dwell_minutes for problem in problems]),
            officers=tuple(officers),
            barred=frozenset(barred),
            exclusive=tuple(frozenset(stops) for stops in exclusive),
        )
        solution = solve(together, stop=SEARCH_LIMIT, seed=self.seed)
        found = iter(solution.routes)
        routes = tuple(
            tuple(tuple(stop - start for stop in next(found).stops) for _ in problem.officers)
            for start, problem in zip(starts, problems, strict=False)
        )
        return routes, solution.bound

    def _solve_given_others(self, number: int, routes: Sequence[Routes]) -> Solution:
        """A member's best patrol where it may not go to the others' places."""
        problem = self.members[number].problem
        barred = problem.barred | find_taken_rows(self.members, number, routes)
        return solve(replace(problem, barred=barred), stop=SEARCH_LIMIT, seed=self.seed)

    def _solve_at_prices(self, number: int, duals: NDArray[np.float64]) -> Solution:
        """A member's best patrol when shared places cost their price."""
        problem = self.members[number].problem
        prizes = problem.prizes.copy()
        for stop, rows in self.rows[number].items():
            prizes[stop] -= duals[rows].sum()
        return solve(
            replace(problem, prizes=np.maximum(prizes, 0.0)), stop=SEARCH_LIMIT, seed=self.seed
        )

    def _solve_relaxation(self) -> tuple[NDArray[np.float64], float]:
        """Prices of the shared places, and what fractions of known patrols are worth."""
        matrix, values = self._build_matrix()
        limits = np.ones(matrix.shape[0])
        result = linprog(-PACKING_SCALE * values, A_ub=matrix, b_ub=limits, method="highs")
        prices = np.maximum(-result.ineqlin.marginals, 0.0) / PACKING_SCALE
        return prices[: self.count], float(-result.fun) / PACKING_SCALE

    def _build_matrix(self) -> tuple[csr_array, NDArray[np.float64]]:
        """Rows: shared places by time, then members; a column for each patrol of the pool."""
        rows, columns, values = [], [], []
        for column, (number, routes) in enumerate(self.columns):
            stops = [stop for route in routes for stop in route]
            values.append(math.fsum(self.members[number].problem.prizes[stops]))
            used = [row for stop in stops for row in self.rows[number].get(stop, ())]
            rows += [*used, self.count + number]
            columns += [column] * (len(used) + 1)
        shape = (self.count + len(self.members), len(values))
        return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape), np.array(values)


def find_taken_rows(
    members: Sequence[Member], number: int, routes: Sequence[Routes]
) -> frozenset[int]:
    """Rows of a member whose places are visited by others that are out when it is."""
    own = members[number]
    taken = {
        member.places[stop]
        for other, (member, theirs) in enumerate(zip(members, routes, strict=True))
        if other != number and is_overlapping(own, member)
        for route in theirs
        for stop in route
    }
    return frozenset(row for row, place in enumerate(own.places) if place and place in taken)


def _get_routes(solution: Solution) -> Routes:
    return tuple(route.stops for route in solution.routes)


def _build_conflict_rows(members: Sequence[Member]) -> tuple[list[dict[int, list[int]]], int]:
    """For each member, the rows of the packing that each of its stops is in, and their number.

    Windows are intervals, so members that are all out at one time are found at their starts; a
    place they share has a row for each such set.
    """
    rows: list[dict[int, list[int]]] = [{} for _ in members]
    count = 0
    for out in _find_concurrent_members(members):
        holders: dict[str, list[tuple[int, int]]] = {}
        for number in sorted(out):
            for stop, place in enumerate(members[number].places):
                if place:
                    holders.setdefault(place, []).append((number, stop))
        for held in holders.values():
            if len(held) > 1:
                for number, stop in held:
                    rows[number].setdefault(stop, []).append(count)
                count += 1
    return rows, count


def _find_concurrent_members(members: Sequence[Member]) -> list[frozenset[int]]:
    """Largest sets of members that are all out at some time."""
    sets = {
        frozenset(
            number
            for number, other in enumerate(members)
            if other.start_minutes <= one.start_minutes < other.end_minutes
        )
        for one in members
    }
    return sorted((one for one in sets if not any(one < other for other in sets)), key=sorted)
