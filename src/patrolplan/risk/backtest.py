"""Back-test: how sure the priority streets are, measured on months that no model had seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.risk.choice import MIN_EVENTS_TO_CHOOSE, ModelChoice, compute_interval, draw_months
from patrolplan.risk.history import History, build_history
from patrolplan.risk.models import PRIOR_COUNT, build_models
from patrolplan.risk.rolling_origin import AUTO, MIN_HISTORY_MONTHS, Trials, run_trials
from patrolplan.risk.scores import COVERAGES, Reference, simulate_reference
from patrolplan.risk.weights import get_harm_days
from patrolplan.tables import render_html_table

DEFAULT_ORIGINS = 12
"""Months that are scored by default, the last ones: a year, so that every season is in it."""

LEGEND = (
    "PAI: crime caught in the priority streets, as a multiple of their share of the street length.",
    "Chosen model, its ratio to twelve-month prior counts, the difference with its 95 % interval;",
    "in brackets what a model that knew the true rates would get, with 95 % of chance.",
)

COLUMNS = (
    "category",
    "model",
    "chosen",
    "coverage",
    "pai",
    "pei",
    "hit_rate",
    "rri",
    "n_events",
    "ratio",
    "difference",
    "difference_low",
    "difference_high",
    "reference",
    "reference_low",
    "reference_high",
    "reference_ratio",
)
"""Columns of `Backtest.results`."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """What every model caught on months that it had not seen.

    Parameters
    ----------
    results
        One row for each category, model and coverage, with the `COLUMNS`. Coverage is a share of
        the street length; `pai` the share of crime caught over that; `pei` the same as a share of
        the best possible; `rri` the stability of the slice against the twelve months before;
        `ratio` and `difference` of PAI are to prior counts of twelve months, with the 95 %
        interval of the difference over months. `reference` is what a model that knew the true
        rates would get, with the interval of chance, and `reference_ratio` its ratio to prior
        counts. `chosen` marks the model "auto": at each month the one that was best before it.
    trials
        The hits behind it, month by month.
    choices
        For each category, the model that would be taken for the month to come, and why.
    curves
        For each category, the chosen model's PAI with its 95 % interval over months.
    """

    results: pd.DataFrame
    trials: Trials
    choices: tuple[ModelChoice, ...]
    curves: pd.DataFrame

    def __repr__(self) -> str:
        months = self.trials.origins
        return (
            f"<Backtest: {len(self.trials.models)} models, {len(self.trials.categories)} "
            f"categories, {months[0]:%Y-%m} to {months[-1]:%Y-%m}>"
        )

    def _repr_html_(self) -> str:
        months = self.trials.origins
        chosen = self.results[self.results["chosen"] & (self.results["coverage"] == COVERAGES[3])]
        facts = {
            str(row.category): f"PAI {row.pai:.2f}, {row.ratio:.2f} times the prior count "
            f"(difference {row.difference_low:+.2f} to {row.difference_high:+.2f})"
            for row in chosen.itertuples()
        }
        title = (
            f"Back-test at {COVERAGES[3]:.0%} of street, {months[0]:%Y-%m} to {months[-1]:%Y-%m}"
        )
        return render_html_table(title, facts, next_call="pp.plot.coverage(backtest)")

    def __str__(self) -> str:
        months = self.trials.origins
        span = f"{len(months)} months, {months[0]:%Y-%m} to {months[-1]:%Y-%m}"
        lines = [f"Back-test on {span}; each model knew only the months before.", *LEGEND]
        chosen = self.results[self.results["chosen"]]
        for category, rows in chosen.groupby("category", sort=False):
            events = rows["n_events"].iloc[0]
            number = "number not told" if np.isnan(events) else f"{int(events):,} incidents"
            lines.append(f"{category} ({number})")
            if events < MIN_EVENTS_TO_CHOOSE or rows["pai"].isna().all():
                lines.append("    too few incidents to tell")
                continue
            lines += [_format_row(row) for row in rows.itertuples()]
        return "\n".join([*lines, *(str(choice) for choice in self.choices)])


def backtest_risk(
    area: StudyArea,
    *,
    origins: tuple[str, str] | None = None,
    categories: Sequence[str] | None = None,
    seed: int | None = None,
) -> Backtest:
    """Test every risk model on months that it had not seen.

    Parameters
    ----------
    area
        The incidents.
    origins
        First and last month to be scored, "YYYY-MM"; by default the last twelve that have twelve
        months before them, or all that have six.
    categories
        Categories to be scored; by default those that count for the risk.
    seed
        Start of all draws; by default that of the settings.

    Raises
    ------
    InputError
        When the months are too few, or a month or category does not occur.
    """
    settings = area.settings
    seed = settings.seed if seed is None else seed
    history = _build_checked_history(area, categories)
    first, last = _select_span(history, origins)
    harm = get_harm_days(history.targets, settings.risk.harm)
    months = history.months
    scored = list(months[(months >= months[MIN_HISTORY_MONTHS]) & (months <= last)])
    models = build_models(settings.risk.half_life_months, seed)
    everything = run_trials(history, models, scored, harm, seed=seed)
    trials = everything.since(first)
    reference = simulate_reference(history, harm, len(trials.origins), seed=seed)
    fewest = settings.privacy.min_crime_count
    few = trials.events.sum(axis=0) < fewest
    chosen = (everything.choose_for(column) for column in range(len(history.targets)))
    return Backtest(
        results=_suppress_small(_build_results(trials, reference, seed), trials, few),
        trials=trials,
        choices=tuple(replace(choice, min_crime_count=fewest) for choice in chosen),
        curves=_suppress_small(_build_curves(trials, reference, seed), trials, few),
    )


def _build_checked_history(area: StudyArea, categories: Sequence[str] | None) -> History:
    history = build_history(area, categories)
    missing = [name for name in categories or () if name not in history.targets]
    if missing:
        there = ", ".join(sorted(area.incidents["category"].unique()))
        what = f"no incident of {', '.join(missing)} in the area"
        remedy = f"choose from: {there}"
        raise _error(what, remedy, "categories")
    if len(history) <= MIN_HISTORY_MONTHS:
        what = (
            f"a back-test needs {MIN_HISTORY_MONTHS + 1} months or more, there are {len(history)}"
        )
        raise _error(what, remedy="add earlier months", file="[sources] crimes")
    return history


def _select_span(
    history: History, origins: tuple[str, str] | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last month to be scored."""
    months = history.months
    if origins is None:
        before = min(12, max(MIN_HISTORY_MONTHS, len(months) - DEFAULT_ORIGINS))
        return months[max(before, len(months) - DEFAULT_ORIGINS)], months[-1]
    asked = [_parse_month(text) for text in origins]
    allowed = months[MIN_HISTORY_MONTHS:]
    for month, text in zip(asked, origins, strict=True):
        if month not in allowed:
            span = f"{allowed[0]:%Y-%m}..{allowed[-1]:%Y-%m}"
            remedy = f"choose months with data and {MIN_HISTORY_MONTHS} months before them"
            what = f"{text} cannot be scored, it lies outside {span}"
            raise _error(what, remedy)
    if asked[0] > asked[1]:
        what = f"{origins[0]} is after {origins[1]}"
        raise _error(what, remedy="swap them")
    return asked[0], asked[1]


