"""Hotspots that the force designates: when they may be visited, and how often in a week.

A polygon with days and hours is for these days and hours alone: a dwell there lies wholly inside
them, and on other days it is no candidate. Hours that end before they begin last over midnight.
"""

import datetime as dt
import math

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.inputs.designated import ALL_DAYS
from patrolplan.patrols.surroundings import PatrolHours
from patrolplan.times import minutes_after_midnight

DAY_MINUTES = 1440.0
NEVER = (0.0, 0.0)
"""A span in which no dwell of a patrol begins: it is over at midnight, before any patrol."""

Span = tuple[float, float]


def find_resting(area: StudyArea, date: dt.date | None) -> frozenset[str]:
    """Ids of those that are for other days; none without a day, as of tasked places."""
    if area.designated is None or date is None:
        return frozenset()
    places, day = area.designated, ALL_DAYS[date.weekday()]
    rows = zip(places["place_id"], places["days"], strict=True)
    return frozenset(str(name) for name, days in rows if day not in days)


def get_place(area: StudyArea, name: str) -> pd.Series | None:
    """The row of a designated hotspot; None where the name is none of theirs."""
    if area.designated is None:
        return None
    rows = area.designated[area.designated["place_id"] == name]
    return None if rows.empty else rows.iloc[0]


def find_territories(area: StudyArea, hotspots: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """(h,) where a visit is one of each hotspot: on its stretch, or anywhere in its polygon."""
    shapes = np.array(hotspots.geometry.array, dtype=object)
    if area.designated is not None:
        polygons = dict(zip(area.designated["place_id"], area.designated.geometry, strict=True))
        for row, name in enumerate(hotspots["hotspot"]):
            shapes[row] = polygons.get(name, shapes[row])
    return shapes


def find_begin_span(place: pd.Series, hours: PatrolHours, dwell_minutes: float) -> Span:
    """Between which minutes a dwell may begin; `NEVER` where a patrol has no part of its hours.

    Where the hours are shorter than the dwell, it begins with them.
    """
    if not place["from"]:
        return -math.inf, math.inf
    begin, end = (minutes_after_midnight(place[name]) for name in ("from", "to"))
    end += DAY_MINUTES if end < begin else 0.0
    for shift in (0.0, DAY_MINUTES):  # hours of today, and those of last night
        first, last = begin - shift, end - shift
        if first < hours.latest_back_minutes and last > hours.start_minutes:
            return first, max(first, last - dwell_minutes)
    return NEVER


def find_begin_spans(
    area: StudyArea, names: list[str], hours: PatrolHours, dwell_minutes: float
) -> NDArray[np.float64]:
    """(k, 2) the span of each of some hotspots; without an end for those of other kinds."""
    spans = np.tile([-np.inf, np.inf], (len(names), 1))
    if area.designated is not None:
        places = {str(place["place_id"]): place for _, place in area.designated.iterrows()}
        for row, name in enumerate(names):
            if name in places:
                spans[row] = find_begin_span(places[name], hours, dwell_minutes)
    return spans


def format_place_hours(place: pd.Series) -> str:
    """Its hours as HH:MM-HH:MM; empty where it has none."""
    return f"{place['from']}-{place['to']}" if place["from"] else ""


def count_visits(area: StudyArea) -> dict[str, int]:
    """Visits a week that bring each its minutes, by id; only of those that ask for minutes."""
    if area.designated is None:
        return {}
    wanted = area.designated[area.designated["minutes"].notna()]
    dwell = area.settings.patrol.dwell_minutes
    rows = zip(wanted["place_id"], wanted["minutes"], strict=True)
    return {str(name): math.ceil(minutes / dwell) for name, minutes in rows}
