"""Trends: clusters of crime are no change, a change is one, and gaps tell nothing."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st
from missing_months import drop_months, split_forces
from scipy import stats

from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.trends import (
    FALSE_DISCOVERY_RATE,
    MIN_EVENTS,
    RECENT_MONTHS,
    classify_trends,
    compute_chances,
)
from patrolplan.risk.history import build_history


@pytest.fixture(scope="module")
def forces(demo_area):
    """The demo borough with a force in the west and one in the east."""
    return split_forces(demo_area)


@pytest.fixture(scope="module")
def share(demo_area, stretches):
    """Share of each catchment's street in each hotspot."""
    return compute_catchment_shares(demo_area.catchments, stretches)


def history_of(area, counts, held=None):
    """A history of the area with (t, c) counts of the first target, held or not by (t, c)."""
    history = build_history(area)
    whole = np.zeros_like(history.counts)
    whole[:, :, 0] = counts
    exposure = None if held is None else np.array(np.broadcast_to(held, counts.shape), dtype=float)
    return dataclasses.replace(history, counts=whole, exposure=exposure)


def steady(area, mean=4.0, seed=0):
    """(t, c) counts that do not change from month to month but by chance."""
    shape = build_history(area).counts.shape[:2]
    return np.random.default_rng(seed).poisson(mean, size=shape)


def test_a_force_that_starts_late_makes_no_street_rise(forces, share):
    """Streets of a force whose files begin late are not new or rising for it."""
    late = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]
    area = drop_months(forces, [("West", month) for month in [*late, "2026-01", "2026-02"]])
    west = share @ area.exposure.shares[:, area.exposure.forces.index("West")] > 0.5
    trends = np.array(classify_trends(build_history(area), share, area))
    whole = np.array(classify_trends(build_history(forces), share, forces))
    assert west.any()
    assert not np.isin(trends, ["new", "rising", "fading"])[west].any()
    assert not (np.isin(trends, ["new", "rising"]) & ~np.isin(whole, ["new", "rising"])).any()


def test_a_force_that_stops_early_makes_no_street_fade(forces, share):
    """Streets of a force whose last months are missing do not fade for it."""
    area = drop_months(forces, [("West", f"2026-{month:02d}") for month in (6, 7, 8, 9)])
    west = share @ area.exposure.shares[:, area.exposure.forces.index("West")] > 0.5
    trends = np.array(classify_trends(build_history(area), share, area))
    assert set(trends[west]) == {"too few to tell"}


def test_a_rise_is_told_where_nothing_is_missing(demo_area, share):
    """A street with six times its crime is rising; where two months are missing nothing is told."""
    counts = steady(demo_area)
    rising = np.asarray(share[[0]].todense())[0] > 0
    counts[-6:, rising] *= 6
    held = np.ones((len(counts), 1))
    trends = classify_trends(history_of(demo_area, counts, held), share, demo_area)
    assert trends[0] == "rising"
    beside = np.asarray(share[:, rising].sum(axis=1)).ravel() == 0
    assert not {"new", "rising"} & set(np.array(trends)[beside])
    held[[-3, -10]] = 0.0
    trends = classify_trends(history_of(demo_area, counts * (held > 0), held), share, demo_area)
    assert set(trends) == {"too few to tell"}


@pytest.mark.parametrize("gaps", [[-1], [-2, -5], [-7, -8, -9], [-1, -8, -12, -17]])
def test_gaps_alone_change_no_trend(demo_area, share, gaps):
    """Where crime does not change, missing months make nothing new, rising or fading."""
    counts = steady(demo_area)
    held = np.ones((len(counts), 1))
    held[gaps] = 0.0
    found = classify_trends(history_of(demo_area, counts * (held > 0), held), share, demo_area)
    assert set(found) <= {"persistent", "too few to tell"}


