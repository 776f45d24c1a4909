"""Why there is no patrol: what keeps an officer from some routes on a day, for all who ask.

Unmet days, unmet demands, changes by hand and locks ask the same function, and find the words in
`patrolplan.patrols.obstacles`. Locks and bans that cannot be are refused here.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import get_args

import numpy as np

from patrolplan.arrays import Bools, Ints
from patrolplan.errors import Problems
from patrolplan.notes import Note
from patrolplan.patrols import errands
from patrolplan.patrols.demands import Demand
from patrolplan.patrols.designated import get_place
from patrolplan.patrols.obstacles import OFFICER_WORDS, Obstacle, OfficerObstacle
from patrolplan.team.problem import MINUTES_TOLERANCE
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.routes import find_meeting_routes
from patrolplan.team.stays import Stay, group_stays, list_stays
from patrolplan.team.week import Duty, format_day
from patrolplan.team.week_records import Ban, DemandOutcome, Lock, Visitor
from patrolplan.team.where_when import WHOLE_DAY_MINUTES
from patrolplan.times import format_time

OVER_MAXIMUM = ("over_daily_maximum", "long_stay")  # keys of notes on the daily maximum


class ObstacleFinder:
    """Finds what keeps officers from further patrols of a week."""

    # `chosen` is (c, 3) officer, day and route of every duty, and of everyone who walks along.
    def __init__(self, inputs: RotaInputs, chosen: Ints) -> None:
        self.inputs = inputs
        self.all_chosen = chosen
        self.chosen = chosen[chosen[:, 2] < len(inputs.routes)]
        rows, keys = inputs.option_rows, map(tuple, chosen.tolist())
        self._rows = np.array([rows[key] for key in keys if key in rows], dtype=np.int64)
        self.patrols = np.bincount(chosen[:, 0], minlength=len(inputs.officers))
        self.max_minutes = inputs.area.settings.week.max_dose_minutes_per_day

    def find_obstacle(
        self, officer: int, day: int, routes: Ints
    ) -> tuple[OfficerObstacle, dict[str, object]]:
        """What keeps an officer from all of some routes on a day, "free" if nothing, and facts."""
        inputs = self.inputs
        in_time = routes[inputs.in_time[officer, day, routes]]
        allowed = in_time[~inputs.banned[officer, day, in_time]]
        if inputs.is_absent[officer, day]:
            return "away", {"why": "absent"}
        if np.isnan(inputs.free_time.hours[officer, day, 0]):
            return "away", {"why": "off duty"}
        if not len(in_time):
            return "off_hours", {"why": self._explain_hours(officer, day, routes)}
        if not len(allowed):
            return "banned", {}
        if (own := self._find_own_patrol(officer, day, in_time)) is not None:
            is_locked = inputs.problem.lock[own] >= 0
            urn = inputs.urns[inputs.problem.school[own]]
            return "locked" if is_locked else "elsewhere", {"urn": urn}
        return self._find_limit(officer, day, in_time, allowed)

    def _find_limit(
        self, officer: int, day: int, in_time: Ints, allowed: Ints
    ) -> tuple[OfficerObstacle, dict[str, object]]:
        """What keeps an officer who has time: patrols of a week, company, or a day's maximum."""
        if self.patrols[officer] >= self.inputs.max_patrols[officer]:
            return "at_maximum", {"most": self.inputs.max_patrols[officer]}
        if self._lacks_companion(officer, day, in_time):
            return "without_second", {}
        crowded = [self.find_crowded_hotspots(day, route) for route in allowed.tolist()]
        if not all(crowded):
            return "free", {}
        names = sorted(set.intersection(*crowded) or set.union(*crowded))
        return "over_maximum", {"places": " or ".join(names), "most": f"{self.max_minutes:g}"}

    def tell(self, officer: int, day: int, routes: Ints) -> str:
        """What keeps an officer from all of some routes on a day, as a sentence."""
        obstacle, facts = self.find_obstacle(officer, day, routes)
        return OFFICER_WORDS[obstacle][1].format(officer=self.inputs.officers[officer], **facts)

    def explain_day(self, school: int, day: int) -> str:
        """Why a school has no patrol on a day."""
        inputs = self.inputs
        if obstacle := self._find_school_obstacle(school, day):
            return obstacle
        officers = np.flatnonzero(inputs.cares[:, school] & inputs.is_lead).tolist()
        if not officers:
            return "no officer covers this school"
        routes = inputs.list_routes(school, day)
        reasons = "; ".join(self.tell(officer, day, routes) for officer in officers)
        return f"{reasons}, no other officer covers this school" if len(officers) == 1 else reasons

    def explain(self, officer: int, school: int, day: int, window: str | None = None) -> str:
        """What keeps an officer from a school on a day, lent or not; empty if nothing does."""
        # In a window of the week; in any for None. Whether a place gets too much is not asked.
        inputs, name = self.inputs, self.inputs.officers[officer]
        if inputs.stays_at_gate[officer]:
            return f"{name} stays at the gate"
        if not inputs.is_lead[officer]:
            return f"{name} is school staff, who walk along and never lead"
        if obstacle := self._find_school_obstacle(school, day):
            return obstacle
        routes = inputs.list_routes(school, day)
        routes = routes[inputs.is_of_window(window)[routes]]
        if self.find_obstacle(officer, day, routes)[0] in {"free", "over_maximum"}:
            return ""
        return self.tell(officer, day, routes)

    def _find_school_obstacle(self, school: int, day: int) -> str:
        if not self.inputs.is_open[school, day]:
            return "school closed (term dates)"
        has_routes = len(self.inputs.list_routes(school, day))
        return "" if has_routes else "no patrol is planned for it that day"

    def _lacks_companion(self, officer: int, day: int, routes: Ints) -> bool:
        """Whether an officer needs a companion on all of some routes and none is free."""
        inputs, along = self.inputs, self.inputs.companions
        if not inputs.needs_companion[officer, day, routes].all():
            return False
        schools = np.unique(inputs.route_school[routes])
        joins = (along.day == day) & np.isin(along.school[along.place], schools)
        others = np.setdiff1d(along.officer[joins], [officer])
        busy = self.all_chosen[self.all_chosen[:, 1] == day, 0]
        is_free = self.patrols[others] < inputs.max_patrols[others]
        return not (is_free & ~np.isin(others, busy)).any()

    def _find_own_patrol(self, officer: int, day: int, routes: Ints) -> int | None:
        """The option that an officer is on when any of these would be walked; None if one fits."""
        # They have one patrol a window, and none while they are on another.
        inputs, problem, found = self.inputs, self.inputs.problem, None
        free = np.ones(len(routes), dtype=bool)
        set_out, back = inputs.set_out[officer, routes], inputs.back[officer, routes]
        mine = (problem.officer[self._rows] == officer) & (problem.day[self._rows] == day)
        for row in self._rows[mine].tolist():
            begin, end = problem.option_minutes[row]
            apart = (back <= begin + MINUTES_TOLERANCE) | (end <= set_out + MINUTES_TOLERANCE)
            apart &= inputs.route_window[routes] != problem.window[row]
            found = row if (free & ~apart).any() else found
            free &= apart
        return None if free.any() else found

    def _explain_hours(self, officer: int, day: int, routes: Ints) -> str:
        """An officer's conflicting appointments, or their hours if these alone leave no time."""
        inputs, free = self.inputs, self.inputs.free_time
        name, date = inputs.officers[officer], inputs.days[day]
        set_out, back = inputs.set_out[officer], inputs.back[officer]
        ends = inputs.route_minutes[:, 1]
        on_duty = routes[free.fit_hours(inputs.set_out, ends)[officer, day, routes]]
        clashes = (free.find_clashes(name, date, set_out[row], back[row]) for row in on_duty)
        busy = []
        for one in dict.fromkeys(one for some in clashes for one in some):
            hours = f" {format_time(one.from_minutes)}-{format_time(one.to_minutes)}"
            is_all_day = one.to_minutes - one.from_minutes >= WHOLE_DAY_MINUTES
            busy.append(one.kind.replace("_", " ") + ("" if is_all_day else hours))
        if busy:
            return f"{name} is away ({', '.join(busy)})"
        hours = "-".join(map(format_time, free.hours[officer, day]))
        first = routes[np.argmin(ends[routes])]
        needed = f"{format_time(set_out[first])}-{format_time(ends[first])}"
        return f"no patrol fits {name}'s hours {hours}: the first needs {needed}, from base to end"

    def find_crowded_hotspots(self, day: int, route: int) -> set[str]:
        """Hotspots that a route would bring over the daily maximum, unless it must go there."""
        given, asked = self._minutes_by_day[day], self.inputs.walked.list_asked_places(route)
        return {
            name
            for name, minutes in self.inputs.route_minutes_by_place[route].items()
            if (name not in asked or (day, name) in self._at_choice)
            and given.get(name, 0.0) + minutes > self.max_minutes + MINUTES_TOLERANCE
        }

    @cached_property
    def _at_choice(self) -> set[tuple[int, str]]:
        """Days and hotspots to which an officer comes without having to."""
        inputs = self.inputs
        return {
            (day, name)
            for officer, day, route in self.chosen.tolist()
            if inputs.locked[officer, day, route] < 0
            for name in inputs.route_minutes_by_place[route]
            if name not in inputs.walked.list_asked_places(route)
        }

    @cached_property
    def _minutes_by_day(self) -> list[defaultdict[str, float]]:
        """(d,) minutes of each hotspot."""
        given: list[defaultdict[str, float]] = [defaultdict(float) for _ in self.inputs.days]
        for _, day, route in self.chosen.tolist():
            for name, minutes in self.inputs.route_minutes_by_place[route].items():
                given[day][name] += minutes
        return given


