"""What is drawn over a map's ground: signs, stretches, north arrow, scale bar and legend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography import page
from patrolplan.outputs.cartography.basemap import ROUTE_COLOUR, trace_areas
from patrolplan.outputs.cartography.fonts import draw_text, measure_text_width
from patrolplan.outputs.cartography.labels import NAME_SIZE, build_level_boxes, find_overlaps
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.outputs.routes import PointKind

ROUTE_WIDTH = 2.6
LAST_LEG_DASHES = (2.4, 0.9)  # Dashes of the last leg, in multiples of the width
OUTLINE_DASHES = (4.0, 1.6)  # Dashes of the edge of a polygon, in multiples of the width
PUSHED_LINES = ((ROUTE_COLOUR, 4.6, 6.12, ()), ("white", 2.2, 6.14, (0.01, 1.9)))
"""Colour, width, level and dashes of the lines for a part where the bicycle is pushed."""
STRETCH = "#f3c08a"
STRETCH_LINES = "#7a4a12"
STRETCH_HATCH = 4.5  # Points between the slanting lines
LEGEND_LEVEL = 23.0
LONG_BAR = 125.0  # Maximum length of the scale bar, in points
NORTH_SIDE = 30.0
ROTATED_NOTE = "Map turned"
ROTATED_HEIGHT = 13.0  # Points that the note needs below the north arrow
CROSS_SIDE = 11.0
MOVED_POINTS = 3.0  # A sign that was moved farther has a line to its place
STOP_RADIUS = 9.0
GATE_SIDE = 17.0
TASKED_RADIUS = 6.9  # Radius in points of the circle in the frame of a tasked stop
MARKER_TEXT_SIZE = 12.0
FEARED_TEXT = "!"
Outline = tuple[tuple[float, float], ...]
SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1))
FEARED_SIZE = (12.5, 13.5)  # Width and height in points of the sign that pupils feel unsafe


@dataclass(frozen=True)
class NameStyle:
    """How the name of what a sign stands for is written on a card."""

    radius: float  # Points from the middle of the sign
    plate: str = "#8a8a8a"  # Edge of its plate: most bus stops are called after some other street
    always: bool = False  # In bold; others only near the route


@dataclass(frozen=True)
class PhoneSign:
    """A ring on the phone's map, which is shown and hidden with others of the same words."""

    words: str
    radius: float
    from_zoom: float = 16
    edge: str = "#8a1c1c"
    fill: str = "#ffffff"
    named: bool = False


@dataclass(frozen=True)
class Symbol:
    """A small sign of the ground; its shapes, around (0, 0), are outline, fill, edge and width."""

    words: str
    width: float
    shapes: tuple[tuple[Outline, str, str, float], ...]
    name: NameStyle | None = None
    phone: PhoneSign | None = None
    level: float = 7.5
    of_crossing: bool = False  # Drawn where the walk crosses a road so, not at map features

    def draw(self, window: page.Window, x: float, y: float, level: float) -> None:
        """Draw it at x and y on a level."""
        for number, (outline, fill, edge, width) in enumerate(self.shapes):
            traced = page.trace_rings([np.add(outline, (x, y))])
            window.draw_shape(traced, level + number / 100, fill=fill, edge=edge, width=width)


def _box(x: float, y: float, width: float, height: float) -> Outline:
    """A rectangle around x and y."""
    return tuple((x + a * width / 2, y + b * height / 2) for a, b in SQUARE)


def _diamond(reach: float) -> Outline:
    return ((-reach, 0.0), (0.0, reach), (reach, 0.0), (0.0, -reach))


def _lamp(y: float) -> Outline:
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return tuple((1.2 * float(np.cos(one)), y + 1.2 * float(np.sin(one))) for one in turns)


Signs = Mapping[str, tuple[NDArray[np.object_], NDArray[np.float64]]]  # by kind: names, points
TRANSPORT = "Bus stops and stations"
# fmt: off
SYMBOLS: dict[str, Symbol] = {
    "bus_stop": Symbol("bus stop", 6.0, ((_box(0, 0, 4.8, 4.8), "#404040", "white", 0.8),),
                       NameStyle(3.5), PhoneSign(TRANSPORT, 4)),
    "station": Symbol("station", 10.4, ((_diamond(5.2), "white", "black", 1.8),),
                      NameStyle(6.0, plate="", always=True),
                      PhoneSign(TRANSPORT, 6, from_zoom=0, named=True), level=7.6),
    "station_entrance": Symbol("station entrance", 7.2,
                               ((_diamond(3.6), "black", "white", 0.9),), NameStyle(4.5)),
    "signals": Symbol("lights", 5.0, (
        (_box(0, 0, 4.6, 8.4), "black", "white", 0.8),
        *((_lamp(y), "white", "", 0.0) for y in (-2.0, 2.0))), of_crossing=True),
    "zebra": Symbol("zebra", 9.0, (
        (_box(0, 0, 8.4, 6.0), "white", "white", 0.8),
        *((_box(x, 0, 1.6, 5.0), "black", "", 0.0) for x in (-3.0, 0.0, 3.0))), of_crossing=True),
}
# fmt: on
"""By kind of map feature or crossing: cards, phones and their legends show these and no others.
Later ones lie above earlier ones, and get their names first."""


