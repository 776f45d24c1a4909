"""Harm that patrols would have covered in held-out months."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from patrolplan.patrols.patrol_backtest import (
    BASELINES,
    OURS,
    PLANNED_COLUMNS,
    PatrolBacktest,
    backtest_patrols,
    compute_loop_harm,
    compute_recorded_harm,
    cut_area,
    find_dwell_pieces,
    use_counts_only,
)
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import build_school_problem
from patrolplan.patrols.simple_patrols import ROTATIONS, LoopFinder, find_stretch_around
from patrolplan.risk.history import build_history, get_harm_days

ORIGIN = pd.Timestamp("2026-06-01")


@pytest.fixture(scope="module")
def few_schools(demo_area):
    """The demo borough with two schools."""
    return dataclasses.replace(
        demo_area, schools=demo_area.schools.iloc[:2], gates=demo_area.gates.take([0, 1])
    )


def _crewed(area, officers):
    """The area with this number of officers at each school."""
    patrol = area.settings.patrol.model_copy(update={"officers": officers})
    settings = area.settings.model_copy(update={"patrol": patrol})
    return dataclasses.replace(area, settings=settings)


@pytest.fixture(scope="module")
def tested(few_schools):
    """Two schools tested on one month."""
    return backtest_patrols(few_schools, origins=[ORIGIN])


def test_one_row_an_origin_and_school_with_every_way(tested):
    """Every origin and school has what each way met."""
    assert len(tested.results) == 2
    assert {OURS, *BASELINES} <= set(tested.results.columns)
    assert (tested.results[OURS] > 0).all()
    assert tested.planned_worth_ratio >= 1


def test_nothing_is_learned_from_the_held_out_months(few_schools, tested):
    """Other crime in the hold-out month and later changes the harm met, not the plan."""
    later = (few_schools.incidents["month"] >= ORIGIN).to_numpy()
    catchment = few_schools.incident_catchment.copy()
    catchment[later] = catchment[~later][0]
    poisoned = dataclasses.replace(few_schools, incident_catchment=catchment)
    honest, spoiled = cut_area(few_schools, ORIGIN), cut_area(poisoned, ORIGIN)
    assert (honest.incident_catchment == spoiled.incident_catchment).all()
    assert (honest.incidents["month"] < ORIGIN).all()
    again = backtest_patrols(poisoned, origins=[ORIGIN])
    assert not again.results[OURS].equals(tested.results[OURS])


def test_recorded_harm_is_the_months_harm_by_hand(demo_area):
    """The harm on all pieces adds up to days times incidents of the categories that count."""
    harm = compute_recorded_harm(demo_area, build_history(demo_area), [ORIGIN])
    incidents = demo_area.incidents[demo_area.incidents["month"] == ORIGIN]
    counted = incidents["category"].astype(str)
    counted = counted[counted.isin(demo_area.settings.crimes.risk_categories)]
    assert harm.sum() == pytest.approx(get_harm_days(counted).sum())


def test_counts_alone_makes_every_crime_weigh_one(demo_area):
    """In the count of crimes a robbery weighs as much as any other category."""
    harm = use_counts_only(demo_area).settings.risk.harm
    assert set(harm.values()) == {1.0}
    assert set(harm) == set(demo_area.settings.crimes.risk_categories)


def test_the_summary_is_the_ratio_of_sums():
    """Ratios are of all harm met; an interval holds its ratio, and is a point for equal months."""
    origins = pd.date_range("2026-01-01", periods=6, freq="MS")
    met = pd.DataFrame(
        [
            {
                "origin": origin,
                "urn": urn,
                OURS: 6.0,
                BASELINES[0]: 3.0,
                BASELINES[1]: 4.0 + k % 3,
                BASELINES[2]: 1.0,
                PLANNED_COLUMNS[0]: 0.3 + k,
                PLANNED_COLUMNS[1]: 0.2 + k,
            }
            for k, origin in enumerate(origins)
            for urn in ("1", "2")
        ]
    )
    summary = PatrolBacktest(met, seed=1).summary().set_index("against")
    assert summary.loc[BASELINES[0], "harm_per_officer_hour_ratio"] == pytest.approx(2)
    assert summary.loc[BASELINES[0], ["low", "high"]].tolist() == pytest.approx([2, 2])
    middle = summary.loc[BASELINES[1]]
    assert middle["low"] < middle["harm_per_officer_hour_ratio"] == pytest.approx(1.2)
    assert middle["harm_per_officer_hour_ratio"] < middle["high"]
    assert PatrolBacktest(met, seed=1).planned_worth_ratio == pytest.approx(16.8 / 16.2)


def test_equal_runs_tell_the_same(few_schools, tested):
    """The same area gives the same figures."""
    again = backtest_patrols(few_schools, origins=[ORIGIN])
    columns = [OURS, *BASELINES]
    assert np.array_equal(again.results[columns], tested.results[columns])


def test_several_officers_are_compared_with_as_many(few_schools, tested):
    """With two officers the plain ways walk two rounds, and harm is shared by both one's hours."""
    pairs = backtest_patrols(_crewed(few_schools, 2), origins=[ORIGIN])
    assert (pairs.results[PLANNED_COLUMNS[1]] > tested.results[PLANNED_COLUMNS[1]]).all()
    assert 1 <= pairs.planned_worth_ratio < 1.3
    more = 2 * pairs.results[BASELINES[0]] / tested.results[BASELINES[0]]
    assert more.between(1, 3).all()
    assert (pairs.summary()["harm_per_officer_hour_ratio"].iloc[:2] < 1.5).all()


def test_loops_of_several_officers_are_each_ones_own(few_schools, demo_plan):
    """Each officer dwells along another rotation's loop, and no piece counts twice, by hand."""
    inputs = PlanningInputs.from_area(few_schools, demo_plan.risk, demo_plan.hotspots)
    case = build_school_problem(inputs, 0)
    harm = np.random.default_rng(1).random(len(few_schools.network))
    routes, loops = [[3, 1], [], [2]], LoopFinder(case)
    walks, network = case.walks.metres, case.surroundings.network
    lengths = [walks[0, 3] + walks[3, 1] + walks[1, case.end_position],
               walks[0, 2] + walks[2, case.end_position]]  # fmt: skip
    metres = few_schools.network.piece_metres[find_dwell_pieces(case, routes)].sum() / 3
    first, second = (loops.find_nearest_length(float(length)) for length in lengths)
    met = []
    for rotation in range(ROTATIONS):
        dwells = [*first[rotation].place_dwells(2), *second[rotation - 1].place_dwells(1)]
        pieces = {int(p) for d in dwells for p in find_stretch_around(network, d, metres)}
        met.append(harm[case.surroundings.pieces[sorted(pieces)]].sum())
    assert compute_loop_harm(case, loops, routes, harm) == pytest.approx(np.mean(met))
    assert compute_loop_harm(case, loops, [[], []], harm) == 0
