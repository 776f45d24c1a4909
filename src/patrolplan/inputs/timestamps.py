"""Dates and times as people write them, whether the time of day is known, and isolated months.

An isolated month is a typing error: one row of 2062 would make all else decades old. The rule does
not depend on today, so that equal files give equal results on any day.
"""

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.arrays import Bools, Ints
from patrolplan.errors import InputError
from patrolplan.inputs.formats import TableSource
from patrolplan.plausibility import exceeds_bound

UTC_OFFSET = re.compile(r":\d\d(?:\.\d+)?\s*(?:Z|[+-]\d\d:?\d\d)$")
DAY_FIRST = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
"""How British spreadsheets write dates; the month never comes first, see `check_day_first`."""

PLAUSIBLE_YEARS = (2000, 2199)  # Dates are read from these; the future is left out later
RELEASED = pd.Timestamp("2026-11-01")  # A correct clock shows no month before that of this version
ISO_DATE = re.compile(r"^\d{4}(?:-\d{1,2}-|/\d{1,2}/|\d{4})")
"""How a full date begins; pandas would also read a year alone, and words such as now."""

FULL_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}(?:T00:00(?::00(?:\.0+)?)?)?$")
SLASHES = re.compile(r"/")
SLASH_DATE = r"\s*(\d{1,2})/(\d{1,2})/\d{4}"
LAST_MONTH = 12
TIME = re.compile(r"\d[T\s]\s*\d")  # A time of day that follows a date
WRITTEN_MIDNIGHT = re.compile(r"\d[T\s]\s*00:?00(?::?00(?:\.0+)?)?\s*(?:Z|[+-]\d\d:?\d\d)?$")
NO_TIME, MIDNIGHT, TIMED = 0, 1, 2  # A date alone or nothing, 00:00, another time of day
HOURS_NEXT_TO_MIDNIGHT = (23, 1)
MAX_MIDNIGHT_RATIO, MIDNIGHT_ALLOWANCE = 2, 3  # 00:00 is true up to this, against 23:00 or 01:00


def parse_timestamps(text: pd.Series) -> pd.Series:
    """Local times of a text column, in ISO 8601 or day first; NaT where there is none."""
    # Times with an offset from UTC are converted to UK time.
    is_date = _contains_pattern(text, ISO_DATE) | _contains_pattern(text, SLASHES)
    has_offset = _contains_pattern(text, UTC_OFFSET)
    values = text.astype(object).where(is_date)
    far = values.where(has_offset)
    universal = pd.to_datetime(far, errors="coerce", format="ISO8601", utc=True)
    times = universal.dt.tz_convert("Europe/London").dt.tz_localize(None)
    for form in ("ISO8601", *DAY_FIRST):
        local = pd.to_datetime(values.where(~has_offset), errors="coerce", format=form)
        times = times.fillna(local)
    return drop_implausible_years(times)


def parse_months(text: pd.Series) -> pd.Series:
    """First days of months written as YYYY-MM; NaT for anything else.

    >>> parse_months(pd.Series(["2024-05", "05/2024", "2924-05", "2024-05-01"])).notna().tolist()
    [True, False, False, False]
    """
    plain = text.where(text.str.match(r"\d{4}-\d").fillna(value=False).astype(bool))
    return drop_implausible_years(pd.to_datetime(plain, format="%Y-%m", errors="coerce"))


def check_day_first(text: pd.Series, path: TableSource) -> None:
    """Refuse dates with the month first: a third of them could be read, as other days."""
    slashed = text[_contains_pattern(text, SLASHES)]
    if slashed.empty:
        return
    parts = slashed.str.extract(SLASH_DATE).dropna().astype(int)
    month_first = parts[(parts[0] <= LAST_MONTH) & (parts[1] > LAST_MONTH)]
    if exceeds_bound(len(month_first), len(parts)):
        row = month_first.index[0]
        what = f"'{text[row]}' has the month before the day, like {len(month_first):,} of "
        what += f"{len(parts):,} dates; the others would be read as other days"
        remedy = "export dates as YYYY-MM-DD"
        raise InputError.one(path, what, remedy, f"row {row:,}, column '{text.name}'")


def parse_days(text: pd.Series) -> pd.Series:
    """Days written as YYYY-MM-DD; NaT for anything else, before 2000, and after this month."""
    written = text.where(_contains_pattern(text, FULL_DATE))
    days = pd.to_datetime(written.str[:10], format="%Y-%m-%d", errors="coerce")
    days = drop_implausible_years(days)
    return days.where(days < find_newest_plausible_month() + pd.offsets.MonthBegin())


