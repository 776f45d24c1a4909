"""Which names stand on a patrol's map: streets of the route first, then what helps to find them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography.basemap import classify_streets, merge_lines
from patrolplan.outputs.cartography.fonts import LINE_HEIGHT, make_printable, measure_text_width
from patrolplan.outputs.cartography.labels import (
    LabelCandidates,
    find_places_above_below,
    find_places_along_line,
    find_places_around_point,
)
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.text import LONGEST_NAME, shorten

ROUTE_NAME_SIZE = 8.6
NAME_SIZE = 8.0
SCHOOL_SIZE = 9.0
ROUTE_NAME_OFFSETS = (9.5, -9.5, 13.0, -13.0, 17.0, -17.0, 22.0, -22.0)
"""Points from a street on the route to its name: clear of the route in either of two lanes."""
STREET_CLASS_RANK = {"major": 0, "middle": 1, "minor": 2, "service": 4, "foot": 3}
SYMBOL_EDGE_MARGIN = 4.0
"""Signs nearer to the edge of the map than so many points are left out."""
MAX_ROUTE_DISTANCE = 45.0
"""Points from the route within which its streets' names stand."""


@dataclass(frozen=True, eq=False)
class MapLabel:
    """A name that wants a place, and how it is written."""

    text: str
    size: float
    bold: bool
    colour: str
    candidates: LabelCandidates
    plate_colour: str = ""
    """Colour of the edge of the white plate it stands on; empty for names on the map itself."""
    leader_ends: NDArray[np.float64] | None = None
    """(n, 2) for each place of the wish, where a line leads from there; None without lines."""


@dataclass(frozen=True)
class PointSymbol:
    """How places of one kind are named: the sign's radius in points, the name's cut and plate."""

    kind: str
    radius: float
    bold: bool = False
    plate_colour: str = ""


STATION = PointSymbol("station", radius=6.0, bold=True)
BUS_STOP = PointSymbol("bus_stop", radius=3.5, plate_colour="#8a8a8a")
"""On a plate, because bus stops are mostly called after some other street."""


def build_street_labels(
    network: StreetNetwork,
    pieces: NDArray[np.int64],
    viewport: Viewport,
    *,
    route_streets: Iterable[str],
    route: BaseGeometry,
) -> list[MapLabel]:
    """Names of the streets in the window, those of the route first, then by class and length."""
    names = network.piece_name[pieces].astype(str)
    named = names != ""
    shown, names = pieces[named], names[named]
    classes = classify_streets(network, shown)
    wanted = set(route_streets)
    found: list[tuple[tuple[int, float, str], MapLabel]] = []
    order = np.argsort(names, kind="stable")
    for group in np.split(order, np.flatnonzero(names[order][1:] != names[order][:-1]) + 1):
        if not len(group):
            continue
        name = str(names[group[0]])
        lines = viewport.clip_to_page(network.lines(shown[group]), margin=0)
        lines = shapely.get_parts(lines)
        lines = merge_lines(lines[shapely.get_type_id(lines) == 1])
        if not len(lines):
            continue
        rank = min(STREET_CLASS_RANK[kind] for kind in classes[group])
        walked = name in wanted
        written = _build_street_label(name, lines, walked=walked, major=rank <= 1, route=route)
        length = float(shapely.length(lines).sum())
        found.append(((-1 if walked else rank, -length, name), written))
    return [name for _, name in sorted(found, key=lambda pair: pair[0])]


def _build_street_label(
    name: str,
    lines: NDArray[np.object_],
    *,
    walked: bool,
    major: bool,
    route: BaseGeometry,
) -> MapLabel:
    text = shorten(make_printable(name))
    size = ROUTE_NAME_SIZE if walked else NAME_SIZE
    width = measure_text_width(text, size, bold=walked) + 3
    height = size * LINE_HEIGHT
    boxes, costs = [np.empty((0, 5))], [np.empty(0)]
    for line in lines:
        xy = shapely.get_coordinates(line)
        for beside, bend in (
            (((0.0,), 6.0), (ROUTE_NAME_OFFSETS, 18.0)) if walked else (((0.0,), 3.0),)
        ):
            places, cost = find_places_along_line(
                xy,
                width,
                height,
                offsets=beside,
                max_bend=bend,
                max_length_ratio=2.2 if walked else 1.04,
            )
            boxes.append(places)
            costs.append(cost + (3.0 if len(beside) > 1 else 0.0))
    all_boxes, all_costs = np.concatenate(boxes), np.concatenate(costs)
    if walked and not route.is_empty:
        # The walked part of a long street is where its name is looked for.
        away = shapely.distance(shapely.points(all_boxes[:, :2]), route)
        near = away <= MAX_ROUTE_DISTANCE
        if near.any():
            all_boxes, all_costs, away = all_boxes[near], all_costs[near], away[near]
        all_costs = all_costs + np.maximum(0.0, away - 14.0) * 0.4
    wish = LabelCandidates(
        name, all_boxes, all_costs, max_count=2 if walked or major else 1, min_gap=300.0
    )
    return MapLabel(text, size, walked, "black" if walked or major else "#3c3c3c", wish)