def find_obstacles_beside(inputs: RotaInputs, duties: Sequence[Duty]) -> ObstacleFinder:
    """What keeps officers from further patrols than these."""
    chosen = [option for duty in duties for option in inputs.list_options(duty)]
    return ObstacleFinder(inputs, np.array(chosen, dtype=np.int64).reshape(-1, 3))


def note_over_maximum(inputs: RotaInputs, duties: Sequence[Duty]) -> Iterator[Note]:
    """Hotspots that get more than the daily maximum: from several patrols, and from one alone."""
    # The maximum is a rule between patrols: no stay is ever cut short, and the gate is exempt.
    most = inputs.area.settings.week.max_dose_minutes_per_day
    groups = group_stays(list_stays(duties))
    alone: dict[str, float] = {}
    for date, name in itertools.product(inputs.days, inputs.plans[0].hotspots["hotspot"]):
        stays = [stay for stay in groups.get(name, ()) if stay.date == date]
        minutes = sum(stay.minutes for stay in stays)
        patrols = list(dict.fromkeys(stay.duty for stay in stays))
        if minutes <= most + MINUTES_TOLERANCE:
            continue
        if len(patrols) == 1:
            alone[name] = max(minutes, alone.get(name, 0.0))
            continue
        visitors = "; ".join(f"{duty.officer} at URN {duty.urn}" for duty in patrols)
        text = (
            f"{name} gets {minutes:.0f} minutes on {format_day(date)}, more than the "
            f"maximum of {most:g}: {visitors}."
        )
        yield Note(OVER_MAXIMUM[0], text, "lead")
    if alone:
        places = ", ".join(f"{name} {minutes:.0f}" for name, minutes in alone.items())
        text = f"One patrol alone stays longer than the maximum of {most:g} minutes: {places}."
        yield Note(OVER_MAXIMUM[1], text, "lead")


