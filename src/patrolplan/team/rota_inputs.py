"""Area and plans -> the options of a week: who could walk which route on which day."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from patrolplan.area import StudyArea
from patrolplan.area.school_days import find_open_days
from patrolplan.arrays import Bools, Floats, Ints, round_significant
from patrolplan.patrols.demands import Demand
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.tables import STAFF
from patrolplan.team.day_plans import list_day_plans
from patrolplan.team.free_time import FreeTime, compute_minutes_from_base, find_set_out
from patrolplan.team.problem import RotaProblem
from patrolplan.team.routes import (
    Companions,
    WeekRoutes,
    build_route_key,
    collect_routes,
    find_companions,
    find_meeting_routes,
    find_own_place,
    list_away,
    list_demands,
    list_routes_for_two,
)
from patrolplan.team.stays import list_visited
from patrolplan.team.week import Duty, Week
from patrolplan.team.week_records import Ban, Lock

DOSE_MEMORY_DAYS = 7  # doses of so many days before the week count as earlier ones

Option = tuple[int, int, int]  # rows of an officer, a day and a route


@dataclass(frozen=True, eq=False)
class RotaInputs:
    """What a week is chosen from, by officers (k), schools (s), days (d) and routes (r)."""

    area: StudyArea
    plans: tuple[Plan, ...]  # (d,) the plan of each day
    days: tuple[dt.date, ...]
    locks: tuple[Lock, ...] = ()
    bans: tuple[Ban, ...] = ()
    absent: Mapping[str, frozenset[dt.date]] = field(default_factory=dict)
    """Days on which an officer is absent, apart from those off duty."""
    delivered: Mapping[str, frozenset[dt.date]] = field(default_factory=dict)
    """Days on which a hotspot had its dose, by hotspot."""
    held: tuple[Duty, ...] = ()
    """Duties handed out that stay as they are, even if plan and tables have changed."""

    @cached_property
    def officers(self) -> tuple[str, ...]:
        """(k,) names: those of the table, then any others of duties that stay."""
        held = (name for duty in self.held for name in duty.people)
        return tuple(dict.fromkeys([*self.area.officers["officer"], *held]))

    @cached_property
    def urns(self) -> tuple[str, ...]:
        """(s,) schools that are planned."""
        planned = [patrol.urn for plan in self.plans for patrol in plan.patrols]
        return tuple(dict.fromkeys([*planned, *(duty.urn for duty in self.held)]))

    @cached_property
    def walked(self) -> WeekRoutes:
        """The routes, and the places that they go to."""
        return collect_routes(self.plans, self.days, self.held)

    @property
    def routes(self) -> tuple[Patrol, ...]:
        """(r,) see `WeekRoutes`."""
        return self.walked.routes

    @property
    def variant(self) -> Ints:
        """(d, r) see `WeekRoutes`."""
        return self.walked.variant

    def find_route(self, patrol: Patrol) -> int | None:
        """Row of the route that this is a walk of."""
        return self.walked.row_by_key.get(build_route_key(patrol))

    def find_option(self, duty: Duty) -> Option | None:
        """Officer, day and route of a patrol; None where one of them is not of this week."""
        route = self.find_route(duty.patrol)
        if route is None or duty.officer not in self.officers or duty.date not in self.days:
            return None
        return self.officers.index(duty.officer), self.days.index(duty.date), route

    def list_options(self, duty: Duty) -> list[Option]:
        """The options of a patrol and of everyone who walks along; empty where it has none."""
        if (option := self.find_option(duty)) is None:
            return []
        day, along = option[1], int(self.companions.route[option[2]])
        return [option, *((self.officers.index(name), day, along) for name in duty.crew)]

    @cached_property
    def held_rows(self) -> dict[Option, Duty]:
        """Officer, day and route of every duty that stays."""
        options = ((self.find_option(duty), duty) for duty in self.held)
        return {option: duty for option, duty in options if option is not None}

    @cached_property
    def route_school(self) -> Ints:
        """(r,) row of each route's school."""
        return np.array([self.urns.index(route.urn) for route in self.routes], dtype=np.int64)

    @cached_property
    def route_number(self) -> Ints:
        """(r,) number of each route's officer at the school."""
        return np.array([route.number for route in self.routes], dtype=np.int64)

    @cached_property
    def route_minutes(self) -> Floats:
        """(r, 2) start and end of each route."""
        times = [(route.start_minutes, route.end_minutes) for route in self.routes]
        return np.array(times, dtype=np.float64).reshape(-1, 2)

    @cached_property
    def free_time(self) -> FreeTime:
        """Hours and appointments of the officers."""
        return FreeTime(self.area, self.officers, self.days)

    @cached_property
    def is_absent(self) -> Bools:
        """(k, d) officers who are absent."""
        days = [[day in self.absent.get(who, ()) for day in self.days] for who in self.officers]
        return np.array(days, dtype=bool).reshape(-1, len(self.days))

    @cached_property
    def travel(self) -> Floats:
        """(k, s) minutes from base to gate, NaN where either is no longer in the tables."""
        gates, minutes = self.area.schools["urn"], compute_minutes_from_base(self.area)
        table = pd.DataFrame(minutes, index=self.area.officers["officer"], columns=gates)
        return table.reindex(index=self.officers, columns=self.urns).to_numpy()

    @cached_property
    def set_out(self) -> Floats:
        """(k, r) when each officer leaves their base for each route, NaN where unknown."""
        return find_set_out(self.route_minutes[:, 0], self.travel[:, self.route_school])

    @cached_property
    def is_open(self) -> Bools:
        """(s, d) schools in term."""
        return find_open_days(self.area.term_dates, self.urns, self.days)

    @cached_property
    def cares(self) -> Bools:
        """(k, s) who has which school in their care."""
        cares = np.zeros((len(self.officers), len(self.urns)), dtype=bool)
        for row, mine in enumerate(map(set, self.area.officers["school_urns"])):
            cares[row] = [urn in mine for urn in self.urns]
        return cares

    @cached_property
    def is_lead(self) -> Bools:
        """(k,) who may lead patrols: all except school staff, who join those of their schools."""
        return ~self.stays_at_gate & self._of_officers(self.area.officers["role"] != STAFF)

    @cached_property
    def stays_at_gate(self) -> Bools:
        """(k,) who stays at the gate: they count for no patrol."""
        return ~self._of_officers(~self.area.officers["gate_only"])

    @cached_property
    def is_alone(self) -> Bools:
        """(k,) who may patrol alone."""
        return self._of_officers(self.area.officers["alone"])

    def _of_officers(self, column: pd.Series) -> Bools:
        """(k,) a column of the officers table; true for officers who are no longer in it."""
        values = column.to_numpy(dtype=bool)
        return np.pad(values, (0, len(self.officers) - len(values)), constant_values=True)

    def list_routes(self, school: int, day: int) -> Ints:
        """Routes of a school on a day."""
        return np.flatnonzero((self.route_school == school) & (self.variant[day] >= 0))

    @cached_property
    def max_patrols(self) -> Ints:
        """(k,) maximum patrols a week; no fewer than an officer has been handed out."""
        table = self.area.officers["max_patrols_per_week"].to_numpy(np.int64)
        held = [sum(name in duty.people for duty in self.held) for name in self.officers]
        return np.asarray(np.maximum(np.pad(table, (0, len(held) - len(table))), held))

    @cached_property
    def back(self) -> Floats:
        """(k, r) when each officer is back at their base after each route, NaN where unknown."""
        return np.asarray(self.route_minutes[:, 1] + self.travel[:, self.route_school])

    @cached_property
    def in_time(self) -> Bools:
        """(k, d, r) free from setting out until the end, and on the way back."""
        return self.free_time.fit(self.set_out, self.route_minutes[:, 1], self.back)

    def _select(self, row: Lock | Ban) -> Bools:
        """(k, d, r) what a lock or ban names."""
        who = np.array([row.officer in {None, name} for name in self.officers], dtype=bool)
        when = np.array([row.date in {None, day} for day in self.days], dtype=bool)
        urn = np.array([row.urn in {None, urn} for urn in self.urns], dtype=bool)
        which = (row.variant is None) | (self.variant == row.variant)
        which &= self.is_of_window(row.window)
        return np.asarray(who[:, None, None] & when[:, None] & urn[self.route_school] & which)

    @cached_property
    def banned(self) -> Bools:
        """(k, d, r) ruled out by bans."""
        none = np.zeros((len(self.officers), len(self.days), len(self.routes)), dtype=bool)
        return np.asarray(np.logical_or.reduce([none, *map(self._select, self.bans)]))

    @cached_property
    def locked(self) -> Ints:
        """(k, d, r) number of the lock that an option would fulfil, -1 for none."""
        locked = np.full((len(self.officers), len(self.days), len(self.routes)), -1)
        for number, lock in enumerate(self.locks):
            locked[self._select(lock)] = number
        for number, place in enumerate(self.held_rows, len(self.locks)):
            locked[place] = number
        return locked

    @cached_property
    def possible(self) -> Bools:
        """(k, d, r) all options."""
        care = self.cares[:, None, self.route_school] | (self.locked >= 0)
        care &= self.is_lead[:, None, None]
        present = self.is_open.T[None][:, :, self.route_school] & ~self.is_absent[:, :, None]
        possible = care & present & (self.variant >= 0) & self.in_time & ~self.banned
        for place in self.held_rows:
            possible[place] = True
        return possible

    @cached_property
    def hotspots(self) -> dict[str, float]:
        """Every place that a route's stops cover, and its weight."""
        # A corner has none (see `own_places`), nor has a place named only by intelligence, or one
        # that is no longer in the plan: visits there are for the demand, which comes before all
        # worth.
        hotspots = self.plans[0].hotspots
        share = dict(zip(hotspots["hotspot"], hotspots["worth"], strict=True))
        stops = (stop for route in self.routes for stop in route.stops)
        names = dict.fromkeys(name for stop in stops for name in list_visited(stop))
        return {name: share.get(name, 0.0) for name in names}

    @cached_property
    def route_minutes_by_place(self) -> tuple[dict[str, float], ...]:
        """(r,) minutes of each route at each place that its stops cover, and at corners near."""
        # The gate has none, since every patrol of the school is there anyway. A patrol alone never
        # exceeds the daily maximum.
        most = self.area.settings.week.max_dose_minutes_per_day
        minutes = []
        for route in self.routes:
            given: defaultdict[str, float] = defaultdict(float)
            for stop in route.stops:
                for name in self.walked.list_places_in_view(stop):
                    given[name] += stop.leave_minutes - stop.arrive_minutes
            minutes.append({name: min(each, most) for name, each in given.items()})
        return tuple(minutes)

    @cached_property
    def demands(self) -> tuple[Demand, ...]:
        """Tasked places, hotspots near the gates that are new or rising, and feared places."""
        plan = replace(self.plans[0], area=self.area)
        return list_demands(plan, self.days, self.urns, self.is_open, self.delivered)

    @cached_property
    def companions(self) -> Companions:
        """Who may walk along with whom."""
        return find_companions(self)

    @cached_property
    def route_window(self) -> Ints:
        """(r,) window of each route: row of `[week] windows`."""
        windows = list(self.area.settings.week.windows)
        names = [route.window for route in self.routes]
        rows = [windows.index(name) if name in windows else 0 for name in names]
        return np.array(rows, dtype=np.int64)

    def is_of_window(self, name: str | None) -> Bools:
        """(r,) routes of a window; of any for None."""
        windows = [route.window for route in self.routes]
        return np.array([name in {None, window} for window in windows], dtype=bool)

    @cached_property
    def needs_companion(self) -> Bools:
        """(k, d, r) options whose officer may not patrol alone, or with a place that needs two."""
        needs = np.zeros((len(self.officers), len(self.days), len(self.routes)), dtype=bool)
        needs |= ~self.is_alone[:, None, None]
        needs |= list_routes_for_two(self.demands, self.routes)
        for place in self.held_rows:  # patrols handed out stay as they are
            needs[place] = False
        return needs

    @cached_property
    def problem(self) -> RotaProblem:
        """The options as arrays: patrols first, then those of companions."""
        officer, day, route = np.nonzero(self.possible)
        along, demands = self.companions, self.demands
        minutes = np.stack([self.set_out[officer, route], self.back[officer, route]], axis=1)
        number = self.route_number
        held = np.where(along.held, 1 + int(self.locked.max(initial=-1)) + np.cumsum(along.held), 0)
        row = {name: number for number, name in enumerate(self.hotspots)}
        own = {place: len(row) + number for number, place in enumerate(self.walked.own_places)}
        visits: list[tuple[int, int, float, bool]] = []
        for at, minutes_at in enumerate(self.route_minutes_by_place):
            asked, walk = self.walked.list_asked_places(at), self.routes[at]
            visits += [(at, row[name], each, name in asked) for name, each in minutes_at.items()]
            mine = {own[find_own_place(walk, stop)]: stop.hotspot for stop in list_away(walk)}
            visits += [(at, place, minutes_at[name], False) for place, name in mine.items()]
        table = np.array(visits, dtype=np.float64).reshape(-1, 4)
        routes, week = self.routes, self.area.settings.week
        stood = [sum(stop.stood_minutes for stop in list_away(walk)) for walk in routes]
        counts = [[day in demand.days for day in range(len(self.days))] for demand in demands]
        counted = np.array(counts, dtype=bool)
        before = np.array([*map(self._count_doses_before, self.hotspots), *[(0, 0)] * len(own)])
        weight = np.array([*self.hotspots.values(), *self.walked.own_places.values()])
        dosed_before, run_before = before.astype(np.int64).reshape(-1, 2).T
        return RotaProblem(
            officer=np.r_[officer, along.officer],
            day=np.r_[day, along.day],
            route=np.r_[route, len(routes) + along.place],
            lock=np.r_[self.locked[officer, day, route], held - 1],
            route_school=np.r_[self.route_school, along.school],
            route_number=np.r_[number, along.after + number.max(initial=0)],
            route_window=np.r_[self.route_window, along.window],
            route_after=np.r_[number - 1, along.after],
            is_companion=np.r_[np.zeros(len(routes), dtype=bool), np.ones(len(along.school), bool)],
            option_minutes=np.concatenate([minutes, along.minutes]),
            needs_companion=np.pad(self.needs_companion[officer, day, route], (0, len(along.day))),
            demand_routes=find_meeting_routes(demands, routes),
            demand_days=counted.reshape(-1, len(self.days)),
            demand_visits=np.array([demand.visits for demand in demands], dtype=np.int64),
            is_tasked=np.array([demand.is_tasked for demand in demands], dtype=bool),
            visits=table[:, :2].astype(np.int64),
            visit_minutes=table[:, 2],
            mandatory_visits=table[:, 3] > 0,
            route_dose=np.r_[stood, np.zeros(len(along.school))],
            weight=round_significant(weight),
            is_once=np.arange(len(weight)) >= len(row),
            dosed_before=dosed_before,
            run_before=run_before,
            max_patrols=self.max_patrols,
            dates=np.array([day.toordinal() for day in self.days]),
            schools=len(self.urns),
            min_patrols=week.min_patrols_per_school,
            max_dose_minutes=week.max_dose_minutes_per_day,
        )

    @cached_property
    def option_rows(self) -> dict[Option, int]:
        """Row of each option of the problem, by officer, day and route."""
        columns = (self.problem.officer, self.problem.day, self.problem.route)
        keys = zip(*(column.tolist() for column in columns), strict=True)
        return {key: row for row, key in enumerate(keys)}

    def _count_doses_before(self, hotspot: str) -> tuple[int, int]:
        """Days with a dose in the week before, and consecutive ones, up to three, until day one."""
        days = self.delivered.get(hotspot, frozenset())
        first = self.days[0]
        recent = sum(0 < (first - day).days <= DOSE_MEMORY_DAYS for day in days)
        run = np.cumprod([first - dt.timedelta(days=n) in days for n in (1, 2, 3)])
        return recent, int(run.sum())

    @classmethod
    def of_week(
        cls,
        week: Week,
        area: StudyArea,
        plan: Plan | Mapping[dt.date, Plan],
        **changes: Any,  # noqa: ANN401 - any field
    ) -> "RotaInputs":
        """What a week handed out is changed from, under its bans, absences and earlier doses."""
        given = {"bans": week.bans, "absent": week.absent, "delivered": week.delivered}
        return cls(area, list_day_plans(plan, week.days), week.days, **{**given, **changes})

    def with_locks_and_bans(self, **changes: Sequence[Lock] | Sequence[Ban]) -> "RotaInputs":
        """The same inputs with other locks or bans, reusing all that does not depend on them."""
        given: dict[str, Any] = {name: tuple(rows) for name, rows in changes.items()}
        other = replace(self, **given)
        for name, value in vars(self).items():
            if name not in CHANGED_BY_HAND:
                vars(other).setdefault(name, value)
        return other


CHANGED_BY_HAND = {"banned", "locked", "possible", "companions", "option_rows", "problem"}
"""Properties that depend on locks and bans; all others are the same under any."""
