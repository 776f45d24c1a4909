"""What asks for visits: how files name its places, and what finds them for weeks and errands."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import shapely

from patrolplan.area import StudyArea
from patrolplan.area.school_gates import ALL_SCHOOLS
from patrolplan.arrays import Floats
from patrolplan.hotspots import OWN
from patrolplan.hotspots.trends import CHANGED_TRENDS
from patrolplan.patrols.designated import count_visits, find_resting
from patrolplan.patrols.feared_places import find_feared_places
from patrolplan.patrols.plan import Plan
from patrolplan.patrols.planner import get_planner
from patrolplan.patrols.surroundings import compute_extent, is_in_force
from patrolplan.patrols.tasked_places import select_tasked

DemandKind = Literal["tasked", "designated", "watched", "feared"]
"""A place that intelligence asks for, a hotspot that the force designates with minutes a week, one
near a gate that is new or rising, or a square near a school where pupils feel least safe."""

WATCH_METRES = 600.0  # new or rising hotspots so near a gate are in the week
SCHOOLS_A_FEARED_PLACE = 2  # with a patrol to a feared place where no other patrol goes
Days = Sequence[dt.date | None]  # None is any day


@dataclass(frozen=True)
class Demand:
    """The visits that a week should bring to a place."""

    kind: DemandKind
    place: str  # name of the tasked place, of the hotspot, or of the square
    days: tuple[int, ...]  # days of the week, from 0, on which a visit counts
    hotspots: tuple[str, ...] = ()  # those whose visit meets it, such as those of the square
    visits: int = 1
    officers: int = 1  # people needed there together
    near: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """URNs of the schools that should have a patrol there, and the place at which it stops."""

    @property
    def is_tasked(self) -> bool:
        """Whether it is met at a tasked place, not at hotspots."""
        return KINDS[self.kind].is_tasked


def find_demands(plan: Plan, days: Days, urns: Sequence[str]) -> Iterator[Demand]:
    """The demands of every kind on some days, near some schools."""
    for kind in KINDS.values():
        yield from kind.find(plan, days, urns)


def _find_tasked(plan: Plan, days: Days, urns: Sequence[str]) -> Iterator[Demand]:
    """Each place to visit on each of its days, with the schools that may serve it."""
    area, places = plan.area, select_tasked(plan.area.tasked_places, must_visit=True)
    rows = np.flatnonzero(area.schools["urn"].isin(urns))
    names = area.schools["urn"].iloc[rows].astype(str).tolist()
    gates = shapely.points(area.network.xy(area.gates.take(rows)))
    extent = compute_extent(area)
    for day, date in enumerate(days):
        for _, place in places[is_in_force(places, date)].iterrows():
            schools, name = place["schools"], str(place["place_id"])
            is_near = shapely.distance(gates, place.geometry) <= extent
            near = [
                (urn, name)
                for urn, within in zip(names, is_near, strict=True)
                if urn in schools or (ALL_SCHOOLS in schools and within)
            ]
            visits, officers = int(place["visits"]), int(place["officers"])
            yield Demand("tasked", name, (day,), (), visits, officers, tuple(near))


def _find_designated(plan: Plan, days: Days, urns: Sequence[str]) -> Iterator[Demand]:
    """Each designated hotspot with minutes, with as many schools near as it needs weekly visits."""
    area, visits = plan.area, count_visits(plan.area)
    resting = [find_resting(area, date) for date in days]
    pieces = dict(zip(plan.hotspots["hotspot"], plan.hotspots["stop_piece"], strict=True))
    walks = _walk_from_gates(plan, urns, area.settings.patrol.radius_metres) if visits else {}
    for name, count in visits.items():
        on = tuple(day for day in range(len(days)) if name not in resting[day])
        near = _list_near(walks, pieces[name])[:count] if name in pieces else []
        schools = tuple((urn, name) for urn in near)
        yield Demand("designated", name, on, (name,), visits=count, near=schools)


def _find_watched(plan: Plan, days: Days, urns: Sequence[str]) -> Iterator[Demand]:
    """Each new or rising hotspot of ours, with the schools whose gate is within `WATCH_METRES`."""
    hotspots, every = plan.hotspots, tuple(range(len(days)))
    changed = hotspots[hotspots["trend"].isin(CHANGED_TRENDS) & (hotspots["kind"] == OWN)]
    walks = _walk_from_gates(plan, urns, WATCH_METRES) if len(changed) else {}
    for name, piece in zip(changed["hotspot"].astype(str), changed["stop_piece"], strict=True):
        if near := _list_near(walks, piece):
            yield Demand("watched", name, every, (name,), near=tuple((urn, name) for urn in near))


def _find_feared(plan: Plan, days: Days, urns: Sequence[str]) -> Iterator[Demand]:
    """Each feared place, with the schools nearest to one of its hotspots."""
    walking = list(_select_walking(plan.area, urns))
    for place in find_feared_places(get_planner(plan), walking):
        near = place.nearest[:SCHOOLS_A_FEARED_PLACE]
        yield Demand("feared", place.name, tuple(range(len(days))), place.hotspots, near=near)


def _list_near(walks: dict[str, Floats], piece: int) -> list[str]:
    """URNs of the schools from which a piece is within the limit, the nearest first."""
    away = sorted((float(walk[piece]), urn) for urn, walk in walks.items())
    return [urn for metres, urn in away if np.isfinite(metres)]


def _walk_from_gates(plan: Plan, urns: Sequence[str], limit_metres: float) -> dict[str, Floats]:
    """(w,) metres from the gate of each school on foot to each piece, up to a limit."""
    planner = get_planner(plan)
    pieces = len(plan.area.network.walkable)
    return {
        urn: planner.get_streets(row).spread_walks(pieces, limit_metres)
        for urn, row in _select_walking(plan.area, urns).items()
    }


def _select_walking(area: StudyArea, urns: Sequence[str]) -> dict[str, int]:
    """Rows of the schools by URN whose officers leave the gate without a tasking."""
    schools = zip(area.schools["urn"].astype(str), area.schools["is_driven"], strict=True)
    rows = enumerate(schools)
    return {urn: row for row, (urn, is_driven) in rows if urn in urns and not is_driven}


@dataclass(frozen=True)
class KindOfDemand:
    """What is particular to a kind of demand."""

    key: str  # what its place is called in files
    find: Callable[[Plan, Days, Sequence[str]], Iterator[Demand]]
    is_tasked: bool = False  # whether its places are of the table of tasked places


KINDS: dict[DemandKind, KindOfDemand] = {
    "tasked": KindOfDemand("place_id", _find_tasked, is_tasked=True),
    "designated": KindOfDemand("place_id", _find_designated),
    "watched": KindOfDemand("hotspot", _find_watched),
    "feared": KindOfDemand("square", _find_feared),
}
"""In the order of a week's demands."""
