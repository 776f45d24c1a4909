"""The page that a map is drawn on: one stream of PDF's drawing operators, compressed once.

A page has windows, each with its own origin, and each clips its content. Items of a window are
drawn from the lowest level to the highest, and within a level in the order of calls. All numbers of
the stream are whole hundredths of a point.

A map has thousands of lines in about twenty styles. A drawing library writes each as a separate
object, with its state around it, and subsets the typeface for every page, which took ten times as
long as placing everything.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from patrolplan.outputs.cartography.typeface import build_font_objects, build_stream, load_typeface

Points = NDArray[np.float64]
"""(n, 2) points of the page."""
Cap = Literal["butt", "round", "square"]
Join = Literal["miter", "round"]
Colour = tuple[float, float, float]
"""Red, green and blue, each from 0 to 1."""

CAPS: dict[Cap, int] = {"butt": 0, "round": 1, "square": 2}
JOINS: dict[Join, int] = {"miter": 0, "round": 1}
CIRCLE = 4 / 3 * (math.sqrt(2) - 1)
"""Length of the handles of a quarter circle's curve, as a share of the radius."""
CORNER = 2 / 3
"""The same for a corner rounded by one quadratic curve, whose only handle is the corner."""
NAMED_COLOURS = {"white": "#ffffff", "black": "#000000"}


@dataclass(frozen=True)
class TextStyle:
    """Style of words: points, bold or not, colour, points of white around them, drawing level."""

    size: float
    bold: bool = False
    colour: str = "black"
    halo: float = 0.0
    level: float = 10.0


@dataclass(eq=False)
class Page:
    """A page of this width and height in points."""

    width: float
    height: float
    windows: list["Window"] = field(default_factory=list)
    used: dict[bool, dict[int, str]] = field(default_factory=dict)
    """Letters used of the bold and of the regular typeface, by their numbers."""

    def add_window(
        self,
        place: tuple[float, float, float, float],
        *,
        tone: Callable[[Colour], Colour] | None = None,
    ) -> "Window":
        """Add a window at this left and lower edge, of this size; `tone` changes its colours."""
        window = Window(self, place, tone)
        self.windows.append(window)
        return window

    def write(self) -> bytes:
        """The page as a PDF; equal drawings give equal bytes."""
        drawing = "\n".join(window.write() for window in self.windows)
        fonts, objects = "", list[bytes]()
        for bold, used in sorted(self.used.items()):
            first = 5 + len(objects)
            fonts += f"/F{int(bold)} {first} 0 R "
            objects += build_font_objects(load_typeface(bold=bold), used, first)
        page = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {self.width:g} {self.height:g}]"
            f" /Contents 4 0 R /Resources << /Font << {fonts}>> >> >>"
        )
        content = build_stream(f"0.01 0 0 0.01 0 0 cm\n{drawing}".encode("ascii"))
        return _join_objects(
            [
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                page.encode(),
                content,
                *objects,
            ]
        )


