"""The ground of a map, in tones and patterns as well as colours, so that it reads in grey."""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography.page import Window, trace_rectangle, trace_rings
from patrolplan.outputs.cartography.viewport import PAGE_MARGIN, Geometries, Viewport

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
    **dict.fromkeys(("tunnel", "underpass", "covered"), (2.2, 1.6)),
}  # Dashes, in points, of the edges of bridges and passages
AREA_STYLES = {"park": (PARK, 0.5), "water": (WATER, 1.0), "building": (BUILDING, 1.4)}  # and level
ROUTE_COLOUR = "#10216b"


@dataclass(frozen=True)
class StreetClass:
    """A class of street everywhere: its width in metres, and its bounds in points of the page."""

    words: str
    highways: tuple[str, ...]  # Values of OpenStreetMap's `highway`
    width_metres: float
    min_points: float
    max_points: float
    fill: str = "white"
    dashes: tuple[float, float] | None = None


MAIN = ("primary", "primary_link", "trunk", "trunk_link")
THROUGH = ("secondary", "secondary_link", "tertiary", "tertiary_link")
MINOR = ("living_street", "pedestrian", "residential", "unclassified")
STREETS: Mapping[str, StreetClass] = {
    "foot": StreetClass("footpath", (), 1.5, 0.8, 0.9, fill="#7a7a7a", dashes=(2.6, 1.6)),
    "service": StreetClass("service road", ("road", "service", "track"), 4.5, 1.8, 3.5),
    "minor": StreetClass("street", MINOR, 10.0, 3.2, 8.0),
    "middle": StreetClass("through street", THROUGH, 12.0, 4.4, 9.5, fill="#fdf6d8"),
    "major": StreetClass("main road", MAIN, 15.0, 5.4, 11.0, fill="#f4dfa2"),
}  # In drawing order, the lowest first; a street of any other kind is a footpath

_CLASSES = {kind: name for name, one in STREETS.items() for kind in one.highways}


def find_visible_pieces(network: StreetNetwork, viewport: Viewport) -> NDArray[np.int64]:
    """(n,) pieces of street that may be visible in the window."""
    reach = max(viewport.width, viewport.height) * viewport.metres_per_point
    near = network.find_pieces_within((viewport.centre_x, viewport.centre_y), reach)
    points = viewport.to_page(network.piece_middle[near])
    return near[viewport.contains(points, margin=-60.0 / viewport.metres_per_point)]


def select_visible_features(features: gpd.GeoDataFrame, viewport: Viewport) -> gpd.GeoDataFrame:
    """Features that may be visible in the window, in their order."""
    return features.iloc[np.sort(features.sindex.query(viewport.extent))]


def select_shapes(features: gpd.GeoDataFrame, kind: str) -> Geometries:
    """Shapes of the features of a kind, in metres."""
    return np.asarray(features.geometry.array[features["kind"] == kind], dtype=object)


def classify_streets(network: StreetNetwork, pieces: NDArray[np.int64]) -> NDArray[np.object_]:
    """(n,) class of street of each piece."""
    kinds = network.piece_highway[pieces].tolist()
    return np.array([_CLASSES.get(kind, "foot") for kind in kinds], dtype=object)


def merge_lines(shapes: Geometries) -> Geometries:
    """The lines among shapes, joined end to end where they meet."""
    parts = shapely.get_parts(shapes)
    parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
    joined: Geometries = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(parts)))
    return joined


def draw_ground(window: Window, features: gpd.GeoDataFrame, viewport: Viewport) -> None:
    """Draw land, parks, buildings, water and railways."""
    window.draw_shape(trace_rectangle(0.0, 0.0, *viewport.size), 0.0, fill=LAND)
    for kind, least_area in (("park", 20.0), ("water", 4.0), ("building", 2.5)):
        shapes = viewport.clip_to_page(select_shapes(features, kind))
        shapes = shapes[shapely.area(shapes) >= least_area]
        if len(shapes):
            _draw_areas(window, kind, shapes, viewport)
    streams, railways = (
        _list_points(merge_lines(viewport.clip_to_page(select_shapes(features, kind))))
        for kind in ("stream", "railway")
    )
    window.draw_lines(streams, WATER_LINES, 2.0, 1.5)
    window.draw_lines(railways, RAIL, 2.6, 2.0)
    ties = (3.0 / 1.4, 3.0 / 1.4)
    window.draw_lines(railways, "white", 1.4, 2.1, dashes=ties, cap="butt")


