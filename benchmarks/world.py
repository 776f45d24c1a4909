"""A fictional city of London's size, or a part or a multiple of it, in the real file formats.

    python benchmarks/world.py --scale 1 DIR

Scale 1 is 500 secondary schools, 3.2 million rows of recorded crime over 36 months and about 20,000
km of streets on 1,572 square kilometres; counts grow with the scale, densities do not. Nothing in
it is real. The same scale and seed give the same world.

Properties that affect the cost of planning are realistic: lengths of street between junctions, dead
ends and unnamed paths, about 230 m of street per snap point, and crime that is concentrated at few
points, in town centres, and changes slightly with season and years.

Streets are a warped, thinned lattice: a stretch joins two crossings over a bent middle, where dead
ends and cut-throughs begin. Everything is arrays until a file is written.
"""

# ruff: noqa: PLR2004 - shares and metres of one drawing

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import osmium
import pyarrow as pa
import pyarrow.compute
from numpy.random import Generator
from numpy.typing import NDArray
from osmium.osm import mutable
from pyarrow import csv
from pyproj import Transformer
from scipy.spatial import cKDTree

SEED = 20271
AREA_SQUARE_KM = 1572.0
CENTRE = np.array([530_000.0, 180_000.0])
ACROSS, UP = 140.0, 222.0  # Metres between crossings, before the city is warped
WARP = 0.3  # How much denser the middle is than the mean; the edge is less dense
DROPPED, DROPPED_IN_PARK = 0.15, 0.75
DEAD_ENDS, CUT_THROUGHS = 0.26, 0.06
PAVEMENT_METRES = 8.0
MAIN_EVERY = 8
# fmt: off
WORDS = [
    "Alder", "Amber", "Anchor", "Apple", "Arbour", "Ash", "Aspen", "Barley", "Beacon", "Beech",
    "Bell", "Birch", "Bishop", "Bramble", "Bridge", "Brook", "Cable", "Canal", "Cedar", "Chapel",
    "Cherry", "Church", "Clover", "Copper", "Cross", "Dale", "Duke", "Elder", "Elm", "Fern",
    "Field", "Fir", "Forge", "Fox", "Garden", "Gate", "Glebe", "Grange", "Green", "Grove",
    "Harbour", "Hawthorn", "Hazel", "Heath", "Hill", "Holly", "Hop", "Ivy", "Juniper", "King",
    "Lake", "Larch", "Laurel", "Lime", "Linden", "Lock", "Maple", "Market", "Meadow", "Mill",
]
# fmt: on
KINDS = ("Road", "Street", "Avenue", "Lane", "Close", "Way", "Gardens", "Terrace")

MONTHS = tuple(f"{2023 + m // 12}-{m % 12 + 1:02d}" for m in range(9, 45))
ROWS = 3_200_000
SCHOOLS = 500
METRES_A_POINT = 230.0
REPORTS_A_SCHOOL = 25
NO_PLACE_SHARE = 0.015
DUPLICATE_SHARE = 0.001  # Share of rows that are also in the neighbouring force's file
CHANGING_SHARE = 0.02  # Share of points that grow or shrink much over the years
FORCES = {
    "metropolitan": ("Metropolitan Police Service (fictional)", 0.975),
    "city-of-london": ("City of London Police (fictional)", 0.01),
    "btp": ("British Transport Police", 0.015),
}
"""Name and share of all rows of each force."""

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

[accept]
crime_files_alike = "forces of this city record all over it"

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

Points = NDArray[np.float64]
Rows = NDArray[np.int64]
_TO_DEGREES = Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)


class Ways(NamedTuple):
    """Ways as flat arrays: node numbers one way after the other, and tags by way."""

    nodes: Rows
    sizes: Rows
    tags: list[dict[str, str]]


class City(NamedTuple):
    """Nodes, ways, and the stretches with snap points."""

    scale: float
    xy: Points
    ways: list[Ways]
    middle: Points  # (s, 2) of every stretch
    stretch_metres: NDArray[np.float64]
    stretch_name: NDArray[np.object_]
    metres: float
    main: NDArray[np.bool_]  # (s,) whether it is part of a main road


class Stretches(NamedTuple):
    """Stretches of one direction, line by line, and the number of each along its line."""

    start: Rows
    end: Rows
    line: Rows
    place: Rows
    in_park: NDArray[np.bool_]


