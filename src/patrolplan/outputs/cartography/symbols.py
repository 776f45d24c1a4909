"""What stands on top of a map's ground: signs, stretches, north arrow, scale bar and legend."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Patch, PathPatch, Polygon, Rectangle
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography.basemap import ROUTE_COLOUR, build_compound_path, draw_lines
from patrolplan.outputs.cartography.fonts import TextStyle, draw_text, measure_text_width
from patrolplan.outputs.cartography.labels import find_overlaps
from patrolplan.outputs.cartography.place_names import NAME_SIZE
from patrolplan.outputs.cartography.viewport import Viewport, choose_scale_bar_metres

ROUTE_WIDTH = 2.6
LAST_LEG_DASHES = (0.0, (2.4, 0.9))
"""Dashes of the last leg, in multiples of the width."""
OUTLINE_DASHES = (0.0, (4.0, 1.6))
"""Dashes of the edge of a polygon, in multiples of the width."""
PUSHED_LINES = ((ROUTE_COLOUR, 4.6, 6.12, "solid"), ("white", 2.2, 6.14, (0.0, (0.01, 1.9))))
"""Colour, width, level and dashes of the lines that make a pushed part look beaded."""
STRETCH = "#f3c08a"
STRETCH_LINES = "#7a4a12"
STRETCH_HATCH = 4.5
"""Points between the slanting lines."""
LEGEND_LEVEL = 23.0
LONG_BAR = 125.0
"""Maximum length of the scale bar, in points."""
NORTH_SIDE = 30.0
ROTATED_NOTE = "Map turned"
CROSS_SIDE = 11.0
STOP_RADIUS = 9.0
GATE_SIDE = 17.0
TASKED_RADIUS = 6.9
"""Points; of the circle in the frame of a stop that intelligence asks for."""
MARKER_TEXT_SIZE = 12.0
FEARED_TEXT = "!"
KEEP_AWAY_TEXT = "\N{MULTIPLICATION SIGN}"
"""The card's text marks places to keep away from with the same sign."""

MarkerKind = Literal["gate", "base", "stop", "tasked", "keep_away"]

BEAT_HEAD = 7.0
"""Points; length of an arrow head."""
FEARED_SIZE = (12.5, 13.5)
"""Width and height in points of the sign of a place where pupils feel unsafe."""


def draw_symbols(axes: Axes, symbols: Mapping[str, NDArray[np.float64]]) -> None:
    """Draw bus stops, stations and the like, given as (n, 2) points of the page by kind."""
    for kind, points in symbols.items():
        for x, y in points.tolist():
            draw_symbol(axes, kind, x, y, level=7.6 if kind == "station" else 7.5)


def draw_symbol(axes: Axes, kind: str, x: float, y: float, *, level: float) -> None:
    """Draw the sign of a bus stop, a station or its entrance, or a crossing."""
    if kind == "bus_stop":
        square = Rectangle((x - 2.4, y - 2.4), 4.8, 4.8)
        square.set(facecolor="#404040", edgecolor="white", linewidth=0.8, zorder=level)
        axes.add_artist(square)
    elif kind in {"signals", "zebra"}:
        _draw_crossing(axes, kind, x, y, level=level)
    else:
        reach, fill = (5.2, "white") if kind == "station" else (3.6, "black")
        tips = [(x - reach, y), (x, y + reach), (x + reach, y), (x, y - reach)]
        diamond = Polygon(tips, facecolor=fill, zorder=level)
        diamond.set(edgecolor="black" if kind == "station" else "white")
        diamond.set(linewidth=1.8 if kind == "station" else 0.9)
        axes.add_artist(diamond)


