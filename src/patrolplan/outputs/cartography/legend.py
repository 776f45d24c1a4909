"""The strip below a map: its scale, and the meaning of its signs."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.outputs.cartography import basemap, symbols
from patrolplan.outputs.cartography.fonts import measure_text_width
from patrolplan.outputs.cartography.grid import GRID_COLOUR, choose_grid_metres
from patrolplan.outputs.cartography.labels import NAME_SIZE
from patrolplan.outputs.cartography.page import Window, trace_circle, trace_rectangle, trace_rings
from patrolplan.outputs.cartography.symbols import LEGEND_LEVEL, ROUTE_WIDTH, write_text
from patrolplan.outputs.cartography.viewport import Viewport, choose_scale_bar_metres
from patrolplan.outputs.direction_words import PASSAGE_WORDS

ROW_HEIGHT = 13.5
MARGIN = 2.0  # Points between the map and the first row, and below the last
GAP = 11.0  # Points between two entries
SIGN_GAP = 4.0  # Points between a sign and its words
LEFT = 2.0
POINT_METRES = 0.0254 / 72  # Length of a point on paper
Sign = Callable[[Window, float, float, float], None]  # Draws a sign around x and y on a level


@dataclass(frozen=True)
class Entry:
    """A sign and its words."""

    text: str
    sign_width: float
    draw_sign: Callable[[Window, float, float], object]  # around y, from x

    @property
    def width(self) -> float:
        """Points, without the gap to the next."""
        return self.sign_width + SIGN_GAP + measure_text_width(self.text, NAME_SIZE)


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
            write_text(window, x + entry.sign_width + SIGN_GAP, y, entry.text)
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


def build_sign_entries(
    viewport: Viewport, shown: Collection[str], *, going: str, speed_kmh: float, grid_square: str
) -> list[Entry]:
    """The scale with its minutes of `going`, and the signs `shown`; `grid_square` may be empty."""
    entries = [build_scale(viewport, going, speed_kmh)]
    entries += [
        build_entry(words or going, width, draw)
        for kind, words, width, draw in list_signs()
        if kind in shown
    ]
    if grid_square:
        spacing = choose_grid_metres(viewport.metres_per_point)
        entries.append(build_entry(f"grid {grid_square}, {spacing} m", 10.0, _draw_grid))
    return entries


def build_scale(viewport: Viewport, going: str = "", speed_kmh: float = 0.0) -> Entry:
    """The scale bar; with its minutes of `going` at a speed, and the scale, where one goes."""
    metres = choose_scale_bar_metres(viewport.metres_per_point, symbols.LONG_BAR)
    length = metres / viewport.metres_per_point
    text = f"{metres} m"
    if going:
        scale = round(viewport.metres_per_point / POINT_METRES, -2)
        text += f", {metres / speed_kmh * 0.06:.3g} min {going}; 1:{scale:,.0f}"
    return Entry(text, length, lambda window, x, y: symbols.draw_bar(window, (x, y), length))


def list_signs() -> list[tuple[str, str, float, Sign]]:
    """Kind, words, width in points and drawing of each sign; a leg is named by its way."""
    return [
        ("route", "", 24.0, _draw_leg),
        ("pushed", "push", 22.0, _draw_pushed),
        ("route", "last leg", 24.0, partial(_draw_leg, dashes=symbols.LAST_LEG_DASHES)),
        ("route", "priority street", 20.0, _draw_stretch),
        ("outline", "designated by the force", 20.0, _draw_outline),
        ("tasked", "tasked stop", 10.0, _draw_tasked),
        ("feared", "pupils feel unsafe", 11.0, symbols.draw_feared),
        ("keep_away", "keep away", 12.0, symbols.draw_cross),
        ("steps", "steps", 14.0, _draw_steps),
        *((one, words, 16.0, partial(_draw_passage, one)) for one, words in PASSAGE_WORDS.items()),
        *((kind, one.words, one.width, one.draw) for kind, one in symbols.SYMBOLS.items()),
    ]


def build_entry(words: str, width: float, draw: Sign) -> Entry:
    """The entry of a sign that is drawn around its middle."""
    return Entry(words, width, lambda window, x, y: draw(window, x + width / 2, y, LEGEND_LEVEL))


def _trace_row(x: float, y: float, length: float) -> list[NDArray[np.float64]]:
    """A line of this length around x and y."""
    return [np.array([(x - length / 2, y), (x + length / 2, y)])]


def _draw_leg(
    window: Window, x: float, y: float, level: float, dashes: tuple[float, ...] = ()
) -> None:
    line = _trace_row(x, y, 24.0)
    window.draw_lines(line, basemap.ROUTE_COLOUR, ROUTE_WIDTH, level, dashes=dashes, cap="butt")
    head = trace_rings([np.array([(x + 5, y), (x - 4, y + 4), (x - 4, y - 4)])])
    window.draw_shape(head, level + 0.1, fill=basemap.ROUTE_COLOUR, edge="white", width=0.7)


def _draw_pushed(window: Window, x: float, y: float, level: float) -> None:
    for colour, width, rank, dashes in symbols.PUSHED_LINES:
        window.draw_lines(_trace_row(x, y, 16.0), colour, width, level + rank, dashes=dashes)


def _draw_stretch(window: Window, x: float, y: float, level: float) -> None:
    symbols.draw_stretch(window, shapely.box(x - 10, y - 4.5, x + 10, y + 4.5), level=level)


def _draw_outline(window: Window, x: float, y: float, level: float) -> None:
    edge = shapely.get_coordinates(shapely.box(x - 10, y - 4, x + 10, y + 4))
    symbols.draw_outlines(window, [edge], level=level)


def _draw_tasked(window: Window, x: float, y: float, level: float) -> None:
    square = trace_rectangle(x - 5, y - 5, 10.0, 10.0)
    window.draw_shape(square, level, fill="white", edge="black", width=1.4)
    window.draw_shape(trace_circle(x, y, 3.6), level + 0.1, fill="black")


def _draw_steps(window: Window, x: float, y: float, level: float) -> None:
    basemap.draw_steps(window, _trace_row(x, y, 14.0), level=level)


def _draw_passage(kind: str, window: Window, x: float, y: float, level: float) -> None:
    dashes = (1.8, 1.3) if basemap.PASSAGE_STYLES[kind] else ()
    lines = _trace_row(x, y - 3.2, 16.0) + _trace_row(x, y + 3.2, 16.0)
    window.draw_lines(lines, basemap.PASSAGE_EDGE, 1.2, level, dashes=dashes, cap="butt")


def _draw_grid(window: Window, x: float, y: float, level: float) -> None:
    lines = [*_trace_row(x, y, 10.0), np.array([(x, y - 5), (x, y + 5)])]
    window.draw_lines(lines, GRID_COLOUR, 0.8, level, cap="butt")
