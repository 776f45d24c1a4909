"""Tasked places: the purpose of those to visit, and walks that keep away from barred ones."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike

from patrolplan.area import StudyArea
from patrolplan.arrays import Bools, Ints
from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.graph import compute_piece_distances, find_pieces_in_sight
from patrolplan.network.names import describe_positions
from patrolplan.network.paths import WalkFinder
from patrolplan.network.pieces import label_components
from patrolplan.patrols.designated import read_hours
from patrolplan.patrols.plan import BarredPlace, Patrol, Stop, Tasking
from patrolplan.patrols.surroundings import (
    PatrolHours,
    Surroundings,
    find_tasked_places,
    is_in_force,
)

TASKED_METRES = 60.0  # who stands, or has a hotspot, so near a tasked place is at it
MIN_WALK_METRES_TO_BARRED = 60.0  # minimum distance of walked streets from a barred place
WHOLE_MINUTES = 0.5  # a stay in whole minutes may seem shorter than it is by this
LAST_RESORT = 1000.0  # weight of a metre near a barred place on the way out of a gate it cuts off


def select_tasked(places: gpd.GeoDataFrame, *, must_visit: bool) -> gpd.GeoDataFrame:
    """Tasked places to visit, or the barred ones."""
    return places[places["must_visit"] == must_visit]


@dataclass(frozen=True, eq=False)
class SchoolPlaces:
    """The tasked places that affect a school's patrols, and the streets at barred ones."""

    around: Surroundings
    places: gpd.GeoDataFrame

    @cached_property
    def must_visit(self) -> gpd.GeoDataFrame:
        """The places to visit."""
        return select_tasked(self.places, must_visit=True)

    @cached_property
    def barred(self) -> gpd.GeoDataFrame:
        """The places to keep away from."""
        return select_tasked(self.places, must_visit=False)

    @cached_property
    def closed_streets(self) -> Bools:
        """(n, q) which streets are near each barred place or in sight of it, and not walked."""
        network = self.around.network
        near = find_near(network.piece_lines, self.barred, MIN_WALK_METRES_TO_BARRED)
        if not near.any():
            return near
        at = network.snap(shapely.get_coordinates(self.barred.geometry.values))
        seen = find_pieces_in_sight(network, at).toarray() > 0
        return np.asarray(near | (seen & near.any(axis=1, keepdims=True)))

    @cached_property
    def keep_away(self) -> tuple[BarredPlace, ...]:
        """The barred places that a patrol could come near."""
        network, xy = self.around.network, shapely.get_coordinates(self.barred.geometry.values)
        metres = np.hypot(*(xy - network.xy(self.around.gate)).T)
        near = metres <= self.around.extent_metres + MIN_WALK_METRES_TO_BARRED
        places = describe_positions(network, network.snap(xy[near])) if near.any() else []
        rows = zip(self.barred[near].iterrows(), places, xy[near].tolist(), strict=True)
        return tuple(
            BarredPlace(place=place, tasking=build_tasking(row), point=(x, y))
            for (_, row), place, (x, y) in rows
        )


def find_school_places(
    area: StudyArea,
    row: int,
    around: Surroundings,
    hours: PatrolHours,
    date: dt.date | None,
    ids: Sequence[str] | None,
) -> SchoolPlaces:
    """The tasked places of a school on a day; of those to visit only the given ones."""
    near_metres = around.extent_metres + MIN_WALK_METRES_TO_BARRED
    tasked = find_tasked_places(area, row, date, near_metres, hours)
    wanted = ~tasked["must_visit"] | tasked["place_id"].isin(ids or ())
    return SchoolPlaces(around, tasked[wanted & (ids is not None)].reset_index(drop=True))


def build_tasking(place: pd.Series) -> Tasking:
    """The tasking in a row of the tasked places."""
    return Tasking(
        place_id=str(place["place_id"]),
        reason=str(place["reason"]),
        by=str(place["by"]),
        until=place["to"].date(),
        hours=str(read_hours(place)),
    )