class SnapPoints(NamedTuple):
    """Snap points: metres, degrees as text, the street in the data, and weights of crime."""

    xy: Points
    longitude: pa.Array
    latitude: pa.Array
    location: pa.Array
    lsoa: pa.Array
    weight: NDArray[np.float64]  # (k, c) by category
    drift: NDArray[np.float64]  # (k,) growth of the logarithm per month


def make_world(scale: float, folder: Path, *, seed: int = SEED) -> dict[str, float]:
    """Write a world into a folder and return its size."""
    streams = iter(np.random.default_rng(seed).spawn(6))
    folder.mkdir(parents=True, exist_ok=True)
    city = _draw_city(scale, next(streams))
    _write_streets(city, folder / "streets.osm.pbf", next(streams))
    snaps = _draw_snap_points(city, next(streams))
    rows = _write_crimes(snaps, scale, folder / "crimes", next(streams))
    schools = _write_schools(city, scale, folder, next(streams))
    _write_reports(schools, snaps, folder, next(streams))
    _write_lines(folder / "patrolplan.toml", SETTINGS.format(scale=scale).splitlines())
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


def _to_degrees(xy: Points) -> Points:
    """British National Grid metres (n, 2) as longitude and latitude, six digits."""
    return np.column_stack(_TO_DEGREES.transform(xy[:, 0], xy[:, 1])).round(6)


def _write_lines(path: Path, lines: list[str], encoding: str = "utf-8") -> None:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)


def _draw_city(scale: float, rng: Generator) -> City:
    """Draw the streets; the number of crossings grows with the scale, their density stays."""
    side = 1000 * np.sqrt(AREA_SQUARE_KM * scale)
    columns, rows = int(side / ACROSS) + 1, int(side / UP) + 1
    number = np.arange(rows * columns).reshape(rows, columns)
    park = _draw_parks(rows, columns, rng)
    crossings = _draw_crossings(rows, columns, side, rng)
    level, upright = (
        _thin_stretches(grid, inside, rng) for grid, inside in ((number, park), (number.T, park.T))
    )
    start, end = (np.concatenate([level[at], upright[at]]) for at in (0, 1))
    begin, step = crossings[start], crossings[end] - crossings[start]
    along = rng.uniform(0.4, 0.6, (len(step), 1))
    aside = np.column_stack([-step[:, 1], step[:, 0]])
    middle = begin + along * step + aside * rng.normal(0, 0.035, (len(step), 1))
    metres = np.hypot(*(middle - begin).T) + np.hypot(*(crossings[end] - middle).T)
    main = np.concatenate([level.line, upright.line]) % MAIN_EVERY == 0
    names = [_name_stretches(level, 0), _name_stretches(upright, 7919)]
    firsts = len(crossings), len(crossings) + len(level.line)
    ways = [
        _join_stretches(*each, rng) for each in zip((level, upright), firsts, names, strict=True)
    ]
    aside /= np.hypot(*step.T)[:, None]

    # Closes and service roads that start at the middle of a stretch.
    at = np.flatnonzero(rng.random(len(middle)) < DEAD_ENDS)
    length = rng.uniform(20, 75, len(at))
    closes = middle[at] + aside[at] * (rng.choice([-1.0, 1.0], len(at)) * length)[:, None]
    first = len(crossings) + len(middle)
    nodes = np.column_stack([len(crossings) + at, first + np.arange(len(at))]).ravel()
    choices = (
        {"highway": "service"},
        {"highway": "residential", "name": "The Close", "lit": "yes"},
        {"highway": "footway"},
        {"highway": "service", "access": "private"},
    )
    tags = [choices[kind] for kind in rng.choice(4, len(at), p=[0.35, 0.35, 0.22, 0.08])]
    ways.append(Ways(nodes, np.full(len(at), 2), tags))

    # A pavement of its own beside every stretch of a main road, joined to it by crossings.
    at, off = np.flatnonzero(main), aside[main] * PAVEMENT_METRES
    sides = np.stack([begin[at] + off + 0.05 * step[at], middle[at] + off], axis=1)
    own = first + len(closes) + np.arange(2 * len(at)).reshape(-1, 2)
    nodes = np.column_stack([start[at], own, end[at]]).ravel()
    tags = [{"highway": "footway", "footway": "sidewalk"}] * len(at)
    ways.append(Ways(nodes, np.full(len(at), 4), tags))
    total = metres.sum() + length.sum() + np.hypot(*step[at].T).sum()

    # Footpaths through a block, from the middle of one street to the middle of the next.
    key = level.line * columns + level.place
    opposite = np.searchsorted(key, key + columns)
    is_there = key[np.minimum(opposite, len(key) - 1)] == key + columns
    there = np.flatnonzero((opposite < len(key)) & is_there)
    at = there[rng.random(len(there)) < 2 * CUT_THROUGHS]
    to = opposite[at]
    nodes = len(crossings) + np.column_stack([at, to]).ravel()
    ways.append(Ways(nodes, np.full(len(at), 2), [{"highway": "footway"}] * len(at)))
    total += np.hypot(*(middle[at] - middle[to]).T).sum()
    xy = np.concatenate([crossings, middle, closes, sides.reshape(-1, 2)])
    return City(scale, xy, ways, middle, metres, np.concatenate(names), float(total), main)


