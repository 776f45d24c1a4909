"""Back-test: how sure the ranking of streets is, measured on hold-out months."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.area.designated import find_designated_pieces
from patrolplan.area.patrol_window import Window, read_window
from patrolplan.doors import Origins, list_values, read_month
from patrolplan.errors import InputError, Problems
from patrolplan.risk.history import History, build_history, get_harm_days
from patrolplan.risk.intervals import compute_interval, draw_months
from patrolplan.risk.models import (
    AUTO,
    MIN_HISTORY_MONTHS,
    MODELS,
    POISSON,
    PRIOR,
    SHRUNK,
    SMOOTHED,
    expect_shrunk,
    smooth_prior,
)
from patrolplan.risk.own_model import Estimator, wrap_estimators
from patrolplan.risk.rolling_origin import (
    ALL_CATEGORIES,
    AUTO_ALL_HOURS,
    BEST,
    DESIGNATED,
    PRIOR_BY_CLOCK,
    TENTHS,
    Scorer,
    build_mask,
    check_times_known,
)
from patrolplan.risk.scores import COVERAGES, DECILES, divide, simulate_reference
from patrolplan.tables import render_html_table
from patrolplan.text import format_percent

MARGIN_COVERAGE = 0.05  # coverage of the short table

MIN_EVENTS_TO_COMPARE = 100
"""Minimum of incidents in the months compared for a gain over prior counts to be given."""

DEFAULT_ORIGINS = 12
"""Number of last months scored by default: a year, so that every season is in it."""

OUR_NAMES = (AUTO, *MODELS, SMOOTHED, BEST, DESIGNATED, AUTO_ALL_HOURS, PRIOR_BY_CLOCK)
"""Names of models that the user's own cannot have."""

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
    pai_low: float | None
    pai_high: float | None
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

    # One row for each category, model and coverage, a share of street length, with the `COLUMNS`:
    # `pai` is the share of crime captured over that; `pei` the same over the best possible; `rri`
    # how stable the slice is against the twelve months before; `ratio` and `difference` of PAI are
    # to prior counts on equal metres; `reference` is what a model that knew the true rates would
    # get. `log_score_gain` is in bits an incident over the smoothed prior count.
    # `observed_over_expected` has ten numbers, from the places of least to those of most expected
    # crime, each a tenth of it. Of "all" PAI weighs harm, the last two count every incident alike.
    # Intervals are of 95 %, over months. Small numbers are suppressed here, and only here.
    results: pd.DataFrame
    # The sums of each month that the results are computed from, see
    # `patrolplan.risk.rolling_origin.Scorer.run`.
    months: pd.DataFrame
    own: tuple[str, ...] = ()  # Names of the models that the user gave

    @property
    def origins(self) -> pd.DatetimeIndex:
        """The months that were scored."""
        return pd.DatetimeIndex(self.months["month"].unique())

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that were scored, all of them together last."""
        return tuple(self.results["category"].unique())

    def __repr__(self) -> str:
        origins = self.origins
        return (
            f"<Backtest: {self.results['model'].nunique()} models, {len(self.categories)} "
            f"categories, {origins[0]:%Y-%m} to {origins[-1]:%Y-%m}>"
        )

    def _repr_html_(self) -> str:
        chosen = self.results.query("chosen and coverage == @MARGIN_COVERAGE")
        facts = {
            str(row.category): f"PAI {row.pai:.2f}, {row.ratio:.2f} times the prior count "
            f"(difference {row.difference_low:+.2f} to {row.difference_high:+.2f})"
            for row in chosen.itertuples()
        }
        span = f"{self.origins[0]:%Y-%m} to {self.origins[-1]:%Y-%m}"
        title = f"Back-test at {format_percent(MARGIN_COVERAGE)} of street length, {span}"
        return render_html_table(title, facts, next_call="pp.plot.coverage(backtest)")

    def __str__(self) -> str:
        months = self.origins
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
            lines += _format_rows(rows)
            of_category = self.results[self.results["category"] == category]
            for name in self.own:
                lines += [f"  {name}", *_format_rows(of_category[of_category["model"] == name])]
        return "\n".join(lines)


def backtest_risk(
    area: StudyArea,
    *,
    origins: Origins | None = None,
    categories: str | Sequence[str] | None = None,
    seed: int | None = None,
    window: Window | str | None = None,
    models: Mapping[str, Estimator] | None = None,
) -> Backtest:
    """Test every risk model on months that it had not seen.

    Parameters
    ----------
    area
        The incidents.
    origins
        The months to be scored: one, the first and last of a span in a tuple, or a list of months;
        by default the last twelve that have twelve months before them, or all that have six.
    categories
        One category, or several; by default those that count for the risk.
    seed
        Start of all draws; by default that of the settings.
    window
        See `estimate_risk`: only incidents inside it, on school days, are scored, and
        risk by the clock is compared with that of all hours. It needs times of day.
    models
        Models of your own by name, which stand in the table next to ours: estimators of
        scikit-learn's conventions, see `docs/how-to/own-model.md` for what they
        learn from. Each is cloned for every month and category, and is given only the months
        before.

    Raises
    ------
    InputError
        When the months are too few, a month or category does not occur, or times of day are not
        known that the window needs; when a model of your own lacks a method, cannot be cloned, or
        predicts a value that is not valid.
    """
    settings = area.settings
    seed = settings.seed if seed is None else seed
    own = wrap_estimators(models or {}, OUR_NAMES, seed)
    limits = None if window is None else read_window(settings.patrol, window)
    if limits is not None:
        check_times_known(area)  # before the slow part
    wanted = None if categories is None else [str(name) for name in list_values(categories)]
    history = build_checked_history(area, wanted)
    months = select_origins(history, origins)
    harm = get_harm_days(history.targets, settings.risk.harm)
    mask = None if limits is None else build_mask(area, history, limits)
    scorer = Scorer(history, harm, mask, _find_designated_share(area, history))
    # The regression takes ten times as long as all others: only where the settings name it.
    names = [one for one in MODELS if one not in {SHRUNK, POISSON} or one == settings.risk.model]
    ours = {AUTO: expect_shrunk, **{one: MODELS[one] for one in names}, SMOOTHED: smooth_prior}
    frame = scorer.run(ours | own, list(months))
    results = _build_results(frame, seed)
    if limits is None:
        reference = simulate_reference(history, harm, frame["month"].nunique(), seed=seed)
        results = _add_reference(results, reference)
    results["window"] = str(window) if isinstance(window, Window) else window
    results = _suppress_small(results.reindex(columns=[*COLUMNS]), settings.privacy.min_crime_count)
    return Backtest(results, frame, tuple(own))


def _find_designated_share(area: StudyArea, history: History) -> NDArray[np.float64] | None:
    """(c,) share of each place's street in the polygons of the force; None without any."""
    polygons = find_designated_pieces(area)
    if not polygons:
        return None
    catchments = history.units.catchments
    inside = np.zeros(len(catchments.piece_share))
    inside[np.concatenate(polygons)] = 1.0
    return history.units.sum_pieces(inside * catchments.piece_share)


