"""Parts of a card beside its stops: sentences, the panel of a gate, and cautions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np

from patrolplan.hotspots.reasons import CrimeReason, Reason
from patrolplan.inputs.osm_tags import CrossingKind
from patrolplan.notes import NoteKind
from patrolplan.outputs import wording
from patrolplan.outputs.cartography.fonts import make_printable, print_whole
from patrolplan.outputs.cartography.symbols import FEARED_TEXT
from patrolplan.outputs.note_words import describe_note
from patrolplan.outputs.reason_words import HARDLY_ANY, ReasonLine, build_lines
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan, Tasking
from patrolplan.patrols.turns import HEADINGS
from patrolplan.text import capitalise
from patrolplan.times import format_time

LOOK_FOR = "Look for: groups that wait for pupils, pupils who turn back or will not {}, traffic."
ASK = "Ask: which way {} do you avoid, and why?"
"""What to do while staying at the gate."""

ARRIVING = ("come in", "to school", "came from")
LEAVING = ("leave", "home", "went towards")
"""What pupils do at the gate before and after school."""

GATE_REASONS: tuple[NoteKind, ...] = ("no_stop_in_time", "window_at_gate", "pupils_driven")
"""Notes on why no stop is made: they are in the panel, so they are not repeated as cautions."""

MAX_NEAREST = 3
"""Maximum number of hotspots that are named on a card without a stop."""

CROSSING_WORDS: dict[CrossingKind, str] = {
    "unmarked": "Main roads without a marked crossing",
    "unknown": "Main roads, no crossing known",
}
"""Kinds of crossing that need care; the others stop or slow the traffic."""


def build_sentence(line: ReasonLine) -> dict[str, Any]:
    """A sentence from its text, with the sign of feared places if it is from pupils."""
    sign = FEARED_TEXT if line.is_voice else ""
    return {"sign": sign, "text": f"{print_whole(line.text)}.", "bold": False}


def make_tasking_printable(tasking: Tasking) -> Tasking:
    """A tasking with only letters that the typeface has, and with its words whole."""
    place_id, reason, by = map(print_whole, (tasking.place_id, tasking.reason, tasking.by))
    return replace(tasking, place_id=place_id, reason=reason, by=by)


def build_gate_panel(plan: Plan, patrol: Patrol, *, with_months: bool) -> dict[str, Any]:
    """The panel of a card without a stop: to stay, until when, why, and what to look for."""
    arrive = wording.is_before_school(plan, patrol)
    do, where, came = ARRIVING if arrive else LEAVING
    return {
        "title": f"Stay at the gate until {format_time(patrol.gate_until_minutes)}",
        "why": _describe_gate_reason(plan, patrol),
        "tasks": [LOOK_FOR.format(do), ASK.format(where)],
        "most": f"Most {came}:",
        "nearest": [
            {
                "place": capitalise(print_whole(place)),
                "where": where,
                "grid": grid,
                "reasons": [build_sentence(build_lines(reasons, with_months=with_months)[0])],
            }
            for place, where, grid, reasons in list_nearest(plan, patrol)
        ],
    }


def _describe_gate_reason(plan: Plan, patrol: Patrol) -> str:
    """Why no stop is made."""
    if patrol.kind == "reference":
        return wording.describe_reference(patrol)
    if wording.is_at_gate(plan, patrol):
        return "This window is for the gate alone: no stop is planned."
    notes = [describe_note(note) for note in patrol.notes if note.kind in GATE_REASONS]
    return " ".join(notes) or "Nothing within reach is worth the walk in this window."


def _is_known_for_something(reasons: Sequence[Reason]) -> bool:
    return bool(reasons) and not (
        isinstance(reasons[0], CrimeReason) and reasons[0].incidents in HARDLY_ANY
    )


def list_nearest(plan: Plan, patrol: Patrol) -> list[tuple[str, str, str, Sequence[Reason]]]:
    """Place, distance, grid reference and reasons of the hotspots nearest to the gate.

    Those where hardly anything is recorded are left out.
    """
    table = plan.hotspots
    table = table[[_is_known_for_something(reasons) for reasons in table["reasons"]]]
    if not len(table):
        return []
    stops = gpd.GeoSeries(table["stop"])
    east, north = stops.x.to_numpy() - patrol.x, stops.y.to_numpy() - patrol.y
    metres = np.hypot(east, north)
    order = np.argsort(metres.round(2), kind="stable")[:MAX_NEAREST]
    near = order[metres[order] <= plan.area.settings.patrol.radius_metres]
    crs = plan.area.settings.area.crs
    found = []
    for row in near.tolist():
        turn = round(np.degrees(np.arctan2(east[row], north[row])) / 45) % 8
        heading = HEADINGS[turn].removeprefix("head ")
        x, y = float(stops.x.iloc[row]), float(stops.y.iloc[row])
        where = f"{wording.format_metres(float(metres[row]))} {heading}"
        grid = wording.format_grid_reference(x, y, crs=crs)
        place = table["place"].iloc[row] + wording.describe_chance(plan, table["hotspot"].iloc[row])
        found.append((place, where, grid, table["reasons"].iloc[row]))
    return found


def list_cautions(plan: Plan, patrol: Patrol) -> list[dict[str, str]]:
    """The lines of a card's cautions: a sign, a label and a text each."""
    crs = plan.area.settings.area.crs
    lines = [
        ("\N{MULTIPLICATION SIGN}", "", wording.describe_barred(_make_printable(barred), crs=crs))
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
    found: dict[CrossingKind, dict[str, list[str]]] = {}
    for name, leg in zip(names, patrol.legs, strict=True):
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
