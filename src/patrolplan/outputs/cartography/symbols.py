"""What stands on a map beside the map: signs, north arrow, scale bar and what the signs mean.

The signs of the patrol itself: gate, stops and base.
"""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle, PathPatch, Polygon, Rectangle
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography.basemap import ROUTE_COLOUR, build_compound_path
from patrolplan.outputs.cartography.fonts import TextStyle, draw_text, measure_text_width
from patrolplan.outputs.cartography.labels import find_overlaps
from patrolplan.outputs.cartography.place_names import NAME_SIZE, SYMBOL_EDGE_MARGIN
from patrolplan.outputs.cartography.viewport import Viewport, choose_scale_bar_metres

ROUTE_WIDTH = 2.6
LAST_LEG_DASHES = (0.0, (2.4, 0.9))
"""Dashes of the last leg, in multiples of the width."""
PUSHED_LINES = ((ROUTE_COLOUR, 4.6, 6.12, "solid"), ("white", 2.2, 6.14, (0.0, (0.01, 1.9))))
"""Colour, width, level and dashes of the lines that make a pushed part look beaded."""
STRETCH = "#f3c08a"
STRETCH_LINES = "#7a4a12"
STRETCH_HATCH = 4.5
"""Points between the slanting lines."""
LEGEND_HEIGHT = 19.0
LONG_BAR = 110.0
"""Points that the scale bar takes at most."""
SHORT_BAR = 50.0
"""The same where the legend is full: every sign may need its words."""
NORTH_SIDE = 30.0
ROTATED_NOTE = "Map turned"
CROSS_SIDE = 11.0


def find_symbol_points(
    features: gpd.GeoDataFrame, viewport: Viewport, kind: str
) -> list[tuple[float, float]]:
    """Points of the page where bus stops or stations stand."""
    shapes = features.geometry[features["kind"] == kind].representative_point()
    xy = np.column_stack([shapes.x, shapes.y]) if len(shapes) else np.empty((0, 2))
    points = viewport.to_page(xy)
    inside = (points > SYMBOL_EDGE_MARGIN) & (
        points < np.array([viewport.width, viewport.height]) - SYMBOL_EDGE_MARGIN
    )
    return [(float(x), float(y)) for x, y in points[inside.all(axis=1)]]


def draw_symbols(axes: Axes, features: gpd.GeoDataFrame, viewport: Viewport) -> NDArray[np.float64]:
    """Draw bus stops and stations; gives back where they stand."""
    stops = find_symbol_points(features, viewport, "bus_stop")
    stations = find_symbol_points(features, viewport, "station")
    for at in stops:
        _draw_bus_stop(axes, at)
    for at in stations:
        _draw_station(axes, at)
    return np.array([*stops, *stations], dtype=np.float64).reshape(-1, 2)


def _draw_bus_stop(axes: Axes, at: tuple[float, float]) -> Artist:
    x, y = at
    return axes.add_artist(
        Rectangle((x - 2.4, y - 2.4), 4.8, 4.8, fc="#404040", ec="white", lw=0.8, zorder=7.5)
    )


def _draw_station(axes: Axes, at: tuple[float, float]) -> Artist:
    x, y = at
    side = 5.2
    tips = [(x - side, y), (x, y + side), (x + side, y), (x, y - side)]
    return axes.add_artist(Polygon(tips, fc="white", ec="black", lw=1.8, zorder=7.6))


def draw_cross(axes: Axes, at: tuple[float, float], *, level: float) -> None:
    """Draw a place to keep away from: a black cross with white around it."""
    reach = np.array([(-1, -1), (1, 1), (-1, 1), (1, -1)]) * CROSS_SIDE / 2
    strokes = list((reach + at).reshape(2, 2, 2))
    for colour, width in (("white", 6.4), ("black", 3.4)):
        axes.add_collection(
            LineCollection(strokes, colors=colour, linewidths=width, capstyle="butt", zorder=level),
            autolim=False,
        )


