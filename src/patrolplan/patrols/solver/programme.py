"""Packing programmes: as much worth as rows with upper limits allow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

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
    from patrolplan.patrols.solver.highs import Programme, maximise  # noqa: PLC0415 - heavy

    count, is_whole = len(worth), nodes is not None
    programme = Programme(
        worth,
        np.zeros(count),
        np.ones(count),
        np.full(count, is_whole),
        matrix,
        np.full(len(limits), -math.inf),
        limits,
    )
    limited = {} if nodes is None else {"mip_rel_gap": 0.0, "mip_max_nodes": nodes}
    answer = maximise(programme, limited, seconds=seconds)
    return Packed(answer.values, answer.bound, np.maximum(answer.row_duals, 0.0))
