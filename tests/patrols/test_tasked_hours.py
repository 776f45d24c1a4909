"""Tasked places with hours: met in them, or named with the reason."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
import shapely
from tasked_table import task

import patrolplan as pp
from patrolplan.patrols.plan import build_patrol_document
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import build_school_problem
from patrolplan.patrols.stop_windows import build_stop_windows
from patrolplan.patrols.tasked_places import tell_taskings
from patrolplan.times import format_time

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
    windows = build_stop_windows(problem)
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
    assert (
        tell_taskings(task_hours(demo_area, here, (arrive, leave)), other_day, patrol).stops
        == patrol.stops
    )
