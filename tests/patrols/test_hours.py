"""When stops may be made: hours of designated and tasked places, and the light."""

import dataclasses
import datetime as dt
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st
from tasked_table import task

import patrolplan as pp
from patrolplan.area.patrol_window import Window, find_daylight
from patrolplan.inputs.polygons import ALL_DAYS
from patrolplan.network import StreetNetwork, concatenate_positions
from patrolplan.network.paths import WalkFinder
from patrolplan.patrols.demands import Demand
from patrolplan.patrols.designated import NEVER, count_visits, find_begin_span, find_resting
from patrolplan.patrols.plan import build_patrol_document
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import build_school_problem
from patrolplan.patrols.surroundings import PatrolHours
from patrolplan.patrols.tasked_places import tell_taskings
from patrolplan.team.day_plans import add_relief_patrols
from patrolplan.team.routes import list_demands
from patrolplan.times import format_time, minutes_after_midnight

FRIDAY = dt.date(2026, 12, 4)
URN = "900003"
MINUTES = st.integers(0, 1439)


def designate(area, polygon, **columns):
    """The area with one polygon of the force, HO-1."""
    table = gpd.GeoDataFrame(
        {"place_id": ["HO-1"], "name": "", "days": [list(ALL_DAYS)], "from": "", "to": ""},
        geometry=[polygon],
        crs=area.projection.crs,
    )
    return replace(area, designated=table.assign(**{"minutes": np.nan, **columns}))


@pytest.fixture(scope="module")
def town(static_demo_area):
    """The demo borough without tasked places, its risk, where a school stops, and hotspots."""
    area = replace(static_demo_area, tasked_places=static_demo_area.tasked_places.iloc[:0])
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    plan = pp.plan_patrols(area, risk, hotspots, urns=[URN], for_week=False)
    polygon = shapely.Point(plan.patrols[0].stops[0].point).buffer(60)
    hotspots = pp.find_hotspots(designate(area, polygon), risk)
    return area, risk, polygon, hotspots.assign(trend="persistent")


def _visit(town, date=FRIDAY, **columns):
    """The school's plan where the force designates the polygon of its first stop."""
    area, risk, polygon, hotspots = town
    some = designate(area, polygon, **columns)
    return pp.plan_patrols(some, risk, hotspots, urns=[URN], date=date, for_week=False)


@given(MINUTES, MINUTES, st.integers(0, 1300), st.integers(30, 139), st.integers(1, 60))
def test_a_dwell_begins_where_a_plain_search_says(begin, end, start, length, dwell):
    """Minute by minute: the dwell is within hours that begin today or began yesterday."""
    if begin == end:
        return
    hours = PatrolHours(start, 0.0, length)
    place = pd.Series({"from": format_time(begin), "to": format_time(end)})
    first, last = find_begin_span(place, hours, dwell)
    until = end if end > begin else end + 1440
    spans = [(begin, until), (begin - 1440, until - 1440)]
    if until - begin < dwell:
        return
    for minute in range(start, start + length - dwell + 1):
        inside = any(a <= minute and minute + dwell <= b for a, b in spans)
        met = [a < start + length and b > start for a, b in spans]
        if sum(met) == 1:
            assert (first <= minute <= last) == inside
        elif not any(met):
            assert (first, last) == NEVER


def test_a_stop_is_of_the_force(town):
    """It has the force's id and says why."""
    plan = _visit(town)
    (stop,) = [one for one in plan.patrols[0].stops if one.hotspot == "HO-1"]
    assert stop.kind == "designated"
    assert stop.why[0].kind == "designated"
    assert "HO-1" in plan.patrols[0].hotspots


@pytest.mark.parametrize("days", [["fri", "sat"], ["mon", "sun"]])
def test_it_is_visited_on_its_days_alone(town, days):
    """On other days the patrol goes elsewhere; without a day all days count."""
    stops = [stop.hotspot for stop in _visit(town, days=[days]).patrols[0].stops]
    assert ("HO-1" in stops) == ("fri" in days)
    undated = [stop.hotspot for stop in _visit(town, None, days=[days]).patrols[0].stops]
    assert "HO-1" in undated


@pytest.mark.parametrize("hours", [("16:05", "16:35"), ("20:00", "02:00")])
def test_it_is_visited_in_its_hours_alone(town, hours):
    """A dwell is within them, or there is none."""
    columns = dict(zip(("from", "to"), hours, strict=True))
    stops = [one for one in _visit(town, **columns).patrols[0].stops if one.hotspot == "HO-1"]
    assert len(stops) == (hours[0] < "17:00")
    for stop in stops:
        assert stop.arrive_minutes >= minutes_after_midnight(hours[0]) - 1e-6
        assert stop.leave_minutes <= minutes_after_midnight(hours[1]) + 1e-6


