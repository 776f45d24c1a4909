"""Bits that the learned clock gains on crime after school, on a city's crimes with clock times.

    python benchmarks/clock_score.py --data DIR [--json FILE]

`DIR` is that of `timed_crimes.py`. Crimes in streets within 1,500 m of a high school are counted in
cells of 300 m, as there is no street file. The clock learns from the years before the summer of the
middle one (in Chicago 2015); crime on school days after it, from 14:45 to 16:45, is predicted by
the cell's count of all hours, shrunk to the mean of all cells, alone ("flat") and times each clock:
declared, by kind of place, and learned. Bits are the gain in log score an incident over flat, with
95 % intervals from drawing blocks of cells; the last column is the paired difference from declared.
The declared profile is that of Chicago, of these years: "shifted" starts from it four hours late,
to show what is learned where the declared clock is wrong.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from timed_crimes import NAMES, City, bootstrap_sums, lay_out, read_tables

from patrolplan.risk import clock as clocks
from patrolplan.risk.shrinkage import shrink
from patrolplan.settings import parse_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL_METRES = 300.0
WINDOW = (14 * 60 + 45, 16 * 60 + 45)
SHIFT_HALF_HOURS = 8
# Sources that settings require; they are not read
SOURCES = {"crimes": "crimes.csv", "schools": "schools.csv", "streets": "streets.osm"}


def build_area(city: City) -> SimpleNamespace:
    """The part of a study area that the clock needs: ranked cells as places."""
    crimes = city.crimes[city.is_near[city.crimes["cell"]]]
    xy, row = city.cell_xy[city.is_near], np.cumsum(city.is_near) - 1
    at = crimes["day"] + pd.to_timedelta(crimes["minute"], unit="min")
    incidents = pd.DataFrame(
        {
            "category": pd.Categorical(crimes["category"].map(NAMES), [*NAMES.values()]),
            "month": crimes["day"].dt.to_period("M").dt.to_timestamp(),
            "occurred_at": at.dt.as_unit("ns"),
        }
    ).assign(timed=True, occurred_until=np.datetime64("NaT", "ns"))
    school = city.day_kind.index[city.day_kind == "school"]
    # As many bars in the middle of a cell as its kind of place begins with.
    bars = np.array([0, 1, 3, 6, 12])[city.place_kind[city.is_near]]
    points = gpd.points_from_xy(*np.repeat(xy, bars, axis=0).T)
    return SimpleNamespace(
        settings=parse_settings({"sources": SOURCES}, folder=Path()),
        network=SimpleNamespace(piece_middle=xy),
        catchments=SimpleNamespace(xy=xy, piece_catchment=np.arange(len(xy))),
        incidents=incidents,
        incident_catchment=row[crimes["cell"]],
        times_known=True,
        term_dates=pd.DataFrame({"urn": "*", "from": school, "to": school, "kind": "term"}),
        way_home=SimpleNamespace(
            places=gpd.GeoDataFrame({"kind": ["bar"] * len(points)}, geometry=points),
            clock=pd.DataFrame({"category": []}),
        ),
    )


def build_factors(city: City) -> dict[str, NDArray[np.float64]]:
    """(c, j) mean factor of each clock over the window on school days."""
    area, history = build_area(city), SimpleNamespace(targets=tuple(NAMES.values()))
    minutes = np.arange(*WINDOW)
    weights, before = np.full(len(minutes), 1 / len(minutes)), pd.Timestamp(city.learned[1])

    def average(*, timed: bool) -> NDArray[np.float64]:
        area.times_known = timed
        clock = clocks.build_clock(area, history, before=before)
        return clock.average_factor(minutes, weights, "school_day")

    factors = {"declared": average(timed=False), "learned": average(timed=True)}
    declare = clocks.build_declared_profile
    clocks.build_declared_profile = lambda names: np.roll(declare(names), SHIFT_HALF_HOURS, axis=-1)
    factors |= {"declared, shifted": average(timed=False), "learned, shifted": average(timed=True)}
    clocks.build_declared_profile = declare
    return factors


def measure(city: City) -> list[dict[str, Any]]:
    """Bits of each clock in each category, with intervals."""
    factors, rows = build_factors(city), []
    near = city.is_near
    for number, name in enumerate(NAMES):
        counts = city.count(city.select(name, city.learned))[near]
        came = city.count(city.select(name, city.tested, minutes=WINDOW, kind="school"))[near]
        flat, _ = shrink(counts, np.full(len(counts), counts.mean()))
        bits = {}
        for clock, factor in factors.items():
            risk = flat * factor[:, number]
            bits[clock] = came * np.log2(risk / risk.sum() / (flat / flat.sum()))
        sums = np.column_stack([*bits.values(), came])
        drawn = bootstrap_sums(sums, city.block[near], draws=1000)
        drawn = drawn[:, :-1] / drawn[:, -1:]
        less = drawn - drawn[:, :1]
        for column, (clock, values) in enumerate(bits.items()):
            low, high = np.quantile(drawn[:, column], [0.025, 0.975]).tolist()
            row = {"category": name, "events": int(came.sum()), "clock": clock}
            row |= {"bits": float(values.sum() / came.sum()), "low": low, "high": high}
            ends = np.quantile(less[:, column], [0.025, 0.975]).tolist()
            rows.append(row | {"over_declared": ends})
    return rows


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="see above")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    rows = measure(lay_out(*read_tables(options.data), cell_metres=CELL_METRES))
    for row in rows:
        less, more = row["over_declared"]
        print(
            f"{row['category']:18} {row['events']:5} {row['clock']:18} {row['bits']:+.3f} "
            f"({row['low']:+.3f} to {row['high']:+.3f})  {less:+.3f} to {more:+.3f}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