@dataclass(eq=False)
class Window:
    """Part of a page, in points from its own lower left corner."""

    page: Page
    place: tuple[float, float, float, float]
    tone: Callable[[Colour], Colour] | None = None
    items: list[tuple[float, str]] = field(default_factory=list)
    """Level and operators of each item."""

    def write(self) -> str:
        """The operators of all items, in their order."""
        left, low, width, height = self.place
        body = "\n".join(words for _, words in sorted(self.items, key=lambda item: item[0]))
        moved = f"q 1 0 0 1 {_scale(left)} {_scale(low)} cm"
        return f"{moved} 0 0 {_scale(width)} {_scale(height)} re W n\n{body}\nQ"

    def draw_lines(
        self,
        lines: Sequence[Points],
        colour: str,
        width: float,
        level: float,
        *,
        dashes: Sequence[float] = (),
        cap: Cap = "round",
        join: Join = "round",
    ) -> None:
        """Draw (v, 2) lines in one style; dashes are in multiples of the width."""
        if len(lines):
            style = self._set_stroke(colour, width, cap, join, dashes)
            self.items.append((level, f"{style} {_trace(lines)} S"))

    def draw_shape(
        self,
        outline: str,
        level: float,
        *,
        fill: str = "",
        edge: str = "",
        width: float = 1.0,
        join: Join = "miter",
    ) -> None:
        """Draw the inside of an outline, and its edge; see `trace_rings` and the others."""
        words = [self._set_stroke(edge, width, "butt", join)] if edge and width else []
        words += [self._name_colour(fill) + " rg"] if fill else []
        paint = {(True, True): "B", (True, False): "f", (False, True): "S"}
        words += [outline, paint[bool(fill), bool(edge and width)]]
        self.items.append((level, " ".join(words)))

    def draw_text(self, text: str, place: tuple[float, float, float], style: TextStyle) -> None:
        """Write text at `place`: x and y of the start of its base line, and its angle in degrees.

        It stays text, so that readers can search and copy it; its halo is drawn beneath.
        """
        x, y, angle = place
        turned = math.radians(angle)
        along, across = math.cos(turned), math.sin(turned)
        typeface = load_typeface(bold=style.bold)
        letters = typeface.space_letters(text)
        used = self.page.used.setdefault(style.bold, {})
        used.update((number, letter) for (number, _), letter in zip(letters, text, strict=True))
        if style.halo:
            unit = 100 * style.size / typeface.units
            stroke = self._set_stroke("white", style.halo * 2 / unit, "round", "round")
            a, b = along * unit, across * unit
            turn = f"{a:.4f} {b:.4f} {-b:.4f} {a:.4f} {_scale(x)} {_scale(y)} cm"
            outlines = typeface.trace_letters(text)
            self.items.append((style.level - 0.5, f"q {turn} {stroke} {outlines} Q"))
        codes = "".join(
            f"{number:04x}" + (f"> {closer * 1000 / typeface.units:.0f} <" if closer else "")
            for number, closer in letters
        )
        turn = f"{along:.5f} {across:.5f} {-across:.5f} {along:.5f} {_scale(x)} {_scale(y)}"
        font = f"/F{int(style.bold)} {_scale(style.size)} Tf"
        colour = self._name_colour(style.colour)
        self.items.append((style.level, f"BT {colour} rg {font} {turn} Tm [<{codes}>] TJ ET"))

    def _set_stroke(
        self, colour: str, width: float, cap: Cap, join: Join, dashes: Sequence[float] = ()
    ) -> str:
        lengths = " ".join(str(_scale(dash * width)) for dash in dashes)
        edges = f"{CAPS[cap]} J {JOINS[join]} j"
        return f"{self._name_colour(colour)} RG {_scale(width)} w {edges} [{lengths}] 0 d"

    def _name_colour(self, colour: str) -> str:
        rgb = parse_colour(colour)
        return " ".join(f"{share:.3g}" for share in (self.tone(rgb) if self.tone else rgb))


@lru_cache(maxsize=256)
def parse_colour(colour: str) -> Colour:
    """Red, green and blue of "#rrggbb", "white" or "black".

    Examples
    --------
    >>> parse_colour("#00ff00")
    (0.0, 1.0, 0.0)
    """
    code = NAMED_COLOURS.get(colour, colour)
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def trace_rings(rings: Iterable[Points]) -> str:
    """Outline of closed rings of (v, 2) points, without repeating the first.

    A hole is a ring in the opposite direction.
    """
    return _trace(list(rings), close=" h")


def trace_rectangle(x: float, y: float, width: float, height: float) -> str:
    """Outline of a rectangle from its left and lower edge."""
    return f"{_scale(x)} {_scale(y)} {_scale(width)} {_scale(height)} re"


def trace_circle(x: float, y: float, radius: float) -> str:
    """Outline of a circle around a centre."""
    return trace_rounded(x - radius, y - radius, 2 * radius, 2 * radius, radius, handle=CIRCLE)


def trace_rounded(
    x: float, y: float, width: float, height: float, radius: float, *, handle: float = CORNER
) -> str:
    """Outline of a rectangle, from its left and lower edge, with rounded corners."""
    right, top, bend = x + width, y + height, radius * (1 - handle)
    numbers = [
        (x + radius, y), (right - radius, y),
        (right - bend, y, right, y + bend, right, y + radius), (right, top - radius),
        (right, top - bend, right - bend, top, right - radius, top), (x + radius, top),
        (x + bend, top, x, top - bend, x, top - radius), (x, y + radius),
        (x, y + bend, x + bend, y, x + radius, y),
    ]  # fmt: skip
    words = [" ".join(str(_scale(number)) for number in row) for row in numbers]
    return (
        " ".join(f"{row} {letter}" for row, letter in zip(words, "mlclclclc", strict=True)) + " h"
    )


def _trace(lines: Sequence[Points], close: str = "") -> str:
    numbers = np.rint(np.concatenate(lines) * 100).astype(np.int64).ravel().tolist()
    form = " ".join("%d %d m" + " %d %d l" * (len(line) - 1) + close for line in lines)
    return form % tuple(numbers)


def _scale(points: float) -> int:
    """Hundredths of a point."""
    return round(points * 100)


def _join_objects(objects: list[bytes]) -> bytes:
    """A PDF file of these objects, the first its catalogue."""
    content, starts = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, start=1):
        starts.append(len(content))
        content += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    count = len(objects) + 1
    rows = "".join(f"{start:010d} 00000 n \n" for start in starts)
    table = f"xref\n0 {count}\n0000000000 65535 f \n{rows}"
    tail = f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF\n"
    return content + (table + tail).encode()
