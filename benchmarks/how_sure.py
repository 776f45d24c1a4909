"""Measure how sure the priority streets are, and put the figures into docs/how-sure.md.

    python benchmarks/how_sure.py --config ../shared/examples/bloomsbury.toml \
        --origins 2017-07 2018-06

Everything between the two markers of the page is written anew; the words around them stay.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import patrolplan as pp
from patrolplan.outputs import plot
from patrolplan.patrols.patrol_backtest import PatrolBacktest, backtest_patrols
from patrolplan.risk.backtest import Backtest, backtest_risk
from patrolplan.risk.rolling_origin import ALL_CATEGORIES

PAGE = Path(__file__).parents[1] / "docs" / "how-sure.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


HEADINGS = (
    "crime",
    "streets",
    "PAI",
    "times prior count",
    "difference (95 % interval)",
    "if true rates were known (95 % of chance)",
    "times prior count, at best",
    "PEI",
    "RRI",
)


def table_row(cells: Iterable[str]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def format_chosen_models(result: Backtest) -> list[str]:
    """The chosen model, category by category."""
    lines = [table_row(HEADINGS), table_row("---" for _ in HEADINGS)]
    for row in result.results[result.results["chosen"]].itertuples():
        sure = f"{row.difference_low:+.2f} to {row.difference_high:+.2f}"
        cells = (
            f"{row.category} ({row.n_events:,})",
            f"{row.coverage:.0%}",
            f"{row.pai:.2f}",
            f"{row.ratio:.3f}",
            f"{row.difference:+.2f} ({sure})",
            f"{row.reference:.2f} ({row.reference_low:.2f} to {row.reference_high:.2f})",
            f"{row.reference_ratio:.2f}",
            f"{row.pei:.2f}",
            f"{row.rri:.2f}",
        )
        lines.append(table_row(cells))
    return lines


def format_all_models(result: Backtest, coverage: float = 0.05) -> list[str]:
    """Every model at one coverage, as a multiple of prior counts."""
    rows = result.results[result.results["coverage"] == coverage]
    table = rows.pivot_table(index="model", columns="category", values="ratio", sort=False)
    headings = ("model", *table.columns)
    lines = [table_row(headings), table_row("---" for _ in headings)]
    lines += [
        table_row((str(model), *(f"{ratio:.2f}" for ratio in ratios)))
        for model, ratios in table.iterrows()
    ]
    return lines


def format_choices(result: Backtest) -> list[str]:
    """Which models were taken, in how many months."""
    lines = []
    for column, category in enumerate(result.trials.categories[:-1]):
        taken = Counter(choices[column].model for choices in result.trials.choices)
        said = ", ".join(f"{model} {months}" for model, months in taken.most_common())
        lines.append(f"- {category}: {said}")
    return lines


def draw_coverage(result: Backtest, path: Path) -> None:
    """Robbery, if there is any, and all crime, by coverage."""
    wanted = [name for name in ("Robbery", ALL_CATEGORIES) if name in result.trials.categories]
    figure = Figure(figsize=(5 * len(wanted), 3.6), layout="constrained")
    for number, name in enumerate(wanted):
        plot.coverage(result, name, axes=figure.add_subplot(1, len(wanted), number + 1))
    with mpl.rc_context({"svg.hashsalt": "patrolplan", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})


def format_patrols(patrols: PatrolBacktest) -> list[str]:
    """What patrols met against plain ways, with the interval over months."""
    summary = patrols.summary()
    columns = (
        summary["against"],
        summary["harm_per_officer_hour_ratio"],
        summary["low"],
        summary["high"],
    )
    rows = [
        table_row([against, f"{ratio:.2f}", f"{low:.2f} to {high:.2f}"])
        for against, ratio, low, high in zip(*columns, strict=True)
    ]
    head = ["against", "times the harm an officer-hour", "95 % interval"]
    return [table_row(head), table_row(["---"] * len(head)), *rows]


def format_figures(result: Backtest, patrols: PatrolBacktest, area: pp.StudyArea) -> str:
    """Everything between the markers."""
    months = result.trials.origins
    about = (
        f"{area.name}: {len(area.incidents):,} incidents on {area.network.metres / 1000:,.1f} km "
        f"of street, {len(area.catchments):,} catchments. {len(months)} months scored, "
        f"{months[0]:%B %Y} to {months[-1]:%B %Y}, each from the months before it alone. "
        "In brackets the number of incidents."
    )
    patrols_about = (
        f"{patrols.results['urn'].nunique()} schools, the same months, window, dwell and "
        "presence at the gate; recorded crime as the only voice. An interval that contains 1 "
        "shows no difference between the two. By the risk before those months, the patrols were "
        f"worth {patrols.planned_worth_ratio:.3f} times the greedy ones by worth per minute: that "
        "is all that could be gained on them, if the risk was right."
    )
    parts = [
        BEGIN,
        "",
        about,
        "",
        f"![Crime caught by street length]({PAGE.stem}.svg)",
        "",
        "### The chosen model",
        "",
        *format_chosen_models(result),
        "",
        "### Every model at 5 % of the street length, as a multiple of prior counts",
        "",
        *format_all_models(result),
        "",
        "### Months in which each model was chosen",
        "",
        *format_choices(result),
        "",
        "### Patrols: harm of the held-out month in the stretches dwelt in",
        "",
        patrols_about,
        "",
        *format_patrols(patrols),
        "",
        END,
    ]
    return "\n".join(parts)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--config", type=Path, required=True, help="a patrolplan.toml")
    parser.add_argument("--origins", nargs=2, metavar="YYYY-MM", help="first and last month scored")
    asked = parser.parse_args()
    area = pp.load_area(asked.config)
    result = backtest_risk(area, origins=tuple(asked.origins) if asked.origins else None)
    patrols = backtest_patrols(area, origins=list(result.trials.origins))
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + format_figures(result, patrols, area) + after, encoding="utf-8")
    draw_coverage(result, PAGE.with_suffix(".svg"))
    print(result)
    print(patrols)


if __name__ == "__main__":
    main()
