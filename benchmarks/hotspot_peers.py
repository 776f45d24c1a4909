"""Other tools on the same task: which streets will have most harm next month.

    python benchmarks/hotspot_peers.py --peers PYTHON --config FILE [FILE ...]   # measure, minutes
    python benchmarks/hotspot_peers.py --peers PYTHON --exact DIR    # crimes with exact places
    python benchmarks/hotspot_peers.py --write    # docs/comparison.md from docs/comparison.json
    python benchmarks/hotspot_peers.py --check    # exit 1 where page and JSON differ

PYTHON has the peers (scikit-learn, esda, geopandas; crimepy and PredictCode on its path, from their
repositories) and runs `hotspot_peers_run.py`; tools that it cannot import are left out. Every tool
learns from the months before each of the last twelve, ranks the same pieces of street, and is
scored by the crime of the month in the first 1, 2, 5 and 10 % of the street length, in two ways:
crime spread over the streets of its map point, as in patrolplan, and all of it on the piece nearest
that point, as in the others. Without --config the demo borough is measured.

DIR has a city's crimes where they were (see `timed_crimes.py`): there both ways are one, and the
tools are compared by bits a crime as well, and over drawn places. A city without a file of streets
gets a grid of them, 100 m apart, in the square of 6 km with its mean point in the middle.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import geopandas as gpd  # noqa: E402
import numpy as np  # noqa: E402
import shapely  # noqa: E402
from how_sure import format_store, round_numbers  # noqa: E402
from how_sure_page import format_range, render_page, say_percent, wrap  # noqa: E402
from timed_crimes import NAMES, STREETS, bootstrap_sums, name_categories, read_tables  # noqa: E402

import patrolplan as pp  # noqa: E402
from patrolplan.patrols.patrol_backtest import cut_area, use_crime_only  # noqa: E402
from patrolplan.risk.history import build_history, get_harm_days  # noqa: E402
from patrolplan.risk.intervals import compute_interval, draw_months  # noqa: E402
from patrolplan.risk.scores import sum_slices  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from patrolplan.area import StudyArea
    from patrolplan.risk.history import History

DOCS = Path(__file__).parents[1] / "docs"
PAGE, STORE = DOCS / "comparison.md", DOCS / "comparison.json"
DEMO = DOCS.parent / "data" / "patrolplan.toml"
OURS = "patrolplan"
# Months of the counts that anybody can make; three years' where there are as many
COUNTS = {"last year's counts": 12, "three years' counts": 36}
COVERAGES = (0.01, 0.02, 0.05, 0.10)
ORIGINS = 12
TUNING_MONTHS = 2
SEED = 1
SHOWN = (0.02, 0.05)  # Shares of the street length on the page; the JSON has two more
# Ways to count a crime: along the streets of its map point, or on the piece nearest that point
WAYS = ("spread", "nearest")
EXACT = "exact"  # The one way to count a crime whose place is exact
WORDS = {
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
CITY_CRS, CITY_METRES, BLOCK_METRES, GRID_METRES = "EPSG:26971", 6000.0, 1000.0, 100.0
"""A part of a city without a file of streets: its CRS and side, blocks of places that are drawn
together, and how far apart its streets are."""

EVEN_SHARE = 0.1
"""Share of every tool's risk that is spread over all streets before it is scored in bits: a tool
that says "nowhere else" would be infinitely wrong otherwise."""

# A city's months, the last not included: three years before those that are foreseen or tuned
SPAN = ("2014-09", "2018-11")


@dataclass(frozen=True)
class Recorded:
    """Incidents that count, (i,) each."""

    xy: NDArray[np.float64]  # (i, 2) map point
    month: NDArray[np.int64]
    weight: NDArray[np.float64]
    place: NDArray[np.int64]  # catchment
    piece: NDArray[np.int64]  # nearest the map point

    @classmethod
    def select(cls, area: StudyArea, history: History, days: NDArray[np.float64]) -> Recorded:
        """Incidents of the categories that count, weighted by their days of harm."""
        wanted = area.incidents["category"].isin(history.targets).to_numpy()
        held = area.incidents[wanted]
        xy = shapely.get_coordinates(held.geometry.array)
        weight = held["category"].map(dict(zip(history.targets, days, strict=True)))
        return cls(
            xy,
            history.months.get_indexer(held["month"]),
            weight.to_numpy(dtype=float),
            area.incident_catchment[wanted],
            area.network.snap(xy).piece,
        )

    def count(self, area: StudyArea, months: NDArray[np.int64]) -> NDArray[np.float64]:
        """(2, o, p) weight in each month on each piece, in the order of `WAYS`."""
        spread, nearest = [], []
        for month in months:
            now = self.month == month
            by_place = np.bincount(self.place[now], self.weight[now], len(area.catchments))
            spread.append(area.catchments.spread(by_place))
            nearest.append(np.bincount(self.piece[now], self.weight[now], len(area.network)))
        return np.array([spread, nearest], dtype=float)


def build_exact_area(folder: Path) -> StudyArea:
    """The middle of a city whose crimes have exact places, on a grid of streets."""
    crimes, _, schools = read_tables(folder)
    crimes = crimes[crimes["occurred_at"].between(*SPAN)]
    named = name_categories(crimes)
    wanted = (named != "") & crimes["place"].isin(STREETS).to_numpy()
    table = crimes.loc[wanted, ["occurred_at", "longitude", "latitude"]]
    table = table.assign(**{"Crime type": [NAMES[name] for name in named[wanted]]})
    points = gpd.points_from_xy(table.pop("longitude"), table.pop("latitude"), crs=4326)
    frame = gpd.GeoDataFrame(table, geometry=points).to_crs(CITY_CRS)
    corner = shapely.get_coordinates(frame.geometry.array).mean(axis=0) - CITY_METRES / 2
    steps = np.arange(0, CITY_METRES + GRID_METRES / 2, GRID_METRES)
    x, y = np.meshgrid(corner[0] + steps, corner[1] + steps)
    xy = np.stack([x, y], axis=-1)
    lines = [*shapely.linestrings(xy), *shapely.linestrings(xy.swapaxes(0, 1))]
    square = gpd.GeoDataFrame(geometry=[shapely.box(*corner, *corner + CITY_METRES)], crs=CITY_CRS)
    at = gpd.points_from_xy(schools["longitude"], schools["latitude"], crs=4326)
    return pp.build_area(
        crimes=frame,
        streets=gpd.GeoDataFrame(geometry=lines, crs=CITY_CRS),
        schools=gpd.GeoDataFrame(
            {"urn": schools["school_id"], "name": schools["name"]}, geometry=at
        ),
        boundary=square,
        settings={
            "area": {"name": "Chicago", "crs": CITY_CRS},
            "way_home": {"exposure": {}, "clock": "flat"},
            "accept": {"unknown_categories": "of another country"},
        },
    )


def build_task(area: StudyArea, recorded: Recorded, months: int) -> dict[str, Any]:
    """The input for the peers, see `hotspot_peers_run.Task`."""
    network = area.network
    origins = np.arange(months - ORIGINS, months)
    tuning = origins[0] - np.arange(TUNING_MONTHS, 0, -1)
    return {
        "middle": network.piece_middle,
        "metres": network.piece_metres,
        "nodes": network.piece_nodes,
        "node_xy": network.node_xy,
        "xy": recorded.xy,
        "month": recorded.month,
        "weight": recorded.weight,
        "origins": origins,
        "tuning": tuning,
        "tuning_weight": recorded.count(area, tuning),
    }


def score_ours(area: StudyArea, months: pd.DatetimeIndex) -> tuple[NDArray[np.float64], float]:
    """(o, p) risk per metre by `pp.estimate_risk` from earlier months, and its seconds."""
    area = use_crime_only(area)
    scores, begun = [], time.process_time()
    for month in months:
        risk = pp.estimate_risk(cut_area(area, month))
        scores.append(risk.crime / area.network.piece_metres)
    return np.stack(scores), (time.process_time() - begun) / len(scores)


def capture(
    scores: NDArray[np.float64], recorded: NDArray[np.float64], metres: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(o, q) weight in the top shares of the street length; ties count in part."""
    return np.stack(
        [
            sum_slices(score * metres, metres, amount[:, None], COVERAGES)[:, 0]
            for score, amount in zip(scores, recorded, strict=True)
        ]
    )


