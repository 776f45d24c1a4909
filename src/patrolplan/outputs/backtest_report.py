"""A back-test as a document, in words, and as a folder with tables and curves."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from patrolplan.outputs import plot
from patrolplan.outputs.output_folder import write_json
from patrolplan.patrols.hotspot_backtest import CHOSEN_BY, ChosenBy, HotspotComparison
from patrolplan.patrols.patrol_backtest import PatrolBacktest
from patrolplan.risk.backtest import Backtest
from patrolplan.risk.models import MIN_EVENTS_TO_COMPARE
from patrolplan.risk.rolling_origin import ALL_CATEGORIES
from patrolplan.text import format_count, format_percent

CHOSEN_WORDS: Mapping[ChosenBy, str] = {
    "theirs": "designated places",
    "ours": "streets of most expected harm",
    "our hotspots": "patrolplan's hotspots",
    "prior count": "last year's counts",
}
CATEGORY_WORDS = {ALL_CATEGORIES: "all, by harm"}
SAME_STREET = 0.005
"""Lengths of street that differ by a smaller share than this count as equal."""


def build_backtest_document(
    risk: Backtest, patrols: PatrolBacktest | None, designated: HotspotComparison | None = None
) -> dict[str, Any]:
    """Results of risk and patrols for `backtest.json`; what cannot be computed is null.

    Patrols are not tested if only the crime inside a window of the day is. `designated` is empty if
    the force has no hotspots of its own.
    """
    summary = [] if patrols is None else _format_records(patrols.summary())
    document = {"results": _format_records(risk.results), "patrols": summary, "designated": []}
    if designated is not None:
        table = designated.results.assign(flattered_months=designated.flattered_months)
        document["designated"] = _format_records(table)
    return document


def describe_comparison(compared: HotspotComparison) -> list[str]:
    """Lines on the force's own places against ours: shares of all harm, and how fair that is."""
    rows = {row.chosen_by: row for row in _list_rows(compared) if row.category == ALL_CATEGORIES}
    theirs, lines = rows["theirs"], []
    if theirs.n_events < MIN_EVENTS_TO_COMPARE or np.isnan(theirs.pai):
        lines.append("Designated places: too few incidents to tell.")
    else:
        lines.append(
            f"Designated places hold {format_percent(theirs.hit_rate)} of harm on "
            f"{format_percent(theirs.coverage, 1)} of the street (PAI {theirs.pai:.2f})."
        )
        lines += [f"  {_describe_way(rows[name], theirs)}" for name in CHOSEN_BY[1:]]
    return [*lines, *_list_cautions(compared)]


def _list_rows(compared: HotspotComparison) -> list[Any]:
    return list(compared.results.itertuples())


def _describe_way(row: Any, theirs: Any) -> str:  # noqa: ANN401 - rows of `results`
    """The share of harm of one way to choose streets, and its difference from the force's own."""
    low, high = row.difference_low, row.difference_high
    holds = f"{CHOSEN_WORDS[row.chosen_by]}: {format_percent(row.hit_rate)} on"
    if np.isclose(row.coverage, theirs.coverage, rtol=SAME_STREET):
        per_pai = 100 * row.coverage
        sure = _format_interval(per_pai * row.difference, per_pai * low, per_pai * high, 1)
        return f"{holds} as much street (PAI {row.pai:.2f}), {sure} percentage points"
    sure = _format_interval(row.difference, low, high, 2)
    street = f"{format_percent(row.coverage, 1)} of the street"
    return f"{holds} {street} (PAI {row.pai:.2f}), {sure} of PAI"


def _format_interval(difference: float, low: float, high: float, digits: int) -> str:
    """A difference with its interval, if known."""
    if np.isnan(low):
        return f"{difference:+.{digits}f}"
    return f"{difference:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def list_comparison_rows(compared: HotspotComparison) -> list[tuple[str, ...]]:
    """Rows of the printed table: category, whose streets, shares, PAI, difference of PAI."""
    rows: list[tuple[str, ...]] = []
    for row in _list_rows(compared):
        is_theirs = row.chosen_by == "theirs"
        has_pai = not np.isnan(row.pai)
        sure = _format_interval(row.difference, row.difference_low, row.difference_high, 2)
        numbers = (format_percent(row.hit_rate, 1), f"{row.pai:.2f}", "" if is_theirs else sure)
        rows.append(
            (
                CATEGORY_WORDS.get(row.category, row.category) if is_theirs else "",
                CHOSEN_WORDS[row.chosen_by],
                "" if np.isnan(row.coverage) else format_percent(row.coverage, 1),
                *(numbers if has_pai else ("", "", "")),
            )
        )
    return rows


def _list_cautions(compared: HotspotComparison) -> list[str]:
    """What a reader should know before believing the comparison."""
    months = format_count(len(compared.months), "hold-out month")
    how = "All but the designated places are chosen from the months before each, by harm"
    lines = [f"Counted in {months}, at all hours. {how}; in brackets 95 % intervals."]
    if compared.flattered_months is None:
        lines.append(
            "It is not known when the designated places were drawn. Drawn with these months in "
            "sight, they look better than they are: give them a column 'drawn' (YYYY-MM)."
        )
    elif compared.flattered_months:
        lines.append(
            f"{compared.flattered_months} of these months had begun when the designated places "
            "were drawn, which makes them look better than they are."
        )
    if compared.snapped:
        lines.append(
            "Each crime counts on the streets around its map point, for all of them alike."
        )
    if compared.outside:
        places = format_count(compared.places, "designated place")
        lines.append(f"{compared.outside} of {places} have no street of the area.")
    return lines


def write_backtest(
    risk: Backtest,
    patrols: PatrolBacktest | None,
    folder: Path,
    designated: HotspotComparison | None = None,
) -> None:
    """Write the results as JSON and CSV, and a coverage curve for each category."""
    write_json(folder / "backtest.json", build_backtest_document(risk, patrols, designated))
    if designated is not None:
        table = designated.results
        table.to_csv(folder / "designated.csv", index=False, lineterminator="\n")
    risk.results.to_csv(folder / "risk.csv", index=False, lineterminator="\n")
    if patrols is not None:
        patrols.summary().to_csv(folder / "patrols.csv", index=False, lineterminator="\n")
    with mpl.rc_context({"svg.hashsalt": "patrolplan"}):
        for category in risk.trials.categories:
            figure = Figure(figsize=(7, 4.5), layout="constrained")
            plot.coverage(risk, category, axes=figure.subplots())
            name = "".join(sign if sign.isalnum() else "-" for sign in category.lower())
            figure.savefig(folder / f"coverage-{name}.svg", metadata={"Date": None})


def _format_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table with plain numbers; NaN becomes null."""
    records: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=6))
    return records
