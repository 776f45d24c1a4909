"""Packing programmes for HiGHS: as much worth as rows with upper limits allow, on one thread."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from patrolplan.compiled import CLOCK
from patrolplan.silence import silence_output

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csc_array


class Packed(NamedTuple):
    """Columns chosen (shares of them in a relaxation), an upper bound, and prices of the rows."""

    values: NDArray[np.float64]
    bound: float
    duals: NDArray[np.float64]


def pack_columns(
    worth: NDArray[np.float64],
    matrix: csc_array,
    limits: NDArray[np.float64],
    *,
    seconds: float = math.inf,
    nodes: int | None = None,
) -> Packed:
    """Choose columns, each at most once; whole ones if a limit of nodes is given, else shares.

    `values` is empty where nothing was found in time.
    """
    with CLOCK.stand_still():
        import highspy  # noqa: PLC0415 - heavy, and of several officers alone

    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = worth
    model.col_lower_, model.col_upper_ = np.zeros(len(worth)), np.ones(len(worth))
    model.row_lower_, model.row_upper_ = np.full(len(limits), -math.inf), limits
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    options: dict[str, float | bool | int] = {"output_flag": False, "threads": 1}
    if nodes is not None:
        model.integrality_ = [highspy.HighsVarType.kInteger] * len(worth)
        options |= {"mip_rel_gap": 0.0, "mip_max_nodes": nodes}
    if math.isfinite(seconds):
        options["time_limit"] = max(0.1, seconds)
    with silence_output():
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in options.items():
            solver.setOptionValue(name, value)
        solver.passModel(model)
        solver.run()
    info, answer = solver.getInfo(), solver.getSolution()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    is_best = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    bound = float(info.objective_function_value if nodes is None else info.mip_dual_bound)
    return Packed(
        np.array(answer.col_value) if found else np.zeros(0),
        bound if nodes is not None or is_best else math.inf,
        np.maximum(np.array(answer.row_dual), 0.0),
    )
