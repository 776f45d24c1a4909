"""Whether a stretch survives when the snap points of crime are moved within their catchments."""

import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.hotspots.clusters import compute_catchment_shares, flatten_stretches
from patrolplan.risk.history import History, get_harm_days
from patrolplan.risk.surface import Risk

JITTER_COUNT = 40
MIN_REMAINING_SHARE = 0.5
"""A stretch survives a jitter that leaves it this share of its recorded risk."""


def compute_survived_share(
    area: StudyArea,
    risk: Risk,
    history: History,
    stretches: list[NDArray[np.int64]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Share of jitters after which each stretch still holds half of its recorded risk.

    A jitter moves every snap point to a piece of its own catchment, drawn by length, and spreads
    its crime over the streets that are then nearest.
    """
    if not risk.snapped or not len(stretches):
        return np.ones(len(stretches))
    from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and only where hotspots are found

    catchments, metres = area.catchments, area.network.piece_metres
    kinds = len(history.targets)
    decayed = history.estimate_decayed()[:, :kinds]
    amounts = decayed @ get_harm_days(history.targets, area.settings.risk.harm)
    held = compute_catchment_shares(catchments, stretches) @ amounts
    pieces, size = flatten_stretches(stretches)
    order = np.argsort(catchments.piece_catchment, kind="stable")
    ends = np.cumsum(catchments.piece_share[order])
    survived = np.zeros(len(stretches))
    for drawn in draw_evenly(JITTER_COUNT, len(catchments), rng):
        target = np.arange(len(catchments)) + drawn
        moved = order[np.minimum(np.searchsorted(ends, target), len(ends) - 1)]
        middle = area.network.piece_middle
        nearest = cKDTree(middle[moved], balanced_tree=False).query(middle)[1]
        # Each point's amount is spread over the street nearest to it, by length.
        length = np.bincount(nearest, weights=metres, minlength=len(amounts))
        point = nearest[pieces]
        now = amounts[point] * metres[pieces] / length[point]
        survived += np.add.reduceat(now, np.cumsum(size) - size) >= MIN_REMAINING_SHARE * held
    return survived / JITTER_COUNT


def draw_evenly(draws: int, points: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(draws, points) numbers below 1; each point has one in every n-th part of the range.

    A Latin hypercube (McKay, Beckman and Conover 1979, Technometrics 21: 239-245): each point
    covers its whole catchment, in its own order, so that the share of jitters that a stretch
    survives depends far less on the seed than with independent draws.
    """
    order = rng.permuted(np.tile(np.arange(draws), (points, 1)), axis=1).T
    return np.asarray((order + rng.random((draws, points))) / draws)
