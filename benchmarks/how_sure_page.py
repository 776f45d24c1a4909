"""The figures of docs/how-sure.md as text, by the template `how_sure.md.jinja`.

Each of its blocks is what stands between two markers of the page. All figures are those of the
JSON. Verdicts follow the figures: if an interval contains the value of no difference, the sentence
says that none is shown.
"""

from __future__ import annotations

import functools
import itertools
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Figures = dict[str, Any]
Row = dict[str, Any]

BLOCK = re.compile(
    r"(<!-- figures: (?P<name>[a-z-]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL
)
RULES = {
    "patrol": "patrols as planned here",
    "gate": "stays at the gate",
    "reference": "does the better of that and half an hour at the busiest corner",
    "gate_30": "leaves the gate after half an hour for any corner within 300 m",
}
"""The rules of standing in words."""

TEMPLATE = Path(__file__).with_name("how_sure.md.jinja")


def render_page(text: str, make: Callable[[str], str]) -> str:
    """The page with each of its blocks made from its name; other text is unchanged."""

    def replace(found: re.Match[str]) -> str:
        made = make(found["name"])
        return found[1] + (f"\n{made}\n\n" if made else "") + found[3]

    return BLOCK.sub(replace, text)


def render_block(name: str, figures: Figures) -> str:
    """One block of the template, its paragraphs wrapped; empty where its figures are absent."""
    template = _read_template()
    block = template.blocks[name.replace("-", "_")]
    text = "".join(block(template.new_context(figures)))
    parts: list[str] = []
    for verbatim, lines in itertools.groupby(text.strip().splitlines(), key=_is_verbatim):
        parts += lines if verbatim else [wrap(item) for item in _join_items(lines)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def list_blocks() -> list[str]:
    """The names of all blocks, as in the markers of the page."""
    return [name.replace("_", "-") for name in _read_template().blocks]


@functools.cache
def _read_template() -> jinja2.Template:
    environment = jinja2.Environment(  # noqa: S701 - Markdown, not a page
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.globals |= {
        "n": format,
        "rules": RULES,
        "judge": lambda holds: "holds" if holds else "**does not hold**",
        "ends": format_range,
        "side": lies_beyond,
        "change": say_change,
        "percent": say_percent,
        "find_exposure": find_exposure,
        "find_chosen": find_chosen,
        "find_worst": lambda rows: max(rows, key=lambda row: abs(row["estimate"])),
    }
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))


def _is_verbatim(line: str) -> bool:
    return not line.strip() or line.startswith(("|", "#", "!"))


def _join_items(lines: Iterable[str]) -> list[str]:
    """Paragraphs and list items, each in one line."""
    text = " ".join(line if line.startswith("- ") else line.strip() for line in lines)
    return re.split(r" (?=- )", text)


def format_range(row: Row, low: str = "low", high: str = "high", form: str = ".2f") -> str:
    """The ends of an interval."""
    return f"{row[low]:{form}} to {row[high]:{form}}"


def lies_beyond(row: Row, value: float, low: str = "low", high: str = "high") -> int:
    """1 if the whole interval is above a value, -1 if below, 0 if it contains the value."""
    return int(row[low] > value) - int(row[high] < value)


def find_exposure(found: Row, category: str) -> Row:
    """The row of a category at 5 %, ranked by count times the program's power of exposure."""
    rows = (row for row in found["pai"] if row["category"] == category and row["coverage"] == 0.05)  # noqa: PLR2004
    return next(row for row in rows if row["model"].startswith("count x exposure"))


def find_chosen(found: Row, coverage: float) -> list[Row]:
    """The chosen model's row of each category at one coverage; that of all crime comes last."""
    rows = [row for row in found["chosen"] if row["coverage"] == coverage]
    return sorted(rows, key=lambda row: bool(row["category"] == "all"))


def wrap(text: str) -> str:
    """A paragraph or list item, wrapped at 100 letters; "5 %" is not split."""
    indent = "  " if text.startswith("- ") else ""
    joined = text.replace(" %", "\0%")
    return textwrap.fill(joined, 100, subsequent_indent=indent).replace("\0%", " %")


def say_percent(share: float) -> str:
    """A share in percent, with few digits."""
    return f"{100 * share:.0f} %"


def say_change(change: float, beyond: int) -> str:
    """How much more or less, and whether it is significant."""
    amount = f"{say_percent(abs(change))} {'less' if change < 0 else 'more'}"
    return amount if beyond else f"{amount} (which may be chance)"
