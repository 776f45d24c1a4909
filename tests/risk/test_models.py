"""Every model: sane, blind to what is later, and as good as its plain form."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar
from sklearn.base import clone
from sklearn.linear_model import PoissonRegressor
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

from patrolplan.risk.features import MAX_EVENT_ROWS, FeatureBuilder, thin_rows
from patrolplan.risk.history import build_history
from patrolplan.risk.models import (
    MODELS,
    Combination,
    DecayedCount,
    PoissonCount,
    PriorCount,
    ShrunkCount,
)
from patrolplan.risk.regression import TrainingRows, fit_poisson
from patrolplan.risk.rolling_origin import run_trials
from patrolplan.risk.shrinkage import LOG_SHAPE, Patterns, fit_gamma_shape, fit_mixture
from patrolplan.risk.spatial_units import SpatialUnits


@pytest.mark.parametrize("name", MODELS)
def test_blind_to_what_is_later(make, name):
    """Poisoned later months change nothing: a model receives the cut alone."""
    counts = make.uneven()
    poisoned = counts.copy()
    poisoned[14:] = 10_000
    clean, bad = make.history(counts), make.history(poisoned)
    origin = clean.months[14]
    found = [clone(MODELS[name]()).fit(h.cut_before(origin)).predict() for h in (clean, bad)]
    assert np.array_equal(*found)
    cut = bad.cut_before(origin)
    assert cut.counts.base is None
    assert cut.counts.max() < 10_000


def test_months_read_in_place_are_those_copied_and_cannot_be_changed(make):
    """Our own models read the same months without a copy, and none can write into them."""
    h = make.history(make.uneven())
    here, copied = (h.cut_before(h.months[14], is_copied=is_copied) for is_copied in (False, True))
    assert np.array_equal(here.counts, copied.counts)
    assert np.array_equal(here.totals, h.counts[:14].sum(axis=1))
    assert np.shares_memory(here.counts, h.counts)
    with pytest.raises(ValueError, match="read-only"):
        here.counts[0] = 1


@pytest.mark.parametrize("name", MODELS)
def test_sane(make, name):
    """Every model expects something finite, not negative, and the same when fitted again."""
    cut = make.history(make.uneven(months=8))
    model = MODELS[name]()
    expected = model.fit(cut).predict()
    assert expected.shape == (len(cut.units.network), 2)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    assert np.array_equal(clone(model).fit(cut).predict(), expected)


@pytest.mark.parametrize("name", MODELS)
def test_little_history(make, name):
    """One month, a category without any incident, or none at all, is no reason to fail."""
    counts = make.uneven(months=3)
    counts[:, :, 1] = 0
    for months in (1, 3):
        assert np.isfinite(MODELS[name]().fit(make.history(counts[:months])).predict()).all()
    assert np.isfinite(MODELS[name]().fit(make.history(0 * counts)).predict()).all()


def test_prior_count_by_hand(make):
    """The prior count is the last twelve months' count, a month, along the catchment's street."""
    counts = make.uneven(months=20)
    h = make.history(counts)
    expected = PriorCount().fit(h).predict()
    place, piece = 7, 15
    assert h.units.catchments.piece_catchment[piece] == place
    assert expected[piece] == pytest.approx(counts[8:, place].sum(axis=0) / 12 / 2)


def test_shrunk_is_nearer_the_truth(make):
    """With sparse crime that follows all crime, shrunk counts are nearer the true rates."""
    rng = np.random.default_rng(4)
    common = rng.gamma(0.5, 8.0, size=200) + 0.1
    rates = np.column_stack([common / 40, common])
    h = make.history(rng.poisson(rates, size=(12, 200, 2)))
    spread = h.units.catchments.spread(np.pad(rates[:, 0], (0, len(h.units) - 200)))
    off = [
        np.abs(model.fit(h).predict()[:, 0] - spread).sum()
        for model in (PriorCount(), ShrunkCount())
    ]
    assert off[1] < 0.7 * off[0]


def test_poisson_learns_a_change(make):
    """Where crime has moved, a regression whose penalty is light has noticed, the usual less."""
    rng = np.random.default_rng(9)
    rates = np.full((60, 1), 1.0)
    counts = rng.poisson(rates, size=(24, 60, 1))
    for place in range(30):  # each in turn becomes bad for good
        counts[place % 20 :, place] += rng.poisson(6.0, size=(24 - place % 20, 1))
    counts[22:, 40] += 9
    h = make.history(counts)
    light, usual = (PoissonCount(*penalty).fit(h).predict()[80, 0] for penalty in ((0.1,), ()))
    prior = PriorCount().fit(h).predict()[80, 0]
    assert light > 1.4 * prior
    assert light > usual > prior


def test_combination_is_its_parts(make):
    """The combination is half the regression, a quarter shrunk and a quarter decayed counts."""
    h = make.history(make.uneven())
    parts = [
        model.fit(h).predict() for model in (PoissonCount(), ShrunkCount(), DecayedCount(12.0))
    ]
    expected = parts[0] / 2 + parts[1] / 4 + parts[2] / 4
    assert np.allclose(Combination().fit(h).predict(), expected)


def test_features_rest_on_the_past(make):
    """What is known before a month is the same whether or not that month is there."""
    h = make.history(make.uneven(months=16))
    early = FeatureBuilder(h.cut_before(h.months[10]))
    assert np.array_equal(early.build_features(10, 0), FeatureBuilder(h).build_features(10, 0))
    assert np.array_equal(early.compute_rates(10), FeatureBuilder(h).compute_rates(10))


def thin(counts, **limits):
    """Weight of each cell of a table of counts; 0 for those that are not learned from."""
    cells, used = thin_rows(np.flatnonzero(counts), counts.size, **limits)
    assert (np.diff(cells) > 0).all()
    weights = np.zeros(counts.size)
    weights[cells] = used
    return weights.reshape(counts.shape)


def test_thinned_rows_with_incidents_stand_for_all():
    """Where very many rows hold incidents, those that remain weigh as much as all of them."""
    counts = np.random.default_rng(0).poisson(3.0, size=(30, 4000)).astype(np.int32)
    weights = thin(counts)
    held = counts > 0
    assert (weights[held] > 0).sum() <= MAX_EVENT_ROWS
    assert weights[held].sum() == pytest.approx(held.sum(), rel=0.001)
    assert (weights * counts).sum() == pytest.approx(counts.sum(), rel=0.02)


@pytest.mark.parametrize("penalty", [0.05, 2.0])
def test_the_regression_is_the_optimum_that_scikit_learn_finds(penalty):
    """Scaling, offset and optimum are those of a standard scaler and a Poisson regressor."""
    rng = np.random.default_rng(3)
    features = rng.gamma(1.0, size=(5000, 6)) * [1.0, 3.0, 0.2, 1.0, 0.01, 1.0] + 5
    features[:, 5] = 0.7  # in every row alike
    exposure, weights = rng.gamma(0.5, size=5000) + 1e-3, rng.integers(1, 9, 5000).astype(float)
    counts = rng.poisson(exposure * np.exp(0.4 * features[:, 0] - features[:, 1] / 9)).astype(float)
    scaled = StandardScaler().fit_transform(features)
    plain = PoissonRegressor(alpha=penalty, solver="newton-cholesky", tol=1e-12, max_iter=99)
    plain.fit(scaled, counts / exposure, sample_weight=exposure * weights)
    found = fit_poisson(TrainingRows(features, exposure, counts, weights), penalty)
    assert np.allclose(found.predict(features), plain.predict(scaled), rtol=1e-7, atol=0)


def test_rows_learned_from_are_those_of_all_places(make):
    """Features of some places are the rows that these places have among all."""
    h = make.history(make.uneven(months=16))
    some = np.array([1, 3, 4])
    assert np.array_equal(
        FeatureBuilder(h).build_features(9, 0, some), FeatureBuilder(h).build_features(9, 0)[some]
    )


def test_factors_of_all_places_are_those_of_their_features(make):
    """What is computed for all categories at once gives what each category's features give."""
    h = make.history(make.uneven(months=16))
    builder = FeatureBuilder(h)
    for target in range(len(h.targets)):
        fit = fit_poisson(builder.build_rows(range(3, 16), target))
        plain = fit.predict(FeatureBuilder(h).build_features(16, target))
        assert builder.predict(fit, 16, target) == pytest.approx(plain, rel=1e-12)


