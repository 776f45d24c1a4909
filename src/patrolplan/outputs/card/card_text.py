"""The texts of a card, as strings for the template: stops, panel of a gate, cautions."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from patrolplan.hotspots.reasons import CrimeReason, DesignatedReason, TrendReason
from patrolplan.hotspots.trends import CHANGED_TRENDS
from patrolplan.inputs.osm_tags import CrossingKind
from patrolplan.notes import list_texts
from patrolplan.outputs import wording
from patrolplan.outputs.cartography.fonts import list_unprintable_notes, make_printable, print_whole
from patrolplan.outputs.cartography.symbols import FEARED_TEXT
from patrolplan.outputs.direction_words import describe_directions
from patrolplan.outputs.facts import (
    StopFacts,
    find_busiest_stop,
    find_marking,
    is_feared,
    list_stop_facts,
)
from patrolplan.outputs.reason_words import Detail, ReasonLine, find_months
from patrolplan.patrols.legs import Leg
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan, Stop, Tasking
from patrolplan.text import capitalise, join_words
from patrolplan.times import format_time

SCHOOL_NAME_SIZES = ((55, 15), (90, 12), (150, 10), (1200, 9))
"""Maximum letters of a school's name, and the type size in points for names up to that length."""


LONG_STAY_MINUTES = 15
"""A longer stay at the gate before the first stop needs a reason on the card."""

LONG_WAIT_MINUTES = 5
"""A longer wait after a stop is printed as such."""

MEET = "Meet the member of staff."
MAX_AIMED = 3
"""Maximum number of streets in the sentence on what a patrol is for."""

LOOK_FOR = "Look for: groups that wait for pupils, pupils who turn back or will not {}, traffic."
ASK = "Ask: which way {} do you avoid, and why?"
"""What to do while staying at the gate."""

ARRIVING = ("come in", "to school", "came from")
LEAVING = ("leave", "home", "went towards")
"""What pupils do at the gate before and after school."""

GATE_REASON = "gate_reason"
"""Key of the note on why no stop is made: it is in the panel, so it is no caution as well."""

CROSSING_WORDS: dict[CrossingKind, str] = {
    "unmarked": "Main roads without a marked crossing",
    "unknown": "Main roads, no crossing known",
}
"""Kinds of crossing that need care; the others stop or slow the traffic."""


def build_card_data(
    plan: Plan, patrol: Patrol, plan_code: str, *, officer: str = "", colleagues: Sequence[str] = ()
) -> dict[str, Any]:
    """All texts of the card, as strings for the template; `plan_code` identifies the plan."""
    school = print_whole(patrol.school)
    patrol_id = f"{patrol.urn}-{patrol.number}"
    officers = sum(other.urn == patrol.urn for other in plan.patrols)
    headings = [
        wording.describe_further_window(patrol),
        f"URN {make_printable(patrol.urn)}",
        make_printable(plan.area.name),
        f"officer {patrol.number} of {officers}" if officers > 1 else "",
    ]
    date = "" if plan.date is None else f"{plan.date:%A} {plan.date.day} {plan.date:%B %Y}"
    on_duty = f"{officer} with {join_words(colleagues)}" if colleagues else officer
    gate_time = _format_time_range(patrol.start_minutes, patrol.gate_until_minutes)
    window = _format_time_range(patrol.start_minutes, patrol.latest_end_minutes)
    reasons = [stop.why for stop in patrol.stops]
    months = find_months(chain.from_iterable(reasons))
    detail: Detail = "undated" if months else "whole"
    crs = plan.area.projection.crs
    stops = list_stop_facts(patrol, crs)
    data: dict[str, Any] = {
        "title": f"Patrol card {patrol_id}: {school}",
        "school": school,
        "school_size": next(size for letters, size in SCHOOL_NAME_SIZES if len(school) <= letters),
        "subtitle": " · ".join(heading for heading in headings if heading),
        "date": date,
        "officer": make_printable(on_duty),
        "aim": _describe_aim(plan, patrol),
        "marking": make_printable(find_marking(plan.area, places=reasons)),
        "window": window if patrol.stops else gate_time,
        "timing": wording.describe_end(patrol) if patrol.stops else "stay at the gate",
        "gate_time": gate_time,
        "gate_grid": wording.format_grid_reference(patrol.x, patrol.y, crs=crs),
        "gate_why": _describe_presence(patrol),
        "gate_only": None if patrol.stops else _build_gate_panel(plan, patrol),
        "why": f"Why (crime of the {months})" if months else "Why" if patrol.stops else "",
        "stops": [_build_stop_data(plan, stop, detail) for stop in stops],
        "cautions": list_cautions(plan, patrol),
        "directions_title": f"Directions ({wording.describe_distance(patrol)})"
        if patrol.legs
        else "",
        "legs": _split_into_columns(_build_leg_data(patrol)),
        "contacts": " · ".join(map(make_printable, plan.area.settings.output.contacts)),
        "basis": _list_basis(plan, patrol, months_told=bool(months)),
        "map_alt": _describe_map(patrol, school, [stop.place for stop in stops]),
        "code_alt": f"QR code of plan {plan_code}, patrol {patrol_id}",
        "id": f"{plan_code} {patrol_id}",
    }
    data["basis"] += list_unprintable_notes(data)
    return data


