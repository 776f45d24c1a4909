"""The typeface of everything printed, which ships with the package, and typesetting with typst."""

import json
import math
import re
import tempfile
import threading
import unicodedata
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib import resources
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTFont

from patrolplan.atomic import TEMPORARY_PREFIX
from patrolplan.outputs.cartography.page import TextStyle, Window
from patrolplan.text import shorten

FONT_FOLDER = Path(__file__).parent / "typefaces"  # readable at 8 pt, narrow enough for names
POINTS_PER_MM = 72 / 25.4
MIN_FONT_SIZE = 8.0  # Minimum size of letters on paper, in points
LINE_HEIGHT = 1.12  # Height of a label in multiples of its size, descenders included
UNKNOWN = "[?]"  # for letters that the typeface lacks: a square would look like a fault
MAX_LETTERS = 1000  # Maximum letters of a text; papers show how much of a longer one is missing
UNKNOWN_RUN = re.compile(r"\[\?\](?:\s*\[\?\])+")
UNKNOWN_MARK_NOTE = f"{UNKNOWN} stands for letters that this typeface cannot print."


class Typeface:
    """Letters of one style of our typeface, and their widths."""

    def __init__(self, path: Path) -> None:
        font = TTFont(BytesIO(path.read_bytes()), lazy=True)
        # Letters are named by their numbers: reading their names would take longest.
        font.setGlyphOrder([str(number) for number in range(font["maxp"].numGlyphs)])
        self.units = int(font["head"].unitsPerEm)
        self.names: dict[int, str] = font.getBestCmap()
        self.metrics: dict[str, tuple[int, int]] = font["hmtx"].metrics
        self.kerning: dict[tuple[str, str], int] = font["kern"].kernTables[0].kernTable


@lru_cache(maxsize=2)
def load_typeface(*, bold: bool) -> Typeface:
    """The bold or the regular style."""
    return Typeface(FONT_FOLDER / f"DejaVuSansCondensed{'-Bold' if bold else ''}.ttf")


@lru_cache(maxsize=1)
def list_characters() -> frozenset[int]:
    """Code points that both cuts of the typeface can show."""
    return frozenset(load_typeface(bold=False).names) & frozenset(load_typeface(bold=True).names)


@lru_cache(maxsize=4096)
def make_printable(text: str) -> str:
    """Text that the typeface can show: control characters become spaces, unknown words a mark."""
    printable = list_characters()
    letters = []
    for letter in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(letter)
        if kind == "Cf":
            continue  # direction marks and joiners would let a name change the line it is in
        shown = letter if ord(letter) in printable else UNKNOWN
        letters.append(" " if kind[0] in "CZ" else shown)
    return UNKNOWN_RUN.sub(UNKNOWN, " ".join("".join(letters).split()))


def print_whole(text: str) -> str:
    """A text in letters that the typeface has, cut at `MAX_LETTERS`."""
    text = make_printable(text)
    if len(text) <= MAX_LETTERS:
        return text
    start = shorten(text, MAX_LETTERS).removesuffix("…")
    return f"{start} [{len(text) - len(start):,} more letters: see the plan's file]"


def list_unprintable_notes(data: object) -> list[str]:
    """The note that a paper with these strings needs if it has the mark for unknown letters."""
    return [UNKNOWN_MARK_NOTE] if UNKNOWN in str(data) else []


@lru_cache(maxsize=4096)
def measure_text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Points that a text takes; the size and each letter's width are rounded to 64ths."""
    face = load_typeface(bold=bold)
    scale, names = int(64 * size) / face.units, [face.names.get(ord(one), "0") for one in text]
    sizes = sum(math.floor(face.metrics[name][0] * scale + 0.5) for name in names)
    closer = (face.kerning.get(pair, 0) for pair in pairwise(names))
    return (sizes + sum(math.floor(0.5 + units * scale) for units in closer)) / 64


def measure_label(
    text: str, size: float, *, bold: bool = False, padding: float = 3.0
) -> tuple[float, float]:
    """Width and height in points of a label of one line or several; `padding` widens it."""
    lines = text.split("\n")
    width = max(measure_text_width(line, size, bold=bold) for line in lines)
    return width + padding, len(lines) * size * LINE_HEIGHT


def draw_text(
    window: Window, text: str, place: tuple[float, float, float], style: TextStyle
) -> None:
    """Write text on the page at `place`: its middle x, y, and its angle in degrees."""
    x, y, angle = place
    rise = 0.36 * style.size  # from the baseline to the middle of a capital
    turned = math.radians(angle)
    half = measure_text_width(text, style.size, bold=style.bold) / 2
    left = x - math.cos(turned) * half + math.sin(turned) * rise
    low = y - math.sin(turned) * half - math.cos(turned) * rise
    window.draw_text(text, (left, low, angle), style)


def copy_template(package: str, name: str, root: Path) -> None:
    """Copy a template of one of our packages into the folder that typst may read."""
    template = resources.files(package) / name
    (root / name).write_text(template.read_text(encoding="utf-8"), encoding="utf-8")


def open_template_folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder for templates and pictures; a killed run leaves it behind, so no names."""
    return tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX)


class _Compilers(threading.local):
    """A compiler for each thread: it reads the typeface once, and serves one call at a time."""

    @cached_property
    def own(self) -> typst.Compiler:
        return typst.Compiler(font_paths=[FONT_FOLDER], ignore_system_fonts=True)


COMPILERS = _Compilers()


def query_template(root: Path, name: str, data: Mapping[str, Any], selector: str) -> Any:  # noqa: ANN401 - as the template says
    """The values of a template's elements with a label, such as "<heights>"."""
    compiler = typst.Compiler(
        root / name,
        root=root,
        font_paths=[FONT_FOLDER],
        ignore_system_fonts=True,
        sys_inputs=_build_inputs(data),
    )
    return json.loads(compiler.query(selector, field="value"))


def typeset(root: Path, name: str, data: Mapping[str, Any]) -> bytes:
    """A template as one tagged PDF; equal folders and data give equal bytes."""
    # A warning is an error: a paper with a missing glyph or picture must not reach anyone.
    pages, warnings = COMPILERS.own.compile_with_warnings(
        root / name, root=root, format="pdf", timestamp=0, sys_inputs=_build_inputs(data)
    )
    if warnings or not isinstance(pages, bytes):
        reasons = "; ".join(warning.message for warning in warnings)
        message = f"{name} was not typeset, because typst warned: {reasons}"
        raise RuntimeError(message)
    return pages


def typeset_template(
    package: str, name: str, data: Mapping[str, Any], *, map_svg: bytes = b""
) -> bytes:
    """A template of one of our packages as one tagged PDF, with its map if it has one."""
    with open_template_folder() as folder:
        root = Path(folder)
        copy_template(package, name, root)
        if map_svg:
            (root / "map.svg").write_bytes(map_svg)
        return typeset(root, name, data)


def _build_inputs(data: Mapping[str, Any]) -> dict[str, str]:
    return {"data": json.dumps(data, ensure_ascii=False)}
