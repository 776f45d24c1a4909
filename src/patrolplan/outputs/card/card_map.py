"""A patrol's map: our own streets, the route in its order, numbered stops, and names."""

from dataclasses import dataclass, replace

import numpy as np
import shapely

from patrolplan.outputs.card import map_words
from patrolplan.outputs.card.map_words import PlacedLabel
from patrolplan.outputs.cartography import (
    basemap,
    grid,
    legend,
    map_content,
    place_names,
    route,
    symbols,
)
from patrolplan.outputs.cartography.fonts import draw_text, measure_text_width
from patrolplan.outputs.cartography.inset import (
    INSET_CAPTION_HEIGHT,
    Inset,
    find_inset,
    find_visible_legs,
)
from patrolplan.outputs.cartography.labels import Boxes
from patrolplan.outputs.cartography.map_content import MapContent
from patrolplan.outputs.cartography.page import (
    Page,
    TextStyle,
    Window,
    trace_rectangle,
    trace_rings,
)
from patrolplan.outputs.cartography.place_names import NAME_SIZE
from patrolplan.outputs.cartography.street_key import KeyedStreet
from patrolplan.outputs.cartography.symbols import ROUTE_WIDTH, STOP_RADIUS
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.outputs.wording import format_grid_reference
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan

USUAL_ROWS = 2
"""First guess of the rows of the strip below the map of a patrol that has stops."""
BEAT_OFFSET = 8.5
"""Points from the middle of the street to the line of a beat, clear of route and stretch."""
ARROW_SPACING = 46.0
ARROW_SIZE = 9.0
INSET_CAPTION = "enlarged"

PlacedText = tuple[str, Boxes]
"""Words on the map and their (5,) box."""


@dataclass(frozen=True, eq=False)
class PatrolMap:
    """A drawn map: the page as a vector PDF, and positions of its words."""

    pdf: bytes
    viewport: Viewport
    label_boxes: Boxes
    """(n, 5) boxes of all words and numbers; those of an inset are in the map's coordinates."""
    label_texts: tuple[str, ...]
    """Words of the labels, aligned with the boxes."""
    keyed_streets: tuple[KeyedStreet, ...] = ()
    """Streets with a letter on the map and their name in the key below it."""
    keep_away: tuple[BarredPlace, ...] = ()
    """The patrol's places to keep away from that are on the map."""


@dataclass(frozen=True, eq=False)
class MapLayout:
    """Positions of all words on a map, before it is drawn."""

    content: MapContent
    inset: "InsetLayout | None"
    placed: list[PlacedLabel]
    """Labels, without those of the inset."""
    keyed: list[KeyedStreet]
    strip: list[legend.Entry]
    """Entries of the key of streets, and of the signs."""


@dataclass(frozen=True, eq=False)
class InsetLayout:
    """The enlarged content of an inset, and its words."""

    frame: Inset
    content: MapContent
    placed: list[PlacedLabel]


def draw_patrol_map(plan: Plan, patrol: Patrol, *, width: float, height: float) -> PatrolMap:
    """Draw the map of one patrol; width and height are points of the page, legend included.

    Every street that the card's words name is named on the map, or has a letter there and its name
    in the key below. Equal input gives equal bytes.
    """
    layout = _lay_out(plan, patrol, width, height)
    content, inset = layout.content, layout.inset
    viewport = content.viewport
    strip = height - viewport.height
    page = Page(width, height)
    window = page.add_window((0.0, strip, *viewport.size))
    _draw_frame(window, content, None if inset is None else inset.frame)
    placed = _draw_content(window, content, layout.placed)
    if inset is not None:
        placed += _draw_inset(page, inset, strip)
    below = page.add_window((0.0, 0.0, width, strip))
    legend.draw_strip(below, layout.strip, width, strip)
    boxes = np.array([box for _, box in placed]).reshape(-1, 5)
    return PatrolMap(
        page.write(),
        viewport,
        boxes,
        tuple(text for text, _ in placed),
        tuple(layout.keyed),
        tuple(map_content.find_shown_keep_away(viewport, patrol)),
    )


