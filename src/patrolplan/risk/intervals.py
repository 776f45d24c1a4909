"""95 % intervals of figures that are summed over months: which months are drawn, and how wide."""

import numpy as np
import scipy
from numpy.typing import NDArray

BOOTSTRAP_DRAWS = 2000
MIN_INTERVAL_MONTHS = 6  # with fewer months no interval is given
COVERED = 0.95  # share of worlds whose interval holds the truth

OVERLAP_GAIN = 1.25
"""Overlapping blocks estimate a variance as well as this many times as many separate ones."""


def compute_block_length(months: int) -> int:
    """Months drawn together in a block, as neighbouring months are alike: the cube root."""
    return max(1, round(float(np.cbrt(months))))


def draw_months(months: int, *, seed: int, draws: int = BOOTSTRAP_DRAWS) -> NDArray[np.int64]:
    """(draws, months) how often each month is in each draw of a moving-block bootstrap.

    Crime of neighbouring months is alike, so drawing single months would make intervals too narrow.
    Blocks of consecutive months are drawn instead, with replacement, until there are as many months
    as in the data; the last block is cut. The months form a circle, the last one followed by the
    first, so each lies in equally many blocks and is drawn as often as the others (Politis and
    Romano 1992, "A circular block-resampling procedure for stationary data"). Sums over a draw are
    sums over the months weighted by these counts.
    """
    rng = np.random.default_rng(seed)
    length = compute_block_length(months)
    starts = rng.integers(months, size=(draws, -(-months // length)))
    drawn = (starts[:, :, None] + np.arange(length)) % months
    drawn = drawn.reshape(draws, -1)[:, :months]
    counts = np.zeros((draws, months), dtype=np.int64)
    np.add.at(counts, (np.arange(draws)[:, None], drawn), 1)
    return counts


def compute_interval(
    estimate: NDArray[np.float64], drawn: NDArray[np.float64], months: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of the 95 % interval (...); NaN where there are too few months.

    The percentiles of the draws (draws, ...) are moved away from the estimate (...) by
    `compute_widening`: percentiles alone hold the truth in 84 to 92 of 100 worlds with so few
    months, not in 95.
    """
    if months < MIN_INTERVAL_MONTHS:
        unknown = np.full(estimate.shape, np.nan)
        return unknown, unknown
    wider = compute_widening(months)
    low, high = np.nanquantile(drawn, [(1 - COVERED) / 2, (1 + COVERED) / 2], axis=0)
    return estimate + wider * (low - estimate), estimate + wider * (high - estimate)


def compute_widening(months: int) -> float:
    """How many times as far from the estimate an interval ends as the bootstrap's percentile.

    There are b = months / length blocks. Drawing them with replacement underestimates a variance by
    (b - 1) / b; and as the variance is itself an estimate, Student's t takes the place of the
    normal curve. Its degrees of freedom are 1.25 (b - 1): blocks that overlap estimate a variance
    better than those that do not, by half where there are many (Künsch 1989, "The jackknife and the
    bootstrap for general stationary observations", Annals of Statistics 17: 1217-1241); for 6 to 24
    months half of that gain makes intervals hold the truth in 95 of 100 simulated worlds.

    Examples
    --------
    >>> [round(compute_widening(months), 2) for months in (6, 12, 24)]
    [2.23, 1.35, 1.24]
    """
    blocks = months / compute_block_length(months)
    upper = (1 + COVERED) / 2
    student = scipy.special.stdtrit(OVERLAP_GAIN * (blocks - 1), upper) / scipy.special.ndtri(upper)
    return float(np.sqrt(blocks / (blocks - 1)) * student)
