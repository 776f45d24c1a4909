"""The window of a back-test as a mask: which incidents lie inside it, and what the clock expects.

A ranking of streets by the crime of all hours may be right for the day and wrong for the hour after
the bell. Where clock times are known this can be tested: of the hold-out months only the incidents
inside the window count, on school days, by models times the clock learned from the months before.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import Window, weigh_minutes
from patrolplan.errors import InputError
from patrolplan.risk.clock import build_clock
from patrolplan.risk.day_kinds import SCHOOL_DAY, UNKNOWN_WEEKDAY, find_day_kinds
from patrolplan.risk.history import History
from patrolplan.risk.rolling_origin import Inside

MINUTES_A_DAY = 24 * 60


def build_mask(area: StudyArea, history: History, window: Window) -> Inside:
    """What of the incidents lies inside a window, from a time of day or from each school's bell."""
    minutes, weights = weigh_minutes(window, window.list_bells(area.schools))
    catchments = history.units.catchments

    def find_factor(month: pd.Timestamp) -> NDArray[np.float64]:
        clock = build_clock(area, history, before=month)
        weighted = clock.average_factor(minutes, weights, "school_day")
        weighted = weighted * catchments.piece_share[:, None]
        return np.column_stack([history.units.sum_pieces(column) for column in weighted.T])

    months = history.months
    days = pd.date_range(months[0], months[-1] + pd.offsets.MonthEnd(), freq="D")
    school_days = _is_school_day(area, days)
    of_month = months.get_indexer(days.to_period("M").to_timestamp())
    share = np.bincount(of_month, school_days, minlength=len(months)) / months.days_in_month
    share = share * window.minutes / MINUTES_A_DAY
    return Inside(count_inside(area, history, minutes), np.asarray(share), find_factor)


def check_times_known(area: StudyArea) -> None:
    """Raise `InputError` where only the months or days of crimes are known."""
    if not area.times_known or not area.incidents["timed"].any():
        where = "[sources] crimes"
        what = "the times of day are not known, which a back-test inside a window needs"
        remedy = "give crimes with occurred_at, or leave the window out"
        raise InputError.one(where, what, remedy)


def count_inside(
    area: StudyArea, history: History, minutes: NDArray[np.int64]
) -> NDArray[np.int32]:
    """(t, c, j) timed incidents at these minutes of school days, by month, place and target."""
    incidents = area.incidents
    timed = incidents["timed"].to_numpy() & incidents["category"].isin(history.targets).to_numpy()
    at = pd.DatetimeIndex(incidents.loc[timed, "occurred_at"])
    minute = np.asarray(at.hour * 60 + at.minute)
    # Minutes beyond midnight, from 1440, belong to the day on which the window began.
    late = minute + MINUTES_A_DAY <= minutes[-1]
    day = at.normalize() - pd.to_timedelta(late.astype(np.int64), unit="D")
    inside = np.isin(minute + MINUTES_A_DAY * late, minutes) & _is_school_day(area, day)
    if not inside.any():
        where, what = "window", "no crime with a known time lies inside it on a school day"
        remedy = "choose another window, or give the dates of terms in [sources] term_dates"
        raise InputError.one(where, what, remedy)
    month = history.months.get_indexer(day[inside].to_period("M").to_timestamp())
    category = pd.Index(history.targets).get_indexer(incidents.loc[timed, "category"].astype(str))
    place = area.incident_catchment[timed]
    has_month = month >= 0
    counts = np.zeros((len(history), len(history.units), len(history.targets)), dtype=np.int32)
    np.add.at(counts, (month[has_month], place[inside][has_month], category[inside][has_month]), 1)
    return counts


def _is_school_day(area: StudyArea, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Which days are school days; without term dates, all weekdays."""
    kinds = find_day_kinds(area.term_dates, days)
    terms_known = len(area.term_dates) and (area.term_dates["kind"] == "term").any()
    return np.asarray(kinds == (SCHOOL_DAY if terms_known else UNKNOWN_WEEKDAY))
