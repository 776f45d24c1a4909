"""Whether a stretch's crime changed, compared with all ways of choosing six of the months.

Crime comes in clusters: a gang is active for some weeks, a shop is robbed again. A binomial test of
the last half year treats every incident as independent, so it takes a cluster for a change. Here
whole months are permuted instead, with all that was recorded in them, and clusters stay together.

If nothing changed, the months of the last half year might be any of the months. There
are 18,564 ways of choosing 6 of 18 months. For each choice the change of a stretch is measured as
if the months chosen were the last: by the F ratio of the analysis of variance, that is the change
squared, over how much the stretch's months differ within the two spans. The chance of a stretch is
the share of all choices whose ratio is at least that of the true last half year, or the chance by
the law of F where that is higher: a street whose months hardly differ has not changed just because
the last ones are lowest by a tiny margin. All choices are evaluated, so nothing is drawn; but
stretches whose ratio many of the first choices reach, a sample spread over all, are dropped early.
(Permutation test: Pitman 1937, Supplement to the Journal of the Royal Statistical Society 4:
119-130.)

How much months differ cannot be known well from 18 months of one stretch, so half of it is what all
stretches have in common (Smyth 2004, Statistical Applications in Genetics and Molecular Biology
3: 3). How much crime the whole area had in each month is allowed for.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from patrolplan.parallel import limit_to_one_thread

RECENT_MONTHS = 6

FIRST_CHOICES = 1000
"""About this many choices, spread over all of them, are evaluated first."""

SURELY_CHANCE = 0.1
"""A stretch whose ratio this many of the first choices reach is dropped: it cannot pass."""

MAX_CELLS = 400_000
"""Choices times stretches that are computed at once."""

TINY = 1e-9
"""Minimum of incidents expected: never 0."""

ROUNDING = 1e-9
"""Ratios that differ by less are equal."""


@dataclass(frozen=True, eq=False)
class MonthCounts:
    """Incidents of every stretch by month."""

    counts: NDArray[np.float64]  # (m, h) recorded; the last `RECENT_MONTHS` are the last half year
    held: NDArray[np.float64]  # (m, h) share of each month that is held
    totals: NDArray[np.float64]  # (m,) incidents of the whole area, had all been held


def compute_shuffled_chances(
    months: MonthCounts,
    now: NDArray[np.float64],
    before: NDArray[np.float64],
    most_now: NDArray[np.float64],
    fewest_before: NDArray[np.float64],
    expected: float,
) -> NDArray[np.float64]:
    """(h,) share of all choices of months that change as much as the last half year did.

    `months`: What is shuffled: the months with data. `now`, `before`, `most_now`, `fewest_before`,
    `expected`: See `patrolplan.hotspots.trends.SpanCounts`: by the law of F a rise is measured with
    the first two, a fall with the others, so that it holds against whatever missing months held.
    Only months held are shuffled.
    """
    recent = RECENT_MONTHS
    if not len(now) or len(months.totals) <= recent:
        return np.ones(len(now))
    baseline = months.totals[:, None] * months.held
    shuffles = _Shuffles(months.counts, baseline)
    rise = np.maximum(now - expected * (now + before), 0.0)
    fall = np.maximum(expected * (most_now + fewest_before) - most_now, 0.0)
    is_rise = rise >= fall
    change = np.where(is_rise, rise, fall)
    total = np.where(is_rise, now + before, most_now + fewest_before)
    spread = np.maximum(total * expected * (1 - expected), TINY)
    chosen = list_choices(len(months.totals), recent)
    true_choice = np.arange(len(months.totals)) >= len(months.totals) - recent
    held_change = shuffles.measure_change(true_choice[None].astype(np.float64), slice(None))[0]
    observed = shuffles.compute_ratio(held_change, held_change)
    bounded = shuffles.compute_ratio(change**2 / spread, held_change)
    by_law = np.asarray(
        scipy.special.fdtrc(1, 2 * shuffles.freedom, bounded)
    )  # of an F distribution
    chances = by_law.copy()
    open_rows = np.flatnonzero(by_law <= SURELY_CHANCE)
    with limit_to_one_thread():  # for products of 18 months two threads take far longer than one
        for choices in (chosen[:: max(1, len(chosen) // FIRST_CHOICES)], chosen):
            reached = shuffles.count_reaching(choices, observed, open_rows)
            shuffled = np.maximum(reached, 1.0) / len(choices)
            chances[open_rows] = np.maximum(by_law[open_rows], shuffled)
            open_rows = open_rows[shuffled <= SURELY_CHANCE]
    return chances


@lru_cache(maxsize=4)
def list_choices(months: int, chosen: int) -> NDArray[np.float64]:
    """(n, months) all ways of choosing a number of the months, 1 for each month chosen.

    Examples
    --------
    >>> list_choices(3, 1).astype(int).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """
    numbers = np.arange(2**months, dtype=">u4")
    bits = np.unpackbits(numbers.view(np.uint8).reshape(-1, 4), axis=1)[:, -months:]
    return np.asarray(bits[bits.sum(axis=1) == chosen][::-1], dtype=np.float64)


class _Shuffles:
    """What does not change when months change places.

    `counts`: (m, h) incidents. `baseline`: (m, h) what they are in proportion to where a stretch
    does not change.
    """

    def __init__(self, counts: NDArray[np.float64], baseline: NDArray[np.float64]) -> None:
        self.counts = counts
        self.baseline_total = np.maximum(baseline.sum(axis=0), TINY)
        self.baseline_share = baseline / self.baseline_total
        self.total = counts.sum(axis=0)
        expected = self.baseline_share * self.total
        above = expected > TINY
        squares = np.where(above, (counts - expected) ** 2 / np.where(above, expected, 1.0), 0.0)
        self.variation = squares.sum(axis=0)
        """(h,) how much months differ: Pearson's chi-squared."""
        self.freedom = np.maximum(above.sum(axis=0) - 2.0, 1.0)
        """(h,) degrees of freedom within the two spans."""
        # The median, so that a few streets that do change do not hide themselves; at least what
        # chance alone gives.
        self.common = max(1.0, float(np.median(self.variation / (self.freedom + 1))))

    def measure_change(
        self, chosen: NDArray[np.float64], rows: NDArray[np.int64] | slice
    ) -> NDArray[np.float64]:
        """(n, r) part of the variation that is between the months chosen and the others."""
        share = chosen @ self.baseline_share[:, rows]
        spread = self.total[rows] * share * (1 - share)
        change = (chosen @ self.counts[:, rows] - share * self.total[rows]) ** 2
        return np.asarray(np.divide(change, spread, out=np.zeros_like(change), where=spread > TINY))

    def count_reaching(
        self, chosen: NDArray[np.float64], observed: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """(r,) how many choices (n, m) change so much that they reach the ratio observed."""
        reached, size = np.zeros(len(rows)), max(1, MAX_CELLS // max(len(rows), 1))
        for start in range(0, len(chosen), size):
            change = self.measure_change(chosen[start : start + size], rows)
            ratio = self.compute_ratio(change, change, rows)
            reached += (ratio >= observed[rows] * (1 - ROUNDING)).sum(axis=0)
        return np.asarray(reached)

    def compute_ratio(
        self,
        change: NDArray[np.float64],
        held_change: NDArray[np.float64],
        rows: NDArray[np.int64] | slice = slice(None),
    ) -> NDArray[np.float64]:
        """(..., r) F ratio of a change; half of the variation within is that of all stretches.

        What lies within the spans is the variation but for `held_change`, that of the months held.
        """
        freedom = self.freedom[rows]
        own = np.maximum(self.variation[rows] - held_change, 0.0)
        return np.asarray(2 * freedom * change / (own + freedom * self.common))
