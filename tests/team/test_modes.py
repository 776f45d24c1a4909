"""Officers on foot and by bicycle in one week: each has patrols of the way that they go."""

import dataclasses
import datetime as dt
import importlib.util
import json
from pathlib import Path

import pytest

import patrolplan as pp
from patrolplan.outputs.week.roster import Roll
from patrolplan.outputs.week.spreadsheet import week_csv
from patrolplan.outputs.week.task_sheets import tasks_data
from patrolplan.team.bases import schools_of_other_mode
from patrolplan.team.day_plans import plan_days
from patrolplan.team.replan import replan
from patrolplan.team.rota import plan_week
from patrolplan.team.routes import walked, ways
from patrolplan.team.week import Lock, school_week, week_document
from patrolplan.team.week_file import read_week

MONDAY = dt.date(2026, 11, 30)
DAYS = school_week(MONDAY)
OFFICERS = ["SSO-02", "SSO-03", "SSO-08"]
"""SSO-03 goes by bicycle, to 900002 and, as SSO-08 on foot, to 900009."""
URNS = ["900002", "900007", "900009", "900011"]

_spec = importlib.util.spec_from_file_location("checker", Path(__file__).with_name("checker.py"))
checker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checker)


@pytest.fixture(scope="module")
def area(demo_area):
    """The demo borough with three of its officers."""
    officers = demo_area.officers
    mine = officers[officers["officer"].isin(OFFICERS)].reset_index(drop=True)
    return pp.with_settings(
        dataclasses.replace(demo_area, officers=mine), week={"way_by_officer": True}
    )


@pytest.fixture(scope="module")
def found(demo_area):
    """Risk and hotspots."""
    risk = pp.estimate_risk(demo_area)
    return risk, pp.find_hotspots(demo_area, risk)


@pytest.fixture(scope="module")
def plan(area, found):
    """Patrols on foot of four schools."""
    return pp.plan_patrols(area, *found, urns=URNS, held_out=False)


@pytest.fixture(scope="module")
def week(area, plan):
    """A week of both modes."""
    return plan_week(area, plan, start=MONDAY)


def _on_foot(area):
    return dataclasses.replace(area, officers=area.officers.assign(mode="walk"))


def test_each_officer_has_patrols_of_their_mode(week, area):
    """Who goes by bicycle has patrols by bicycle, who goes on foot has patrols on foot."""
    assert checker.broken_promises(week, area) == []
    assert {duty.patrol.way for duty in week.duties if duty.officer == "SSO-03"} == {"bicycle"}
    assert {duty.patrol.way for duty in week.duties if duty.officer != "SSO-03"} == {"walk"}


def test_only_their_schools_are_planned_the_other_way(week, area, found):
    """Patrols by bicycle are those that a plan by bicycle has, at the schools of who rides."""
    other = week.plan.other_mode
    assert {patrol.urn for patrol in other.patrols} == {"900002", "900009"}
    rides = pp.with_settings(area, patrol={"way": "bicycle"})
    same = pp.plan_patrols(rides, *found, urns=["900002", "900009"], held_out=False)
    own = {(walked(patrol), number) for number, patrol in ways(same)}
    assert own <= {(walked(patrol), number) for number, patrol in ways(other)}


def test_days_planned_ahead_hold_the_same_patrols(area, found, week):
    """`plan_days` plans both modes at once, and a week of it is as good."""
    plans = plan_days(area, *found, DAYS, held_out=False)
    assert schools_of_other_mode(area) == ("900002", "900009")
    mine = {walked(patrol) for _, patrol in ways(plans[MONDAY].other_mode)}
    assert {walked(patrol) for patrol in week.plan.other_mode.patrols} <= mine


def test_without_another_mode_nothing_changes(area, plan):
    """Where all go the area's way no other patrols are planned, and no way is told."""
    same = plan_week(_on_foot(area), plan, start=MONDAY)
    document = week_document(same)
    assert same.plan.other_mode is None
    assert not same.modes_differ
    assert all("way" not in row for row in document["patrols"])
    assert b"way" not in week_csv(Roll(same)).splitlines()[0]


