"""GPX 1.1: a school's patrols for any phone or handheld, as way points, a route and a track.

A plan has no date, so times of day stand in words; GPX' own `time` would need one.
"""

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import numpy as np
import shapely

from patrolplan.errors import InputError
from patrolplan.outputs import wording
from patrolplan.patrols.plan import format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.crs import Projection
    from patrolplan.patrols.plan import Patrol, Plan


NAMESPACE = "http://www.topografix.com/GPX/1/1"
SCHEMA = f"{NAMESPACE} {NAMESPACE}/gpx.xsd"
ODBL = "https://opendatacommons.org/licenses/odbl/1-0/"

INVALID_XML_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def render_gpx(plan: "Plan", urn: str) -> bytes:
    """Write the patrols of one school as GPX 1.1.

    Parameters
    ----------
    plan
        The plan.
    urn
        Which school; with several officers each one's patrol is a route of its own.

    Returns
    -------
    bytes
        XML in UTF-8. Way points are the gate, the stops and the base, with times and reasons in
        `desc`, the places where one must get off a bicycle, and those to keep away from; the route
        goes from stop to stop; the track follows the streets. Equal plans give equal bytes.

    Raises
    ------
    InputError
        When the plan holds no patrol of this school.
    """
    patrols = [patrol for patrol in plan.patrols if patrol.urn == urn]
    if not patrols:
        known = ", ".join(sorted({patrol.urn for patrol in plan.patrols})) or "none"
        what = f"holds no patrol of school '{urn}'"
        raise InputError.one(plan.area.name, what, f"choose from: {known}")
    root = ET.Element(
        "gpx",
        {
            "version": "1.1",
            "creator": "patrolplan",
            "xmlns": NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": SCHEMA,
        },
    )
    points = [_locate_points(patrol, plan.area.projection) for patrol in patrols]
    _add_metadata(root, plan, patrols[0].school)
    # The schema wants all way points first, then all routes, then all tracks.
    for patrol, at in zip(patrols, points, strict=True):
        for row in range(len(at)):
            _add_point(root, "wpt", patrol, row, at)
        _add_other_points(root, patrol, plan.area.projection)
    _add_barred_points(root, patrols, plan.area.projection)
    for patrol, at in zip(patrols, points, strict=True):
        _add_route(root, plan, patrol, at)
    for patrol in patrols:
        _add_track(root, patrol, plan.area.projection)
    ET.indent(root, space=" ")
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _add_text(parent: ET.Element, tag: str, text: str) -> None:
    child = ET.SubElement(parent, tag)
    child.text = INVALID_XML_CHARACTERS.sub("", text)


def _add_metadata(root: ET.Element, plan: "Plan", school: str) -> None:
    """Name, description and licence of the streets: nothing about a person, no time of making."""
    metadata = ET.SubElement(root, "metadata")
    marking = plan.area.settings.output.marking
    _add_text(metadata, "name", f"{marking}: patrol of {school}, {plan.area.name}")
    lines = (
        f"{wording.format_data_months(plan.risk)}.",
        *wording.list_approximations(plan),
        *wording.list_attributions(plan),
    )
    _add_text(metadata, "desc", " ".join(lines))
    if not wording.is_fictional(plan):
        holder = ET.SubElement(metadata, "copyright", {"author": "OpenStreetMap contributors"})
        _add_text(holder, "license", ODBL)


def _locate_points(patrol: "Patrol", projection: "Projection") -> list[dict[str, str]]:
    """Latitude and longitude of where the patrol begins and of the stops, as attributes."""
    begin = (patrol.x, patrol.y)
    if patrol.from_base and patrol.base_xy is not None:
        begin = patrol.base_xy
    xy = np.array([begin, *((stop.x, stop.y) for stop in patrol.stops)])
    return _format_coordinates(xy, projection)


def _format_coordinates(
    xy: "NDArray[np.float64]", projection: "Projection"
) -> list[dict[str, str]]:
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    return [
        {"lat": f"{lat:.6f}", "lon": f"{lon:.6f}"}
        for lat, lon in zip(latitude.tolist(), longitude.tolist(), strict=True)
    ]


def _add_point(
    parent: ET.Element, tag: str, patrol: "Patrol", row: int, at: list[dict[str, str]]
) -> None:
    """Point 0 is the gate, or the base of a patrol from there; the others are the stops."""
    point = ET.SubElement(parent, tag, at[row])
    who = "" if patrol.number == 1 else f"Officer {patrol.number}, "
    if row == 0 and patrol.from_base:
        _add_text(point, "name", f"{who}Base {format_time(patrol.start_minutes)}")
        _add_text(point, "desc", f"{patrol.school}. Set out, {_describe_end(patrol)}.")
        _add_text(point, "type", "base")
        return
    if row == 0:
        _add_text(point, "name", f"{who}School gate {format_time(patrol.start_minutes)}")
        start, until = format_time(patrol.start_minutes), format_time(patrol.gate_until_minutes)
        _add_text(
            point,
            "desc",
            f"{patrol.school}. At the gate {start} to {until}, {_describe_end(patrol)}.",
        )
        _add_text(point, "type", "gate")
        return
    stop = patrol.stops[row - 1]
    arrive, leave = format_time(stop.arrive_minutes), format_time(stop.leave_minutes)
    _add_text(point, "name", f"{who}{row}. {stop.place} {arrive}")
    _add_text(point, "desc", f"Arrive {arrive}, leave {leave}. Why: {wording.format_reasons(stop)}")
    _add_text(point, "type", "stop")


