"""When stops may be made: hours of designated and tasked places, and the light."""

import datetime as dt
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
import shapely
from hexagons import designate
from hypothesis import assume, given, strategies as st
from problems import build_problem
from tasked_table import task

import patrolplan as pp
from patrolplan.area.patrol_window import Window, find_daylight
from patrolplan.network import StreetNetwork, concatenate_positions
from patrolplan.network.paths import WalkFinder
from patrolplan.patrols.demands import Demand
from patrolplan.patrols.designated import count_visits, find_resting, read_hours
from patrolplan.patrols.errands import find_errands, plan_errands
from patrolplan.patrols.obstacles import Obstacle
from patrolplan.patrols.surroundings import PatrolHours
from patrolplan.patrols.tasked_places import add_taskings
from patrolplan.team.routes import list_demands
from patrolplan.times import format_time, minutes_after_midnight

FRIDAY = dt.date(2026, 12, 4)
URN = "900003"
MINUTES = st.integers(0, 1439)


@pytest.fixture(scope="module")
def town(static_demo_area, static_risk, static_hotspots):
    """The demo borough without tasked places, its risk, where a school stops, and hotspots."""
    area = replace(static_demo_area, tasked_places=static_demo_area.tasked_places.iloc[:0])
    plan = pp.plan_patrols(area, static_risk, static_hotspots, urns=[URN], for_week=False)
    polygon = shapely.Point(plan.patrols[0].stops[0].point).buffer(60)
    hotspots = pp.find_hotspots(designate(area, polygon), static_risk)
    return area, static_risk, polygon, hotspots.assign(trend="persistent")


def _visit(town, date=FRIDAY, **columns):
    """The school's plan where the force designates the polygon of its first stop."""
    area, risk, polygon, hotspots = town
    some = designate(area, polygon, **columns)
    return pp.plan_patrols(some, risk, hotspots, urns=[URN], date=date, for_week=False)


@pytest.fixture(scope="module")
def visited(town):
    """The plan where the force says neither days nor hours."""
    return _visit(town)


@given(MINUTES, MINUTES, st.integers(0, 1300), st.integers(30, 139), st.integers(1, 60))
def test_a_dwell_begins_where_a_plain_search_says(begin, end, start, length, dwell):
    """Minute by minute: the dwell is within hours that begin today or began yesterday."""
    until = end if end > begin else end + 1440
    assume(begin != end and until - begin >= dwell)
    place = pd.Series({"from": format_time(begin), "to": format_time(end)})
    hours = read_hours(place).meet(PatrolHours(start, 0.0, length))
    spans = [(begin, until), (begin - 1440, until - 1440)]
    met = sum(a < start + length and b > start for a, b in spans)
    assert (hours is None) == (met == 0)
    first, last = (0, 0) if hours is None else hours.find_begins(dwell)
    for minute in range(start, start + length - dwell + 1):
        inside = any(a <= minute and minute + dwell <= b for a, b in spans)
        assert met != 1 or (first <= minute <= last) == inside


@pytest.mark.parametrize(
    ("date", "days", "is_visited"),
    [(FRIDAY, ["fri", "sat"], True), (FRIDAY, ["mon", "sun"], False), (None, ["mon", "sun"], True)],
)
def test_it_is_visited_on_its_days_alone(town, date, days, is_visited):
    """On other days the patrol goes elsewhere; without a day all days count."""
    stops = [stop.hotspot for stop in _visit(town, date, days=[days]).patrols[0].stops]
    assert ("HO-1" in stops) == is_visited


@pytest.mark.parametrize("hours", [("16:05", "16:35"), ("20:00", "02:00")])
def test_it_is_visited_in_its_hours_alone(town, hours):
    """A dwell is within them and says that it is of the force, or there is none."""
    (patrol,) = _visit(town, **{"from": hours[0], "to": hours[1]}).patrols
    stops = [one for one in patrol.stops if one.hotspot == "HO-1"]
    assert len(stops) == ("HO-1" in patrol.hotspots) == (hours[0] < "17:00")
    for stop in stops:
        assert stop.kind == stop.why[0].kind == "designated"
        assert stop.arrive_minutes >= minutes_after_midnight(hours[0]) - 1e-6
        assert stop.leave_minutes <= minutes_after_midnight(hours[1]) + 1e-6


