"""Why nobody patrols a school on a day, said exactly."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from patrolplan.patrols.plan import format_time
from patrolplan.team.bases import MODE_WORDS
from patrolplan.team.problem import Bools, Ints
from patrolplan.team.rota_inputs import MINUTES_TOLERANCE, RotaInputs
from patrolplan.team.week import Unmet, format_day


def find_unmet_days(inputs: RotaInputs, chosen: Ints) -> tuple[Unmet, ...]:
    """Every school and day without a patrol, and why.

    Parameters
    ----------
    choice
        What the week was chosen from.
    chosen
        (c, 3) officer, day and route of every duty.
    """
    reasons = UnmetReasons(inputs, chosen)
    served = set(zip(inputs.route_school[chosen[:, 2]], chosen[:, 1], strict=True))
    return tuple(
        Unmet(urn, date, reasons.explain(school, day))
        for day, date in enumerate(inputs.days)
        for school, urn in enumerate(inputs.urns)
        if (school, day) not in served
    )


class UnmetReasons:
    """Looks through the officers of a school, in the order in which they could have come.

    Parameters
    ----------
    choice
        What the week was chosen from.
    chosen
        (c, 3) officer, day and route of every duty.
    """

    def __init__(self, inputs: RotaInputs, chosen: Ints) -> None:
        self.choice = inputs
        self.chosen = chosen
        self.place = {(int(k), int(d)): inputs.routes[r].urn for k, d, r in chosen}
        self.count = np.bincount(chosen[:, 0], minlength=len(inputs.officers))
        self.most = inputs.most

    def explain(self, school: int, day: int) -> str:
        """Why nobody patrols a school on a day."""
        if nobody := self._find_school_obstacle(school, day):
            return nobody
        officers = np.flatnonzero(self.choice.cares[:, school])
        if not len(officers):
            return "no officer has it in their care"
        said = "; ".join(self._explain_officer(int(officer), school, day) for officer in officers)
        return f"{said}, nobody else covers it" if len(officers) == 1 else said

    def find_obstacle(self, officer: int, school: int, day: int) -> str:
        """What keeps an officer from a school on a day, lent or not; empty when nothing does."""
        return self._find_school_obstacle(school, day) or self._find_officer_obstacle(
            officer, school, day
        )

    def _find_school_obstacle(self, school: int, day: int) -> str:
        if not self.choice.is_open[school, day]:
            return "school closed (term dates)"
        if not ((self.choice.route_school == school) & (self.choice.variant[day] >= 0)).any():
            return "no patrol is planned for it that day"
        return ""

    def _explain_officer(self, officer: int, school: int, day: int) -> str:
        hindered = self._find_officer_obstacle(officer, school, day)
        if hindered:
            return hindered
        routes = self.choice.list_routes(officer, school, day)
        return self._explain_free_officer(
            officer, day, routes[self.choice.in_time[officer, day, routes]]
        )

    def _find_officer_obstacle(self, officer: int, school: int, day: int) -> str:
        name = self.choice.officers[officer]
        if self.choice.away[officer, day] or np.isnan(self.choice.hours[officer, day, 0]):
            return f"{name} is {'absent' if self.choice.away[officer, day] else 'off'}"
        routes = self.choice.list_routes(officer, school, day)
        in_time = self.choice.in_time[officer, day, routes]
        if not in_time.any():
            return self._explain_hours(officer, day, routes)
        if self.choice.banned[officer, day, routes][in_time].all():
            return f"{name} is kept off it by hand"
        elsewhere = self.place.get((officer, day))
        if elsewhere is not None:
            return f"{name} patrols URN {elsewhere} that day"
        if self.count[officer] >= self.most[officer]:
            return f"{name} has reached {self.most[officer]} patrols"
        return ""

    def _explain_hours(self, officer: int, day: int, routes: Ints) -> str:
        """The hours against the route that would ask least of them."""
        name = self.choice.officers[officer]
        if not len(routes):
            said = MODE_WORDS[self.choice.modes[officer]]
            return f"{name} goes {said}, and no patrol {said} is planned for it"
        begin, end = self.choice.hours[officer, day]
        starts, ends = self.choice.route_minutes[routes].T
        hours = f"{format_time(begin)}-{format_time(end)}"
        if ends.min() > end + MINUTES_TOLERANCE:
            return (
                f"no patrol fits {name}'s hours {hours}: from {format_time(starts.min())}, "
                f"the shortest lasts until {format_time(ends.min())}"
            )
        latest = int(np.argmax(starts))
        way = starts[latest] - self.choice.set_out[officer, routes[latest]]
        there = f"the way from base takes {np.ceil(way):.0f} minutes" if way else "at the base"
        return (
            f"no patrol fits {name}'s hours {hours}: it starts at {format_time(starts[latest])} "
            "and "
            f"{there}"
        )

    def _explain_free_officer(self, officer: int, day: int, routes: Ints) -> str:
        """An officer who could come: routes that must vary, or nothing gained."""
        name = self.choice.officers[officer]
        allowed = ~self.choice.banned[officer, day, routes]
        if self._find_repeated_routes(day)[routes[allowed]].all():
            return f"{name} is free, but the routes left are walked on the day before or after"
        if full := self._list_crowded(officer, day, routes):
            most = self.choice.area.settings.week.max_dose_minutes_per_day
            every = set.intersection(*full) or set.union(*full)
            names = " or ".join(sorted(every))
            return f"{name} is free, but {names} would get more than the most of {most:g} minutes"
        return f"{name} is free, but one more patrol there adds nothing to the week"

    def _find_repeated_routes(self, day: int) -> Bools:
        beside = np.zeros(len(self.choice.routes), dtype=bool)
        near = [
            other
            for other, date in enumerate(self.choice.days)
            if abs((date - self.choice.days[day]).days) == 1
        ]
        beside[self.chosen[np.isin(self.chosen[:, 1], near), 2]] = True
        beside[[route.reverse_patrol is not None for route in self.choice.routes]] = False
        return beside

    def _list_crowded(self, officer: int, day: int, routes: Ints) -> list[set[str]]:
        """What each route left would bring over the most of a day; nothing where one would not."""
        free = ~self.choice.banned[officer, day, routes] & ~self._find_repeated_routes(day)[routes]
        full = [self.find_crowded_hotspots(day, int(route)) for route in routes[free]]
        return full if all(full) else []

    def is_blocked_by_cap(self, school: int) -> bool:
        """Whether the most of a day alone keeps a free officer from a school on some day."""
        for day in range(len(self.choice.days)):
            for officer in np.flatnonzero(self.choice.cares[:, school]).tolist():
                routes = self.choice.list_routes(officer, school, day)
                there = self.choice.is_open[school, day] and len(routes) > 0
                if there and not self._find_officer_obstacle(officer, school, day):
                    in_time = routes[self.choice.in_time[officer, day, routes]]
                    if self._list_crowded(officer, day, in_time):
                        return True
        return False

    def find_crowded_hotspots(self, day: int, route: int) -> set[str]:
        """Hotspots that a route would bring over the most of a day, unless it must go there."""
        most = self.choice.area.settings.week.max_dose_minutes_per_day
        given = self._minutes_by_day[day]
        return {
            stop.hotspot
            for stop in self.choice.routes[route].patrol.stops
            if (not stop.tasked or self._has_optional_visit(stop.hotspot, day))
            and given.get(stop.hotspot, 0.0) + stop.leave_minutes - stop.arrive_minutes
            > most + MINUTES_TOLERANCE
        }

    def _has_optional_visit(self, hotspot: str, day: int) -> bool:
        """Whether somebody comes to a hotspot on a day who need not."""
        return any(
            stop.hotspot == hotspot
            and not stop.tasked
            and self.choice.locked[officer, day, route] < 0
            for officer, on, route in self.chosen.tolist()
            if on == day
            for stop in self.choice.routes[route].patrol.stops
        )

    @cached_property
    def _minutes_by_day(self) -> list[dict[str, float]]:
        """Minutes of each hotspot, by day."""
        given: list[dict[str, float]] = [{} for _ in self.choice.days]
        for _, day, route in self.chosen.tolist():
            for stop in self.choice.routes[route].patrol.stops:
                minutes = stop.leave_minutes - stop.arrive_minutes
                given[day][stop.hotspot] = given[day].get(stop.hotspot, 0.0) + minutes
        return given

    def describe_over_cap(self) -> Iterator[str]:
        """Hotspots that get more than the most of a day all the same, and why."""
        most = self.choice.area.settings.week.max_dose_minutes_per_day
        for day, date in enumerate(self.choice.days):
            for name, minutes in self._minutes_by_day[day].items():
                if minutes > most + MINUTES_TOLERANCE:
                    why = "; ".join(self._describe_visitors(name, day))
                    yield (
                        f"{name} gets {minutes:.0f} minutes on {format_day(date)}, "
                        f"more than the most of {most:g}: {why}."
                    )

    def _describe_visitors(self, hotspot: str, day: int) -> Iterator[str]:
        """Who goes to a hotspot on a day, and what has them go."""
        for officer, on, route in self.chosen.tolist():
            patrol = self.choice.routes[route].patrol
            met = [stop for stop in patrol.stops if stop.hotspot == hotspot]
            if on == day and met:
                locked = self.choice.locked[officer, day, route] >= 0
                out = (officer, day, route) in self.choice.held_rows
                why = "handed out" if out else "set by hand" if locked else "by hand"
                why = "it must be visited" if met[0].tasked else why
                yield f"{self.choice.officers[officer]} at URN {patrol.urn} ({why})"