def _describe_aim(plan: Plan, patrol: Patrol) -> str:
    """What the patrol is for, in one sentence."""
    is_early = wording.is_before_school(plan, patrol)
    streets = dict.fromkeys(stop.street for stop in patrol.stops if stop.kind != "gate")
    named = [print_whole(street) for street in streets if street[:1].isupper()]
    if len(named) > MAX_AIMED:
        named = [*named[: MAX_AIMED - 1], f"{len(named) - MAX_AIMED + 1} streets more"]
    reasons = [one for stop in patrol.stops for one in stop.why]
    news = {one.trend for one in reasons if isinstance(one, TrendReason)}
    want = wording.describe_want_of_danger(plan, patrol).partition(":")[0]
    is_recorded = any(isinstance(one, CrimeReason) for one in reasons)
    facts = {
        f"your pupils walk {'to school' if is_early else 'home'}": find_busiest_stop(patrol),
        "intelligence asks for a patrol": any(stop.tasking for stop in patrol.stops),
        "the force asks for patrols": any(isinstance(one, DesignatedReason) for one in reasons),
        "crime is newly recorded": "new" in news,
        "recorded crime is rising": "rising" in news,
        "crime is recorded": is_recorded and not (want or news.intersection(CHANGED_TRENDS)),
        "pupils feel unsafe": is_feared(reasons),
    }
    why = join_words([words for words, is_so in facts.items() if is_so])
    gate = f"at the gate as pupils {'arrive' if is_early else 'leave'}"
    where = f"on {join_words(named)}" if named else "in the streets nearby"
    parts = [gate, where + (f", where {why}" if why else "")] if streets else [gate]
    if streets and patrol.gate_until_minutes <= patrol.start_minutes:
        parts = [parts[1], gate] if is_early else parts[1:]
    end = f": {want[:1].lower()}{want[1:]}" if want else ""
    return f"Be seen {', then '.join(parts)}{end}."


def _describe_presence(patrol: Patrol) -> str:
    """What to do at the gate before the stops."""
    if patrol.gate_until_minutes <= patrol.start_minutes:
        return "Start here."
    if patrol.stops and patrol.gate_until_minutes - patrol.start_minutes > LONG_STAY_MINUTES:
        return f"{MEET} Stay until {format_time(patrol.gate_until_minutes)}."
    return MEET


def _format_time_range(start: float, end: float) -> str:
    if start == end:
        return format_time(start)
    return f"{format_time(start)}\N{EN DASH}{format_time(end)}"


