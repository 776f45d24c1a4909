"""The periods that a brief compares, and how much of them is held.

A brief compares the time since a day with the year before it and with the same time a year before.
Open data has months but no days, so these periods are whole months; with the days of a force's own
extract they are days.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import InstanceOf, PlainSerializer

from patrolplan.errors import InputError

BASELINE_MONTHS = 12  # The baseline is a whole year, so that every season counts once

BLOCK_DAYS = 28  # Length of the blocks for estimating dispersion, in whole weeks, if there are days

MIN_BLOCKS = 3  # Minimum blocks in the baseline to estimate dispersion


Midnight = Annotated[InstanceOf[pd.Timestamp], PlainSerializer(lambda at: f"{at:%Y-%m-%d}")]


@dataclass(frozen=True)
class Period:
    """From one midnight up to another, which is excluded."""

    start: Midnight
    end: Midnight
    by_day: bool = False
    """Whether its days are counted; otherwise it is of whole months."""

    @property
    def length(self) -> int:
        """Length in days or months."""
        if self.by_day:
            return (self.end - self.start).days
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    @property
    def last(self) -> pd.Timestamp:
        """The last day in it."""
        return self.end - pd.Timedelta(days=1)


@dataclass(frozen=True)
class ComparedPeriods:
    """The periods that a brief compares."""

    current: Period
    """From the requested day, or its month, up to the end of the data."""
    year_before: Period | None
    """The same days or months a year before; None if the data does not reach back to them."""
    baseline: Period
    """The year before `current`, or as much of it as is in the data."""

    @property
    def exposure(self) -> float:
        """Length of `current` divided by the length of `baseline`."""
        return self.current.length / self.baseline.length

    @property
    def baseline_blocks(self) -> pd.DatetimeIndex:
        """Edges that cut `baseline` into months, or from its end into blocks of four weeks."""
        if not self.baseline.by_day:
            return pd.date_range(self.baseline.start, self.baseline.end, freq="MS")
        blocks = self.baseline.length // BLOCK_DAYS
        return pd.date_range(end=self.baseline.end, periods=blocks + 1, freq=f"{BLOCK_DAYS}D")


@dataclass(frozen=True, eq=False)
class IncidentDates:
    """When each incident was: (i,) from midnight of its day or month, until the next one's."""

    start: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    by_day: bool

    def is_inside(self, period: Period) -> NDArray[np.bool_]:
        """(i,) whether an incident is in a period; one without a day only if its whole month is."""
        after = self.start >= period.start.to_datetime64()
        return np.asarray(after & (self.end <= period.end.to_datetime64()))


def find_incident_dates(incidents: pd.DataFrame) -> IncidentDates:
    """Days of incidents, and months of those without one; if few have one, months of all.

    With a few days among months, counting by day would drop every month that is cut by a period.
    """
    month = incidents["month"].to_numpy(dtype="datetime64[D]")
    next_month = (month.astype("datetime64[M]") + 1).astype("datetime64[D]")
    has_day = incidents["occurred_at"].notna().to_numpy()
    by_day = bool(has_day.sum() > len(has_day) / 2)
    has_day = has_day & by_day
    day = incidents["occurred_at"].to_numpy(dtype="datetime64[D]")
    start = np.where(has_day, day, month)
    end = np.where(has_day, day + np.timedelta64(1, "D"), next_month)
    return IncidentDates(start, end, by_day)


def choose_periods(dates: IncidentDates, since: dt.date) -> ComparedPeriods:
    """The periods to compare for what was recorded since a day, if the data has both."""
    first, end = pd.Timestamp(dates.start.min()), pd.Timestamp(dates.end.max())
    start = pd.Timestamp(since) if dates.by_day else pd.Timestamp(since).replace(day=1)
    unit, form = ("day", "%Y-%m-%d") if dates.by_day else ("month", "%Y-%m")
    where, last = "since", Period(first, end).last
    if start >= end:
        what = f"{since:%Y-%m-%d} is after the latest {unit} in the data, {last:{form}}"
        raise InputError.one(where, what, f"give {last:{form}} or earlier, or add newer data")
    if start <= first:
        what = f"{since:%Y-%m-%d} has no data before it: the data starts in {first:{form}}"
        raise InputError.one(where, what, f"give a later {unit}")
    year = pd.DateOffset(years=1)
    year_before = Period(start - year, end - year, dates.by_day)
    baseline = max(first, start - pd.DateOffset(months=BASELINE_MONTHS))
    return ComparedPeriods(
        current=Period(start, end, dates.by_day),
        year_before=year_before if year_before.start >= first else None,
        baseline=Period(baseline, start, dates.by_day),
    )


def measure_months(period: Period) -> tuple[pd.DatetimeIndex, NDArray[np.float64]]:
    """First days of the months that overlap a period, and (m,) how much of each is in it."""
    months = pd.date_range(period.start.replace(day=1), period.last, freq="MS", unit="ns")
    if not period.by_day:
        return months, np.ones(len(months))
    starts = months.to_numpy().clip(period.start.to_datetime64(), None)
    ends = (months + pd.offsets.MonthBegin()).to_numpy().clip(None, period.end.to_datetime64())
    return months, (ends - starts) / np.timedelta64(1, "D")


def estimate_dispersion(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) how much more (b, k) counts of equal blocks vary than chance alone; at least 1.

    Variance over mean (Pearson's estimate, quasi-Poisson).
    """
    if len(counts) < MIN_BLOCKS:
        return np.ones(counts.shape[1])
    mean = counts.mean(axis=0)
    variance = counts.var(axis=0, ddof=1)
    dispersion = np.divide(variance, mean, out=np.ones_like(mean), where=mean > 0)
    return np.asarray(np.maximum(1.0, dispersion))
