"""What the way home has for a card: the busiest stretch in a line, and what was assumed."""

from collections.abc import Mapping, Sequence
from typing import Any

from patrolplan.hotspots.reasons import WayReason
from patrolplan.notes import Note, NoteKind
from patrolplan.outputs.reason_words import describe_share
from patrolplan.patrols.plan import Patrol, Stop

SHORT: Mapping[NoteKind, str] = {
    "no_stops": "walkers only: no stops given",
    "no_stops_near": "walkers only: no stops near",
    "no_origins": "no origins",
    "rolls_by_capacity": "no number of pupils",
    "rolls_assumed": "no number of pupils",
    "no_places": "no pubs or bars given",
}
"""What is not known and had to be assumed, in few words: a card has a line for it. The sentences
are in the plan and in what `check` says."""


def describe_assumptions(notes: Sequence[Note], urn: str) -> str:
    """One sentence on what was assumed of a school's ways home; empty where they do not count.

    Examples
    --------
    >>> exposure = {"categories": ["Robbery"], "powers": [0.25], "pupils": 900, "schools": 2}
    >>> assumed = [Note("no_places"), Note("exposure", exposure), Note("no_stops")]
    >>> describe_assumptions(assumed, "1")
    "Pupils' ways home are modelled (walkers only: no stops given; no pubs or bars given)."
    >>> describe_assumptions([Note("no_stops"), Note("exposure_off")], "1")
    ''
    """
    if not any(note.kind == "exposure" for note in notes):
        return ""
    about = {
        note.kind for note in notes if "urns" not in note.values or urn in note.list_texts("urns")
    }
    parts = dict.fromkeys(words for kind, words in SHORT.items() if kind in about)
    return f"Pupils' ways home are modelled ({'; '.join(parts) or 'nobody is tracked'})."


def find_busiest_stop(patrol: Patrol) -> tuple[int, WayReason] | None:
    """The stop on whose stretch most of the school's pupils pass, by its index, and the reason.

    None where no stop is on a stretch that enough of them pass to be named. Of equal ones the first
    counts.
    """
    own = [
        (number, reason)
        for number, stop in enumerate(patrol.stops)
        for reason in stop.why
        if isinstance(reason, WayReason) and reason.school == patrol.school
    ]
    return max(own, key=lambda one: (one[1].share, -one[0]), default=None)


def describe_busiest(reason: WayReason) -> str:
    """The line of the card.

    Examples
    --------
    >>> describe_busiest(WayReason(school="Hill School", share=0.15, start="15:12", end="15:30"))
    'Busiest stretch on the way home, 15:12 to 15:30: about one pupil in six.'
    """
    way = "to school" if reason.to_school else "home"
    share = describe_share(reason.share)
    return f"Busiest stretch on the way {way}, {reason.start} to {reason.end}: {share}."


def drop_own_way(stop: Stop, patrol: Patrol) -> tuple[Any, ...]:
    """The reasons of a stop without that of the own school's way, which stands in a line apart."""
    return tuple(
        reason
        for reason in stop.why
        if not (isinstance(reason, WayReason) and reason.school == patrol.school)
    )
