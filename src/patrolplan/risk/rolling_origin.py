"""Rolling origin: fit on the months before, score the month that came, step on by a month."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from patrolplan.atomic import hash_content
from patrolplan.parallel import map_in_threads
from patrolplan.risk.choice import MIN_ORIGINS_TO_CHOOSE, ModelChoice, choose_model
from patrolplan.risk.history import History
from patrolplan.risk.models import PRIOR_COUNT, RiskModel, fit_or_reuse
from patrolplan.risk.scores import COVERAGES, UnitStreets, rank_streets, sum_slices, sum_unit_slices

ALL_CATEGORIES = "all"
"""Harm-weighted crime of all categories that count."""

AUTO = "auto"
"""The model that was best on earlier origins, at each origin."""

MARGIN_COVERAGE = 0.05
"""Coverage that the margin on prior counts is told for."""

MIN_HISTORY_MONTHS = 6
"""Months that stand before the first origin."""


@dataclass(frozen=True, eq=False)
class Trials:
    """What every model caught at every origin.

    Parameters
    ----------
    models
        (m,) names, `AUTO` last.
    categories
        (j + 1,) names, `ALL` last.
    origins
        (o,) the months that were scored.
    hits
        (m, o, j + 1, q) incidents (harm for `ALL`) of the month in the top slices.
    earlier_hits
        (m, o, j + 1, q) the same of the twelve months before, in the same slices.
    best_hits
        (o, j + 1, q) in the slices that would have been best.
    totals, earlier_totals
        (o, j + 1) incidents or harm in the whole area.
    events
        (o, j + 1) incidents.
    choices
        For each origin, the choice for each category.
    worse
        Whether the chosen models, taken together, caught less of `ALL` than prior counts did at
        these origins: prior counts are then taken for it.
    """

    models: tuple[str, ...]
    categories: tuple[str, ...]
    origins: pd.DatetimeIndex
    hits: NDArray[np.float64]
    earlier_hits: NDArray[np.float64]
    best_hits: NDArray[np.float64]
    totals: NDArray[np.float64]
    earlier_totals: NDArray[np.float64]
    events: NDArray[np.int64]
    choices: tuple[tuple[ModelChoice, ...], ...]
    is_worse: bool

    def since(self, month: pd.Timestamp) -> "Trials":
        """Only the origins from this month on."""
        start = int(self.origins.searchsorted(month))
        return Trials(
            self.models,
            self.categories,
            self.origins[start:],
            self.hits[:, start:],
            self.earlier_hits[:, start:],
            self.best_hits[start:],
            self.totals[start:],
            self.earlier_totals[start:],
            self.events[start:],
            self.choices[start:],
            self.is_worse,
        )

    def choose_for(self, column: int) -> ModelChoice:
        """Choice for one category from all of these origins."""
        hits = {name: self.hits[row, :, column] for row, name in enumerate(self.models)}
        return choose_model(self.categories[column], hits, self.events[:, column])


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores rankings of pieces of street.

    Crimes are spread over the street of their place, so a ranking earns nothing for knowing where
    the map points stand; see `patrolplan.network.catchments`.

    Parameters
    ----------
    history
        Holds the months that are scored.
    harm
        (j,) weight of each category in `ALL`.
    seed
        Of the permutation that breaks ties.
    """

    history: History
    harm: NDArray[np.float64]
    seed: int

    @property
    def metres(self) -> NDArray[np.float64]:
        """(p,) length of each piece."""
        return self.history.units.network.piece_metres

    @cached_property
    def ties(self) -> NDArray[np.int64]:
        """(p,) a permutation: among equals the piece of the lower number comes first."""
        return np.random.default_rng(self.seed).permutation(len(self.metres))

    @cached_property
    def streets(self) -> UnitStreets:
        """The places' pieces."""
        places = self.history.units
        return UnitStreets(
            places.metres, self.metres, places.catchments.piece_catchment, np.argsort(self.ties)
        )

    def append_harm(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., j + 1) the categories, and all of them weighed by harm."""
        weighed = (amounts * self.harm).sum(axis=-1, keepdims=True)
        return np.asarray(np.concatenate([amounts, weighed], axis=-1))

    def score(
        self, expected: NDArray[np.float64], amounts: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Amounts in the top slices of a ranking by expected incidents.

        Parameters
        ----------
        expected
            (c, j) in each place, or (p, j) on each piece where a model tells them apart.
        amounts
            (n, c, j + 1) what is counted, in each place; see `append_harm`.

        Returns
        -------
        NDArray
            (n, j + 1, q).
        """
        scores = self.append_harm(expected)
        if len(expected) == amounts.shape[1]:
            found = [
                sum_unit_slices(score, self.streets, amounts[..., column].T)
                for column, score in enumerate(scores.T)
            ]
        else:
            spread = self.history.units.catchments.spread
            found = [
                sum_slices(
                    rank_streets(score, self.metres, self.ties),
                    self.metres,
                    spread(amounts[..., column].T),
                )
                for column, score in enumerate(scores.T)
            ]
        # In the order of memory that is read from the cache, so that sums over it are the same.
        return np.ascontiguousarray(np.stack(found).transpose(2, 0, 1))


