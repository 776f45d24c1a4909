"""Rolling origin: fit on the months before, score the month after, step on by a month."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.atomic import hash_content
from patrolplan.parallel import limit_to_one_thread, map_in_threads
from patrolplan.risk.calibration import DECILES
from patrolplan.risk.history import History
from patrolplan.risk.models import (
    MIN_EVENTS_TO_COMPARE,
    MIN_ORIGINS_TO_COMPARE,
    PRIOR_COUNT,
    PriorCount,
    RiskModel,
    fit_or_reuse,
)
from patrolplan.risk.origin_streets import OriginStreets, find_origin_digest
from patrolplan.risk.scorer import OriginScore, Scorer, score_rates
from patrolplan.risk.scores import COVERAGES, append_harm
from patrolplan.risk.stack import (
    DECLARED_WEIGHTS,
    EVEN,
    STACK_MONTHS,
    Stack,
    StackMonth,
    build_stack_month,
    fit_stack,
    score_shares,
)

ALL_CATEGORIES = "all"  # harm-weighted crime of all categories that count
AUTO = "auto"  # the pooled stack, at each origin with the weights learned from the months before it
MARGIN_COVERAGE = 0.05  # coverage at which the margin over prior counts is given
MARGIN_COLUMN = COVERAGES.index(MARGIN_COVERAGE)

MIN_HISTORY_MONTHS = 6  # months before the first origin


@dataclass(frozen=True, eq=False)
class Trials:
    """What every model captured and expected at every origin."""

    models: tuple[str, ...]  # (m,) names, `AUTO` among them
    categories: tuple[str, ...]  # (j + 1,) names, `ALL_CATEGORIES` last
    origins: pd.DatetimeIndex  # (o,) the months that were scored
    # (m, o, j + 1, q) incidents (harm for `ALL_CATEGORIES`) of the month in the top slices.
    hits: NDArray[np.float64]
    # (m, o, j + 1, q) the same of the twelve months before, in the same slices.
    earlier_hits: NDArray[np.float64]
    best_hits: NDArray[np.float64]  # (o, j + 1, q) in the slices that would have been best
    # `totals`, `earlier_totals`: (o, j + 1) incidents or harm in the whole area.
    totals: NDArray[np.float64]
    earlier_totals: NDArray[np.float64]
    events: NDArray[np.int64]  # (o, j + 1) incidents
    # (m, o, j + 1) log score of the month's incidents, see `score_shares`; the last column is the
    # sum over the categories, every incident alike.
    bits: NDArray[np.float64]
    smoothed_bits: NDArray[np.float64]  # (o, j + 1) that of the smoothed prior count
    # (m, o, j + 1, 10) incidents by tenth of the expected ones, see `sum_deciles`; the last
    # column counts every incident alike.
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]  # (m, o, j + 1) incidents expected
    # (o + 1,) the weights at each origin, from the months before, and those after the last one.
    stacks: tuple[Stack, ...]
    min_crime_count: int  # See `ModelChoice`

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
            bits=self.bits[:, start:],
            smoothed_bits=self.smoothed_bits[start:],
            observed=self.observed[:, start:],
            expected=self.expected[:, start:],
            stacks=self.stacks[start:],
        )

    def compute_margin(self) -> float | None:
        """Difference of PAI on all crime to prior counts; None where there is too little crime."""
        too_few = self.events[:, -1].sum() < MIN_EVENTS_TO_COMPARE
        total = self.totals[:, -1].sum()
        if len(self.origins) < MIN_ORIGINS_TO_COMPARE or too_few or not total:
            return None
        auto, prior = self.models.index(AUTO), self.models.index(PRIOR_COUNT)
        hits = self.hits[:, :, -1, MARGIN_COLUMN].sum(axis=1)
        return round(float((hits[auto] - hits[prior]) / total / MARGIN_COVERAGE), 3)


def run_trials(
    history: History,
    models: Mapping[str, RiskModel],
    origins: Sequence[pd.Timestamp],
    harm: NDArray[np.float64],
    *,
    seed: int,
    min_crime_count: int = 1,
    components: Mapping[str, RiskModel] | None = None,
    own_since: pd.Timestamp | None = None,
) -> Trials:
    """Fit and score every model at every origin, and the stack with weights of the origins before.

    `history`: All months. A model only ever receives `history.cut_before(origin)`. `origins`:
    Months to be scored, in order; each is held in some place, and only there it is scored. `harm`:
    (j,) weight of each of the history's targets. `components`: Models by name that the stack may
    consist of; by default those that are scored. `own_since`: Models of the user's own are scored
    from this month on, and have zeros before it: the stack does not include them, so fits of
    earlier months would not be used.
    """
    components = select_components(models if components is None else components)
    described = repr(components)
    names, targets, scorer = (*models, AUTO), history.targets, Scorer(history, harm, seed)
    shape = (len(origins), len(targets) + 1)
    packed = np.zeros((len(names), *shape, 2 * len(COVERAGES) + DECILES + 2))
    best_hits, smoothed_bits = np.zeros((*shape, len(COVERAGES))), np.zeros(shape)
    totals, events = np.zeros((shape[0], 2, shape[1])), np.zeros(shape, dtype=np.int64)
    earlier: deque[_Origin] = deque(maxlen=STACK_MONTHS)
    stacks: list[Stack] = []

    with limit_to_one_thread():
        # A model's score does not depend on other origins; the stack's depends on those before.
        scored = map_in_threads(
            partial(_score_alone, models=tuple(models.values()), own_since=own_since),
            (_Origin(scorer, month, components, described) for month in origins),
        )
        for row, result in enumerate(scored):
            origin, alone = result.result()
            stacks.append(load_stack(history, components, list(earlier), origin.row))
            stacked = origin.score_stack(stacks[-1])
            packed[:, row] = [*alone, stacked[:, :-1]]
            smoothed_bits[row] = stacked[:, -1]
            best_hits[row] = origin.score_best()
            counts = origin.count_totals()
            totals[row] = append_harm(counts, harm)
            events[row] = np.append(counts[0], counts[0].sum())
            origin.drop_fits()
            earlier.append(origin)
        end = earlier[-1].row + 1 if earlier else len(history)
        stacks.append(load_stack(history, components, list(earlier), end))
    score = OriginScore.unpack(packed)
    return Trials(
        models=names,
        categories=(*targets, ALL_CATEGORIES),
        origins=pd.DatetimeIndex(list(origins)),
        hits=score.hits[0],
        earlier_hits=score.hits[1],
        best_hits=best_hits,
        totals=totals[:, 0],
        earlier_totals=totals[:, 1],
        events=events,
        bits=score.bits,
        smoothed_bits=smoothed_bits,
        observed=score.observed,
        expected=score.expected,
        stacks=tuple(stacks),
        min_crime_count=min_crime_count,
    )


class _Origin:
    """One month to be scored. What the cache does not have is computed when needed."""

    def __init__(
        self,
        scorer: Scorer,
        month: pd.Timestamp,
        components: Mapping[str, RiskModel],
        described: str,
    ) -> None:
        self.scorer, self.history, self.month = scorer, scorer.history, month
        self.row = int(self.history.months.searchsorted(month))
        self.components, self.described = list(components.values()), described

    @cached_property
    def cut(self) -> History:
        """The months before: all that a model may learn from."""
        return self.history.cut_before(self.month, is_copied=False)

    def drop_fits(self) -> None:
        """Drop the months before and the models fitted on them, which take memory."""
        for name in ("cut", "streets", "amounts", "counts"):
            self.__dict__.pop(name, None)

    @cached_property
    def streets(self) -> OriginStreets:
        """What is known of places at this origin."""
        return self.scorer.find_origin_streets(self.row)

    @cached_property
    def amounts(self) -> NDArray[np.float64]:
        """(2, c, j + 1) crimes of the month, and of the twelve months before."""
        before = self.history.estimate_last(12, before=self.row)[:, : len(self.history.targets)]
        amounts = np.stack([self.history.get_month_counts(self.month), before])
        return append_harm(amounts, self.scorer.harm)

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """(n, j) incidents of the month in each place known and held."""
        return self.streets.gather(self.amounts[0, :, :-1])

    @cached_property
    def stack_month(self) -> StackMonth:
        """What the stack's models expected in the places known and held, and what was recorded."""
        *rates, prior = (
            self.streets.gather(fit_or_reuse(model, self.cut).get_unit_rates())
            for model in (*self.components, PriorCount())
        )
        return build_stack_month(rates, prior, self.streets.units.metres, self.counts)

    def count_totals(self) -> NDArray[np.float64]:
        """(2, j) incidents of the month, and of the twelve months before, where it is held."""
        targets, held = len(self.history.targets), self.history.is_held(self.row)
        if not held.all():
            return np.asarray(self.amounts[:, held, :targets].sum(axis=1))
        totals, before = self.history.totals, slice(max(0, self.row - 12), self.row)
        both = np.stack([totals[self.row], totals[before].sum(axis=0)])
        return np.asarray(both[:, :targets], dtype=np.float64)

    def score(self, model: RiskModel) -> NDArray[np.float64]:
        """What one model captured and expected; see `OriginScore.pack`."""

        def compute() -> NDArray[np.float64]:
            # A model of the user's own can reach nothing later.
            cut = self.cut if model.is_reusable else self.history.cut_before(self.month)
            fitted = fit_or_reuse(model, cut)
            return self._score_rates(fitted.predict() if fitted.rates_ is None else fitted.rates_)

        return self._load_or_compute(repr(model), compute) if model.is_reusable else compute()

    def score_stack(self, stack: Stack) -> NDArray[np.float64]:
        """What the stack captured and expected; see `OriginScore.pack`.

        One more column has the log score of the smoothed prior count.
        """

        def compute() -> NDArray[np.float64]:
            packed = self._score_rates(combine_models(self.components, stack, self.cut))
            prior = fit_or_reuse(PriorCount(), self.cut).get_unit_rates()
            gathered = self.streets.gather(prior), self.streets.units.metres
            bits = score_shares(stack.smooth(*gathered), self.counts)
            return np.column_stack([packed, np.append(bits, bits.sum())])

        weights = hash_content(stack.weights.tobytes(), stack.smoothing.tobytes())
        return self._load_or_compute(f"stack {weights} {self.described}", compute)

    def score_best(self) -> NDArray[np.float64]:
        """(j + 1, q) the maximum that could have been captured of the month."""

        def compute() -> NDArray[np.float64]:
            return self.scorer.score(self.amounts[0, :, :-1], self.amounts[:1], self.streets)

        return np.asarray(self._load_or_compute("best", compute)[0])

    def _score_rates(self, rates: NDArray[np.float64]) -> NDArray[np.float64]:
        return score_rates(self.scorer, rates, self.amounts, self.streets, self.row)

    def _load_or_compute(
        self, what: str, compute: Callable[[], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Sums from the cache, under a key made of the content of all that they depend on."""
        history, scorer, row = self.history, self.scorer, self.row
        harm = hash_content(scorer.harm.tobytes())
        first = history.months[: min(row, 1)].strftime("%Y-%m").tolist()
        digests = (
            f"{history.digest(row)} {history.digest(row + 1)} {find_origin_digest(history, row)}"
        )
        key = f"{what} {scorer.seed} {first} {digests} {harm}"
        return history.units.load_or_compute("trials", key, compute)


def select_components(models: Mapping[str, RiskModel]) -> dict[str, RiskModel]:
    """The models that the stack consists of, except `EVEN`."""
    return {name: models[name] for name in DECLARED_WEIGHTS if name in models}


def combine_models(
    components: Sequence[RiskModel], stack: Stack, history: History
) -> NDArray[np.float64]:
    """(c, j) incidents expected by the stack in the month after a history."""
    rates = [fit_or_reuse(model, history).get_unit_rates() for model in components]
    return stack.combine(rates, history)


def load_stack(
    history: History, components: Mapping[str, RiskModel], earlier: Sequence[_Origin], row: int
) -> Stack:
    """The stack before the month of a row, from the cache or learned from some origins before it.

    `history`: All months. `components`: What the stack consists of, by name. `earlier`: The
    origins, none of the row or later; without any the weights are the declared ones. `row`: The
    first month that must not be used.
    """
    names, targets = (*components, EVEN), len(history.targets)
    if not earlier:
        return fit_stack(names, targets, [])

    def compute() -> NDArray[np.float64]:
        stack = fit_stack(names, targets, [origin.stack_month for origin in earlier])
        return np.column_stack([stack.weights, stack.smoothing])

    first = history.months[:1].strftime("%Y-%m").tolist()
    rows = [(origin.row, find_origin_digest(history, origin.row)) for origin in earlier]
    key = f"weights {earlier[0].described} {first} {rows} {history.digest(row)}"
    found = history.units.load_or_compute("trials", key, compute)
    return Stack(names, found[:, :-1], found[:, -1], len(earlier))


def _score_alone(
    origin: _Origin, models: Sequence[RiskModel], own_since: pd.Timestamp | None
) -> tuple[_Origin, list[NDArray[np.float64]]]:
    """Fit each model on the months before an origin, and score it in all categories."""
    best = origin.score_best()  # computed in this thread, read from the cache later
    skips_own = own_since is not None and origin.month < own_since
    nothing = np.zeros((len(best), 2 * len(COVERAGES) + DECILES + 2))
    scores = [
        nothing if skips_own and not model.is_reusable else origin.score(model) for model in models
    ]
    if "cut" in vars(origin):  # a model was fitted, so the stack's weights are not cached either
        _ = origin.stack_month
    return origin, scores
