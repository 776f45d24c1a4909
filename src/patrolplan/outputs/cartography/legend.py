"""The strip below a map: scale, the meaning of its signs, and the key of its streets."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from patrolplan.outputs.cartography import symbols
from patrolplan.outputs.cartography.basemap import (
    PASSAGE_EDGE,
    PASSAGE_STYLES,
    ROUTE_COLOUR,
    draw_steps,
)
from patrolplan.outputs.cartography.fonts import measure_text_width
from patrolplan.outputs.cartography.grid import GRID_COLOUR, choose_grid_metres
from patrolplan.outputs.cartography.page import Window, trace_circle, trace_rectangle, trace_rings
from patrolplan.outputs.cartography.place_names import NAME_SIZE
from patrolplan.outputs.cartography.street_key import BOX_SIDE, KeyedStreet
from patrolplan.outputs.cartography.symbols import LEGEND_LEVEL, ROUTE_WIDTH, write_text
from patrolplan.outputs.cartography.viewport import Viewport, choose_scale_bar_metres
from patrolplan.outputs.direction_words import PASSAGE_WORDS

ROW_HEIGHT = 13.5
MARGIN = 2.0
"""Points between the map and the first row, and below the last."""
GAP = 11.0
"""Points between two entries."""
SIGN_GAP = 4.0
"""Points between a sign and its words."""
LEFT = 2.0
POINT_METRES = 0.0254 / 72
"""Length of a point on paper."""
PASSAGE_EDGES: Mapping[str, tuple[float, ...]] = {
    kind: (1.8, 1.3) if dashes else () for kind, dashes in PASSAGE_STYLES.items()
}


@dataclass(frozen=True)
class Entry:
    """A sign and its words."""

    text: str
    sign_width: float
    draw_sign: Callable[[Window, float, float], object]
    """Draws the sign from x, with the middle of the row at y."""
    bold: bool = False

    @property
    def width(self) -> float:
        """Points, without the gap to the next."""
        words = measure_text_width(self.text, NAME_SIZE, bold=self.bold)
        return self.sign_width + SIGN_GAP + words


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Content of a map that the legend explains."""

    way: str = ""
    """"walk" or "bicycle", empty where there are no stops."""
    pushed: bool = False
    """Whether the bicycle is pushed somewhere."""
    marker_kinds: Collection[symbols.MarkerKind] = ()
    symbol_kinds: Collection[str] = ()
    feared: bool = False
    outlines: bool = False
    steps: bool = False
    passages: Collection[str] = ()
    """Passages on the route, see `patrolplan.inputs.osm_tags.Passage`."""
    grid_square: str = ""
    """Letters of the grid's squares; empty where there is no grid."""


def count_rows(entries: Sequence[Entry], width: float) -> int:
    """Rows that entries need on a page of this width."""
    return len(_flow(entries, width))


def compute_strip_height(rows: int) -> float:
    """Height in points of a strip with this number of rows."""
    return rows * ROW_HEIGHT + 2 * MARGIN


def draw_strip(window: Window, entries: Sequence[Entry], width: float, height: float) -> None:
    """Draw entries in their order from the top of a strip of this size."""
    y = height - MARGIN - ROW_HEIGHT / 2
    for row in _flow(entries, width):
        x = LEFT
        for entry in row:
            entry.draw_sign(window, x, y)
            write_text(window, x + entry.sign_width + SIGN_GAP, y, entry.text, bold=entry.bold)
            x += entry.width + GAP
        y -= ROW_HEIGHT


def _flow(entries: Sequence[Entry], width: float) -> list[list[Entry]]:
    """Entries in rows, in their order."""
    rows: list[list[Entry]] = []
    x = width
    for entry in entries:
        if x + entry.width > width - LEFT or not rows:
            rows.append([])
            x = LEFT
        rows[-1].append(entry)
        x += entry.width + GAP
    return rows


def build_key_entries(streets: Sequence[KeyedStreet]) -> list[Entry]:
    """The key's letters with the names of their streets."""
    return [_build_key_entry(street) for street in streets]


def _build_key_entry(street: KeyedStreet) -> Entry:
    width = max(BOX_SIDE, measure_text_width(street.letter, NAME_SIZE, bold=True) + 5.0)

    def draw_letter(window: Window, x: float, y: float) -> None:
        box = trace_rectangle(x, y - BOX_SIDE / 2, width, BOX_SIDE)
        window.draw_shape(box, LEGEND_LEVEL, fill="white", edge="black", width=0.9)
        start = x + (width - measure_text_width(street.letter, NAME_SIZE, bold=True)) / 2
        write_text(window, start, y, street.letter, bold=True)

    return Entry(street.text, width, draw_letter, bold=True)


def build_sign_entries(viewport: Viewport, shown: Shown, speed_kmh: float) -> list[Entry]:
    """The scale, with its minutes at this speed, and all signs on the map."""
    return [_build_scale(viewport, shown, speed_kmh), *_iterate_signs(viewport, shown)]


def _build_scale(viewport: Viewport, shown: Shown, speed_kmh: float) -> Entry:
    metres = choose_scale_bar_metres(viewport.metres_per_point, symbols.LONG_BAR)
    length = metres / viewport.metres_per_point
    minutes = f"{metres / (speed_kmh * 1000 / 60):.3g}"
    going = "ride" if shown.way == "bicycle" else "walk"
    scale = round(viewport.metres_per_point / POINT_METRES, -2)
    text = f"{metres} m, {minutes} min {going}; 1:{scale:,.0f}"
    return Entry(text, length, lambda window, x, y: symbols.draw_bar(window, (x, y), length))


