"""Risk models: functions that give what they expect in every place in the month after a history.

Each is given a history that was cut before the month, so it can know nothing later. `AUTO` is the
shrunk count. The others are what it is compared with, in a back-test or where a user asks for one.
"""

from collections.abc import Callable, Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from patrolplan.risk.calibration import calibrate
from patrolplan.risk.comparators import expect_by_kernel, expect_by_regression
from patrolplan.risk.history import PRIOR_MONTHS, History
from patrolplan.risk.shrinkage import compute_shrunk_rates

RiskModel = Callable[[History], NDArray[np.float64]]
"""(c, j) incidents expected of each target, in each place, in the whole month after a history."""

AUTO = "auto"
SHRUNK = "shrunk"
POISSON = "poisson"
PRIOR = "prior"
"""The baseline: the simplest model that works, with which every other one is compared."""

SMOOTHED = "smoothed prior"
"""The rival: a prior count that is never zero, so that its log score can be compared."""

LEARNED_MONTHS = 12  # last months that the smoothing is learned from, so that all seasons are in it
MIN_HISTORY_MONTHS = 6  # months before the first one that anything is scored or learned from

DECLARED_EVEN = 0.2  # share of the even spread in the smoothed prior count before any data
SMOOTHING_INCIDENTS = 10.0  # ...which counts as this many incidents


def expect_shrunk(history: History) -> NDArray[np.float64]:
    """Counts weighted by recency, shrunk towards what is around them, in total as much as of late.

    See `patrolplan.risk.shrinkage` and `patrolplan.risk.calibration`.
    """
    return calibrate(compute_shrunk_rates(history).means, history)


def count_prior(history: History, *, before: int | None = None) -> NDArray[np.float64]:
    """The last twelve months' counts continue; of the first `before` months, or of all."""
    months = max(1, min(PRIOR_MONTHS, len(history) if before is None else before))
    last = history.estimate_last(PRIOR_MONTHS, before=before)
    return last[:, : len(history.targets)] / months


def smooth_prior(history: History) -> NDArray[np.float64]:
    """The prior count mixed with an even spread along the streets, in total as much as of late.

    The share of the even spread is learned for each category, so that the mix would have given the
    last months the highest log score; it starts from `DECLARED_EVEN`, which counts as
    `SMOOTHING_INCIDENTS`.
    """
    targets, metres = len(history.targets), history.units.metres
    even = np.broadcast_to((metres / metres.sum())[:, None], (len(metres), targets))
    rows = range(max(MIN_HISTORY_MONTHS, len(history) - LEARNED_MONTHS), len(history))
    shares = [_share_out(count_prior(history, before=row), even) for row in rows]
    smoothing = np.full(targets, DECLARED_EVEN)
    for target in range(targets if rows else 0):
        came = history.counts[rows.start :, :, target].astype(np.float64)
        counted = np.array([share[:, target] for share in shares])
        smoothing[target] = _fit_smoothing(came, counted, even[:, target])
    mixed = (1 - smoothing) * _share_out(count_prior(history), even) + smoothing * even
    return calibrate(mixed, history)


def _fit_smoothing(
    came: NDArray[np.float64], counted: NDArray[np.float64], even: NDArray[np.float64]
) -> float:
    """Share of the even spread (c,) of highest log score, with (t, c) prior counts' shares."""
    month, place = np.nonzero(came)
    number, counted, even = came[month, place], counted[month, place], even[place]

    def misfit(share: float) -> float:
        score = number @ np.log(share * even + (1 - share) * counted)
        prior = DECLARED_EVEN * np.log(share) + (1 - DECLARED_EVEN) * np.log(1 - share)
        return -float(score + SMOOTHING_INCIDENTS * prior)

    return float(scipy.optimize.minimize_scalar(misfit, bounds=(0, 1), method="bounded").x)


def _share_out(rates: NDArray[np.float64], even: NDArray[np.float64]) -> NDArray[np.float64]:
    """(c, j) share of each place in each column of (c, j) rates; even where there are none."""
    total = rates.sum(axis=0)
    return np.asarray(np.divide(rates, total, out=even.copy(), where=total > 0))


MODELS: Mapping[str, RiskModel] = {
    SHRUNK: expect_shrunk,
    PRIOR: count_prior,
    POISSON: expect_by_regression,
    "kernel": expect_by_kernel,
}
"""Every model by the name that it has in settings and tables."""
