"""Light on a patrol: the sun on its day, and where street lighting is missing when it is dark."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from patrolplan.area import StudyArea
from patrolplan.area.patrol_window import find_sunset_minutes
from patrolplan.patrols.plan import Patrol
from patrolplan.pupils.pupils import NOON_MINUTES

TWILIGHT_MINUTES = 30.0  # sunset is mentioned up to this long after a patrol, sunrise before one
MIN_UNLIT_METRES = 20.0  # minimum length of a part of a leg without lighting that is named
MIN_UNKNOWN_METRES = 300.0  # minimum length of unknown lighting that is mentioned

LegMetres = tuple[tuple[int, float], ...]
"""Rows of legs, each with metres of it."""


@dataclass(frozen=True)
class Light:
    """What an officer on a patrol must know of light; unknown lighting is never called unlit."""

    has_day: bool
    """Without a day it is not known what is dark: every leg counts, and no stop."""
    sun: Literal["sunset", "sunrise"]
    sun_minutes: float | None
    """When it sets or rises, after midnight; None if that is not near the patrol or not known."""
    unlit: LegMetres
    """Parts without street lighting of legs in the dark."""
    secluded: LegMetres
    """Parts of legs in the dark where there is no way but a footpath or passage."""
    unlit_stops: tuple[int, ...]
    """Numbers of stops in the dark without street lighting."""
    unknown_metres: float
    """Metres of legs in the dark whose lighting is not known; 0 if there are few."""


@dataclass(frozen=True)
class _Sun:
    """When the sun sets, or rises, on a day; None without a day, or where it does not."""

    minutes: float | None
    is_rising: bool

    def leaves_dark(self, start: float, end: float) -> bool:
        """Whether a span of minutes is in part in the dark; every one without a day."""
        if self.minutes is None:
            return True
        return start < self.minutes if self.is_rising else end > self.minutes


def find_light(area: StudyArea, date: dt.date | None, patrol: Patrol) -> Light:
    """The light on a patrol on a day; None: any day."""
    # Who is back by noon is concerned by sunrise, others by sunset.
    is_rising = patrol.end_minutes <= NOON_MINUTES
    sun = _Sun(find_sunset_minutes(area, date, rising=is_rising), is_rising)
    has_day = sun.minutes is not None
    times = enumerate(patrol.leg_times)
    dark = [row for row, (leave, arrive) in times if sun.leaves_dark(leave, arrive)]
    unknown = sum(patrol.legs[row].lighting_unknown_metres for row in dark)
    is_near = sun.leaves_dark(
        patrol.start_minutes - TWILIGHT_MINUTES, patrol.end_minutes + TWILIGHT_MINUTES
    )
    secluded = [(row, patrol.legs[row].secluded_metres) for row in dark]
    return Light(
        has_day=has_day,
        sun="sunrise" if is_rising else "sunset",
        sun_minutes=sun.minutes if is_near else None,
        unlit=_keep_long([(row, patrol.legs[row].unlit_metres) for row in dark]),
        secluded=_keep_long(secluded) if has_day and not patrol.travel.is_ridden else (),
        unlit_stops=_list_unlit_stops(patrol, sun) if has_day else (),
        unknown_metres=unknown if unknown >= MIN_UNKNOWN_METRES else 0.0,
    )


def _keep_long(metres: list[tuple[int, float]]) -> LegMetres:
    return tuple((row, length) for row, length in metres if length >= MIN_UNLIT_METRES)


def _list_unlit_stops(patrol: Patrol, sun: _Sun) -> tuple[int, ...]:
    return tuple(
        number
        for number, stop in enumerate(patrol.stops, start=1)
        if stop.lit == "no" and sun.leaves_dark(stop.arrive_minutes, stop.leave_minutes)
    )
