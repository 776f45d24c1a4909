"""Sentences of a card as its template takes them: text, and the sign before it."""

from dataclasses import replace

from patrolplan.hotspots.reasons import BeatReason, Reason, ReportsReason
from patrolplan.outputs.cartography.fonts import print_whole
from patrolplan.patrols.plan import Tasking

VOICE_SIGN = "!"
"""Stands in a speech bubble before what pupils say of a place, here as on the map."""


def build_sentence(text: str, reason: Reason | None = None) -> dict[str, str]:
    """A sentence from its text without the full stop; with the sign of the reason that it gives.

    Examples
    --------
    >>> build_sentence("New", ReportsReason(time_band=None, factors=()))
    {'sign': '!', 'text': 'New.'}
    """
    parts = reason.reasons if isinstance(reason, BeatReason) else (reason,)
    is_voice = any(isinstance(part, ReportsReason) for part in parts)
    return {"sign": VOICE_SIGN if is_voice else "", "text": f"{print_whole(text)}."}


def make_tasking_printable(tasking: Tasking) -> Tasking:
    """A tasking whose words the typeface has, each of them whole."""
    place_id, reason, by = map(print_whole, (tasking.place_id, tasking.reason, tasking.by))
    return replace(tasking, place_id=place_id, reason=reason, by=by)
