"""What a trial shows."""

import numpy as np
import pytest

from patrolplan.team.trial import DRAWS, estimate_effect


def _draw(rng, pairs, blocks):
    first = rng.random((pairs, blocks)) < 0.5
    return np.stack([first, ~first], axis=1).reshape(-1, blocks)


def _simulate(seed, factor=1.0, pairs=6, blocks=30, mean=0.5, dispersion=0.0):
    """Incidents of a trial in which patrols multiply them by a factor, and what was expected."""
    rng = np.random.default_rng(seed)
    drawn = _draw(rng, pairs, blocks)
    each = rng.uniform(0.5, 1.5, (2 * pairs, 1)) * mean
    expected = np.broadcast_to(each, drawn.shape)
    moods = np.ones((2 * pairs, 1))
    if dispersion:
        moods = rng.gamma(1 / dispersion, dispersion, (2 * pairs, 1))
    counts = rng.poisson(np.where(drawn, factor, 1.0) * expected * moods).astype(float)
    return counts, expected, drawn


def _compute_p_slowly(counts, expected, drawn, ways):
    """The share of ways whose sum is as far from zero, the drawn one counted."""
    away = counts - counts.sum() / expected.sum() * expected

    def add_up(treated):
        return abs(sum((treated[at] - 0.5) * away[at] for at in np.ndindex(treated.shape)))

    own = add_up(drawn)
    return np.mean([add_up(way) >= own - 1e-9 for way in [drawn, *ways]])


def test_p_value_equals_a_slow_count():
    """The p-value is that of the draws of its seed; nearly that of all ways of drawing."""
    counts, expected, drawn = _simulate(1, pairs=5, blocks=1, mean=6)
    effect = estimate_effect(counts, expected, drawn, seed=1)
    first = np.random.default_rng(1).integers(0, 2, (DRAWS, 5, 1))
    ways = np.stack([first, 1 - first], axis=2).reshape(DRAWS, 10, 1)
    assert effect.p_value == pytest.approx(_compute_p_slowly(counts, expected, drawn, ways))
    every = (np.arange(32)[:, None] >> np.arange(5) & 1)[..., None]
    every = np.stack([every, 1 - every], axis=2).reshape(32, 10, 1)
    exact = _compute_p_slowly(counts, expected, drawn, every)
    assert effect.p_value == pytest.approx(exact, abs=0.06)


@pytest.mark.parametrize("factor", [0.3, 0.7, 1.0, 1.6])
def test_the_interval_holds_what_is_not_rejected(factor):
    """A factor lies in the interval exactly where counts divided by it are not rejected."""
    counts, expected, drawn = _simulate(4, factor)
    found = estimate_effect(counts, expected, drawn, seed=4)
    assert found.low < found.factor < found.high
    for end, inward in ((found.low, 1.01), (found.high, 0.99)):
        for at, kept in ((end * inward, True), (end / inward, False)):
            undone = np.where(drawn, counts / at, counts)
            p_value = estimate_effect(undone, expected, drawn, seed=4).p_value
            assert (p_value >= 0.05) == kept


def test_interval_and_p_value_agree():
    """No effect lies in the interval exactly where it is not rejected."""
    for seed in range(12):
        for factor in (1.0, 0.75, 0.5):
            found = estimate_effect(*_simulate(seed, factor), seed=seed)
            assert (found.low <= 1 <= found.high) == (found.p_value >= 0.05)


BY_DAY = {"pairs": 5, "blocks": 40, "mean": 0.4, "dispersion": 0.25}
BY_PAIR = {"pairs": 10, "blocks": 1, "mean": 11, "dispersion": 0.1}


@pytest.mark.parametrize("layout", [BY_DAY, BY_PAIR])
def test_null_trials_reject_rarely(layout):
    """Of 400 trials without an effect about one in twenty finds one: 2 to 8 % are by chance."""
    found = [estimate_effect(*_simulate(seed, **layout), seed=seed) for seed in range(400)]
    assert 0.02 <= np.mean([effect.p_value <= 0.05 for effect in found]) <= 0.08


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.0, 0.6])
def test_interval_holds_the_effect(factor):
    """The 95 % interval holds the true factor in about 95 % of trials."""
    ones = [estimate_effect(*_simulate(seed, factor, **BY_DAY), seed=seed) for seed in range(600)]
    assert 0.93 <= np.mean([one.low <= factor <= one.high for one in ones]) <= 0.97
