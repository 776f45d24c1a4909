"""When designated hotspots and tasked places may be visited, for a whole dwell, and how often."""

import datetime as dt
import math
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.arrays import Objects
from patrolplan.inputs.polygons import ALL_DAYS
from patrolplan.patrols.surroundings import PatrolHours
from patrolplan.times import format_time, minutes_after_midnight

DAY_MINUTES = 1440.0
NEVER = (0.0, 0.0)  # when no dwell can begin: at midnight, before any patrol
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


class Hours(NamedTuple):
    """When a place may be visited, in minutes after midnight."""

    opens: float = -math.inf
    closes: float = math.inf

    def __str__(self) -> str:
        """As HH:MM-HH:MM; empty for a place that is always open."""
        if self == ALWAYS:
            return ""
        return f"{format_time(self.opens)}-{format_time(self.closes)}"

    def find_begins(self, dwell_minutes: float) -> Span:
        """Earliest and latest begin of a dwell; a longer one begins with the hours."""
        return self.opens, max(self.opens, self.closes - dwell_minutes)

    def meet(self, hours: PatrolHours) -> "Hours | None":
        """The hours that meet a patrol's, which may be those of the day before; None if none do."""
        for shift in (0.0, DAY_MINUTES):
            opens, closes = self.opens - shift, self.closes - shift
            if opens < hours.latest_back_minutes and closes > hours.start_minutes:
                return Hours(opens, closes)
        return None


ALWAYS = Hours()


def read_hours(place: pd.Series) -> Hours:
    """The hours of a tasked place or of a designated hotspot, by its row."""
    if "from_minutes" in place:
        opens, closes = float(place["from_minutes"]), float(place["to_minutes"])
        return ALWAYS if math.isnan(opens) else Hours(opens, closes)
    if not place["from"]:
        return ALWAYS
    opens, closes = (minutes_after_midnight(place[name]) for name in ("from", "to"))
    return Hours(opens, closes + DAY_MINUTES if closes < opens else closes)


def count_visits(area: StudyArea) -> dict[str, int]:
    """Weekly visits needed for each one's required minutes, by id, if it has any."""
    if area.designated is None:
        return {}
    wanted = area.designated[area.designated["minutes"].notna()]
    dwell = area.settings.patrol.dwell_minutes
    rows = zip(wanted["place_id"], wanted["minutes"], strict=True)
    return {str(name): math.ceil(minutes / dwell) for name, minutes in rows}
