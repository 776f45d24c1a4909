"""Which names are on a map, how they are written, and where each of them may be placed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography import fonts, labels
from patrolplan.outputs.cartography.basemap import ROUTE_COLOUR, classify_streets, select_shapes
from patrolplan.outputs.cartography.labels import NAME_SIZE, Boxes, MapLabel, Placing
from patrolplan.outputs.cartography.page import TextStyle, Window, trace_circle, trace_rounded
from patrolplan.outputs.cartography.symbols import SYMBOLS, Signs
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.text import wrap_evenly

ROUTE_NAME_SIZE = 8.6
SCHOOL_SIZE = 9.0
ROUTE_NAME_OFFSETS = (9.5, -9.5, 13.0, -13.0, 17.0, -17.0, 22.0, -22.0)
"""Points from a street on the route to its name: clear of the route in either of two lanes."""
STREET_PLACINGS = (Placing((0.0,), max_bend=3.0),)
ROUTE_PLACINGS = (
    Placing((0.0,), max_bend=6.0),
    Placing(ROUTE_NAME_OFFSETS, max_bend=18.0, extra_cost=3.0),
)
NAMED_FIRST = ("major", "middle", "minor", "foot", "service")  # in the order of naming
SCHOOL_LINES = (1, 2, 3, 4)  # Numbers of lines for a school's name, the best first
LONGEST_LINE = 24  # Maximum letters of a name in one line; longer names take two
REPEAT_POINTS = 300.0  # Points between two copies of a name
SYMBOL_EDGE_MARGIN = 4.0  # Points; signs nearer to the edge of the map are not drawn
NEAR_ROUTE_DISTANCE = 14.0  # Points; nearer places of a name are equally good
MAX_ROUTE_DISTANCE = 45.0  # Maximum points between the route and names of its streets
SAMPLE_SPACING = 4.0  # Points between two candidate ends of a leader line along the street
MAX_SAMPLES, MAX_NAME_SPOTS = 40, 10
LEADER_LENGTHS = np.array([17.0, 26.0, 38.0, 52.0])
AROUND = np.array([(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0) if x or y])
AROUND /= np.hypot(*AROUND.T)[:, None]  # (8, 2) directions of leader lines from a street
CLEAR_OF_STREET = 5.0  # Points from a street's middle where its leader line crosses only it
CROSSING_COST = 25.0  # Cost of a name whose leader line crosses the route
NAME_PADDING = 5.0
DARK = "#202020"


def draw_label(window: Window, label: MapLabel, box: Boxes) -> None:
    """Draw a label in its box, on its plate, with its leader line if it has one."""
    x, y, width, height, angle = (float(value) for value in box)
    end = label.find_leader_end(box)
    if end is not None:
        for colour, line_width, level in (("white", 2.6, 8.6), (ROUTE_COLOUR, 1.1, 8.7)):
            leader = np.array([(x, y), end])
            window.draw_lines([leader], colour, line_width, level, cap="square")
        dot = trace_circle(float(end[0]), float(end[1]), 2.0)
        window.draw_shape(dot, 8.8, fill=ROUTE_COLOUR, edge="white", width=0.6)
    if label.plate_colour:
        plate = trace_rounded(x - width / 2, y - height / 2, width, height, 2.5)
        window.draw_shape(plate, 9.0, fill="white", edge=label.plate_colour, width=0.9)
    style = TextStyle(label.size, label.bold, label.colour, halo=0.0 if label.plate_colour else 1.3)
    lines = label.text.split("\n")
    spacing = label.size * fonts.LINE_HEIGHT
    for number, line in enumerate(lines):
        rise = spacing * ((len(lines) - 1) / 2 - number)
        fonts.draw_text(window, line, (x, y + rise, angle), style)


@dataclass(frozen=True, eq=False)
class ShownStreet:
    """The part in the window of a street that has a name."""

    name: str
    lines: NDArray[np.object_]  # In points of the page, joined end to end
    rank: int  # Rank of its highest class, 0 for main roads

    @cached_property
    def length(self) -> float:
        """Total length of its lines in points."""
        return float(shapely.length(self.lines).sum())


def list_streets(
    network: StreetNetwork, pieces: NDArray[np.int64], viewport: Viewport
) -> list[ShownStreet]:
    """The streets in the window that have a name, sorted by name."""
    called = network.piece_name[pieces].astype(str)
    chosen = called != ""
    shown = pieces[chosen]
    if not len(shown):
        return []
    called, of_piece = np.unique(called[chosen], return_inverse=True)
    ranks = np.full(len(called), len(NAMED_FIRST))
    kinds = classify_streets(network, shown)
    np.minimum.at(ranks, of_piece, [NAMED_FIRST.index(kind) for kind in kinds.tolist()])
    moved = viewport.move_and_clip(network.lines(shown), margin=0.0)
    parts, piece = shapely.get_parts(moved, return_index=True)
    is_line = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    order = np.argsort(of_piece[piece[is_line]], kind="stable")
    parts, street = parts[is_line][order], of_piece[piece[is_line]][order]
    streets = []
    for row in np.unique(street).tolist():
        joined = shapely.line_merge(shapely.multilinestrings(parts[street == row]))
        streets.append(ShownStreet(str(called[row]), shapely.get_parts(joined), int(ranks[row])))
    return streets


def build_street_labels(shown: Sequence[ShownStreet]) -> list[MapLabel]:
    """Names of the streets in the window, by class and length; long main streets have two."""
    streets = sorted(shown, key=lambda street: (street.rank, -street.length))
    named = _build_labels_along(streets, STREET_PLACINGS, max_length_ratio=1.04)
    return [
        replace(label, colour="#3c3c3c") if street.rank > 1 else replace(label, max_count=2)
        for street, label in zip(streets, named, strict=True)
    ]


def build_route_labels(
    streets: Sequence[ShownStreet], route: BaseGeometry, *, walked: Collection[str]
) -> list[MapLabel]:
    """Names of streets that the card names, clear of the route; `walked` streets are bold."""
    named = []
    for label in _build_labels_along(streets, ROUTE_PLACINGS, bold=walked, max_length_ratio=2.2):
        boxes, costs = label.boxes, label.costs
        if not route.is_empty:
            # Near it, if there is a place: a long street's name belongs where it is walked.
            away = shapely.distance(shapely.points(boxes[:, :2]), route)
            near = away <= MAX_ROUTE_DISTANCE
            near |= ~near.any()
            boxes = boxes[near]
            costs = costs[near] + 0.4 * np.maximum(0.0, away[near] - NEAR_ROUTE_DISTANCE)
        named.append(replace(label, kind="route_street", boxes=boxes, costs=costs))
    return named


def _build_labels_along(
    streets: Sequence[ShownStreet],
    placings: Sequence[Placing],
    *,
    bold: Collection[str] = (),
    max_length_ratio: float,
) -> list[MapLabel]:
    """The name of each street, along it."""
    if not streets:
        return []
    texts = [fonts.make_printable(street.name) for street in streets]
    bolds = [street.name in bold for street in streets]
    points = [ROUTE_NAME_SIZE if is_bold else NAME_SIZE for is_bold in bolds]
    counts = [len(street.lines) for street in streets]
    lines = np.concatenate([street.lines for street in streets])
    styles = list(zip(texts, points, bolds, strict=True))
    sizes = [fonts.measure_label(text, size, bold=is_bold) for text, size, is_bold in styles]
    each, ratio = np.repeat(sizes, counts, axis=0), max_length_ratio
    boxes, costs, row = labels.find_places_along_lines(
        lines, each, placings, max_length_ratio=ratio
    )
    ends = np.searchsorted(row, np.cumsum(counts)[:-1])
    rows = zip(streets, np.split(boxes, ends), np.split(costs, ends), styles, strict=True)
    return [
        MapLabel(style[0], street.name, own, cost, *style[1:], min_gap=REPEAT_POINTS)
        for street, own, cost, style in rows
    ]


def build_leader_label(
    street: ShownStreet,
    *,
    route: BaseGeometry,
    covered: BaseGeometry,
    occupied: Boxes,
    walked: bool,
) -> MapLabel:
    """The name of a street away from it, with a leader line that crosses no `occupied` box."""
    text = fonts.make_printable(street.name)
    size = fonts.measure_label(text, NAME_SIZE, bold=walked)
    extent = np.add(size, (NAME_PADDING, NAME_PADDING / 2))
    spots = _sample_street(street.lines, route, covered)
    spots = spots[:: -(-len(spots) // MAX_NAME_SPOTS)]
    rows = np.indices((len(spots), len(AROUND), len(LEADER_LENGTHS))).reshape(3, -1)
    spot, ahead, length = spots[rows[0]], AROUND[rows[1]], LEADER_LENGTHS[rows[2]]
    middles = spot + length[:, None] * ahead + np.sign(ahead.round(6)) * extent / 2
    gone = middles - spot
    begins = spot + CLEAR_OF_STREET * gone / np.hypot(*gone.T)[:, None]
    lines = shapely.linestrings(np.stack([begins, middles], axis=1))
    costs = 0.3 * length + CROSSING_COST * shapely.intersects(route, lines)
    is_free = ~labels.find_overlaps(labels.build_line_boxes(begins, middles), occupied).any(axis=1)
    return MapLabel(
        text,
        street.name,
        labels.build_level_boxes(middles[is_free], extent),
        costs[is_free],
        bold=walked,
        kind="route_street",
        plate_colour="#505050",
        leader_ends=spot[is_free],
    )


def _sample_street(
    lines: NDArray[np.object_], route: BaseGeometry, covered: BaseGeometry
) -> NDArray[np.float64]:
    """(n, 2) points on a street, near the route and not covered if any are."""
    counts = 2 * np.maximum(1, np.round(shapely.length(lines) / SAMPLE_SPACING / 2)).astype(int) + 1
    along = np.concatenate([np.linspace(0.0, 1.0, count) for count in counts.tolist()])
    points = shapely.line_interpolate_point(np.repeat(lines, counts), along, normalized=True)
    spots = shapely.get_coordinates(points)
    if not route.is_empty:
        away = shapely.distance(shapely.points(spots), route)
        spots = spots[away <= max(MAX_ROUTE_DISTANCE / 3, float(away.min()))]
    spots = spots[:: -(-len(spots) // MAX_SAMPLES)]
    seen = ~shapely.intersects_xy(covered, spots)
    return np.asarray(spots[seen] if seen.any() else spots)


def build_school_labels(gate: tuple[float, float], school: str, *, radius: float) -> list[MapLabel]:
    """The school's name by its gate, in one line or, if that does not fit, in several."""
    named = []
    name = fonts.make_printable(school)
    texts = dict.fromkeys(wrap_evenly(name, count) for count in SCHOOL_LINES) if name else ()
    for text in texts:
        places = labels.find_places_around_point(
            *gate,
            fonts.measure_label(text, SCHOOL_SIZE, bold=True),
            radius=radius,
            extra_distances=(0.0, 4.0, 9.0),
            slide_distances=(0.0, 6.0, 14.0, 24.0),
        )
        named.append(MapLabel(text, "school", *places, SCHOOL_SIZE, bold=True, min_gap=np.inf))
    return named


