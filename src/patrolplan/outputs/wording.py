"""Sentences that all papers share: distances, light, how good, dates and sources."""

import math
from typing import TYPE_CHECKING, assert_never

from patrolplan.area.square_names import format_grid_reference
from patrolplan.atomic import hash_content
from patrolplan.crs import BRITISH_GRID, SQUARE_METRES
from patrolplan.hotspots.trends import could_be_chance
from patrolplan.notes import list_texts
from patrolplan.patrols.light import find_light
from patrolplan.patrols.patrol_state import Danger, PatrolState
from patrolplan.privacy import note_low_threshold
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.risk.history import note_guard
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.text import capitalise, pluralise
from patrolplan.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from patrolplan.patrols.light import LegMetres
    from patrolplan.patrols.plan import BarredPlace, Patrol, Plan, Stop, Tasking
    from patrolplan.risk.surface import Risk
    from patrolplan.travel import WayOfTravel


PURPOSE = "Presence and safeguarding: be seen, be approachable, listen."  # At the top of all papers
SNAPPED_ACCURACY = "to within a few streets"  # How exact the places of open data are
SNAPPED_PLACES = f"placed {SNAPPED_ACCURACY}"
AT_PLACE_METRES = 25.0  # Within this distance an officer stands at a tasked place
KILOMETRE = 1000
COARSE_FROM = 100  # From this length lengths are rounded to 10 m, shorter ones to 5 m
GATE_AGAIN = "School gate again"  # Place of a stop at the gate
NOTHING_RECORDED = "Nothing is recorded or reported on these pupils' ways."
NOTHING_STANDS_OUT = "Nothing here stands out from chance."
NO_DANGER: dict[Danger, str] = {
    "": "",
    "nothing recorded": NOTHING_RECORDED,
    "nothing stands out": NOTHING_STANDS_OUT,
}
WHERE_PUPILS_PASS = ("where your pupils walk {way}", "stand where your pupils pass")
AT_THE_PLACES = ("at these places", "be seen, and be approachable")
"""Where a patrol stands, and what to do there where nothing stands out."""

NO_BETTER_WALK = "No walk would do clearly more for these pupils."
SAME_AS_REFERENCE = "An experienced officer would do the same: no other walk does clearly more."
BESIDE_REFERENCE = "Beside a stay at the gate, or half an hour at the pupils' busiest corner"
COULD_BE_CHANCE = " (could be chance)"


def format_metres(length: float) -> str:
    """A length rounded to 5 m, from 100 m to 10 m, and from 1 km in kilometres."""
    if length >= KILOMETRE - 5:  # would round to 1,000 m
        return f"{length / KILOMETRE:.1f} km"
    step = 5 if length < COARSE_FROM else 10
    return f"{max(5, round(length / step) * step)} m"


def format_minutes(length: float) -> str:
    """Whole minutes in words."""
    return f"{round(length)} min" if round(length) else "under 1 min"


def format_route_name(variant: int) -> str:
    """Name of a school's best route (variant 0) or of one of its variants."""
    return f"route {variant + 1}"


def describe_window(name: str) -> str:
    """A patrol window's name in the settings as words."""
    return " ".join(name.replace("_", " ").split())


def describe_further_window(patrol: "Patrol") -> str:
    """The window of a patrol in words; empty for the one after school, which needs none."""
    return "" if patrol.window == AFTER_SCHOOL else capitalise(describe_window(patrol.window))


def describe_aim(state: PatrolState) -> str:
    """What a patrol is for, or that nothing around it stands out; empty where the panel says it."""
    if not state.has_stops:
        return NO_DANGER[state.danger]
    way = "to school" if state.is_to_school else "home"
    where, do = WHERE_PUPILS_PASS if state.meets_own_pupils else AT_THE_PLACES
    if not state.danger:
        return f"Be seen, and be approachable, {where.format(way=way)}."
    return f"{NO_DANGER[state.danger].removesuffix('.')}: {do}."


