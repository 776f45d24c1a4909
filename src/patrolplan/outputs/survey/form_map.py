"""The map of a paper form: streets, names and bus stops around a school, under a lettered grid.

In greys for a copier, without crime, risk or reports; marks count exactly like reports from a page.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area.form_squares import FormGrid
from patrolplan.area.study_area import StudyArea, find_school
from patrolplan.outputs.cartography import legend, place_names, symbols
from patrolplan.outputs.cartography.fonts import draw_text, make_printable, measure_label
from patrolplan.outputs.cartography.labels import Boxes, build_level_boxes
from patrolplan.outputs.cartography.page import (
    Page,
    Points,
    TextStyle,
    Window,
    trace_rectangle,
    trace_rings,
)
from patrolplan.outputs.cartography.street_map import StreetMap
from patrolplan.outputs.cartography.symbols import GATE_SIDE, LEGEND_LEVEL
from patrolplan.outputs.cartography.viewport import Viewport
from patrolplan.text import shorten

EDGE_STRIP = 15.0  # Points around the map for letters and numbers
LETTER_SIZE = 12.0
CELL_LABEL_SIZE = 8.0
CELL_LABEL_INSET = 1.5  # Points between a square's label and its top left corner
MAX_CELL_POINTS = 110.0  # so that a small place is not enlarged more than useful
GRID_COLOUR = "#2a2a2a"
GRID_WIDTH = 0.8
GRID_LEVEL = 6.0  # Drawing level above the streets, below signs and names
LABEL_COLOUR = "#1c1c1c"
LONGEST_SCHOOL = 60  # Maximum letters of a school's name on the map
GATE_LETTER = "S"
SHOWN_SYMBOLS = ("station", "station_entrance", "bus_stop")
UNDRAWN_FEATURES = ("building",)
LUMA = (0.299, 0.587, 0.114)  # Weights of red, green and blue in grey, by ITU-R BT.601
GROUND_GREY = 0.93 * 255  # lighter greys become white, since copiers darken them


@dataclass(frozen=True, eq=False)
class FormMap:
    """A drawn map, and the positions of its squares on the page."""

    svg: bytes
    size: tuple[float, float]  # Width and height of the page in points
    corners: NDArray[np.float64]  # (down + 1, across + 1, 2) points of the page, y upwards
    words: tuple[str, ...]  # Names and labels inside the letters
    word_boxes: Boxes  # (n, 5) boxes of the words in points of the window inside the letters


def draw_form_map(
    area: StudyArea, grid: FormGrid, urn: str, *, width: float, height: float
) -> FormMap:
    """Draw the map of a form on a page of at most this width and height in points."""
    strip = legend.compute_strip_height(1)
    inward = np.array([EDGE_STRIP, EDGE_STRIP + strip])
    corners = grid.locate_corners(area.projection.crs)
    viewport = _fit_window(corners, grid, width - 2 * EDGE_STRIP, height - 2 * EDGE_STRIP - strip)
    corners = viewport.to_page(corners.reshape(-1, 2)).reshape(corners.shape)
    is_drawn = ~area.features["kind"].isin(UNDRAWN_FEATURES)
    streets = StreetMap(viewport, area.network.walkable, area.features[is_drawn])
    signs = {
        kind: place_names.find_symbols(streets.features, viewport, kind) for kind in SHOWN_SYMBOLS
    }

    wide, tall = viewport.size
    size = (wide + 2 * EDGE_STRIP, tall + 2 * EDGE_STRIP + strip)
    page = Page(*size)
    _draw_edge_letters(page.add_window((0.0, 0.0, *size)), grid, corners + inward)
    window = page.add_window((*inward, wide, tall), tone=_to_grey)
    streets.draw(window)
    lines = [np.round(line, 1) for line in (*corners, *corners.transpose(1, 0, 2))]
    window.draw_lines(lines, GRID_COLOUR, GRID_WIDTH, GRID_LEVEL, cap="butt")
    symbols.draw_symbols(window, signs)
    words = _write_cell_labels(window, grid, corners)
    words += _write_school_and_names(window, area, find_school(area, urn), streets, signs, words)
    below = page.add_window((EDGE_STRIP, 0.0, wide, strip))
    legend.draw_strip(below, _build_entries(viewport, signs), wide, strip)
    texts, boxes = zip(*words, strict=True)
    return FormMap(page.write(), size, corners + inward, texts, np.vstack(boxes))


def _write_school_and_names(
    window: Window,
    area: StudyArea,
    row: int,
    streets: StreetMap,
    signs: symbols.Signs,
    words: list[tuple[str, Boxes]],
) -> list[tuple[str, Boxes]]:
    """Mark the gate of the school in a row, and write all names clear of `words`."""
    gate = streets.viewport.to_page(area.network.xy(area.gates.take([row])))
    symbols.draw_markers(window, ["gate"], [GATE_LETTER], gate, gate)
    covered = shapely.Point(gate[0]).buffer(GATE_SIDE / 2)
    school = shorten(make_printable(area.schools["name"].iloc[row]), LONGEST_SCHOOL)
    gate_box = build_level_boxes(gate, (GATE_SIDE + 2, GATE_SIDE + 2))
    points = np.concatenate([points for _, points in signs.values()])
    placed = streets.write_names(
        window,
        [
            *place_names.build_school_labels(tuple(gate[0]), school, radius=GATE_SIDE / 2 + 1),
            *place_names.build_symbol_labels(signs, covered=covered),
        ],
        occupied=np.vstack([gate_box, *(box for _, box in words)]),
        avoided=shapely.multipoints(points).buffer(4.0),
    )
    return [(label.text, box) for label, box in placed]


def _fit_window(corners: Points, grid: FormGrid, width: float, height: float) -> Viewport:
    """The smallest window with all squares, as large on the page as there is room."""
    along = corners[:, -1] - corners[:, 0]
    lean = -np.degrees(np.arctan2(*along.mean(axis=0)[::-1]))
    upright = Viewport(0.0, 0.0, 0.0, 0.0, 1.0, float(lean))
    turned = upright.to_page(corners.reshape(-1, 2))
    low, high = turned.min(axis=0), turned.max(axis=0)
    extent = high - low
    [middle] = upright.to_metres(((low + high) / 2).reshape(1, 2)).tolist()
    scale = float(max(*(extent / (width, height)), extent[0] / grid.across / MAX_CELL_POINTS))
    across, up = (extent / scale).tolist()
    return Viewport(across, up, middle[0], middle[1], scale, float(lean))


def _draw_edge_letters(window: Window, grid: FormGrid, corners: Points) -> None:
    """Write letters above and below the map, and numbers on both sides of it."""
    style, out = TextStyle(LETTER_SIZE, bold=True), np.array([0.0, EDGE_STRIP / 2])
    numbers = [str(number) for number in range(1, grid.down + 1)]
    sides = (
        *((corners[0], out, grid.letters), (corners[-1], -out, grid.letters)),
        *((corners[:, 0], -out[::-1], numbers), (corners[:, -1], out[::-1], numbers)),
    )
    for edge, shift, texts in sides:
        middles = (edge[:-1] + edge[1:]) / 2 + shift
        for text, (x, y) in zip(texts, middles.tolist(), strict=True):
            draw_text(window, text, (x, y, 0.0), style)


def _write_cell_labels(window: Window, grid: FormGrid, corners: Points) -> list[tuple[str, Boxes]]:
    """Write each square's letter and number into its top left corner: the words and their boxes."""
    style = TextStyle(CELL_LABEL_SIZE, bold=True, colour=LABEL_COLOUR, halo=1.4, level=9.5)
    written = []
    for cell in grid.cells:
        wide, tall = measure_label(cell.label, CELL_LABEL_SIZE, bold=True)
        x, y = corners[cell.down, cell.across].tolist()
        x, y = x + CELL_LABEL_INSET + wide / 2, y - CELL_LABEL_INSET - tall / 2
        draw_text(window, cell.label, (x, y, 0.0), style)
        written.append((cell.label, np.array([x, y, wide, tall, 0.0])))
    return written


