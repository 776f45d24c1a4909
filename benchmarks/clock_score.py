"""How well the learned clock predicts crime after school, on a city's crimes with clock times.

    python benchmarks/clock_score.py --data DIR [--cell 300] [--json FILE]

`DIR` is that of `clock_profile.py`, with `schools_2015-16.csv`. Crimes in streets within 1.5 km of
a high school are counted in square cells, as there is no street file. The clock learns from the
time before July 2015; crime on school days from 14:45 to 16:45 since September 2015 is predicted by

- "all hours": the cell's count of all hours, shrunk to the mean of all cells;
- "kind of place": that times the clock by category and kind of place;
- "place": that times the clock of the place.

Bits are log score per event relative to "all hours", with 95 % intervals from resampling cells. PAI
is the share of events in the top 1, 2 and 5 % of cells, divided by that share of cells.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from clock_profile import GROUPS, choose_in_streets, find_licensed, read_frame, to_metres
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from patrolplan.risk.clock import Clock, build_clock
from patrolplan.risk.shrinkage import shrink
from patrolplan.settings import parse_settings

CATEGORIES = (
    *("Violence and sexual offences", "Robbery", "Theft from the person"),
    *("Criminal damage and arson", "Other theft"),
)
LEARNED_BEFORE, TESTED_FROM = pd.Timestamp("2015-07-01"), pd.Timestamp("2015-09-01")
FIRST_MINUTE, LAST_MINUTE = 14 * 60 + 45, 16 * 60 + 45
WINDOW = {29: 0.125, 30: 0.25, 31: 0.25, 32: 0.25, 33: 0.125}
"""Share of each half-hour in the window."""

SOURCES = {"crimes": "crimes.csv", "schools": "schools.csv", "streets": "streets.osm"}
"""Sources that settings require; they are not read."""

SCHOOL_METRES = 1500.0
COVERAGES = (0.01, 0.02, 0.05)
RESAMPLES = 1000


def build_area(folder: Path, cell_metres: float) -> tuple[Any, pd.DataFrame]:
    """The part of a study area that the clock needs, and all its crimes with their cells."""
    whole = read_frame(folder)
    schools = pd.read_csv(folder / "schools_2015-16.csv")
    schools = schools[schools["level"] == "HS"]
    gates = to_metres(schools["longitude"], schools["latitude"])
    low, high = (np.floor(edge(gates, axis=0) / cell_metres) for edge in (np.min, np.max))
    margin = np.ceil(SCHOOL_METRES / cell_metres)
    spans = [np.arange(a - margin, b + margin + 1) for a, b in zip(low, high, strict=True)]
    centres = (np.stack(np.meshgrid(*spans), axis=-1).reshape(-1, 2) + 0.5) * cell_metres
    xy = centres[cKDTree(gates).query(centres)[0] < SCHOOL_METRES]
    crimes = choose_in_streets(whole)
    middle = (np.floor(crimes[["x", "y"]] / cell_metres) + 0.5) * cell_metres
    apart, cell = cKDTree(xy).query(middle)
    crimes = crimes.assign(cell=cell)[apart < 1.0]
    names = dict(zip(GROUPS, CATEGORIES, strict=True))
    incidents = pd.DataFrame(
        {
            "category": pd.Categorical(crimes["group"].map(names), categories=list(CATEGORIES)),
            "month": crimes["at"].dt.to_period("M").dt.to_timestamp().to_numpy(),
            "occurred_at": crimes["at"].to_numpy(),
            "timed": True,
        }
    )
    dates = pd.read_csv(folder / "school_days.csv", parse_dates=["date"])
    school_days = dates.loc[dates["kind"] == "school", "date"].to_numpy()
    terms = {"urn": "*", "from": school_days, "to": school_days, "kind": "term"}
    points = find_licensed(whole[whole["at"] < LEARNED_BEFORE])
    places = gpd.GeoDataFrame(
        {"kind": ["bar"] * len(points)}, geometry=gpd.points_from_xy(*points.T)
    )
    area = SimpleNamespace(
        settings=parse_settings({"sources": SOURCES}, folder=folder),
        network=SimpleNamespace(piece_middle=xy),
        catchments=SimpleNamespace(xy=xy, piece_catchment=np.arange(len(xy))),
        incidents=incidents,
        incident_catchment=crimes["cell"].to_numpy(),
        times_known=True,
        term_dates=pd.DataFrame(terms),
        way_home=SimpleNamespace(places=places, clock=pd.DataFrame({"category": []})),
    )
    minute = crimes["at"].dt.hour * 60 + crimes["at"].dt.minute
    in_window = crimes["at"].dt.normalize().isin(school_days) & minute.between(
        FIRST_MINUTE, LAST_MINUTE - 1
    )
    return area, crimes.assign(in_window=in_window)


def average_window(clock: Clock) -> NDArray[np.float64]:
    """(c, j) mean factor over the window on school days."""
    return np.sum(
        [share * clock.compute_factor(at, "school_day") for at, share in WINDOW.items()], axis=0
    )


def compute_pai(risk: NDArray[np.float64], events: NDArray[np.int64]) -> list[float]:
    """PAI at each of the `COVERAGES`; a cell on the edge counts partly."""
    order = np.argsort(-risk, kind="stable")
    found = np.concatenate([[0], np.cumsum(events[order])]) / events.sum()
    cells = len(risk)
    return [
        float(np.interp(share * cells, np.arange(cells + 1), found)) / share for share in COVERAGES
    ]


def score_category(
    counts: NDArray[np.float64], events: NDArray[np.int64], factors: dict[str, NDArray[np.float64]]
) -> dict[str, Any]:
    """PAI and bits of each model, in one category."""
    rng = np.random.default_rng(1)
    base = shrink(counts, np.full(len(counts), counts.mean()))
    draws = rng.multinomial(len(events), np.full(len(events), 1 / len(events)), RESAMPLES)
    result: dict[str, Any] = {"events": int(events.sum())}
    for name, factor in factors.items():
        risk = base * factor
        bits = np.log2((risk / risk.sum()) / (base / base.sum()))
        spread = (draws @ (events * bits)) / (draws @ events)
        low, high = np.quantile(spread, [0.025, 0.975])
        result[name] = {
            "pai": compute_pai(risk, events),
            "bits": float((events * bits).sum() / events.sum()),
            "low": float(low),
            "high": float(high),
        }
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the city's crimes")
    parser.add_argument("--cell", type=float, default=300.0, help="side of a cell in metres")
    parser.add_argument("--json", type=Path, help="file to write")
    given = parser.parse_args()
    area, crimes = build_area(given.data, given.cell)
    history: Any = SimpleNamespace(targets=CATEGORIES)
    clock = build_clock(area, history, before=LEARNED_BEFORE)
    factors = {
        "kind of place": average_window(replace(clock, places=None)),
        "place": average_window(clock),
    }
    cells, results = len(area.catchments.xy), {}
    for number, (group, category) in enumerate(zip(GROUPS, CATEGORIES, strict=True)):
        own = crimes[crimes["group"] == group]
        before = own.loc[own["at"] < LEARNED_BEFORE, "cell"]
        after = own.loc[(own["at"] >= TESTED_FROM) & own["in_window"], "cell"]
        results[category] = score_category(
            np.bincount(before, minlength=cells).astype(np.float64),
            np.bincount(after, minlength=cells),
            {"all hours": np.ones(cells), **{name: of[:, number] for name, of in factors.items()}},
        )
        print(f"{category}, {results[category]['events']:,} events in {cells:,} cells")
        for name in ("all hours", *factors):
            of = results[category][name]
            pai = ", ".join(f"{value:.2f}" for value in of["pai"])
            print(
                f"  {name:14} PAI {pai}; bits {of['bits']:+.3f} "
                f"({of['low']:+.3f} to {of['high']:+.3f})"
            )
    if given.json:
        given.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
