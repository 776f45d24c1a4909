"""Papers of the week, from the board: the same files as `patrolplan week --out`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from patrolplan.area.provenance import about
from patrolplan.board.papers import PART
from patrolplan.board.papers import PRINTED
from patrolplan.board.papers import STALE
from patrolplan.board.papers import cards_of
from patrolplan.board.papers import out_of_date
from patrolplan.board.papers import shown_in
from patrolplan.counted import counted
from patrolplan.outputs.files import whole_folder
from patrolplan.outputs.files import write_json
from patrolplan.outputs.week.papers import write_week_papers
from patrolplan.outputs.week.roll import Roll
from patrolplan.outputs.week.roll import check_choice
from patrolplan.team.ledger.handing_out import HOTSPOTS_FILE
from patrolplan.team.ledger.handing_out import WEEK_FILE
from patrolplan.team.ledger.handing_out import hotspots_document
from patrolplan.team.week import week_document

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from patrolplan.board.desk import Desk


def printed(desk: Desk, officer: str | None = None, date: dt.date | None = None) -> str:
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
    week = desk.scene.week
    roll = Roll(week)
    check_choice([one.name for one in roll.officers], week.days, officer, date)
    facts: dict[str, Any] = dict(about(week.plan.area))
    cards = {
        roll.card(duty)
        for duty in week.duties
        if officer in {None, duty.officer} and date in {None, duty.date}
    }
    whole = officer is None and date is None
    with tempfile.TemporaryDirectory() as place:
        drawn = Path(place)
        write_week_papers(roll, drawn, officer=officer, date=date)
        if not whole:
            _set_apart(drawn, books=date is not None)
        with desk.lock:
            with whole_folder(desk.store.folder, facts) as part:
                shutil.copytree(drawn, part, dirs_exist_ok=True)
                desk.look()
                now, before = desk.scene.week, desk.store.manifest()
                shown = {} if whole else shown_in(before, week)
                shown |= {name: card for name, card in cards_of(week).items() if name in cards}
                if not whole:
                    _carry(desk.store.folder, part, before)
                write_json(part / WEEK_FILE, week_document(now))
                write_json(part / HOTSPOTS_FILE, hotspots_document(now))
                names = {path.relative_to(part).as_posix() for path in part.rglob("*.*")}
                facts[PRINTED] = {name: card for name, card in shown.items() if name in names}
                facts[STALE] = out_of_date(now, names, facts[PRINTED])
            desk.wrote()
    return f"Printed {counted(len(cards), 'card')} into {desk.store.folder}"


def _set_apart(drawn: Path, *, books: bool) -> None:
    """Move what shows a part alone, so that it takes the place of no paper of the whole week.

    Parameters
    ----------
    drawn
        The papers.
    books
        Whether officers' books of cards are parts as well; those of one officer are whole.
    """
    apart = drawn / PART
    apart.mkdir()
    for path in [drawn / "tasks.pdf", *(drawn.glob("cards/*.pdf") if books else ())]:
        path.rename(apart / path.name)


def _carry(folder: Path, part: Path, manifest: Mapping[str, Any]) -> None:
    """Take over the papers that were not drawn again."""
    for name in manifest.get("files", {}):
        source, target = folder / name, part / name
        if name.startswith(f"{PART}/"):
            continue  # the last part that was printed; it gives way to this one
        if name.endswith(".pdf") and source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
