"""`plan.json`: a plan as a document for other programs, in degrees and HH:MM."""

from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.patrols.plans import Leg
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan
from patrolplan.patrols.plans import clock
from patrolplan.patrols.reach import way_notes
from patrolplan.projection import Projection
from patrolplan.provenance import created_from
from patrolplan.risk.surface import Risk

SCHEMA = 1


def plan_document(plan: Plan) -> dict[str, Any]:
    """A plan in the form of the contracts; equal plans give equal documents."""
    projection = plan.area.projection
    return {
        "schema": SCHEMA,
        "area": plan.area.name,
        "date": None if plan.date is None else f"{plan.date}",
        "created_from": created_from(plan.area),
        "risk": risk_document(plan.risk),
        "hotspots": hotspot_documents(plan.hotspots, projection),
        "patrols": [_patrol(patrol, projection) for patrol in plan.patrols],
        "left_out": [
            {"source": row.source, "reason": row.reason, "count": row.said} for row in plan.left_out
        ],
        "notes": [*plan.risk.notes, *way_notes(plan.area)],
    }


def risk_document(risk: Risk) -> dict[str, Any]:
    """Model, margin, months, and what is known of times and places."""
    return {
        "model": risk.model,
        "margin": None if risk.margin is None else round(risk.margin, 4),
        "months": [f"{month:%Y-%m}" for month in risk.months],
        "times_known": risk.times_known,
        "snapped": risk.snapped,
    }


def hotspot_documents(hotspots: gpd.GeoDataFrame, projection: Projection) -> list[dict[str, Any]]:
    """One entry a hotspot; `worth` is its share of the area's risk."""
    stops = gpd.GeoSeries(hotspots["stop"])
    points = _degrees(np.column_stack([stops.x, stops.y]), projection)
    columns = ("hotspot", "worth", "length_metres", "place", "reasons", "how_sure")
    rows = zip(*(hotspots[name] for name in columns), points, strict=True)
    return [
        {
            "id": name,
            "worth": round(worth, 8),
            "length_metres": round(length, 1),
            "stop": point,
            "place": place,
            "reasons": list(reasons),
            "how_sure": sure,
        }
        for name, worth, length, place, reasons, sure, point in rows
    ]


def _patrol(patrol: Patrol, projection: Projection) -> dict[str, Any]:
    return {
        "urn": patrol.urn,
        "school": patrol.school,
        "number": patrol.number,
        "gate": _degrees(np.array([[patrol.x, patrol.y]]), projection)[0],
        "start": clock(patrol.start_minutes),
        "gate_until": clock(patrol.gate_until_minutes),
        "end": clock(patrol.end_minutes),
        "latest_end": clock(patrol.latest_end_minutes),
        "ends_at": patrol.ends_at,
        **_way(patrol, projection),
        "worth": round(patrol.worth, 8),
        "bound": round(patrol.bound, 8),
        "gap_percent": round(patrol.gap_percent, 2),
        "proven": patrol.proven,
        "walked_metres": round(patrol.walked_metres, 1),
        "stops": [
            {
                "hotspot": stop.hotspot,
                "arrive": clock(stop.arrive_minutes),
                "leave": clock(stop.leave_minutes),
                "place": stop.place,
                "why": list(stop.why),
                "worth": round(stop.worth, 8),
                "tasked": stop.tasked,
            }
            for stop in patrol.stops
        ],
        "legs": [_leg(leg, projection) for leg in patrol.legs],
        "variants": [
            {"worth_share": round(variant.worth_share, 6), "stops": list(variant.hotspots)}
            for variant in patrol.variants
        ],
        "notes": list(patrol.notes),
        "tested": patrol.tested,
    }


def _way(patrol: Patrol, projection: Projection) -> dict[str, Any]:
    """What only patrols by bicycle, and those that start at the base, have to say."""
    said: dict[str, Any] = {}
    if patrol.way != "walk":
        said |= {"way": patrol.way, "pushed_metres": round(patrol.pushed_metres, 1)}
    if patrol.starts_at != "gate":
        before = patrol.approach
        said |= {
            "starts_at": patrol.starts_at,
            "set_out": clock(patrol.set_out_minutes),
            "approach": None if before is None else _leg(before, projection),
        }
    return said


def _leg(leg: Leg, projection: Projection) -> dict[str, Any]:
    return {
        "metres": round(leg.metres, 1),
        "minutes": round(leg.minutes, 2),
        "unlit_metres": round(leg.unlit_metres, 1),
        "streets": list(dict.fromkeys(step.street for step in leg.steps)),
        "directions": [
            {"turn": step.turn, "street": step.street, "metres": round(step.metres)}
            | ({} if step.way == "walk" else {"way": step.way})
            for step in leg.steps
        ],
        "line": _line(leg.line, projection),
    }


def _line(xy: NDArray[np.float64], projection: Projection) -> list[list[float]]:
    """A line in degrees, without points that rounding made the same as the one before."""
    points = _degrees(xy, projection)
    moved = [point for before, point in pairwise(points) if point != before]
    return [*points[:1], *moved]


def _degrees(xy: NDArray[np.float64], projection: Projection) -> list[list[float]]:
    longitude, latitude = projection.to_degrees(xy[:, 0], xy[:, 1])
    return [[float(lon), float(lat)] for lon, lat in zip(longitude, latitude, strict=True)]
