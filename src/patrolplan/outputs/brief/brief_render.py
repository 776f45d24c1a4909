"""A brief as lines for the terminal, as a document for other programs, and as one A4 page."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from patrolplan.hotspots.month_shuffles import RECENT_MONTHS
from patrolplan.hotspots.reasons import TrendReason
from patrolplan.hotspots.trends import EARLIER_MONTHS, FALSE_DISCOVERY_RATE
from patrolplan.outputs.brief.brief import (
    MAX_HOTSPOTS,
    MAX_REPORT_GROUPS,
    Brief,
    ChangedHotspot,
    ReportGroup,
)
from patrolplan.outputs.brief.crime_counts import CrimeSummary, ShownCount
from patrolplan.outputs.brief.periods import Period
from patrolplan.outputs.cartography.fonts import (
    copy_template,
    make_printable,
    open_template_folder,
    typeset,
)
from patrolplan.outputs.crew_words import name_member
from patrolplan.outputs.marking import find_marking
from patrolplan.outputs.note_words import describe_note, describe_notes
from patrolplan.outputs.output_folder import build_manifest_header, replace_folder, write_json
from patrolplan.outputs.reason_words import describe_reasons, join_words
from patrolplan.outputs.wording import (
    PURPOSE,
    SNAPPED_PLACES,
    format_metres,
    list_area_attributions,
)
from patrolplan.privacy import note_crime_grouping, note_low_threshold
from patrolplan.risk.history import note_guard
from patrolplan.team.week import Visitor
from patrolplan.text import capitalise, format_count, format_percent, pluralise, shorten

SCHEMA = 1

TEMPLATE = "brief.typ"
LONGEST_LINE = 200
"""Letters of one line of a list."""

LONGEST_ANSWER = 320
"""Letters of what the week does about a hotspot."""

LETTERS_PER_PRINTED_LINE = 100

LIST_LINE_ROWS = 0.75
"""A line of a list takes so much of a table's row."""

MAX_LOOSE_LINES = 28
"""With more lines, type and spaces are smaller, so that they fit on one page."""

MAX_STREETS_TIGHT = 4
"""Number of streets where space is scarce."""

LONGEST_NAME = 90
LONGEST_ROW = 30
"""Letters of a category or street, so that a row of a table is one line."""

MIN_SHOWN_SHARE = 0.005
"""A smaller share would print as 0 %."""

MAX_CATEGORIES = 10
"""Rows of the table; the settings may name any number of categories."""

RISING_NOTE = (
    '"Rising" means up by more than chance explains, allowing for how much earlier months vary, '
    "and more than a year before where there is data; about "
    f"{format_percent(FALSE_DISCOVERY_RATE)} of such findings may be chance all the same. Priority "
    f"streets: the last {RECENT_MONTHS} months are compared with the {EARLIER_MONTHS} before."
)
"""What "rising" and "new" mean."""


def describe_period(period: Period, *, by_day: bool) -> str:
    """A period in words: "July to September 2026", "10 to 30 September 2026"."""
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
    """Length of a period in words."""
    count, unit = (period.days, "day") if by_day else (period.months, "month")
    return format_count(count, unit)


def summarise_changes(brief: Brief) -> tuple[str, ...]:
    """Say what is rising or new, or that nothing is, and how much of it the week answers."""
    if brief.rising:
        names = "; ".join(
            f"{summary.name} ({summary.now.text}, usually {summary.usual.text})"
            for summary in brief.rising
        )
        crime = f"Rising, more than chance: {names}."
    else:
        crime = "No category of recorded crime is up by more than chance."
    within = f"within a walk of {format_metres(brief.area.settings.patrol.radius_metres)}"
    if brief.hotspots:
        count = format_count(len(brief.hotspots), "priority street", "priority streets")
        are = pluralise(len(brief.hotspots), "is", "are")
        return crime, f"{count} {within} {are} new or rising.", *_summarise_answers(brief)
    return crime, f"No priority street {within} is new or rising."


