"""Models of risk: the shrunk count against a recount, its level, its rivals, and the guard."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from no_pupils import estimate_without_pupils
from scipy.optimize import minimize_scalar
from scipy.special import gammaln
from sklearn.linear_model import PoissonRegressor
from sklearn.preprocessing import StandardScaler

from patrolplan.notes import list_texts
from patrolplan.risk.history import build_history, get_harm_days
from patrolplan.risk.models import MODELS, calibrate, count_prior, expect_shrunk, smooth_prior
from patrolplan.risk.own_model import STREET_KINDS, ModelTables
from patrolplan.risk.rolling_origin import TENTHS, Scorer
from patrolplan.risk.scores import append_harm, sum_deciles
from patrolplan.risk.shrinkage import fit_gamma_shape, fit_mixture
from patrolplan.settings import CATEGORIES

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
    # One month, a category without any incident, or none at all, is no reason to fail.
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


@pytest.mark.parametrize("months", [6, 11, 20])
def test_the_smoothing_has_the_highest_log_score_of_the_last_months(make, months):
    """Over twelve months that have six before them; the declared share counts as ten incidents."""
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
    share = 0.2 if months == 6 else round(share, 3)
    prior = count_prior(h)[:, 0]
    wanted = share * even + (1 - share) * prior / prior.sum()
    found = smooth_prior(h)[:, 0]
    assert found / found.sum() == pytest.approx(wanted, rel=1e-6 if months == 6 else 1e-3)
    assert found.sum() == pytest.approx(calibrate(even[:, None], h).sum())


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
    """It is that of counts over shrunk counts, weighted by these, at the recent level."""
    h = make.history(make.uneven(months=12))
    tables = ModelTables(h)
    (past, incidents), coming = tables.build_training(0), tables.build_next(0)

    def transform(table):
        columns = [np.log1p(table[name]) for name in table if name.startswith(COUNTED)]
        columns += [table[name] for name in STREET_KINDS]
        angle = 2 * np.pi * table["month_of_year"] / 12
        return np.column_stack([*columns, np.log(table["metres"]), np.sin(angle), np.cos(angle)])

    scaler = StandardScaler().fit(transform(past))
    plain, shrunk = PoissonRegressor(alpha=2.0, tol=1e-8, max_iter=1000), past["shrunk"]
    plain.fit(scaler.transform(transform(past)), incidents / shrunk, sample_weight=shrunk)
    rates = coming["shrunk"].to_numpy() * plain.predict(scaler.transform(transform(coming)))
    wanted = calibrate(np.column_stack([rates, rates]), h)[:, 0]
    assert MODELS["poisson"](h)[:, 0] == pytest.approx(wanted, rel=1e-3)


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
    rows = [(3, "Robbery", 1), (3, "Robbery", 4), (5, "Burglary", 2), (5, "Drugs", 2)]
    names = ("piece", "category", "month")
    area = make.area(
        [dict(zip(names, (*row, f"2022-{month}-01"), strict=True)) for *row, month in rows]
    )
    h = build_history(area)
    assert h.targets == ("Robbery",)
    assert h.categories == ("Robbery", "Burglary")
    assert h.counts[:, 3, 0].tolist() == [1, 0, 0, 1]
    assert h.counts.sum() == 3
    assert h.get_month_counts(h.months[0]).sum() == h.get_month_counts(h.months[0])[3, 0] == 1
    assert not h.get_month_counts(pd.Timestamp("2021-12-01")).any()


def test_harm_of_a_category_that_nobody_knows_is_one_day():
    """The index has its days, settings override them, others count one; amounts are weighted so."""
    days = get_harm_days(["Robbery", "Fog"], {"Robbery": 2.5})
    assert [*days, *append_harm(np.array([2.0, 3.0]), days)] == [2.5, 1.0, 2.0, 3.0, 8.0]
    assert get_harm_days(CATEGORIES).tolist() == [
        365, 2, 190, 1, 2, 2, 10, 3.5, 273.75, 7.5, 220, 1, 5, 10
    ]  # fmt: skip


def test_level_by_hand(make):
    """Steady crime keeps its level; a last month of twice as much moves it by what it carries."""
    counts = np.full((14, 30, 1), 2)
    h = make.history(counts)
    rates = np.ones((len(h.units), 1))
    assert calibrate(rates, h).sum() == pytest.approx(60.0)
    assert calibrate(1e-6 * rates, h).sum() == pytest.approx(60.0)  # on any scale
    counts[-1] *= 2
    year = (11 * 60 + 120) / 12
    weights = 0.5 ** np.arange(12)
    late = 60 * weights.sum() + 60
    wanted = year * (late + 50) / (year * weights.sum() + 50)
    assert calibrate(7 * rates, make.history(counts)).sum() == pytest.approx(wanted)
    first = np.full((3, 30, 1), 2) * np.array([4, 1, 1])[:, None, None]  # all months count
    year, weights = (240 + 60 + 60) / 3, 0.5 ** np.arange(3)
    late = (weights @ [60, 60, 240] + 50) / (year * weights.sum() + 50)
    assert calibrate(rates, make.history(first)).sum() == pytest.approx(year * late)


def test_no_category_is_impossible(make):
    """Of a category without incidents in the year a little is still expected."""
    counts = make.uneven(months=30)
    counts[10:, :, 1] = 0
    h = make.history(counts)
    total = calibrate(np.ones((len(h.units), 2)), h).sum(axis=0)
    assert total[1] == pytest.approx(0.5 / 12 * 50 / (50 + 0.5 / 12 * (2 - 0.5**11)))
    ones = np.ones((len(h.units), 2))
    assert np.array_equal(calibrate(ones, make.history(counts[:0])), ones)


def test_missing_months_lower_no_level(make):
    """Months that are not held in half of the places leave the level of the others as it is."""
    h = make.history(np.full((14, 40, 1), 3))
    held = np.ones((14, len(h.units)))
    held[-5:, :20] = 0.0
    masked = replace(h, counts=h.counts * (held > 0)[:, :, None], exposure=held)
    rates = count_prior(h)
    assert calibrate(rates, masked).sum() == pytest.approx(calibrate(rates, h).sum())


def test_deciles_by_hand():
    """Each tenth holds a tenth of what is expected; places on a border count in both."""
    expected = np.array([4.0, 1.0, 5.0])[:, None]
    observed = np.array([8.0, 0.0, 5.0])[:, None]
    assert sum_deciles(expected, observed)[0] == pytest.approx([0, 2, 2, 2, 2, 1, 1, 1, 1, 1])
    assert sum_deciles(np.zeros((3, 1)), observed).sum() == 13
    late = sum_deciles(np.array([0.0, 10.0])[:, None], np.array([2.0, 10.0])[:, None])
    assert late[0] == pytest.approx([3.0] + 9 * [1.0])  # where none was expected: the lowest


def test_expected_is_what_comes_in_simulated_worlds(make):
    """Where rates are uneven and stay, each tenth of the expected incidents comes to pass."""
    models = {"prior": count_prior, "shrunk": expect_shrunk}
    places, summed = len(make.history(make.uneven()).units), 0.0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        rates = rng.gamma(0.8, 1.0, size=(places, 2)) * [1.2, 0.3]
        h = make.history(rng.poisson(rates, size=(26, places, 2)))
        found = Scorer(h, np.ones(2)).run(models, list(h.months[-8:]))
        rows = found[(found["category"] == "kind 1") & (found["coverage"] == 0.1)]
        summed = summed + rows.groupby("model")[[*TENTHS, "expected"]].sum()
    ratios = 10 * summed[TENTHS].div(summed["expected"], axis=0)
    shrunk = ratios.loc["shrunk"]
    assert shrunk.mean() == pytest.approx(1.0, abs=0.05)
    assert np.abs(shrunk.iloc[1:] - 1).max() < 0.25
    # Crime comes where none was counted, of which the shrunk count expects too little here, as
    # nothing around a place says anything of it; the prior count expects far less.
    assert shrunk.iloc[0] < 1.4
    assert ratios.loc["prior"].iloc[0] > 1.6


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
    return math.exp(round(minimize_scalar(misfit, bounds=ends, options={"xatol": 1e-10}).x, 3))


def recount_rates(history):
    """Means and shapes of the whole model, with its figures written out."""
    units, targets = history.units, len(history.targets)
    weights = [0.5 ** (age / 24) for age in range(len(history))][::-1]
    total = sum(w * month for w, month in zip(weights, history.counts, strict=True))
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
        held = np.ones(h.counts.shape[:2])
        held[4:9, :12], held[:, 20] = 0.0, 0.0
        h = replace(h, counts=h.counts * (held > 0)[:, :, None], exposure=held)
    means, shapes = recount_rates(h)
    found = h.shrunk_rates
    assert found.shapes == pytest.approx(shapes, rel=1e-4)
    assert found.means == pytest.approx(means, rel=1e-4)


def test_exact_places_are_gathered_in_squares_of_75_metres(make):
    """Places without a snap point of their own are near when the middles of their squares are."""
    h = make.history(make.uneven(places=60), per=1)
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


DISCOVERY, REPORTED = "Drugs", "Robbery"


def year_of_patrols(make, seed, *, guard):
    """Let risk send patrols to one of two equal streets, months on end; give the last share."""
    rng = np.random.default_rng(seed)
    first, pairs = pd.Timestamp("2022-01-01"), itertools.product((1, 30), (REPORTED, DISCOVERY))
    rows = [{"piece": piece, "category": name, "month": first} for piece, name in pairs]
    crimes = {"include_discovered": not guard, "reason": "" if guard else "to see what happens"}
    settings = {"risk": {"model": "prior", "harm": {REPORTED: 1, DISCOVERY: 1}}, "crimes": crimes}
    for month in pd.date_range("2022-02-01", periods=18, freq="MS"):
        risk = estimate_without_pupils(make.area(rows, settings=settings))
        first = risk.crime[1] / (risk.crime[1] + risk.crime[30])
        there = first > 0.5 or (first == 0.5 and bool(rng.integers(2)))
        for piece, patrolled in ((1, there), (30, not there)):
            reported, found = rng.poisson(8.0), rng.poisson(20.0 * patrolled)
            rows += [{"piece": piece, "category": REPORTED, "month": month}] * int(reported)
            rows += [{"piece": piece, "category": DISCOVERY, "month": month}] * int(found)
    return first


def test_guard_keeps_allocation_fair_and_without_it_runs_away(make):
    """Two equal streets keep equal shares, or the patrols' own finds draw them to one of these."""
    fair, runaway = (
        [abs(year_of_patrols(make, seed, guard=guard) - 0.5) for seed in range(2)]
        for guard in (True, False)
    )
    assert max(fair) < 0.12
    assert np.mean(runaway) > 0.2


def test_the_reason_is_noted(make):
    """Switching the guard off is noted with its reason."""
    settings = {"crimes": {"include_discovered": True, "reason": "a trial agreed with the board"}}
    rows = make.rows([3] * 12, [1]) + make.rows([3] * 12, [2], category="Drugs")
    risk = estimate_without_pupils(make.area(rows, settings=settings))
    noted = "Offences that patrols discover count too: a trial agreed with the board."
    assert noted in list_texts(risk.notes)
    assert risk.crime[2] > 0
