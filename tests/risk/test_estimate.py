"""Risk of a window: its voices, its static form, and the incidents that it rests on."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from no_pupils import estimate_without_pupils

import patrolplan as pp
from patrolplan.area.patrol_window import Window
from patrolplan.arrays import round_significant
from patrolplan.errors import InputError
from patrolplan.privacy import FACTOR_NAMES, ReportGroups
from patrolplan.risk.estimate import _predict_incidents, estimate_in_window, estimate_risk
from patrolplan.risk.history import build_history, get_harm_days
from patrolplan.risk.models import MODELS, expect_shrunk
from patrolplan.risk.report_voice import count_in_band
from patrolplan.risk.surface import BAND_ENDS, scale_to_quantile


@pytest.mark.parametrize("name", ["auto", *MODELS])
def test_the_settings_name_the_model(make, name):
    """The model of the settings is used and, where it is not our own choice, noted."""
    months = [2, 2, 1, 2, 2, 1, 2, 2, 1, 2, 2, 1]
    area = make.area(make.rows(months, range(30)), settings={"risk": {"model": name}})
    risk = estimate_without_pupils(area)
    assert risk.model == ("shrunk" if name == "auto" else name)
    assert [note.text for note in risk.notes if note.key == "model_set"] == (
        [] if name == "auto" else [f"The risk model is '{name}', as the settings say."]
    )
    assert (risk.crime > 0).all() == (name != "prior")
    auto = estimate_without_pupils(area, model="auto")
    assert np.array_equal(auto.crime, estimate_without_pupils(area, model="shrunk").crime)


def test_disagreement(make):
    """Feared but unrecorded comes out near one, recorded but unfeared near minus one."""
    area = make.area(make.rows([3] * 12, [1]))
    assert not estimate_without_pupils(area).disagreement.any()
    group = np.where(np.arange(len(area.network)) == 20, 0, -1)
    by_factor = np.array([[10 * (name == "isolated") for name in FACTOR_NAMES]])
    area.reports = ReportGroups(5, group, np.array([10]), np.ones(1), by_factor)
    disagreement = estimate_without_pupils(area).disagreement
    assert disagreement[1] < -0.9
    assert abs(disagreement[40]) < 0.1
    assert 0.9 < disagreement[20] <= np.abs(disagreement).max() <= 1


def test_without_factors_it_is_the_static_risk(static_demo_area):
    """Without clock and exposure the risk is what harm and reports give, to the digits given."""
    area, groups = static_demo_area, static_demo_area.reports
    history = build_history(area)
    expected, *_ = _predict_incidents(history, None, area.settings)
    harm = expected * get_harm_days(history.targets, area.settings.risk.harm)

    def share(values):
        return round_significant(values / values.sum(), 9)

    metres, group = area.network.piece_metres, groups.group_of_piece
    held = group >= 0
    length = np.bincount(group[held], weights=metres[held], minlength=len(groups))
    counting = count_in_band(groups, "after_school") * groups.share_inside
    reports = np.where(held, (counting / length)[group] * metres, 0.0)
    weight = 0.3 * counting.sum() / (counting.sum() + 25)  # 25: five fresh ones have 5 %
    joined = share((1 - weight) * share(harm.sum(axis=1)) + weight * share(reports))
    risk = estimate_without_pupils(area)
    assert np.array_equal(risk.crime, share(harm.sum(axis=1)))
    assert np.array_equal(risk.reports, share(reports))
    assert risk.joined == pytest.approx(joined, rel=1e-8)
    assert risk.without_exposure == pytest.approx(joined, rel=1e-8)
    assert np.array_equal(risk.in_time.compute_rate(1000), risk.joined)


@pytest.mark.parametrize(
    ("window", "date", "day"),
    [
        (Window(90), None, "school_day"), (Window(60, 359.0), None, None),
        (Window(60, 360.0), None, "school_day"), (Window(60, 1139.0), None, "school_day"),
        (Window(60, 1140.0), None, None), (Window(90), dt.date(2026, 12, 1), "school_day"),
        (Window(90), dt.date(2026, 12, 5), "weekend"),
        (Window(60, 60.0), dt.date(2026, 12, 1), "school_day"),
    ],
)  # fmt: skip
def test_the_kind_of_day(demo_area, window, date, day):
    """A date says its kind of day; without one, windows by day are on school days."""
    risk = estimate_risk(demo_area, window=window, date=date)
    assert (risk.window, risk.day) == (window, day)


def test_reports_of_the_morning_do_not_steer_the_afternoon(demo_area, demo_risk):
    """With all fear moved before school, the risk of these streets after school falls."""
    counts = demo_area.reports.factor_counts.copy()
    after, before = (FACTOR_NAMES.index(band) for band in ("after_school", "before_school"))
    counts[:, before] += counts[:, after]
    counts[:, after] = 0
    reports = dataclasses.replace(demo_area.reports, factor_counts=counts)
    flipped = dataclasses.replace(demo_area, reports=reports)
    changed, feared = estimate_risk(flipped), reports.group_of_piece >= 0
    assert changed.crime_weight > demo_risk.crime_weight + 0.05
    assert changed.joined[feared].sum() < demo_risk.joined[feared].sum() - 0.02
    morning = Window(60, 465)
    before, after = (estimate_risk(area, window=morning) for area in (demo_area, flipped))
    assert after.crime_weight < before.crime_weight


@pytest.mark.parametrize(
    ("window", "date"), [(None, "2026-11-28"), (None, "2026-10-28"), (Window(60, 60), "2026-12-01")]
)
def test_at_night_and_without_school_nobody_is_on_the_way_home(demo_area, window, date):
    """On a Saturday, at half term and in the small hours risk does not grow with pupils."""
    risk = pp.estimate_risk(demo_area, window=window, date=dt.date.fromisoformat(date))
    assert (risk.day == "school_day") == (window is not None)
    assert risk.in_time.exposure is None
    assert "no_pupils_out" in {note.key for note in risk.notes}
    np.testing.assert_array_equal(risk.joined, risk.without_exposure)


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
    days = np.array([365.0, 2.0, 190.0, 1.0, 2.0, 2.0, 10.0])
    assert demo_risk.incidents.history.targets[0] == "Robbery"
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
    inside, network = [], make.grid(20)
    places = len(network) // 2
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rates = rng.gamma(shape, 1.0 / shape, size=(places, 2)) * [0.5, 0.1]
        history = make.history(rng.poisson(rates, size=(30, places, 2)), network)
        monthly, shapes = expect_shrunk(history), history.shrunk_rates.shapes
        low, high = (scale_to_quantile(monthly, shapes, share) for share in BAND_ENDS)
        inside.append(((low <= rates) & (rates <= high)).mean(axis=0))
    assert np.all(np.abs(np.mean(inside, axis=0) - 0.8) < 0.1), inside


def test_where_pupils_walk_is_not_in_it(demo_area, demo_risk):
    """Switching the pupils' presence off changes nothing of it."""
    off = pp.estimate_risk(pp.with_settings(demo_area, way_home={"exposure": {}}))
    pd.testing.assert_frame_equal(off.expected, demo_risk.expected)
    pd.testing.assert_frame_equal(off.expected_high, demo_risk.expected_high)
    assert not np.allclose(off.joined, demo_risk.joined)


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
    by_hand = dataclasses.replace(demo_risk, incidents=None)
    with pytest.raises(InputError, match="made by hand"):
        _ = by_hand.expected
    assert len(by_hand.frame(demo_risk.incidents.network)) == len(demo_risk.joined)


def test_another_window_takes_what_is_known(demo_area, demo_risk):
    """Its risk is that of an estimate from nothing, with the same counts and pupils."""
    window = Window(60, 465)
    known = estimate_in_window(demo_area, demo_risk, window)
    plain = pp.estimate_risk(demo_area, window=window)
    assert (known.history, known.pupils) == (demo_risk.history, demo_risk.pupils)
    np.testing.assert_array_equal(known.joined, plain.joined)
    assert known.notes == plain.notes
