"""Back-test: how sure the priority streets are, measured on hold-out months."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import resolve_window
from patrolplan.errors import InputError
from patrolplan.risk.calibration import DECILES
from patrolplan.risk.choices import compute_log_score_gain, describe_stack
from patrolplan.risk.estimators import Estimator, wrap_estimators
from patrolplan.risk.history import History, build_history, get_harm_days
from patrolplan.risk.intervals import compute_interval, draw_months
from patrolplan.risk.models import MIN_EVENTS_TO_COMPARE, PRIOR_COUNT, ModelChoice, build_models
from patrolplan.risk.rolling_origin import (
    AUTO,
    MARGIN_COVERAGE,
    MIN_HISTORY_MONTHS,
    Trials,
    run_trials,
)
from patrolplan.risk.scores import COVERAGES, Reference, compute_pai, divide, simulate_reference
from patrolplan.risk.window_trials import (
    AUTO_ALL_HOURS,
    PRIOR_BY_CLOCK,
    check_times_known,
    run_window_trials,
)
from patrolplan.tables import render_html_table
from patrolplan.text import format_percent

DEFAULT_ORIGINS = 12
"""Number of last months scored by default: a year, so that every season is in it."""

RESERVED_NAMES = (AUTO, AUTO_ALL_HOURS, PRIOR_BY_CLOCK)
"""Names in the tables that are ours but not in `MODELS`."""

LEGEND = (
    "PAI: the share of crime in the streets of highest risk, over their share of street length.",
    "ratio, difference: the chosen model's PAI compared with that of a simple count of the",
    "previous 12 months; in round brackets the 95 % interval of the difference.",
    "[ ]: the PAI of a model that knew the true rates, and the range of it that is 95 % likely.",
    "log score: how much better it was predicted where crime came than by a smoothed count of the",
    "previous 12 months, in bits an incident (1 bit: twice as likely), with its 95 % interval.",
    "recorded over expected: from the tenth of least to the tenth of most expected crime.",
)


@dataclass(frozen=True)
class BacktestRow:
    """A row of `Backtest.results`, see there; null in files means not known."""

    category: str
    model: str
    chosen: bool
    coverage: float
    pai: float | None
    pei: float | None
    hit_rate: float | None
    rri: float | None
    n_events: float | None
    ratio: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    reference: float | None
    reference_low: float | None
    reference_high: float | None
    reference_ratio: float | None
    log_score_gain: float | None
    log_score_low: float | None
    log_score_high: float | None
    observed_over_expected: list[float | None] | None
    window: str | None


COLUMNS = tuple(one.name for one in fields(BacktestRow))  # columns of `Backtest.results`


@dataclass(frozen=True, eq=False)
class Backtest:
    """What every model captured on months that it had not seen."""

    # One row for each category, model and coverage, with the `COLUMNS`. Coverage is a share of
    # the street length; `pai` the share of crime captured over that; `pei` the same as a share of
    # the best possible; `rri` the stability of the slice against the twelve months before;
    # `ratio` and `difference` of PAI are to prior counts of twelve months, with the 95 % interval
    # of the difference over months. `reference` is what a model that knew the true rates would
    # get, with the interval of chance, and `reference_ratio` its ratio to prior counts.
    # `log_score_gain`, with its 95 % interval, is in bits an incident over the smoothed prior
    # count (see `patrolplan.risk.stack`); of "all" it is the mean over all incidents.
    # `observed_over_expected` has ten numbers, incidents recorded over those expected, from the
    # places of least to those of most expected crime, each a tenth of it; of "all" every incident
    # counts alike. `window` names the window of day whose incidents were scored, None where all.
    # `chosen` marks the model "auto": the pooled stack, with the weights known at each month.
    results: pd.DataFrame
    trials: Trials  # The hits by month that the results are computed from
    # For each category, the stack's weights of the models for the next month, and its gain.
    choices: tuple[ModelChoice, ...]
    # For each category, the chosen model's PAI with its 95 % interval over months.
    curves: pd.DataFrame
    own: tuple[str, ...] = ()  # Names of the models that the user gave

    def __repr__(self) -> str:
        months = self.trials.origins
        return (
            f"<Backtest: {len(self.trials.models)} models, {len(self.trials.categories)} "
            f"categories, {months[0]:%Y-%m} to {months[-1]:%Y-%m}>"
        )

    def _repr_html_(self) -> str:
        months = self.trials.origins
        chosen = self.results[
            self.results["chosen"] & (self.results["coverage"] == MARGIN_COVERAGE)
        ]
        facts = {
            str(row["category"]): f"PAI {row['pai']:.2f}, {row['ratio']:.2f} times the prior count "
            + (
                "(too few months for an interval)"
                if pd.isna(row["difference_low"])
                else f"(difference {row['difference_low']:+.2f} to {row['difference_high']:+.2f})"
            )
            for row in chosen.to_dict("records")
        }
        title = (
            f"Back-test at {format_percent(MARGIN_COVERAGE)} of street length, "
            f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}"
        )
        return render_html_table(title, facts, next_call="pp.plot.coverage(backtest)")

    def __str__(self) -> str:
        months = self.trials.origins
        span = f"{len(months)} months, {months[0]:%Y-%m} to {months[-1]:%Y-%m}"
        lines = [f"Back-test on {span}; each model knew only the months before.", *LEGEND]
        chosen = self.results[self.results["chosen"]]
        window = chosen["window"].iloc[0]
        if window is not None:
            lines.append(f"Only crime inside the window '{window}', on school days, is counted.")
        for category, rows in chosen.groupby("category", sort=False):
            events = rows["n_events"].iloc[0]
            number = "number suppressed" if np.isnan(events) else f"{int(events):,} incidents"
            lines.append(f"{category} ({number})")
            if events < MIN_EVENTS_TO_COMPARE or rows["pai"].isna().all():
                lines.append("    too few incidents to tell")
                continue
            lines += [_format_row(row) for row in rows.itertuples()]
            lines += _format_log_score(next(rows.itertuples()))
            lines += self._format_own(str(category))
        return "\n".join(lines)

    def _format_own(self, category: str) -> list[str]:
        """Lines of the printed table on the models that the user gave."""
        rows = self.results[self.results["category"] == category]
        lines = []
        for name in self.own:
            mine = rows[rows["model"] == name]
            lines += [f"  {name}", *(_format_row(row) for row in mine.itertuples())]
            lines += _format_log_score(next(mine.itertuples()))
        return lines


def backtest_risk(
    area: StudyArea,
    *,
    origins: tuple[str, str] | None = None,
    categories: Sequence[str] | None = None,
    seed: int | None = None,
    window: str | None = None,
    models: Mapping[str, Estimator] | None = None,
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
    window
        Name of a window of the settings: only incidents inside it, on school days, are scored, and
        risk by the clock is compared with that of all hours. It needs times of day.
    models
        Models of your own by name, which stand in the table next to ours: estimators of
        scikit-learn's conventions, see `patrolplan.risk.model_table.ModelTables` for what they
        learn from. Each is cloned for every month and category, and is given only the months
        before; it is not part of the stack.

    Raises
    ------
    InputError
        When the months are too few, a month or category does not occur, or times of day are not
        known that the window needs; when a model of your own lacks a method, cannot be cloned, or
        predicts a value that is not valid.
    """
    settings = area.settings
    seed = settings.seed if seed is None else seed
    ours = build_models(settings.risk.half_life_months, seed)
    own = wrap_estimators(models or {}, ours, RESERVED_NAMES, seed)
    limits = None if window is None else resolve_window(settings.patrol, name=window)
    if limits is not None:
        check_times_known(area)  # before the slow part
    history = _build_checked_history(area, categories)
    first, last = _select_span(history, origins)
    harm = get_harm_days(history.targets, settings.risk.harm)
    months = history.held_months
    scored = list(months[(months >= history.months[MIN_HISTORY_MONTHS]) & (months <= last)])
    everything = run_trials(
        history,
        ours | own,
        scored,
        harm,
        seed=seed,
        min_crime_count=settings.privacy.min_crime_count,
        own_since=first,
    )
    trials = everything.since(first)
    choices = describe_stack(trials, seed)
    if limits is None:
        reference = simulate_reference(history, harm, len(trials.origins), seed=seed)
    else:
        trials = run_window_trials(area, history, ours | own, trials, harm, limits, seed=seed)
        reference = Reference.unknown(len(trials.categories))
    results, curves = _build_tables(trials, reference, seed)
    results["window"] = window
    return Backtest(
        results=_suppress_small(results, trials),
        trials=trials,
        choices=choices,
        own=tuple(own),
        curves=_suppress_small(curves, trials),
    )


