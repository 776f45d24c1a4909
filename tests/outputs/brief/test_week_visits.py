"""A brief names the patrols of a week to new and rising places, or why there are none."""

import dataclasses
import datetime as dt

import pytest
from weeks_by_hand import build_week

from patrolplan.hotspots.trends import CHANGED_TRENDS
from patrolplan.outputs.brief.brief import build_brief
from patrolplan.outputs.brief.brief_render import (
    build_brief_document,
    format_brief_lines,
    render_brief,
)
from patrolplan.outputs.brief.brief_words import describe_answer, summarise_changes
from patrolplan.outputs.brief.week_visits import read_week_visits
from patrolplan.outputs.week.week_pack import write_week_documents
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.team.week import Duty
from patrolplan.team.week_records import DemandOutcome
from patrolplan.times import format_time

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
    rows = {row["id"]: row for row in build_brief_document(brief)["hotspots"]}
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
    row = build_brief_document(brief)["hotspots"][0]
    assert row["visits"] == []
    assert row["why"].startswith("Not in the week")


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
