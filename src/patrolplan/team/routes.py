"""Plans of a week's days -> the routes that it is made of: every patrol once, and its variants."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from patrolplan.patrols.plan import Patrol, Plan, format_time
from patrolplan.patrols.planner import reverse_patrol
from patrolplan.team.problem import Ints
from patrolplan.team.week import Duty

RouteKey = tuple[object, ...]
"""What makes two patrols the same walk to those who hold its card."""


@dataclass(frozen=True)
class Route:
    """One way to patrol a school, on the days on which it is planned."""

    patrol: Patrol
    reverse_patrol: Patrol | None
    """The other way round, where there is one."""

    @property
    def urn(self) -> str:
        """The school."""
        return self.patrol.urn


@dataclass(frozen=True, eq=False)
class WeekRoutes:
    """Every route that a week can be made of.

    Parameters
    ----------
    routes
        (r,) every school's best patrols and their variants, of all days and modes.
    variant
        (d, r) 0 for the best patrol of the day of a school and mode, 1...; -1: none.
    row
        Row of the route of each walk, either way round.
    """

    routes: tuple[Route, ...]
    variant: Ints
    row_by_key: dict[RouteKey, int]


def collect_routes(
    plans: Sequence[Plan], days: Sequence[dt.date], held: Sequence[Duty] = ()
) -> WeekRoutes:
    """Collect the routes of a week.

    Parameters
    ----------
    plans
        (d,) the plan of each day.
    days
        (d,) the days.
    held
        Duties handed out that stay as they are.
    """
    row: dict[RouteKey, int] = {}
    routes: list[Route] = []
    found: dict[tuple[int, int], int] = {}

    def number_of(patrol: Patrol) -> int:
        if build_route_key(patrol) not in row:
            route = Route(patrol, reverse_patrol(patrol))
            for walk in (route.patrol, route.reverse_patrol):
                if walk is not None:
                    row.setdefault(build_route_key(walk), len(routes))
            routes.append(route)
        return row[build_route_key(patrol)]

    for day, plan in enumerate(plans):
        for variant, patrol in list_patrols(plan):
            found.setdefault((day, number_of(patrol)), variant)
    for duty in held:
        found[days.index(duty.date), number_of(duty.patrol)] = duty.variant
    variants = np.full((len(days), len(routes)), -1)
    for place, variant in found.items():
        variants[place] = variant
    return WeekRoutes(tuple(routes), variants, row)


def list_patrols(plan: Plan) -> Iterator[tuple[int, Patrol]]:
    """Every patrol of a plan with 0 for its school's best, 1 for its first variant...

    Those of the other mode come after all of the area's way, and are numbered by themselves.
    """
    others = () if plan.other_mode is None else plan.other_mode.patrols
    for patrol in (*plan.patrols, *others):
        yield 0, patrol
        for number, variant in enumerate(patrol.variants, 1):
            for other in variant.patrols:
                if other.number == patrol.number:
                    yield number, other


def build_route_key(patrol: Patrol) -> RouteKey:
    """School, officer, way, start, stops with their times to the minute, and who tasked them.

    Parameters
    ----------
    patrol
        As planned, or as read from a file that holds whole minutes.
    """
    stops = [
        (
            stop.hotspot,
            format_time(stop.arrive_minutes),
            format_time(stop.leave_minutes),
            stop.tasked,
        )
        for stop in patrol.stops
    ]
    return (patrol.urn, patrol.number, patrol.way, format_time(patrol.start_minutes), *stops)