def _summarise_answers(brief: Brief) -> tuple[str, ...]:
    """How many new or rising streets the week at hand brings somebody to; nothing without one."""
    if not brief.week_days:
        return ()
    met = sum(spot.answer is not None and bool(spot.answer.visits) for spot in brief.hotspots)
    week = f"The week of {_format_week_start(brief)}"
    if len(brief.hotspots) == 1:
        return (f"{week} goes there." if met else f"{week} does not go there.",)
    number = "all" if met == len(brief.hotspots) else (str(met) if met else "none")
    return (f"{week} goes to {number} of them.",)


def _format_week_start(brief: Brief) -> str:
    first = brief.week_days[0]
    return f"{first.day} {first:%B}"


def describe_answer(brief: Brief, hotspot: ChangedHotspot) -> str:
    """Who goes to a hotspot and when in the week at hand, or why nobody does; empty without one."""
    answer = hotspot.answer
    if answer is None:
        return ""
    if answer.visits:
        by_patrol: dict[str, list[str]] = {}
        for one in answer.visits:
            by_patrol.setdefault(_describe_visitor(brief, one), []).append(
                f"{one.date:%A} {one.arrive}"
            )
        visits = "; ".join(f"{join_words(when)}, {who}" for who, when in by_patrol.items())
        return f"In the week of {_format_week_start(brief)}: {visits}."
    why = "no patrol goes there." if answer.why is None else describe_note(answer.why)
    return f"Not in the week of {_format_week_start(brief)}: {why}"


def _describe_visitor(brief: Brief, visit: Visitor) -> str:
    """Who comes, and from which school where it is another one."""
    names = dict(zip(brief.area.schools["urn"], brief.area.schools["name"], strict=True))
    school = "" if visit.urn == brief.urn else f" from {names.get(visit.urn, visit.urn)}"
    return f"{name_member(brief.area, visit.officer)}{school}"


def describe_basis(brief: Brief) -> tuple[str, ...]:
    """Say what was counted, what is approximate, and whose data it is; a line each."""
    radius = format_metres(brief.area.settings.patrol.radius_metres)
    before = describe_length(brief.periods.baseline, by_day=brief.periods.by_day)
    held = describe_held(brief)
    return (
        (
            f"Counted: recorded crime on streets within a walk of {radius} from the gate. "
            f'"Usual" is what the {before} before had on average in the same length of time.'
        ),
        RISING_NOTE,
        *([" ".join(held)] if held else []),
        _describe_data_limits(brief),
        " ".join(list_area_attributions(brief.area.name, snapped=brief.area.snapped)),
    )


def _describe_data_limits(brief: Brief) -> str:
    area, last = brief.area, brief.periods.current.last
    notes = [*note_guard(area.settings), *note_low_threshold(area.settings)]
    notes += area.accepted_checks
    if brief.periods.by_day:
        sentences = [f"The latest day in the data is {last.day} {last:%B %Y}."]
    else:
        sentences = [f"Only the month of each crime is known; the latest is {last:%B %Y}."]
    if area.settings.privacy.threshold_for_crime:
        notes.insert(0, note_crime_grouping(area.settings.privacy.threshold))
    elif area.snapped:
        sentences.append(
            f"Open data: crimes are {SNAPPED_PLACES}. Each crime is spread over "
            "these, and numbers are rounded."
        )
    if brief.without_day:
        sentences.append(
            "A crime of which only the month is known counts where the whole month counts."
        )
    return " ".join([*sentences, *describe_notes(notes)])


