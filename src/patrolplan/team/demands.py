"""Demands of a week: tasked places, designated and watched hotspots, and feared places.

Intelligence asks for places; a force designates hotspots and may say how many minutes a week each
is to have; hotspots near a gate that are new or rising are watched; feared places are the squares
near each school where pupils feel least safe. A tasked place needs a visit on each of its days. A
designated hotspot needs as many visits on its days as give it its minutes. The others need one
visit in the week, and a feared place that was patrolled in the week before needs none: so each is
patrolled at least once a fortnight.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from patrolplan.patrols.designated import count_visits, find_resting
from patrolplan.patrols.feared_places import find_feared_places
from patrolplan.patrols.plan import Patrol, Plan
from patrolplan.patrols.surroundings import is_in_force
from patrolplan.patrols.watched import find_watched
from patrolplan.team.problem import Bools, Ints
from patrolplan.team.week import DemandKind
from patrolplan.team.where_when import list_visited


@dataclass(frozen=True)
class Demand:
    """The visits that a week should bring to a place."""

    kind: DemandKind
    place: str
    """Name of the tasked place, of the hotspot, or of the square."""
    days: tuple[int, ...]
    """Days of the week, from 0, on which a visit counts."""
    hotspots: tuple[str, ...] = ()
    """Hotspots whose visit meets it: the designated or watched one, or those of the square."""
    visits: int = 1
    officers: int = 1
    """People needed there together."""


def list_demands(
    plan: Plan,
    days: Sequence[dt.date],
    urns: Sequence[str],
    is_open: Bools,
    delivered: Mapping[str, Collection[dt.date]],
) -> tuple[Demand, ...]:
    """Every demand of a week: of each tasked place by day, then of hotspots, then of squares.

    Of hotspots the designated ones come first. `plan` is that of any day: where its area bars a
    place, that demands nothing. A hotspot is watched near schools (s,) `urns` that (s, d) `is_open`
    on some day, and a square is feared near those, unless `delivered` has it in the week before.
    """
    tasked = plan.area.tasked_places[plan.area.tasked_places["must_visit"]]
    schools = plan.area.schools
    driven = set(schools["urn"][schools["is_driven"]])  # their officers stay at the gate
    attended = [
        urn
        for urn, open_days in zip(urns, is_open, strict=True)
        if open_days.any() and urn not in driven
    ]
    return (
        *_list_tasked(tasked, days),
        *_list_designated(plan, days),
        *_list_watched(plan, days, attended),
        *_list_feared(plan, days, attended, delivered),
    )


def _list_tasked(places: gpd.GeoDataFrame, days: Sequence[dt.date]) -> Iterator[Demand]:
    for day, date in enumerate(days):
        for _, place in places[is_in_force(places, date)].iterrows():
            yield Demand(
                "tasked",
                str(place["place_id"]),
                (day,),
                visits=int(place["visits"]),
                officers=int(place["officers"]),
            )


def _list_designated(plan: Plan, days: Sequence[dt.date]) -> Iterator[Demand]:
    resting = [find_resting(plan.area, date) for date in days]
    for name, visits in count_visits(plan.area).items():
        on = tuple(day for day in range(len(days)) if name not in resting[day])
        yield Demand("designated", name, on, (name,), visits=visits)


def _list_watched(plan: Plan, days: Sequence[dt.date], urns: Sequence[str]) -> Iterator[Demand]:
    for name in find_watched(plan.area, plan.hotspots, urns):
        yield Demand("watched", name, tuple(range(len(days))), (name,))


def _list_feared(
    plan: Plan,
    days: Sequence[dt.date],
    urns: Sequence[str],
    delivered: Mapping[str, Collection[dt.date]],
) -> Iterator[Demand]:
    for place in find_feared_places(plan.area, plan.risk, plan.hotspots, urns):
        is_due = not any(delivered.get(name) for name in place.hotspots)
        every_day = tuple(range(len(days)))
        yield Demand("feared", place.name, every_day, place.hotspots, visits=int(is_due))


def find_meeting_routes(demands: Sequence[Demand], routes: Sequence[Patrol]) -> Ints:
    """(m, 2) demand, and a route with a stop that meets it."""
    tasked: defaultdict[str, set[int]] = defaultdict(set)
    covering: defaultdict[str, set[int]] = defaultdict(set)
    for row, route in enumerate(routes):
        for stop in route.stops:
            if stop.tasked is not None:
                tasked[stop.tasked].add(row)
            for name in list_visited(stop):
                covering[name].add(row)
    pairs = []
    for number, demand in enumerate(demands):
        rows = tasked[demand.place] if demand.kind == "tasked" else set[int]()
        rows = rows.union(*(covering[name] for name in demand.hotspots))
        pairs += [(number, row) for row in sorted(rows)]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def find_routes_for_two(demands: Sequence[Demand], meeting: Ints, routes: int) -> Bools:
    """(r,) which routes of a number meet a demand that needs two people.

    They are walked only by a crew of two, on any day.
    """
    for_two = np.array([demand.officers > 1 for demand in demands], dtype=bool)
    needs = np.zeros(routes, dtype=bool)
    needs[meeting[for_two[meeting[:, 0]], 1]] = True
    return needs


def list_routes_for_two(demands: Sequence[Demand], routes: Sequence[Patrol]) -> Bools:
    """(r,) which routes meet a demand that needs two people together."""
    return find_routes_for_two(demands, find_meeting_routes(demands, routes), len(routes))
