"""Rolling origin: fit on the months before, score the month after, step on by a month."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from patrolplan.atomic import hash_content
from patrolplan.parallel import map_in_threads
from patrolplan.risk.history import History
from patrolplan.risk.known_streets import KnownStreets, find_known_digest, find_known_streets
from patrolplan.risk.models import (
    MIN_ORIGINS_TO_CHOOSE,
    PRIOR_COUNT,
    ModelChoice,
    RiskModel,
    choose_models,
    fit_or_reuse,
)
from patrolplan.risk.scores import (
    COVERAGES,
    UnitStreets,
    append_harm,
    rank_streets,
    sum_slices,
    sum_unit_slices,
)

ALL_CATEGORIES = "all"
"""Harm-weighted crime of all categories that count."""

AUTO = "auto"
"""The model that was best on earlier origins, at each origin."""

MARGIN_COVERAGE = 0.05
"""Coverage at which the margin over prior counts is given."""

MARGIN_COLUMN = COVERAGES.index(MARGIN_COVERAGE)

MIN_HISTORY_MONTHS = 6
"""Months before the first origin."""


@dataclass(frozen=True, eq=False)
class Trials:
    """What every model captured at every origin.

    Parameters
    ----------
    models
        (m,) names, `AUTO` last.
    categories
        (j + 1,) names, `ALL_CATEGORIES` last.
    origins
        (o,) the months that were scored.
    hits
        (m, o, j + 1, q) incidents (harm for `ALL_CATEGORIES`) of the month in the top slices.
    earlier_hits
        (m, o, j + 1, q) the same of the twelve months before, in the same slices.
    best_hits
        (o, j + 1, q) in the slices that would have been best.
    totals, earlier_totals
        (o, j + 1) incidents or harm in the whole area.
    events
        (o, j + 1) incidents.
    choices
        For each origin, the choice for each category, from the origins before.
    is_worse
        Whether the chosen models, taken together, captured less of `ALL_CATEGORIES` than prior
        counts did at these origins: prior counts are then used for it.
    min_crime_count
        See `ModelChoice`.
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
    min_crime_count: int

    def since(self, month: pd.Timestamp) -> "Trials":
        """Only the origins from this month on."""
        start = int(self.origins.searchsorted(month))
        return replace(
            self,
            origins=self.origins[start:],
            hits=self.hits[:, start:],
            earlier_hits=self.earlier_hits[:, start:],
            best_hits=self.best_hits[start:],
            totals=self.totals[start:],
            earlier_totals=self.earlier_totals[start:],
            events=self.events[start:],
            choices=self.choices[start:],
        )

    def choose_models(self) -> tuple[ModelChoice, ...]:
        """The choice for each category from all of these origins."""
        names = self.categories[:-1], self.models
        return choose_models(*names, self.hits, self.events, self.min_crime_count)

    def compute_margin(self) -> float | None:
        """Difference of PAI on all crime to prior counts; None where no model could be chosen."""
        rows = _has_choice(self.choices)
        total = self.totals[rows, -1].sum()
        if not total:
            return None
        auto, prior = self.models.index(AUTO), self.models.index(PRIOR_COUNT)
        hits = self.hits[:, :, -1, MARGIN_COLUMN][:, rows]
        gain = hits[auto].sum() - hits[prior].sum()
        return round(float(gain / total / MARGIN_COVERAGE), 3)


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores rankings of pieces of street.

    Crimes are spread over the street of their place, so a ranking gains nothing by knowing where
    the map points are; see `patrolplan.network.catchments`.

    Parameters
    ----------
    history
        Holds the months that are scored.
    harm
        (j,) weight of each category in `ALL_CATEGORIES`.
    seed
        Of the permutation that breaks ties.
    """

    history: History
    harm: NDArray[np.float64]
    seed: int

    @cached_property
    def ties(self) -> NDArray[np.int64]:
        """(p,) a permutation: among ties the piece of the lower number comes first."""
        return np.random.default_rng(self.seed).permutation(len(self.history.units.network))

    @cached_property
    def streets(self) -> UnitStreets:
        """The places' pieces."""
        units = self.history.units
        pieces = units.network.piece_metres, units.catchments.piece_catchment
        return UnitStreets(units.metres, *pieces, np.argsort(self.ties))

    def score(
        self, expected: NDArray[np.float64], amounts: NDArray[np.float64], streets: KnownStreets
    ) -> NDArray[np.float64]:
        """Amounts in the top slices of a ranking by expected incidents.

        Parameters
        ----------
        expected
            (c, j) in each place, or (p, j) on each piece where a model tells them apart.
        amounts
            (n, c, j + 1) what is counted, in each place; see `append_harm`.
        streets
            What is known of places at the origin; slices are shares of the street held.

        Returns
        -------
        NDArray
            (n, j + 1, q).
        """
        spread, metres = self.history.units.catchments.spread, self.streets.piece_metres
        sums = []
        for score, amount in zip(append_harm(expected, self.harm).T, amounts.T, strict=True):
            if len(expected) == amounts.shape[1]:
                sums.append(
                    sum_unit_slices(streets.gather(score), streets.units, streets.gather(amount))
                )
            else:
                held = streets.held_pieces
                order = rank_streets(score[held], metres[held], self.ties[held])
                sums.append(sum_slices(order, metres[held], spread(amount)[held]))
        # In the order of memory that is read from the cache, so that sums over it are the same.
        return np.ascontiguousarray(np.stack(sums).transpose(2, 0, 1))

    def find_known_streets(self, row: int) -> KnownStreets:
        """What is known of places at an origin, by the row of its month."""
        return find_known_streets(self.history, self.streets, row)


