"""How sure a hotspot is: is it more than chance, is it changing, would it stay if moved.

The chance is simulated: crime that falls evenly on all streets is drawn many times (compiled).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, stats

from patrolplan.area import StudyArea
from patrolplan.compiled import jit_compile
from patrolplan.hotspots.carriers import find_carriers
from patrolplan.hotspots.clusters import compute_catchment_shares
from patrolplan.hotspots.stability import compute_survived_share
from patrolplan.hotspots.trends import (
    EARLIER_MONTHS,
    FALSE_DISCOVERY_RATE,
    classify_trends,
    is_significant,
)
from patrolplan.parallel import map_in_threads
from patrolplan.risk.history import History, build_history, get_harm_days
from patrolplan.risk.surface import Risk

BLOCK_COLUMNS = 1024
"""Columns whose limits stay in the processor's cache while all rows are drawn."""


@jit_compile("void(u4[:,::1], u4[:,::1], f8, f8[:,::1])")
def add_simulated_harm(
    drawn: NDArray[np.uint32],
    limits: NDArray[np.uint32],
    days: float,
    harm: NDArray[np.float64],
) -> None:
    """Add to each cell of `harm` the days of one incident for each limit that `drawn` is above.

    `drawn` and `harm` are (s, c), `limits` (k, c): see `build_count_limits`.
    """
    counts = np.zeros(BLOCK_COLUMNS, dtype=np.uint32)
    for first in range(0, drawn.shape[1], BLOCK_COLUMNS):
        last = min(first + BLOCK_COLUMNS, drawn.shape[1])
        for row in range(drawn.shape[0]):
            own = drawn[row, first:last]  # rows of their own: the loops over them are then wide
            counts[:] = 0
            for k in range(limits.shape[0]):
                limit = limits[k, first:last]
                for column in range(len(own)):
                    counts[column] += np.uint32(own[column] > limit[column])
            days_here = harm[row, first:last]
            for column in range(len(own)):
                days_here[column] += days * counts[column]


CHUNK_SIZE = 125
"""Simulations in a part: as many as fit into memory for a city."""

DRAW_RANGE = 2**32
"""Numbers that a draw may give."""

MAX_TABLE_MEAN = 50.0
"""Above this a table of limits would be long: numpy draws the counts of such a category."""


