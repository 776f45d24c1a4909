"""Demands of a week, the plans of its days, the routes that meet them, and what became of each."""

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings, strategies as st

import patrolplan as pp
from patrolplan.hotspots.trends import CHANGED_TRENDS
from patrolplan.patrols import errands
from patrolplan.patrols.demands import Demand
from patrolplan.patrols.feared_places import find_feared_places
from patrolplan.patrols.planner import get_planner
from patrolplan.team import day_plans
from patrolplan.team.day_plans import plan_days
from patrolplan.team.obstacle_finder import (
    ObstacleFinder,
    _explain_unmet,
    build_demand_outcomes,
    find_obstacles_beside,
)
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.routes import find_meeting_routes, list_demands, list_routes_for_two

MONDAY = dt.date(2026, 11, 16)
DAYS = tuple(MONDAY + dt.timedelta(days=n) for n in range(5))
TUESDAY, WEDNESDAY = DAYS[1:3]


PLACES = st.sampled_from(["A", "B", "H1", "H2", "H3"])
VISITED = st.lists(PLACES, min_size=1, max_size=2).map(tuple)
SENT = st.none() | st.builds(SimpleNamespace, place_id=PLACES)
STOPS = st.builds(SimpleNamespace, sent_for=SENT, covered=VISITED, kind=st.just("own"))
ROUTES = st.lists(st.builds(SimpleNamespace, stops=st.lists(STOPS, max_size=3)), max_size=5)
TASKED = st.builds(Demand, st.just("tasked"), PLACES, st.just((0,)), officers=st.integers(1, 2))
KIND = st.sampled_from(["watched", "feared"])
NEAR = st.lists(PLACES, max_size=3).map(tuple)
OTHERS = st.builds(Demand, KIND, st.just("P"), st.just((0,)), NEAR)
DEMANDS = st.lists(TASKED | OTHERS, max_size=5)


@settings(max_examples=100, deadline=None)
@given(DEMANDS, ROUTES)
def test_meeting_routes_are_those_of_a_plain_search(demands, routes):
    """Each demand is compared with each stop of each route, one after the other."""
    expected = set()
    for number, demand in enumerate(demands):
        for row, stop in ((row, stop) for row, route in enumerate(routes) for stop in route.stops):
            is_sent = stop.sent_for is not None and demand.kind == "tasked"
            is_there = is_sent and demand.place == stop.sent_for.place_id
            if is_there or set(demand.hotspots) & {*stop.covered}:
                expected.add((number, row))
    found = find_meeting_routes(demands, routes)
    assert len(found) == len(expected)
    assert set(map(tuple, found.tolist())) == expected
    needs = list_routes_for_two(demands, routes)
    assert set(np.flatnonzero(needs)) == {r for n, r in expected if demands[n].officers > 1}


def task(area, **columns):
    """The area with its place T-01 alone, on Wednesday."""
    day = pd.Timestamp(WEDNESDAY)
    place = area.tasked_places.iloc[[0]].assign(**{"from": day, "to": day})
    for name, value in columns.items():
        place[name] = [value]
    if "geometry" in columns:
        place = place.set_geometry("geometry", crs=area.network.projection.crs)
    return replace(area, tasked_places=place.reset_index(drop=True))


@pytest.fixture(scope="module")
def bare(demo_area, found):
    """Plans of the days without a tasked place."""
    return plan_days(replace(demo_area, tasked_places=demo_area.tasked_places[:0]), *found, DAYS)


@pytest.fixture(scope="module")
def make_inputs(demo_area, found, bare):
    """Inputs of a week of two officers of the demo borough, its place changed in some columns."""

    def make(**columns):
        area = replace(task(demo_area, **columns), officers=demo_area.officers.iloc[:2])
        plans = plan_days(area, *found, DAYS, earlier=bare)
        return RotaInputs(area, tuple(plans[day] for day in DAYS), DAYS)

    return make


def test_demands_are_places_by_day_and_hotspots_of_the_week(demo_area, found):
    """A place has a demand for each of its days; a rising hotspot one for any day."""
    area = task(demo_area, visits=2, officers=2)
    until = area.tasked_places.assign(weekdays=[["mon", "wed"]], to=pd.Timestamp("2026-11-30"))
    area = replace(area, tasked_places=until)
    urns = tuple(area.schools["urn"])
    is_open = np.ones((len(urns), 5), dtype=bool)
    plan = pp.plan_patrols(area, *found, urns=urns[:1])
    demands = list_demands(plan, DAYS, urns, is_open, {})
    assert demands[:1] == (Demand("tasked", "T-01", (2,), visits=2, officers=2),)
    changed = found[1][found[1]["trend"].isin(CHANGED_TRENDS)]
    watched = [demand for demand in demands if demand.kind == "watched"]
    assert [demand.place for demand in watched] == changed["hotspot"].tolist()
    assert len(changed) == 3
    assert {demand.days for demand in demands[1:]} == {(0, 1, 2, 3, 4)}
    closed = list_demands(plan, DAYS, urns, np.zeros_like(is_open), {})
    assert closed == demands[:1]


