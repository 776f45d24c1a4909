"""Designated hotspots are visited on their days and in their hours, and a week asks for minutes."""

import datetime as dt
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st

import patrolplan as pp
from patrolplan.inputs.polygons import ALL_DAYS
from patrolplan.patrols.demands import Demand
from patrolplan.patrols.designated import NEVER, count_visits, find_begin_span, find_resting
from patrolplan.patrols.surroundings import PatrolHours
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
def found(static_demo_area):
    """The demo borough without tasked places, its risk, where a school stops, and hotspots."""
    area = replace(static_demo_area, tasked_places=static_demo_area.tasked_places.iloc[:0])
    risk = pp.estimate_risk(area)
    hotspots = pp.find_hotspots(area, risk)
    plan = pp.plan_patrols(area, risk, hotspots, urns=[URN], for_week=False)
    polygon = shapely.Point(plan.patrols[0].stops[0].point).buffer(60)
    hotspots = pp.find_hotspots(designate(area, polygon), risk)
    return area, risk, polygon, hotspots.assign(trend="persistent")


def _plan(found, date=FRIDAY, **columns):
    """The school's plan where the force designates the polygon of its first stop."""
    area, risk, polygon, hotspots = found
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


def test_a_stop_is_of_the_force(found):
    """It has the force's id and says why."""
    plan = _plan(found)
    (stop,) = [one for one in plan.patrols[0].stops if one.hotspot == "HO-1"]
    assert stop.kind == "designated"
    assert stop.why[0].kind == "designated"
    assert "HO-1" in plan.patrols[0].hotspots


@pytest.mark.parametrize("days", [["fri", "sat"], ["mon", "sun"]])
def test_it_is_visited_on_its_days_alone(found, days):
    """On other days the patrol goes elsewhere; without a day all days count."""
    stops = [stop.hotspot for stop in _plan(found, days=[days]).patrols[0].stops]
    assert ("HO-1" in stops) == ("fri" in days)
    undated = [stop.hotspot for stop in _plan(found, None, days=[days]).patrols[0].stops]
    assert "HO-1" in undated


@pytest.mark.parametrize("hours", [("16:05", "16:35"), ("20:00", "02:00")])
def test_it_is_visited_in_its_hours_alone(found, hours):
    """A dwell is within them, or there is none."""
    columns = dict(zip(("from", "to"), hours, strict=True))
    stops = [one for one in _plan(found, **columns).patrols[0].stops if one.hotspot == "HO-1"]
    assert len(stops) == (hours[0] < "17:00")
    for stop in stops:
        assert stop.arrive_minutes >= minutes_after_midnight(hours[0]) - 1e-6
        assert stop.leave_minutes <= minutes_after_midnight(hours[1]) + 1e-6


def test_a_week_demands_the_visits_that_bring_the_minutes(found):
    """50 minutes are four visits of 15, on the days of the place; without minutes nothing is."""
    area, _, polygon, _ = found
    plan = _plan(found)
    days = [FRIDAY - dt.timedelta(days=n) for n in range(4, -1, -1)]
    for minutes, visits in ((50.0, {"HO-1": 4}), (np.nan, {})):
        some = designate(area, polygon, minutes=minutes, days=[["mon", "fri", "sat"]])
        assert count_visits(some) == visits
        assert find_resting(some, days[1]) == {"HO-1"}
        demands = list_demands(replace(plan, area=some), days, (), np.zeros((0, 5), bool), {})
        expected = (Demand("designated", "HO-1", (0, 4), ("HO-1",), visits=4),) if visits else ()
        assert demands == expected


def test_a_school_near_it_has_a_patrol_that_goes_there(found):
    """Where its own patrols do not, a further one does; where its hours are over, it says so."""
    area, _, polygon, _ = found
    plan = _plan(found)
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