def _build_stop_data(plan: Plan, facts: StopFacts, detail: Detail) -> dict[str, Any]:
    """A row of the table."""
    stop = facts.stop
    stood_until = stop.arrive_minutes + stop.stood_minutes
    waits = stop.leave_minutes - stood_until >= LONG_WAIT_MINUTES
    place = capitalise(print_whole(facts.place))
    return {
        "mark": str(facts.number),
        "time": _format_time_range(stop.arrive_minutes, stop.leave_minutes),
        "place": place + wording.describe_chance(plan, stop.hotspot),
        "grid": facts.grid,
        "tasked": _describe_tasked_stop(stop, facts.tasked_distance),
        "why": [_build_sentence(line) for line in facts.list_why(detail)],
        "wait": f"Wait here from {format_time(stood_until)}." if waits else "",
    }


def _build_sentence(line: ReasonLine) -> dict[str, Any]:
    """A sentence, with the sign of feared places if it is from pupils."""
    sign = FEARED_TEXT if line.is_voice else ""
    return {"sign": sign, "text": f"{print_whole(line.text)}{line.end}", "bold": line.is_bold}


def _describe_tasked_stop(stop: Stop, distance: str) -> str:
    """What intelligence requests, and its distance from the stop if it is far."""
    if stop.tasking is None:
        return ""
    printable = _make_tasking_printable(stop.tasking)
    text = f"{printable.place_id}: {wording.describe_tasking(printable)}."
    return f"{text} {distance}".strip()


def _build_leg_data(patrol: Patrol) -> list[dict[str, Any]]:
    """Tag, length and directions of each leg."""
    rows = []
    for number, leg in enumerate(patrol.legs):
        minutes = wording.format_leg_minutes(patrol, number)
        length = _make_unbreakable(f"{wording.format_metres(leg.metres)}, {minutes}:")
        name = wording.format_leg_name(patrol, number)
        rows.append({"tag": name, "length": length, "steps": _build_step_lines(leg)})
    return rows


def _build_step_lines(leg: Leg) -> list[str]:
    """Directions of a leg, a phrase for each street."""
    lines = []
    for turn, street, length, passed in describe_directions(leg.steps):
        start = f"{print_whole(turn)} {print_whole(street)}"
        lines.append(f"{start} {_make_unbreakable(length)}{print_whole(passed)}")
    return lines or ["stay where you are"]


def _make_unbreakable(text: str) -> str:
    """Text with no-break spaces, so that a number stays with its unit."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _split_into_columns(legs: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Legs in two columns of about the same number of letters, in their order."""
    sizes = [40 + sum(len(step) + 2 for step in leg["steps"]) for leg in legs]
    if len(legs) <= 1:
        return [legs] if legs else []
    total = sum(sizes)
    cut = min(range(1, len(legs)), key=lambda at: abs(2 * sum(sizes[:at]) - total))
    return [legs[:cut], legs[cut:]]


def _list_basis(plan: Plan, patrol: Patrol, *, months_told: bool) -> list[str]:
    """The basis of the card, in paragraphs: how good it is, and the data with its sources."""
    data = [
        "" if months_told else f"{wording.format_data_months(plan.risk)}.",
        *wording.list_approximations(plan, [patrol.way]),
        *list_texts(plan.area.accepted_checks),
        *wording.list_attributions(plan),
    ]
    lines = [
        wording.describe_reference(patrol) if patrol.stops else "",
        " ".join(filter(None, data)),
    ]
    return [print_whole(line) for line in lines if line]


def _describe_map(patrol: Patrol, school: str, places: Sequence[str]) -> str:
    """The map in words, for those who cannot see it."""
    if not places:
        return f"Street map around the gate of {school}."
    stops = "; ".join(
        f"stop {number}, {make_printable(place)}" for number, place in enumerate(places, 1)
    )
    way = "walk" if patrol.way == "walk" else "bicycle ride"
    return f"Street map of the {way} from the gate of {school} to {stops}; and back to the gate."


