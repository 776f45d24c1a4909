"""Kinds of day: school days, other weekdays, weekends and holidays, by the area's term dates.

`DayClasses` are the kinds that a set of days has enough of to learn their hours apart.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DayKind = Literal["school_day", "other_weekday", "weekend", "holiday"]

DAY_KINDS: tuple[DayKind, ...] = ("school_day", "other_weekday", "weekend", "holiday")
SCHOOL_DAY, OTHER_WEEKDAY, WEEKEND, HOLIDAY = range(len(DAY_KINDS))

UNKNOWN_WEEKDAY = len(DAY_KINDS)  # a weekday for which no term dates show whether schools were open
WEEKDAYS = 5

HALF_HOURS = 48  # of a day, from midnight
MIN_DAYS = 20  # a kind of day with fewer days in the data is joined with the most similar kind

MAX_SINGLE_DAYS = 4
"""A closure of fewer weekdays in a row is not a holiday: its days are other weekdays."""


def find_day_kinds(term_dates: pd.DataFrame, days: pd.DatetimeIndex) -> NDArray[np.int64]:
    """(n,) number of each day's kind in `DAY_KINDS`, or `UNKNOWN_WEEKDAY`.

    A weekday is a school day if it is in a term that all schools share and no closed period of all.
    Up to four weekdays without school in a row (staff training, bank holidays) are other weekdays;
    more of them are holidays. Weekdays before the first and after the last term, and all of them
    without term dates, are not known.

    `days`: (n,) days, without a time of day.

    Examples
    --------
    >>> days = pd.date_range("2026-07-20", "2026-07-25")
    >>> terms = pd.DataFrame({"urn": "*", "kind": "term"}, index=range(2)).assign(
    ...     **{"from": pd.to_datetime(["2026-04-13", "2026-09-01"]),
    ...        "to": pd.to_datetime(["2026-07-21", "2026-12-18"])})
    >>> [DAY_KINDS[kind] for kind in find_day_kinds(terms, days)[1:4]]
    ['school_day', 'holiday', 'holiday']
    """
    is_weekend = np.asarray(days.day_of_week >= WEEKDAYS)
    kinds = np.where(is_weekend, WEEKEND, UNKNOWN_WEEKDAY)
    terms = term_dates[term_dates["kind"] == "term"] if len(term_dates) else term_dates
    if not len(terms) or not len(days):
        return kinds.astype(np.int64)
    calendar = pd.date_range(terms["from"].min(), terms["to"].max(), unit="ns")
    is_weekday = np.asarray(calendar.day_of_week < WEEKDAYS)
    is_open = is_weekday & _is_in_term(term_dates, calendar)
    of_calendar = np.full(len(calendar), WEEKEND)
    weekdays = np.flatnonzero(is_weekday)
    closed = ~is_open[weekdays]
    run = np.cumsum(np.diff(closed, prepend=False))  # a number for each run of open or closed days
    length = np.bincount(run)[run]
    without_school = np.where(length <= MAX_SINGLE_DAYS, OTHER_WEEKDAY, HOLIDAY)
    of_calendar[weekdays] = np.where(closed, without_school, SCHOOL_DAY)
    row = calendar.get_indexer(pd.DatetimeIndex(days).as_unit("ns"))
    has_kind = (row >= 0) & ~is_weekend
    kinds[has_kind] = of_calendar[row[has_kind]]
    return kinds.astype(np.int64)


def find_day_kind(term_dates: pd.DataFrame, day: dt.date) -> DayKind:
    """Kind of one day; a weekday of unknown kind counts as a school day."""
    kind = int(find_day_kinds(term_dates, pd.DatetimeIndex([day]))[0])
    return DAY_KINDS[SCHOOL_DAY if kind == UNKNOWN_WEEKDAY else kind]


def _is_in_term(dates: pd.DataFrame, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Which days are in a term, and not in a closed period of all schools."""
    day = days.to_numpy()[:, None]
    inside = (day >= dates["from"].to_numpy()) & (day <= dates["to"].to_numpy())
    term = (dates["kind"] == "term").to_numpy()
    closed = ((dates["kind"] == "closed") & (dates["urn"] == "*")).to_numpy()
    return np.asarray(inside[:, term].any(axis=1) & ~inside[:, closed].any(axis=1))


@dataclass(frozen=True, eq=False)
class DayClasses:
    """The kinds of day that the data can tell apart, joined where it has few days of one."""

    of_kind: NDArray[np.int64]  # (4,) class of each of `DAY_KINDS`
    kind_shares: NDArray[np.float64]  # (4,) share of the days of each kind

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """(d,) share of the days of each class."""
        return np.bincount(self.of_kind, self.kind_shares).astype(np.float64)

    @cached_property
    def cell_shares(self) -> NDArray[np.float64]:
        """(d x 48,) share of all time of each half-hour of each class of day."""
        return np.repeat(self.shares / HALF_HOURS, HALF_HOURS)

    @property
    def weekdays(self) -> NDArray[np.int64]:
        """The classes that weekdays belong to."""
        return np.unique(self.of_kind[[SCHOOL_DAY, OTHER_WEEKDAY, HOLIDAY]])

    @property
    def unknown(self) -> int:
        """Number of the class of a weekday of unknown kind."""
        return len(self.shares)

    def find_class(self, kinds: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) class of each day's kind, see `patrolplan.risk.day_kinds.find_day_kinds`."""
        unknown = self.weekdays[0] if len(self.weekdays) == 1 else self.unknown
        return np.append(self.of_kind, unknown)[kinds]

    def build_day_matrix(self, day_weight: float) -> NDArray[np.float64]:
        """(d, d) how much an incident on a day of one class counts on those of the others."""
        matrix = np.full((len(self.shares), len(self.shares)), day_weight)
        np.fill_diagonal(matrix, 1.0)
        return matrix


def join_day_kinds(kinds: NDArray[np.int64]) -> DayClasses:
    """The classes of day, from the (n,) kinds of the days that the data has.

    Other weekdays are joined with holidays and, where there are few of both or no term dates, with
    school days; where there are few weekends, all days are one class. Weekdays of unknown kind are
    assumed to have the same mix of kinds as the known ones.
    """
    days = np.bincount(kinds, minlength=len(DAY_KINDS) + 1).astype(np.float64)
    weekdays = [SCHOOL_DAY, OTHER_WEEKDAY, HOLIDAY]
    certain, unknown = days[weekdays].sum(), days[UNKNOWN_WEEKDAY]
    if certain:
        days[weekdays] *= 1 + unknown / certain
    else:
        days[SCHOOL_DAY] = unknown
    of_kind = np.arange(len(DAY_KINDS))
    if min(days[OTHER_WEEKDAY], days[HOLIDAY]) < MIN_DAYS:
        of_kind[HOLIDAY] = OTHER_WEEKDAY
    if min(days[SCHOOL_DAY], days[OTHER_WEEKDAY] + days[HOLIDAY]) < MIN_DAYS:
        of_kind[weekdays] = SCHOOL_DAY
    if min(days[weekdays].sum(), days[WEEKEND]) < MIN_DAYS:
        of_kind[:] = SCHOOL_DAY
    days = days[: len(DAY_KINDS)]
    return DayClasses(np.unique(of_kind, return_inverse=True)[1].reshape(-1), days / days.sum())
