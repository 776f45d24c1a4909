"""A brief for the terminal and as one A4 page, in the same sentences, and as a document."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from patrolplan.hotspots.crime_counts import CrimeSummary
from patrolplan.hotspots.trends import EARLIER_MONTHS, FALSE_DISCOVERY_RATE, RECENT_MONTHS
from patrolplan.notes import list_texts
from patrolplan.outputs import wording
from patrolplan.outputs.cartography.fonts import make_printable, print_whole, typeset_template
from patrolplan.outputs.output_folder import build_manifest_header, replace_folder, write_json
from patrolplan.outputs.reason_words import describe_factor, tell_reasons
from patrolplan.patrols.marking import find_marking
from patrolplan.privacy import note_crime_grouping, note_low_threshold
from patrolplan.risk.history import note_guard
from patrolplan.team.brief import Brief, BriefTasking, ChangedHotspot, ReportGroup
from patrolplan.text import capitalise, format_count, format_percent, join_words, pluralise, shorten

if TYPE_CHECKING:
    from patrolplan.patrols.demands import DemandKind

LONGEST_NAME = 90  # Maximum letters of the name of a school, category or street
MAX_CATEGORIES, MAX_PLACES, MAX_REPORT_GROUPS = 10, 5, 4  # Rows that fit on one page

RISING_NOTE = (
    '"Rising" means up by more than chance explains, allowing for how much earlier months vary, '
    "and more than a year before where there is data; about "
    f"{format_percent(FALSE_DISCOVERY_RATE)} of such findings may be chance all the same. Priority "
    f"streets: the last {RECENT_MONTHS} months are compared with the {EARLIER_MONTHS} before."
)  # The meaning of "rising" and "new"


def format_brief_lines(brief: Brief) -> list[str]:
    """The brief as lines of text for a terminal, in the words of the page."""
    sheet = build_sheet_data(brief)
    cells = [("", "this period", "usual", "a year before", "")]
    for row in (*sheet["categories"], sheet["total"]):
        mark = "RISING" if row["rising"] else ""
        cells.append((row["name"], row["now"], row["usual"], row["year"], mark))
    first, *widths = (max(map(len, column)) for column in zip(*cells, strict=True))
    title = f"Brief for {sheet['school']} (URN {brief.urn}), {brief.area.name}"
    lines = [title, f"Recorded {sheet['period']} ({sheet['length']})", *sheet["lead"], ""]
    for name, *numbers, mark in cells:
        parts = (name.ljust(first), *map(str.rjust, numbers, widths), mark)
        lines.append("  ".join(parts).rstrip())
    if more := sheet["more_categories"]:
        lines.append(f"and {more} more categories, counted in the sum")
    streets = [f"{row['name']}: {row['now']}, {row['usual']}" for row in sheet["streets"]]
    lists = [("Where most was recorded (this period, usual)", streets)]
    for kind in sheet["places"]:
        rows = [line for row in kind["rows"] for line in (row["text"], f"  {row['answer']}")]
        more = f"and {kind['more']} more" if kind["more"] else ""
        lists.append((kind["title"], [*rows, more]))
    for title, rows in (*lists, (sheet["reports_title"], sheet["reports"])):
        printed = [f"  {row}" for row in rows if row.strip()]
        lines += ["", f"{title}:", *printed] if printed else []
    return [*lines, "", *sheet["basis"]]


def _tell_group(group: ReportGroup) -> str:
    """A group of reports: where, from how many to how many, and what is reported."""
    factors = ", ".join(map(describe_factor, group.factors[:4]))
    words = capitalise(f"{group.place}, {group.number} reports")
    return print_whole(f"{words}: {factors}" if factors else words)


def build_brief_document(brief: Brief) -> dict[str, Any]:
    """The facts of a brief for other programs; a suppressed number is null."""
    facts = TypeAdapter(Brief).dump_python(brief, mode="json")
    for group in facts["reports"]:
        group["factors"] = list(map(describe_factor, group["factors"]))
    return {"schema": 2, "area": brief.area.name, **facts}


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
    rising_first = sorted(brief.categories, key=lambda one: (not one.rising, -(one.now.value or 0)))
    spots = (spot.reasons for spot in brief.hotspots)
    demands: list[DemandKind] = ["tasked"] if brief.taskings else []
    return {
        "title": f"Brief {make_printable(brief.urn)}: {school}",
        "marking": make_printable(find_marking(brief.area, places=spots, demands=demands)),
        "school": school,
        "subtitle": f"URN {make_printable(brief.urn)} · {make_printable(brief.area.name)}",
        "purpose": wording.PURPOSE,
        "period": periods.current.dates,
        "length": periods.current.words,
        "lead": [*map(print_whole, summarise_changes(brief))],
        "usual": f"Usual ({periods.baseline.words} before)",
        "categories": _build_rows(rising_first[:MAX_CATEGORIES]),
        "more_categories": max(0, len(rising_first) - MAX_CATEGORIES),
        "total": _build_rows([brief.total])[0],
        "streets": _build_rows(brief.streets),
        "places": [
            _build_list(brief, "New or rising priority streets", brief.hotspots),
            _build_list(brief, "Tasked for this school", brief.taskings),
        ],
        "reports_title": "Pupils' reports of all dates, not only of this period "
        f"(groups of {brief.area.reports.threshold} or more)",
        "reports": [_tell_group(group) for group in brief.reports[:MAX_REPORT_GROUPS]],
        "basis": [*map(print_whole, _describe_basis(brief))],
    }


def _build_rows(summaries: Sequence[CrimeSummary]) -> list[dict[str, Any]]:
    """Rows with a bar and a mark, as shares of the longest; without for a suppressed number."""
    lengths = [count.value or 0.0 for one in summaries for count in (one.now, one.usual)]
    longest = max(lengths, default=0.0) or 1.0
    return [
        {
            "name": shorten(make_printable(one.name), LONGEST_NAME),
            "now": one.now.text,
            "usual": one.usual.text,
            "year": one.year_before.text,
            "rising": one.rising,
            "bar": round((one.now.value or 0.0) / longest, 4),
            "mark": None if one.usual.value is None else round(one.usual.value / longest, 4),
        }
        for one in summaries
    ]


def summarise_changes(brief: Brief) -> tuple[str, ...]:
    """Sentences on what is rising or new, if anything, and how much of it the week visits."""
    rising = [one for one in brief.categories if one.rising]
    rising.sort(key=lambda one: (one.p_value, one.name))
    if brief.held is not None:
        both = zip(brief.held, (brief.periods.current, brief.periods.baseline), strict=True)
        held = (f"{share:.1f}".removesuffix(".0") + f" of {one.words}" for share, one in both)
        now, before = held
        crime = (
            f"Months are missing from the data: {now} of this period and {before} before it are "
            "held. Counts cover only these and are not compared."
        )
    elif rising:
        names = (f"{one.name} ({one.now.text}, usually {one.usual.text})" for one in rising)
        crime = f"Rising, more than chance: {'; '.join(names)}."
    else:
        crime = "No category of recorded crime is up by more than chance."
    within = f"within a walk of {wording.format_metres(brief.area.settings.patrol.radius_metres)}"
    if not brief.hotspots:
        return crime, f"No priority street {within} is new or rising."
    count = format_count(len(brief.hotspots), "priority street")
    are = pluralise(len(brief.hotspots), "is", "are")
    changed = f"{count} {within} {are} new or rising."
    if not brief.week_days:
        return crime, changed
    met = sum(spot.answer is not None and bool(spot.answer.visits) for spot in brief.hotspots)
    if len(brief.hotspots) == 1:
        return crime, changed, f"The {_name_week(brief)} {'goes' if met else 'does not go'} there."
    number = "all" if met == len(brief.hotspots) else met or "none"
    return crime, changed, f"The {_name_week(brief)} goes to {number} of them."


def _name_week(brief: Brief) -> str:
    return f"week of {brief.week_days[0].day} {brief.week_days[0]:%B}"


def describe_answer(brief: Brief, place: ChangedHotspot | BriefTasking) -> str:
    """Who visits a place in the given week and when, or why no one does; empty without a week."""
    answer = place.answer
    if answer is None:
        return ""
    names = dict(zip(brief.area.schools["urn"], brief.area.schools["name"], strict=True))
    by_patrol: dict[str, dict[str, list[str]]] = {}
    for one in answer.visits:
        school = "" if one.urn == brief.urn else f" from {names.get(one.urn, one.urn)}"
        days = by_patrol.setdefault(f"{one.officer}{school}", {})
        days.setdefault(f"{one.date:%A}", []).append(one.arrive)
    if by_patrol:
        visits = (
            f"{'; '.join(f'{day} {join_words(times)}' for day, times in days.items())}, {who}"
            for who, days in by_patrol.items()
        )
        return f"In the {_name_week(brief)}: {'; '.join(visits)}."
    why = "no patrol goes there" if answer.why is None else answer.why.tell_lead()
    return f"Not in the {_name_week(brief)}: {why}."


def _describe_basis(brief: Brief) -> tuple[str, ...]:
    """Lines on what was counted, what is approximate, and the source of the data."""
    area, periods = brief.area, brief.periods
    last, settings = periods.current.last, brief.area.settings
    radius = wording.format_metres(settings.patrol.radius_metres)
    notes = [*note_guard(settings), *note_low_threshold(settings), *area.accepted_checks]
    limits = f"Only the month of each crime is known; the latest is {last:%B %Y}."
    if periods.current.by_day:
        limits = (
            f"The latest day in the data is {last.day} {last:%B %Y}. A crime of which only the "
            "month is known counts where the whole month counts."
        )
    if settings.privacy.threshold_for_crime:
        notes.insert(0, note_crime_grouping(settings.privacy.threshold))
    elif area.snapped:
        limits += (
            f" Open data: crimes are {wording.SNAPPED_PLACES}. Each crime is spread over these, "
            "and numbers are rounded."
        )
    counted = (
        f"Counted: recorded crime on streets within a walk of {radius} from the gate. "
        f'"Usual" is what the {periods.baseline.words} before had on average in the same length '
        "of time."
    )
    sources = " ".join(wording.list_area_attributions(area.name, snapped=area.snapped))
    return counted, RISING_NOTE, " ".join([limits, *list_texts(notes)]), sources


def _build_list(
    brief: Brief, title: str, places: Sequence[ChangedHotspot | BriefTasking]
) -> dict[str, Any]:
    """What is new or rising at places, or what is tasked there, in a line each."""
    rows = []
    for one in places[:MAX_PLACES]:
        if isinstance(one, BriefTasking):
            do, why = "Go to" if one.must_visit else "Keep away from", one.tasking
            text = f"{do} {why.place_id}, {one.place}. {wording.describe_tasking(why)}."
        else:
            told = " ".join(f"{line.text}{line.end}" for line in tell_reasons(one.reasons))
            away = wording.format_metres(one.walk_metres)
            text = f"{one.place}, {away} from the gate. {told}".strip()
        answer = print_whole(describe_answer(brief, one))
        rows.append({"text": print_whole(text), "answer": answer})
    return {"title": title, "rows": rows, "more": max(0, len(places) - MAX_PLACES)}
