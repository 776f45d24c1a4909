"""95 % intervals of figures that are summed over months."""

import numpy as np
import pytest
from scipy import stats

from patrolplan.risk.intervals import (
    compute_block_length,
    compute_interval,
    compute_widening,
    draw_months,
)


def simulate_coverage(months, worlds, seed=0, draws=600):
    """Share of worlds whose interval holds the truth; its mean width, with and without widening."""
    rng = np.random.default_rng(seed)
    held, width, plain = 0, 0.0, 0.0
    for world in range(worlds):
        rate = rng.gamma(0.4, 1.0, 400)
        rate /= rate.sum()
        first, second = (
            np.argsort(-rate * rng.lognormal(0, noise, 400))[:20] for noise in (0.6, 1.0)
        )
        truth = 20 * (rate[first].sum() - rate[second].sum())
        counts = rng.poisson(60 * rate * rng.gamma(2.5, 0.4, (months, 400)))
        gain = 20.0 * (counts[:, first].sum(axis=1) - counts[:, second].sum(axis=1))
        total = counts.sum(axis=1)
        weights = draw_months(months, seed=world, draws=draws)
        drawn = (weights @ gain) / (weights @ total)
        low, high = compute_interval(np.array(gain.sum() / total.sum()), drawn, months)
        held += bool(low <= truth <= high)
        width += float(high - low) / worlds
        plain += float(high - low) / compute_widening(months) / worlds
    return held / worlds, width, plain


@pytest.mark.parametrize("months", [6, 12, 24])
def test_intervals_hold_the_truth_as_often_as_they_claim(months):
    """Of 300 worlds of known rates at least 92 % of the intervals hold the true difference."""
    covered, width, plain = simulate_coverage(months, 300)
    assert 0.92 <= covered <= 0.99
    assert width <= 2.5 * plain


def test_intervals_of_autocorrelated_months_cover():
    """Where neighbouring months are alike, blocks keep the interval of a mean near its claim."""
    rng, months, held = np.random.default_rng(3), 24, 0
    for seed in range(300):
        shocks = rng.normal(size=months + 20)
        series = np.empty(months + 20)
        series[0] = shocks[0]
        for month in range(1, months + 20):
            series[month] = 0.3 * series[month - 1] + shocks[month]
        values = series[20:]
        drawn = draw_months(months, seed=seed, draws=400) @ values / months
        low, high = compute_interval(np.array(values.mean()), drawn, months)
        held += bool(low <= 0 <= high)
    assert 0.88 <= held / 300 <= 0.99


def test_widening_is_students_t_on_overlapping_blocks():
    """It is sqrt(b / (b - 1)) times the ratio of t to normal quantiles, and falls to 1."""
    blocks = 24 / 3
    by_hand = np.sqrt(blocks / (blocks - 1)) * stats.t(8.75).ppf(0.975) / 1.959964
    assert compute_widening(24) == pytest.approx(by_hand, rel=1e-6)
    widenings = [compute_widening(months) for months in (6, 12, 24, 120, 10_000)]
    assert widenings == sorted(widenings, reverse=True)
    assert widenings[-1] == pytest.approx(1.0, abs=0.01)


def test_draws_are_whole_blocks():
    """Every draw has as many months as there are, and each month comes as often as the others."""
    counted = draw_months(12, seed=1)
    assert [compute_block_length(months) for months in (1, 2, 6, 12, 24)] == [1, 1, 2, 2, 3]
    assert counted.shape == (2000, 12)
    assert (counted.sum(axis=1) == 12).all()
    assert counted.mean(axis=0) == pytest.approx(1.0, abs=0.1)