def _draw_crossing(axes: Axes, kind: str, x: float, y: float, *, level: float) -> None:
    """Draw a crossing of a road: a traffic light of two lamps, or the bars of a zebra."""
    lamps = kind == "signals"
    width, height = (4.6, 8.4) if lamps else (8.4, 6.0)
    plate = Rectangle((x - width / 2, y - height / 2), width, height)
    plate.set(facecolor="black" if lamps else "white", edgecolor="white", linewidth=0.8)
    plate.set(zorder=level)
    axes.add_artist(plate)
    for shift in (-2.0, 2.0) if lamps else (-3.0, 0.0, 3.0):
        if lamps:
            part: Patch = Circle((x, y + shift), 1.2, facecolor="white", linewidth=0)
        else:
            part = Rectangle((x + shift - 0.8, y - 2.5), 1.6, 5.0, facecolor="black", linewidth=0)
        part.set(zorder=level + 0.01)
        axes.add_artist(part)


def draw_feared(axes: Axes, x: float, y: float, *, level: float) -> None:
    """Draw the sign of a place where pupils feel unsafe: a speech bubble that calls out."""
    half, low = 5.2, y - 2.6
    bubble = [
        (x - half, low), (x - 3.2, low), (x - 4.2, low - 3.4), (x + 0.4, low),
        (x + half, low), (x + half, low + 8.6), (x - half, low + 8.6),
    ]  # fmt: skip
    for colour, width in (("white", 2.8), ("black", 1.1)):
        shape = Polygon(bubble, facecolor="white", edgecolor=colour, linewidth=width)
        shape.set(joinstyle="round", zorder=level)
        axes.add_artist(shape)
    style = TextStyle(NAME_SIZE, bold=True, level=level + 0.1)
    draw_text(axes, FEARED_TEXT, (x, low + 4.3, 0.0), style)


def draw_cross(axes: Axes, at: tuple[float, float], *, level: float) -> None:
    """Draw a place to keep away from: a black cross with white around it."""
    reach = np.array([(-1, -1), (1, 1), (-1, 1), (1, -1)]) * CROSS_SIDE / 2
    strokes = list((reach + at).reshape(2, 2, 2))
    for colour, width in (("white", 6.4), ("black", 3.4)):
        draw_lines(axes, strokes, colour, width, level, cap="butt", join=None)


def draw_stretch(axes: Axes, band: BaseGeometry, *, level: float) -> None:
    """Draw a stretch: a tone, and slanting lines that distinguish it from any tone of grey."""
    outline = build_compound_path(shapely.simplify(shapely.get_parts(np.array([band])), 0.2))
    axes.add_artist(
        PathPatch(outline, facecolor=STRETCH, edgecolor=STRETCH_LINES, linewidth=0.7, zorder=level)
    )
    left, low, right, top = shapely.bounds(band)
    rise = top - low
    starts = np.arange(left - rise, right, STRETCH_HATCH)
    below = np.column_stack([starts, np.full_like(starts, low)])
    above = np.column_stack([starts + rise, np.full_like(starts, top)])
    strokes = shapely.multilinestrings(shapely.linestrings(np.stack([below, above], axis=1)))
    cut = shapely.get_parts(shapely.intersection(strokes, band))
    lines = [np.round(shapely.get_coordinates(line), 1) for line in cut]
    draw_lines(axes, lines, STRETCH_LINES, 0.6, level + 0.1, cap=None, join=None)


def draw_markers(
    axes: Axes,
    kinds: Sequence[MarkerKind],
    texts: Sequence[str],
    centres: NDArray[np.float64],
    true_points: NDArray[np.float64],
) -> None:
    """Draw the signs of the patrol: gate and base as white squares, stops as black circles.

    The circle of a stop that intelligence asks for stands in a square frame.
    `texts` stand in the signs; (n, 2) `centres` are where the signs stand, `true_points` the
    places they stand for.
    """
    draw_marker_leaders(axes, centres, true_points, min_shift=3.0, line_width=1.2, radius=2.2)
    for kind, text, (x, y) in zip(kinds, texts, centres.tolist(), strict=True):
        if kind == "keep_away":
            draw_cross(axes, (x, y), level=10.9)
            continue
        size = MARKER_TEXT_SIZE if len(text) == 1 else MARKER_TEXT_SIZE - 2.0
        if kind == "stop":
            circle = Circle((x, y), STOP_RADIUS, facecolor="black", linewidth=1.4)
            draw_sign(axes, circle, text, (x, y), size)
        elif kind == "tasked":
            draw_tasked_sign(axes, text, (x, y))
        else:
            square = Rectangle((x - GATE_SIDE / 2, y - GATE_SIDE / 2), GATE_SIDE, GATE_SIDE)
            square.set(facecolor="white", linewidth=2.2)
            draw_sign(axes, square, text, (x, y), size)


