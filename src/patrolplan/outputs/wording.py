"""Words that every paper shares: what is approximate, how good, from when, and by whom."""

import hashlib
import math
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from patrolplan.crs import BRITISH_GRID
from patrolplan.privacy import SQUARE_METRES
from patrolplan.times import compute_sunrise, compute_sunset

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from patrolplan.patrols.plan import BarredPlace, Patrol, Plan, Step, Stop
    from patrolplan.risk.surface import Risk
    from patrolplan.settings import Settings


PURPOSE = "Presence and safeguarding: be seen, be approachable, listen."
"""What a patrol is for; stands on top of everything that an officer holds."""

NOON_MINUTES = 720.0
KILOMETRE = 1000
COARSE_FROM = 100
"""Metres from which lengths are told to 10 m, below it to 5 m."""
MIN_UNLIT_METRES = 20.0
"""Metres; a shorter bit without lighting is not named."""
MIN_UNKNOWN_METRES = 300.0
"""Metres; so much of a walk with unknown lighting is worth a word."""
NEGLIGIBLE_GAP_PERCENT = 0.05
"""A smaller gap would print as 0.0 %."""

GRID_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
"""Letters of the Ordnance Survey's 500 km and 100 km squares, row by row; there is no I."""

GRID_METRES = (700_000, 1_300_000)
"""Extent of the British National Grid, eastwards and northwards."""


def format_metres(length: float) -> str:
    """Length as an officer would say it: to 5 m, from 100 m to 10 m, from 1 km in kilometres.

    Examples
    --------
    >>> format_metres(7), format_metres(68.4), format_metres(234), format_metres(1240)
    ('5 m', '70 m', '230 m', '1.2 km')
    """
    if length >= KILOMETRE - 5:  # would round to 1,000 m
        return f"{length / KILOMETRE:.1f} km"
    step = 5 if length < COARSE_FROM else 10
    return f"{max(5, round(length / step) * step)} m"


def format_minutes(length: float) -> str:
    """Whole minutes in words.

    Examples
    --------
    >>> format_minutes(0.2), format_minutes(1.4), format_minutes(15)
    ('under 1 min', '1 min', '15 min')
    """
    return f"{round(length)} min" if round(length) else "under 1 min"


