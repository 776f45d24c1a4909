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