def draw_symbols(window: page.Window, signs: Signs) -> None:
    """Draw bus stops, stations and others."""
    for kind, (_, points) in signs.items():
        for x, y in points.tolist():
            SYMBOLS[kind].draw(window, x, y, SYMBOLS[kind].level)


def draw_feared(window: page.Window, x: float, y: float, level: float) -> None:
    """Draw the sign of a feared place: a speech bubble with an exclamation mark."""
    half, low = 5.2, y - 2.6
    bubble = [
        (x - half, low), (x - 3.2, low), (x - 4.2, low - 3.4), (x + 0.4, low),
        (x + half, low), (x + half, low + 8.6), (x - half, low + 8.6),
    ]  # fmt: skip
    for colour, width in (("white", 2.8), ("black", 1.1)):
        outline = page.trace_rings([np.array(bubble)])
        window.draw_shape(outline, level, fill="white", edge=colour, width=width, join="round")
    style = page.TextStyle(NAME_SIZE, bold=True, level=level + 0.1)
    draw_text(window, FEARED_TEXT, (x, low + 4.3, 0.0), style)


def draw_cross(window: page.Window, x: float, y: float, level: float) -> None:
    """Draw a place to keep away from: a black cross with white around it."""
    reach = np.array([[(-1, -1), (1, 1)], [(-1, 1), (1, -1)]]) * CROSS_SIDE / 2
    for colour, width in (("white", 6.4), ("black", 3.4)):
        window.draw_lines([*np.add(reach, (x, y))], colour, width, level, cap="butt")


def draw_stretch(window: page.Window, band: BaseGeometry, *, level: float) -> None:
    """Draw a stretch: a tone, and hatching that distinguishes it from any tone of grey."""
    outline = trace_areas(shapely.simplify(shapely.get_parts(np.array([band])), 0.2))
    window.draw_shape(outline, level, fill=STRETCH, edge=STRETCH_LINES, width=0.7)
    left, low, right, top = shapely.bounds(band)
    rise = top - low
    starts = np.arange(left - rise, right, STRETCH_HATCH)
    strokes = shapely.multilinestrings([[(x, low), (x + rise, top)] for x in starts])
    cut = shapely.get_parts(shapely.intersection(strokes, band))
    lines = [shapely.get_coordinates(stroke).round(1) for stroke in cut]
    window.draw_lines(lines, STRETCH_LINES, 0.6, level + 0.1, cap="butt")


def draw_markers(
    window: page.Window,
    kinds: Sequence[PointKind],
    texts: Sequence[str],
    centres: NDArray[np.float64],
    true_points: NDArray[np.float64],
) -> None:
    """Draw the signs at (n, 2) `centres`, with their texts, and lines to the places they mark."""
    draw_marker_leaders(window, centres, true_points)
    for kind, text, (x, y) in zip(kinds, texts, centres.tolist(), strict=True):
        size = MARKER_TEXT_SIZE if len(text) == 1 else MARKER_TEXT_SIZE - 2.0
        square = page.trace_rectangle(x - GATE_SIDE / 2, y - GATE_SIDE / 2, GATE_SIDE, GATE_SIDE)
        match kind:
            case "keep_away":
                draw_cross(window, x, y, 10.9)
            case "stop":
                circle = page.trace_circle(x, y, STOP_RADIUS)
                draw_sign(window, circle, text, (x, y), size, edge=1.4)
            case "tasked":
                window.draw_shape(square, 10.9, fill="white", edge="black", width=2.0)
                circle = page.trace_circle(x, y, TASKED_RADIUS)
                draw_sign(window, circle, text, (x, y), size - 1.5, edge=0.0)
            case "gate":
                draw_sign(window, square, text, (x, y), size, edge=2.2, is_black=False)
            case _:
                assert_never(kind)


