"""The page of `london.py`: processor seconds and memory of every stage, now and before.

python benchmarks/london_page.py benchmarks/london.json --plot FILE.svg > benchmarks/london.md
"""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from london import TO_PLANS

Figures = dict[str, dict[str, dict[str, float]]]
"""Figures of a state at one scale, by part, stage and kind."""

TO_HOTSPOTS = TO_PLANS[:3]

ROWS = {
    "cold import": ("cold", ("cold import",)),
    "warm load": ("first run", ("warm load",)),
    "risk, with its choice of model": ("first run", ("risk",)),
    "hotspots": ("first run", ("hotspots",)),
    "patrols, compared with past months": ("first run", ("patrols",)),
    "**warm load to all plans**": ("first run", TO_PLANS),
    "the same, second run": ("second run", TO_PLANS),
    "week": ("second run", ("week",)),
    "cards": ("second run", ("cards",)),
    "a new month, to hotspots": ("new month", TO_HOTSPOTS),
    "a new month, to all plans": ("new month", TO_PLANS),
    "with new snap points, to hotspots": ("new points", TO_HOTSPOTS),
    "with new snap points, to all plans": ("new points", TO_PLANS),
}
"""Each row of the table: its part, and the stages whose seconds are added."""

DRAWN = (*tuple(ROWS)[:5], "week", "cards")

PAGE = """# From one borough to all of London

`python benchmarks/london.py --worlds DIR --json benchmarks/london.json`, the state before with
`--name before --source CHECKOUT/src`, and this page: `python benchmarks/london_page.py
benchmarks/london.json --plot benchmarks/london.svg > benchmarks/london.md`

The cities are made up (`world.py`). Scale 1 is {schools:,} secondary schools, {crimes:,} rows
of crime over {months} months on {points:,} snap points, and {km:,} km of streets.

**Processor seconds** of each stage, in parentheses those of commit {before}: user and system
time of all processes.

{machine}

| stage | {heads} | slope |
| --- |{lines} --- |
{rows}

![Processor seconds and peak memory of each stage over the scale](london.svg)

Slopes are fitted to logarithms over the scales: 1 is in proportion. Memory is the sum of what
all processes hold; what several of them map is counted in each. {cards}

**A new month** updates what depends on it: its files are read, its rates learned and its origin
tested. Where some of its crimes are on snap points that no month had before, streets move
between catchments and risk is learned from scratch: places are numbered again, and what all
places share changes with every count. Either way the risk of every street changes, so every
patrol is planned again. A month with new points was wanted within 30 s at scale 1: the table
shows what it takes to hotspots, and all patrols take longer by themselves. In two boroughs of
London a month of 2018 brought none to four such points.

{plain}"""

PLAIN = """## The plain way

`python benchmarks/london.py ... --scale {scale} --plain`

osmnx, networkx, DBSCAN, a greedy walk and folium (`plainway.py`) plan the {schools} schools of
scale {scale}: twelve months are counted and clustered, and clusters visited greedily.

| | processor seconds | as a ratio to ours |
| --- | --- | --- |
| plain | {short[processor_seconds]} | {short[times_ours]} |
| ours | {our_processor_seconds:.1f} | 1 |
"""


def sum_stages(measures: Figures, part: str, stages: tuple[str, ...], kind: str) -> float | None:
    """Total seconds of some stages of a part; None if one was not measured."""
    measured = measures.get(part, {})
    if not all(stage in measured for stage in stages):
        return None
    return sum(measured[stage][kind] for stage in stages)


def find_peak(measures: Figures) -> float:
    """Peak memory in GB over all measured stages."""
    stages = (stage for part in measures.values() for stage in part.values())
    return max(
        stage["peak_gb"] for stage in stages if isinstance(stage, dict) and "peak_gb" in stage
    )


def fit_slope(scales: dict[str, Any], part: str, stages: tuple[str, ...]) -> float | None:
    """Slope of the logarithm of processor seconds over that of the scale."""
    found = {
        float(scale): sum_stages(measures["now"], part, stages, "processor_seconds")
        for scale, measures in scales.items()
    }
    seconds = {scale: one for scale, one in found.items() if one}
    if len(seconds) < 2:  # noqa: PLR2004 - a line
        return None
    return float(np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0])