def test_a_week_demands_the_visits_that_bring_the_minutes(town):
    """50 minutes are four visits of 15, on the days of the place; without minutes nothing is."""
    area, _, polygon, _ = town
    plan = _visit(town)
    days = [FRIDAY - dt.timedelta(days=n) for n in range(4, -1, -1)]
    for minutes, visits in ((50.0, {"HO-1": 4}), (np.nan, {})):
        some = designate(area, polygon, minutes=minutes, days=[["mon", "fri", "sat"]])
        assert count_visits(some) == visits
        assert find_resting(some, days[1]) == {"HO-1"}
        demands = list_demands(replace(plan, area=some), days, (), np.zeros((0, 5), bool), {})
        expected = (Demand("designated", "HO-1", (0, 4), ("HO-1",), visits=4),) if visits else ()
        assert demands == expected


def test_a_school_near_it_has_a_patrol_that_goes_there(town):
    """Where its own patrols do not, a further one does; where its hours are over, it says so."""
    area, _, polygon, _ = town
    plan = _visit(town)
    patrol = replace(plan.patrols[0], stops=(), variants=())
    bare = replace(plan, patrols=(patrol,))
    asking = designate(area, polygon, minutes=15.0)
    further = add_relief_patrols(replace(bare, area=asking))
    (variant,) = [one for one in further.patrols[0].variants if one.watches == ("HO-1",)]
    assert "HO-1" in variant.hotspots
    late = designate(area, polygon, minutes=15.0, **{"from": "20:00", "to": "22:00"})
    without = add_relief_patrols(replace(bare, area=late))
    (row,) = [one for one in without.unserved if one.place == "HO-1"]
    assert row.why.kind == "outside_hours"
    assert (row.why.place, row.why.hours) == ("HO-1", "20:00-22:00")


DAY = dt.date(2026, 12, 2)


def task_hours(area, xy, hours):
    """The area with one place to visit on the day; hours are minutes after midnight."""
    day = {"from": pd.Timestamp(DAY), "to": pd.Timestamp(DAY)}
    return task(area, xy, from_minutes=hours[0], to_minutes=hours[1], **day)


@pytest.fixture(scope="module")
def planned(demo_area, demo_plan):
    """The demo borough, its risk and its hotspots."""
    return demo_area, demo_plan.risk, demo_plan.hotspots


def plan_one(area, risk, hotspots, urn, **how):
    """The first patrol of a school, and the plan."""
    plan = pp.plan_patrols(area, risk, hotspots, urns=[urn], date=DAY, **how)
    return plan.patrols[0], plan


def pick_hotspot(area, hotspots, number, least=100.0, most=700.0):
    """A hotspot some way from a school's gate."""
    gate = area.network.xy(area.gates.take([number]))[0]
    metres = np.hypot(*(hotspots[["stop_x", "stop_y"]].to_numpy() - gate).T)
    return hotspots.iloc[int(np.flatnonzero((metres > least) & (metres < most))[-1])]


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in (3, 6, 9))]
)
@pytest.mark.parametrize("begin", [25, 40, 62])
def test_a_tasking_is_met_in_its_hours(planned, number, begin):
    """A dwell at a tasked place begins and ends within its hours, on any patrol."""
    area, risk, hotspots = planned
    school = area.schools.iloc[number]
    start = 60 * int(school["finish_time"][:2]) + int(school["finish_time"][3:])
    hours = start + begin, start + begin + 20
    spot = pick_hotspot(area, hotspots, number)
    at = tuple(spot[["stop_x", "stop_y"]])
    patrol, _ = plan_one(task_hours(area, at, hours), risk, hotspots, school["urn"])
    (stop,) = (stop for stop in patrol.stops if stop.tasked)
    metres = hotspots.geometry.distance(shapely.Point(at))  # one may stand where stretches meet
    assert set(stop.covered) & set(hotspots["hotspot"][metres <= metres.min()])
    assert stop.arrive_minutes >= hours[0] - 1e-6
    assert stop.arrive_minutes + stop.stood_minutes <= hours[1] + 1e-6  # then one may wait there
    assert patrol.end_minutes <= patrol.latest_end_minutes + 1e-6
    assert stop.tasking.hours == f"{format_time(hours[0])}-{format_time(hours[1])}"
    document = build_patrol_document(patrol, area.projection)
    (written,) = (row for row in document["stops"] if row["tasked"])
    assert written["tasking"]["hours"] == stop.tasking.hours
    for other in [*patrol.variants]:
        for one in (stop for way in other.patrols for stop in way.stops if stop.tasked):
            assert hours[0] - 1e-6 <= one.arrive_minutes
            assert one.arrive_minutes + one.stood_minutes <= hours[1] + 1e-6
    row = patrol.stops.index(stop)
    timings = patrol.timings
    begin = timings.begin_minutes[timings.orders[timings.order] == row]
    assert len(begin) == len(timings) > 0
    assert (begin >= hours[0] - 1e-6).all()
    assert (begin + 15 <= hours[1] + 1e-6).all()