def build_checked_history(area: StudyArea, categories: Sequence[str] | None = None) -> History:
    """The history of an area whose months are enough for a back-test."""
    history = build_history(area, categories)
    missing = [name for name in categories or () if name not in history.targets]
    if missing:
        present = ", ".join(sorted(area.incidents["category"].unique()))
        where, what = "categories", f"no incident of {', '.join(missing)} in the area"
        raise InputError.one(where, what, f"choose from: {present}")
    if len(history) <= MIN_HISTORY_MONTHS:
        where, needed = "[sources] crimes", MIN_HISTORY_MONTHS + 1
        what = f"a back-test needs {needed} months of crime or more, but there are {len(history)}"
        raise InputError.one(where, what, "add earlier months")
    return history


def select_origins(history: History, origins: Origins | None) -> pd.DatetimeIndex:
    """The months to be scored, in order; `InputError` names each that cannot be."""
    where = "origins"
    months = history.months
    held = history.held_months
    if origins is None:
        before = min(12, max(MIN_HISTORY_MONTHS, len(months) - DEFAULT_ORIGINS))
        return held[held >= months[max(before, len(months) - DEFAULT_ORIGINS)]]
    allowed = held[held >= months[MIN_HISTORY_MONTHS]]
    span = f"{allowed[0]:%Y-%m}..{allowed[-1]:%Y-%m}"
    problems = Problems()
    chosen = []
    for origin in list_values(origins):
        with problems.collect():
            chosen.append(read_month(origin, where))
    for month in chosen:
        if month not in allowed:
            what = f"{month:%Y-%m} cannot be tested: it lies outside {span}, or is missing there"
            remedy = f"choose months with data and {MIN_HISTORY_MONTHS} months before them"
            problems.add(where, what, remedy)
    problems.raise_if_any()
    if not chosen:
        raise InputError.one(where, "names no month", f"give one or several of {span}")
    is_span = isinstance(origins, tuple) and len(origins) == 2  # noqa: PLR2004 - first and last
    if not is_span:
        return pd.DatetimeIndex(chosen).unique().sort_values()
    first, last = chosen
    if first > last:
        raise InputError.one(where, f"{first:%Y-%m} is after {last:%Y-%m}", "swap them")
    return held[(held >= first) & (held <= last)]


