"""Dates and times as people write them, and whether they tell the time of day at all.

Months that stand alone: a slip of the pen in a date, or history that no longer counts.

One row of 2062 among those of two years would end the data in 2062: all that is recorded would be
decades old, and one incident would hold most of the risk. The rule hangs on the data alone, not on
the clock, so that equal files are read alike on any day.
"""

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

UTC_OFFSET = re.compile(r":\d\d(?:\.\d+)?\s*(?:Z|[+-]\d\d:?\d\d)$")
DAY_FIRST = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
"""How British spreadsheets write dates; the month never comes first."""

PLAUSIBLE_YEARS = (1900, 2199)

TIME = re.compile(r"\d[T\s]\s*\d")
"""A time of day after a date."""

WRITTEN_MIDNIGHT = re.compile(r"\d[T\s]\s*00:?00(?::?00(?:\.0+)?)?\s*(?:Z|[+-]\d\d:?\d\d)?$")

NO_TIME, MIDNIGHT, TIMED = 0, 1, 2
"""What a text tells: a date alone or nothing, 00:00, another time of day."""

HOURS_NEXT_TO_MIDNIGHT = (23, 1)
MAX_MIDNIGHT_RATIO, MIDNIGHT_ALLOWANCE = 2, 3
"""So many times as many at 00:00 as at 23:00 or 01:00, and some by chance, may all be true."""


def parse_timestamps(text: pd.Series) -> pd.Series:
    """Local times of a text column, NaT where there is none: ISO 8601, or day first.

    Times that say their distance from UTC become UK time.

    Examples
    --------
    >>> parse_timestamps(pd.Series(["2018-07-01T10:00Z", "03/07/2018 09:30"])).astype(str).tolist()
    ['2018-07-01 11:00:00', '2018-07-03 09:30:00']
    """
    given = text.astype(object)
    zoned = _contains_pattern(text, UTC_OFFSET)
    universal = pd.to_datetime(given.where(zoned), errors="coerce", format="ISO8601", utc=True)
    found = universal.dt.tz_convert("Europe/London").dt.tz_localize(None)
    for form in ("ISO8601", *DAY_FIRST):
        local = pd.to_datetime(given.where(~zoned), errors="coerce", format=form)
        found = found.fillna(local)
    return drop_implausible_years(found)


def drop_implausible_years(dates: pd.Series) -> pd.Series:
    """Dates of years that records may be from; a slip of the pen such as 2924 is none."""
    return dates.where(dates.dt.year.between(*PLAUSIBLE_YEARS)).astype("datetime64[ns]")


def classify_precision(text: pd.Series, times: pd.Series) -> NDArray[np.uint8]:
    """Whether each text tells a time of day: `NO_TIME`, `MIDNIGHT` or `TIMED`.

    Midnight is 00:00 as it is written or in local time: programs write a date alone in either way.

    Parameters
    ----------
    text
        The column as it stands in the file.
    times
        What `parse_timestamps` makes of it.

    Examples
    --------
    >>> text = pd.Series(["2018-07-01", "2018-07-01T00:00Z", "03/07/2018 09:30"])
    >>> classify_precision(text, parse_timestamps(text)).tolist()
    [0, 1, 2]
    """
    timed = _contains_pattern(text, TIME) & times.notna()
    midnight = _contains_pattern(text, WRITTEN_MIDNIGHT) | (times == times.dt.normalize())
    return np.where(timed, np.where(midnight, MIDNIGHT, TIMED), NO_TIME).astype(np.uint8)


def _contains_pattern(text: pd.Series, pattern: re.Pattern[str]) -> pd.Series:
    """Whether each text holds the pattern; an empty one does not."""
    return text.str.contains(pattern).fillna(value=False).astype(bool)


def is_time_known(
    precision: NDArray[np.uint8], times: pd.Series, kind: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(i,) whether a time of day is known: one is told, and it is no 00:00 that stands for none.

    Records whose time nobody knows are often given 00:00. Where a kind has far more of it than of
    the full hours beside it, or no other time at all, its 00:00 is taken for no time.

    Parameters
    ----------
    told
        (i,) see `classify_precision`.
    times
        (i,) local times.
    kind
        (i,) number of each one's kind, from 0 on: how times are recorded differs by it.
    """
    full_hour = (precision == TIMED) & (times == times.dt.floor("h")).to_numpy()
    hour = times.dt.hour.to_numpy()
    kinds = int(kind.max(initial=-1)) + 1

    def counted(those: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(kind[those], minlength=kinds)

    beside = np.max([counted(full_hour & (hour == at)) for at in HOURS_NEXT_TO_MIDNIGHT], axis=0)
    too_many = counted(precision == MIDNIGHT) > MAX_MIDNIGHT_RATIO * beside + MIDNIGHT_ALLOWANCE
    stands_for_none = too_many | (counted(precision == TIMED) == 0)
    return np.asarray((precision == TIMED) | ((precision == MIDNIGHT) & ~stands_for_none[kind]))


MIN_GAP_MONTHS = 3
"""With fewer months empty, what comes after is never held to be a slip."""

MAX_ISOLATED_SHARE = 0.01
"""What stands beyond a gap must be more than this share of all rows, or of what the gap lacks."""


def is_isolated_month(months: pd.Series) -> NDArray[np.bool_]:
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
    >>> is_isolated_month(pd.concat([two_years, pd.Series([pd.Timestamp("2062-05-01")])])).sum()
    np.int64(1)
    """
    number = (months.dt.year * 12 + months.dt.month).to_numpy(dtype=np.int64)
    held, rows = np.unique(number, return_counts=True)
    if len(held) < 2:  # noqa: PLR2004 - a gap lies between two
        return np.zeros(len(number), dtype=bool)
    usual, most = float(np.median(rows)), MAX_ISOLATED_SHARE * len(number)
    empty = np.diff(held) - 1
    gaps = np.flatnonzero(empty >= MIN_GAP_MONTHS)
    so_far = np.cumsum(rows)
    low, high = 0, len(held)
    for gap in gaps:  # from the early end: what stands before each gap
        before = so_far[gap] - (so_far[low - 1] if low else 0)
        if before > min(most, MAX_ISOLATED_SHARE * usual * empty[gap]):
            break
        low = int(gap) + 1
    for gap in gaps[::-1]:  # from the late end: what stands after it
        after = so_far[high - 1] - so_far[gap]
        if gap < low or after > min(most, MAX_ISOLATED_SHARE * usual * empty[gap]):
            break
        high = int(gap) + 1
    return np.asarray((number < held[low]) | (number > held[high - 1]))
