"""The brief on paper: one A4 page, in the same hand as the card.

A brief in words: lines for the terminal, a document for other programs, and what it rests on.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from patrolplan.area.provenance import about
from patrolplan.hotspots.significance import EARLIER_MONTHS, FALSE_DISCOVERY_RATE, RECENT_MONTHS
from patrolplan.outputs.brief.brief import GROUPS, HOTSPOTS, Brief, ChangedHotspot, ReportGroup
from patrolplan.outputs.brief.crime_counts import Figure, Recorded
from patrolplan.outputs.brief.periods import Span
from patrolplan.outputs.cartography.fonts import lay_template, printable, typeset
from patrolplan.outputs.output_folder import whole_folder, write_json
from patrolplan.outputs.wording import PURPOSE, attributions_of, guard_off, metres
from patrolplan.privacy import crime_note
from patrolplan.text import counted, shortened

SCHEMA = 1

RISING = (
    f"Rising: more than chance over all categories together (false discovery rate "
    f"{FALSE_DISCOVERY_RATE:.0%}), beyond how much the months before swing, and more than a year "
    f"before where that is held. Priority streets: the last {RECENT_MONTHS} months against the "
    f"{EARLIER_MONTHS} before."
)
"""What "rising" and "new" mean."""


def span_words(span: Span, *, by_day: bool) -> str:
    """A span in words: "July to September 2026", "10 to 30 September 2026"."""
    first, last = span.start, span.last
    if not by_day:
        if span.months == 1:
            return f"{first:%B %Y}"
        return f"{first:%B}{'' if first.year == last.year else f' {first:%Y}'} to {last:%B %Y}"
    if first == last:
        return f"{first.day} {first:%B %Y}"
    month = "" if (first.year, first.month) == (last.year, last.month) else f" {first:%B}"
    year = "" if first.year == last.year else f" {first:%Y}"
    return f"{first.day}{month}{year} to {last.day} {last:%B %Y}"


def length_words(span: Span, *, by_day: bool) -> str:
    """How long a span is."""
    count, unit = (span.days, "day") if by_day else (span.months, "month")
    return counted(count, unit)


def lead(brief: Brief) -> tuple[str, ...]:
    """What is new, in a sentence or two; it says as plainly that nothing is."""
    if brief.rising:
        told = "; ".join(
            f"{one.name} ({one.now.said}, usually {one.usual.said})" for one in brief.rising
        )
        said = [f"Rising, more than chance: {told}."]
    else:
        said = ["No category of recorded crime is up by more than chance."]
    count = len(brief.hotspots)
    if count:
        streets = counted(count, "priority street is", "priority streets are")
        said.append(f"{streets} new or rising within the walk.")
    else:
        said.append("No priority street within the walk is new or rising.")
    return tuple(said)


def basis(brief: Brief) -> tuple[str, ...]:
    """What was counted, what is approximate, and whose data it is; a line each."""
    settings, by_day = brief.area.settings, brief.spans.by_day
    radius = metres(settings.patrol.radius_metres)
    before = length_words(brief.spans.before, by_day=by_day)
    said = [
        (
            f"Counted: recorded crime on streets within a walk of {radius} from the gate. "
            f"Usual: the mean of the {before} before, for as long a time."
        ),
        RISING,
        _places_and_times(brief),
        " ".join(attributions_of(brief.area.name, snapped=brief.area.snapped)),
    ]
    return tuple(line for line in said if line)


def _places_and_times(brief: Brief) -> str:
    area = brief.area
    said = []
    if brief.spans.by_day:
        said.append(f"Latest day held: {brief.spans.now.last:%Y-%m-%d}.")
    else:
        said.append(f"Months only, no days: the latest is {brief.spans.now.last:%B %Y}.")
    if area.settings.privacy.threshold_for_crime:
        said.append(crime_note(area.settings.privacy.threshold))
    elif area.snapped:
        said.append(
            "Open data: places approximate to a few streets, each crime spread over them; "
            "numbers are rounded."
        )
    if brief.without_day:
        said.append("Crimes without a day count only where their whole month does.")
    return " ".join([*said, *guard_off(area.settings)])


def reports_title(brief: Brief) -> str:
    """What stands above the groups of reports."""
    return (
        "Pupils' reports: all held, not only since then "
        f"(groups of {brief.area.reports.threshold} or more, as bands)"
    )


def report_words(group: ReportGroup) -> str:
    """One group of reports in a line."""
    why = f": {', '.join(group.factors[:4])}" if group.factors else ""
    return f"around {group.place}: {group.at_least} to {group.at_most} reports{why}"


def hotspot_words(spot: ChangedHotspot) -> str:
    """One hotspot in a line."""
    why = "; ".join(reason for reason in spot.reasons if not _repeats(reason, spot.trend))
    walk = f"{metres(spot.walk_metres)} from the gate"
    return f"{spot.hotspot} ({spot.trend}) {spot.place}, {walk}{f': {why}' if why else ''}"


def _repeats(reason: str, trend: str) -> bool:
    return reason.lower().startswith(trend)


def total_said(figure: Figure) -> str:
    """A sum in words; a sum that would tell a number held back is left out."""
    return "not shown" if np.isinf(figure.least) else figure.said


def brief_lines(brief: Brief) -> list[str]:
    """The brief as lines of text for a terminal."""
    by_day = brief.spans.by_day
    now = span_words(brief.spans.now, by_day=by_day)
    lines = [
        f"Brief for {brief.school} (URN {brief.urn}), {brief.area.name}",
        f"Recorded {now} ({length_words(brief.spans.now, by_day=by_day)})",
        *lead(brief),
        "",
        *_table(brief),
    ]
    if brief.streets:
        lines += ["", "Where most was recorded (since then, usual):"]
        lines += [f"  {one.name}: {one.now.said}, {one.usual.said}" for one in brief.streets]
    if brief.hotspots:
        lines += ["", "New or rising priority streets:"]
        lines += [f"  {hotspot_words(spot)}" for spot in brief.hotspots[:HOTSPOTS]]
    if brief.reports:
        lines += ["", f"{reports_title(brief)}:"]
        lines += [f"  {report_words(group)}" for group in brief.reports[:GROUPS]]
    return [*lines, "", *basis(brief)]


def _table(brief: Brief) -> list[str]:
    head = ("", "since then", "usual", "a year before", "")
    rows = [head, *(_text_cells(one, one.now.said) for one in brief.categories)]
    rows.append(_text_cells(brief.total, total_said(brief.total.now)))
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if k in {0, len(head) - 1} else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _text_cells(one: Recorded, now: str) -> tuple[str, ...]:
    mark = "RISING" if one.rising else ""
    return (one.name, now, total_said(one.usual), total_said(one.year_before), mark)


def brief_document(brief: Brief) -> dict[str, Any]:
    """The brief as one object for other programs; a number that may not be shown is null."""
    spans, form = brief.spans, "%Y-%m-%d"
    return {
        "schema": SCHEMA,
        "area": brief.area.name,
        "urn": brief.urn,
        "school": brief.school,
        "asked_since": f"{brief.since:{form}}",
        "by_day": spans.by_day,
        "since": _span(spans.now),
        "year_before": None if spans.year_before is None else _span(spans.year_before),
        "usual_from": _span(spans.before),
        "latest": f"{spans.now.last:{form if spans.by_day else '%Y-%m'}}",
        "radius_metres": brief.area.settings.patrol.radius_metres,
        "categories": [_recorded(one) for one in brief.categories],
        "all": _recorded(brief.total),
        "streets": [_recorded(one) for one in brief.streets],
        "hotspots": [
            {
                "id": spot.hotspot,
                "trend": spot.trend,
                "place": spot.place,
                "walk_metres": round(spot.walk_metres),
                "reasons": list(spot.reasons),
            }
            for spot in brief.hotspots
        ],
        "reports": {
            "since": None,
            "threshold": brief.area.reports.threshold,
            "groups": [
                {
                    "place": group.place,
                    "reports": f"{group.at_least} to {group.at_most}",
                    "factors": list(group.factors),
                }
                for group in brief.reports
            ],
        },
        "notes": [*lead(brief), *basis(brief)],
    }


def _span(span: Span) -> list[str]:
    return [f"{span.start:%Y-%m-%d}", f"{span.last:%Y-%m-%d}"]


def _recorded(one: Recorded) -> dict[str, Any]:
    numbers = {"recorded": one.now, "usual": one.usual, "year_before": one.year_before}
    return {
        "name": one.name,
        **{
            name: None if number.value is None else round(number.value, 2)
            for name, number in numbers.items()
        },
        "rising": one.rising,
        "chance": None if one.chance is None else round(one.chance, 6),
    }


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
