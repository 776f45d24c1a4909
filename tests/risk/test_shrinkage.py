"""The shrunk count against a plain recount, number by number, and against known answers."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from patrolplan.risk.models import count_prior, expect_shrunk
from patrolplan.risk.shrinkage import compute_shrunk_rates, fit_gamma_shape, fit_mixture, fit_rates


def recount_mixture(counts, patterns):
    """Richardson and Lucy's steps, place by place: a hundred of them."""
    total = patterns.sum(axis=0)
    used = [column for column in range(len(total)) if total[column] > 0]
    weights = {column: counts.sum() / len(used) for column in used}
    for _ in range(100):
        new = dict.fromkeys(used, 0.0)
        for place, count in enumerate(counts):
            parts = {c: weights[c] * patterns[place, c] / total[c] for c in used}
            for c in used:
                new[c] += count * parts[c] / (sum(parts.values()) + 1e-6)
        weights = new
    factor = counts.sum() / sum(weights.values())
    mixed = sum(factor * weights[c] * patterns[:, c] / total[c] for c in used)
    return mixed + 1e-6


def recount_shape(counts, expected):
    """The negative binomial of highest likelihood, its logarithm between -4 and 6."""

    def misfit(log_shape):
        a = math.exp(log_shape)
        score = gammaln(counts + a) - math.lgamma(a)
        score += a * np.log(a / (a + expected)) + counts * np.log(expected / (a + expected))
        return -score.sum()

    grid = np.linspace(-4, 6, 41)
    at = int(np.argmin([misfit(one) for one in grid]))
    ends = grid[max(0, at - 1)], grid[min(40, at + 1)]
    return math.exp(minimize_scalar(misfit, bounds=ends, options={"xatol": 1e-10}).x)


def recount_rates(history):
    """Means and shapes of the whole model, with its figures written out."""
    units, targets = history.units, len(history.targets)
    weights = [0.5 ** (age / 24) for age in range(len(history))][::-1]
    total = np.array(
        [
            sum(w * month[place] for w, month in zip(weights, history.counts, strict=True))
            for place in range(len(units))
        ]
    )
    whole = sum(weights)
    exposure = np.ones(history.counts.shape[:2]) if history.exposure is None else history.exposure
    held = np.maximum(np.array(weights) @ exposure / whole, 1e-3)
    xy = units.catchments.xy
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    next_to, near = apart <= 150.0, apart <= 300.0
    all_crime = total.sum(axis=1)
    means, shapes = np.empty((2, len(units), targets))
    for target in range(targets):
        own = total[:, target]
        average = own.sum() / all_crime.sum()
        share = (near @ own + 20.0 * average) / (near @ all_crime + 20.0)
        beside = held * next_to.sum(axis=1) / np.maximum(next_to @ held, 1e-3) * (next_to @ own)
        others = [total[:, k] for k in range(total.shape[1]) if k != target]
        patterns = [*others, (all_crime - own) * share, beside, units.metres * held]
        expected = recount_mixture(own, np.column_stack(patterns))
        shape = recount_shape(own, expected)
        shapes[:, target] = own + shape
        means[:, target] = expected * (own + shape) / (expected + shape) / (held * whole)
    return means, shapes


@pytest.mark.parametrize("gap", [False, True])
def test_the_whole_model_is_a_plain_recount(make, gap):
    """Rates and shapes are those of loops over places, also where months are missing."""
    h = make.history(make.uneven(months=14, places=50, kinds=3, mean=0.4), targets=("a", "b"))
    if gap:
        exposure = np.ones(h.counts.shape[:2])
        exposure[4:9, :12], exposure[:, 20] = 0.0, 0.0
        object.__setattr__(h, "counts", (h.counts * (exposure > 0)[:, :, None]).astype(np.int32))
        object.__setattr__(h, "exposure", exposure)
    means, shapes = recount_rates(h)
    found = compute_shrunk_rates(h)
    assert found.shapes == pytest.approx(shapes, rel=1e-4)
    assert found.means == pytest.approx(means, rel=1e-4)


def test_exact_places_are_gathered_in_squares_of_75_metres(make):
    """Places without a snap point of their own are near when the middles of their squares are."""
    h = make.history(make.uneven(places=60), per=1)
    object.__setattr__(h.units.catchments, "public", False)
    xy = h.units.catchments.xy + np.random.default_rng(1).uniform(-40, 40, (len(h.units), 2))
    object.__setattr__(h.units.catchments, "xy", xy)
    middle = (np.floor(xy / 75.0) + 0.5) * 75.0
    apart = np.hypot(*(middle[:, None] - middle[None]).transpose(2, 0, 1))
    amounts = np.arange(1.0, len(xy) + 1)[:, None]
    assert np.allclose(h.units.sum_around(amounts), (apart <= 300.0) @ amounts - amounts)


