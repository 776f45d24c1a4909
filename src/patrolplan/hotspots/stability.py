"""Whether a stretch lasts when the snap points of crime are moved within their catchments.

The compiled heart of the jitters: which moved snap point each piece of street is nearest to.
"""

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from patrolplan.area import StudyArea
from patrolplan.arrays import jit_compile
from patrolplan.hotspots.clusters import compute_catchment_shares, flatten_stretches
from patrolplan.parallel import map_in_threads
from patrolplan.risk.estimate import Risk
from patrolplan.risk.history import History, get_harm_days

CatchmentArrays = tuple[
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
]
"""Where each catchment starts among its pieces, middles of pieces; centre and diameter of each
catchment; where its near ones start, and the near ones. Pieces stand catchment by catchment."""

CATCHMENT_ARRAYS = "Tuple((i8[::1], f8[:,::1], f8[:,::1], f8[::1], i8[::1], i8[::1]))"

ROUNDING_METRES = 1e-3
"""Beyond any rounding of a distance, so that no point is left out by it."""


TIED = -1
"""Stands for the nearest point where several are exactly as near."""


@jit_compile(f"i8[::1]({CATCHMENT_ARRAYS}, f8[:,::1])")
def find_nearest_or_tied(arrays: CatchmentArrays, moved: NDArray[np.float64]) -> NDArray[np.int64]:
    """(p,) number of the moved point nearest each piece's middle, or `TIED`.

    For the pieces of a catchment only those near points are asked that are at most its diameter
    farther from its centre than the nearest one is: no other is nearest to any of its pieces.
    """
    starts, middle, centre, diameter, near_starts, near = arrays
    nearest = np.empty(len(middle), dtype=np.int64)
    away = np.empty(len(starts))
    asked = np.empty(len(starts), dtype=np.int64)
    for own in range(len(starts) - 1):
        first, last = near_starts[own], near_starts[own + 1]
        least = np.inf
        for slot in range(first, last):
            x = moved[near[slot], 0] - centre[own, 0]
            y = moved[near[slot], 1] - centre[own, 1]
            away[slot - first] = math.sqrt(x * x + y * y)
            least = min(least, away[slot - first])
        found = 0
        for slot in range(first, last):
            asked[found] = near[slot]
            found += away[slot - first] <= least + diameter[own] + ROUNDING_METRES
        for piece in range(starts[own], starts[own + 1]):
            least = np.inf
            for k in range(found):
                x = middle[piece, 0] - moved[asked[k], 0]
                y = middle[piece, 1] - moved[asked[k], 1]
                if x * x + y * y < least:
                    least = x * x + y * y
                    nearest[piece] = asked[k]
                elif x * x + y * y == least:
                    nearest[piece] = TIED
    return nearest


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
    kinds = len(history.targets)
    decayed = history.count_decayed(area.settings.risk.half_life_months)[0][:, :kinds]
    amounts = decayed @ get_harm_days(history.targets, area.settings.risk.harm)
    held = compute_catchment_shares(area.catchments, stretches) @ amounts
    pieces, size = flatten_stretches(stretches)
    starts = np.cumsum(size) - size
    order = np.argsort(area.catchments.piece_catchment, kind="stable")
    ground = build_catchment_arrays(
        area.network.piece_middle[order], area.catchments.piece_catchment[order]
    )
    ends = np.cumsum(area.catchments.piece_share[order])
    metres = area.network.piece_metres[order]
    inside = np.empty(len(order), dtype=np.int64)
    inside[order] = np.arange(len(order))
    inside = inside[pieces]

    def survives(drawn: NDArray[np.float64]) -> NDArray[np.bool_]:
        target = np.arange(len(amounts)) + drawn
        chosen = np.minimum(np.searchsorted(ends, target), len(ends) - 1)
        now = _spread_over_street(amounts, find_nearest_points(ground, chosen), metres, inside)
        return np.asarray(np.add.reduceat(now, starts) >= MIN_REMAINING_SHARE * held)

    draws = rng.random((JITTER_COUNT, len(amounts)))
    # All draws are made before, so that the order of jitters changes nothing.
    survived = sum(one.result() for one in map_in_threads(survives, draws))
    return np.asarray(survived / JITTER_COUNT)


def build_catchment_arrays(
    middle: NDArray[np.float64], of_piece: NDArray[np.int64]
) -> CatchmentArrays:
    """What does not change from jitter to jitter, see `patrolplan.hotspots.stability.Ground`.

    A point that is nearest to a piece is not farther from it than the catchment's own point, by
    the catchment's diameter at most; so it is within one and a half diameters of the centre.

    Parameters
    ----------
    middle
        (p, 2) metres, catchment by catchment.
    of_piece
        (p,) catchment of each piece; every catchment has one.
    """
    starts = np.searchsorted(of_piece, np.arange(of_piece[-1] + 2))
    low = np.minimum.reduceat(middle, starts[:-1])
    high = np.maximum.reduceat(middle, starts[:-1])
    centre, diameter = (low + high) / 2, np.hypot(*(high - low).T)
    reach = 1.5 * diameter[:, None] + ROUNDING_METRES
    tree = shapely.STRtree(shapely.box(*low.T, *high.T))
    pairs = tree.query(shapely.box(*(centre - reach).T, *(centre + reach).T))
    near_starts = np.searchsorted(pairs[0], np.arange(len(low) + 1))
    return starts, np.ascontiguousarray(middle), centre, diameter, near_starts, pairs[1]


def find_nearest_points(arrays: CatchmentArrays, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """(p,) number of the moved point nearest each piece; a tree chooses among exact equals.

    Parameters
    ----------
    ground
        See `build_catchment_arrays`.
    chosen
        (c,) the piece to whose middle each point moved, one of its own catchment.
    """
    middle = arrays[1]
    nearest = find_nearest_or_tied(arrays, middle[chosen])
    tied = np.flatnonzero(nearest == TIED)
    if len(tied):
        nearest[tied] = cKDTree(middle[chosen], balanced_tree=False).query(middle[tied])[1]
    return nearest


def _spread_over_street(
    amounts: NDArray[np.float64],
    nearest: NDArray[np.int64],
    metres: NDArray[np.float64],
    pieces: NDArray[np.int64],
) -> NDArray[np.float64]:
    """What falls to some pieces where each point's amount is spread over its street by length."""
    length = np.bincount(nearest, weights=metres, minlength=len(amounts))
    there = nearest[pieces]
    return np.asarray(amounts[there] * metres[pieces] / length[there])