def _lay_out(plan: Plan, patrol: Patrol, width: float, height: float) -> MapLayout:
    """Divide the height between the map and the strip below it.

    The content of the strip depends on which words fit on the map: the map is laid out again until
    its strip is high enough. After the first guess the strip only grows, so this ends.
    """
    rows, is_guess = (USUAL_ROWS if patrol.stops else 1), True
    while True:
        room = height - legend.compute_strip_height(rows)
        viewport = map_content.fit_patrol_viewport(plan, patrol, width, room)
        content = map_content.collect_map_content(viewport, plan, patrol)
        inset = _lay_out_inset(plan, content)
        ground = map_words.survey_map(
            content,
            None if inset is None else inset.frame,
            map_words.find_named_streets([] if inset is None else inset.placed),
        )
        words = map_words.place_needed_words(ground)
        shown = _list_shown(content, words.placed)
        entries = [
            *legend.build_key_entries(words.keyed),
            *legend.build_sign_entries(viewport, shown, _get_speed(plan, patrol)),
        ]
        needed = legend.count_rows(entries, width)
        if needed == rows or (needed < rows and not is_guess):
            placed = map_words.place_other_words(ground, words.placed)
            return MapLayout(content, inset, placed, words.keyed, entries)
        rows, is_guess = needed, False


def _lay_out_inset(plan: Plan, content: MapContent) -> InsetLayout | None:
    """The inset that a map needs, with all its words; None if it needs none."""
    inset = find_inset(content)
    if inset is None:
        return None
    unnamed = replace(content.patrol, school="")  # it is on the map, and the inset is small
    enlarged = map_content.collect_map_content(inset.viewport, plan, unnamed)
    legs = inset.leg_numbers | set(find_visible_legs(enlarged))
    ground = map_words.survey_inset(enlarged, sorted(legs))
    placed = map_words.place_other_words(ground, map_words.place_needed_words(ground).placed)
    return InsetLayout(inset, enlarged, placed)


def _get_speed(plan: Plan, patrol: Patrol) -> float:
    """Kilometres per hour."""
    settings = plan.area.settings.patrol
    return settings.walking_speed_kmh if patrol.way == "walk" else settings.cycling_speed_kmh


def _list_shown(content: MapContent, placed: list[PlacedLabel]) -> legend.Shown:
    """Signs on the map that the legend must explain."""
    patrol = content.patrol
    x, y = content.viewport.centre_x, content.viewport.centre_y
    return legend.Shown(
        way=patrol.way if patrol.stops else "",
        pushed=any(content.pushed_ranges),
        marker_kinds=content.marker_kinds,
        symbol_kinds=[kind for kind, (names, _) in content.point_symbols.items() if len(names)],
        feared=any(label.kind == "feared" for label, _ in placed),
        beats=bool(content.beats),
        outlines=bool(content.outlines),
        steps=content.shows_steps,
        passages=content.passages,
        grid_square=format_grid_reference(x, y)[:2] if content.grid_lines else "",
    )


def _draw_frame(window: Window, content: MapContent, inset: Inset | None) -> None:
    """Draw the border, the north arrow, and the edge of the part that an inset enlarges."""
    viewport = content.viewport
    symbols.draw_border(window, *viewport.size)
    symbols.draw_north_arrow(window, viewport, map_words.place_north_arrow(content, inset))
    if inset is not None:
        lines = [shapely.get_coordinates(part) for part in shapely.get_parts(inset.outline)]
        for colour, width, level in (("white", 2.6, 7.1), ("black", 1.0, 7.2)):
            window.draw_lines(lines, colour, width, level, cap="butt")


