"""The pooled stack: weights of highest log score, shrunk towards those declared."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import minimize

from patrolplan.risk.calibration import calibrate
from patrolplan.risk.stack import (
    CATEGORY_INCIDENTS,
    COMMON_INCIDENTS,
    DECLARED_EVEN,
    DECLARED_WEIGHTS,
    EVEN,
    Stack,
    build_stack_month,
    compute_shares,
    fit_stack,
    fit_weights,
    score_shares,
)


def draw_case(seed, models=4, places=60):
    """Shares of some models, incidents drawn from a mix of two of them, and a prior."""
    rng = np.random.default_rng(seed)
    shares = rng.gamma(0.4, size=(models, places)) + 1e-9
    shares /= shares.sum(axis=1, keepdims=True)
    truth = 0.7 * shares[0] + 0.3 * shares[-1]
    counts = rng.poisson(rng.integers(1, 2_000) * truth).astype(float)
    return shares, counts, rng.gamma(1.0, 30.0, size=models) + 0.1


@pytest.mark.parametrize("seed", range(8))
def test_weights_are_those_of_a_general_optimiser(seed):
    """Newton's method ends where a slow optimiser on the simplex does."""
    shares, counts, prior = draw_case(seed)

    def misfit(weights):
        score = (counts * np.log(weights @ shares)).sum() + (prior * np.log(weights)).sum()
        return -score / (counts.sum() + prior.sum())

    start = np.full(len(prior), 1 / len(prior))
    slow = minimize(
        misfit,
        start,
        method="SLSQP",
        bounds=[(1e-9, 1.0)] * len(prior),
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 1_000},
    )
    found = fit_weights(shares, counts, prior)
    assert misfit(found) <= slow.fun + 1e-12
    assert found == pytest.approx(slow.x, abs=2e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 50))
def test_weights_are_on_the_simplex_and_stationary(seed, models, places):
    """Weights are positive, sum to one, and no small move between two of them scores higher."""
    shares, counts, prior = draw_case(seed, models, places)
    weights = fit_weights(shares, counts, prior)
    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(1.0)
    slope = (shares / (weights @ shares)) @ counts + prior / weights
    assert slope == pytest.approx(np.full(models, counts.sum() + prior.sum()), rel=1e-3)


def build_months(seed, good, months=6, places=200, incidents=(400, 15)):
    """Months in which the truth of each category is one model's rates; four models and a count."""
    rng = np.random.default_rng(seed)
    names = tuple(DECLARED_WEIGHTS)
    found = []
    for _ in range(months):
        rates = [rng.gamma(0.5, size=(places, len(good))) + 1e-6 for _ in names[:-1]]
        prior = rng.poisson(rates[0] * 5).astype(float)
        truth = compute_shares(rates, np.ones(places), len(good))
        counts = np.column_stack(
            [rng.multinomial(incidents[k], truth[which, :, k]) for k, which in enumerate(good)]
        )
        found.append(build_stack_month(rates, prior, np.ones(places), counts.astype(float)))
    return names, found


def test_sparse_categories_borrow_the_common_weights():
    """The model that is right gets the weight, and a sparse category follows all others."""
    names, months = build_months(1, good=(2, 0))
    stack = fit_stack(names, 2, months)
    assert stack.weights.sum(axis=1) == pytest.approx(1.0)
    assert stack.weights[0].argmax() == 2
    assert stack.weights[0, 2] > 0.8
    assert stack.weights[1].argmax() == 2  # by 90 incidents alone it would be model 0
    alone = fit_stack(names, 1, build_months(1, good=(0,), incidents=(2_000,))[1])
    assert alone.weights[0, 0] > 0.85


def test_the_stack_is_fitted_in_two_steps():
    """First one mix of all incidents towards the declared one, then each category's towards it."""
    names, months = build_months(5, good=(1, 3))
    stack = fit_stack(names, 2, months)
    declared = np.array(list(DECLARED_WEIGHTS.values()))
    shares = [np.hstack([month.shares[k][:-1] for month in months]) for k in range(2)]
    counts = [np.concatenate([month.counts[k] for month in months]) for k in range(2)]
    common = fit_weights(np.hstack(shares), np.concatenate(counts), COMMON_INCIDENTS * declared)
    for k in range(2):
        own = fit_weights(shares[k], counts[k], CATEGORY_INCIDENTS * common)
        assert stack.weights[k] == pytest.approx(own)