@pytest.mark.parametrize("shape", [0.05, 0.4, 2.0, 30.0])
@pytest.mark.parametrize("mean", [0.02, 0.5, 8.0])
def test_the_shape_is_that_of_highest_likelihood(shape, mean):
    """A search on a grid of negative binomial likelihoods ends at the same shape."""
    rng = np.random.default_rng(7)
    expected = rng.gamma(0.7, mean / 0.7, size=4000) + 1e-6
    counts = rng.poisson(expected * rng.gamma(shape, 1 / shape, size=4000)).astype(float)
    found = fit_gamma_shape(counts, expected)
    assert np.log(found) == pytest.approx(np.log(recount_shape(counts, expected)), abs=1e-4)


def test_shapes_end_where_the_counts_or_the_mean_alone_would_count():
    """Counts as even as chance have the shape e^6, counts all in one place e^-4."""
    expected = np.full(500, 4.0)
    assert fit_gamma_shape(np.full(500, 4.0), expected) == pytest.approx(np.exp(6), rel=1e-3)
    one = np.zeros(500)
    one[3] = 2000.0
    assert fit_gamma_shape(one, expected) == pytest.approx(np.exp(-4), rel=1e-3)


def test_no_place_is_impossible():
    """Where no pattern has anything, a millionth is expected."""
    assert fit_mixture(np.array([3.0, 0.0]), np.array([[1.0], [0.0]]))[1] == pytest.approx(1e-6)
    faint = np.array([[0.4], [0.1]])  # a pattern counts however little there is of it
    assert fit_mixture(np.array([4.0, 1.0]), faint) == pytest.approx([4.0, 1.0], rel=1e-5)


def test_the_posterior_is_that_of_a_gamma_prior_by_number(make):
    """Mean and shape of a place's rate are those of prior times likelihood, summed on a grid."""
    expected, shape, count = 1.7, 0.6, 5.0
    rate = np.linspace(1e-6, 60.0, 400_001)
    density = stats.gamma(shape, scale=expected / shape).pdf(rate) * stats.poisson.pmf(count, rate)
    density /= density.sum()
    mean = (rate * density).sum()
    assert expected * (count + shape) / (expected + shape) == pytest.approx(mean, rel=1e-4)
    variance = (rate**2 * density).sum() - mean**2
    assert mean**2 / variance == pytest.approx(count + shape, rel=1e-4)
    h = make.history(make.uneven())
    counts = h.count_decayed()
    found = fit_rates(counts, h.sum_decayed_weights(), 2, h.units)
    assert np.allclose(np.diff(found.shapes - counts, axis=0), 0)


def test_more_than_twenty_thousand_places_are_fitted_on_every_second_one():
    """Every n-th place gives the few shares nearly as well, and the sum stays the same."""
    rng = np.random.default_rng(4)
    patterns = rng.gamma(0.6, 2.0, size=(20_001, 4))
    counts = rng.poisson(patterns @ [0.5, 0.0, 0.3, 0.2]).astype(float)
    changed = counts.copy()
    changed[1::2] = rng.permutation(changed[1::2])  # places that are not fitted on
    one, other = fit_mixture(counts, patterns), fit_mixture(changed, patterns)
    assert np.array_equal(one, other)
    assert one.sum() == pytest.approx(counts.sum(), rel=1e-3)
    assert fit_gamma_shape(counts, one) == fit_gamma_shape(changed, one)
    fewer = fit_mixture(counts[:-1], patterns[:-1])
    assert not np.array_equal(fewer, fit_mixture(changed[:-1], patterns[:-1]))
    assert np.corrcoef(fewer, one[:-1])[0, 1] > 0.999


def test_shrunk_is_nearer_the_truth(make):
    """With sparse crime that follows all crime, shrunk counts are nearer the true rates."""
    rng = np.random.default_rng(4)
    common = rng.gamma(0.5, 8.0, size=200) + 0.1
    rates = np.column_stack([common / 40, common])
    h = make.history(rng.poisson(rates, size=(12, 200, 2)))
    true = np.pad(rates[:, 0], (0, len(h.units) - 200))
    off = [np.abs(model(h)[:, 0] - true).sum() for model in (count_prior, expect_shrunk)]
    assert off[1] < 0.7 * off[0]