def build_school_labels(gate: tuple[float, float], school: str, *, radius: float) -> list[MapLabel]:
    """The school's name by its gate, and shorter forms that stand in where it finds no place."""
    names = []
    for letters in (LONGEST_NAME, 20, 10) if school else ():
        text = shorten(make_printable(school), letters)
        width = measure_text_width(text, SCHOOL_SIZE, bold=True) + 3
        size = (width, SCHOOL_SIZE * LINE_HEIGHT)
        near = find_places_around_point(*gate, size, radius=radius, extra_distances=(0.0, 4.0, 9.0))
        aside = find_places_above_below(
            *gate, size, radius=radius, extra_distances=(0.0, 6.0, 14.0, 24.0)
        )
        boxes, cost = (np.concatenate(parts) for parts in zip(near, aside, strict=True))
        wish = LabelCandidates("school", boxes, cost, min_gap=np.inf)
        names.append(MapLabel(text, SCHOOL_SIZE, bold=True, colour="black", candidates=wish))
    return names


def with_blocked_area(label: MapLabel, blocked: BaseGeometry) -> MapLabel:
    """The name, forbidden to touch what is blocked."""
    return replace(label, candidates=replace(label.candidates, blocked=blocked))


def build_symbol_labels(
    features: gpd.GeoDataFrame,
    viewport: Viewport,
    symbol: PointSymbol,
    *,
    covered: BaseGeometry,
    near: BaseGeometry | None = None,
) -> list[MapLabel]:
    """Names of stations or bus stops, each name once, beside a sign that is seen.

    Without its sign a name would read as that of the street it stands on. `covered` is what lies
    over signs, of which half must be seen; `near` keeps those close to the route.
    """
    shown = features[features["kind"] == symbol.kind]
    points = shown.geometry.representative_point()
    xy = viewport.to_page(np.column_stack([points.x, points.y]).reshape(-1, 2))
    inside = ((xy > SYMBOL_EDGE_MARGIN) & (xy < np.array(viewport.size) - SYMBOL_EDGE_MARGIN)).all(
        axis=1
    )
    inside &= ~shapely.intersects_xy(covered, xy)
    if near is not None:
        inside &= shapely.distance(near, shapely.points(xy)) <= MAX_ROUTE_DISTANCE
    names: dict[str, MapLabel] = {}
    for text, (x, y) in zip(shown["name"][inside], xy[inside], strict=True):
        short = shorten(make_printable(str(text)), 24)
        if not short or short in names:
            continue
        size = (
            measure_text_width(short, NAME_SIZE, bold=symbol.bold)
            + (7 if symbol.plate_colour else 2),
            NAME_SIZE * LINE_HEIGHT + (2 if symbol.plate_colour else 0),
        )
        boxes, cost = find_places_around_point(
            x, y, size, radius=symbol.radius, extra_distances=(0.0, 6.0)
        )
        wish = LabelCandidates(f"{symbol.kind} {short}", boxes, cost)
        names[short] = MapLabel(
            short, NAME_SIZE, symbol.bold, "#202020", wish, plate_colour=symbol.plate_colour
        )
    return list(names.values())


def build_area_labels(features: gpd.GeoDataFrame, viewport: Viewport) -> list[MapLabel]:
    """Names of parks and water that are large enough to hold them, the largest first."""
    shown = features[features["kind"].isin(["park", "water"]) & (features["name"] != "")]
    found = []
    for text, shape in zip(shown["name"], shown.geometry, strict=True):
        cut = viewport.clip_to_page(np.array([shape]), margin=0)
        name = shorten(make_printable(str(text)), 28)
        width = measure_text_width(name, NAME_SIZE) + 2
        if not len(cut) or shapely.area(cut[0]) < width * NAME_SIZE:
            continue
        spot = shapely.point_on_surface(cut[0])
        middle = shapely.centroid(cut[0])
        places = np.array([[p.x, p.y] for p in (middle, spot)])
        places = (places[:, None] + np.array([(0, 0), (0, 14), (0, -14)])[None]).reshape(-1, 2)
        size = np.full((len(places), 2), (width, NAME_SIZE * LINE_HEIGHT))
        boxes = np.column_stack([places, size, np.zeros(len(places))])
        wish = LabelCandidates(name, boxes, np.arange(float(len(places))))
        found.append(
            (
                -shapely.area(cut[0]),
                MapLabel(name, NAME_SIZE, bold=False, colour="#3d5a2e", candidates=wish),
            )
        )
    seen: dict[str, MapLabel] = {}
    for _, written in sorted(found, key=lambda pair: (pair[0], pair[1].text)):
        seen.setdefault(written.text, written)
    return list(seen.values())
