"""Papers of the week, from the board: the same files as `patrolplan week --out`.

Which papers of a week's folder show the week as it is, and which an earlier one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patrolplan.area.provenance import build_manifest_header
from patrolplan.outputs.output_folder import replace_folder, write_json
from patrolplan.outputs.week.roster import Roster, check_officer_and_date
from patrolplan.outputs.week.week_pack import write_week_files
from patrolplan.patrols.plan import build_patrol_document, format_time
from patrolplan.team.ledger.promised import HOTSPOTS_FILE, WEEK_FILE, hotspots_document
from patrolplan.team.week import build_week_document
from patrolplan.text import format_count

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from patrolplan.board.session import BoardSession
    from patrolplan.crs import Projection
    from patrolplan.patrols.plan import Patrol
    from patrolplan.team.week import Week


OUT_OF_DATE_KEY = "out_of_date"
"""Key of the manifest: papers in the folder that show an earlier week."""
PRINTED_KEY = "printed"
"""Key of the manifest: what the cards in the folder show, by a digest."""
PART_FOLDER = "part"
"""Folder of what shows the last part that was printed, one officer or day, and no more."""

WHOLE_WEEK_PAPERS = ("map.html", "tasks.pdf", "week.csv", "week.xlsx")
"""Papers that show the whole week."""


def hash_cards(week: Week) -> dict[str, str]:
    """What the card of each patrol would show now, by the card's file."""
    roll, projection = Roster(week), week.plan.area.projection
    return {
        roll.card_path(duty): _hash_facts(
            duty.officer,
            f"{duty.date}",
            format_time(duty.leave_minutes),
            _hash_walk(duty.patrol, projection),
        )
        for duty in week.duties
    }


def _hash_facts(*facts: str) -> str:
    return hashlib.sha256(json.dumps(facts).encode("utf-8")).hexdigest()[:16]


@lru_cache(maxsize=4096)
def _hash_walk(patrol: Patrol, projection: Projection) -> str:
    document = build_patrol_document(patrol, projection)
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def find_shown_cards(manifest: Mapping[str, Any], week: Week) -> dict[str, str]:
    """What the cards in a folder show.

    Parameters
    ----------
    manifest
        Of the folder.
    week
        The week that the folder's week file holds: cards that came with it show it.
    """
    known = manifest.get(PRINTED_KEY)
    if known is not None:
        return dict(known)
    names = manifest.get("files", {})
    return {name: digest for name, digest in hash_cards(week).items() if name in names}


def find_outdated_papers(week: Week, names: Collection[str], shown: Mapping[str, str]) -> list[str]:
    """Papers of a folder that do not show the week as it is, by name.

    Parameters
    ----------
    week
        The week as it is.
    names
        Files of the folder.
    shown
        What the cards among them show, see `hash_cards`.
    """
    if not shown:
        return sorted(name for name in WHOLE_WEEK_PAPERS if name in names)
    roll, now = Roster(week), hash_cards(week)
    wrong = {name for name in shown if name in names and now.get(name) != shown[name]}
    new = [duty for duty in week.duties if roll.card_path(duty) not in shown]
    if not wrong and not new:
        return []
    files = {officer.name: officer.file_name for officer in roll.officers}
    stale = wrong | set(WHOLE_WEEK_PAPERS)
    stale |= {name for name in names if wrong and name.startswith(f"{PART_FOLDER}/")}
    stale |= {f"{name.rsplit('/', 1)[0]}.pdf" for name in wrong}
    stale |= {f"cards/{files[duty.officer]}.pdf" for duty in new}
    stale |= {f"schools/{name.rsplit('/', 1)[1][len('2026-11-30-') :]}" for name in wrong}
    stale |= {f"schools/{roll.school_file_name(duty.urn)}.pdf" for duty in new}
    return sorted(stale & set(names))


def print_papers(
    session: BoardSession, officer: str | None = None, date: dt.date | None = None
) -> str:
    """Print the week, or an officer's or a day's papers, into the week's folder.

    Other papers in the folder stay, and the manifest says which of all are out of date. A change
    made while the papers are being drawn is kept: the week's file is always the board's.

    Parameters
    ----------
    desk
        The board.
    officer, date
        Print these alone.

    Raises
    ------
    InputError
        When the officer or the day is not of the week.
    OutputError
        When the folder cannot be written.
    """
    week = session.state.week
    roll = Roster(week)
    check_officer_and_date([one.name for one in roll.officers], week.days, officer, date)
    facts: dict[str, Any] = dict(build_manifest_header(week.plan.area))
    cards = {
        roll.card_path(duty)
        for duty in week.duties
        if officer in {None, duty.officer} and date in {None, duty.date}
    }
    whole = officer is None and date is None
    with tempfile.TemporaryDirectory() as place:
        drawn = Path(place)
        write_week_files(roll, drawn, officer=officer, date=date)
        if not whole:
            _move_part_papers(drawn, books=date is not None)
        with session.lock:
            with replace_folder(session.store.folder, facts) as part:
                shutil.copytree(drawn, part, dirs_exist_ok=True)
                session.reload_if_changed()
                now, before = session.state.week, session.store.load_manifest()
                shown = {} if whole else find_shown_cards(before, week)
                shown |= {name: card for name, card in hash_cards(week).items() if name in cards}
                if not whole:
                    _copy_other_papers(session.store.folder, part, before)
                write_json(part / WEEK_FILE, build_week_document(now))
                write_json(part / HOTSPOTS_FILE, hotspots_document(now))
                names = {path.relative_to(part).as_posix() for path in part.rglob("*.*")}
                facts[PRINTED_KEY] = {name: card for name, card in shown.items() if name in names}
                facts[OUT_OF_DATE_KEY] = find_outdated_papers(now, names, facts[PRINTED_KEY])
            session.mark_written()
    return f"Printed {format_count(len(cards), 'card')} into {session.store.folder}"


def _move_part_papers(drawn: Path, *, books: bool) -> None:
    """Move what shows a part alone, so that it takes the place of no paper of the whole week.

    Parameters
    ----------
    drawn
        The papers.
    books
        Whether officers' books of cards are parts as well; those of one officer are whole.
    """
    apart = drawn / PART_FOLDER
    apart.mkdir()
    for path in [drawn / "tasks.pdf", *(drawn.glob("cards/*.pdf") if books else ())]:
        path.rename(apart / path.name)


def _copy_other_papers(folder: Path, part: Path, manifest: Mapping[str, Any]) -> None:
    """Take over the papers that were not drawn again."""
    for name in manifest.get("files", {}):
        source, target = folder / name, part / name
        if name.startswith(f"{PART_FOLDER}/"):
            continue  # the last part that was printed; it gives way to this one
        if name.endswith(".pdf") and source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
