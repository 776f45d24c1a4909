"""Expected incidents in a window: their sums, their bands, and that no pupil is in them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import patrolplan as pp
from patrolplan.errors import InputError
from patrolplan.risk.expected import BAND_ENDS, scale_to_quantile
from patrolplan.risk.models import expect_shrunk
from patrolplan.risk.shrinkage import compute_shrunk_rates


def _draw_history(make, seed, *, shape=0.6, months=30):
    """Counts in 380 places whose rates are drawn once and stay; also the rates (c, j)."""
    network = make.grid(20)
    places = len(network) // 2
    rng = np.random.default_rng(seed)
    rates = rng.gamma(shape, 1.0 / shape, size=(places, 2)) * [0.5, 0.1]
    return make.history(rng.poisson(rates, size=(months, places, 2)), network), rates


def test_counts_and_their_bands_have_one_form(demo_area, demo_risk):
    """A row a piece, a column a category; bands hold counts, that of all is not theirs summed."""
    low, mean, high = demo_risk.expected_low, demo_risk.expected, demo_risk.expected_high
    for table in (low, mean, high):
        assert table.shape == (len(demo_area.network), 7)
        assert table.index.name == "piece"
        assert np.isfinite(table.to_numpy()).all()
        assert "Robbery" in table
    assert (low < mean).all(axis=None)
    # The mean of a very skewed variable is not always in its middle; here nothing is so unsure.
    assert (mean < high).all(axis=None)
    total = demo_risk.expected_in_all
    assert np.allclose(total["expected"], mean.sum(axis=1))
    assert (total["high"] - total["low"] < high.sum(axis=1) - low.sum(axis=1)).all()
    assert (total["low"] < total["expected"]).all()


def test_without_a_clock_the_window_has_its_share_of_the_month(static_demo_area):
    """Where every hour is alike, ninety minutes hold their share of a mean month's incidents."""
    risk = pp.estimate_risk(static_demo_area, model="prior")
    history = risk.incidents.history
    monthly = history.estimate_last(12)[:, :7].sum(axis=0) / 12
    share = 90 / (24 * 60) / (365.25 / 12)
    assert np.allclose(risk.expected.sum(), monthly * share)


def test_harm_of_the_expected_is_the_recorded_voice(demo_risk):
    """Weighted by harm, expected incidents have the shares of the crime voice."""
    harm = demo_risk.incidents.history
    days = np.array([365.0, 2.0, 190.0, 1.0, 2.0, 2.0, 10.0])
    assert harm.targets[0] == "Robbery"
    weighted = demo_risk.expected.to_numpy() @ days
    assert np.allclose(weighted / weighted.sum(), demo_risk.crime, rtol=1e-3)


def test_a_later_window_has_the_incidents_of_its_own_hours(demo_area):
    """Windows that share a day differ as the clock says, and the whole day is the sum of parts."""
    hours = [pp.Window(120, start_minutes=start * 60) for start in range(0, 24, 2)]
    parts = [pp.estimate_risk(demo_area, window=one).expected.sum() for one in hours[7:9]]
    both = pp.estimate_risk(demo_area, window=pp.Window(240, start_minutes=14 * 60)).expected.sum()
    assert np.allclose(parts[0] + parts[1], both)


@pytest.mark.parametrize("shape", [0.3, 0.6, 2.0])
def test_eighty_of_a_hundred_true_rates_are_inside(make, shape):
    """In worlds whose rates are known, the band holds 80 % of them, within what chance allows."""
    inside = []
    for seed in range(4):
        history, rates = _draw_history(make, seed, shape=shape)
        monthly, shapes = expect_shrunk(history), compute_shrunk_rates(history).shapes
        low, high = (scale_to_quantile(monthly, shapes, share) for share in BAND_ENDS)
        inside.append(((low <= rates) & (rates <= high)).mean(axis=0))
    assert np.all(np.abs(np.mean(inside, axis=0) - 0.8) < 0.1), inside


def test_quantiles_are_those_of_a_gamma_variable():
    """Parity with scipy's own distribution."""
    means, shapes = np.array([0.5, 3.0]), np.array([0.7, 40.0])
    found = scale_to_quantile(means, shapes, 0.9)
    assert np.allclose(found, stats.gamma(shapes, scale=means / shapes).ppf(0.9))


def test_where_pupils_walk_is_not_in_it(demo_area, demo_risk):
    """Switching the pupils' presence off changes nothing of it."""
    off = pp.estimate_risk(pp.with_settings(demo_area, way_home={"exposure": {}}))
    pd.testing.assert_frame_equal(off.expected, demo_risk.expected)
    pd.testing.assert_frame_equal(off.expected_high, demo_risk.expected_high)
    assert not np.allclose(off.joined, demo_risk.joined)


def test_a_kernel_and_a_model_of_ones_own_have_bands_too(demo_area):
    """Whatever model is chosen, its rates have the bands of the shrinkage."""
    from sklearn.dummy import DummyRegressor  # noqa: PLC0415 - of this test alone

    for model in ("kernel", DummyRegressor()):
        risk = pp.estimate_risk(demo_area, model=model)
        assert (risk.expected_low <= risk.expected_high).all(axis=None)
        assert risk.expected_high.to_numpy().sum() > risk.expected.to_numpy().sum()


def test_frame_has_the_streets_with_their_risk(demo_area, demo_risk):
    """One row a piece, its line in the area's CRS, shares that sum to 1, files can hold it."""
    frame = demo_risk.frame()
    assert len(frame) == len(demo_area.network)
    assert frame.crs == demo_area.projection.crs
    assert frame["risk"].sum() == pytest.approx(1.0)
    assert np.array_equal(frame["risk"], demo_risk.without_exposure)
    assert np.allclose(frame["risk_per_metre"] * frame["metres"], frame["risk"])


def test_a_risk_made_by_hand_says_what_it_lacks(demo_risk):
    """Without expected incidents an error says so; with the streets there is a frame."""
    from dataclasses import replace  # noqa: PLC0415 - of this test alone

    by_hand = replace(demo_risk, incidents=None)
    with pytest.raises(InputError, match="made by hand"):
        _ = by_hand.expected
    assert len(by_hand.frame(demo_risk.incidents.network)) == len(demo_risk.joined)