def test_a_week_demands_the_visits_that_bring_the_minutes(town, visited):
    """50 minutes are four visits of 15, on the days of the place; without minutes nothing is."""
    area, _, polygon, _ = town
    days = [FRIDAY - dt.timedelta(days=n) for n in range(4, -1, -1)]
    for minutes, visits in ((50.0, {"HO-1": 4}), (np.nan, {})):
        some = designate(area, polygon, minutes=minutes, days=[["mon", "fri", "sat"]])
        assert count_visits(some) == visits
        assert find_resting(some, days[1]) == {"HO-1"}
        demands = list_demands(replace(visited, area=some), days, (), np.zeros((0, 5), bool), {})
        expected = (Demand("designated", "HO-1", (0, 4), ("HO-1",), visits=4),) if visits else ()
        assert demands == expected


def test_a_school_near_it_has_a_patrol_that_goes_there(town, visited):
    """Where its own patrols do not, a further one does; where its hours are over, it says so."""
    area, _, polygon, _ = town
    bare = replace(visited, patrols=(replace(visited.patrols[0], stops=(), variants=()),))

    def ask(**hours):
        plan = replace(bare, area=designate(area, polygon, minutes=15.0, **hours))
        errands = [errand for errand in find_errands(plan) if errand.watch == ("HO-1",)]
        (answer,) = plan_errands(plan, errands)
        return answer

    variant, late = ask(), ask(**{"from": "20:00", "to": "22:00"})
    assert variant.watches == ("HO-1",)
    assert "HO-1" in variant.hotspots
    assert (late.urn, late.place, late.is_watched) == (URN, "HO-1", True)
    assert late.why == Obstacle("outside_hours", "HO-1", hours="20:00-22:00")


DAY = dt.date(2026, 12, 2)


def task_hours(area, xy, hours):
    """The area with one place to visit on the day; hours are minutes after midnight."""
    day = {"from": pd.Timestamp(DAY), "to": pd.Timestamp(DAY)}
    return task(area, xy, from_minutes=hours[0], to_minutes=hours[1], **day)


def pick_hotspot(area, hotspots, number, least=100.0):
    """Where a hotspot some way from a school's gate has its stopping place."""
    gate = area.network.xy(area.gates.take([number]))[0]
    places = hotspots[["stop_x", "stop_y"]].to_numpy()
    metres = np.hypot(*(places - gate).T)
    return tuple(places[np.flatnonzero((metres > least) & (metres < 700.0))[-1]])


def plan_one(area, plan, number, **how):
    """A school's first patrol, and the plan, with the risk and the hotspots of another."""
    found = {"urns": [area.schools["urn"].iloc[number]], "date": DAY, **how}
    plan = pp.plan_patrols(area, plan.risk, plan.hotspots, **found)
    return plan.patrols[0], plan


@pytest.mark.parametrize("number", [0, pytest.param(6, marks=pytest.mark.slow)])
@pytest.mark.parametrize("begin", [25, 40, 62])
def test_a_tasking_is_met_in_its_hours(demo_area, demo_plan, number, begin):
    """A dwell at a tasked place begins and ends within its hours, on any patrol."""
    hotspots = demo_plan.hotspots
    first = minutes_after_midnight(demo_area.schools["finish_time"].iloc[number]) + begin
    last, at = first + 20, pick_hotspot(demo_area, hotspots, number)
    patrol, _ = plan_one(task_hours(demo_area, at, (first, last)), demo_plan, number)
    (stop,) = (stop for stop in patrol.stops if stop.tasked)
    metres = hotspots.geometry.distance(shapely.Point(at))  # one may stand where stretches meet
    assert set(stop.covered) & set(hotspots["hotspot"][metres <= metres.min()])
    assert patrol.end_minutes <= patrol.latest_end_minutes + 1e-6
    assert stop.tasking.hours == f"{format_time(first)}-{format_time(last)}"
    walks = [patrol, *(walk for variant in patrol.variants for walk in variant.patrols)]
    for one in (stop for walk in walks for stop in walk.stops if stop.tasked):
        assert one.arrive_minutes >= first - 1e-6
        assert one.arrive_minutes + one.stood_minutes <= last + 1e-6  # then one may wait there
    timings = patrol.timings
    begins = timings.begin_minutes[timings.orders[timings.order] == patrol.stops.index(stop)]
    assert len(begins) == len(timings) > 0
    assert (begins >= first - 1e-6).all()
    assert (begins + 15 <= last + 1e-6).all()