def describe_held(brief: Brief) -> list[str]:
    """How much of what is compared is missing; empty where nothing is."""
    if brief.held is None:
        return []
    periods, by_day = brief.periods, brief.periods.by_day
    lengths = [
        f"{format_number(held)} of {describe_length(period, by_day=by_day)} {when}"
        for held, period, when in zip(
            brief.held,
            (periods.current, periods.baseline),
            ("of this period", "before it"),
            strict=True,
        )
    ]
    sentence = (
        f"Months are missing from the data: {' and '.join(lengths)} are held. Counts cover only "
        'these; "usual" is for an equal period. "Rising": up, whatever the missing months held.'
    )
    sentences = [sentence]
    if brief.left_out_share >= MIN_SHOWN_SHARE:
        sentences.append(
            f"Left out: {brief.left_out_share:.0%} of the street within the walk, where too little "
            "is held."
        )
    return sentences


def format_number(number: float) -> str:
    """A number with at most one decimal place."""
    return f"{number:.1f}".removesuffix(".0")


def build_reports_title(brief: Brief) -> str:
    """Heading of the groups of reports."""
    return (
        "Pupils' reports of all dates, not only of this period "
        f"(groups of {brief.area.reports.threshold} or more, as ranges)"
    )


def describe_report_group(group: ReportGroup) -> str:
    """One group of reports in a line."""
    why = f": {', '.join(group.factors[:4])}" if group.factors else ""
    return f"around {group.place}: {group.min_reports} to {group.max_reports} reports{why}"


def describe_hotspot(hotspot: ChangedHotspot) -> str:
    """One hotspot in a line."""
    reasons = [one for one in hotspot.reasons if not isinstance(one, TrendReason)]
    why = "; ".join(describe_reasons(reasons))
    walk = f"{format_metres(hotspot.walk_metres)} from the gate"
    return f"{hotspot.hotspot} ({hotspot.trend}) {hotspot.place}, {walk}{f': {why}' if why else ''}"


def describe_total(count: ShownCount) -> str:
    """A number in words; a total that would give a suppressed number away is not shown."""
    return "not shown" if np.isinf(count.minimum) else count.text


def format_brief_lines(brief: Brief) -> list[str]:
    """The brief as lines of text for a terminal."""
    current, by_day = brief.periods.current, brief.periods.by_day
    length = describe_length(current, by_day=by_day)
    lines = [
        f"Brief for {brief.school} (URN {brief.urn}), {brief.area.name}",
        f"Recorded {describe_period(current, by_day=by_day)} ({length})",
        *summarise_changes(brief),
        "",
        *_format_table(brief),
    ]
    if brief.streets:
        lines += ["", "Where most was recorded (this period, usual):"]
        lines += [f"  {one.name}: {one.now.text}, {one.usual.text}" for one in brief.streets]
    if brief.hotspots:
        lines += ["", "New or rising priority streets:"]
        for spot in brief.hotspots[:MAX_HOTSPOTS]:
            lines += [f"  {describe_hotspot(spot)}"]
            lines += [f"    {answer}" for answer in [describe_answer(brief, spot)] if answer]
    if brief.reports:
        lines += ["", f"{build_reports_title(brief)}:"]
        lines += [
            f"  {describe_report_group(group)}" for group in brief.reports[:MAX_REPORT_GROUPS]
        ]
    return [*lines, "", *describe_basis(brief)]


