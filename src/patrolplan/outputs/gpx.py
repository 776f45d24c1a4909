"""GPX 1.1: a school's patrols as way points, routes and tracks, for any navigation app.

Times of day are in the texts: the `time` element of GPX needs a date, and a plan may have none.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patrolplan.outputs import wording
from patrolplan.outputs.offline_page import load_template
from patrolplan.outputs.routes import PatrolRoute, RoutePoint, tell_route
from patrolplan.patrols.marking import find_marking
from patrolplan.patrols.plan import Plan
from patrolplan.text import capitalise

# Characters that XML 1.0 does not allow, even if escaped.
INVALID_XML_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

POINT_TYPES = {"gate": "gate", "stop": "stop", "tasked": "stop", "keep_away": "keep away"}


def render_gpx(plan: Plan, urn: str) -> bytes:
    """The patrols of one school as GPX 1.1, in UTF-8; equal plans give equal bytes.

    Way points are the gate, stops and places to keep away from; an officer has a route from stop to
    stop and a track along the streets.
    """
    patrols = [patrol for patrol in plan.patrols if patrol.urn == urn]
    routes = [tell_route(plan, patrol) for patrol in patrols]
    points = [point for route in routes for point in route.points if point.kind != "keep_away"]
    barred = [point for route in routes for point in route.points if point.kind == "keep_away"]
    marking, school = find_marking(plan.area, patrols), patrols[0].school
    basis = (*wording.list_approximations(plan), *wording.list_attributions(plan))
    # Nothing about a person, and no time of creation.
    text = load_template(Path(__file__).with_name("patrols.gpx.j2")).render(
        about={
            "name": f"{marking}: patrol of {school}, {plan.area.name}",
            "desc": " ".join((f"{wording.format_data_months(plan.risk)}.", *basis)),
        },
        is_fictional=wording.is_fictional_area(plan.area.name),
        waypoints=[_write_point(point) for point in (*points, *dict.fromkeys(barred))],
        routes=[_write_route(route) for route in routes],
    )
    return INVALID_XML_CHARACTERS.sub("", text).encode()


def _write_route(route: PatrolRoute) -> dict[str, Any]:
    points = [_write_point(point) for point in route.points if point.kind != "keep_away"]
    end = {"name": capitalise(route.end), "desc": None}
    return {
        "name": route.title,
        "desc": route.about,
        "number": route.number,
        "points": points + ([points[0] | end] if route.legs else []),
        "legs": [_locate(leg) for leg in route.legs],
    }


def _write_point(point: RoutePoint) -> dict[str, Any]:
    (place,) = _locate(np.array([point.degrees]))
    return place | {
        "name": point.name,
        "desc": point.about,
        "sym": "Flag, Red" if point.kind == "tasked" else None,  # which receivers and apps know
        "type": POINT_TYPES[point.kind],
    }


def _locate(degrees: NDArray[np.float64]) -> list[dict[str, str]]:
    """Latitude and longitude of (n, 2) points; GPX allows no exponent."""
    return [
        {
            "lat": np.format_float_positional(latitude, trim="0"),
            "lon": np.format_float_positional(longitude, trim="0"),
        }
        for longitude, latitude in degrees
    ]
