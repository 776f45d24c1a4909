"""Everything that the board does for its page."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from threading import Event
from typing import TYPE_CHECKING, Any

import pandas as pd

from patrolplan.board.edits import (
    apply_change,
    compute_gains,
    describe_difference,
    find_duty,
    judge_gains,
    list_differences,
    refuse,
)
from patrolplan.board.jobs import BackgroundJob, BusyError, solve_week
from patrolplan.board.repairs import Outcome, build_outcome_document, find_swaps, prepare_change
from patrolplan.board.requests import (
    ChangeRequest,
    CheckRequest,
    DosesRequest,
    OffersRequest,
    PrintRequest,
    RepairedChange,
    SolveRequest,
    TakeOfferRequest,
)
from patrolplan.board.views import build_duty_documents, build_week_view
from patrolplan.board.week_folder import OUT_OF_DATE_KEY, print_papers
from patrolplan.errors import PatrolplanError
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.team.ledger.address import open_existing_ledger
from patrolplan.team.ledger.delivered import Answer, build_typed_visits, find_promised_stops
from patrolplan.team.ledger.ledger import open_ledger
from patrolplan.team.ledger.promised import build_promised_week, get_place_id
from patrolplan.team.repair import list_changes
from patrolplan.team.rota import walk_new_patrols
from patrolplan.team.week_editor import InvalidEditError, get_slot
from patrolplan.text import format_count, pick_fields

if TYPE_CHECKING:
    from patrolplan.board.edits import Judgement
    from patrolplan.board.jobs import Proposal
    from patrolplan.board.repairs import Offer
    from patrolplan.board.shared_week import BoardState, SharedWeek
    from patrolplan.board.views import DeliveredBySlot
    from patrolplan.settings import Settings
    from patrolplan.team.repair import Change
    from patrolplan.team.week import Week


CLOSE_SECONDS = 2.0
"""How long the board waits for its background work when it is closed."""
MAX_OUTCOMES = 12
"""Maximum number of outcomes and lists of swaps, over all windows, whose offers are still valid."""
READY: dict[Judgement, str] = {
    "better": "A better week is ready: compare it with this one, then take or drop it",
    "as good": "No better week was drawn: this one is as good; compare it, then take or drop it",
    "worse": "A worse week was drawn: compare it before you take it",
}
"""What is said of a proposal; planning again, unlike drawing again, offers better weeks only."""


class Board:
    """The page's requests about the week, and the jobs that run in the background."""

    def __init__(self, shared: SharedWeek) -> None:
        self.shared = shared
        self.planning_job = BackgroundJob()
        self.printing_job = BackgroundJob(expected_seconds=20.0)
        self._cancel = Event()
        self._proposal: Proposal | None = None
        self._numbers = count(1)
        self._outcomes: list[Outcome] = []
        self._shown_outcome: Outcome | None = None

    def close(self) -> None:
        """Stop solving and planning; papers that are being written are finished first."""
        self._cancel.set()
        self.planning_job.wait(CLOSE_SECONDS)
        self.printing_job.wait()

    def has_news(self, since: int) -> bool:
        """Whether anything is newer than a version."""
        return since != self.shared.version or self.planning_job.status.running

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
            "solving": self.planning_job.document() if self.planning_job.status.running else None,
            "proposal": self.proposal is not None,
            "outcome": self._build_outcome(),
            "out_of_date": shared.store.load_manifest().get(OUT_OF_DATE_KEY, []),
        }

    def check(self, request: CheckRequest) -> dict[str, Any]:
        """Whether a change can be made, and what the week would be worth; nothing changes."""
        change, state = request.change, self.shared.state
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

    def change(self, request: ChangeRequest) -> str:
        """Make a change and save it; a repair is computed in the background first."""
        version, change = request.version, request.change
        if isinstance(change, RepairedChange):
            return self._start_repair(version, change)
        return self.shared.change(version, change)

    def record(self, request: DosesRequest) -> str:
        """Enter doses into the ledger."""
        return self.shared.apply_outside_history(
            request.version, lambda state: record_doses(state, request)
        )

    def check_not_planning(self) -> None:
        """Raise BusyError while a change is planned: a new version would put it out of date."""
        status = self.planning_job.status
        if status.running and status.kind == "planning":
            message = f"{status.message}: wait until it is done"
            raise BusyError(message)

    def _start_repair(self, version: int, change: RepairedChange) -> str:
        with self.shared.lock:
            self.shared.check_version(version)
            before = self.shared.state
            preparation = prepare_change(change, before)

        def repair() -> str:
            made = preparation.carry_out()
            with self.shared.lock:
                message = self.shared.apply_step(version, lambda _: (made.state, made.message))
                cards = list_changes(before.week, made.state.week)
                self._shown_outcome = self._add_outcome(message, cards, made.offers)
            return message

        self.planning_job.start("planning", "Repairing the week", repair)
        return preparation.message

    def _add_outcome(
        self, message: str, cards: tuple[Change, ...], offers: tuple[Offer, ...]
    ) -> Outcome:
        outcome = Outcome(self.shared.version, next(self._numbers), message, cards, offers)
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

        return self.shared.apply_step(request.version, take)

    def start_solving(self, request: SolveRequest) -> dict[str, Any]:
        """Begin to solve the week with its locks and bans; by its present draw or the next one."""
        draw_again = request.draw_again
        with self.shared.lock:
            self.shared.check_version(request.version)
            state = self.shared.state
        self._proposal = None

        def solve() -> str:
            proposal = solve_week(state.editor, state.week, self._cancel, draw_again=draw_again)
            judgement = judge_gains(compute_gains(state.week, proposal.week))
            if judgement != "better" and not draw_again:
                return "No better week was found by this draw; the week stays as it is"
            self._proposal = proposal
            return READY[judgement]

        self._cancel.clear()
        what = "Drawing again" if draw_again else "Planning again"
        self.planning_job.start("solving", f"{what} around the locks", solve)
        return self.planning_job.document()

    def cancel_solving(self) -> dict[str, Any]:
        """Stop solving; the week stays as it is."""
        self._cancel.set()
        self.planning_job.wait(CLOSE_SECONDS)
        return self.planning_job.document()

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
            "gains": (gains := compute_gains(state.week, week)),
            "judgement": judge_gains(gains),
        }

    def accept_proposal(self, version: int) -> str:
        """Make the proposal the week."""

        def accept(state: BoardState) -> tuple[BoardState, str]:
            proposal = self.proposal
            if proposal is None:
                refuse("the proposal was made for other locks and bans; plan again")
            changes = len(list_differences(state.week, proposal.week))
            message = f"Proposal taken: {format_count(changes, 'change')}"
            return replace(state, week=proposal.week), message

        message = self.shared.apply_step(version, accept)
        self._proposal = None
        return message

    def discard_proposal(self) -> dict[str, Any]:
        """Forget the proposal."""
        self._proposal = None
        return {"proposal": False}

    def start_printing(self, request: PrintRequest) -> dict[str, Any]:
        """Begin to print the week, or a part of it."""
        with self.shared.lock:
            self.shared.check_version(request.version)

        def draw() -> str:
            return print_papers(self.shared, request.officer, request.date)

        self.printing_job.start("printing", "Drawing the papers", draw)
        return self.build_printing_status()

    def build_printing_status(self) -> dict[str, Any]:
        """The progress of printing, and the papers in the folder."""
        store = self.shared.store
        stale = set(store.load_manifest().get(OUT_OF_DATE_KEY, []))
        return {
            **self.printing_job.document(),
            "folder": str(store.folder),
            "files": [
                {"name": name, "href": f"/papers/{name}", "out_of_date": name in stale}
                for name in store.list_papers()
            ],
        }