def _format_table(brief: Brief) -> list[str]:
    """Counts by category and in all, in columns; text is set left, numbers are set right."""
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
    """The brief for other programs; a number that may not be shown is null."""
    periods, form = brief.periods, "%Y-%m-%d"
    return {
        "schema": SCHEMA,
        "area": brief.area.name,
        "urn": brief.urn,
        "school": brief.school,
        "asked_since": f"{brief.since:{form}}",
        "by_day": periods.by_day,
        "since": _format_period(periods.current),
        "year_before": None if periods.year_before is None else _format_period(periods.year_before),
        "usual_from": _format_period(periods.baseline),
        "latest": f"{periods.current.last:{form if periods.by_day else '%Y-%m'}}",
        "held": None if brief.held is None else [round(held, 2) for held in brief.held],
        "left_out_share": round(brief.left_out_share, 4),
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
    """Visits of the week at hand, and why there are none; nothing without a week."""
    if spot.answer is None:
        return {}
    visits = [
        {
            "officer": name_member(brief.area, one.officer),
            "urn": one.urn,
            "date": f"{one.date}",
            "arrive": one.arrive,
        }
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
    with open_template_folder() as folder:
        root = Path(folder)
        copy_template("patrolplan.outputs.brief", TEMPLATE, root)
        return typeset(root, TEMPLATE, build_sheet_data(brief))


def write_brief(brief: Brief, out: Path) -> None:
    """Write the page and the document as a folder, completely or not at all.

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
    """Texts of the page, for the template; bars as shares of the longest."""
    periods, by_day = brief.periods, brief.periods.by_day
    school = shorten(make_printable(brief.school), LONGEST_NAME)
    rows = _sort_summaries(brief.categories)[:MAX_CATEGORIES]
    spots = [
        {
            "text": _shorten_line(describe_hotspot(spot)),
            "answer": _shorten_line(describe_answer(brief, spot), LONGEST_ANSWER),
        }
        for spot in brief.hotspots[:MAX_HOTSPOTS]
    ]
    listed = [text for spot in spots for text in spot.values()]
    groups = [
        _shorten_line(capitalise(describe_report_group(group)))
        for group in brief.reports[:MAX_REPORT_GROUPS]
    ]
    lines = float(len(rows) + len(brief.streets))
    lines += LIST_LINE_ROWS * sum(
        math.ceil(len(text) / LETTERS_PER_PRINTED_LINE) for text in listed + groups
    )
    tight = lines > MAX_LOOSE_LINES
    return {
        "tight": tight,
        "title": f"Brief {make_printable(brief.urn)}: {school}",
        "marking": make_printable(
            find_marking(
                brief.area.settings.output.marking,
                (reason for spot in brief.hotspots for reason in spot.reasons),
            )
        ),
        "school": school,
        "subtitle": f"URN {make_printable(brief.urn)} · {make_printable(brief.area.name)}",
        "purpose": PURPOSE,
        "period": describe_period(periods.current, by_day=by_day),
        "length": describe_length(periods.current, by_day=by_day),
        "lead": [_shorten_line(text, 320) for text in summarise_changes(brief)],
        "usual": f"Usual ({describe_length(periods.baseline, by_day=by_day)} before)",
        "categories": _build_sheet_rows(rows),
        "more_categories": len(brief.categories) - len(rows),
        "total": _build_sheet_row(brief.total),
        "streets": _build_sheet_rows(brief.streets[: MAX_STREETS_TIGHT if tight else None]),
        "hotspots": spots,
        "more_hotspots": max(0, len(brief.hotspots) - MAX_HOTSPOTS),
        "reports_title": build_reports_title(brief),
        "reports": groups,
        "basis": [_shorten_line(text, 400) for text in describe_basis(brief)],
    }


def _sort_summaries(categories: tuple[CrimeSummary, ...]) -> list[CrimeSummary]:
    """Rising categories first, then by how much was recorded."""
    return sorted(categories, key=lambda summary: (not summary.rising, -(summary.now.value or 0.0)))


def _build_sheet_rows(summaries: Sequence[CrimeSummary]) -> list[dict[str, Any]]:
    """Rows with a bar and a mark, as shares of the longest; none for a suppressed number."""
    lengths = [summary.now.value or 0.0 for summary in summaries]
    lengths += [summary.usual.value or 0.0 for summary in summaries]
    longest = max(lengths, default=0.0) or 1.0
    rows = []
    for summary in summaries:
        now, usual = summary.now.value, summary.usual.value
        bar = 0.0 if now is None else round(now / longest, 4)
        mark = None if usual is None else round(usual / longest, 4)
        rows.append({**_build_sheet_row(summary), "bar": bar, "mark": mark})
    return rows


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
