"""The streets of a fictional city: a warped, thinned lattice with dead ends, paths and parks.

Everything is arrays until the file is written. A stretch joins two crossings of the lattice over
a bent middle; dead ends and cut-throughs begin at such middles.
"""

# ruff: noqa: PLR2004 - shares and metres of one drawing

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
from numpy.random import Generator
from numpy.typing import NDArray
from osmium.osm import mutable
from pyproj import Transformer

AREA_SQUARE_KM = 1572.0
CENTRE = np.array([530_000.0, 180_000.0])
ACROSS, UP = 140.0, 222.0
"""Metres between crossings, before the city is warped."""

WARP = 0.3
"""How much denser the middle is than the mean; the edge is less dense."""

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

Points = NDArray[np.float64]
_TO_DEGREES = Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)


def to_degrees(xy: Points) -> Points:
    """British National Grid metres (n, 2) as longitude and latitude, six digits."""
    return np.column_stack(_TO_DEGREES.transform(xy[:, 0], xy[:, 1])).round(6)


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways as flat arrays: node numbers one way after the other, and tags by way."""

    nodes: NDArray[np.int64]
    sizes: NDArray[np.int64]
    tags: list[dict[str, str]]


@dataclass(frozen=True, eq=False)
class City:
    """Nodes, ways, and the stretches with snap points."""

    scale: float
    xy: Points
    ways: tuple[Ways, ...]
    middle: Points
    """(s, 2) the middle of every stretch."""
    stretch_metres: NDArray[np.float64]
    stretch_name: NDArray[np.object_]
    metres: float
    main: NDArray[np.bool_]
    """(s,) whether it is part of a main road."""


@dataclass(frozen=True, eq=False)
class _Stretches:
    """Stretches of one direction, line by line."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    line: NDArray[np.int64]
    place: NDArray[np.int64]
    """Number along the line."""
    in_park: NDArray[np.bool_]

    @property
    def main(self) -> NDArray[np.bool_]:
        return self.line % MAIN_EVERY == 0


@dataclass(frozen=True, eq=False)
class _DrawnStreets:
    """Crossings, and for every stretch its ends, its middle, and whether it is on a main road."""

    crossings: Points
    middle: Points
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    main: NDArray[np.bool_]


def draw_city(scale: float, rng: Generator) -> City:
    """Draw the streets; the number of crossings grows with the scale, their density stays."""
    side = 1000 * np.sqrt(AREA_SQUARE_KM * scale)
    columns, rows = int(side / ACROSS) + 1, int(side / UP) + 1
    number = np.arange(rows * columns).reshape(rows, columns)
    park = _draw_parks(rows, columns, rng)
    crossings = _draw_crossings(rows, columns, side, rng)
    row, column = np.mgrid[:rows, :columns]
    level = _Stretches(
        number[:, :-1].ravel(),
        number[:, 1:].ravel(),
        row[:, :-1].ravel(),
        column[:, :-1].ravel(),
        (park[:, :-1] & park[:, 1:]).ravel(),
    )
    upright = _Stretches(
        number[:-1].T.ravel(),
        number[1:].T.ravel(),
        column[:-1].T.ravel(),
        row[:-1].T.ravel(),
        (park[:-1] & park[1:]).T.ravel(),
    )
    level, upright = _thin_stretches(level, rng), _thin_stretches(upright, rng)
    start = np.concatenate([level.start, upright.start])
    end = np.concatenate([level.end, upright.end])
    middle = _draw_middles(crossings[start], crossings[end], rng)
    metres = np.hypot(*(middle - crossings[start]).T) + np.hypot(*(crossings[end] - middle).T)
    first_middle = len(crossings)
    xy = [crossings, middle]
    names = np.concatenate([_name_stretches(level, 0), _name_stretches(upright, 7919)])
    ways = [
        _join_stretches(level, first_middle, names[: len(level.start)], rng),
        _join_stretches(upright, first_middle + len(level.start), names[len(level.start) :], rng),
    ]
    total = metres.sum()
    main = np.concatenate([level.main, upright.main])
    drawn = _DrawnStreets(crossings, middle, start, end, main)
    points, made, length = _draw_dead_ends(drawn, sum(map(len, xy)), rng)
    xy, ways, total = [*xy, points], [*ways, made], total + length
    points, made, length = _draw_pavements(drawn, sum(map(len, xy)))
    xy, ways, total = [*xy, points], [*ways, made], total + length
    made, length = _draw_cut_throughs(level, first_middle, middle, columns, rng)
    ways.append(made)
    total += length
    return City(scale, np.concatenate(xy), tuple(ways), middle, metres, names, float(total), main)


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
    xy = np.column_stack([x, y]) + rng.normal(0, 11, (len(x), 2))
    return xy + CENTRE