def test_no_months_give_the_declared_weights(make):
    """Without months all categories have the declared weights, and models may be missing."""
    stack = fit_stack(tuple(DECLARED_WEIGHTS), 3, [])
    assert stack.weights == pytest.approx(np.tile(list(DECLARED_WEIGHTS.values()), (3, 1)))
    assert (stack.smoothing == DECLARED_EVEN).all()
    some = fit_stack(("shrunk count", EVEN), 1, [])
    assert some.weights[0] == pytest.approx(np.array([0.15, 0.01]) / 0.16)
    h = make.history(make.uneven(kinds=3))
    rates = [np.zeros((len(h.units), 3))] * 4
    combined = stack.combine(rates, h)  # models that expect nothing at all: the even spread
    assert combined / combined.sum(axis=0) == pytest.approx(
        np.tile(h.units.metres[:, None] / h.units.metres.sum(), (1, 3))
    )


def test_smoothing_is_the_best_share_of_the_even_spread():
    """The prior count is smoothed with the share that would have predicted the months best."""
    rng = np.random.default_rng(2)
    metres = rng.uniform(50, 150, 300)
    truth = rng.gamma(0.7, size=300)
    months = []
    for _ in range(12):
        prior = rng.poisson(truth * 2)[:, None].astype(float)
        counts = rng.poisson(truth)[:, None].astype(float)
        months.append(build_stack_month([prior], prior, metres, counts))
    found = float(fit_stack(("shrunk count", EVEN), 1, months).smoothing[0])

    def score(share):
        mixes = [(1 - share) * month.shares[0][2] + share * month.shares[0][1] for month in months]
        pairs = zip(months, mixes, strict=True)
        return sum((month.counts[0] * np.log(mix)).sum() for month, mix in pairs)

    grid = np.linspace(0.01, 0.99, 99)
    assert found == pytest.approx(grid[np.argmax([score(share) for share in grid])], abs=0.02)


def test_score_by_hand():
    """Half of the crime where half was expected costs one bit an incident."""
    rates = np.array([[2.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    counts = np.array([[3.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    assert score_shares(rates, counts) == pytest.approx([-3 - 2, -2 * np.log2(3)])


@given(st.integers(0, 10**6))
def test_a_mix_is_the_weighted_mean_of_shares(make, seed):
    """Mixes, and shares where crime was recorded, are those of every share written out."""
    rng = np.random.default_rng(seed)
    h = make.history(make.uneven(months=14))
    metres, (places, targets) = h.units.metres, h.counts[0, :, : len(h.targets)].shape
    rates = [rng.gamma(0.5, size=(places, targets)) for _ in range(3)]
    rates[1][:, 0] = 0.0
    weights = rng.dirichlet(np.ones(4), size=targets)
    stack = Stack(("a", "b", "c", EVEN), weights, np.full(targets, 0.2), 3)
    shares = compute_shares(rates, metres, targets)
    plain = calibrate(np.einsum("jm,mcj->cj", weights, shares), h)
    assert stack.combine(rates, h) == pytest.approx(plain, rel=1e-12)
    counts = rng.poisson(0.3, size=(places, targets)).astype(float)
    counts[:, -1] = 0.0
    month = build_stack_month(rates[:2], rates[2], metres, counts)
    wanted = [shares[0], shares[1], shares[3], shares[2]]
    for target in range(targets):
        rows = np.flatnonzero(counts[:, target])
        expected = np.stack([one[rows, target] for one in wanted])
        assert month.shares[target] == pytest.approx(expected, rel=1e-12)
        assert np.array_equal(month.counts[target], counts[rows, target])


def test_weights_do_not_depend_on_blocks(monkeypatch):
    """Sums over blocks of cells give the weights that sums over all cells give."""
    rng = np.random.default_rng(11)
    shares, counts = rng.gamma(0.5, size=(4, 1000)), rng.poisson(1.0, 1000) + 1.0
    prior = np.array([5.0, 2.0, 2.0, 1.0])
    whole = fit_weights(shares, counts, prior)
    monkeypatch.setattr("patrolplan.risk.stack.BLOCK_CELLS", 7)
    assert fit_weights(shares, counts, prior) == pytest.approx(whole, rel=1e-10)
