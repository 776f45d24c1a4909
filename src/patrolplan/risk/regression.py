"""Poisson regression on rows of place and month: features and training rows.

What is known of a place in a month rests on the months before alone. The regression starts from a
rate that is known beforehand, the shrunk counts (its exposure), and learns by which factor the
month's counts differ from it. The larger the penalty, the nearer it stays to that rate.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.risk.history import History, fill_missing
from patrolplan.risk.shrinkage import compute_shrunk_rates

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

HORIZONS = (1, 3, 6, 12)
"""Months over which the category's counts in a place are summed."""

AROUND = (3, 12)
"""Months over which the category's counts around a place are summed."""

ALL_SPANS = (12, 3)
"""Months over which the counts of all categories are summed."""

MIN_RATE = 1e-4
"""Incidents a month; no place is without any risk."""

UnitRows = NDArray[np.int64] | slice

Counts = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Counts in each place, and around it."""

OWN, NEAR = 0, 1
EVERY_UNIT = slice(None)

PENALTY = 2.0
"""Penalty on the coefficients of standardised features.

One value for all: chosen for each category and month on hold-out months, the penalty gave no
better log score in six areas of London outside the Bloomsbury box and two of Chicago, at five times
as many fits. Between 1 and 3 the score hardly changes.
"""

MAX_ROWS = 20_000
"""Where there are more rows, those without incidents are thinned, and weigh more instead."""

MAX_EVENT_ROWS = 20_000
"""Where more rows than these have incidents, they are thinned in the same way."""


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows to learn from, month after month.

    Parameters
    ----------
    features, exposure, counts
        (r, f), (r,) and (r,): what is known before the month, the rate known before, and the
        month's incidents.
    weights
        (r,) how many rows one stands for.
    """

    features: NDArray[np.float64]
    exposure: NDArray[np.float64]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64]


