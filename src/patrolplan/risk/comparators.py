"""Models of scikit-learn to compare with: a Poisson regression and a planar kernel density.

None of them runs in a plan unless the settings name it.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.risk.calibration import calibrate
from patrolplan.risk.history import PRIOR_MONTHS, History
from patrolplan.risk.own_model import STREET_KINDS, ModelTables
from patrolplan.risk.shrinkage import compute_shrunk_rates

PENALTY = 2.0
"""On the coefficients: the larger, the nearer the regression is to the shrunk counts."""

MIN_EVENTS_TO_FIT = 20  # minimum of incidents for a regression

BANDWIDTH_METRES = 90.0
BACKGROUND = 0.01  # share of a crime spread over all streets, so that no rate is zero


def expect_by_regression(history: History) -> NDArray[np.float64]:
    """(c, j) by a Poisson regression, in total as much as of late.

    It learns by which factor each month's crime differed from the shrunk counts before it, from
    counts in and around a place, street length and kind, and season.
    """
    from sklearn.linear_model import PoissonRegressor  # noqa: PLC0415 - heavy, and only here
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    rates = compute_shrunk_rates(history).means.copy()
    tables = ModelTables(history)
    for target in range(len(history.targets)):
        past, incidents = tables.build_training(target)
        if incidents.sum() < MIN_EVENTS_TO_FIT:
            continue
        regression = PoissonRegressor(alpha=PENALTY, solver="newton-cholesky", max_iter=50)
        model = make_pipeline(StandardScaler(), regression)
        base = past["shrunk"]
        model.fit(_transform(past), incidents / base, poissonregressor__sample_weight=base)
        rates[:, target] *= model.predict(_transform(tables.build_next(target)))
    return calibrate(rates, history)


def _transform(table: pd.DataFrame) -> pd.DataFrame:
    """Features of the regression: logarithms of counts, kinds of street, and the season."""
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