def test_hours_that_cannot_be_met_are_named_with_the_earliest_arrival(planned):
    """Where the way from the gate is too long, the plan says when one would be there."""
    area, risk, hotspots = planned
    school = area.schools.iloc[6]
    start = 60 * int(school["finish_time"][:2]) + int(school["finish_time"][3:])
    spot = pick_hotspot(area, hotspots, 6, least=500.0)
    tasked = task_hours(area, tuple(spot[["stop_x", "stop_y"]]), (start, start + 18))
    patrol, plan = plan_one(tasked, risk, hotspots, school["urn"])
    assert not any(stop.tasked for stop in patrol.stops)
    ((urn, obstacle),) = ((row.urn, row.why) for row in plan.unserved)
    assert urn == school["urn"]
    inputs = PlanningInputs.from_area(tasked, risk, hotspots, date=DAY)
    problem = build_school_problem(inputs, 6, visit=["T1"])
    (stop,) = problem.must_visit_stops
    minutes = problem.walks.metres[0, stop] / (4.8e3 / 60)
    earliest = format_time(np.ceil(patrol.start_minutes + 10 + minutes))
    span = f"{format_time(start)} to {format_time(start + 18)}"
    cannot = f"T1: its hours {span} cannot be met: {earliest} is the earliest"
    assert obstacle.tell_lead() == f"{cannot}, from {school['name']}"
    assert obstacle.tell_lead() in [row.reason for row in plan.left_out]


def test_a_hotspot_whose_hours_cannot_be_met_may_be_visited_at_others(planned):
    """The best stop of a school stays one, without the tasking that cannot be met."""
    area, risk, hotspots = planned
    school = area.schools.iloc[6]
    free = dataclasses.replace(area, tasked_places=area.tasked_places.iloc[:0])
    plain, _ = plan_one(free, risk, hotspots, school["urn"])
    stop = [stop for stop in plain.stops if stop.kind == "hotspot"][-1]
    first = plain.start_minutes
    place = hotspots.set_index("hotspot").loc[stop.hotspot, ["stop_x", "stop_y"]]
    again, plan = plan_one(task_hours(area, tuple(place), (first, first + 16)), risk, hotspots,
                           school["urn"])  # fmt: skip
    assert [one.hotspot for one in again.stops] == [one.hotspot for one in plain.stops]
    assert not any(one.tasking for one in again.stops)
    assert [row.why.kind for row in plan.unserved] == ["hours_unmet"]


@pytest.mark.parametrize("hours", [(np.nan, np.nan), (940.0, 970.0)])
def test_only_hours_bind_a_tasking(planned, hours):
    """A stop that is tasked without hours is made at any time, also late and in the dark."""
    area, risk, hotspots = planned
    area = task_hours(area, tuple(pick_hotspot(area, hotspots, 6)[["stop_x", "stop_y"]]), hours)
    inputs = PlanningInputs.from_area(area, risk, hotspots, date=DAY)
    problem = build_school_problem(inputs, 6, visit=["T1"])
    (stop,) = problem.must_visit_stops
    windows = problem.find_windows()
    limits = [-np.inf, np.inf] if windows is None else windows[stop].tolist()
    assert limits == ([-np.inf, np.inf] if np.isnan(hours[0]) else [940.0, 955.0])


