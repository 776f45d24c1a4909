"""A plan for each day: places tasked by intelligence count on their days only."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

import patrolplan as pp
from patrolplan.outputs.note_words import describe_note
from patrolplan.tables import LeftOutRow
from patrolplan.team.day_plans import plan_days, replan_days
from patrolplan.team.rota import plan_week
from patrolplan.team.week import Ban, Lock

MONDAY = dt.date(2026, 11, 30)
TUESDAY = MONDAY + dt.timedelta(days=1)
DAYS = [MONDAY + dt.timedelta(days=n) for n in range(5)]


@pytest.fixture(scope="module")
def area(demo_area):
    """The demo borough with one place that must be visited, on Tuesday alone."""
    places = demo_area.tasked_places
    assert len(places)
    one = places.iloc[:1].assign(**{"from": pd.Timestamp(TUESDAY), "to": pd.Timestamp(TUESDAY)})
    one["must_visit"] = True
    return replace(demo_area, tasked_places=one.reset_index(drop=True))


@pytest.fixture(scope="module")
def plans(area, found):
    """Its plans by day."""
    return plan_days(area, *found, DAYS, held_out=False)


def test_a_tasked_place_counts_on_its_days_only(area, plans):
    """Schools are planned again for the days on which their places differ, and only then."""
    assert all(a is b for a, b in zip(plans[DAYS[0]].patrols, plans[DAYS[4]].patrols, strict=True))
    tasked = {
        day: {p.urn for p in plan.patrols if any(s.tasked for s in p.stops)}
        for day, plan in plans.items()
    }
    assert tasked.pop(TUESDAY)
    assert not any(tasked.values())
    alone = plan_week(area, plans, start=MONDAY, bans=[Ban(date=TUESDAY)])
    (note,) = (note for note in alone.notes if note.kind == "tasked_place_missed")
    assert describe_note(note).endswith("on Tuesday 1 December.")
    lock = Lock("SSO-02", "900007", TUESDAY)
    week = plan_week(area, plans, start=MONDAY, locks=[lock])
    assert not any(note.kind == "tasked_place_missed" for note in week.notes)
    sent = [duty for duty in week.duties if any(stop.tasked for stop in duty.patrol.stops)]
    assert {duty.date for duty in sent} == {TUESDAY}
    with pytest.raises(pp.InputError, match="there is no plan for 2026-12-01"):
        plan_week(area, {MONDAY: plans[MONDAY]}, start=MONDAY)


def test_other_hours_of_a_place_plan_its_schools_again(area, plans, found):
    """Schools whose place gets hours are planned again for its days alone."""
    again = replan_days(plans, area, *found)
    assert all(one is two for one, two in zip(again[TUESDAY].patrols, plans[TUESDAY].patrols,
                                              strict=True))  # fmt: skip
    timed = area.tasked_places.assign(from_minutes=15 * 60 + 40.0, to_minutes=16 * 60 + 10.0)
    other = replan_days(plans, replace(area, tasked_places=timed), *found)
    stops = [stop for p in other[TUESDAY].patrols for stop in p.stops if stop.tasked]
    assert stops
    for stop in stops:
        assert stop.arrive_minutes >= 15 * 60 + 40 - 1e-6
        assert stop.leave_minutes <= 16 * 60 + 10 + 1e-6
    assert other[MONDAY].patrols == again[MONDAY].patrols


def test_planned_again_without_its_place_a_school_loses_what_was_left_out(area, plans, found):
    """A tasked place that is gone is no longer listed as left out; other schools' rows stay."""
    schools = {p.urn for p in plans[TUESDAY].patrols if any(s.tasked for s in p.stops)}
    urns = list(area.schools["urn"])
    rows = tuple(LeftOutRow("tasked places", f"URN {urn}: T-1", 1, urn=urn) for urn in urns)
    noted = {day: replace(plan, left_out=(*area.left_out, *rows)) for day, plan in plans.items()}
    bare = replace(area, tasked_places=area.tasked_places.iloc[:0])
    again = replan_days(noted, bare, *found)
    assert again[MONDAY].left_out == noted[MONDAY].left_out
    gone = set(noted[TUESDAY].left_out) - set(again[TUESDAY].left_out)
    assert schools <= {row.urn for row in gone} < set(urns)
    assert not any(s.tasked for p in again[TUESDAY].patrols for s in p.stops)
    others = [p for p in plans[TUESDAY].patrols if p.urn not in {row.urn for row in gone}]
    assert all(patrol in again[TUESDAY].patrols for patrol in others)