def write_rows(scales: dict[str, Any]) -> str:
    """The table's rows."""
    rows = []
    for name, (part, stages) in ROWS.items():
        cells = [
            _write_cell(
                *(
                    sum_stages(measures.get(state, {}), part, stages, "processor_seconds")
                    for state in ("now", "before")
                )
            )
            for measures in scales.values()
        ]
        all_cards = (
            name != "cards" or len({_share_cards(measures) for measures in scales.values()}) == 1
        )
        slope = fit_slope(scales, part, stages) if all_cards else None
        cells.append("" if slope is None else f"{slope:.2f}")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    peaks = [
        _write_cell(
            *(
                sum_stages(measures.get(state, {}), "first run", ("patrols",), "peak_gb")
                for state in ("now", "before")
            )
        )
        for measures in scales.values()
    ]
    return "\n".join([*rows, f"| most memory, that of patrols, GB | {' | '.join(peaks)} | |"])


def _write_cell(now: float | None, before: float | None) -> str:
    """Both figures, the earlier one in parentheses."""
    return " ".join(
        [
            *([] if now is None else [_round(now)]),
            *([] if before is None else [f"({_round(before)})"]),
        ]
    )


def _round(seconds: float) -> str:
    """Seconds with significant digits only."""
    return f"{seconds:.0f}" if seconds >= 20 else f"{seconds:.1f}"  # noqa: PLR2004


def _share_cards(measures: dict[str, Any]) -> float:
    """Share of the patrols whose cards were drawn."""
    found = measures["now"].get("second run", {}).get("found", {"cards": 0, "patrols": 1})
    return float(found["cards"] / found["patrols"])


def describe_cards(scales: dict[str, Any]) -> str:
    """How many cards were drawn at each scale."""
    drawn = {
        scale: measures["now"]["second run"]["found"]
        for scale, measures in scales.items()
        if "second run" in measures["now"]
    }
    listed = ", ".join(f"{one['cards']} of {one['patrols']}" for one in drawn.values())
    return f"Cards: {listed}." if listed else ""


def describe_machine(result: dict[str, Any]) -> str:
    """The computer; other load on it is in the remarks."""
    cores, gb = result["machine"]["cores"], result["machine"]["gb"]
    text = (
        f"On a virtual machine of {cores} cores and {gb} GB; two processes share patrols and cards."
    )
    return " ".join([text, *result.get("remarks", [])])


def write_plain(scales: dict[str, Any]) -> str:
    """The section on the plain way, if it was measured."""
    found = {scale: measures["plain"] for scale, measures in scales.items() if "plain" in measures}
    return "".join(PLAIN.format(scale=scale, **plain) for scale, plain in found.items())


def write_page(result: dict[str, Any]) -> str:
    """The page, from the figures of `london.py`."""
    scales = dict(sorted(result["scales"].items(), key=lambda one: float(one[0])))
    world = scales[max(scales, key=float)]["world"]
    return PAGE.format(
        schools=world["schools"],
        crimes=world["crime_rows"],
        months=world["months"],
        points=world["snap_points"],
        km=world["street_km"],
        before=result["commits"].get("before", "unknown"),
        machine="\n".join(textwrap.wrap(describe_machine(result), 96)),
        heads=" | ".join(f"scale {scale}" for scale in scales),
        lines=" --- |" * len(scales),
        rows=write_rows(scales),
        cards=describe_cards(scales),
        plain=write_plain(scales),
    )


def draw_figures(result: dict[str, Any], path: Path) -> None:
    """Draw processor seconds and memory of the stages over the scale."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only where it is drawn

    figure = Figure(figsize=(9, 4), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    scales = dict(sorted(result["scales"].items(), key=lambda one: float(one[0])))
    for name, mark in zip(DRAWN, "osD^v<>", strict=True):
        part, stages = ROWS[name]
        for kind, axes in (("processor_seconds", time_axes), ("peak_gb", memory_axes)):
            found = [
                sum_stages(measures["now"], part, stages, kind) for measures in scales.values()
            ]
            at = [float(scale) for scale in scales]
            values = [np.nan if one is None else one for one in found]
            axes.loglog(at, values, marker=mark, color="0.1", lw=0.8, ms=5, label=name)
    time_axes.set(xlabel="scale (1 = London)", ylabel="processor seconds")
    memory_axes.set(xlabel="scale (1 = London)", ylabel="most memory, GB")
    time_axes.legend(frameon=False, fontsize=8)
    for axes in (time_axes, memory_axes):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xticks([float(scale) for scale in scales], list(scales))
        axes.minorticks_off()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print the page, and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("json", type=Path, help="what london.py wrote")
    parser.add_argument("--plot", type=Path, help="where to draw it, .svg or .png")
    wish = parser.parse_args()
    result = json.loads(wish.json.read_text("utf-8"))
    print(write_page(result).rstrip())
    if wish.plot:
        draw_figures(result, wish.plot)


if __name__ == "__main__":
    main()
