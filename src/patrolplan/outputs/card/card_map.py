"""A patrol's map: our own streets, the route in its order, numbered stops, and names."""

from dataclasses import dataclass

import numpy as np
import shapely

from patrolplan.outputs.card import map_words
from patrolplan.outputs.card.map_words import PlacedLabel
from patrolplan.outputs.cartography import basemap, grid, legend, place_names, route, symbols
from patrolplan.outputs.cartography.labels import Boxes
from patrolplan.outputs.cartography.map_content import MapContent, fit_patrol_viewport
from patrolplan.outputs.cartography.page import Page, Window, trace_rings
from patrolplan.outputs.cartography.street_key import KeyedStreet
from patrolplan.outputs.cartography.symbols import ROUTE_WIDTH, STOP_RADIUS
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.outputs.wording import format_grid_reference
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.surroundings import CYCLING_SPEED_KMH

USUAL_ROWS = 2  # First guess of the rows of the strip below the map of a patrol that has stops
ARROW_SPACING = 46.0
ARROW_SIZE = 9.0


@dataclass(frozen=True, eq=False)
class PatrolMap:
    """A drawn map: the page as an SVG picture, and positions of its words."""

    svg: bytes
    viewport: Viewport
    label_boxes: Boxes  # (n, 5) boxes of all words and numbers
    label_texts: tuple[str, ...]  # Words of the labels, aligned with the boxes
    keyed_streets: tuple[KeyedStreet, ...] = ()
    """Streets with a letter on the map and their name in the key below it."""


def draw_patrol_map(plan: Plan, patrol: Patrol, *, width: float, height: float) -> PatrolMap:
    """Draw the map of one patrol; width and height are points of the page, legend included.

    Every street that the card's words name is named on the map, or has a letter there and its name
    in the key below. Equal input gives equal bytes.
    """
    # The content of the strip below the map depends on which words fit on the map: the map is laid
    # out again until its strip is high enough. After the first guess the strip only grows, so this
    # ends.
    rows, is_guess = (USUAL_ROWS if patrol.stops else 1), True
    while True:
        strip = legend.compute_strip_height(rows)
        viewport = fit_patrol_viewport(plan, patrol, width, height - strip)
        content = MapContent(viewport, plan, patrol)
        ground = map_words.Ground(content)
        words = map_words.place_needed_words(ground)
        entries = [
            *map(legend.build_key_entry, words.keyed),
            *_build_sign_entries(plan, content, words.placed),
        ]
        needed = legend.count_rows(entries, width)
        if needed == rows or (needed < rows and not is_guess):
            break
        rows, is_guess = needed, False
    placed = map_words.place_other_words(ground, words.placed)
    page = Page(width, height)
    _draw_content(page.add_window((0.0, strip, *viewport.size)), content, placed)
    legend.draw_strip(page.add_window((0.0, 0.0, width, strip)), entries, width, strip)
    texts = [*content.markers.texts, *(label.text.replace("\n", " ") for label, _ in placed)]
    return PatrolMap(
        page.write(),
        viewport,
        np.vstack([content.marker_boxes, *(box for _, box in placed)]),
        tuple(texts),
        tuple(words.keyed),
    )


def _build_sign_entries(
    plan: Plan, content: MapContent, placed: list[PlacedLabel]
) -> list[legend.Entry]:
    """The part of the legend on what is on the map."""
    patrol, viewport = content.patrol, content.viewport
    walking_kmh = plan.area.settings.patrol.walking_speed_kmh
    signs = {
        "route": bool(patrol.stops),
        "pushed": bool(content.pushed),
        "outline": bool(content.outlines),
        "feared": any(label.kind == "feared" for label, _ in placed),
        "steps": content.shows_steps,
        **{kind: bool(len(names)) for kind, (names, _) in content.point_symbols.items()},
        **dict.fromkeys((*content.markers.kinds, *content.passages), True),
    }
    grid_square = format_grid_reference(viewport.centre_x, viewport.centre_y)[:2]
    return legend.build_sign_entries(
        viewport,
        {kind for kind, is_shown in signs.items() if is_shown},
        way=patrol.way if patrol.stops else "",
        speed_kmh=walking_kmh if patrol.way == "walk" else CYCLING_SPEED_KMH,
        grid_square=grid_square if content.grid_lines else "",
    )


def _draw_content(window: Window, content: MapContent, placed: list[PlacedLabel]) -> None:
    """Draw the ground, the route and the words."""
    viewport = content.viewport
    symbols.draw_border(window, *viewport.size)
    north = symbols.place_north_arrow(viewport, content.marker_boxes)
    symbols.draw_north_arrow(window, viewport, north)
    basemap.draw_ground(window, content.features, viewport)
    grid.draw_grid(window, content.grid_lines)
    basemap.draw_streets(window, content.network, content.pieces, viewport)
    if content.band is not None:
        symbols.draw_stretch(window, content.band, level=5.0)
    symbols.draw_outlines(window, content.outlines, level=5.3)
    _draw_route(window, content)
    points = {kind: points for kind, (_, points) in content.point_symbols.items()}
    symbols.draw_symbols(window, points)
    symbols.draw_markers(window, *content.markers)
    for label, box in placed:
        if label.kind == "feared":
            symbols.draw_feared(window, float(box[0]), float(box[1]), 8.9)
        else:
            place_names.draw_label(window, label, box)


def _draw_route(window: Window, content: MapContent) -> None:
    """Draw the legs, the last one dashed, with arrow heads and beads where a bicycle is pushed."""
    lines = [shapely.get_coordinates(leg.shape.simplify(0.12)).round(1) for leg in content.legs]
    window.draw_lines(lines, "white", ROUTE_WIDTH + 1.6, 6.0, cap="butt")
    for own, dashes in ((lines[:-1], ()), (lines[-1:], symbols.LAST_LEG_DASHES)):
        window.draw_lines(own, basemap.ROUTE_COLOUR, ROUTE_WIDTH, 6.1, dashes=dashes, cap="butt")
    pushed = [part.round(1) for part in content.pushed]
    for colour, width, level, dashes in symbols.PUSHED_LINES:
        window.draw_lines(pushed, colour, width, level, dashes=dashes)
    heads = route.build_arrow_heads(
        content.legs,
        spacing=ARROW_SPACING,
        size=ARROW_SIZE,
        clear=content.markers.centres,
        radius=STOP_RADIUS + 5.0,
    )
    for head in heads.round(1):
        arrow = trace_rings([head])
        window.draw_shape(
            arrow, 6.2, fill=basemap.ROUTE_COLOUR, edge="white", width=0.7, join="round"
        )
