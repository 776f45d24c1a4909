"""How sure a hotspot is: more than chance, changing, and stable when snap points are moved.

A stretch is chosen because much was recorded on it, so it must not be compared with what the same
place would show by chance, but with the best stretch of an even world, in which crime falls on all
streets alike. In each simulated world stretches grow again, on that world's own crime, and the one
with most harm is recorded.

Why this is valid however the stretches were chosen. A chance computed from the best stretch of each
world holds for every stretch at once (the single-step maximum of Westfall and Young 1993,
Resampling-Based Multiple Testing; a scan statistic, Kulldorff 1997, Communications in Statistics
26: 1481-1496). The surface of a plan rests on a model, on more months, on pupils' reports and on
the hour, and fitting all of it to thousands of worlds would take days. This is not needed: what is
tested is the recorded harm, and no surface finds as much of it as that harm itself. So in the
simulated worlds stretches grow on the very harm that is then tested. That is the greediest choice
there is, and a stretch chosen on any smoother or other surface can only hold less. The growth is
greedy here as there, so the best of all stretches that could be drawn is sometimes missed; the
benchmark of even worlds measures how often any hotspot stands out, model included.
"""

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.area import StudyArea
from patrolplan.compiled import jit_compile
from patrolplan.hotspots.carriers import find_carriers
from patrolplan.hotspots.clusters import (
    GrowingRoom,
    StreetArrays,
    build_growing_room,
    build_street_arrays,
    compute_catchment_shares,
    flatten_stretches,
    grow_stretch,
)
from patrolplan.hotspots.trends import classify_trends
from patrolplan.risk.history import History, get_harm_days
from patrolplan.risk.surface import Risk, get_history

TESTED_MONTHS = 12  # last months whose crime is tested: every season is in them
WORLDS = 399  # even worlds; with the one observed they make 400
ROUNDING = 1e-9  # excess that differs by less is equal
DRAWS_SEED = 1  # not that of the settings, which must not change how sure a place is
STANDS_OUT_CHANCE = 0.05  # of even worlds, where the best stretch has as much at most
WELL_PLACED_SHARE = 0.8  # a stretch is well placed when it survives this share of the jitters
JITTER_COUNT = 40
MIN_REMAINING_SHARE = 0.5  # of its recorded risk; a stretch survives a jitter that leaves it


def assess_certainty(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]]
) -> pd.DataFrame:
    """How sure each stretch is, see `patrolplan.tables.HOTSPOTS`; one row a stretch."""
    history = get_history(area, risk)
    share = compute_catchment_shares(area.catchments, stretches)
    rng = np.random.default_rng(DRAWS_SEED)
    p_value = simulate_p_values(area, history, share, rng)
    return pd.DataFrame(
        {
            "p_value": p_value,
            "stands_out": p_value <= STANDS_OUT_CHANCE,
            "trend": classify_trends(history, share, area),
            "survived": compute_survived_share(area, risk, history, stretches, rng),
            "mainly_reports": find_carriers(risk, stretches) == "feared",
        }
    )


