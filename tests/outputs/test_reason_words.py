"""Reasons in words."""

import dataclasses
import datetime as dt
from typing import get_args

import pytest
from hypothesis import given, strategies as st
from pydantic import TypeAdapter

from patrolplan.hotspots.reasons import (
    Change,
    CrimeReason,
    Days,
    ReportsReason,
    TrendReason,
    UnsurePlaceReason,
    WayReason,
)
from patrolplan.outputs.facts import find_busiest_stop
from patrolplan.outputs.reason_words import describe_certainty, describe_reason, list_reasons
from patrolplan.outputs.wording import describe_tasking
from patrolplan.patrols.plan import StopReason, Tasking
from patrolplan.risk.report_voice import TimeBand
from patrolplan.times import Season

CRIME = CrimeReason(
    incidents=12,
    months=12,
    last_month="2026-10",
    categories=("Violence and sexual offences", "Robbery"),
)

HOURS = {"in_hours": 9, "hours": "15:00-17:30", "days": "weekdays"}

TASKING = Tasking("T-01", " phones;", "A", dt.date(2026, 5, 4))

NAMES = st.text(max_size=30)
REASONS = st.one_of(
    st.builds(
        CrimeReason,
        kind=st.just("recorded_crime"),
        incidents=st.none() | st.integers(0, 10**6),
        fewer_than=st.none() | st.integers(2, 99),
        in_hours=st.none() | st.integers(0, 10**6),
        timed=st.none() | st.integers(0, 10**6),
        hours=st.just("15:00-17:30"),
        days=st.sampled_from(get_args(Days)),
        months=st.integers(1, 99),
        last_month=st.dates().map(lambda day: f"{day.year:04d}-{day.month:02d}"),
        categories=st.lists(NAMES, max_size=3).map(tuple),
    ),
    st.builds(
        ReportsReason,
        kind=st.just("reports"),
        time_band=st.none() | st.sampled_from(get_args(TimeBand)),
        factors=st.lists(NAMES, max_size=3).map(tuple),
        reports=st.none() | st.integers(0, 10**6),
        max_reports=st.none() | st.integers(0, 10**6),
        term=st.none() | st.sampled_from(get_args(Season)),
        year=st.none() | st.integers(2000, 2199),
        earlier=st.booleans(),
    ),
    st.builds(TrendReason, kind=st.just("trend"), trend=st.sampled_from(get_args(Change))),
    st.just(UnsurePlaceReason()),
)


@given(REASONS)
def test_a_reason_is_the_same_after_a_file(reason):
    """Written to JSON and read back, a reason of any kind has its kind and its values."""
    adapter = TypeAdapter(StopReason)
    assert adapter.validate_json(adapter.dump_json(reason)) == reason


@given(REASONS)
def test_every_reason_has_words(reason):
    """Any reason becomes a phrase that starts with a capital letter or a number of pupils."""
    words = describe_reason(reason)
    assert words[0].isupper() or (isinstance(reason, ReportsReason) and words[0].isdigit())
    assert describe_reason(reason, "short")[0].isupper()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "about 12 at any hour in the 12 months to October 2026, "),
        ({"incidents": 1}, "hardly any at any hour in the 12 months to October 2026, "),
        ({"incidents": 0} | HOURS, "hardly any at any hour in the 12 months to October 2026, "),
        (
            {"incidents": None, "fewer_than": 5},
            "fewer than 5 at any hour in the 12 months to October 2026, ",
        ),
        (HOURS, "9 of about 12 on weekdays, 15:00 to 17:30, in the 12 months to October 2026, "),
        (
            HOURS | {"in_hours": 0, "days": ""},
            "none of about 12 from 15:00 to 17:30, in the 12 months to October 2026, ",
        ),
        (
            HOURS | {"timed": 10},
            "about 12 (9 of 10 with a known time on weekdays, 15:00 to 17:30) in the 12 months",
        ),
    ],
)
def test_recorded_crime_says_how_much_until_when(values, words):
    """The number is rounded, and one below the threshold for crime is not given."""
    reason = dataclasses.replace(CRIME, **values)
    assert describe_reason(reason).startswith(f"Recorded crime: {words}")


REPORTS = ReportsReason(
    time_band="after_school",
    factors=("poor_lighting", "groups_loitering"),
    reports=75,
    max_reports=79,
    term="autumn",
    year=2025,
)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {},
            (
                "75 to 79 pupils feel unsafe here after school (autumn term 2025): "
                "poor lighting and groups loitering"
            ),
        ),
        (
            {"earlier": True, "factors": ()},
            "75 to 79 pupils feel unsafe here after school (up to autumn term 2025)",
        ),
        (
            {"term": None, "year": None, "time_band": None, "factors": ()},
            "75 to 79 pupils feel unsafe here",
        ),
        (
            {"reports": None},
            "Pupils feel unsafe here after school: poor lighting and groups loitering",
        ),
    ],
)
def test_reports_say_how_many_and_when(values, words):
    """The number stands first, the term in brackets; older files have neither."""
    assert describe_reason(dataclasses.replace(REPORTS, **values)) == words


def test_how_sure_follows_the_data(demo_plan):
    """Chance, trend and place of a hotspot are in its line; based on reports it has neither."""
    table = demo_plan.hotspots.iloc[:1]
    hotspot = {"mainly_reports": False, "stands_out": False, "trend": "fading", "survived": 0.1}
    (line,) = describe_certainty(demo_plan.area, demo_plan.risk, table.assign(**hotspot))
    assert line.startswith(
        "could be chance; fading; may lie a street or two away; placed to within"
    )
    sure = table.assign(mainly_reports=True, stands_out=True, trend="new", survived=0.1)
    (line,) = describe_certainty(demo_plan.area, demo_plan.risk, sure)
    assert "reports; placed to within" in line


@given(st.text(max_size=3000), st.text(max_size=200))
def test_a_tasking_is_never_cut(reason, by):
    """However long the reason, all of it stands before who requests it and until when."""
    words = describe_tasking(Tasking("T-01", reason, by, dt.date(2026, 12, 18)))
    assert words == f"{reason.strip().rstrip('.;')} (requested by {by}, until 18 December 2026)"


@pytest.mark.parametrize(
    ("arrive", "missed"), [(905, ""), (935, ""), (936, "before"), (983, "before"), (880, "after")]
)
def test_pupils_who_pass_at_another_time_are_not_promised(demo_plan, arrive, missed):
    """A way that a stop misses by over five minutes is a reason only if there is no other."""
    way = WayReason(school="Hill School", share=0.15, start="15:12", end="15:30")
    stop = dataclasses.replace(
        demo_plan.patrols[0].stops[0],
        why=(way, CRIME, TrendReason(trend="new")),
        tasking=None,
        arrive_minutes=arrive,
        leave_minutes=arrive + 15,
    )
    words = "On the way home of about one pupil in six of Hill School, 15:12 to 15:30"
    assert (f"{words}." in list_reasons(stop)) == (not missed)
    assert len(list_reasons(stop)) == (2 if missed else 3)
    assert (find_busiest_stop(_patrol(demo_plan, stop)) is None) == bool(missed)
    alone = dataclasses.replace(stop, why=(way,))
    tasked = dataclasses.replace(alone, tasking=TASKING)
    assert list_reasons(alone) == (f"{words}{missed and f', {missed} this visit'}.",)
    assert len(list_reasons(tasked)) == (1 if missed else 2)


def _patrol(plan, stop):
    """The plan's first patrol with one stop, for the school of the way home above."""
    return dataclasses.replace(plan.patrols[0], school="Hill School", stops=(stop,))
