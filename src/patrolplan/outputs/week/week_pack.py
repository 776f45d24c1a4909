"""Everything that a team gets for a week: tables, map, sheets, and each officer's cards."""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from patrolplan.atomic import WEEK_FILE
from patrolplan.outputs.card.card import CardBook, PrintedPatrol, render_card_books
from patrolplan.outputs.cartography.fonts import make_printable, print_whole
from patrolplan.outputs.output_folder import format_json, write_files
from patrolplan.outputs.webmap.map_layers import MapPatrol
from patrolplan.outputs.webmap.map_page import WeekView, render_map
from patrolplan.outputs.week.calendars import render_calendars
from patrolplan.outputs.week.roster import Roster, RosterOfficer, format_week
from patrolplan.outputs.week.school_sheet import render_school_sheets
from patrolplan.outputs.week.spreadsheet import render_week_csv, render_week_xlsx
from patrolplan.outputs.week.task_sheets import (
    choose_officer_points,
    find_duties_marking,
    format_officer_name,
    format_school_name,
    format_set_out,
    render_task_sheets,
)
from patrolplan.outputs.wording import (
    PURPOSE,
    describe_place,
    format_data_months,
    list_attributions,
)
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.plan import Plan
from patrolplan.team.ledger.promised import HOTSPOTS_FILE, build_hotspots_document
from patrolplan.team.week import Duty, Week, format_day
from patrolplan.team.week_file import CHANCES_FILE, build_week_document
from patrolplan.text import format_count
from patrolplan.times import format_time


def render_week_map(roster: Roster) -> bytes:
    """Render the week as one HTML page, its patrols chosen by day and officer."""
    week = roster.week
    view = WeekView(
        patrols=tuple(_build_map_patrol(roster, duty) for duty in week.duties),
        name=format_week(week),
        days={f"{day}": format_day(day) for day in week.days},
        officers={officer.file_name: officer.name for officer in roster.officers},
    )
    return render_map(week.plan, view)


def _build_map_patrol(roster: Roster, duty: Duty) -> MapPatrol:
    officer = roster.officer_file_names[duty.officer]
    leave = format_set_out(duty)
    about = f"{format_day(duty.date)}, {duty.officer}"
    return MapPatrol(
        id=f"{duty.date}-{roster.school_file_name(duty.urn)}-{officer}",
        patrol=duty.patrol,
        title=duty.patrol.school,
        choice=(
            f"{duty.date:%a} {format_time(duty.start_minutes)} {duty.officer}: {duty.patrol.school}"
        ),
        about=f"{about}, set out {leave}" if leave else about,
        day=f"{duty.date}",
        officer=officer,
    )


