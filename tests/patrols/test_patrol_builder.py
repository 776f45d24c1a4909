"""Patrols walked in another order and at other minutes than planned."""

import datetime as dt

import numpy as np
import pytest

import patrolplan as pp
from patrolplan.patrols.beats import join_beats
from patrolplan.patrols.orders import MIN_ORDER_SHARE
from patrolplan.patrols.patrol_builder import MAX_DETOUR_LOSS, PatrolBuilder
from patrolplan.patrols.plan import build_patrol_document
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import build_school_problem
from patrolplan.patrols.timings import Timing

DAY = dt.date(2026, 11, 18)


@pytest.fixture(scope="module")
def plan(demo_area, demo_risk, demo_hotspots):
    """Patrols of a third of the demo borough's schools, without taskings."""
    some = {"urns": list(demo_area.schools["urn"].iloc[::3]), "date": DAY}
    return pp.plan_patrols(demo_area, demo_risk, demo_hotspots, **some, assign_tasked=False)


@pytest.fixture(scope="module")
def builders(plan):
    """What walks each school's patrols."""
    inputs = PlanningInputs.from_area(plan.area, plan.risk, plan.hotspots, date=DAY)
    rows = {urn: row for row, urn in enumerate(plan.area.schools["urn"])}
    return {
        patrol.urn: PatrolBuilder(build_school_problem(inputs, rows[patrol.urn]))
        for patrol in plan.patrols
    }


@pytest.fixture(scope="module")
def patrols(plan):
    """The patrols with those of their variants, all that make stops."""
    ways = [
        way
        for patrol in plan.patrols
        for way in (patrol, *(other for v in patrol.variants for other in v.patrols))
    ]
    return [way for way in ways if way.stops]


def test_walked_as_planned_a_patrol_is_the_planned_one(patrols, builders, plan):
    """In the planned order and minutes it is what the planner made, to the letter."""
    for patrol in patrols:
        timing = Timing(
            tuple(range(len(patrol.stops))),
            patrol.gate_until_minutes,
            tuple(stop.arrive_minutes for stop in patrol.stops),
            patrol.end_minutes,
        )
        walk = builders[patrol.urn].walk_patrol(patrol, timing)
        planned, walked = (
            build_patrol_document(each, plan.area.projection) for each in (patrol, walk)
        )
        assert walk.worth == pytest.approx(patrol.worth)
        assert walked == planned | {
            name: walked[name] for name in ("worth", "bound", "gap_percent")
        }


def _draw(patrol, rng, count):
    """Some of the timings of a patrol."""
    rows = rng.choice(len(patrol.timings), min(count, len(patrol.timings)), replace=False)
    return [patrol.timings[int(row)] for row in rows]


def test_every_walk_keeps_its_times_its_dwells_and_its_worth(patrols, builders, plan):
    """By an independent clock and sums of each piece's risk in every minute."""
    rng = np.random.default_rng(4)
    timed = plan.risk.in_time
    pieces = join_beats(plan.area, plan.hotspots).set_index("hotspot")["pieces"]
    walked = other_orders = 0
    for patrol in patrols:
        reach = builders[patrol.urn].problem.inputs.timed_risk.reach[
            list(plan.area.schools["urn"]).index(patrol.urn)
        ]
        for timing in _draw(patrol, rng, 3):
            walk = builders[patrol.urn].walk_patrol(patrol, timing)
            walked += 1
            other_orders += timing.order != tuple(range(len(patrol.stops)))
            names = [patrol.stops[row].hotspot for row in timing.order]
            assert [stop.hotspot for stop in walk.stops] == names
            assert walk.gate_until_minutes == pytest.approx(timing.gate_until_minutes, abs=0.5)
            assert walk.gate_until_minutes >= patrol.start_minutes + 5 - 1e-6
            now, worth = walk.gate_until_minutes, 0.0
            for stop, leg in zip(walk.stops, walk.legs, strict=False):
                now += leg.minutes
                assert now - 1e-6 <= stop.arrive_minutes <= now + 0.5
                now = stop.leave_minutes
                assert now - stop.arrive_minutes == pytest.approx(15.0)
                assert np.hypot(*(leg.line[-1] - stop.point)) < 1.0
                minutes = np.arange(int(now - 15), int(np.ceil(now)))
                held = np.minimum(minutes + 1, now) - np.maximum(minutes, now - 15)
                own = np.array(pieces[stop.hotspot])
                rates = [timed.compute_rate(int(minute))[own].sum() for minute in minutes]
                assert stop.worth == pytest.approx(float(held @ rates) / 15 / reach)
                worth += stop.worth
            assert walk.end_minutes == pytest.approx(now + walk.legs[-1].minutes)
            assert walk.end_minutes <= patrol.latest_end_minutes + 1e-6
            assert worth <= walk.worth
            assert walk.worth >= MIN_ORDER_SHARE * (1 - MAX_DETOUR_LOSS) * patrol.worth - 1e-9
            assert (walk.variants, walk.notes) == (patrol.variants, patrol.notes)
    assert walked > other_orders > 5


def test_who_must_be_back_earlier_takes_no_longer_legs(patrols, builders):
    """By the minute at which a walk ends with the shortest legs, past more risk or not."""
    for patrol in patrols[::3]:
        timing = patrol.timings[0]
        walk = builders[patrol.urn].walk_patrol(
            patrol, timing, latest_end_minutes=timing.end_minutes
        )
        assert walk.end_minutes <= timing.end_minutes + 1e-6
        assert (
            builders[patrol.urn].walk_patrol(
                patrol, timing, latest_end_minutes=timing.end_minutes - 1
            )
            is None
        )


def test_a_school_of_a_week_is_planned_from_one_problem(plan):
    """What plans a week's schools again finds the same builder; another request gets its own."""
    rows = range(len(plan.area.schools))
    given = (plan.area, plan.risk, plan.hotspots, plan.window, DAY)
    inputs, again = (PlanningInputs.reuse(*given, rows) for _ in range(2))
    assert inputs is again
    first = PatrolBuilder.for_school(inputs, 0)
    assert PatrolBuilder.for_school(inputs, 0) is first
    assert PatrolBuilder.for_school(inputs, 0, watch=("H1",)) is not first
    assert PlanningInputs.reuse(*given, [0]) is not inputs