def _build_results(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """`Backtest.results` but for the reference and the window; small numbers are in it."""
    keys = ["category", "model", "coverage"]
    categories = frame["category"].unique()
    sums = frame.drop(columns="month").groupby(keys, sort=False).sum(min_count=1)
    sums = sums.reindex(categories, level="category")
    rows, coverage = sums.index, sums.index.get_level_values("coverage").to_numpy()

    def find_rows(model: str) -> NDArray[np.int64]:
        """Row of another model in each row's category and coverage."""
        at = rows.to_frame().assign(model=model)
        return np.asarray(rows.get_indexer(pd.MultiIndex.from_frame(at)))

    by_month = frame.pivot_table(index=keys, columns="month").reindex(rows)
    captured, total, bits, events = (
        by_month[name].to_numpy(np.float64) for name in ("captured", "total", "bits", "events")
    )
    months = frame["month"].nunique()
    draws = draw_months(months, seed=seed)
    pai = divide(sums["captured"], sums["total"]) / coverage
    drawn = divide(draws @ captured.T, draws @ total.T) / coverage
    prior, gains = find_rows(PRIOR), bits - bits[find_rows(SMOOTHED)]
    gain = divide(gains.sum(axis=1), sums["events"])
    growth = divide(sums["total"], sums["earlier_total"])
    measures = {
        "pai": pai,
        "pei": divide(sums["captured"], sums["captured"].to_numpy()[find_rows(BEST)]),
        "hit_rate": pai * coverage,
        "rri": divide(divide(sums["captured"], sums["earlier"]), growth),
        "n_events": sums["events"].to_numpy(),
        "ratio": divide(pai, pai[prior]),
        "difference": pai - pai[prior],
        "log_score_gain": gain,
    }
    for name, value, sample in (
        ("pai", pai, drawn),
        ("difference", pai - pai[prior], drawn - drawn[:, prior]),
        ("log_score", gain, divide(draws @ gains.T, draws @ events.T)),
    ):
        sure = np.where(np.isnan(value), 0.0, sample)  # all draws of what is unknown are NaN
        low, high = compute_interval(value, sure, months)
        measures |= {f"{name}_low": low, f"{name}_high": high}
    results = pd.DataFrame(measures, index=rows).reset_index()
    tenths = divide(sums[TENTHS], sums["expected"].to_numpy()[:, None] / DECILES).round(6)
    results["observed_over_expected"] = tenths.tolist()
    results["chosen"] = results["model"] == AUTO
    return results[results["model"] != BEST].reset_index(drop=True)


def _add_reference(
    results: pd.DataFrame, reference: Mapping[str, NDArray[np.float64]]
) -> pd.DataFrame:
    """With the (j + 1, q) figures of `simulate_reference` in the rows of each category."""
    names = [list(results["category"].unique()), [*COVERAGES]]
    rows = pd.MultiIndex.from_product(names, names=["category", "coverage"])
    columns = {name: values.ravel() for name, values in reference.items()}
    return results.join(pd.DataFrame(columns, index=rows), on=["category", "coverage"])


def _suppress_small(table: pd.DataFrame, least: int) -> pd.DataFrame:
    """Remove the numbers of categories, and of polygons, with fewer incidents than may be shown."""
    # What all categories together have goes too, or the difference would show the hidden one.
    hidden = table["n_events"] < least
    inside, is_all = table["model"] == DESIGNATED, table["category"] == ALL_CATEGORIES
    few = inside & ~is_all & (table["hit_rate"] * table["n_events"] < least)
    hidden = hidden | few | (inside & is_all & bool(few.any()))
    if not hidden.any():
        return table
    lists = table["observed_over_expected"].mask(hidden, None)
    table = table.assign(observed_over_expected=lists)
    table.loc[is_all, "n_events"] = np.nan
    table.loc[hidden, table.select_dtypes("number").columns.drop("coverage")] = np.nan
    return table


def _format_rows(rows: pd.DataFrame) -> list[str]:
    """Lines of the printed table on a model, one a coverage, then log score and calibration."""
    lines, table = [], list[Any](rows.itertuples())
    for row in table:
        sure = f"{row.difference:+.2f} ({row.difference_low:+.2f} to {row.difference_high:+.2f})"
        chance = f"[{row.reference:.2f}, {row.reference_low:.2f} to {row.reference_high:.2f}]"
        lines.append(
            f"    {format_percent(row.coverage):>4}  PAI {row.pai:6.2f}  ratio {row.ratio:5.3f}  "
            f"difference {sure}  {chance}"
        )
    first = table[0]
    sure = f"({first.log_score_low:+.3f} to {first.log_score_high:+.3f})"
    tenths = " ".join(f"{ratio:.2f}" for ratio in first.observed_over_expected)
    lines.append(f"    log score {first.log_score_gain:+.3f} bits an incident {sure}")
    return [*lines, f"    recorded over expected {tenths}"]
