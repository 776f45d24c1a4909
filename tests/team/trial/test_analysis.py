"""What a trial shows."""

import numpy as np
import pytest
from simulated_trials import simulate_trials

from patrolplan.team.trial.analysis import Outcome, compute_displacement, estimate_effect
from patrolplan.team.trial.design import References, draw_at_random, list_references
from patrolplan.team.trial.power import Layout

BY_DAY = Layout(np.full((5, 2, 40), 0.4), np.arange(40) // 20, dispersion=0.25, periods=40)
BY_PAIR = Layout(
    np.linspace(16, 6, 20).reshape(10, 2, 1), np.zeros(1, dtype=np.int64), dispersion=0.1, periods=3
)


def _build_outcome(seed=1, effect=0.0, ratio=(1, 1), shape=(6, 2, 30), mean=0.5):
    rng = np.random.default_rng(seed)
    treated = draw_at_random(rng, (1, *shape), ratio[0])[0]
    expected = np.broadcast_to(rng.uniform(0.5, 1.5, shape[:2])[..., None] * mean, shape).copy()
    counts = rng.poisson(np.where(treated, (1 - effect) * expected, expected)).astype(float)
    return Outcome(counts, expected, treated)


def test_p_value_equals_a_slow_count():
    """The p-value is the share of all ways of drawing whose sum is as far from zero."""
    outcome = _build_outcome(shape=(5, 2, 1), mean=6)
    references = list_references(5, 1, (1, 1), seed=1)
    away = outcome.counts - outcome.counts.sum() / outcome.expected.sum() * outcome.expected

    def add_up(treated):
        total = 0.0
        for place in np.ndindex(treated.shape):
            total += (treated[place] - 0.5) * away[place]
        return abs(total)

    drawn = add_up(outcome.treated)
    as_far = sum(add_up(way) >= drawn - 1e-9 for way in references.treated)
    effect = estimate_effect(outcome, references)
    assert effect.p_value == as_far / len(references)
    assert effect.is_exact


def test_factor_is_a_ratio_of_rates():
    """With equal expectations the factor is that of the incidents with and without patrols."""
    outcome = _build_outcome(effect=0.4)
    outcome = Outcome(outcome.counts, np.ones(outcome.counts.shape), outcome.treated)
    effect = estimate_effect(outcome, list_references(6, 30, (1, 1), seed=1))
    assert effect.factor == pytest.approx(effect.came / effect.without)
    assert effect.difference == pytest.approx(effect.came - effect.without)
    assert effect.low < effect.factor < effect.high
    assert effect.difference_low < effect.difference < effect.difference_high


@pytest.mark.parametrize("effect", [0.0, 0.25, 0.5])
def test_interval_and_p_value_agree(effect):
    """No effect lies in the interval exactly where it is not rejected."""
    for seed in range(12):
        references = list_references(6, 30, (1, 1), seed=seed)
        found = estimate_effect(_build_outcome(seed, effect), references)
        assert (found.low <= 1 <= found.high) == (found.p_value >= 0.05)


def test_delivery_and_order_do_not_enter():
    """Sets in another order, with their draws, give the same result."""
    outcome = _build_outcome(effect=0.3)
    references = list_references(6, 30, (1, 1), seed=3)
    order = [3, 0, 5, 1, 4, 2]
    other = Outcome(*(part[order] for part in vars(outcome).values()))
    shuffled = References(references.treated[:, order], is_exact=False)
    first, second = estimate_effect(outcome, references), estimate_effect(other, shuffled)
    assert first.p_value == second.p_value
    assert (first.low, first.high) == pytest.approx((second.low, second.high))


def test_nothing_to_compare():
    """Without a single incident there is no factor, no bound, and no evidence."""
    outcome = _build_outcome(mean=0.0)
    outcome = Outcome(outcome.counts, outcome.expected + 1, outcome.treated)
    effect = estimate_effect(outcome, list_references(6, 30, (1, 1), seed=1))
    assert np.isnan(effect.factor)
    assert (effect.low, effect.high, effect.p_value) == (0.0, np.inf, 1.0)


def test_no_incident_with_patrols():
    """Where nothing came with patrols the factor is 0, and what is not rejected bounds it."""
    treated = np.zeros((6, 2, 30), dtype=bool)
    treated[:, 0] = True
    counts = np.where(treated, 0.0, 1.0)
    effect = estimate_effect(
        Outcome(counts, np.ones(counts.shape), treated), list_references(6, 30, (1, 1), seed=1)
    )
    assert (effect.factor, effect.low) == (0.0, 0.0)
    assert 0 < effect.high < 1
    assert effect.p_value == 1 / 1000


@pytest.mark.parametrize("layout", [BY_DAY, BY_PAIR])
def test_null_trials_reject_rarely(layout):
    """Of 200 trials without an effect about one in twenty finds one: 2 to 9 % are within chance."""
    found = simulate_trials(layout, 0.0, trials=200, seed=20)
    assert 0.02 <= np.mean([effect.p_value <= 0.05 for effect in found]) <= 0.09


@pytest.mark.slow
@pytest.mark.parametrize("layout", [BY_DAY, BY_PAIR])
def test_thousand_null_trials_reject_one_in_twenty(layout):
    """Of 1,000 trials without an effect 4 to 6 % find one at 5 %."""
    found = simulate_trials(layout, 0.0, trials=1000, seed=22)
    assert 0.04 <= np.mean([effect.p_value <= 0.05 for effect in found]) <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 0.4])
def test_interval_holds_the_effect(effect):
    """The 95 % interval holds the true factor in about 95 % of trials."""
    found = simulate_trials(BY_DAY, effect, trials=600, seed=5)
    held = np.mean([one.low <= 1 - effect <= one.high for one in found])
    assert 0.93 <= held <= 0.97


def test_displacement_is_the_published_one():
    """With whole counts and arms of one size it is Wheeler and Ratcliffe's, and their variance."""
    own, around = np.eye(4)[:2], np.eye(4)[2:]
    treated = np.array([[True], [False]])
    before, after = np.array([[20.0], [18.0], [9.0], [8.0]]), np.array([[11.0], [17], [10], [7]])
    found = compute_displacement(own, around, treated, before, after)
    assert found.difference == pytest.approx((11 - 20) - (17 - 18) + (10 - 9) - (7 - 8))
    error = np.sqrt(20 + 18 + 9 + 8 + 11 + 17 + 10 + 7)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * error)
    assert found.counts == ((20, 11), (18, 17), (9, 10), (8, 7))


def test_displacement_weighs_arms_of_other_sizes():
    """Two hotspots without patrols count half each against one with them."""
    own, around = np.eye(3), np.zeros((3, 3))
    treated = np.array([[True], [False], [False]])
    before, after = np.full((3, 1), 10.0), np.array([[6.0], [10.0], [12.0]])
    found = compute_displacement(own, around, treated, before, after)
    assert found.difference == pytest.approx(-4 - 0.5 * 0 - 0.5 * 2)
    error = np.sqrt(16 + 0.25 * (20 + 22))
    assert found.high - found.difference == pytest.approx(1.959964 * error)


def test_displacement_does_not_count_what_moves_along_its_own_edge():
    """An incident half in a hotspot and half around it counts once, as in one of them."""
    own, around = np.array([[0.5], [0.0]]), np.array([[0.5], [0.0]])
    treated = np.array([[True], [False]])
    found = compute_displacement(own, around, treated, np.array([[4.0]]), np.array([[9.0]]))
    assert found.difference == pytest.approx(5)
    assert found.high - found.difference == pytest.approx(1.959964 * np.sqrt(13))
