"""Why there is no patrol: what keeps an officer from some routes on a day, for all who ask.

Unmet days, unmet demands, changes by hand and locks ask the same function, and find the words in
`patrolplan.patrols.obstacles`. Locks and bans that cannot be are refused here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from patrolplan.errors import Problems
from patrolplan.notes import Note
from patrolplan.patrols.obstacles import OFFICER_WORDS, OfficerObstacle
from patrolplan.team.free_time import Appointment
from patrolplan.team.problem import MINUTES_TOLERANCE, Ints
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.week import format_day
from patrolplan.team.week_records import Ban, Lock, Unmet
from patrolplan.times import format_time

WHOLE_DAY_MINUTES = 1439.0
"""Minutes of absence that count as all day, from 00:00 to 23:59."""


class ObstacleFinder:
    """Finds what keeps officers from further patrols of a week.

    `chosen` is (c, 3) officer, day and route of every duty, and of everyone who walks along.
    """

    def __init__(self, inputs: RotaInputs, chosen: Ints) -> None:
        self.inputs = inputs
        self.all_chosen = chosen
        self.chosen = chosen[chosen[:, 2] < len(inputs.routes)]
        self.patrols = np.bincount(chosen[:, 0], minlength=len(inputs.officers))
        self.max_minutes = inputs.area.settings.week.max_dose_minutes_per_day

    def find_obstacle(self, officer: int, day: int, routes: Ints) -> OfficerObstacle:
        """What keeps an officer from all of some routes on a day; "free" if nothing does."""
        inputs = self.inputs
        in_time = routes[inputs.in_time[officer, day, routes]]
        obstacle: OfficerObstacle = "free"
        if inputs.is_absent[officer, day] or np.isnan(inputs.free_time.hours[officer, day, 0]):
            obstacle = "away"
        elif not len(in_time):
            obstacle = "off_hours"
        elif inputs.banned[officer, day, in_time].all():
            obstacle = "banned"
        elif (elsewhere := self._find_own_patrol(officer, day, in_time)) is not None:
            is_locked = (
                elsewhere < len(inputs.routes) and inputs.locked[officer, day, elsewhere] >= 0
            )
            obstacle = "locked" if is_locked else "elsewhere"
        elif self.patrols[officer] >= inputs.max_patrols[officer]:
            obstacle = "at_maximum"
        elif self._lacks_companion(officer, day, in_time):
            obstacle = "without_second"
        elif self._list_crowded(officer, day, in_time):
            obstacle = "over_maximum"
        return obstacle

    def tell(self, obstacle: OfficerObstacle, officer: int, day: int, routes: Ints) -> str:
        """What keeps an officer from all of some routes on a day, as a sentence."""
        inputs, facts = self.inputs, {"officer": self.inputs.officers[officer]}
        in_time = routes[inputs.in_time[officer, day, routes]]
        if obstacle == "away":
            facts["why"] = "absent" if inputs.is_absent[officer, day] else "off duty"
        elif obstacle == "off_hours":
            clash = self._explain_appointment(officer, day, routes)
            facts["why"] = clash or self._explain_hours(officer, day, routes)
        elif obstacle in {"elsewhere", "locked"}:
            elsewhere = self._find_own_patrol(officer, day, in_time)
            assert elsewhere is not None  # noqa: S101 - for mypy
            facts["urn"] = inputs.urns[self._get_place(officer, day, elsewhere)[0]]
        elif obstacle == "at_maximum":
            facts["most"] = str(inputs.max_patrols[officer])
        elif obstacle == "over_maximum":
            crowded = self._list_crowded(officer, day, in_time)
            facts["places"] = " or ".join(sorted(set.intersection(*crowded) or set.union(*crowded)))
            facts["most"] = f"{self.max_minutes:g}"
        return OFFICER_WORDS[obstacle][1].format(**facts)

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
        officers, routes = self._list_leads(school), self.inputs.list_routes(school, day)
        if not officers:
            return "no officer covers this school"
        reasons = "; ".join(
            self.tell(self.find_obstacle(officer, day, routes), officer, day, routes)
            for officer in officers
        )
        return f"{reasons}, no other officer covers this school" if len(officers) == 1 else reasons

    def explain(self, officer: int, school: int, day: int, window: str | None = None) -> str:
        """What keeps an officer from a school on a day, lent or not; empty if nothing does."""
        # In a window of the week; in any for None. Whether a place gets too much is not asked.
        name = self.inputs.officers[officer]
        if not self.inputs.is_lead[officer]:
            if self.inputs.stays_at_gate[officer]:
                return f"{name} stays at the gate"
            return f"{name} is school staff, who walk along and never lead"
        if obstacle := self._find_school_obstacle(school, day):
            return obstacle
        routes = self.inputs.list_routes(school, day)
        routes = routes[self.inputs.is_of_window(window)[routes]]
        kind = self.find_obstacle(officer, day, routes)
        return "" if kind in {"free", "over_maximum"} else self.tell(kind, officer, day, routes)

    def _list_leads(self, school: int) -> list[int]:
        """Officers who may lead a school's patrols."""
        inputs = self.inputs
        return np.flatnonzero(inputs.cares[:, school] & inputs.is_lead).tolist()

    def _find_school_obstacle(self, school: int, day: int) -> str:
        if not self.inputs.is_open[school, day]:
            return "school closed (term dates)"
        if not len(self.inputs.list_routes(school, day)):
            return "no patrol is planned for it that day"
        return ""

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
        """The route that an officer is on when any of these would be walked; None if one fits."""
        # They have one patrol a window, and none while they are on another.
        inputs, found = self.inputs, None
        free = np.ones(len(routes), dtype=bool)
        set_out, back = inputs.set_out[officer, routes], inputs.back[officer, routes]
        mine = (self.all_chosen[:, 0] == officer) & (self.all_chosen[:, 1] == day)
        for route in self.all_chosen[mine, 2].tolist():
            _, window, begin, end = self._get_place(officer, day, route)
            apart = (back <= begin + MINUTES_TOLERANCE) | (end <= set_out + MINUTES_TOLERANCE)
            clashes = free & ~((inputs.route_window[routes] != window) & apart)
            found = route if clashes.any() else found
            free &= ~clashes
        return None if free.any() else found

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
        inputs, free = self.inputs, self.inputs.free_time
        on_duty = free.fit_hours(inputs.set_out, inputs.route_minutes[:, 1])[officer, day, routes]
        clashes = dict.fromkeys(
            one
            for row in routes[on_duty].tolist()
            for one in free.find_clashes(
                officer, day, inputs.set_out[officer, row], inputs.back[officer, row]
            )
        )
        name = inputs.officers[officer]
        return " and ".join(f"{name} {describe_appointment(one)}" for one in clashes)

    def _explain_hours(self, officer: int, day: int, routes: Ints) -> str:
        """An officer's hours against the route that comes nearest to fitting them."""
        inputs = self.inputs
        name = inputs.officers[officer]
        begin, end = inputs.free_time.hours[officer, day]
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

    def _list_crowded(self, officer: int, day: int, routes: Ints) -> list[set[str]]:
        """What each allowed route would bring over the maximum; empty where one would not."""
        allowed = routes[~self.inputs.banned[officer, day, routes]]
        crowded = [self.find_crowded_hotspots(day, route) for route in allowed.tolist()]
        return crowded if all(crowded) else []

    def is_blocked_by_cap(self, school: int) -> bool:
        """Whether the daily maximum alone keeps a free officer from a school on some day."""
        return any(
            self.find_obstacle(officer, day, routes) == "over_maximum"
            for day in np.flatnonzero(self.inputs.is_open[school]).tolist()
            if len(routes := self.inputs.list_routes(school, day))
            for officer in self._list_leads(school)
        )

    def find_crowded_hotspots(self, day: int, route: int) -> set[str]:
        """Hotspots that a route would bring over the daily maximum, unless it must go there."""
        given, asked = self._minutes_by_day[day], self.inputs.walked.list_asked_places(route)
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
            and hotspot not in inputs.walked.list_asked_places(route)
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
                    text = (
                        f"{name} gets {minutes:.0f} minutes on {format_day(date)}, more than the "
                        f"maximum of {self.max_minutes:g}: "
                        f"{'; '.join(self._describe_visitors(name, day))}."
                    )
                    yield Note("over_daily_maximum", text, "lead")

    def _describe_visitors(self, hotspot: str, day: int) -> Iterator[str]:
        """Who goes to a hotspot on a day, and what makes them go."""
        for officer, on, route in self.chosen.tolist():
            patrol = self.inputs.routes[route]
            if on == day and hotspot in self.inputs.route_minutes_by_place[route]:
                locked = self.inputs.locked[officer, day, route] >= 0
                held = (officer, day, route) in self.inputs.held_rows
                why = "handed out" if held else "locked" if locked else "placed by hand"
                asked = hotspot in self.inputs.walked.list_asked_places(route)
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


def _check_names(inputs: RotaInputs) -> None:
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


def check_locks_and_bans(inputs: RotaInputs) -> None:
    """Raise for locks and bans of what does not exist, and for locks that cannot be fulfilled."""
    _check_names(inputs)
    problems = Problems()
    finder = ObstacleFinder(inputs, np.zeros((0, 3), dtype=np.int64))
    for number, lock in enumerate(inputs.locks):
        if not (inputs.problem.lock == number).any():
            row, school = inputs.officers.index(lock.officer), inputs.urns.index(lock.urn)
            what = finder.explain(row, school, inputs.days.index(lock.date))
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
