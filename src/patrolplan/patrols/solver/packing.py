"""Exact answers for patrol-sized cases: one officer by labels, several by packing stop sets.

One officer: the label exploration with narrow beams gives good routes, whose worth is the floor of
the exploration in full, which proves the best.

Several officers share the stops, each at most once. Take every feasible stop set of an officer as
a column that is worth its prizes: the best answer is the best packing of columns such that no stop
(and no exclusive set) is used twice and no group of officers more often than it has members.

1. *Bound.* The linear relaxation of that packing is solved by column generation: the duals of a
   small linear program price the stops, and the label exploration finds the columns that are worth
   more than their stops cost. When an exact exploration finds none, no column at all can improve
   it. Even before, what the stops cost together with the most that each officer can gain over
   these prices is an upper bound (Lagrangian duality).
2. *Listing.* Let the gap be the bound less the worth of the best answer at hand. A column of a
   better answer can lose at most the gap against the best of its group at these prices, or the
   bound would be broken. So all columns within the gap are listed by one more exploration.
3. *Packing.* An integer program over the listed columns settles the matter (Baldacci,
   Christofides and Mingozzi 2008). Where a list would be too long, the answer and the bound stand
   as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from patrolplan.compiled import CLOCK
from patrolplan.patrols.solver.label_setting import MAX_CANDIDATES
from patrolplan.patrols.solver.timed_labels import TimedCase, build_explorer
from patrolplan.silence import silence_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from patrolplan.patrols.solver.reduce import ReducedCase


BEAMS = (64, 1024)
# Widths of pricing, the next when the one before finds no column; the last is exact.
PRICING_BEAMS = (48, 400, None)
COLUMNS_AT_ONCE = 30
MAX_COLUMNS = 60_000
MAX_ORDERED_STOPS = 12


@dataclass(frozen=True, eq=False)
class ReducedSolution:
    """Stops by officer (candidate numbers), an upper bound on the value, and the effort."""

    routes: dict[int, list[int]]
    value: float
    bound: float
    labels: int


@dataclass(eq=False)
class ColumnPool:
    """Stop sets as columns, with one row for each stop, exclusive set and group of officers."""

    case: ReducedCase
    stops: list[list[int]] = field(default_factory=list)
    group_numbers: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    numbers: dict[tuple[int, frozenset[int]], int] = field(default_factory=dict)

    def add(self, group_number: int, stops: Sequence[int], value: float | None = None) -> bool:
        """Add a set unless the pool has it, or values it less; tell whether anything was changed.

        By default its value is the sum of its stops'.
        """
        key = (group_number, frozenset(stops))
        if not stops:
            return False
        if value is None:
            value = math.fsum(float(self.case.value[k]) for k in stops)
        number = self.numbers.setdefault(key, len(self.stops))
        if number == len(self.stops):
            self.stops.append(list(stops))
            self.group_numbers.append(group_number)
            self.values.append(value)
            return True
        if value <= self.values[number] + 0.01 * self.case.epsilon:
            return False
        self.stops[number], self.values[number] = list(stops), value
        return True

    def build_matrix(self) -> csr_array:
        """Give the packing rows: stops, exclusive sets, groups of officers."""
        size, groups = self.case.size, self.case.exclusive_sets
        of_stop: list[list[int]] = [[] for _ in range(size)]
        for number, group in enumerate(groups):
            for k in group:
                of_stop[k].append(size + number)
        rows: list[int] = []
        ends = [0]
        for stops, unit in zip(self.stops, self.group_numbers, strict=True):
            rows.extend(stops)
            for k in stops:
                rows.extend(of_stop[k])
            rows.append(size + len(groups) + unit)
            ends.append(len(rows))
        shape = (len(self.stops), size + len(groups) + len(self.case.officer_groups))
        ones = np.ones(len(rows))
        return csr_array((ones, np.array(rows, dtype=np.int64), np.array(ends)), shape=shape).T

    def limits(self) -> NDArray[np.float64]:
        """Give how often each row may be used."""
        once = np.ones(self.case.size + len(self.case.exclusive_sets))
        return np.concatenate([once, [len(unit.officers) for unit in self.case.officer_groups]])

    def pack(
        self,
        *,
        seconds: float = math.inf,
        nodes: int | None = None,
        extra: Sequence[tuple[NDArray[np.float64], float]] = (),
    ) -> tuple[list[int], float]:
        """Choose the columns worth most; return them and an upper bound on their value.

        Parameters
        ----------
        seconds, nodes
            When to give up.
        extra
            Further rows: a coefficient for each column, and the limit on their sum.
        """
        if not self.stops:
            return [], 0.0
        options: dict[str, float] = {"mip_rel_gap": 0.0}
        if math.isfinite(seconds):
            options["time_limit"] = seconds
        if nodes is not None:
            options["node_limit"] = nodes
        with CLOCK.stand_still():
            from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - heavy

        rows = [LinearConstraint(self.build_matrix(), ub=self.limits())]
        rows += [LinearConstraint(row[None, :], ub=limit) for row, limit in extra]
        values = np.array(self.values)
        with silence_output():
            result = milp(
                -values,
                constraints=rows,
                bounds=Bounds(0, 1),
                integrality=np.ones(len(values)),
                options=options,
            )
        if result.x is None:
            return [], math.inf
        chosen = [int(k) for k in np.flatnonzero(np.rint(result.x))]
        if result.status == 0:
            return chosen, float(values[chosen].sum())
        bound = result.mip_dual_bound
        return chosen, math.inf if bound is None else -float(bound)

    def solve_relaxation(self) -> tuple[NDArray[np.float64], float]:
        """Solve the packing as a linear program; return its duals and its value."""
        with CLOCK.stand_still():
            from scipy.optimize import linprog  # noqa: PLC0415 - heavy, only for several officers

        result = linprog(
            -np.array(self.values), A_ub=self.build_matrix(), b_ub=self.limits(), method="highs"
        )
        return np.maximum(-result.ineqlin.marginals, 0.0), -float(result.fun)

    def find_better(self, value: float, *, seconds: float, nodes: int) -> list[int]:
        """Choose columns worth more than a value at hand; none when there is no such choice.

        Columns whose reduced worth shows that no better choice holds them are dropped first.
        """
        duals, bound = self.solve_relaxation()
        gap = bound - value
        if gap <= self.case.epsilon:
            return []
        values = np.array(self.values)
        reduced = values - self.build_matrix().T @ duals
        promising = np.flatnonzero(reduced >= -gap - self.case.epsilon)
        smaller = ColumnPool(self.case)
        for k in promising:
            smaller.add(self.group_numbers[k], self.stops[k], self.values[k])
        chosen, _ = smaller.pack(seconds=seconds, nodes=nodes)
        return [int(promising[k]) for k in chosen]

    def assign(self, chosen: Sequence[int]) -> dict[int, list[int]]:
        """Hand the chosen columns to officers of their groups."""
        free = [list(unit.officers) for unit in self.case.officer_groups]
        return {free[self.group_numbers[k]].pop(0): self.stops[k] for k in sorted(chosen)}


def solve_exactly(case: ReducedCase, *, max_labels: int, deadline: float) -> ReducedSolution:
    """Find the best routes and prove it, or give good ones and a bound.

    Parameters
    ----------
    case
        At most `MAX_CANDIDATES` candidates.
    max_labels
        Labels that may be grown, in all explorations together.
    deadline
        Value of `CLOCK.read` at which to give up.
    """
    if case.size > MAX_CANDIDATES:
        message = f"{case.size} candidates; enumeration takes at most {MAX_CANDIDATES}"
        raise ValueError(message)
    if len(case.officer_groups) == 1 and len(case.officer_groups[0].officers) == 1:
        return _solve_single_officer(case, max_labels, deadline)
    return TeamSolver(case, max_labels, deadline).solve()


def order_stops(case: ReducedCase, officer: int, stops: list[int], deadline: float) -> list[int]:
    """Put the stops of a route in the order that is over earliest, where they are few."""
    if not 1 < len(stops) <= MAX_ORDERED_STOPS:
        return stops
    unit = next(unit for unit in case.officer_groups if officer in unit.officers)
    value = np.full(case.size, -2.0 * case.size)
    value[stops] = 1.0
    least = len(stops) - 0.5
    harvest = build_explorer(case, unit).explore(value, least, rising=False, deadline=deadline)
    routes = harvest.list_routes(least)
    return routes[0][1] if routes else stops


def _solve_single_officer(case: ReducedCase, max_labels: int, deadline: float) -> ReducedSolution:
    explorer = build_explorer(case, case.officer_groups[0])
    officer = case.officer_groups[0].officers[0]
    route: list[int] = []
    value, bound, labels = 0.0, math.inf, 0
    for beam in (*BEAMS, None):
        harvest = explorer.explore(
            case.value,
            value,
            rising=True,
            beam=beam,
            max_labels=max_labels - labels,
            deadline=deadline,
        )
        labels += harvest.labels
        if harvest.best is not None and harvest.worth > value:
            value, route = harvest.worth, harvest.read_route(*harvest.best)
        bound = min(bound, max(harvest.bound, value))
        if harvest.complete:
            bound = value
            break
    return ReducedSolution({officer: route} if route else {}, value, bound, labels)


class TeamSolver:
    """Column generation, listing and packing for several officers."""

    def __init__(self, case: ReducedCase, max_labels: int, deadline: float) -> None:
        self.case = case
        self.max_labels = max_labels
        self.deadline = deadline
        self.explorers = [build_explorer(case, unit) for unit in case.officer_groups]
        self.pool = ColumnPool(case)
        self.labels = 0
        self.routes: dict[int, list[int]] = {}
        self.value = 0.0
        self.bound = math.inf

    def solve(self) -> ReducedSolution:
        """Run the three steps as far as time and memory allow."""
        self._build_greedy()
        duals, peaks = self._solve_relaxation()
        if self._has_gap() and duals is not None:
            self._pack()
        if (
            self._has_gap()
            and duals is not None
            and self._add_promising_sets(duals, peaks, self.value)
        ):
            self.bound = min(self.bound, max(self._pack(), self.value))
        return ReducedSolution(self.routes, self.value, max(self.bound, self.value), self.labels)

    def list_stop_sets(self, min_worth: float) -> ColumnPool | None:
        """Give every stop set that may be in an answer worth more than a minimum, if few enough."""
        self._build_greedy()
        duals, peaks = self._solve_relaxation()
        if duals is None or not self._add_promising_sets(duals, peaks, min_worth):
            return None
        return self.pool

    def _has_gap(self) -> bool:
        return self.bound > self.value + self.case.epsilon

    def _explore(
        self,
        group_number: int,
        value: NDArray[np.float64],
        floor: float,
        *,
        rising: bool = True,
        beam: int | None = None,
    ) -> tuple[float, float, bool, list[tuple[float, list[int]]]]:
        """Explore and list the routes above the floor, only the best few when it rises."""
        harvest = self.explorers[group_number].explore(
            value,
            floor,
            rising=rising,
            beam=beam,
            max_labels=self.max_labels - self.labels,
            deadline=self.deadline,
        )
        self.labels += harvest.labels
        count = COLUMNS_AT_ONCE if rising else MAX_COLUMNS
        bound = max(harvest.bound, harvest.worth, floor)
        return harvest.worth, bound, harvest.complete, harvest.list_routes(floor, count)

    def _add(
        self, group_number: int, listed: list[tuple[float, list[int]]], value: NDArray[np.float64]
    ) -> int:
        """Add sets listed at some values to the pool; give how many are new or worth more."""
        if not isinstance(self.case, TimedCase):
            return sum(self.pool.add(group_number, stops) for _, stops in listed)
        price = self.case.value - value
        return sum(
            self.pool.add(group_number, stops, worth + float(price[stops].sum()))
            for worth, stops in listed
        )

    def _build_greedy(self) -> None:
        """Send one officer after another on the best route over the remaining stops."""
        values, total = self.case.value.copy(), 0.0
        routes: dict[int, list[int]] = {}
        for number, unit in enumerate(self.case.officer_groups):
            for officer in unit.officers:
                _, _, _, listed = self._explore(number, values, 0.0, beam=PRICING_BEAMS[0])
                self._add(number, listed, values)
                # A stop worth nothing any more may still be a short cut: none is visited twice.
                free = [(worth, stops) for worth, stops in listed if self._is_free(stops, routes)]
                if free:
                    gained, routes[officer] = free[0]
                    total += gained
                    for k in free[0][1]:
                        values[self._find_excluded(k)] = 0.0
        self._keep_if_better(routes, total)

    def _find_excluded(self, stop: int) -> NDArray[np.int64]:
        """Candidates that cannot be visited together with a stop, itself included."""
        others = np.arange(self.case.size)
        words = self.case.conflict[stop, others // 64]
        return np.flatnonzero((words >> (others % 64).astype(np.uint64)) & np.uint64(1))

    def _is_free(self, stops: list[int], routes: dict[int, list[int]]) -> bool:
        used = {int(j) for route in routes.values() for k in route for j in self._find_excluded(k)}
        return used.isdisjoint(stops)

    def _keep_if_better(self, routes: dict[int, list[int]], value: float) -> None:
        if not isinstance(self.case, TimedCase):
            value = math.fsum(float(self.case.value[k]) for route in routes.values() for k in route)
        if value > self.value:
            self.value, self.routes = value, routes

    def _solve_relaxation(self) -> tuple[NDArray[np.float64] | None, list[float]]:
        """Solve the linear relaxation; return the duals and each group's best reduced worth."""
        case = self.case
        best: NDArray[np.float64] | None = None
        peaks: list[float] = []
        beams = iter(PRICING_BEAMS)
        beam = next(beams)
        while CLOCK.read() < self.deadline:
            duals, own, objective = self._solve_master()
            reduced = self._compute_reduced_worth(duals)
            new, bounds = 0, []
            for number in range(len(case.officer_groups)):
                floor = float(own[number]) + 0.01 * case.epsilon
                worth, bound, complete, listed = self._explore(number, reduced, floor, beam=beam)
                bounds.append(max(worth, floor) if complete else bound)
                new += self._add(number, listed, reduced)
            if beam is None:
                paid = float(duals.sum())
                total = paid + math.fsum(
                    len(unit.officers) * max(peak, 0.0)
                    for unit, peak in zip(case.officer_groups, bounds, strict=True)
                )
                if total < self.bound and math.isfinite(total):
                    self.bound, best, peaks = total, duals, bounds
                if not new or self.bound <= objective + case.epsilon:
                    break
            if new:
                beams = iter(PRICING_BEAMS)
            beam = next(beams)
        return best, peaks

    def _compute_reduced_worth(self, duals: NDArray[np.float64]) -> NDArray[np.float64]:
        reduced = self.case.value - duals[: self.case.size]
        for number, group in enumerate(self.case.exclusive_sets):
            reduced[group] -= duals[self.case.size + number]
        return reduced

    def _solve_master(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Solve the packing of the columns at hand as a linear program."""
        rows, officer_groups = len(self.pool.limits()), len(self.case.officer_groups)
        if not self.pool.stops:
            return np.zeros(rows - officer_groups), np.zeros(officer_groups), 0.0
        prices, objective = self.pool.solve_relaxation()
        return prices[:-officer_groups], prices[-officer_groups:], objective

    def _pack(self) -> float:
        """Choose the best whole columns of the pool; return the solver's own bound."""
        seconds = self.deadline - CLOCK.read()
        if seconds <= 0:
            return math.inf
        chosen, bound = self.pool.pack(seconds=seconds)
        value = math.fsum(self.pool.values[k] for k in chosen)
        self._keep_if_better(self.pool.assign(chosen), value)
        return bound

    def _add_promising_sets(
        self, duals: NDArray[np.float64], peaks: list[float], min_worth: float
    ) -> bool:
        """Add every set that may be part of an answer worth more than a minimum."""
        gap = self.bound - min_worth
        reduced = self._compute_reduced_worth(duals)
        total = 0
        for number, peak in enumerate(peaks):
            floor = max(peak, 0.0) - gap - self.case.epsilon
            _, _, complete, listed = self._explore(number, reduced, floor, rising=False)
            total += len(listed)
            if not complete or total >= MAX_COLUMNS:
                return False
            self._add(number, listed, reduced)
        return True