def test_a_mixture_learned_from_some_places_is_near_that_of_all(monkeypatch):
    """Every n-th place gives the few shares nearly as well, and the sum stays the same."""
    rng = np.random.default_rng(4)
    others = rng.gamma(0.6, 2.0, size=(12_000, 6))
    counts = rng.poisson(others @ [0.5, 0.0, 0.3, 0.0, 0.2, 0.1]).astype(float)
    full = fit_mixture(counts, Patterns(others.T))
    monkeypatch.setattr("patrolplan.risk.shrinkage.MAX_FITTED_UNITS", 3_000)
    some = fit_mixture(counts, Patterns(others.T))
    assert some.sum() == pytest.approx(counts.sum(), rel=1e-3)
    assert np.corrcoef(full, some)[0, 1] > 0.995
    assert fit_gamma_shape(counts, some) == pytest.approx(fit_gamma_shape(counts, full), rel=0.5)


@pytest.mark.parametrize("shape", [0.05, 0.4, 2.0, 30.0])
@pytest.mark.parametrize("mean", [0.02, 0.5, 8.0])
def test_the_shape_is_that_of_highest_likelihood(shape, mean):
    """A search that compares likelihoods of negative binomial counts ends at the same shape."""
    rng = np.random.default_rng(7)
    expected = rng.gamma(0.7, mean / 0.7, size=4000) + 1e-6
    counts = rng.poisson(expected * rng.gamma(shape, 1 / shape, size=4000)).astype(float)

    def misfit(log_shape):
        a = np.exp(log_shape)
        return -stats.nbinom.logpmf(counts, a, a / (a + expected)).sum()

    best = minimize_scalar(misfit, bounds=LOG_SHAPE, method="bounded", options={"xatol": 1e-9})
    assert np.log(fit_gamma_shape(counts, expected)) == pytest.approx(best.x, abs=1e-4)
    assert misfit(np.log(fit_gamma_shape(counts, expected))) <= best.fun + 1e-6


