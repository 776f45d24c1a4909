"""The texts of a card, as strings for the template: stops, panel of a gate, cautions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from patrolplan.area.square_names import format_grid_reference
from patrolplan.inputs.osm_tags import CrossingKind
from patrolplan.notes import list_texts
from patrolplan.outputs import wording
from patrolplan.outputs.cartography.fonts import list_unprintable_notes, make_printable, print_whole
from patrolplan.outputs.cartography.symbols import FEARED_TEXT
from patrolplan.outputs.direction_words import describe_directions
from patrolplan.outputs.facts import StopFacts, list_stop_facts
from patrolplan.outputs.routes import KEEP_AWAY_MARK
from patrolplan.patrols.marking import find_marking
from patrolplan.patrols.patrol_state import PatrolState, find_patrol_state
from patrolplan.patrols.plan import Patrol, Plan, Tasking
from patrolplan.patrols.walked import find_unguarded_crossings
from patrolplan.privacy import note_low_threshold
from patrolplan.risk.history import note_guard
from patrolplan.text import capitalise, join_words
from patrolplan.times import format_span, format_time

SCHOOL_NAME_SIZES = ((55, 15), (90, 12), (150, 10), (1200, 9))  # Letters up to which, points
DASH = "\N{EN DASH}"
NO_BREAK = "\N{NO-BREAK SPACE}"  # So that a number stays with its unit
LOOK_FOR = "Look for: groups that wait for pupils, pupils who turn back or will not {}, traffic."
ASK = "Ask: which way {} do you avoid, and why?"  # What to do while staying at the gate
ARRIVING = ("come in", "to school", "came from")
LEAVING = ("leave", "home", "went towards")  # What pupils do at the gate before and after school
GATE_REASON = "gate_reason"  # Key of a note that is in the panel, so it is no caution as well

CROSSING_WORDS: dict[CrossingKind, str] = {
    "unmarked": "Main roads without a marked crossing",
    "unknown": "Main roads, no crossing known",
}


def build_card_data(
    plan: Plan, patrol: Patrol, plan_code: str, *, officer: str = "", colleagues: Sequence[str] = ()
) -> dict[str, Any]:
    """All texts of the card, as strings for the template; `plan_code` identifies the plan."""
    school = print_whole(patrol.school)
    patrol_id = f"{patrol.urn}-{patrol.number}"
    officers = sum(other.urn == patrol.urn for other in plan.patrols)
    number = f"officer {patrol.number} of {officers}" if officers > 1 else ""
    date = "" if plan.date is None else f"{plan.date:%A} {plan.date.day} {plan.date:%B %Y}"
    on_duty = f"{officer} with {join_words(colleagues)}" if colleagues else officer
    start, until = patrol.start_minutes, patrol.gate_until_minutes
    gate_time = format_time(start) if start == until else format_span(start, until)
    crs = plan.area.projection.crs
    stops = list_stop_facts(patrol, crs)
    state = find_patrol_state(plan, patrol)
    legs = _build_leg_data(patrol)
    # In two columns of about the same number of letters.
    sizes = [40 + sum(len(step) + 2 for step in leg["steps"]) for leg in legs]
    cuts = range(1, len(legs))
    cut = min(cuts, key=lambda at: abs(2 * sum(sizes[:at]) - sum(sizes)), default=len(legs))
    columns = [part for part in (legs[:cut], legs[cut:]) if part]
    directions = f"Directions ({wording.describe_distance(patrol)})" if patrol.legs else ""
    data: dict[str, Any] = {
        "title": f"Patrol card {patrol_id}: {school}",
        "school": school,
        "school_size": next(size for letters, size in SCHOOL_NAME_SIZES if len(school) <= letters),
        "subtitle": " · ".join(filter(None, (wording.describe_further_window(patrol), number))),
        "date": date,
        "officer": make_printable(on_duty),
        "aim": wording.describe_aim(state),
        "marking": make_printable(find_marking(plan.area, [patrol])),
        "window": format_span(start, patrol.latest_end_minutes) if patrol.stops else gate_time,
        "timing": f"back by {format_time(patrol.back_minutes)}" if patrol.stops else "",
        "gate_time": gate_time,
        "gate_grid": format_grid_reference(patrol.x, patrol.y, crs=crs),
        "gate_only": None if patrol.stops else _build_gate_panel(plan, patrol, state),
        "stops": [_build_stop_data(plan, stop) for stop in stops],
        "cautions": list_cautions(plan, patrol),
        "directions_title": directions,
        "legs": columns,
        "contacts": " · ".join(map(make_printable, plan.area.settings.output.contacts)),
        "gate_after": _format_gate_after(patrol),
        "basis": _list_basis(plan, patrol, state),
        "map_alt": _describe_map(patrol, school, [stop.place for stop in stops]),
        "code_alt": f"QR code of plan {plan_code}, patrol {patrol_id}",
        "id": f"{plan_code} {patrol_id}",
    }
    data["basis"] += list_unprintable_notes(data)
    return data


def _build_stop_data(plan: Plan, facts: StopFacts) -> dict[str, Any]:
    """A row of the table; a place for the second time is told at its first."""
    stop = facts.stop
    place = capitalise(print_whole(facts.place)) + wording.describe_chance(plan, stop.hotspot)
    tasked = ""
    if stop.tasking is not None:
        printable = _make_tasking_printable(stop.tasking)
        words = f"{printable.place_id}: {wording.describe_tasking(printable)}."
        tasked = f"{words} {facts.tasked_distance}".strip()
    return {
        "mark": str(facts.number),
        "time": format_span(stop.arrive_minutes, stop.leave_minutes),
        "place": f"Stop {facts.earlier} again" if facts.earlier else place,
        "grid": "" if facts.earlier else facts.grid,
        "tasked": tasked,
        "why": [
            {
                "sign": FEARED_TEXT if one.is_voice else "",  # of feared places, if pupils say so
                "text": f"{print_whole(one.text)}{one.end}",
                "bold": one.is_bold,
            }
            for one in ([] if facts.earlier else facts.list_why("short"))
        ],
    }


def _format_gate_after(patrol: Patrol) -> str:
    """When the officer is at the gate again after the stops; empty if for less than a minute."""
    last = patrol.standings[-1:] if patrol.stops else []
    spans = [format_span(stay.from_minutes, stay.to_minutes) for stay in last if not stay.number]
    return next((span for span in spans if len({*span.split(DASH)}) > 1), "")


def _build_leg_data(patrol: Patrol) -> list[dict[str, Any]]:
    """Tag, length and directions of each leg."""
    rows = []
    for number, leg in enumerate(patrol.legs):
        steps = [
            f"{print_whole(turn)} {print_whole(street)} "
            f"{length.replace(' ', NO_BREAK)}{print_whole(passed)}"
            for turn, street, length, passed in describe_directions(leg.steps)
        ]
        name = wording.format_leg_name(patrol, number)
        minutes = wording.format_leg_minutes(patrol, number)
        length = f"{wording.format_metres(leg.metres)}, {minutes}:".replace(" ", NO_BREAK)
        rows.append({"tag": name, "length": length, "steps": steps or ["stay where you are"]})
    return rows


def _list_basis(plan: Plan, patrol: Patrol, state: PatrolState) -> list[str]:
    """How good the patrol is, and the data with its sources; maps and notes say more of them."""
    settings = plan.area.settings
    near = f", {wording.SNAPPED_PLACES}" if plan.risk.snapped else ""
    is_fictional = wording.is_fictional_area(plan.area.name)
    declared = [*note_guard(settings), *note_low_threshold(settings), *plan.area.accepted_checks]
    known = patrol.way_home.assumed if patrol.way_home else ()
    data = [
        *list_texts(note for note in known if note.key == "ways_counted"),
        f"{wording.format_data_months(plan.risk)}{near}.",
        *list_texts(declared),
        *(["Fictional place."] if is_fictional else wording.list_attributions(plan)),
    ]
    lines = [wording.describe_worth(state) if state.has_stops else "", " ".join(data)]
    return [print_whole(line) for line in lines if line]


def _describe_map(patrol: Patrol, school: str, places: Sequence[str]) -> str:
    """The map in words, for those who cannot see it."""
    if not places:
        return f"Street map around the gate of {school}."
    named = map(make_printable, places)
    stops = "; ".join(f"stop {number}, {place}" for number, place in enumerate(named, 1))
    way = f"Street map of the {patrol.travel.noun} from the gate of {school}"
    return f"{way} to {stops}; and back to the gate."


def _make_tasking_printable(tasking: Tasking) -> Tasking:
    """A tasking with only letters that the typeface has, and with its words whole."""
    place_id, reason, by = map(print_whole, (tasking.place_id, tasking.reason, tasking.by))
    return replace(tasking, place_id=place_id, reason=reason, by=by)


def _build_gate_panel(plan: Plan, patrol: Patrol, state: PatrolState) -> dict[str, Any]:
    """The panel of a card without a stop: to stay, until when, why, and what to look for."""
    do, where, came = ARRIVING if state.is_to_school else LEAVING
    window = plan.area.settings.patrol.windows.get(patrol.window)
    notes = [note.text for note in patrol.notes if note.key == GATE_REASON]
    why = " ".join(notes) or "Nothing within reach is worth the walk in this window."
    if state.is_reference:
        why = wording.describe_worth(state)
    elif window is not None and window.at_gate:
        why = "This window is for the gate alone: no stop is planned."
    return {
        "title": f"Stay at the gate until {format_time(patrol.gate_until_minutes)}",
        "why": why,
        "tasks": [LOOK_FOR.format(do), ASK.format(where)],
        "most": f"Most {came}:",
    }


def list_cautions(plan: Plan, patrol: Patrol) -> list[dict[str, str]]:
    """The lines of a card's cautions: a sign, a label and a text each."""
    crs = plan.area.settings.area.crs
    barred = (
        replace(one, place=print_whole(one.place), tasking=_make_tasking_printable(one.tasking))
        for one in patrol.keep_away
    )
    lines = [(KEEP_AWAY_MARK, "", wording.describe_barred(one, crs=crs)) for one in barred]
    lines += [("", "Light:", wording.describe_lighting(plan, patrol))]
    crossings = find_unguarded_crossings(patrol)
    for kind, what in CROSSING_WORDS.items():
        roads = [
            f"{road} ({', '.join(wording.format_leg_name(patrol, leg) for leg in legs)})"
            for road, legs in crossings.get(kind, {}).items()
        ]
        lines += [("", f"{what}:", f"{'; '.join(roads)}.")] if roads else []
    carried = [
        wording.format_leg_name(patrol, number)
        for number, leg in enumerate(patrol.legs)
        if any(step.way == "carry" for step in leg.steps)
    ]
    lines += [("", "Steps for the bicycle:", f"{', '.join(carried)}." if carried else "")]
    # Seen elsewhere on the card: a reason in the gate's panel, the day.
    elsewhere = {"no_date"} | (set() if patrol.stops else {GATE_REASON})
    notes = (print_whole(note.text) for note in patrol.notes if note.key not in elsewhere)
    lines += [("", "", " ".join(notes))]
    shown = [(sign, label, make_printable(text)) for sign, label, text in lines if text]
    return [{"sign": sign, "label": label, "text": text} for sign, label, text in shown]
