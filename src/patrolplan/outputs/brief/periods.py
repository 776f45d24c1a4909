"""Spans of time that a brief compares: since a day, the same a year before, and what came before.

Open data gives months and no days, so its spans are whole months; with the days of a force's own
extract they are days.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.errors import InputError

BASELINE_MONTHS = 12
"""A year before makes what is usual, so that every season counts once."""

BLOCK_DAYS = 28
"""Whole weeks, where the swing from span to span is told by days."""


@dataclass(frozen=True)
class Period:
    """From one midnight up to another, which is no longer in it."""

    start: pd.Timestamp
    end: pd.Timestamp

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.end - self.start).days

    @property
    def months(self) -> int:
        """Length of a span of whole months."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    @property
    def last(self) -> pd.Timestamp:
        """The last day in it."""
        return self.end - pd.Timedelta(days=1)


@dataclass(frozen=True)
class ComparedPeriods:
    """What is compared.

    Parameters
    ----------
    now
        From the day asked for, or its month, up to the end of the data.
    year_before
        The same days or months a year before; None where the data does not reach back to them.
    before
        The year before `now`, or as much of it as the data holds.
    by_day
        Days are counted; otherwise whole months.
    """

    current: Period
    year_before: Period | None
    baseline: Period
    by_day: bool

    @property
    def exposure(self) -> float:
        """Length of `now` in lengths of `before`."""
        if self.by_day:
            return self.current.days / self.baseline.days
        return self.current.months / self.baseline.months

    @property
    def baseline_blocks(self) -> pd.DatetimeIndex:
        """Edges that cut `before` into months, or into blocks of four weeks counted back."""
        start, end = self.baseline.start, self.baseline.end
        if not self.by_day:
            return pd.date_range(start, end, freq="MS")
        blocks = self.baseline.days // BLOCK_DAYS
        return pd.date_range(end=end, periods=blocks + 1, freq=f"{BLOCK_DAYS}D")


@dataclass(frozen=True, eq=False)
class IncidentDates:
    """When each incident was: (i,) from midnight of its day or month, until the next one's."""

    start: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    by_day: bool

    def is_inside(self, period: Period) -> NDArray[np.bool_]:
        """(i,) whether an incident surely lies in a span; a month must lie in it whole."""
        after = self.start >= period.start.to_datetime64()
        return np.asarray(after & (self.end <= period.end.to_datetime64()))


def find_incident_dates(incidents: pd.DataFrame) -> IncidentDates:
    """Days of incidents, and months of those without one; where few have one, months of all.

    A few days among months would else take away every month that is asked for in part.
    """
    month = incidents["month"].to_numpy(dtype="datetime64[D]")
    next_month = (month.astype("datetime64[M]") + 1).astype("datetime64[D]")
    known = incidents["occurred_at"].notna().to_numpy()
    by_day = bool(known.sum() > len(known) / 2)
    known = known & by_day
    day = incidents["occurred_at"].to_numpy(dtype="datetime64[D]")
    start = np.where(known, day, month)
    end = np.where(known, day + np.timedelta64(1, "D"), next_month)
    return IncidentDates(start, end, by_day)


def choose_periods(dates: IncidentDates, since: dt.date) -> ComparedPeriods:
    """The spans to compare when it is asked what was recorded since a day.

    Raises
    ------
    InputError
        When the data ends before that day, or holds nothing before it to compare with.
    """
    first, end = pd.Timestamp(dates.start.min()), pd.Timestamp(dates.end.max())
    asked = pd.Timestamp(since)
    start = asked if dates.by_day else asked.replace(day=1)
    unit, form = ("day", "%Y-%m-%d") if dates.by_day else ("month", "%Y-%m")
    where, last = "--since", Period(first, end).last
    if start >= end:
        what = f"{since:%Y-%m-%d} lies after the latest {unit} held, {last:{form}}"
        raise InputError.one(where, what, f"ask since {last:{form}} or earlier, or add newer data")
    if start <= first:
        what = f"{since:%Y-%m-%d} leaves nothing before it: the data starts with {first:{form}}"
        raise InputError.one(where, what, f"ask since a later {unit}")
    now = Period(start, end)
    year = pd.DateOffset(years=1)
    year_before = Period(start - year, end - year)
    return ComparedPeriods(
        current=now,
        year_before=year_before if year_before.start >= first else None,
        baseline=Period(max(first, start - pd.DateOffset(months=BASELINE_MONTHS)), start),
        by_day=dates.by_day,
    )
