"""Every model: sane, blind to what is later, and as good as its plain form."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.linear_model import PoissonRegressor
from sklearn.preprocessing import StandardScaler

from patrolplan.risk.history import build_history, get_harm_days
from patrolplan.risk.models import MODELS, calibrate, count_prior, smooth_prior
from patrolplan.risk.own_model import STREET_KINDS, ModelTables

COUNTED = ("mean_", "around_", "all_", "other: ")
EVERY = {**MODELS, "smoothed prior": smooth_prior}


@pytest.mark.parametrize("name", EVERY)
def test_blind_to_what_is_later(make, name):
    """Poisoned later months change nothing: a model receives the cut alone, which is a copy."""
    counts = make.uneven()
    poisoned = counts.copy()
    poisoned[14:] = 10_000
    clean, bad = make.history(counts), make.history(poisoned)
    origin = clean.months[14]
    assert np.array_equal(*(EVERY[name](one.cut_before(origin)) for one in (clean, bad)))
    cut = bad.cut_before(origin)
    assert cut.counts.base is None
    assert cut.counts.max() < 10_000


@pytest.mark.parametrize("name", EVERY)
def test_sane(make, name):
    """Every model expects something finite, not negative, and the same when fitted again."""
    cut = make.history(make.uneven(months=8))
    expected = EVERY[name](cut)
    assert expected.shape == (len(cut.units), 2)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    assert np.array_equal(EVERY[name](make.history(make.uneven(months=8))), expected)


@pytest.mark.parametrize("name", EVERY)
def test_little_history(make, name):
    """One month, a category without any incident, or none at all, is no reason to fail."""
    counts = make.uneven(months=3)
    counts[:, :, 1] = 0
    for some in (counts[:1], counts, 0 * counts):
        assert np.isfinite(EVERY[name](make.history(some))).all()


def test_prior_count_by_hand(make):
    """The prior count is the last twelve months' count, a month."""
    counts = make.uneven(months=20)
    found = count_prior(make.history(counts))
    assert np.allclose(found[: counts.shape[1]], counts[8:].sum(axis=0) / 12)
    assert np.allclose(count_prior(make.history(counts[:1]))[: counts.shape[1]], counts[0])


@pytest.mark.parametrize("months", [11, 20])
def test_the_smoothing_has_the_highest_log_score_of_the_last_months(make, months):
    """The share of the even spread is that of a search, with the declared share as ten incidents.

    It is learned from the last twelve months that have six before them.
    """
    counts = make.uneven(months=months, places=40, kinds=1, mean=0.3)
    h = make.history(counts)
    even = h.units.metres / h.units.metres.sum()
    rows = range(max(6, months - 12), months)

    def misfit(share):
        score = 10 * (0.2 * math.log(share) + 0.8 * math.log(1 - share))
        for row in rows:
            prior = h.counts[max(0, row - 12) : row, :, 0].sum(axis=0)
            mixed = share * even + (1 - share) * prior / prior.sum()
            score += (h.counts[row, :, 0] * np.log(np.maximum(mixed, 1e-300))).sum()
        return -score

    share = minimize_scalar(misfit, bounds=(1e-6, 0.999), options={"xatol": 1e-9}).x
    prior = count_prior(h)[:, 0]
    wanted = share * even + (1 - share) * prior / prior.sum()
    found = smooth_prior(h)[:, 0]
    assert found / found.sum() == pytest.approx(wanted, rel=1e-3)
    assert found.sum() == pytest.approx(calibrate(even[:, None], h).sum())


def test_without_months_to_learn_from_a_fifth_is_even(make):
    """With six months or fewer the smoothing is the declared one."""
    h = make.history(make.uneven(months=6))
    even = h.units.metres / h.units.metres.sum()
    prior = count_prior(h)[:, 0]
    found = smooth_prior(h)[:, 0]
    assert np.allclose(found / found.sum(), 0.8 * prior / prior.sum() + 0.2 * even)


def test_the_regression_learns_a_change(make):
    """Where crime follows the last month far more than the years, the regression notices."""
    rng = np.random.default_rng(9)
    counts = np.zeros((24, 60, 1), dtype=int)
    for month in range(24):
        hot = rng.choice(60, 12, replace=False) if month % 2 == 0 else hot  # noqa: F821
        counts[month] = rng.poisson(0.5, (60, 1))
        counts[month, hot, 0] += rng.poisson(20.0, 12)
    h = make.history(counts[:23])  # the next month has the hot places of the last one
    hot = counts[22, :, 0] > 8
    shrunk, regression = (MODELS[name](h)[:60, 0] for name in ("shrunk", "poisson"))
    assert regression[hot].mean() > 1.1 * shrunk[hot].mean()
    assert regression.sum() == pytest.approx(shrunk.sum(), rel=0.2)


def test_the_regression_of_scikit_learn_has_its_penalty_and_needs_incidents(make):
    """With under twenty incidents to learn from, the shrunk count stays as it is."""
    counts = make.uneven(months=12)
    counts[:, :, 1] = 0
    counts[3:12, 0, 1] = [3, 2, 2, 2, 2, 2, 2, 2, 2]
    h = make.history(counts)
    assert np.array_equal(MODELS["poisson"](h)[:, 1], MODELS["shrunk"](h)[:, 1])
    counts[5, 1, 1] = 1
    h = make.history(counts)
    assert not np.array_equal(MODELS["poisson"](h)[:, 1], MODELS["shrunk"](h)[:, 1])


def test_the_regression_is_that_of_scikit_learn_at_its_penalty(make):
    """Its factor is that of a regression of counts over shrunk counts, weighted by these."""
    h = make.history(make.uneven(months=12))
    tables = ModelTables(h)
    (past, incidents), coming = tables.build_training(0), tables.build_next(0)

    def transform(table):
        columns = [np.log1p(table[name]) for name in table if name.startswith(COUNTED)]
        columns += [table[name] for name in STREET_KINDS]
        angle = 2 * np.pi * table["month_of_year"] / 12
        return np.column_stack([*columns, np.log(table["metres"]), np.sin(angle), np.cos(angle)])

    scaler = StandardScaler().fit(transform(past))
    plain = PoissonRegressor(alpha=2.0, tol=1e-8, max_iter=1000)
    plain.fit(
        scaler.transform(transform(past)), incidents / past["shrunk"], sample_weight=past["shrunk"]
    )
    rates = coming["shrunk"].to_numpy() * plain.predict(scaler.transform(transform(coming)))
    found = MODELS["poisson"](h)[:, 0]
    assert found / found.sum() == pytest.approx(rates / rates.sum(), rel=1e-3)


def test_the_kernel_is_a_gaussian_of_90_metres_by_hand(make):
    """Rates are a sum over last year's places of exp(-d² / 2h²), times street, a hundredth even."""
    h = make.history(make.uneven(months=14, kinds=1))
    xy, metres = h.units.catchments.xy, h.units.metres
    count = h.counts[2:, :, 0].sum(axis=0)
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    near = np.exp(-(apart**2) / (2 * 90.0**2)) @ count * metres
    wanted = 0.99 * near / near.sum() + 0.01 * metres / metres.sum()
    found = MODELS["kernel"](h)[:, 0]
    assert found / found.sum() == pytest.approx(wanted, rel=1e-3)


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


def test_harm_of_a_category_that_nobody_knows_is_one_day():
    """The index has its days, the settings override them, and other names count one each."""
    assert get_harm_days(["Robbery", "Fog"], {"Robbery": 2.5}).tolist() == [2.5, 1.0]
    assert get_harm_days(["Robbery"]).tolist() == [365.0]
