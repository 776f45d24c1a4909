"""GPX 1.1: a school's patrols as way points, routes and tracks, for any navigation app.

Times of day are in the texts: the `time` element of GPX needs a date, and a plan may have none.
"""

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import numpy as np
import shapely

from patrolplan.errors import InputError
from patrolplan.outputs import wording
from patrolplan.outputs.direction_words import describe_street
from patrolplan.outputs.marking import find_marking
from patrolplan.outputs.reason_words import format_reasons
from patrolplan.outputs.tasking_words import describe_barred
from patrolplan.times import format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from patrolplan.crs import Projection
    from patrolplan.patrols.plan import Patrol, Plan


NAMESPACE = "http://www.topografix.com/GPX/1/1"
SCHEMA = f"{NAMESPACE} {NAMESPACE}/gpx.xsd"
ODBL = "https://opendatacommons.org/licenses/odbl/1-0/"

TASKED_SYMBOL = "Flag, Red"
"""A symbol that receivers and apps know."""

INVALID_XML_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, even if escaped."""


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
    projection = plan.area.projection
    _add_metadata(root, plan, patrols[0].school)
    # The schema requires all way points first, then all routes, then all tracks.
    for patrol in patrols:
        _add_points(root, "wpt", patrol, projection)
        _add_other_points(root, patrol, projection)
    _add_barred_points(root, patrols, projection)
    for patrol in patrols:
        _add_route(root, plan, patrol)
    for patrol in patrols:
        _add_track(root, patrol, projection)
    ET.indent(root, space=" ")
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _add_text(parent: ET.Element, tag: str, text: str) -> None:
    child = ET.SubElement(parent, tag)
    child.text = INVALID_XML_CHARACTERS.sub("", text)


def _add_metadata(root: ET.Element, plan: "Plan", school: str) -> None:
    """Name, description and licence: nothing about a person, and no time of creation."""
    metadata = ET.SubElement(root, "metadata")
    reasons = (reason for one in plan.patrols for stop in one.stops for reason in stop.why)
    marking = find_marking(plan.area.settings.output.marking, reasons)
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


def _format_coordinates(
    xy: "NDArray[np.float64]", projection: "Projection"
) -> list[dict[str, str]]:
    """Latitude and longitude of (n, 2) metres, as attributes."""
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    return [
        {"lat": f"{lat:.6f}", "lon": f"{lon:.6f}"}
        for lat, lon in zip(latitude.tolist(), longitude.tolist(), strict=True)
    ]


def _add_point(parent: ET.Element, tag: str, place: dict[str, str], **texts: str) -> None:
    """Add a point with its name, description or type."""
    point = ET.SubElement(parent, tag, place)
    for name, text in texts.items():
        _add_text(point, name, text)


def _add_points(
    parent: ET.Element, tag: str, patrol: "Patrol", projection: "Projection"
) -> dict[str, str]:
    """Add the patrol's start and its stops; returns the start as attributes."""
    first, *stops = _format_coordinates(patrol.points, projection)
    start, until = format_time(patrol.start_minutes), format_time(patrol.gate_until_minutes)
    name, description, kind = "School gate", f"At the gate {start} to {until}", "gate"
    if patrol.from_base:
        name, description, kind = "Base", "Set out", "base"
    _add_point(
        parent,
        tag,
        first,
        name=f"{_format_officer(patrol)}{name} {start}",
        desc=f"{patrol.school}. {description}, {_describe_end(patrol)}.",
        type=kind,
    )
    for number, (stop, place) in enumerate(zip(patrol.stops, stops, strict=True), start=1):
        arrive, leave = format_time(stop.arrive_minutes), format_time(stop.leave_minutes)
        where = wording.describe_place(stop)
        if stop.tasked is not None:
            where = f"TASKED {stop.tasked}, {where}"
        grid = wording.format_grid_reference(stop.x, stop.y, crs=projection.crs)
        sentences = (
            f"Arrive {arrive}, leave {leave}.",
            f"{grid}." if grid else "",
            wording.describe_tasked_distance(stop),
            f"Why: {format_reasons(stop)}",
        )
        _add_point(
            parent,
            tag,
            place,
            name=f"{_format_officer(patrol)}{number}. {where} {arrive}",
            desc=" ".join(filter(None, sentences)),
            **({} if stop.tasked is None else {"sym": TASKED_SYMBOL}),
            type="stop",
        )
    return first