def test_counts_decayed_in_turn_are_those_of_all_months_at_once(make):
    """Counts of growing numbers of months, and of fewer again, are weighted sums of months."""
    h = make.history(make.uneven(months=16))
    other = h.counts.copy()
    other[7:] += 1
    same_places = dataclasses.replace(h, counts=other)
    for months in (3, 4, 9, 16, 5, 0, 10):
        for one in (h, same_places):
            weights = 0.5 ** (np.arange(months)[::-1] / 6.0)
            plain = np.einsum("t,tck->ck", weights, one.counts[:months])
            assert one.count_decayed(6.0, months) == pytest.approx(plain, rel=1e-12)
            units = SpatialUnits(h.units.network, h.units.catchments)
            alone = dataclasses.replace(one, units=units)
            assert np.array_equal(one.count_decayed(6.0, months), alone.count_decayed(6.0, months))


def test_decayed_counts_around_are_around_decayed_counts(make):
    """Decayed month by month, what is around a place is what is around it of the decayed counts."""
    h = make.history(make.uneven(months=16))
    for months in (4, 16, 9):
        total = h.count_decayed(6.0, months)
        plain = h.units.sum_around(np.column_stack([total, total.sum(axis=1)]))
        assert plain.any()
        assert h.count_decayed_around(6.0, months) == pytest.approx(plain, rel=1e-12, abs=1e-9)


def test_history_counts_incidents(make):
    """Months without an incident are there, and every incident of a counted category counts."""
    area = make.area(
        [
            {"piece": 3, "category": "Robbery", "month": "2022-01-01"},
            {"piece": 3, "category": "Robbery", "month": "2022-04-01"},
            {"piece": 5, "category": "Burglary", "month": "2022-02-01"},
            {"piece": 5, "category": "Drugs", "month": "2022-02-01"},
        ]
    )
    h = build_history(area)
    assert h.targets == ("Robbery",)
    assert h.categories == ("Robbery", "Burglary")
    assert h.counts[:, 3, 0].tolist() == [1, 0, 0, 1]
    assert h.counts.sum() == 3


def test_fits_side_by_side_take_one_thread_each(make, monkeypatch, tmp_path):
    """A fit that ends while another goes on does not give it more threads, nor other digits."""
    monkeypatch.setenv("PATROLPLAN_CACHE", str(tmp_path))
    seen = []

    def noting(rows, penalty):
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        seen.append({pool["num_threads"] for pool in pools})
        return fit_poisson(rows, penalty)

    monkeypatch.setattr("patrolplan.risk.models.fit_poisson", noting)
    h = make.history(make.uneven(months=16))
    models = {name: MODELS[name]() for name in ("prior count", "poisson")}
    with threadpool_limits(limits=2):
        run_trials(h, models, list(h.months[-6:]), np.ones(len(h.targets)), seed=1)
    assert len(seen) == 6 * len(h.targets)
    assert all(threads == {1} for threads in seen)
