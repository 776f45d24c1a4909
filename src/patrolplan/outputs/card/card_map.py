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

from patrolplan.outputs.cartography.basemap import ROUTE_COLOUR, draw_ground, draw_streets
from patrolplan.outputs.cartography.fonts import TextStyle, draw_text, measure_text_width
from patrolplan.outputs.cartography.labels import Boxes, compute_corners, place_labels
from patrolplan.outputs.cartography.map_content import (
    INSET_CAPTION_HEIGHT,
    Inset,
    MapContent,
    build_inset_outline,
    collect_map_content,
    draw_inset_outline,
    find_inset,
    find_visible_legs,
    fit_patrol_viewport,
)
from patrolplan.outputs.cartography.place_names import (
    BUS_STOP,
    NAME_SIZE,
    STATION,
    MapLabel,
    build_area_labels,
    build_school_labels,
    build_street_labels,
    build_symbol_labels,
    with_blocked_area,
)
from patrolplan.outputs.cartography.route import (
    build_arrow_heads,
    build_leader_labels,
    build_leg_labels,
    cut_ranges,
    draw_leader_line,
    simplify_line,
)
from patrolplan.outputs.cartography.symbols import (
    GATE_SIDE,
    KEEP_AWAY_TEXT,
    LAST_LEG_DASHES,
    LEGEND_HEIGHT,
    PUSHED_LINES,
    ROUTE_WIDTH,
    STOP_RADIUS,
    compute_north_arrow_box,
    draw_border,
    draw_legend,
    draw_markers,
    draw_north_arrow,
    draw_scale_bar,
    draw_stretch,
    draw_symbols,
    place_north_arrow,
)
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.patrols.plan import Patrol, Plan

STRETCH_WIDTH = 13.0
ARROW_SPACING = 46.0
ARROW_SIZE = 9.0

INSET_CAPTION = "enlarged"
NO_BOXES: Boxes = np.empty((0, 5))

_MATPLOTLIB_LOCK = threading.RLock()
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
    viewport: Viewport
    label_boxes: Boxes
    label_texts: tuple[str, ...]


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
    scene = collect_map_content(
        fit_patrol_viewport(plan, patrol, width, height - LEGEND_HEIGHT), plan, patrol
    )
    inset = find_inset(scene)
    page = io.BytesIO()
    with _MATPLOTLIB_LOCK, mpl.rc_context():
        mpl.rcdefaults()  # a user's own matplotlibrc must not change what officers hold
        mpl.rcParams.update({"pdf.fonttype": 42, "pdf.compression": 9})
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        labels = _draw_map(
            _add_page_axes(figure, (0.0, LEGEND_HEIGHT, *scene.viewport.size)), scene, inset
        )
        if inset is not None:
            unnamed = replace(patrol, school="")  # the map says it, and the inset is small
            labels += _draw_inset(figure, collect_map_content(inset.viewport, plan, unnamed), inset)
        draw_legend(
            _add_page_axes(figure, (0.0, 0.0, width, LEGEND_HEIGHT)),
            scene.viewport,
            scene.features,
            way=patrol.way if patrol.stops else "",
            pushed=any(scene.pushed_ranges),
            keep_away=KEEP_AWAY_TEXT in scene.marker_texts,
        )
        FigureCanvasPdf(figure).print_pdf(page, metadata={"CreationDate": None, "Producer": None})
    boxes = np.array([box for _, box in labels]).reshape(-1, 5)
    return PatrolMap(page.getvalue(), scene.viewport, boxes, tuple(text for text, _ in labels))


def _add_page_axes(figure: Figure, place: tuple[float, float, float, float]) -> Axes:
    """Part of the page from its left, its lower edge, its width and height; the rest is cut."""
    left, low, width, height = place
    across, up = figure.get_size_inches() * 72
    axes = figure.add_axes((left / across, low / up, width / across, height / up))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.axis("off")
    return axes


