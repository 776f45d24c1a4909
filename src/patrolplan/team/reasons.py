"""Why nobody patrols a school on a day, said exactly."""

from collections.abc import Iterator

import numpy as np

from patrolplan.patrols.plans import clock
from patrolplan.team.options import EPSILON
from patrolplan.team.options import Choice
from patrolplan.team.problem import Bools
from patrolplan.team.problem import Ints
from patrolplan.team.week import Unmet


def unmet_days(choice: Choice, chosen: Ints) -> tuple[Unmet, ...]:
    """Every school and day without a patrol, and why.

    Parameters
    ----------
    choice
        What the week was chosen from.
    chosen
        (c, 3) officer, day and route of every duty.
    """
    reasons = _Reasons(choice, chosen)
    served = set(zip(choice.route_school[chosen[:, 2]], chosen[:, 1], strict=True))
    return tuple(
        Unmet(urn, date, reasons.why(school, day))
        for day, date in enumerate(choice.days)
        for school, urn in enumerate(choice.urns)
        if (school, day) not in served
    )


class _Reasons:
    """Looks through the officers of a school, in the order in which they could have come."""

    def __init__(self, choice: Choice, chosen: Ints) -> None:
        self.choice = choice
        self.chosen = chosen
        self.place = {(int(k), int(d)): choice.routes[r].urn for k, d, r in chosen}
        self.count = np.bincount(chosen[:, 0], minlength=len(choice.officers))
        self.most = choice.most

    def why(self, school: int, day: int) -> str:
        if not self.choice.is_open[school, day]:
            return "school closed (term dates)"
        if not ((self.choice.route_school == school) & (self.choice.variant[day] >= 0)).any():
            return "no patrol is planned for it that day"
        officers = np.flatnonzero(self.choice.cares[:, school])
        if not len(officers):
            return "no officer has it in their care"
        said = "; ".join(self._officer(int(officer), school, day) for officer in officers)
        return f"{said}, nobody else covers it" if len(officers) == 1 else said

    def _officer(self, officer: int, school: int, day: int) -> str:
        name = self.choice.officers[officer]
        if self.choice.away[officer, day] or np.isnan(self.choice.hours[officer, day, 0]):
            return f"{name} is {'absent' if self.choice.away[officer, day] else 'off'}"
        routes = np.flatnonzero(
            (self.choice.route_school == school) & (self.choice.variant[day] >= 0)
        )
        in_time = self.choice.in_time[officer, day, routes]
        if not in_time.any():
            return self._too_short(officer, school, day, routes)
        if self.choice.banned[officer, day, routes][in_time].all():
            return f"{name} is kept off it by hand"
        elsewhere = self.place.get((officer, day))
        if elsewhere is not None:
            return f"{name} patrols URN {elsewhere} that day"
        if self.count[officer] >= self.most[officer]:
            return f"{name} has reached {self.most[officer]} patrols"
        return self._free(officer, day, routes[in_time])

    def _too_short(self, officer: int, school: int, day: int, routes: Ints) -> str:
        """The hours against the route that would ask least of them."""
        name = self.choice.officers[officer]
        begin, end = self.choice.hours[officer, day]
        starts, ends = self.choice.route_minutes[routes].T
        travel = self.choice.travel[officer, school]
        hours = f"{clock(begin)}-{clock(end)}"
        if ends.min() > end + EPSILON:
            return (
                f"no patrol fits {name}'s hours {hours}: from {clock(starts.min())}, "
                f"the shortest lasts until {clock(ends.min())}"
            )
        return (
            f"no patrol fits {name}'s hours {hours}: it starts at {clock(starts.max())} and the "
            f"way from base takes {np.ceil(travel):.0f} minutes"
        )

    def _free(self, officer: int, day: int, routes: Ints) -> str:
        """An officer who could come: routes that must vary, or nothing gained."""
        name = self.choice.officers[officer]
        allowed = ~self.choice.banned[officer, day, routes]
        if self._repeated(day)[routes[allowed]].all():
            return f"{name} is free, but the routes left are walked on the day before or after"
        full = list(self._full(day, routes[allowed]))
        if full:
            return f"{name} is free, but {', '.join(full)} would get more than the most of a day"
        return f"{name} is free, but one more patrol there adds nothing to the week"

    def _repeated(self, day: int) -> Bools:
        beside = np.zeros(len(self.choice.routes), dtype=bool)
        near = [
            other
            for other, date in enumerate(self.choice.days)
            if abs((date - self.choice.days[day]).days) == 1
        ]
        beside[self.chosen[np.isin(self.chosen[:, 1], near), 2]] = True
        beside[[route.back is not None for route in self.choice.routes]] = False
        return beside

    def _full(self, day: int, routes: Ints) -> Iterator[str]:
        """Hotspots that every route would carry over the most of a day."""
        most = self.choice.area.settings.week.max_dose_minutes_per_day
        given: dict[str, float] = {}
        for route in self.chosen[self.chosen[:, 1] == day, 2]:
            for stop in self.choice.routes[route].patrol.stops:
                minutes = stop.leave_minutes - stop.arrive_minutes
                given[stop.hotspot] = given.get(stop.hotspot, 0.0) + minutes
        over = [
            {
                stop.hotspot
                for stop in self.choice.routes[route].patrol.stops
                if given.get(stop.hotspot, 0.0) + stop.leave_minutes - stop.arrive_minutes > most
            }
            for route in routes
        ]
        yield from sorted(set.intersection(*over)) if over else ()