def _draw_parks(rows: int, columns: int, rng: Generator) -> NDArray[np.bool_]:
    """Crossings inside parks: rectangles on a twelfth of the city."""
    park = np.zeros((rows, columns), dtype=bool)
    for _ in range(max(1, rows * columns // 700)):
        high, wide = rng.integers(3, 8), rng.integers(4, 13)
        row, column = rng.integers(max(1, rows - high)), rng.integers(max(1, columns - wide))
        park[row : row + high, column : column + wide] = True
    return park


def _draw_crossings(rows: int, columns: int, side: float, rng: Generator) -> Points:
    """Crossings, denser in the middle, with random displacements."""
    u, v = np.linspace(-1, 1, columns), np.linspace(-1, 1, rows)
    x = np.tile((1 - WARP) * u + WARP * u**3, rows) * side / 2
    y = np.repeat((1 - WARP) * v + WARP * v**3, columns) * side / 2
    x, y = x + 90 * np.sin(y / 1700 + 1.1), y + 80 * np.sin(x / 1900 + 0.3)
    return np.column_stack([x, y]) + rng.normal(0, 11, (len(x), 2)) + CENTRE


def _thin_stretches(number: Rows, park: NDArray[np.bool_], rng: Generator) -> Stretches:
    """The stretches along the rows of a grid of crossings that are there; few in parks."""
    line, place = np.indices(number[:, :-1].shape).reshape(2, -1)
    in_park = (park[:, :-1] & park[:, 1:]).ravel()
    main = line % MAIN_EVERY == 0
    stays = main | (rng.random(len(line)) > np.where(in_park, DROPPED_IN_PARK, DROPPED))
    ends = number[:, :-1].ravel(), number[:, 1:].ravel()
    return Stretches(*(part[stays] for part in (*ends, line, place, in_park & ~main)))


def _name_stretches(stretches: Stretches, salt: int) -> NDArray[np.object_]:
    """Names of stretches, which change after about nine; paths in parks have none."""
    mixed = (stretches.line * 7_368_787 + (stretches.place // 9) * 15_485_863 + salt) % 179_424_673
    words = np.array(WORDS, dtype=object)
    parts = words[mixed % 60] + words[mixed // 60 % 60]
    names = np.array([name[0] + name[1:].lower() for name in parts], dtype=object)
    names = names + " " + np.array(KINDS, dtype=object)[mixed // 3600 % len(KINDS)]
    return np.where(stretches.in_park, "", names)


def _join_stretches(
    stretches: Stretches, first_middle: int, name: NDArray[np.object_], rng: Generator
) -> Ways:
    """Consecutive stretches of a line, joined to ways of about five."""
    line, place = stretches.line, stretches.place
    goes_on = (line[1:] == line[:-1]) & (place[1:] == place[:-1] + 1) & (name[1:] == name[:-1])
    goes_on &= rng.random(len(goes_on)) > 0.15
    starts = np.flatnonzero(np.r_[True, ~goes_on])
    count = np.diff(np.r_[starts, len(line)])
    pairs = np.column_stack([first_middle + np.arange(len(line)), stretches.end]).ravel()
    nodes = np.insert(pairs, 2 * starts, stretches.start[starts])
    tags = [
        _choose_tags(int(line[at]), str(name[at]), row, in_park=bool(stretches.in_park[at]))
        for at, row in zip(starts, rng.random((len(starts), 4)).tolist(), strict=True)
    ]
    return Ways(nodes, 2 * count + 1, tags)


def _choose_tags(line: int, name: str, draw: list[float], *, in_park: bool) -> dict[str, str]:
    if in_park:
        return {"highway": "footway", "surface": "paved"} | ({"lit": "no"} if draw[0] < 0.4 else {})
    main = {0: "primary", 2: "secondary"}.get(line // MAIN_EVERY % 4, "tertiary")
    side = "residential" if draw[1] < 0.88 else "unclassified" if draw[1] < 0.95 else "service"
    tags = {"highway": main if line % MAIN_EVERY == 0 else side, "name": name}
    tags["maxspeed"] = "30 mph" if line % MAIN_EVERY == 0 else "20 mph"
    tags |= {"lit": "yes"} if draw[0] < 0.85 else {}
    tags |= {"surface": "asphalt"} if draw[2] < 0.8 else {}
    return tags | ({"oneway": "yes"} if draw[3] < 0.17 else {})


def _write_streets(city: City, path: Path, rng: Generator) -> None:
    """Write the streets, and terraces along half of them, some parks, and bus stops."""
    path.unlink(missing_ok=True)
    at = np.flatnonzero((rng.random(len(city.middle)) < 0.5) & (city.stretch_name != ""))
    is_park = rng.random(len(at)) < 0.02
    half = np.column_stack([rng.uniform(15, 40, len(at)), rng.uniform(5, 8, len(at))])
    half[is_park] = 45.0
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half[:, None]
    buildings = (city.middle[at] + np.array([25.0, 22.0]))[:, None] + corners
    ring = len(city.xy) + np.arange(4 * len(at)).reshape(-1, 4)
    nodes = np.column_stack([ring, ring[:, 0]]).ravel()
    green = {"leisure": "park", "name": "The Green"}
    tags = [green if park else {"building": "terrace"} for park in is_park]
    built = Ways(nodes, np.full(len(at), 5), tags)
    stops = city.middle[np.flatnonzero(city.main)[::3]] + np.array([4.0, 4.0])
    first_stop = len(city.xy) + ring.size
    places = _to_degrees(np.concatenate([city.xy, buildings.reshape(-1, 2), stops]))
    with osmium.SimpleWriter(str(path)) as writer:
        for number, place in enumerate(places.tolist(), start=1):
            tags = {"highway": "bus_stop"} if number > first_stop else {}
            writer.add_node(mutable.Node(id=number, location=place, tags=tags, version=1))
        number = 0
        for ways in (*city.ways, built):
            nodes, begin = (ways.nodes + 1).tolist(), 0
            for size, tags in zip(ways.sizes.tolist(), ways.tags, strict=True):
                number += 1
                refs = nodes[begin : begin + size]
                writer.add_way(mutable.Way(id=number, nodes=refs, tags=tags, version=1))
                begin += size


def _draw_snap_points(city: City, rng: Generator) -> SnapPoints:
    """Points at the middle of stretches of street, and their weights of crime.

    Town centres have most; outside of them every point has a random weight, and one for each
    category.
    """
    wanted = min(len(city.middle), round(city.metres / METRES_A_POINT))
    chance = city.stretch_metres / city.stretch_metres.sum()
    chosen = np.sort(rng.choice(len(city.middle), wanted, replace=False, p=chance))
    xy, count = city.middle[chosen], len(chosen)
    centres = rng.uniform(xy.min(axis=0), xy.max(axis=0), (max(3, round(420 * city.scale)), 2))
    reach, pull = rng.uniform(120, 420, len(centres)), rng.lognormal(2.2, 0.7, len(centres))
    away, nearest = cKDTree(centres).query(xy)
    base = 1 + pull[nearest] * np.exp(-0.5 * (away / reach[nearest]) ** 2)
    base *= rng.lognormal(0, 1.15, count)
    own = rng.lognormal(0, 0.7, (count, len(CATEGORIES)))
    drift = rng.normal(0, 0.004, count)
    drift += rng.normal(0, 0.05, count) * (rng.random(count) < CHANGING_SHARE)
    degrees = [pa.array(np.char.mod("%.6f", one).astype(object)) for one in _to_degrees(xy).T]
    names = pa.array([f"On or near {name or 'Footpath'}" for name in city.stretch_name[chosen]])
    lsoa = pa.array([f"E{number // 18:08d}" for number in range(count)])
    weight = base[:, None] ** np.linspace(0.85, 1.15, len(CATEGORIES)) * own
    return SnapPoints(xy, *degrees, names, lsoa, weight, drift)


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
        place = folder / month
        place.mkdir(parents=True, exist_ok=True)
        split = rng.choice(3, len(point), p=[share for _, share in FORCES.values()])
        twice = np.flatnonzero((split == 0) & (rng.random(len(point)) < DUPLICATE_SHARE))
        for which, (name, (force, _)) in enumerate(FORCES.items()):
            part = table.filter(pa.array(split == which))
            for column in (2, 3):
                forces = pa.repeat(force, part.num_rows)
                part = part.set_column(column, COLUMNS[column], forces)
            if name == "city-of-london":
                part = pa.concat_tables([part, table.take(pa.array(twice))])
            written += part.num_rows
            options = csv.WriteOptions(quoting_style="none")
            csv.write_csv(part, place / f"{month}-{name}-street.csv", options)
    return written


def _build_crime_table(
    snaps: SnapPoints, month: str, point: Rows, kind: Rows, rng: Generator
) -> pa.Table:
    """The rows of one month, all of the first force."""
    size = len(point)
    placed = pa.array(point, mask=rng.random(size) < NO_PLACE_SHARE)
    behaviour = kind == 0
    ids = np.frombuffer(rng.bytes(32 * size).hex().encode("ascii"), "S64").astype(str)
    outcome = pa.array(["", "Investigation complete; no suspect identified", "Under investigation"])
    force, lsoa = pa.repeat(FORCES["metropolitan"][0], size), snaps.lsoa.take(placed)
    columns = [
        pa.array(ids, mask=behaviour),
        pa.repeat(month, size),
        force,
        force,
        snaps.longitude.take(placed),
        snaps.latitude.take(placed),
        snaps.location.take(placed).fill_null("No Location"),
        lsoa,
        lsoa,
        pa.array(list(CATEGORIES)).take(pa.array(kind)),
        outcome.take(pa.array(np.where(behaviour, 0, rng.choice([1, 2], size)))),
        pa.nulls(size, pa.string()),
    ]
    return pa.table(columns, names=COLUMNS)


def _write_schools(city: City, scale: float, folder: Path, rng: Generator) -> Points:
    """Write schools of all phases as in GIAS, bells and officers; returns secondary sites."""
    secondary = max(2, round(SCHOOLS * scale))
    phases = ["Secondary"] * secondary + ["Primary"] * (4 * secondary)
    phases += ["Secondary"] * (secondary // 2)  # closed
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
    _write_lines(folder / "schools.csv", lines, "cp1252")
    bells = [f"{100_000 + n},15:{5 * rng.integers(1, 7):02d}" for n in range(secondary) if n % 10]
    _write_lines(folder / "bell_times.csv", ["urn,finish_time", *bells])

    # One officer for two neighbouring schools, with the base near the first.
    lines = ["officer,school_urns,mon,tue,wed,thu,fri,max_patrols_per_week,mode,"]
    lines[0] += "base_longitude,base_latitude"
    bases = _to_degrees(sites[:secondary])[::2]
    for row, (longitude, latitude) in enumerate(bases):
        own = range(2 * row, min(2 * row + 2, secondary))
        urns = ";".join(str(100_000 + n) for n in own)
        days = ",".join("" if day == row % 5 else "14:00-18:00" for day in range(5))
        lines.append(f"SSO-{row + 1:04d},{urns},{days},4,walk,{longitude:.6f},{latitude:.6f}")
    _write_lines(folder / "officers.csv", lines)
    return sites[:secondary]


def _write_reports(schools: Points, snaps: SnapPoints, folder: Path, rng: Generator) -> None:
    size = REPORTS_A_SCHOOL * len(schools)
    school = rng.integers(len(schools), size=size)
    near = cKDTree(snaps.xy).query(schools[school] + rng.normal(0, 260, (size, 2)))[1]
    # Pupils name the same few places: a report is at the busier of two points.
    other = rng.integers(size, size=size)
    other = np.where(school[other] == school, near[other], near)
    busier = np.where(snaps.weight[other, 0] > snaps.weight[near, 0], other, near)
    degrees = _to_degrees(snaps.xy[busier] + rng.normal(0, 12, (size, 2)))
    lines = ["report_id,school_urn,reported_on,time_band,place_factor,behaviour_factor,"]
    lines[0] += "longitude,latitude"
    band = rng.choice(BANDS, size, p=[0.1, 0.1, 0.6, 0.2])
    place = rng.choice(PLACES, size, p=[0.3, 0.15, 0.05, 0.1, 0.05, 0.35])
    behaviour = rng.choice(BEHAVIOURS, size, p=[0.35, 0.1, 0.15, 0.1, 0.1, 0.05, 0.15])
    lines += [
        f"R{row + 1:07d},{100_000 + school[row]},2026-{1 + row % 6:02d}-{1 + row % 28:02d},"
        f"{band[row]},{place[row]},{behaviour[row]},{degrees[row, 0]:.6f},{degrees[row, 1]:.6f}"
        for row in range(size)
    ]
    _write_lines(folder / "reports.csv", lines)


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
