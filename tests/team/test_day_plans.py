"""A plan for each day: places tasked by intelligence count on their days only."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from patrolplan.patrols import errands
from patrolplan.team import day_plans
from patrolplan.team.day_plans import plan_days

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
    return plan_days(area, *found, DAYS)


def list_served(plan):
    """Schools that have a patrol to a tasked place, and those whose best patrol is one."""
    patrols = [patrol for patrol in plan.patrols if patrol.variants]
    further = {patrol.urn for patrol in patrols if any(v.serves for v in patrol.variants)}
    return further, {p.urn for p in plan.patrols if any(stop.tasked for stop in p.stops)}


def test_a_tasked_place_adds_a_patrol_on_its_days_only(plans):
    """On its days each school that may serve it has one more patrol; all others stay the same."""
    assert all(a is b for a, b in zip(plans[DAYS[0]].patrols, plans[DAYS[4]].patrols, strict=True))
    served = {day: list_served(plan) for day, plan in plans.items()}
    assert served.pop(TUESDAY) == ({"900001", "900007"}, set())
    assert set(map(str, served.values())) == {"(set(), set())"}
    for before, with_place in zip(plans[MONDAY].patrols, plans[TUESDAY].patrols, strict=True):
        own = [variant for variant in with_place.variants if not variant.serves]
        assert list(map(id, own)) == list(map(id, before.variants))
        assert [stop.hotspot for stop in before.stops] == [s.hotspot for s in with_place.stops]


def test_other_hours_of_a_place_plan_its_schools_again(area, plans, found):
    """Where a place gets hours, the patrols to it are planned again, for its days alone."""
    again = plan_days(area, *found, DAYS, earlier=plans)
    assert all(one is two for one, two in zip(again[TUESDAY].patrols, plans[TUESDAY].patrols,
                                              strict=True))  # fmt: skip
    timed = area.tasked_places.assign(from_minutes=15 * 60 + 40.0, to_minutes=16 * 60 + 10.0)
    other = plan_days(replace(area, tasked_places=timed), *found, DAYS, earlier=plans)
    further = [v for p in other[TUESDAY].patrols for v in p.variants if v.serves]
    stops = [stop for v in further for p in v.patrols for stop in p.stops if stop.tasked]
    assert stops
    for stop in stops:
        assert stop.arrive_minutes >= 15 * 60 + 40 - 1e-6
        assert stop.leave_minutes <= 16 * 60 + 10 + 1e-6
    assert other[MONDAY].patrols == again[MONDAY].patrols


def test_a_place_that_is_added_plans_its_own_patrols_alone(area, plans, found, monkeypatch):
    """The best patrols and their variants are not solved again: one problem a school is."""
    solved = []
    solve = errands.solve
    monkeypatch.setattr(errands, "solve", lambda *a, **k: solved.append(a) or solve(*a, **k))
    monkeypatch.setattr(day_plans, "plan_patrols", None)
    also = area.tasked_places.assign(place_id="T-09", schools=[["*"]])
    both = replace(area, tasked_places=pd.concat([area.tasked_places, also], ignore_index=True))
    more = plan_days(both, *found, DAYS, earlier=plans)
    served = {name for p in more[TUESDAY].patrols for v in p.variants for name in v.serves}
    assert served == {"T-01", "T-09"}
    visits = [problem for problem, *_ in solved if problem.mandatory]
    assert 0 < len(visits) <= len(area.schools)
