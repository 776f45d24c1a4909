"""The texts of a card, as strings for the template."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from patrolplan.hotspots.reasons import Reason, ReportsReason, WayReason
from patrolplan.network.names import KIND_LABELS
from patrolplan.outputs import wording
from patrolplan.outputs.card.panels import (
    build_gate_panel,
    build_sentence,
    list_cautions,
    list_nearest,
    make_tasking_printable,
)
from patrolplan.outputs.cartography.fonts import list_unprintable_notes, make_printable, print_whole
from patrolplan.outputs.direction_words import describe_passed, describe_street, describe_turns
from patrolplan.outputs.marking import find_marking
from patrolplan.outputs.note_words import describe_notes
from patrolplan.outputs.reason_words import (
    ReasonLine,
    describe_want_of_reasons,
    find_months,
    find_news,
    join_words,
    list_reason_lines,
    order_reasons,
)
from patrolplan.outputs.tasking_words import describe_tasking
from patrolplan.outputs.way_home_words import (
    describe_assumptions,
    describe_busiest,
    drop_own_way,
    find_busiest_stop,
)
from patrolplan.patrols.legs import Leg, Step
from patrolplan.patrols.plan import Patrol, Plan, Stop, Tasking
from patrolplan.patrols.turns import HEADINGS
from patrolplan.text import capitalise, format_count
from patrolplan.times import format_time

SCHOOL_NAME_SIZES = ((55, 15), (90, 12), (150, 10), (1200, 9))
"""Maximum letters of a school's name, and the type size in points for names up to that length."""


LONG_STAY_MINUTES = 15
"""A longer stay at the gate before the first stop needs a reason on the card."""

LONG_WAIT_MINUTES = 5
"""A longer wait after a stop is printed as such."""


def build_card_data(
    plan: Plan, patrol: Patrol, plan_code: str, *, officer: str = "", colleagues: Sequence[str] = ()
) -> dict[str, Any]:
    """All texts of the card, as strings for the template.

    `plan_code` identifies the plan; `officer` patrols, and `colleagues` patrol from the same gate
    on that day, if they are from a week.
    """
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
    reasons = [reason for stop in patrol.stops for reason in stop.why]
    if not patrol.stops:
        reasons = [one for *_, why in list_nearest(plan, patrol) for one in why]
    months = find_months(reasons)
    own_marking = plan.area.settings.output.marking
    data: dict[str, Any] = {
        "title": f"Patrol card {patrol_id}: {school}",
        "school": school,
        "school_size": next(size for letters, size in SCHOOL_NAME_SIZES if len(school) <= letters),
        "subtitle": " · ".join(heading for heading in headings if heading),
        "date": date,
        "officer": make_printable(on_duty),
        "purpose": wording.PURPOSE,
        "want_of_danger": wording.describe_want_of_danger(plan, patrol),
        "marking": make_printable(find_marking(own_marking, reasons)),
        "window": window if patrol.stops else gate_time,
        "timing": _describe_timing(patrol),
        "gate_time": gate_time,
        "gate_grid": wording.format_grid_reference(
            patrol.x, patrol.y, crs=plan.area.settings.area.crs
        ),
        "gate_why": _describe_presence(plan, patrol),
        "gate_only": None
        if patrol.stops
        else build_gate_panel(plan, patrol, with_months=not months),
        "why": f"Why (crime of the {months})" if months else "Why",
        "stops": [
            _build_stop_data(plan, stop, number, busiest=line, with_months=not months)
            | {
                "place": _describe_place(plan, patrol, number),
                "is_feared_most": _is_feared_most(own),
            }
            | _refer_back(patrol, number)
            for number, (own, (stop, line)) in enumerate(
                zip(patrol.stops, _list_stops(patrol), strict=True), 1
            )
        ],
        "cautions": list_cautions(plan, patrol),
        "directions_title": f"Directions ({wording.describe_distance(patrol)})"
        if patrol.legs
        else "",
        "legs": _split_into_columns(_build_leg_data(patrol)),
        "contacts": " · ".join(map(make_printable, plan.area.settings.output.contacts)),
        "basis": _list_basis(plan, patrol),
        "map_alt": _describe_map(patrol, school),
        "code_alt": f"QR code of plan {plan_code}, patrol {patrol_id}",
        "id": f"{plan_code} {patrol_id}",
    }
    data["basis"] += list_unprintable_notes(data)
    return data


def _describe_presence(plan: Plan, patrol: Patrol) -> str:
    """What to do at the gate before the stops."""
    if patrol.gate_until_minutes <= patrol.start_minutes:
        return "Start here."
    do = "arrive" if wording.is_before_school(plan, patrol) else "leave"
    why = f"Be seen as pupils {do}; meet the member of staff."
    if patrol.stops and patrol.gate_until_minutes - patrol.start_minutes > LONG_STAY_MINUTES:
        why = f"{why} Stay until {format_time(patrol.gate_until_minutes)}."
    return why


def _describe_timing(patrol: Patrol) -> str:
    """How many stops there are, and when and where the patrol ends."""
    if not patrol.stops:
        return "stay at the gate"
    return f"{format_count(len(patrol.stops), 'stop')}, {wording.describe_end(patrol)}"


def _format_time_range(start: float, end: float) -> str:
    if start == end:
        return format_time(start)
    return f"{format_time(start)}\N{EN DASH}{format_time(end)}"


