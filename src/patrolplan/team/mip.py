"""A mixed-integer programme to maximise, built block by block and solved by HiGHS."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from patrolplan.patrols.solver.highs import Options, Programme, maximise
from patrolplan.team.problem import Bools, Floats, Ints

CUTS_ALONE: Options = {
    "presolve": "off",
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
}
"""Options of HiGHS when only its cuts at the root of the search tree are wanted.

It then finds them sooner, and does not search for better values than those it is given. Versions
without an option ignore it."""


@dataclass(frozen=True, eq=False)
class MipResult:
    """Values of all columns (empty if none found), their worth, the bound, proven best or not."""

    values: Floats
    objective: float
    bound: float
    proven: bool
    reduced_costs: Floats = field(default_factory=lambda: np.zeros(0))
    """Reduced costs of a relaxation: the cost of one more of each zero column; otherwise empty."""


@dataclass
class MipBuilder:
    """Variables and rows of a programme, added block by block."""

    objective: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    is_integer: list[Bools] = field(default_factory=list)
    is_implied: list[Bools] = field(default_factory=list)
    gains: list[tuple[Ints, Floats]] = field(default_factory=list)
    entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    row_lower: list[Floats] = field(default_factory=list)
    row_upper: list[Floats] = field(default_factory=list)
    columns: int = 0
    rows: int = 0

    def add_variables(
        self,
        objective: ArrayLike,
        *,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = 1.0,
        is_integer: bool = False,
        is_implied: bool = False,
    ) -> Ints:
        """Add variables, by default between 0 and 1, and return their column numbers.

        `is_implied` means that some optimum has whole values for them whenever the integer ones are
        whole: see `MixedIntegerProgramme.declare_implied`.
        """
        each = np.asarray(objective, dtype=np.float64)
        self.objective.append(each)
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), each.shape))
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), each.shape))
        self.is_integer.append(np.full(each.shape, is_integer))
        self.is_implied.append(np.full(each.shape, is_implied))
        self.columns += len(each)
        return np.arange(self.columns - len(each), self.columns)

    def add_gain(self, columns: Ints, gain: float) -> None:
        """Add to the objective coefficients of existing columns."""
        self.gains.append((columns, np.full(len(columns), gain)))

    def add_constraints(
        self,
        *terms: tuple[Ints, Ints, ArrayLike],
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
        count: int,
    ) -> None:
        """Add `count` rows; each term is rows (from 0), columns and factors."""
        for row, column, factor in terms:
            value = np.broadcast_to(np.asarray(factor, dtype=np.float64), column.shape)
            self.entries.append((row + self.rows, column, value))
        self.row_lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)))
        self.row_upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)))
        self.rows += count

    def add_group_caps(self, group: Ints, columns: Ints, cap: ArrayLike) -> None:
        """Limit the sum of each group's columns; `cap` is by group, or one for all."""
        groups, row = np.unique(group, return_inverse=True)
        limit = np.asarray(cap, dtype=np.float64)
        upper = limit[groups] if limit.ndim else limit
        self.add_constraints((row, columns, 1.0), upper=upper, count=len(groups))

    def build(self) -> "MixedIntegerProgramme":
        """The finished programme."""
        row, column, value = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        objective = np.concatenate(self.objective)
        for columns, gain in self.gains:
            np.add.at(objective, columns, gain)
        return MixedIntegerProgramme(
            objective=objective,
            lower=np.concatenate(self.lower),
            upper=np.concatenate(self.upper),
            is_integer=np.concatenate(self.is_integer),
            is_implied=np.concatenate(self.is_implied),
            matrix=sparse.csr_array((value, (row, column)), shape=(self.rows, self.columns)),
            row_lower=np.concatenate(self.row_lower),
            row_upper=np.concatenate(self.row_upper),
        )


@dataclass(frozen=True, eq=False)
class MixedIntegerProgramme(Programme):
    """A programme that knows which of its columns are whole in an optimum."""

    is_implied: Bools
    """Columns that are whole in an optimum without being declared integer."""

    def declare_implied(self) -> "MixedIntegerProgramme":
        """The programme with its implied columns declared integer, which makes cuts deeper.

        Its optimum has the same worth, so a bound on it is also a bound on this programme.
        """
        return replace(self, is_integer=self.is_integer | self.is_implied)

    def solve(self, *, gap: float, nodes: int, seconds: float = np.inf) -> MipResult:
        """Maximise until a gap or a limit of nodes or seconds."""
        found = maximise(self, {"mip_rel_gap": gap, "mip_max_nodes": nodes}, seconds=seconds)
        if not len(found.values):
            return MipResult(np.zeros(0), -np.inf, np.inf, proven=False)
        return MipResult(found.values, found.objective, found.bound, proven=found.is_best)

    def solve_from(
        self,
        start: Floats,
        *,
        gap: float,
        nodes: int,
        watch: Callable[[int, float], bool] | None = None,
        seconds: float = np.inf,
    ) -> MipResult:
        """Maximise from feasible values of all columns, none if empty; see `maximise`.

        It stops as soon as the bound is within the relative gap of the best values. With one node
        it has no presolve and no heuristics, see `CUTS_ALONE`.
        """
        options: Options = {"mip_rel_gap": gap, "mip_max_nodes": nodes}
        options = {**options, **CUTS_ALONE} if nodes == 1 else options
        begin = start if len(start) else None
        found = maximise(self, options, seconds=seconds, start=begin, watch=watch)
        values, worth, bound = found.values, found.objective, found.bound
        if begin is None and not len(values):
            return MipResult(np.zeros(0), -np.inf, np.inf, proven=False)
        if begin is not None and (not len(values) or worth < self.objective @ start):
            values, worth = start, float(self.objective @ start)
        return MipResult(values, worth, max(worth, bound), proven=bound - worth <= gap * abs(bound))

    def solve_relaxation(self, *, seconds: float) -> MipResult:
        """Maximise with all columns continuous, by the interior point method.

        On weeks of hundreds of schools it is several times faster than the simplex method. If time
        runs out, the bound is what all columns are worth at their upper bounds.
        """
        relaxed = replace(self, is_integer=np.zeros_like(self.is_integer))
        found = maximise(relaxed, {"solver": "ipm"}, seconds=seconds)
        if found.is_best:
            worth, costs = found.objective, np.maximum(0.0, -found.column_duals)
            return MipResult(found.values, worth, worth, proven=True, reduced_costs=costs)
        paid = self.objective > 0
        highest = float(self.objective[paid] @ self.upper[paid])
        return MipResult(np.zeros(0), -np.inf, highest, proven=False)
