"""A patrol's map: our own streets, the route in its order, numbered stops, and names."""

import io
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography.basemap import ROUTE, draw_ground, draw_streets
from patrolplan.outputs.cartography.fonts import Lettering, text_width, write
from patrolplan.outputs.cartography.labels import Boxes, corners, place
from patrolplan.outputs.cartography.map_content import (
    STRIP,
    Inset,
    Scene,
    crossing,
    draw_outline,
    frame_of,
    inset_of,
    outline,
    scene_in,
)
from patrolplan.outputs.cartography.place_names import (
    BUS_STOP,
    NAME_SIZE,
    STATION,
    Name,
    area_names,
    kept_off,
    point_names,
    school_names,
    street_names,
)
from patrolplan.outputs.cartography.route import (
    arrows,
    draw_lead,
    led_tags,
    leg_tags,
    parts_of,
    simplified,
)
from patrolplan.outputs.cartography.symbols import (
    CROSS,
    GATE_SIDE,
    LEGEND_HEIGHT,
    PUSHED_LINES,
    ROUTE_WIDTH,
    STOP_RADIUS,
    WAY_BACK,
    draw_band,
    draw_border,
    draw_legend,
    draw_marks,
    draw_north,
    draw_scale,
    draw_signs,
    north_box,
    north_place,
)
from patrolplan.outputs.cartography.viewport import Frame
from patrolplan.patrols.plan import Patrol, Plan

STRETCH_WIDTH = 13.0
ARROWS_APART = 46.0
ARROW_SIZE = 9.0

ENLARGED = "enlarged"
NOTHING: Boxes = np.empty((0, 5))

_SETTINGS = threading.RLock()
"""Matplotlib's settings are those of the whole process: one map at a time is drawn under ours."""


@dataclass(frozen=True, eq=False)
class PatrolMap:
    """A drawn map.

    Parameters
    ----------
    pdf
        The page, vector.
    frame
        What it shows, at what scale and how turned.
    labels
        (n, 5) boxes of all that holds words or numbers, see
        `patrolplan.outputs.cartography.labels`; those of an inset stand where it is on the map.
    texts
        Words of the labels, aligned with them.
    """

    pdf: bytes
    frame: Frame
    labels: Boxes
    texts: tuple[str, ...]


def draw_patrol_map(plan: Plan, patrol: Patrol, *, width: float, height: float) -> PatrolMap:
    """Draw the map of one patrol.

    Parameters
    ----------
    plan
        Streets, features and hotspots.
    patrol
        The walk.
    width, height
        Points of the page, legend included.

    Returns
    -------
    PatrolMap
        Equal input gives equal bytes.
    """
    scene = scene_in(frame_of(plan, patrol, width, height - LEGEND_HEIGHT), plan, patrol)
    inset = inset_of(scene)
    page = io.BytesIO()
    with _SETTINGS, mpl.rc_context():
        mpl.rcdefaults()  # a user's own matplotlibrc must not change what officers hold
        mpl.rcParams.update({"pdf.fonttype": 42, "pdf.compression": 9})
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        labels = _draw_map(_axes(figure, (0.0, LEGEND_HEIGHT, *scene.frame.size)), scene, inset)
        if inset is not None:
            unnamed = replace(patrol, school="")  # the map says it, and the inset is small
            labels += _draw_inset(figure, scene_in(inset.frame, plan, unnamed), inset)
        draw_legend(
            _axes(figure, (0.0, 0.0, width, LEGEND_HEIGHT)),
            scene.frame,
            scene.features,
            way=patrol.way if patrol.stops else "",
            pushed=any(scene.pushed),
            keep_away=CROSS in scene.names,
        )
        FigureCanvasPdf(figure).print_pdf(page, metadata={"CreationDate": None, "Producer": None})
    boxes = np.array([box for _, box in labels]).reshape(-1, 5)
    return PatrolMap(page.getvalue(), scene.frame, boxes, tuple(text for text, _ in labels))


def _axes(figure: Figure, place: tuple[float, float, float, float]) -> Axes:
    """Part of the page from its left, its lower edge, its width and height; the rest is cut."""
    left, low, width, height = place
    across, up = figure.get_size_inches() * 72
    axes = figure.add_axes((left / across, low / up, width / across, height / up))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.axis("off")
    return axes