def _draw_map(axes: Axes, content: MapContent, inset: Inset | None) -> list[tuple[str, Boxes]]:
    """Draw the map, with room for an inset; give back the words with their boxes."""
    frame = content.viewport
    held = np.empty((0, 5)) if inset is None else inset.box
    north = place_north_arrow(frame, np.vstack([content.marker_boxes, held]))
    draw_north_arrow(axes, frame, north)
    legs = range(len(content.legs))
    if inset is None:
        return _draw_content(axes, content, legs, occupied=compute_north_arrow_box(frame, north))
    draw_inset_outline(axes, inset)
    held = np.vstack([compute_north_arrow_box(frame, north), held])
    told = [number for number in legs if number not in inset.leg_numbers]
    return _draw_content(
        axes, content, told, occupied=held, blocked_lines=build_inset_outline(inset)
    )


def _draw_inset(figure: Figure, content: MapContent, inset: Inset) -> list[tuple[str, Boxes]]:
    """Draw part of the map once more in its inset; give back the words with their boxes."""
    x, y, width, height, _ = (float(value) for value in inset.box[0])
    left, low = x - width / 2, y - height / 2 + LEGEND_HEIGHT
    axes = _add_page_axes(figure, (left, low, width, height))
    axes.add_artist(Rectangle((0, 0), width, height, facecolor="white", edgecolor="none"))
    draw_border(axes, width, height)
    draw_scale_bar(axes, content.viewport, INSET_CAPTION_HEIGHT / 2, longest=width / 3)
    told = (
        width - measure_text_width(INSET_CAPTION, NAME_SIZE) / 2 - 4,
        INSET_CAPTION_HEIGHT / 2,
        0.0,
    )
    draw_text(axes, INSET_CAPTION, told, TextStyle(NAME_SIZE))
    axes = _add_page_axes(figure, (left, low + INSET_CAPTION_HEIGHT, *content.viewport.size))
    draw_border(axes, *content.viewport.size)
    labels = _draw_content(
        axes, content, sorted(inset.leg_numbers | set(find_visible_legs(content)))
    )
    shift = np.array([left, low + INSET_CAPTION_HEIGHT - LEGEND_HEIGHT, 0.0, 0.0, 0.0])
    return [(text, box + shift) for text, box in labels]


def _draw_content(
    axes: Axes,
    content: MapContent,
    labelled_legs: Collection[int],
    *,
    occupied: Boxes = NO_BOXES,
    blocked_lines: BaseGeometry | None = None,
) -> list[tuple[str, Boxes]]:
    """Draw the ground, the route and the words; give back the words with their boxes.

    `told` are the numbers of the legs that get a tag, `held` are boxes that are in use already,
    and no word stands across the `lines`.
    """
    frame = content.viewport
    draw_ground(axes, content.features, frame)
    draw_streets(axes, content.network, content.pieces, frame)
    band = shapely.union_all(shapely.buffer(content.stretches, STRETCH_WIDTH / 2, cap_style="flat"))
    if not band.is_empty:
        draw_stretch(axes, band, level=5.0)
    _draw_route(axes, content)
    signs = draw_symbols(axes, content.features, frame)
    draw_markers(axes, content.marker_centres, content.marker_true_points, content.marker_texts)
    small = np.column_stack([signs, np.full((len(signs), 2), 7.0), np.zeros(len(signs))])
    taken = np.vstack([content.marker_boxes, small, occupied])
    covered = shapely.union_all([content.marker_area, *shapely.polygons(compute_corners(occupied))])
    placed: list[tuple[MapLabel, Boxes]] = []
    for names in _iterate_label_orders(content, labelled_legs, covered):
        places = place_labels(
            [name.candidates for name in names],
            width=frame.width,
            height=frame.height,
            occupied=taken,
            blocked=None if blocked_lines is None else blocked_lines.buffer(1.0),
            avoided=None if band.is_empty else band,
        )
        placed = [(names[number], box) for number, box in places]
        if sum(name.plate_colour == ROUTE_COLOUR for name, _ in placed) == len(labelled_legs):
            break
    for name, box in placed:
        draw_leader_line(axes, name, box)
        _draw_label(axes, name, box)
    own = list(zip(content.marker_texts, taken, strict=False))
    return own + [(name.text, box) for name, box in placed]