def test_hours_that_cannot_be_met_are_named_with_the_earliest_arrival(demo_area, demo_plan):
    """Where the way from the gate is too long, the plan says when one would be there."""
    school, risk, hotspots = demo_area.schools.iloc[6], demo_plan.risk, demo_plan.hotspots
    first = minutes_after_midnight(school["finish_time"])
    at = pick_hotspot(demo_area, hotspots, 6, least=500.0)
    tasked = task_hours(demo_area, at, (first, first + 18))
    patrol, plan = plan_one(tasked, demo_plan, 6, for_week=False)
    assert not any(stop.tasked for stop in patrol.stops)
    ((urn, obstacle),) = ((row.urn, row.why) for row in plan.unserved)
    assert urn == school["urn"]
    problem = build_problem((tasked, risk, hotspots), 6, date=DAY, visit=["T1"])
    (stop,) = problem.tasked_stops
    minutes = problem.walks.metres[0, stop] / (4.8e3 / 60)
    earliest = format_time(np.ceil(patrol.start_minutes + 10 + minutes))
    cannot = f"its hours {format_time(first)} to {format_time(first + 18)} cannot be met"
    assert obstacle.tell_lead() == f"{cannot}: {earliest} is the earliest, from {school['name']}"
    assert f"T1: {obstacle.tell_lead()}" in [row.reason for row in plan.left_out]


def test_a_hotspot_whose_hours_cannot_be_met_may_be_visited_at_others(demo_area, demo_plan):
    """The best stop of a school stays one, without the tasking that cannot be met."""
    free = replace(demo_area, tasked_places=demo_area.tasked_places.iloc[:0])
    plain, _ = plan_one(free, demo_plan, 6, for_week=False)
    stop = [stop for stop in plain.stops if stop.kind == "hotspot"][-1]
    hours = plain.start_minutes, plain.start_minutes + 16
    again, plan = plan_one(task_hours(demo_area, stop.point, hours), demo_plan, 6, for_week=False)
    assert [one.hotspot for one in again.stops] == [one.hotspot for one in plain.stops]
    assert not any(one.tasking for one in again.stops)
    assert [row.why.kind for row in plan.unserved] == ["hours_unmet"]


@pytest.mark.parametrize(
    ("hours", "expected"), [((np.nan, np.nan), [-np.inf, np.inf]), ((940.0, 970.0), [940.0, 955.0])]
)
def test_only_hours_bind_a_tasking(demo_area, demo_plan, hours, expected):
    """A stop that is tasked without hours is made at any time, also late and in the dark."""
    area = task_hours(demo_area, pick_hotspot(demo_area, demo_plan.hotspots, 6), hours)
    found = area, demo_plan.risk, demo_plan.hotspots
    problem = build_problem(found, 6, date=DAY, visit=["T1"])
    windows = problem.find_windows()
    (stop,) = problem.tasked_stops
    assert ([-np.inf, np.inf] if windows is None else windows[stop].tolist()) == expected


