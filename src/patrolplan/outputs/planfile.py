"""`plan.json`: a plan as a document for other programs, in degrees and HH:MM."""

from typing import Any

import geopandas as gpd
import numpy as np

from patrolplan.area.provenance import compute_area_provenance
from patrolplan.crs import Projection
from patrolplan.patrols.plan import Plan, build_patrol_document, convert_to_degrees
from patrolplan.patrols.surroundings import build_way_notes
from patrolplan.risk.surface import Risk

SCHEMA = 1


def build_plan_document(plan: Plan) -> dict[str, Any]:
    """A plan in the form of the contracts; equal plans give equal documents."""
    projection = plan.area.projection
    return {
        "schema": SCHEMA,
        "area": plan.area.name,
        "date": None if plan.date is None else f"{plan.date}",
        "created_from": compute_area_provenance(plan.area),
        "risk": build_risk_document(plan.risk),
        "hotspots": build_hotspot_documents(plan.hotspots, projection),
        "patrols": [build_patrol_document(patrol, projection) for patrol in plan.patrols],
        "left_out": [
            {"source": row.source, "reason": row.reason, "count": row.count_text}
            for row in plan.left_out
        ],
        "notes": [*plan.risk.notes, *build_way_notes(plan.area)],
    }


def build_risk_document(risk: Risk) -> dict[str, Any]:
    """Model, margin, months, and what is known of times and places."""
    return {
        "model": risk.model,
        "margin": None if risk.margin is None else round(risk.margin, 4),
        "months": [f"{month:%Y-%m}" for month in risk.months],
        "times_known": risk.times_known,
        "snapped": risk.snapped,
    }


def build_hotspot_documents(
    hotspots: gpd.GeoDataFrame, projection: Projection
) -> list[dict[str, Any]]:
    """One entry a hotspot; `worth` is its share of the area's risk."""
    stops = gpd.GeoSeries(hotspots["stop"])
    points = convert_to_degrees(np.column_stack([stops.x, stops.y]), projection)
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