def _format_officer(patrol: "Patrol") -> str:
    """The number of the patrol's officer, if the school has several."""
    return "" if patrol.number == 1 else f"Officer {patrol.number}, "


def _describe_end(patrol: "Patrol") -> str:
    if patrol.from_base:
        where = f"at the {patrol.ends_at}"
    else:
        where = "at the base" if patrol.ends_at == "base" else "back"
    return f"{where} by {format_time(patrol.end_minutes)}"


def _add_other_points(root: ET.Element, patrol: "Patrol", projection: "Projection") -> None:
    """Add the base, unless the patrol begins there, and each place to get off a bicycle."""
    points: list[tuple[tuple[float, float], str, str]] = []
    if patrol.base_xy is not None and not patrol.from_base:
        sets_out = patrol.approach is not None
        name = f"Base, set out {format_time(patrol.set_out_minutes)}" if sets_out else "Base"
        points.append((patrol.base_xy, name, "base"))
    for leg in patrol.all_legs:
        begins = np.cumsum([0.0, *(step.metres for step in leg.steps)])
        line = shapely.LineString(leg.line) if len(leg.line) > 1 else None
        for step, begin in zip(leg.steps, begins, strict=False):
            if line is not None and step.way in {"push", "carry"}:
                place = line.interpolate(float(begin))
                length = wording.format_metres(step.metres)
                name = f"Get off and {step.way}: {describe_street(step)}, {length}"
                points.append(((place.x, place.y), name, "dismount"))
    xy = np.array([point for point, _, _ in points]).reshape(-1, 2)
    places = _format_coordinates(xy, projection)
    for place, (_, name, kind) in zip(places, points, strict=True):
        _add_point(root, "wpt", place, name=f"{_format_officer(patrol)}{name}", type=kind)


def _add_barred_points(root: ET.Element, patrols: list["Patrol"], projection: "Projection") -> None:
    """Add the places to keep away from, once for all officers of a school."""
    barred = dict.fromkeys(place for patrol in patrols for place in patrol.keep_away)
    xy = np.array([(place.x, place.y) for place in barred]).reshape(-1, 2)
    for attributes, place in zip(_format_coordinates(xy, projection), barred, strict=True):
        _add_point(
            root,
            "wpt",
            attributes,
            name=f"\N{MULTIPLICATION SIGN} Keep away: {place.place}",
            desc=describe_barred(place, crs=projection.crs),
            type="keep away",
        )


def _add_route(root: ET.Element, plan: "Plan", patrol: "Patrol") -> None:
    projection = plan.area.projection
    route = ET.SubElement(root, "rte")
    _add_text(route, "name", patrol.title)
    distance = wording.describe_distance(patrol) if patrol.legs else "no walk"
    sentences = (
        f"{format_time(patrol.start_minutes)} to {format_time(patrol.end_minutes)}, {distance}.",
        *(describe_barred(place, crs=projection.crs) for place in patrol.keep_away),
        wording.describe_lighting(plan, patrol),
        f"{wording.describe_quality(patrol)}.",
    )
    _add_text(route, "desc", " ".join(sentence for sentence in sentences if sentence))
    _add_text(route, "number", str(patrol.number))
    if patrol.approach is not None:
        base = _format_coordinates(patrol.approach.line[:1], projection)[0]
        leave = f"Set out from the base {format_time(patrol.set_out_minutes)}"
        _add_point(route, "rtept", base, name=leave, type="base")
    end = _add_points(route, "rtept", patrol, projection)
    if patrol.legs:
        where = "Back at the gate"
        if patrol.ends_at != "gate" or patrol.from_base:
            end = _format_coordinates(patrol.legs[-1].line[-1:], projection)[0]
            where = f"At the {patrol.ends_at}"
        name = f"{where} {format_time(patrol.end_minutes)}"
        _add_point(route, "rtept", end, name=name, type=patrol.ends_at)


def _add_track(root: ET.Element, patrol: "Patrol", projection: "Projection") -> None:
    """Add the way along the streets, a segment for each leg."""
    if not patrol.all_legs:
        return
    track = ET.SubElement(root, "trk")
    _add_text(track, "name", f"{patrol.title}, street by street")
    _add_text(track, "number", str(patrol.number))
    for leg in patrol.all_legs:
        segment = ET.SubElement(track, "trkseg")
        for place in _format_coordinates(leg.line, projection):
            ET.SubElement(segment, "trkpt", place)
