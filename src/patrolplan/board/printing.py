"""Papers of the week, printed from the board, and which of them show an earlier week.

They are the same files as `patrolplan week --out` writes.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from patrolplan.atomic import TEMPORARY_PREFIX, hash_content
from patrolplan.outputs.earlier_papers import PAPERS_KEY
from patrolplan.outputs.output_folder import build_manifest_header, replace_folder
from patrolplan.outputs.week.calendars import FOLDER as CALENDARS
from patrolplan.outputs.week.roster import Roster, check_officer_and_date
from patrolplan.outputs.week.week_pack import write_week_documents, write_week_files
from patrolplan.patrols.plan import build_patrol_document
from patrolplan.team.school_answers import list_promises
from patrolplan.text import format_count
from patrolplan.times import format_span, format_time

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from patrolplan.board.shared_week import SharedWeek
    from patrolplan.crs import Projection
    from patrolplan.patrols.plan import Patrol
    from patrolplan.team.week import Week


OUT_OF_DATE_KEY = "out_of_date"
"""Key of the manifest: papers in the folder that show an earlier week."""
PRINTED_KEY = "printed"
"""Key of the manifest: what the cards in the folder show, by a digest."""
PART_FOLDER = "part"
"""Folder of papers that show only the last part printed, one officer or day."""

CARD_PARTS = 3
"""Parts of the path of a single card."""

WHOLE_WEEK_PAPERS = ("lead.pdf", "map.html", "tasks.pdf", "week.csv", "week.xlsx")
"""Papers that show the whole week."""


def hash_cards(week: Week) -> dict[str, str]:
    """A digest of what the card of each patrol would show now, by the card's file."""
    roster, projection = Roster(week), week.plan.area.projection
    digests = {}
    for duty in week.duties:
        leave, walk = format_time(duty.leave_minutes), _hash_walk(duty.patrol, projection)
        facts = json.dumps([duty.officer, *duty.crew, f"{duty.date}", leave, walk])
        digests[roster.card_path(duty)] = hash_content(facts)[:16]
    return digests


def hash_books(week: Week) -> dict[str, str]:
    """A digest of an officer's week, appointments included, for their book and their calendar."""
    roster = Roster(week)
    digests = {}
    for officer in roster.find_officers(week.duties):
        facts = [
            [
                f"{day}",
                item.kind,
                format_span(item.from_minutes, item.to_minutes),
                *([] if item.duty is None else [item.duty.urn, item.duty.officer, *item.duty.crew]),
                *([] if item.appointment is None else [item.appointment.kind]),
            ]
            for day in week.days
            for item in roster.officer_days.get((officer.name, day), ())
        ]
        for name in (f"cards/{officer.file_name}.pdf", f"{CALENDARS}/{officer.file_name}.ics"):
            digests[name] = hash_content(json.dumps(facts))[:16]
    return digests


def hash_sheets(week: Week) -> dict[str, str]:
    """A digest of what the week does about the places that a school's pupils fear, for its sheet.

    Patrols of other schools may go there, so that a sheet changes with their cards.
    """
    roster = Roster(week)
    promises = list_promises(week, dict.fromkeys(duty.urn for duty in week.duties))
    return {
        f"schools/{roster.school_file_name(urn)}.pdf": hash_content(repr(own))[:16]
        for urn, own in promises.items()
    }


@lru_cache(maxsize=4096)
def _hash_walk(patrol: Patrol, projection: Projection) -> str:
    document = build_patrol_document(patrol, projection)
    return hash_content(json.dumps(document, ensure_ascii=False, sort_keys=True))


def find_shown_cards(manifest: Mapping[str, Any], week: Week) -> dict[str, str]:
    """What the cards in a folder show, as digests by file.

    Without a record in the manifest they show `week`, the one in the folder's week file.
    """
    printed = manifest.get(PRINTED_KEY)
    if printed is not None:
        return dict(printed)
    names = manifest.get("files", {})
    shown = hash_cards(week) | hash_books(week) | hash_sheets(week)
    return {name: digest for name, digest in shown.items() if name in names}