def _draw_map(axes: Axes, scene: Scene, inset: Inset | None) -> list[tuple[str, Boxes]]:
    """Draw the map, with room for an inset; give back the words with their boxes."""
    frame = scene.frame
    held = np.empty((0, 5)) if inset is None else inset.box
    north = north_place(frame, np.vstack([scene.mark_boxes, held]))
    draw_north(axes, frame, north)
    legs = range(len(scene.legs))
    if inset is None:
        return _draw(axes, scene, legs, held=north_box(frame, north))
    draw_outline(axes, inset)
    held = np.vstack([north_box(frame, north), held])
    told = [number for number in legs if number not in inset.legs]
    return _draw(axes, scene, told, held=held, lines=outline(inset))


def _draw_inset(figure: Figure, scene: Scene, inset: Inset) -> list[tuple[str, Boxes]]:
    """Draw part of the map once more in its inset; give back the words with their boxes."""
    x, y, width, height, _ = (float(value) for value in inset.box[0])
    left, low = x - width / 2, y - height / 2 + LEGEND_HEIGHT
    axes = _axes(figure, (left, low, width, height))
    axes.add_artist(Rectangle((0, 0), width, height, facecolor="white", edgecolor="none"))
    draw_border(axes, width, height)
    draw_scale(axes, scene.frame, STRIP / 2, longest=width / 3)
    told = (width - text_width(ENLARGED, NAME_SIZE) / 2 - 4, STRIP / 2, 0.0)
    write(axes, ENLARGED, told, Lettering(NAME_SIZE))
    axes = _axes(figure, (left, low + STRIP, *scene.frame.size))
    draw_border(axes, *scene.frame.size)
    labels = _draw(axes, scene, sorted(inset.legs | set(crossing(scene))))
    shift = np.array([left, low + STRIP - LEGEND_HEIGHT, 0.0, 0.0, 0.0])
    return [(text, box + shift) for text, box in labels]


def _draw(
    axes: Axes,
    scene: Scene,
    told: Collection[int],
    *,
    held: Boxes = NOTHING,
    lines: BaseGeometry | None = None,
) -> list[tuple[str, Boxes]]:
    """Draw the ground, the route and the words; give back the words with their boxes.

    `told` are the numbers of the legs that get a tag, `held` are boxes that are in use already,
    and no word stands across the `lines`.
    """
    frame = scene.frame
    draw_ground(axes, scene.features, frame)
    draw_streets(axes, scene.network, scene.pieces, frame)
    band = shapely.union_all(shapely.buffer(scene.stretches, STRETCH_WIDTH / 2, cap_style="flat"))
    if not band.is_empty:
        draw_band(axes, band, level=5.0)
    _draw_route(axes, scene)
    signs = draw_signs(axes, scene.features, frame)
    draw_marks(axes, scene.marks, scene.true_marks, scene.names)
    small = np.column_stack([signs, np.full((len(signs), 2), 7.0), np.zeros(len(signs))])
    taken = np.vstack([scene.mark_boxes, small, held])
    covered = shapely.union_all([scene.covered, *shapely.polygons(corners(held))])
    placed: list[tuple[Name, Boxes]] = []
    for names in _orders(scene, told, covered):
        places = place(
            [name.wish for name in names],
            width=frame.width,
            height=frame.height,
            taken=taken,
            blocked=None if lines is None else lines.buffer(1.0),
            avoided=None if band.is_empty else band,
        )
        placed = [(names[number], box) for number, box in places]
        if sum(name.plate == ROUTE for name, _ in placed) == len(told):
            break
    for name, box in placed:
        draw_lead(axes, name, box)
        _write_name(axes, name, box)
    own = list(zip(scene.names, taken, strict=False))
    return own + [(name.text, box) for name, box in placed]


