"""Poisson regression on rows of place and month: what is learned from, and the penalty.

The regression starts from a rate that is known beforehand (its exposure) and learns by which
factor what came differs from it. The larger the penalty, the nearer it stays to that rate.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

ALPHAS = (0.01, 0.1, 1.0, 10.0)
"""Candidates for the penalty on the coefficients of standardised features."""

HOLD_OUT_MONTHS = 6
"""Last months of a cut that the penalty is chosen on; never more than a third of them."""

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
        (r, f), (r,) and (r,); what is known before, the rate known before, and what came.
    weights
        (r,) how many rows one stands for.
    held_back
        (r,) rows of the last months; they stand last.
    """

    features: NDArray[np.float64]
    exposure: NDArray[np.float64]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64]
    is_hold_out: NDArray[np.bool_]


def thin_rows(counts: NDArray[np.int32], most_rows: int = MAX_ROWS) -> NDArray[np.float64]:
    """Weight of every month and place; every n-th stands for n, the rest for 0.

    Rows with incidents and rows without are thinned apart, each only where they are too many.

    Parameters
    ----------
    counts
        (months, c).
    most_rows
        See `MAX_ROWS`.
    """
    flat = counts.ravel()
    every = max(1, -(-counts.size // most_rows))
    events = np.flatnonzero(flat)
    nth = max(1, -(-len(events) // MAX_EVENT_ROWS))
    weights = np.zeros(counts.size)
    weights[::every] = every
    weights[events] = 0.0
    weights[events[::nth]] = nth
    return weights.reshape(counts.shape)


def fit_poisson(rows: TrainingRows, alphas: Sequence[float] = ALPHAS) -> Pipeline:
    """Fit, with the penalty under which the rows held back come out best.

    Returns
    -------
    Pipeline
        Predicts the factor on the exposure.
    """
    scaler = StandardScaler().fit(rows.features)
    scaled = replace(rows, features=scaler.transform(rows.features))
    return make_pipeline(scaler, _fit(scaled, slice(None), _choose_penalty(scaled, alphas)))


def _choose_penalty(rows: TrainingRows, alphas: Sequence[float]) -> float:
    """Penalty of least Poisson deviance on the rows held back; the last one if none can be told."""
    learned = int(np.count_nonzero(~rows.is_hold_out))
    before, after = slice(learned), slice(learned, None)
    if not rows.counts[before].any() or not rows.counts[after].any():
        return alphas[-1]
    deviances = []
    for alpha in alphas:
        mean = _fit(rows, before, alpha).predict(rows.features[after]) * rows.exposure[after]
        lost = mean - rows.counts[after] * np.log(np.maximum(mean, 1e-12))
        deviances.append(float((rows.weights[after] * lost).sum()))
    return alphas[int(np.argmin(np.round(deviances, 6)))]


def _fit(rows: TrainingRows, which: slice, alpha: float) -> PoissonRegressor:
    """Counts over exposure, weighed by exposure: the same as an offset in the linear part."""
    regressor = PoissonRegressor(alpha=alpha, solver="newton-cholesky", max_iter=50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        regressor.fit(
            rows.features[which],
            rows.counts[which] / rows.exposure[which],
            sample_weight=rows.exposure[which] * rows.weights[which],
        )
    return regressor
