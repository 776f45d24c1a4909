"""Poisson regression on rows of place and month, see `patrolplan.risk.features`.

The regression starts from a rate that is known beforehand, the shrunk counts (its exposure), and
learns by which factor the month's counts differ from it. The larger the penalty, the nearer it
stays to that rate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_RATE = 1e-4  # minimum of incidents expected a month: no place has a rate of zero

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

MIN_STEP = 1e-6  # the smallest share of a step that is tried

MIN_VARIANCE = 1e-12
"""A feature that varies less, as a share of its mean square, is treated as constant."""

BLOCK_ROWS = 2048
"""Rows whose products are summed at a time; their features stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows to learn from, month after month."""

    # `features`, `exposure`, `counts`: (r, f), (r,) and (r,): what is known before the month, the
    # rate known before, and the month's incidents.
    features: NDArray[np.float64]
    exposure: NDArray[np.float64]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64]  # (r,) how many rows one stands for


@dataclass(frozen=True, eq=False)
class PoissonFit:
    """What was learned: by which factor counts differ from the rate known before."""

    # `coefficients`, `intercept`: (f,) and one number, of the logarithm of the factor.
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
    at the mean factor: starting from the fit of the month before would save one of three steps, but
    a rate's last digits would then depend on which months are in the cache.
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

    Block by block: getting the memory for a weighted copy of all rows takes longer than using it.
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