def list_spans(months: pd.DatetimeIndex) -> list[str]:
    """Months in order as spans without gaps: "2026-01 to 2026-03", "2026-05"."""
    number = months.year * 12 + months.month
    starts = np.flatnonzero(np.diff(number, prepend=number[0] - 2) > 1)
    spans = np.split(np.asarray(months.strftime("%Y-%m")), starts[1:])
    return [" to ".join(dict.fromkeys((span[0], span[-1]))) for span in spans]


def find_newest_plausible_month() -> pd.Timestamp:
    """The first day of the newest month that anything can have been recorded in."""
    return max(pd.Timestamp.now().normalize().replace(day=1), RELEASED)


def drop_implausible_years(dates: pd.Series) -> pd.Series:
    """NaT in place of dates outside `PLAUSIBLE_YEARS`: typing errors such as 2924."""
    return dates.where(dates.dt.year.between(*PLAUSIBLE_YEARS)).astype("datetime64[ns]")


def classify_precision(text: pd.Series, times: pd.Series) -> NDArray[np.uint8]:
    """Precision of each text: `NO_TIME`, `MIDNIGHT` or `TIMED`."""
    # Midnight is 00:00 as written or in local time: programs write a date alone in either way.
    timed = _contains_pattern(text, TIME) & times.notna()
    midnight = _contains_pattern(text, WRITTEN_MIDNIGHT) | (times == times.dt.normalize())
    return np.where(timed, np.where(midnight, MIDNIGHT, TIMED), NO_TIME).astype(np.uint8)


def _contains_pattern(text: pd.Series, pattern: re.Pattern[str]) -> pd.Series:
    """Whether each text contains the pattern; False where it is missing."""
    return text.str.contains(pattern).fillna(value=False).astype(bool)


def is_time_known(precision: NDArray[np.uint8], times: pd.Series, category: Ints) -> Bools:
    """(i,) whether a time of day is known: there is one, and it is not a 00:00 for "unknown"."""
    # Records of unknown time often have 00:00. Where a category (its number from 0 on) has far more
    # of these than of 23:00 and 01:00, or no other time at all, its 00:00 means that the time is
    # unknown: how times are recorded differs by category.
    full_hour = (precision == TIMED) & (times == times.dt.floor("h")).to_numpy()
    hour = times.dt.hour.to_numpy()
    categories = int(category.max(initial=-1)) + 1

    def count(rows: Bools) -> Ints:
        return np.bincount(category[rows], minlength=categories)

    neighbours = np.max([count(full_hour & (hour == at)) for at in HOURS_NEXT_TO_MIDNIGHT], axis=0)
    too_many = count(precision == MIDNIGHT) > MAX_MIDNIGHT_RATIO * neighbours + MIDNIGHT_ALLOWANCE
    is_unknown = too_many | (count(precision == TIMED) == 0)
    return np.asarray((precision == TIMED) | ((precision == MIDNIGHT) & ~is_unknown[category]))


MIN_GAP_MONTHS = 3  # Months after a shorter gap are never isolated
MAX_ISOLATED_SHARE = 0.01  # Among all rows, and of the rows expected in the gap


def is_isolated_month(months: pd.Series) -> Bools:
    """(i,) the few rows at either end of the data that a long gap separates from the rest."""
    # They are at most a hundredth of all rows, and at most a hundredth of the rows that the gap's
    # months would have at the median number a month (of months that have any). So a gap in a
    # force's records is accepted where recording goes on after it.
    number = (months.dt.year * 12 + months.dt.month).to_numpy(dtype=np.int64)
    recorded, rows = np.unique(number, return_counts=True)  # (m,) months with rows
    if len(recorded) < 2:  # noqa: PLR2004 - a gap lies between two
        return np.zeros(len(number), dtype=bool)
    empty = np.diff(recorded) - 1  # (m - 1,) empty months after each month
    lacking = MAX_ISOLATED_SHARE * float(np.median(rows)) * empty
    limit = np.minimum(MAX_ISOLATED_SHARE * len(number), lacking)
    gaps = np.flatnonzero(empty >= MIN_GAP_MONTHS)
    # The months from `first` up to but excluding `end` remain. Gaps are tried from the early end,
    # then from the late end, until the rows cut off by one are too many to be a typing error.
    total = np.concatenate([[0], np.cumsum(rows)])
    first, end = 0, len(recorded)
    for gap in gaps:
        if total[gap + 1] - total[first] > limit[gap]:
            break
        first = int(gap) + 1
    for gap in gaps[::-1]:
        if gap < first or total[end] - total[gap + 1] > limit[gap]:
            break
        end = int(gap) + 1
    return np.asarray((number < recorded[first]) | (number > recorded[end - 1]))
