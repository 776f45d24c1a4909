"""The way home on a card: the busiest stretch in one line, and what was assumed."""

from collections.abc import Mapping, Sequence
from typing import Any

from patrolplan.hotspots.reasons import WayReason
from patrolplan.notes import Note, NoteKind
from patrolplan.outputs.reason_words import describe_share, is_way_met
from patrolplan.patrols.plan import Patrol, Stop

SHORT: Mapping[NoteKind, str] = {
    "no_stops": "walkers only, bus stops not known",
    "no_stops_near": "walkers only, no bus stop near",
    "no_origins": "homes not known",
    "rolls_by_capacity": "number of pupils assumed",
    "rolls_assumed": "number of pupils assumed",
    "no_places": "pubs and bars not known",
}
"""What is unknown and was assumed, in few words: a card has one line for it. The full sentences are
in the plan and in the output of `check`."""


def describe_assumptions(notes: Sequence[Note], urn: str) -> str:
    """One sentence on what was assumed for a school's ways home; empty if they do not count."""
    if not any(note.kind == "exposure" for note in notes):
        return ""
    about = {
        note.kind for note in notes if "urns" not in note.values or urn in note.list_texts("urns")
    }
    parts = dict.fromkeys(words for kind, words in SHORT.items() if kind in about)
    return f"Pupils' ways home are modelled ({'; '.join(parts) or 'nobody is tracked'})."


def find_busiest_stop(patrol: Patrol) -> tuple[int, WayReason] | None:
    """Index of the stop on whose stretch most of the school's pupils pass, and the reason.

    Only stops at which the officer stands while they pass count; None if there is none. In a tie,
    it is the first.
    """
    own = [
        (number, reason)
        for number, stop in enumerate(patrol.stops)
        for reason in stop.why
        if isinstance(reason, WayReason)
        and reason.school == patrol.school
        and is_way_met(stop, reason)
    ]
    return max(own, key=lambda one: (one[1].share, -one[0]), default=None)


def describe_busiest(reason: WayReason) -> str:
    """The line of the card."""
    way = "to school" if reason.to_school else "home"
    share = describe_share(reason.share)
    return f"Busiest stretch on the way {way}, {reason.start} to {reason.end}: {share}."


def drop_own_way(stop: Stop, patrol: Patrol) -> tuple[Any, ...]:
    """The reasons of a stop without that of the own school's way, which has a separate line."""
    return tuple(
        reason
        for reason in stop.why
        if not (isinstance(reason, WayReason) and reason.school == patrol.school)
    )
