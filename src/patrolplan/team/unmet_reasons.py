"""Why there is no patrol: for unmet days, hotspots over their maximum, locks and bans."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from patrolplan.errors import Problems
from patrolplan.notes import Note
from patrolplan.team.free_time import Appointment
from patrolplan.team.problem import MINUTES_TOLERANCE, Ints
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.week import Ban, Lock, Unmet, format_day
from patrolplan.times import format_time

WHOLE_DAY_MINUTES = 1439.0
"""Minutes of absence that count as all day, from 00:00 to 23:59."""


class UnmetReasons:
    """Checks the officers of a school, in the order in which they could have come.

    `chosen` is (c, 3) officer, day and route of every duty, and of everyone who walks along.
    """

    def __init__(self, inputs: RotaInputs, chosen: Ints) -> None:
        self.inputs = inputs
        self.all_chosen = chosen
        self.chosen = chosen[chosen[:, 2] < len(inputs.routes)]
        schools = np.concatenate([inputs.route_school, inputs.companions.school])
        self.urn_at = {(int(k), int(d)): inputs.urns[schools[r]] for k, d, r in chosen}
        self.patrols = np.bincount(chosen[:, 0], minlength=len(inputs.officers))
        self.max_minutes = inputs.area.settings.week.max_dose_minutes_per_day

    def find_unmet_days(self) -> tuple[Unmet, ...]:
        """Every school and day without a patrol, and why."""
        inputs = self.inputs
        served = set(zip(inputs.route_school[self.chosen[:, 2]], self.chosen[:, 1], strict=True))
        return tuple(
            Unmet(urn, date, self._explain(school, day))
            for day, date in enumerate(inputs.days)
            for school, urn in enumerate(inputs.urns)
            if (school, day) not in served
        )

    def _explain(self, school: int, day: int) -> str:
        """Why a school has no patrol on a day."""
        if obstacle := self._find_school_obstacle(school, day):
            return obstacle
        officers = self._list_leads(school)
        if not officers:
            return "no officer covers this school"
        reasons = "; ".join(
            self._find_officer_obstacle(officer, school, day)
            or self._explain_free_officer(officer, school, day)
            for officer in officers
        )
        return f"{reasons}, no other officer covers this school" if len(officers) == 1 else reasons

    def find_obstacle(self, officer: int, school: int, day: int, window: str | None = None) -> str:
        """What keeps an officer from a school on a day, lent or not; empty if nothing does.

        In a window of the week; in any for None.
        """
        if not self.inputs.is_lead[officer]:
            name = self.inputs.officers[officer]
            if self.inputs.stays_at_gate[officer]:
                return f"{name} stays at the gate"
            return f"{name} is school staff, who walk along and never lead"
        return (
            self._find_school_obstacle(school, day)
            or self._find_officer_obstacle(officer, school, day, window)
            or self._find_crew_obstacle(officer, school, day)
        )

    def _list_leads(self, school: int) -> list[int]:
        """Officers who may lead a school's patrols."""
        inputs = self.inputs
        return [int(row) for row in np.flatnonzero(inputs.cares[:, school] & inputs.is_lead)]

    def _find_crew_obstacle(self, officer: int, school: int, day: int) -> str:
        """Whether an officer needs a companion and none is free."""
        inputs, along = self.inputs, self.inputs.companions
        routes = self._list_routes_in_time(officer, school, day)
        if not inputs.needs_companion[officer, day, routes].all():
            return ""
        options = (along.day == day) & (along.school[along.place] == school)
        free = {
            int(who)
            for who in along.officer[options]
            if who != officer
            and (int(who), day) not in self.urn_at
            and self.patrols[who] < inputs.max_patrols[who]
        }
        if free:
            return ""
        return f"{inputs.officers[officer]} needs someone to walk along, and nobody is free to"

    def _find_school_obstacle(self, school: int, day: int) -> str:
        if not self.inputs.is_open[school, day]:
            return "school closed (term dates)"
        if not ((self.inputs.route_school == school) & (self.inputs.variant[day] >= 0)).any():
            return "no patrol is planned for it that day"
        return ""

    def _find_officer_obstacle(
        self, officer: int, school: int, day: int, window: str | None = None
    ) -> str:
        inputs = self.inputs
        name = inputs.officers[officer]
        if inputs.is_absent[officer, day] or np.isnan(inputs.hours[officer, day, 0]):
            return f"{name} is {'absent' if inputs.is_absent[officer, day] else 'off duty'}"
        routes = inputs.list_routes(school, day)
        routes = routes[inputs.is_of_window(window)[routes]]
        in_time = inputs.in_time[officer, day, routes]
        if not in_time.any():
            return self._explain_appointment(officer, day, routes) or self._explain_hours(
                officer, day, routes
            )
        if inputs.banned[officer, day, routes][in_time].all():
            return f"{name} is ruled out by a ban"
        if urn := self._find_own_patrol(officer, day, routes[in_time]):
            return f"{name} patrols URN {urn} that day"
        if self.patrols[officer] >= inputs.max_patrols[officer]:
            return f"{name} has reached the maximum of {inputs.max_patrols[officer]} patrols"
        return ""

    def _find_own_patrol(self, officer: int, day: int, routes: Ints) -> str:
        """Where an officer is when each of these routes would be walked; empty where one is free.

        They have one patrol a window, and none while they are on another.
        """
        inputs, urn = self.inputs, ""
        free = np.ones(len(routes), dtype=bool)
        set_out, back = inputs.set_out[officer, routes], inputs.back[officer, routes]
        for _, _, route in self._chosen_of(officer, day).tolist():
            school, window, begin, end = self._get_place(officer, day, route)
            apart = (back <= begin + MINUTES_TOLERANCE) | (end <= set_out + MINUTES_TOLERANCE)
            clashes = free & ~((inputs.route_window[routes] != window) & apart)
            urn = inputs.urns[school] if clashes.any() else urn
            free &= ~clashes
        return "" if free.any() else urn

    def _chosen_of(self, officer: int, day: int) -> Ints:
        """(c, 3) what an officer does on a day, including as a companion."""
        mine = (self.all_chosen[:, 0] == officer) & (self.all_chosen[:, 1] == day)
        return np.asarray(self.all_chosen[mine])

    def _get_place(self, officer: int, day: int, route: int) -> tuple[int, int, float, float]:
        """School and window of a route, or of walking along, and when the officer is away."""
        inputs, along = self.inputs, self.inputs.companions
        place = route - len(inputs.routes)
        if place < 0:
            span = inputs.set_out[officer, route], inputs.back[officer, route]
            return int(inputs.route_school[route]), int(inputs.route_window[route]), *span
        same = (along.officer == officer) & (along.day == day) & (along.place == place)
        begin, end = along.minutes[same][0]
        return int(along.school[place]), int(along.window[place]), float(begin), float(end)

    def _explain_appointment(self, officer: int, day: int, routes: Ints) -> str:
        """An officer's conflicting appointments, if their hours alone would leave time."""
        free, ends = self.inputs.free_time, self.inputs.route_minutes[:, 1]
        on_duty = routes[free.fit_hours(self.inputs.set_out, ends)[officer, day, routes]]
        clashes = (
            free.find_clashes(
                officer, day, self.inputs.set_out[officer, row], self.inputs.back[officer, row]
            )
            for row in on_duty.tolist()
        )
        found = dict.fromkeys(one for each in clashes for one in each)
        name = self.inputs.officers[officer]
        return " and ".join(f"{name} {describe_appointment(one)}" for one in found)

    def _explain_hours(self, officer: int, day: int, routes: Ints) -> str:
        """An officer's hours against the route that comes nearest to fitting them."""
        inputs = self.inputs
        name = inputs.officers[officer]
        begin, end = inputs.hours[officer, day]
        starts, ends = inputs.route_minutes[routes].T
        hours = f"{format_time(begin)}-{format_time(end)}"
        if ends.min() > end + MINUTES_TOLERANCE:
            return (
                f"no patrol fits {name}'s hours {hours}: starting at {format_time(starts.min())}, "
                f"the shortest ends at {format_time(ends.min())}"
            )
        latest = int(np.argmax(starts))
        minutes = starts[latest] - inputs.set_out[officer, routes[latest]]
        at = format_time(starts[latest])
        way = f"at {at} and the way from base takes {np.ceil(minutes):.0f} minutes"
        way = way if minutes else f"at the base at {at}"
        return f"no patrol fits {name}'s hours {hours}: it starts {way}"

    def _explain_free_officer(self, officer: int, school: int, day: int) -> str:
        """Why an officer who could come does not: full hotspots, or nothing gained."""
        name = self.inputs.officers[officer]
        if obstacle := self._find_crew_obstacle(officer, school, day):
            return obstacle
        if crowded := self._list_crowded(officer, school, day):
            names = " or ".join(sorted(set.intersection(*crowded) or set.union(*crowded)))
            cap = f"the maximum of {self.max_minutes:g} minutes"
            return f"{name} is free, but {names} would get more than {cap}"
        return f"{name} is free, but one more patrol there adds nothing to the week"

    def _list_routes_in_time(self, officer: int, school: int, day: int) -> Ints:
        routes = self.inputs.list_routes(school, day)
        return np.asarray(routes[self.inputs.in_time[officer, day, routes]])

    def _list_crowded(self, officer: int, school: int, day: int) -> list[set[str]]:
        """What each remaining route would bring over the maximum; empty where one would not."""
        routes = self._list_routes_in_time(officer, school, day)
        allowed = ~self.inputs.banned[officer, day, routes]
        crowded = [self.find_crowded_hotspots(day, route) for route in routes[allowed].tolist()]
        return crowded if all(crowded) else []

    def is_blocked_by_cap(self, school: int) -> bool:
        """Whether the daily maximum alone keeps a free officer from a school on some day."""
        return any(
            self._list_crowded(officer, school, day)
            for day in np.flatnonzero(self.inputs.is_open[school]).tolist()
            for officer in self._list_leads(school)
            if len(self.inputs.list_routes(school, day))
            and not self._find_officer_obstacle(officer, school, day)
        )

    def find_crowded_hotspots(self, day: int, route: int) -> set[str]:
        """Hotspots that a route would bring over the daily maximum, unless it must go there."""
        given, asked = self._minutes_by_day[day], self.inputs.list_asked_places(route)
        return {
            name
            for name, minutes in self.inputs.route_minutes_by_place[route].items()
            if (name not in asked or self._has_optional_visit(name, day))
            and given.get(name, 0.0) + minutes > self.max_minutes + MINUTES_TOLERANCE
        }

    def _has_optional_visit(self, hotspot: str, day: int) -> bool:
        """Whether an officer comes to a hotspot on a day without having to."""
        inputs = self.inputs
        return any(
            hotspot in inputs.route_minutes_by_place[route]
            and hotspot not in inputs.list_asked_places(route)
            and inputs.locked[officer, day, route] < 0
            for officer, on, route in self.chosen.tolist()
            if on == day
        )

    @cached_property
    def _minutes_by_day(self) -> list[defaultdict[str, float]]:
        """(d,) minutes of each hotspot."""
        given: list[defaultdict[str, float]] = [defaultdict(float) for _ in self.inputs.days]
        for _, day, route in self.chosen.tolist():
            for name, minutes in self.inputs.route_minutes_by_place[route].items():
                given[day][name] += minutes
        return given

    def note_over_cap(self) -> Iterator[Note]:
        """Hotspots that still exceed the daily maximum, and why."""
        for day, date in enumerate(self.inputs.days):
            for name, minutes in self._minutes_by_day[day].items():
                if minutes > self.max_minutes + MINUTES_TOLERANCE:
                    yield Note(
                        "over_daily_maximum",
                        {
                            "hotspot": name,
                            "minutes": float(minutes),
                            "date": f"{date}",
                            "maximum": self.max_minutes,
                            "visitors": list(self._describe_visitors(name, day)),
                        },
                    )

    def _describe_visitors(self, hotspot: str, day: int) -> Iterator[str]:
        """Who goes to a hotspot on a day, and what makes them go."""
        for officer, on, route in self.chosen.tolist():
            patrol = self.inputs.routes[route]
            if on == day and hotspot in self.inputs.route_minutes_by_place[route]:
                locked = self.inputs.locked[officer, day, route] >= 0
                held = (officer, day, route) in self.inputs.held_rows
                why = "handed out" if held else "locked" if locked else "placed by hand"
                asked = hotspot in self.inputs.list_asked_places(route)
                why = "it must be visited" if asked else why
                yield f"{self.inputs.officers[officer]} at URN {patrol.urn} ({why})"


