"""A plan's patrols: the planner's choice, visits that become stops, other timings."""

import datetime as dt
import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely

import patrolplan as pp
from patrolplan.patrols import planning
from patrolplan.patrols.file_forms import write_record
from patrolplan.patrols.patrol_builder import Visit
from patrolplan.patrols.planner import get_occasion, get_planner
from patrolplan.patrols.solver.solve import Route
from patrolplan.patrols.timings import MIN_ORDER_SHARE, Timing
from patrolplan.pupils.pupils import Pupils


def test_legs_join_gate_and_stops_along_the_streets(demo_area, demo_plan):
    """Each leg is a line on the streets, from the gate over the stops and back to it."""
    network = demo_area.network
    for patrol in demo_plan.patrols:
        places = [patrol.point, *(stop.point for stop in patrol.stops), patrol.point]
        assert len(patrol.legs) == (len(patrol.stops) + 1 if patrol.stops else 0)
        for leg, ends in zip(patrol.legs, pairwise(places), strict=bool(patrol.legs)):
            np.testing.assert_allclose(leg.line[[0, -1]], ends, atol=0.02)
            drawn = np.hypot(*np.diff(leg.line, axis=0).T).sum()
            assert drawn == pytest.approx(leg.metres, abs=0.05)
            on = shapely.multilinestrings(network.piece_lines[np.unique(leg.pieces)])
            assert shapely.distance(shapely.points(leg.line), on).max() < 1e-6
            assert all(a == b or network.neighbours[a, b] for a, b in pairwise(leg.pieces))


def test_no_patrol_exceeds_its_bound_and_no_variant_the_best(demo_plan):
    """A proven one is worth nearly its bound; variants go elsewhere, or in another order."""

    def describe(stops):
        return [(stop.hotspot, stop.tasked, stop.arrive_minutes) for stop in stops]

    for patrol in demo_plan.patrols:
        assert patrol.bound >= patrol.worth - 1e-9
        assert not patrol.proven or patrol.gap_percent == pytest.approx(0, abs=1e-6)
        for variant in patrol.variants:
            assert 0 < variant.worth_share <= 1 + 1e-9
            stops = [stop for other in variant.patrols for stop in other.stops]
            assert tuple(stop.hotspot for stop in stops) == variant.hotspots
            assert describe(stops) != describe(patrol.stops)


def test_two_officers_share_out_the_stops(demo_area, demo_plan):
    """Officers of one school have patrols of their own, and no place in common; none gives way."""
    area = pp.with_settings(demo_area, patrol={"officers": 2})
    given = area, demo_plan.risk, demo_plan.hotspots
    plan = pp.plan_patrols(*given, urns=["900001"], for_week=False)
    assert [patrol.number for patrol in plan.patrols] == [1, 2]
    stops = [stop.hotspot for patrol in plan.patrols for stop in patrol.stops]
    assert len(stops) == len(set(stops))
    assert all(patrol.stops for patrol in plan.patrols)
    assert all(patrol.kind == "patrol" and patrol.reference for patrol in plan.patrols)


def test_less_detail_changes_no_patrol(demo_area, demo_plan):
    """Where no week is drawn, a school has the same stops and variants, without other times."""
    given = demo_area, demo_plan.risk, demo_plan.hotspots
    (whole,), (plain,) = (
        pp.plan_patrols(*given, urns=["900005"], for_week=how).patrols for how in (True, False)
    )
    assert (whole.timings is None, plain.timings) == (False, None)
    assert len(whole.variants) > 1
    names = [[(one.hotspots, one.worth_share) for one in each.variants] for each in (whole, plain)]
    assert names[0] == names[1]
    assert not any(variant.patrols for variant in plain.variants)
    assert plain.stops == whole.stops
    assert [leg.steps for leg in plain.legs] == [leg.steps for leg in whole.legs]


DAY = dt.date(2026, 11, 18)


@pytest.fixture(scope="module")
def plan(demo_area, demo_risk, demo_hotspots):
    """Patrols of a third of the demo borough's schools, without taskings."""
    some = {"urns": list(demo_area.schools["urn"].iloc[::3]), "date": DAY}
    return pp.plan_patrols(demo_area, demo_risk, demo_hotspots, **some, assign_tasked=False)


@pytest.fixture(scope="module")
def builders(plan):
    """What walks each school's patrols."""
    planner, occasion = get_planner(plan), get_occasion(plan)
    return {
        patrol.urn: planner.get_builder(planner.find_row(patrol.urn), occasion)
        for patrol in plan.patrols
    }


@pytest.fixture(scope="module")
def patrols(plan):
    """The patrols with those of their variants, all that make stops."""
    others = (way for patrol in plan.patrols for v in patrol.variants for way in v.patrols)
    return [way for way in (*plan.patrols, *others) if way.stops]


