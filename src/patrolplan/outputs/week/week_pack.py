"""Week -> everything that the team holds: tables, map, sheets, and each officer's cards.

The week as a page for the phone: the plan's map, chosen by day and officer.
"""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from patrolplan.outputs.card.card import Book, render_books
from patrolplan.outputs.cartography.fonts import printable
from patrolplan.outputs.output_folder import write_json
from patrolplan.outputs.webmap.map_layers import Outing
from patrolplan.outputs.webmap.map_page import WeekView, render_map
from patrolplan.outputs.week.roster import Officer, Roll, week_name
from patrolplan.outputs.week.school_sheet import render_school_sheets
from patrolplan.outputs.week.spreadsheet import week_csv, week_xlsx
from patrolplan.outputs.week.task_sheets import (
    officer_name,
    officer_size,
    render_tasks,
    school_name,
    set_out,
)
from patrolplan.outputs.wording import PURPOSE, attributions, data_dates
from patrolplan.parallel import Tell
from patrolplan.patrols.plan import clock
from patrolplan.team.ledger.promised import HOTSPOTS_FILE, hotspots_document
from patrolplan.team.week import Duty, day_name, week_document
from patrolplan.text import counted, shortened


def render_week_map(roll: Roll) -> bytes:
    """Write the week as one HTML page, see `patrolplan.outputs.webmap.map_page.render_map`."""
    files = {officer.name: officer.file for officer in roll.officers}
    week = WeekView(
        outings=tuple(_outing(roll, duty, files[duty.officer]) for duty in roll.week.duties),
        name=week_name(roll.week),
        days={f"{day}": day_name(day) for day in roll.week.days},
        officers={files[officer.name]: officer.name for officer in roll.officers},
    )
    return render_map(roll.week.plan, week)


def _outing(roll: Roll, duty: Duty, file: str) -> Outing:
    leave = set_out(duty)
    about = f"{day_name(duty.date)}, {duty.officer}"
    return Outing(
        id=f"{duty.date}-{roll.school_file(duty.urn)}-{file}",
        patrol=duty.patrol,
        title=duty.patrol.school,
        choice=f"{duty.date:%a} {clock(duty.start_minutes)} {duty.officer}: {duty.patrol.school}",
        about=f"{about}, set out {leave}" if leave else about,
        day=f"{duty.date}",
        officer=file,
    )


LONGEST_STOP = 44
"""Letters of a stop on the cover."""


def write_week_papers(
    roll: Roll,
    folder: Path,
    *,
    officer: str | None = None,
    date: dt.date | None = None,
    executor: Executor | None = None,
    tell: Tell | None = None,
) -> None:
    """Write the papers of a week into an empty folder, see `patrolplan.outputs.pack`."""
    duties = [
        duty
        for duty in roll.week.duties
        if officer in {None, duty.officer} and date in {None, duty.date}
    ]
    files = {
        "week.csv": week_csv(roll),
        "week.xlsx": week_xlsx(roll),
        "map.html": render_week_map(roll),
        "tasks.pdf": render_tasks(roll, duties, wall=officer is None and date is None),
        **_cards(roll, duties, executor, tell),
    }
    urns = [duty.urn for duty in duties]
    for urn, pdf in render_school_sheets(roll, urns).items():
        files[f"schools/{roll.school_file(urn)}.pdf"] = pdf
    write_json(folder / "week.json", week_document(roll.week))
    write_json(folder / HOTSPOTS_FILE, hotspots_document(roll.week))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _cards(
    roll: Roll, duties: Sequence[Duty], executor: Executor | None, tell: Tell | None
) -> dict[str, bytes]:
    """Each officer's cards under a cover, and every card alone."""
    plans = {day: replace(roll.week.plan, date=day) for day in roll.week.days}
    hands = [
        (officer, mine)
        for officer in roll.officers
        if (mine := [duty for duty in duties if duty.officer == officer.name])
    ]
    books = [
        Book(
            title=f"Cards of {officer_name(officer.name)}, {week_name(roll.week)}",
            cover=cover_data(roll, officer, mine),
            cards=tuple((plans[duty.date], duty.patrol) for duty in mine),
        )
        for officer, mine in hands
    ]
    files = {}
    made = render_books(books, executor=executor, tell=tell)
    for (officer, mine), (whole, cards) in zip(hands, made, strict=True):
        files[f"cards/{officer.file}.pdf"] = whole
        files |= {roll.card(duty): card for duty, card in zip(mine, cards, strict=True)}
    return files


def cover_data(roll: Roll, officer: Officer, duties: Sequence[Duty]) -> dict[str, Any]:
    """Everything that the cover of an officer's cards says, as strings for the template."""
    week = roll.week
    name = officer_name(officer.name)
    own = [duty for duty in week.duties if duty.officer == officer.name]
    days = {duty.date for duty in own}
    free = [f"{day:%A}" for day in week.days if day not in days]
    notes = [f"No patrol on {' and '.join(free)}."] if free else []
    if len(duties) < len(own):
        notes = [f"Printed in part: {len(duties)} of {len(own)} cards of the week."]
    notes.append("A card printed again replaces the one of the same day.")
    return {
        "officer": name,
        "officer_size": officer_size(name),
        "subtitle": f"Cards in the order of the days · {roll.ways(officer)}",
        "purpose": PURPOSE,
        "count": counted(len(duties), "card"),
        "week": week_name(week),
        "marking": printable(week.plan.area.settings.output.marking),
        "rows": [_row(duty) for duty in duties],
        "notes": notes,
        "basis": [f"{data_dates(week.plan.risk)}.", " ".join(attributions(week.plan))],
    }


def _row(duty: Duty) -> dict[str, Any]:
    return {
        "day": f"{duty.date:%A}",
        "date": day_name(duty.date).split(" ", 1)[1],
        "leave": set_out(duty) or "\N{EN DASH}",
        "start": clock(duty.start_minutes),
        "until": f"until {clock(duty.end_minutes)}",
        "school": school_name(duty.patrol.school),
        "urn": printable(duty.urn),
        "stops": [
            f"{clock(stop.arrive_minutes)} {shortened(printable(stop.place), LONGEST_STOP)}"
            for stop in duty.patrol.stops
        ],
    }
