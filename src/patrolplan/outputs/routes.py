"""A patrol's route for maps and for other programs: one list of its places and legs, in degrees.

Whatever draws or writes a route takes it from here, so none leaves out a tasking or a place to keep
away from. A format for other programs is a row of `pack.ROUTE_FORMATS`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from patrolplan.arrays import Floats
from patrolplan.crs import Projection
from patrolplan.outputs import wording
from patrolplan.outputs.facts import StopFacts, list_stop_facts
from patrolplan.patrols.file_forms import XY
from patrolplan.patrols.patrol_state import find_patrol_state
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan
from patrolplan.times import format_time

PointKind = Literal["gate", "stop", "tasked", "keep_away"]
GATE_MARK = "G"
KEEP_AWAY_MARK = "\N{MULTIPLICATION SIGN}"  # as in the card's text


@dataclass(frozen=True)
class RoutePoint:
    """The gate, a stop, or a place to keep away from."""

    kind: PointKind
    mark: str  # its sign on maps
    xy: XY  # metres in the area's CRS
    degrees: XY  # longitude and latitude
    name: str
    about: str  # what an officer must know there, in sentences

    @property
    def is_stop(self) -> bool:
        """Whether the patrol stops there."""
        return self.kind in {"stop", "tasked"}


@dataclass(frozen=True, eq=False)
class PatrolRoute:
    """The route of a patrol on its day."""

    title: str
    number: int  # of the officer at the school
    about: str  # times, length, places to keep away from, light and worth, in sentences
    points: tuple[RoutePoint, ...]  # the gate, the stops in their order, places to keep away from
    legs: tuple[Floats, ...]  # (k, 2) longitudes and latitudes of each
    end: str  # when and where it ends


def tell_route(plan: Plan, patrol: Patrol) -> PatrolRoute:
    """The route of one of a plan's patrols."""
    projection = plan.area.projection
    distance = wording.describe_distance(patrol) if patrol.legs else "no walk"
    sentences = (
        f"{format_time(patrol.start_minutes)} to {format_time(patrol.end_minutes)}, {distance}.",
        *(wording.describe_barred(place, crs=projection.crs) for place in patrol.keep_away),
        wording.describe_lighting(plan, patrol),
        wording.describe_worth(find_patrol_state(plan, patrol)),
    )
    return PatrolRoute(
        title=patrol.title,
        number=patrol.number,
        about=" ".join(filter(None, sentences)),
        points=tuple(list_route_points(patrol, projection)),
        legs=tuple(_to_degrees(leg.line, projection) for leg in patrol.legs),
        end=wording.describe_end(patrol),
    )


def list_route_points(patrol: Patrol, projection: Projection) -> list[RoutePoint]:
    """The gate, the stops in their order, and the places to keep away from."""
    officer = "" if patrol.number == 1 else f"Officer {patrol.number}, "
    stops = list_stop_facts(patrol, projection.crs)
    return [
        _tell_gate(patrol, officer, projection),
        *(_tell_stop(facts, officer, projection) for facts in stops),
        *(_tell_barred(place, projection) for place in patrol.keep_away),
    ]


def _tell_gate(patrol: Patrol, officer: str, projection: Projection) -> RoutePoint:
    start, until = format_time(patrol.start_minutes), format_time(patrol.gate_until_minutes)
    end = wording.describe_end(patrol)
    return RoutePoint(
        "gate",
        GATE_MARK,
        patrol.point,
        _find_degrees(patrol.point, projection),
        name=f"{officer}School gate {start}",
        about=f"{patrol.school}. At the gate {start} to {until}, {end}.",
    )


def _tell_stop(facts: StopFacts, officer: str, projection: Projection) -> RoutePoint:
    tasked = facts.stop.tasked
    where = f"TASKED {tasked}, {facts.place}" if tasked else facts.place
    sentences = (
        f"Arrive {facts.arrive}, leave {facts.leave}.",
        facts.grid and f"{facts.grid}.",
        facts.tasked_distance,
        f"Why: {' '.join(facts.list_sentences())}",
    )
    return RoutePoint(
        "tasked" if tasked else "stop",
        str(facts.number),
        facts.stop.point,
        _find_degrees(facts.stop.point, projection),
        name=f"{officer}{facts.number}. {where} {facts.arrive}",
        about=" ".join(filter(None, sentences)),
    )


def _tell_barred(place: BarredPlace, projection: Projection) -> RoutePoint:
    return RoutePoint(
        "keep_away",
        KEEP_AWAY_MARK,
        place.point,
        _find_degrees(place.point, projection),
        name=f"{KEEP_AWAY_MARK} Keep away: {place.place}",
        about=wording.describe_barred(place, crs=projection.crs),
    )


def _find_degrees(point: XY, projection: Projection) -> XY:
    ((longitude, latitude),) = _to_degrees(np.array([point]), projection).tolist()
    return longitude, latitude


def _to_degrees(xy: Floats, projection: Projection) -> Floats:
    """(k, 2) longitudes and latitudes of points in metres."""
    return np.column_stack(projection.to_degrees(xy[:, 0], xy[:, 1]))