def draw_sign(
    window: page.Window,
    outline: str,
    text: str,
    middle: tuple[float, float],
    size: float,
    *,
    edge: float,
    is_black: bool = True,
) -> None:
    """Draw a black or white shape with text in its middle, text and edge in the other colour."""
    ground, ink = ("black", "white") if is_black else ("white", "black")
    window.draw_shape(outline, 11.0, fill=ground, edge=ink, width=edge)
    draw_text(window, text, (*middle, 0.0), page.TextStyle(size, bold=True, colour=ink, level=12.0))


def draw_marker_leaders(window: page.Window, centres: page.Points, places: page.Points) -> None:
    """Draw a line to its true place from each sign that was moved."""
    moved = np.hypot(*(centres - places).T) > MOVED_POINTS
    for centre, (x, y) in zip(centres[moved], places[moved].tolist(), strict=True):
        window.draw_lines([np.array([centre, (x, y)])], "black", 1.2, 7.0, cap="square")
        window.draw_shape(page.trace_circle(x, y, 2.2), 7.0, fill="black")


def place_north_arrow(viewport: Viewport, marker_boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1, 5) box of the north arrow, with its note, in the first corner without signs."""
    half, below = NORTH_SIDE / 2 + 4, ROTATED_HEIGHT if viewport.rotation_degrees else 0.0
    words = measure_text_width(ROTATED_NOTE, NAME_SIZE, bold=True) if below else 0.0
    size = max(NORTH_SIDE, words + 6), NORTH_SIDE + below
    left, low = max(half, words / 2 + 5), half + below
    right, top = viewport.width - left, viewport.height - half
    corners = np.array([(right, top), (left, top), (right, low), (left, low)])
    boxes = build_level_boxes(corners - (0, below / 2), size)
    free = ~find_overlaps(boxes, marker_boxes).any(axis=1)
    return np.asarray(boxes[[int(np.argmax(free))]])


def draw_border(window: page.Window, width: float, height: float) -> None:
    """Draw the border of a map of this size."""
    border = page.trace_rectangle(0.4, 0.4, width - 0.8, height - 0.8)
    window.draw_shape(border, 21.0, edge="black", width=0.8)


def draw_north_arrow(window: page.Window, viewport: Viewport, box: NDArray[np.float64]) -> None:
    """Draw the north arrow in its box, turned with the map."""
    half = NORTH_SIDE / 2
    middle = box[0, :2] + (0, ROTATED_HEIGHT / 2 if viewport.rotation_degrees else 0)
    disc = page.trace_circle(float(middle[0]), float(middle[1]), half)
    window.draw_shape(disc, 12.0, fill="white", edge="#555555", width=0.6)
    turned = np.radians(viewport.rotation_degrees)
    up = np.array([-np.sin(turned), np.cos(turned)])
    right = np.array([up[1], -up[0]])
    tail, tip = middle - 11.5 * up, middle + 3.0 * up
    arrow = np.array([tip, tail + 4.4 * right, tail + 3.2 * up, tail - 4.4 * right])
    window.draw_shape(page.trace_rings([arrow]), 12.1, fill="black")
    x, y = (float(value) for value in middle + 8.0 * up)
    draw_text(window, "N", (x, y, 0.0), page.TextStyle(9.0, bold=True, level=12.2))
    if viewport.rotation_degrees:
        style = page.TextStyle(NAME_SIZE, bold=True, halo=1.6, level=12.2)
        draw_text(window, ROTATED_NOTE, (float(middle[0]), float(middle[1]) - half - 7, 0.0), style)


def draw_bar(window: page.Window, start: tuple[float, float], length: float) -> float:
    """Draw a scale bar of this length in points, half black, half white; returns its right end."""
    x, y = start
    for number, fill in enumerate(("black", "white")):
        part = page.trace_rectangle(x + number * length / 2, y - 2, length / 2, 4.0)
        window.draw_shape(part, LEGEND_LEVEL, fill=fill, edge="black", width=0.8)
    return x + length


def write_text(window: page.Window, x: float, y: float, text: str) -> None:
    """Write words around the map, starting at x."""
    middle = x + measure_text_width(text, NAME_SIZE) / 2, y, 0.0
    draw_text(window, text, middle, page.TextStyle(NAME_SIZE, level=LEGEND_LEVEL))


def draw_outlines(window: page.Window, lines: list[NDArray[np.float64]], *, level: float) -> None:
    """Draw the (v, 2) edges of designated polygons, in grey dashes."""
    window.draw_lines(lines, "#666666", 1.3, level, dashes=OUTLINE_DASHES, cap="butt")


def build_band(stretches: NDArray[np.object_], width: float) -> BaseGeometry | None:
    """The area of stretches of street as bands of this width; None without any."""
    band = shapely.union_all(shapely.buffer(stretches, width / 2, cap_style="flat"))
    return None if band.is_empty else band