def test_few_incidents_stay_too_few(demo_area, share):
    """Filling gaps does not make enough of too few."""
    counts = np.zeros((24, len(demo_area.catchments)), dtype=int)
    counts[-5, 0] = MIN_EVENTS * 100
    held = np.ones((24, 1))
    held[-10] = 0.0
    found = classify_trends(history_of(demo_area, counts, held), share, demo_area)
    away = np.asarray(share[:, [0]].todense())[:, 0] == 0
    assert set(np.array(found)[away]) == {"too few to tell"}


MONTHS = 18


def _test_counts(counts, totals=None):
    """Chances of (m, h) counts where all months are held."""
    totals = np.full(len(counts), 1000.0) if totals is None else totals
    return compute_chances(counts.astype(float), totals)


def _draw_clumps(rng, stretches, mean=6.0):
    """(m, h) counts that are clumped by month."""
    return rng.poisson(mean * rng.gamma(0.7, 1 / 0.7, (MONTHS, stretches)))


@given(st.integers(0, 10**6))
def test_chances_are_those_of_an_analysis_of_variance_by_hand(seed):
    """The F ratio of the two spans, half of whose variation within is that of all stretches."""
    rng = np.random.default_rng(seed)
    counts, totals = rng.poisson(5.0, (9, 3)) + 1, rng.uniform(50, 100, 9)
    expected = totals[:, None] / totals.sum() * counts.sum(axis=0)
    squares = ((counts - expected) ** 2 / expected).sum(axis=0)
    common, within = max(1.0, np.median(squares / 8)), 0.0
    for rows in (slice(0, 3), slice(3, 9)):
        fitted = totals[rows, None] * counts[rows].sum(axis=0) / totals[rows].sum()
        within += (((counts[rows] - fitted) ** 2) / expected[rows]).sum(axis=0)
    ratio = (squares - within) / ((within + 7 * common) / 14)
    least = 1 / 84  # of the ways to choose six of nine months
    assert _test_counts(counts, totals) == pytest.approx(
        np.maximum(stats.f.sf(ratio, 1, 14), least)
    )


def test_clumps_that_do_not_change_are_announced_as_often_as_claimed():
    """Of stretches with clumped months and no change, 5 % have a chance of 5 % or less."""
    rng = np.random.default_rng(1)
    chances = np.concatenate([_test_counts(_draw_clumps(rng, 100)) for _ in range(10)])
    assert 0.03 <= (chances <= 0.05).mean() <= 0.07


def test_a_doubling_is_found_among_many_stretches():
    """With 30 incidents a month, a doubling in half a year is found nine times in ten."""
    rng, found = np.random.default_rng(2), 0
    for _ in range(20):
        counts = rng.poisson(30.0, (MONTHS, 40))
        counts[-RECENT_MONTHS:, 0] = rng.poisson(60.0, RECENT_MONTHS)
        found += _test_counts(counts)[0] <= 0.05 / 40
    assert found >= 18


def test_one_month_with_a_heap_is_no_change():
    """Sixty incidents in a single month of the last half year are no change of the half year."""
    counts = np.full((MONTHS, 5), 4)
    counts[-2, 0] = 60
    assert _test_counts(counts)[0] > FALSE_DISCOVERY_RATE


def test_few_months_announce_nothing():
    """With so few months that no choice is rare, and with none before, nothing is a change."""
    assert _test_counts(np.array([[1]] * 2 + [[50]] * 6))[0] >= 1 / 28
    assert _test_counts(np.full((6, 2), 9)).tolist() == [1.0, 1.0]


def test_shuffled_months_announce_hardly_any_trend(demo_area, share):
    """Of 60 shuffles of the demo borough's months at most 6 % announce a trend anywhere."""
    history = build_history(demo_area)
    rng, announced = np.random.default_rng(7), []
    for _ in range(60):
        counts = history.counts.copy()
        counts[-MONTHS:] = counts[-MONTHS:][rng.permutation(MONTHS)]
        trends = classify_trends(dataclasses.replace(history, counts=counts), share, demo_area)
        announced.append(np.isin(trends, ["new", "rising", "fading"]))
    assert np.any(announced, axis=1).mean() <= 0.06
    assert np.mean(announced) <= 0.005
