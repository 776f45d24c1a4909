"""Poisson regression on rows of place and month: features and training rows.

What is known of a place in a month rests on the months before alone. The regression starts from a
rate that is known beforehand, the shrunk counts (its exposure), and learns by which factor the
month's counts differ from it. The larger the penalty, the nearer it stays to that rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.history import History, fill_missing
from patrolplan.risk.shrinkage import compute_shrunk_rates

Number = TypeVar("Number", np.int32, np.float64)

HORIZONS = (1, 3, 6, 12)
"""Months over which the category's counts in a place are summed."""

AROUND = (3, 12)
"""Months over which the category's counts around a place are summed."""

ALL_SPANS = (12, 3)
"""Months over which the counts of all categories are summed."""

MIN_RATE = 1e-4
"""Incidents a month; no place is without any risk."""

PENALTY = 2.0
"""Penalty on the coefficients of standardised features.

One value for all: chosen for each category and month on hold-out months, the penalty gave no
better log score in six areas of London outside the Bloomsbury box and two of Chicago, at five times
as many fits. Between 1 and 3 the score hardly changes.
"""

MAX_STEPS = 50
DECREMENT = 1e-9
"""Newton's steps end where one promises less than this (the mean log likelihood of a row).

The error falls with the square of it, so the rates are then those of the optimum to about 1e-8,
from wherever the steps began.
"""

MIN_STEP = 1e-6
"""Share of a step below which no smaller one is tried."""

MIN_VARIANCE = 1e-12
"""A feature that varies less, as a share of its mean square, is the same in all rows."""

BLOCK_ROWS = 2048
"""Rows whose products are summed at a time; their features stay in the processor's cache."""

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


@dataclass(frozen=True, eq=False)
class PoissonFit:
    """What was learned: by which factor counts differ from the rate known before.

    Parameters
    ----------
    coefficients, intercept
        (f,) and one number, of the logarithm of the factor.
    """

    coefficients: NDArray[np.float64]
    intercept: float

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """(r,) the factor, from (r, f) features."""
        return np.asarray(np.exp(features @ self.coefficients + self.intercept))


