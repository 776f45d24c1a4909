"""What a card says, as strings for the template."""

from dataclasses import replace
from typing import Any

from patrolplan.outputs.cartography.fonts import list_unprintable_notes, make_printable
from patrolplan.outputs.wording import (
    PURPOSE,
    describe_barred,
    describe_distance,
    describe_lighting,
    describe_quality,
    describe_turns,
    format_data_months,
    format_grid_reference,
    format_leg_minutes,
    format_leg_name,
    format_metres,
    format_minutes,
    list_approximations,
    list_attributions,
    list_reasons,
)
from patrolplan.patrols.directions import HEADINGS
from patrolplan.patrols.plan import Leg, Patrol, Plan, Step, Stop, format_time
from patrolplan.text import format_count, shorten, shorten_tasking

APPROACH_LABEL = "B→G"
"""Tag of the way from the base to the gate."""
SCHOOL_NAME_SIZES = ((55, 15), (90, 12), (150, 10))
"""Most letters of a school's name, and the points that it is set in."""
LONGEST_TASK = 130
LONGEST_WHY = 230
"""Letters on why to stop somewhere, so that the table stays a table."""


def build_card_data(plan: Plan, patrol: Patrol, plan_code: str) -> dict[str, Any]:
    """Everything that the card says, as strings for the template; `code` names the plan."""
    school = shorten(make_printable(patrol.school), SCHOOL_NAME_SIZES[-1][0])
    area = make_printable(plan.area.name)
    title = f"Patrol card {patrol.urn}-{patrol.number}: {school}"
    mates = [other for other in plan.patrols if other.urn == patrol.urn]
    officer = f" · officer {patrol.number} of {len(mates)}" if len(mates) > 1 else ""
    gate_time = _format_time_range(patrol.start_minutes, patrol.gate_until_minutes)
    window = _format_time_range(patrol.start_minutes, patrol.latest_end_minutes)
    crs = plan.area.settings.area.crs
    data: dict[str, Any] = {
        "title": title,
        "school": school,
        "school_size": next(size for letters, size in SCHOOL_NAME_SIZES if len(school) <= letters),
        "subtitle": f"URN {make_printable(patrol.urn)} · {area}{officer}{_format_plan_date(plan)}",
        "purpose": PURPOSE,
        "marking": make_printable(plan.area.settings.output.marking),
        "window": window if patrol.stops else gate_time,
        "timing": _describe_timing(patrol),
        **_build_first_row(patrol, gate_time, crs),
        "gate_only": "Presence at the gate; " + _lower_first_letter(describe_quality(patrol)) + ".",
        "stops": [
            _build_stop_data(stop, number, crs) for number, stop in enumerate(patrol.stops, start=1)
        ],
        "keep_away": [
            make_printable(describe_barred(barred, crs=crs)) for barred in patrol.keep_away
        ],
        "notes": [shorten(make_printable(note), 200) for note in patrol.notes],
        "directions_title": f"Directions ({describe_distance(patrol)})",
        "legs": _split_into_columns(_build_leg_data(patrol)),
        "dark": make_printable(describe_lighting(plan, patrol)),
        "honesty": _list_caveats(plan, patrol),
        "map_alt": _describe_map(patrol, school),
        "code_alt": f"Code with plan {plan_code} and patrol {patrol.urn}-{patrol.number}",
        "id": f"{plan_code} {patrol.urn}-{patrol.number}",
    }
    data["honesty"] += list_unprintable_notes(data)
    return data


def _build_first_row(patrol: Patrol, gate_time: str, crs: str) -> dict[str, str]:
    """The table's first row: the gate, or the base of a patrol that does not pass the gate."""
    if patrol.from_base:
        x, y = patrol.base_xy or (patrol.x, patrol.y)
        return {
            "first_mark": "B",
            "first_place": "Base",
            "gate_time": format_time(patrol.start_minutes),
            "gate_grid": format_grid_reference(x, y, crs=crs),
            "gate_why": "Set out.",
        }
    before = patrol.approach is not None
    present = patrol.gate_until_minutes > patrol.start_minutes
    first = "Be seen as pupils leave; meet the member of staff." if present else "Start here."
    return {
        "first_mark": "G",
        "first_place": "School gate",
        "gate_time": gate_time,
        "gate_grid": format_grid_reference(patrol.x, patrol.y, crs=crs),
        "gate_why": (f"Leave the base at {format_time(patrol.set_out_minutes)}. " if before else "")
        + first,
    }


def _format_plan_date(plan: Plan) -> str:
    """The day on the card's head, where one was asked for."""
    return "" if plan.date is None else f" · {plan.date:%A} {plan.date.day} {plan.date:%B %Y}"


def _describe_timing(patrol: Patrol) -> str:
    if not patrol.stops:
        return "at the gate"
    stops = format_count(len(patrol.stops), "stop")
    back = "back at" if patrol.starts_at == "base" or patrol.ends_at == "gate" else "at"
    if patrol.from_base and patrol.ends_at == "gate":
        back = "at"
    end = f"{back} the {patrol.ends_at}"
    return f"{stops}, {end} {format_time(patrol.end_minutes)}"


