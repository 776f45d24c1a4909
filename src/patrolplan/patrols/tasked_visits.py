"""Tasked places as places to stand: on which street, at which hotspot, and by what name."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from patrolplan.area.square_names import name_places
from patrolplan.arrays import Bools, Ints
from patrolplan.hotspots.reasons import read_reasons
from patrolplan.network import Positions
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.graph import find_pieces_in_sight
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.patrols.designated import find_territories, get_place, read_hours
from patrolplan.patrols.places import Place, StandingPlaces
from patrolplan.patrols.spots import list_hotspots_in_view
from patrolplan.patrols.surroundings import Surroundings
from patrolplan.patrols.tasked_places import TASKED_METRES, SchoolPlaces, build_tasking

if TYPE_CHECKING:
    from patrolplan.patrols.planner import Planner

HOTSPOT_NAME = re.compile(r"H[0-9]+( \(tasked\))*", re.IGNORECASE)  # in any plan
TASKED_ENDING = re.compile(r"( \(tasked\))+$")


def list_tasked(
    planner: "Planner", around: Surroundings, tasked: SchoolPlaces, standing: StandingPlaces
) -> list[Place]:
    """The tasked places to visit on a school's own streets, where an officer stands for each."""
    must_visit = tasked.must_visit
    inside = np.flatnonzero(is_on_own_streets(around, must_visit))
    if not len(inside):
        return []
    hotspot_rows = match_stretches(planner, must_visit, inside)
    there = around.network.snap(shapely.get_coordinates(must_visit.geometry.values)[inside])
    xy = around.network.xy(there)
    ids = name_places(xy, planner.area.projection.crs)
    seen = find_pieces_in_sight(around.network, there)
    stops = [place.hotspot_row for place in standing.places if place.hotspot_row >= 0]
    places = []
    for number, row in enumerate(inside.tolist()):
        tasking = build_tasking(must_visit.iloc[row])
        minutes = float(must_visit["minutes"].iloc[row])
        in_sight = around.pieces[seen[[number]].indices]
        in_sight = in_sight[in_sight < len(planner.area.network)]
        place = Place(
            id=ids[number],
            name=name_tasked(planner, tasking.place_id),
            kind="tasked",
            position=_locate(around, there.take([number])),
            xy=(float(xy[number, 0]), float(xy[number, 1])),
            rates=np.zeros_like(standing.gate.rates),
            passing=np.zeros_like(standing.gate.passing),
            sees=list_hotspots_in_view(planner, stops, in_sight),
            seen_pieces=in_sight,
            hours=read_hours(must_visit.iloc[row]),
            dwell_minutes=standing.gate.dwell_minutes if np.isnan(minutes) else minutes,
            must=True,
            tasking=tasking,
        )
        places.append(_put_on_hotspot(planner, place, int(hotspot_rows[number])))
    return places


def _locate(around: Surroundings, there: Positions) -> Positions:
    """A position of the streets around a gate on the walkable network of the area."""
    return Positions(around.pieces[there.piece], there.offset_metres, there.moved_metres)


def _put_on_hotspot(planner: "Planner", place: Place, row: int) -> Place:
    """The visit counts for the hotspot on whose stretch the place is, and has its name."""
    if row < 0:
        return place
    hotspot = planner.hotspots.iloc[row]
    return replace(
        place,
        name=planner.hotspot_names[row],
        kind=hotspot["kind"],
        hotspot_row=row,
        reasons=read_reasons(hotspot["reasons"]),
    )


def name_tasked(planner: "Planner", name: str) -> str:
    """The name of a tasked place as a stop; one that is a hotspot's is marked."""
    # Names identify stops in the week and in the ledger.
    theirs = get_place(planner.area, TASKED_ENDING.sub("", name))
    is_taken = theirs is not None or HOTSPOT_NAME.fullmatch(name)
    return f"{name} (tasked)" if is_taken else name


def is_on_own_streets(around: Surroundings, places: gpd.GeoDataFrame) -> Bools:
    """Which places have their nearest street among the school's own, and not far from them."""
    # It surely is the nearest only if all streets within that distance are among the school's.
    xy = shapely.get_coordinates(places.geometry.values)
    if not len(xy):
        return np.zeros(0, dtype=bool)
    moved = around.network.snap(xy).moved_metres
    apart = np.hypot(*(xy - around.network.xy(around.gate)).T)
    spare = PIECE_METRES / 2  # streets are chosen by the middle of their pieces
    return np.asarray((moved <= MAX_SNAP_METRES) & (apart + moved + spare <= around.extent_metres))


def match_stretches(planner: "Planner", places: gpd.GeoDataFrame, inside: Ints) -> Ints:
    """The hotspot on whose stretch each place in some rows is, or -1; no two on the same."""
    stretches = find_territories(planner.area, planner.hotspots)
    is_free = np.ones(len(stretches), dtype=bool)
    rows = np.full(len(inside), -1, dtype=np.int64)
    for number, row in enumerate(inside):
        metres = shapely.distance(stretches, places.geometry.iloc[row])
        metres[~is_free] = np.inf
        if len(metres) and metres.min() <= TASKED_METRES:
            rows[number] = int(np.argmin(metres))
            is_free[rows[number]] = False
    return rows