def draw_sign(
    axes: Axes, shape: Patch, text: str, middle: tuple[float, float], size: float
) -> None:
    """Draw a black or white shape with text in its middle, text and edge in the other colour."""
    ink = "white" if shape.get_facecolor()[:3] == (0, 0, 0) else "black"
    shape.set(edgecolor=ink, zorder=11.0)
    axes.add_artist(shape)
    draw_text(axes, text, (*middle, 0.0), TextStyle(size, bold=True, colour=ink, level=12.0))


def draw_tasked_sign(axes: Axes, text: str, middle: tuple[float, float]) -> None:
    """Draw the sign of a stop that intelligence asks for: a circle in a square frame."""
    x, y = middle
    square = Rectangle((x - GATE_SIDE / 2, y - GATE_SIDE / 2), GATE_SIDE, GATE_SIDE)
    square.set(facecolor="white", edgecolor="black", linewidth=2.0, zorder=10.9)
    axes.add_artist(square)
    size = MARKER_TEXT_SIZE - (1.5 if len(text) == 1 else 3.5)
    circle = Circle((x, y), TASKED_RADIUS, facecolor="black", linewidth=0.0)
    draw_sign(axes, circle, text, middle, size)


def draw_marker_leaders(
    axes: Axes,
    centres: NDArray[np.float64],
    true_points: NDArray[np.float64],
    *,
    min_shift: float,
    line_width: float,
    radius: float,
) -> None:
    """Draw a line from each sign that was moved by more than `min_shift` points to its place."""
    moved = np.hypot(*(centres - true_points).T) > min_shift
    for centre, place in zip(centres[moved], true_points[moved], strict=True):
        axes.plot(*np.stack([centre, place]).T, color="black", lw=line_width, zorder=7.0)
        axes.add_artist(Circle(tuple(place), radius, facecolor="black", zorder=7.0))


def place_north_arrow(viewport: Viewport, marker_boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2,) middle of the north arrow: in the top right corner, or the next one free of signs.

    `marker_boxes` are the (n, 5) boxes of the signs that must be seen.
    """
    half = NORTH_SIDE / 2 + 4
    below = 13.0 if viewport.rotation_degrees else 0.0
    left, right = half, viewport.width - half
    if viewport.rotation_degrees:
        left = max(left, measure_text_width(ROTATED_NOTE, NAME_SIZE, bold=True) / 2 + 5)
        right = viewport.width - left
    low, top = half + below, viewport.height - half
    corners = np.array([(right, top), (left, top), (right, low), (left, low)])
    for middle in corners:
        if not find_overlaps(compute_north_arrow_box(viewport, middle), marker_boxes).any():
            return np.asarray(middle)
    return np.asarray(corners[0])


def compute_north_arrow_box(viewport: Viewport, middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1, 5) box that the north arrow takes, with the words below it on a turned map."""
    x, y = (float(value) for value in middle)
    if not viewport.rotation_degrees:
        return np.array([[x, y, NORTH_SIDE, NORTH_SIDE, 0.0]])
    width, tall = measure_text_width(ROTATED_NOTE, NAME_SIZE, bold=True) + 6, NORTH_SIDE + 13
    return np.array([[x, y - 6.5, width, tall, 0.0]])


def draw_border(axes: Axes, width: float, height: float) -> None:
    """Draw the border of a map of this size."""
    border = Rectangle((0.4, 0.4), width - 0.8, height - 0.8)
    border.set(fill=False, edgecolor="black", linewidth=0.8, zorder=21)
    axes.add_artist(border)


