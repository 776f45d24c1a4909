"""A fictional city of London's size, or a part or a multiple of it, in the real file formats.

    python benchmarks/world.py --scale 1 DIR

Scale 1 is 500 secondary schools, 3.2 million rows of recorded crime over 36 months and about 20,000
km of streets on 1,572 square kilometres; counts grow with the scale, densities do not. Nothing in
it is real. The same scale and seed give the same world.

Properties that affect the cost of planning are realistic: lengths of street between junctions, dead
ends and unnamed paths, about 230 m of street per snap point, and crime that is concentrated at few
points, in town centres, and changes slightly with season and years.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
from cityplan import City, Points, draw_city, to_degrees, write_streets
from numpy.random import Generator
from numpy.typing import NDArray
from pyarrow import csv
from scipy.spatial import cKDTree

SEED = 20271
MONTHS = tuple(f"{2023 + m // 12}-{m % 12 + 1:02d}" for m in range(9, 45))
ROWS = 3_200_000
SCHOOLS = 500
METRES_A_POINT = 230.0
REPORTS_A_SCHOOL = 25
FORCE = "Metropolitan Police Service (fictional)"
NEXT_FORCE = "City of London Police (fictional)"
TRANSPORT = "British Transport Police"
NO_PLACE_SHARE = 0.015
NEXT_FORCE_SHARE = 0.01
TRANSPORT_SHARE = 0.015
DUPLICATE_SHARE = 0.001
"""Share of rows that are also in the neighbouring force's file."""

CHANGING_SHARE = 0.02
"""Share of points that grow or shrink much over the years."""

# Names as in the real files, written out as in `data/demo/crimes.py`: what makes test data takes
# nothing from the package that reads it.
CATEGORIES = {  # share of all rows, swing over the year (above 0: more in summer)
    "Anti-social behaviour": (0.215, 0.25),
    "Violence and sexual offences": (0.225, 0.08),
    "Theft from the person": (0.075, -0.05),
    "Other theft": (0.105, 0.02),
    "Shoplifting": (0.085, -0.06),
    "Vehicle crime": (0.075, -0.04),
    "Burglary": (0.045, -0.22),
    "Criminal damage and arson": (0.05, 0.05),
    "Public order": (0.045, 0.08),
    "Drugs": (0.03, 0.0),
    "Robbery": (0.032, -0.12),
    "Bicycle theft": (0.02, 0.3),
    "Other crime": (0.012, 0.0),
    "Possession of weapons": (0.006, 0.0),
}
BANDS = ("before_school", "lunch", "after_school", "evening")
PLACES = ("poor_lighting", "isolated", "overgrown", "litter_or_damage", "blocked_pavement", "none")
# fmt: off
BEHAVIOURS = (
    "groups_loitering", "followed", "verbal_abuse", "robbery_or_threat", "drug_use", "traffic",
    "none",
)
COLUMNS = [
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location",
    "LSOA code", "LSOA name", "Crime type", "Last outcome category", "Context",
]
# fmt: on
SETTINGS = """# A made-up city, written by benchmarks/world.py; nothing in it is real.
seed = 1

[area]
name = "Made-up city, scale {scale:g}"
crs = "EPSG:27700"

[sources]
crimes = "crimes/*/*-street.csv"
reports = "reports.csv"
schools = "schools.csv"
streets = "streets.osm.pbf"
bell_times = "bell_times.csv"
officers = "officers.csv"

[schools]
phases = ["Secondary"]
"""


@dataclass(frozen=True, eq=False)
class SnapPoints:
    """Snap points: metres, degrees as text, the street in the data, and weights of crime."""

    xy: Points
    longitude: pa.Array
    latitude: pa.Array
    location: pa.Array
    lsoa: pa.Array
    weight: NDArray[np.float64]
    """(k, c) weight by category."""
    drift: NDArray[np.float64]
    """(k,) growth of the logarithm per month."""


def make_world(scale: float, folder: Path, *, seed: int = SEED) -> dict[str, float]:
    """Write a world into a folder and return its size."""
    streams = iter(np.random.default_rng(seed).spawn(6))
    folder.mkdir(parents=True, exist_ok=True)
    city = draw_city(scale, next(streams))
    write_streets(city, folder / "streets.osm.pbf", next(streams))
    snaps = _draw_snap_points(city, next(streams))
    rows = _write_crimes(snaps, scale, folder / "crimes", next(streams))
    schools = _write_schools(city, scale, folder, next(streams))
    _write_reports(schools, snaps, folder, next(streams))
    (folder / "patrolplan.toml").write_text(SETTINGS.format(scale=scale), encoding="utf-8")
    size = {
        "scale": scale,
        "street_km": round(city.metres / 1000),
        "snap_points": len(snaps.xy),
        "crime_rows": rows,
        "schools": len(schools),
        "months": len(MONTHS),
    }
    (folder / "world.json").write_text(json.dumps(size), encoding="utf-8")
    return size


