"""All that the board can do, for the pages that ask."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import PurePosixPath
from threading import Event
from typing import TYPE_CHECKING, Any

from patrolplan.board.board_ledger import delivered, record
from patrolplan.board.edits import differences
from patrolplan.board.jobs import BusyError, Work, gains, solved
from patrolplan.board.printing import STALE, printed
from patrolplan.board.replanning import replanned
from patrolplan.board.requests import Task, Untask
from patrolplan.board.tasking import check_task
from patrolplan.board.views import duties_document, map_document, scene_document
from patrolplan.errors import PatrolplanError
from patrolplan.team.week_editor import CannotBeError
from patrolplan.text import counted

if TYPE_CHECKING:
    from patrolplan.board.jobs import Proposal
    from patrolplan.board.requests import AskedDoses, AskedPrint, Change
    from patrolplan.board.session import Desk, Ground, Scene
    from patrolplan.board.tasking import Sheet


END_SECONDS = 2.0
"""How long the board waits for what works in the background when it is closed."""


class Board:
    """A desk, and what works beside it: solving, printing, tasked places, doses.

    Parameters
    ----------
    desk
        The week.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._thinking = Work()
        self._printing = Work(expected_seconds=20.0)
        self._cancel = Event()
        self._proposal: Proposal | None = None

    def close(self) -> None:
        """Stop what works in the background; papers that are being written are finished."""
        self._cancel.set()
        self._thinking.wait(END_SECONDS)
        self._printing.wait()

    # -- what is shown

    def news(self, since: int) -> bool:
        """Whether anything is new after a version."""
        return since != self.desk.version or self._thinking.now.running

    def state(self) -> dict[str, Any]:
        """Everything that the page shows."""
        desk = self.desk
        with desk.lock:
            scene = desk.scene
            facts = {
                "version": desk.version,
                "can_undo": desk.can_undo,
                "can_redo": desk.can_redo,
                "unsaved": bool(desk.save_problem),
                "save_problem": desk.save_problem,
            }
        try:
            doses, told = delivered(scene.ground.area.settings, scene.week), ""
        except PatrolplanError as error:
            doses, told = {}, str(error)
        return {
            **facts,
            **scene_document(scene, doses),
            "ledger_problem": told,
            "solving": self.solving() if self._thinking.now.running else None,
            "proposal": self.proposal is not None,
            "out_of_date": desk.store.manifest().get(STALE, []),
        }

    def map(self) -> dict[str, Any]:
        """The ground under the page's map."""
        return _map_of(self.desk.scene.ground)

    # -- changes

    def check(self, change: Change) -> dict[str, Any]:
        """Whether a change can be, and what the week would be worth; nothing changes."""
        scene = self.desk.scene
        before = scene.week.worth
        try:
            if isinstance(change, Task | Untask):
                self._sheet_after(scene, change)
                said, worth = "the patrols it touches are planned again", before
            else:
                made = self.desk.check(change)
                said, worth = made.said, made.week.worth
        except CannotBeError as error:
            return {"ok": False, "why": str(error), "worth": before, "worth_before": before}
        return {"ok": True, "why": "", "said": said, "worth": worth, "worth_before": before}

    def change(self, version: int, change: Change) -> str:
        """Make a change and save it; a tasked place is planned in the background first."""
        self._check_free()
        if isinstance(change, Task | Untask):
            return self._task(version, change)
        return self.desk.change(version, change)

    def undo(self, version: int) -> str:
        """Take the last change back."""
        self._check_free()
        return self.desk.undo(version)

    def redo(self, version: int) -> str:
        """Make a change again that was taken back."""
        self._check_free()
        return self.desk.redo(version)

    def record(self, asked: AskedDoses) -> str:
        """Enter doses into the ledger."""
        self._check_free()  # a version of its own would send away what is being planned

        def entered(scene: Scene) -> str:
            settings = scene.ground.area.settings
            post = asked.duty.post
            return record(settings, scene.week, post, asked.minutes, asked.engagements)

        return self.desk.tell(asked.version, entered)

    def _check_free(self) -> None:
        now = self._thinking.now
        if now.running and now.kind == "planning":
            message = f"{now.said}: wait until it is done"
            raise BusyError(message)

    # -- tasked places

    def _sheet_after(self, scene: Scene, change: Task | Untask) -> Sheet:
        area, sheet = scene.ground.area, scene.sheet
        if sheet is None:
            message = (
                "no table of tasked places can be written: name a .csv in the settings, "
                '[sources] tasked_places = "tasked_places.csv"'
            )
            raise CannotBeError(message)
        columns = area.settings.columns.get("tasked_places", {})
        if isinstance(change, Task):
            check_task(change, area)
            return sheet.with_row(change, columns)
        if change.place_id not in set(area.tasked_places["place_id"]):
            message = f"there is no tasked place '{change.place_id}'"
            raise CannotBeError(message)
        after = sheet.without(change.place_id, columns)
        if after == sheet:
            message = f"'{change.place_id}' stands in another table than {sheet.path.name}"
            raise CannotBeError(message)
        return after

    def _task(self, version: int, change: Task | Untask) -> str:
        with self.desk.lock:
            self.desk.check_version(version)
            scene = self.desk.scene
            sheet = self._sheet_after(scene, change)
        if isinstance(change, Untask):
            said = f"Taken off: the tasked place {change.place_id}"
        else:
            kind = "to be visited" if change.must_visit else "barred"
            said = f"Tasked: {change.place_id} is {kind} until {change.to}"

        def plan() -> str:
            after, told = replanned(scene, sheet)
            return self.desk.enter(version, lambda _: (after, said + told))

        self._thinking.start("planning", "Planning the patrols that it touches", plan)
        return said

    # -- solving

    def solving(self) -> dict[str, Any]:
        """How far solving or planning is."""
        return self._thinking.document()

    def solve(self, version: int) -> None:
        """Begin to solve the week again round its locks."""
        with self.desk.lock:
            self.desk.check_version(version)
            scene = self.desk.scene
        self._proposal = None

        def solve() -> str:
            self._proposal = solved(scene.hand, scene.week, self._cancel)
            return "A proposal is there to compare"

        self._cancel.clear()
        self._thinking.start("solving", "Solving round the locks", solve)

    def cancel(self) -> None:
        """Stop solving; the week stays as it is."""
        self._cancel.set()
        self._thinking.wait(END_SECONDS)

    @property
    def proposal(self) -> Proposal | None:
        """What was solved, as long as locks, bans and routes are those it was solved for."""
        found = self._proposal
        current = found is not None and found.options is self.desk.scene.hand.options
        return found if current else None

    def proposal_document(self) -> dict[str, Any] | None:
        """The proposal beside the week as it stands."""
        found, scene = self.proposal, self.desk.scene
        if found is None:
            return None
        week = found.week
        return {
            "patrols": duties_document(replace(scene, week=week), {}),
            "worth": week.worth,
            "bound": week.bound,
            "gap_percent": week.gap_percent,
            "status": week.status,
            "changes": differences(scene.week, week),
            "gains": gains(scene.week, week),
        }

    def take(self, version: int) -> str:
        """Take the proposal."""

        def taken(scene: Scene) -> tuple[Scene, str]:
            found = self.proposal
            if found is None:
                message = "there is no proposal for these locks and bans; solve again"
                raise CannotBeError(message)
            count = len(differences(scene.week, found.week))
            said = f"Taken: the proposal, {counted(count, 'change')}"
            return replace(scene, week=found.week), said

        self._check_free()
        said = self.desk.enter(version, taken)
        self._proposal = None
        return said

    def drop(self) -> None:
        """Forget the proposal."""
        self._proposal = None

    # -- papers

    def print(self, asked: AskedPrint) -> None:
        """Begin to print the week, or a part of it."""
        with self.desk.lock:
            self.desk.check_version(asked.version)
        self._printing.start(
            "printing",
            "Drawing the papers",
            lambda: printed(self.desk, asked.officer, asked.date),
        )

    def printing(self) -> dict[str, Any]:
        """How far printing is, and the papers that are there."""
        manifest = self.desk.store.manifest()
        names = [name for name in manifest.get("files", {}) if name.endswith(".pdf")]
        stale = set(manifest.get(STALE, []))
        return {
            **self._printing.document(),
            "folder": str(self.desk.store.folder),
            "files": [
                {"name": name, "href": f"/papers/{name}", "out_of_date": name in stale}
                for name in sorted(names)
            ],
        }

    def paper(self, name: str) -> bytes | None:
        """A printed paper, by its exact name in the folder's manifest; None for any other name."""
        folder = self.desk.store.folder
        parts = PurePosixPath(name).parts
        known = name in self.desk.store.manifest().get("files", {}) and name.endswith(".pdf")
        if not known or ".." in parts or PurePosixPath(name).is_absolute():
            return None
        path = folder.joinpath(*parts)
        try:
            inside = path.resolve().is_relative_to(folder)
            return path.read_bytes() if inside else None
        except OSError:
            return None


@lru_cache(maxsize=2)
def _map_of(ground: Ground) -> dict[str, Any]:
    return map_document(ground)
