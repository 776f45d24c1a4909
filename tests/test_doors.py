"""Every public function takes what pandas gives: days, months, URNs, windows and single values."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.doors import list_urns, read_day, read_month

DAY = dt.date(2026, 11, 30)
DAYS = [DAY, "2026-11-30", pd.Timestamp(DAY), np.datetime64(DAY), dt.datetime(2026, 11, 30, 9, 30)]  # noqa: DTZ001
MONTHS = ["2026-08", pd.Period("2026-08"), dt.date(2026, 8, 3), pd.Timestamp("2026-08-01")]
URNS = ["900003", 900003, 900003.0, np.int64(900003), ["900003"], (900003,), pd.Series([900003])]


@pytest.mark.parametrize("day", DAYS)
def test_a_day_is_a_date(day):
    """As text, date or Timestamp, with or without a time."""
    assert read_day(day) == DAY


@pytest.mark.parametrize("wrong", ["30/11", "", None, 5, float("nan"), [], pd.NaT])
def test_what_is_no_day_or_month_is_refused_by_the_name_of_the_argument(wrong):
    """The error names the argument and the value, and says what to give."""
    with pytest.raises(pp.InputError, match=r"start: .* is not a date; give a date"):
        read_day(wrong, "start")
    with pytest.raises(pp.InputError, match=r"origins: .* is not a valid month; give a Period"):
        read_month(wrong, "origins")


@pytest.mark.parametrize("urns", URNS)
def test_schools_are_named_by_text_or_number(demo_area, demo_risk, demo_hotspots, urns):
    """One URN or several, whichever type their column has."""
    assert list_urns(urns) == ["900003"]
    plan = pp.plan_patrols(demo_area, demo_risk, demo_hotspots, urns=urns, for_week=False)
    assert {patrol.urn for patrol in plan.patrols} == {"900003"}


def test_an_unknown_school_is_named_as_an_argument(demo_area, demo_risk, demo_hotspots):
    """No error speaks of an option of the command line."""
    with pytest.raises(pp.InputError, match=r"^urns: there is no school with URN '100036'"):
        pp.plan_patrols(demo_area, demo_risk, demo_hotspots, urns="100036")


def test_a_window_has_a_name_or_a_time(demo_area):
    """As in the settings, as the time at which it begins, or as a Window."""
    named = pp.estimate_risk(demo_area, window="after_school", date="2026-11-30")
    assert named.window == pp.estimate_risk(demo_area, date=DAY).window
    early = pp.estimate_risk(demo_area, window="07:30", date=pd.Timestamp(DAY))
    assert early.window == pp.Window(90, start_minutes=450)
    with pytest.raises(pp.InputError, match="there is no window 'noon'"):
        pp.estimate_risk(demo_area, window="noon")


@pytest.mark.parametrize("month", MONTHS)
def test_a_month_is_text_or_period(month):
    """Any day of it will do."""
    assert read_month(month) == pd.Timestamp("2026-08-01")
