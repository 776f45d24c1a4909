"""Maps of places instead of one walk: schools and the streets where presence is planned."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.network import StreetNetwork
from patrolplan.outputs.cartography.basemap import draw_ground, draw_streets, find_visible_pieces
from patrolplan.outputs.cartography.fonts import (
    LINE_HEIGHT,
    TextStyle,
    draw_text,
    make_printable,
    measure_text_width,
)
from patrolplan.outputs.cartography.labels import (
    Boxes,
    LabelCandidates,
    find_places_around_point,
    place_labels,
)
from patrolplan.outputs.cartography.place_names import (
    MapLabel,
    build_area_labels,
    build_street_labels,
)
from patrolplan.outputs.cartography.route import separate_points
from patrolplan.outputs.cartography.symbols import (
    compute_north_arrow_box,
    draw_north_arrow,
    draw_scale_bar,
    draw_stretch,
    place_north_arrow,
)
from patrolplan.outputs.cartography.viewport import Viewport, fit_viewport
from patrolplan.patrols.plan import Plan
from patrolplan.text import shorten

HEIGHT = 13.0
"""Points; of a sign, whose width follows its words."""
SIZE = 9.0
BAND = 11.0
"""Points across a street where presence is planned."""
MIN_LEADER_SHIFT = 4.0
"""A sign farther from its place than so many points gets a line that leads there."""
PADDING = 46.0
"""Points kept free at the edges: a sign may stand there, but not under the north arrow."""
SCALE_STRIP_HEIGHT = 16.0
"""Points below the map, for the scale."""
LONGEST_NAME = 28
"""Letters of a name beside its sign."""
NO_ROUTE: BaseGeometry = shapely.Point()


@dataclass(frozen=True)
class MapMarker:
    """A sign on the map: a school's in a white box, a street's in a black one with round ends."""

    text: str
    x: float
    y: float
    school: bool = False
    name: str = ""
    """Stands beside it where there is room."""


def draw_overview_map(
    plan: Plan,
    markers: Sequence[MapMarker],
    hotspots: Sequence[str],
    *,
    width: float,
    height: float,
    min_extent_metres: float = 600.0,
) -> bytes:
    """Draw streets, the stretches of these hotspots, and the marks.

    Parameters
    ----------
    plan
        Streets, features and hotspots.
    marks
        In metres; the first ones keep their place where signs would overlap.
    hotspots
        Ids of those whose stretch is drawn.
    width, height
        Points of the page.
    least_metres
        The longer side shows at least so much.

    Returns
    -------
    bytes
        A PDF page, vector; equal input gives equal bytes.
    """
    page = io.BytesIO()
    shapes = plan.hotspots.geometry[plan.hotspots["hotspot"].isin(list(hotspots))].to_numpy()
    network = plan.area.network
    frame = fit_viewport(
        [np.array([(mark.x, mark.y) for mark in markers]), shapely.get_coordinates(shapes)],
        width=width,
        height=height - SCALE_STRIP_HEIGHT,
        padding=PADDING,
        min_extent_metres=min_extent_metres,
        street_bounds=(*network.node_xy.min(axis=0), *network.node_xy.max(axis=0)),
        may_rotate=False,  # people look at it from afar, or without having turned a map before
    )
    with mpl.rc_context():
        mpl.rcdefaults()  # a user's own matplotlibrc must not change what people hold
        mpl.rcParams.update({"pdf.fonttype": 42, "pdf.compression": 9})
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        share = SCALE_STRIP_HEIGHT / height
        axes = _add_axes(figure, (0, share, 1, 1 - share), height - SCALE_STRIP_HEIGHT)
        _draw_map(axes, plan, frame, frame.clip_to_page(shapes), markers)
        draw_scale_bar(
            _add_axes(figure, (0, 0, 1, share), SCALE_STRIP_HEIGHT),
            frame,
            SCALE_STRIP_HEIGHT / 2 - 1,
        )
        FigureCanvasPdf(figure).print_pdf(page, metadata={"CreationDate": None, "Producer": None})
    return page.getvalue()


def _add_axes(figure: Figure, where: tuple[float, float, float, float], height: float) -> Axes:
    axes = figure.add_axes(where)
    axes.set_xlim(0, figure.get_figwidth() * 72)
    axes.set_ylim(0, height)
    axes.axis("off")
    return axes


def _draw_map(
    axes: Axes,
    plan: Plan,
    viewport: Viewport,
    shapes: NDArray[np.object_],
    markers: Sequence[MapMarker],
) -> None:
    network, features = plan.area.network, _select_features(plan.area.features, viewport)
    pieces = find_visible_pieces(network, viewport)
    draw_ground(axes, features, viewport)
    draw_streets(axes, network, pieces, viewport)
    band = shapely.union_all(shapely.buffer(shapes, BAND / 2, cap_style="flat"))
    if not band.is_empty:
        draw_stretch(axes, band, level=5.0)
    true = viewport.to_page(np.array([(mark.x, mark.y) for mark in markers]).reshape(-1, 2))
    widths = np.array([_measure_marker(mark) for mark in markers])
    at = separate_points(true, float(widths.max(initial=HEIGHT)) + 2.0)
    half = np.array([widths.max(initial=HEIGHT), HEIGHT]) / 2 + 2
    at = np.clip(at, half, np.array([viewport.width, viewport.height]) - half)
    for mark, spot, real in zip(markers, at, true, strict=True):
        _draw_marker(axes, mark, spot, real)
    sizes = np.column_stack([widths + 2, np.full(len(markers), HEIGHT + 2), np.zeros(len(markers))])
    boxes = np.column_stack([at, sizes])
    north = place_north_arrow(viewport, boxes)
    draw_north_arrow(axes, viewport, north)
    taken = np.vstack([boxes, compute_north_arrow_box(viewport, north)])
    for name, box in _place_map_labels(
        network, features, viewport, pieces, (markers, at, taken, band)
    ):
        _draw_label(axes, name, box)


def _select_features(features: gpd.GeoDataFrame, viewport: Viewport) -> gpd.GeoDataFrame:
    if not len(features):
        return features
    return features.iloc[np.sort(features.sindex.query(viewport.extent))]


def _measure_marker(marker: MapMarker) -> float:
    return max(HEIGHT, measure_text_width(marker.text, SIZE, bold=True) + 7)


def _draw_marker(
    axes: Axes, marker: MapMarker, at: NDArray[np.float64], real: NDArray[np.float64]
) -> None:
    x, y = (float(value) for value in at)
    if np.hypot(*(at - real)) > MIN_LEADER_SHIFT:
        axes.plot(*np.stack([at, real]).T, color="black", lw=1.1, zorder=7.0)
        axes.add_artist(Circle(tuple(real), 2.0, facecolor="black", zorder=7.0))
    width = _measure_marker(marker)
    fill, ink = ("white", "black") if marker.school else ("black", "white")
    corner = (x - width / 2, y - HEIGHT / 2)
    shape = (
        Rectangle(corner, width, HEIGHT)
        if marker.school
        else FancyBboxPatch(
            (corner[0] + HEIGHT / 2, corner[1] + HEIGHT / 2),
            max(0.1, width - HEIGHT),
            0.1,
            boxstyle=f"round,pad={HEIGHT / 2},rounding_size={HEIGHT / 2}",
        )
    )
    shape.set(facecolor=fill, edgecolor=ink, linewidth=1.8 if marker.school else 1.0, zorder=11.0)
    axes.add_artist(shape)
    draw_text(axes, marker.text, (x, y, 0.0), TextStyle(SIZE, bold=True, colour=ink, level=12.0))


def _place_map_labels(
    network: StreetNetwork,
    features: gpd.GeoDataFrame,
    viewport: Viewport,
    pieces: NDArray[np.int64],
    drawn: tuple[Sequence[MapMarker], NDArray[np.float64], Boxes, BaseGeometry],
) -> list[tuple[MapLabel, Boxes]]:
    """Find places for names: the marks' first, then streets and parks."""
    marks, at, taken, band = drawn
    pairs = zip(marks, at.tolist(), strict=True)
    names = [_build_marker_label(mark, x, y) for mark, (x, y) in pairs if mark.name]
    names += build_street_labels(network, pieces, viewport, route_streets=(), route=NO_ROUTE)
    names += build_area_labels(features, viewport)
    places = place_labels(
        [name.candidates for name in names],
        width=viewport.width,
        height=viewport.height,
        occupied=taken,
        avoided=None if band.is_empty else band,
    )
    return [(names[number], box) for number, box in places]


def _build_marker_label(marker: MapMarker, x: float, y: float) -> MapLabel:
    text = shorten(make_printable(marker.name), LONGEST_NAME)
    size = (measure_text_width(text, SIZE, bold=True) + 3, SIZE * LINE_HEIGHT)
    boxes, cost = find_places_around_point(
        x, y, size, radius=_measure_marker(marker) / 2 + 2, extra_distances=(0.0, 6.0)
    )
    return MapLabel(
        text, SIZE, bold=True, colour="black", candidates=LabelCandidates(marker.text, boxes, cost)
    )


def _draw_label(axes: Axes, name: MapLabel, box: Boxes) -> None:
    x, y, _, _, angle = (float(value) for value in box)
    draw_text(
        axes, name.text, (x, y, angle), TextStyle(name.size, name.bold, name.colour, halo=1.3)
    )
