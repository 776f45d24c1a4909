"""What an experienced officer would do, and which patrols give way to it."""

import dataclasses

import pytest
from tasked_table import task

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.patrols.patrol_builder import PatrolBuilder
from patrolplan.patrols.planner import plan_before_giving_way
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.reference import (
    MIN_GAIN,
    compare_with_reference,
    plan_reference,
    plan_references,
)


def _build_inputs(plan, window, rows):
    inputs = PlanningInputs.from_area(plan.area, plan.risk, plan.hotspots, window, rows=rows)
    return dataclasses.replace(inputs, for_week=False)


@pytest.fixture(scope="module")
def builders(demo_plan):
    """What builds the patrols of each school of the demo borough."""
    rows = range(len(demo_plan.area.schools))
    inputs = _build_inputs(demo_plan, Window(90), rows)
    return [PatrolBuilder.for_school(inputs, row) for row in rows]


def test_the_reference_is_the_better_of_two(builders):
    """The gate throughout; or half an hour at the busiest corner, and the gate before and after."""
    better = set()
    at_gate = [builder for builder in builders if builder.problem.school["is_driven"]]
    assert [len(plan_references(builder)) for builder in at_gate] == [1]
    for builder in builders:
        if builder in at_gate:
            continue
        plain, there = plan_references(builder)
        assert (plain.stops, plain.legs) == ((), ())
        assert plain.gate_until_minutes == plain.end_minutes == plain.latest_end_minutes
        (stop,) = there.stops
        assert stop.leave_minutes - stop.arrive_minutes == pytest.approx(30)
        assert there.gate_until_minutes == pytest.approx(there.start_minutes + 10)
        assert there.end_minutes == there.latest_end_minutes
        problem = builder.problem
        flow = problem.prizes.flow[problem.found.places]
        place = problem.found.places[problem.visits_by_name[stop.hotspot][0] - 1]
        assert problem.prizes.flow[place] == flow[problem.found.places > 0].max()
        reference = plan_reference(builder)
        assert reference.worth == max(plain.worth, there.worth)
        better.add(bool(reference.stops))
    assert better == {True, False}


def test_a_patrol_that_gains_too_little_gives_way(builders, demo_plan):
    """Under 5 % more than the reference, which then is the patrol; the other one may be drawn."""
    kinds = set()
    for builder, patrol in zip(builders, demo_plan.patrols, strict=True):
        if any(stop.tasked for stop in patrol.stops) or patrol.kind == "gate":
            continue
        ((best,), reference) = plan_before_giving_way(builder)
        assert (best.worth < MIN_GAIN * reference.worth) == (patrol.kind == "reference")
        if patrol.kind == "reference":
            assert (patrol.reference.worth_ratio, patrol.reference.pupils_ratio) == (1, 1)
            assert patrol.variants[0].hotspots == tuple(stop.hotspot for stop in best.stops)
        else:
            assert patrol.reference.worth_ratio == pytest.approx(best.worth / reference.worth)
            assert patrol.reference.worth_ratio >= MIN_GAIN
        kinds.add(patrol.kind)
    assert kinds == {"patrol", "reference"}


def test_a_patrol_with_a_demand_never_gives_way(demo_plan):
    """A school whose patrol gives way goes to a tasked place all the same, and is compared."""
    patrol = next(patrol for patrol in demo_plan.patrols if patrol.kind == "reference")
    stop = patrol.variants[0].patrols[0].stops[0]
    area = task(demo_plan.area, stop.point, schools=[patrol.urn])
    plan = pp.plan_patrols(
        area, demo_plan.risk, demo_plan.hotspots, urns=[patrol.urn], for_week=False
    )
    (tasked,) = plan.patrols
    assert [each.tasked for each in tasked.stops if each.tasked] == ["T1"]
    assert tasked.kind == "patrol"
    assert 0.3 < tasked.reference.worth_ratio < 2


def test_in_a_short_window_the_corner_shrinks(demo_plan):
    """In half of 70 minutes it is half as long."""
    builder = PatrolBuilder.for_school(_build_inputs(demo_plan, Window(35), [1]), 1)
    _, there = plan_references(builder)
    (stop,) = there.stops
    assert stop.leave_minutes - stop.arrive_minutes == pytest.approx(15)


def _find_back(patrol):
    return patrol.stops[-1].leave_minutes + patrol.legs[-1].minutes


def test_before_school_the_gate_comes_last(demo_plan):
    """The corner is as late as it allows; the patrol and both references end at the gate."""
    window = Window(60, None, "morning", "opening", 45)
    builder = PatrolBuilder.for_school(_build_inputs(demo_plan, window, [1]), 1)
    plain, there = plan_references(builder)
    assert plain.gate_until_minutes - plain.start_minutes == 45
    assert _find_back(there) == pytest.approx(there.end_minutes - 10)
    ((patrol,), _) = plan_before_giving_way(builder)
    assert _find_back(patrol) <= patrol.end_minutes - 10 + 1e-6
    assert patrol.end_minutes == plain.end_minutes == there.end_minutes
    assert patrol.reference.worth_ratio > 1


def test_ratios_are_null_where_the_reference_meets_nothing(demo_plan):
    """Without risk there is no ratio of it, only one of pupils; without pupils no reference."""
    inputs = _build_inputs(demo_plan, Window(90), [1])
    prizes = inputs.prizes[1]
    empty = dataclasses.replace(prizes, rates=0 * prizes.rates)
    builder = PatrolBuilder.for_school(dataclasses.replace(inputs, prizes={1: empty}), 1)
    reference = plan_reference(builder)
    (compared,) = compare_with_reference(builder, [reference], reference)
    assert (compared.reference.worth_ratio, compared.reference.pupils_ratio) == (None, 1)
    evening = PatrolBuilder.for_school(_build_inputs(demo_plan, Window(90, 20 * 60), [1]), 1)
    assert plan_reference(evening) is None
    ((patrol,), _) = plan_before_giving_way(evening)
    assert patrol.reference is None
