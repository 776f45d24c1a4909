"""Rows of many ranges as one array: what belongs to each of some things that lie end to end."""

import numpy as np
from numpy.typing import NDArray


def ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers from each start on, so many of each, one range after the other.

    Parameters
    ----------
    starts, counts
        (k,) of each range.

    Examples
    --------
    >>> ranges(np.array([5, 0]), np.array([3, 2]))
    array([5, 6, 7, 0, 1])
    """
    ends = np.cumsum(counts)
    return np.arange(counts.sum()) + np.repeat(starts - ends + counts, counts)