def _make_tasking_printable(tasking: Tasking) -> Tasking:
    """A tasking with only letters that the typeface has, and with its words whole."""
    place_id, reason, by = map(print_whole, (tasking.place_id, tasking.reason, tasking.by))
    return replace(tasking, place_id=place_id, reason=reason, by=by)


def _build_gate_panel(plan: Plan, patrol: Patrol) -> dict[str, Any]:
    """The panel of a card without a stop: to stay, until when, why, and what to look for."""
    do, where, came = ARRIVING if wording.is_before_school(plan, patrol) else LEAVING
    return {
        "title": f"Stay at the gate until {format_time(patrol.gate_until_minutes)}",
        "why": _describe_gate_reason(plan, patrol),
        "tasks": [LOOK_FOR.format(do), ASK.format(where)],
        "most": f"Most {came}:",
    }


def _describe_gate_reason(plan: Plan, patrol: Patrol) -> str:
    """Why no stop is made."""
    if patrol.kind == "reference":
        return wording.describe_reference(patrol)
    window = plan.area.settings.patrol.windows.get(patrol.window)
    if window is not None and window.at_gate:
        return "This window is for the gate alone: no stop is planned."
    notes = [note.text for note in patrol.notes if note.key == GATE_REASON]
    return " ".join(notes) or "Nothing within reach is worth the walk in this window."


def list_cautions(plan: Plan, patrol: Patrol) -> list[dict[str, str]]:
    """The lines of a card's cautions: a sign, a label and a text each."""
    crs = plan.area.settings.area.crs
    lines = [
        ("\N{MULTIPLICATION SIGN}", "", wording.describe_barred(_make_printable(barred), crs=crs))
        for barred in patrol.keep_away
    ]
    carried = [
        wording.format_leg_name(patrol, number)
        for number, leg in enumerate(patrol.legs)
        if any(step.way == "carry" for step in leg.steps)
    ]
    lines += [("", "Light:", wording.describe_lighting(plan, patrol))]
    lines += [("", f"{what}:", places) for what, places in _list_crossed_roads(patrol)]
    lines += [("", "Steps for the bicycle:", f"{', '.join(carried)}." if carried else "")]
    lines += [("", "Note:", " ".join(map(print_whole, _list_notes(plan, patrol))))]
    return [
        {"sign": sign, "label": label, "text": make_printable(text)}
        for sign, label, text in lines
        if text
    ]


def _make_printable(barred: BarredPlace) -> BarredPlace:
    tasking = _make_tasking_printable(barred.tasking)
    return replace(barred, place=print_whole(barred.place), tasking=tasking)


def _list_crossed_roads(patrol: Patrol) -> list[tuple[str, str]]:
    """Main roads that are crossed without lights or priority, with the legs, by kind."""
    found: dict[CrossingKind, dict[str, dict[str, None]]] = {}
    for number, leg in enumerate(patrol.legs):
        name = wording.format_leg_name(patrol, number)
        for crossing in (crossing for step in leg.steps for crossing in step.crossings):
            found.setdefault(crossing.kind, {}).setdefault(crossing.road, {})[name] = None
    return [
        (what, "; ".join(f"{road} ({', '.join(legs)})" for road, legs in found[kind].items()) + ".")
        for kind, what in CROSSING_WORDS.items()
        if kind in found
    ]


def _list_notes(plan: Plan, patrol: Patrol) -> Sequence[str]:
    """What was assumed; a missing date is mentioned only if something is tasked."""
    is_tasked = bool(patrol.keep_away) or any(stop.tasking for stop in patrol.stops)
    elsewhere = set() if plan.date is None and is_tasked else {"no_date"}
    elsewhere |= set() if patrol.stops else {GATE_REASON}
    return [note.text for note in patrol.notes if note.key not in elsewhere]
