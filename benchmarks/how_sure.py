"""How sure the priority streets are: measure the figures of docs/how-sure.md and write the page.

    python benchmarks/how_sure.py --write          # the page from docs/how-sure.json, in a second
    python benchmarks/how_sure.py --check          # exit 1 where page and JSON differ
    python benchmarks/how_sure.py --measure FOLDER # the JSON from data, minutes; then --write

FOLDER has `data/chicago` (crimes with minutes, see `timed_crimes.py`) and
`examples/bloomsbury.toml` (a settings file with crimes by month); a part without data is skipped,
and its figures in the JSON stay. `--only PART` measures one part.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from how_sure_page import render_block, render_page
from matplotlib.figure import Figure
from rural_area import write_rural_area

import patrolplan as pp
from patrolplan.outputs import plot
from patrolplan.outputs.governance import build_backtest_document
from patrolplan.patrols.patrol_backtest import BASELINES, OURS, backtest_patrols
from patrolplan.risk.backtest import Backtest, backtest_risk
from patrolplan.risk.rolling_origin import ALL_CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

DOCS = Path(__file__).parents[1] / "docs"
PAGE, STORE, PICTURE = (DOCS / f"how-sure.{kind}" for kind in ("md", "json", "svg"))
DEMO = DOCS.parent / "data" / "patrolplan.toml"

ORIGINS = ("2017-07", "2018-06")
SHUFFLES, INTERVAL_WORLDS, EVEN_WORLDS, DOUBLED_WORLDS = 200, 400, 60, 20
DIGITS = 4  # Decimals of stored figures: enough for the page, and the same on every computer


def measure_after_school(data: Path) -> dict[str, Any]:
    """Exponent, placebos, PAI, patrols and standing for crimes with minutes."""
    import after_school  # noqa: PLC0415 - not needed to write the page

    return {"after_school": after_school.measure(data)}


def measure_months(settings: Path) -> dict[str, Any]:
    """Back-tests of risk and patrols, month by month.

    The patrols are planned for the whole day's risk: hours of crimes are unknown there, so only the
    choice of stops can be tested, not that of hours.
    """
    area = pp.load_area(settings)
    result = backtest_risk(area, origins=ORIGINS)
    with tempfile.TemporaryDirectory() as rural:
        others = [pp.load_area(path) for path in (DEMO, write_rural_area(Path(rural)))]
        areas = [summarise(area, result), *(summarise(one, backtest_risk(one)) for one in others)]
    static = pp.with_settings(area, way_home={"exposure": {}, "clock": "flat"})
    patrols = backtest_patrols(static, origins=list(result.origins))
    draw_coverage(result, PICTURE)
    document = build_backtest_document(result, patrols)
    at_five = result.results[result.results["coverage"] == 0.05]  # noqa: PLR2004
    ratios = at_five.pivot_table(index="model", columns="category", values="ratio", sort=False)
    first, *_, last = result.origins
    pairs = zip(document["patrols"], draw_schools(patrols.results), strict=True)
    return {
        "backtest": {
            "area": area.name,
            "incidents": len(area.incidents),
            "street_km": area.network.metres / 1000,
            "catchments": len(area.catchments),
            "months": len(result.origins),
            "areas": areas,
            "first": f"{first:%B %Y}",
            "last": f"{last:%B %Y}",
            "chosen": [row for row in document["results"] if row["chosen"]],
            "ratios": [{"model": name, "ratios": row.to_dict()} for name, row in ratios.iterrows()],
        },
        "patrols": {
            "schools": int(patrols.results["urn"].nunique()),
            "planned_worth_ratio": patrols.planned_worth_ratio,
            "rows": [row | interval for row, interval in pairs],
        },
    }


def summarise(area: pp.StudyArea, result: Backtest) -> dict[str, Any]:
    """What the claims about the chosen model rest on in one area."""
    chosen = result.results[result.results["chosen"]]
    every = chosen[chosen["category"] == ALL_CATEGORIES].iloc[0]
    kinds = chosen[(chosen["category"] != ALL_CATEGORIES) & (chosen["coverage"] == 0.05)]  # noqa: PLR2004
    least = kinds.sort_values("log_score_gain").iloc[0]
    names = ("category", "log_score_gain", "log_score_low", "log_score_high")
    return {
        "area": area.name,
        "least": {name: least[name] for name in names},
        "below": int((chosen["difference_high"] < 0).sum()),
        "of": len(chosen),
        "tenths": every["observed_over_expected"],
    }


def print_models(paths: list[Path]) -> None:
    """The table of docs/methods/risk.md: every model on all crime of some areas."""
    print("| area | model | bits over the smoothed prior count | PAI at 5 % | PAI at 10 % |")
    print("| --- | --- | --- | --- | --- |")
    for path in paths:
        area = pp.with_settings(pp.load_area(path), risk={"model": "poisson"})
        results = backtest_risk(area).results
        rows = results[results["category"] == ALL_CATEGORIES].set_index(["model", "coverage"])
        for model in results["model"].unique():
            five, ten = rows.loc[model, 0.05], rows.loc[model, 0.10]
            ends = f"({five.log_score_low:+.3f} to {five.log_score_high:+.3f})"
            cells = [area.name, model, f"{five.log_score_gain:+.3f} {ends}"]
            cells += [f"{at.pai:.2f} ({at.pai_low:.2f} to {at.pai_high:.2f})" for at in (five, ten)]
            print(f"| {' | '.join(cells)} |")


def draw_schools(results: pd.DataFrame, draws: int = 2000) -> list[dict[str, float]]:
    """95 % intervals of the patrols' ratios over drawn months and drawn schools."""
    tables = {
        name: results.pivot_table(index="origin", columns="urn", values=name).to_numpy()
        for name in (OURS, *BASELINES)
    }
    rng = np.random.default_rng(1)
    months, schools = (
        rng.multinomial(number, np.full(number, 1 / number), draws) for number in tables[OURS].shape
    )
    sums = {
        name: np.einsum("do,os,ds->d", months, table, schools) for name, table in tables.items()
    }
    ends = [np.quantile(sums[OURS] / sums[name], [0.025, 0.975]) for name in BASELINES]
    return [{"places_low": float(low), "places_high": float(high)} for low, high in ends]


