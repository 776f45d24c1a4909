"""Sentences of a card for its template: text, and the sign before it."""

from dataclasses import replace

from patrolplan.outputs.cartography.fonts import print_whole
from patrolplan.outputs.cartography.symbols import FEARED_TEXT
from patrolplan.outputs.reason_words import ReasonLine
from patrolplan.patrols.plan import Tasking


def build_sentence(line: ReasonLine) -> dict[str, str]:
    """A sentence from its text, with the sign of feared places if it is from pupils."""
    return {"sign": FEARED_TEXT if line.is_voice else "", "text": f"{print_whole(line.text)}."}


def make_tasking_printable(tasking: Tasking) -> Tasking:
    """A tasking with only letters that the typeface has, and with its words whole."""
    place_id, reason, by = map(print_whole, (tasking.place_id, tasking.reason, tasking.by))
    return replace(tasking, place_id=place_id, reason=reason, by=by)
