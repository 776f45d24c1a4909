"""Risk models: functions that give what they expect in every place in the month after a history.

Each is given a history that was cut before the month, so it can know nothing later. `AUTO` is the
shrunk count. The others are what it is compared with, in a back-test or where a user asks for one:
a prior count, and two of scikit-learn, a Poisson regression and a planar kernel density.

How crime is spread over places changes slowly, so rates are learned from two years or more. The
total changes faster: thefts may double within a year. So each model's rates are scaled to the
recent level of each category (`calibrate`).
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from patrolplan.risk.history import PRIOR_MONTHS, History
from patrolplan.risk.own_model import STREET_KINDS, ModelTables
from patrolplan.risk.shrinkage import FITTED_DECIMALS

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
LEVEL_MONTHS = 12  # the level is computed from this many of the latest months
LEVEL_HALF_LIFE = 1.0  # ...weighted towards the latest: the weight halves with each month of age

LEVEL_INCIDENTS = 50.0
"""...and shrunk towards the year's level, as if this many incidents had been recorded at it.

Half-life and incidents were chosen, by the error of the next month's total, on six areas of London
outside the Bloomsbury box and two of Chicago.
"""

MIN_YEAR_INCIDENTS = 0.5
"""Minimum of incidents in the months of the level: no category has a rate of zero."""

PENALTY = 2.0  # on the coefficients: the larger, the nearer the regression is to the shrunk counts
MIN_EVENTS_TO_FIT = 20  # minimum of incidents for a regression

BANDWIDTH_METRES = 90.0
BACKGROUND = 0.01  # share of a crime spread over all streets, so that no rate is zero


def calibrate(rates: NDArray[np.float64], history: History) -> NDArray[np.float64]:
    """(c, j) rates in proportion to others, with the recent level of each category in total."""
    first = max(0, len(history) - LEVEL_MONTHS)
    targets = len(history.targets)
    # Over the year the level is what was recorded over what was expected, both only in months with
    # data: a month that a force did not publish is no drop in crime.
    recorded = history.counts[first:, :, :targets].sum(axis=1, dtype=np.float64)
    expected = history.held[first:] @ rates
    total = expected.sum(axis=0)
    possible = total > 0
    year = np.ones(targets)
    np.divide(np.maximum(recorded.sum(axis=0), MIN_YEAR_INCIDENTS), total, out=year, where=possible)
    # It is moved to the level of the latest months by gamma-Poisson shrinkage, (a + k) / (e + k):
    # few incidents of a single month leave it as it was over the year.
    weights = 0.5 ** (np.arange(len(recorded))[::-1] / LEVEL_HALF_LIFE)
    late = weights @ recorded + LEVEL_INCIDENTS
    late_expected = year * (weights @ expected) + LEVEL_INCIDENTS
    return np.asarray(rates * year * np.where(possible, late / late_expected, 1.0))


def expect_shrunk(history: History) -> NDArray[np.float64]:
    """Counts weighted by recency, shrunk towards what is around, in total as of late."""
    return calibrate(history.shrunk_rates.means, history)


def count_prior(history: History, *, before: int | None = None) -> NDArray[np.float64]:
    """The last twelve months' counts continue; of the first `before` months, or of all."""
    months = max(1, min(PRIOR_MONTHS, len(history) if before is None else before))
    last = history.estimate_last(PRIOR_MONTHS, before=before)
    return last[:, : len(history.targets)] / months


def smooth_prior(history: History) -> NDArray[np.float64]:
    """The prior count mixed with an even spread along the streets, in total as much as of late."""
    targets, metres = len(history.targets), history.units.metres
    even = np.broadcast_to((metres / metres.sum())[:, None], (len(metres), targets))
    # How much of it is even is learned by category: so that the mix would have given the last
    # months the highest log score, each by the prior count of the months before it.
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
        # A beta distribution around the declared share, or one crime would choose either end.
        prior = DECLARED_EVEN * np.log(share) + (1 - DECLARED_EVEN) * np.log(1 - share)
        return -float(score + SMOOTHING_INCIDENTS * prior)

    best = scipy.optimize.minimize_scalar(misfit, bounds=(0, 1), method="bounded").x
    return round(float(best), FITTED_DECIMALS)


def _share_out(rates: NDArray[np.float64], even: NDArray[np.float64]) -> NDArray[np.float64]:
    """(c, j) share of each place in each column of (c, j) rates; even where there are none."""
    total = rates.sum(axis=0)
    return np.asarray(np.divide(rates, total, out=even.copy(), where=total > 0))


def expect_by_regression(history: History) -> NDArray[np.float64]:
    """(c, j) by a Poisson regression on the shrunk counts, in total as much as of late."""
    from sklearn.linear_model import PoissonRegressor  # noqa: PLC0415 - heavy, and only here
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    rates = history.shrunk_rates.means.copy()
    tables = ModelTables(history)
    for target in range(len(history.targets)):
        past, incidents = tables.build_training(target)
        if incidents.sum() < MIN_EVENTS_TO_FIT:
            continue
        regression = PoissonRegressor(alpha=PENALTY, solver="newton-cholesky", max_iter=50)
        model = make_pipeline(StandardScaler(), regression)
        # What it learns is by which factor each month's crime differed from the shrunk counts
        # before it. A count over its base, weighted by the base, has the likelihood of a Poisson
        # regression with the base as offset, which scikit-learn does not know.
        base = past["shrunk"]
        model.fit(_transform(past), incidents / base, poissonregressor__sample_weight=base)
        rates[:, target] *= model.predict(_transform(tables.build_next(target)))
    return calibrate(rates, history)


def _transform(table: pd.DataFrame) -> pd.DataFrame:
    """Features of the regression: logarithms of counts, kinds of street, and the season."""
    # December is next to January: a season is a point on a circle.
    angle = 2 * np.pi * table["month_of_year"] / 12
    features = table.filter(regex="^(mean|around|all|other)").transform(np.log1p)
    features[list(STREET_KINDS)] = table[list(STREET_KINDS)]
    return features.assign(metres=np.log(table["metres"]), sine=np.sin(angle), cosine=np.cos(angle))


def expect_by_kernel(history: History) -> NDArray[np.float64]:
    """(c, j) by a planar kernel density of the last year's incidents, times street length."""
    from sklearn.neighbors import KernelDensity  # noqa: PLC0415 - heavy, and only here

    xy, metres = history.units.catchments.xy, history.units.metres
    counts = history.estimate_last(PRIOR_MONTHS)[:, : len(history.targets)]
    rates = np.broadcast_to((metres / metres.sum())[:, None], counts.shape).copy()
    for target, count in enumerate(counts.T):
        some = count > 0
        if some.any():
            kernel = KernelDensity(bandwidth=BANDWIDTH_METRES, rtol=1e-4)
            kernel.fit(xy[some], sample_weight=count[some])
            near = np.exp(kernel.score_samples(xy)) * metres
            rates[:, target] *= BACKGROUND
            rates[:, target] += (1 - BACKGROUND) * near / near.sum()
    return calibrate(rates, history)


MODELS: Mapping[str, RiskModel] = {
    SHRUNK: expect_shrunk,
    PRIOR: count_prior,
    POISSON: expect_by_regression,
    "kernel": expect_by_kernel,
}
"""Every model by the name that it has in settings and tables."""
