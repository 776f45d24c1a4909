"""What a change did to the cards, and further changes that are offered for one tap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from patrolplan.outputs.facts import describe_crew
from patrolplan.team.repair import Gap, list_changes, suggest_swaps
from patrolplan.text import pick_fields
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.area import StudyArea
    from patrolplan.board.requests import OffersRequest
    from patrolplan.board.shared_week import BoardState
    from patrolplan.team.repair import Change
    from patrolplan.team.week import Week


@dataclass(frozen=True, eq=False)
class Offer:
    """A further change: the week with it, its cards, and what it adds to the worth."""

    week: Week
    cards: tuple[Change, ...]
    gain_percent: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a change did, and what may be done next; valid for one version of the week."""

    version: int
    number: int
    """Which of the board's outcomes it is."""
    message: str
    cards: tuple[Change, ...]
    offers: tuple[Offer, ...]


def build_offer(before: Week, after: Week) -> Offer:
    """The offer of a week in the place of another."""
    gain = after.worth - before.worth
    percent = 100 * gain / before.worth if before.worth else 0.0
    return Offer(after, list_changes(before, after), percent)


def find_swaps(state: BoardState, request: OffersRequest) -> tuple[Offer, ...]:
    """The best swaps for a gap; raises InvalidEditError for one that the week cannot have."""
    gap = Gap(urn=request.urn, place=request.place, date=request.date)
    swaps = suggest_swaps(state.editor, state.week, gap)
    return tuple(build_offer(state.week, swap.week) for swap in swaps)


def build_outcome_document(outcome: Outcome, area: StudyArea) -> dict[str, Any]:
    """An outcome, for the page."""
    return {
        "id": outcome.number,
        "message": outcome.message,
        "cards": [_build_card_document(card, area) for card in outcome.cards],
        "offers": [
            {
                "changes": [_build_card_document(card, area) for card in offer.cards],
                "gain_percent": offer.gain_percent,
            }
            for offer in outcome.offers
        ],
    }


def _build_card_document(card: Change, area: StudyArea) -> dict[str, Any]:
    duty = card.duty
    return {
        "kind": card.kind,
        **pick_fields(duty, "officer", "urn", "date", "window", "variant"),
        "start": format_time(duty.start_minutes),
        "company": describe_crew(area, duty.crew),
    }
