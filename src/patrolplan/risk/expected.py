"""Expected incidents by piece of street and category in a patrol window, with 80 % bands.

Risk is a share of harm; this is how many incidents of each category it rests on. They are few: a
window is an hour or two of one day. The band shows how well the rate of a place is known, not how
many incidents will be recorded there: usually there will be none.

The rate of a place is taken as a gamma variable around what the model expects. Its shape is a + b n
with n incidents on record there: the more there are, the surer the rate. For each category a and b
are fitted on months that the model had not seen: it is fitted again without the last year, and the
likelihood of that year's incidents, negative binomial around what it expected, is highest at these
a and b. So the band holds whatever makes the model err, be it chance or change; only the year's
total of the category is not tested, see `patrolplan.risk.calibration`. With too few months a is
that of the shrinkage and b is 1, as if the model were right (`patrolplan.risk.shrinkage`). The band
is that of the place: how its incidents are spread along its streets is assumed, and not in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from patrolplan.cache import hash_arrays
from patrolplan.network import StreetNetwork
from patrolplan.risk.clock import Clock
from patrolplan.risk.day_kinds import DayKind
from patrolplan.risk.history import History
from patrolplan.risk.shrinkage import (
    LONG_HALF_LIFE,
    compute_expected_counts,
    compute_held_share,
    fit_gamma_shape,
)

BAND_ENDS = (0.1, 0.9)
"""Probabilities at the lower and upper end of the band: the rate of 80 % of places is inside."""

TESTED_MONTHS = 12  # months without which a model is fitted again, to see how far it errs
MIN_LEARNED_MONTHS = 6  # ...where so many are left to learn from

LOG_BOUNDS = ((-8.0, 8.0), (-8.0, 8.0))
"""Bounds of the search for log a and log b, far beyond what the prior allows."""

Predict = Callable[[History], NDArray[np.float64]]
"""Fits the chosen model on a history; (c, j) incidents expected in each place the month after."""

DAYS_A_MONTH = 365.25 / 12

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, eq=False)
class WindowTime:
    """When a window is: minutes after midnight (m,), their weights, its length, the kind of day."""

    minutes: NDArray[np.int64]
    weights: NDArray[np.float64]
    length_minutes: float
    day: DayKind | None


@dataclass(frozen=True, eq=False)
class ExpectedIncidents:
    """Incidents expected in one window, computed when they are first wanted.

    Pupils' presence is not included, so the numbers do not reveal where children walk.
    """

    network: StreetNetwork  # The p pieces of street
    history: History  # What was learned from; names the j categories
    # (p, j) incidents expected in the month after the history, at all hours.
    monthly: NDArray[np.float64]
    predict: Predict  # Fits the model that gave them on fewer months
    clock: Clock  # How they are spread over the day
    time: WindowTime  # When the window is

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """(p, j) incidents expected in the window on one day."""
        time = self.time
        share = time.length_minutes / MINUTES_A_DAY / DAYS_A_MONTH
        factor = self.clock.average_factor(time.minutes, time.weights, time.day)
        return np.asarray(self.monthly * factor * share)

    @cached_property
    def shapes(self) -> NDArray[np.float64]:
        """(p, j) shape of the gamma variable that each place's rate is."""
        by_place = fit_rate_shapes(self.history, self.predict)
        return by_place[self.history.units.catchments.piece_catchment]

    def frame(self, share: float | None = None) -> pd.DataFrame:
        """(p, j) the counts, or the limit that the rate stays below with this probability."""
        values = (
            self.counts if share is None else scale_to_quantile(self.counts, self.shapes, share)
        )
        rows = pd.RangeIndex(len(values), name="piece")
        return pd.DataFrame(values, index=rows, columns=pd.Index(self.history.targets))

    def sum_categories(self) -> pd.DataFrame:
        """`expected`, `low` and `high` of all categories together, one row a piece.

        The categories' rates are taken as independent: the band is that of the gamma variable with
        the sum of their means and of their variances.
        """
        total = self.counts.sum(axis=1)
        variance = (self.counts**2 / self.shapes).sum(axis=1)
        shape = np.divide(total**2, variance, out=np.ones_like(total), where=variance > 0)
        low, high = (scale_to_quantile(total, shape, share) for share in BAND_ENDS)
        rows = pd.RangeIndex(len(total), name="piece")
        return pd.DataFrame({"expected": total, "low": low, "high": high}, index=rows)


def scale_to_quantile(
    means: NDArray[np.float64], shapes: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Quantile of gamma variables of these means and shapes, all of one form.

    Examples
    --------
    >>> scale_to_quantile(np.array([2.0]), np.array([1.0]), 0.5).round(3)  # 2 log(2)
    array([1.386])
    """
    return np.asarray(means * scipy.special.gammaincinv(shapes, share) / shapes)


def fit_rate_shapes(history: History, predict: Predict) -> NDArray[np.float64]:
    """(c, j) shape of each place's rate around what a model expects; see the module.

    Cached as rates are, by what was recorded and what the model had expected of the last year.
    """
    targets = len(history.targets)
    total = history.count_decayed(LONG_HALF_LIFE)
    recorded = total[:, :targets]
    tested = min(TESTED_MONTHS, len(history) - MIN_LEARNED_MONTHS)
    if tested < TESTED_MONTHS // 2:
        weight = history.sum_decayed_weights(LONG_HALF_LIFE)
        _, held_share = compute_held_share(weight)
        expected = compute_expected_counts(total, targets, history.units, held_share)
        fitted = [fit_gamma_shape(recorded[:, k], expected[:, k]) for k in range(targets)]
        return np.asarray(recorded + np.array(fitted))
    cut = history.cut_before(history.months[-tested])
    held = history.count_held_months(tested)
    predicted = predict(cut) * held[:, None]

    def compute() -> NDArray[np.float64]:
        before = cut.count_decayed(LONG_HALF_LIFE)[:, :targets]
        came = history.count_last(tested)[:, :targets]
        seen = held > 0
        shapes = np.empty_like(recorded)
        for target in range(targets):
            total = predicted[seen, target].sum()
            level = came[seen, target].sum() / total if total > 0 else 0.0
            means = predicted[seen, target] * level
            a, b = fit_shape_line(came[seen, target], means, before[seen, target])
            shapes[:, target] = a + b * recorded[:, target]
        return shapes

    key = hash_arrays(f"shapes {history.digest()}", {"predicted": predicted})
    return history.units.load_or_compute("rates", key, compute)


def fit_shape_line(
    counts: NDArray[np.float64], means: NDArray[np.float64], recorded: NDArray[np.float64]
) -> tuple[float, float]:
    """The a and b of highest likelihood, see the module.

    Few incidents would fit anything, also a rate that is exactly as expected. So log a and log b
    have a normal prior of mean 0 and variance 1: without data, both are 1.

    `counts`: (c,) incidents that came. `means`: (c,) those that were expected; places with 0 say
    nothing. `recorded`: (c,) those on record before.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - heavy, and of these intervals alone

    some = means > 0
    counts, means, recorded = counts[some], means[some], recorded[some]

    def misfit(logs: NDArray[np.float64]) -> float:
        shape = np.exp(logs[0]) + np.exp(logs[1]) * recorded
        fit = scipy.special.gammaln(counts + shape) - scipy.special.gammaln(shape)
        fit += shape * np.log(shape / (shape + means)) + counts * np.log(means / (shape + means))
        return -float(fit.sum()) + float((logs**2).sum()) / 2

    found = minimize(misfit, np.zeros(2), method="L-BFGS-B", bounds=LOG_BOUNDS)
    a, b = np.exp(found.x).tolist()
    return a, b
