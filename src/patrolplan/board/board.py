"""Everything that the board does for its page."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

from patrolplan.board.board_ledger import load_delivered, record_doses
from patrolplan.board.edits import (
    apply_change,
    compute_gains,
    describe_difference,
    list_differences,
    refuse,
)
from patrolplan.board.jobs import BackgroundJob, BusyError
from patrolplan.board.offers import Outcome, build_outcome_document, find_swaps
from patrolplan.board.printing import OUT_OF_DATE_KEY, print_papers
from patrolplan.board.repairs import prepare_change
from patrolplan.board.requests import RepairedChange
from patrolplan.board.solving import solve_week
from patrolplan.board.views import build_duty_documents, build_week_view
from patrolplan.errors import PatrolplanError
from patrolplan.team.rota import walk_new_patrols
from patrolplan.team.week_editor import InvalidEditError
from patrolplan.text import format_count, pick_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.board.offers import Offer
    from patrolplan.board.requests import (
        BoardChange,
        DosesRequest,
        OffersRequest,
        PrintRequest,
        TakeOfferRequest,
    )
    from patrolplan.board.shared_week import BoardState, SharedWeek
    from patrolplan.board.solving import Proposal
    from patrolplan.team.repair import Change


CLOSE_SECONDS = 2.0
"""How long the board waits for its background work when it is closed."""
MAX_OUTCOMES = 12
"""Maximum number of outcomes and lists of swaps, over all windows, whose offers are still valid."""


class Board:
    """The page's requests about the week, and the jobs that run in the background."""

    def __init__(self, shared: SharedWeek) -> None:
        self.shared = shared
        self._planning_job = BackgroundJob()
        self._printing_job = BackgroundJob(expected_seconds=20.0)
        self._cancel = Event()
        self._proposal: Proposal | None = None
        self._outcomes: list[Outcome] = []
        self._shown_outcome: Outcome | None = None

    def close(self) -> None:
        """Stop solving and planning; papers that are being written are finished first."""
        self._cancel.set()
        self._planning_job.wait(CLOSE_SECONDS)
        self._printing_job.wait()

    def has_news(self, since: int) -> bool:
        """Whether anything is newer than a version."""
        return since != self.shared.version or self._planning_job.status.running

    def build_state(self) -> dict[str, Any]:
        """Everything that the page shows."""
        shared = self.shared
        with shared.lock:
            state = shared.state
            facts = {
                "version": shared.version,
                "can_undo": shared.can_undo,
                "can_redo": shared.can_redo,
                "unsaved": bool(shared.save_problem),
                "save_problem": shared.save_problem,
            }
        try:
            doses, problem = load_delivered(state.planned_area.area.settings, state.week), ""
        except PatrolplanError as error:
            doses, problem = {}, str(error)
        return {
            **facts,
            **build_week_view(state, doses),
            "ledger_problem": problem,
            "solving": self.build_solving_status() if self._planning_job.status.running else None,
            "proposal": self.proposal is not None,
            "outcome": self._build_outcome(),
            "out_of_date": shared.store.load_manifest().get(OUT_OF_DATE_KEY, []),
        }

    def check(self, change: BoardChange) -> dict[str, Any]:
        """Whether a change can be made, and what the week would be worth; nothing changes."""
        state = self.shared.state
        before = state.week.worth
        try:
            if isinstance(change, RepairedChange):
                message, worth = prepare_change(change, state).message, before
            else:
                result = apply_change(change, state.editor, state.week)
                message, worth = result.message, result.week.worth
        except InvalidEditError as error:
            return {"ok": False, "why": str(error), "worth": before, "worth_before": before}
        return {"ok": True, "why": "", "message": message, "worth": worth, "worth_before": before}

    def change(self, version: int, change: BoardChange) -> str:
        """Make a change and save it; a repair is computed in the background first."""
        self._check_not_planning()
        if isinstance(change, RepairedChange):
            return self._start_repair(version, change)
        return self.shared.change(version, change)

    def undo(self, version: int) -> str:
        """Undo the last change."""
        self._check_not_planning()
        return self.shared.undo(version)

    def redo(self, version: int) -> str:
        """Make the change again that was undone last."""
        self._check_not_planning()
        return self.shared.redo(version)

    def record(self, request: DosesRequest) -> str:
        """Enter doses into the ledger."""
        self._check_not_planning()  # its new version would make the one being planned out of date

        def enter(state: BoardState) -> str:
            settings, slot = state.planned_area.area.settings, request.duty.slot
            return record_doses(
                settings,
                state.week,
                slot,
                request.minutes,
                request.engagements,
                people=request.people,
                reason=request.reason,
            )

        return self.shared.apply_outside_history(request.version, enter)

    def _check_not_planning(self) -> None:
        status = self._planning_job.status
        if status.running and status.kind == "planning":
            message = f"{status.message}: wait until it is done"
            raise BusyError(message)

    def _start_repair(self, version: int, change: RepairedChange) -> str:
        with self.shared.lock:
            self.shared.check_version(version)
            preparation = prepare_change(change, self.shared.state)

        def repair() -> str:
            made = preparation.carry_out()
            with self.shared.lock:
                message = self.shared.apply_step(version, lambda _: (made.state, made.message))
                outcome = self._add_outcome(message, made.cards, made.offers)
                self._shown_outcome = outcome
            return message

        self._planning_job.start("planning", "Repairing the week", repair)
        return preparation.message

    def _add_outcome(
        self, message: str, cards: Sequence[Change], offers: Sequence[Offer]
    ) -> Outcome:
        number = self._outcomes[-1].number + 1 if self._outcomes else 1
        outcome = Outcome(self.shared.version, number, message, tuple(cards), tuple(offers))
        self._outcomes = [*self._outcomes, outcome][-MAX_OUTCOMES:]
        return outcome

    def _build_outcome(self) -> dict[str, Any] | None:
        """What the last change with a repair did, as long as nothing else has changed."""
        shown = self._shown_outcome
        if shown is None or shown.version != self.shared.version:
            return None
        return build_outcome_document(shown, self.shared.state.planned_area.area)

    def find_offers(self, request: OffersRequest) -> dict[str, Any]:
        """The best swaps for a gap; nothing changes."""
        with self.shared.lock:
            self.shared.check_version(request.version)
            state = self.shared.state
        offers = find_swaps(state, request)
        with self.shared.lock:
            self.shared.check_version(request.version)
            outcome = self._add_outcome("", (), offers)
        return build_outcome_document(outcome, state.planned_area.area)

    def take_offer(self, request: TakeOfferRequest) -> str:
        """Make a change that was offered."""

        def take(state: BoardState) -> tuple[BoardState, str]:
            offered = {
                (outcome.number, number): offer
                for outcome in self._outcomes
                if outcome.version == request.version
                for number, offer in enumerate(outcome.offers)
            }
            offer = offered.get((request.id, request.number))
            if offer is None:
                refuse("this was offered for an earlier week; ask for it again")
            changes = describe_difference(state.week, offer.week)
            week = walk_new_patrols(state.editor.inputs, state.week, offer.week)
            return replace(state, week=week), f"Taken: {changes}"

        self._check_not_planning()
        return self.shared.apply_step(request.version, take)

    def build_solving_status(self) -> dict[str, Any]:
        """The progress of solving or planning."""
        return self._planning_job.document()

    def start_solving(self, version: int, *, draw_again: bool = False) -> None:
        """Begin to solve the week again with its locks and bans, and to draw it.

        With its present draw, or the next one.
        """
        with self.shared.lock:
            self.shared.check_version(version)
            state = self.shared.state
        self._proposal = None

        def solve() -> str:
            self._proposal = solve_week(
                state.editor, state.week, self._cancel, draw_again=draw_again
            )
            return "A proposal is ready to compare"

        self._cancel.clear()
        what = "Drawing again" if draw_again else "Planning again"
        self._planning_job.start("solving", f"{what} around the locks", solve)

    def cancel_solving(self) -> None:
        """Stop solving; the week stays as it is."""
        self._cancel.set()
        self._planning_job.wait(CLOSE_SECONDS)

    @property
    def proposal(self) -> Proposal | None:
        """What was solved, as long as locks, bans and routes are those it was solved for."""
        proposal = self._proposal
        if proposal is None or proposal.inputs is not self.shared.state.editor.inputs:
            return None
        return proposal

    def build_proposal(self) -> dict[str, Any] | None:
        """The proposal, compared with the present week."""
        proposal, state = self.proposal, self.shared.state
        if proposal is None:
            return None
        week = proposal.week
        return {
            "patrols": build_duty_documents(replace(state, week=week), {}),
            **pick_fields(week, "worth", "bound", "gap_percent", "give_percent", "status"),
            "changes": list_differences(state.week, week),
            "gains": compute_gains(state.week, week),
        }

    def accept_proposal(self, version: int) -> str:
        """Make the proposal the week."""

        def accept(state: BoardState) -> tuple[BoardState, str]:
            proposal = self.proposal
            if proposal is None:
                refuse("the proposal was made for other locks and bans; plan again")
            count = len(list_differences(state.week, proposal.week))
            message = f"Proposal taken: {format_count(count, 'change')}"
            return replace(state, week=proposal.week), message

        self._check_not_planning()
        message = self.shared.apply_step(version, accept)
        self._proposal = None
        return message

    def discard_proposal(self) -> None:
        """Forget the proposal."""
        self._proposal = None

    def start_printing(self, request: PrintRequest) -> None:
        """Begin to print the week, or a part of it."""
        with self.shared.lock:
            self.shared.check_version(request.version)

        def draw() -> str:
            return print_papers(self.shared, request.officer, request.date)

        self._printing_job.start("printing", "Drawing the papers", draw)

    def build_printing_status(self) -> dict[str, Any]:
        """The progress of printing, and the papers in the folder."""
        store = self.shared.store
        stale = set(store.load_manifest().get(OUT_OF_DATE_KEY, []))
        return {
            **self._printing_job.document(),
            "folder": str(store.folder),
            "files": [
                {"name": name, "href": f"/papers/{name}", "out_of_date": name in stale}
                for name in store.list_papers()
            ],
        }