def describe_worth(state: PatrolState) -> str:
    """How a patrol compares with what an experienced officer would do; empty if it says nothing."""
    if state.is_reference:
        return SAME_AS_REFERENCE if state.has_stops else NO_BETTER_WALK
    times = [
        same if ratio == 1 else f"{format_ratio(ratio)} times {what}"
        for ratio, what, same in (
            (state.worth_ratio, "the risk to your pupils", "as much risk to your pupils"),
            (state.pupils_ratio, "the pupils", "as many pupils"),
        )
        if ratio is not None
    ]
    return f"{BESIDE_REFERENCE}: {', '.join(times)}." if times else ""


def format_ratio(ratio: float) -> str:
    """A ratio without zeros at its end, such as "1.3"."""
    return f"{ratio:.2f}".rstrip("0").rstrip(".")


def describe_chance(plan: "Plan", hotspot: str) -> str:
    """In brackets, that crime at a hotspot could be chance; empty if not, or for other places."""
    by_chance = plan.hotspots["hotspot"][could_be_chance(plan.hotspots)]
    return COULD_BE_CHANCE if hotspot in set(by_chance) else ""


def describe_end(patrol: "Patrol") -> str:
    """When and where a patrol ends: "back at the gate 16:45, until 16:50"."""
    back, end = format_time(patrol.back_minutes), format_time(patrol.end_minutes)
    return f"back at the gate {end if back == end else f'{back}, until {end}'}"


def describe_place(stop: "Stop") -> str:
    """Where the officer stands: the street, and the landmark."""
    if stop.kind == "gate":
        return GATE_AGAIN
    match stop.stand:
        case "junction":
            return f"{stop.street}, at {stop.at}"
        case "bus_stop":
            name = "" if stop.at in {"", stop.street} else f" {stop.at}"
            return f"{stop.street}, bus stop{name}" if name else f"{stop.place}, at the bus stop"
        case "station_entrance":
            return f"{stop.street}, station entrance{f' {stop.at}' if stop.at else ''}"
        case "crossing" | "shop_front":
            return f"{stop.place}, at the {'crossing' if stop.stand == 'crossing' else 'shops'}"
        case "street":
            return stop.place
        case _:
            assert_never(stop.stand)


def describe_tasking(tasking: "Tasking") -> str:
    """Hours and reason of a tasking, who requested it and until when, without a full stop."""
    until = f"{tasking.until.day} {tasking.until:%B %Y}"
    hours = f"{tasking.hours.replace('-', ' to ')}, " if tasking.hours else ""
    reason = tasking.reason.strip().rstrip(".;")
    return f"{hours}{reason} (requested by {tasking.by}, until {until})"


def describe_tasked_distance(stop: "Stop") -> str:
    """How far the officer stands from a tasked place, as a sentence; empty where it is there."""
    metres = stop.tasked_metres
    if metres is None or metres <= AT_PLACE_METRES:
        return ""
    return f"Stand {format_metres(metres)} from the place: no street is nearer."


def describe_barred(barred: "BarredPlace", *, crs: str = BRITISH_GRID) -> str:
    """A place to keep away from, where it is, and why."""
    grid = format_grid_reference(barred.x, barred.y, crs=crs)
    where = f"{barred.place} ({grid})" if grid else barred.place
    return f"Keep away from {where}, {barred.tasking.place_id}: {describe_tasking(barred.tasking)}."


def describe_distance(patrol: "Patrol") -> str:
    """All that is walked or ridden; also how far a bicycle is pushed."""
    text = f"{format_metres(patrol.walked_metres)} {patrol.travel.words}"
    if patrol.pushed_metres >= 1:
        text += f", {format_metres(patrol.pushed_metres)} of it on foot"
    return text


def format_leg_minutes(patrol: "Patrol", leg: int) -> str:
    """Duration of a leg as the difference of the times printed next to it, which are rounded."""
    leave, arrive = patrol.leg_times[leg]
    return format_minutes(round(arrive) - round(leave))


def format_leg_name(patrol: "Patrol", leg: int) -> str:
    """A leg by the marks at its ends: G for the gate, numbers for stops."""
    marks = ["G", *(str(number + 1) for number in range(len(patrol.stops))), "G"]
    return f"{marks[leg]}→{marks[leg + 1]}"


