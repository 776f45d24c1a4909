"""Sentences that all papers share: distances, light, how good, dates and sources."""

import math
from typing import TYPE_CHECKING, assert_never

from patrolplan.area.patrol_window import find_sunset_minutes
from patrolplan.area.square_names import format_grid_reference
from patrolplan.atomic import hash_content
from patrolplan.crs import BRITISH_GRID, SQUARE_METRES
from patrolplan.hotspots import OWN
from patrolplan.notes import list_texts
from patrolplan.patrols.file_forms import round_share
from patrolplan.privacy import note_low_threshold
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.risk.history import note_guard
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.text import capitalise, pluralise
from patrolplan.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from patrolplan.patrols.plan import BarredPlace, Patrol, Plan, Stop, Tasking
    from patrolplan.risk.surface import Risk
    from patrolplan.travel import WayOfTravel


PURPOSE = "Presence and safeguarding: be seen, be approachable, listen."  # At the top of all papers
SNAPPED_ACCURACY = "to within a few streets"  # How exact the places of open data are
SNAPPED_PLACES = f"placed {SNAPPED_ACCURACY}"
NOON_MINUTES = 720.0
AT_PLACE_METRES = 25.0  # Within this distance an officer stands at a tasked place
KILOMETRE = 1000
COARSE_FROM = 100  # From this length lengths are rounded to 10 m, shorter ones to 5 m
MIN_UNLIT_METRES = 20.0  # Minimum length of a part of a leg without lighting that is named
MIN_UNKNOWN_METRES = 300.0  # Minimum length of unknown lighting that is mentioned
TWILIGHT_MINUTES = 30  # Sunset is mentioned up to this long after a patrol, sunrise before one
GATE_AGAIN = "School gate again"  # Place of a stop at the gate
NOTHING_RECORDED = "Nothing is recorded or reported on these pupils' ways: stand where they pass."
NOTHING_STANDS_OUT = "Nothing here stands out from chance: stand where your pupils pass."
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


def is_before_school(plan: "Plan", patrol: "Patrol") -> bool:
    """Whether the patrol's window is about the opening bell, so that pupils arrive."""
    window = plan.area.settings.patrol.windows.get(patrol.window)
    return window is not None and window.bell == "opening"


def describe_reference(patrol: "Patrol") -> str:
    """How a patrol compares with what an experienced officer would do; empty if not known."""
    if patrol.kind == "reference":
        return "No walk would do clearly more for these pupils."
    times = format_reference_ratio(patrol)
    if not times:
        return ""
    return f"Worth {times} times a stay at the gate, or half an hour at the pupils' busiest corner."


def format_reference_ratio(patrol: "Patrol") -> str:
    """A patrol's worth over that of its reference, such as "1.3"; empty if not known."""
    ratio = None if patrol.reference is None else patrol.reference.worth_ratio
    return "" if ratio is None else f"{round_share(ratio):.2f}".rstrip("0").rstrip(".")


def describe_want_of_danger(plan: "Plan", patrol: "Patrol") -> str:
    """That nothing within reach is worse than chance, new, rising or feared; else empty."""
    from patrolplan.hotspots.trends import CHANGED_TRENDS  # noqa: PLC0415 - heavy, as the next
    from patrolplan.patrols.surroundings import MAX_METRES  # noqa: PLC0415

    if patrol.nothing_recorded:
        return NOTHING_RECORDED
    hotspots = plan.hotspots
    east, north = hotspots["stop_x"] - patrol.x, hotspots["stop_y"] - patrol.y
    away = (east**2 + north**2) ** 0.5
    visited = {name for stop in patrol.stops for name in stop.covered}
    reach = min(MAX_METRES, plan.area.settings.patrol.radius_metres)
    is_here = (away <= reach) | hotspots["hotspot"].isin(visited)
    is_more = hotspots["stands_out"] | hotspots["trend"].isin(CHANGED_TRENDS)
    is_more |= hotspots["mainly_reports"]
    return "" if (is_here & is_more).any() else NOTHING_STANDS_OUT


def describe_chance(plan: "Plan", hotspot: str) -> str:
    """In brackets, that crime at a hotspot could be chance; empty if not, or for other places."""
    table = plan.hotspots
    is_chance = (table["kind"] == OWN) & ~table["stands_out"] & ~table["mainly_reports"]
    return COULD_BE_CHANCE if hotspot in set(table["hotspot"][is_chance]) else ""


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
    leave, arrive = _list_leg_times(patrol)[leg]
    return format_minutes(round(arrive) - round(leave))


def _list_leg_times(patrol: "Patrol") -> list[tuple[float, float]]:
    """Departure and arrival of each leg, in minutes after midnight."""
    leaves = [patrol.gate_until_minutes, *(stop.leave_minutes for stop in patrol.stops)]
    arrives = [*(stop.arrive_minutes for stop in patrol.stops), patrol.back_minutes]
    return list(zip(leaves, arrives, strict=True))


def format_leg_name(patrol: "Patrol", leg: int) -> str:
    """A leg by the marks at its ends: G for the gate, numbers for stops."""
    marks = ["G", *(str(number + 1) for number in range(len(patrol.stops))), "G"]
    return f"{marks[leg]}→{marks[leg + 1]}"


def describe_lighting(plan: "Plan", patrol: "Patrol") -> str:
    """Sunset (by noon: sunrise) if it is near on the day, and legs and stops without lighting."""
    # With a day, only those after sunset or before sunrise count. Unknown is never called unlit.
    early = patrol.end_minutes <= NOON_MINUTES
    sun = find_sunset_minutes(plan.area, plan.date, rising=early)

    def is_dark(start: float, end: float) -> bool:
        return sun is None or (start < sun if early else end > sun)

    times = _list_leg_times(patrol)
    dark = {number: leg for number, leg in enumerate(patrol.legs) if is_dark(*times[number])}

    def list_legs(name: str) -> str:
        metres = {format_leg_name(patrol, at): getattr(leg, name) for at, leg in dark.items()}
        long = {leg: length for leg, length in metres.items() if length >= MIN_UNLIT_METRES}
        return ", ".join(f"{leg} ({format_metres(length)})" for leg, length in long.items())

    sentences = []
    start, end = patrol.start_minutes - TWILIGHT_MINUTES, patrol.end_minutes + TWILIGHT_MINUTES
    if sun is not None and is_dark(start, end):
        # Rounded down, as almanacs print the sun's times.
        sentences.append(f"{'Sunrise' if early else 'Sunset'} {format_time(math.floor(sun))}.")
    if unlit := list_legs("unlit_metres"):
        when = "after dark" if sun is None else "then"
        sentences.append(f"No street lighting {when} on part of {unlit}.")
    if (
        sun is not None
        and not patrol.travel.is_ridden
        and (secluded := list_legs("secluded_metres"))
    ):
        sentences.append(f"No way then but by footpath or passage on {secluded}.")
    unlit_stops = [
        str(number)
        for number, stop in enumerate(patrol.stops, start=1)
        if sun is not None and stop.lit == "no" and is_dark(stop.arrive_minutes, stop.leave_minutes)
    ]
    if unlit_stops:
        name = pluralise(len(unlit_stops), "stop", "stops")
        sentences.append(f"No street lighting then at {name} {', '.join(unlit_stops)}.")
    unknown_metres = sum(leg.lighting_unknown_metres for leg in dark.values())
    if unknown_metres >= MIN_UNKNOWN_METRES and sentences:
        sentences.append(f"Lighting not known on {format_metres(unknown_metres)}.")
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