def _format_time_range(start: float, end: float) -> str:
    if start == end:
        return format_time(start)
    return f"{format_time(start)}\N{EN DASH}{format_time(end)}"


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first_letter(text: str) -> str:
    return text[:1].lower() + text[1:]


def _build_stop_data(stop: Stop, number: int, crs: str) -> dict[str, str]:
    why = " ".join(list_reasons(replace(stop, tasked="")))
    return {
        "mark": str(number),
        "time": _format_time_range(stop.arrive_minutes, stop.leave_minutes),
        "place": _capitalise(shorten(make_printable(stop.place), 70)),
        "grid": format_grid_reference(stop.x, stop.y, crs=crs),
        "why": shorten(make_printable(why), LONGEST_WHY),
        "tasked": shorten_tasking(make_printable(stop.tasked).rstrip(".;"), LONGEST_TASK),
    }


def shorten_card(card: dict[str, Any]) -> dict[str, Any]:
    """The card with fewer words a stop: with very many stops, the map needs the room more."""
    stops = [
        stop
        | {
            "why": shorten(stop["why"], 80),
            "place": shorten(stop["place"], 30),
            "tasked": shorten_tasking(stop["tasked"], 40),
        }
        for stop in card["stops"]
    ]
    short = {key: [shorten(text, 60) for text in card[key]] for key in ("keep_away", "notes")}
    return {**card, "stops": stops, **short}


def _build_leg_data(patrol: Patrol) -> list[dict[str, Any]]:
    legs = [
        (format_leg_name(patrol, number), format_leg_minutes(patrol, number), leg)
        for number, leg in enumerate(patrol.legs)
    ]
    if patrol.approach is not None:
        told = round(patrol.start_minutes) - round(patrol.set_out_minutes)
        legs = [(APPROACH_LABEL, format_minutes(told), patrol.approach), *legs]
    return [
        {
            "tag": tag,
            "length": _make_unbreakable(f"{format_metres(leg.metres)}, {length}:"),
            "steps": _build_step_lines(leg),
        }
        for tag, length, leg in legs
    ]


def _build_step_lines(leg: Leg) -> list[str]:
    """Directions of a leg, a phrase for each street."""
    lines = []
    for step, turn in zip(leg.steps, describe_turns(leg.steps), strict=True):
        street = shorten(make_printable(step.street), 60)
        length = _make_unbreakable(format_metres(step.metres))
        lines.append(f"{turn}{_join_street(step)} {street} {length}")
    return lines or ["stay where you are"]


def _join_street(step: Step) -> str:
    """What stands between how a direction begins and its street.

    Examples
    --------
    >>> [_join_street(Step(turn, "A", 9)) for turn in ("head north", "straight on", "bear left")]
    [' along', ',', ' into']
    >>> [_join_street(Step("left", "A", 9, way)) for way in ("push", "carry")]
    [' along', ' the bicycle:']
    """
    if step.way == "carry":
        return " the bicycle:"
    if step.way == "push" or step.turn == "turn back" or step.turn in HEADINGS:
        return " along"
    return "," if step.turn == "straight on" else " into"


def _make_unbreakable(text: str) -> str:
    """Text that does not break: a number stays with its unit."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _split_into_columns(legs: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Legs in two columns of about the same number of letters, in their order."""
    sizes = [40 + sum(len(step) + 2 for step in leg["steps"]) for leg in legs]
    if len(legs) <= 1:
        return [legs] if legs else []
    total = sum(sizes)
    cut = min(range(1, len(legs)), key=lambda at: abs(2 * sum(sizes[:at]) - total))
    return [legs[:cut], legs[cut:]]


def _list_caveats(plan: Plan, patrol: Patrol) -> list[str]:
    """What the reader must know about the paper, in few lines."""
    dates = format_data_months(plan.risk)
    lines = [
        f"{describe_quality(patrol)}. {dates}.",
        patrol.tested,
        " ".join(list_approximations(plan, [patrol.way])),
        " ".join(list_attributions(plan)),
    ]
    return [shorten(make_printable(line), 330) for line in lines if line.strip()]


def _describe_map(patrol: Patrol, school: str) -> str:
    """The map in words, for those who cannot see it."""
    if not patrol.stops:
        return f"Street map around the gate of {school}."
    stops = "; ".join(
        f"stop {number}, {make_printable(stop.place)}"
        for number, stop in enumerate(patrol.stops, 1)
    )
    end = "and on to the base" if patrol.ends_at == "base" else "and back to the gate"
    if patrol.ends_at == patrol.starts_at == "base" and patrol.from_base:
        end = "and back to the base"
    way = "walk" if patrol.way == "walk" else "bicycle ride"
    start = "the base" if patrol.from_base else f"the gate of {school}"
    return f"Street map of the {way} from {start} to {stops}; {end}."
