"""Risk models with one small interface, and the choice among them.

A model learns by `fit` from a cut of the history and gives by `predict` what it expects on every
piece of street. Models follow scikit-learn's conventions: parameters are set by the constructor,
`fit` returns the model, learned attributes end in an underscore, and `sklearn.base.clone` works.
They do not derive from its classes: most runs find every rate in the cache and need not load the
library.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from patrolplan.network.catchments import Catchments
from patrolplan.notes import Note, NoteValue
from patrolplan.parallel import limit_to_one_thread
from patrolplan.risk.calibration import calibrate
from patrolplan.risk.features import FeatureBuilder
from patrolplan.risk.history import History
from patrolplan.risk.kernels import BANDWIDTHS, compute_likelihood
from patrolplan.risk.regression import PENALTY, fit_poisson
from patrolplan.risk.shrinkage import LONG_HALF_LIFE, compute_shrunk_rates, prepare_rates

PRIOR_COUNT = "prior count"
"""The baseline: the simplest model that works, with which every other one is compared."""

MIN_EVENTS_TO_FIT = 20  # minimum of incidents for a regression

MIN_EVENTS_TO_COMPARE = 100
"""Minimum of incidents in the months compared for a gain over prior counts to be given."""

MIN_ORIGINS_TO_COMPARE = 3  # minimum of months compared for a gain to be given
MIN_WEIGHT = 0.005  # smaller weights round to 0 % and are not listed
STACKED = "pooled stack"  # name of the weighted mean of models, see `patrolplan.risk.stack`


class RiskModel:
    """What all models have in common.

    `rates_`: (c, j) incidents expected in each place in the month after the cut, for each of the
    cut's `targets`, at least 0; None for a model that tells the pieces of a place apart.
    `expected_`: (p, j) incidents expected on each piece of street; only of such a model, the others
    spread a place's incidents evenly along its street. `notes_`: What a reader should know about
    the fit, such as the bandwidths that were chosen.
    """

    is_reusable = True
    """Whether models of equal `repr` are equal, so that fits and scores may be cached."""

    rates_: NDArray[np.float64] | None
    expected_: NDArray[np.float64]
    catchments_: Catchments
    notes_: tuple[Note, ...]

    def get_params(self, *, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - as scikit-learn
        """Parameters of the constructor, each as it was given."""
        names = inspect.signature(type(self)).parameters
        return {name: getattr(self, name) for name in names}

    def set_params(self, **values: Any) -> Self:  # noqa: ANN401 - whatever the constructor takes
        """Change parameters of the constructor."""
        for name, value in values.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        standard = inspect.signature(type(self)).parameters
        given = self.get_params().items()
        changed = (f"{name}={value!r}" for name, value in given if value != standard[name].default)
        return f"{type(self).__name__}({', '.join(changed)})"

    def copy_unfitted(self) -> Self:
        """Another model of the same parameters, which has not learned anything."""
        return type(self)(**self.get_params())

    def fit(self, X: History, y: None = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's names
        """Learn from a history cut before an origin."""
        self.notes_ = ()
        self.rates_ = self._compute_rates(X)
        self.catchments_ = X.units.catchments
        return self

    def predict(self, X: None = None) -> NDArray[np.float64]:  # noqa: ARG002, N803
        """(p, j) incidents expected on each piece of street in the month after the cut."""
        if self.rates_ is None:
            return self.expected_
        return self.catchments_.spread(self.rates_)

    def get_unit_rates(self) -> NDArray[np.float64]:
        """`rates_` (c, j), or `TypeError` for a model that tells the pieces of a place apart."""
        if self.rates_ is None:
            message = f"{self!r} does not spread evenly along the street of a place"
            raise TypeError(message)
        return self.rates_

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        """(c, j) incidents expected in each place in a month."""
        raise NotImplementedError


def fit_or_reuse(model: RiskModel, history: History) -> RiskModel:
    """The model fitted on this cut; fitted once for each set of parameters."""
    if not model.is_reusable:
        return model.copy_unfitted().fit(history)
    key = repr(model)
    if key not in history.fitted_models:
        history.fitted_models[key] = model.copy_unfitted().fit(history)
    fitted: RiskModel = history.fitted_models[key]
    return fitted


class RandomOrder(RiskModel):
    """No knowledge: streets in random order."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        draw = np.random.default_rng([self.seed, len(history)])
        rates = draw.random((len(history.units), len(history.targets)))
        return calibrate(rates * history.units.metres[:, None], history)


class PriorCount(RiskModel):
    """The last months' counts continue."""

    def __init__(self, months: int = 12) -> None:
        self.months = months

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        months = max(1, min(self.months, len(history)))
        return history.estimate_last(self.months)[:, : len(history.targets)] / months


class DecayedCount(RiskModel):
    """All recorded incidents; one that is `half_life_months` old counts half."""

    def __init__(self, half_life_months: float = 6.0) -> None:
        self.half_life_months = half_life_months

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        return history.estimate_decayed(self.half_life_months)[:, : len(history.targets)]


class ShrunkCount(RiskModel):
    """Decayed counts shrunk towards what is around them, the more the sparser a category is.

    Gamma-Poisson shrinkage, see `patrolplan.risk.shrinkage`; in total as much as of late.
    """

    def __init__(self, half_life_months: float = LONG_HALF_LIFE) -> None:
        self.half_life_months = half_life_months

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        return calibrate(compute_shrunk_rates(history, self.half_life_months), history)


