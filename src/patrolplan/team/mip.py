"""A mixed-integer programme to maximise, built block by block and solved by HiGHS."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import highspy
import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, sparse

from patrolplan.silence import silence_output
from patrolplan.team.problem import Bools, Floats, Ints

FEASIBLE = 2
"""`primal_solution_status` of HiGHS where its values keep all rows."""

CUTS_ALONE: dict[str, float | bool | int | str] = {
    "presolve": "off",
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
}
"""Options of HiGHS when only its cuts at the root of the search tree are wanted.

It then finds them sooner, and does not search for better values than those it is given. Versions
without an option ignore it."""


class _QuietHighs(highspy.Highs):
    """HiGHS without its licence line, which the first call prints that is not about an option.

    `highspy.Highs` makes that call while it is built, before the output can be switched off.
    """

    def enableCallbacks(self) -> None:  # noqa: N802 - its name in highspy
        self.setOptionValue("output_flag", False)  # noqa: FBT003 - so called in highspy
        super().enableCallbacks()  # type: ignore[no-untyped-call]


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
class MixedIntegerProgramme:
    """Maximise `worth @ v` with `row_lower <= matrix @ v <= row_upper`, within bounds."""

    objective: Floats
    lower: Floats
    upper: Floats
    is_integer: Bools
    matrix: sparse.csr_array
    row_lower: Floats
    row_upper: Floats
    is_implied: Bools
    """Columns that are whole in an optimum without being declared integer."""

    def declare_implied(self) -> "MixedIntegerProgramme":
        """The programme with its implied columns declared integer, which makes cuts deeper.

        Its optimum has the same worth, so a bound on it is also a bound on this programme.
        """
        return replace(self, is_integer=self.is_integer | self.is_implied)

    def solve(self, *, gap: float, nodes: int, seconds: float = np.inf) -> MipResult:
        """Maximise with HiGHS, on one thread, until a gap or a limit of nodes or seconds."""
        options: dict[str, float] = {"mip_rel_gap": gap, "node_limit": nodes}
        if np.isfinite(seconds):
            options["time_limit"] = max(0.1, seconds)
        with silence_output():
            result = optimize.milp(
                -self.objective,
                integrality=self.is_integer.astype(np.int64),
                bounds=optimize.Bounds(self.lower, self.upper),
                constraints=optimize.LinearConstraint(self.matrix, self.row_lower, self.row_upper),
                options=options,
            )
        if result.x is None:
            return MipResult(np.zeros(0), -np.inf, np.inf, proven=False)
        # Where no column has to be whole, HiGHS gives no bound besides the value.
        best = result.fun if result.mip_dual_bound is None else result.mip_dual_bound
        return MipResult(result.x, -float(result.fun), -float(best), proven=result.status == 0)

    def solve_from(
        self,
        start: Floats,
        *,
        gap: float,
        nodes: int,
        watch: Callable[[int, float], bool] | None = None,
        seconds: float = np.inf,
    ) -> MipResult:
        """Maximise from a warm start of feasible values of all columns; none if empty.

        It stops as soon as the bound is within the relative gap of the best values. `watch` is
        called with the number and the bound whenever HiGHS checks whether to stop, which limits
        work, not time: equally often for equal programmes. HiGHS stops if it returns true. With one
        node it has no presolve and no heuristics, see `CUTS_ALONE`.
        """
        options: dict[str, float | bool | int | str] = {"threads": 1}
        options |= {"mip_rel_gap": gap, "mip_max_nodes": nodes}
        options |= CUTS_ALONE if nodes == 1 else {}
        options |= {"time_limit": max(0.1, seconds)} if np.isfinite(seconds) else {}
        done = 0

        def count(event: highspy.highs.HighsCallbackEvent) -> None:
            nonlocal done
            done += 1
            if watch is not None and watch(done, event.data_out.mip_dual_bound):
                event.interrupt()

        solver = _QuietHighs()  # type: ignore[no-untyped-call]
        for name, value in options.items():
            solver.setOptionValue(name, value)
        solver.passModel(self._build_highs_model())
        if len(start):
            warm_start = highspy.HighsSolution()
            warm_start.col_value = start.tolist()
            solver.setSolution(warm_start)
        if watch is not None:
            solver.cbMipInterrupt += count
        solver.run()
        info = solver.getInfo()
        if not len(start) and info.primal_solution_status != FEASIBLE:
            return MipResult(np.zeros(0), -np.inf, np.inf, proven=False)
        values = np.array(solver.getSolution().col_value)
        worth, bound = float(info.objective_function_value), float(info.mip_dual_bound)
        if len(start) and (len(values) != len(start) or worth < self.objective @ start):
            values, worth = start, float(self.objective @ start)
        return MipResult(values, worth, max(worth, bound), proven=bound - worth <= gap * abs(bound))

    def _build_highs_model(self) -> highspy.HighsLp:
        by_column = sparse.csc_array(self.matrix)
        model = highspy.HighsLp()
        model.num_row_, model.num_col_ = self.matrix.shape
        model.sense_ = highspy.ObjSense.kMaximize
        model.col_cost_, model.col_lower_, model.col_upper_ = self.objective, self.lower, self.upper
        model.row_lower_, model.row_upper_ = self.row_lower, self.row_upper
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = by_column.indptr
        model.a_matrix_.index_ = by_column.indices
        model.a_matrix_.value_ = by_column.data
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[whole] for whole in self.is_integer.tolist()]
        return model

    def solve_relaxation(self, *, seconds: float) -> MipResult:
        """Maximise with all columns continuous, by HiGHS' interior point method.

        On weeks of hundreds of schools it is several times faster than the simplex method. If time
        runs out, the bound is what all columns are worth at their upper bounds.
        """
        equal = self.row_lower == self.row_upper
        above = ~equal & np.isfinite(self.row_upper)
        below = ~equal & np.isfinite(self.row_lower)
        result = optimize.linprog(
            -self.objective,
            A_ub=sparse.vstack([self.matrix[above], -self.matrix[below]], format="csr"),
            b_ub=np.concatenate([self.row_upper[above], -self.row_lower[below]]),
            A_eq=self.matrix[equal],
            b_eq=self.row_upper[equal],
            bounds=np.stack([self.lower, self.upper], axis=1),
            method="highs-ipm",
            options={"time_limit": max(0.1, seconds)} if np.isfinite(seconds) else {},
        )
        if result.status == 0:
            worth, costs = -float(result.fun), np.asarray(result.lower.marginals)
            return MipResult(result.x, worth, worth, proven=True, reduced_costs=costs)
        paid = self.objective > 0
        highest = float(self.objective[paid] @ self.upper[paid])
        return MipResult(np.zeros(0), -np.inf, highest, proven=False)
