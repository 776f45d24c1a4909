"""Risk models on one small interface: `fit` on a cut of the history, `predict` for every piece.

They follow scikit-learn's conventions: parameters are set when a model is made, `fit` learns and
gives the model back, what was learned ends in an underscore, and `sklearn.base.clone` works.
"""

from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from patrolplan.network.catchments import Catchments
from patrolplan.risk.features import FeatureBuilder
from patrolplan.risk.history import History
from patrolplan.risk.kernels import BANDWIDTHS, compute_likelihood
from patrolplan.risk.regression import ALPHAS, fit_poisson
from patrolplan.risk.shrinkage import LONG_HALF_LIFE, compute_shrunk_rates, prepare_rates

PRIOR_COUNT = "prior count"
"""The simplest thing that works, and what every other model is held against."""

MIN_EVENTS_TO_FIT = 20
"""With fewer incidents a regression has nothing to learn from."""


class RiskModel(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no type hints
    """What all models have in common.

    Attributes
    ----------
    rates_
        (c, j) incidents expected in each place in the month after the cut, for each of the cut's
        `targets`, at least 0; None for a model that tells the pieces of a place apart.
    expected_
        (p, j) incidents expected on each piece of street, of such a model alone; the others
        spread a place's incidents evenly along its street.
    said_
        What a reader should know about the fit, such as the bandwidths that were chosen.
    """

    rates_: NDArray[np.float64] | None
    expected_: NDArray[np.float64]
    catchments_: Catchments
    notes_: tuple[str, ...]

    def fit(self, X: History, y: None = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's names
        """Learn from a history cut at an origin; nothing later is in it."""
        self.notes_ = ()
        self.rates_ = self._compute_rates(X)
        self.catchments_ = X.units.catchments
        return self

    def predict(self, X: None = None) -> NDArray[np.float64]:  # noqa: ARG002, N803
        """Give (p, j) incidents expected on each piece of street in the month after the cut."""
        if self.rates_ is None:
            return self.expected_
        return self.catchments_.spread(self.rates_)

    def get_unit_rates(self) -> NDArray[np.float64]:
        """Give (c, j) `rates_`.

        Raises
        ------
        TypeError
            When the model tells the pieces of a place apart.
        """
        if self.rates_ is None:
            message = f"{self!r} does not spread evenly along the street of a place"
            raise TypeError(message)
        return self.rates_

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        """(c, j) incidents expected in each place in a month."""
        raise NotImplementedError


def fit_or_reuse(model: RiskModel, history: History) -> RiskModel:
    """Fit a model, or take it from those already fitted on this very cut."""
    key = repr(model)
    if key not in history.fitted_models:
        history.fitted_models[key] = clone(model).fit(history)
    found: RiskModel = history.fitted_models[key]
    return found


class RandomOrder(RiskModel):
    """No knowledge: streets in random order.

    Parameters
    ----------
    seed
        Start of the draw.
    """

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        draw = np.random.default_rng([self.seed, len(history)])
        rates = draw.random((len(history.units), len(history.targets)))
        return rates * history.units.metres[:, None]


class PriorCount(RiskModel):
    """What was recorded in the last months goes on.

    Parameters
    ----------
    months
        How many months are counted.
    """

    def __init__(self, months: int = 12) -> None:
        self.months = months

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        known = max(1, min(self.months, len(history)))
        return history.count_last(self.months)[:, : len(history.targets)] / known


class DecayedCount(RiskModel):
    """All that was recorded, the older the less.

    Parameters
    ----------
    half_life_months
        Age at which an incident counts half.
    """

    def __init__(self, half_life_months: float = 6.0) -> None:
        self.half_life_months = half_life_months

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        total, months = history.count_decayed(self.half_life_months)
        return total[:, : len(history.targets)] / months


class ShrunkCount(RiskModel):
    """Decayed counts drawn towards what is around them, the more the sparser a category is.

    Gamma-Poisson shrinkage, see `patrolplan.risk.shrinkage`.

    Parameters
    ----------
    half_life_months
        Age at which an incident counts half; long, for sparse crime needs a long memory.
    """

    def __init__(self, half_life_months: float = LONG_HALF_LIFE) -> None:
        self.half_life_months = half_life_months

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        return compute_shrunk_rates(history, self.half_life_months)


class KernelCount(RiskModel):
    """The last months' incidents, spread to the streets around them.

    Every category has the bandwidth of the highest leave-one-out likelihood.

    Parameters
    ----------
    distance
        "network" along the streets, "planar" in a straight line.
    bandwidths
        Candidates in metres, in order; of equals the first is kept.
    months
        How many months are counted.
    """

    def __init__(
        self,
        distance: str = "network",
        bandwidths: tuple[float, ...] = BANDWIDTHS,
        months: int = 12,
    ) -> None:
        self.distance = distance
        self.bandwidths = bandwidths
        self.months = months

    def fit(self, X: History, y: None = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's names
        """Choose the bandwidths and spread."""
        self.rates_ = None
        places = X.units
        counts = X.count_last(self.months)[:, : len(X.targets)]
        fits = [
            compute_likelihood(
                places.build_kernel_matrix(self.distance, width), counts, places.metres
            )
            for width in self.bandwidths
        ]
        chosen = np.argmax(np.round(fits, 6), axis=0)
        self.bandwidths_ = np.array(self.bandwidths)[chosen]
        self.notes_ = tuple(
            f"{name}: {self.distance} kernel of {width:.0f} m, by leave-one-out likelihood"
            for name, width in zip(X.targets, self.bandwidths_, strict=True)
        )
        spread = places.catchments.spread(counts) / max(1, min(self.months, len(X)))
        self.expected_ = np.empty_like(spread)
        for column, width in enumerate(self.bandwidths_):
            matrix = places.kernels[self.distance].matrix(float(width))
            self.expected_[:, column] = matrix @ spread[:, column]
        return self


class PoissonCount(RiskModel):
    """Poisson regression on counts there and around, street length and kind, and season.

    It learns by which factor each month's crime differed from the shrunk counts before it, and is
    refitted on all months of the cut; see `patrolplan.risk.features` and `.regression`.

    Parameters
    ----------
    alphas
        Candidates for the penalty, in order; the one that tells the cut's own last months best
        from the months before them is taken.
    first_month
        Number of the first month that is learned from: it needs some months before it.
    """

    def __init__(self, alphas: tuple[float, ...] = ALPHAS, first_month: int = 3) -> None:
        self.alphas = alphas
        self.first_month = first_month

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        first = history.months[:1].strftime("%Y-%m").tolist()  # it is told seasons apart by
        key = f"{self!r} {first} {history.digest()}"
        return history.units.load_or_compute("rates", key, lambda: self._learn_rates(history))

    def _learn_rates(self, history: History) -> NDArray[np.float64]:
        """What the regression gives; it costs most of all models, so it is kept."""
        now = len(history)
        months = range(min(self.first_month, now), now)
        prepare_rates(history, range(months.start, now + 1))
        known = FeatureBuilder(history)
        rates, features = known.compute_rates(now), known.build_month(now)
        events = history.totals[months.start :, : len(history.targets)].sum(axis=0)
        # One thread: sums of several threads differ in their last digits from run to run.
        with threadpool_limits(limits=1), config_context(assume_finite=True):
            for target in np.flatnonzero(events >= MIN_EVENTS_TO_FIT).tolist():
                model = fit_poisson(known.build_rows(months, target), self.alphas)
                rates[:, target] *= model.predict(features.build_for(target))
        return rates


class Combination(RiskModel):
    """Half the regression, half the counts it rests on: shrunk and decayed, a quarter each.

    The regression sees most, the shrunk counts help where a category is sparse, and the decayed
    counts hold on to what was recorded where the other two are too sure of themselves. The shares
    are plain ones, settled on snap points of Camden and Westminster outside the Bloomsbury box.

    Parameters
    ----------
    half_life_months
        Of the decayed counts.
    """

    def __init__(self, half_life_months: float = 12.0) -> None:
        self.half_life_months = half_life_months

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        regression = fit_or_reuse(PoissonCount(), history).get_unit_rates()
        shrunk = fit_or_reuse(ShrunkCount(), history).get_unit_rates()
        decayed = fit_or_reuse(DecayedCount(self.half_life_months), history).get_unit_rates()
        return regression / 2 + (shrunk + decayed) / 4


MODELS: dict[str, Callable[[], RiskModel]] = {
    "random": RandomOrder,
    PRIOR_COUNT: PriorCount,
    "decayed count": DecayedCount,
    "planar kernel": lambda: KernelCount("planar"),
    "network kernel": KernelCount,
    "shrunk count": ShrunkCount,
    "poisson": PoissonCount,
    "combination": Combination,
}
"""Every model by the name that it has in settings and tables."""


def build_models(half_life_months: float, seed: int) -> dict[str, RiskModel]:
    """Every model, with the settings' half-life and seed."""
    made = {name: make() for name, make in MODELS.items()}
    made["decayed count"].set_params(half_life_months=half_life_months)
    made["random"].set_params(seed=seed)
    return made
