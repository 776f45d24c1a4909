"""Rows of many ranges as one array: what belongs to each of some things that lie end to end."""

import numpy as np
from numpy.typing import NDArray


def ranges(
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    *,
    turned: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Numbers from each start on, so many of each, one range after the other.

    Parameters
    ----------
    starts, counts
        (k,) of each range.
    turned
        (k,) ranges that are told from their last number back to their first; default none.

    Examples
    --------
    >>> ranges(np.array([5, 0]), np.array([3, 2]))
    array([5, 6, 7, 0, 1])
    >>> ranges(np.array([5, 0]), np.array([3, 2]), turned=np.array([True, False]))
    array([7, 6, 5, 0, 1])
    """
    inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    if turned is None:
        numbers = np.repeat(starts, counts) + inside
    else:
        first = np.where(turned, starts + counts - 1, starts)
        numbers = np.repeat(first, counts) + np.repeat(np.where(turned, -1, 1), counts) * inside
    return np.asarray(numbers)