def compare_captures(
    captured: dict[str, NDArray[np.float64]], totals: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """For each tool and coverage its share captured, and ours less it, paired by month."""
    months = len(totals)
    drawn = draw_months(months, seed=SEED)
    whole = (drawn @ totals)[:, None]

    def measure(hits: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        share = hits.sum(axis=0) / totals.sum()
        return [share, *compute_interval(share, drawn @ hits / whole, months)]

    rows = []
    for name, hits in captured.items():
        share, low, high = measure(hits)
        less, less_low, less_high = measure(captured[OURS] - hits)
        columns = {
            "coverage": COVERAGES,
            "captured": share,
            "low": low,
            "high": high,
            "pai": share / np.array(COVERAGES),
            "ours_less_it": less,
            "ours_less_it_low": less_low,
            "ours_less_it_high": less_high,
        }
        every = zip(*columns.values(), strict=True)
        rows += [{"tool": name} | dict(zip(columns, row, strict=True)) for row in every]
    return rows


def measure_ranking(area: StudyArea, peers: str) -> dict[str, Any]:
    """Every tool on an area, by harm."""
    history = build_history(area)
    days = get_harm_days(history.targets, area.settings.risk.harm)
    recorded = Recorded.select(area, history, days)
    task = build_task(area, recorded, len(history))
    origins, metres = task["origins"], task["metres"]
    scores, about = run_peers(task, peers)
    ours, seconds = score_ours(area, history.months[origins])
    for name, months in COUNTS.items():
        if origins[0] >= months:
            spans = [np.arange(at - months, at) for at in origins]
            prior = [recorded.count(area, span).sum(axis=1) for span in spans]
            scores = {name: np.stack(prior, axis=1) / metres} | scores
    scores = {OURS: np.stack([ours, ours])} | scores
    about = {OURS: [{"numbers": {}, "seconds": seconds}] * len(WAYS)} | about
    # With exact places both ways are the same: a crime lies on the piece nearest to it.
    ways = dict(enumerate(WAYS)) if area.snapped else {WAYS.index("nearest"): EXACT}
    rows = []
    for at, way in ways.items():
        held, own = (
            recorded.count(area, origins)[at],
            {name: one[at] for name, one in scores.items()},
        )
        captured = {name: capture(one, held, metres) for name, one in own.items()}
        found = compare_captures(captured, held.sum(axis=1))
        if way == EXACT:
            found = compare_places(found, own, held, task)
        rows += [{"crime": way, **row} for row in found]
    return {
        "area": area.name,
        "incidents": len(recorded.month),
        "street_km": area.network.metres / 1000,
        "pieces": len(metres),
        "first": f"{history.months[origins[0]]:%B %Y}",
        "last": f"{history.months[origins[-1]]:%B %Y}",
        "chosen": [
            {"tool": name, "crime": way, **both[at]}
            for name, both in about.items()
            for at, way in ways.items()
        ],
        "captured": rows,
    }


def compare_places(
    rows: list[dict[str, Any]],
    scores: dict[str, NDArray[np.float64]],
    held: NDArray[np.float64],
    task: dict[str, Any],
) -> list[dict[str, Any]]:
    """The rows with intervals over drawn blocks of places, and with bits a crime.

    `scores` and `held`: (o, p) of each tool, and what was recorded.
    """
    metres = task["metres"]
    corner = np.floor(task["middle"] / BLOCK_METRES).astype(np.int64)
    block = np.unique(corner, axis=0, return_inverse=True)[1].ravel()
    by_block = np.eye(block.max() + 1)[block]
    columns, totals = {}, held.sum(axis=0) @ by_block
    for name, score in scores.items():
        taken = sum(
            sum_slices(one * metres, metres, now[:, None] * by_block, COVERAGES)
            for one, now in zip(score, held, strict=True)
        )
        risk = np.maximum(score, 0.0) * metres
        share = risk / risk.sum(axis=1, keepdims=True)
        share = (1 - EVEN_SHARE) * share + EVEN_SHARE * metres / metres.sum()
        columns[name] = np.column_stack([taken.T, (held * np.log2(share)).sum(axis=0) @ by_block])
    made = []
    for row in rows:
        less = columns[OURS] - columns[row["tool"]]
        drawn = bootstrap_sums(np.column_stack([less, totals]), np.arange(len(totals)), seed=SEED)
        ends = np.quantile(drawn[:, :-1] / drawn[:, -1:], [0.025, 0.975], axis=0)
        at = COVERAGES.index(row["coverage"])
        over = {"places_low": ends[0, at], "places_high": ends[1, at]}
        over |= {"bits": less[:, -1].sum() / totals.sum()}
        made.append(row | over | {"bits_low": ends[0, -1], "bits_high": ends[1, -1]})
    return made


def run_peers(
    task: dict[str, Any], peers: str
) -> tuple[dict[str, NDArray[np.float64]], dict[str, Any]]:
    """Scores of the tools in the other Python, and their chosen parameters."""
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "task.npz", Path(folder) / "answer.npz"
        np.savez(given, **task)
        call = [peers, str(Path(__file__).with_name("hotspot_peers_run.py")), given, answer]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment["PYTHONPATH"] = os.environ.get("PEERS_PATH", "")
        subprocess.run(call, check=True, env=environment)  # noqa: S603 - our own file
        with np.load(answer) as held:
            about = json.loads(str(held["about"]))
            return {name: held[name] for name in about}, about


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
    counted: dict[str, set[str]] = {way: set() for way in WORDS}
    for area, found in figures.items():
        for row in found["captured"]:
            counted[row["crime"]].add(area)
    lines = []
    for verdict, says in VERDICTS.items():
        for way, areas in tools.get(verdict, {}).items():
            names = [
                name if set(where) == counted[way] else f"{name} (only in {' and '.join(where)})"
                for name, where in areas.items()
            ]
            where = f" ({', '.join(sorted(counted[way]))})" if len(counted[way]) == 1 else ""
            lines.append(wrap(f"- **{says}**, {WORDS[way]}{where}: {'; '.join(names)}."))
    return lines


def render_rankings(figures: Figures) -> list[str]:
    """The share that each tool captured, by area and way of counting."""
    lines: list[str] = []
    for found in figures.values():
        lines += [f"### {found['area']}", ""]
        lines += [
            wrap(
                f"{found['incidents']:,} incidents on {found['street_km']:,.1f} km of street in "
                f"{found['pieces']:,} pieces; months foreseen: {found['first']} to "
                f"{found['last']}."
            ),
            "",
        ]
        ways = {row["crime"] for row in found["captured"]}
        for way, words in WORDS.items():
            if way not in ways:
                continue
            headings = ["tool"]
            for share in SHOWN:
                headings += [f"in {say_percent(share)} of the street", "patrolplan's lead"]
            headings += ["lead in bits a crime"] * (way == "exact") + ["seconds a month"]
            lines += [f"**{words.removeprefix('where ').capitalize()}**", ""]
            cells = [headings, ["---"] * len(headings), *_list_rows(found, way)]
            lines += [*(f"| {' | '.join(row)} |" for row in cells), ""]
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


def main() -> None:
    """Measure, write or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", metavar="PYTHON", help="a Python that has the peers; measures")
    parser.add_argument("--config", type=Path, nargs="+", default=[DEMO], metavar="FILE")
    parser.add_argument("--exact", type=Path, metavar="DIR", help="crimes with exact places")
    parser.add_argument("--write", action="store_true", help="write the page from the figures")
    parser.add_argument("--check", action="store_true", help="exit 1 where the page differs")
    options = parser.parse_args()
    figures = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    areas = (
        [build_exact_area(options.exact)] if options.exact else map(pp.load_area, options.config)
    )
    for area in areas if options.peers else ():
        found = round_numbers(measure_ranking(area, options.peers))
        figures[found["area"]] = found
        STORE.write_text(format_store(figures), encoding="utf-8", newline="\n")
    text = PAGE.read_text(encoding="utf-8")
    made = render_page(text, lambda name: "\n".join(BLOCKS[name](figures)))
    if options.write:
        PAGE.write_text(made, encoding="utf-8", newline="\n")
    if options.check and made != text:
        sys.exit(f"{PAGE.name} is not what {STORE.name} makes of it: run --write")


if __name__ == "__main__":
    main()