def run_trials(
    history: History,
    models: Mapping[str, RiskModel],
    origins: Sequence[pd.Timestamp],
    harm: NDArray[np.float64],
    *,
    seed: int,
) -> Trials:
    """Fit and score every model at every origin; choose among them by the origins before.

    Parameters
    ----------
    history
        All months. A model only ever receives `history.until(origin)`.
    models
        By name.
    origins
        Months to be scored, in order.
    harm
        (j,) weight of each of the history's targets.
    seed
        Breaks ties.
    """
    rolling = _RollingOrigin(Scorer(history, harm, seed), models)
    # Whoever leaves a limit of its own sets the whole process back to what it found: without this
    # one around them all, a fit would go on with more threads as soon as another had ended.
    with threadpool_limits(limits=1):
        # What a model catches by itself hangs on no other origin; a choice hangs on all before.
        seen = (_OriginScorer(rolling.scorer, origin) for origin in origins)
        for looked in map_in_threads(rolling.score_models, seen):
            rolling.add_origin(*looked.result())
    return rolling.build_trials()


class _OriginScorer:
    """One origin: what models may look at, and what they are scored on.

    Both are only made where something is not known from an earlier run.
    """

    def __init__(self, scorer: Scorer, origin: pd.Timestamp) -> None:
        self.scorer = scorer
        self.origin = origin

    @cached_property
    def cut(self) -> History:
        """The months before."""
        return self.scorer.history.cut_before(self.origin)

    @cached_property
    def amounts(self) -> NDArray[np.float64]:
        """(2, c, j + 1) what came, and the twelve months before."""
        history = self.scorer.history
        before = history.count_last(12, before=self._months_before)[:, : len(history.targets)]
        return self.scorer.append_harm(np.stack([history.get_month_counts(self.origin), before]))

    @property
    def _months_before(self) -> int:
        """How many months lie before."""
        return int(self.scorer.history.months.searchsorted(self.origin))

    @cached_property
    def _cache_key(self) -> str:
        """Everything beside the models that sums rest on, by content."""
        scorer, history, known = self.scorer, self.scorer.history, self._months_before
        harm = hash_content(scorer.harm.tobytes())
        first = history.months[: min(known, 1)].strftime("%Y-%m").tolist()
        return f"{scorer.seed} {first} {history.digest(known)} {history.digest(known + 1)} {harm}"

    def load_or_compute(
        self, what: str, compute: Callable[[], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Sums that rest on this origin and on what is named."""
        units = self.scorer.history.units
        return units.load_or_compute("trials", f"{what} {self._cache_key}", compute)

    def score_model(self, model: RiskModel) -> NDArray[np.float64]:
        """(2, j + 1, q) what a model caught by itself."""
        return self.load_or_compute(
            f"caught {model!r}",
            lambda: self.scorer.score(_predict_model(fit_or_reuse(model, self.cut)), self.amounts),
        )

    def score_choices(self, models: Sequence[RiskModel]) -> NDArray[np.float64]:
        """(2, j + 1, q) what one model for each category caught."""
        return self.load_or_compute(
            f"together {models!r}",
            lambda: self.scorer.score(
                combine_by_category([fit_or_reuse(model, self.cut) for model in models]),
                self.amounts,
            ),
        )

    def score_best(self) -> NDArray[np.float64]:
        """(j + 1, q) the most that could have been caught of what came."""
        found = self.load_or_compute(
            "best", lambda: self.scorer.score(self.amounts[0, :, :-1], self.amounts[:1])
        )
        return np.asarray(found[0])

    def count_totals(self) -> NDArray[np.float64]:
        """(2, j) incidents that came, and those of the twelve months before."""
        history, known = self.scorer.history, self._months_before
        before = history.totals[max(0, known - 12) : known].sum(axis=0)
        totals = np.stack([history.get_month_totals(self.origin), before])
        return np.asarray(totals[:, : len(history.targets)], dtype=np.float64)


class _RollingOrigin:
    """The origins scored so far; a choice is made from these alone."""

    def __init__(self, scorer: Scorer, models: Mapping[str, RiskModel]) -> None:
        self.scorer = scorer
        self.models = models
        self.names = (*models, AUTO)
        self.origins: list[pd.Timestamp] = []
        self.scored: list[NDArray[np.float64]] = []
        self.mixed: list[NDArray[np.float64]] = []
        self.best: list[NDArray[np.float64]] = []
        self.totals: list[NDArray[np.float64]] = []
        self.events: list[NDArray[np.int64]] = []
        self.choices: list[tuple[ModelChoice, ...]] = []

    def score_models(
        self, origin: _OriginScorer
    ) -> tuple[_OriginScorer, list[NDArray[np.float64]]]:
        """Fit every model on the months before an origin, score the month that came."""
        origin.score_best()  # kept for `step`
        return origin, [origin.score_model(model) for model in self.models.values()]

    def add_origin(self, origin: _OriginScorer, alone: Sequence[NDArray[np.float64]]) -> None:
        """Choose by the origins before, and score what was chosen."""
        totals, targets = origin.count_totals(), self.scorer.history.targets
        choices = tuple(self._choose_for(column) for column in range(len(targets)))
        together = origin.score_choices([self.models[one.model] for one in choices])
        scored = np.stack([*alone, together])
        mixed = scored[-1, 0, -1].copy()
        if self.is_worse():
            scored[-1, :, -1] = scored[self.names.index(PRIOR_COUNT), :, -1]
        self.mixed.append(mixed)
        self.origins.append(origin.origin)
        self.scored.append(scored)
        self.best.append(origin.score_best())
        self.totals.append(self.scorer.append_harm(totals))
        self.events.append(np.append(totals[0], totals[0].sum()).astype(np.int64))
        self.choices.append(choices)

    def is_worse(self) -> bool:
        """Whether the chosen models together caught less of all crime than prior counts did.

        Less on average over the coverages, or at the one that the margin is told for.
        """
        told = [row for row, choices in enumerate(self.choices) if _has_choice(choices)]
        if len(told) < MIN_ORIGINS_TO_CHOOSE:
            return False
        usual = self.names.index(PRIOR_COUNT)
        prior = np.array([self.scored[row][usual, 0, -1] for row in told])
        mixed = np.array([self.mixed[row] for row in told])
        mean = np.maximum(prior.mean(axis=0), 1e-12)
        gains = ((mixed - prior) / mean).mean(axis=0)
        return bool(gains.mean() < 0 or gains[COVERAGES.index(MARGIN_COVERAGE)] < 0)

    def _choose_for(self, column: int) -> ModelChoice:
        hits = {
            name: np.array([scored[row, 0, column] for scored in self.scored])
            for row, name in enumerate(self.models)
        }
        events = np.array([counted[column] for counted in self.events], dtype=np.int64)
        return choose_model(self.scorer.history.targets[column], hits, events)

    def build_trials(self) -> Trials:
        hits = np.stack(self.scored, axis=2)
        totals = np.stack(self.totals)
        return Trials(
            models=self.names,
            categories=(*self.scorer.history.targets, ALL_CATEGORIES),
            origins=pd.DatetimeIndex(self.origins),
            hits=hits[:, 0],
            earlier_hits=hits[:, 1],
            best_hits=np.stack(self.best),
            totals=totals[:, 0],
            earlier_totals=totals[:, 1],
            events=np.stack(self.events),
            choices=tuple(self.choices),
            is_worse=self.is_worse(),
        )


def combine_by_category(models: Sequence[RiskModel]) -> NDArray[np.float64]:
    """(c, j) or (p, j) what one model for each category expects, by place where all can."""
    if any(model.rates_ is None for model in models):
        return np.column_stack([model.predict()[:, k] for k, model in enumerate(models)])
    return np.column_stack([model.get_unit_rates()[:, k] for k, model in enumerate(models)])


def _predict_model(model: RiskModel) -> NDArray[np.float64]:
    return model.predict() if model.rates_ is None else model.rates_


def _has_choice(choices: tuple[ModelChoice, ...]) -> bool:
    return any(choice.gain is not None for choice in choices)
