"""Planning with risk by minute: data for workers, worth of the gate, and the way back."""

import dataclasses
import pickle

import numpy as np
import pytest
from pydantic import TypeAdapter

import patrolplan as pp
from patrolplan.area.patrol_window import resolve_window
from patrolplan.patrols.plan import Patrol
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.school_problem import build_school_problem
from patrolplan.patrols.solver.solve import solve
from patrolplan.patrols.surroundings import build_surroundings
from patrolplan.patrols.timed_risk import TimedRisk, find_seen_pieces
from patrolplan.risk.in_time import RiskInTime

READER = TypeAdapter(Patrol)


@pytest.fixture(scope="module")
def window(demo_area):
    """The window of the settings."""
    return resolve_window(demo_area.settings.patrol)


@pytest.fixture(scope="module")
def timed(demo_area, demo_plan, window):
    """Data for workers for two schools."""
    return TimedRisk.from_risk(demo_area, demo_plan.risk, demo_plan.hotspots, window, rows=[1, 7])


def test_stretches_have_the_risk_of_their_pieces_in_each_minute(demo_plan, timed):
    """The rates of stretches are the sums of the risk of each minute over their pieces."""
    stretches = [np.array(pieces) for pieces in demo_plan.hotspots["pieces"]]
    first, count = timed.first_minute, timed.stretch_rates.shape[1]
    minutes = map(demo_plan.risk.in_time.compute_rate, range(first, first + count))
    sums = np.transpose([[rate[pieces].sum() for pieces in stretches] for rate in minutes])
    np.testing.assert_allclose(timed.stretch_rates, sums, rtol=1e-12)
    assert np.ptp(timed.stretch_rates, axis=1).max() > 0


def test_reach_is_the_mean_over_the_schools_own_window(demo_area, demo_plan, timed, window):
    """The risk within reach is that of a school's own hours; of other schools it is not known."""
    radius = demo_area.settings.patrol.radius_metres
    for row in (1, 7):
        around = build_surroundings(demo_area, row, window)
        hours = around.hours
        mean = demo_plan.risk.in_time.average(hours.start_minutes, hours.latest_end_minutes)
        within = around.take_values(mean)[around.gate_metres <= radius].sum()
        assert timed.reach[row] == pytest.approx(within)
    assert np.isnan(np.delete(timed.reach, [1, 7])).all()


def test_the_gate_is_what_is_seen_from_it(demo_area, demo_plan, timed, window):
    """Gate rates are those of the streets in sight of the gate, no more than a stop may have."""
    sight = demo_area.settings.way_home.sight_metres
    most = demo_area.settings.hotspots.max_length_metres
    for row in (1, 7):
        around = build_surroundings(demo_area, row, window)
        seen = find_seen_pieces(demo_area, around)
        away = dict(zip(around.pieces.tolist(), around.gate_metres.tolist(), strict=True))
        assert max(away[piece] for piece in seen.tolist()) <= sight
        assert 0 < demo_area.network.piece_metres[seen].sum() <= most
        rate = demo_plan.risk.in_time.compute_rate(timed.first_minute + 20)
        assert timed.gate_rates[row, 20] == pytest.approx(rate[seen].sum())
    assert (np.delete(timed.gate_rates, [1, 7], axis=0) == 0).all()


def test_the_gate_gathers_for_one_dwell(timed, demo_area, window):
    """Presence at the gate that lasts longer than a dwell adds nothing."""
    hours = build_surroundings(demo_area, 7, window).hours
    stay = timed.build_gate_stay(7, 15.0, hours)
    begin = int(hours.start_minutes) - timed.first_minute
    assert stay.minutes == hours.gate_minutes
    assert (np.diff(stay.cumulative[begin : begin + 16]) > 0).all()
    assert (np.diff(stay.cumulative[begin + 15 :]) == 0).all()
    whole = timed.gate_rates[7, begin : begin + 15].sum() / timed.reach[7] / 15
    assert stay.cumulative[-1] - stay.cumulative[begin] == pytest.approx(whole)


