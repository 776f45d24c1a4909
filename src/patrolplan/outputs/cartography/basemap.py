"""Streets, parks, water, railways and buildings: the ground that a patrol is drawn on.

Tones, widths and patterns differ as well as colours, so that the map reads in grey.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography.viewport import Geometries, Viewport

LAND = "#f3f2ee"
STREET_EDGE_COLOUR = "#8c8c8c"
PARK = "#d8e8c8"
PARK_DOTS = "#8fb078"
WATER = "#b5cfe0"
WATER_LINES = "#6f96b3"
BUILDING = "#e0dcd5"
RAIL = "#5a5a5a"
ROUTE_COLOUR = "#10216b"


@dataclass(frozen=True)
class StreetStyle:
    """How a class of street is drawn: metres wide in the world, kept between points on paper."""

    width_metres: float
    min_points: float
    max_points: float
    fill: str = "white"
    dashes: tuple[float, float] | None = None

    def width_points(self, viewport: Viewport) -> float:
        """Width on the page."""
        return min(
            max(self.width_metres / viewport.metres_per_point, self.min_points), self.max_points
        )


STYLES: Mapping[str, StreetStyle] = {
    "foot": StreetStyle(1.5, 0.8, 0.9, fill="#7a7a7a", dashes=(2.6, 1.6)),
    "service": StreetStyle(4.5, 1.8, 3.5),
    "minor": StreetStyle(10.0, 3.2, 8.0),
    "middle": StreetStyle(12.0, 4.4, 9.5, fill="#fdf6d8"),
    "major": StreetStyle(15.0, 5.4, 11.0, fill="#f4dfa2"),
}
"""Beneath first."""

CLASSES: Mapping[str, str] = {
    **dict.fromkeys(("trunk", "primary", "trunk_link", "primary_link"), "major"),
    **dict.fromkeys(("secondary", "tertiary", "secondary_link", "tertiary_link"), "middle"),
    **dict.fromkeys(("residential", "unclassified", "living_street", "pedestrian"), "minor"),
    **dict.fromkeys(("service", "track", "road"), "service"),
}
"""OpenStreetMap value of `highway` to class of street; anything else is for feet alone."""


def find_visible_pieces(network: StreetNetwork, viewport: Viewport) -> NDArray[np.int64]:
    """Pieces of street that may show in the window."""
    reach = max(viewport.width, viewport.height) * viewport.metres_per_point
    near = network.find_pieces_within((viewport.centre_x, viewport.centre_y), reach)
    points = viewport.to_page(network.piece_middle[near])
    margin = 60.0 / viewport.metres_per_point
    inside = (points >= -margin) & (points <= np.array([viewport.width, viewport.height]) + margin)
    return near[inside.all(axis=1)]


def classify_streets(network: StreetNetwork, pieces: NDArray[np.int64]) -> NDArray[np.object_]:
    """(n,) class of street of each piece."""
    kinds, which = np.unique(network.piece_highway[pieces].astype(str), return_inverse=True)
    return np.array([CLASSES.get(kind, "foot") for kind in kinds], dtype=object)[which]


def merge_lines(shapes: Geometries) -> Geometries:
    """Lines joined end to end where they meet, as single lines."""
    if not len(shapes):
        return shapes
    joined: Geometries = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(shapes)))
    return joined


def draw_ground(axes: Axes, features: gpd.GeoDataFrame, viewport: Viewport) -> None:
    """Draw land, parks, buildings, water and railways."""
    axes.add_artist(Rectangle((0, 0), viewport.width, viewport.height, color=LAND, zorder=0))
    for kind, least_area in (("park", 20.0), ("water", 4.0), ("building", 2.5)):
        shapes = viewport.clip_to_page(features.geometry[features["kind"] == kind].to_numpy())
        shapes = shapes[shapely.area(shapes) >= least_area]
        if len(shapes):
            _draw_areas(axes, kind, shapes, viewport)
    for kind in ("stream", "railway"):
        shapes = features.geometry[features["kind"] == kind].to_numpy()
        lines = _to_line_arrays(merge_lines(shapely.get_parts(viewport.clip_to_page(shapes))))
        if lines and kind == "stream":
            _draw_lines(axes, lines, WATER_LINES, 2.0, 1.5)
        elif lines:
            _draw_lines(axes, lines, RAIL, 2.6, 2.0)
            _draw_lines(axes, lines, "white", 1.4, 2.1, dashes=(3.0, 3.0))


def _draw_areas(axes: Axes, kind: str, shapes: Geometries, viewport: Viewport) -> None:
    face = {"park": PARK, "water": WATER, "building": BUILDING}[kind]
    level = {"park": 0.5, "water": 1.0, "building": 1.4}[kind]
    edge = "#bdb8ae" if kind == "building" else "none"
    outline = build_compound_path(shapely.simplify(shapes, 0.35))
    axes.add_artist(PathPatch(outline, facecolor=face, edgecolor=edge, lw=0.35, zorder=level))
    if kind == "building":
        return
    whole = shapely.union_all(shapely.make_valid(shapes))
    if kind == "water":
        rows = np.arange(0.0, viewport.height, 3.5)
        strokes = [shapely.LineString([(0, y), (viewport.width, y)]) for y in rows]
        cut = shapely.intersection(shapely.multilinestrings(strokes), whole)
        _draw_lines(axes, _to_line_arrays(shapely.get_parts(cut)), WATER_LINES, 0.4, level + 0.1)
        return
    columns, rows = np.meshgrid(
        np.arange(2.0, viewport.width, 6.0), np.arange(2.0, viewport.height, 6.0)
    )
    columns[1::2] += 3.0
    shapely.prepare(whole)
    inside = shapely.contains_xy(whole, columns, rows)
    axes.plot(
        columns[inside], rows[inside], linestyle="none", marker="o", markersize=0.9,
        markeredgewidth=0, color=PARK_DOTS, zorder=level + 0.1,
    )  # fmt: skip


def draw_streets(
    axes: Axes, network: StreetNetwork, pieces: NDArray[np.int64], viewport: Viewport
) -> None:
    """Draw streets: all edges first and the fills upon them, so that junctions are open."""
    classes = classify_streets(network, pieces)
    lines = {
        name: _to_line_arrays(
            merge_lines(
                shapely.get_parts(viewport.clip_to_page(network.lines(pieces[classes == name])))
            )
        )
        for name in STYLES
    }
    for name, style in STYLES.items():
        if lines[name] and not style.dashes:
            _draw_lines(
                axes, lines[name], STREET_EDGE_COLOUR, style.width_points(viewport) + 1.1, 3.0
            )
    for level, (name, style) in enumerate(STYLES.items()):
        if lines[name]:
            beneath = 2.6 if style.dashes else 3.2 + level / 10
            _draw_lines(
                axes,
                lines[name],
                style.fill,
                style.width_points(viewport),
                beneath,
                dashes=style.dashes,
            )


def _to_line_arrays(shapes: Geometries) -> list[NDArray[np.float64]]:
    """(v, 2) points of each line, rounded to what a printer can show."""
    lines = shapes[shapely.get_type_id(shapes) == 1] if len(shapes) else shapes
    if not len(lines):
        return []
    xy, which = shapely.get_coordinates(shapely.simplify(lines, 0.25), return_index=True)
    return np.split(np.round(xy, 1), np.flatnonzero(np.diff(which)) + 1)


def _draw_lines(
    axes: Axes,
    lines: list[NDArray[np.float64]],
    colour: str,
    width: float,
    level: float,
    *,
    dashes: tuple[float, float] | None = None,
) -> None:
    style = (0.0, [dash / width for dash in dashes]) if dashes else "solid"
    axes.add_collection(
        LineCollection(
            lines, colors=colour, linewidths=width, zorder=level, linestyles=[style],
            capstyle="butt" if dashes else "round", joinstyle="round",
        ),
        autolim=False,
    )  # fmt: skip


def build_compound_path(shapes: Geometries) -> Outline:
    """All rings of polygons as one outline; holes run the other way round and so stay open."""
    polygons = shapely.get_parts(shapes)
    polygons = polygons[shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON]
    rings = shapely.get_rings(shapely.orient_polygons(polygons))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    first = np.r_[True, np.diff(ring) > 0]
    last = np.r_[first[1:], True]
    codes = np.full(len(xy), Outline.LINETO, dtype=Outline.code_type)
    codes[first] = Outline.MOVETO
    codes[last] = Outline.CLOSEPOLY
    return Outline(np.round(xy, 1), codes)
