"""A patrol's map: our own streets, the route in its order, numbered stops, and names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import shapely

from patrolplan.area.square_names import format_grid_reference
from patrolplan.outputs.cartography import (
    basemap,
    grid,
    labels,
    legend,
    place_names,
    route,
    symbols,
)
from patrolplan.outputs.cartography.labels import Boxes, MapLabel, PlacedLabel
from patrolplan.outputs.cartography.map_content import MapContent, fit_patrol_viewport
from patrolplan.outputs.cartography.page import Page, Window, trace_rings
from patrolplan.outputs.cartography.place_names import ShownStreet
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.patrols.plan import Patrol, Plan

FEARED_OFFSETS = (13.5, -13.5, 0.0, 20.0, -20.0)  # Points from a stretch to its sign
FEARED_STEP = 6.0  # Points along the stretch between two candidate places


def place_needed_words(content: MapContent) -> list[PlacedLabel]:
    """Place the required words: titles, streets that the card names, tags, feared places."""
    # A street whose name does not fit gets a leader line. Streets are placed before the legs' tags,
    # which fit almost anywhere; if something would be missing, the tags are placed first, or away
    # from their leg with a leader line to it.
    streets = {one.name: one for one in content.ground.streets if one.name in content.named_streets}
    walked = content.walked_streets
    ranked = sorted(streets.values(), key=lambda one: (one.name not in walked, -one.length))
    gate, radius = (content.gate.x, content.gate.y), symbols.GATE_SIDE * 0.6
    covered = content.covered
    names = [
        *place_names.build_school_labels(gate, content.patrol.school, radius=radius),
        *place_names.build_symbol_labels(content.point_symbols, covered=covered),
        *place_names.build_route_labels(ranked, content.route, walked=walked),
    ]
    tried: list[tuple[int, list[PlacedLabel]]] = []  # How many have no place, and those that have
    tags = route.build_leg_labels(content.legs, content.leg_labels)
    for leaders, tags_first in product((False, True), repeat=2):
        if leaders and not tags_first:
            far = route.build_leader_labels(content.legs, content.leg_labels, covered=covered)
            tags = tags + far
        tried.append(_place_in_order(content, streets, names, tags, tags_first=tags_first))
        if not tried[-1][0]:
            break
    _, placed = min(tried, key=lambda words: words[0])
    content.place(placed, _build_feared_labels(content))
    return placed


def place_other_words(content: MapContent, placed: list[PlacedLabel]) -> None:
    """Add all other words that fit between the required ones."""
    named = find_named_streets(placed) | set(content.named_streets)
    steps = (step for leg in content.patrol.legs for step in leg.steps)
    passed = {step.landmark.name for step in steps if step.landmark is not None}
    signs = place_names.build_symbol_labels(
        content.point_symbols, covered=content.covered, near=content.route | content.gate
    )
    landmarks = [label for label in signs if label.text.replace("\n", " ") in passed]
    streets = place_names.build_street_labels(content.ground.streets)
    repeated = []  # names of long streets, far from their first place
    for label, box in placed:
        far = np.hypot(*(label.boxes[:, :2] - box[:2]).T) >= place_names.REPEAT_POINTS
        if label.kind == "route_street" and label.leader_ends is None and far.any():
            repeated.append(replace(label, boxes=label.boxes[far], costs=label.costs[far]))
    others = [
        *landmarks,
        *repeated,
        *(label for label in streets if label.key not in named),
        *place_names.build_area_labels(content.ground.features, content.viewport),
        *(label for label in signs if label not in landmarks),
        *grid.build_grid_labels(content.grid_lines, content.viewport),
    ]
    content.place(placed, others)


def _place_in_order(
    content: MapContent,
    streets: Mapping[str, ShownStreet],
    names: list[MapLabel],
    tags: list[MapLabel],
    *,
    tags_first: bool,
) -> tuple[int, list[PlacedLabel]]:
    """Place names on their street or with a leader line, and tags; also how many have no place."""
    placed: list[PlacedLabel] = []
    if tags_first:
        content.place(placed, tags, on_route=True)
    content.place(placed, names)

    def list_unnamed() -> list[str]:
        shown = find_named_streets(placed)
        return [one for one in content.named_streets if one in streets and one not in shown]

    for name in list_unnamed():
        label = place_names.build_leader_label(
            streets[name],
            route=content.route,
            covered=content.covered,
            occupied=content.list_occupied(placed),
            walked=name in content.walked_streets,
        )
        content.place(placed, [label])
    if not tags_first:
        content.place(placed, tags, on_route=True)
    untagged = len(content.legs) - sum(label.kind == "leg" for label, _ in placed)
    return len(list_unnamed()) + untagged, placed


def find_named_streets(placed: Sequence[PlacedLabel]) -> frozenset[str]:
    """Streets that the card names whose name is on the map."""
    return frozenset(label.key for label, _ in placed if label.kind == "route_street")


def _build_feared_labels(content: MapContent) -> list[MapLabel]:
    """Signs of places where pupils feel unsafe: stops' stretches first, then other hotspots."""
    found = []
    for lines in content.feared_stretches:
        sizes = np.tile((FEARED_STEP, symbols.FEARED_SIZE[1]), (len(lines), 1))
        placings = [labels.Placing(FEARED_OFFSETS, max_bend=2.0)]
        places = labels.find_places_along_lines(lines, sizes, placings, max_length_ratio=1.0)
        found.append((places[0][:, :2], places[1]))
    for x, y in content.feared_points.tolist():
        around, costs = labels.find_places_around_point(x, y, symbols.FEARED_SIZE, radius=1.0)
        found.append((np.vstack([(x, y), around[:, :2]]), np.append(-1.0, costs)))
    signs = []
    for number, (middles, costs) in enumerate(found):
        boxes = labels.build_level_boxes(middles, symbols.FEARED_SIZE)
        text, key = symbols.FEARED_TEXT, f"feared {number}"
        signs.append(MapLabel(text, key, boxes, costs, bold=True, kind="feared"))
    return signs


