"""Chances of timings: hardest to foresee, and never at too high a price."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from patrolplan.patrols.orders import MEAN_SHARE, QUARTER_MINUTES, spread_chances


def draw_timings(seed, count=12, many=3):
    """Timings of random orders and minutes, worth less the later they begin."""
    rng = np.random.default_rng(seed)
    orders = np.array([rng.permutation(many) for _ in range(4)])
    order = np.sort(rng.integers(0, len(orders), count))
    begin = 900 + rng.uniform(0, 40, count)
    middle = begin[:, None] + np.cumsum(rng.uniform(12, 25, (count, many)), axis=1)
    share = 1.02 - (begin - 900) / rng.uniform(80, 400) - rng.uniform(0, 0.08, count)
    return share, order, orders[order], middle


def foresee(chances, stops, middle):
    """The sum over the stops of the highest chance of a quarter of an hour, counted one by one."""
    found = {}
    for chance, row, times in zip(chances, stops.tolist(), middle, strict=True):
        for stop, minute in zip(row, times, strict=True):
            key = stop, int(minute // QUARTER_MINUTES)
            found[key] = found.get(key, 0.0) + chance
    return sum(
        max(value for (one, _), value in found.items() if one == stop)
        for stop in {stop for stop, _ in found}
    )


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_chances_are_chances_and_keep_the_worth_on_average(seed):
    """They are together 1, none is negative, and the mean worth is kept where that is possible."""
    share, order, stops, middle = draw_timings(seed)
    chances = spread_chances(share, order, stops, middle)
    assert chances.sum() == pytest.approx(1.0)
    assert (chances >= 0).all()
    pattern = np.column_stack([order, middle // QUARTER_MINUTES])
    best = max(share[(pattern == row).all(axis=1)].mean() for row in np.unique(pattern, axis=0))
    assert chances @ share >= min(MEAN_SHARE, best) - 1e-4


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_nothing_else_is_harder_to_foresee(seed):
    """Random chances that keep the worth, alike within a pattern, are foreseen no less."""
    share, order, stops, middle = draw_timings(seed)
    chances = spread_chances(share, order, stops, middle)
    ours = foresee(chances, stops, middle)
    rng = np.random.default_rng(seed)
    for _ in range(200):
        others = rng.dirichlet(np.full(len(share), 0.3))
        pattern = np.unique(
            np.column_stack([order, middle // QUARTER_MINUTES]), axis=0, return_inverse=True
        )[1].ravel()
        alike = (np.bincount(pattern, others) / np.bincount(pattern))[pattern]
        if alike @ share >= MEAN_SHARE:
            assert foresee(alike, stops, middle) >= ours - 1e-4