def check_locks_and_bans(inputs: RotaInputs) -> None:
    """Raise for locks and bans of what does not exist, and for a lock that nobody can fulfil."""
    problems = Problems()
    for kind, rows in (("lock", inputs.locks), ("ban", inputs.bans)):
        for row in rows:
            own = [row.urn in {None, inputs.urns[school]} for school in inputs.route_school]
            known: dict[str, Sequence[object]] = {
                "officer": inputs.officers,
                "urn": inputs.urns,
                "date": [f"{day}" for day in inputs.days],
                "variant": range(1 + int(inputs.variant[:, own].max(initial=-1))),
                "window": list(inputs.area.settings.week.windows),
            }
            for name, values in known.items():
                value = getattr(row, name)
                if value is not None and f"{value}" not in map(str, values):
                    what = f"there is no {name} '{value}' in the week"
                    some = ", ".join(map(str, values[:12]))
                    problems.add(kind, what, f"choose from: {some}", _describe(row))
    problems.raise_if_any()
    finder = ObstacleFinder(inputs, np.zeros((0, 3), dtype=np.int64))
    for number, lock in enumerate(inputs.locks):
        if not (inputs.problem.lock == number).any():
            officer, school = inputs.officers.index(lock.officer), inputs.urns.index(lock.urn)
            what = finder.explain(officer, school, inputs.days.index(lock.date))
            what = what or "a ban rules it out, or the variant does not fit the hours"
            problems.add("lock", what, "remove the lock", _describe(lock))
    problems.raise_if_any()


def _describe(row: Lock | Ban) -> str:
    return f"{row.officer or '*'} at {row.urn or '*'} on {row.date or '*'}"


