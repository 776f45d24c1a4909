"""Times of day, read and written as HH:MM; and when the sun rises and sets."""

import datetime as dt
import math
import re
from functools import partial
from typing import Literal, NamedTuple, get_args

TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
"""Form of a time of day in settings, tables, files and on the command line."""


def parse_time(text: str) -> dt.time:
    """A time of day, only from HH:MM: not "15", nor with seconds or a time zone."""
    if not TIME_OF_DAY.fullmatch(text):
        message = f"{text!r} is not written HH:MM"
        raise ValueError(message)
    return dt.time.fromisoformat(text)


def minutes_after_midnight(clock: dt.time | str) -> float:
    """Minutes after midnight of a time of day, or of its HH:MM."""
    time = dt.time.fromisoformat(clock) if isinstance(clock, str) else clock
    return time.hour * 60.0 + time.minute


def format_time(minutes: float) -> str:
    """Minutes after midnight as HH:MM, to the nearest minute."""
    whole = round(minutes)
    return f"{whole // 60 % 24:02d}:{whole % 60:02d}"


def format_span(first_minutes: float, last_minutes: float) -> str:
    """Two times of day with a dash between them."""
    return f"{format_time(first_minutes)}\N{EN DASH}{format_time(last_minutes)}"


def format_days(first: dt.date, last: dt.date) -> str:
    """The first and the last of some days in words, without repeating month and year.

    >>> format_days(dt.date(2026, 11, 30), dt.date(2026, 12, 4))
    '30 November to 4 December 2026'
    """
    end = f"{last.day} {last:%B %Y}"
    if first == last:
        return end
    month = "" if (first.year, first.month) == (last.year, last.month) else f" {first:%B}"
    year = "" if first.year == last.year else f" {first:%Y}"
    return f"{first.day}{month}{year} to {end}"


Season = Literal["spring", "summer", "autumn"]
"""A school term of England by its season, in the order of the calendar year."""

MONTHS_A_TERM = 4
"""January to April is spring, May to August summer, September to December autumn: a term and the
holiday that follows it. Schools' own dates differ by days."""


class SchoolTerm(NamedTuple):
    """A school term; terms sort by time.

    >>> SchoolTerm(2025, 2).season, SchoolTerm(2025, 2) < SchoolTerm(2026, 0)
    ('autumn', True)
    """

    year: int
    number: int
    """0 for spring, 1 for summer, 2 for autumn."""

    @property
    def season(self) -> Season:
        """Its season."""
        return get_args(Season)[self.number]  # type: ignore[no-any-return]

    @property
    def middle_month(self) -> float:
        """Its middle, in months since the year 0."""
        return 12 * self.year + MONTHS_A_TERM * (self.number + 0.5)


HORIZON_DEGREES = 90.833  # From the zenith to the sun's centre at sunset, with its refraction
JULIAN_2000 = 2451545.0  # Julian day of noon on 1 January 2000
DAYS_A_CENTURY = 36525.0
ORDINAL_TO_JULIAN = 1721424.5  # Python counts days from 1 January of the year 1
ITERATIONS = 3  # The sun moves, so its position is computed again for the time just calculated


def compute_sunset(
    day: dt.date, longitude: float, latitude: float, *, side: int = 1
) -> dt.datetime | None:
    """Sunset on a day in universal time, to a minute; None if the sun does not set that day.

    Meeus (1998), Astronomical Algorithms, as in NOAA's solar calculator.

    >>> compute_sunset(dt.date(2024, 12, 21), -0.12, 51.5).strftime("%H:%M")
    '15:53'
    """
    # When the sun is at the horizon: in the west for side 1, in the east for side -1.
    minutes = 720.0 + 360.0 * side  # a first guess: six o'clock
    for _ in range(ITERATIONS):
        julian = day.toordinal() + ORDINAL_TO_JULIAN + minutes / 1440
        declination, equation_minutes = _locate_sun((julian - JULIAN_2000) / DAYS_A_CENTURY)
        north = math.radians(latitude)
        cosine = math.cos(math.radians(HORIZON_DEGREES)) / (
            math.cos(north) * math.cos(declination)
        ) - math.tan(north) * math.tan(declination)
        if not -1 <= cosine <= 1:
            return None
        minutes = 720 - 4 * (longitude - side * math.degrees(math.acos(cosine))) - equation_minutes
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)


compute_sunrise = partial(compute_sunset, side=-1)


def _locate_sun(centuries: float) -> tuple[float, float]:
    """Declination in radians, and the equation of time in minutes."""
    t = centuries
    mean_longitude = math.radians((280.46646 + t * (36000.76983 + t * 0.0003032)) % 360)
    anomaly = math.radians(357.52911 + t * (35999.05029 - 0.0001537 * t))
    eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
    centre = (
        math.sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t))
        + math.sin(2 * anomaly) * (0.019993 - 0.000101 * t)
        + math.sin(3 * anomaly) * 0.000289
    )
    node = math.radians(125.04 - 1934.136 * t)
    apparent = mean_longitude + math.radians(centre - 0.00569 - 0.00478 * math.sin(node))
    mean_tilt = 23 + (26 + (21.448 - t * (46.8150 + t * (0.00059 - t * 0.001813))) / 60) / 60
    tilt = math.radians(mean_tilt + 0.00256 * math.cos(node))
    declination = math.asin(math.sin(tilt) * math.sin(apparent))
    y = math.tan(tilt / 2) ** 2
    return declination, 4 * math.degrees(
        y * math.sin(2 * mean_longitude)
        - 2 * eccentricity * math.sin(anomaly)
        + 4 * eccentricity * y * math.sin(anomaly) * math.cos(2 * mean_longitude)
        - 0.5 * y * y * math.sin(4 * mean_longitude)
        - 1.25 * eccentricity * eccentricity * math.sin(2 * anomaly)
    )
