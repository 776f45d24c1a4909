"""The brief: threshold, words, one page, one object."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from outputs.printed import read_pages
from weeks_by_hand import build_week

from patrolplan import cli
from patrolplan.hotspots.reasons import ReportsReason
from patrolplan.hotspots.trends import CHANGED_TRENDS
from patrolplan.outputs.brief.brief import build_brief, read_week_visits
from patrolplan.outputs.brief.brief_render import (
    build_brief_document,
    describe_answer,
    format_brief_lines,
    render_brief,
    summarise_changes,
)
from patrolplan.outputs.week.week_pack import write_week_documents
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.team.week import DemandOutcome, Duty
from patrolplan.times import format_time

HOSTILE = (
    'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*] $x$'
)
JULY = dt.date(2026, 7, 1)


@pytest.fixture(scope="module")
def hotspots(demo_plan):
    """Hotspots of the demo borough."""
    return demo_plan.hotspots


@pytest.fixture(scope="module")
def brief(demo_area, hotspots):
    """Brief of a school with rising crime near it."""
    return build_brief(demo_area, hotspots, "900010", dt.date(2026, 6, 1))


def settings_of(whole, **changes):
    """The area with one section of its settings changed."""
    update = {
        name: getattr(whole.settings, name).model_copy(update=values)
        for name, values in changes.items()
    }
    return dataclasses.replace(whole, settings=whole.settings.model_copy(update=update))


def test_changed_hotspots_are_within_the_walk(demo_area, hotspots, brief):
    """Only new or rising hotspots are listed, nearest first, none beyond the radius."""
    trend = hotspots.set_index("hotspot")["trend"]
    assert brief.hotspots
    for spot in brief.hotspots:
        assert trend[spot.hotspot] == spot.trend
        assert spot.trend in {"new", "rising"}
        assert spot.walk_metres <= demo_area.settings.patrol.radius_metres
    walks = [spot.walk_metres for spot in brief.hotspots]
    assert walks == sorted(walks)


def test_reports_come_as_bands_of_whole_groups(demo_area, brief):
    """Groups have multiples of the threshold, and are never dated since a day."""
    threshold = demo_area.reports.threshold
    assert brief.reports
    for group in brief.reports:
        low, high = map(int, group.number.split(" to "))
        assert low >= threshold
        assert low % threshold == 0
        assert high == low + threshold - 1
    assert "of all dates, not only of this period" in "\n".join(format_brief_lines(brief))


def test_crime_under_the_threshold_is_held_back_where_asked(demo_area, hotspots):
    """With crime held to the threshold, no small count is shown, nor a sum that tells it."""
    area = settings_of(
        demo_area, privacy={"threshold_for_crime": True}, patrol={"radius_metres": 300.0}
    )
    small_brief = build_brief(area, hotspots, "900001", dt.date(2026, 9, 1))
    plain = build_brief(
        settings_of(demo_area, patrol={"radius_metres": 300.0}),
        hotspots,
        "900001",
        dt.date(2026, 9, 1),
    )
    small = [one.name for one in plain.categories if round(one.now.value) < 5]
    assert small
    for one in small_brief.categories:
        assert (one.now.value is None) == (one.name in small)
        if one.now.value is None:
            assert one.now.text == "fewer than 5"
            assert one.p_value is None
            assert not one.rising
    assert small_brief.total.now.value is None
    document = build_brief_document(small_brief)
    numbers = [one["now"]["value"] for one in document["categories"]]
    assert all(number is None or round(number) >= 5 for number in numbers)
    assert all(round(one.now.value) >= 5 for one in small_brief.streets)
    assert "fewerthan5" in read_pages(render_brief(small_brief))[0]
    assert "not shown" in "\n".join(format_brief_lines(small_brief))


def test_days_are_counted_where_they_are_known(demo_area, hotspots):
    """A force's own extract counts from the very day, and names the latest day."""
    incidents = demo_area.incidents.copy()
    day = np.arange(len(incidents)) % 28
    incidents["occurred_at"] = incidents["month"] + pd.to_timedelta(day * 24 + 16, unit="h")
    area = dataclasses.replace(demo_area, incidents=incidents, times_known=True, snapped=False)
    small_brief = build_brief(area, hotspots, "900001", dt.date(2026, 9, 10))
    around = build_brief(area, hotspots, "900001", dt.date(2026, 9, 1))
    text = "\n".join(format_brief_lines(small_brief))
    assert "10 to 28 September 2026 (19 days)" in text
    assert "The latest day in the data is 28 September 2026." in text
    assert "Open data" not in text
    assert 0 < small_brief.total.now.value < around.total.now.value


