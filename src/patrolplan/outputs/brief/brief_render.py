"""The brief on paper: one A4 page, in the same hand as the card.

A brief in words: lines for the terminal, a document for other programs, and what it rests on.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from patrolplan.area.provenance import build_manifest_header
from patrolplan.hotspots.reasons import TREND_WORDS
from patrolplan.hotspots.significance import EARLIER_MONTHS, FALSE_DISCOVERY_RATE, RECENT_MONTHS
from patrolplan.outputs.brief.brief import (
    MAX_HOTSPOTS,
    MAX_REPORT_GROUPS,
    Brief,
    ChangedHotspot,
    ReportGroup,
)
from patrolplan.outputs.brief.crime_counts import CrimeSummary, ShownCount
from patrolplan.outputs.brief.periods import Period
from patrolplan.outputs.cartography.fonts import copy_template, make_printable, typeset
from patrolplan.outputs.output_folder import replace_folder, write_json
from patrolplan.outputs.wording import (
    PURPOSE,
    describe_guard_off,
    format_metres,
    list_area_attributions,
)
from patrolplan.privacy import describe_crime_grouping
from patrolplan.text import format_count, shorten

SCHEMA = 1

RISING_NOTE = (
    f"Rising: more than chance over all categories together (false discovery rate "
    f"{FALSE_DISCOVERY_RATE:.0%}), beyond how much the months before swing, and more than a year "
    f"before where that is held. Priority streets: the last {RECENT_MONTHS} months against the "
    f"{EARLIER_MONTHS} before."
)
"""What "rising" and "new" mean."""


def describe_period(period: Period, *, by_day: bool) -> str:
    """A span in words: "July to September 2026", "10 to 30 September 2026"."""
    first, last = period.start, period.last
    if not by_day:
        if period.months == 1:
            return f"{first:%B %Y}"
        return f"{first:%B}{'' if first.year == last.year else f' {first:%Y}'} to {last:%B %Y}"
    if first == last:
        return f"{first.day} {first:%B %Y}"
    month = "" if (first.year, first.month) == (last.year, last.month) else f" {first:%B}"
    year = "" if first.year == last.year else f" {first:%Y}"
    return f"{first.day}{month}{year} to {last.day} {last:%B %Y}"


def describe_length(period: Period, *, by_day: bool) -> str:
    """How long a span is."""
    count, unit = (period.days, "day") if by_day else (period.months, "month")
    return format_count(count, unit)


def summarise_changes(brief: Brief) -> tuple[str, ...]:
    """What is new, in a sentence or two; it says as plainly that nothing is."""
    if brief.rising:
        told = "; ".join(
            f"{one.name} ({one.now.text}, usually {one.usual.text})" for one in brief.rising
        )
        said = [f"Rising, more than chance: {told}."]
    else:
        said = ["No category of recorded crime is up by more than chance."]
    count = len(brief.hotspots)
    if count:
        streets = format_count(count, "priority street is", "priority streets are")
        said.append(f"{streets} new or rising within the walk.")
    else:
        said.append("No priority street within the walk is new or rising.")
    return tuple(said)


def describe_basis(brief: Brief) -> tuple[str, ...]:
    """What was counted, what is approximate, and whose data it is; a line each."""
    settings, by_day = brief.area.settings, brief.periods.by_day
    radius = format_metres(settings.patrol.radius_metres)
    before = describe_length(brief.periods.baseline, by_day=by_day)
    said = [
        (
            f"Counted: recorded crime on streets within a walk of {radius} from the gate. "
            f"Usual: the mean of the {before} before, for as long a time."
        ),
        RISING_NOTE,
        _describe_data_limits(brief),
        " ".join(list_area_attributions(brief.area.name, snapped=brief.area.snapped)),
    ]
    return tuple(line for line in said if line)


def _describe_data_limits(brief: Brief) -> str:
    area = brief.area
    said = []
    if brief.periods.by_day:
        said.append(f"Latest day held: {brief.periods.current.last:%Y-%m-%d}.")
    else:
        said.append(f"Months only, no days: the latest is {brief.periods.current.last:%B %Y}.")
    if area.settings.privacy.threshold_for_crime:
        said.append(describe_crime_grouping(area.settings.privacy.threshold))
    elif area.snapped:
        said.append(
            "Open data: places approximate to a few streets, each crime spread over them; "
            "numbers are rounded."
        )
    if brief.without_day:
        said.append("Crimes without a day count only where their whole month does.")
    return " ".join([*said, *describe_guard_off(area.settings)])


def build_reports_title(brief: Brief) -> str:
    """What stands above the groups of reports."""
    return (
        "Pupils' reports: all held, not only since then "
        f"(groups of {brief.area.reports.threshold} or more, as bands)"
    )


def describe_report_group(group: ReportGroup) -> str:
    """One group of reports in a line."""
    why = f": {', '.join(group.factors[:4])}" if group.factors else ""
    return f"around {group.place}: {group.min_reports} to {group.max_reports} reports{why}"


def describe_hotspot(hotspot: ChangedHotspot) -> str:
    """One hotspot in a line."""
    trend = TREND_WORDS.get(hotspot.trend)
    why = "; ".join(reason for reason in hotspot.reasons if reason != trend)
    walk = f"{format_metres(hotspot.walk_metres)} from the gate"
    return f"{hotspot.hotspot} ({hotspot.trend}) {hotspot.place}, {walk}{f': {why}' if why else ''}"


def describe_total(count: ShownCount) -> str:
    """A sum in words; a sum that would tell a number held back is left out."""
    return "not shown" if np.isinf(count.minimum) else count.text


def format_brief_lines(brief: Brief) -> list[str]:
    """The brief as lines of text for a terminal."""
    by_day = brief.periods.by_day
    now = describe_period(brief.periods.current, by_day=by_day)
    lines = [
        f"Brief for {brief.school} (URN {brief.urn}), {brief.area.name}",
        f"Recorded {now} ({describe_length(brief.periods.current, by_day=by_day)})",
        *summarise_changes(brief),
        "",
        *_format_table(brief),
    ]
    if brief.streets:
        lines += ["", "Where most was recorded (since then, usual):"]
        lines += [f"  {one.name}: {one.now.text}, {one.usual.text}" for one in brief.streets]
    if brief.hotspots:
        lines += ["", "New or rising priority streets:"]
        lines += [f"  {describe_hotspot(spot)}" for spot in brief.hotspots[:MAX_HOTSPOTS]]
    if brief.reports:
        lines += ["", f"{build_reports_title(brief)}:"]
        lines += [
            f"  {describe_report_group(group)}" for group in brief.reports[:MAX_REPORT_GROUPS]
        ]
    return [*lines, "", *describe_basis(brief)]


def _format_table(brief: Brief) -> list[str]:
    head = ("", "since then", "usual", "a year before", "")
    rows = [head, *(_format_table_row(one, one.now.text) for one in brief.categories)]
    rows.append(_format_table_row(brief.total, describe_total(brief.total.now)))
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if k in {0, len(head) - 1} else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _format_table_row(summary: CrimeSummary, now: str) -> tuple[str, ...]:
    mark = "RISING" if summary.rising else ""
    return (
        summary.name,
        now,
        describe_total(summary.usual),
        describe_total(summary.year_before),
        mark,
    )


def build_brief_document(brief: Brief) -> dict[str, Any]:
    """The brief as one object for other programs; a number that may not be shown is null."""
    spans, form = brief.periods, "%Y-%m-%d"
    return {
        "schema": SCHEMA,
        "area": brief.area.name,
        "urn": brief.urn,
        "school": brief.school,
        "asked_since": f"{brief.since:{form}}",
        "by_day": spans.by_day,
        "since": _format_period(spans.current),
        "year_before": None if spans.year_before is None else _format_period(spans.year_before),
        "usual_from": _format_period(spans.baseline),
        "latest": f"{spans.current.last:{form if spans.by_day else '%Y-%m'}}",
        "radius_metres": brief.area.settings.patrol.radius_metres,
        "categories": [_build_record(one) for one in brief.categories],
        "all": _build_record(brief.total),
        "streets": [_build_record(one) for one in brief.streets],
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
                    "reports": f"{group.min_reports} to {group.max_reports}",
                    "factors": list(group.factors),
                }
                for group in brief.reports
            ],
        },
        "notes": [*summarise_changes(brief), *describe_basis(brief)],
    }


def _format_period(period: Period) -> list[str]:
    return [f"{period.start:%Y-%m-%d}", f"{period.last:%Y-%m-%d}"]


def _build_record(summary: CrimeSummary) -> dict[str, Any]:
    numbers = {"recorded": summary.now, "usual": summary.usual, "year_before": summary.year_before}
    return {
        "name": summary.name,
        **{
            name: None if number.value is None else round(number.value, 2)
            for name, number in numbers.items()
        },
        "rising": summary.rising,
        "chance": None if summary.p_value is None else round(summary.p_value, 6),
    }


TEMPLATE = "brief.typ"
LONGEST_LINE = 200
"""Letters of one line of a list."""

LETTERS_PER_PRINTED_LINE = 100
"""Letters that stand on one printed line of a list."""

MAX_LOOSE_LINES = 28
"""With more lines, type and spaces become smaller, so that they stay on one page."""

MAX_STREETS_TIGHT = 4
"""Streets where space is scarce."""

LONGEST_NAME = 90
LONGEST_ROW = 30
"""Letters of a category or street, so that a row of a table stays one line."""

MAX_CATEGORIES = 10
"""Rows of the table; the settings may count any number of categories."""


def render_brief(brief: Brief) -> bytes:
    """Typeset a brief; equal briefs give equal bytes."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_template("patrolplan.outputs.brief", TEMPLATE, root)
        text = json.dumps(build_sheet_data(brief), ensure_ascii=False)
        (root / "brief.json").write_text(text, encoding="utf-8")
        return typeset(root, TEMPLATE)


