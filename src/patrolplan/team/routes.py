"""Plans -> the routes that a week can be built from, each once."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.team.problem import Ints
from patrolplan.team.week import Duty
from patrolplan.times import format_time

RouteKey = tuple[object, ...]
"""What makes two patrols the same route, in any order of stops and at any minutes."""


@dataclass(frozen=True, eq=False)
class WeekRoutes:
    """Every route that a week can be built from."""

    routes: tuple[Patrol, ...]
    """(r,) every school's best patrols and their variants, of all days."""
    variant: Ints
    """(d, r) 0 for the best patrol of the day of a school and window, 1...; -1: none."""
    row_by_key: dict[RouteKey, int]
    """Row of the route of each walk."""


def list_patrols(plan: Plan) -> Iterator[tuple[int, Patrol]]:
    """Every patrol of a plan with 0 for its school's best, 1 for its first variant..."""
    # Those of further windows come after all of the first one, and are numbered separately.
    for patrol in (patrol for part in plan.parts for patrol in part.patrols):
        yield 0, patrol
        for number, variant in enumerate(patrol.variants, 1):
            for other in variant.patrols:
                if other.number == patrol.number:
                    yield number, other


def build_route_key(patrol: Patrol) -> RouteKey:
    """School, officer, mode, window, its stops in any order, and the places to keep away from."""
    # It is the same for a patrol as planned, as drawn in another order and at other minutes, and as
    # read from a file with whole minutes. Without a presence at the gate the start of a patrol is
    # drawn, and its window is identified by its end.
    stops = frozenset(
        Counter(
            (stop.hotspot, round(stop.stood_minutes, 2), stop.tasking) for stop in patrol.stops
        ).items()
    )
    start = format_time(patrol.start_minutes) if patrol.has_presence else ""
    hours = start, format_time(patrol.latest_end_minutes)
    barred = frozenset(place.tasking for place in patrol.keep_away)
    return (patrol.urn, patrol.number, patrol.way, patrol.window, *hours, stops, barred)


def collect_routes(
    plans: Sequence[Plan], days: Sequence[dt.date], held: Sequence[Duty] = ()
) -> WeekRoutes:
    """Every walk of the (d,) plans of these days, and of duties that stay, each once."""
    row_by_key: dict[RouteKey, int] = {}
    routes: list[Patrol] = []
    variant_at: dict[tuple[int, int], int] = {}

    def find_row(patrol: Patrol) -> int:
        row = row_by_key.setdefault(build_route_key(patrol), len(routes))
        if row == len(routes):
            routes.append(patrol)
        return row

    for day, plan in enumerate(plans):
        for variant, patrol in list_patrols(plan):
            variant_at.setdefault((day, find_row(patrol)), variant)
    for duty in held:
        variant_at[days.index(duty.date), find_row(duty.patrol)] = duty.variant
    variants = np.full((len(days), len(routes)), -1)
    for place, variant in variant_at.items():
        variants[place] = variant
    return WeekRoutes(tuple(routes), variants, row_by_key)
