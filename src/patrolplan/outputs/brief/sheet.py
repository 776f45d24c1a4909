"""The brief on paper: one A4 page, in the same hand as the card."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from patrolplan.area.provenance import about
from patrolplan.outputs.brief.brief import GROUPS
from patrolplan.outputs.brief.brief import HOTSPOTS
from patrolplan.outputs.brief.brief import Brief
from patrolplan.outputs.brief.recorded import Recorded
from patrolplan.outputs.brief.told import basis
from patrolplan.outputs.brief.told import brief_document
from patrolplan.outputs.brief.told import hotspot_words
from patrolplan.outputs.brief.told import lead
from patrolplan.outputs.brief.told import length_words
from patrolplan.outputs.brief.told import report_words
from patrolplan.outputs.brief.told import reports_title
from patrolplan.outputs.brief.told import span_words
from patrolplan.outputs.brief.told import total_said
from patrolplan.outputs.card.lettering import printable
from patrolplan.outputs.card.press import lay_template
from patrolplan.outputs.card.press import typeset
from patrolplan.outputs.files import whole_folder
from patrolplan.outputs.files import write_json
from patrolplan.outputs.short import shortened
from patrolplan.outputs.wording import PURPOSE

TEMPLATE = "brief.typ"
LONGEST_LINE = 200
"""Letters of one line of a list."""

LINE = 100
"""Letters that stand on one printed line of a list."""

AIRY_LINES = 28
"""With more lines, type and spaces become smaller, so that they stay on one page."""

FEW_STREETS = 4
"""Streets where space is scarce."""

LONGEST_NAME = 90
LONGEST_ROW = 30
"""Letters of a category or street, so that a row of a table stays one line."""

MOST_CATEGORIES = 10
"""Rows of the table; the settings may count any number of categories."""


def render_brief(brief: Brief) -> bytes:
    """Typeset a brief; equal briefs give equal bytes."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lay_template("patrolplan.outputs.brief", TEMPLATE, root)
        text = json.dumps(sheet_data(brief), ensure_ascii=False)
        (root / "brief.json").write_text(text, encoding="utf-8")
        return typeset(root, TEMPLATE)


def write_brief(brief: Brief, out: Path) -> None:
    """Write the page and the document as a folder, whole or not at all.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds files that are not in its manifest.
    """
    with whole_folder(out, about(brief.area)) as folder:
        name = re.sub("[^0-9A-Za-z_-]", "_", brief.urn)
        (folder / f"brief-{name}.pdf").write_bytes(render_brief(brief))
        write_json(folder / f"brief-{name}.json", brief_document(brief))


def sheet_data(brief: Brief) -> dict[str, Any]:
    """Everything that the page says, as strings for the template; bars as shares of the longest."""
    spans, by_day = brief.spans, brief.spans.by_day
    school = shortened(printable(brief.school), LONGEST_NAME)
    rows = _most_first(brief.categories)[:MOST_CATEGORIES]
    spots = [_line(hotspot_words(spot)) for spot in brief.hotspots[:HOTSPOTS]]
    groups = [_line(_capital(report_words(group))) for group in brief.reports[:GROUPS]]
    lines = len(rows) + len(brief.streets) + sum(-(-len(text) // LINE) for text in spots + groups)
    tight = lines > AIRY_LINES
    return {
        "tight": tight,
        "title": f"Brief {printable(brief.urn)}: {school}",
        "marking": printable(brief.area.settings.output.marking),
        "school": school,
        "subtitle": f"URN {printable(brief.urn)} · {printable(brief.area.name)}",
        "purpose": PURPOSE,
        "period": span_words(spans.now, by_day=by_day),
        "length": length_words(spans.now, by_day=by_day),
        "lead": [_line(text, 320) for text in lead(brief)],
        "usual": f"Usual ({length_words(spans.before, by_day=by_day)} before)",
        "categories": _rows(rows),
        "more_categories": len(brief.categories) - len(rows),
        "total": _cells(brief.total),
        "streets": _rows(list(brief.streets[: FEW_STREETS if tight else None])),
        "hotspots": spots,
        "more_hotspots": max(0, len(brief.hotspots) - HOTSPOTS),
        "reports_title": reports_title(brief),
        "reports": groups,
        "basis": [_line(text, 400) for text in basis(brief)],
    }


def _most_first(categories: tuple[Recorded, ...]) -> list[Recorded]:
    """What rises first, then by how much was recorded."""
    return sorted(categories, key=lambda one: (not one.rising, -(one.now.value or 0.0)))


def _rows(recorded: list[Recorded]) -> list[dict[str, Any]]:
    longest = max((_longest(one) for one in recorded), default=0.0) or 1.0
    return [_cells(one) | _bars(one, longest) for one in recorded]


def _longest(one: Recorded) -> float:
    return max(one.now.value or 0.0, one.usual.value or 0.0)


def _bars(one: Recorded, longest: float) -> dict[str, Any]:
    """Lengths of bar and mark as shares of the longest; nothing drawn for a number held back."""
    return {
        "bar": 0.0 if one.now.value is None else round(one.now.value / longest, 4),
        "mark": None if one.usual.value is None else round(one.usual.value / longest, 4),
    }


def _cells(one: Recorded) -> dict[str, Any]:
    return {
        "name": shortened(printable(one.name), LONGEST_ROW - (8 if one.rising else 0)),
        "now": total_said(one.now),
        "usual": total_said(one.usual),
        "year": total_said(one.year_before),
        "rising": one.rising,
    }


def _line(text: str, most: int = LONGEST_LINE) -> str:
    return shortened(printable(text), most)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
