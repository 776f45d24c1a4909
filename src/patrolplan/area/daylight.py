"""When the sun is up at an area, in local time."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
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
    return _compute_sun_minutes(day, *_find_middle(area), rising=rising)


def _find_middle(area: StudyArea) -> tuple[float, float]:
    """Longitude and latitude of the middle of the area."""
    left, low, right, top = area.network.bounds
    x, y = (left + right) / 2, (low + top) / 2
    longitude, latitude = area.projection.to_degrees([x], [y])
    return float(longitude[0]), float(latitude[0])


@lru_cache(maxsize=256)
def _compute_sun_minutes(
    day: dt.date, longitude: float, latitude: float, *, rising: bool
) -> float | None:
    """Sunset (or sunrise) at a place in Great Britain; cached, as schools of an area share days."""
    compute = compute_sunrise if rising else compute_sunset
    moment = compute(day, longitude, latitude)
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
    """When it is light on every day of a day's week, since the days of a week share patrols.

    None where that is not known, see `find_sunset_minutes`.
    """
    if day is None or area.settings.area.crs.upper() != BRITISH_GRID:
        return None
    middle = _find_middle(area)
    monday = day - dt.timedelta(days=day.weekday())
    days = [monday + dt.timedelta(days=number) for number in range(7)]
    rises = [_compute_sun_minutes(one, *middle, rising=True) for one in days]
    sets = [_compute_sun_minutes(one, *middle, rising=False) for one in days]
    if None in rises or None in sets:
        return None
    return Daylight(max(filter(None, rises)), min(filter(None, sets)))