def _parse_month(text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(pd.Period(text, freq="M").start_time)
    except ValueError:
        what = f"'{text}' is no month"
        raise _error(what, remedy="write YYYY-MM") from None


def _error(what: str, remedy: str, file: str = "origins") -> InputError:
    return InputError.one(file, what, remedy)


def _compute_pai(hits: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """PAI of (..., j, q) hits out of (..., j) totals; NaN where nothing happened."""
    return np.asarray(_safe_divide(hits, totals[..., None]) / np.asarray(COVERAGES))


def _safe_divide(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    part, whole = np.broadcast_arrays(part, whole)
    unknown = np.full(part.shape, np.nan)
    return np.asarray(np.divide(part, whole, out=unknown, where=whole > 0))


def _resample_months(
    trials: Trials, counted: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hits (m, draws, j, q) and totals (draws, j) of the draws of months."""
    hits = np.einsum("do,mojq->mdjq", counted, trials.hits)
    return hits, np.einsum("do,oj->dj", counted, trials.totals)


def _build_results(trials: Trials, reference: Reference, seed: int) -> pd.DataFrame:
    """One row for each category, model and coverage."""
    months = len(trials.origins)
    usual = trials.models.index(PRIOR_COUNT)
    hits, totals = trials.hits.sum(axis=1), trials.totals.sum(axis=0)
    pai = _compute_pai(hits, totals)
    difference = pai - pai[usual]
    drawn_hits, drawn_totals = _resample_months(trials, draw_months(months, seed=seed))
    drawn = np.stack([_compute_pai(model, drawn_totals) for model in drawn_hits], axis=1)
    low, high = compute_interval(difference, drawn - drawn[:, [usual]], months)
    earlier = trials.earlier_hits.sum(axis=1)
    grown = _safe_divide(totals, trials.earlier_totals.sum(axis=0))[:, None]
    measures = {
        "pai": pai,
        "pei": _safe_divide(hits, trials.best_hits.sum(axis=0)),
        "hit_rate": _safe_divide(hits, totals[:, None]),
        "rri": _safe_divide(_safe_divide(hits, earlier), grown),
        "n_events": trials.events.sum(axis=0)[:, None],
        "ratio": _safe_divide(hits, hits[usual]),
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "reference": reference.pai,
        "reference_low": reference.low,
        "reference_high": reference.high,
        "reference_ratio": reference.ratio,
    }
    names = pd.MultiIndex.from_product(
        [trials.categories, trials.models, COVERAGES], names=["category", "model", "coverage"]
    )
    table = pd.DataFrame(
        {
            name: np.broadcast_to(values, pai.shape).transpose(1, 0, 2).ravel()
            for name, values in measures.items()
        },
        index=names,
    ).reset_index()
    table["chosen"] = table["model"] == AUTO
    return table[list(COLUMNS)]


def _suppress_small(table: pd.DataFrame, trials: Trials, few: NDArray[np.bool_]) -> pd.DataFrame:
    """A table without the numbers of categories that have too few incidents to be told.

    Nor is it told how many there were of all categories, or the rest would tell it.
    """
    names = np.array(trials.categories)
    hidden = table["category"].isin(names[few]).to_numpy()
    if hidden.any() and "n_events" in table:
        table = table.astype({"n_events": "float64"})
        table.loc[table["category"] == names[-1], "n_events"] = np.nan
    numbers = table.columns.difference(["category", "model", "chosen", "coverage"])
    table.loc[hidden, numbers] = np.nan
    return table


def _build_curves(trials: Trials, reference: Reference, seed: int) -> pd.DataFrame:
    """PAI of the chosen model and of prior counts by coverage, with interval and reference."""
    months = len(trials.origins)
    auto, usual = trials.models.index(AUTO), trials.models.index(PRIOR_COUNT)
    pai = _compute_pai(trials.hits.sum(axis=1), trials.totals.sum(axis=0))
    drawn_hits, drawn_totals = _resample_months(trials, draw_months(months, seed=seed))
    low, high = compute_interval(pai[auto], _compute_pai(drawn_hits[auto], drawn_totals), months)
    names = pd.MultiIndex.from_product(
        [trials.categories, COVERAGES], names=["category", "coverage"]
    )
    columns = {"pai": pai[auto], "pai_low": low, "pai_high": high, "prior_count": pai[usual]}
    columns |= {"reference": reference.pai, "reference_low": reference.low}
    columns |= {"reference_high": reference.high}
    table = {name: values.ravel() for name, values in columns.items()}
    return pd.DataFrame(table, index=names).reset_index()


def _format_row(row: Any) -> str:  # noqa: ANN401 - a row of `results`
    """One line of the printed table."""
    sure = f"{row.difference:+.2f} ({row.difference_low:+.2f} to {row.difference_high:+.2f})"
    chance = f"[{row.reference:.2f}, {row.reference_low:.2f} to {row.reference_high:.2f}]"
    return (
        f"    {row.coverage:4.0%}  PAI {row.pai:6.2f}  ratio {row.ratio:5.3f}  "
        f"difference {sure}  {chance}"
    )