USUAL_ROWS = 2  # First guess of the rows of the strip below the map of a patrol that has stops


@dataclass(frozen=True, eq=False)
class PatrolMap:
    """A drawn map: the page as an SVG picture, and positions of its words."""

    svg: bytes
    viewport: Viewport
    label_boxes: Boxes  # (n, 5) boxes of all words and numbers
    label_texts: tuple[str, ...]  # Words of the labels, aligned with the boxes


def draw_patrol_map(plan: Plan, patrol: Patrol, *, width: float, height: float) -> PatrolMap:
    """Draw the map of one patrol; width and height are points of the page, legend included."""
    # The content of the strip below the map depends on which words fit on the map: the map is laid
    # out again until its strip is high enough. After the first guess the strip only grows, so this
    # ends.
    rows, is_guess = (USUAL_ROWS if patrol.stops else 1), True
    while True:
        strip = legend.compute_strip_height(rows)
        viewport = fit_patrol_viewport(plan, patrol, width, height - strip)
        content = MapContent(viewport, plan, patrol)
        placed = place_needed_words(content)
        entries = _build_sign_entries(content, placed)
        needed = legend.count_rows(entries, width)
        if needed == rows or (needed < rows and not is_guess):
            break
        rows, is_guess = needed, False
    place_other_words(content, placed)
    page = Page(width, height)
    _draw_content(page.add_window((0.0, strip, *viewport.size)), content, placed)
    legend.draw_strip(page.add_window((0.0, 0.0, width, strip)), entries, width, strip)
    texts = *content.markers.texts, *(label.text.replace("\n", " ") for label, _ in placed)
    boxes = np.vstack([content.marker_boxes, *(box for _, box in placed)])
    return PatrolMap(page.write(), viewport, boxes, texts)


def _build_sign_entries(content: MapContent, placed: list[PlacedLabel]) -> list[legend.Entry]:
    """The part of the legend on what is on the map."""
    patrol, viewport, streets = content.patrol, content.viewport, content.ground
    walking_kmh = content.plan.area.settings.patrol.walking_speed_kmh
    signs = {
        "route": bool(patrol.stops),
        "pushed": bool(content.pushed),
        "outline": bool(content.outlines),
        "feared": any(label.kind == "feared" for label, _ in placed),
        "steps": bool((streets.network.piece_highway[streets.pieces] == "steps").any()),
        **{kind: bool(len(names)) for kind, (names, _) in content.point_symbols.items()},
        **dict.fromkeys((*content.markers.kinds, *content.passages), True),
    }
    grid_square = format_grid_reference(viewport.centre_x, viewport.centre_y)[:2]
    return legend.build_sign_entries(
        viewport,
        {kind for kind, is_shown in signs.items() if is_shown},
        going=patrol.travel.verb,
        speed_kmh=patrol.travel.find_speed_kmh(walking_kmh),
        grid_square=grid_square if content.grid_lines else "",
    )


def _draw_content(window: Window, content: MapContent, placed: list[PlacedLabel]) -> None:
    """Draw the ground, the route and the words."""
    viewport = content.viewport
    content.ground.draw(window)
    symbols.draw_north_arrow(window, viewport, content.north)
    edges = [np.round(line.ends, 1) for line in content.grid_lines]
    window.draw_lines(edges, grid.GRID_COLOUR, 0.5, grid.GRID_LEVEL, cap="butt")
    if content.band is not None:
        symbols.draw_stretch(window, content.band, level=5.0)
    symbols.draw_outlines(window, content.outlines, level=5.3)
    # The legs, the last one dashed, with arrow heads and beads where a bicycle is pushed.
    lines = [shapely.get_coordinates(leg.shape.simplify(0.12)).round(1) for leg in content.legs]
    colour, wide = basemap.ROUTE_COLOUR, symbols.ROUTE_WIDTH
    window.draw_lines(lines, "white", wide + 1.6, 6.0, cap="butt")
    window.draw_lines(lines[:-1], colour, wide, 6.1, cap="butt")
    window.draw_lines(lines[-1:], colour, wide, 6.1, dashes=symbols.LAST_LEG_DASHES, cap="butt")
    pushed = [part.round(1) for part in content.pushed]
    for tone, width, level, dashes in symbols.PUSHED_LINES:
        window.draw_lines(pushed, tone, width, level, dashes=dashes)
    for head in route.build_arrow_heads(content.legs, content.markers.centres).round(1):
        arrow = trace_rings([head])
        window.draw_shape(arrow, 6.2, fill=colour, edge="white", width=0.7, join="round")
    symbols.draw_symbols(window, content.point_symbols)
    symbols.draw_markers(window, *content.markers)
    for label, box in placed:
        if label.kind == "feared":
            symbols.draw_feared(window, float(box[0]), float(box[1]), 8.9)
        else:
            place_names.draw_label(window, label, box)