def test_feared_places_ask_for_a_visit_unless_they_had_one_in_the_week_before(demo_area, found):
    """A dose in its hotspot meets the fortnight; of a special school's squares none is due."""
    urns = tuple(demo_area.schools["urn"])
    is_open = np.ones((len(urns), 5), dtype=bool)
    plan = pp.plan_patrols(demo_area, *found, urns=urns[:1])
    walking = [urn for urn in urns if urn != "900010"]
    places = find_feared_places(get_planner(plan), walking)
    last = {places[1].hotspots[0]: {dt.date(2026, 11, 27)}}
    demands = list_demands(plan, DAYS, urns, is_open, last)
    feared = [demand for demand in demands if demand.kind == "feared"]
    assert [demand.place for demand in feared] == [place.name for place in places]
    assert [demand.visits for demand in feared] == [int(row != 1) for row in range(len(places))]
    assert [demand.hotspots for demand in feared] == [place.hotspots for place in places]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"from_minutes": 915.0, "to_minutes": 916.0}, "is the earliest, from "),
        ({"from_minutes": 480.0, "to_minutes": 540.0}, "08:00 to 09:00 are outside all patrols"),
        ({"minutes": 119.0}, "it does not fit into the window of "),
        ({"schools": ["999999"]}, "it is for none of the schools that are planned"),
        ({"geometry": shapely.Point(599000, 195000), "schools": ["*"]}, "on no school's streets"),
    ],
)
def test_what_no_patrol_can_do_names_the_nearest_miss(make_inputs, columns, words):
    """Hours, window, schools or distance: the reason of the school that comes nearest."""
    outcomes = build_demand_outcomes(find_obstacles_beside(make_inputs(**columns), ()), ())
    (outcome,) = (outcome for outcome in outcomes if outcome.kind == "tasked")
    assert (outcome.place, outcome.date) == ("T-01", WEDNESDAY)
    assert not outcome.met_by
    assert words in outcome.why.tell_lead()


@pytest.fixture(scope="module")
def area(demo_area):
    """The demo borough with one place that must be visited, on Tuesday alone."""
    day = pd.Timestamp(TUESDAY)
    return task(demo_area, **{"from": day, "to": day}, must_visit=True)


@pytest.fixture(scope="module")
def plans(area, found, bare):
    """Its plans by day."""
    return plan_days(area, *found, DAYS, earlier=bare)


def list_served(plan):
    """Schools that have a patrol to a tasked place, and those whose best patrol is one."""
    patrols = [patrol for patrol in plan.patrols if patrol.variants]
    further = {patrol.urn for patrol in patrols if any(v.serves for v in patrol.variants)}
    return further, {p.urn for p in plan.patrols if any(stop.tasked for stop in p.stops)}


def test_a_tasked_place_adds_a_patrol_on_its_days_only(plans):
    """On its days each school that may serve it has one more patrol; all others stay the same."""
    assert [*map(id, plans[DAYS[0]].patrols)] == [*map(id, plans[DAYS[4]].patrols)]
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
    assert [*map(id, again[TUESDAY].patrols)] == [*map(id, plans[TUESDAY].patrols)]
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


def test_where_two_are_needed_who_is_there_alone_lacks_a_second(make_inputs):
    """An officer whose patrol goes there on the day is not said to be elsewhere."""
    inputs = make_inputs(officers=2)
    row, meets = inputs.demands[0], np.zeros(len(inputs.routes), dtype=bool)
    meets[find_meeting_routes(inputs.demands[:1], inputs.routes)[:, 1]] = True
    there = next(one for one in inputs.option_rows if one[1] in row.days and meets[one[2]])
    why = _explain_unmet(ObstacleFinder(inputs, np.array([there])), row, meets)
    assert inputs.officers[there[0]] in why.officers["without_second"]
    # Only visits that somebody asks for are not held to the maximum of a day.
    problem, asked = inputs.problem, inputs.problem.mandatory_visits
    assert set(problem.visits[asked, 0]) <= set(np.flatnonzero(meets))