def run_trials(
    history: History,
    models: Mapping[str, RiskModel],
    origins: Sequence[pd.Timestamp],
    harm: NDArray[np.float64],
    *,
    seed: int,
    min_crime_count: int = 1,
) -> Trials:
    """Fit and score every model at every origin; choose among them by the origins before.

    Parameters
    ----------
    history
        All months. A model only ever receives `history.cut_before(origin)`.
    models
        By name.
    origins
        Months to be scored, in order; each is held in some place, and only there it is scored.
    harm
        (j,) weight of each of the history's targets.
    seed
        Breaks ties.
    min_crime_count
        See `ModelChoice`.
    """
    names, targets, scorer = (*models, AUTO), history.targets, Scorer(history, harm, seed)
    prior, shape = names.index(PRIOR_COUNT), (len(origins), len(targets) + 1)
    hits = np.zeros((len(names), 2, *shape, len(COVERAGES)))
    best_hits, together = np.zeros((*shape, len(COVERAGES))), np.zeros((shape[0], len(COVERAGES)))
    totals, events = np.zeros((shape[0], 2, shape[1])), np.zeros(shape, dtype=np.int64)
    choices: list[tuple[ModelChoice, ...]] = []

    # When a thread leaves a limit of its own, it resets the whole process: without this limit
    # around all of them, a fit would continue with more threads as soon as another had ended.
    with threadpool_limits(limits=1):
        # A model's score does not depend on other origins; a choice depends on all before.
        scored = map_in_threads(
            partial(_score_alone, models=tuple(models.values())),
            (_Origin(scorer, month) for month in origins),
        )
        for row, result in enumerate(scored):
            origin, hits[:-1, :, row] = result.result()
            is_worse = _is_worse(choices, hits[prior, 0, :row, -1], together[:row])
            choices.append(
                choose_models(targets, names, hits[:, 0, :row], events[:row], min_crime_count)
            )
            hits[-1, :, row] = origin.score(*(models[choice.model] for choice in choices[-1]))
            together[row] = hits[-1, 0, row, -1]
            if is_worse:
                hits[-1, :, row, -1] = hits[prior, :, row, -1]
            best_hits[row] = origin.score_best()
            counts = origin.count_totals()
            totals[row] = append_harm(counts, harm)
            events[row] = np.append(counts[0], counts[0].sum())
    return Trials(
        models=names,
        categories=(*targets, ALL_CATEGORIES),
        origins=pd.DatetimeIndex(list(origins)),
        hits=hits[:, 0],
        earlier_hits=hits[:, 1],
        best_hits=best_hits,
        totals=totals[:, 0],
        earlier_totals=totals[:, 1],
        events=events,
        choices=tuple(choices),
        is_worse=_is_worse(choices, hits[prior, 0, :, -1], together),
        min_crime_count=min_crime_count,
    )


