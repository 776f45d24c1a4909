"""A brief as lines for the terminal, as a document for other programs, and as one A4 page."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from patrolplan.outputs.brief.brief import (
    MAX_PLACES,
    MAX_REPORT_GROUPS,
    Brief,
    BriefTasking,
    ChangedHotspot,
)
from patrolplan.outputs.brief.brief_words import (
    build_reports_title,
    describe_answer,
    describe_basis,
    describe_length,
    describe_period,
    describe_place,
    describe_report_group,
    describe_total,
    summarise_changes,
)
from patrolplan.outputs.brief.crime_counts import CrimeSummary, ShownCount
from patrolplan.outputs.brief.periods import Period
from patrolplan.outputs.cartography.fonts import make_printable, print_whole, typeset_template
from patrolplan.outputs.facts import find_marking, name_member
from patrolplan.outputs.output_folder import build_manifest_header, replace_folder, write_json
from patrolplan.outputs.reason_words import describe_reasons
from patrolplan.outputs.wording import PURPOSE
from patrolplan.text import capitalise, pick_fields, shorten

LONGEST_NAME = 90
"""Maximum letters of the name of a school, category or street."""

MAX_CATEGORIES = 10
"""Maximum rows of the table; the settings may name any number of categories."""


def format_brief_lines(brief: Brief) -> list[str]:
    """The brief as lines of text for a terminal."""
    current = brief.periods.current
    lines = [
        f"Brief for {brief.school} (URN {brief.urn}), {brief.area.name}",
        f"Recorded {describe_period(current)} ({describe_length(current)})",
        *summarise_changes(brief),
        "",
        *_format_table(brief),
    ]
    if brief.streets:
        lines += ["", "Where most was recorded (this period, usual):"]
        lines += [f"  {one.name}: {one.now.text}, {one.usual.text}" for one in brief.streets]
    if brief.hotspots:
        lines += ["", "New or rising priority streets:"]
        for spot in brief.hotspots[:MAX_PLACES]:
            lines += [f"  {describe_place(spot)}"]
            lines += [f"    {answer}" for answer in [describe_answer(brief, spot)] if answer]
    if brief.reports:
        lines += ["", f"{build_reports_title(brief)}:"]
        lines += [
            f"  {describe_report_group(group)}" for group in brief.reports[:MAX_REPORT_GROUPS]
        ]
    return [*lines, "", *describe_basis(brief)]


def _format_table(brief: Brief) -> list[str]:
    """Counts by category and in total, in columns; text is aligned left, numbers right."""
    rows: list[tuple[str, ...]] = [("", "this period", "usual", "a year before", "")]
    for summary in (*brief.categories, brief.total):
        counts = (summary.now, summary.usual, summary.year_before)
        mark = "RISING" if summary.rising else ""
        rows.append((summary.name, *(describe_total(count) for count in counts), mark))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            (
                name.ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True)),
                mark,
            )
        ).rstrip()
        for name, *numbers, mark in rows
    ]


def build_brief_document(brief: Brief) -> dict[str, Any]:
    """The brief for other programs; a suppressed number is null."""
    periods, form = brief.periods, "%Y-%m-%d"
    return {
        "schema": 1,
        "area": brief.area.name,
        "urn": brief.urn,
        "school": brief.school,
        "asked_since": f"{brief.since:{form}}",
        "by_day": periods.current.by_day,
        "since": _format_period(periods.current),
        "year_before": None if periods.year_before is None else _format_period(periods.year_before),
        "usual_from": _format_period(periods.baseline),
        "latest": f"{periods.current.last:{form if periods.current.by_day else '%Y-%m'}}",
        "held": None if brief.held is None else [round(held, 2) for held in brief.held],
        "radius_metres": brief.area.settings.patrol.radius_metres,
        "categories": [_build_record(one) for one in brief.categories],
        "all": _build_record(brief.total),
        "streets": [_build_record(one) for one in brief.streets],
        "week": [f"{day}" for day in brief.week_days],
        "hotspots": [
            {
                "id": spot.hotspot,
                "trend": spot.trend,
                "place": spot.place,
                "walk_metres": round(spot.walk_metres),
                "reasons": describe_reasons(spot.reasons),
                **_build_answer_record(brief, spot),
            }
            for spot in brief.hotspots
        ],
        "tasked": [describe_place(one) for one in brief.taskings],
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


def _build_answer_record(brief: Brief, spot: ChangedHotspot) -> dict[str, Any]:
    """Visits of the given week, and why there are none; empty without a week."""
    if spot.answer is None:
        return {}
    visits = [
        {"officer": name_member(brief.area, one.officer)}
        | pick_fields(one, "urn", "date", "arrive")
        for one in spot.answer.visits
    ]
    return {"visits": visits, "why": None if visits else describe_answer(brief, spot)}


def _format_period(period: Period) -> list[str]:
    return [f"{period.start:%Y-%m-%d}", f"{period.last:%Y-%m-%d}"]


def _build_record(summary: CrimeSummary) -> dict[str, Any]:
    return {
        "name": summary.name,
        "recorded": _round_count(summary.now),
        "usual": _round_count(summary.usual),
        "year_before": _round_count(summary.year_before),
        "rising": summary.rising,
        "chance": None if summary.p_value is None else round(summary.p_value, 6),
    }


def _round_count(count: ShownCount) -> float | None:
    return None if count.value is None else round(count.value, 2)


def render_brief(brief: Brief) -> bytes:
    """Typeset a brief as PDF; equal briefs give equal bytes."""
    return typeset_template(__package__, "brief.typ", build_sheet_data(brief))


def write_brief(brief: Brief, out: Path) -> None:
    """Write the page and the document as a folder, completely or not at all."""
    with replace_folder(out, build_manifest_header(brief.area)) as folder:
        name = re.sub("[^0-9A-Za-z_-]", "_", brief.urn)
        (folder / f"brief-{name}.pdf").write_bytes(render_brief(brief))
        write_json(folder / f"brief-{name}.json", build_brief_document(brief))


def build_sheet_data(brief: Brief) -> dict[str, Any]:
    """Texts of the page, for the template; bars as shares of the longest."""
    periods = brief.periods
    school = shorten(make_printable(brief.school), LONGEST_NAME)
    rows = _sort_summaries(brief.categories)[:MAX_CATEGORIES]
    return {
        "title": f"Brief {make_printable(brief.urn)}: {school}",
        "marking": make_printable(
            find_marking(brief.area, places=(spot.reasons for spot in brief.hotspots))
        ),
        "school": school,
        "subtitle": f"URN {make_printable(brief.urn)} · {make_printable(brief.area.name)}",
        "purpose": PURPOSE,
        "period": describe_period(periods.current),
        "length": describe_length(periods.current),
        "lead": [*map(print_whole, summarise_changes(brief))],
        "usual": f"Usual ({describe_length(periods.baseline)} before)",
        "categories": _build_sheet_rows(rows),
        "more_categories": len(brief.categories) - len(rows),
        "total": _build_sheet_row(brief.total),
        "streets": _build_sheet_rows(brief.streets),
        "places": [
            {"title": title, "rows": rows[:MAX_PLACES], "more": max(0, len(rows) - MAX_PLACES)}
            for title, rows in (
                ("New or rising priority streets", _build_places(brief, brief.hotspots)),
                ("Tasked for this school", _build_places(brief, brief.taskings)),
            )
        ],
        "reports_title": build_reports_title(brief),
        "reports": [
            print_whole(capitalise(describe_report_group(group)))
            for group in brief.reports[:MAX_REPORT_GROUPS]
        ],
        "basis": [*map(print_whole, describe_basis(brief))],
    }


def _build_places(
    brief: Brief, places: Sequence[ChangedHotspot | BriefTasking]
) -> list[dict[str, str]]:
    """What is new or tasked at each place, and what the week does about it."""
    return [
        {
            "text": print_whole(describe_place(one)),
            "answer": print_whole(describe_answer(brief, one)),
        }
        for one in places
    ]


def _sort_summaries(categories: tuple[CrimeSummary, ...]) -> list[CrimeSummary]:
    """Categories in order: rising ones first, then by how much was recorded."""
    return sorted(categories, key=lambda summary: (not summary.rising, -(summary.now.value or 0.0)))


def _build_sheet_rows(summaries: Sequence[CrimeSummary]) -> list[dict[str, Any]]:
    """Rows with a bar and a mark, as shares of the longest; without for a suppressed number."""
    lengths = [count.value or 0.0 for one in summaries for count in (one.now, one.usual)]
    longest = max(lengths, default=0.0) or 1.0
    return [
        _build_sheet_row(summary)
        | {
            "bar": round((summary.now.value or 0.0) / longest, 4),
            "mark": None
            if summary.usual.value is None
            else round(summary.usual.value / longest, 4),
        }
        for summary in summaries
    ]


def _build_sheet_row(summary: CrimeSummary) -> dict[str, Any]:
    return {
        "name": shorten(make_printable(summary.name), LONGEST_NAME),
        "now": describe_total(summary.now),
        "usual": describe_total(summary.usual),
        "year": describe_total(summary.year_before),
        "rising": summary.rising,
    }
