"""The page and the ground of a map: streets, parks, water, railways and buildings.

Tones, widths and patterns differ as well as colours, so that the map reads in grey.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography.viewport import Geometries, Viewport

LineStyle = str | tuple[float, tuple[float, ...]]
"""A matplotlib line style: a name, or the offset and lengths of its dashes."""

_MATPLOTLIB_LOCK = threading.RLock()
"""Matplotlib's settings belong to the whole process: one map at a time is drawn under ours."""

LAND = "#f3f2ee"
STREET_EDGE_COLOUR = "#8c8c8c"
PARK = "#d8e8c8"
PARK_DOTS = "#8fb078"
WATER = "#b5cfe0"
WATER_LINES = "#6f96b3"
BUILDING = "#e0dcd5"
RAIL = "#5a5a5a"
STEPS_COLOUR = "#303030"
STEPS_WIDTH = 7.5
PASSAGE_EDGE = "#303030"
PASSAGE_STYLES: Mapping[str, tuple[float, ...]] = {
    "bridge": (),
    "tunnel": (2.2, 1.6),
    "underpass": (2.2, 1.6),
    "covered": (2.2, 1.6),
}
"""Dashes, in points, of the edges of what leads over or through."""
AREA_STYLES = {"park": (PARK, 0.5), "water": (WATER, 1.0), "building": (BUILDING, 1.4)}
"""Colour and drawing level."""
ROUTE_COLOUR = "#10216b"


@contextmanager
def draw_page(width: float, height: float, file: BinaryIO) -> Iterator[Figure]:
    """A figure of this size in points; when the block ends it is written as a vector PDF page.

    Equal drawings give equal bytes. Other threads wait until the page is written.
    """
    with _MATPLOTLIB_LOCK, mpl.rc_context():
        mpl.rcdefaults()  # a user's own matplotlibrc must not change what people hold
        mpl.rcParams.update({"pdf.fonttype": 42, "pdf.compression": 6})
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        yield figure
        FigureCanvasPdf(figure).print_pdf(file, metadata={"CreationDate": None, "Producer": None})


def add_page_axes(figure: Figure, place: tuple[float, float, float, float]) -> Axes:
    """Axes in points of the page, from their left and lower edge, width and height."""
    left, low, width, height = place
    across, up = figure.get_size_inches() * 72
    axes = figure.add_axes((left / across, low / up, width / across, height / up))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.axis("off")
    return axes


@dataclass(frozen=True)
class StreetStyle:
    """How a class of street is drawn: its width in metres, within bounds in points of the page."""

    width_metres: float
    min_points: float
    max_points: float
    fill: str = "white"
    dashes: tuple[float, float] | None = None

    def width_points(self, viewport: Viewport) -> float:
        """Width on the page."""
        width = self.width_metres / viewport.metres_per_point
        return min(max(width, self.min_points), self.max_points)


STYLES: Mapping[str, StreetStyle] = {
    "foot": StreetStyle(1.5, 0.8, 0.9, fill="#7a7a7a", dashes=(2.6, 1.6)),
    "service": StreetStyle(4.5, 1.8, 3.5),
    "minor": StreetStyle(10.0, 3.2, 8.0),
    "middle": StreetStyle(12.0, 4.4, 9.5, fill="#fdf6d8"),
    "major": StreetStyle(15.0, 5.4, 11.0, fill="#f4dfa2"),
}
"""In drawing order, the lowest first."""

CLASSES: Mapping[str, str] = {
    **dict.fromkeys(("trunk", "primary", "trunk_link", "primary_link"), "major"),
    **dict.fromkeys(("secondary", "tertiary", "secondary_link", "tertiary_link"), "middle"),
    **dict.fromkeys(("residential", "unclassified", "living_street", "pedestrian"), "minor"),
    **dict.fromkeys(("service", "track", "road"), "service"),
}
"""OpenStreetMap value of `highway` to class of street; anything else is a footpath."""


def find_visible_pieces(network: StreetNetwork, viewport: Viewport) -> NDArray[np.int64]:
    """(n,) pieces of street that may show in the window."""
    reach = max(viewport.width, viewport.height) * viewport.metres_per_point
    near = network.find_pieces_within((viewport.centre_x, viewport.centre_y), reach)
    points = viewport.to_page(network.piece_middle[near])
    return near[viewport.contains(points, margin=-60.0 / viewport.metres_per_point)]


def select_visible_features(features: gpd.GeoDataFrame, viewport: Viewport) -> gpd.GeoDataFrame:
    """Features that may show in the window, in their order."""
    if not len(features):
        return features
    return features.iloc[np.sort(features.sindex.query(viewport.extent))]


def classify_streets(network: StreetNetwork, pieces: NDArray[np.int64]) -> NDArray[np.object_]:
    """(n,) class of street of each piece."""
    kinds, which = np.unique(network.piece_highway[pieces].astype(str), return_inverse=True)
    return np.array([CLASSES.get(kind, "foot") for kind in kinds], dtype=object)[which]


