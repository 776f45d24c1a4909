"""What each stretch holds: sums over its pieces, and its share of every catchment."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.network.catchments import Catchments


def flat(stretches: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pieces of all stretches one after the other, and how many each has."""
    size = np.array([len(stretch) for stretch in stretches], dtype=np.int64)
    return np.concatenate([*stretches, np.empty(0, dtype=np.int64)]), size


def summed(
    values: NDArray[np.float64], stretches: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(h,) sum of a value of each piece over each stretch.

    Stretches of as many pieces are summed together, in the order in which `values[stretch].sum()`
    adds, so that the sums are the same to the last bit.

    Examples
    --------
    >>> summed(np.array([1.0, 2.0, 4.0]), [np.array([0, 2]), np.array([1])]).tolist()
    [5.0, 2.0]
    """
    pieces, size = flat(stretches)
    start = np.cumsum(size) - size
    sums = np.zeros(len(size))
    for pieces_each in np.unique(size):
        rows = np.flatnonzero(size == pieces_each)
        together = pieces[start[rows][:, None] + np.arange(pieces_each)]
        sums[rows] = values[together].sum(axis=1)
    return sums


def catchment_shares(
    catchments: Catchments, stretches: Sequence[NDArray[np.int64]]
) -> sparse.csr_array:
    """(h, c) share of each catchment's street that lies in each stretch."""
    pieces, size = flat(stretches)
    row = np.repeat(np.arange(len(size)), size)
    cells = (catchments.piece_share[pieces], (row, catchments.of_piece[pieces]))
    return sparse.csr_array(cells, shape=(len(size), len(catchments)))
