"""When designated hotspots and tasked places may be visited, for a whole dwell, and how often."""

import datetime as dt
import math

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.arrays import Floats, Objects
from patrolplan.inputs.polygons import ALL_DAYS
from patrolplan.patrols.surroundings import PatrolHours
from patrolplan.times import format_time, minutes_after_midnight

DAY_MINUTES = 1440.0
NEVER = (0.0, 0.0)  # a span in which no dwell can begin: it ends at midnight, before any patrol
Span = tuple[float, float]


def find_resting(area: StudyArea, date: dt.date | None) -> frozenset[str]:
    """Ids of those that are for other days; empty without a date, as for tasked places."""
    if area.designated is None or date is None:
        return frozenset()
    places, day = area.designated, ALL_DAYS[date.weekday()]
    rows = zip(places["place_id"], places["days"], strict=True)
    return frozenset(str(name) for name, days in rows if day not in days)


def get_place(area: StudyArea, name: str) -> pd.Series | None:
    """The row of a designated hotspot; None for other names."""
    if area.designated is None:
        return None
    rows = area.designated[area.designated["place_id"] == name]
    return None if rows.empty else rows.iloc[0]


def find_territories(area: StudyArea, hotspots: gpd.GeoDataFrame) -> Objects:
    """(h,) where a visit counts for each hotspot: on its stretch, or anywhere in its polygon."""
    shapes = np.array(hotspots.geometry.array, dtype=object)
    if area.designated is not None:
        polygons = dict(zip(area.designated["place_id"], area.designated.geometry, strict=True))
        for row, name in enumerate(hotspots["hotspot"]):
            shapes[row] = polygons.get(name, shapes[row])
    return shapes


def find_begin_span(place: pd.Series, hours: PatrolHours, dwell_minutes: float) -> Span:
    """Span in which a dwell begins, or its hours if shorter; `NEVER` if these miss the patrol's."""
    if not place["from"]:
        return -math.inf, math.inf
    begin, end = (minutes_after_midnight(place[name]) for name in ("from", "to"))
    end += DAY_MINUTES if end < begin else 0.0
    for shift in (0.0, DAY_MINUTES):  # hours that begin today, and those that began yesterday
        first, last = begin - shift, end - shift
        if first < hours.latest_back_minutes and last > hours.start_minutes:
            return first, max(first, last - dwell_minutes)
    return NEVER


def find_begin_spans(
    area: StudyArea, names: list[str], hours: PatrolHours, dwell_minutes: float
) -> Floats:
    """(k, 2) the span of each of these hotspots; unlimited for other kinds."""
    places = (get_place(area, name) for name in names)
    spans = [
        (-np.inf, np.inf) if place is None else find_begin_span(place, hours, dwell_minutes)
        for place in places
    ]
    return np.array(spans).reshape(-1, 2)


def format_place_hours(place: pd.Series) -> str:
    """The place's hours as HH:MM-HH:MM; empty if it has none."""
    return f"{place['from']}-{place['to']}" if place["from"] else ""


def find_hours_of_begin(place: pd.Series, dwell_minutes: float) -> Span:
    """Earliest and latest begin of a dwell at a tasked place; like `find_begin_span`."""
    if np.isnan(place["from_minutes"]):
        return -np.inf, np.inf
    begin = float(place["from_minutes"])
    return begin, max(begin, float(place["to_minutes"]) - dwell_minutes)


def format_hours(place: pd.Series) -> str:
    """The hours of a tasked place as HH:MM-HH:MM; empty if it has none."""
    if np.isnan(place["from_minutes"]):
        return ""
    return f"{format_time(place['from_minutes'])}-{format_time(place['to_minutes'])}"


def count_visits(area: StudyArea) -> dict[str, int]:
    """Weekly visits needed for each one's required minutes, by id, if it has any."""
    if area.designated is None:
        return {}
    wanted = area.designated[area.designated["minutes"].notna()]
    dwell = area.settings.patrol.dwell_minutes
    rows = zip(wanted["place_id"], wanted["minutes"], strict=True)
    return {str(name): math.ceil(minutes / dwell) for name, minutes in rows}
