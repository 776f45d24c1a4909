"""When the sun is up at an area, in local time."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from patrolplan.area.study_area import StudyArea
from patrolplan.crs import BRITISH_GRID
from patrolplan.times import compute_sunrise, compute_sunset


def find_sunset_minutes(
    area: StudyArea, day: dt.date | None, *, rising: bool = False
) -> float | None:
    """Sunset (or sunrise) in the middle of the area on a day, in minutes after midnight.

    None without a day, where the sun does not set or rise, and outside Great Britain, where the
    local time is not known.
    """
    if day is None or area.settings.area.crs.upper() != BRITISH_GRID:
        return None
    nodes = area.network.node_xy
    x, y = (nodes.min(axis=0) + nodes.max(axis=0)) / 2
    longitude, latitude = area.projection.to_degrees([x], [y])
    compute = compute_sunrise if rising else compute_sunset
    moment = compute(day, float(longitude[0]), float(latitude[0]))
    if moment is None:
        return None
    local = moment.astimezone(ZoneInfo("Europe/London"))
    return local.hour * 60.0 + local.minute + local.second / 60


@dataclass(frozen=True)
class Daylight:
    """When it is light, in minutes after midnight."""

    sunrise_minutes: float
    sunset_minutes: float

    def is_dark(self, begin_minutes: float, end_minutes: float) -> bool:
        """Whether something begins before sunrise or lasts beyond sunset."""
        return begin_minutes < self.sunrise_minutes or end_minutes > self.sunset_minutes


def find_daylight(area: StudyArea, day: dt.date | None) -> Daylight | None:
    """When it is light on every day of a day's week: days of a week share their patrols.

    None where that is not known, see `find_sunset_minutes`.
    """
    if day is None:
        return None
    monday = day - dt.timedelta(days=day.weekday())
    days = [monday + dt.timedelta(days=number) for number in range(7)]
    rises = [find_sunset_minutes(area, one, rising=True) for one in days]
    sets = [find_sunset_minutes(area, one) for one in days]
    if None in rises or None in sets:
        return None
    return Daylight(max(filter(None, rises)), min(filter(None, sets)))