def _build_entries(viewport: Viewport, signs: symbols.Signs) -> list[legend.Entry]:
    """Entries below the map: north, the scale, and the meaning of signs."""

    def draw_school(window: Window, x: float, y: float) -> None:
        square, middle = trace_rectangle(x, y - 5.5, 11.0, 11.0), (x + 5.5, y)
        symbols.draw_sign(window, square, GATE_LETTER, middle, 8.0, edge=1.6, is_black=False)

    def draw_north(window: Window, x: float, y: float) -> None:
        tips = [(x + 3.5, y + 5.5), (x + 7.0, y - 5.0), (x + 3.5, y - 2.5), (x, y - 5.0)]
        window.draw_shape(trace_rings([np.array(tips)]), LEGEND_LEVEL, fill="black")

    entries = [
        legend.Entry("north", 7.0, draw_north),
        legend.build_scale(viewport),
        legend.Entry("the school", 11.0, draw_school),
    ]
    shown = [symbols.SYMBOLS[kind] for kind, (_, points) in signs.items() if len(points)]
    return entries + [legend.build_entry(one.words, one.width, one.draw) for one in shown]


def _to_grey(colour: str) -> str:
    """The same colour in grey; a pale one is white."""
    code = {"white": "#ffffff", "black": "#000000"}.get(colour, colour)
    shares = [int(code[at : at + 2], 16) for at in (1, 3, 5)]
    grey = sum(weight * share for weight, share in zip(LUMA, shares, strict=True))
    return "white" if grey >= GROUND_GREY else "#" + f"{round(grey):02x}" * 3
