"""Cautions for an officer on a patrol: places, light, roads, steps, and assumptions."""

from collections.abc import Sequence
from dataclasses import replace

from patrolplan.inputs.osm_tags import CrossingKind
from patrolplan.outputs import wording
from patrolplan.outputs.card.gate_panel import GATE_REASONS
from patrolplan.outputs.card.sentences import make_tasking_printable
from patrolplan.outputs.cartography.fonts import make_printable, print_whole
from patrolplan.outputs.note_words import describe_note
from patrolplan.outputs.tasking_words import describe_barred
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan

CROSSING_WORDS: dict[CrossingKind, str] = {
    "unmarked": "Main roads without a marked crossing",
    "unknown": "Main roads, no crossing known",
}
"""Kinds of crossing that need care; the others stop or slow the traffic."""


def list_cautions(plan: Plan, patrol: Patrol) -> list[dict[str, str]]:
    """The lines of a card's cautions: a sign, a label and a text each."""
    crs = plan.area.settings.area.crs
    lines = [
        ("\N{MULTIPLICATION SIGN}", "", describe_barred(_make_printable(barred), crs=crs))
        for barred in patrol.keep_away
    ]
    lines += [("", "Light:", wording.describe_lighting(plan, patrol))]
    lines += [("", f"{what}:", places) for what, places in _list_crossed_roads(patrol)]
    lines += [("", "Steps for the bicycle:", _list_legs_with_steps(patrol))]
    lines += [("", "Note:", " ".join(map(print_whole, _list_notes(plan, patrol))))]
    return [
        {"sign": sign, "label": label, "text": make_printable(text)}
        for sign, label, text in lines
        if text
    ]


def _make_printable(barred: BarredPlace) -> BarredPlace:
    tasking = make_tasking_printable(barred.tasking)
    return replace(barred, place=print_whole(barred.place), tasking=tasking)


def _list_crossed_roads(patrol: Patrol) -> list[tuple[str, str]]:
    """Main roads that are crossed without lights or priority, with the legs, by kind."""
    names = [wording.format_leg_name(patrol, number) for number in range(len(patrol.legs))]
    if patrol.approach is not None:
        names.insert(0, wording.APPROACH_NAME)
    found: dict[CrossingKind, dict[str, list[str]]] = {}
    for name, leg in zip(names, patrol.all_legs, strict=True):
        for crossing in (crossing for step in leg.steps for crossing in step.crossings):
            legs = found.setdefault(crossing.kind, {}).setdefault(crossing.road, [])
            if name not in legs:
                legs.append(name)
    return [
        (what, "; ".join(f"{road} ({', '.join(legs)})" for road, legs in found[kind].items()) + ".")
        for kind, what in CROSSING_WORDS.items()
        if kind in found
    ]


def _list_legs_with_steps(patrol: Patrol) -> str:
    """Legs on which a bicycle is carried; empty on foot."""
    names = [
        wording.format_leg_name(patrol, number)
        for number, leg in enumerate(patrol.legs)
        if any(step.way == "carry" for step in leg.steps)
    ]
    return f"{', '.join(names)}." if names else ""


def _list_notes(plan: Plan, patrol: Patrol) -> Sequence[str]:
    """What was assumed; a missing date is mentioned only if something is tasked."""
    is_tasked = bool(patrol.keep_away) or any(stop.tasking for stop in patrol.stops)
    elsewhere = set() if plan.date is None and is_tasked else {"no_date"}
    elsewhere |= set() if patrol.stops else {*GATE_REASONS}
    return [describe_note(note) for note in patrol.notes if note.kind not in elsewhere]
