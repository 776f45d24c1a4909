"""Whether a stretch lasts when snap points move within their catchments."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.spatial import cKDTree

from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.stability import (
    JITTER_COUNT,
    MIN_REMAINING_SHARE,
    TIED,
    build_catchment_arrays,
    compute_survived_share,
    draw_evenly,
    find_nearest_or_tied,
    find_nearest_points,
)
from patrolplan.risk.history import build_history, get_harm_days


def test_wide_stretches_survive_jitter_and_bits_of_a_catchment_may_not(demo_area, static_risk):
    """The whole area survives every jitter; survival is a share of the jitters."""
    history = build_history(demo_area)
    everything = [np.arange(len(demo_area.network)), np.array([0])]
    rng = np.random.default_rng(1)
    survived = compute_survived_share(demo_area, static_risk, history, everything, rng)
    assert survived[0] == 1
    assert survived[1] * JITTER_COUNT == pytest.approx(round(survived[1] * JITTER_COUNT))


def test_exact_places_are_not_jittered(demo_area, static_risk, stretches):
    """Where places are exact there is nothing to jitter, so everything survives."""
    exact = dataclasses.replace(static_risk, snapped=False)
    history = build_history(demo_area)
    survived = compute_survived_share(
        demo_area, exact, history, stretches, np.random.default_rng(1)
    )
    assert (survived == 1).all()


def test_survival_is_that_of_trees_and_of_one_stretch_after_the_other(
    demo_area, static_risk, stretches
):
    """The slow way, a tree of all moved points for each jitter, tells the same survivals."""
    history, catchments, network = build_history(demo_area), demo_area.catchments, demo_area.network
    found = compute_survived_share(
        demo_area, static_risk, history, stretches, np.random.default_rng(8)
    )
    decayed = history.count_decayed(demo_area.settings.risk.half_life_months)
    amounts = decayed[:, : len(history.targets)] @ get_harm_days(
        history.targets, demo_area.settings.risk.harm
    )
    held = compute_catchment_shares(catchments, stretches) @ amounts
    order = np.argsort(catchments.piece_catchment, kind="stable")
    ends = np.cumsum(catchments.piece_share[order])
    drawn = draw_evenly(JITTER_COUNT, len(amounts), np.random.default_rng(8))
    survived = np.zeros(len(stretches))
    for one in drawn:
        target = np.arange(len(amounts)) + one
        chosen = order[np.minimum(np.searchsorted(ends, target), len(order) - 1)]
        tree = cKDTree(network.piece_middle[chosen], balanced_tree=False)
        nearest = tree.query(network.piece_middle)[1]
        length = np.bincount(nearest, network.piece_metres, minlength=len(amounts))
        now = amounts[nearest] * network.piece_metres / length[nearest]
        survived += np.array([now[one].sum() for one in stretches]) >= MIN_REMAINING_SHARE * held
    assert (found == survived / JITTER_COUNT).all()


PLACES = st.integers(0, 2**32).flatmap(
    lambda seed: st.tuples(st.just(seed), st.integers(1, 30), st.integers(1, 120))
)


def _moved(case, *, digits):
    """Middles of pieces, their catchments in a row, and the piece that each point moved to."""
    seed, points, more = case
    rng = np.random.default_rng(seed)
    middle = np.round(rng.random((points + more, 2)) * 500 + 500_000, digits)
    snap = middle[:points] + rng.normal(0, 1e-3, (points, 2))
    used, of_piece = np.unique(cKDTree(snap).query(middle)[1], return_inverse=True)
    order = np.argsort(of_piece, kind="stable")
    middle, of_piece = middle[order], of_piece[order]
    chosen = [rng.choice(np.flatnonzero(of_piece == one)) for one in range(len(used))]
    return middle, of_piece, np.array(chosen)


def _apart_squared(middle, moved):
    steps = middle[:, None] - moved
    return steps[:, :, 0] ** 2 + steps[:, :, 1] ** 2


@given(PLACES)
def test_nearest_moved_point_is_that_of_all(case):
    """Although few points are compared for each piece, the nearest of all is found."""
    middle, of_piece, chosen = _moved(case, digits=3)
    nearest = find_nearest_points(build_catchment_arrays(middle, of_piece), chosen)
    apart = _apart_squared(middle, middle[chosen])
    assert (apart[np.arange(len(middle)), nearest] == apart.min(axis=1)).all()


@given(PLACES)
def test_equally_near_points_are_told_and_chosen_among_as_a_tree_does(case):
    """On a coarse grid, where many points are exactly as near, a tree of all has the last word."""
    middle, of_piece, chosen = _moved(case, digits=-2)
    ground, moved = build_catchment_arrays(middle, of_piece), middle[chosen]
    apart = _apart_squared(middle, moved)
    several = (apart == apart.min(axis=1)[:, None]).sum(axis=1) > 1
    assert ((find_nearest_or_tied(ground, moved) == TIED) == several).all()
    tree = cKDTree(moved, balanced_tree=False)
    assert (find_nearest_points(ground, chosen) == tree.query(middle)[1]).all()


def test_each_point_goes_through_its_whole_catchment():
    """Of n draws each point has one in every n-th part of the range, in an order of its own."""
    drawn = draw_evenly(40, 30, np.random.default_rng(1))
    assert (np.sort(np.floor(drawn * 40), axis=0) == np.arange(40)[:, None]).all()
    assert len({tuple(column) for column in np.floor(drawn * 40).T}) == 30