def _draw_snap_points(city: City, rng: Generator) -> SnapPoints:
    """Points at the middle of stretches of street, and their weights of crime.

    Town centres have most; outside of them every point has a random weight, and one for each
    category.
    """
    wanted = min(len(city.middle), round(city.metres / METRES_A_POINT))
    chance = city.stretch_metres / city.stretch_metres.sum()
    chosen = np.sort(rng.choice(len(city.middle), wanted, replace=False, p=chance))
    xy = city.middle[chosen]
    centres = rng.uniform(xy.min(axis=0), xy.max(axis=0), (max(3, round(420 * city.scale)), 2))
    reach, pull = rng.uniform(120, 420, len(centres)), rng.lognormal(2.2, 0.7, len(centres))
    away, nearest = cKDTree(centres).query(xy)
    base = 1 + pull[nearest] * np.exp(-0.5 * (away / reach[nearest]) ** 2)
    base *= rng.lognormal(0, 1.15, len(xy))
    own = rng.lognormal(0, 0.7, (len(xy), len(CATEGORIES)))
    drift = rng.normal(0, 0.004, len(xy)) + rng.normal(0, 0.05, len(xy)) * (
        rng.random(len(xy)) < CHANGING_SHARE
    )
    degrees = to_degrees(xy)
    return SnapPoints(
        xy=xy,
        longitude=pa.array(np.char.mod("%.6f", degrees[:, 0]).astype(object)),
        latitude=pa.array(np.char.mod("%.6f", degrees[:, 1]).astype(object)),
        location=pa.array(
            [f"On or near {name or 'Footpath'}" for name in city.stretch_name[chosen]]
        ),
        lsoa=pa.array([f"E{number // 18:08d}" for number in range(len(xy))]),
        weight=base[:, None] ** np.linspace(0.85, 1.15, len(CATEGORIES)) * own,
        drift=drift,
    )


def _write_crimes(snaps: SnapPoints, scale: float, folder: Path, rng: Generator) -> int:
    """Write monthly files of two forces and the transport police; returns the number of rows."""
    written = 0
    for number, month in enumerate(MONTHS):
        season = np.cos(2 * np.pi * (int(month[5:]) - 7) / 12)
        grown = np.exp(snaps.drift * (number - len(MONTHS) / 2))
        points, kinds = [], []
        for kind, (share, swing) in enumerate(CATEGORIES.values()):
            count = rng.poisson(ROWS * scale / len(MONTHS) * share * (1 + swing * season) / 1.02)
            reach = np.cumsum(snaps.weight[:, kind] * grown)
            points.append(np.searchsorted(reach, rng.random(count) * reach[-1]))
            kinds.append(np.full(count, kind))
        point, kind = np.concatenate(points), np.concatenate(kinds)
        order = rng.permutation(len(point))
        table = _build_crime_table(snaps, month, point[order], kind[order], rng)
        written += table.num_rows
        place = folder / month
        place.mkdir(parents=True, exist_ok=True)
        split = rng.choice(3, len(point), p=[1 - 0.025, NEXT_FORCE_SHARE, TRANSPORT_SHARE])
        twice = np.flatnonzero((split == 0) & (rng.random(len(point)) < DUPLICATE_SHARE))
        names = (("metropolitan", FORCE), ("city-of-london", NEXT_FORCE), ("btp", TRANSPORT))
        for which, (name, force) in enumerate(names):
            part = table.filter(pa.array(split == which))
            for column in (2, 3):
                forces = pa.array([force]).take(pa.array(np.zeros(part.num_rows, dtype=int)))
                part = part.set_column(column, COLUMNS[column], forces)
            if which == 1:
                part = pa.concat_tables([part, table.take(pa.array(twice))])
                written += len(twice)
            _write_csv(part, place / f"{month}-{name}-street.csv")
    return written


def _build_crime_table(
    snaps: SnapPoints, month: str, point: NDArray[np.int64], kind: NDArray[np.int64], rng: Generator
) -> pa.Table:
    size = len(point)
    placed = pa.array(point, mask=rng.random(size) < NO_PLACE_SHARE)
    behaviour = kind == 0
    ids = pa.array(_draw_crime_ids(size, rng).to_numpy(zero_copy_only=False), mask=behaviour)
    outcome = pa.array(["", "Investigation complete; no suspect identified", "Under investigation"])
    zeros = pa.array(np.zeros(size, dtype=int))
    columns = [
        ids,
        pa.array([month]).take(zeros),
        pa.array([FORCE]).take(zeros),
        pa.array([FORCE]).take(zeros),
        snaps.longitude.take(placed),
        snaps.latitude.take(placed),
        snaps.location.take(placed).fill_null("No Location"),
        snaps.lsoa.take(placed),
        snaps.lsoa.take(placed),
        pa.array(list(CATEGORIES)).take(pa.array(kind)),
        outcome.take(pa.array(np.where(behaviour, 0, rng.choice([1, 2], size)))),
        pa.nulls(size, pa.string()),
    ]
    return pa.table(columns, names=COLUMNS)


