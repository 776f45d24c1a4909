"""GPX 1.1: a school's patrols as way points, routes and tracks, for any navigation app.

Times of day are in the texts: the `time` element of GPX needs a date, and a plan may have none.
"""

import re
from collections.abc import Iterator
from typing import Any

import gpxpy.gpx
import numpy as np
from gpxpy.gpx import GPXRoute, GPXRoutePoint, GPXTrack, GPXTrackPoint, GPXTrackSegment, GPXWaypoint
from numpy.typing import NDArray

from patrolplan.crs import Projection
from patrolplan.outputs import wording
from patrolplan.outputs.facts import find_marking, list_stop_facts
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.text import capitalise
from patrolplan.times import format_time

ODBL = "https://opendatacommons.org/licenses/odbl/1-0/"
TASKED_SYMBOL = "Flag, Red"  # A symbol that receivers and apps know

# Characters that XML 1.0 does not allow, even if escaped.
INVALID_XML_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_gpx_files(plan: Plan) -> dict[str, bytes]:
    """Each school's file by its name."""
    urns = {one.urn for one in plan.patrols}
    return {f"gpx/{urn}.gpx": render_gpx(plan, urn) for urn in urns}


def render_gpx(plan: Plan, urn: str) -> bytes:
    """The patrols of one school as GPX 1.1, in UTF-8; equal plans give equal bytes.

    Way points are the gate, stops and places to keep away from; an officer has a route from stop to
    stop and a track along the streets.
    """
    patrols = [patrol for patrol in plan.patrols if patrol.urn == urn]
    projection, gpx = plan.area.projection, gpxpy.gpx.GPX()
    # Nothing about a person, and no time of creation.
    gpx.creator = "patrolplan"
    marking, school = find_marking(plan.area, patrols), patrols[0].school
    gpx.name = f"{marking}: patrol of {school}, {plan.area.name}"
    basis = (*wording.list_approximations(plan), *wording.list_attributions(plan))
    gpx.description = " ".join((f"{wording.format_data_months(plan.risk)}.", *basis))
    if not wording.is_fictional_area(plan.area.name):
        gpx.copyright_author, gpx.copyright_license = "OpenStreetMap contributors", ODBL
    barred = dict.fromkeys(place for patrol in patrols for place in patrol.keep_away)
    for patrol in patrols:
        points = list(_describe_points(patrol, projection))
        gpx.waypoints += [GPXWaypoint(**point) for point in points]
        gpx.routes.append(_build_route(plan, patrol, points))
        if patrol.legs:
            track = GPXTrack(f"{patrol.title}, street by street", number=patrol.number)
            for leg in patrol.legs:
                places = (GPXTrackPoint(**place) for place in _locate(leg.line, projection))
                track.segments.append(GPXTrackSegment([*places]))
            gpx.tracks.append(track)
    gpx.waypoints += [
        GPXWaypoint(
            **_locate(np.array([place.point]), projection)[0],
            name=f"\N{MULTIPLICATION SIGN} Keep away: {place.place}",
            description=wording.describe_barred(place, crs=projection.crs),
            type="keep away",
        )
        for place in barred
    ]
    return INVALID_XML_CHARACTERS.sub("", gpx.to_xml(version="1.1")).encode()


def _locate(xy: NDArray[np.float64], projection: Projection) -> list[dict[str, Any]]:
    """Latitude and longitude of (n, 2) metres."""
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    degrees = zip(latitude.tolist(), longitude.tolist(), strict=True)
    return [{"latitude": north, "longitude": east} for north, east in degrees]


def _describe_points(patrol: Patrol, projection: Projection) -> Iterator[dict[str, Any]]:
    """The gate and the stops, as way points or points of a route."""
    first, *stops = _locate(patrol.points, projection)
    start, until = format_time(patrol.start_minutes), format_time(patrol.gate_until_minutes)
    officer = "" if patrol.number == 1 else f"Officer {patrol.number}, "
    about = f"{patrol.school}. At the gate {start} to {until}, {wording.describe_end(patrol)}."
    yield first | {"name": f"{officer}School gate {start}", "description": about, "type": "gate"}
    for stop, place in zip(list_stop_facts(patrol, projection.crs), stops, strict=True):
        tasked = stop.stop.tasked
        where = f"TASKED {tasked}, {stop.place}" if tasked else stop.place
        why = [f"Tasked: {stop.tasking}."] if stop.tasking else []
        why += [f"{line.text}{line.end}" for line in stop.list_why()]
        when, grid = f"Arrive {stop.arrive}, leave {stop.leave}.", stop.grid and f"{stop.grid}."
        sentences = (when, grid, stop.tasked_distance, f"Why: {' '.join(why)}")
        yield place | {
            "name": f"{officer}{stop.number}. {where} {stop.arrive}",
            "description": " ".join(filter(None, sentences)),
            "symbol": TASKED_SYMBOL if tasked else None,
            "type": "stop",
        }


def _build_route(plan: Plan, patrol: Patrol, points: list[dict[str, Any]]) -> GPXRoute:
    distance = wording.describe_distance(patrol) if patrol.legs else "no walk"
    sentences = (
        f"{format_time(patrol.start_minutes)} to {format_time(patrol.end_minutes)}, {distance}.",
        *(wording.describe_barred(one, crs=plan.area.projection.crs) for one in patrol.keep_away),
        wording.describe_lighting(plan, patrol),
        wording.describe_reference(patrol),
    )
    route = GPXRoute(patrol.title, " ".join(filter(None, sentences)), patrol.number)
    route.points += [GPXRoutePoint(**point) for point in points]
    if patrol.legs:
        end = {"name": capitalise(wording.describe_end(patrol)), "description": None}
        route.points.append(GPXRoutePoint(**points[0] | end))
    return route