def _build_checked_history(area: StudyArea, categories: Sequence[str] | None) -> History:
    history = build_history(area, categories)
    missing = [name for name in categories or () if name not in history.targets]
    if missing:
        present = ", ".join(sorted(area.incidents["category"].unique()))
        what = f"no incident of {', '.join(missing)} in the area"
        raise _error(what, f"choose from: {present}", "categories")
    if len(history) <= MIN_HISTORY_MONTHS:
        needed = MIN_HISTORY_MONTHS + 1
        what = f"a back-test needs {needed} months of crime or more, but there are {len(history)}"
        raise _error(what, "add earlier months", "[sources] crimes")
    return history


def _select_span(
    history: History, origins: tuple[str, str] | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last month to be scored."""
    months = history.months
    if origins is None:
        before = min(12, max(MIN_HISTORY_MONTHS, len(months) - DEFAULT_ORIGINS))
        return months[max(before, len(months) - DEFAULT_ORIGINS)], months[-1]
    first, last = (_parse_month(text) for text in origins)
    allowed = history.held_months[history.held_months >= months[MIN_HISTORY_MONTHS]]
    for month, text in zip((first, last), origins, strict=True):
        if month not in allowed:
            span = f"{allowed[0]:%Y-%m}..{allowed[-1]:%Y-%m}"
            remedy = f"choose months with data and {MIN_HISTORY_MONTHS} months before them"
            what = f"{text} cannot be tested: it lies outside {span}"
            if allowed[0] < month < allowed[-1]:
                what = f"{text} cannot be tested: it is missing from the data"
            raise _error(what, remedy)
    if first > last:
        what = f"{origins[0]} is after {origins[1]}"
        raise _error(what, "swap them")
    return first, last


def _parse_month(text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(pd.Period(text, freq="M").start_time)
    except ValueError:
        what = f"'{text}' is not a valid month"
        raise _error(what, "write YYYY-MM") from None


def _error(what: str, remedy: str, file: str = "origins") -> InputError:
    return InputError.one(file, what, remedy)


def _build_tables(
    trials: Trials, reference: Reference, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`Backtest.results` and `Backtest.curves`, before small numbers are suppressed."""
    months = len(trials.origins)
    auto, prior = trials.models.index(AUTO), trials.models.index(PRIOR_COUNT)
    hits, totals = trials.hits.sum(axis=1), trials.totals.sum(axis=0)
    pai = compute_pai(hits, totals)
    weights = draw_months(months, seed=seed)
    drawn_hits = np.einsum("do,mojq->mdjq", weights, trials.hits)
    drawn_totals = np.einsum("do,oj->dj", weights, trials.totals)
    drawn = np.stack([compute_pai(model, drawn_totals) for model in drawn_hits], axis=1)
    difference = pai - pai[prior]
    low, high = compute_interval(difference, drawn - drawn[:, [prior]], months)
    earlier_rate = divide(hits, trials.earlier_hits.sum(axis=1))
    growth = divide(totals, trials.earlier_totals.sum(axis=0))[:, None]
    references = {
        "reference": reference.pai,
        "reference_low": reference.low,
        "reference_high": reference.high,
    }
    names = ("log_score_gain", "log_score_low", "log_score_high")
    log_scores = dict(zip(names, compute_log_score_gain(trials, seed), strict=True))
    tenths = trials.observed.sum(axis=1), trials.expected.sum(axis=1) / DECILES
    calibration = divide(tenths[0], tenths[1][..., None])
    measures = {
        "pai": pai,
        "pei": divide(hits, trials.best_hits.sum(axis=0)),
        "hit_rate": divide(hits, totals[:, None]),
        "rri": divide(earlier_rate, growth),
        "n_events": trials.events.sum(axis=0)[:, None],
        "ratio": divide(hits, hits[prior]),
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        **references,
        "reference_ratio": reference.ratio,
        **{name: values[..., None] for name, values in log_scores.items()},
    }
    rows = pd.MultiIndex.from_product(
        [trials.categories, trials.models, COVERAGES], names=["category", "model", "coverage"]
    )
    columns = {
        name: np.broadcast_to(values, pai.shape).transpose(1, 0, 2).ravel()
        for name, values in measures.items()
    }
    results = pd.DataFrame(columns, index=rows).reset_index()
    results["chosen"] = results["model"] == AUTO
    by_row = calibration.transpose(1, 0, 2).repeat(len(COVERAGES), axis=1).reshape(-1, DECILES)
    results["observed_over_expected"] = by_row.round(6).tolist()

    low, high = compute_interval(pai[auto], drawn[:, auto], months)
    curve = {"pai": pai[auto], "pai_low": low, "pai_high": high, "prior_count": pai[prior]}
    rows = pd.MultiIndex.from_product(
        [trials.categories, COVERAGES], names=["category", "coverage"]
    )
    columns = {name: values.ravel() for name, values in (curve | references).items()}
    return results[[*COLUMNS[:-1]]], pd.DataFrame(columns, index=rows).reset_index()


def _suppress_small(table: pd.DataFrame, trials: Trials) -> pd.DataFrame:
    """Remove the numbers of categories with fewer incidents than may be shown.

    The number of incidents of all categories goes as well, or the difference would show them.
    """
    few = trials.events.sum(axis=0) < trials.min_crime_count
    return hide_categories(table, trials.categories, few)


def hide_categories(
    table: pd.DataFrame, names: Sequence[str], few: NDArray[np.bool_]
) -> pd.DataFrame:
    """Remove the numbers of some categories of a table, and how many incidents all have together.

    `table`: With `category`; `coverage`, and what is not a number, stays. `names`, `few`: (j + 1,)
    the categories, that of all last, and whether each is to be hidden.
    """
    hidden = table["category"].isin(np.array(names)[few]).to_numpy()
    if hidden.any() and "n_events" in table:
        table = table.astype({"n_events": "float64"})
        table.loc[table["category"] == names[-1], "n_events"] = np.nan
    if "observed_over_expected" in table:
        lists = table["observed_over_expected"]
        table = table.assign(observed_over_expected=lists.mask(hidden, None))
    numbers = table.select_dtypes("number").columns.drop("coverage")
    table.loc[hidden, numbers] = np.nan
    return table


def _format_row(row: Any) -> str:  # noqa: ANN401 - a row of `results`
    """One line of the printed table."""
    sure = f"{row.difference:+.2f} ({row.difference_low:+.2f} to {row.difference_high:+.2f})"
    chance = f"[{row.reference:.2f}, {row.reference_low:.2f} to {row.reference_high:.2f}]"
    return (
        f"    {format_percent(row.coverage):>4}  PAI {row.pai:6.2f}  ratio {row.ratio:5.3f}  "
        f"difference {sure}  {chance}"
    )


def _format_log_score(row: Any) -> list[str]:  # noqa: ANN401 - a row of `results`
    """Lines of the printed table on log score and calibration."""
    sure = f"({row.log_score_low:+.3f} to {row.log_score_high:+.3f})"
    tenths = " ".join(f"{ratio:.2f}" for ratio in row.observed_over_expected)
    return [
        f"    log score {row.log_score_gain:+.3f} bits an incident {sure}",
        f"    recorded over expected {tenths}",
    ]