def place_north_arrow(viewport: Viewport, marker_boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Middle of the north arrow: in the top right corner, or the next one free of marks.

    Parameters
    ----------
    frame
        The window.
    marks
        (n, 5) boxes of the signs that must be seen.
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
    """Draw the map's border, and in a corner the north arrow, turned with the map."""
    draw_border(axes, *viewport.size)
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


def draw_legend(
    axes: Axes,
    viewport: Viewport,
    features: gpd.GeoDataFrame,
    *,
    way: str,
    pushed: bool,
    keep_away: bool,
) -> None:
    """Draw the strip below the map: scale bar and what the signs on it mean.

    `way` is "walk" or "bicycle", empty where there are no stops; `pushed` is whether the bicycle
    is pushed somewhere, `keep_away` whether there are crosses.
    """
    y = LEGEND_HEIGHT / 2 - 0.5
    x = draw_scale_bar(axes, viewport, y, longest=SHORT_BAR if pushed and keep_away else LONG_BAR)
    if way:
        x = _draw_legend_line(axes, x, y, "walk" if way == "walk" else "ride", dashed=False)
        if pushed:
            x = _draw_legend_pushed(axes, x, y)
        x = _draw_legend_line(axes, x, y, "last leg", dashed=True)
        _draw_legend_stretch(axes, shapely.LineString([(x, y), (x + 22, y)]))
        x = _draw_legend_text(axes, x + 26, y, "priority street")
    if keep_away:
        draw_cross(axes, (x + 6, y), level=23.0)
        x = _draw_legend_text(axes, x + 15, y, "keep away")
    if find_symbol_points(features, viewport, "bus_stop"):
        _draw_bus_stop(axes, (x + 3, y)).set_zorder(23)
        x = _draw_legend_text(axes, x + 9, y, "bus stop")
    if find_symbol_points(features, viewport, "station"):
        _draw_station(axes, (x + 5, y)).set_zorder(23)
        _draw_legend_text(axes, x + 13, y, "station")


def _draw_legend_text(axes: Axes, x: float, y: float, text: str, *, bold: bool = False) -> float:
    width = measure_text_width(text, NAME_SIZE, bold=bold)
    style = TextStyle(NAME_SIZE, bold=bold, level=23.0)
    draw_text(axes, text, (x + width / 2, y, 0.0), style)
    return x + width + 14


def _draw_legend_line(axes: Axes, x: float, y: float, text: str, *, dashed: bool) -> float:
    style = LAST_LEG_DASHES if dashed else "solid"
    axes.plot([x, x + 26], [y, y], color=ROUTE_COLOUR, lw=ROUTE_WIDTH, ls=style, zorder=23,
              solid_capstyle="butt", dash_capstyle="butt")  # fmt: skip
    axes.add_artist(
        Polygon([(x + 18, y), (x + 9, y + 4), (x + 9, y - 4)], fc=ROUTE_COLOUR, ec="white", lw=0.7,
                zorder=23.1)
    )  # fmt: skip
    return _draw_legend_text(axes, x + 30, y, text)


def _draw_legend_pushed(axes: Axes, x: float, y: float) -> float:
    for colour, width, level, style in PUSHED_LINES:
        axes.plot([x + 3, x + 21], [y, y], color=colour, lw=width, ls=style, zorder=level + 17,
                  solid_capstyle="round", dash_capstyle="round")  # fmt: skip
    return _draw_legend_text(axes, x + 28, y, "push")


def _draw_legend_stretch(axes: Axes, line: BaseGeometry) -> None:
    draw_stretch(axes, line.buffer(4.5, cap_style="flat"), level=23.0)


def draw_stretch(axes: Axes, band: BaseGeometry, *, level: float) -> None:
    """Draw a stretch: a tone, and slanting lines that tell it from any tone of grey."""
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
    axes.add_collection(
        LineCollection(lines, colors=STRETCH_LINES, linewidths=0.6, zorder=level + 0.1),
        autolim=False,
    )


def draw_scale_bar(axes: Axes, viewport: Viewport, y: float, *, longest: float = LONG_BAR) -> float:
    """Draw the scale bar from the left edge; gives back where the rest of the legend starts."""
    length = choose_scale_bar_metres(viewport.metres_per_point, longest)
    half = length / viewport.metres_per_point / 2
    for number, fill in enumerate(("black", "white")):
        axes.add_artist(
            Rectangle((2 + number * half, y - 2), half, 4, fc=fill, ec="black", lw=0.8, zorder=23)
        )
    return _draw_legend_text(axes, 2 * half + 7, y, f"{length} m")


STOP_RADIUS = 9.0
GATE_SIDE = 17.0
MARKER_TEXT_SIZE = 12.0
KEEP_AWAY_TEXT = "\N{MULTIPLICATION SIGN}"
"""The card's words mark places to keep away from with the same."""
MIN_LEADER_SHIFT = 3.0
"""A sign farther from its place than so many points gets a line that leads there."""


def draw_markers(
    axes: Axes, centres: NDArray[np.float64], true_points: NDArray[np.float64], texts: Sequence[str]
) -> None:
    """Draw the signs of the patrol; a line leads to the place of one that had to move aside.

    Parameters
    ----------
    axes
        In points of the page.
    marks, true
        (n, 2) where the signs stand, and the places they stand for.
    names
        What stands in them: a stop's number in a black circle, "G" and "B" in white squares;
        `KEEP_AWAY_TEXT` is a place to keep away from.
    """
    for at, real, name in zip(centres, true_points, texts, strict=True):
        if np.hypot(*(at - real)) > MIN_LEADER_SHIFT:
            axes.plot(*np.stack([at, real]).T, color="black", lw=1.2, zorder=7.0)
            axes.add_artist(Circle(tuple(real), 2.2, facecolor="black", zorder=7.0))
        if name == KEEP_AWAY_TEXT:
            draw_cross(axes, (float(at[0]), float(at[1])), level=10.9)
        else:
            _draw_marker(axes, at, name)


def _draw_marker(axes: Axes, at: NDArray[np.float64], text: str) -> None:
    """Draw a stop as a black circle with its number, gate and base as white squares."""
    x, y = (float(value) for value in at)
    gate = text in {"G", "B"}
    fill, ink = ("white", "black") if gate else ("black", "white")
    shape = (
        Rectangle((x - GATE_SIDE / 2, y - GATE_SIDE / 2), GATE_SIDE, GATE_SIDE)
        if gate
        else Circle((x, y), STOP_RADIUS)
    )
    shape.set(facecolor=fill, edgecolor=ink, linewidth=2.2 if gate else 1.4, zorder=11.0)
    axes.add_artist(shape)
    size = MARKER_TEXT_SIZE if len(text) == 1 else MARKER_TEXT_SIZE - 2.0
    draw_text(axes, text, (x, y, 0.0), TextStyle(size, bold=True, colour=ink, level=12.0))