def test_pupils_of_the_risk_are_those_that_count(demo_area, demo_pupils):
    """Modelled where they are left out; with other ones patrols go elsewhere, and later."""
    near = [
        replace(school, flow=school.flow * (school.gate_metres < 150))
        for school in demo_pupils.schools
    ]
    others = Pupils(demo_area.network, near, demo_pupils.notes, demo_pupils.made_from)
    documents = []
    for pupils in (None, demo_pupils, others):
        risk = pp.estimate_risk(demo_area, pupils)
        hotspots = pp.find_hotspots(demo_area, risk)
        plan = pp.plan_patrols(demo_area, risk, hotspots, urns=["900003"])
        documents.append(write_record(plan.patrols[0], demo_area.projection))
    assert documents[0] == documents[1]
    assert documents[0]["stops"] != documents[2]["stops"]


def test_pupils_of_another_area_are_refused(demo_area, demo_risk, demo_hotspots):
    """The message names the setting that differs; a risk without pupils cannot be planned for."""
    other = pp.with_settings(demo_area, way_home={"leave_minutes": 12})
    with pytest.raises(pp.InputError, match=r"pupils: was made from another area.*leave_minutes"):
        pp.estimate_risk(demo_area, pp.model_pupils(other))
    without = pickle.loads(pickle.dumps(demo_risk))  # noqa: S301 - our own
    assert without.pupils is None
    with pytest.raises(pp.InputError, match=r"risk: has no pupils.*pp\.model_pupils"):
        pp.plan_patrols(demo_area, without, demo_hotspots)


def test_walked_as_planned_a_patrol_is_the_planned_one(patrols, builders, plan):
    """In the planned order and minutes it is what the planner made, to the letter."""
    for patrol in patrols:
        order = tuple(range(len(patrol.stops)))
        begins = tuple(stop.arrive_minutes for stop in patrol.stops)
        timing = Timing(order, patrol.gate_until_minutes, begins, patrol.end_minutes)
        walk = builders[patrol.urn].walk_patrol(patrol, timing)
        assert walk.worth == pytest.approx(patrol.worth)
        shares = {"worth": patrol.worth, "bound": patrol.bound}  # equal but for rounding
        planned, walked = (
            write_record(replace(each, **shares), plan.area.projection) for each in (patrol, walk)
        )
        assert walked == planned


@pytest.fixture(scope="module")
def rows(builders):
    """A builder; its stops at the gate, twice, and two visits to each of two other places."""
    builder = builders["900001"]
    gate, *others = builder.problem.stops_by_name.values()
    one, other = [visits[:2] for visits in others if len(visits) > 1][:2]
    return builder, gate[:2], one, other


def _route(stops, begins):
    return Route(0, tuple(stops), begins, begins[-1] + 15, 0.0)


def test_dwells_at_one_place_in_a_row_are_one_visit(rows):
    """Visits to one place are one stop, with what is waited between them; others are their own."""
    builder, _, one, other = rows
    start = builder.hours.gate_until_minutes + 10
    begins = (start, start + 17, start + 34)
    until, visits = builder.merge_visits(_route([*one, other[0]], begins))
    assert until == builder.hours.gate_until_minutes
    first, last = Visit(one[0], start, start + 32, 30), Visit(other[0], start + 34, start + 49, 15)
    assert visits == [first, last]
    again = _route([one[0], other[0], one[1]], (start, start + 20, start + 40))
    assert [visit.stop for visit in builder.merge_visits(again)[1]] == [one[0], other[0], one[1]]


def test_dwells_at_the_gate_first_and_last_are_presence(rows):
    """Those before the first stop lengthen the presence, those after the last go; others stay."""
    builder, gate, one, other = rows
    start = builder.hours.gate_until_minutes
    route = _route([gate[0], one[0], gate[1]], (start, start + 18, start + 40))
    assert builder.merge_visits(route) == (start + 15, [Visit(one[0], start + 18, start + 33, 15)])
    route = _route([one[0], gate[0], other[0]], (start, start + 18, start + 40))
    assert len(builder.merge_visits(route)[1]) == 3
    route = _route(gate, (start, start + 20))
    assert builder.merge_visits(route) == (start + 35, [])
    patrol = builder.build_visits(start + 35, [])
    assert (patrol.kind, patrol.stops, patrol.legs) == ("gate", (), ())
    assert patrol.gate_until_minutes == patrol.end_minutes == patrol.latest_end_minutes


def test_who_would_be_early_waits_at_the_place_before(rows):
    """Waiting is at the gate or at the stop before, and what is left at the end is the gate's."""
    builder, _, one, other = rows
    travel = builder.orienteering.travel_minutes
    out, on = travel[0, one[0]], travel[one[0], other[0]]
    start = builder.hours.gate_until_minutes
    first = start + out + 4
    then = first + 15 + on + 6
    visits = [Visit(one[0], first, first + 15, 15), Visit(other[0], then, then + 15, 15)]
    patrol = builder.build_visits(start, visits)
    assert patrol.gate_until_minutes == pytest.approx(start + 4)
    stop, last = patrol.stops
    assert (stop.arrive_minutes, stop.leave_minutes) == pytest.approx((first, first + 21))
    assert (last.arrive_minutes, last.leave_minutes) == pytest.approx((then, then + 15))
    assert (stop.stood_minutes, last.stood_minutes) == (15, 15)
    assert patrol.end_minutes == patrol.latest_end_minutes
    standing = builder.problem.standing
    met = standing.gather(builder.problem.get_visit(one[0]), first, first + 21)
    assert stop.worth == pytest.approx(met / standing.total / patrol.worth)