class _Origin:
    """One month to be scored. What is not known from an earlier run is computed when needed."""

    def __init__(self, scorer: Scorer, month: pd.Timestamp) -> None:
        self.scorer, self.history, self.month = scorer, scorer.history, month
        self.row = int(self.history.months.searchsorted(month))

    @cached_property
    def cut(self) -> History:
        """The months before: all that a model may learn from."""
        return self.history.cut_before(self.month)

    @cached_property
    def streets(self) -> KnownStreets:
        """What is known of places at this origin."""
        return self.scorer.find_known_streets(self.row)

    @cached_property
    def amounts(self) -> NDArray[np.float64]:
        """(2, c, j + 1) crimes of the month, and of the twelve months before."""
        before = self.history.estimate_last(12, before=self.row)[:, : len(self.history.targets)]
        amounts = np.stack([self.history.get_month_counts(self.month), before])
        return append_harm(amounts, self.scorer.harm)

    def count_totals(self) -> NDArray[np.float64]:
        """(2, j) incidents of the month, and of the twelve months before, where it is held."""
        targets, held = len(self.history.targets), self.history.is_held(self.row)
        if not held.all():
            return np.asarray(self.amounts[:, held, :targets].sum(axis=1))
        totals, before = self.history.totals, slice(max(0, self.row - 12), self.row)
        both = np.stack([totals[self.row], totals[before].sum(axis=0)])
        return np.asarray(both[:, :targets], dtype=np.float64)

    def score(self, *models: RiskModel) -> NDArray[np.float64]:
        """(2, j + 1, q) what one model for all categories, or one for each, captured."""

        def compute() -> NDArray[np.float64]:
            fitted = [fit_or_reuse(model, self.cut) for model in models]
            if len(fitted) == 1:
                fitted *= len(self.history.targets)
            return self.scorer.score(combine_by_category(fitted), self.amounts, self.streets)

        return self._load_or_compute(repr(models), compute)

    def score_best(self) -> NDArray[np.float64]:
        """(j + 1, q) the most that could have been captured of the month."""

        def compute() -> NDArray[np.float64]:
            return self.scorer.score(self.amounts[0, :, :-1], self.amounts[:1], self.streets)

        return np.asarray(self._load_or_compute("best", compute)[0])

    def _load_or_compute(
        self, what: str, compute: Callable[[], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Sums from the cache, under a key that names by content all that they depend on."""
        history, scorer, row = self.history, self.scorer, self.row
        harm = hash_content(scorer.harm.tobytes())
        first = history.months[: min(row, 1)].strftime("%Y-%m").tolist()
        digests = (
            f"{history.digest(row)} {history.digest(row + 1)} {find_known_digest(history, row)}"
        )
        key = f"{what} {scorer.seed} {first} {digests} {harm}"
        return history.units.load_or_compute("trials", key, compute)


def _score_alone(
    origin: _Origin, models: Sequence[RiskModel]
) -> tuple[_Origin, list[NDArray[np.float64]]]:
    """Fit each model on the months before an origin, and score it in all categories."""
    origin.score_best()  # computed in this thread, read from the cache later
    return origin, [origin.score(model) for model in models]


def _has_choice(choices: Sequence[tuple[ModelChoice, ...]]) -> NDArray[np.bool_]:
    """(o,) origins at which a model could be chosen for any category."""
    gains = [any(one.gain is not None for one in at_origin) for at_origin in choices]
    return np.array(gains, dtype=bool)


def _is_worse(
    choices: Sequence[tuple[ModelChoice, ...]],
    prior: NDArray[np.float64],
    together: NDArray[np.float64],
) -> bool:
    """Whether the chosen models together captured less of all crime than prior counts did.

    Of (o, q) hits: less on average over the coverages, or at `MARGIN_COVERAGE`.
    """
    rows = _has_choice(choices)
    if rows.sum() < MIN_ORIGINS_TO_CHOOSE:
        return False
    mean = np.maximum(prior[rows].mean(axis=0), 1e-12)
    gains = ((together[rows] - prior[rows]) / mean).mean(axis=0)
    return bool(gains.mean() < 0 or gains[MARGIN_COLUMN] < 0)


def combine_by_category(models: Sequence[RiskModel]) -> NDArray[np.float64]:
    """(c, j) or (p, j) what one model for each category expects, by place where all can."""
    if any(model.rates_ is None for model in models):
        return np.column_stack([model.predict()[:, k] for k, model in enumerate(models)])
    return np.column_stack([model.get_unit_rates()[:, k] for k, model in enumerate(models)])