def find_tasked_point(area: StudyArea, stop: Stop) -> tuple[float, float]:
    """The point of a stop's tasking, or the stop's own if the table no longer has the tasking."""
    places = area.tasked_places
    point = places.geometry[places["place_id"] == stop.tasked]
    return (point.iloc[0].x, point.iloc[0].y) if len(point) else stop.point


def find_tasking(area: StudyArea, date: dt.date | None, stop: Stop) -> Tasking | None:
    """What is tasked where an officer stands as long as asked, whichever patrol was sent for it."""
    if stop.is_sent:
        return stop.tasking
    places = area.tasked_places
    metres = shapely.distance(places.geometry.to_numpy(), shapely.Point(stop.point))
    near = (metres <= TASKED_METRES) & places["must_visit"].to_numpy(dtype=bool)
    if not near.any():  # at most stops: the rest takes milliseconds
        return None
    places = places[near & is_in_force(places, date)]
    begin = places["from_minutes"].fillna(-np.inf).clip(lower=stop.arrive_minutes)
    end = places["to_minutes"].fillna(np.inf).clip(upper=stop.leave_minutes)
    wanted = places["minutes"].fillna(area.settings.patrol.dwell_minutes)
    met = places[end - begin >= wanted - WHOLE_MINUTES]
    return None if met.empty else build_tasking(met.iloc[0])


def add_taskings(area: StudyArea, date: dt.date | None, patrol: Patrol) -> Patrol:
    """The patrol with each stop's tasking, see `find_tasking`; itself where it has them."""
    taskings = [find_tasking(area, date, stop) for stop in patrol.stops]
    if taskings == [stop.tasking for stop in patrol.stops]:
        return patrol
    told = zip(patrol.stops, taskings, strict=True)
    return replace(patrol, stops=tuple(replace(stop, tasking=tasking) for stop, tasking in told))


def find_walks(
    around: Surroundings, stops: Positions, tasked: SchoolPlaces, *, is_dark: bool
) -> tuple[WalkFinder, Ints]:
    """Walks of gate and stops that avoid barred places, if there is a way out, and those passed."""
    near = tasked.closed_streets
    closed = np.asarray(near.any(axis=0))
    excepted = np.zeros_like(closed)
    if closed.any():
        excepted[_find_way_out(around, closed)] = True
    closed = closed & ~excepted
    effort = around.effort
    if closed.any():
        effort = np.where(closed[:, None], np.inf, around.effort)
    walks = around.find_walks(concatenate_positions(around.gate, stops), effort, is_dark=is_dark)
    return walks, np.flatnonzero((near & excepted).any(axis=1))


def _find_way_out(around: Surroundings, closed: Bools) -> Ints:
    """Pieces of the ways from a gate to most of the open streets, and back."""
    network, end = around.network, around.gate
    reached = np.isfinite(compute_piece_distances(network, end))
    still_open = np.flatnonzero(reached & ~closed)
    label = label_components(network.piece_nodes[still_open], len(network.node_xy))
    metres = np.bincount(label, network.piece_metres[still_open])
    most = still_open[label == metres.argmax()] if len(still_open) else still_open
    if not len(most) or end.piece[0] in most:
        return most[:0]
    effort, pieces = around.effort * np.where(closed, LAST_RESORT, 1.0)[:, None], []
    for costs in (effort, effort[:, ::-1]):  # by bicycle the way back may be another
        nearest = most[compute_piece_distances(network, end, effort=costs)[most].argmin()]
        places = concatenate_positions(end, network.middles([nearest]))
        pieces.append(WalkFinder(network, places, effort=costs).find_shortest(0, 1).pieces)
    return np.concatenate(pieces)


def find_near(lines: ArrayLike, places: gpd.GeoDataFrame, metres: float) -> Bools:
    """(n, q) which of q lines are within this distance of each of n places."""
    near = shapely.distance(np.asarray(places.geometry.values)[:, None], np.asarray(lines))
    return np.asarray(near <= metres)