def draw_north_arrow(axes: Axes, viewport: Viewport, middle: NDArray[np.float64]) -> None:
    """Draw the north arrow in its place, turned with the map."""
    half = NORTH_SIDE / 2
    disc = Circle((float(middle[0]), float(middle[1])), half)
    disc.set(facecolor="white", edgecolor="#555555", linewidth=0.6, zorder=12.0)
    axes.add_artist(disc)
    turned = np.radians(viewport.rotation_degrees)
    up = np.array([-np.sin(turned), np.cos(turned)])
    right = np.array([up[1], -up[0]])
    tail, tip = middle - 11.5 * up, middle + 3.0 * up
    arrow = [tip, tail + 4.4 * right, tail + 3.2 * up, tail - 4.4 * right]
    axes.add_artist(Polygon(arrow, facecolor="black", zorder=12.1))
    x, y = (float(value) for value in middle + 8.0 * up)
    draw_text(axes, "N", (x, y, 0.0), TextStyle(9.0, bold=True, level=12.2))
    if viewport.rotation_degrees:
        style = TextStyle(NAME_SIZE, bold=True, halo=1.6, level=12.2)
        draw_text(axes, ROTATED_NOTE, (float(middle[0]), float(middle[1]) - half - 7, 0.0), style)


def draw_scale_bar(
    axes: Axes, viewport: Viewport, y: float, *, max_points: float = LONG_BAR
) -> float:
    """Draw the scale bar and its length from the left edge; returns where they end."""
    length = choose_scale_bar_metres(viewport.metres_per_point, max_points)
    x = draw_bar(axes, (2.0, y), length / viewport.metres_per_point)
    return write_text(axes, x + 5.0, y, f"{length} m") + 14.0


def draw_bar(axes: Axes, start: tuple[float, float], length: float) -> float:
    """Draw a scale bar of this length in points, half black, half white; returns where it ends."""
    x, y = start
    for number, fill in enumerate(("black", "white")):
        part = Rectangle((x + number * length / 2, y - 2), length / 2, 4, facecolor=fill)
        part.set(edgecolor="black", linewidth=0.8, zorder=LEGEND_LEVEL)
        axes.add_artist(part)
    return x + length


def write_text(axes: Axes, x: float, y: float, text: str, *, bold: bool = False) -> float:
    """Write words around the map from x on; returns where they end."""
    width = measure_text_width(text, NAME_SIZE, bold=bold)
    style = TextStyle(NAME_SIZE, bold=bold, level=LEGEND_LEVEL)
    draw_text(axes, text, (x + width / 2, y, 0.0), style)
    return x + width


def draw_outlines(axes: Axes, lines: list[NDArray[np.float64]], *, level: float) -> None:
    """Draw the (v, 2) edges of what the force designates, in grey dashes."""
    draw_lines(axes, lines, "#666666", 1.3, level, styles=OUTLINE_DASHES, cap="butt")


def draw_beat(axes: Axes, line: NDArray[np.float64], *, level: float) -> None:
    """Draw that a (v, 2) line is walked up and down: an arrow with a head at both ends."""
    for colour, width in (("white", 2.8), ("black", 1.2)):
        draw_lines(axes, [line], colour, width, level, cap="butt")
    for tip, before in ((line[-1], line[-2]), (line[0], line[1])):
        along = (tip - before) / max(float(np.hypot(*(tip - before))), 1e-9)
        across = np.array([-along[1], along[0]]) * BEAT_HEAD * 0.5
        tail = tip - BEAT_HEAD * along
        head = Polygon([tip, tail + across, tail - across], facecolor="black")
        head.set(edgecolor="white", linewidth=0.6, zorder=level + 0.1)
        axes.add_artist(head)


def build_band(stretches: NDArray[np.object_], width: float) -> BaseGeometry | None:
    """The area of stretches of street as bands of this width; None without any."""
    band = shapely.union_all(shapely.buffer(stretches, width / 2, cap_style="flat"))
    return None if band.is_empty else band


def draw_stretches(axes: Axes, stretches: NDArray[np.object_], width: float) -> BaseGeometry | None:
    """Draw stretches of street as bands of this width; returns their area, see `build_band`."""
    band = build_band(stretches, width)
    if band is not None:
        draw_stretch(axes, band, level=5.0)
    return band
