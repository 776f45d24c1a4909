"""The half-hours in which crimes happened, where that is known, or known to be within a span.

A theft of a bicycle has a first and a last possible time. It counts as one incident, shared out
over its span in proportion to the clock: all it says is that it was at no other time. Its first
time would put thefts of the night into the evening.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.incidents import find_known
from patrolplan.risk.day_kinds import HALF_HOURS, DayClasses, find_day_kinds, join_day_kinds

FOLDS = 10  # weeks are dealt out into so many
A_MONDAY = pd.Timestamp("2001-01-01")
HALF_HOUR, MINUTE = pd.Timedelta("30min"), pd.Timedelta("1min")


@dataclass(frozen=True, eq=False)
class Times:
    """(n,) half-hours that incidents may have happened in."""

    incident: NDArray[np.int64]  # row of the area's incidents; one with a span has several rows
    place: NDArray[np.int64]  # its catchment
    category: NDArray[np.int64]
    cell: NDArray[np.int64]  # class of day x 48 + half-hour; weekdays of unknown kind come last
    fold: NDArray[np.int64]  # its week's
    minutes: NDArray[np.float64]  # of the span that are in the half-hour
    weight: NDArray[np.float64]  # share of the incident, by its minutes
    days: DayClasses
    categories: int

    def share_out(self, rates: NDArray[np.float64], kinds: NDArray[np.int64]) -> "Times":
        """With weights by the clock: rates (j, s, d, 48) by kind of place, (c,) kinds of places."""
        # A weekday of unknown kind has the mean rate of those that it may be.
        mean = np.einsum("d,jsdh->jsh", self.days.weekday_shares, rates)[:, :, None]
        by_cell = np.concatenate([rates, mean], axis=2).reshape(*rates.shape[:2], -1)
        # Within its span an incident was at a half-hour in proportion to the rate there, for as
        # many minutes as the span has of it; in sum it stays one incident.
        chance = self.minutes * by_cell[self.category, kinds[self.place], self.cell]
        return replace(self, weight=chance / np.bincount(self.incident, chance)[self.incident])


def read_times(
    area: StudyArea, targets: tuple[str, ...], before: pd.Timestamp | None = None
) -> Times | None:
    """When incidents of the targets happened, if `before` a month; None where no time is known."""
    incidents = area.incidents
    used = find_known(incidents) & incidents["category"].isin(targets)
    if before is not None:
        used &= incidents["month"] < before
    rows = np.flatnonzero(used)
    if not len(rows):
        return None
    start = pd.DatetimeIndex(incidents["occurred_at"].array[rows])
    end = pd.DatetimeIndex(incidents["occurred_until"].array[rows])
    end = end.where(end.notna(), start) + MINUTE  # the last possible minute is in the span
    first = start.floor(HALF_HOUR)
    count = np.asarray(np.ceil((end - first) / HALF_HOUR), dtype=np.int64)
    # A row for each half-hour that a span meets, one after the other.
    row = np.repeat(np.arange(len(rows)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    at = first[row] + step * HALF_HOUR
    minutes = (np.minimum(end[row], at + HALF_HOUR) - np.maximum(start[row], at)) / MINUTE
    date = at.normalize()
    # Rates are crimes a day of each class, so all days count on which a crime could have been
    # known, also those without any; months that were not published have no such days.
    calendar = pd.date_range(date.min(), date.max(), unit="ns")
    calendar = calendar[calendar.to_period("M").isin(date.to_period("M").unique())]
    days = join_day_kinds(find_day_kinds(area.term_dates, calendar))
    # The kind of a day is looked up once, however many incidents it has.
    distinct, number = np.unique(date, return_inverse=True)
    day = days.find_class(find_day_kinds(area.term_dates, pd.DatetimeIndex(distinct)))[number]
    column = pd.Index(targets).get_indexer(incidents["category"].cat.categories)
    return Times(
        incident=rows[row],
        place=area.incident_catchment[rows[row]],
        category=column[incidents["category"].cat.codes.to_numpy()[rows[row]]],
        cell=day * HALF_HOURS + (at.hour * 2 + at.minute // 30).to_numpy(),
        # Whole weeks are dealt out: one event is often recorded as several crimes, and of these
        # some would foretell the others.
        fold=((date - A_MONDAY).days // 7 % FOLDS).to_numpy(),
        minutes=minutes.to_numpy(),
        weight=minutes.to_numpy() / ((end - start) / MINUTE).to_numpy()[row],
        days=days,
        categories=len(targets),
    )