def test_whoever_stands_at_a_tasked_place_in_its_hours_is_told(demo_area, demo_plan):
    """A patrol that stands there anyway has the tasking; not in other hours, nor for too short."""
    patrol = next(p for p in demo_plan.patrols if p.stops and not any(s.tasked for s in p.stops))
    stop = patrol.stops[0]
    arrive, leave = stop.arrive_minutes, stop.leave_minutes

    def tell(begin, end, day=DAY, east=0):
        area = task_hours(demo_area, (stop.x + east, stop.y), (begin, end))
        return add_taskings(area, day, patrol).stops

    told = tell(arrive, leave)
    assert (told[0].tasked, told[1:]) == ("T1", patrol.stops[1:])
    assert tell(leave + 1, leave + 30) == tell(leave - 5, leave + 30) == patrol.stops
    assert tell(arrive, leave, east=500) == patrol.stops
    assert tell(arrive, leave, DAY + dt.timedelta(days=1)) == patrol.stops


WEDNESDAY = dt.date(2026, 12, 9)


@pytest.fixture(scope="module")
def unlit(demo_area, demo_plan):
    """What plans three schools on a winter's day where no street is lit, and when it is light."""

    def darken(network):
        parts = replace(network.parts, ways=network.parts.ways.assign(lit="no"))
        wider = None if network.wider is None else darken(network.wider)
        return StreetNetwork(parts, network.projection, network.patrolled_count, wider)

    area = replace(demo_area, network=darken(demo_area.network))
    found = {"urns": ["900003", "900004", "900007"], "date": WEDNESDAY}

    def plan(risk=demo_plan.risk, **options):
        return pp.plan_patrols(area, risk, demo_plan.hotspots, **found, **options).patrols

    return plan, find_daylight(area, WEDNESDAY)


def test_unlit_stops_are_over_by_sunset_however_they_are_timed(demo_area, unlit):
    """Where no street is lit, every stop that is not tasked is over by the week's sunset."""
    plan, daylight = unlit
    sunset, seen = daylight.sunset_minutes + 1e-6, 0
    for patrol in plan():
        assert all(stop.lit == "no" for stop in patrol.stops)
        is_free = np.array([stop.tasking is None for stop in patrol.stops])
        seen += is_free.sum()
        assert all(stop.tasking or stop.leave_minutes <= sunset for stop in patrol.stops)
        leave = patrol.timings.begin_minutes + demo_area.settings.patrol.dwell_minutes
        rows = patrol.timings.orders[patrol.timings.order]
        assert leave[is_free[rows]].max(initial=0.0) <= sunset
    assert seen


def test_no_unlit_stop_begins_before_sunrise(demo_plan, unlit):
    """Early in the morning the patrol waits for the light."""
    plan, daylight = unlit
    window = Window(120.0, 7 * 60.0)
    patrols = plan(replace(demo_plan.risk, window=window), window=window, for_week=False)
    stops = [stop for patrol in patrols for stop in patrol.stops if stop.tasking is None]
    assert stops
    assert all(stop.arrive_minutes >= daylight.sunrise_minutes - 1e-6 for stop in stops)


def test_after_dark_paths_are_walked_only_where_no_street_leads(demo_area, demo_plan):
    """A place that streets alone join with the gate is reached by them; by day paths are used."""
    by_day, found = 0.0, (demo_area, demo_plan.risk, demo_plan.hotspots)
    for row, day in product(range(0, len(demo_area.schools), 3), (None, WEDNESDAY)):
        problem = build_problem(found, row, date=day)
        network, around = problem.surroundings.network, problem.surroundings
        secluded = network.piece_is_secluded
        streets = np.flatnonzero(~secluded)
        positions = concatenate_positions(around.gate, problem.positions)
        ends = np.flatnonzero(~secluded[positions.piece])
        there = positions.take(ends).map_to_subnetwork(streets)
        on_streets = WalkFinder(network.take(streets), there)
        for number, end in enumerate(ends[1:].tolist(), 1):
            walk = problem.walks.find_shortest(0, end)
            on_paths = walk.piece_metres[secluded[walk.pieces]].sum()
            by_day += on_paths if day is None else 0
            assert day is None or (on_paths > 0) == np.isinf(on_streets.metres[0, number])
    assert by_day > 0