def test_every_walk_keeps_its_times_its_dwells_and_its_worth(patrols, builders):
    """By an independent clock; what its dwells are worth is at least the least share."""
    rng = np.random.default_rng(4)
    walked = other_orders = 0
    for patrol in patrols:
        some = rng.choice(len(patrol.timings), min(3, len(patrol.timings)), replace=False)
        for timing in map(patrol.timings.__getitem__, some.tolist()):
            walk = builders[patrol.urn].walk_patrol(patrol, timing)
            walked += 1
            other_orders += timing.order != tuple(range(len(patrol.stops)))
            names = [patrol.stops[row].hotspot for row in timing.order]
            assert [stop.hotspot for stop in walk.stops] == names
            assert walk.gate_until_minutes == pytest.approx(timing.gate_until_minutes, abs=0.5)
            assert walk.gate_until_minutes >= patrol.start_minutes + 10 - 1e-6
            now = walk.gate_until_minutes
            for stop, leg in zip(walk.stops, walk.legs, strict=False):
                now += leg.minutes
                assert now - 1e-6 <= stop.arrive_minutes <= now + 0.5
                now = stop.leave_minutes
                assert now - stop.arrive_minutes >= stop.stood_minutes - 1e-6
                assert np.hypot(*(leg.line[-1] - stop.point)) < 1.0
            assert now + walk.legs[-1].minutes <= walk.end_minutes + 1e-6
            assert walk.end_minutes == pytest.approx(patrol.latest_end_minutes)
            held = [_hold(builders[patrol.urn].problem, each) for each in (walk, patrol)]
            assert held[0] >= MIN_ORDER_SHARE * held[1] * (1 - 1e-9)
            assert (walk.variants, walk.notes) == (patrol.variants, patrol.notes)
    assert walked > other_orders > 5


def _hold(problem, patrol):
    """Worth of the dwells of a patrol, without what is waited."""
    return sum(
        problem.standing.gather(
            problem.find_place(stop.hotspot),
            stop.arrive_minutes,
            stop.arrive_minutes + stop.stood_minutes,
        )
        for stop in patrol.stops
    )


def test_who_must_be_back_earlier_is_back_or_does_not_go(patrols, builders):
    """A walk is back from its last stop by a given minute, or there is none."""
    for patrol in patrols[::3]:
        timing, end = patrol.timings[0], patrol.timings[0].end_minutes
        walk_patrol = builders[patrol.urn].walk_patrol
        walk = walk_patrol(patrol, timing, latest_end_minutes=end)
        assert walk.end_minutes <= end + 1e-6
        assert walk_patrol(patrol, timing, latest_end_minutes=end - 1) is None


def test_the_same_plan_is_not_computed_twice(demo_area, demo_risk, demo_hotspots, monkeypatch):
    """A planner that is given again has the patrols already; of another day it plans anew."""
    given = demo_area, demo_risk, demo_hotspots
    first = pp.plan_patrols(*given, urns=["900003"], for_week=False)
    planned = []

    def plan_nothing(_, item):
        planned.append(item)
        return []

    monkeypatch.setattr(planning, "plan_school", plan_nothing)
    how = {"urns": ["900003"], "for_week": False, "planner": first.planner}
    again = pp.plan_patrols(*given, **how, assign_tasked=False)
    assert planned == []
    assert again.planner is first.planner
    assert again.patrols[0].worth == first.patrols[0].worth
    pp.plan_patrols(*given, **how, date=DAY, assign_tasked=False)
    pp.plan_patrols(*given, **how, date=DAY, assign_tasked=False)
    assert [(row, occasion.date) for row, occasion in planned] == [(2, DAY)]
    # Of another risk, or other hotspots, the planner says nothing.
    fewer = pp.plan_patrols(demo_area, demo_risk, demo_hotspots.iloc[:-1], **how)
    assert fewer.planner is not first.planner


def test_a_planner_that_leaves_the_process_takes_sums_alone(demo_plan):
    """It has the places with their sums, and neither pupils nor what they were computed from."""
    planner = get_planner(demo_plan)
    sent = pickle.loads(pickle.dumps(planner))  # noqa: S301 - our own
    assert sent.risk.pupils is None
    assert sent._places.keys() == planner._places.keys()
    assert not {"ground", *sent.streets, *sent._builders, *sent.patrols} & sent.__dict__.keys()
    assert pickle.loads(pickle.dumps(demo_plan)).planner is None  # noqa: S301 - our own