def _draw_areas(window: Window, kind: str, shapes: Geometries, viewport: Viewport) -> None:
    """Fill areas of one kind; parks get dots and water lines, so that they differ in grey."""
    face, level = AREA_STYLES[kind]
    edge = "#bdb8ae" if kind == "building" else ""
    outline = trace_areas(shapely.simplify(shapes, 0.35))
    window.draw_shape(outline, level, fill=face, edge=edge, width=0.35)
    if kind == "building":
        return
    whole = shapely.union_all(shapely.make_valid(shapes))
    if kind == "water":
        rows = np.arange(0.0, viewport.height, 3.5)
        strokes = [shapely.LineString([(0, y), (viewport.width, y)]) for y in rows]
        cut = shapely.intersection(shapely.multilinestrings(strokes), whole)
        window.draw_lines(_list_points(shapely.get_parts(cut)), WATER_LINES, 0.4, level + 0.1)
        return
    columns, rows = np.meshgrid(*(np.arange(2.0, side, 6.0) for side in viewport.size))
    columns[1::2] += 3.0
    shapely.prepare(whole)
    inside = shapely.contains_xy(whole, columns, rows)
    dots = np.column_stack([columns[inside], rows[inside]])
    # A line of no length with round ends is a dot.
    window.draw_lines(list(np.stack([dots, dots], axis=1)), PARK_DOTS, 0.9, level + 0.1)


def draw_streets(
    window: Window, network: StreetNetwork, pieces: NDArray[np.int64], viewport: Viewport
) -> None:
    """Draw streets, all edges below all fills; edges of bridges are dark, of passages broken."""
    classes, passages = classify_streets(network, pieces), network.piece_passage[pieces]
    moved = viewport.move_and_clip(network.lines(pieces), margin=PAGE_MARGIN)
    for level, (name, style) in enumerate(STREETS.items()):
        lines = _list_points(merge_lines(moved[classes == name]))
        width = style.width_metres / viewport.metres_per_point
        width = min(max(width, style.min_points), style.max_points)
        if style.dashes:
            dashes = [dash / width for dash in style.dashes]
            window.draw_lines(lines, style.fill, width, 2.6, dashes=dashes, cap="butt")
        else:
            window.draw_lines(lines, STREET_EDGE_COLOUR, width + 1.1, 3.0)
            window.draw_lines(lines, style.fill, width, 3.2 + level / 10)
        for passage, edge in PASSAGE_STYLES.items():
            lines = _list_points(merge_lines(moved[(classes == name) & (passages == passage)]))
            inner = width + (1.4 if style.dashes else 0.0)
            edges = [dash / (inner + 2.4) for dash in edge]
            window.draw_lines(lines, PASSAGE_EDGE, inner + 2.4, 3.7, dashes=edges, cap="butt")
            fill = LAND if style.dashes else style.fill
            window.draw_lines(lines, fill, inner, 3.71, cap="butt")
    steps = moved[network.piece_highway[pieces] == "steps"]
    draw_steps(window, _list_points(merge_lines(steps)), level=3.9)


def draw_steps(window: Window, lines: list[NDArray[np.float64]], *, level: float) -> None:
    """Draw steps like the rungs of a ladder, wide enough to be seen below a route."""
    rungs = (1.0 / STEPS_WIDTH, 1.5 / STEPS_WIDTH)
    for colour, dashes in (("white", ()), (STEPS_COLOUR, rungs)):
        window.draw_lines(lines, colour, STEPS_WIDTH, level, dashes=dashes, cap="butt")


def _list_points(lines: Geometries) -> list[NDArray[np.float64]]:
    """(v, 2) points of each line, rounded to a printer's resolution."""
    points = (shapely.get_coordinates(line).round(1) for line in shapely.simplify(lines, 0.25))
    return [one for one in points if len(one)]


def trace_areas(shapes: Geometries) -> str:
    """Outline of polygons; holes run the other way round and so stay open."""
    polygons = shapely.get_parts(shapes)
    polygons = polygons[shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON]
    rings = shapely.get_rings(shapely.orient_polygons(polygons))
    return trace_rings([shapely.get_coordinates(ring)[:-1].round(1) for ring in rings])
