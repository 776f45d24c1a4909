"""When officers are free for a patrol: their hours of duty without their appointments."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.area import StudyArea
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.team.problem import MINUTES_TOLERANCE, Bools, Floats
from patrolplan.team.travel import compute_minutes_from_base, compute_minutes_to_places
from patrolplan.times import minutes_after_midnight

AT_HOME = ("leave", "sick")
"""Kinds of duties without travel."""


@dataclass(frozen=True)
class Appointment:
    """An appointment of an officer on a day, with the travel there and back."""

    officer: str
    date: dt.date
    kind: str
    """Of `patrolplan.inputs.small_tables.DUTIES`."""
    leave_minutes: float
    """When they set out from the base."""
    from_minutes: float
    to_minutes: float
    back_minutes: float
    """When they are back at the base."""
    urn: str = ""
    """School where it is; empty where it is at none."""


@dataclass(frozen=True, eq=False)
class FreeTime:
    """Hours and appointments of officers (k) on days (d)."""

    area: StudyArea
    officers: tuple[str, ...]
    """(k,) names, those of the table first."""
    days: Sequence[dt.date]

    @cached_property
    def hours(self) -> Floats:
        """(k, d, 2) duty from and to, NaN when off."""
        hours = np.full((len(self.officers), len(self.days), 2), np.nan)
        for row, officer in enumerate(self.area.officers[list(WEEKDAYS)].to_dict("records")):
            hours[row] = [_parse_hours(officer[WEEKDAYS[day.weekday()]]) for day in self.days]
        return hours

    @cached_property
    def appointments(self) -> tuple[Appointment, ...]:
        """All of the officers' appointments in these days, by day and start."""
        table = self.area.duties
        dates = dict(zip(map(pd.Timestamp, self.days), self.days, strict=True))
        table = table[table["officer"].isin(self.officers) & table["date"].isin(list(dates))]
        if table.empty:
            return ()
        ways = self._compute_ways(table)
        columns = (table[name] for name in ("officer", "date", "kind", "urn"))
        hours = table["from_minutes"], table["to_minutes"]
        appointments = [
            Appointment(
                officer=str(officer),
                date=dates[date],
                kind=str(kind),
                leave_minutes=begin - way,
                from_minutes=begin,
                to_minutes=end,
                back_minutes=end + way,
                urn=str(urn),
            )
            for officer, date, kind, urn, begin, end, way in zip(
                *columns, *hours, ways.tolist(), strict=True
            )
        ]
        return tuple(
            sorted(appointments, key=lambda one: (one.date, one.from_minutes, one.to_minutes))
        )

    def _compute_ways(self, duties: gpd.GeoDataFrame) -> Floats:
        """(n,) minutes from the officer's base to each duty: to a school's gate, or to a point."""
        # None where its place is not known, and where there is no travel: on leave, or sick.
        area, ways = self.area, np.zeros(len(duties))
        names = {name: row for row, name in enumerate(area.officers["officer"])}
        officer = np.array([names.get(name, -1) for name in duties["officer"]], dtype=np.int64)
        gates = {urn: row for row, urn in enumerate(area.schools["urn"])}
        school = np.array([gates.get(urn, -1) for urn in duties["urn"]], dtype=np.int64)
        goes = (officer >= 0) & ~duties["kind"].isin(AT_HOME).to_numpy()
        at_school = np.flatnonzero(goes & (school >= 0))
        if len(at_school):
            minutes = compute_minutes_from_base(area)
            ways[at_school] = minutes[officer[at_school], school[at_school]]
        at_point = np.flatnonzero(goes & ~_is_nowhere(duties) & (school < 0))
        if len(at_point):
            xy = shapely.get_coordinates(duties.geometry.to_numpy()[at_point])
            minutes = compute_minutes_to_places(area, xy)
            ways[at_point] = minutes[officer[at_point], np.arange(len(at_point))]
        return ways

    def fit(self, set_out: Floats, end: Floats, back: Floats) -> Bools:
        """(k, d, r) whether an officer is free for each route on each day."""
        # On duty from (k, r) setting out until its (r,) end, and without an appointment until (k,
        # r) back at the base, all in minutes after midnight.
        free = self.fit_hours(set_out, end)
        for one in self.appointments:
            row, day = self.officers.index(one.officer), self.days.index(one.date)
            free[row, day] &= ~_overlaps(one, set_out[row], back[row])
        return free

    def fit_hours(self, set_out: Floats, end: Floats) -> Bools:
        """(k, d, r) whether an officer is on duty for each route, appointments aside."""
        duty = self.hours[:, :, :, None]
        early = duty[:, :, 0] <= set_out[:, None, :] + MINUTES_TOLERANCE
        return np.asarray(early & (end <= duty[:, :, 1] + MINUTES_TOLERANCE))

    def find_clashes(
        self, officer: int, day: int, set_out: float, back: float
    ) -> tuple[Appointment, ...]:
        """An officer's appointments on a day between setting out and being back."""
        return tuple(
            one
            for one in self.appointments
            if (one.officer, one.date) == (self.officers[officer], self.days[day])
            and _overlaps(one, np.array([set_out]), np.array([back]))[0]
        )


def _overlaps(one: Appointment, set_out: Floats, back: Floats) -> Bools:
    """(r,) which of these spans have a part of an appointment and its ways."""
    begins, ends = one.leave_minutes + MINUTES_TOLERANCE, one.back_minutes - MINUTES_TOLERANCE
    return np.asarray((set_out < ends) & (begins < back))


def _is_nowhere(duties: gpd.GeoDataFrame) -> Bools:
    """(n,) duties without a point."""
    return np.asarray(duties.geometry.x.isna())


def _parse_hours(hours: str) -> tuple[float, float]:
    if not hours:
        return (np.nan, np.nan)
    begin, end = hours.split("-")
    return (minutes_after_midnight(begin), minutes_after_midnight(end))