def format_grid_reference(x: float, y: float, *, crs: str = BRITISH_GRID) -> str:
    """Ordnance Survey grid reference of the 10 m square that holds a point, to say on the radio.

    Parameters
    ----------
    x, y
        Metres in `crs`.
    crs
        Only the British National Grid has references; for any other CRS the answer is empty,
        as it is for points outside the grid.

    Examples
    --------
    >>> format_grid_reference(529509.4, 181782.9)
    'TQ 2950 8178'
    >>> format_grid_reference(529509.4, 181782.9, crs="EPSG:32630")
    ''
    """
    inside = 0 <= x < GRID_METRES[0] and 0 <= y < GRID_METRES[1]
    if crs.upper() != BRITISH_GRID or not inside:
        return ""
    # The lettering starts one 500 km square west and two south of the true origin (square S).
    east, north = math.floor(x), math.floor(y)
    big = GRID_LETTERS[(3 - north // 500_000) * 5 + east // 500_000 + 2]
    small = GRID_LETTERS[(4 - north % 500_000 // 100_000) * 5 + east % 500_000 // 100_000]
    return f"{big}{small} {east % 100_000 // 10:04d} {north % 100_000 // 10:04d}"


def format_reasons(stop: "Stop") -> str:
    """Why to stand here, in one line; what intelligence tasked comes first.

    Examples
    --------
    >>> from patrolplan.patrols.plan import Stop
    >>> stop = Stop(hotspot="H1", arrive_minutes=930, leave_minutes=945, place="High Street",
    ...             why=("robbery", "reports"), worth=0.1, tasked="", point=(0, 0))
    >>> format_reasons(stop)
    'Robbery. Reports.'
    """
    return " ".join(list_reasons(stop))


def list_reasons(stop: "Stop") -> tuple[str, ...]:
    """Why to stand here, a sentence each; what intelligence tasked comes first."""
    reasons = [f"Tasked: {stop.tasked.strip()}"] if stop.tasked else []
    reasons += [reason.strip() for reason in stop.why]
    bare = [reason.rstrip(".;") for reason in reasons if reason.rstrip(".;")]
    said = tuple(f"{reason[0].upper()}{reason[1:]}." for reason in bare)
    return said or ("No single reason stands out; risk is spread along the street.",)


def describe_barred(barred: "BarredPlace", *, crs: str = BRITISH_GRID) -> str:
    """What to keep away from, where that is, and why.

    Examples
    --------
    >>> from patrolplan.patrols.plan import BarredPlace
    >>> barred = BarredPlace(place_id="T-02", place="Mill Lane near High Street",
    ...                      why="crime scene", point=(529509, 181782))
    >>> describe_barred(barred)
    'Keep away from Mill Lane near High Street (TQ 2950 8178), T-02: crime scene.'
    """
    grid = format_grid_reference(barred.x, barred.y, crs=crs)
    where = f"{barred.place} ({grid})" if grid else barred.place
    return f"Keep away from {where}, {barred.place_id}: {barred.why.strip().rstrip('.;')}."


def format_route_name(variant: int) -> str:
    """What a school's best route, 0, and its variants are called beside each other.

    Examples
    --------
    >>> format_route_name(0), format_route_name(2)
    ('route 1', 'route 3')
    """
    return f"route {variant + 1}"


def describe_quality(patrol: "Patrol") -> str:
    """How far the patrol may be from the best possible one of its window."""
    if not patrol.stops:
        return "No priority street can be reached and dwelt in within this window"
    gap = patrol.gap_percent
    if patrol.proven and gap < NEGLIGIBLE_GAP_PERCENT:
        return "Best possible for this window"
    return f"Within {max(0.1, math.ceil(gap * 10) / 10):g} % of the best possible for this window"


def find_sunset_minutes(plan: "Plan", *, rising: bool = False) -> float | None:
    """Sunset (or sunrise) at the middle of the area on the plan's day, after local midnight.

    None without a day, where the sun does neither, and outside Great Britain, whose local time
    is not known here.
    """
    area = plan.area
    if plan.date is None or area.settings.area.crs.upper() != BRITISH_GRID:
        return None
    nodes = area.network.node_xy
    x, y = (nodes.min(axis=0) + nodes.max(axis=0)) / 2
    longitude, latitude = area.projection.to_degrees([x], [y])
    at = compute_sunrise if rising else compute_sunset
    moment = at(plan.date, float(longitude[0]), float(latitude[0]))
    if moment is None:
        return None
    local = moment.astimezone(ZoneInfo("Europe/London"))
    return local.hour * 60.0 + local.minute + local.second / 60


def describe_distance(patrol: "Patrol") -> str:
    """How far a patrol goes and how, from the gate on; by bicycle also how far it is pushed.

    Examples
    --------
    >>> from types import SimpleNamespace as Given
    >>> describe_distance(Given(walked_metres=1240, way="walk", approach=None))
    '1.2 km on foot'
    >>> describe_distance(Given(walked_metres=1240, way="walk", approach=Given(metres=450)))
    '1.2 km on foot, after 450 m to the gate'
    >>> describe_distance(Given(walked_metres=5240, way="bicycle", pushed_metres=62, approach=None))
    '5.2 km by bicycle, 60 m of it on foot'
    """
    length, before = format_metres(patrol.walked_metres), patrol.approach
    first = "" if before is None else f", after {format_metres(before.metres)} to the gate"
    if patrol.way == "walk":
        return f"{length} on foot{first}"
    pushed = (
        f", {format_metres(patrol.pushed_metres)} of it on foot"
        if patrol.pushed_metres >= 1
        else ""
    )
    return f"{length} by bicycle{pushed}{first}"


def describe_turns(steps: "Sequence[Step]") -> list[str]:
    """How each direction begins, with where to get off the bicycle and on again.

    Examples
    --------
    >>> from patrolplan.patrols.plan import Step
    >>> describe_turns([Step("left", "A", 60, "push"), Step("right", "B", 90, "ride")])
    ['left, get off and push', 'get on, right']
    >>> describe_turns([Step("straight on", "steps", 20, "carry"), Step("left", "B", 90)])
    ['straight on, get off and carry', 'left']
    """
    lines, before = [], "ride"
    for step in steps:
        off = f"get off and {step.way}" if before == "ride" else step.way
        said = f"{step.turn}, {off}" if step.way in {"push", "carry"} else step.turn
        back = step.way == "ride" and before != "ride"
        lines.append(f"get on, {said}" if back else said)
        before = step.way
    return lines


def format_leg_minutes(patrol: "Patrol", leg: int) -> str:
    """How long a leg is by the times printed beside it, which are to the minute."""
    leaves = [patrol.gate_until_minutes, *(stop.leave_minutes for stop in patrol.stops)]
    arrives = [*(stop.arrive_minutes for stop in patrol.stops), patrol.end_minutes]
    return format_minutes(round(arrives[leg]) - round(leaves[leg]))


def format_leg_name(patrol: "Patrol", leg: int) -> str:
    """A leg by the marks at its ends: G is the gate, B the base, numbers are stops."""
    end = "B" if patrol.ends_at == "base" else "G"
    start = "B" if patrol.from_base else "G"
    marks = [start, *(str(number + 1) for number in range(len(patrol.stops))), end]
    return f"{marks[leg]}→{marks[leg + 1]}"


def describe_lighting(plan: "Plan", patrol: "Patrol") -> str:
    """Sunset, where the day is known, and the legs without street lighting; empty if neither.

    Of a patrol that is over by noon it is sunrise. With a day, only what is walked after sunset or
    before sunrise counts. Unknown lighting is never called unlit.
    """
    early = patrol.end_minutes <= NOON_MINUTES
    turn = find_sunset_minutes(plan, rising=early)
    said = (
        "" if turn is None else f"{'Sunrise' if early else 'Sunset'} {_truncate_to_minute(turn)}. "
    )
    begins = [patrol.gate_until_minutes, *(stop.leave_minutes for stop in patrol.stops)]
    ends = [*(stop.arrive_minutes for stop in patrol.stops), patrol.end_minutes]
    dark = [
        leg
        for leg in range(len(patrol.legs))
        if turn is None or (begins[leg] < turn if early else ends[leg] > turn)
    ]
    legs = [
        f"{format_leg_name(patrol, leg)} ({format_metres(patrol.legs[leg].unlit_metres)})"
        for leg in dark
        if patrol.legs[leg].unlit_metres >= MIN_UNLIT_METRES
    ]
    unknown = sum(patrol.legs[leg].lighting_unknown_metres for leg in dark)
    if legs:
        said += f"No street lighting {'after dark' if turn is None else 'then'} on part of "
        said += f"{', '.join(legs)}. "
    if unknown >= MIN_UNKNOWN_METRES and (legs or turn is not None):
        said += f"Lighting not known on {format_metres(unknown)}."
    return said.strip()


def _truncate_to_minute(after_midnight: float) -> str:
    """HH:MM of the minute that is running, as almanacs tell it."""
    return f"{int(after_midnight) // 60:02d}:{int(after_midnight) % 60:02d}"


def format_data_months(risk: "Risk") -> str:
    """From when to when the recorded crime is that the plan rests on."""
    first, last = risk.months
    if (first.year, first.month) == (last.year, last.month):
        return f"Recorded crime of {first:%B %Y}"
    return f"Recorded crime {first:%B %Y} to {last:%B %Y}"


def list_approximations(plan: "Plan", modes: "Iterable[str]" = ()) -> tuple[str, ...]:
    """What is approximate, in plain sentences, the one that matters most first.

    Parameters
    ----------
    plan
        What it rests on.
    ways
        How the patrols go, "walk" or "bicycle", by default as the settings say.
    """
    risk, settings = plan.risk, plan.area.settings
    if settings.privacy.threshold_for_crime:
        time = "with times" if risk.times_known else "month only, no time of day"
        fewest = settings.privacy.threshold
        squares = f"squares of {SQUARE_METRES:.0f} m"
        said = [f"Recorded crime in groups of {fewest} or more on {squares}, {time}."]
    elif risk.snapped:
        place = "places approximate to a few streets"
        time = "" if risk.times_known else ", month only, no time of day"
        said = [f"Open data: {place}{time}."]
    else:
        time = "with times" if risk.times_known else "month only, no time of day"
        said = [f"Recorded crime by its place in the force's own extract, {time}."]
    if risk.reports.any():
        threshold = settings.privacy.threshold
        said.append(f"Pupils' reports count only in groups of {threshold} or more.")
    said += describe_guard_off(settings)
    gone = {*modes} or {settings.patrol.way}
    going = " and riding" if len(gone) > 1 else ""
    going = f"Walking{going}" if "walk" in gone else "Riding"
    said.append(f"{going} times at an even pace, without waiting at crossings.")
    return tuple(said)


def describe_guard_off(settings: "Settings") -> tuple[str, ...]:
    """Why offences that patrols discover count; nothing where they do not."""
    if not settings.crimes.include_discovered:
        return ()
    reason = settings.crimes.reason.strip().rstrip(".")
    return (f"Offences that patrols discover count too: {reason}.",)


def compute_plan_id(plan: "Plan") -> str:
    """Eight letters and digits that name a plan: the same for equal plans, of no other meaning."""
    digest = hashlib.sha256(plan.area.settings.model_dump_json().encode())
    digest.update(repr(sorted(plan.area.inputs.items())).encode())
    if plan.date is not None:
        digest.update(plan.date.isoformat().encode())
    for patrol in plan.patrols:
        stops = [(stop.hotspot, round(stop.arrive_minutes, 2)) for stop in patrol.stops]
        digest.update(repr((patrol.urn, patrol.number, stops)).encode())
    return digest.hexdigest()[:8]


def is_fictional(plan: "Plan") -> bool:
    """Whether the area is made up, as its own name says."""
    return _is_made_up(plan.area.name)


def list_attributions(plan: "Plan") -> tuple[str, ...]:
    """Whose data a plan rests on, see `list_area_attributions`."""
    return list_area_attributions(plan.area.name, snapped=plan.risk.snapped)


def list_area_attributions(area: str, *, snapped: bool) -> tuple[str, ...]:
    """Whose data it is, as the licences ask; made-up data owes nobody and says so.

    Parameters
    ----------
    area
        Name of the area.
    snapped
        Whether recorded crime is open data; a force's own extract is nobody else's.
    """
    if _is_made_up(area):
        return ("Fictional place: streets, schools, crimes and reports are made up.",)
    open_police_data = ("recorded crime (data.police.uk)",) if snapped else ()
    public = " and ".join((*open_police_data, "schools (Get Information about Schools)"))
    return (
        "Streets © OpenStreetMap contributors, ODbL 1.0.",
        f"Contains public sector information under the Open Government Licence v3.0: {public}.",
    )


def _is_made_up(area: str) -> bool:
    return "fictional" in area.lower()
