"""Places of intelligence and demands, for the page, and places found by words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from patrolplan.area.find_place import find_places, guess_kind
from patrolplan.outputs.feared import name_feared_places
from patrolplan.outputs.note_words import describe_notes
from patrolplan.outputs.wording import format_grid_reference
from patrolplan.patrols.file_forms import convert_to_degrees
from patrolplan.text import capitalise
from patrolplan.times import format_time

if TYPE_CHECKING:
    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.crs import Projection
    from patrolplan.team.week import Week


def find_place_documents(area: StudyArea, text: str) -> dict[str, Any]:
    """Places that a text may mean, the most likely first, and the kind of place it looks like."""
    places = find_places(area, text)
    points = convert_to_degrees(
        np.array([place.xy for place in places]).reshape(-1, 2), area.projection
    )
    return {
        "looks_like": guess_kind(text),
        "places": [
            {
                "label": place.label,
                "kind": place.kind,
                "longitude": longitude,
                "latitude": latitude,
                "street_metres": round(place.street_metres, 1),
            }
            for place, (longitude, latitude) in zip(places, points, strict=True)
        ],
    }


def build_demand_rows(week: Week) -> list[dict[str, Any]]:
    """Every demand of the week: who meets it, or why not."""
    names = name_feared_places(week.plan.area)
    return [
        {
            "kind": demand.kind,
            "place": demand.place,
            "words": capitalise(names.get(demand.place, "")) if demand.kind == "feared" else "",
            "date": None if demand.date is None else f"{demand.date}",
            "visits": demand.visits,
            "met_by": [
                {
                    "officer": visitor.officer,
                    "urn": visitor.urn,
                    "date": f"{visitor.date}",
                    "arrive": visitor.arrive,
                }
                for visitor in demand.met_by
            ],
            "why": "" if demand.why is None else describe_notes([demand.why])[0],
        }
        for demand in week.demands
    ]


def build_tasked_rows(places: gpd.GeoDataFrame, projection: Projection) -> list[dict[str, Any]]:
    """Places tasked by intelligence."""
    xy = shapely.get_coordinates(np.asarray(places.geometry.array, dtype=object))
    return [
        {
            "place_id": row["place_id"],
            "longitude": longitude,
            "latitude": latitude,
            "grid": format_grid_reference(x, y, crs=projection.crs),
            "must_visit": bool(row["must_visit"]),
            "schools": list(row["schools"]),
            "from": f"{row['from']:%Y-%m-%d}",
            "to": f"{row['to']:%Y-%m-%d}",
            "reason": row["reason"],
            "by": row["by"],
            "hours": _format_hours(row["from_minutes"], row["to_minutes"]),
            "minutes": None if np.isnan(row["minutes"]) else int(row["minutes"]),
            "visits": int(row["visits"]),
            "officers": int(row["officers"]),
            "weekdays": list(row["weekdays"]),
        }
        for row, (x, y), (longitude, latitude) in zip(
            places.to_dict("records"), xy.tolist(), convert_to_degrees(xy, projection), strict=True
        )
    ]


def _format_hours(begin: float, end: float) -> str:
    """HH:MM-HH:MM; empty where there are none."""
    return "" if np.isnan(begin) else f"{format_time(begin)}-{format_time(end)}"