def _orders(scene: Scene, told: Collection[int], covered: BaseGeometry) -> Iterator[list[Name]]:
    """All names, in the orders in which they may choose their places, the best first.

    The route's street names choose before the legs' tags, which are small and fit almost
    anywhere; where a leg would go without its tag, the tags choose first, or stand aside of
    their leg with a line that leads to it.
    """
    titles, walked, rest = _names(scene, covered)
    tags = leg_tags(scene.legs, scene.tags, told)
    yield [*titles, *walked, *tags, *rest]
    yield [*tags, *titles, *walked, *rest]
    tags += led_tags(scene.legs, scene.tags, told, covered=covered)
    yield [*titles, *walked, *tags, *rest]
    yield [*tags, *titles, *walked, *rest]


def _names(scene: Scene, covered: BaseGeometry) -> tuple[list[Name], list[Name], list[Name]]:
    """Names of the school and stations, of the streets walked, and of all else on the map."""
    route = scene.route
    walked = {step.street for leg in scene.patrol.all_legs for step in leg.steps}
    near = shapely.union_all([route, shapely.Point(scene.gate)])
    titles = [
        *school_names(scene.gate, scene.patrol.school, radius=GATE_SIDE * 0.6),
        *point_names(scene.features, scene.frame, STATION, covered=covered),
    ]
    streets = street_names(scene.network, scene.pieces, scene.frame, on_route=walked, route=route)
    rest = [
        *(name for name in streets if not name.bold),
        *area_names(scene.features, scene.frame),
        *point_names(scene.features, scene.frame, BUS_STOP, covered=covered, near=near),
    ]
    blocked = route.buffer(ROUTE_WIDTH + 0.8)
    groups = (titles, [name for name in streets if name.bold], rest)
    first, second, third = ([kept_off(name, blocked) for name in group] for group in groups)
    return first, second, third


def _write_name(axes: Axes, name: Name, box: Boxes) -> None:
    x, y, width, height, angle = (float(value) for value in box)
    if name.plate:
        axes.add_artist(
            FancyBboxPatch(
                (x - width / 2 + 1.5, y - height / 2 + 1.5),
                width - 3,
                height - 3,
                boxstyle="round,pad=1.5,rounding_size=2.5",
                facecolor="white",
                edgecolor=name.plate,
                linewidth=0.9,
                zorder=9.0,
            )
        )
    style = Lettering(name.size, name.bold, name.colour, halo=0.0 if name.plate else 1.3)
    write(axes, name.text, (x, y, angle), style)


def _draw_route(axes: Axes, scene: Scene) -> None:
    """Draw the legs, the way back dashed, and arrow heads in the direction of travel."""
    if not scene.legs:
        return
    lines = [np.round(simplified(strand), 1) for strand in scene.legs]
    styles = [*["solid"] * (len(lines) - 1), WAY_BACK if scene.patrol.legs else "solid"]
    for colour, width, level, style in (
        ("white", ROUTE_WIDTH + 1.6, 6.0, "solid"),
        (ROUTE, ROUTE_WIDTH, 6.1, styles),
    ):
        axes.add_collection(
            LineCollection(
                lines,
                colors=colour,
                linewidths=width,
                linestyles=style,
                capstyle="butt",
                joinstyle="round",
                zorder=level,
            ),
            autolim=False,
        )
    _draw_pushed(axes, scene)
    heads = arrows(
        scene.legs,
        apart=ARROWS_APART,
        size=ARROW_SIZE,
        clear=scene.marks,
        radius=STOP_RADIUS + 5.0,
    )
    shapes = PolyCollection(
        list(np.round(heads, 1)), facecolors=ROUTE, edgecolors="white", linewidths=0.7, zorder=6.2
    )
    axes.add_collection(shapes, autolim=False)


def _draw_pushed(axes: Axes, scene: Scene) -> None:
    """Draw the parts on which a bicycle is pushed as beads: white dots within the line."""
    parts = [
        np.round(part, 1)
        for strand, shares in zip(scene.legs, scene.pushed, strict=True)
        for part in parts_of(strand, shares)
    ]
    for colour, width, level, style in PUSHED_LINES if parts else ():
        axes.add_collection(
            LineCollection(
                parts, colors=colour, linewidths=width, linestyles=style, capstyle="round",
                zorder=level,
            ),
            autolim=False,
        )  # fmt: skip
