"""The plan as OpenStreetMap XML: shared nodes, bridges over the canal, tags, bus stops, pubs."""

# ruff: noqa: PLR2004 - shares and metres of one drawing

import gzip
import io
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.random import Generator
from shapely.geometry import LineString, Point
from shapely.ops import substring
from shapely.strtree import STRtree

from demo import skeleton
from demo.crossings import add_crossings, add_details, add_entrance, add_shops
from demo.frame import to_lonlat
from demo.layout import TOUCH, Plan, Street, meetings
from demo.places import add_places

NOTE = "FICTIONAL: the borough of Eastmere does not exist. Made by data/make_demo.py."
MERGE = 2.5
"""Two points of streets nearer than this (m) become one node."""
STEP = 32.0
"""Longest run (m) between two nodes, so that the bent plan stays smooth."""
BRIDGE_HALF = 10.0
BUS_STOP_EVERY = 290.0
ONE_WAY_SHARE = 0.17
TIMESTAMP = "2026-10-01T00:00:00Z"


@dataclass
class Nodes:
    """Points with ids; a point near an earlier one of the same group is that one."""

    places: list[tuple[float, float]] = field(default_factory=list)
    tags: dict[int, dict[str, str]] = field(default_factory=dict)
    _bins: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def shared(self, x: float, y: float) -> int:
        """Id of the street node here."""
        column, row = int(x // MERGE), int(y // MERGE)
        for i in range(column - 1, column + 2):
            for j in range(row - 1, row + 2):
                for node in self._bins.get((i, j), ()):
                    if np.hypot(x - self.places[node][0], y - self.places[node][1]) < MERGE:
                        return node
        node = self.own(x, y)
        self._bins.setdefault((column, row), []).append(node)
        return node

    def own(self, x: float, y: float) -> int:
        """Id of a new node that is shared with nothing."""
        self.places.append((x, y))
        return len(self.places) - 1


@dataclass(frozen=True)
class Way:
    """A way of the file."""

    nodes: list[int]
    tags: dict[str, str]


def _with_bridges(streets: list[Street]) -> list[Street]:
    """Streets cut where they cross the canal, the piece over the water tagged as a bridge."""
    canal = LineString(skeleton.CANAL)
    out = []
    for street in streets:
        crossing = street.line.intersection(canal)
        if crossing.is_empty or not isinstance(crossing, Point):
            out.append(street)
            continue
        at = street.line.project(crossing)
        cuts = [0.0, at - BRIDGE_HALF, at + BRIDGE_HALF, street.line.length]
        for i, (start, end) in enumerate(pairwise(cuts)):
            bridge = {"bridge": "yes", "layer": "1"} if i == 1 else {}
            if end - start > 1:
                out.append(Street(substring(street.line, start, end), street.tags | bridge))
    return out


def _noded(streets: list[Street]) -> list[np.ndarray]:
    """For each street its points: its own, where others meet it, and some between."""
    lines = [s.line for s in streets]
    tree = STRtree(lines)
    out = []
    for i, line in enumerate(lines):
        along = {0.0, line.length, *(line.project(Point(c)) for c in line.coords[1:-1])}
        for j in sorted(tree.query(line.buffer(TOUCH))):
            if j != i and lines[j].distance(line) < TOUCH:
                along.update(line.project(Point(p)) for p in meetings(line, lines[j]))
        stops = sorted(along)
        filled = [0.0]
        for stop in stops[1:]:
            count = int(np.ceil((stop - filled[-1]) / STEP)) or 1
            filled.extend(np.linspace(filled[-1], stop, count + 1)[1:])
        points = [line.interpolate(a) for a in filled]
        out.append(np.array([(p.x, p.y) for p in points]))
    return out


def _dressed(street: Street, rng: Generator) -> dict[str, str]:
    """The tags of a street, with the usual ones added."""
    tags = {k: v for k, v in street.tags.items() if k not in skeleton.OUR_TAGS}
    kind, draw, length = tags["highway"], rng.random(3), street.line.length
    if kind in ("residential", "unclassified", "tertiary"):
        if draw[0] < 0.93:
            tags.setdefault("lit", "yes")
        if draw[1] < 0.85:
            tags.setdefault("surface", "asphalt")
        if kind == "residential" and draw[2] < ONE_WAY_SHARE and 90 < length < 320:
            tags["oneway"] = "yes"
        tags.setdefault("maxspeed", "20 mph")
    return tags


def _bus_stops(plan: Plan, nodes: Nodes, rng: Generator) -> None:
    """Bus stops along the main roads, named after the nearest side street."""
    side = [
        s
        for s in plan.streets
        if s.tags["highway"] in ("residential", "tertiary") and "name" in s.tags
    ]
    for street in plan.streets:
        if street.tags.get("name") not in skeleton.BUS_ROADS:
            continue
        along = rng.uniform(60, 120)
        while along < street.line.length - 30:
            here, ahead = (street.line.interpolate(along + d) for d in (0.0, 1.0))
            near = min(side, key=lambda s: s.line.distance(here))
            for hand in (-6.5, 6.5):
                node = nodes.own(
                    here.x - hand * (ahead.y - here.y), here.y + hand * (ahead.x - here.x)
                )
                nodes.tags[node] = {
                    "highway": "bus_stop",
                    "name": near.tags["name"],
                    "public_transport": "platform",
                    "bus": "yes",
                }
            along += BUS_STOP_EVERY * rng.uniform(0.85, 1.15)


def _ways(plan: Plan, nodes: Nodes, rng: Generator) -> list[Way]:
    """All ways: streets first, then railway and canal, then areas."""
    streets = _with_bridges(plan.streets)
    ways = []
    for street, points in zip(streets, _noded(streets), strict=True):
        ids = [nodes.shared(x, y) for x, y in points]
        ids = [n for i, n in enumerate(ids) if i == 0 or n != ids[i - 1]]
        if len(ids) > 1:
            ways.append(Way(ids, _dressed(street, rng)))
    for street in plan.lines:
        line = street.line.segmentize(STEP)
        ways.append(Way([nodes.own(x, y) for x, y in line.coords], street.tags))
    for area in plan.areas:
        ring = area.shape.exterior.segmentize(STEP * 2)
        ids = [nodes.own(x, y) for x, y in ring.coords[:-1]]
        ways.append(Way([*ids, ids[0]], area.tags))
    return ways


def _xml(nodes: Nodes, ways: list[Way]) -> str:
    """The file's text."""
    places = to_lonlat(nodes.places)
    low, high = places.min(axis=0), places.max(axis=0)
    out = io.StringIO()
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f"<!-- {NOTE} -->\n")
    out.write('<osm version="0.6" generator="patrolplan data/make_demo.py">\n')
    out.write(
        f' <bounds minlat="{low[1]:.7f}" minlon="{low[0]:.7f}"'
        f' maxlat="{high[1]:.7f}" maxlon="{high[0]:.7f}"/>\n'
    )
    for i, (longitude, latitude) in enumerate(places):
        head = f' <node id="{i + 1}" version="1" timestamp="{TIMESTAMP}"'
        head += f' lat="{latitude:.7f}" lon="{longitude:.7f}"'
        out.write(_element(head, nodes.tags.get(i, {}), [], "node"))
    for i, way in enumerate(ways):
        head = f' <way id="{i + 1}" version="1" timestamp="{TIMESTAMP}"'
        out.write(_element(head, way.tags, way.nodes, "way"))
    out.write("</osm>\n")
    return out.getvalue()


def _element(head: str, tags: dict[str, str], nodes: list[int], name: str) -> str:
    """One XML element with its references and tags."""
    inner = [f'  <nd ref="{n + 1}"/>\n' for n in nodes]
    inner += [f"  <tag k={quoteattr(k)} v={quoteattr(v)}/>\n" for k, v in tags.items()]
    return f"{head}>\n{''.join(inner)} </{name}>\n" if inner else f"{head}/>\n"


def write_streets(plan: Plan, path: Path, rng: Generator, places_rng: Generator) -> None:
    """Write the plan as gzipped OSM XML, byte-equal from run to run."""
    nodes = Nodes()
    ways = _ways(plan, nodes, rng)
    station = nodes.own(*skeleton.STATION)
    nodes.tags[station] = {
        "railway": "station",
        "name": skeleton.STATION_NAME,
        "public_transport": "station",
        "network": "Eastmere Overground",
    }
    _bus_stops(plan, nodes, rng)
    add_places(plan, nodes, places_rng)
    add_crossings(nodes, ways)
    add_details(ways)
    add_entrance(nodes, ways, skeleton.STATION_NAME)
    add_shops(plan, nodes)
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=9) as packed,
    ):
        packed.write(_xml(nodes, ways).encode())
