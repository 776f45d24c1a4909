"""Everything that a team gets for a week: tables, map, sheets, and each officer's cards."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from patrolplan.atomic import WEEK_FILE, format_json
from patrolplan.errors import InputError, LedgerError
from patrolplan.outputs.card.card import CardBook, PrintedPatrol, hash_card, render_card_books
from patrolplan.outputs.cartography.fonts import make_printable, print_whole
from patrolplan.outputs.earlier_papers import EarlierPapers
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.notes_file import render_notes
from patrolplan.outputs.output_folder import write_files
from patrolplan.outputs.webmap.map_layers import MapPatrol
from patrolplan.outputs.webmap.map_page import WeekView, render_map
from patrolplan.outputs.week.calendars import render_calendars
from patrolplan.outputs.week.lead_sheet import build_lead_sheet
from patrolplan.outputs.week.roster import (
    LONGEST_OFFICER,
    Roster,
    RosterOfficer,
    describe_appointment,
    describe_way,
    format_item_times,
    format_school_name,
    format_week,
)
from patrolplan.outputs.week.school_sheet import build_poster, build_school_sheet
from patrolplan.outputs.week.sheet import Sheet
from patrolplan.outputs.week.spreadsheet import render_week_tables
from patrolplan.outputs.week.task_sheets import build_task_sheets, choose_officer_points
from patrolplan.outputs.wording import describe_further_window
from patrolplan.parallel import ProgressCallback
from patrolplan.team.calendar_state import follow_calendars
from patrolplan.team.ledger.monthly_return import load_recent_presence
from patrolplan.team.ledger.promised import HOTSPOTS_FILE, build_hotspots_document
from patrolplan.team.school_answers import find_school_answers
from patrolplan.team.week import Duty, Week, format_day
from patrolplan.team.week_file import build_week_document, read_week_alone, round_week
from patrolplan.team.where_when import DayItem
from patrolplan.text import format_count, join_words, shorten
from patrolplan.times import format_time

DASH = "\N{EN DASH}"
REPLACES = "A card printed again replaces the one of the same day."


@dataclass(frozen=True)
class CardChanges:
    """What changed since cards were last printed: paths of cards, new ones and void ones."""

    new: frozenset[str]
    withdrawn: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.withdrawn)


def render_week_map(roster: Roster) -> bytes:
    """Render the week as one HTML page, its patrols chosen by day and officer."""
    week = roster.week
    view = WeekView(
        patrols=tuple(_build_map_patrol(roster, duty) for duty in week.duties),
        name=format_week(week),
        days={f"{day}": format_day(day) for day in week.days},
        officers={one.file_name: roster.name_officer(one.name) for one in roster.officers},
    )
    return render_map(week.plan, view)


def _build_map_patrol(roster: Roster, duty: Duty) -> MapPatrol:
    officer, further = roster.officers_by_name[duty.officer].file_name, roster.window_suffix(duty)
    leave = roster.format_set_out(duty.officer, duty)
    name, crew = roster.name_officer(duty.officer), roster.describe_others(duty.officer, duty)
    people, out = f"{name} with {crew}" if crew else name, f"set out {leave}" if leave else ""
    facts = (format_day(duty.date), describe_further_window(duty.patrol), people, out)
    school = roster.school_file_names[duty.urn]
    return MapPatrol(
        id=f"{duty.date}-{school}-{officer}{further.replace('.', '--')}",
        patrol=duty.patrol,
        title=duty.patrol.school,
        choice=f"{duty.date:%a} {format_time(duty.start_minutes)} {name}: {duty.patrol.school}",
        about=", ".join(filter(None, facts)),
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
    changes: CardChanges | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> dict[str, str]:
    """Write the papers of a week, or of an officer or day; returns digests for the manifest."""
    week = round_week(roster.week)
    if earlier is not None:
        with suppress(InputError):  # it holds no week yet, or none that can be read
            week = follow_calendars(week, read_week_alone(earlier))
    roster = Roster(week)
    papers = EarlierPapers(earlier, week.plan)
    render = partial(render_card_books, executor=executor, report_progress=report_progress)
    duties = roster.select_duties(officer, date)
    people = {name for duty in duties for name in duty.people if officer in {None, name}}
    officers = [one for one in roster.officers if one.name in people]
    is_whole = officer is None and date is None
    sheets = build_school_papers(roster, duties=duties, is_whole=is_whole)
    sheets["tasks.pdf"] = build_task_sheets(roster, duties=duties, is_whole=is_whole)
    if is_whole:
        sheets["lead.pdf"] = build_lead_sheet(roster)
    files = {
        **render_books(
            roster, duties=duties, officers=officers, changes=changes, papers=papers, render=render
        ),
        **render_calendars(roster, officers=officers),
        **render_week_tables(roster),
        **format_week_documents(week),
        "map.html": render_week_map(roster),
        "notes.txt": render_notes(week),
    }
    for path, sheet in sheets.items():
        files |= papers.find({path: sheet.facts}) or {path: sheet.render(week.plan)}
    write_files(folder, files)
    return papers.seal(files)


def build_school_papers(
    roster: Roster, duties: Sequence[Duty], *, is_whole: bool
) -> dict[str, Sheet]:
    """Sheets of the duties' schools; and posters of all, which show nothing of a week's part."""
    week, presence = roster.week, None
    urns = {duty.urn for duty in duties}
    with suppress(LedgerError):  # without a ledger, papers say that visits are not known
        presence = load_recent_presence(week.plan.area, week.plan.hotspots, week.start)
    wanted = [one.urn for one in roster.schools if is_whole or one.urn in urns]
    answers = find_school_answers(week, presence, wanted)
    sheets: dict[str, Sheet] = {}
    for school in roster.schools:
        own, name = answers.get(school.urn, ()), roster.school_file_names[school.urn]
        if school.urn in urns:
            sheets[f"schools/{name}.pdf"] = build_school_sheet(roster, school, own)
        poster = build_poster(roster, school, own, presence) if is_whole else None
        if poster is not None:
            sheets[f"posters/{name}.pdf"] = poster
    return sheets


def format_week_documents(week: Week) -> dict[str, bytes]:
    """Build `week.json` and `hotspots.geojson`, from which a week is read again."""
    documents = {WEEK_FILE: build_week_document(week), HOTSPOTS_FILE: build_hotspots_document(week)}
    return {name: format_json(document).encode("utf-8") for name, document in documents.items()}


def render_books(
    roster: Roster,
    duties: Sequence[Duty],
    officers: Sequence[RosterOfficer],
    changes: CardChanges | None,
    papers: EarlierPapers,
    render: Callable[[Sequence[CardBook]], list[tuple[bytes, list[bytes]]]],
) -> dict[str, bytes]:
    """Each officer's cards under a cover and alone, and what changed; unchanged ones are copied."""
    books: dict[str, tuple[CardBook, list[str]]] = {}
    for officer in officers:
        own = [duty for duty in duties if officer.name in duty.people]
        cover = _build_cover_data(roster, officer, own)
        title = f"Cards of {cover['officer']}, {cover['week']}"
        book = CardBook(title, cover, _build_printed_patrols(roster, own))
        books[f"cards/{officer.file_name}.pdf"] = book, [*map(roster.card_path, own)]
    if changes:
        books["part/changed.pdf"] = _build_changed_book(roster, changes), []
    files: dict[str, bytes] = {}
    for path, (book, cards) in [*books.items()]:
        digests = [hash_card(card) for card in book.cards]
        facts: dict[str, object] = dict(zip(cards, digests, strict=False))
        if found := papers.find(facts | {path: (book.title, book.cover, digests)}):
            files |= found
            del books[path]
    rendered = render([book for book, _ in books.values()])
    for (path, (_, cards)), (whole, pages) in zip(books.items(), rendered, strict=True):
        files |= {path: whole, **dict(zip(cards, pages, strict=False))}
    return files