def test_workers_are_handed_no_pupils(demo_area, demo_plan):
    """What worker processes are sent holds neither the risk of each minute nor pupils."""
    inputs = PlanningInputs.from_area(demo_area, demo_plan.risk, demo_plan.hotspots)
    with pytest.raises(TypeError, match="pupils"):
        pickle.dumps(demo_plan.risk.in_time)
    sent = pickle.loads(pickle.dumps(inputs))  # noqa: S301 - made a moment ago
    assert sent.risk.in_time is None
    np.testing.assert_array_equal(sent.timed_risk.stretch_rates, inputs.timed_risk.stretch_rates)


def test_without_exposure_the_gate_is_worth_nothing(demo_area):
    """Where pupils do not count, the gate is left after the minimum, though the clock counts."""
    area = pp.with_settings(demo_area, way_home={"exposure": {}})
    area = dataclasses.replace(area, schools=area.schools[:3], gates=area.gates.take([0, 1, 2]))
    risk = pp.estimate_risk(area)
    assert not risk.in_time.is_static
    plan = pp.plan_patrols(area, risk, pp.find_hotspots(area, risk))
    for patrol in plan.patrols:
        assert patrol.worth == pytest.approx(sum(stop.worth for stop in patrol.stops))
    inputs = PlanningInputs.from_area(area, risk, plan.hotspots)
    assert (inputs.timed_risk.gate_rates == 0).all()


class _Even:
    """A risk in time that happens to be the same in every minute, without saying so."""

    is_static = False
    pupils = factors = None

    def __init__(self, rate):
        self.rate = rate

    def compute_rate(self, _minute):
        """The same at all times."""
        return self.rate

    def group_minutes(self, first, end):
        """Each minute alone, as if they could differ."""
        return [(minute, 1) for minute in range(first, end)]

    def remove_exposure(self):
        """There is none."""
        return self


def test_even_minutes_give_the_patrols_of_a_risk_without_time(static_demo_area):
    """If no minute differs from another, patrols by minute are worth what they are without time."""
    area = pp.with_settings(static_demo_area, patrol={"detour": 0.0, "min_late_share": 0.0})
    area = dataclasses.replace(area, tasked_places=area.tasked_places.iloc[:0])
    risk = pp.estimate_risk(area)
    assert risk.in_time.is_static
    hotspots, urns = pp.find_hotspots(area, risk), list(area.schools["urn"].iloc[::4])
    plain = pp.plan_patrols(area, risk, hotspots, urns=urns)
    minutes = dataclasses.replace(risk, in_time=_Even(risk.joined))
    even = pp.plan_patrols(area, minutes, hotspots, urns=urns)
    for one, other in zip(plain.patrols, even.patrols, strict=True):
        assert other.worth == pytest.approx(one.worth, rel=1e-6)
        assert other.gate_until_minutes == pytest.approx(one.gate_until_minutes)
        assert {stop.hotspot for stop in other.stops} == {stop.hotspot for stop in one.stops}


def test_patrols_by_minute_are_worth_more_than_those_without(demo_area, demo_plan):
    """Stops chosen without time, at their best times and order, are worth no more than planned."""
    inputs = PlanningInputs.from_area(demo_area, demo_plan.risk, demo_plan.hotspots)
    better = 0
    for row in range(0, len(demo_area.schools), 3):
        problem = build_school_problem(inputs, row).plain_problem
        officer = dataclasses.replace(problem.officer, earliest_minutes=problem.leave_minutes)
        plain = {"timed_prizes": None, "gate": None, "windows": None}
        static = dataclasses.replace(problem, officer=officer, **plain)
        problem = dataclasses.replace(problem, windows=None)
        solution = solve(problem)
        barred = frozenset(range(problem.size)) - solve(static).stops
        same = solve(dataclasses.replace(problem, barred=barred))
        assert same.worth <= solution.worth + 1e-9
        better += same.worth < 0.999 * solution.worth
    assert better > 0


def test_a_risk_made_by_hand_has_no_minutes(demo_area, demo_plan, window):
    """Without the risk of each minute, or with a static one, nothing is handed on."""
    for in_time in (None, RiskInTime.from_static(demo_plan.risk.joined)):
        risk = dataclasses.replace(demo_plan.risk, in_time=in_time)
        assert TimedRisk.from_risk(demo_area, risk, demo_plan.hotspots, window) is None
