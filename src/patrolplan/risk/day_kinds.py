"""Kinds of day: school days, other weekdays, weekends and holidays, by the area's term dates."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area.school_days import SATURDAY, find_open_days
from patrolplan.area.school_gates import ALL_SCHOOLS

DayKind = Literal["school_day", "other_weekday", "weekend", "holiday"]

DAY_KINDS: tuple[DayKind, ...] = ("school_day", "other_weekday", "weekend", "holiday")
SCHOOL_DAY, OTHER_WEEKDAY, WEEKEND, HOLIDAY = range(len(DAY_KINDS))

UNKNOWN_WEEKDAY = len(DAY_KINDS)  # a weekday for which no term dates show whether schools were open
IS_WEEKDAY = np.arange(len(DAY_KINDS)) != WEEKEND

HALF_HOURS = 48  # of a day, from midnight
MIN_DAYS = 20  # a kind of day with fewer days in the data is joined with the most similar kind

MAX_SINGLE_DAYS = 4
"""A closure of fewer weekdays in a row is not a holiday: its days are other weekdays."""


def find_day_kinds(term_dates: pd.DataFrame, days: pd.DatetimeIndex) -> NDArray[np.int64]:
    """(n,) number of each day's kind in `DAY_KINDS`, or `UNKNOWN_WEEKDAY`."""
    kinds = np.where(days.day_of_week >= SATURDAY, WEEKEND, UNKNOWN_WEEKDAY).astype(np.int64)
    terms = term_dates[term_dates["kind"] == "term"] if len(term_dates) else term_dates
    if not len(terms) or not len(days):
        return kinds
    # Before the first and after the last term nothing says whether schools were open.
    calendar = pd.date_range(terms["from"].min(), terms["to"].max(), unit="ns")
    is_weekday = np.asarray(calendar.day_of_week < SATURDAY)
    is_open = _find_days_of_area(term_dates, calendar)
    of_calendar = np.full(len(calendar), WEEKEND)
    weekdays = np.flatnonzero(is_weekday)
    closed = ~is_open[weekdays]
    # A few closed weekdays in a row are staff training or bank holidays, more of them holidays: so
    # each run of open or closed days has a number, and a length.
    run = np.cumsum(np.diff(closed, prepend=False))
    length = np.bincount(run)[run]
    without_school = np.where(length <= MAX_SINGLE_DAYS, OTHER_WEEKDAY, HOLIDAY)
    of_calendar[weekdays] = np.where(closed, without_school, SCHOOL_DAY)
    row = calendar.get_indexer(pd.DatetimeIndex(days).as_unit("ns"))
    kinds[row >= 0] = of_calendar[row[row >= 0]]
    return kinds


def find_day_kind(term_dates: pd.DataFrame, day: dt.date) -> DayKind:
    """Kind of one day; a weekday of unknown kind counts as a school day."""
    kind = int(find_day_kinds(term_dates, pd.DatetimeIndex([day]))[0])
    return DAY_KINDS[SCHOOL_DAY if kind == UNKNOWN_WEEKDAY else kind]


def _find_days_of_area(term_dates: pd.DataFrame, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """(d,) whether the area has a school day: in a term of any school, and no closure of all."""
    # So the area is one school that has every school's terms, and the closures that are for all.
    is_term = term_dates["kind"] == "term"
    is_for_all = term_dates["urn"] == ALL_SCHOOLS
    of_area = term_dates[is_term | is_for_all].assign(urn=ALL_SCHOOLS)
    return np.asarray(find_open_days(of_area, [ALL_SCHOOLS], days)[0])


@dataclass(frozen=True, eq=False)
class DayClasses:
    """School days, weekdays without school and weekends, joined where there are few of one."""

    of_kind: NDArray[np.int64]  # (4,) class of each of `DAY_KINDS`
    kind_shares: NDArray[np.float64]  # (4,) share of the days of each kind

    @property
    def shares(self) -> NDArray[np.float64]:
        """(d,) share of the days of each class."""
        return np.bincount(self.of_kind, self.kind_shares).astype(np.float64)

    @property
    def weekday_shares(self) -> NDArray[np.float64]:
        """(d,) chance that a weekday of unknown kind belongs to each class."""
        among = np.bincount(self.of_kind, self.kind_shares * IS_WEEKDAY)
        shares: NDArray[np.float64] = among / among.sum()
        return shares

    def find_class(self, kinds: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) class of days of these kinds; one after the last for weekdays of unknown kind."""
        return np.append(self.of_kind, len(self.shares))[kinds]

    def join_rates(self, rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., d, 48) mean rates on the days of each class, from those of kinds (..., 4, 48)."""
        share = np.maximum(self.kind_shares, 1e-9)  # of a kind without days, too
        weight = np.equal.outer(np.arange(len(self.shares)), self.of_kind) * share
        weight /= weight.sum(axis=1, keepdims=True)
        return np.asarray(np.einsum("ed,...dh->...eh", weight, rates))

    def to_density(self, rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., d, 48) share of crime in each half-hour of each class of day; sums to 1."""
        density = rates * self.shares[:, None]
        return np.asarray(density / density.sum(axis=(-2, -1), keepdims=True))


def join_day_kinds(kinds: NDArray[np.int64]) -> DayClasses:
    """The classes of day, from the (n,) kinds of the days that the data has."""
    days = np.bincount(kinds, minlength=len(DAY_KINDS) + 1).astype(np.float64)
    days, unknown = days[:-1], days[-1]
    weekdays = days[IS_WEEKDAY].sum()
    # Weekdays of unknown kind have the mix of the known ones; where none are known, all count as
    # school days.
    days[IS_WEEKDAY] *= 1 + unknown / weekdays if weekdays else 1
    days[SCHOOL_DAY] += 0 if weekdays else unknown
    without_school = days[OTHER_WEEKDAY] + days[HOLIDAY]
    # A rate from a handful of days would be mostly chance: what is rare is joined with what is most
    # like it, weekdays with weekdays first.
    of_kind = np.array([0, 1, 2, 1])
    if min(days[SCHOOL_DAY], without_school) < MIN_DAYS:
        of_kind = np.array([0, 0, 1, 0])
    if min(days[IS_WEEKDAY].sum(), days[WEEKEND]) < MIN_DAYS:
        of_kind[:] = 0
    return DayClasses(of_kind, days / days.sum())