def fit_poisson(rows: TrainingRows, penalty: float = PENALTY) -> PoissonFit:
    """Fit the rows; what is fitted predicts the exposure's factor.

    Counts over exposure are fitted, weighted by exposure: the same as an offset in the linear part.
    The objective is that of scikit-learn's `PoissonRegressor` on standardised features: mean
    deviance / 2 + penalty / 2 times the squared coefficients. (Features stay as they are; the
    coefficient of each is penalised by its variance instead.) It is convex, so Newton's method,
    with a step that is halved until the objective falls, ends at its one minimum. The steps begin
    at the mean factor: from the fit of the month before they would be one fewer of three, but then
    a rate's last digits would hang on which months the cache knows.
    """
    features = rows.features.T
    total = float(rows.exposure @ rows.weights)
    weight, observed = rows.exposure * rows.weights / total, rows.counts * rows.weights / total

    def measure(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The objective, and (r,) what is expected of each row."""
        linear = at[1:] @ features + at[0]
        with np.errstate(over="ignore"):
            expected = weight * np.exp(linear)
        return float(expected.sum() - observed @ linear + (ridge * at) @ at / 2), expected

    ridge = np.append(0.0, penalty * _compute_variances(features))
    at = np.append(np.log(max(float(observed.sum()), MIN_RATE)), np.zeros(len(features)))
    value, expected = measure(at)
    for _ in range(MAX_STEPS):
        excess = expected - observed
        slope = np.append(excess.sum(), features @ excess) + ridge * at
        curve = _sum_products(features, expected) + np.diag(ridge)
        step = np.linalg.lstsq(curve, slope)[0]
        decrement, size = float(slope @ step), 1.0
        if decrement < DECREMENT:
            at = at - step
            break
        while (found := measure(at - size * step))[0] > value - size * decrement / 4:
            size /= 2
            if size < MIN_STEP:
                return PoissonFit(at[1:], float(at[0]))
        at = at - size * step
        value, expected = found
    return PoissonFit(at[1:], float(at[0]))


def _compute_variances(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """(f,) variance of (f, r) features; 1 where all rows are alike, as in a standard scaler."""
    squares = np.einsum("fr,fr->f", features, features) / features.shape[1]
    variances = squares - features.mean(axis=1) ** 2
    return np.where(variances <= MIN_VARIANCE * squares, 1.0, variances)


def _sum_products(
    features: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(f + 1, f + 1) weighted sums of the products of (f, r) features, the constant 1 first.

    Block by block: a weighted copy of all rows would take longer to get memory for than to use.
    """
    size, root = len(features) + 1, np.sqrt(weight)
    sums = np.zeros((size, size))
    work = np.empty((size, BLOCK_ROWS))
    for start in range(0, len(weight), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        block = work[:, : len(root[rows])]
        block[0] = root[rows]
        np.multiply(features[:, rows], root[rows], out=block[1:])
        sums += block @ block.T
    return sums


class FeatureBuilder:
    """Features and rates of places, for any month up to the one after the history's last.

    Counts enter as log(1 + count), so that a rate may be a product of powers of them. Where fewer
    months are known than a count is summed over, it is scaled up; a place's missing months are
    given what was to be expected of them. What is given for a month rests on the history's months
    before it alone.

    Features, by row: counts of the category in the place over all `HORIZONS`, and around it. Of
    all categories: each one's count over twelve months, and the sum of all, in the place and around
    it. Then street length and kind, and the season as an angle.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self._so_far = _accumulate_counts(history)
        self._rates: dict[int, NDArray[np.float64]] = {}
        self._missing: dict[tuple[int, int], NDArray[np.float64]] = {}
        units = history.units
        self._streets = np.vstack([np.log(units.metres), units.kinds.T])
        first = history.months[0].month if len(history) else 1
        angle = 2 * np.pi * ((first - 1 + np.arange(len(history) + 1)) % 12 + 1) / 12
        self._season = np.stack([np.sin(angle), np.cos(angle)])
        counts = len(HORIZONS) + len(AROUND) + len(history.categories) + 2 * len(ALL_SPANS)
        self._parts = counts, counts + len(self._streets)
        self._size = self._parts[1] + len(self._season)
        self._memory = np.empty(0)

    def compute_rates(self, month: int) -> NDArray[np.float64]:
        """(c, j) shrunk counts of the months before, a month; each target asks for them."""
        if month not in self._rates:
            shrunk = compute_shrunk_rates(self.history, months=month)
            self._rates[month] = np.maximum(shrunk, MIN_RATE)
        return self._rates[month]

    def build_features(
        self, month: int, target: int, units: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """(r, f) all that is known of one category before a month, in these places or in all."""
        units = np.arange(len(self.history.units)) if units is None else units
        columns = np.empty((self._size, len(units)))
        self._fill(columns, [(month, units)], target)
        return columns.T

    def build_rows(self, months: range, target: int) -> TrainingRows:
        """Rows to learn one category from: these months, every place that is held, thinned.

        Their features hold until the next rows are built, which take the same memory: to get it
        from the system afresh takes longer than to fit.
        """
        counts = np.ascontiguousarray(self.history.counts[months.start : months.stop, :, target])
        weights = thin_rows(counts)
        weights *= [self.history.is_held(month) for month in months]
        used = weights > 0
        rows = [(month, np.flatnonzero(row)) for month, row in zip(months, used, strict=True)]
        columns = self._reserve(int(used.sum()))
        self._fill(columns, rows, target)
        exposure = [self.compute_rates(month)[units, target] for month, units in rows]
        if self.history.exposure is not None:
            held = [self.history.exposure[month, units] for month, units in rows]
            exposure = [rate * share for rate, share in zip(exposure, held, strict=True)]
        return TrainingRows(
            features=columns.T,
            exposure=np.concatenate(exposure),
            counts=counts[used].astype(np.float64),
            weights=weights[used],
        )

    def _reserve(self, rows: int) -> NDArray[np.float64]:
        """(f, r) memory for the features of so many rows; as long as it does, the same."""
        if len(self._memory) < self._size * rows:
            self._memory = np.empty(self._size * rows)
        return self._memory[: self._size * rows].reshape(self._size, rows)

    def _fill(
        self,
        columns: NDArray[np.float64],
        rows: Sequence[tuple[int, NDArray[np.int64]]],
        target: int,
    ) -> None:
        """Write the features (f, r) of places in months; feature by feature, as they are used."""
        every = len(self.history.categories)
        own, near, all_own, all_near = target, every + 1 + target, every, -1
        wanted = [
            *((span, own) for span in HORIZONS),
            *((span, near) for span in AROUND),
            *((max(HORIZONS), category) for category in range(every)),
            *((span, all_own) for span in ALL_SPANS),
            *((span, all_near) for span in ALL_SPANS),
        ]
        features = {
            span: [row for row, (of, _) in enumerate(wanted) if of == span] for span in HORIZONS
        }
        counts, streets = self._parts
        end = 0
        for month, units in rows:
            start, end = end, end + len(units)
            for span, numbers in features.items():
                picked = [wanted[number][1] for number in numbers]
                columns[numbers, start:end] = self._sum(month, span, units, picked)
            columns[counts:streets, start:end] = self._streets[:, units]
            columns[streets:, start:end] = self._season[:, month, None]
        np.log1p(columns[:counts], out=columns[:counts])

    def _sum(
        self, month: int, span: int, units: NDArray[np.int64], picked: Sequence[int]
    ) -> NDArray[Any]:
        """(n, r) counts of the `span` months before, scaled up where fewer are known.

        `picked` (n,) are rows of `_accumulate_counts`.
        """
        months = min(span, month)
        now, before = self._so_far[month], self._so_far[month - months]
        counts: NDArray[Any] = np.empty((len(picked), len(units)), dtype=np.int32)
        for row, name in zip(counts, picked, strict=True):
            np.subtract(now[name].take(units), before[name].take(units), out=row)
        if self.history.exposure is not None:
            counts = counts + self._estimate_missing(month, months).take(picked, axis=1)[units].T
        return counts if months == span else counts * (span / max(months, 1))

    def _estimate_missing(self, month: int, months: int) -> NDArray[np.float64]:
        """(c, n) what was to be expected of what is missing from the `months` before a month.

        By the mean of all months held before.
        """
        if (month, months) not in self._missing:
            history, units = self.history, self.history.units
            held = history.count_held_months(month, before=month)
            so_far = self._so_far[month][: len(history.categories)].T.astype(np.float64)
            monthly = fill_missing(so_far, held, float(month), units.metres) / max(month, 1)
            missing = months - history.count_held_months(months, before=month)
            own = _append_sum(missing[:, None] * monthly)
            around = units.sum_around(_pick_targets(own, history))
            self._missing[month, months] = np.column_stack([own, around])
        return self._missing[month, months]


def _accumulate_counts(history: History) -> list[NDArray[np.int32]]:
    """(k + j + 2, c) cumulative counts before each month.

    Of each category and all in each place, then of each target and all around it.
    """
    units = history.units
    width = len(history.categories) + len(history.targets) + 2
    so_far = [np.zeros((width, len(units)), dtype=np.int32)]
    for number, counts in enumerate(history.counts, start=1):
        key = f"so far {history.digest(number)}"
        if key not in units.cache:
            own = _append_sum(counts)
            near = units.sum_around(_pick_targets(own, history).astype(np.float64))
            month = np.column_stack([own, np.rint(near).astype(np.int32)])
            units.cache[key] = so_far[-1] + np.ascontiguousarray(month.T)
        so_far.append(units.cache[key])
    return so_far


def _append_sum(amounts: NDArray[Number]) -> NDArray[Number]:
    """(c, k + 1) amounts of each category, and of all of them."""
    return np.column_stack([amounts, amounts.sum(axis=1, dtype=amounts.dtype)])


def _pick_targets(amounts: NDArray[Number], history: History) -> NDArray[Number]:
    """(c, j + 1) of amounts (c, k + 1) those of the targets, and of all categories."""
    return amounts[:, [*range(len(history.targets)), -1]]