def merge_lines(shapes: Geometries) -> Geometries:
    """Lines joined end to end where they meet."""
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
            draw_lines(axes, lines, WATER_LINES, 2.0, 1.5)
        elif lines:
            draw_lines(axes, lines, RAIL, 2.6, 2.0)
            ties = (0.0, (3.0 / 1.4, 3.0 / 1.4))
            draw_lines(axes, lines, "white", 1.4, 2.1, styles=ties, cap="butt")


def _draw_areas(axes: Axes, kind: str, shapes: Geometries, viewport: Viewport) -> None:
    """Fill areas of one kind; parks get dots and water lines, so that they differ in grey."""
    face, level = AREA_STYLES[kind]
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
        draw_lines(axes, _to_line_arrays(shapely.get_parts(cut)), WATER_LINES, 0.4, level + 0.1)
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
    """Draw streets: all edges below all fills, so that junctions are open."""
    classes = classify_streets(network, pieces)
    for level, (name, style) in enumerate(STYLES.items()):
        lines = get_page_lines(network, pieces[classes == name], viewport)
        if not lines:
            continue
        width = style.width_points(viewport)
        if style.dashes:
            dashes = (0.0, tuple(dash / width for dash in style.dashes))
            draw_lines(axes, lines, style.fill, width, 2.6, styles=dashes, cap="butt")
        else:
            draw_lines(axes, lines, STREET_EDGE_COLOUR, width + 1.1, 3.0)
            draw_lines(axes, lines, style.fill, width, 3.2 + level / 10)
    _draw_passages(axes, network, pieces, viewport)
    draw_steps(axes, get_page_lines(network, find_steps(network, pieces), viewport), level=3.9)


def _draw_passages(
    axes: Axes, network: StreetNetwork, pieces: NDArray[np.int64], viewport: Viewport
) -> None:
    """Draw bridges with dark edges, and what leads below or through with broken ones."""
    passages, classes = network.piece_passage[pieces], classify_streets(network, pieces)
    for name, style in STYLES.items():
        for passage, dashes in PASSAGE_STYLES.items():
            own = pieces[(classes == name) & (passages == passage)]
            lines = get_page_lines(network, own, viewport)
            if not lines:
                continue
            width = style.width_points(viewport) + (1.4 if style.dashes else 0.0)
            edges: LineStyle = "solid"
            if dashes:
                edges = (0.0, tuple(dash / (width + 2.4) for dash in dashes))
            draw_lines(axes, lines, PASSAGE_EDGE, width + 2.4, 3.7, styles=edges, cap="butt")
            fill = LAND if style.dashes else style.fill
            draw_lines(axes, lines, fill, width, 3.71, cap="butt")


def find_steps(network: StreetNetwork, pieces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the pieces that are steps."""
    return np.asarray(pieces[network.piece_highway[pieces] == "steps"])


def get_page_lines(
    network: StreetNetwork, pieces: NDArray[np.int64], viewport: Viewport
) -> list[NDArray[np.float64]]:
    """(v, 2) points of the page of the lines that the pieces make, cut to the window."""
    if not len(pieces):
        return []
    shapes = viewport.clip_to_page(network.lines(pieces))
    return _to_line_arrays(merge_lines(shapely.get_parts(shapes)))


def draw_steps(axes: Axes, lines: list[NDArray[np.float64]], *, level: float) -> None:
    """Draw steps like the rungs of a ladder, wide enough to be seen below a route."""
    rungs = (0.0, (1.0 / STEPS_WIDTH, 1.5 / STEPS_WIDTH))
    for colour, style in (("white", "solid"), (STEPS_COLOUR, rungs)):
        draw_lines(axes, lines, colour, STEPS_WIDTH, level, styles=style, cap="butt")


def _to_line_arrays(shapes: Geometries) -> list[NDArray[np.float64]]:
    """(v, 2) points of each line, rounded to what a printer can show."""
    lines = shapes[shapely.get_type_id(shapes) == 1] if len(shapes) else shapes
    if not len(lines):
        return []
    xy, which = shapely.get_coordinates(shapely.simplify(lines, 0.25), return_index=True)
    return np.split(np.round(xy, 1), np.flatnonzero(np.diff(which)) + 1)


def draw_lines(
    axes: Axes,
    lines: list[NDArray[np.float64]],
    colour: str,
    width: float,
    level: float,
    *,
    styles: LineStyle | Sequence[LineStyle] = "solid",
    cap: str | None = "round",
    join: str | None = "round",
) -> None:
    """Draw (v, 2) lines, of one style or a style each; dashes are in multiples of the width."""
    collection = LineCollection(
        lines, colors=colour, linewidths=width, zorder=level, linestyles=styles,
        capstyle=cap, joinstyle=join,
    )  # fmt: skip
    axes.add_collection(collection, autolim=False)


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