def test_an_area_by_bicycle_has_walkers_walk(area, found):
    """Where patrols go by bicycle, officers on foot have patrols on foot."""
    rides = pp.with_settings(area, patrol={"way": "bicycle"})
    plan = pp.plan_patrols(rides, *found, urns=URNS, held_out=False)
    week = plan_week(rides, plan, start=MONDAY)
    assert checker.broken_promises(week, area) == []
    assert {duty.patrol.way for duty in week.duties} == {"walk", "bicycle"}


def test_the_week_tells_the_way_and_comes_back(week, area, plan, tmp_path):
    """`week.json` tells how each patrol goes; read again it is the same week."""
    document = json.loads(json.dumps(week_document(week)))
    told = {(row["officer"], row["way"]) for row in document["patrols"]}
    assert told == {("SSO-02", "walk"), ("SSO-03", "bicycle"), ("SSO-08", "walk")}
    (tmp_path / "week.json").write_text(json.dumps(document), encoding="utf-8")
    again = read_week(tmp_path, area, plan)
    assert week_document(again) == document
    assert [duty.patrol.way for duty in again.duties] == [d.patrol.way for d in week.duties]


def test_sheets_and_table_tell_the_way(week):
    """Every patrol of a task sheet and every row of the table say how it goes."""
    data = tasks_data(Roll(week), week.duties, wall=True)
    for sheet in data["sheets"]:
        said = "by bicycle" if sheet["officer"] == "SSO-03" else "on foot"
        assert sheet["about"] == said
        tasks = [task for day in sheet["days"] for task in day["duties"]]
        assert tasks
        assert all(f" · {said} · " in task["about"] for task in tasks)
    head, *rows = week_csv(Roll(week)).decode("utf-8-sig").splitlines()
    assert head.endswith('"way"')
    assert all(row.endswith(('"walk"', '"bicycle"')) for row in rows)


def test_an_absence_is_covered_on_foot(area, plan):
    """A patrol by bicycle that is lost goes to an officer on foot as a patrol on foot."""
    free = dataclasses.replace(area, officers=area.officers.assign(max_patrols_per_week=[3, 4, 5]))
    lock = Lock("SSO-03", "900009", MONDAY)
    bare = plan_week(free, plan, start=MONDAY, locks=[lock])
    kept = [d for d in bare.duties if not (d.officer == "SSO-08" and d.date == MONDAY)]
    held = dataclasses.replace(bare, duties=tuple(kept), locks=())
    repaired, _ = replan(held, free, plan, absent={"SSO-03": {MONDAY}})
    [new] = [duty for duty in repaired.duties if (duty.urn, duty.date) == ("900009", MONDAY)]
    assert (new.officer, new.patrol.way) == ("SSO-08", "walk")


def test_an_officer_who_is_lent_goes_their_way(area, plan):
    """A lock at a school that nobody rides to is fulfilled by a patrol by bicycle."""
    locks = [Lock("SSO-03", "900007", MONDAY, 0)]
    week = plan_week(area, plan, start=MONDAY, locks=locks)
    [lent] = [duty for duty in week.duties if (duty.officer, duty.date) == ("SSO-03", MONDAY)]
    assert (lent.urn, lent.variant, lent.patrol.way) == ("900007", 0, "bicycle")


def test_an_extract_for_walking_is_announced(area, plan):
    """The week says that roads for bicycles may be missing, as a plan by bicycle does."""
    bare = dataclasses.replace(area, walking_extract=True)
    week = plan_week(bare, dataclasses.replace(plan, area=bare), start=MONDAY)
    assert any("extract for walking" in note for note in week.notes)


def test_a_bicycle_slower_than_a_walk_is_an_error(area, plan):
    """Settings that are right on foot are refused where somebody goes by bicycle."""
    slow = pp.with_settings(area, patrol={"cycling_speed_kmh": 4})
    with pytest.raises(pp.InputError, match="SSO-03 goes by bicycle"):
        plan_week(slow, plan, start=MONDAY)


def test_without_the_setting_all_go_one_way_and_the_week_says_so(area, plan):
    """Unless officers are to go their own way, every patrol goes the area's, which is announced."""
    alike = pp.with_settings(area, week={"way_by_officer": False})
    week = plan_week(alike, plan, start=MONDAY)
    assert {duty.patrol.way for duty in week.duties} == {"walk"}
    assert checker.broken_promises(week, alike) == []
    told = "SSO-03 goes by bicycle to the gate and between schools, and patrols on foot."
    assert any(told in note for note in week.notes)