def find_outdated_papers(week: Week, names: Collection[str], shown: Mapping[str, str]) -> list[str]:
    """Papers among a folder's files that do not show the present week.

    `shown` is what the cards among them show, see `hash_cards`.
    """
    if not shown:
        return sorted(name for name in WHOLE_WEEK_PAPERS if name in names)
    cards = hash_cards(week)
    present = cards | hash_books(week) | hash_sheets(week)
    wrong = {name for name in shown if name in names and present.get(name) != shown[name]}
    new = set(cards) - set(shown)
    if not wrong and not new:
        return []
    stale = wrong | set(WHOLE_WEEK_PAPERS)
    stale |= {name for name in names if wrong and name.startswith(f"{PART_FOLDER}/")}
    for card in map(PurePosixPath, wrong | new):  # cards/OFFICER/YYYY-MM-DD-SCHOOL[.WINDOW].pdf
        if len(card.parts) == CARD_PARTS:
            school = card.name.split("-", 3)[3].split(".")[0]
            stale |= {f"{card.parent}.pdf", f"schools/{school}.pdf"}
            stale |= {f"{CALENDARS}/{card.parent.name}.ics"}
    return sorted(stale & set(names))


def print_papers(
    shared: SharedWeek, officer: str | None = None, date: dt.date | None = None
) -> str:
    """Print the week, or an officer's or a day's papers, into the week's folder.

    Other papers in the folder stay, and the manifest says which of all are out of date. A change
    made while the papers are being drawn is not lost: the week's file is always the board's.

    Raises InputError when the officer or the day is not of the week, OutputError when the folder
    cannot be written.
    """
    week, folder = shared.state.week, shared.store.folder
    roster = Roster(week)
    names = [one.name for one in roster.officers]
    check_officer_and_date(names, week.days, officer, date)
    details: dict[str, Any] = dict(build_manifest_header(week.plan.area))
    duties = roster.select_duties(officer, date)
    cards = {roster.card_path(duty) for duty in duties}
    whole = officer is None and date is None
    printed = {*cards, *(f"schools/{roster.school_file_name(duty.urn)}.pdf" for duty in duties)}
    for one in roster.select_officers(officer, date):
        printed.add(f"{CALENDARS}/{one.file_name}.ics")
        if date is None:
            printed.add(f"cards/{one.file_name}.pdf")
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as temporary:
        drawn = Path(temporary)
        made_from = write_week_files(roster, drawn, officer=officer, date=date, earlier=folder)
        if not whole:
            _move_part_papers(drawn, is_day=date is not None)
        with shared.lock:
            with replace_folder(folder, details) as part:
                shutil.copytree(drawn, part, dirs_exist_ok=True)
                shared.reload_if_changed()
                present, manifest = shared.state.week, shared.store.load_manifest()
                shown = {} if whole else find_shown_cards(manifest, week)
                made_from = _list_made_from(made_from, {} if whole else manifest, drawn)
                papers = hash_cards(week) | hash_books(week) | hash_sheets(week)
                shown |= {name: papers[name] for name in papers if name in printed}
                if not whole:
                    _copy_other_papers(folder, part, manifest)
                write_week_documents(present, part)
                files = {path.relative_to(part).as_posix() for path in part.rglob("*.*")}
                details[PRINTED_KEY] = {name: shown[name] for name in shown if name in files}
                details[PAPERS_KEY] = {
                    name: digest for name, digest in made_from.items() if name in files
                }
                details[OUT_OF_DATE_KEY] = find_outdated_papers(
                    present, files, details[PRINTED_KEY]
                )
            shared.mark_written()
    return f"Printed {format_count(len(cards), 'card')} into {folder}"


def _list_made_from(
    new: Mapping[str, str], manifest: Mapping[str, Any], drawn: Path
) -> dict[str, str]:
    """The digests of papers: new ones for those drawn, unless moved, and the others as before."""
    present = {name: digest for name, digest in new.items() if (drawn / name).is_file()}
    return {**manifest.get(PAPERS_KEY, {}), **present}


def _move_part_papers(drawn: Path, *, is_day: bool) -> None:
    """Move papers that show only a part, so that they replace no paper of the whole week.

    For one day, officers' books of cards are partial too; for one officer, the book is complete.
    """
    folder = drawn / PART_FOLDER
    folder.mkdir()
    for path in [drawn / "tasks.pdf", *(drawn.glob("cards/*.pdf") if is_day else ())]:
        path.rename(folder / path.name)


def _copy_other_papers(folder: Path, part: Path, manifest: Mapping[str, Any]) -> None:
    """Copy the papers that were not drawn again; the part printed last is replaced by this one."""
    for name in manifest.get("files", {}):
        source, target = folder / name, part / name
        is_paper = name.endswith((".pdf", ".ics")) and not name.startswith(f"{PART_FOLDER}/")
        if is_paper and source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