def _iterate_label_orders(
    content: MapContent, labelled_legs: Collection[int], covered: BaseGeometry
) -> Iterator[list[MapLabel]]:
    """All names, in the orders in which they may choose their places, the best first.

    The route's street names choose before the legs' tags, which are small and fit almost
    anywhere; where a leg would go without its tag, the tags choose first, or stand aside of
    their leg with a line that leads to it.
    """
    titles, walked, rest = _collect_labels(content, covered)
    tags = build_leg_labels(content.legs, content.leg_labels, labelled_legs)
    yield [*titles, *walked, *tags, *rest]
    yield [*tags, *titles, *walked, *rest]
    tags += build_leader_labels(content.legs, content.leg_labels, labelled_legs, covered=covered)
    yield [*titles, *walked, *tags, *rest]
    yield [*tags, *titles, *walked, *rest]


def _collect_labels(
    content: MapContent, covered: BaseGeometry
) -> tuple[list[MapLabel], list[MapLabel], list[MapLabel]]:
    """Names of the school and stations, of the streets walked, and of all else on the map."""
    route = content.route
    walked = {step.street for leg in content.patrol.all_legs for step in leg.steps}
    near = shapely.union_all([route, shapely.Point(content.gate)])
    titles = [
        *build_school_labels(content.gate, content.patrol.school, radius=GATE_SIDE * 0.6),
        *build_symbol_labels(content.features, content.viewport, STATION, covered=covered),
    ]
    streets = build_street_labels(
        content.network, content.pieces, content.viewport, route_streets=walked, route=route
    )
    rest = [
        *(name for name in streets if not name.bold),
        *build_area_labels(content.features, content.viewport),
        *build_symbol_labels(
            content.features, content.viewport, BUS_STOP, covered=covered, near=near
        ),
    ]
    blocked = route.buffer(ROUTE_WIDTH + 0.8)
    groups = (titles, [name for name in streets if name.bold], rest)
    first, second, third = (
        [with_blocked_area(name, blocked) for name in group] for group in groups
    )
    return first, second, third


def _draw_label(axes: Axes, label: MapLabel, box: Boxes) -> None:
    x, y, width, height, angle = (float(value) for value in box)
    if label.plate_colour:
        axes.add_artist(
            FancyBboxPatch(
                (x - width / 2 + 1.5, y - height / 2 + 1.5),
                width - 3,
                height - 3,
                boxstyle="round,pad=1.5,rounding_size=2.5",
                facecolor="white",
                edgecolor=label.plate_colour,
                linewidth=0.9,
                zorder=9.0,
            )
        )
    style = TextStyle(label.size, label.bold, label.colour, halo=0.0 if label.plate_colour else 1.3)
    draw_text(axes, label.text, (x, y, angle), style)


def _draw_route(axes: Axes, content: MapContent) -> None:
    """Draw the legs, the way back dashed, and arrow heads in the direction of travel."""
    if not content.legs:
        return
    lines = [np.round(simplify_line(strand), 1) for strand in content.legs]
    styles = [*["solid"] * (len(lines) - 1), LAST_LEG_DASHES if content.patrol.legs else "solid"]
    for colour, width, level, style in (
        ("white", ROUTE_WIDTH + 1.6, 6.0, "solid"),
        (ROUTE_COLOUR, ROUTE_WIDTH, 6.1, styles),
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
    _draw_pushed_parts(axes, content)
    heads = build_arrow_heads(
        content.legs,
        spacing=ARROW_SPACING,
        size=ARROW_SIZE,
        clear=content.marker_centres,
        radius=STOP_RADIUS + 5.0,
    )
    shapes = PolyCollection(
        list(np.round(heads, 1)),
        facecolors=ROUTE_COLOUR,
        edgecolors="white",
        linewidths=0.7,
        zorder=6.2,
    )
    axes.add_collection(shapes, autolim=False)


def _draw_pushed_parts(axes: Axes, content: MapContent) -> None:
    """Draw the parts on which a bicycle is pushed as beads: white dots within the line."""
    parts = [
        np.round(part, 1)
        for strand, shares in zip(content.legs, content.pushed_ranges, strict=True)
        for part in cut_ranges(strand, shares)
    ]
    for colour, width, level, style in PUSHED_LINES if parts else ():
        axes.add_collection(
            LineCollection(
                parts, colors=colour, linewidths=width, linestyles=style, capstyle="round",
                zorder=level,
            ),
            autolim=False,
        )  # fmt: skip
