"""What past months say of patrols: what their stops held, and how the way of planning does."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from missing_months import drop_months
from patrols.recount import Papers

import patrolplan as pp
from patrolplan.patrols.past_months import (
    HOLD_OUT_MONTHS,
    MIN_HELD_OUT_MONTHS,
    compare_months,
    measure_school,
    prepare_hold_out,
)
from patrolplan.patrols.patrol_backtest import find_dwell_pieces, find_loop_pieces
from patrolplan.patrols.planner import solve_school
from patrolplan.patrols.school_problem import build_school_problem
from patrolplan.patrols.simple_patrols import LoopFinder
from patrolplan.risk.clock import build_clock
from patrolplan.risk.history import build_history, get_harm_days

DATA = Path(__file__).parents[2] / "data"
FORCE = "Eastmere Police (fictional)"


@pytest.fixture(scope="module")
def few_schools(demo_area):
    """The demo borough with two schools."""
    return dataclasses.replace(
        demo_area, schools=demo_area.schools.iloc[:2], gates=demo_area.gates.take([0, 1])
    )


def plan_area(area, **how):
    """Patrols of an area."""
    risk = pp.estimate_risk(area, window=how.get("window"))
    return pp.plan_patrols(area, risk, pp.find_hotspots(area, risk), **how)


@pytest.fixture(scope="module")
def few_plan(few_schools):
    """Patrols of two schools, without what past months say of them."""
    return plan_area(few_schools)


@pytest.mark.slow
def test_what_stops_held_is_the_same_when_counted_from_the_papers(demo_area, demo_plan, tmp_path):
    """An independent count over plan.json, plan.gpkg and the crime files gives the same ratio."""
    pp.write_pack(demo_plan, tmp_path / "out")
    places = demo_area.way_home.places
    pubs = places[places["kind"].isin(["pub", "bar", "nightclub"])].get_coordinates().to_numpy()
    categories = list(build_history(demo_area).targets)
    radius = demo_area.settings.patrol.radius_metres
    files = sorted(DATA.glob("crimes/*/*-street.csv"))
    papers = Papers(tmp_path / "out", files, pubs, categories, radius)
    for patrol in papers.plan["patrols"]:
        tested = patrol["tested"]
        assert tested["months"] == [papers.months[0], papers.months[-1]]
        assert tested["own_stops"]["ratio"] == pytest.approx(
            papers.count_own_stops(patrol), abs=1e-4
        )


def test_the_comparisons_are_those_of_a_plain_loop_over_incidents(few_plan):
    """Ratios are of sums over stretches, months and categories, minute by minute of the window."""
    hold_out = prepare_hold_out(few_plan, [0, 1])
    tested = measure_school(hold_out, 1)[1]
    ours, counts = (build_school_problem(cut, 1) for cut in (hold_out.ours, hold_out.counts))
    routes = [[list(route.stops) for route in solve_school(one)[1].routes]
              for one in (ours, counts)]  # fmt: skip
    loops = find_loop_pieces(ours, LoopFinder(ours), routes[0])
    harm = count_by_hand(few_plan, ours.surroundings.hours)
    walked = ours.surroundings.pieces
    met = [harm[find_dwell_pieces(one, route)].sum()
           for one, route in zip((ours, counts), routes, strict=True)]  # fmt: skip
    around = np.mean([
        sum(harm[walked[k]] for k in pieces if walked[k] < len(harm)) for pieces in loops
    ])  # fmt: skip
    assert tested.recorded_counts.ratio == pytest.approx(met[0] / met[1])
    assert tested.loop.ratio == pytest.approx(met[0] / around)
    for name in ("own_stops", "recorded_counts", "loop"):
        ratio = getattr(tested, name)
        assert ratio.low <= ratio.ratio <= ratio.high


def count_by_hand(plan, hours):
    """(p,) harm recorded in the hold-out months, each incident spread over its catchment."""
    area = plan.area
    history = build_history(area)
    clock = build_clock(area, history)
    minutes = range(int(hours.start_minutes), int(hours.latest_end_minutes))
    factor = np.mean([clock.compute_factor(at // 30, plan.risk.day) for at in minutes], axis=0)
    days = get_harm_days(history.targets, area.settings.risk.harm)
    catchments, incidents = area.catchments, area.incidents
    late = (incidents["month"] >= incidents["month"].max() - pd.DateOffset(months=5)).to_numpy()
    harm = np.zeros(len(catchments.piece_catchment))
    pieces_of = [np.flatnonzero(catchments.piece_catchment == k) for k in range(len(catchments))]
    for category, catchment in zip(
        incidents["category"][late], area.incident_catchment[late], strict=True
    ):
        if category in history.targets:
            column, pieces = history.targets.index(category), pieces_of[catchment]
            share = catchments.piece_share[pieces]
            harm[pieces] += days[column] * share * factor[pieces, column]
    return harm


def test_nothing_is_learned_from_the_held_out_months(few_schools, few_plan):
    """With other crime in the hold-out months, patrols planned without them are unchanged."""
    later = (few_schools.incidents["month"] >= "2026-04-01").to_numpy()
    catchment = few_schools.incident_catchment.copy()
    catchment[later] = catchment[~later][0]
    poisoned = dataclasses.replace(few_schools, incident_catchment=catchment)
    honest, spoiled = (
        prepare_hold_out(dataclasses.replace(few_plan, area=area), [0, 1])
        for area in (few_schools, poisoned)
    )
    for name in ("ours", "counts"):
        one, two = (getattr(hold_out, name) for hold_out in (honest, spoiled))
        assert np.array_equal(one.risk.joined, two.risk.joined)
        assert one.hotspots["worth"].equals(two.hotspots["worth"])
    assert not np.array_equal(honest.harm, spoiled.harm)


def test_months_that_are_missing_are_counted(few_schools, few_plan):
    """Of six hold-out months with a gap five are compared, without an interval."""
    area = drop_months(few_schools, [(FORCE, "2026-06")])
    gap = pp.compare_with_past(dataclasses.replace(few_plan, area=area))
    for patrol in gap.patrols:
        assert patrol.tested.months_held == HOLD_OUT_MONTHS - 1
        assert patrol.tested.own_stops.ratio > 0
        assert patrol.tested.own_stops.low is None
    whole = pp.compare_with_past(few_plan)
    assert {patrol.tested.months_held for patrol in whole.patrols} == {HOLD_OUT_MONTHS}


amounts = st.lists(st.floats(0.01, 100), min_size=1, max_size=12)


@given(amounts, st.floats(0.1, 10), st.integers(0, 5))
def test_a_ratio_of_months_is_that_of_their_sums(ours, times, missing):
    """A constant monthly ratio is the overall ratio, with or without missing months."""
    ours = np.array(ours)
    held = np.append(ours, np.full(missing, np.nan))
    found = compare_months(times * held, held, seed=1)
    if len(ours) < MIN_HELD_OUT_MONTHS:
        assert found is None
        return
    assert found.ratio == pytest.approx(times)
    assert (found.low is None) == (len(ours) < 6)
    if found.low is not None:
        assert (found.low, found.high) == pytest.approx((times, times))
    assert compare_months(held, 0 * held, seed=1) is None
