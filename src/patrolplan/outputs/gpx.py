"""GPX 1.1: a school's patrols as way points, routes and tracks, for any navigation app.

Times of day are in the texts: the `time` element of GPX needs a date, and a plan may have none.
"""

import re
from typing import TYPE_CHECKING, TypeVar

import gpxpy.gpx
import numpy as np
import shapely
from gpxpy.gpx import GPXRoute, GPXRoutePoint, GPXTrack, GPXTrackPoint, GPXTrackSegment, GPXWaypoint

from patrolplan.errors import InputError
from patrolplan.outputs import wording
from patrolplan.outputs.direction_words import describe_street
from patrolplan.outputs.facts import find_marking, list_stop_facts
from patrolplan.text import capitalise
from patrolplan.times import format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.crs import Projection
    from patrolplan.patrols.plan import Patrol, Plan


ODBL = "https://opendatacommons.org/licenses/odbl/1-0/"

TASKED_SYMBOL = "Flag, Red"
"""A symbol that receivers and apps know."""

INVALID_XML_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, even if escaped."""

Point = TypeVar("Point", GPXWaypoint, GPXRoutePoint)
Place = tuple[float, float]
"""Latitude and longitude."""


def render_gpx(plan: "Plan", urn: str) -> bytes:
    """Render the patrols of one school as GPX 1.1, in UTF-8.

    Way points are the gate, the stops and the base, with times and reasons in `desc`, where to get
    off a bicycle, and places to keep away from. A route goes from stop to stop, a track follows the
    streets; each officer has their own. Equal plans give equal bytes.
    """
    patrols = [patrol for patrol in plan.patrols if patrol.urn == urn]
    if not patrols:
        urns = ", ".join(sorted({patrol.urn for patrol in plan.patrols})) or "none"
        what = f"has no patrol of school '{urn}'"
        raise InputError.one(plan.area.name, what, f"choose from: {urns}")
    projection, gpx = plan.area.projection, gpxpy.gpx.GPX()
    _write_metadata(gpx, plan, patrols)
    for patrol in patrols:
        gpx.waypoints += _build_points(GPXWaypoint, patrol, projection)
        gpx.waypoints += _build_other_points(patrol, projection)
    gpx.waypoints += _build_barred_points(patrols, projection)
    gpx.routes += [_build_route(plan, patrol) for patrol in patrols]
    gpx.tracks += [_build_track(one, projection) for one in patrols if one.legs]
    return INVALID_XML_CHARACTERS.sub("", gpx.to_xml(version="1.1")).encode()


def _write_metadata(gpx: gpxpy.gpx.GPX, plan: "Plan", patrols: list["Patrol"]) -> None:
    """Name, description and licence: nothing about a person, and no time of creation."""
    lines = (
        f"{wording.format_data_months(plan.risk)}.",
        *wording.list_approximations(plan),
        *wording.list_attributions(plan),
    )
    gpx.creator = "patrolplan"
    gpx.name = (
        f"{find_marking(plan.area, patrols)}: patrol of {patrols[0].school}, {plan.area.name}"
    )
    gpx.description = " ".join(lines)
    if not wording.is_fictional(plan):
        gpx.copyright_author, gpx.copyright_license = "OpenStreetMap contributors", ODBL


def _locate(xy: "NDArray[np.float64]", projection: "Projection") -> list[Place]:
    """Latitude and longitude of (n, 2) metres."""
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    return list(zip(latitude.tolist(), longitude.tolist(), strict=True))


def _build_points(kind: type[Point], patrol: "Patrol", projection: "Projection") -> list[Point]:
    """The gate and the stops."""
    first, *stops = _locate(patrol.points, projection)
    start, until = format_time(patrol.start_minutes), format_time(patrol.gate_until_minutes)
    end = wording.describe_end(patrol)
    gate = kind(
        *first,
        name=f"{_format_officer(patrol)}School gate {start}",
        description=f"{patrol.school}. At the gate {start} to {until}, {end}.",
        type="gate",
    )
    points = [gate]
    for stop, place in zip(list_stop_facts(patrol, projection.crs), stops, strict=True):
        tasked = stop.stop.tasked
        where = f"TASKED {tasked}, {stop.place}" if tasked else stop.place
        why = [f"Tasked: {stop.tasking}."] if stop.tasking else []
        why += [f"{line.text}{line.end}" for line in stop.list_why()]
        sentences = (
            f"Arrive {stop.arrive}, leave {stop.leave}.",
            f"{stop.grid}." if stop.grid else "",
            stop.tasked_distance,
            f"Why: {' '.join(why)}",
        )
        point = kind(
            *place,
            name=f"{_format_officer(patrol)}{stop.number}. {where} {stop.arrive}",
            description=" ".join(filter(None, sentences)),
            symbol=TASKED_SYMBOL if tasked else None,
            type="stop",
        )
        points.append(point)
    return points


def _format_officer(patrol: "Patrol") -> str:
    """The number of the patrol's officer, if the school has several."""
    return "" if patrol.number == 1 else f"Officer {patrol.number}, "


def _build_other_points(patrol: "Patrol", projection: "Projection") -> list[GPXWaypoint]:
    """Each place to get off a bicycle."""
    points = []
    for leg in patrol.legs:
        begins = np.cumsum([0.0, *(step.metres for step in leg.steps)])
        for step, begin in zip(leg.steps, begins, strict=False):
            if len(leg.line) > 1 and step.way in {"push", "carry"}:
                place = shapely.LineString(leg.line).interpolate(float(begin))
                [degrees] = _locate(np.array(place.coords), projection)
                length = wording.format_metres(step.metres)
                name = f"Get off and {step.way}: {describe_street(step)}, {length}"
                name = _format_officer(patrol) + name
                points.append(GPXWaypoint(*degrees, name=name, type="dismount"))
    return points


def _build_barred_points(patrols: list["Patrol"], projection: "Projection") -> list[GPXWaypoint]:
    """The places to keep away from, once for all officers of a school."""
    barred = dict.fromkeys(place for patrol in patrols for place in patrol.keep_away)
    return [
        GPXWaypoint(
            *_locate(np.array([place.point]), projection)[0],
            name=f"\N{MULTIPLICATION SIGN} Keep away: {place.place}",
            description=wording.describe_barred(place, crs=projection.crs),
            type="keep away",
        )
        for place in barred
    ]


def _build_route(plan: "Plan", patrol: "Patrol") -> GPXRoute:
    projection = plan.area.projection
    distance = wording.describe_distance(patrol) if patrol.legs else "no walk"
    sentences = (
        f"{format_time(patrol.start_minutes)} to {format_time(patrol.end_minutes)}, {distance}.",
        *(wording.describe_barred(place, crs=projection.crs) for place in patrol.keep_away),
        wording.describe_lighting(plan, patrol),
        wording.describe_reference(patrol),
    )
    route = GPXRoute(patrol.title, " ".join(filter(None, sentences)), patrol.number)
    points = _build_points(GPXRoutePoint, patrol, projection)
    route.points += points
    if patrol.legs:
        end = (points[0].latitude, points[0].longitude)
        name = capitalise(wording.describe_end(patrol))
        route.points.append(GPXRoutePoint(*end, name=name, type="gate"))
    return route


def _build_track(patrol: "Patrol", projection: "Projection") -> GPXTrack:
    """The way along the streets, a segment for each leg."""
    track = GPXTrack(f"{patrol.title}, street by street", number=patrol.number)
    for leg in patrol.legs:
        places = _locate(leg.line, projection)
        track.segments.append(GPXTrackSegment([GPXTrackPoint(*place) for place in places]))
    return track