def _draw_crime_ids(size: int, rng: Generator) -> pa.Array:
    """IDs of 64 hexadecimal digits."""
    text = rng.bytes(32 * size).hex()
    offsets = pa.py_buffer(np.arange(size + 1, dtype=np.int32) * 64)
    return pa.StringArray.from_buffers(size, offsets, pa.py_buffer(text.encode("ascii")))


def _write_csv(table: pa.Table, path: Path) -> None:
    csv.write_csv(table, path, csv.WriteOptions(quoting_style="none"))


def _write_schools(city: City, scale: float, folder: Path, rng: Generator) -> Points:
    """Write schools of all phases as in GIAS, bells and officers; returns secondary sites."""
    secondary = max(2, round(SCHOOLS * scale))
    phases = ["Secondary"] * secondary + ["Primary"] * (4 * secondary)
    closed = secondary // 2
    phases += ["Secondary"] * closed
    chosen = rng.choice(len(city.middle), len(phases), replace=False)
    sites = np.round(city.middle[chosen] + rng.normal(0, 25, (len(phases), 2)))
    strip = (sites[:secondary, 1] // 3000).astype(int)
    order = np.lexsort((sites[:secondary, 0], strip))
    sites[:secondary] = sites[:secondary][order]
    lines = [
        "URN,EstablishmentName,EstablishmentStatus (name),PhaseOfEducation (name),Easting,Northing"
    ]
    for number, (phase, (x, y)) in enumerate(zip(phases, sites, strict=True)):
        status = "Closed" if number >= 5 * secondary else "Open"
        name = f"{city.stretch_name[chosen[number]] or 'Riverside'} School {number + 1}"
        lines.append(f"{100_000 + number},{name},{status},{phase},{x:.0f},{y:.0f}")
    (folder / "schools.csv").write_text("\n".join(lines) + "\n", encoding="cp1252")
    bells = [f"{100_000 + n},15:{5 * rng.integers(1, 7):02d}" for n in range(secondary) if n % 10]
    text = "\n".join(["urn,finish_time", *bells]) + "\n"
    (folder / "bell_times.csv").write_text(text, encoding="utf-8")
    _write_officers(to_degrees(sites[:secondary]), folder)
    return sites[:secondary]


def _write_officers(schools: Points, folder: Path) -> None:
    """One officer for two neighbouring schools, with the base near the first."""
    lines = [
        (
            "officer,school_urns,mon,tue,wed,thu,fri,max_patrols_per_week,mode,"
            "base_longitude,base_latitude"
        )
    ]
    for first in range(0, len(schools), 2):
        urns = ";".join(str(100_000 + n) for n in range(first, min(first + 2, len(schools))))
        base = f"{schools[first, 0]:.6f},{schools[first, 1]:.6f}"
        off = first // 2 % 5
        days = ["" if day == off else "14:00-18:00" for day in range(5)]
        lines.append(f"SSO-{first // 2 + 1:04d},{urns},{','.join(days)},4,walk,{base}")
    (folder / "officers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_reports(schools: Points, snaps: SnapPoints, folder: Path, rng: Generator) -> None:
    size = REPORTS_A_SCHOOL * len(schools)
    school = rng.integers(len(schools), size=size)
    near = cKDTree(snaps.xy).query(schools[school] + rng.normal(0, 260, (size, 2)))[1]
    # Pupils name the same few places: a report is at the busier of two points.
    other = rng.integers(size, size=size)
    other = np.where(school[other] == school, near[other], near)
    busier = np.where(snaps.weight[other, 0] > snaps.weight[near, 0], other, near)
    degrees = to_degrees(snaps.xy[busier] + rng.normal(0, 12, (size, 2)))
    lines = [
        (
            "report_id,school_urn,reported_on,time_band,place_factor,behaviour_factor,"
            "longitude,latitude"
        )
    ]
    lines += [
        f"R{row + 1:07d},{100_000 + school[row]},2026-{1 + row % 6:02d}-{1 + row % 28:02d},"
        f"{BANDS[a]},{PLACES[b]},{BEHAVIOURS[c]},{degrees[row, 0]:.6f},{degrees[row, 1]:.6f}"
        for row, (a, b, c) in enumerate(
            zip(
                rng.choice(4, size, p=[0.1, 0.1, 0.6, 0.2]),
                rng.choice(6, size, p=[0.3, 0.15, 0.05, 0.1, 0.05, 0.35]),
                rng.choice(7, size, p=[0.35, 0.1, 0.15, 0.1, 0.1, 0.05, 0.15]),
                strict=True,
            )
        )
    ]
    (folder / "reports.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Write a world and print its size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to write; several GB at scale 4")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=SEED)
    wish = parser.parse_args()
    begun = time.perf_counter()
    size = make_world(wish.scale, wish.folder, seed=wish.seed)
    print(json.dumps(size | {"seconds": round(time.perf_counter() - begun, 1)}))


if __name__ == "__main__":
    main()