def record_doses(state: BoardState, request: DosesRequest) -> str:
    """Enter what a patrol delivered and return it in words; entered again it is corrected.

    The present week is handed out in the ledger first, so that promised and delivered minutes
    belong to the same patrol. There is a number of minutes for each stop in the order of the card;
    people spoken to on the whole patrol are entered at its first visited stop.
    """
    slot, minutes, engagements = request.duty.slot, request.minutes, request.engagements
    duty = find_duty(state.week, slot)
    if len(minutes) != len(duty.patrol.stops):
        refuse(f"{len(minutes)} numbers for {len(duty.patrol.stops)} stops; write one for each")
    if not minutes:
        refuse(f"{slot}: stays at the gate; there is no dose to enter")
    first = next((row for row, value in enumerate(minutes) if value > 0), 0)
    elsewhere = None if engagements is None else 0
    planned = [round(stop.leave_minutes - stop.arrive_minutes) for stop in duty.patrol.stops]
    answers = [
        Answer(
            float(value),
            engagements if row == first else elsewhere,
            request.reason if value < planned[row] else None,
        )
        for row, value in enumerate(minutes)
    ]
    count = request.people or len(duty.people)
    crew = duty.crew if count >= len(duty.people) else ()
    with open_ledger(state.planned_area.area.settings) as ledger:
        ledger.hand_out(build_promised_week(state.week))
        stops = find_promised_stops(ledger, slot.officer, slot.date)
        stops = stops[(stops["urn"] == slot.urn) & (stops["window"] == duty.patrol.window)]
        entries = ledger.record(build_typed_visits(stops, answers, crew, people=count))
    outcomes = {entry.outcome for entry in entries}
    how = "corrected" if "corrected" in outcomes else "entered"
    if outcomes == {"same"}:
        how = "already entered"
    return f"Doses {how}: {slot}, {sum(minutes):g} minutes"


def load_delivered(settings: Settings, week: Week) -> DeliveredBySlot:
    """What was delivered by each patrol of a week, as the ledger has it."""
    ledger = open_existing_ledger(settings)
    if ledger is None:
        return {}
    with ledger:
        table = ledger.read_delivered(week.days[0], week.days[-1])
    table["window"] = table["window"].where(table["window"] != "", AFTER_SCHOOL)
    visits = {
        (row["officer"], row["urn"], row["date"], row["window"] or AFTER_SCHOOL, row["id"]): row
        for row in table.to_dict("records")
    }
    delivered: DeliveredBySlot = {}
    for duty in week.duties:
        patrol = (duty.officer, duty.urn, duty.date, duty.patrol.window)
        ids = [get_place_id(stop) for stop in duty.patrol.stops]
        rows = [visits.get((*patrol, one)) for one in ids]
        recorded = [row for row in rows if row is not None]
        if recorded:
            # Stops at one place are one visit: each has its part.
            minutes = [
                0.0 if row is None else float(row["minutes"]) / ids.count(one)
                for one, row in zip(ids, rows, strict=True)
            ]
            recorded = list({row["id"]: row for row in recorded}.values())
            spoken = [int(row["engagements"]) for row in recorded if pd.notna(row["engagements"])]
            delivered[get_slot(duty)] = (minutes, sum(spoken) if spoken else None)
    return delivered