def _list_stops(patrol: Patrol) -> list[tuple[Stop, str]]:
    """The stops with a line about the way home, at the one that most of the school's pupils pass.

    The line replaces the stop's own reason.
    """
    own = [replace(stop, why=tuple(order_reasons(stop))) for stop in patrol.stops]
    stops = [(replace(stop, why=_shorten_own_school(stop, patrol)), "") for stop in own]
    found = find_busiest_stop(patrol)
    if found is not None:
        at, reason = found
        stop = replace(own[at], why=drop_own_way(own[at], patrol))
        stops[at] = stop, describe_busiest(reason)
    return stops


def _shorten_own_school(stop: Stop, patrol: Patrol) -> tuple[Reason, ...]:
    """A stop's reasons, without naming the card's own school again."""
    return tuple(
        replace(reason, school="this school")
        if isinstance(reason, WayReason) and reason.school == patrol.school
        else reason
        for reason in stop.why
    )


def _is_feared_most(stop: Stop) -> bool:
    """Whether pupils' reports are the main reason, which comes before all but a tasking."""
    return any(isinstance(reason, ReportsReason) for reason in order_reasons(stop)[:1])


def _build_stop_data(
    plan: Plan, stop: Stop, number: int, *, busiest: str, with_months: bool
) -> dict[str, Any]:
    """A row of the table; `reasons` are sentences, with a sign if they are from pupils."""
    news, since = find_news(stop.why) or (None, "")
    others = replace(stop, why=tuple(one for one in stop.why if one is not news))
    reasons = list(map(build_sentence, list_reason_lines(others, with_months=with_months)))
    if not (reasons or busiest or stop.tasking or news):
        reasons = [build_sentence(ReasonLine(describe_want_of_reasons(stop)))]
    stood_until = stop.arrive_minutes + stop.stood_minutes
    waits = stop.leave_minutes - stood_until >= LONG_WAIT_MINUTES
    return {
        "mark": str(number),
        "time": _format_time_range(stop.arrive_minutes, stop.leave_minutes),
        "grid": wording.format_grid_reference(stop.x, stop.y, crs=plan.area.settings.area.crs),
        "tasked": "" if stop.tasking is None else _describe_tasked_stop(stop, stop.tasking),
        "busiest": busiest,
        "news": f"{since}{':' if reasons else '.'}" if since else "",
        "reasons": reasons,
        "wait": f"Wait here from {format_time(stood_until)}." if waits else "",
    }


def _describe_place(plan: Plan, patrol: Patrol, number: int) -> str:
    place = capitalise(print_whole(wording.describe_stop_place(patrol, number)))
    return place + wording.describe_chance(plan, patrol.stops[number - 1].hotspot)


def _refer_back(patrol: Patrol, number: int) -> dict[str, Any]:
    """The reasons of a stop at a place of an earlier one, whose row has them already."""
    earlier, stop = wording.find_earlier_visit(patrol, number), patrol.stops[number - 1]
    if earlier is None or stop.kind == "gate":
        return {}
    return {
        "busiest": "",
        "news": "",
        "is_feared_most": False,
        "reasons": [build_sentence(ReasonLine(f"As at stop {earlier}"))],
    }


def _describe_tasked_stop(stop: Stop, tasking: Tasking) -> str:
    """What intelligence requests, and its distance from the stop if it is far."""
    printable = make_tasking_printable(tasking)
    text = f"{printable.place_id}: {describe_tasking(printable)}."
    return f"{text} {wording.describe_tasked_distance(stop)}".strip()


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
    street_before = ""
    for step, turn in zip(leg.steps, describe_turns(leg.steps), strict=True):
        street = print_whole(describe_street(step))
        length = _make_unbreakable(wording.format_metres(step.metres))
        passed = print_whole(describe_passed(step))
        join = _join_street(step, goes_on=step.street == street_before)
        lines.append(f"{print_whole(turn)}{join} {street} {length}{passed}")
        street_before = step.street
    return lines or ["stay where you are"]


def _join_street(step: Step, *, goes_on: bool = False) -> str:
    """The words between a direction's turn and its street, which may be that of the one before."""
    if step.way == "carry":
        return " the bicycle:"
    if step.flight:
        return ","
    if step.way == "push" or step.turn == "turn back" or step.turn in HEADINGS:
        return " along"
    if goes_on and step.street not in KIND_LABELS:
        return ", still"
    return "," if step.turn == "straight on" else " into"


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


def _list_basis(plan: Plan, patrol: Patrol) -> list[str]:
    """The basis of the card, in paragraphs: how good it is, and the data with its sources."""
    data = [
        f"{wording.format_data_months(plan.risk)}.",
        *wording.list_approximations(plan, [patrol.way]),
        describe_assumptions([*plan.area.notes, *plan.risk.notes], patrol.urn),
        *describe_notes(plan.area.accepted_checks),
    ]
    lines = [
        wording.describe_reference(patrol) if patrol.stops else "",
        " ".join(sentence for sentence in [*data, *wording.list_attributions(plan)] if sentence),
    ]
    return [print_whole(line) for line in lines if line]


def _describe_map(patrol: Patrol, school: str) -> str:
    """The map in words, for those who cannot see it."""
    if not patrol.stops:
        return f"Street map around the gate of {school}."
    stops = "; ".join(
        f"stop {number}, {make_printable(place)}"
        for number, place in enumerate(wording.describe_stops(patrol), 1)
    )
    way = "walk" if patrol.way == "walk" else "bicycle ride"
    return f"Street map of the {way} from the gate of {school} to {stops}; and back to the gate."
