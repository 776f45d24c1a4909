"""What an experienced officer would do, and which patrols give way to it."""

from dataclasses import replace

import numpy as np
import pytest
from tasked_table import task

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.patrols import reference as module
from patrolplan.patrols.planner import Occasion, Planner, get_planner
from patrolplan.patrols.planning import plan_before_giving_way
from patrolplan.patrols.reference import compare_with_reference, plan_reference, plan_references


def _build(plan, window, row=1, planner=None):
    planner = planner or Planner(plan.area, plan.risk, plan.hotspots)
    return planner.get_builder(row, Occasion(window, for_week=False))


@pytest.fixture(scope="module")
def builders(demo_plan):
    """What builds the patrols of each school of the demo borough."""
    planner, rows = get_planner(demo_plan), range(len(demo_plan.area.schools))
    return [_build(demo_plan, Window(90), row, planner) for row in rows]


def test_the_reference_is_the_better_of_two(builders):
    """The gate throughout; or half an hour at the busiest corner, and the gate before and after."""
    better = set()
    counts = [len(plan_references(builder)) for builder in builders]
    assert counts == [2 - builder.problem.school["is_driven"] for builder in builders]
    for builder in (one for one, count in zip(builders, counts, strict=True) if count > 1):
        plain, there = plan_references(builder)
        assert (plain.stops, plain.legs) == ((), ())
        assert plain.gate_until_minutes == plain.end_minutes == plain.latest_end_minutes
        (stop,) = there.stops
        assert stop.leave_minutes - stop.arrive_minutes == pytest.approx(30)
        assert there.gate_until_minutes == pytest.approx(there.start_minutes + 10)
        assert there.end_minutes == there.latest_end_minutes
        problem = builder.problem
        corners = [place for place in problem.places if place.kind != "gate"]
        assert problem.find_place(stop.hotspot).flow == max(place.flow for place in corners)
        reference = plan_reference(builder)
        assert reference.worth == max(plain.worth, there.worth)
        better.add(bool(reference.stops))
        # Those who pass the gate at the end are counted, too.
        gate = np.r_[0.0, np.cumsum(problem.standing.gate.passing)]
        back = np.array([there.back_minutes, there.end_minutes]) - problem.standing.first_minute
        gone = module.count_passing(builder, replace(there, end_minutes=there.back_minutes))
        last = np.diff(np.interp(back, np.arange(len(gate)), gate))[0]
        assert module.count_passing(builder, there) == pytest.approx(gone + last)
    assert better == {True, False}


def test_a_patrol_that_gains_too_little_gives_way(builders, demo_plan):
    """Under 5 % more than the reference, which then is the patrol; the other one may be drawn."""
    kinds = set()
    for builder, patrol in zip(builders, demo_plan.patrols, strict=True):
        if any(stop.tasked for stop in patrol.stops) or patrol.kind == "gate":
            continue
        ((best,), reference) = plan_before_giving_way(builder)
        assert (best.worth < 1.05 * reference.worth) == (patrol.kind == "reference")
        if patrol.kind == "reference":
            assert (patrol.reference.worth_ratio, patrol.reference.pupils_ratio) == (1, 1)
            assert patrol.variants[0].hotspots == tuple(stop.hotspot for stop in best.stops)
        else:
            assert patrol.reference.worth_ratio == pytest.approx(best.worth / reference.worth)
            assert patrol.reference.worth_ratio >= 1.05
        kinds.add(patrol.kind)
    assert kinds == {"patrol", "reference"}


def test_a_patrol_with_a_demand_never_gives_way(demo_plan):
    """A school whose patrol gives way goes to a tasked place all the same, and is compared."""
    patrol = next(patrol for patrol in demo_plan.patrols if patrol.kind == "reference")
    stop = patrol.variants[0].patrols[0].stops[0]
    area = task(demo_plan.area, stop.point, schools=[patrol.urn])
    given = area, demo_plan.risk, demo_plan.hotspots
    (tasked,) = pp.plan_patrols(*given, urns=[patrol.urn], for_week=False).patrols
    assert [each.tasked for each in tasked.stops if each.tasked] == ["T1"]
    assert tasked.kind == "patrol"
    assert 0.3 < tasked.reference.worth_ratio < 2


def test_in_a_short_window_the_corner_shrinks(demo_plan):
    """In half of 70 minutes it is half as long."""
    _, there = plan_references(_build(demo_plan, Window(35)))
    (stop,) = there.stops
    assert stop.leave_minutes - stop.arrive_minutes == pytest.approx(15)


def _find_back(patrol):
    return patrol.stops[-1].leave_minutes + patrol.legs[-1].minutes


def test_before_school_the_gate_comes_last(demo_plan):
    """The corner is as late as it allows; the patrol and both references end at the gate."""
    window = Window(60, None, "morning", "opening", 45)
    builder = _build(demo_plan, window, row=2)
    plain, there = plan_references(builder)
    assert plain.gate_until_minutes - plain.start_minutes == 45
    assert _find_back(there) == pytest.approx(there.end_minutes - 10)
    ((patrol,), _) = plan_before_giving_way(builder)
    assert _find_back(patrol) <= patrol.end_minutes - 10 + 1e-6
    assert patrol.end_minutes == plain.end_minutes == there.end_minutes
    assert patrol.reference.worth_ratio > 1


def test_ratios_are_null_where_the_reference_meets_nothing(builders, demo_plan):
    """Without risk there is no ratio of it, only one of pupils; without pupils no reference."""
    standing = builders[1].problem.standing
    places = tuple(replace(place, rates=0 * place.rates) for place in standing.places)
    planner = get_planner(demo_plan).for_area(replace(demo_plan.area))
    planner._places = {(1, Window(90)): replace(standing, places=places)}
    builder = _build(demo_plan, Window(90), planner=planner)
    reference = plan_reference(builder)
    (compared,) = compare_with_reference(builder, [reference], reference)
    assert (compared.reference.worth_ratio, compared.reference.pupils_ratio) == (None, 1)
    evening = _build(demo_plan, Window(90, 20 * 60))
    assert plan_reference(evening) is None
    ((patrol,), _) = plan_before_giving_way(evening)
    assert patrol.reference is None