def wrap_name(text: str) -> str:
    """A name in one line, or in two if it is long."""
    return wrap_evenly(text, 1 if len(text) <= LONGEST_LINE else 2)


def find_symbols(
    features: gpd.GeoDataFrame, viewport: Viewport, kind: str
) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """(n,) names and (n, 2) points of the page of the bus stops or stations in the window."""
    points = shapely.point_on_surface(select_shapes(features, kind))
    xy = viewport.to_page(shapely.get_coordinates(points))
    inside = viewport.contains(xy, margin=SYMBOL_EDGE_MARGIN)
    names = features["name"].to_numpy(dtype=object)[features["kind"] == kind]
    return names[inside], xy[inside]


def build_symbol_labels(
    signs: Signs, *, covered: BaseGeometry, near: BaseGeometry | None = None
) -> list[MapLabel]:
    """Names that are always there, or else those `near` the route; each once, by signs in view."""
    named: dict[str, MapLabel] = {}
    styles = [(kind, one.name) for kind, one in SYMBOLS.items() if kind in signs]
    for kind, style in reversed(styles):
        if style is None or style.always != (near is None):
            continue
        (names, points), bold, plate = signs[kind], style.always, style.plate
        seen = ~shapely.intersects_xy(covered, points)
        if near is not None:
            seen &= shapely.distance(near, shapely.points(points)) <= MAX_ROUTE_DISTANCE
        for name, (x, y) in zip(names[seen], points[seen], strict=True):
            text = wrap_name(fonts.make_printable(str(name)))
            key = f"{kind} {text}"
            if not text or key in named:
                continue
            room = 7 if plate else 2
            width, height = fonts.measure_label(text, NAME_SIZE, bold=bold, padding=room)
            size = (width, height + 2) if plate else (width, height)
            places = labels.find_places_around_point(
                x, y, size, radius=style.radius, extra_distances=(0.0, 6.0)
            )
            named[key] = MapLabel(text, key, *places, bold=bold, colour=DARK, plate_colour=plate)
    return list(named.values())


