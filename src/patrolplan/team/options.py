"""Area and plan -> the options of a week: who could walk which route on which day."""

import datetime as dt
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.errors import Problems
from patrolplan.inputs.officers import WEEKDAYS
from patrolplan.patrols.plans import Patrol
from patrolplan.patrols.plans import Plan
from patrolplan.patrols.windows import minutes_after_midnight
from patrolplan.team.open_days import open_days
from patrolplan.team.problem import Bools
from patrolplan.team.problem import Floats
from patrolplan.team.problem import Ints
from patrolplan.team.problem import RotaProblem
from patrolplan.team.travel import minutes_from_base
from patrolplan.team.week import Ban
from patrolplan.team.week import Lock
from patrolplan.team.week import day_name

EPSILON = 1e-6
"""Minutes that rounding may add."""

BEFORE_DAYS = 7
"""Doses of so many days before the week count as earlier ones."""

ENOUGH = 0.5
"""Share of a dwell from which a delivered visit counts as the day's dose."""


@dataclass(frozen=True)
class Route:
    """One way to patrol a school: 0 is its best, 1 its first variant..."""

    urn: str
    variant: int
    patrol: Patrol


@dataclass(frozen=True, eq=False)
class Choice:
    """What a week is chosen from.

    Parameters
    ----------
    area, plan, days, locks, bans
        As for `plan_week`.
    absent
        Days on which an officer is away, beside those off duty.
    delivered
        Days on which a hotspot had its dose, by hotspot.
    """

    area: StudyArea
    plan: Plan
    days: tuple[dt.date, ...]
    locks: tuple[Lock, ...]
    bans: tuple[Ban, ...]
    absent: Mapping[str, frozenset[dt.date]]
    delivered: Mapping[str, frozenset[dt.date]]

    @cached_property
    def officers(self) -> tuple[str, ...]:
        """(k,) names."""
        return tuple(self.area.officers["officer"])

    @cached_property
    def urns(self) -> tuple[str, ...]:
        """(s,) schools that are planned."""
        return tuple(dict.fromkeys(patrol.urn for patrol in self.plan.patrols))

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """(r,) every school's best patrols and their variants."""
        found = []
        for patrol in self.plan.patrols:
            found.append(Route(patrol.urn, 0, patrol))
            for number, variant in enumerate(patrol.variants, 1):
                mine = [other for other in variant.patrols if other.number == patrol.number]
                found += [Route(patrol.urn, number, other) for other in mine]
        return tuple(found)

    @cached_property
    def route_school(self) -> Ints:
        """(r,) row of each route's school."""
        row = {urn: number for number, urn in enumerate(self.urns)}
        return np.array([row[route.urn] for route in self.routes], dtype=np.int64)

    @cached_property
    def route_minutes(self) -> Floats:
        """(r, 2) start and end of each route."""
        times = [(route.patrol.start_minutes, route.patrol.end_minutes) for route in self.routes]
        return np.array(times, dtype=np.float64).reshape(-1, 2)

    @cached_property
    def hours(self) -> Floats:
        """(k, d, 2) duty from and to, NaN when off."""
        return np.array(
            [
                [_span(row[WEEKDAYS[day.weekday()]]) for day in self.days]
                for row in self.area.officers[list(WEEKDAYS)].to_dict("records")
            ],
            dtype=np.float64,
        ).reshape(len(self.officers), len(self.days), 2)

    @cached_property
    def away(self) -> Bools:
        """(k, d) officers who are absent."""
        none: frozenset[dt.date] = frozenset()
        days = [[day in self.absent.get(who, none) for day in self.days] for who in self.officers]
        return np.array(days, dtype=bool).reshape(len(self.officers), len(self.days))

    @cached_property
    def travel(self) -> Floats:
        """(k, s) minutes from base to gate."""
        gates = {urn: row for row, urn in enumerate(self.area.schools["urn"])}
        return minutes_from_base(self.area)[:, [gates[urn] for urn in self.urns]]

    @cached_property
    def is_open(self) -> Bools:
        """(s, d) schools in term."""
        return open_days(self.area.term_dates, self.urns, self.days)

    @cached_property
    def cares(self) -> Bools:
        """(k, s) who has which school in their care."""
        mine = self.area.officers["school_urns"]
        table = [[urn in urns for urn in self.urns] for urns in map(set, mine)]
        return np.array(table, dtype=bool).reshape(len(self.officers), len(self.urns))

    @cached_property
    def in_time(self) -> Bools:
        """(k, d, r) on duty, at the gate by the start, and still on duty at the end."""
        leave = self.route_minutes[:, 0] - self.travel[:, self.route_school]
        duty = self.hours[:, :, :, None]
        early = duty[:, :, 0] <= leave[:, None, :] + EPSILON
        return early & (self.route_minutes[:, 1] <= duty[:, :, 1] + EPSILON)

    @cached_property
    def banned(self) -> Bools:
        """(k, d, r) ruled out by hand."""
        found = np.zeros((len(self.officers), len(self.days), len(self.routes)), dtype=bool)
        variant = np.array([route.variant for route in self.routes], dtype=np.int64)
        for ban in self.bans:
            who = np.array([ban.officer in {None, name} for name in self.officers], dtype=bool)
            when = np.array([ban.date in {None, day} for day in self.days], dtype=bool)
            urn = np.array([ban.urn in {None, urn} for urn in self.urns], dtype=bool)
            which = urn[self.route_school] & (ban.variant is None or variant == ban.variant)
            found |= who[:, None, None] & when[:, None] & which
        return found

    @cached_property
    def locked(self) -> Ints:
        """(k, d, r) number of the lock that an option would fulfil, -1 for none."""
        found = np.full((len(self.officers), len(self.days), len(self.routes)), -1)
        for number, lock in enumerate(self.locks):
            officer, day = self.officers.index(lock.officer), self.days.index(lock.date)
            mine = [
                row
                for row, route in enumerate(self.routes)
                if route.urn == lock.urn and lock.variant in {None, route.variant}
            ]
            found[officer, day, mine] = number
        return found

    @cached_property
    def possible(self) -> Bools:
        """(k, d, r) all options."""
        care = self.cares[:, None, self.route_school] | (self.locked >= 0)
        there = self.is_open.T[None][:, :, self.route_school] & ~self.away[:, :, None]
        return care & there & self.in_time & ~self.banned

    @cached_property
    def hotspots(self) -> dict[str, float]:
        """Every place where a route stops, and its weight.

        A place tasked by intelligence weighs as much as the heaviest hotspot.
        """
        share = dict(zip(self.plan.hotspots["hotspot"], self.plan.hotspots["worth"], strict=True))
        heaviest = max(share.values(), default=1.0)
        stops = [stop for route in self.routes for stop in route.patrol.stops]
        return {
            **{stop.hotspot: float(share.get(stop.hotspot, heaviest)) for stop in stops},
            **{stop.hotspot: float(heaviest) for stop in stops if stop.tasked},
        }

    def problem(self) -> RotaProblem:
        """The options as arrays."""
        officer, day, route = np.nonzero(self.possible)
        row = {name: number for number, name in enumerate(self.hotspots)}
        visits = [
            (number, row[stop.hotspot], stop.leave_minutes - stop.arrive_minutes)
            for number, route in enumerate(self.routes)
            for stop in route.patrol.stops
        ]
        table = np.array(visits, dtype=np.float64).reshape(-1, 3)
        dosed = [self.delivered.get(name, frozenset()) for name in self.hotspots]
        return RotaProblem(
            officer=officer,
            day=day,
            route=route,
            lock=self.locked[officer, day, route],
            route_school=self.route_school,
            route_number=np.array([route.patrol.number for route in self.routes], dtype=np.int64),
            visits=table[:, :2].astype(np.int64),
            visit_minutes=table[:, 2],
            weight=np.array(list(self.hotspots.values())),
            dosed_before=np.array([len(self._lately(days)) for days in dosed], dtype=np.int64),
            run_before=np.array([self._run(days) for days in dosed], dtype=np.int64),
            most_patrols=self.area.officers["max_patrols_per_week"].to_numpy(np.int64),
            dates=np.array([day.toordinal() for day in self.days]),
            schools=len(self.urns),
            least=self.area.settings.week.min_patrols_per_school,
            most_minutes=self.area.settings.week.max_dose_minutes_per_day,
        )

    def _lately(self, days: frozenset[dt.date]) -> list[dt.date]:
        first = self.days[0]
        return [day for day in days if 0 < (first - day).days <= BEFORE_DAYS]

    def _run(self, days: frozenset[dt.date]) -> int:
        """Days in a row just before the first one, up to two."""
        last, second_last = (self.days[0] - dt.timedelta(days=n) for n in (1, 2))
        return int(last in days) + int(last in days and second_last in days)