def write_week_files(
    roster: Roster,
    folder: Path,
    *,
    officer: str | None = None,
    date: dt.date | None = None,
    earlier: Path | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> None:
    """Write the papers of a week, or of an officer or day, see `patrolplan.outputs.pack`.

    `earlier` is the folder of the papers that these replace, whose calendars are continued.
    """
    duties = roster.select_duties(officer, date)
    whole = officer is None and date is None
    files = {
        "week.csv": render_week_csv(roster),
        "week.xlsx": render_week_xlsx(roster),
        "map.html": render_week_map(roster),
        "tasks.pdf": render_task_sheets(roster, duties, wall=whole),
        **render_calendars(
            roster, roster.officers if whole else roster.find_officers(duties), earlier
        ),
        **_render_card_files(roster, duties, executor, report_progress),
    }
    for urn, pdf in render_school_sheets(roster, [duty.urn for duty in duties]).items():
        files[f"schools/{roster.school_file_name(urn)}.pdf"] = pdf
    write_week_documents(roster.week, folder)
    write_files(folder, files)


def format_week_documents(week: Week) -> dict[str, bytes]:
    """Build `week.json`, `hotspots.geojson` and `chances.csv`, from which a week is read again."""
    documents = {WEEK_FILE: build_week_document(week), HOTSPOTS_FILE: build_hotspots_document(week)}
    files = {name: format_json(document).encode("utf-8") for name, document in documents.items()}
    if week.chances is not None:
        files[CHANCES_FILE] = week.chances.to_csv(index=False, lineterminator="\n").encode("utf-8")
    return files


def write_week_documents(week: Week, folder: Path) -> None:
    """Write `week.json`, `hotspots.geojson` and `chances.csv` into a folder."""
    write_files(folder, format_week_documents(week))


def _render_card_files(
    roster: Roster,
    duties: Sequence[Duty],
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> dict[str, bytes]:
    """Each officer's cards under a cover, and every card alone."""
    plans = {day: replace(roster.week.plan, date=day) for day in roster.week.days}
    by_officer = [
        (officer, own)
        for officer in roster.officers
        if (own := [duty for duty in duties if duty.officer == officer.name])
    ]
    books = [
        CardBook(
            title=f"Cards of {format_officer_name(officer.name)}, {format_week(roster.week)}",
            cover=build_cover_data(roster, officer, own),
            cards=tuple(_build_printed_patrol(roster, plans[duty.date], duty) for duty in own),
        )
        for officer, own in by_officer
    ]
    files = {}
    rendered = render_card_books(books, executor=executor, report_progress=report_progress)
    for (officer, own), (book, cards) in zip(by_officer, rendered, strict=True):
        files[f"cards/{officer.file_name}.pdf"] = book
        files |= {roster.card_path(duty): card for duty, card in zip(own, cards, strict=True)}
    return files


def _build_printed_patrol(roster: Roster, plan: Plan, duty: Duty) -> PrintedPatrol:
    """A duty's patrol with who patrols, and who else does at that school on that day."""
    colleagues = dict.fromkeys(
        format_officer_name(other.officer)
        for other in roster.school_duties(duty.urn, duty.date)
        if other.officer != duty.officer
    )
    name = format_officer_name(duty.officer)
    return PrintedPatrol(plan, duty.patrol, name, tuple(colleagues))


def build_cover_data(
    roster: Roster, officer: RosterOfficer, duties: Sequence[Duty]
) -> dict[str, Any]:
    """Texts of the cover of an officer's cards, for the template."""
    week = roster.week
    name = format_officer_name(officer.name)
    own = [duty for duty in week.duties if duty.officer == officer.name]
    days = {duty.date for duty in own}
    free = [f"{day:%A}" for day in week.days if day not in days]
    notes = [f"No patrol on {' and '.join(free)}."] if free else []
    if len(duties) < len(own):
        notes = [f"Printed in part: {len(duties)} of {len(own)} cards of the week."]
    notes.append("A card printed again replaces the one of the same day.")
    return {
        "officer": name,
        "officer_size": choose_officer_points(name),
        "subtitle": f"Cards in the order of the days · {roster.describe_officer_modes(officer)}",
        "purpose": PURPOSE,
        "count": format_count(len(duties), "card"),
        "week": format_week(week),
        "marking": make_printable(
            find_duties_marking(week.plan.area.settings.output.marking, duties)
        ),
        "rows": [_build_cover_row(duty) for duty in duties],
        "notes": notes,
        "basis": [f"{format_data_months(week.plan.risk)}.", " ".join(list_attributions(week.plan))],
    }


def _build_cover_row(duty: Duty) -> dict[str, Any]:
    return {
        "day": f"{duty.date:%A}",
        "date": format_day(duty.date).split(" ", 1)[1],
        "leave": format_set_out(duty) or "\N{EN DASH}",
        "start": format_time(duty.start_minutes),
        "until": f"until {format_time(duty.end_minutes)}",
        "school": format_school_name(duty.patrol.school),
        "urn": make_printable(duty.urn),
        "stops": [
            f"{format_time(stop.arrive_minutes)} {print_whole(describe_place(stop))}"
            for stop in duty.patrol.stops
        ],
    }