def build_area_labels(features: gpd.GeoDataFrame, viewport: Viewport) -> list[MapLabel]:
    """Names of parks and water that are large enough to hold them, the largest first."""
    largest: dict[str, tuple[float, MapLabel]] = {}
    shown = features[features["kind"].isin(["park", "water"]) & (features["name"] != "")]
    for name, shape in zip(shown["name"], shown.geometry, strict=True):
        cut = viewport.clip_to_page(np.array([shape]), margin=0)
        text = wrap_name(fonts.make_printable(str(name)))
        size = fonts.measure_label(text, NAME_SIZE, padding=2.0)
        area = float(shapely.area(cut).sum())
        if area < size[0] * size[1] or area <= largest.get(text, (0.0, None))[0]:
            continue
        points = [shapely.centroid(cut[0]), shapely.point_on_surface(cut[0])]
        spots = shapely.get_coordinates(points)
        middles = (spots[:, None] + np.array([(0, 0), (0, 14), (0, -14)])[None]).reshape(-1, 2)
        boxes = labels.build_level_boxes(middles, size)
        costs = np.arange(float(len(boxes)))
        largest[text] = area, MapLabel(text, text, boxes, costs, colour="#3d5a2e")
    ranked = sorted(largest.items(), key=lambda row: (-row[1][0], row[0]))
    return [label for _, (_, label) in ranked]
