"""The day of each officer in order: travel, patrols and appointments, from leaving the base on.

Calendars, covers of cards and the board show the same days, so they are put together once, here.
"""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from patrolplan.team.free_time import Appointment, FreeTime
from patrolplan.team.problem import Floats
from patrolplan.team.travel import compute_minutes_from_base
from patrolplan.team.week import Duty, Week

ItemKind = Literal["way", "patrol", "appointment"]
Place = Literal["base", "gate", "appointment"]
OfficerDays = dict[tuple[str, dt.date], tuple["DayItem", ...]]
"""What each officer does on each day, in order; days with nothing to do are left out."""

WHOLE_DAY_MINUTES = 1439
"""From 00:00 to 23:59, the latest time of day that a table can name."""


@dataclass(frozen=True)
class DayItem:
    """One part of an officer's day; minutes after local midnight."""

    kind: ItemKind
    from_minutes: float
    to_minutes: float
    duty: Duty | None = None
    """The patrol, or the one that the travel leads to or comes from."""
    appointment: Appointment | None = None
    """The same of an appointment."""
    towards: Place = "base"
    """Destination of travel."""
    is_companion: bool = False
    """Whether the officer walks along on a colleague's patrol."""

    @property
    def is_whole_day(self) -> bool:
        """Whether it lasts from midnight to midnight."""
        return self.to_minutes - self.from_minutes >= WHOLE_DAY_MINUTES


def build_officer_days(week: Week) -> OfficerDays:
    """Put together what every officer of a week does on each of its days."""
    area = week.plan.area
    names = tuple(
        dict.fromkeys(
            [
                *area.officers["officer"],
                *(name for duty in week.duties for name in (duty.officer, *duty.crew)),
            ]
        )
    )
    has_crews = any(duty.crew for duty in week.duties)
    travel = compute_minutes_from_base(area) if has_crews else None
    items: dict[tuple[str, dt.date], list[DayItem]] = {}
    for duty in week.duties:
        items.setdefault((duty.officer, duty.date), []).extend(_list_patrol_items(duty))
        for name in duty.crew:
            own = items.setdefault((name, duty.date), [])
            own.extend(_list_companion_items(week, duty, name, travel))
    for appointment in FreeTime(area, names, week.days).appointments:
        key = appointment.officer, appointment.date
        items.setdefault(key, []).extend(_list_appointment_items(appointment))
    return {key: tuple(sorted(own, key=_find_place_in_day)) for key, own in items.items()}


def _find_place_in_day(item: DayItem) -> tuple[float, float]:
    return item.from_minutes, item.to_minutes


def _list_patrol_items(duty: Duty) -> Iterator[DayItem]:
    yield from _build_way(duty.leave_minutes, duty.start_minutes, "gate", duty=duty)
    yield DayItem("patrol", duty.start_minutes, duty.end_minutes, duty=duty)
    yield from _build_way(duty.end_minutes, duty.back_minutes, "base", duty=duty)


def _list_companion_items(
    week: Week, duty: Duty, name: str, travel: Floats | None
) -> Iterator[DayItem]:
    """A patrol that an officer walks along with, from and back to their own base."""
    area, way = week.plan.area, math.nan
    officers, schools = list(area.officers["officer"]), list(area.schools["urn"])
    if travel is not None and name in officers and duty.urn in schools:
        way = float(travel[officers.index(name), schools.index(duty.urn)])
    start, end = duty.start_minutes, duty.end_minutes
    yield from _build_way(start - way, start, "gate", duty=duty, is_companion=True)
    yield DayItem("patrol", start, end, duty=duty, is_companion=True)
    yield from _build_way(end, end + way, "base", duty=duty, is_companion=True)


def _list_appointment_items(one: Appointment) -> Iterator[DayItem]:
    yield from _build_way(one.leave_minutes, one.from_minutes, "appointment", appointment=one)
    yield DayItem("appointment", one.from_minutes, one.to_minutes, appointment=one)
    yield from _build_way(one.to_minutes, one.back_minutes, "base", appointment=one)


def _build_way(
    begin: float,
    end: float,
    towards: Place,
    *,
    duty: Duty | None = None,
    appointment: Appointment | None = None,
    is_companion: bool = False,
) -> Iterator[DayItem]:
    """Travel, unless it takes no whole minute, or its time is not known."""
    if not math.isnan(begin) and not math.isnan(end) and round(begin) < round(end):
        yield DayItem("way", begin, end, duty, appointment, towards, is_companion)
