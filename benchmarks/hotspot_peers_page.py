"""The measured part of `docs/comparison.md`, made from `docs/comparison.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from how_sure_page import BLOCK, format_range, say_percent, wrap

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence

OURS = "patrolplan"
SHOWN = (0.02, 0.05)
"""Shares of the street length on the page; the JSON has two more."""

WAYS = {
    "spread": "where crime counts along the streets around its map point",
    "nearest": "where all of a crime counts on the piece of street nearest its map point",
    "exact": "where crime counts where it was, by exact places",
}
VERDICTS = {
    "more": "Better than patrolplan",
    "no difference shown": "No difference shown",
    "less": "Captured less than patrolplan",
}
"""Verdicts on a tool, in the order of the page."""

Figures = dict[str, Any]


def render_page(text: str, figures: Figures) -> str:
    """The page with its blocks made from the figures; other text is unchanged."""

    def replace(found: re.Match[str]) -> str:
        lines = BLOCKS[found["name"]](figures)
        return found[1] + "".join(f"{line}\n" for line in ["", *lines, ""] if lines) + found[3]

    return BLOCK.sub(replace, text)


def format_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    cells = [headings, ["---"] * len(headings), *rows]
    return [f"| {' | '.join(row)} |" for row in cells]


def _judge(row: Figures) -> str:
    """Whether a tool captured more than ours, or less, over months and over places if these are."""
    low, high = row["ours_less_it_low"], row["ours_less_it_high"]
    if min(low, row.get("places_low", low)) > 0:
        return "less"
    return "more" if max(high, row.get("places_high", high)) < 0 else "no difference shown"


def render_short(figures: Figures) -> list[str]:
    """Which tools are ahead in which area, at the larger share; those ahead of ours first."""
    tools: dict[str, dict[str, dict[str, list[str]]]] = {}
    for area, found in figures.items():
        for row in found["captured"]:
            if row["coverage"] == SHOWN[-1] and row["tool"] != OURS:
                by_way = tools.setdefault(_judge(row), {}).setdefault(row["crime"], {})
                by_way.setdefault(row["tool"], []).append(area)
    counted = {
        way: {
            name
            for name, found in figures.items()
            if way in {r["crime"] for r in found["captured"]}
        }
        for way in WAYS
    }
    lines = []
    for verdict, says in VERDICTS.items():
        for way, areas in tools.get(verdict, {}).items():
            names = [
                name if set(where) == counted[way] else f"{name} (only in {' and '.join(where)})"
                for name, where in areas.items()
            ]
            where = f" ({', '.join(sorted(counted[way]))})" if len(counted[way]) == 1 else ""
            lines.append(wrap(f"- **{says}**, {WAYS[way]}{where}: {'; '.join(names)}."))
    return lines


def render_rankings(figures: Figures) -> list[str]:
    """The share that each tool captured, by area and way of counting."""
    lines: list[str] = []
    for found in figures.values():
        lines += [
            f"### {found['area']}",
            "",
            wrap(
                f"{found['incidents']:,} incidents on {found['street_km']:,.1f} km of street in "
                f"{found['pieces']:,} pieces; months foreseen: {found['first']} to "
                f"{found['last']}."
            ),
            "",
        ]
        ways = {row["crime"] for row in found["captured"]}
        for way, words in WAYS.items():
            if way not in ways:
                continue
            headings = ["tool"]
            for share in SHOWN:
                headings += [f"in {say_percent(share)} of the street", "patrolplan's lead"]
            headings += ["lead in bits a crime"] * (way == "exact") + ["seconds a month"]
            lines += [f"**{words.removeprefix('where ').capitalize()}**", ""]
            lines += [*format_table(headings, _list_rows(found, way)), ""]
    return lines[:-1]


def _list_rows(found: Figures, way: str) -> list[tuple[str, ...]]:
    """One row per tool, in descending order of the captured share."""
    by_tool: dict[str, list[Figures]] = {}
    for row in found["captured"]:
        if row["crime"] == way and row["coverage"] in SHOWN:
            by_tool.setdefault(row["tool"], []).append(row)
    facts = {one["tool"]: one for one in found["chosen"] if one["crime"] == way}
    rows = []
    for tool, shares in sorted(by_tool.items(), key=lambda one: -one[1][-1]["captured"]):
        chosen = facts.get(tool, {"numbers": {}, "seconds": None})
        numbers = ", ".join(f"{name} {value:g}" for name, value in chosen["numbers"].items())
        cells = [f"{tool} ({numbers})" if numbers else tool]
        for row in shares:
            cells.append(f"{100 * row['captured']:.1f}&nbsp;%")
            ends = ("ours_less_it_low", "ours_less_it_high")
            points = {end: 100 * row[end] for end in ends}
            gain = f"{100 * row['ours_less_it']:+.1f} ({format_range(points, *ends, '+.1f')})"
            if "bits" in row:
                over = {end: 100 * row[end] for end in ("places_low", "places_high")}
                gain = f"{gain[:-1]}; over places {format_range(over, *over, '+.1f')})"
            cells.append("" if tool == OURS else gain)
        if "bits" in row:
            bits = f"{row['bits']:+.2f} ({format_range(row, 'bits_low', 'bits_high', '+.2f')})"
            cells.append("" if tool == OURS else bits)
        seconds = chosen["seconds"]
        rows.append((*cells, "" if seconds is None else f"{seconds:.2f}"))
    return rows


BLOCKS: dict[str, Callable[[Figures], list[str]]] = {
    "in-short": render_short,
    "rankings": render_rankings,
}
"""Functions for the text between the markers of each name."""