APPOINTMENT_WORDS = {
    "leave": "is on leave",
    "sick": "is sick",
    "court": "is at court",
    "training": "is at training",
    "assembly": "is at an assembly",
    "meeting": "is in a meeting",
    "interview": "is at an interview",
    "home_visit": "is on a home visit",
    "event": "is at an event",
    "away": "is away",
}
"""What someone with a duty of each kind does."""


def describe_appointment(one: Appointment) -> str:
    """What an officer does, and from when to when unless all day; no further details."""
    hours = f"{format_time(one.from_minutes)}-{format_time(one.to_minutes)}"
    is_all_day = one.to_minutes - one.from_minutes >= WHOLE_DAY_MINUTES
    return APPOINTMENT_WORDS[one.kind] + ("" if is_all_day else f" {hours}")


def check_locks_and_bans(inputs: RotaInputs) -> None:
    """Raise for locks and bans that name an officer, school, day or variant that does not exist."""
    problems = Problems()
    days = inputs.days
    for kind, rows in (("lock", inputs.locks), ("ban", inputs.bans)):
        for row in rows:
            place = f"{row.officer or '*'} at {row.urn or '*'} on {row.date or '*'}"
            if row.officer is not None and row.officer not in inputs.officers:
                names = ", ".join(list(inputs.officers)[:12])
                what = f"there is no officer '{row.officer}' (known: {names})"
                problems.add(kind, what, "name one of them", place)
            highest = _find_highest_variant(inputs, row)
            if highest < 0:
                what = f"no patrol is planned for URN '{row.urn}'"
                problems.add(kind, what, "name a school of the plan", place)
            elif row.variant is not None and not 0 <= row.variant <= highest:
                what = f"there is no variant {row.variant}"
                problems.add(kind, what, f"write 0 to {highest}", place)
            if row.window not in {None, *inputs.area.settings.week.windows}:
                what = f"there is no window '{row.window}' in the week"
                remedy = f"name one of them: {', '.join(inputs.area.settings.week.windows)}"
                problems.add(kind, what, remedy, place)
            if row.date not in {*days, *([None] if kind == "ban" else [])}:
                span = f"{format_day(days[0])} to {format_day(days[-1])}"
                what = f"{row.date} is not one of the planned days"
                problems.add(kind, what, f"name a day from {span}", place)
    problems.raise_if_any()


