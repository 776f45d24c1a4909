"""Area and plan -> the options of a week: who could walk which route on which day."""

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.inputs.lookups import WEEKDAYS
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.surroundings import minutes_after_midnight
from patrolplan.team.bases import Bases, compute_minutes_from_base
from patrolplan.team.problem import Bools, Floats, Ints, RotaProblem
from patrolplan.team.routes import Route, WeekRoutes, build_route_key, collect_routes
from patrolplan.team.week import Ban, Duty, Lock, find_open_days

MINUTES_TOLERANCE = 1e-6
"""Minutes that rounding may add."""

DOSE_MEMORY_DAYS = 7
"""Doses of so many days before the week count as earlier ones."""

FULL_DOSE_SHARE = 0.5
"""Share of a dwell from which a delivered visit counts as the day's dose."""


@dataclass(frozen=True, eq=False)
class RotaInputs:
    """What a week is chosen from.

    Parameters
    ----------
    area, days, locks, bans
        As for `plan_week`.
    plans
        (d,) the plan of each day.
    absent
        Days on which an officer is away, beside those off duty.
    delivered
        Days on which a hotspot had its dose, by hotspot.
    held
        Duties handed out that stay as they are, whatever plan and tables say by now.
    """

    area: StudyArea
    plans: tuple[Plan, ...]
    days: tuple[dt.date, ...]
    locks: tuple[Lock, ...] = ()
    bans: tuple[Ban, ...] = ()
    absent: Mapping[str, frozenset[dt.date]] = field(default_factory=dict)
    delivered: Mapping[str, frozenset[dt.date]] = field(default_factory=dict)
    held: tuple[Duty, ...] = ()

    @cached_property
    def officers(self) -> tuple[str, ...]:
        """(k,) names: those of the table, then any others of duties that stay."""
        return tuple(
            dict.fromkeys([*self.area.officers["officer"], *(duty.officer for duty in self.held)])
        )

    @cached_property
    def urns(self) -> tuple[str, ...]:
        """(s,) schools that are planned."""
        planned = [patrol.urn for plan in self.plans for patrol in plan.patrols]
        return tuple(dict.fromkeys([*planned, *(duty.urn for duty in self.held)]))

    @cached_property
    def _walked(self) -> WeekRoutes:
        return collect_routes(self.plans, self.days, self.held)

    @property
    def routes(self) -> tuple[Route, ...]:
        """(r,) every school's best patrols and their variants, of all days and modes."""
        return self._walked.routes

    @property
    def variant(self) -> Ints:
        """(d, r) 0 for the best patrol of the day of a school and mode, 1...; -1: none."""
        return self._walked.variant

    @cached_property
    def held_rows(self) -> dict[tuple[int, int, int], Duty]:
        """Officer, day and route of every duty that stays."""
        row = self._walked.row_by_key
        return {
            (
                self.officers.index(duty.officer),
                self.days.index(duty.date),
                row[build_route_key(duty.patrol)],
            ): duty
            for duty in self.held
        }

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
        hours = np.full((len(self.officers), len(self.days), 2), np.nan)
        for row, known in enumerate(self.area.officers[list(WEEKDAYS)].to_dict("records")):
            hours[row] = [_parse_hours(known[WEEKDAYS[day.weekday()]]) for day in self.days]
        return hours

    @cached_property
    def away(self) -> Bools:
        """(k, d) officers who are absent."""
        none: frozenset[dt.date] = frozenset()
        days = [[day in self.absent.get(who, none) for day in self.days] for who in self.officers]
        return np.array(days, dtype=bool).reshape(len(self.officers), len(self.days))

    @cached_property
    def travel(self) -> Floats:
        """(k, s) minutes from base to gate, NaN where the tables know one of them no more."""
        known = compute_minutes_from_base(self.area)
        minutes = np.full((len(self.officers), len(self.urns)), np.nan)
        gates = {urn: row for row, urn in enumerate(self.area.schools["urn"])}
        there = [row for row, urn in enumerate(self.urns) if urn in gates]
        minutes[: len(known), there] = known[:, [gates[self.urns[row]] for row in there]]
        return minutes

    @cached_property
    def bases(self) -> Bases:
        """Bases of the officers in the table, and those where routes begin or end."""
        return Bases(self.area, [route.patrol for route in self.routes])

    @cached_property
    def set_out(self) -> Floats:
        """(k, r) when each officer leaves their base for each route, NaN where not known."""
        minutes = np.full((len(self.officers), len(self.routes)), np.nan)
        known = len(self.area.officers)
        minutes[:known] = self.bases.set_out_minutes(self.travel[:known, self.route_school])
        return minutes

    @cached_property
    def is_open(self) -> Bools:
        """(s, d) schools in term."""
        return find_open_days(self.area.term_dates, self.urns, self.days)

    @cached_property
    def cares(self) -> Bools:
        """(k, s) who has which school in their care."""
        found = np.zeros((len(self.officers), len(self.urns)), dtype=bool)
        for row, mine in enumerate(map(set, self.area.officers["school_urns"])):
            found[row] = [urn in mine for urn in self.urns]
        return found

    @cached_property
    def modes(self) -> tuple[str, ...]:
        """(k,) "walk" or "bicycle"; of officers whom the table knows no more, how they went."""
        known = dict(zip(self.area.officers["officer"], self.area.officers["mode"], strict=True))
        gone = {duty.officer: duty.patrol.way for duty in self.held}
        return tuple(str((gone | known)[name]) for name in self.officers)

    @cached_property
    def goes(self) -> Bools:
        """(k, r) whether an officer goes the way of a route; all, where modes do not count."""
        if not self.area.settings.week.way_by_officer:
            return np.ones((len(self.officers), len(self.routes)), dtype=bool)
        ways = np.array([route.patrol.way for route in self.routes], dtype=object)
        found = np.array([ways == mode for mode in self.modes], dtype=bool)
        return found.reshape(len(self.modes), len(ways))

    def list_routes(self, officer: int, school: int, day: int) -> Ints:
        """Routes of a school that an officer could take on a day, whatever their hours."""
        mine = self.goes[officer] & (self.route_school == school) & (self.variant[day] >= 0)
        return np.flatnonzero(mine)

    @cached_property
    def most(self) -> Ints:
        """(k,) most patrols a week; no fewer than an officer has been handed out."""
        known = self.area.officers["max_patrols_per_week"].to_numpy(np.int64)
        out = [sum(duty.officer == name for duty in self.held) for name in self.officers]
        return np.asarray(np.maximum(np.pad(known, (0, len(out) - len(known))), out))

    @cached_property
    def in_time(self) -> Bools:
        """(k, d, r) on duty from setting out until the end."""
        duty = self.hours[:, :, :, None]
        early = duty[:, :, 0] <= self.set_out[:, None, :] + MINUTES_TOLERANCE
        return early & (self.route_minutes[:, 1] <= duty[:, :, 1] + MINUTES_TOLERANCE)

    @cached_property
    def banned(self) -> Bools:
        """(k, d, r) ruled out by hand."""
        found = np.zeros((len(self.officers), len(self.days), len(self.routes)), dtype=bool)
        for ban in self.bans:
            who = np.array([ban.officer in {None, name} for name in self.officers], dtype=bool)
            when = np.array([ban.date in {None, day} for day in self.days], dtype=bool)
            urn = np.array([ban.urn in {None, urn} for urn in self.urns], dtype=bool)
            which = (ban.variant is None) | (self.variant == ban.variant)
            found |= who[:, None, None] & when[:, None] & urn[self.route_school] & which
        return found

    @cached_property
    def locked(self) -> Ints:
        """(k, d, r) number of the lock that an option would fulfil, -1 for none."""
        found = np.full((len(self.officers), len(self.days), len(self.routes)), -1)
        for number, lock in enumerate(self.locks):
            officer, day = self.officers.index(lock.officer), self.days.index(lock.date)
            school = self.route_school == self.urns.index(lock.urn)
            which = (lock.variant is None) | (self.variant[day] == lock.variant)
            found[officer, day, school & which] = number
        for number, place in enumerate(self.held_rows, len(self.locks)):
            found[place] = number
        return found

    @cached_property
    def possible(self) -> Bools:
        """(k, d, r) all options."""
        care = self.cares[:, None, self.route_school] | (self.locked >= 0)
        there = self.is_open.T[None][:, :, self.route_school] & ~self.away[:, :, None]
        goes = self.goes[:, None]
        found = care & goes & there & (self.variant >= 0) & self.in_time & ~self.banned
        for place in self.held_rows:
            found[place] = True
        return found

    @cached_property
    def hotspots(self) -> dict[str, float]:
        """Every place where a route stops, and its weight.

        A place tasked by intelligence weighs as much as the heaviest hotspot; one that the plan
        knows no more weighs nothing.
        """
        hotspots = self.plans[0].hotspots
        share = dict(zip(hotspots["hotspot"], hotspots["worth"], strict=True))
        heaviest = max(share.values(), default=1.0)
        stops = [stop for route in self.routes for stop in route.patrol.stops]
        return {
            **{stop.hotspot: float(share.get(stop.hotspot, 0.0)) for stop in stops},
            **{stop.hotspot: float(heaviest) for stop in stops if stop.tasked},
        }

    def with_locks_and_bans(
        self, *, locks: tuple[Lock, ...], bans: tuple[Ban, ...]
    ) -> "RotaInputs":
        """The same choice under other locks and bans; what they do not touch is not built anew."""
        other = replace(self, locks=locks, bans=bans)
        known = {name: vars(self)[name] for name in UNCHANGED_BY_HAND if name in vars(self)}
        vars(other).update(known)
        return other

    def find_route(self, patrol: Patrol) -> int | None:
        """Row of the route that is walked so, either way round."""
        return self._walked.row_by_key.get(build_route_key(patrol))

    def build_problem(self) -> RotaProblem:
        """The options as arrays."""
        officer, day, route = np.nonzero(self.possible)
        row = {name: number for number, name in enumerate(self.hotspots)}
        visits = [
            (
                number,
                row[stop.hotspot],
                stop.leave_minutes - stop.arrive_minutes,
                bool(stop.tasked),
            )
            for number, route in enumerate(self.routes)
            for stop in route.patrol.stops
        ]
        table = np.array(visits, dtype=np.float64).reshape(-1, 4)
        dosed = [self.delivered.get(name, frozenset()) for name in self.hotspots]
        return RotaProblem(
            officer=officer,
            day=day,
            route=route,
            lock=self.locked[officer, day, route],
            route_school=self.route_school,
            route_number=np.array([route.patrol.number for route in self.routes], dtype=np.int64),
            is_reversible=np.array(
                [route.reverse_patrol is not None for route in self.routes], dtype=bool
            ),
            visits=table[:, :2].astype(np.int64),
            visit_minutes=table[:, 2],
            mandatory_visits=table[:, 3] > 0,
            weight=np.array(list(self.hotspots.values())),
            dosed_before=np.array(
                [len(self._select_recent_days(days)) for days in dosed], dtype=np.int64
            ),
            run_before=np.array(
                [self._count_days_in_a_row(days) for days in dosed], dtype=np.int64
            ),
            max_patrols=self.most,
            dates=np.array([day.toordinal() for day in self.days]),
            schools=len(self.urns),
            min_patrols=self.area.settings.week.min_patrols_per_school,
            max_dose_minutes=self.area.settings.week.max_dose_minutes_per_day,
        )

    def _select_recent_days(self, days: frozenset[dt.date]) -> list[dt.date]:
        first = self.days[0]
        return [day for day in days if 0 < (first - day).days <= DOSE_MEMORY_DAYS]

    def _count_days_in_a_row(self, days: frozenset[dt.date]) -> int:
        """Days in a row just before the first one, up to three."""
        before = [self.days[0] - dt.timedelta(days=n) in days for n in (1, 2, 3)]
        return int(np.cumprod(before).sum())

    def choose_direction(self, day: int, route: int) -> Patrol:
        """How a route is walked on a day: the other way round on every second one.

        Which days those are differs from school to school and from week to week.
        """
        date, found = self.days[day], self.routes[route]
        year, week, _ = date.isocalendar()
        drawn = zlib.crc32(f"{self.area.settings.seed} {found.urn} {year} {week}".encode())
        turn = (date.toordinal() + drawn) % 2 == 1
        return found.reverse_patrol if turn and found.reverse_patrol is not None else found.patrol


UNCHANGED_BY_HAND = (
    *("officers", "urns", "_walked", "held_rows", "route_school", "route_minutes", "hours"),
    *("away", "travel", "is_open", "cares", "modes", "goes", "most", "bases", "set_out"),
    *("in_time", "hotspots"),
)
"""What locks and bans by hand do not touch."""


def _parse_hours(hours: str) -> tuple[float, float]:
    if not hours:
        return (np.nan, np.nan)
    begin, end = hours.split("-")
    return (minutes_after_midnight(begin), minutes_after_midnight(end))


def find_dosed_days(
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
    dosed = minutes[minutes >= FULL_DOSE_SHARE * dwell_minutes].reset_index()
    return {str(name): frozenset(rows["date"]) for name, rows in dosed.groupby("hotspot")}
