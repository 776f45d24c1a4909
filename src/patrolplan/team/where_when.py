"""What each officer does on each day of a week: patrols, appointments and the ways between."""

import datetime as dt
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from patrolplan.team.free_time import Appointment, FreeTime, compute_minutes_from_base, find_set_out
from patrolplan.team.week import Duty, Week

ItemKind = Literal["way", "patrol", "appointment"]
Place = Literal["base", "gate", "appointment"]
OfficerDays = dict[tuple[str, dt.date], tuple["DayItem", ...]]
"""What each officer does on each day, in order; days with nothing to do are left out."""

WHOLE_DAY_MINUTES = 1439  # from 00:00 to 23:59, the latest time of day that a table can name


@dataclass(frozen=True)
class DayItem:
    """One part of an officer's day; minutes after local midnight."""

    kind: ItemKind
    from_minutes: float
    to_minutes: float
    duty: Duty | None = None  # the patrol, or the one that the travel leads to or comes from
    appointment: Appointment | None = None  # the same of an appointment
    towards: Place = "base"  # destination of travel
    is_companion: bool = False  # whether the officer walks along on a colleague's patrol

    @property
    def is_whole_day(self) -> bool:
        """Whether it lasts from midnight to midnight."""
        return self.to_minutes - self.from_minutes >= WHOLE_DAY_MINUTES


def build_officer_days(week: Week) -> OfficerDays:
    """Put together what every officer of a week does on each of its days."""
    area = week.plan.area
    officers, schools = list(area.officers["officer"]), list(area.schools["urn"])
    people = (name for duty in week.duties for name in duty.people)
    names = tuple(dict.fromkeys([*officers, *people]))
    has_crews = any(duty.crew for duty in week.duties)
    travel = compute_minutes_from_base(area) if has_crews else np.zeros((0, 0))
    items: defaultdict[tuple[str, dt.date], list[DayItem]] = defaultdict(list)
    for duty in week.duties:
        patrol = DayItem("patrol", duty.start_minutes, duty.end_minutes, duty)
        items[duty.officer, duty.date] += _add_ways(patrol, duty.leave_minutes, duty.back_minutes)
        along = replace(patrol, is_companion=True)
        for name in duty.crew:  # from and back to their own base
            is_known = name in officers and duty.urn in schools
            way = travel[officers.index(name), schools.index(duty.urn)] if is_known else math.nan
            leave = float(find_set_out(duty.start_minutes, way))
            back = float(duty.end_minutes + way)
            items[name, duty.date] += _add_ways(along, leave, back)
    for one in FreeTime(area, names, week.days).appointments:
        item = DayItem("appointment", one.from_minutes, one.to_minutes, appointment=one)
        items[one.officer, one.date] += _add_ways(item, one.leave_minutes, one.back_minutes)
    return {
        key: tuple(sorted(own, key=lambda item: (item.from_minutes, item.to_minutes)))
        for key, own in items.items()
    }


def _add_ways(item: DayItem, leave: float, back: float) -> list[DayItem]:
    """An item with the ways there and back, where these are known and take a whole minute."""
    there: Place = "appointment" if item.duty is None else "gate"
    ways: list[tuple[float, float, Place]] = [
        (leave, item.from_minutes, there),
        (item.to_minutes, back, "base"),
    ]
    return [item] + [
        replace(item, kind="way", from_minutes=begin, to_minutes=end, towards=towards)
        for begin, end, towards in ways
        if not math.isnan(begin) and not math.isnan(end) and round(begin) < round(end)
    ]
