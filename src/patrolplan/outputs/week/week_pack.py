"""Week -> everything that the team holds: tables, map, sheets, and each officer's cards.

The week as a page for the phone: the plan's map, chosen by day and officer.
"""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from patrolplan.outputs.card.card import CardBook, render_card_books
from patrolplan.outputs.cartography.fonts import make_printable
from patrolplan.outputs.output_folder import write_json
from patrolplan.outputs.webmap.map_layers import MapPatrol
from patrolplan.outputs.webmap.map_page import WeekView, render_map
from patrolplan.outputs.week.roster import Roster, RosterOfficer, format_week
from patrolplan.outputs.week.school_sheet import render_school_sheets
from patrolplan.outputs.week.spreadsheet import render_week_csv, render_week_xlsx
from patrolplan.outputs.week.task_sheets import (
    choose_officer_points,
    format_officer_name,
    format_school_name,
    format_set_out,
    render_task_sheets,
)
from patrolplan.outputs.wording import PURPOSE, format_data_months, list_attributions
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.plan import format_time
from patrolplan.team.ledger.promised import HOTSPOTS_FILE, hotspots_document
from patrolplan.team.week import Duty, format_day
from patrolplan.team.week_file import build_week_document
from patrolplan.text import format_count, shorten


def render_week_map(roster: Roster) -> bytes:
    """Write the week as one HTML page, see `patrolplan.outputs.webmap.map_page.render_map`."""
    files = {officer.name: officer.file_name for officer in roster.officers}
    week = WeekView(
        patrols=tuple(
            _build_map_patrol(roster, duty, files[duty.officer]) for duty in roster.week.duties
        ),
        name=format_week(roster.week),
        days={f"{day}": format_day(day) for day in roster.week.days},
        officers={files[officer.name]: officer.name for officer in roster.officers},
    )
    return render_map(roster.week.plan, week)


def _build_map_patrol(roster: Roster, duty: Duty, file: str) -> MapPatrol:
    leave = format_set_out(duty)
    about = f"{format_day(duty.date)}, {duty.officer}"
    return MapPatrol(
        id=f"{duty.date}-{roster.school_file_name(duty.urn)}-{file}",
        patrol=duty.patrol,
        title=duty.patrol.school,
        choice=(
            f"{duty.date:%a} {format_time(duty.start_minutes)} {duty.officer}: {duty.patrol.school}"
        ),
        about=f"{about}, set out {leave}" if leave else about,
        day=f"{duty.date}",
        officer=file,
    )


LONGEST_STOP = 44
"""Letters of a stop on the cover."""


def write_week_files(
    roster: Roster,
    folder: Path,
    *,
    officer: str | None = None,
    date: dt.date | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> None:
    """Write the papers of a week into an empty folder, see `patrolplan.outputs.pack`."""
    duties = [
        duty
        for duty in roster.week.duties
        if officer in {None, duty.officer} and date in {None, duty.date}
    ]
    files = {
        "week.csv": render_week_csv(roster),
        "week.xlsx": render_week_xlsx(roster),
        "map.html": render_week_map(roster),
        "tasks.pdf": render_task_sheets(roster, duties, wall=officer is None and date is None),
        **_render_card_files(roster, duties, executor, report_progress),
    }
    urns = [duty.urn for duty in duties]
    for urn, pdf in render_school_sheets(roster, urns).items():
        files[f"schools/{roster.school_file_name(urn)}.pdf"] = pdf
    write_json(folder / "week.json", build_week_document(roster.week))
    write_json(folder / HOTSPOTS_FILE, hotspots_document(roster.week))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _render_card_files(
    roster: Roster,
    duties: Sequence[Duty],
    executor: Executor | None,
    report_progress: ProgressCallback | None,
) -> dict[str, bytes]:
    """Each officer's cards under a cover, and every card alone."""
    plans = {day: replace(roster.week.plan, date=day) for day in roster.week.days}
    hands = [
        (officer, mine)
        for officer in roster.officers
        if (mine := [duty for duty in duties if duty.officer == officer.name])
    ]
    books = [
        CardBook(
            title=f"Cards of {format_officer_name(officer.name)}, {format_week(roster.week)}",
            cover=build_cover_data(roster, officer, mine),
            cards=tuple((plans[duty.date], duty.patrol) for duty in mine),
        )
        for officer, mine in hands
    ]
    files = {}
    made = render_card_books(books, executor=executor, report_progress=report_progress)
    for (officer, mine), (whole, cards) in zip(hands, made, strict=True):
        files[f"cards/{officer.file_name}.pdf"] = whole
        files |= {roster.card_path(duty): card for duty, card in zip(mine, cards, strict=True)}
    return files


def build_cover_data(
    roster: Roster, officer: RosterOfficer, duties: Sequence[Duty]
) -> dict[str, Any]:
    """Everything that the cover of an officer's cards says, as strings for the template."""
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
        "marking": make_printable(week.plan.area.settings.output.marking),
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
            f"{format_time(stop.arrive_minutes)} "
            f"{shorten(make_printable(stop.place), LONGEST_STOP)}"
            for stop in duty.patrol.stops
        ],
    }