def _build_changed_book(roster: Roster, changes: CardChanges) -> CardBook:
    """What changed since the last print, by officer: a list of it, then the cards to hand out."""
    names = {roster.school_file_names[one.urn]: one.name for one in roster.schools}
    void: dict[str, list[dict[str, Any]]] = {}
    for path in map(PurePosixPath, changes.withdrawn):  # named by day, school and window
        day, urn = dt.date.fromisoformat(path.stem[:10]), path.stem[11:].partition(".")[0]
        line = {"kind": "void", "card": None, "time": f"{day:%a} {day.day}", "stops": ""}
        line["text"] = format_school_name(names.get(urn, f"URN {urn}"))
        line["about"] = "Take this card back: it is void."
        void.setdefault(path.parts[1], []).append(line)
    groups, duties = [], list[Duty]()
    for officer in roster.officers:
        items = void.pop(officer.file_name, [])
        for duty in roster.select_duties(officer.name):
            if roster.card_path(duty) in changes.new:
                item = DayItem("patrol", duty.start_minutes, duty.end_minutes, duty=duty)
                line = _build_cover_item(roster, officer.name, item, {id(duty): len(duties)})
                items.append(line | {"time": f"{duty.date:%a} {duty.date.day}, {line['time']}"})
                duties.append(duty)
        groups.append((roster.print_officer(officer.name), items))
    groups += [(make_printable(name), items) for name, items in void.items()]  # who has left
    cover = _build_cover(roster, duties, "Cards to hand out") | {
        "subtitle": "Since the last print, by officer",
        "heading": "What to hand out, with its page, and what to take back",
        "days": [{"day": one, "date": "", "hours": "", "items": own} for one, own in groups if own],
        "notes": [REPLACES],
    }
    title = f"Cards to hand out, {cover['week']}"
    return CardBook(title, cover, _build_printed_patrols(roster, duties))


