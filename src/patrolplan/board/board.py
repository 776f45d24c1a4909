"""All that the board can do, for the pages that ask."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import PurePosixPath
from threading import Event
from typing import TYPE_CHECKING, Any

from patrolplan.board.board_ledger import load_delivered, record_doses
from patrolplan.board.edits import list_differences
from patrolplan.board.jobs import BackgroundJob, BusyError, compute_gains, solve_week
from patrolplan.board.printing import OUT_OF_DATE_KEY, print_papers
from patrolplan.board.replanning import replan_tasked_places
from patrolplan.board.requests import ReleasePlace, TaskPlace
from patrolplan.board.tasking import check_tasked_place
from patrolplan.board.views import duties_document, map_document, week_view_document
from patrolplan.errors import PatrolplanError
from patrolplan.team.week_editor import InvalidEditError
from patrolplan.text import format_count

if TYPE_CHECKING:
    from patrolplan.board.jobs import Proposal
    from patrolplan.board.requests import BoardChange, DosesRequest, PrintRequest
    from patrolplan.board.session import BoardSession, BoardState, PlannedArea
    from patrolplan.board.tasking import TaskedTable


CLOSE_SECONDS = 2.0
"""How long the board waits for what works in the background when it is closed."""


class Board:
    """A desk, and what works beside it: solving, printing, tasked places, doses.

    Parameters
    ----------
    desk
        The week.
    """

    def __init__(self, session: BoardSession) -> None:
        self.session = session
        self._planning_job = BackgroundJob()
        self._printing_job = BackgroundJob(expected_seconds=20.0)
        self._cancel = Event()
        self._proposal: Proposal | None = None

    def close(self) -> None:
        """Stop what works in the background; papers that are being written are finished."""
        self._cancel.set()
        self._planning_job.wait(CLOSE_SECONDS)
        self._printing_job.wait()

    # -- what is shown

    def has_news(self, since: int) -> bool:
        """Whether anything is new after a version."""
        return since != self.session.version or self._planning_job.status.running

    def build_state(self) -> dict[str, Any]:
        """Everything that the page shows."""
        desk = self.session
        with desk.lock:
            scene = desk.state
            facts = {
                "version": desk.version,
                "can_undo": desk.can_undo,
                "can_redo": desk.can_redo,
                "unsaved": bool(desk.save_problem),
                "save_problem": desk.save_problem,
            }
        try:
            doses, told = load_delivered(scene.planned_area.area.settings, scene.week), ""
        except PatrolplanError as error:
            doses, told = {}, str(error)
        return {
            **facts,
            **week_view_document(scene, doses),
            "ledger_problem": told,
            "solving": self.build_solving_status() if self._planning_job.status.running else None,
            "proposal": self.proposal is not None,
            "out_of_date": desk.store.load_manifest().get(OUT_OF_DATE_KEY, []),
        }

    def build_map(self) -> dict[str, Any]:
        """The ground under the page's map."""
        return _build_map(self.session.state.planned_area)

    # -- changes

    def check(self, change: BoardChange) -> dict[str, Any]:
        """Whether a change can be, and what the week would be worth; nothing changes."""
        scene = self.session.state
        before = scene.week.worth
        try:
            if isinstance(change, TaskPlace | ReleasePlace):
                self._change_tasked_table(scene, change)
                said, worth = "the patrols it touches are planned again", before
            else:
                made = self.session.preview_change(change)
                said, worth = made.message, made.week.worth
        except InvalidEditError as error:
            return {"ok": False, "why": str(error), "worth": before, "worth_before": before}
        return {"ok": True, "why": "", "said": said, "worth": worth, "worth_before": before}

    def change(self, version: int, change: BoardChange) -> str:
        """Make a change and save it; a tasked place is planned in the background first."""
        self._check_not_planning()
        if isinstance(change, TaskPlace | ReleasePlace):
            return self._change_tasked_places(version, change)
        return self.session.change(version, change)

    def undo(self, version: int) -> str:
        """Take the last change back."""
        self._check_not_planning()
        return self.session.undo(version)

    def redo(self, version: int) -> str:
        """Make a change again that was taken back."""
        self._check_not_planning()
        return self.session.redo(version)

    def record(self, request: DosesRequest) -> str:
        """Enter doses into the ledger."""
        self._check_not_planning()  # a version of its own would send away what is being planned

        def entered(scene: BoardState) -> str:
            settings = scene.planned_area.area.settings
            post = request.duty.post
            return record_doses(settings, scene.week, post, request.minutes, request.engagements)

        return self.session.apply_outside_history(request.version, entered)

    def _check_not_planning(self) -> None:
        now = self._planning_job.status
        if now.running and now.kind == "planning":
            message = f"{now.message}: wait until it is done"
            raise BusyError(message)

    # -- tasked places

    def _change_tasked_table(
        self, state: BoardState, change: TaskPlace | ReleasePlace
    ) -> TaskedTable:
        area, sheet = state.planned_area.area, state.tasked_table
        if sheet is None:
            message = (
                "no table of tasked places can be written: name a .csv in the settings, "
                '[sources] tasked_places = "tasked_places.csv"'
            )
            raise InvalidEditError(message)
        columns = area.settings.columns.get("tasked_places", {})
        if isinstance(change, TaskPlace):
            check_tasked_place(change, area)
            return sheet.with_place(change, columns)
        if change.place_id not in set(area.tasked_places["place_id"]):
            message = f"there is no tasked place '{change.place_id}'"
            raise InvalidEditError(message)
        after = sheet.without_place(change.place_id, columns)
        if after == sheet:
            message = f"'{change.place_id}' stands in another table than {sheet.path.name}"
            raise InvalidEditError(message)
        return after

    def _change_tasked_places(self, version: int, change: TaskPlace | ReleasePlace) -> str:
        with self.session.lock:
            self.session.check_version(version)
            scene = self.session.state
            sheet = self._change_tasked_table(scene, change)
        if isinstance(change, ReleasePlace):
            said = f"Taken off: the tasked place {change.place_id}"
        else:
            kind = "to be visited" if change.must_visit else "barred"
            said = f"Tasked: {change.place_id} is {kind} until {change.to}"

        def plan() -> str:
            after, told = replan_tasked_places(scene, sheet)
            return self.session.apply_step(version, lambda _: (after, said + told))

        self._planning_job.start("planning", "Planning the patrols that it touches", plan)
        return said

    # -- solving

    def build_solving_status(self) -> dict[str, Any]:
        """How far solving or planning is."""
        return self._planning_job.document()

    def start_solving(self, version: int) -> None:
        """Begin to solve the week again round its locks."""
        with self.session.lock:
            self.session.check_version(version)
            scene = self.session.state
        self._proposal = None

        def solve() -> str:
            self._proposal = solve_week(scene.editor, scene.week, self._cancel)
            return "A proposal is there to compare"

        self._cancel.clear()
        self._planning_job.start("solving", "Solving round the locks", solve)

    def cancel_solving(self) -> None:
        """Stop solving; the week stays as it is."""
        self._cancel.set()
        self._planning_job.wait(CLOSE_SECONDS)

    @property
    def proposal(self) -> Proposal | None:
        """What was solved, as long as locks, bans and routes are those it was solved for."""
        found = self._proposal
        current = found is not None and found.inputs is self.session.state.editor.inputs
        return found if current else None

    def build_proposal(self) -> dict[str, Any] | None:
        """The proposal beside the week as it stands."""
        found, scene = self.proposal, self.session.state
        if found is None:
            return None
        week = found.week
        return {
            "patrols": duties_document(replace(scene, week=week), {}),
            "worth": week.worth,
            "bound": week.bound,
            "gap_percent": week.gap_percent,
            "status": week.status,
            "changes": list_differences(scene.week, week),
            "gains": compute_gains(scene.week, week),
        }

    def accept_proposal(self, version: int) -> str:
        """Take the proposal."""

        def taken(scene: BoardState) -> tuple[BoardState, str]:
            found = self.proposal
            if found is None:
                message = "there is no proposal for these locks and bans; solve again"
                raise InvalidEditError(message)
            count = len(list_differences(scene.week, found.week))
            said = f"Taken: the proposal, {format_count(count, 'change')}"
            return replace(scene, week=found.week), said

        self._check_not_planning()
        said = self.session.apply_step(version, taken)
        self._proposal = None
        return said

    def discard_proposal(self) -> None:
        """Forget the proposal."""
        self._proposal = None

    # -- papers

    def start_printing(self, request: PrintRequest) -> None:
        """Begin to print the week, or a part of it."""
        with self.session.lock:
            self.session.check_version(request.version)
        self._printing_job.start(
            "printing",
            "Drawing the papers",
            lambda: print_papers(self.session, request.officer, request.date),
        )

    def build_printing_status(self) -> dict[str, Any]:
        """How far printing is, and the papers that are there."""
        manifest = self.session.store.load_manifest()
        names = [name for name in manifest.get("files", {}) if name.endswith(".pdf")]
        stale = set(manifest.get(OUT_OF_DATE_KEY, []))
        return {
            **self._printing_job.document(),
            "folder": str(self.session.store.folder),
            "files": [
                {"name": name, "href": f"/papers/{name}", "out_of_date": name in stale}
                for name in sorted(names)
            ],
        }

    def read_paper(self, name: str) -> bytes | None:
        """A printed paper, by its exact name in the folder's manifest; None for any other name."""
        folder = self.session.store.folder
        parts = PurePosixPath(name).parts
        known = name in self.session.store.load_manifest().get("files", {}) and name.endswith(
            ".pdf"
        )
        if not known or ".." in parts or PurePosixPath(name).is_absolute():
            return None
        path = folder.joinpath(*parts)
        try:
            inside = path.resolve().is_relative_to(folder)
            return path.read_bytes() if inside else None
        except OSError:
            return None


@lru_cache(maxsize=2)
def _build_map(planned_area: PlannedArea) -> dict[str, Any]:
    return map_document(planned_area)