def thin_rows(counts: NDArray[np.int32], max_rows: int = MAX_ROWS) -> NDArray[np.float64]:
    """(months, c) weights: every n-th month and place stands for n of them, the rest for 0.

    Rows with incidents and rows without are thinned separately, each only where there are too many.
    """
    flat = counts.ravel()
    every = max(1, -(-counts.size // max_rows))
    events = np.flatnonzero(flat)
    nth = max(1, -(-len(events) // MAX_EVENT_ROWS))
    weights = np.zeros(counts.size)
    weights[::every] = every
    weights[events] = 0.0
    weights[events[::nth]] = nth
    return weights.reshape(counts.shape)


def fit_poisson(rows: TrainingRows, penalty: float = PENALTY) -> "Pipeline":
    """Fit the rows; what is fitted predicts the exposure's factor.

    Counts over exposure are fitted, weighted by exposure: the same as an offset in the linear part.
    """
    # Late: heavy, and not needed where the cache has the rates.
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from sklearn.linear_model import PoissonRegressor  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    scaler = StandardScaler().fit(rows.features)
    regressor = PoissonRegressor(alpha=penalty, solver="newton-cholesky", max_iter=50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        regressor.fit(
            scaler.transform(rows.features),
            rows.counts / rows.exposure,
            sample_weight=rows.exposure * rows.weights,
        )
    return make_pipeline(scaler, regressor)


class FeatureBuilder:
    """Features and rates of places, for any month up to the one after the history's last.

    Counts enter as log(1 + count), so that a rate may be a product of powers of them. Where fewer
    months are known than a count is summed over, it is scaled up; a place's missing months are
    given what was to be expected of them. What is given for a month rests on the history's months
    before it alone.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self._so_far = _accumulate_counts(history)
        self._missing: dict[tuple[int, int], Counts] = {}

    def compute_rates(self, month: int) -> NDArray[np.float64]:
        """(c, j) shrunk counts of the months before, a month."""
        return np.maximum(compute_shrunk_rates(self.history, months=month), MIN_RATE)

    def build_features(
        self, month: int, target: int, rows: UnitRows = EVERY_UNIT
    ) -> NDArray[np.float64]:
        """(r, f) all that is known of one category before a month, in these places.

        Of the category: counts in the place over all `HORIZONS`, and around it. Of all categories:
        each one's count over twelve months, and the sum of all, in the place and around it. Then
        street length and kind, and the season as an angle.
        """
        units, last = self.history.units, -1
        own = [self._sum(OWN, month, span, rows, target) for span in HORIZONS]
        around = [self._sum(NEAR, month, span, rows, target) for span in AROUND]
        by_category = [self._sum(OWN, month, span, rows, EVERY_UNIT) for span in ALL_SPANS]
        all_own = [counts.sum(axis=1) for counts in by_category]
        all_around = [self._sum(NEAR, month, span, rows, last) for span in ALL_SPANS]
        counts = np.column_stack([*own, *around, by_category[0], *all_own, *all_around])
        angle = 2 * np.pi * (self.history.months[0] + pd.DateOffset(months=month)).month / 12
        season = np.broadcast_to([np.sin(angle), np.cos(angle)], (len(counts), 2))
        streets = np.log(units.metres[rows]), units.kinds[rows]
        return np.column_stack([np.log1p(counts), *streets, season])

    def build_rows(self, months: range, target: int) -> TrainingRows:
        """Rows to learn one category from: these months, every place that is held, thinned."""
        counts = np.ascontiguousarray(self.history.counts[months.start : months.stop, :, target])
        weights = thin_rows(counts)
        weights *= [self.history.is_held(month) for month in months]
        used = weights > 0
        features, exposure = [], []
        for month, row in zip(months, used, strict=True):
            units = np.flatnonzero(row)
            features.append(self.build_features(month, target, units))
            rates = compute_shrunk_rates(self.history, months=month)[units, target]
            exposure.append(np.maximum(rates, MIN_RATE) * self._get_exposure(month)[units])
        return TrainingRows(
            features=np.concatenate(features),
            exposure=np.concatenate(exposure),
            counts=counts[used].astype(np.float64),
            weights=weights[used],
        )

    def _get_exposure(self, month: int) -> NDArray[np.float64]:
        """(c,) share of a month's crime that is held."""
        exposure = self.history.exposure
        return np.ones(len(self.history.units)) if exposure is None else exposure[month]

    def _sum(
        self, place: int, month: int, span: int, rows: UnitRows, columns: slice | int
    ) -> NDArray[np.float64]:
        """(r,) or (r, n) counts of the `span` months before, scaled up where fewer are known.

        `place` is `OWN` or `NEAR`.
        """
        so_far, known = self._so_far[place], min(span, month)
        counts = so_far[month][rows, columns] - so_far[month - known][rows, columns]
        scale = span / max(known, 1)
        if self.history.exposure is None:
            return np.asarray(counts * scale)
        missing = self._estimate_missing(month, known)[place][rows, columns]
        return np.asarray((counts + missing) * scale)

    def _estimate_missing(self, month: int, known: int) -> Counts:
        """What was to be expected of what is missing from the `known` months before a month.

        (c, k) in each place and (c, j + 1) around it, by the mean of all months held before.
        """
        if (month, known) not in self._missing:
            history, units = self.history, self.history.units
            held = history.count_held_months(month, before=month)
            so_far = self._so_far[OWN][month].astype(np.float64)
            monthly = fill_missing(so_far, held, float(month), units.metres) / max(month, 1)
            missing = known - history.count_held_months(known, before=month)
            own = missing[:, None] * monthly
            amounts = np.column_stack([own[:, : len(history.targets)], own.sum(axis=1)])
            self._missing[month, known] = own, units.sum_around(amounts)
        return self._missing[month, known]


def _accumulate_counts(history: History) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]]:
    """Cumulative counts before each month: (c, k) in each place and (c, j + 1) around it.

    The counts around a place are those of each target and of all categories.
    """
    units, targets = history.units, len(history.targets)
    own = [np.zeros(history.counts.shape[1:], dtype=np.int32)]
    around = [np.zeros((len(units), targets + 1), dtype=np.int32)]
    for number, counts in enumerate(history.counts, start=1):
        key = f"so far {history.digest(number)}"
        if key not in units.cache:
            amounts = np.column_stack([counts[:, :targets], counts.sum(axis=1)])
            near = np.rint(units.sum_around(amounts.astype(np.float64))).astype(np.int32)
            units.cache[key] = np.column_stack([own[-1] + counts, around[-1] + near])
        both = units.cache[key]
        own.append(both[:, : counts.shape[1]])
        around.append(both[:, counts.shape[1] :])
    return own, around