def _build_cover(roster: Roster, duties: Sequence[Duty], title: str) -> dict[str, Any]:
    """What every cover says."""
    return roster.build_head(duties) | {
        "officer": title,
        "officer_size": choose_officer_points(title),
        "count": format_count(len(duties), "card"),
    }


def _build_printed_patrols(roster: Roster, duties: Sequence[Duty]) -> tuple[PrintedPatrol, ...]:
    """Patrols of duties with their officer, and others at that school in that window."""
    plans = {day: replace(roster.week.plan, date=day) for day in roster.week.days}
    printed = []
    for duty in duties:
        crew = roster.describe_others(duty.officer, duty)
        colleagues = [shorten(make_printable(crew), LONGEST_OFFICER)] if crew else []
        same = roster.select_duties(urn=duty.urn, date=duty.date)
        others = [one.officer for one in same if one.window == duty.window]
        colleagues += [roster.print_officer(one) for one in others if one != duty.officer]
        name = roster.print_officer(duty.officer)
        own = tuple(dict.fromkeys(colleagues))
        printed.append(PrintedPatrol(plans[duty.date], duty.patrol, name, own))
    return tuple(printed)


def _build_cover_data(roster: Roster, officer: RosterOfficer, duties: list[Duty]) -> dict[str, Any]:
    """Texts of the cover of an officer's cards, for the template: their days in order."""
    week = roster.week
    name = roster.print_officer(officer.name)
    own = roster.select_duties(officer.name)
    cards = {id(duty): number for number, duty in enumerate(duties)}
    dates = {duty.date for duty in duties}
    notes = [REPLACES]
    if len(duties) < len(own):
        shown = sorted(dates)
        notes.insert(0, f"Printed in part: {len(duties)} of {len(own)} cards of the week.")
    else:
        shown = [*week.days]
        if free := [f"{day:%A}" for day in week.days if day not in dates]:
            notes.insert(0, f"No patrol on {join_words(free)}.")
    return _build_cover(roster, duties, name) | {
        "subtitle": f"Your days in order · {roster.describe_officer_modes(officer)}",
        "heading": "From setting out until back at the base",
        "days": [
            {
                "day": f"{day:%A}",
                "date": f"{day.day} {day:%B}",
                "hours": f"on duty {hours.replace('-', DASH)}" if hours else "",
                "items": [_build_cover_item(roster, officer.name, item, cards) for item in items],
            }
            for day in shown
            if (items := roster.officer_days.get((officer.name, day))) is not None
            for hours in [roster.find_hours(officer.name, day)]
        ],
        "notes": notes,
    }


def _build_cover_item(
    roster: Roster, officer: str, item: DayItem, cards: Mapping[int, int]
) -> dict[str, Any]:
    """A line of the day: `card` is the number of its card, None if it is not in the book."""
    line: dict[str, Any] = {"kind": item.kind, "card": None, "about": "", "stops": ""}
    if item.kind == "way":
        when = item.to_minutes if item.towards == "base" else item.from_minutes
        return line | {"time": format_time(when), "text": describe_way(roster, officer, item)}
    line["time"] = format_item_times(item)
    if item.appointment is not None:
        return line | {"text": describe_appointment(roster, item.appointment)}
    duty = item.duty
    if duty is None:
        return line | {"text": ""}
    patrol, crew = duty.patrol, roster.describe_others(officer, duty)
    gate = f"at the gate until {format_time(patrol.gate_until_minutes)}"
    facts = (
        make_printable(describe_further_window(patrol)),
        f"URN {make_printable(duty.urn)}",
        gate if patrol.gate_until_minutes > patrol.start_minutes else "",
        format_count(len(patrol.stops), "stop") if patrol.stops else "stay at the gate",
        f"with {make_printable(crew)}" if crew else "",
    )
    return line | {
        "card": cards.get(id(duty)),
        "text": format_school_name(duty.patrol.school),
        "about": " · ".join(filter(None, facts)),
        "stops": "; ".join(
            f"{stop.arrive} {print_whole(stop.place)}"
            for stop in list_stop_facts(patrol, roster.week.plan.area.projection.crs)
        ),
    }