def _draw_inset(page: Page, inset: InsetLayout, strip: float) -> list[PlacedText]:
    """Draw an enlarged part of the map in its inset; returns the words with their boxes."""
    content = inset.content
    x, y, width, height = inset.frame.box[0, :4].tolist()
    left, low = x - width / 2, y - height / 2 + strip
    window = page.add_window((left, low, width, height))
    window.draw_shape(trace_rectangle(0.0, 0.0, width, height), 1.0, fill="white")
    symbols.draw_border(window, width, height)
    middle = INSET_CAPTION_HEIGHT / 2
    symbols.draw_scale_bar(window, content.viewport, middle, max_points=width / 3)
    right = width - measure_text_width(INSET_CAPTION, NAME_SIZE) / 2 - 4
    draw_text(window, INSET_CAPTION, (right, middle, 0.0), TextStyle(NAME_SIZE))
    low += INSET_CAPTION_HEIGHT
    window = page.add_window((left, low, *content.viewport.size))
    symbols.draw_border(window, *content.viewport.size)
    shift = np.array([left, low - strip, 0.0, 0.0, 0.0])
    drawn = _draw_content(window, content, inset.placed)
    return [(text, box + shift) for text, box in drawn]


def _draw_content(
    window: Window, content: MapContent, placed: list[PlacedLabel]
) -> list[PlacedText]:
    """Draw the ground, the route and the words; returns the words with their boxes."""
    viewport = content.viewport
    basemap.draw_ground(window, content.features, viewport)
    grid.draw_grid(window, content.grid_lines)
    basemap.draw_streets(window, content.network, content.pieces, viewport)
    if content.band is not None:
        symbols.draw_stretch(window, content.band, level=5.0)
    symbols.draw_outlines(window, content.outlines, level=5.3)
    for line in content.beats:
        symbols.draw_beat(window, route.move_aside(line, BEAT_OFFSET), level=5.5)
    _draw_route(window, content)
    points = {kind: points for kind, (_, points) in content.point_symbols.items()}
    symbols.draw_symbols(window, points)
    symbols.draw_markers(
        window,
        content.marker_kinds,
        content.marker_texts,
        content.marker_centres,
        content.marker_true_points,
    )
    for label, box in placed:
        if label.kind == "feared":
            symbols.draw_feared(window, float(box[0]), float(box[1]), level=8.9)
        else:
            place_names.draw_label(window, label, box)
    markers = list(zip(content.marker_texts, content.marker_boxes, strict=True))
    return markers + [(label.text.replace("\n", " "), box) for label, box in placed]


def _draw_route(window: Window, content: MapContent) -> None:
    """Draw the legs, the way back dashed, and arrow heads in the direction of travel.

    Parts on which a bicycle is pushed are beads: white dots within the line.
    """
    if not content.legs:
        return
    lines = [np.round(route.simplify_line(leg), 1) for leg in content.legs]
    window.draw_lines(lines, "white", ROUTE_WIDTH + 1.6, 6.0, cap="butt")
    solid, dashed = (lines[:-1], lines[-1:]) if content.patrol.legs else (lines, [])
    for own, dashes in ((solid, ()), (dashed, symbols.LAST_LEG_DASHES)):
        window.draw_lines(own, basemap.ROUTE_COLOUR, ROUTE_WIDTH, 6.1, dashes=dashes, cap="butt")
    pushed = [
        np.round(part, 1)
        for leg, shares in zip(content.legs, content.pushed_ranges, strict=True)
        for part in route.cut_ranges(leg, shares)
    ]
    for colour, width, level, dashes in symbols.PUSHED_LINES if pushed else ():
        window.draw_lines(pushed, colour, width, level, dashes=dashes)
    heads = route.build_arrow_heads(
        content.legs,
        spacing=ARROW_SPACING,
        size=ARROW_SIZE,
        clear=content.marker_centres,
        radius=STOP_RADIUS + 5.0,
    )
    for head in np.round(heads, 1):
        arrow = trace_rings([head])
        window.draw_shape(
            arrow, 6.2, fill=basemap.ROUTE_COLOUR, edge="white", width=0.7, join="round"
        )