def _find_highest_variant(inputs: RotaInputs, row: Lock | Ban) -> int:
    """The highest number of a route that a lock or ban may name; -1 where none is planned."""
    urns = np.array([row.urn in {None, urn} for urn in inputs.urns], dtype=bool)
    routes = urns[inputs.route_school]
    return int(inputs.variant[:, routes].max(initial=-1))


def check_locks(inputs: RotaInputs) -> None:
    """Raise for locks that cannot be fulfilled, separately or together."""
    problems = Problems()
    reasons = UnmetReasons(inputs, np.zeros((0, 3), dtype=np.int64))
    for number, lock in enumerate(inputs.locks):
        if not (inputs.problem.lock == number).any():
            row, school = inputs.officers.index(lock.officer), inputs.urns.index(lock.urn)
            what = reasons.find_obstacle(row, school, inputs.days.index(lock.date))
            what = what or "a ban rules it out, or the variant does not fit the hours"
            place = f"{lock.officer} at {lock.urn} on {lock.date}"
            problems.add("lock", what, "remove the lock", place)
    officer_days = Counter((lock.officer, lock.date, lock.window or "") for lock in inputs.locks)
    for (officer, date, _), count in sorted(officer_days.items()):
        if count > 1:
            problems.add("lock", f"{officer} has two patrols on {date}", "keep one of the locks")
    limits = dict(zip(inputs.officers, inputs.max_patrols.tolist(), strict=True))
    for officer, count in sorted(Counter(lock.officer for lock in inputs.locks).items()):
        if count > limits[officer]:
            what = f"{officer} has {count} patrols, more than the maximum of {limits[officer]}"
            problems.add("lock", what, "remove some locks, or raise max_patrols_per_week")
    together = inputs.area.settings.patrol.officers
    school_days = Counter((lock.urn, lock.date, lock.window or "") for lock in inputs.locks)
    for (urn, date, _), count in sorted(school_days.items()):
        if count > together:
            what = f"URN {urn} has more than {together} officers on {date}"
            problems.add("lock", what, "remove some locks")
    problems.raise_if_any()
