"""Intervals for what is measured month by month: the moving-block bootstrap."""

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000

FEWEST_MONTHS = 6
"""With fewer months no interval is given."""


def block_months(months: int) -> int:
    """Months that are drawn together, because neighbours in time are alike: the cube root."""
    return max(1, round(float(np.cbrt(months))))


def draw_months(months: int, *, seed: int, draws: int = DRAWS) -> NDArray[np.int64]:
    """(draws, months) how often each month is in each draw, blocks of months at a time.

    The months are taken as a circle, so that each is drawn as often as the others (Politis and
    Romano 1992, "A circular block-resampling procedure for stationary data").
    """
    rng = np.random.default_rng(seed)
    length = block_months(months)
    blocks = -(-months // length)
    start = rng.integers(months, size=(draws, blocks))
    taken = (start[:, :, None] + np.arange(length)) % months
    taken = taken.reshape(draws, -1)[:, :months]
    counted = np.zeros((draws, months), dtype=np.int64)
    np.add.at(counted, (np.arange(draws)[:, None], taken), 1)
    return counted


def interval(
    estimate: NDArray[np.float64], drawn: NDArray[np.float64], months: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of the 95 % interval; NaN where there are too few months.

    The percentiles are moved away from the estimate by sqrt(b / (b - 1)) for b blocks: with so few
    blocks a bootstrap is too sure of itself by about that.

    Parameters
    ----------
    estimate
        (...) from the months themselves.
    drawn
        (draws, ...) from each draw.
    months
        How many months there are.
    """
    if months < FEWEST_MONTHS:
        unknown = np.full(estimate.shape, np.nan)
        return unknown, unknown
    blocks = months / block_months(months)
    wider = np.sqrt(blocks / (blocks - 1))
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return estimate + wider * (low - estimate), estimate + wider * (high - estimate)