def count_draws_reaching(
    share: sparse.csr_array,
    mean: NDArray[np.float64],
    harm: NDArray[np.float64],
    observed: NDArray[np.float64],
    draw_count: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """In how many draws each stretch has at least the harm observed.

    Parameters
    ----------
    share
        (h, c) share of each catchment's street that lies in each stretch.
    mean
        (j, c) incidents expected by category.
    harm
        (j,) days of harm of one incident.
    observed
        (h,) days of harm, see `sum_harm`.
    draw_count
        How many draws.
    rng
        Its children draw.
    """
    touched = np.unique(share.indices)
    on_touched = share.tocsc()[:, touched].T.tocsr()
    expected = np.ascontiguousarray(mean[:, touched])
    limits = [build_count_limits(row) if row.max() <= MAX_TABLE_MEAN else None for row in expected]

    def count_chunk(chunk: tuple[int, np.random.Generator]) -> NDArray[np.int64]:
        draws, own_rng = chunk
        simulated = np.zeros((draws, len(touched)))
        for days, row, own_limits in zip(harm, expected, limits, strict=True):
            if own_limits is None:
                simulated += days * own_rng.poisson(row, size=simulated.shape)
            else:
                drawn = own_rng.integers(DRAW_RANGE, size=simulated.shape, dtype=np.uint32)
                add_simulated_harm(drawn, own_limits, days, simulated)
        return np.asarray((simulated @ on_touched >= observed).sum(axis=0))

    sizes = np.diff([*range(0, draw_count, CHUNK_SIZE), draw_count]).tolist()
    # Each chunk has a stream of its own, so that their order changes nothing.
    chunks = zip(sizes, rng.spawn(len(sizes)), strict=True)
    return np.asarray(sum(counted.result() for counted in map_in_threads(count_chunk, chunks)))


def sum_harm(counts: NDArray[np.float64], harm: NDArray[np.float64]) -> NDArray[np.float64]:
    """(c,) days of harm of (c, j) incidents, added as draws are: equal counts are equal harm."""
    days = np.zeros(len(counts))
    for harm_each, column in zip(harm, counts.T, strict=True):
        days += harm_each * column
    return days


def build_count_limits(mean: NDArray[np.float64]) -> NDArray[np.uint32]:
    """(k, c) limits by which an evenly drawn whole number becomes a Poisson count.

    Limit k is the share of `DRAW_RANGE` that counts of k or less take up, so that a number drawn
    below `DRAW_RANGE` is above as many limits as the count is. Counts that hardly one in
    `DRAW_RANGE` draws would give are left out. `mean` is (c,).
    """
    most = int(stats.poisson.isf(0.5 / DRAW_RANGE, mean.max()))
    ratio = mean / np.arange(1, most + 1)[:, None]
    chance = np.cumprod(np.vstack([np.exp(-mean), ratio]), axis=0)
    ends = np.rint(np.cumsum(chance, axis=0) * DRAW_RANGE) - 1
    return np.asarray(np.clip(ends, 0, DRAW_RANGE - 1), dtype=np.uint32)


MIN_DRAWS = 999
MAX_DRAWS = 9999
DRAWS_PER_CHECK = 500
"""Draws after which stretches whose chance is known well enough are closed."""

ENOUGH_EXCEEDANCES = 200
"""Simulations that reached a stretch's harm after which its chance is known."""

MIN_DRAWS_TO_STOP = 1000
"""Draws before a stretch may be closed for lying far beyond the rate."""

STOP_CONFIDENCE = 1 - 1e-4
"""A limit that holds so often ends the draws of a stretch that is far beyond it."""

CHERNOFF_EXPONENTS = np.geomspace(0.02, 10.0, 48)
"""Candidates for the exponent of `compute_chance_bound`, for the heaviest incident."""

NEGLIGIBLE_CHANCE = 1e-9
"""A stretch whose chance is below this is reached by none of the draws."""

WELL_PLACED_SHARE = 0.8
"""A stretch is well placed when it survives this share of the jitters."""


def assess_certainty(
    area: StudyArea, risk: Risk, stretches: list[NDArray[np.int64]]
) -> pd.DataFrame:
    """How sure each stretch is; draws are seeded by the settings.

    Returns
    -------
    DataFrame
        One row a stretch: `p_value` (chance of as much recorded harm if crime fell evenly on all
        streets), `stands_out` (with the false discovery rate held at 5 %), `trend` ("new",
        "rising", "persistent", "fading" or "too few to tell"), `survived` (share of jitters of the
        snap points that it survives; 1 for exact places), `mainly_reports` (whether it is based on
        pupils' reports more than on recorded crime).
    """
    history = build_history(area)
    share = compute_catchment_shares(area.catchments, stretches)
    rng = np.random.default_rng([area.settings.seed, len(stretches)])
    p_value = simulate_p_values(area, history, share, rng)
    return pd.DataFrame(
        {
            "p_value": p_value,
            "stands_out": is_significant(p_value),
            "trend": classify_trends(history, share, area),
            "survived": compute_survived_share(area, risk, history, stretches, rng),
            "mainly_reports": find_carriers(risk, stretches) == "feared",
        }
    )


def simulate_p_values(
    area: StudyArea, history: History, share: sparse.csr_array, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(h,) chance of as much harm on each stretch if last year's crime fell evenly on all streets.

    Every category keeps its number of incidents; each incident falls on a catchment by its
    street length. The stretches were chosen for being high, so a small value says that a place
    stands out from an even spread, not that its rank is certain. There are as many draws
    as it takes for one stretch alone to pass the false discovery rate, within bounds.

    Of `d` draws with `r` that reach the observed harm the chance is estimated as (r + 1) / (d + 1):
    what was observed counts as one draw more, so that it is never 0. A stretch is drawn no more
    once enough is known of it, which saves most of the work:

    - before any draw, where no simulation would reach it by `compute_chance_bound`;
    - once `ENOUGH_EXCEEDANCES` draws reached it (Besag and Clifford 1991, Biometrika 78: 301-304);
    - once it lies far beyond the rate, by `_is_surely_significant`.
    """
    kinds = len(history.targets)
    counts = history.count_last(EARLIER_MONTHS)[:, :kinds]
    harm = get_harm_days(history.targets, area.settings.risk.harm)
    observed = share @ sum_harm(counts, harm)
    metres = history.units.metres
    if history.exposure is not None:  # only what is held can show crime
        metres = metres * history.count_held_months(EARLIER_MONTHS)
    street_share = metres / metres.sum()
    mean = counts.sum(axis=0)[:, None] * street_share
    wanted = int(share.shape[0] / FALSE_DISCOVERY_RATE)
    draws = int(np.clip(wanted, MIN_DRAWS, MAX_DRAWS))
    bound = compute_chance_bound(share, counts.sum(axis=0), harm, street_share, observed)
    never = bound < NEGLIGIBLE_CHANCE
    reached, drawn = np.zeros(share.shape[0]), np.where(never, draws, 0).astype(np.float64)
    open_rows = np.flatnonzero(~never)
    for start in range(0, draws, DRAWS_PER_CHECK):
        if not len(open_rows):
            break
        size = min(DRAWS_PER_CHECK, draws - start)
        rows = share[open_rows], mean, harm, observed[open_rows]
        reached[open_rows] += count_draws_reaching(*rows, size, rng)
        drawn[open_rows] += size
        often = reached[open_rows] >= ENOUGH_EXCEEDANCES
        open_rows = open_rows[~(often | _is_surely_significant(reached, drawn, open_rows))]
    return np.asarray((1 + reached) / (1 + drawn))


def compute_chance_bound(
    share: sparse.csr_array,
    totals: NDArray[np.float64],
    harm: NDArray[np.float64],
    street_share: NDArray[np.float64],
    observed: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Upper limit of the chance of as much harm on each stretch, where crime falls evenly.

    For every t > 0 the chance is at most E exp(t harm) / exp(t observed) (Chernoff 1952, Annals of
    Mathematical Statistics 23: 493-507); the harm is a sum of Poisson counts, each weighted by its
    harm and by the stretch's share of its catchment. The lowest over `CHERNOFF_EXPONENTS` counts.

    Parameters
    ----------
    share
        (h, c) share of each catchment's street that lies in each stretch.
    totals, harm
        (j,) incidents in all, and days of harm of one.
    street_share
        (c,) share of all street that each catchment has.
    observed
        (h,) days of harm.

    Returns
    -------
    NDArray
        (h,) at most 1.
    """
    row = np.repeat(np.arange(share.shape[0]), np.diff(share.indptr))
    expected = street_share[share.indices][:, None] * totals
    weight = share.data[:, None] * harm
    unit = 1 / max(float(weight.max(initial=0.0)), 1e-12)
    log_bound = np.zeros(share.shape[0])
    for exponent in CHERNOFF_EXPONENTS * unit:
        by_cell = (expected * np.expm1(exponent * weight)).sum(axis=1)
        log_mean = np.bincount(row, by_cell, minlength=share.shape[0])
        log_bound = np.minimum(log_bound, log_mean - exponent * observed)
    return np.asarray(np.exp(log_bound))


def _is_surely_significant(
    reached: NDArray[np.float64], drawn: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which of some stretches pass the false discovery rate, however the draws go on.

    The upper limit of its chance (Clopper and Pearson 1934) is less than half of the chance that
    passes by the draws so far.
    """
    passing = is_significant((1 + reached) / (drawn + 1)).mean() * FALSE_DISCOVERY_RATE
    limit = stats.beta.ppf(STOP_CONFIDENCE, reached[rows] + 1, (drawn - reached)[rows])
    return np.asarray((drawn[rows] >= MIN_DRAWS_TO_STOP) & (limit < passing / 2))
