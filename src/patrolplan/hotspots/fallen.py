"""Crime that falls evenly on all streets, drawn many times."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy import stats

from patrolplan.hotspots._fallen import add_fallen
from patrolplan.threads import side_by_side

PART = 125
"""Simulations in a part: as many as fit into memory for a city."""

STEPS = 2**32
"""Numbers that a draw may give."""

HIGHEST_MEAN = 50.0
"""Above this a table of limits would be long: numpy draws the counts of such a category."""


def times_reached(
    share: sparse.csr_array,
    mean: NDArray[np.float64],
    harm: NDArray[np.float64],
    observed: NDArray[np.float64],
    size: int,
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
        (j,) days of harm of one.
    observed
        (h,) days of harm, see `harm_of`.
    size
        How many draws.
    rng
        Its children draw.
    """
    touched = np.unique(share.indices)
    on_touched = share.tocsc()[:, touched].T.tocsr()
    expected = np.ascontiguousarray(mean[:, touched])
    limits = [limits_of(one) if one.max() <= HIGHEST_MEAN else None for one in expected]

    def reached(part: tuple[int, np.random.Generator]) -> NDArray[np.int64]:
        draws, own_rng = part
        fallen = np.zeros((draws, len(touched)))
        for days, one, below in zip(harm, expected, limits, strict=True):
            if below is None:
                fallen += days * own_rng.poisson(one, size=fallen.shape)
            else:
                drawn = own_rng.integers(STEPS, size=fallen.shape, dtype=np.uint32)
                add_fallen(drawn, below, days, fallen)
        return np.asarray((fallen @ on_touched >= observed).sum(axis=0))

    parts = np.diff([*range(0, size, PART), size]).tolist()
    # Each part has a stream of its own, so that their order changes nothing.
    with_rng = zip(parts, rng.spawn(len(parts)), strict=True)
    return np.asarray(sum(one.result() for one in side_by_side(reached, with_rng)))


def harm_of(counts: NDArray[np.float64], harm: NDArray[np.float64]) -> NDArray[np.float64]:
    """(c,) days of harm of (c, j) incidents, added as draws are: equal counts are equal harm."""
    days = np.zeros(len(counts))
    for one, column in zip(harm, counts.T, strict=True):
        days += one * column
    return days


def limits_of(mean: NDArray[np.float64]) -> NDArray[np.uint32]:
    """(k, c) limits: an even draw below `STEPS` is above so many of them as a Poisson count is.

    Limit k is where the chance of a count of k or less ends. Counts that hardly one in
    `STEPS` draws would give are left out.
    """
    most = int(stats.poisson.isf(0.5 / STEPS, mean.max()))
    ratio = mean / np.arange(1, most + 1)[:, None]
    chance = np.cumprod(np.vstack([np.exp(-mean), ratio]), axis=0)
    ends = np.rint(np.cumsum(chance, axis=0) * STEPS) - 1
    return np.asarray(np.clip(ends, 0, STEPS - 1), dtype=np.uint32)
