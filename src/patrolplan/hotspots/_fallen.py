"""The compiled heart of the p-values: counts from evenly drawn numbers."""

import numpy as np
from numpy.typing import NDArray

from patrolplan.jit import compiled

BLOCK = 1024
"""Columns whose limits stay in the processor's cache while all rows are drawn."""


@compiled("void(u4[:,::1], u4[:,::1], f8, f8[:,::1])")
def add_fallen(
    drawn: NDArray[np.uint32],
    limits: NDArray[np.uint32],
    days: float,
    harm: NDArray[np.float64],
) -> None:
    """Add to each cell of `harm` so many days for each of its column's limits that it is above.

    Parameters
    ----------
    drawn, harm
        (s, c) numbers drawn, and days of harm.
    limits
        (k, c) limits of each column.
    days
        Harm of one incident.
    """
    counts = np.zeros(BLOCK, dtype=np.uint32)
    for first in range(0, drawn.shape[1], BLOCK):
        last = min(first + BLOCK, drawn.shape[1])
        for row in range(drawn.shape[0]):
            own = drawn[row, first:last]  # rows of their own: the loops over them are then wide
            counts[:] = 0
            for k in range(limits.shape[0]):
                limit = limits[k, first:last]
                for column in range(len(own)):
                    counts[column] += np.uint32(own[column] > limit[column])
            days_here = harm[row, first:last]
            for column in range(len(own)):
                days_here[column] += days * counts[column]
