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
from patrolplan.outputs.cartography.basemap import draw_ground, draw_streets, pieces_in
from patrolplan.outputs.cartography.fonts import (
    LINE_HEIGHT,
    Lettering,
    printable,
    text_width,
    write,
)
from patrolplan.outputs.cartography.labels import Boxes, Wish, around, place
from patrolplan.outputs.cartography.place_names import Name, area_names, street_names
from patrolplan.outputs.cartography.route import spread
from patrolplan.outputs.cartography.symbols import (
    draw_band,
    draw_north,
    draw_scale,
    north_box,
    north_place,
)
from patrolplan.outputs.cartography.viewport import Frame, fit_frame
from patrolplan.patrols.plan import Plan
from patrolplan.text import shortened

HEIGHT = 13.0
"""Points; of a sign, whose width follows its words."""
SIZE = 9.0
BAND = 11.0
"""Points across a street where presence is planned."""
MOVED = 4.0
"""A sign farther from its place than so many points gets a line that leads there."""
PADDING = 46.0
"""Points kept free at the edges: a sign may stand there, but not under the north arrow."""
STRIP = 16.0
"""Points below the map, for the scale."""
LONGEST_NAME = 28
"""Letters of a name beside its sign."""
EMPTY: BaseGeometry = shapely.Point()


@dataclass(frozen=True)
class Mark:
    """A sign on the map: a school's in a white box, a street's in a black one with round ends."""

    text: str
    x: float
    y: float
    school: bool = False
    name: str = ""
    """Stands beside it where there is room."""


def draw_overview(
    plan: Plan,
    marks: Sequence[Mark],
    hotspots: Sequence[str],
    *,
    width: float,
    height: float,
    least_metres: float = 600.0,
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
    frame = fit_frame(
        [np.array([(mark.x, mark.y) for mark in marks]), shapely.get_coordinates(shapes)],
        width=width,
        height=height - STRIP,
        padding=PADDING,
        least_metres=least_metres,
        within=(*network.node_xy.min(axis=0), *network.node_xy.max(axis=0)),
        may_turn=False,  # people look at it from afar, or without having turned a map before
    )
    with mpl.rc_context():
        mpl.rcdefaults()  # a user's own matplotlibrc must not change what people hold
        mpl.rcParams.update({"pdf.fonttype": 42, "pdf.compression": 9})
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        share = STRIP / height
        axes = _axes(figure, (0, share, 1, 1 - share), height - STRIP)
        _draw(axes, plan, frame, frame.shapes(shapes), marks)
        draw_scale(_axes(figure, (0, 0, 1, share), STRIP), frame, STRIP / 2 - 1)
        FigureCanvasPdf(figure).print_pdf(page, metadata={"CreationDate": None, "Producer": None})
    return page.getvalue()


def _axes(figure: Figure, where: tuple[float, float, float, float], height: float) -> Axes:
    axes = figure.add_axes(where)
    axes.set_xlim(0, figure.get_figwidth() * 72)
    axes.set_ylim(0, height)
    axes.axis("off")
    return axes


def _draw(
    axes: Axes, plan: Plan, frame: Frame, shapes: NDArray[np.object_], marks: Sequence[Mark]
) -> None:
    network, features = plan.area.network, _inside(plan.area.features, frame)
    pieces = pieces_in(network, frame)
    draw_ground(axes, features, frame)
    draw_streets(axes, network, pieces, frame)
    band = shapely.union_all(shapely.buffer(shapes, BAND / 2, cap_style="flat"))
    if not band.is_empty:
        draw_band(axes, band, level=5.0)
    true = frame.points(np.array([(mark.x, mark.y) for mark in marks]).reshape(-1, 2))
    widths = np.array([_width(mark) for mark in marks])
    at = spread(true, float(widths.max(initial=HEIGHT)) + 2.0)
    half = np.array([widths.max(initial=HEIGHT), HEIGHT]) / 2 + 2
    at = np.clip(at, half, np.array([frame.width, frame.height]) - half)
    for mark, spot, real in zip(marks, at, true, strict=True):
        _draw_mark(axes, mark, spot, real)
    sizes = np.column_stack([widths + 2, np.full(len(marks), HEIGHT + 2), np.zeros(len(marks))])
    boxes = np.column_stack([at, sizes])
    north = north_place(frame, boxes)
    draw_north(axes, frame, north)
    taken = np.vstack([boxes, north_box(frame, north)])
    for name, box in _words(network, features, frame, pieces, (marks, at, taken, band)):
        _write(axes, name, box)


def _inside(features: gpd.GeoDataFrame, frame: Frame) -> gpd.GeoDataFrame:
    if not len(features):
        return features
    return features.iloc[np.sort(features.sindex.query(frame.window))]


def _width(mark: Mark) -> float:
    return max(HEIGHT, text_width(mark.text, SIZE, bold=True) + 7)


def _draw_mark(axes: Axes, mark: Mark, at: NDArray[np.float64], real: NDArray[np.float64]) -> None:
    x, y = (float(value) for value in at)
    if np.hypot(*(at - real)) > MOVED:
        axes.plot(*np.stack([at, real]).T, color="black", lw=1.1, zorder=7.0)
        axes.add_artist(Circle(tuple(real), 2.0, facecolor="black", zorder=7.0))
    width = _width(mark)
    fill, ink = ("white", "black") if mark.school else ("black", "white")
    corner = (x - width / 2, y - HEIGHT / 2)
    shape = (
        Rectangle(corner, width, HEIGHT)
        if mark.school
        else FancyBboxPatch(
            (corner[0] + HEIGHT / 2, corner[1] + HEIGHT / 2),
            max(0.1, width - HEIGHT),
            0.1,
            boxstyle=f"round,pad={HEIGHT / 2},rounding_size={HEIGHT / 2}",
        )
    )
    shape.set(facecolor=fill, edgecolor=ink, linewidth=1.8 if mark.school else 1.0, zorder=11.0)
    axes.add_artist(shape)
    write(axes, mark.text, (x, y, 0.0), Lettering(SIZE, bold=True, colour=ink, level=12.0))


def _words(
    network: StreetNetwork,
    features: gpd.GeoDataFrame,
    frame: Frame,
    pieces: NDArray[np.int64],
    drawn: tuple[Sequence[Mark], NDArray[np.float64], Boxes, BaseGeometry],
) -> list[tuple[Name, Boxes]]:
    """Find places for names: the marks' first, then streets and parks."""
    marks, at, taken, band = drawn
    pairs = zip(marks, at.tolist(), strict=True)
    names = [_mark_name(mark, x, y) for mark, (x, y) in pairs if mark.name]
    names += street_names(network, pieces, frame, on_route=(), route=EMPTY)
    names += area_names(features, frame)
    places = place(
        [name.wish for name in names],
        width=frame.width,
        height=frame.height,
        taken=taken,
        avoided=None if band.is_empty else band,
    )
    return [(names[number], box) for number, box in places]


def _mark_name(mark: Mark, x: float, y: float) -> Name:
    text = shortened(printable(mark.name), LONGEST_NAME)
    size = (text_width(text, SIZE, bold=True) + 3, SIZE * LINE_HEIGHT)
    boxes, cost = around(x, y, size, radius=_width(mark) / 2 + 2, farther=(0.0, 6.0))
    return Name(text, SIZE, bold=True, colour="black", wish=Wish(mark.text, boxes, cost))


def _write(axes: Axes, name: Name, box: Boxes) -> None:
    x, y, _, _, angle = (float(value) for value in box)
    write(axes, name.text, (x, y, angle), Lettering(name.size, name.bold, name.colour, halo=1.3))