def _describe_end(patrol: "Patrol") -> str:
    if patrol.from_base:
        where = f"at the {patrol.ends_at}"
    else:
        where = "at the base" if patrol.ends_at == "base" else "back"
    return f"{where} by {format_time(patrol.end_minutes)}"


def _add_other_points(root: ET.Element, patrol: "Patrol", projection: "Projection") -> None:
    """The base, where it is no other point, and each place where one must get off a bicycle."""
    who = "" if patrol.number == 1 else f"Officer {patrol.number}, "
    found: list[tuple[tuple[float, float], str, str]] = []
    if patrol.base_xy is not None and not patrol.from_base:
        sets_out = patrol.approach is not None
        name = f"Base, set out {format_time(patrol.set_out_minutes)}" if sets_out else "Base"
        found.append((patrol.base_xy, f"{who}{name}", "base"))
    for leg in patrol.all_legs:
        begins = np.cumsum([0.0, *(step.metres for step in leg.steps)])
        along = shapely.LineString(leg.line) if len(leg.line) > 1 else None
        for step, begin in zip(leg.steps, begins, strict=False):
            if along is not None and step.way in {"push", "carry"}:
                place = along.interpolate(float(begin))
                told = (
                    f"Get off and {step.way}: {step.street}, {wording.format_metres(step.metres)}"
                )
                found.append(((place.x, place.y), f"{who}{told}", "dismount"))
    if not found:
        return
    places = _format_coordinates(np.array([xy for xy, _, _ in found]), projection)
    for place, (_, name, kind) in zip(places, found, strict=True):
        point = ET.SubElement(root, "wpt", place)
        _add_text(point, "name", name)
        _add_text(point, "type", kind)


def _add_barred_points(root: ET.Element, patrols: list["Patrol"], projection: "Projection") -> None:
    """The places to keep away from, each once for the officers of a school."""
    barred = dict.fromkeys(one for patrol in patrols for one in patrol.keep_away)
    xy = np.array([(one.x, one.y) for one in barred]).reshape(-1, 2)
    for place, one in zip(_format_coordinates(xy, projection), barred, strict=True):
        point = ET.SubElement(root, "wpt", place)
        _add_text(point, "name", f"\N{MULTIPLICATION SIGN} Keep away: {one.place}")
        _add_text(point, "desc", wording.describe_barred(one, crs=projection.crs))
        _add_text(point, "type", "keep away")


def _add_route(root: ET.Element, plan: "Plan", patrol: "Patrol", at: list[dict[str, str]]) -> None:
    projection = plan.area.projection
    route = ET.SubElement(root, "rte")
    _add_text(route, "name", _format_title(patrol))
    walked = wording.describe_distance(patrol) if patrol.legs else "no walk"
    told = (
        f"{format_time(patrol.start_minutes)} to {format_time(patrol.end_minutes)}, {walked}.",
        *(wording.describe_barred(one, crs=projection.crs) for one in patrol.keep_away),
        wording.describe_lighting(plan, patrol),
        f"{wording.describe_quality(patrol)}.",
    )
    _add_text(route, "desc", " ".join(line for line in told if line))
    _add_text(route, "number", str(patrol.number))
    if patrol.approach is not None:
        start = ET.SubElement(
            route, "rtept", _format_coordinates(patrol.approach.line[:1], projection)[0]
        )
        _add_text(start, "name", f"Set out from the base {format_time(patrol.set_out_minutes)}")
        _add_text(start, "type", "base")
    for row in range(len(at)):
        _add_point(route, "rtept", patrol, row, at)
    if patrol.legs:
        there = patrol.ends_at != "gate" or patrol.from_base
        place = _format_coordinates(patrol.legs[-1].line[-1:], projection)[0] if there else at[0]
        end = ET.SubElement(route, "rtept", place)
        where = f"At the {patrol.ends_at}" if there else "Back at the gate"
        _add_text(end, "name", f"{where} {format_time(patrol.end_minutes)}")
        _add_text(end, "type", patrol.ends_at)


def _add_track(root: ET.Element, patrol: "Patrol", projection: "Projection") -> None:
    """Track the walk street by street, a segment for each leg."""
    if not patrol.all_legs:
        return
    track = ET.SubElement(root, "trk")
    _add_text(track, "name", f"{_format_title(patrol)}, street by street")
    _add_text(track, "number", str(patrol.number))
    for leg in patrol.all_legs:
        segment = ET.SubElement(track, "trkseg")
        for place in _format_coordinates(leg.line, projection):
            ET.SubElement(segment, "trkpt", place)


def _format_title(patrol: "Patrol") -> str:
    who = "" if patrol.number == 1 else f", officer {patrol.number}"
    return f"{patrol.school}{who}"
