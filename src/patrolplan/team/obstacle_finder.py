"""Why there is no patrol: what keeps an officer from some routes on a day, for all who ask.

Unmet days, unmet demands, changes by hand and locks ask the same function, and find the words in
`patrolplan.patrols.obstacles`. Locks and bans that cannot be are refused here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
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

    def find_obstacle(
        self, officer: int, day: int, routes: Ints
    ) -> tuple[OfficerObstacle, dict[str, object]]:
        """What keeps an officer from all of some routes on a day, and the facts for its words.

        "free" if nothing does.
        """
        inputs = self.inputs
        in_time = routes[inputs.in_time[officer, day, routes]]
        allowed = in_time[~inputs.banned[officer, day, in_time]]
        found: tuple[OfficerObstacle, dict[str, object]] = "free", {}
        if inputs.is_absent[officer, day]:
            found = "away", {"why": "absent"}
        elif np.isnan(inputs.free_time.hours[officer, day, 0]):
            found = "away", {"why": "off duty"}
        elif not len(in_time):
            found = "off_hours", {"why": self._explain_hours(officer, day, routes)}
        elif not len(allowed):
            found = "banned", {}
        elif (own := self._find_own_patrol(officer, day, in_time)) is not None:
            is_locked = own < len(inputs.routes) and inputs.locked[officer, day, own] >= 0
            facts = {"urn": inputs.urns[self._get_place(officer, day, own)[0]]}
            found = "locked" if is_locked else "elsewhere", {**facts}
        elif self.patrols[officer] >= inputs.max_patrols[officer]:
            found = "at_maximum", {"most": inputs.max_patrols[officer]}
        elif self._lacks_companion(officer, day, in_time):
            found = "without_second", {}
        elif all(crowded := [self.find_crowded_hotspots(day, route) for route in allowed.tolist()]):
            names = sorted(set.intersection(*crowded) or set.union(*crowded))
            facts = {"places": " or ".join(names), "most": f"{self.max_minutes:g}"}
            found = "over_maximum", {**facts}
        return found

    def tell(self, officer: int, day: int, routes: Ints) -> str:
        """What keeps an officer from all of some routes on a day, as a sentence."""
        obstacle, facts = self.find_obstacle(officer, day, routes)
        return OFFICER_WORDS[obstacle][1].format(officer=self.inputs.officers[officer], **facts)

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
        reasons = "; ".join(self.tell(officer, day, routes) for officer in officers)
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
        if self.find_obstacle(officer, day, routes)[0] in {"free", "over_maximum"}:
            return ""
        return self.tell(officer, day, routes)

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

    def _explain_hours(self, officer: int, day: int, routes: Ints) -> str:
        """An officer's conflicting appointments, or their hours if these alone leave no time."""
        inputs, free = self.inputs, self.inputs.free_time
        name = inputs.officers[officer]
        set_out, back = inputs.set_out[officer], inputs.back[officer]
        ends = inputs.route_minutes[:, 1]
        on_duty = routes[free.fit_hours(inputs.set_out, ends)[officer, day, routes]]
        date = inputs.days[day]
        clashes = (free.find_clashes(name, date, set_out[row], back[row]) for row in on_duty)
        busy = dict.fromkeys(one for some in clashes for one in some)
        if busy:
            return " and ".join(f"{name} {describe_appointment(one)}" for one in busy)
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
        """Hotspots that still exceed the daily maximum, and who goes there."""
        inputs = self.inputs
        for day, date in enumerate(inputs.days):
            for name, minutes in self._minutes_by_day[day].items():
                if minutes > self.max_minutes + MINUTES_TOLERANCE:
                    visitors = "; ".join(
                        f"{inputs.officers[officer]} at URN {inputs.routes[route].urn}"
                        for officer, on, route in self.chosen.tolist()
                        if on == day and name in inputs.route_minutes_by_place[route]
                    )
                    text = (
                        f"{name} gets {minutes:.0f} minutes on {format_day(date)}, more than the "
                        f"maximum of {self.max_minutes:g}: {visitors}."
                    )
                    yield Note("over_daily_maximum", text, "lead")


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
