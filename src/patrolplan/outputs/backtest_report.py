"""A back-test as a document, in words, and as a folder with tables and curves."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from patrolplan.outputs import plot
from patrolplan.outputs.output_folder import write_json
from patrolplan.patrols.patrol_backtest import PatrolBacktest
from patrolplan.risk.backtest import Backtest


def build_backtest_document(risk: Backtest, patrols: PatrolBacktest | None) -> dict[str, Any]:
    """Results of risk and patrols for `backtest.json`; what cannot be computed is null."""
    summary = [] if patrols is None else _format_records(patrols.summary())
    return {"results": _format_records(risk.results), "patrols": summary}


def write_backtest(risk: Backtest, patrols: PatrolBacktest | None, folder: Path) -> None:
    """Write the results as JSON and CSV, and a coverage curve for each category."""
    write_json(folder / "backtest.json", build_backtest_document(risk, patrols))
    risk.results.to_csv(folder / "risk.csv", index=False, lineterminator="\n")
    if patrols is not None:
        patrols.summary().to_csv(folder / "patrols.csv", index=False, lineterminator="\n")
    with mpl.rc_context({"svg.hashsalt": "patrolplan"}):
        for category in risk.categories:
            figure = Figure(figsize=(7, 4.5), layout="constrained")
            plot.coverage(risk, category, axes=figure.subplots())
            name = "".join(sign if sign.isalnum() else "-" for sign in category.lower())
            figure.savefig(folder / f"coverage-{name}.svg", metadata={"Date": None})


def _format_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table with plain numbers; NaN becomes null."""
    records: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=6))
    return records
