"""A patrol's map: our own streets, the route in its order, numbered stops, and names."""

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from shapely.geometry.base import BaseGeometry

from patrolplan.outputs.cartography import basemap, labels, map_content, place_names, route, symbols
from patrolplan.outputs.cartography.fonts import TextStyle, draw_text, measure_text_width
from patrolplan.outputs.cartography.labels import NO_BOXES, Boxes
from patrolplan.outputs.cartography.map_content import Inset, MapContent
from patrolplan.outputs.cartography.place_names import NAME_SIZE, MapLabel
from patrolplan.outputs.cartography.symbols import LEGEND_HEIGHT, ROUTE_WIDTH, STOP_RADIUS
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan

STRETCH_WIDTH = 13.0
ARROW_SPACING = 46.0
ARROW_SIZE = 9.0
INSET_CAPTION = "enlarged"

PlacedText = tuple[str, Boxes]
"""Words on the map and their (5,) box."""


@dataclass(frozen=True, eq=False)
class PatrolMap:
    """A drawn map: the page as a vector PDF, and what it shows where."""

    pdf: bytes
    viewport: Viewport
    label_boxes: Boxes
    """(n, 5) of all that holds words or numbers; those of an inset stand where it is on the map."""
    label_texts: tuple[str, ...]
    """Words of the labels, aligned with the boxes."""
    keep_away: tuple[BarredPlace, ...] = ()
    """Of the patrol's places to keep away from those that are on the map."""


def draw_patrol_map(plan: Plan, patrol: Patrol, *, width: float, height: float) -> PatrolMap:
    """Draw the map of one patrol; width and height are points of the page, legend included.

    Equal input gives equal bytes.
    """
    viewport = map_content.fit_patrol_viewport(plan, patrol, width, height - LEGEND_HEIGHT)
    content = map_content.collect_map_content(viewport, plan, patrol)
    inset = map_content.find_inset(content)
    page = io.BytesIO()
    with basemap.draw_page(width, height, page) as figure:
        axes = basemap.add_page_axes(figure, (0.0, LEGEND_HEIGHT, *viewport.size))
        placed = _draw_map(axes, content, inset)
        if inset is not None:
            unnamed = replace(patrol, school="")  # the map says it, and the inset is small
            enlarged = map_content.collect_map_content(inset.viewport, plan, unnamed)
            placed += _draw_inset(figure, enlarged, inset)
        symbols.draw_legend(
            basemap.add_page_axes(figure, (0.0, 0.0, width, LEGEND_HEIGHT)),
            viewport,
            way=patrol.way if patrol.stops else "",
            pushed=any(content.pushed_ranges),
            keep_away="keep_away" in content.marker_kinds,
            symbol_kinds=[kind for kind, (names, _) in content.point_symbols.items() if len(names)],
        )
    boxes = np.array([box for _, box in placed]).reshape(-1, 5)
    texts = tuple(text for text, _ in placed)
    keep_away = tuple(map_content.find_shown_keep_away(viewport, patrol))
    return PatrolMap(page.getvalue(), viewport, boxes, texts, keep_away)


def _draw_map(axes: Axes, content: MapContent, inset: Inset | None) -> list[PlacedText]:
    """Draw the map, with room for an inset; returns the words with their boxes."""
    viewport = content.viewport
    inset_box = NO_BOXES if inset is None else inset.box
    north = symbols.place_north_arrow(viewport, np.vstack([content.marker_boxes, inset_box]))
    symbols.draw_border(axes, *viewport.size)
    symbols.draw_north_arrow(axes, viewport, north)
    occupied = np.vstack([symbols.compute_north_arrow_box(viewport, north), inset_box])
    legs = range(len(content.legs))
    if inset is None:
        return _draw_content(axes, content, legs, occupied=occupied)
    lines = [shapely.get_coordinates(part) for part in shapely.get_parts(inset.outline)]
    for colour, width, level in (("white", 2.6, 7.1), ("black", 1.0, 7.2)):
        basemap.draw_lines(axes, lines, colour, width, level, cap=None, join=None)
    others = [number for number in legs if number not in inset.leg_numbers]
    return _draw_content(axes, content, others, occupied=occupied, blocked=inset.outline)


def _draw_inset(figure: Figure, content: MapContent, inset: Inset) -> list[PlacedText]:
    """Draw part of the map once more in its inset; returns the words with their boxes."""
    x, y, width, height = inset.box[0, :4].tolist()
    left, low = x - width / 2, y - height / 2 + LEGEND_HEIGHT
    axes = basemap.add_page_axes(figure, (left, low, width, height))
    axes.add_artist(Rectangle((0, 0), width, height, facecolor="white", edgecolor="none"))
    symbols.draw_border(axes, width, height)
    middle = map_content.INSET_CAPTION_HEIGHT / 2
    symbols.draw_scale_bar(axes, content.viewport, middle, max_points=width / 3)
    right = width - measure_text_width(INSET_CAPTION, NAME_SIZE) / 2 - 4
    draw_text(axes, INSET_CAPTION, (right, middle, 0.0), TextStyle(NAME_SIZE))
    low += map_content.INSET_CAPTION_HEIGHT
    axes = basemap.add_page_axes(figure, (left, low, *content.viewport.size))
    symbols.draw_border(axes, *content.viewport.size)
    legs = sorted(inset.leg_numbers | set(map_content.find_visible_legs(content)))
    shift = np.array([left, low - LEGEND_HEIGHT, 0.0, 0.0, 0.0])
    return [(text, box + shift) for text, box in _draw_content(axes, content, legs)]


