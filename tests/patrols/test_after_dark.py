"""Stops without street lighting after sunset, and before sunrise."""

import dataclasses
import datetime as dt
import re

import numpy as np

import patrolplan as pp
from patrolplan.area.patrol_window import Window, find_daylight
from patrolplan.network import StreetNetwork, concatenate_positions
from patrolplan.network.paths import WalkFinder
from patrolplan.outputs.wording import describe_lighting
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import build_school_problem

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


def _plan(area, plan, **options):
    found = {"urns": URNS, "date": WEDNESDAY, **options}
    return pp.plan_patrols(area, plan.risk, plan.hotspots, **found)


def test_unlit_stops_are_over_by_sunset_however_they_are_timed(demo_area, demo_plan):
    """Where no street is lit, every stop that is not tasked is over by the week's sunset."""
    area, plan = _light(demo_area, "no"), demo_plan
    daylight = find_daylight(area, WEDNESDAY)
    dark = _plan(area, plan)
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


def test_tasked_stops_are_met_in_the_dark_with_a_word(demo_area, demo_plan):
    """A tasked place without lighting is visited after sunset, and papers say so."""
    plan = _plan(_light(demo_area, "no"), demo_plan, urns=["900007"], for_week=False)
    (patrol,) = plan.patrols
    tasked = [number for number, stop in enumerate(patrol.stops, 1) if stop.tasked == "T-01"]
    assert len(tasked) == 1
    late = dataclasses.replace(
        patrol,
        stops=tuple(
            dataclasses.replace(stop, leave_minutes=max(stop.leave_minutes, 960.0))
            if stop.tasked
            else stop
            for stop in patrol.stops
        ),
    )
    said = re.search("No street lighting then at stops? ([0-9, ]+)", describe_lighting(plan, late))
    assert str(tasked[0]) in said[1].split(", ")


def test_no_unlit_stop_begins_before_sunrise(demo_area, demo_plan):
    """Early in the morning the patrol waits for the light."""
    area = _light(demo_area, "no")
    daylight = find_daylight(area, WEDNESDAY)
    window = Window(120.0, 7 * 60.0)
    risk = dataclasses.replace(demo_plan.risk, window=window)
    early = dataclasses.replace(demo_plan, risk=risk)
    plan = _plan(area, early, window=window, for_week=False)
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
