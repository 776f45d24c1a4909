"""Bits that the learned clock gains on the hours of crime, on a city's crimes with clock times.

    python benchmarks/clock_score.py --data DIR [--json FILE]

`DIR` is that of `timed_crimes.py`. Crimes in streets within 1,500 m of a high school are counted in
cells of 300 m, as there is no street file. The clock learns from the years before the summer of the
middle one (in Chicago 2015); the half-hour of each crime on a school day after it is predicted by
each clock: declared, by kind of place, and learned. Bits are the gain in log score an incident over
a day on which all half-hours are alike, with 95 % intervals from drawing blocks of cells; the last
column is the paired difference from declared. The declared profile is Chicago's own, of these
years: "shifted" starts from it four hours late, to show what is learned where the declared clock is
wrong.
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
from patrolplan.risk.day_kinds import HALF_HOURS
from patrolplan.settings import parse_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL_METRES = 300.0
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


def build_chances(city: City) -> dict[str, NDArray[np.float64]]:
    """(48, c, j) chance of each half-hour of a school day by each clock."""
    area = build_area(city)
    history = SimpleNamespace(targets=tuple(NAMES.values()))
    before = pd.Timestamp(city.learned[1])

    def predict(*, timed: bool) -> NDArray[np.float64]:
        area.times_known = timed
        clock = clocks.build_clock(area, history, before=before)
        half_hours = range(HALF_HOURS)
        factor = np.array([clock.compute_factor(at, "school_day") for at in half_hours])
        return factor / factor.sum(axis=0)

    chances = {"declared": predict(timed=False), "learned": predict(timed=True)}
    declare = clocks.build_declared_profile
    clocks.build_declared_profile = lambda names: np.roll(declare(names), SHIFT_HALF_HOURS, axis=-1)
    chances |= {"declared, shifted": predict(timed=False), "learned, shifted": predict(timed=True)}
    clocks.build_declared_profile = declare
    return chances


def measure(city: City) -> list[dict[str, Any]]:
    """Bits of each clock in each category, with intervals."""
    chances = build_chances(city)
    place = np.cumsum(city.is_near) - 1
    rows = []
    for number, name in enumerate(NAMES):
        crimes = city.select(name, city.tested, kind="school")
        crimes = crimes[city.is_near[crimes["cell"]]]
        cell = crimes["cell"].to_numpy()
        half_hour = crimes["minute"].to_numpy() // 30
        bits = {
            clock: np.log2(HALF_HOURS * chance[half_hour, place[cell], number])
            for clock, chance in chances.items()
        }
        sums = np.column_stack([*bits.values(), np.ones(len(crimes))])
        drawn = bootstrap_sums(sums, city.block[cell], draws=1000)
        drawn = drawn[:, :-1] / drawn[:, -1:]
        less = drawn - drawn[:, :1]
        for column, (clock, values) in enumerate(bits.items()):
            low, high = np.quantile(drawn[:, column], [0.025, 0.975]).tolist()
            row = {"category": name, "events": len(crimes), "clock": clock}
            row |= {"bits": float(values.mean()), "low": low, "high": high}
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
