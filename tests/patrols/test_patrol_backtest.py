"""Harm that patrols would have covered in held-out months."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from timed_towns import keep_prizes

import patrolplan as pp
from patrolplan.patrols import patrol_backtest
from patrolplan.patrols.patrol_backtest import BASELINES, OURS, PatrolBacktest, backtest_patrols
from patrolplan.patrols.solver.solve import OrienteeringProblem, solve
from patrolplan.risk.backtest import select_origins
from patrolplan.risk.history import build_history, get_harm_days

ORIGIN = pd.Timestamp("2026-06-01")


@pytest.fixture(scope="module")
def few_schools(demo_area):
    """The demo borough with two schools."""
    schools, gates = demo_area.schools.iloc[:2], demo_area.gates.take([0, 1])
    return replace(demo_area, schools=schools, gates=gates)


@pytest.fixture(scope="module")
def tested(few_schools):
    """Two schools tested on one month."""
    return backtest_patrols(few_schools, origins=[ORIGIN])


def test_nothing_is_learned_from_the_held_out_months(few_schools, tested):
    """Other crime in the hold-out month and later changes the harm met, not the plan."""
    later = (few_schools.incidents["month"] >= ORIGIN).to_numpy()
    catchment = few_schools.incident_catchment.copy()
    catchment[later] = catchment[~later][0]
    poisoned = replace(few_schools, incident_catchment=catchment)
    honest, spoiled = (patrol_backtest.cut_area(area, ORIGIN) for area in (few_schools, poisoned))
    assert (honest.incident_catchment == spoiled.incident_catchment).all()
    assert (honest.incidents["month"] < ORIGIN).all()
    again = backtest_patrols(poisoned, origins=[ORIGIN])
    assert not again.results[OURS].equals(tested.results[OURS])


@pytest.mark.parametrize(("origins", "months"), [
    ("2026-08", ["2026-08"]),
    (pd.Period("2026-08"), ["2026-08"]),
    (("2026-07", "2026-09"), ["2026-07", "2026-08", "2026-09"]),
    (["2026-09", "2026-07"], ["2026-07", "2026-09"]),
    (pd.date_range("2026-07-01", "2026-09-01", freq="MS"), ["2026-07", "2026-08", "2026-09"]),
])  # fmt: skip
def test_origins_are_a_month_a_span_or_several_months(demo_area, origins, months):
    """A text is one month, not its letters; two in a tuple are a span, and a list is its months."""
    chosen = select_origins(build_history(demo_area), origins)
    assert chosen.strftime("%Y-%m").tolist() == months


@pytest.mark.parametrize(("origins", "problems"), [
    ([], [r"origins: names no month; give one or several of \d{4}-\d\d\.\.2026-09"]),
    (["1999-01", "2026-08", "x", "2031-05"], [
        "'x' is not a valid month",
        r"1999-01 cannot be tested: it lies outside \d{4}-\d\d\.\.2026-09",
        "2031-05 cannot be tested",
    ]),
    (("2026-09", "2026-08"), ["2026-09 is after 2026-08; swap them"]),
])  # fmt: skip
def test_months_that_cannot_be_tested_are_named(few_schools, origins, problems):
    """Each with the span of months that can be, and all at once; the risk's test says the same."""
    for backtest in (backtest_patrols, pp.backtest_risk):
        with pytest.raises(pp.InputError) as error:
            backtest(few_schools, origins=origins)
        lines = str(error.value).splitlines()
        assert len(lines) == len(problems)
        for line, words in zip(lines, problems, strict=True):
            assert re.search(words, line)


def test_too_few_months_are_refused(few_schools):
    """A back-test of patrols needs as many months as that of the risk, and says how many."""
    short = few_schools.where(months="2026-05 to 2026-09")
    with pytest.raises(pp.InputError, match="needs 7 months of crime or more, but there are 5"):
        backtest_patrols(short, origins="2026-09")


def test_recorded_harm_is_the_months_harm_by_hand(demo_area):
    """The harm on all pieces adds up to days times incidents of the categories that count."""
    harm = patrol_backtest.compute_recorded_harm(demo_area, build_history(demo_area), [ORIGIN])
    incidents = demo_area.incidents[demo_area.incidents["month"] == ORIGIN]
    counted = incidents["category"].astype(str)
    counted = counted[counted.isin(demo_area.settings.crimes.risk_categories)]
    assert harm.sum() == pytest.approx(get_harm_days(counted).sum())


def test_the_summary_is_the_ratio_of_sums():
    """Ratios are of all harm met; an interval holds its ratio, and is a point for equal months."""
    origins = pd.date_range("2026-01-01", periods=6, freq="MS")
    columns = ["origin", "urn", OURS, *BASELINES, *patrol_backtest.PLANNED_COLUMNS]
    rows = [
        (origin, urn, 6.0, 3.0, 4.0 + k % 3, 0.3 + k, 0.2 + k)
        for k, origin in enumerate(origins)
        for urn in ("1", "2")
    ]
    met = pd.DataFrame(rows, columns=columns)
    summary = PatrolBacktest(met, seed=1).summary().set_index("against")
    assert summary.loc[BASELINES[0], "harm_per_officer_hour_ratio"] == pytest.approx(2)
    assert summary.loc[BASELINES[0], ["low", "high"]].tolist() == pytest.approx([2, 2])
    middle = summary.loc[BASELINES[1]]
    assert middle["low"] < middle["harm_per_officer_hour_ratio"] == pytest.approx(1.2)
    assert middle["harm_per_officer_hour_ratio"] < middle["high"]
    assert PatrolBacktest(met, seed=1).planned_worth_ratio == pytest.approx(16.8 / 16.2)


def test_several_officers_are_tested_on_what_the_limit_of_work_finds(few_schools, monkeypatch):
    """Three of them in two hours are planned to do more than one, also where nothing is proven."""
    solutions = []

    def solve_in_part(problem):
        solutions.append(solve(problem, max_labels=2_000))
        return solutions[-1]

    monkeypatch.setattr(patrol_backtest, "solve", solve_in_part)
    worths = []
    for officers in (1, 3):
        area = pp.with_settings(few_schools, patrol={"officers": officers, "window_minutes": 120})
        worths.append(backtest_patrols(area, origins=[ORIGIN]).results["planned worth"])
    assert "feasible" in {solution.status for solution in solutions}
    assert (worths[1] > worths[0]).all()


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 3), st.booleans())
def test_greedy_fits_the_window_and_is_no_better_than_the_best(seed, stops, officers, by_minute):
    """Greedy routes are back in time, visit nothing twice, and are worth at most the best."""
    rng = np.random.default_rng(seed)
    xy = rng.random((stops + 1, 2)) * 20
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    prizes, dwell = np.r_[0.0, rng.random(stops)], np.r_[0.0, np.full(stops, 10.0)]
    given = apart, keep_prizes(prizes, dwell, 900, 70), dwell, 900.0, 970.0, officers
    problem = OrienteeringProblem(*given, barred=frozenset({0}))
    routes = patrol_backtest.plan_greedy_routes(problem, per_minute=by_minute)
    assert len(routes) == officers
    for route in routes:
        walked = sum(problem.travel_minutes[a, b] for a, b in pairwise([0, *route, 0]))
        assert walked + 10 * len(route) <= 70 + 1e-9
    visited = [stop for route in routes for stop in route]
    assert len(set(visited)) == len(visited)
    worth = sum(problem.compute_worth(stop, np.array([900.0]))[0] for stop in visited)
    assert worth <= solve(problem).worth + 1e-9