def write_brief(brief: Brief, out: Path) -> None:
    """Write the page and the document as a folder, whole or not at all.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds files that are not in its manifest.
    """
    with replace_folder(out, build_manifest_header(brief.area)) as folder:
        name = re.sub("[^0-9A-Za-z_-]", "_", brief.urn)
        (folder / f"brief-{name}.pdf").write_bytes(render_brief(brief))
        write_json(folder / f"brief-{name}.json", build_brief_document(brief))


def build_sheet_data(brief: Brief) -> dict[str, Any]:
    """Everything that the page says, as strings for the template; bars as shares of the longest."""
    spans, by_day = brief.periods, brief.periods.by_day
    school = shorten(make_printable(brief.school), LONGEST_NAME)
    rows = _sort_summaries(brief.categories)[:MAX_CATEGORIES]
    spots = [_shorten_line(describe_hotspot(spot)) for spot in brief.hotspots[:MAX_HOTSPOTS]]
    groups = [
        _shorten_line(_capitalise(describe_report_group(group)))
        for group in brief.reports[:MAX_REPORT_GROUPS]
    ]
    lines = (
        len(rows)
        + len(brief.streets)
        + sum(-(-len(text) // LETTERS_PER_PRINTED_LINE) for text in spots + groups)
    )
    tight = lines > MAX_LOOSE_LINES
    return {
        "tight": tight,
        "title": f"Brief {make_printable(brief.urn)}: {school}",
        "marking": make_printable(brief.area.settings.output.marking),
        "school": school,
        "subtitle": f"URN {make_printable(brief.urn)} · {make_printable(brief.area.name)}",
        "purpose": PURPOSE,
        "period": describe_period(spans.current, by_day=by_day),
        "length": describe_length(spans.current, by_day=by_day),
        "lead": [_shorten_line(text, 320) for text in summarise_changes(brief)],
        "usual": f"Usual ({describe_length(spans.baseline, by_day=by_day)} before)",
        "categories": _build_sheet_rows(rows),
        "more_categories": len(brief.categories) - len(rows),
        "total": _build_sheet_row(brief.total),
        "streets": _build_sheet_rows(list(brief.streets[: MAX_STREETS_TIGHT if tight else None])),
        "hotspots": spots,
        "more_hotspots": max(0, len(brief.hotspots) - MAX_HOTSPOTS),
        "reports_title": build_reports_title(brief),
        "reports": groups,
        "basis": [_shorten_line(text, 400) for text in describe_basis(brief)],
    }


def _sort_summaries(categories: tuple[CrimeSummary, ...]) -> list[CrimeSummary]:
    """What rises first, then by how much was recorded."""
    return sorted(categories, key=lambda one: (not one.rising, -(one.now.value or 0.0)))


def _build_sheet_rows(summaries: list[CrimeSummary]) -> list[dict[str, Any]]:
    longest = max((_find_longest(one) for one in summaries), default=0.0) or 1.0
    return [_build_sheet_row(one) | _compute_bars(one, longest) for one in summaries]


def _find_longest(summary: CrimeSummary) -> float:
    return max(summary.now.value or 0.0, summary.usual.value or 0.0)


def _compute_bars(summary: CrimeSummary, longest: float) -> dict[str, Any]:
    """Lengths of bar and mark as shares of the longest; nothing drawn for a number held back."""
    return {
        "bar": 0.0 if summary.now.value is None else round(summary.now.value / longest, 4),
        "mark": None if summary.usual.value is None else round(summary.usual.value / longest, 4),
    }


def _build_sheet_row(summary: CrimeSummary) -> dict[str, Any]:
    return {
        "name": shorten(make_printable(summary.name), LONGEST_ROW - (8 if summary.rising else 0)),
        "now": describe_total(summary.now),
        "usual": describe_total(summary.usual),
        "year": describe_total(summary.year_before),
        "rising": summary.rising,
    }


def _shorten_line(text: str, max_letters: int = LONGEST_LINE) -> str:
    return shorten(make_printable(text), max_letters)


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
