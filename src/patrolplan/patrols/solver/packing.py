"""Exact answers for patrol-sized cases: one officer by labels, several by packing stop sets.

Several officers share the stops, each at most once. Take every feasible stop set of an officer as
a column that is worth its prizes: the best answer is the best packing of at most as many columns as
there are officers such that no stop is used twice (Baldacci, Christofides and Mingozzi 2008). There
are too many columns to list them all: `TeamSolver` lists those that matter.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from patrolplan.patrols.solver.labels import LabelExplorer
from patrolplan.patrols.solver.reduce import ReducedCase

if TYPE_CHECKING:  # heavy
    from patrolplan.patrols.solver.highs import Answer

BEAMS = (64, 1024)
# Widths of pricing, the next when the one before finds no column; the last is exact.
PRICING_BEAMS = (48, 400, None)
COLUMNS_AT_ONCE = 30
MAX_COLUMNS = 60_000
# Limits of a packing; seconds are only for programmes whose every node is slow.
MAX_NODES = 2000
MAX_PACKING_SECONDS = 5.0

Routes = list[list[int]]  # candidates in the order of visiting, of each officer who is sent out


@dataclass(frozen=True, eq=False)
class ReducedSolution:
    """Stops of each officer (candidate numbers), and an upper bound on the value."""

    routes: Routes
    value: float
    bound: float


@dataclass(eq=False)
class ColumnPool:
    """Stop sets as columns, with one row for each stop and one for the officers."""

    case: ReducedCase
    stops: list[list[int]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    numbers: dict[frozenset[int], int] = field(default_factory=dict)

    def add(self, stops: Sequence[int], value: float) -> bool:
        """Add a set unless the pool has it for as much; tell whether anything was changed."""
        if not stops:
            return False
        number = self.numbers.setdefault(frozenset(stops), len(self.stops))
        if number == len(self.stops):
            self.stops.append(list(stops))
            self.values.append(value)
            return True
        if value <= self.values[number] + 0.01 * self.case.epsilon:
            return False
        self.stops[number] = list(stops)
        self.values[number] = value
        return True

    def pack(self) -> tuple[list[int], float]:
        """Choose the whole columns worth most; return them and an upper bound on their value."""
        if not self.stops:
            return [], 0.0
        packed = self._maximise(is_whole=True)
        return np.flatnonzero(np.rint(packed.values)).tolist(), packed.bound

    def solve_relaxation(self) -> tuple[NDArray[np.float64], float]:
        """Solve the packing as a linear programme; return its duals and its value."""
        if not self.stops:
            return np.zeros(self.case.size + 1), 0.0
        packed = self._maximise(is_whole=False)
        return np.maximum(packed.row_duals, 0.0), packed.bound

    def _maximise(self, *, is_whole: bool) -> "Answer":
        from patrolplan.patrols.solver.highs import Programme, maximise  # noqa: PLC0415 - heavy

        # The rows: stops, then the officers.
        rows = np.concatenate([[*stops, self.case.size] for stops in self.stops])
        ends = np.cumsum([0, *(len(stops) + 1 for stops in self.stops)])
        count = len(self.stops)
        limits = np.ones(self.case.size + 1)
        limits[-1] = self.case.officer_count
        programme = Programme(
            np.array(self.values),
            np.zeros(count),
            np.ones(count),
            np.full(count, is_whole),
            csc_array((np.ones(len(rows)), rows, ends), shape=(len(limits), count)),
            np.full(len(limits), -math.inf),
            limits,
        )
        if not is_whole:
            return maximise(programme, {})
        options = {"mip_rel_gap": 0.0, "mip_max_nodes": MAX_NODES}
        return maximise(programme, options, seconds=MAX_PACKING_SECONDS)


def solve_exactly(case: ReducedCase, *, max_labels: int) -> ReducedSolution:
    """Find the best routes and prove it, or give good ones and a bound."""
    if case.officer_count > 1:
        return TeamSolver(case, max_labels).solve()
    explorer = LabelExplorer(case)
    route: list[int] = []
    value = 0.0
    bound = math.inf
    labels = 0
    # Narrow beams give good routes quickly. Their worth is the floor of the exploration in full,
    # which then drops nearly everything at once and proves the best. Where that is too much, the
    # best of the beams is the answer, and the largest bound of what was left out bounds it.
    for beam in (*BEAMS, None):
        left = max_labels - labels
        found = explorer.explore(case.value, value, rising=True, beam=beam, max_labels=left)
        labels += found.labels
        if found.best is not None and found.worth > value:
            value = found.worth
            route = found.read_route(*found.best)
        bound = min(bound, max(found.bound, value))
        if found.complete:
            bound = value
            break
    return ReducedSolution([route] if route else [], value, bound)


class _Priced(NamedTuple):
    """What an exploration at some prices of stops has found."""

    worth: float  # of the best route
    bound: float  # on the worth of any
    is_complete: bool
    routes: list[tuple[float, list[int]]]  # worth and stops, best first


class TeamSolver:
    """Column generation, listing and packing for several officers."""

    def __init__(self, case: ReducedCase, max_labels: int) -> None:
        self.case = case
        self.max_labels = max_labels
        self.explorer = LabelExplorer(case)
        self.pool = ColumnPool(case)
        self.labels = 0
        self.routes: Routes = []
        self.value = 0.0
        self.bound = math.inf

    def solve(self) -> ReducedSolution:
        """Run the three steps as far as the limit of labels allows."""
        self._build_greedy()
        duals, peak = self._solve_relaxation()
        if self._has_gap() and duals is not None:
            self._pack()
            if self._has_gap() and self._add_promising_sets(duals, peak):
                self.bound = min(self.bound, max(self._pack(), self.value))
        return ReducedSolution(self.routes, self.value, max(self.bound, self.value))

    def _has_gap(self) -> bool:
        return self.bound > self.value + self.case.epsilon

    def _explore(
        self,
        value: NDArray[np.float64],
        floor: float,
        *,
        rising: bool = True,
        beam: int | None = None,
    ) -> _Priced:
        """Explore and list the routes above the floor, only the best few when it rises."""
        left = self.max_labels - self.labels
        found = self.explorer.explore(value, floor, rising=rising, beam=beam, max_labels=left)
        self.labels += found.labels
        count = COLUMNS_AT_ONCE if rising else MAX_COLUMNS
        bound = max(found.bound, found.worth, floor)
        return _Priced(found.worth, bound, found.complete, found.list_routes(floor, count))

    def _add(self, listed: list[tuple[float, list[int]]], value: NDArray[np.float64]) -> int:
        """Add sets listed at some values to the pool; give how many are new or worth more."""
        price = self.case.value - value
        return sum(
            self.pool.add(stops, worth + float(price[stops].sum())) for worth, stops in listed
        )

    def _build_greedy(self) -> None:
        """Send one officer after another on the best route over the remaining stops."""
        values = self.case.value.copy()
        total = 0.0
        routes: Routes = []
        used: set[int] = set()
        for _ in range(self.case.officer_count):
            listed = self._explore(values, 0.0, beam=PRICING_BEAMS[0]).routes
            # All that is listed goes into the pool: the relaxation needs columns to begin with.
            self._add(listed, values)
            # A stop worth nothing any more may still be a short cut: none is visited twice.
            free = [(worth, stops) for worth, stops in listed if used.isdisjoint(stops)]
            if free:
                gained, stops = free[0]
                routes.append(stops)
                total += gained
                used |= set(stops)
                values[stops] = 0.0
        self._keep_if_better(routes, total)

    def _keep_if_better(self, routes: Routes, value: float) -> None:
        if value > self.value:
            self.value = value
            self.routes = routes

    def _solve_relaxation(self) -> tuple[NDArray[np.float64] | None, float]:
        """Solve the linear relaxation; return the duals and the best reduced worth."""
        # Column generation: the duals of the packing of the columns at hand price the stops, and an
        # exploration at these prices finds the columns that are worth more than their stops cost.
        # When an exact one finds none, no column at all can improve the relaxation.
        case = self.case
        best: NDArray[np.float64] | None = None
        peak = 0.0
        beams = iter(PRICING_BEAMS)
        beam = next(beams)
        while True:  # ends when no beam, the last of which is exact, finds a new set
            prices, objective = self.pool.solve_relaxation()
            duals = prices[: case.size]
            reduced = case.value - duals
            floor = float(prices[case.size]) + 0.01 * case.epsilon
            priced = self._explore(reduced, floor, beam=beam)
            most = max(priced.worth, floor) if priced.is_complete else priced.bound
            new = self._add(priced.routes, reduced)
            if beam is None:
                # Even before, what the stops cost and the most that each officer can gain over
                # these prices is a bound on every packing (Lagrangian duality).
                total = float(duals.sum()) + case.officer_count * max(most, 0.0)
                if total < self.bound and math.isfinite(total):
                    self.bound = total
                    best = duals
                    peak = most
                if not new or self.bound <= objective + case.epsilon:
                    break
            if new:  # prices change, so the narrow beams may find something again
                beams = iter(PRICING_BEAMS)
            beam = next(beams)
        return best, peak

    def _pack(self) -> float:
        """Choose the best whole columns of the pool; return the programme's own bound."""
        # Where the programme is not settled within its limits, the answer at hand stands.
        chosen, bound = self.pool.pack()
        value = math.fsum(self.pool.values[k] for k in chosen)
        self._keep_if_better([self.pool.stops[k] for k in chosen], value)
        return bound

    def _add_promising_sets(self, duals: NDArray[np.float64], peak: float) -> bool:
        """Add every set that may be part of a better answer; tell whether they were few enough."""
        # A column of a better answer can lose at most the gap against the best at these prices, or
        # the bound would be broken. So over all columns within the gap, which one more exploration
        # lists, the integer programme settles the matter.
        gap = self.bound - self.value
        reduced = self.case.value - duals
        floor = max(peak, 0.0) - gap - self.case.epsilon
        priced = self._explore(reduced, floor, rising=False)
        if not priced.is_complete or len(priced.routes) >= MAX_COLUMNS:
            return False
        self._add(priced.routes, reduced)
        return True