def _span(hours: str) -> tuple[float, float]:
    if not hours:
        return (np.nan, np.nan)
    begin, end = hours.split("-")
    return (minutes_after_midnight(begin), minutes_after_midnight(end))


def dosed_days(
    delivered: pd.DataFrame | None, dwell_minutes: float
) -> dict[str, frozenset[dt.date]]:
    """Days on which a hotspot had its dose, at least half a dwell, by hotspot.

    Parameters
    ----------
    delivered
        Columns `hotspot`, `date` and `minutes`; None for nothing.
    dwell_minutes
        Minutes of a planned visit.

    Raises
    ------
    TypeError
        When a column is missing.
    """
    if delivered is None or delivered.empty:
        return {}
    missing = {"hotspot", "date", "minutes"} - set(delivered.columns)
    if missing:
        message = f"delivered lacks the columns {sorted(missing)}; give hotspot, date, minutes"
        raise TypeError(message)
    table = delivered.assign(date=pd.to_datetime(delivered["date"]).dt.date)
    minutes = table.groupby(["hotspot", "date"])["minutes"].sum()
    dosed = minutes[minutes >= ENOUGH * dwell_minutes].reset_index()
    return {str(name): frozenset(rows["date"]) for name, rows in dosed.groupby("hotspot")}


def check_hand(
    area: StudyArea, plan: Plan, days: Sequence[dt.date], locks: Sequence[Lock], bans: Sequence[Ban]
) -> None:
    """Raise for locks and bans that name no officer, school, day or variant that is there."""
    problems = Problems()
    officers, urns = set(area.officers["officer"]), {patrol.urn for patrol in plan.patrols}
    variants = {patrol.urn: len(patrol.variants) for patrol in plan.patrols}
    for kind, rows in (("lock", locks), ("ban", bans)):
        for row in rows:
            place = f"{row.officer} at {row.urn} on {row.date}"
            if row.officer is not None and row.officer not in officers:
                problems.add(kind, f"there is no officer '{row.officer}'", "name one", place)
            if row.urn is not None and row.urn not in urns:
                problems.add(kind, f"no patrol is planned for URN '{row.urn}'", "name one", place)
            elif row.variant is not None and not 0 <= row.variant <= variants.get(row.urn or "", 9):
                remedy = f"write 0 to {variants.get(row.urn or '', 9)}"
                problems.add(kind, f"there is no variant {row.variant}", remedy, place)
            if kind == "lock" and row.date not in days:
                span = f"{day_name(days[0])} to {day_name(days[-1])}"
                what = f"{row.date} is not among the days planned"
                problems.add(kind, what, f"name a day from {span}", place)
    problems.raise_if_any()