def test_whoever_stands_at_a_tasked_place_in_its_hours_is_told(demo_area, demo_plan):
    """A patrol that stands there anyway has the tasking; not in other hours, nor for too short."""
    patrol = next(p for p in demo_plan.patrols if p.stops and not any(s.tasked for s in p.stops))
    stop = patrol.stops[0]
    arrive, leave = stop.arrive_minutes, stop.leave_minutes
    here = (stop.x, stop.y)
    told = tell_taskings(task_hours(demo_area, here, (arrive, leave)), DAY, patrol)
    assert told.stops[0].tasked == "T1"
    assert told.stops[1:] == patrol.stops[1:]
    for hours in ((leave + 1, leave + 30), (leave - 5, leave + 30)):
        assert tell_taskings(task_hours(demo_area, here, hours), DAY, patrol).stops == patrol.stops
    far = task_hours(demo_area, (stop.x + 500, stop.y), (arrive, leave))
    assert tell_taskings(far, DAY, patrol).stops == patrol.stops
    other_day = DAY + dt.timedelta(days=1)
    tasked = task_hours(demo_area, here, (arrive, leave))
    assert tell_taskings(tasked, other_day, patrol).stops == patrol.stops


WEDNESDAY = dt.date(2026, 12, 9)
URNS = ["900003", "900004", "900007"]


def _light(area, lit):
    """The area with this lighting in all its streets."""

    def change(network):
        parts = network.parts
        parts = dataclasses.replace(parts, ways=parts.ways.assign(lit=lit))
        wider = None if network.wider is None else change(network.wider)
        return StreetNetwork(parts, network.projection, network.patrolled_count, wider)

    return dataclasses.replace(area, network=change(area.network))


def _plan_dark(area, plan, **options):
    found = {"urns": URNS, "date": WEDNESDAY, **options}
    return pp.plan_patrols(area, plan.risk, plan.hotspots, **found)


def test_unlit_stops_are_over_by_sunset_however_they_are_timed(demo_area, demo_plan):
    """Where no street is lit, every stop that is not tasked is over by the week's sunset."""
    area, plan = _light(demo_area, "no"), demo_plan
    daylight = find_daylight(area, WEDNESDAY)
    dark = _plan_dark(area, plan)
    stops = [stop for patrol in dark.patrols for stop in patrol.stops]
    free = [stop for stop in stops if stop.tasking is None]
    assert free
    assert all(stop.lit == "no" for stop in stops)
    assert all(stop.leave_minutes <= daylight.sunset_minutes + 1e-6 for stop in free)
    for patrol in dark.patrols:
        timings = patrol.timings
        is_free = np.array([stop.tasking is None for stop in patrol.stops])
        leave = timings.begin_minutes + area.settings.patrol.dwell_minutes
        latest = leave[is_free[timings.orders[timings.order]]].max(initial=0.0)
        assert latest <= daylight.sunset_minutes + 1e-6


def test_no_unlit_stop_begins_before_sunrise(demo_area, demo_plan):
    """Early in the morning the patrol waits for the light."""
    area = _light(demo_area, "no")
    daylight = find_daylight(area, WEDNESDAY)
    window = Window(120.0, 7 * 60.0)
    risk = dataclasses.replace(demo_plan.risk, window=window)
    early = dataclasses.replace(demo_plan, risk=risk)
    plan = _plan_dark(area, early, window=window, for_week=False)
    stops = [stop for patrol in plan.patrols for stop in patrol.stops if stop.tasking is None]
    assert stops
    assert all(stop.arrive_minutes >= daylight.sunrise_minutes - 1e-6 for stop in stops)


def test_after_dark_paths_are_walked_only_where_no_street_leads(demo_area, demo_plan):
    """A place that streets alone join with the gate is reached by them; by day paths are used."""
    by_day = 0.0
    for row in range(0, len(demo_area.schools), 3):
        for day in (None, WEDNESDAY):
            inputs = PlanningInputs.from_area(
                demo_area, demo_plan.risk, demo_plan.hotspots, date=day, rows=[row]
            )
            problem = build_school_problem(inputs, row)
            network, around = problem.surroundings.network, problem.surroundings
            secluded = network.piece_is_secluded
            streets = np.flatnonzero(~secluded)
            positions = concatenate_positions(around.gate, problem.found.stops)
            ends = np.flatnonzero(~secluded[positions.piece])
            on_streets = WalkFinder(
                network.take(streets), positions.take(ends).map_to_subnetwork(streets)
            )
            for number, end in enumerate(ends[1:].tolist(), 1):
                walk = problem.walks.find_shortest(0, end)
                on_paths = walk.piece_metres[secluded[walk.pieces]].sum()
                if day is None:
                    by_day += on_paths
                else:
                    assert (on_paths > 0) == np.isinf(on_streets.metres[0, number])
    assert by_day > 0
