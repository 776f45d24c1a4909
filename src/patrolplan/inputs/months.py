"""Months that stand alone: a slip of the pen in a date, or history that no longer counts.

One row of 2062 among those of two years would end the data in 2062: all that is recorded would be
decades old, and one incident would hold most of the risk. The rule hangs on the data alone, not on
the clock, so that equal files are read alike on any day.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

GAP_MONTHS = 3
"""With fewer months empty, what comes after is never held to be a slip."""

LEAST_SHARE = 0.01
"""What stands beyond a gap must be more than this share of all rows, or of what the gap lacks."""


def alone(months: pd.Series) -> NDArray[np.bool_]:
    """(i,) rows at either end of the data that a long gap cuts off and that are next to nothing.

    They are at most a hundredth of all rows, and at most a hundredth of the rows that the empty
    months before them would hold at the usual number a month (the median of months that hold
    any). So a gap in a force's records is taken as it is when recording goes on after it.

    Parameters
    ----------
    months
        (i,) first day of each row's month.

    Examples
    --------
    >>> two_years = pd.Series(pd.date_range("2024-01-01", periods=24, freq="MS")).repeat(20)
    >>> alone(pd.concat([two_years, pd.Series([pd.Timestamp("2062-05-01")])])).sum()
    np.int64(1)
    """
    number = (months.dt.year * 12 + months.dt.month).to_numpy(dtype=np.int64)
    held, rows = np.unique(number, return_counts=True)
    if len(held) < 2:  # noqa: PLR2004 - a gap lies between two
        return np.zeros(len(number), dtype=bool)
    usual, most = float(np.median(rows)), LEAST_SHARE * len(number)
    empty = np.diff(held) - 1
    gaps = np.flatnonzero(empty >= GAP_MONTHS)
    so_far = np.cumsum(rows)
    low, high = 0, len(held)
    for gap in gaps:  # from the early end: what stands before each gap
        before = so_far[gap] - (so_far[low - 1] if low else 0)
        if before > min(most, LEAST_SHARE * usual * empty[gap]):
            break
        low = int(gap) + 1
    for gap in gaps[::-1]:  # from the late end: what stands after it
        after = so_far[high - 1] - so_far[gap]
        if gap < low or after > min(most, LEAST_SHARE * usual * empty[gap]):
            break
        high = int(gap) + 1
    return np.asarray((number < held[low]) | (number > held[high - 1]))
