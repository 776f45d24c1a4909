"""Calibration: rates have the recent level, and expected incidents are those that come."""

import numpy as np
import pytest

from patrolplan.risk.models import calibrate, count_prior, expect_shrunk
from patrolplan.risk.rolling_origin import TENTHS, Scorer
from patrolplan.risk.scores import sum_deciles


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
    found = calibrate(rates, make.history(first)).sum()
    assert found == pytest.approx(year * late)


def test_no_category_is_impossible(make):
    """Of a category without incidents in the year a little is still expected."""
    counts = make.uneven(months=30)
    counts[10:, :, 1] = 0
    h = make.history(counts)
    total = calibrate(np.ones((len(h.units), 2)), h).sum(axis=0)
    assert total[1] == pytest.approx(0.5 / 12 * 50 / (50 + 0.5 / 12 * (2 - 0.5**11)))
    empty = make.history(counts[:0])
    assert np.array_equal(
        calibrate(np.ones((len(empty.units), 2)), empty), np.ones((len(empty.units), 2))
    )


def test_missing_months_lower_no_level(make):
    """Months that are not held in half of the places leave the level of the others as it is."""
    counts = np.full((14, 40, 1), 3)
    h = make.history(counts)
    exposure = np.ones((14, len(h.units)))
    exposure[-5:, :20] = 0.0
    counts[-5:, :20] = 0
    masked = make.history(counts)
    object.__setattr__(masked, "exposure", exposure)
    rates = count_prior(h)
    assert calibrate(rates, masked).sum() == pytest.approx(calibrate(rates, h).sum())


def test_deciles_by_hand():
    """Each tenth holds a tenth of what is expected; places on a border count in both."""
    expected = np.array([4.0, 1.0, 5.0])[:, None]
    observed = np.array([8.0, 0.0, 5.0])[:, None]
    assert sum_deciles(expected, observed)[0] == pytest.approx([0, 2, 2, 2, 2, 1, 1, 1, 1, 1])
    none = np.zeros((3, 1))
    assert sum_deciles(none, observed).sum() == 13
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