def _draw_content(
    axes: Axes,
    content: MapContent,
    labelled_legs: Collection[int],
    *,
    occupied: Boxes = NO_BOXES,
    blocked: BaseGeometry | None = None,
) -> list[PlacedText]:
    """Draw the ground, the route and the words; returns the words with their boxes.

    `labelled_legs` are the numbers of the legs that get a tag, `occupied` are (n, 5) boxes that
    are in use already, and no word stands across the lines of `blocked`.
    """
    viewport = content.viewport
    basemap.draw_ground(axes, content.features, viewport)
    basemap.draw_streets(axes, content.network, content.pieces, viewport)
    band = symbols.draw_stretches(axes, content.stretches, STRETCH_WIDTH)
    _draw_route(axes, content)
    symbol_points = {kind: points for kind, (_, points) in content.point_symbols.items()}
    symbols.draw_symbols(axes, symbol_points)
    symbols.draw_markers(
        axes,
        content.marker_kinds,
        content.marker_texts,
        content.marker_centres,
        content.marker_true_points,
    )
    covered = shapely.union_all(
        [content.marker_area, *shapely.polygons(labels.compute_corners(occupied))]
    )
    symbol_boxes = labels.build_level_boxes(np.concatenate(list(symbol_points.values())), 7.0)
    occupied = np.vstack([content.marker_boxes, symbol_boxes, occupied])
    placed: list[tuple[MapLabel, Boxes]] = []
    for wanted in _iterate_label_orders(content, labelled_legs, covered):
        placed = place_names.place_map_labels(
            wanted,
            viewport,
            occupied=occupied,
            blocked=None if blocked is None else blocked.buffer(1.0),
            avoided=band,
        )
        if sum(label.kind == "leg" for label, _ in placed) == len(labelled_legs):
            break
    for label, box in placed:
        place_names.draw_label(axes, label, box)
    markers = list(zip(content.marker_texts, content.marker_boxes, strict=True))
    return markers + [(label.text, box) for label, box in placed]


def _iterate_label_orders(
    content: MapContent, labelled_legs: Collection[int], covered: BaseGeometry
) -> Iterator[list[MapLabel]]:
    """All labels, in the orders in which they may choose their places, the best first.

    The route's street names choose before the legs' tags, which are small and fit almost
    anywhere; where a leg would go without its tag, the tags choose first, or stand away from
    their leg with a line that leads to it.
    """
    titles, walked, others = _collect_names(content, covered)
    tags = route.build_leg_labels(content.legs, content.leg_labels, labelled_legs)
    yield [*titles, *walked, *tags, *others]
    yield [*tags, *titles, *walked, *others]
    tags += route.build_leader_labels(
        content.legs, content.leg_labels, labelled_legs, covered=covered
    )
    yield [*titles, *walked, *tags, *others]
    yield [*tags, *titles, *walked, *others]


def _collect_names(content: MapContent, covered: BaseGeometry) -> list[list[MapLabel]]:
    """Names of the school and stations, of the streets walked, and of all else on the map."""
    viewport, walked_line = content.viewport, content.route
    walked = {step.street for leg in content.patrol.all_legs for step in leg.steps}
    streets = place_names.build_street_labels(
        content.network, content.pieces, viewport, route_streets=walked, route=walked_line
    )
    near = shapely.union_all([walked_line, shapely.Point(content.gate)])
    build_symbol_labels = place_names.build_symbol_labels
    groups = [
        [
            *place_names.build_school_labels(
                content.gate, content.patrol.school, radius=symbols.GATE_SIDE * 0.6
            ),
            *build_symbol_labels("station", *content.point_symbols["station"], covered=covered),
        ],
        [label for label in streets if label.kind == "route_street"],
        [
            *(label for label in streets if label.kind == "name"),
            *place_names.build_area_labels(content.features, viewport),
            *build_symbol_labels(
                "bus_stop", *content.point_symbols["bus_stop"], covered=covered, near=near
            ),
        ],
    ]
    blocked = walked_line.buffer(ROUTE_WIDTH + 0.8)
    return [
        [replace(label, candidates=replace(label.candidates, blocked=blocked)) for label in group]
        for group in groups
    ]


def _draw_route(axes: Axes, content: MapContent) -> None:
    """Draw the legs, the way back dashed, and arrow heads in the direction of travel.

    Parts on which a bicycle is pushed are beads: white dots within the line.
    """
    if not content.legs:
        return
    lines = [np.round(route.simplify_line(leg), 1) for leg in content.legs]
    styles: list[basemap.LineStyle] = ["solid"] * len(lines)
    if content.patrol.legs:
        styles[-1] = symbols.LAST_LEG_DASHES
    basemap.draw_lines(axes, lines, "white", ROUTE_WIDTH + 1.6, 6.0, cap="butt")
    basemap.draw_lines(
        axes, lines, basemap.ROUTE_COLOUR, ROUTE_WIDTH, 6.1, styles=styles, cap="butt"
    )
    pushed = [
        np.round(part, 1)
        for leg, shares in zip(content.legs, content.pushed_ranges, strict=True)
        for part in route.cut_ranges(leg, shares)
    ]
    for colour, width, level, style in symbols.PUSHED_LINES if pushed else ():
        basemap.draw_lines(axes, pushed, colour, width, level, styles=style)
    heads = route.build_arrow_heads(
        content.legs,
        spacing=ARROW_SPACING,
        size=ARROW_SIZE,
        clear=content.marker_centres,
        radius=STOP_RADIUS + 5.0,
    )
    arrows = PolyCollection(list(np.round(heads, 1)), facecolors=basemap.ROUTE_COLOUR)
    arrows.set(edgecolor="white", linewidth=0.7, zorder=6.2)
    axes.add_collection(arrows, autolim=False)
