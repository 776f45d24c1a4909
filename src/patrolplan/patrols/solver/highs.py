"""HiGHS, through which every linear and mixed-integer programme is maximised, on one thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Options = Mapping[str, float | bool | int | str]


class Answer(NamedTuple):
    """What HiGHS found; values are empty where it found none in time."""

    values: Floats  # of all columns
    objective: float
    bound: float  # upper bound of the objective; infinite where there is none
    is_best: bool
    # Prices of rows, and what one more of each column adds: of a programme without whole columns.
    row_duals: Floats
    column_duals: Floats


@dataclass(frozen=True, eq=False)
class Programme:
    """Maximise `objective @ v` with `row_lower <= matrix @ v <= row_upper`, within bounds."""

    objective: Floats
    lower: Floats
    upper: Floats
    is_integer: NDArray[np.bool_]
    matrix: sparse.csr_array | sparse.csc_array
    row_lower: Floats
    row_upper: Floats


class _QuietHighs(highspy.Highs):
    """HiGHS without its licence line, which the first call prints that is not about an option.

    `highspy.Highs` makes that call while it is built, before the output can be switched off.
    """

    def enableCallbacks(self) -> None:  # noqa: N802 - its name in highspy
        self.setOptionValue("output_flag", False)  # noqa: FBT003 - so called in highspy
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def maximise(
    programme: Programme, options: Options, *, seconds: float = np.inf, start: Floats | None = None
) -> Answer:
    """Maximise a programme with options of HiGHS; `start` are feasible values to begin with."""
    settings = {"threads": 1, **options}
    if np.isfinite(seconds):
        settings["time_limit"] = max(0.1, seconds)
    solver = _QuietHighs()  # type: ignore[no-untyped-call]
    for name, value in settings.items():
        solver.setOptionValue(name, value)
    solver.passModel(_build_model(programme))
    if start is not None:
        warm_start = highspy.HighsSolution()
        warm_start.col_value = start.tolist()
        solver.setSolution(warm_start)
    solver.run()
    info = solver.getInfo()
    solution = solver.getSolution()
    is_feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    is_best = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    objective = float(info.objective_function_value)
    bound = float(info.mip_dual_bound) if programme.is_integer.any() else objective
    return Answer(
        np.array(solution.col_value) if is_feasible else np.zeros(0),
        objective if is_feasible else -np.inf,
        bound if is_best or programme.is_integer.any() else np.inf,
        is_best,
        np.array(solution.row_dual),
        np.array(solution.col_dual),
    )


def _build_model(programme: Programme) -> highspy.HighsLp:
    by_column = sparse.csc_array(programme.matrix)
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = by_column.shape
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = programme.objective
    model.col_lower_ = programme.lower
    model.col_upper_ = programme.upper
    model.row_lower_ = programme.row_lower
    model.row_upper_ = programme.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = by_column.indptr
    model.a_matrix_.index_ = by_column.indices
    model.a_matrix_.value_ = by_column.data
    if programme.is_integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[whole] for whole in programme.is_integer.tolist()]
    return model
