"""Demands of a week: places tasked by intelligence, and new or rising hotspots near the gates."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from patrolplan.area import StudyArea
from patrolplan.patrols.surroundings import is_in_force
from patrolplan.patrols.watched import find_watched
from patrolplan.team.problem import Bools, Ints
from patrolplan.team.routes import Route
from patrolplan.team.week import DemandKind


@dataclass(frozen=True)
class Demand:
    """What a week should bring to a place."""

    kind: DemandKind
    place: str
    """Name of the tasked place, or of the hotspot."""
    days: tuple[int, ...]
    """Days of the week, from 0, on which a visit counts."""
    visits: int = 1
    officers: int = 1
    """People needed there together."""


def list_demands(
    area: StudyArea,
    hotspots: gpd.GeoDataFrame,
    days: Sequence[dt.date],
    urns: Sequence[str],
    is_open: Bools,
) -> tuple[Demand, ...]:
    """Every demand of a week: of each tasked place by day, then of each watched hotspot.

    Parameters
    ----------
    area
        With its tasked places; those that are barred demand nothing.
    hotspots
        See `patrolplan.tables.HOTSPOTS`.
    days
        (d,) of the week.
    urns
        (s,) schools that are planned.
    is_open
        (s, d) whether each is in term: a hotspot is watched near schools that are open on some day.
    """
    tasked = area.tasked_places[area.tasked_places["must_visit"]]
    return (*_list_tasked(tasked, days), *_list_watched(area, hotspots, days, urns, is_open))


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


def _list_watched(
    area: StudyArea,
    hotspots: gpd.GeoDataFrame,
    days: Sequence[dt.date],
    urns: Sequence[str],
    is_open: Bools,
) -> Iterator[Demand]:
    attended = [urn for urn, open_days in zip(urns, is_open, strict=True) if open_days.any()]
    for name in find_watched(area, hotspots, attended):
        yield Demand("watched", name, tuple(range(len(days))))


def find_meeting_routes(demands: Sequence[Demand], routes: Sequence[Route]) -> Ints:
    """(m, 2) demand, and a route with a stop that meets it."""
    by_place: defaultdict[tuple[DemandKind, str], dict[int, None]] = defaultdict(dict)
    for row, route in enumerate(routes):
        for stop in route.patrol.stops:
            if stop.tasked is not None:
                by_place["tasked", stop.tasked][row] = None
            for name in stop.covered:
                by_place["watched", name][row] = None
    pairs = [
        (number, row)
        for number, demand in enumerate(demands)
        for row in by_place.get((demand.kind, demand.place), ())
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def find_routes_for_two(demands: Sequence[Demand], meeting: Ints, routes: int) -> Bools:
    """(r,) which of so many routes meet a demand that needs two people; see the former function.

    They are walked by a crew of two alone, on whichever day.
    """
    for_two = np.array([demand.officers > 1 for demand in demands], dtype=bool)
    needs = np.zeros(routes, dtype=bool)
    needs[meeting[for_two[meeting[:, 0]], 1]] = True
    return needs


def list_routes_for_two(demands: Sequence[Demand], routes: Sequence[Route]) -> Bools:
    """(r,) which routes meet a demand that needs two people together."""
    return find_routes_for_two(demands, find_meeting_routes(demands, routes), len(routes))