def build_demand_outcomes(
    finder: ObstacleFinder, duties: Sequence[Duty]
) -> tuple[DemandOutcome, ...]:
    """Who meets each demand of a week with these duties, or the nearest miss."""
    inputs = finder.inputs
    demands = inputs.demands
    meets = np.zeros((len(demands), len(inputs.routes)), dtype=bool)
    meets[tuple(find_meeting_routes(demands, inputs.routes).T)] = True
    # Whoever stands at a tasked place in its hours meets it.
    stays = [(stay, None if stay.stop is None else stay.stop.tasked) for stay in list_stays(duties)]
    outcomes = []
    for demand, routes in zip(demands, meets, strict=True):
        met_by = _find_visitors(inputs, demand, stays)
        date = inputs.days[demand.days[0]] if demand.is_tasked else None
        outcome = DemandOutcome(demand.kind, demand.place, date, demand.visits, met_by)
        why = None if outcome.is_met else _explain_unmet(finder, demand, routes)
        outcomes.append(replace(outcome, why=why))
    return tuple(outcomes)


def _find_visitors(
    inputs: RotaInputs, demand: Demand, stays: Sequence[tuple[Stay, str | None]]
) -> tuple[Visitor, ...]:
    """Who comes to the place on days that count, each once, in order of time."""
    first: dict[Duty, Stay] = {}
    for stay, tasked in stays:
        is_there = demand.is_tasked and tasked == demand.place
        if is_there or not set(demand.hotspots).isdisjoint(stay.names):
            first.setdefault(stay.duty, stay)
    found = sorted(first.values(), key=lambda stay: (stay.date, stay.from_minutes))
    return tuple(
        Visitor(stay.duty.officer, stay.duty.urn, stay.date, format_time(stay.from_minutes))
        for stay in found
        if inputs.days.index(stay.date) in demand.days and len(stay.officers) >= demand.officers
    )


def _explain_unmet(finder: ObstacleFinder, demand: Demand, meets: Bools) -> Obstacle:
    """Why a place has fewer visits than it should; `meets` (r,) are the routes that go there."""
    inputs, days = finder.inputs, list(demand.days)
    if not days:
        return Obstacle("other_days", demand.place)
    planned = meets & (inputs.variant[days] >= 0)
    if not planned.any():
        return _explain_unplanned(inputs, demand)
    if not (planned & inputs.is_open[inputs.route_school][:, days].T).any():
        return Obstacle("schools_closed", demand.place)
    officers: dict[OfficerObstacle, tuple[str, ...]] = {}
    for row, name in enumerate(inputs.officers):
        each = list(_list_obstacles(finder, demand, meets, row))
        if each:  # the smallest of all days
            why = min(each, key=get_args(OfficerObstacle).index)
            officers[why] = (*officers.get(why, ()), name)
    schools = dict.fromkeys(inputs.routes[row].school for row in np.flatnonzero(planned.any(0)))
    return Obstacle("officers_short", demand.place, schools=tuple(schools), officers=officers)


def _explain_unplanned(inputs: RotaInputs, demand: Demand) -> Obstacle:
    """Why no patrol of any school goes to a place: that of the school which comes nearest."""
    parts = [part for day in demand.days for part in inputs.plans[day].parts]
    unserved = [row for part in parts for row in part.unserved]
    if demand.is_tasked:
        places = inputs.area.tasked_places
        place = places[places["place_id"] == demand.place].iloc[0]
        return errands.find_nearest_miss(inputs.area, place, inputs.urns, unserved)
    if not demand.hotspots:
        return Obstacle("no_hotspot", demand.place)
    found = [row.why for row in unserved if row.is_watched and row.place in demand.hotspots]
    if missed := errands.choose_nearest_miss(found):
        return missed
    if demand.kind == "designated" and (own := get_place(inputs.area, demand.place)) is not None:
        point = own.geometry.centroid
        return errands.measure_nearest_school(inputs.area, demand.place, point, inputs.urns)
    is_feared = demand.kind == "feared"
    return Obstacle("beyond_schools" if is_feared else "no_school", demand.place)


def _list_obstacles(
    finder: ObstacleFinder, demand: Demand, meets: Bools, officer: int
) -> Iterator[OfficerObstacle]:
    """What keeps an officer from the place, by each day."""
    inputs, school = finder.inputs, finder.inputs.route_school
    own = finder.chosen[finder.chosen[:, 0] == officer]
    for day in demand.days:
        routes = meets & (inputs.variant[day] >= 0) & inputs.is_open[school, day]
        routes &= inputs.cares[officer, school] | (inputs.locked[officer, day] >= 0)
        is_there = bool(routes[own[own[:, 1] == day, 2]].any())
        if not routes.any() or (is_there and demand.kind == "designated"):
            continue
        obstacle, _ = finder.find_obstacle(officer, day, np.flatnonzero(routes))
        if is_there or (demand.officers > 1 and obstacle in {"free", "over_maximum"}):
            obstacle = "without_second"  # who is there alone does not count
        yield obstacle