def test_names_arrive_as_text(demo_area, brief):
    """Markup of typst or HTML in names, reasons and the area is printed letter by letter."""
    named = settings_of(demo_area, area={"name": HOSTILE})
    spots = tuple(
        dataclasses.replace(
            spot, place=HOSTILE, reasons=(ReportsReason(time_band=None, factors=(HOSTILE,)),)
        )
        for spot in brief.hotspots
    )
    streets = tuple(dataclasses.replace(one, name=HOSTILE) for one in brief.streets)
    mean = dataclasses.replace(brief, area=named, school=HOSTILE, hotspots=spots, streets=streets)
    pdf = render_brief(mean)
    (page,) = read_pages(pdf)
    assert page.count("".join(HOSTILE.split())) >= 3
    assert json.loads(json.dumps(build_brief_document(mean)))["school"] == HOSTILE


def test_longest_brief_stays_on_one_page(brief):
    """Any number of hotspots and groups with long names, and many categories, fit the page."""
    long = "Saint Somebody the Great and All Angels " * 10
    why = (ReportsReason(time_band=None, factors=(long, long)),)
    spots = tuple(dataclasses.replace(spot, place=long, reasons=why) for spot in brief.hotspots * 5)
    groups = tuple(dataclasses.replace(group, place=long) for group in brief.reports * 5)
    rows = tuple(dataclasses.replace(one, name=long) for one in brief.categories * 3)
    full = dataclasses.replace(brief, school=long, hotspots=spots, reports=groups, categories=rows)
    assert len(read_pages(render_brief(full))) == 1