class KernelCount(RiskModel):
    """The last months' incidents, spread to the streets around them.

    Every category has the bandwidth of the highest leave-one-out likelihood.

    `distance`: "network" along the streets, "planar" in a straight line. `bandwidths`: Candidates
    in metres, in order; the first of equals is chosen. `months`: How many months are counted.
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
        units, counts = X.units, X.estimate_last(self.months)[:, : len(X.targets)]
        matrices = [units.build_kernel_matrix(self.distance, width) for width in self.bandwidths]
        fits = [compute_likelihood(matrix, counts, units.metres) for matrix in matrices]
        self.bandwidths_ = np.array(self.bandwidths)[np.argmax(np.round(fits, 6), axis=0)]
        self.notes_ = tuple(
            Note(
                "kernel_width",
                {"category": name, "distance": self.distance, "metres": float(width)},
            )
            for name, width in zip(X.targets, self.bandwidths_, strict=True)
        )
        spread = units.catchments.spread(counts) / max(1, min(self.months, len(X)))
        self.expected_ = np.empty_like(spread)
        for column, width in enumerate(self.bandwidths_):
            matrix = units.build_piece_matrix(self.distance, float(width))
            self.expected_[:, column] = matrix @ spread[:, column]
        return self


class PoissonCount(RiskModel):
    """Poisson regression on counts in and around a place, street length and kind, and season.

    It learns by which factor each month's crime differed from the shrunk counts before it; see
    `patrolplan.risk.regression`. In total it expects as much as of late.

    `penalty`: On the coefficients: the larger, the nearer to the shrunk counts. `first_month`:
    Number of the first month to learn from: some months must come before it.
    """

    def __init__(self, penalty: float = PENALTY, first_month: int = 3) -> None:
        self.penalty = penalty
        self.first_month = first_month

    def _compute_rates(self, history: History) -> NDArray[np.float64]:
        first = history.months[:1].strftime("%Y-%m").tolist()  # decides which months are winter
        key = f"{self!r} {first} {history.digest()}"
        rates = history.units.load_or_compute("rates", key, lambda: self._learn_rates(history))
        return calibrate(rates, history)

    def _learn_rates(self, history: History) -> NDArray[np.float64]:
        """(c, j) rates by regression; the slowest of all models, so the result is cached."""
        end = len(history)
        months = range(min(self.first_month, end), end)
        prepare_rates(history, range(months.start, end + 1))
        builder = FeatureBuilder(history)
        rates = builder.compute_rates(end)
        events = history.totals[months.start :, : len(history.targets)].sum(axis=0)
        # One thread: sums of several threads differ in their last digits from run to run.
        with limit_to_one_thread():
            for target in np.flatnonzero(events >= MIN_EVENTS_TO_FIT).tolist():
                fit = fit_poisson(builder.build_rows(months, target), self.penalty)
                rates[:, target] *= builder.predict(fit, end, target)
        return rates


class Combination(RiskModel):
    """Half the regression, half the counts it rests on: shrunk and decayed, a quarter each.

    The regression uses most information, the shrunk counts help where a category is sparse, and the
    decayed counts correct the other two where they are overconfident. The shares are round numbers,
    chosen on snap points of Camden and Westminster outside the Bloomsbury box.
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
    "recent shrunk count": lambda: ShrunkCount(6.0),
    "poisson": PoissonCount,
    "combination": Combination,
}
"""Every model by the name that it has in settings and tables."""


def build_models(half_life_months: float, seed: int) -> dict[str, RiskModel]:
    """Every model, with the settings' half-life and seed."""
    models = {name: build() for name, build in MODELS.items()}
    for name in ("decayed count", "recent shrunk count"):
        models[name].set_params(half_life_months=half_life_months)
    models["random"].set_params(seed=seed)
    return models


@dataclass(frozen=True)
class ModelChoice:
    """How one category's rates are combined from the models, and what that gained."""

    category: str  # Its name
    weights: Mapping[str, float]  # Weight of each model in the pooled stack; they sum to 1
    # `gain`, `gain_low`, `gain_high`: Log score over the smoothed prior count, in bits an
    # incident of the months compared, with its 95 % interval; None where there was too little to
    # compare.
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    # `events`, `origins`: Number of incidents and of months compared.
    events: int
    origins: int
    # Smaller numbers of incidents are suppressed, where the threshold applies to crime.
    min_crime_count: int = 1

    @property
    def model(self) -> str:
        """Name of the model."""
        return STACKED

    @property
    def note(self) -> Note:
        """The weights and what they gained, without numbers of incidents below the minimum."""
        shown_from = self.min_crime_count if self.origins > 0 else 0
        listed = {name: weight for name, weight in self.weights.items() if weight >= MIN_WEIGHT}
        values: dict[str, NoteValue] = {
            "category": self.category,
            "models": list(listed),
            "weights": [round(weight, 4) for weight in listed.values()],
            "incidents": self.events if self.events >= shown_from else 0,
            "shown_from": shown_from,
            "months": self.origins,
        }
        if self.gain is None or self.gain_low is None or self.gain_high is None:
            return Note("stack_untested", values)
        gains: dict[str, NoteValue] = {
            "gain": round(self.gain, 4),
            "gain_low": round(self.gain_low, 4),
            "gain_high": round(self.gain_high, 4),
        }
        return Note("stack_tested", values | gains)