def measure_worlds(settings: Path) -> dict[str, Any]:
    """Hotspots, trends and intervals in simulated worlds with known truth."""
    import null_worlds  # noqa: PLC0415 - not needed to write the page

    areas = []
    for path in (DEMO, settings):
        area = pp.load_area(path)
        even = null_worlds.measure_even_worlds(area, EVEN_WORLDS)
        trends = null_worlds.measure_trends(area, SHUFFLES, DOUBLED_WORLDS)
        areas.append({"area": area.name, "even": even, "trends": trends})
    intervals = [
        {"months": months, **null_worlds.measure_intervals(months, INTERVAL_WORLDS)}
        for months in (6, 12, 24)
    ]
    return {"worlds": {"areas": areas, "intervals": intervals}}


PARTS: dict[str, tuple[str, Callable[[Path], dict[str, Any]]]] = {
    "after-school": ("data/chicago", measure_after_school),
    "months": ("examples/bloomsbury.toml", measure_months),
    "worlds": ("examples/bloomsbury.toml", measure_worlds),
}
"""What each part needs of the folder, and the function that measures it."""


def draw_coverage(result: Backtest, path: Path) -> None:
    """Draw robbery, if there is any, and all crime, by coverage."""
    wanted = [name for name in ("Robbery", ALL_CATEGORIES) if name in result.categories]
    figure = Figure(figsize=(5 * len(wanted), 3.6), layout="constrained")
    for number, name in enumerate(wanted):
        plot.coverage(result, name, axes=figure.add_subplot(1, len(wanted), number + 1))
    with mpl.rc_context({"svg.hashsalt": "patrolplan", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})


def round_numbers(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same JSON with every number rounded."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: round_numbers(part) for key, part in value.items()}
    return [round_numbers(part) for part in value] if isinstance(value, list | tuple) else value


def format_store(figures: dict[str, Any]) -> str:
    """JSON with each innermost list or table row on a separate line, for readable diffs."""
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    inner = re.compile(r"[\[{][^\[\]{}]*[\]}]")
    return inner.sub(lambda found: re.sub(r"\s+", " ", found[0]), text) + "\n"


def measure(folder: Path, parts: list[str]) -> None:
    """Measure parts and store them; those without data are unchanged."""
    figures = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    for part in parts:
        needed, measure_part = PARTS[part]
        if not (folder / needed).exists():
            print(f"{part}: its data are not in {folder}; skipped", file=sys.stderr)
            continue
        figures |= round_numbers(measure_part(folder / needed))
        STORE.write_text(format_store(figures), encoding="utf-8")
        print(f"{part}: measured", file=sys.stderr)


def main() -> None:
    """Measure, write or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--measure", type=Path, metavar="FOLDER", help="where the data are")
    parser.add_argument("--only", choices=PARTS, help="measure this part alone")
    parser.add_argument("--models", nargs="+", type=Path, help="settings: print their models")
    parser.add_argument("--write", action="store_true", help="write the page from the figures")
    parser.add_argument("--check", action="store_true", help="exit 1 where the page differs")
    options = parser.parse_args()
    if options.models:
        print_models(options.models)
        return
    if not (options.measure or options.write or options.check):
        parser.error("give --measure FOLDER, --models, --write or --check")
    if options.measure:
        measure(options.measure, [options.only] if options.only else list(PARTS))
    text, figures = PAGE.read_text(encoding="utf-8"), json.loads(STORE.read_text(encoding="utf-8"))
    made = render_page(text, lambda name: render_block(name, figures))
    if options.check:
        if text != made:
            message = f"{PAGE}: not what {STORE.name} makes of it; run with --write"
            raise SystemExit(message)
        print(f"{PAGE.name} is what {STORE.name} makes of it")
    elif text != made:
        PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
