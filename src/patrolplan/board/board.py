"""Everything that the board does for its page."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from threading import Event
from typing import Any

import pandas as pd
from starlette.exceptions import HTTPException

from patrolplan.board import edits, requests
from patrolplan.board.jobs import BackgroundJob, BusyError, Proposal, solve_week
from patrolplan.board.repairs import prepare_change
from patrolplan.board.shared_week import BoardState, SharedWeek
from patrolplan.board.views import DeliveredBySlot, build_week_view
from patrolplan.board.week_folder import OUT_OF_DATE_KEY, print_papers
from patrolplan.errors import PatrolplanError
from patrolplan.outputs.output_folder import read_manifest
from patrolplan.settings import Settings
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.team.ledger.address import open_existing_ledger
from patrolplan.team.ledger.delivered import Answer, build_typed_visits, find_promised_stops
from patrolplan.team.ledger.ledger import open_ledger
from patrolplan.team.ledger.promised import build_promised_week, get_place_id
from patrolplan.team.people import describe_crew
from patrolplan.team.repair import Change, Gap, Move, list_changes, suggest_swaps
from patrolplan.team.rota import walk_new_patrols
from patrolplan.team.week import Week
from patrolplan.team.week_editor import InvalidEditError, refuse
from patrolplan.text import format_count, pick_fields
from patrolplan.times import format_time

CLOSE_SECONDS = 2.0  # how long the board waits for its background work when it is closed
READY: dict[edits.Judgement, str] = {  # proposals; planning again offers better weeks only
    "better": "A better week is ready",
    "as good": "No better week was drawn: this one is as good",
    "worse": "A worse week was drawn",
}


class Board:
    """The page's requests about the week, and the jobs that run in the background."""

    def __init__(self, shared: SharedWeek) -> None:
        self.shared = shared
        self.planning_job = BackgroundJob()
        self.printing_job = BackgroundJob()
        self._cancel = Event()
        self._proposal: Proposal | None = None
        self._numbers = count(1)
        self._offers: dict[int, tuple[int, Week]] = {}  # with the version that each is for
        self._outcome: tuple[int, dict[str, Any]] = (0, {})  # the same of the last repair

    def close(self) -> None:
        """Stop solving and planning; papers that are being written are finished first."""
        self.cancel_solving()
        self.printing_job.wait()

    def build_state(self) -> dict[str, Any]:
        """Everything that the page shows."""
        shared, (shown, outcome) = self.shared, self._outcome
        with shared.lock:
            state = shared.state
            facts = {
                "version": shared.version,
                "can_undo": bool(shared.undo_stack),
                "can_redo": bool(shared.redo_stack),
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
            # The outcome of a repair is shown as long as nothing else has changed.
            "outcome": outcome if shown == facts["version"] else None,
            "out_of_date": read_manifest(shared.store.folder).get(OUT_OF_DATE_KEY, []),
        }

    def check(self, request: requests.CheckRequest) -> dict[str, Any]:
        """Whether a change can be made, and what the week would be worth; nothing changes."""
        change, state = request.change, self.shared.state
        before = worth = state.week.worth
        message = why = ""
        try:
            if isinstance(change, requests.RepairedChange):
                message, _ = prepare_change(change, state)
            else:
                _, week, message = edits.apply_change(change, state.editor, state.week)
                worth = week.worth
        except InvalidEditError as error:
            why = str(error)
        words = {"why": why, "message": message}
        return {"ok": not why, **words, "worth": worth, "worth_before": before}

    def change(self, request: requests.ChangeRequest) -> str:
        """Make a change and save it; a repair is computed in the background first."""
        version, change = request.version, request.change
        if not isinstance(change, requests.RepairedChange):
            return self.shared.change(version, change)
        before = self.shared.read(version)
        words, carry_out = prepare_change(change, before)

        def repair() -> str:
            after, done, offers = carry_out()
            with self.shared.lock:
                message = self.shared.apply_step(version, lambda _: (after, done))
                cards = list_changes(before.week, after.week)
                outcome = self._build_outcome(message, cards, offers, after.week)
                self._outcome = (self.shared.version, outcome)
            return message

        self.planning_job.start("planning", "Repairing the week", repair)
        return words

    def record(self, request: requests.DosesRequest) -> str:
        """Enter doses into the ledger."""
        with self.shared.lock:
            message = record_doses(self.shared.read(request.version), request)
            self.shared.add_version(message)
            return message

    def check_not_planning(self) -> None:
        """Raise BusyError while a change is planned: a new version would put it out of date."""
        status = self.planning_job.status
        if status.running and status.kind == "planning":
            message = f"{status.message}: wait until it is done"
            raise BusyError(message)

    def _build_outcome(
        self, message: str, cards: Sequence[Change], moves: Sequence[Move], week: Week
    ) -> dict[str, Any]:
        """What was done to the present week, and what may be done next; older offers are void."""
        version, offers = self.shared.version, {next(self._numbers): move for move in moves}
        valid = {number: offer for number, offer in self._offers.items() if offer[0] == version}
        self._offers = valid | {number: (version, move.week) for number, move in offers.items()}

        def describe(cards: Sequence[Change]) -> list[dict[str, Any]]:
            return [
                {
                    "kind": card.kind,
                    **pick_fields(card.duty, "officer", "urn", "date", "window", "variant"),
                    "start": format_time(card.duty.start_minutes),
                    "company": describe_crew(week.plan.area, card.duty.crew),
                }
                for card in cards
            ]

        def gain(offer: Move) -> float:
            return 100 * (offer.week.worth - week.worth) / week.worth if week.worth else 0.0

        return {
            "message": message,
            "cards": describe(cards),
            "offers": [
                {"id": number, "changes": describe(offer.changes), "gain_percent": gain(offer)}
                for number, offer in offers.items()
            ],
        }

    def find_offers(self, request: requests.OffersRequest) -> dict[str, Any]:
        """The best swaps for a gap; nothing changes."""
        state = self.shared.read(request.version)
        gap = Gap(request.urn, request.place, request.date)
        offers = suggest_swaps(state.editor, state.week, gap)
        with self.shared.lock:
            self.shared.check_version(request.version)
            return self._build_outcome("", (), offers, state.week)

    def take_offer(self, request: requests.TakeOfferRequest) -> str:
        """Make a change that was offered."""

        def take(state: BoardState) -> tuple[BoardState, str]:
            version, offered = self._offers.get(request.id, (0, state.week))
            if version != request.version:
                refuse("this was offered for an earlier week; ask for it again")
            changes = "; ".join(edits.list_differences(state.week, offered))
            week = walk_new_patrols(state.editor.inputs, state.week, offered)
            return replace(state, week=week), f"Taken: {changes}"

        return self.shared.apply_step(request.version, take)

    def start_solving(self, request: requests.SolveRequest) -> dict[str, Any]:
        """Begin to solve the week with its locks and bans; by its present draw or the next one."""
        state, draw_again = self.shared.read(request.version), request.draw_again
        self._proposal = None

        def solve() -> str:
            proposal = solve_week(state.editor, state.week, self._cancel, draw_again=draw_again)
            judgement = edits.judge_gains(edits.compute_gains(state.week, proposal.week))
            if judgement != "better" and not draw_again:
                return "No better week was found by this draw; the week stays as it is"
            self._proposal = proposal
            return f"{READY[judgement]}: compare it with this one, then take or drop it"

        self._cancel.clear()
        what = "Drawing again" if draw_again else "Planning again"
        self.planning_job.start("solving", f"{what} around the locks", solve)
        return self.planning_job.document()

    def build_planning_status(self) -> dict[str, Any]:
        """The progress of solving or repairing; once it has ended, with the state after it."""
        status = self.planning_job.document()
        return status if status["running"] else {**status, "state": self.build_state()}

    def cancel_solving(self) -> dict[str, Any]:
        """Stop solving; the week stays as it is."""
        self._cancel.set()
        self.planning_job.wait(CLOSE_SECONDS)
        return self.planning_job.document()

    @property
    def proposal(self) -> Proposal | None:
        """What was solved, as long as locks, bans and routes are those it was solved for."""
        proposal, inputs = self._proposal, self.shared.state.editor.inputs
        return proposal if proposal is not None and proposal.inputs is inputs else None

    def build_proposal(self) -> dict[str, Any]:
        """The proposal, compared with the present week."""
        proposal, state = self.proposal, self.shared.state
        if proposal is None:
            raise HTTPException(404, "there is no proposal; plan again")
        week, gains = proposal.week, edits.compute_gains(state.week, proposal.week)
        return {
            **pick_fields(week, "worth", "bound", "gap_percent", "give_percent", "status"),
            "changes": edits.list_differences(state.week, week),
            "gains": gains,
            "judgement": edits.judge_gains(gains),
        }

    def accept_proposal(self, request: requests.VersionedRequest) -> str:
        """Make the proposal the week."""

        def accept(state: BoardState) -> tuple[BoardState, str]:
            proposal = self.proposal
            if proposal is None:
                refuse("the proposal was made for other locks and bans; plan again")
            changes = format_count(len(edits.list_differences(state.week, proposal.week)), "change")
            return replace(state, week=proposal.week), f"Proposal taken: {changes}"

        message = self.shared.apply_step(request.version, accept)
        self._proposal = None
        return message

    def discard_proposal(self) -> dict[str, Any]:
        """Forget the proposal."""
        self._proposal = None
        return {"proposal": False}

    def start_printing(self, request: requests.VersionedRequest) -> dict[str, Any]:
        """Begin to print the week."""
        self.shared.read(request.version)
        self.printing_job.start("printing", "Drawing the papers", lambda: print_papers(self.shared))
        return self.build_printing_status()

    def build_printing_status(self) -> dict[str, Any]:
        """The progress of printing, and the papers in the folder."""
        store = self.shared.store
        stale = set(read_manifest(store.folder).get(OUT_OF_DATE_KEY, []))
        return {
            **self.printing_job.document(),
            "folder": str(store.folder),
            "files": [
                {"name": name, "href": f"/papers/{name}", "out_of_date": name in stale}
                for name in store.list_papers()
            ],
        }


