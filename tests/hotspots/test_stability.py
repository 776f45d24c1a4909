"""Whether a stretch lasts when snap points move within their catchments."""

import dataclasses

import numpy as np
from scipy.spatial import cKDTree

from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.significance import (
    JITTER_COUNT,
    MIN_REMAINING_SHARE,
    compute_survived_share,
    draw_evenly,
)
from patrolplan.risk.history import build_history, get_harm_days


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
    decayed = history.count_decayed()
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


def test_each_point_goes_through_its_whole_catchment():
    """Of n draws each point has one in every n-th part of the range, in an order of its own."""
    drawn = draw_evenly(40, 30, np.random.default_rng(1))
    assert (np.sort(np.floor(drawn * 40), axis=0) == np.arange(40)[:, None]).all()
    assert len({tuple(column) for column in np.floor(drawn * 40).T}) == 30
