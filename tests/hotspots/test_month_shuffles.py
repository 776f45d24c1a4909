"""Trends against months that change places: what clumps of crime may not do, and a change must."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.month_shuffles import (
    RECENT_MONTHS,
    MonthCounts,
    compute_shuffled_chances,
    list_choices,
)
from patrolplan.hotspots.trends import classify_trends
from patrolplan.risk.history import build_history

MONTHS = 18


def _test_counts(counts, totals=None):
    """Chances of (m, h) counts where all months are held."""
    totals = np.full(len(counts), 1000.0) if totals is None else totals
    now, before = counts[-RECENT_MONTHS:].sum(axis=0), counts[:-RECENT_MONTHS].sum(axis=0)
    expected = totals[-RECENT_MONTHS:].sum() / totals.sum()
    months = MonthCounts(counts.astype(float), np.ones(counts.shape), totals)
    return compute_shuffled_chances(months, now, before, now, before, expected)


def _draw_clumps(rng, stretches, mean=6.0):
    """(m, h) counts that are clumped by month."""
    return rng.poisson(mean * rng.gamma(0.7, 1 / 0.7, (MONTHS, stretches)))


def test_choices_are_all_there_are():
    """Every way of choosing six of eight months comes once, in order."""
    wanted = [[float(m in chosen) for m in range(8)] for chosen in combinations(range(8), 6)]
    assert list_choices(8, 6).tolist() == wanted
    assert list_choices(MONTHS, RECENT_MONTHS).shape == (18564, MONTHS)


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_chances_are_those_of_choosing_months_one_by_one(seed):
    """The share of choices that reach the true one is that of an analysis of variance by hand."""
    rng = np.random.default_rng(seed)
    counts, totals = rng.poisson(5.0, (9, 3)) + 1, rng.uniform(50, 100, 9)
    found = _test_counts(counts, totals)
    expected = totals[:, None] / totals.sum() * counts.sum(axis=0)
    squares = ((counts - expected) ** 2 / expected).sum(axis=0)
    common = max(1.0, np.median(squares / 8))
    ratios = []
    for chosen in combinations(range(9), RECENT_MONTHS):
        groups = [list(chosen), [m for m in range(9) if m not in chosen]]
        within = 0.0
        for rows in groups:
            fitted = totals[rows, None] * counts[rows].sum(axis=0) / totals[rows].sum()
            within += (((counts[rows] - fitted) ** 2) / expected[rows]).sum(axis=0)
        between = squares - within
        ratios.append(between / ((within + 7 * common) / 14))
    reached = np.mean(np.array(ratios) >= ratios[-1] * (1 - 1e-9), axis=0)
    by_law = stats.f.sf(ratios[-1], 1, 14)
    sure = by_law <= 0.1  # others are not looked at
    assert found[sure] == pytest.approx(np.maximum(reached, by_law)[sure])
    assert (found[~sure] > 0.1).all()


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
    assert _test_counts(counts)[0] > 0.2


def test_few_months_announce_nothing():
    """With so few months that no choice is rare, and with none before, nothing is a change."""
    assert _test_counts(np.array([[1]] * 2 + [[50]] * 6))[0] >= 1 / 28
    assert _test_counts(np.full((6, 2), 9)).tolist() == [1.0, 1.0]


def _announce_in_shuffles(area, stretches, shuffles):
    """Share of shuffles of whole months with any trend, and share of stretches with one."""
    history = build_history(area)
    share = compute_catchment_shares(area.catchments, stretches)
    rng, announced = np.random.default_rng(7), []
    for _ in range(shuffles):
        counts = history.counts.copy()
        counts[-MONTHS:] = counts[-MONTHS:][rng.permutation(MONTHS)]
        trends = classify_trends(dataclasses.replace(history, counts=counts), share, area)
        announced.append(np.isin(trends, ["new", "rising", "fading"]))
    return np.any(announced, axis=1).mean(), np.mean(announced)


def test_shuffled_months_announce_hardly_any_trend(demo_area, stretches):
    """Of 60 shuffles of the demo borough's months at most 6 % announce a trend anywhere."""
    any_trend, stretches_announced = _announce_in_shuffles(demo_area, stretches, 60)
    assert any_trend <= 0.06
    assert stretches_announced <= 0.005


@pytest.mark.slow
def test_many_shuffles_of_months_announce_hardly_any_trend(demo_area, stretches):
    """Of 500 shuffles of the demo borough's months at most 6 % announce a trend anywhere."""
    assert _announce_in_shuffles(demo_area, stretches, 500)[0] <= 0.06
