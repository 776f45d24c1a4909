"""One time to set out everywhere, and nobody led to a colleague's base without a word."""

import dataclasses
import datetime as dt
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.outputs.week.roster import Roll
from patrolplan.outputs.week.spreadsheet import week_csv
from patrolplan.outputs.week.task_sheets import tasks_data
from patrolplan.patrols.plan import clock
from patrolplan.team.rota import plan_week
from patrolplan.team.week import Lock, day_name

MONDAY = dt.date(2026, 11, 30)
SHARED, FIRST, SECOND = "900009", "SSO-03", "SSO-08"
OTHER = "900001"
AWAY = 400.0

_spec = importlib.util.spec_from_file_location("checker", Path(__file__).with_name("checker.py"))
checker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checker)


def _apart(area):
    """The area with the second officer of a school at a base of their own."""
    officers = area.officers.copy()
    moved = officers["officer"] == SECOND
    officers.loc[moved, "geometry"] = officers.geometry[moved].translate(0, AWAY)
    return dataclasses.replace(area, officers=officers, tasked_places=area.tasked_places.iloc[:0])


def _week(area, plan, **patrol):
    """The week with the shared school given to its second officer once and to its first."""
    area = pp.with_settings(_apart(area), patrol=patrol)
    made = pp.plan_patrols(area, plan.risk, plan.hotspots, urns=[SHARED, OTHER], held_out=False)
    locks = [
        Lock(SECOND, SHARED, MONDAY),
        Lock(FIRST, SHARED, MONDAY + dt.timedelta(days=1)),
    ]
    return plan_week(area, made, start=MONDAY, locks=locks)


@pytest.fixture(scope="module", params=[0, 10], ids=["no presence", "presence"])
def week(request, demo_area, demo_plan):
    """A week of patrols from base to base."""
    return _week(demo_area, demo_plan, start="base", end="base", gate_minutes=request.param)


def _own(week):
    """The patrols that are not the second officer's at the shared school."""
    return [duty for duty in week.duties if (duty.officer, duty.urn) != (SECOND, SHARED)]


def _colleagues(week):
    return next(d for d in week.duties if (d.officer, d.urn) == (SECOND, SHARED))


def test_a_patrol_from_the_own_base_has_one_time_to_set_out(week):
    """Week, table and sheet have the time of the patrol's card, and hours are kept by it."""
    mine, table = _own(week), week_csv(Roll(week)).decode("utf-8-sig")
    assert any(duty.patrol.starts_at == "base" for duty in mine)
    hours = week.plan.area.officers.set_index("officer")
    for duty in mine:
        assert duty.leave_minutes == duty.patrol.set_out_minutes
        begin = hours.loc[duty.officer, ("mon", "tue", "wed", "thu", "fri")[duty.date.weekday()]]
        assert checker.minutes_of(begin[:5]) <= duty.leave_minutes + 1e-6
        assert not any("base of" in note for note in duty.patrol.notes)
        told = (duty.officer, day_name(duty.date), f"{duty.date}", clock(duty.leave_minutes))
        assert ",".join(f'"{cell}"' for cell in told) in table


def test_a_patrol_that_leads_to_a_colleagues_base_says_so(week):
    """Its notes and the week's name the colleague; the way from there to the gate is left out."""
    duty = _colleagues(week)
    patrol = duty.patrol
    (note,) = [note for note in patrol.notes if f"base of {FIRST}, " in note]
    assert note.endswith(f" m from that of {SECOND}.")
    does = "starts and ends" if patrol.from_base else "ends"
    assert f"{SECOND} at URN {SHARED}: the patrol {does} at the base of {FIRST}." in week.notes
    assert sum(f"at URN {SHARED}: the patrol" in note for note in week.notes) == 1
    assert patrol.approach is None
    assert patrol.starts_at == ("base" if patrol.from_base else "gate")
    sheets = tasks_data(Roll(week), [duty], wall=False)["sheets"]
    (task,) = [task for sheet in sheets for day in sheet["days"] for task in day["duties"]]
    assert task["where"] == f"at the base of {FIRST}"
    assert task["first_place"] == (f"Base of {FIRST}" if patrol.from_base else "School gate")


def test_who_comes_to_a_colleagues_base_leaves_in_time_to_be_there(week):
    """From the own base to where the patrol begins, by no less than the straight line."""
    duty = _colleagues(week)
    patrol, area = duty.patrol, week.plan.area
    base = area.officers.set_index("officer").loc[SECOND].geometry
    begin = patrol.base_xy if patrol.from_base else (patrol.x, patrol.y)
    straight = np.hypot(base.x - begin[0], base.y - begin[1]) / 80
    assert straight <= duty.start_minutes - duty.leave_minutes + 1 < 3 * straight + 2


def test_officers_of_one_base_share_it_without_a_word(demo_area, demo_plan):
    """A second officer with the base of the first is led from it as the first is."""
    area = pp.with_settings(demo_area, patrol={"start": "base"})
    plan = pp.plan_patrols(area, demo_plan.risk, demo_plan.hotspots, urns=[SHARED], held_out=False)
    week = plan_week(area, plan, start=MONDAY, locks=[Lock(SECOND, SHARED, MONDAY)])
    duty = _colleagues(week)
    assert duty.patrol.approach is not None
    assert duty.leave_minutes == duty.patrol.set_out_minutes
    assert not any("base of" in note for note in (*week.notes, *duty.patrol.notes))
