"""Trends where months are missing: a change must hold against whatever they held."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st
from missing_months import drop_months, split_forces

from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.trends import MIN_EVENTS, classify_trends, count_spans
from patrolplan.risk.history import build_history

EARLY = [f"2025-{month:02d}" for month in range(4, 13)]
"""Nine of the twelve months before the last half year of the demo borough."""


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


def test_all_held_is_the_same_with_and_without_exposure(demo_area, share):
    """Bounds meet where nothing is missing: every count is the recorded one."""
    counts = steady(demo_area)
    plain = count_spans(history_of(demo_area, counts), share)
    held = count_spans(history_of(demo_area, counts, np.ones(counts.shape)), share)
    for name in ("now", "before", "most_now", "fewest_before", "enough_held"):
        assert getattr(plain, name) == pytest.approx(getattr(held, name))
    assert held.expected == pytest.approx(plain.expected)


@given(seed=st.integers(0, 500), gaps=st.sets(st.integers(6, 23), max_size=7))
def test_bounds_hold_what_the_missing_months_held(demo_area, share, seed, gaps):
    """Unless a missing month was the highest or lowest, the true counts lie in the bounds."""
    counts = steady(demo_area, mean=1.0, seed=seed)
    held = np.ones((len(counts), 1))
    held[list(gaps)] = 0.0
    true = count_spans(history_of(demo_area, counts), share)
    found = count_spans(history_of(demo_area, np.where(held > 0, counts, 0), held), share)
    by_month = np.round(np.array([share @ month for month in counts[-18:]]), 9)
    months = [row for row in range(18) if row + len(counts) - 18 not in gaps]
    inside = (by_month <= by_month[months].max(axis=0)) & (by_month >= by_month[months].min(axis=0))
    usual = inside.all(axis=0)
    assert (found.now[usual] <= true.now[usual] + 1).all()
    assert (found.most_now[usual] >= true.now[usual] - 1).all()
    assert (found.before[usual] >= true.before[usual] - 1).all()
    assert (found.fewest_before[usual] <= true.before[usual] + 1).all()


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


def test_a_rise_shows_through_a_gap(demo_area, share):
    """A street with six times its crime is rising, also where two months are missing."""
    counts = steady(demo_area)
    rising = np.asarray(share[[0]].todense())[0] > 0
    counts[-6:, rising] *= 6
    held = np.ones((len(counts), 1))
    held[[-3, -10]] = 0.0
    trends = classify_trends(history_of(demo_area, counts * (held > 0), held), share, demo_area)
    assert trends[0] == "rising"
    assert not {"new", "rising"} & set(trends[20:])


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