def record_doses(state: BoardState, request: requests.DosesRequest) -> str:
    """Enter what a patrol delivered and return it in words; entered again it is corrected."""
    # The present week is handed out first, so that promised and delivered minutes belong to the
    # same patrol. There is a number of minutes for each stop in the order of the card; people
    # spoken to on the whole patrol are entered at its first visited stop.
    slot, minutes, engagements = request.duty.slot, request.minutes, request.engagements
    duty = edits.find_duty(state.week, slot)
    planned = [round(stop.leave_minutes - stop.arrive_minutes) for stop in duty.patrol.stops]
    if len(minutes) != len(planned):
        refuse(f"{len(minutes)} numbers for {len(planned)} stops; write one for each")
    if not minutes:
        refuse(f"{slot}: stays at the gate; there is no dose to enter")
    first = next((row for row, value in enumerate(minutes) if value > 0), 0)
    elsewhere = None if engagements is None else 0
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
    with open_existing_ledger(settings) as ledger:
        if ledger is None:
            return {}
        table = ledger.read_delivered(week.days[0], week.days[-1])
    visits = {
        (row["officer"], row["urn"], row["date"], row["window"] or AFTER_SCHOOL, row["id"]): row
        for row in table.to_dict("records")
    }
    delivered: DeliveredBySlot = {}
    for duty in week.duties:
        patrol = (duty.officer, duty.urn, duty.date, duty.patrol.window)
        ids = [get_place_id(stop) for stop in duty.patrol.stops]
        rows = {one: visits[*patrol, one] for one in ids if (*patrol, one) in visits}
        if rows:
            # Stops at one place are one visit: each has its part.
            parts = {one: float(row["minutes"]) / ids.count(one) for one, row in rows.items()}
            spoken = [int(r["engagements"]) for r in rows.values() if pd.notna(r["engagements"])]
            minutes = [parts.get(one, 0.0) for one in ids]
            delivered[duty.slot] = (minutes, sum(spoken) if spoken else None)
    return delivered