def _thin_stretches(stretches: _Stretches, rng: Generator) -> _Stretches:
    chance = np.where(stretches.in_park, DROPPED_IN_PARK, DROPPED)
    stays = stretches.main | (rng.random(len(chance)) > chance)
    return _Stretches(
        stretches.start[stays],
        stretches.end[stays],
        stretches.line[stays],
        stretches.place[stays],
        stretches.in_park[stays] & ~stretches.main[stays],
    )


def _draw_middles(start: Points, end: Points, rng: Generator) -> Points:
    along = rng.uniform(0.4, 0.6, (len(start), 1))
    step = end - start
    aside = np.column_stack([-step[:, 1], step[:, 0]]) * rng.normal(0, 0.035, (len(start), 1))
    return start + along * step + aside


def _name_stretches(stretches: _Stretches, salt: int) -> NDArray[np.object_]:
    """Names of stretches, which change after about nine; paths in parks have none."""
    mixed = (stretches.line * 7_368_787 + (stretches.place // 9) * 15_485_863 + salt) % 179_424_673
    words = np.array(WORDS, dtype=object)
    parts = words[mixed % 60] + words[mixed // 60 % 60]
    names = np.array([name[0] + name[1:].lower() for name in parts], dtype=object)
    names = names + " " + np.array(KINDS, dtype=object)[mixed // 3600 % len(KINDS)]
    return np.where(stretches.in_park, "", names)


def _join_stretches(
    stretches: _Stretches, first_middle: int, names: NDArray[np.object_], rng: Generator
) -> Ways:
    """Consecutive stretches of a line, joined to ways of about five."""
    line, place, name = stretches.line, stretches.place, names
    goes_on = (line[1:] == line[:-1]) & (place[1:] == place[:-1] + 1) & (name[1:] == name[:-1])
    goes_on &= rng.random(len(goes_on)) > 0.15
    starts = np.flatnonzero(np.r_[True, ~goes_on])
    count = np.diff(np.r_[starts, len(line)])
    middles = first_middle + np.arange(len(line))
    pairs = np.column_stack([middles, stretches.end]).ravel()
    nodes = np.insert(pairs, 2 * starts, stretches.start[starts])
    draw = rng.random((len(starts), 4))
    tags = [
        _choose_tags(int(line[at]), str(name[at]), bool(stretches.in_park[at]), row)
        for at, row in zip(starts, draw.tolist(), strict=True)
    ]
    return Ways(nodes, 2 * count + 1, tags)


def _choose_tags(line: int, name: str, in_park: bool, draw: list[float]) -> dict[str, str]:  # noqa: FBT001
    if in_park:
        return {"highway": "footway", "surface": "paved"} | ({"lit": "no"} if draw[0] < 0.4 else {})
    main = {0: "primary", 2: "secondary"}.get(line // MAIN_EVERY % 4, "tertiary")
    side = "residential" if draw[1] < 0.88 else "unclassified" if draw[1] < 0.95 else "service"
    tags = {"highway": main if line % MAIN_EVERY == 0 else side, "name": name}
    tags["maxspeed"] = "30 mph" if line % MAIN_EVERY == 0 else "20 mph"
    tags |= {"lit": "yes"} if draw[0] < 0.85 else {}
    tags |= {"surface": "asphalt"} if draw[2] < 0.8 else {}
    return tags | ({"oneway": "yes"} if draw[3] < 0.17 else {})


def _draw_dead_ends(drawn: _DrawnStreets, first: int, rng: Generator) -> tuple[Points, Ways, float]:
    """Closes and service roads that start at the middle of a stretch."""
    at = np.flatnonzero(rng.random(len(drawn.middle)) < DEAD_ENDS)
    step = drawn.crossings[drawn.end[at]] - drawn.crossings[drawn.start[at]]
    away = np.column_stack([-step[:, 1], step[:, 0]]) / np.hypot(*step.T)[:, None]
    length = rng.uniform(20, 75, len(at))
    away *= (rng.choice([-1.0, 1.0], len(at)) * length)[:, None]
    points = drawn.middle[at] + away
    nodes = np.column_stack([len(drawn.crossings) + at, first + np.arange(len(at))]).ravel()
    choices = (
        {"highway": "service"},
        {"highway": "residential", "name": "The Close", "lit": "yes"},
        {"highway": "footway"},
        {"highway": "service", "access": "private"},
    )
    tags = [choices[kind] for kind in rng.choice(4, len(at), p=[0.35, 0.35, 0.22, 0.08])]
    return points, Ways(nodes, np.full(len(at), 2), tags), float(length.sum())


def _draw_pavements(drawn: _DrawnStreets, first: int) -> tuple[Points, Ways, float]:
    """A pavement of its own beside every stretch of a main road, joined to it by crossings."""
    at = np.flatnonzero(drawn.main)
    step = drawn.crossings[drawn.end[at]] - drawn.crossings[drawn.start[at]]
    aside = np.column_stack([-step[:, 1], step[:, 0]]) / np.hypot(*step.T)[:, None]
    aside *= PAVEMENT_METRES
    points = np.stack(
        [drawn.crossings[drawn.start[at]] + aside + 0.05 * step, drawn.middle[at] + aside], axis=1
    ).reshape(-1, 2)
    own = first + np.arange(2 * len(at)).reshape(-1, 2)
    nodes = np.column_stack([drawn.start[at], own, drawn.end[at]]).ravel()
    tags = [{"highway": "footway", "footway": "sidewalk"}] * len(at)
    return points, Ways(nodes, np.full(len(at), 4), tags), float(np.hypot(*step.T).sum())


def _draw_cut_throughs(
    level: _Stretches, first_middle: int, middle: Points, columns: int, rng: Generator
) -> tuple[Ways, float]:
    """Footpaths through a block, from the middle of one street to the middle of the next."""
    key = level.line * columns + level.place
    opposite = np.searchsorted(key, key + columns)
    there = np.flatnonzero(
        (opposite < len(key)) & (key[np.minimum(opposite, len(key) - 1)] == key + columns)
    )
    at = there[rng.random(len(there)) < 2 * CUT_THROUGHS]
    to = opposite[at]
    nodes = np.column_stack([first_middle + at, first_middle + to]).ravel()
    tags = [{"highway": "footway"}] * len(at)
    length = np.hypot(*(middle[at] - middle[to]).T).sum()
    return Ways(nodes, np.full(len(at), 2), tags), float(length)


def write_streets(city: City, path: Path, rng: Generator) -> None:
    """Write the streets, and buildings, parks, bus stops and a railway beside them."""
    path.unlink(missing_ok=True)
    buildings, built = _draw_buildings(city, len(city.xy), rng)
    stops = _place_bus_stops(city)
    first_stop = len(city.xy) + len(buildings)
    places = to_degrees(np.concatenate([city.xy, buildings, stops]))
    with osmium.SimpleWriter(str(path)) as writer:
        for number, place in enumerate(places.tolist(), start=1):
            tags = {"highway": "bus_stop"} if number > first_stop else {}
            writer.add_node(mutable.Node(id=number, location=place, tags=tags, version=1))
        number = 0
        for ways in (*city.ways, built):
            nodes = (ways.nodes + 1).tolist()
            begin = 0
            for size, tags in zip(ways.sizes.tolist(), ways.tags, strict=True):
                number += 1
                refs = nodes[begin : begin + size]
                writer.add_way(mutable.Way(id=number, nodes=refs, tags=tags, version=1))
                begin += size


def _draw_buildings(city: City, first: int, rng: Generator) -> tuple[Points, Ways]:
    """A terrace along half of the streets, and some parks, as closed ways."""
    at = np.flatnonzero((rng.random(len(city.middle)) < 0.5) & (city.stretch_name != ""))
    kind = rng.random(len(at)) < 0.02
    half = np.column_stack([rng.uniform(15, 40, len(at)), rng.uniform(5, 8, len(at))])
    half[kind] = 45.0
    centre = city.middle[at] + np.array([25.0, 22.0])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    points = (centre[:, None] + corners * half[:, None]).reshape(-1, 2)
    ring = first + np.arange(4 * len(at)).reshape(-1, 4)
    nodes = np.column_stack([ring, ring[:, 0]]).ravel()
    tags = [
        {"leisure": "park", "name": "The Green"} if it else {"building": "terrace"} for it in kind
    ]
    return points, Ways(nodes, np.full(len(at), 5), tags)


def _place_bus_stops(city: City) -> Points:
    return city.middle[np.flatnonzero(city.main)[::3]] + np.array([4.0, 4.0])
