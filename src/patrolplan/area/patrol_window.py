"""The window that patrols last for, by bells or times of day, and when it is light there."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from patrolplan import times
from patrolplan.area.study_area import StudyArea
from patrolplan.arrays import Floats, Ints
from patrolplan.crs import BRITISH_GRID
from patrolplan.errors import InputError
from patrolplan.settings import PatrolSettings
from patrolplan.settings.patrol import AFTER_SCHOOL, MAX_WINDOW_MINUTES

Bell = Literal["opening", "closing"]

DEFAULT_START_TIME = "08:45"  # Opening bell of schools without one in the bell times; announced


@dataclass(frozen=True)
class Window:
    """From when and for how long a patrol may last."""

    minutes: float  # length
    start_minutes: float | None = None  # after midnight; None: by each school's bell
    name: str = AFTER_SCHOOL  # in the settings; also of one given at short notice
    bell: Bell = "closing"  # that it is relative to
    before_minutes: float = 0.0  # start before that bell
    at_gate: bool = False  # whether the officer stays at the gate and makes no stops

    @property
    def is_about_opening(self) -> bool:
        """Whether it is about each school's opening bell."""
        return self.start_minutes is None and self.bell == "opening"

    @property
    def after_minutes(self) -> float:
        """How long it lasts after its bell."""
        return self.minutes - self.before_minutes

    def list_bells(self, schools: pd.DataFrame) -> list[float]:
        """(s,) the bell of each school that it is about, in minutes after midnight."""
        column = "finish_time" if self.bell == "closing" else "start_time"
        return [times.minutes_after_midnight(str(time)) for time in schools[column]]

    def find_start(self, school: pd.Series) -> float:
        """Start in minutes after midnight at a school (a row of the area's schools)."""
        opening, closing = (str(school[name]) for name in ("start_time", "finish_time"))
        return self.compute_start(*map(times.minutes_after_midnight, (opening, closing)))

    def compute_start(self, opening_minutes: float, closing_minutes: float) -> float:
        """Start where a school has these bells, all in minutes after midnight."""
        if self.start_minutes is not None:
            return self.start_minutes
        bell = closing_minutes if self.bell == "closing" else opening_minutes
        return bell - self.before_minutes

    def __str__(self) -> str:
        if self.start_minutes is None and (self.before_minutes or self.bell != "closing"):
            bell = "the opening bell" if self.bell == "opening" else "the bell"
            return f"{self.minutes:g} minutes from {self.before_minutes:g} before {bell}"
        if self.start_minutes is None:
            return f"{self.minutes:g} minutes from the bell"
        return f"{self.minutes:g} minutes from {times.format_time(self.start_minutes)}"


def resolve_window(
    settings: PatrolSettings,
    *,
    name: str | None = None,
    start: dt.time | None = None,
    minutes: float | None = None,
) -> Window:
    """The window wanted; by default the settings' minutes from each school's bell."""
    length = settings.window_minutes if minutes is None else minutes
    if not 0 < length <= MAX_WINDOW_MINUTES:
        where, what = "minutes", f"a patrol cannot last {length:g} minutes"
        raise InputError.one(where, what, f"give more than 0 and at most {MAX_WINDOW_MINUTES}")
    if name is None or (name == AFTER_SCHOOL and name not in settings.windows):
        return Window(length, None if start is None else times.minutes_after_midnight(start))
    if start is not None:
        where = "window, start"
        what = f"window '{name}' and a start at {start:%H:%M} are both given"
        raise InputError.one(where, what, "give one of them")
    if name not in settings.windows:
        names = ", ".join(settings.windows) or "none"
        where = "[patrol.windows]"
        what = f"there is no window '{name}' (the settings have: {names})"
        remedy = f'choose one of them, or add it to the settings: [patrol.windows."{name}"]'
        raise InputError.one(where, what, f"{remedy} with from and to")
    named = settings.windows[name]
    begin = None
    if named.from_ is None or named.to is None:
        whole = named.before_minutes + named.after_minutes
    else:
        begin = times.minutes_after_midnight(named.from_)
        whole = times.minutes_after_midnight(named.to) - begin
    return Window(
        whole if minutes is None else min(minutes, whole),
        begin,
        name=name,
        bell=named.bell or "closing",
        before_minutes=named.before_minutes,
        at_gate=named.at_gate,
    )


def read_window(settings: PatrolSettings, window: Window | str | None) -> Window:
    """A window as it is, by its name in the settings, or from a time of day, HH:MM."""
    if isinstance(window, str) and times.TIME_OF_DAY.fullmatch(window):
        return resolve_window(settings, start=times.parse_time(window))
    return window if isinstance(window, Window) else resolve_window(settings, name=window)


def weigh_minutes(window: Window, bells: Sequence[float]) -> tuple[Ints, Floats]:
    """The minutes of a day that schools' windows hold, and how much each of them counts.

    A minute counts by how many schools' windows contain it, partly where a window contains only
    part of it. Minutes beyond midnight are numbered from 1440.

    `minutes`: (m,) whole minutes after midnight, rising. `weights`: (m,) sums to 1.

    >>> minutes, weights = weigh_minutes(Window(2), [900, 901])
    >>> minutes.tolist(), weights.tolist()
    ([900, 901, 902], [0.25, 0.5, 0.25])
    """
    starts = np.asarray(bells, dtype=np.float64) - window.before_minutes
    if window.start_minutes is not None:
        starts = np.array([window.start_minutes])
    begin, count = np.unique(starts, return_counts=True)
    end = begin + window.minutes
    minutes = np.arange(int(begin[0]), int(np.ceil(end[-1])), dtype=np.int64)
    held = np.minimum(minutes + 1, end[:, None]) - np.maximum(minutes, begin[:, None])
    weights = (np.maximum(held, 0.0) * count[:, None]).sum(axis=0)
    return minutes[weights > 0], weights[weights > 0] / weights.sum()


def find_sunset_minutes(
    area: StudyArea, day: dt.date | None, *, rising: bool = False
) -> float | None:
    """Sunset (or sunrise) in the middle of the area in minutes after midnight; None if unknown."""
    # Outside Great Britain the local time is not known.
    if day is None or area.settings.area.crs.upper() != BRITISH_GRID:
        return None
    left, low, right, top = area.network.bounds
    middle = area.projection.to_degrees([(left + right) / 2], [(low + top) / 2])
    return _compute_sun_minutes(day, *(float(one[0]) for one in middle), rising=rising)


@lru_cache(maxsize=256)
def _compute_sun_minutes(day: dt.date, lon: float, lat: float, *, rising: bool) -> float | None:
    """Sunset (or sunrise) at a place in Great Britain; cached, as schools of an area share days."""
    moment = times.compute_sunset(day, lon, lat, side=-1 if rising else 1)
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
    """When it is light on every day of a day's week, since the days of a week share patrols."""
    if day is None:
        return None
    days = [day + dt.timedelta(days=number - day.weekday()) for number in range(7)]
    rises = [find_sunset_minutes(area, one, rising=True) for one in days]
    sets = [find_sunset_minutes(area, one) for one in days]
    if None in rises or None in sets:
        return None
    return Daylight(max(filter(None, rises)), min(filter(None, sets)))