@pytest.mark.parametrize(
    ("request_words", "code", "message"),
    [
        (("123", "2026-06"), 1, "there is no school with URN '123' in the area"),
        (("900001", "2027-01"), 1, "is after the latest month in the data, 2026-09"),
        (("900001", "June"), 2, "is not a valid month or day"),
    ],
)
def test_command_refuses_plainly(demo, monkeypatch, capsys, request_words, code, message):
    """An unknown school or a day after the data ends with 1, a wrong date with 2."""
    args = ["--config", demo, "--school", request_words[0], "--since", request_words[1]]
    monkeypatch.setattr("sys.argv", ["patrolplan", "brief", *map(str, args)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    error = capsys.readouterr().err
    assert ended.value.code == code
    assert message in " ".join(error.replace("│", " ").split())
    assert "Traceback" not in error


URN = "900003"
SINCE = dt.date(2026, 6, 1)
MONDAY = dt.date(2026, 11, 30)


@pytest.fixture(scope="module")
def changed(demo_plan):
    """New and rising hotspots of the demo borough."""
    table = demo_plan.hotspots
    return list(table["hotspot"][table["trend"].isin(CHANGED_TRENDS)])


def _build_week(plan, hotspots, demands=()):
    """A week of one patrol, by an officer of the school's, whose one stop is at some hotspots."""
    patrol = next(one for one in plan.patrols if one.urn == URN and one.stops)
    spots = plan.hotspots.set_index("hotspot")
    stop = dataclasses.replace(patrol.stops[0], hotspot="H999", sees=())
    if hotspots:
        at = spots.loc[hotspots[0], "stop"]
        stop = dataclasses.replace(
            stop, hotspot=hotspots[0], point=(at.x, at.y), sees=tuple(hotspots)
        )
    legs = (patrol.legs[0], patrol.legs[-1])
    patrol = dataclasses.replace(patrol, stops=(stop,), legs=legs, variants=())
    duty = Duty(
        *("SSO-04", URN, MONDAY, patrol.start_minutes, patrol.end_minutes, 0, patrol),
        leave_minutes=patrol.start_minutes - 5,
    )
    return build_week(
        plan, tuple(MONDAY + dt.timedelta(days=n) for n in range(5)), (duty,), demands=demands
    )


def _brief(area, plan, folder, week, urn=URN):
    write_week_documents(week, folder)
    return build_brief(area, plan.hotspots, urn, SINCE, week=read_week_visits(folder, area))


def test_a_patrol_that_stops_there_is_the_answer(demo_area, demo_plan, changed, tmp_path):
    """Day, time and officer stand with the hotspot; those in view are met as well."""
    week = _build_week(demo_plan, changed[:2])
    brief = _brief(demo_area, demo_plan, tmp_path, week)
    arrive = format_time(week.duties[0].patrol.stops[0].arrive_minutes)
    answers = {spot.hotspot: describe_answer(brief, spot) for spot in brief.hotspots}
    for name in changed[:2]:
        assert answers[name] == f"In the week of 30 November: Monday {arrive}, SSO-04."
    assert "The week of 30 November goes to 2 of them." in summarise_changes(brief)
    lines = [line.strip() for line in format_brief_lines(brief)]
    assert all(answer in lines for answer in answers.values())
    assert render_brief(brief)
    rows = {row["hotspot"]: row["answer"] for row in build_brief_document(brief)["hotspots"]}
    assert rows[changed[0]]["visits"] == [
        {"officer": "SSO-04", "urn": URN, "date": "2026-11-30", "arrive": arrive}
    ]
    assert rows[changed[0]]["why"] is None


def test_what_nobody_goes_to_has_the_weeks_reason(demo_area, demo_plan, changed, tmp_path):
    """If the week has a reason for an unmet hotspot, so has the brief; else that no one comes."""
    why = Obstacle("out_of_reach", changed[0], "S", metres=1700.0)
    unmet = DemandOutcome("watched", changed[0], None, 1, (), why)
    brief = _brief(demo_area, demo_plan, tmp_path, _build_week(demo_plan, [], (unmet,)))
    answers = {spot.hotspot: describe_answer(brief, spot) for spot in brief.hotspots}
    assert answers[changed[0]].startswith("Not in the week of 30 November: ")
    assert "no patrol goes there" not in answers[changed[0]]
    assert answers[changed[1]] == "Not in the week of 30 November: no patrol goes there."
    assert "The week of 30 November goes to none of them." in summarise_changes(brief)
    row = next(one for one in build_brief_document(brief)["hotspots"] if one["answer"]["why"])
    assert row["hotspot"] == changed[0]
    assert row["answer"]["visits"] == []
    assert row["answer"]["why"]["kind"] == "out_of_reach"


def test_after_a_change_of_data_places_count_and_not_names(demo_area, demo_plan, changed, tmp_path):
    """A week of other data may call the place otherwise: a stop on the stretch counts."""
    week = _build_week(demo_plan, changed[:1])
    patrol = week.duties[0].patrol
    stop = dataclasses.replace(patrol.stops[0], hotspot="H999", sees=())
    duty = dataclasses.replace(
        week.duties[0], patrol=dataclasses.replace(patrol, stops=(stop, *patrol.stops[1:]))
    )
    other = dict(week.created_from) | {"seed": 123}
    older = dataclasses.replace(week, duties=(duty,), created_from=other)
    brief = _brief(demo_area, demo_plan, tmp_path, older)
    (spot,) = [one for one in brief.hotspots if one.hotspot == changed[0]]
    assert spot.answer is not None
    assert [visit.officer for visit in spot.answer.visits] == ["SSO-04"]
    same = dataclasses.replace(older, created_from=week.created_from)
    brief = _brief(demo_area, demo_plan, tmp_path, same)
    (spot,) = [one for one in brief.hotspots if one.hotspot == changed[0]]
    assert spot.answer.visits == ()
