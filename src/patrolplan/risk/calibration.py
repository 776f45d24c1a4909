"""Calibration: expected totals scaled to recent ones, and expected compared with observed crime.

How crime is spread over places changes slowly, so rates are learned from two years or more. The
total changes faster: thefts may double within a year. So a model's rates are scaled
to the recent level of each category. Observed over expected incidents show how well rates are
calibrated, from the tenth of lowest to the tenth of highest expected.
"""

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.history import History

LEVEL_MONTHS = 12  # the level is computed from this many of the latest months
LEVEL_HALF_LIFE = 1.0  # ...weighted towards the latest: the weight halves with each month of age

LEVEL_INCIDENTS = 50.0
"""...and shrunk towards the year's level, as if this many incidents had been recorded at it.

Half-life and incidents were chosen, by the error of the next month's total, on six areas of London
outside the Bloomsbury box and two of Chicago.
"""

MIN_YEAR_INCIDENTS = 0.5
"""Minimum of incidents in the months of the level: no category has a rate of zero."""


def calibrate(rates: NDArray[np.float64], history: History) -> NDArray[np.float64]:
    """(c, j) rates in the same proportions, with the recent level of each category in total.

    With A incidents recorded and E expected, both only in months with data, over the last twelve
    months the level is A / E. It is moved to that of the latest months by gamma-Poisson shrinkage:
    (a + k) / (e + k), where a and e are recorded and expected at the year's level, weighted by how
    late a month is, and k is `LEVEL_INCIDENTS`.

    `rates`: (c, j) incidents expected in each place in a month, on any scale above 0. `history`:
    The months before.
    """
    first = max(0, len(history) - LEVEL_MONTHS)
    targets = len(history.targets)
    recorded = history.counts[first:, :, :targets].sum(axis=1, dtype=np.float64)
    expected = history.held[first:] @ rates
    total = expected.sum(axis=0)
    possible = total > 0
    year = np.ones(targets)
    np.divide(np.maximum(recorded.sum(axis=0), MIN_YEAR_INCIDENTS), total, out=year, where=possible)
    weights = 0.5 ** (np.arange(len(recorded))[::-1] / LEVEL_HALF_LIFE)
    late = weights @ recorded + LEVEL_INCIDENTS
    late_expected = year * (weights @ expected) + LEVEL_INCIDENTS
    return np.asarray(rates * year * np.where(possible, late / late_expected, 1.0))