def describe_lighting(plan: "Plan", patrol: "Patrol") -> str:
    """Sunset (by noon: sunrise) if it is near on the day, and legs and stops without lighting."""
    light = find_light(plan.area, plan.date, patrol)

    def list_legs(metres: "LegMetres") -> str:
        parts = (f"{format_leg_name(patrol, leg)} ({format_metres(much)})" for leg, much in metres)
        return ", ".join(parts)

    sentences = []
    if light.sun_minutes is not None:
        # Rounded down, as almanacs print the sun's times.
        at = format_time(math.floor(light.sun_minutes))
        sentences.append(f"{capitalise(light.sun)} {at}.")
    if light.unlit:
        when = "then" if light.has_day else "after dark"
        sentences.append(f"No street lighting {when} on part of {list_legs(light.unlit)}.")
    if light.secluded:
        where = list_legs(light.secluded)
        sentences.append(f"No way then but by footpath or passage on {where}.")
    if light.unlit_stops:
        name = pluralise(len(light.unlit_stops), "stop", "stops")
        numbers = ", ".join(map(str, light.unlit_stops))
        sentences.append(f"No street lighting then at {name} {numbers}.")
    if light.unknown_metres and sentences:
        sentences.append(f"Lighting not known on {format_metres(light.unknown_metres)}.")
    return " ".join(sentences)


def format_data_months(risk: "Risk") -> str:
    """First and last month of the recorded crime that the risk is estimated from."""
    first, last = risk.months
    if (first.year, first.month) == (last.year, last.month):
        return f"Recorded crime of {first:%B %Y}"
    return f"Recorded crime {first:%B %Y} to {last:%B %Y}"


def list_approximations(plan: "Plan", ways: "Iterable[WayOfTravel]" = ()) -> tuple[str, ...]:
    """Approximations in plain sentences; `ways` of patrols are by default as set."""
    risk, settings = plan.risk, plan.area.settings
    threshold = settings.privacy.threshold
    month = "" if risk.times_known else "; only the month is known"
    if settings.privacy.threshold_for_crime:
        groups = f"groups of {threshold} or more in {SQUARE_METRES:.0f} m squares"
        lines = [f"Recorded crime counts only in {groups}{month}."]
    elif risk.snapped:
        lines = [f"Open data: crimes are {SNAPPED_PLACES}{month}."]
    else:
        time = month or " and time of day"
        lines = [f"Recorded crime from the force's own extract, by its exact place{time}."]
    pupils = [f"reports count in groups of {threshold} or more"] if risk.reports.any() else []
    if any(note.key == "exposure" for note in risk.notes):
        pupils.append("ways home are modelled, nobody is tracked")
    if pupils:
        lines.append(f"Pupils' {'; '.join(pupils)}.")
    lines += list_texts([*note_guard(settings), *note_low_threshold(settings)])
    if any(way.is_ridden for way in [*ways] or [settings.patrol.travel]):
        lines.append("Riding times allow for no waiting.")
    return tuple(lines)


def compute_plan_id(plan: "Plan") -> str:
    """Eight characters that identify a plan by its provenance, day and stops."""
    facts = [compute_short_id(compute_area_provenance(plan.area))]
    if plan.date is not None:
        facts.append(plan.date.isoformat())
    for patrol in plan.patrols:
        stops = [(stop.hotspot, round(stop.arrive_minutes, 2)) for stop in patrol.stops]
        facts.append(repr((patrol.urn, patrol.number, stops)))
    return hash_content(*facts)[:8]


def list_attributions(plan: "Plan") -> tuple[str, ...]:
    """Sources of a plan's data, see `list_area_attributions`."""
    return list_area_attributions(plan.area.name, snapped=plan.risk.snapped)


def list_area_attributions(area: str, *, snapped: bool) -> tuple[str, ...]:
    """Sources of the data, as their licences require; a force's own extract needs none."""
    if is_fictional_area(area):
        return ("Fictional place: streets, schools, crimes and reports are made up.",)
    open_police_data = ("recorded crime (data.police.uk)",) if snapped else ()
    public = " and ".join((*open_police_data, "schools (Get Information about Schools)"))
    return (
        "Streets © OpenStreetMap contributors, ODbL 1.0.",
        f"Contains public sector information under the Open Government Licence v3.0: {public}.",
    )


def is_fictional_area(area: str) -> bool:
    """Whether an area of this name is fictional."""
    return "fictional" in area.lower()
