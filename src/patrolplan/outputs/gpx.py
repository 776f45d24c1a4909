"""GPX 1.1: a school's patrols as way points, routes and tracks, for any navigation app.

Times of day are in the texts: the `time` element of GPX needs a date, and a plan may have none.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patrolplan.crs import Projection
from patrolplan.outputs import wording
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.offline_page import load_template
from patrolplan.patrols.marking import find_marking
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.text import capitalise
from patrolplan.times import format_time

# Characters that XML 1.0 does not allow, even if escaped.
INVALID_XML_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_gpx_files(plan: Plan) -> dict[str, bytes]:
    """Each school's file by its name."""
    urns = dict.fromkeys(one.urn for one in plan.patrols)
    return {f"gpx/{urn}.gpx": render_gpx(plan, urn) for urn in urns}


def render_gpx(plan: Plan, urn: str) -> bytes:
    """The patrols of one school as GPX 1.1, in UTF-8; equal plans give equal bytes.

    Way points are the gate, stops and places to keep away from; an officer has a route from stop to
    stop and a track along the streets.
    """
    patrols = [patrol for patrol in plan.patrols if patrol.urn == urn]
    projection, crs = plan.area.projection, plan.area.projection.crs
    marking, school = find_marking(plan.area, patrols), patrols[0].school
    basis = (*wording.list_approximations(plan), *wording.list_attributions(plan))
    points = [[*_describe_points(patrol, projection)] for patrol in patrols]
    # Nothing about a person, and no time of creation.
    text = load_template(Path(__file__).with_name("patrols.gpx.j2")).render(
        about={
            "name": f"{marking}: patrol of {school}, {plan.area.name}",
            "desc": " ".join((f"{wording.format_data_months(plan.risk)}.", *basis)),
        },
        is_fictional=wording.is_fictional_area(plan.area.name),
        waypoints=[point for own in points for point in own]
        + [
            _locate(np.array([place.point]), projection)[0]
            | {
                "name": f"\N{MULTIPLICATION SIGN} Keep away: {place.place}",
                "desc": wording.describe_barred(place, crs=crs),
                "type": "keep away",
            }
            for place in dict.fromkeys(one for patrol in patrols for one in patrol.keep_away)
        ],
        routes=[_describe_route(plan, *one) for one in zip(patrols, points, strict=True)],
    )
    return INVALID_XML_CHARACTERS.sub("", text).encode()


def _locate(xy: NDArray[np.float64], projection: Projection) -> list[dict[str, Any]]:
    """Latitude and longitude of (n, 2) metres."""
    write = partial(np.format_float_positional, trim="0")  # GPX allows no exponent
    lon, lat = (map(write, axis) for axis in projection.to_degrees(xy[:, 0], xy[:, 1]))
    return [{"lat": north, "lon": east} for north, east in zip(lat, lon, strict=True)]


def _describe_points(patrol: Patrol, projection: Projection) -> Iterator[dict[str, Any]]:
    """The gate and the stops, as way points or points of a route."""
    first, *stops = _locate(patrol.points, projection)
    start, until = format_time(patrol.start_minutes), format_time(patrol.gate_until_minutes)
    officer = "" if patrol.number == 1 else f"Officer {patrol.number}, "
    about = f"{patrol.school}. At the gate {start} to {until}, {wording.describe_end(patrol)}."
    yield first | {"name": f"{officer}School gate {start}", "desc": about, "type": "gate"}
    for stop, place in zip(list_stop_facts(patrol, projection.crs), stops, strict=True):
        tasked = stop.stop.tasked
        where = f"TASKED {tasked}, {stop.place}" if tasked else stop.place
        when, grid = f"Arrive {stop.arrive}, leave {stop.leave}.", stop.grid and f"{stop.grid}."
        sentences = (when, grid, stop.tasked_distance, f"Why: {' '.join(stop.list_sentences())}")
        yield place | {
            "name": f"{officer}{stop.number}. {where} {stop.arrive}",
            "desc": " ".join(filter(None, sentences)),
            "sym": "Flag, Red" if tasked else None,  # which receivers and apps know
            "type": "stop",
        }


def _describe_route(plan: Plan, patrol: Patrol, points: list[dict[str, Any]]) -> dict[str, Any]:
    distance = wording.describe_distance(patrol) if patrol.legs else "no walk"
    sentences = (
        f"{format_time(patrol.start_minutes)} to {format_time(patrol.end_minutes)}, {distance}.",
        *(wording.describe_barred(one, crs=plan.area.projection.crs) for one in patrol.keep_away),
        wording.describe_lighting(plan, patrol),
        wording.describe_reference(patrol),
    )
    end = {"name": capitalise(wording.describe_end(patrol)), "desc": None}
    return {
        "name": patrol.title,
        "desc": " ".join(filter(None, sentences)),
        "number": patrol.number,
        "points": points + ([points[0] | end] if patrol.legs else []),
        "legs": [_locate(leg.line, plan.area.projection) for leg in patrol.legs],
    }
