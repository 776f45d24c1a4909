"""Hotspots -> `Plan`: the best patrol of every school, timed and walked out."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.patrols.itinerary import leg_of
from patrolplan.patrols.orienteering import Officer
from patrolplan.patrols.orienteering import OrienteeringProblem
from patrolplan.patrols.orienteering import Route
from patrolplan.patrols.orienteering import Solution
from patrolplan.patrols.orienteering import solve
from patrolplan.patrols.orienteering import variants
from patrolplan.patrols.plans import Leg
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan
from patrolplan.patrols.plans import Stop
from patrolplan.patrols.plans import Variant
from patrolplan.patrols.reach import Reach
from patrolplan.patrols.reach import metres_per_minute
from patrolplan.patrols.reach import reach_of
from patrolplan.places import street_labels
from patrolplan.risk.surface import Risk

VARIANTS = 3


def plan_patrols(area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame) -> Plan:
    """Plan the patrols of every school in the area.

    From the gate at the bell: presence there first, then the stops that are worth most together
    within the window, each with its dwell, and back to the gate.

    Parameters
    ----------
    area, risk, hotspots
        As they come from the rooms above.

    Returns
    -------
    Plan
        With a bound on what is possible for every patrol, and its variants.

    Raises
    ------
    InputError
        When presence at the gate and one dwell do not fit into the window.
    """
    settings = area.settings.patrol
    if settings.gate_minutes > settings.window_minutes:
        what = (
            f"gate_minutes {settings.gate_minutes:g} is longer than "
            f"window_minutes {settings.window_minutes:g}"
        )
        raise InputError.one("[patrol]", what, "make the window longer or the presence shorter")
    labels = street_labels(area.network)
    patrols: list[Patrol] = []
    for row in range(len(area.schools)):
        school = area.schools.iloc[row]
        reach = reach_of(area, risk, hotspots, area.gates.take([row]))
        patrols += _school_patrols(area, hotspots, school, reach, labels[reach.pieces])
    return Plan(area, risk, hotspots, tuple(patrols), area.left_out)


def _school_patrols(
    area: StudyArea,
    hotspots: gpd.GeoDataFrame,
    school: pd.Series,
    reach: Reach,
    labels: NDArray[np.object_],
) -> list[Patrol]:
    problem = _problem(area, school, reach)
    solution = solve(problem, seed=area.settings.seed)
    others = variants(problem, solution, count=VARIANTS, seed=area.settings.seed)
    told = tuple(_variant(other, solution, hotspots, reach) for other in others)
    return [
        _patrol(area, hotspots, school, reach, labels, route, solution, told)
        for route in solution.routes
    ]


def _problem(area: StudyArea, school: pd.Series, reach: Reach) -> OrienteeringProblem:
    """The school's orienteering problem; row 0 is the gate, row i + 1 candidate i."""
    settings = area.settings.patrol
    start = minutes_of(school["finish_time"])
    officer = Officer(
        start=0,
        end=0,
        earliest_minutes=start + settings.gate_minutes,
        latest_minutes=start + settings.window_minutes,
    )
    return OrienteeringProblem(
        travel_minutes=reach.walks.metres / metres_per_minute(settings.walking_speed_kmh),
        prizes=np.concatenate([[0.0], reach.worth]),
        dwell_minutes=np.concatenate([[0.0], np.full(len(reach.worth), settings.dwell_minutes)]),
        officers=(officer,) * settings.officers,
    )


def _patrol(
    area: StudyArea,
    hotspots: gpd.GeoDataFrame,
    school: pd.Series,
    reach: Reach,
    labels: NDArray[np.object_],
    route: Route,
    solution: Solution,
    told: tuple[Variant, ...],
) -> Patrol:
    settings = area.settings.patrol
    start = minutes_of(school["finish_time"])
    gate_until = start + settings.gate_minutes
    legs = _legs(reach, labels, route, metres_per_minute(settings.walking_speed_kmh))
    gate = reach.network.xy(reach.gate)[0]
    return Patrol(
        urn=school["urn"],
        school=school["name"],
        number=route.officer + 1,
        x=float(gate[0]),
        y=float(gate[1]),
        start_minutes=start,
        gate_until_minutes=gate_until,
        end_minutes=route.end_minutes if route.stops else gate_until,
        latest_end_minutes=start + settings.window_minutes,
        worth=route.worth,
        bound=solution.bound - (solution.worth - route.worth),
        proven=solution.proven,
        stops=tuple(_stop(hotspots, reach, route, k) for k in range(len(route.stops))),
        legs=legs,
        variants=told,
        notes=_notes(school),
    )


def _stop(hotspots: gpd.GeoDataFrame, reach: Reach, route: Route, k: int) -> Stop:
    candidate = route.stops[k] - 1
    hotspot = hotspots.iloc[reach.candidates[candidate]]
    return Stop(
        hotspot=hotspot["hotspot"],
        arrive_minutes=route.begin_minutes[k],
        leave_minutes=route.leave_minutes[k],
        x=float(hotspot["stop"].x),
        y=float(hotspot["stop"].y),
        place=hotspot["place"],
        why=tuple(hotspot["reasons"]),
        worth=float(reach.worth[candidate]),
    )


def _legs(
    reach: Reach, labels: NDArray[np.object_], route: Route, speed: float
) -> tuple[Leg, ...]:
    if not route.stops:
        return ()
    order = [0, *route.stops, 0]
    legs = [
        leg_of(reach.walks.between(start, end), labels, speed)
        for start, end in zip(order[:-1], order[1:], strict=True)
    ]
    return tuple(replace(leg, pieces=reach.pieces[leg.pieces]) for leg in legs)


def _variant(
    other: Solution, best: Solution, hotspots: gpd.GeoDataFrame, reach: Reach
) -> Variant:
    names = hotspots["hotspot"].to_numpy()[reach.candidates]
    stops = tuple(str(names[stop - 1]) for route in other.routes for stop in route.stops)
    return Variant(other.worth / best.worth if best.worth > 0 else 1.0, stops)


def _notes(school: pd.Series) -> tuple[str, ...]:
    notes = []
    if school["finish_assumed"]:
        notes.append(f"Finish time not known: {school['finish_time']} assumed.")
    if school["gate_assumed"]:
        notes.append("Gate not known: the nearest walkable street is taken.")
    return tuple(notes)


def minutes_of(clock: str) -> float:
    """Minutes after midnight of HH:MM.

    Examples
    --------
    >>> minutes_of("15:15")
    915.0
    """
    hours, minutes = clock.split(":")
    return 60.0 * int(hours) + int(minutes)
