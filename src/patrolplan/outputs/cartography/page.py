"""The page that a map is drawn on: an SVG picture, which typst sets into a paper as it is.

Windows clip their content; items are drawn by level, then by call, in whole hundredths of a point.
"""

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2) points of the page
Cap = Literal["butt", "round", "square"]


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

    def add_window(
        self, place: tuple[float, float, float, float], *, tone: Callable[[str], str] | None = None
    ) -> "Window":
        """Add a window at this left and lower edge, of this size; `tone` changes its colours."""
        window = Window(self, place, tone)
        self.windows.append(window)
        return window

    def write(self) -> bytes:
        """The page as an SVG picture; equal drawings give equal bytes."""
        size = f'width="{_scale(self.width) / 100}pt" height="{_scale(self.height) / 100}pt"'
        box = f"0 {_scale(-self.height)} {_scale(self.width)} {_scale(self.height)}"
        fonts = 'font-family="DejaVu Sans" font-stretch="condensed" xml:space="preserve"'
        space = 'xmlns="http://www.w3.org/2000/svg"'
        head = f'<svg {space} {size} viewBox="{box}" fill="none" {fonts}>'
        return "\n".join([head, *(window.write() for window in self.windows), "</svg>"]).encode()


@dataclass(eq=False)
class Window:
    """Part of a page, in points from its own lower left corner."""

    page: Page
    place: tuple[float, float, float, float]
    tone: Callable[[str], str] | None = None
    items: list[tuple[float, str]] = field(default_factory=list)  # Level and element of each item

    def write(self) -> str:
        """All items in their order, cut off at the window's edges."""
        left, low, width, height = map(_scale, self.place)
        place = f'x="{left}" y="{-low - height}" width="{width}" height="{height}"'
        body = "\n".join(words for _, words in sorted(self.items, key=lambda item: item[0]))
        return f'<svg {place} viewBox="0 {-height} {width} {height}">\n{body}\n</svg>'

    def draw_lines(
        self,
        lines: Sequence[Points],
        colour: str,
        width: float,
        level: float,
        *,
        dashes: Sequence[float] = (),
        cap: Cap = "round",
    ) -> None:
        """Draw (v, 2) lines in one style; dashes are in multiples of the width."""
        if len(lines):
            stroke = self._set_stroke(colour, width, "round")
            lengths = " ".join(str(_scale(dash * width)) for dash in dashes)
            gaps = f' stroke-dasharray="{lengths}"' if lengths else ""
            path = f'<path d="{_trace(lines)}" {stroke} stroke-linecap="{cap}"{gaps}/>'
            self.items.append((level, path))

    def draw_shape(
        self,
        outline: str,
        level: float,
        *,
        fill: str = "",
        edge: str = "",
        width: float = 1.0,
        join: Literal["miter", "round"] = "miter",
    ) -> None:
        """Draw the inside of an outline, and its edge; see `trace_rings` and the others."""
        paint = f' fill="{self._name_colour(fill)}"' if fill else ""
        paint += f" {self._set_stroke(edge, width, join)}" if edge and width else ""
        self.items.append((level, f'<path d="{outline}"{paint}/>'))

    def draw_text(self, text: str, place: tuple[float, float, float], style: TextStyle) -> None:
        """Write text, and its halo beneath; `place` is the start of its base line and its angle."""
        x, y, angle = place
        turned = f"translate({_scale(x)} {_scale(-y)}) rotate({-angle:.4f})"
        look = f'font-size="{_scale(style.size)}" fill="{self._name_colour(style.colour)}"'
        look += ' font-weight="bold"' if style.bold else ""
        if style.halo:
            look += f' {self._set_stroke("white", style.halo * 2, "round")} paint-order="stroke"'
        words = f'<text transform="{turned}" {look}>{html.escape(text)}</text>'
        self.items.append((style.level, words))

    def _set_stroke(self, colour: str, width: float, join: str) -> str:
        edges = f'stroke-width="{_scale(width)}" stroke-linejoin="{join}"'
        return f'stroke="{self._name_colour(colour)}" {edges}'

    def _name_colour(self, colour: str) -> str:
        return self.tone(colour) if self.tone else colour


def trace_rings(rings: Iterable[Points]) -> str:
    """Outline of closed rings of (v, 2) points; a hole runs in the opposite direction."""
    return _trace(list(rings), close="z")


def trace_rectangle(x: float, y: float, width: float, height: float) -> str:
    """Outline of a rectangle from its left and lower edge."""
    return f"M{_scale(x)} {_scale(-y)}h{_scale(width)}v{_scale(-height)}h{_scale(-width)}z"


def trace_circle(x: float, y: float, radius: float) -> str:
    """Outline of a circle around a centre."""
    r = _scale(radius)
    return f"M{_scale(x + radius)} {_scale(-y)}a{r} {r} 0 1 0 {-2 * r} 0a{r} {r} 0 1 0 {2 * r} 0z"


def trace_rounded(x: float, y: float, width: float, height: float, radius: float) -> str:
    """Outline of a rectangle, from its left and lower edge, with rounded corners."""
    r, left, low = _scale(radius), _scale(x), _scale(-y)
    right, top = left + _scale(width), low - _scale(height)
    lower = f"M{left + r} {low}H{right - r}Q{right} {low} {right} {low - r}V{top + r}"
    upper = f"Q{right} {top} {right - r} {top}H{left + r}Q{left} {top} {left} {top + r}"
    return f"{lower}{upper}V{low - r}Q{left} {low} {left + r} {low}z"


def _trace(lines: Sequence[Points], close: str = "") -> str:
    numbers = np.rint(np.concatenate(lines) * (100, -100)).astype(np.int64).ravel().tolist()
    form = "".join("M%d %d" + " %d %d" * (len(line) - 1) + close for line in lines)
    return form % tuple(numbers)


def _scale(points: float) -> int:
    """Hundredths of a point."""
    return round(points * 100)