def _iterate_signs(viewport: Viewport, shown: Shown) -> Iterator[Entry]:
    """All signs on the map except those that need no words, the most important first."""
    if shown.way:
        yield from _iterate_route_signs(shown)
    drawings: Sequence[tuple[bool, str, float, Callable[[Window, float, float], None]]] = (
        (shown.outlines, "designated by the force", 20.0, _draw_outline),
        ("tasked" in shown.marker_kinds, "tasked stop", 10.0, _draw_tasked),
        (shown.feared, "pupils feel unsafe", 11.0, _draw_feared),
        ("keep_away" in shown.marker_kinds, "keep away", 12.0, _draw_cross),
        (shown.steps, "steps", 14.0, _draw_steps),
        *(
            (kind in shown.passages, words, 16.0, _build_passage_drawing(PASSAGE_EDGES[kind]))
            for kind, words in PASSAGE_WORDS.items()
        ),
    )
    for is_shown, text, width, draw_sign in drawings:
        if is_shown:
            yield Entry(text, width, draw_sign)
    unknown = {*shown.symbol_kinds} - {*symbols.SYMBOLS}
    if unknown:
        raise KeyError(*unknown)
    yield from (build_symbol_entry(kind) for kind in symbols.SYMBOLS if kind in shown.symbol_kinds)
    if shown.grid_square:
        metres = choose_grid_metres(viewport.metres_per_point)
        yield Entry(f"grid {shown.grid_square}, {metres} m", 10.0, _draw_grid)


def _iterate_route_signs(shown: Shown) -> Iterator[Entry]:
    """Signs that every patrol with stops has."""
    going = "walk" if shown.way == "walk" else "ride"
    yield Entry(going, 24.0, lambda window, x, y: _draw_leg(window, x, y, ()))
    if shown.pushed:
        yield Entry("push", 22.0, _draw_pushed)
    last = symbols.LAST_LEG_DASHES
    yield Entry("last leg", 24.0, lambda window, x, y: _draw_leg(window, x, y, last))
    yield Entry("priority street", 20.0, _draw_stretch)


def _draw_feared(window: Window, x: float, y: float) -> None:
    symbols.draw_feared(window, x + 5.5, y, level=LEGEND_LEVEL)


def _draw_cross(window: Window, x: float, y: float) -> None:
    symbols.draw_cross(window, (x + 6.0, y), level=LEGEND_LEVEL)


def _build_passage_drawing(dashes: tuple[float, ...]) -> Callable[[Window, float, float], None]:
    def draw(window: Window, x: float, y: float) -> None:
        for shift in (-3.2, 3.2):
            line = np.array([(x, y + shift), (x + 16, y + shift)])
            window.draw_lines([line], PASSAGE_EDGE, 1.2, LEGEND_LEVEL, dashes=dashes, cap="butt")

    return draw


def build_symbol_entry(kind: str) -> Entry:
    """The entry of a small sign of the ground."""
    symbol = symbols.SYMBOLS[kind]

    def draw(window: Window, x: float, y: float) -> None:
        symbol.draw(window, x + symbol.width / 2, y, LEGEND_LEVEL)

    return Entry(symbol.words, symbol.width, draw)


def _draw_leg(window: Window, x: float, y: float, dashes: tuple[float, ...]) -> None:
    line = np.array([(x, y), (x + 24, y)])
    window.draw_lines([line], ROUTE_COLOUR, ROUTE_WIDTH, LEGEND_LEVEL, dashes=dashes, cap="butt")
    head = trace_rings([np.array([(x + 17, y), (x + 8, y + 4), (x + 8, y - 4)])])
    window.draw_shape(head, LEGEND_LEVEL + 0.1, fill=ROUTE_COLOUR, edge="white", width=0.7)


def _draw_pushed(window: Window, x: float, y: float) -> None:
    line = np.array([(x + 3, y), (x + 19, y)])
    for colour, width, level, dashes in symbols.PUSHED_LINES:
        window.draw_lines([line], colour, width, level + 17, dashes=dashes)


def _draw_stretch(window: Window, x: float, y: float) -> None:
    sample = shapely.LineString([(x, y), (x + 20, y)]).buffer(4.5, cap_style="flat")
    symbols.draw_stretch(window, sample, level=LEGEND_LEVEL)


def _draw_outline(window: Window, x: float, y: float) -> None:
    corners = np.array([(x, y - 4), (x + 20, y - 4), (x + 20, y + 4), (x, y + 4), (x, y - 4)])
    symbols.draw_outlines(window, [corners], level=LEGEND_LEVEL)


def _draw_tasked(window: Window, x: float, y: float) -> None:
    square = trace_rectangle(x, y - 5, 10.0, 10.0)
    window.draw_shape(square, LEGEND_LEVEL, fill="white", edge="black", width=1.4)
    window.draw_shape(trace_circle(x + 5, y, 3.6), LEGEND_LEVEL + 0.1, fill="black")


def _draw_steps(window: Window, x: float, y: float) -> None:
    draw_steps(window, [np.array([(x, y), (x + 14, y)])], level=LEGEND_LEVEL)


def _draw_grid(window: Window, x: float, y: float) -> None:
    lines = [np.array([(x, y), (x + 10, y)]), np.array([(x + 5, y - 5), (x + 5, y + 5)])]
    window.draw_lines(lines, GRID_COLOUR, 0.8, LEGEND_LEVEL, cap="butt")