def build_even_world(
    area: StudyArea, history: History
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(j, c) incidents expected of each category, (j,) days of harm of one, and (c,) recorded.

    Every category keeps its number of incidents; each falls on a catchment by its street length
    and, where months are missing, by its months with data: only these can show crime.
    """
    kinds = len(history.targets)
    counts = history.count_last(TESTED_MONTHS)[:, :kinds]
    harm = get_harm_days(history.targets, area.settings.risk.harm)
    metres = history.units.metres
    if history.exposure is not None:
        metres = metres * history.count_held_months(TESTED_MONTHS)
    street_share = metres / max(float(metres.sum()), 1e-12)
    return counts.sum(axis=0)[:, None] * street_share, harm, counts @ harm


def compute_excesses(
    harm: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) how far harm is above the expected: harm log(harm / expected) - harm + expected.

    The scan statistic of Kulldorff (1997) for Poisson counts, in days of harm; 0 where there is no
    more than expected. For a stretch it is at most the sum of its pieces' (it is convex, and of
    degree one).
    """
    is_above = (harm > expected) & (expected > 0)
    return np.where(is_above, scipy.special.kl_div(harm, np.where(is_above, expected, 1.0)), 0.0)


def find_best_excess(
    streets: StreetArrays,
    piece_catchment: NDArray[np.int64],
    harm: NDArray[np.float64],
    expected: NDArray[np.float64],
    max_length_metres: float,
) -> float:
    """The highest excess of a stretch that grows as hotspots do, or of its beginning.

    `harm`, `expected` (c,) are days of harm of catchments; the density of `streets` does not count.
    Stretches grow from pieces of falling excess. Pieces of one catchment are alike, so one that a
    stretch from its own catchment has already covered is passed over. The search ends once a full
    length of street like the seed would exceed less than the best so far: a better stretch then has
    a piece of higher excess, from which it grows as well.
    """
    first, neighbours, _, metres = streets
    length = np.bincount(piece_catchment, metres)
    density, usual = (harm / length)[piece_catchment], (expected / length)[piece_catchment]
    excess = compute_excesses(density, usual)
    free = (metres <= max_length_metres) & (density > harm.sum() / metres.sum())
    grown = first, neighbours, density, metres
    seeds = np.flatnonzero(free & (excess > 0))
    seeds = seeds[np.argsort(-excess[seeds], kind="stable")]
    room = build_growing_room(len(metres))
    return float(
        _search_best(seeds, grown, usual, excess, piece_catchment, max_length_metres, free, room)
    )


# Where places are exact, thousands of seeds are grown from in each world: 12 s a plan in Python.
@jit_compile(
    "f8(i8[::1], Tuple((i8[::1], i8[::1], f8[::1], f8[::1])), f8[::1], f8[::1], i8[::1], f8, "
    "b1[::1], UniTuple(i8[::1], 3))"
)
def _search_best(  # noqa: PLR0917 - one compiled loop
    seeds: NDArray[np.int64],
    streets: StreetArrays,
    usual: NDArray[np.float64],
    excess: NDArray[np.float64],
    piece_catchment: NDArray[np.int64],
    max_length_metres: float,
    free: NDArray[np.bool_],
    room: GrowingRoom,
) -> float:
    """The highest excess over these seeds, see `find_best_excess`; all but seeds by piece (p,)."""
    metres, density, stretch = streets[3], streets[2], room[1]
    done = np.zeros(len(free), dtype=np.bool_)
    best = 0.0
    for call, seed in enumerate(seeds):
        if excess[seed] * max_length_metres <= best:
            break
        if done[seed]:
            continue
        harm, expected = 0.0, 0.0
        for slot in range(grow_stretch(seed, streets, max_length_metres, free, room, call + 1)):
            piece = stretch[slot]
            harm += metres[piece] * density[piece]
            expected += metres[piece] * usual[piece]
            if harm > expected > 0.0:  # as `compute_excesses`
                best = max(best, harm * np.log(harm / expected) - harm + expected)
            if piece_catchment[piece] == piece_catchment[seed]:
                done[piece] = True
    return best


def simulate_best_excess(
    area: StudyArea,
    mean: NDArray[np.float64],
    days: NDArray[np.float64],
    worlds: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """(worlds,) excess of the best stretch of each even world."""
    streets = build_street_arrays(area.network, np.zeros(len(area.network)))
    max_length = float(area.settings.hotspots.max_length_metres)
    own, expected = area.catchments.piece_catchment, days @ mean
    drawn = (days @ rng.poisson(mean) for _ in range(worlds))
    return np.array([find_best_excess(streets, own, one, expected, max_length) for one in drawn])


def simulate_p_values(
    area: StudyArea, history: History, share: sparse.csr_array, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(h,) chance that the best stretch of an even world exceeds the baseline as far as each.

    If r of w worlds reach the excess of a stretch, it is estimated as (r + 1) / (w + 1): what was
    observed counts as one more world, so that it is never 0. `share` is (h, c) of each catchment's
    street that lies in each stretch.
    """
    mean, days, recorded = build_even_world(area, history)
    observed = compute_excesses(share @ recorded, share @ (days @ mean))
    best = np.sort(simulate_best_excess(area, mean, days, WORLDS, rng))
    reached = WORLDS - np.searchsorted(best, observed * (1 - ROUNDING), side="left")
    return np.asarray((1 + reached) / (1 + WORLDS))


def compute_survived_share(
    area: StudyArea,
    risk: Risk,
    history: History,
    stretches: list[NDArray[np.int64]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """(h,) share of jitters after which each stretch still holds half of its recorded risk.

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
