"""Whether a stretch survives when the snap points of crime are moved within their catchments.

Which moved snap point each piece of street is nearest to is found by compiled code.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.compiled import jit_compile
from patrolplan.hotspots.clusters import compute_catchment_shares, flatten_stretches
from patrolplan.parallel import map_in_threads
from patrolplan.risk.history import History, get_harm_days
from patrolplan.risk.spatial_units import get_spatial_units, hash_code
from patrolplan.risk.surface import Risk

CatchmentArrays = tuple[
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
]
"""Where each catchment starts among the pieces, which are sorted by catchment; middles of pieces;
centre and diameter of each catchment; where its near catchments start, and the near catchments."""

CATCHMENT_ARRAYS = "Tuple((i8[::1], f8[:,::1], f8[:,::1], f8[::1], i8[::1], i8[::1]))"

ROUNDING_METRES = 1e-3
"""More than any rounding error of a distance, so that no point is missed because of one."""

TIED = -1
"""In place of the nearest point, where several are exactly as near."""


@jit_compile(f"i8[::1]({CATCHMENT_ARRAYS}, f8[:,::1])")
def find_nearest_or_tied(arrays: CatchmentArrays, moved: NDArray[np.float64]) -> NDArray[np.int64]:
    """(p,) number of the moved point nearest each piece's middle, or `TIED`.

    For the pieces of a catchment only those points are compared that are at most its diameter
    farther from its centre than the nearest one is. That misses none: a piece is within half the
    diameter of the centre, so the point nearest to the centre is at most half a diameter farther
    from the piece than from the centre, and a point more than a diameter beyond is farther still.
    """
    starts, middle, centre, diameter, near_starts, near = arrays
    nearest = np.empty(len(middle), dtype=np.int64)
    metres = np.empty(len(starts))
    candidates = np.empty(len(starts), dtype=np.int64)
    for own in range(len(starts) - 1):
        first, last = near_starts[own], near_starts[own + 1]
        least = np.inf
        for slot in range(first, last):
            x = moved[near[slot], 0] - centre[own, 0]
            y = moved[near[slot], 1] - centre[own, 1]
            metres[slot - first] = math.sqrt(x * x + y * y)
            least = min(least, metres[slot - first])
        count = 0
        for slot in range(first, last):
            candidates[count] = near[slot]
            count += metres[slot - first] <= least + diameter[own] + ROUNDING_METRES
        for piece in range(starts[own], starts[own + 1]):
            least = np.inf
            for k in range(count):
                x = middle[piece, 0] - moved[candidates[k], 0]
                y = middle[piece, 1] - moved[candidates[k], 1]
                if x * x + y * y < least:
                    least = x * x + y * y
                    nearest[piece] = candidates[k]
                elif x * x + y * y == least:
                    nearest[piece] = TIED
    return nearest


JITTER_COUNT = 40
MAX_CACHED_PIECES = 50_000
"""Maximum number of pieces of street for jitters to be cached: some megabytes."""
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
    decayed = history.estimate_decayed(area.settings.risk.half_life_months)[:, :kinds]
    amounts = decayed @ get_harm_days(history.targets, area.settings.risk.harm)
    held = compute_catchment_shares(area.catchments, stretches) @ amounts
    pieces, size = flatten_stretches(stretches)
    starts = np.cumsum(size) - size
    order = np.argsort(area.catchments.piece_catchment, kind="stable")
    metres = area.network.piece_metres[order]
    inside = np.argsort(order)[pieces]  # where the stretches' pieces stand in this order

    survived = np.zeros(len(stretches))
    for nearest in _load_jitters(area, order, rng):
        # Each point's amount is spread over the street nearest to it, by length.
        length = np.bincount(nearest, weights=metres, minlength=len(amounts))
        point = nearest[inside]
        now = amounts[point] * metres[inside] / length[point]
        survived += np.add.reduceat(now, starts) >= MIN_REMAINING_SHARE * held
    return survived / JITTER_COUNT


def _load_jitters(
    area: StudyArea, order: NDArray[np.int64], rng: np.random.Generator
) -> Iterable[NDArray[np.int64]]:
    """After each jitter (p,) the point nearest each piece; `order` sorts pieces by catchment.

    It contains nothing recorded or reported, so it is cached, except for a city, whose jitters
    would be hundreds of megabytes. A result from the cache leaves `rng` unchanged: nothing else may
    be drawn from it afterwards.
    """
    if len(order) > MAX_CACHED_PIECES:
        return _draw_jitters(area, order, rng)
    key = f"jitters {JITTER_COUNT} {rng.bit_generator.state} {hash_code('patrolplan.hotspots')}"
    return get_spatial_units(area.network, area.catchments).load_or_compute(
        "rates", key, lambda: np.stack(list(_draw_jitters(area, order, rng))).astype(np.int32)
    )


def _draw_jitters(
    area: StudyArea, order: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    catchments = area.catchments
    arrays = build_catchment_arrays(
        area.network.piece_middle[order], catchments.piece_catchment[order]
    )
    ends = np.cumsum(catchments.piece_share[order])

    def move(drawn: NDArray[np.float64]) -> NDArray[np.int64]:
        target = np.arange(len(catchments)) + drawn
        chosen = np.minimum(np.searchsorted(ends, target), len(ends) - 1)
        return find_nearest_points(arrays, chosen)

    # Everything is drawn first, so that the order of jitters changes nothing.
    draws = draw_evenly(JITTER_COUNT, len(catchments), rng)
    return (jitter.result() for jitter in map_in_threads(move, draws))


def draw_evenly(draws: int, points: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(draws, points) numbers below 1; each point has one in every n-th part of the range.

    A Latin hypercube (McKay, Beckman and Conover 1979, Technometrics 21: 239-245): each point
    covers its whole catchment, in its own order, so that the share of jitters that a stretch
    survives depends far less on the seed than with independent draws.
    """
    order = rng.permuted(np.tile(np.arange(draws), (points, 1)), axis=1).T
    return np.asarray((order + rng.random((draws, points))) / draws)


def build_catchment_arrays(
    middle: NDArray[np.float64], piece_catchment: NDArray[np.int64]
) -> CatchmentArrays:
    """What does not change from jitter to jitter, see `CatchmentArrays`.

    A catchment's own point is at most its diameter away from each of its pieces, and so is the
    nearest one: it is within one and a half diameters of the centre. `middle` is (p, 2) metres,
    sorted by the (p,) `piece_catchment`; every catchment has a piece.
    """
    starts = np.searchsorted(piece_catchment, np.arange(piece_catchment[-1] + 2))
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

    `chosen` is (c,): the piece to whose middle each point moved, one of its own catchment.
    """
    middle = arrays[1]
    nearest = find_nearest_or_tied(arrays, middle[chosen])
    tied = np.flatnonzero(nearest == TIED)
    if len(tied):
        from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, and rarely needed

        nearest[tied] = cKDTree(middle[chosen], balanced_tree=False).query(middle[tied])[1]
    return nearest
