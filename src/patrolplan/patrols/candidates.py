"""Candidates for stops of a patrol: hotspots and tasked places, and where to stand there."""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area.square_names import name_places
from patrolplan.hotspots import OWN
from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.patrols.designated import NEVER, find_begin_spans, find_resting, find_territories
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.prize import GATE_DWELLS, PLACE_DWELLS
from patrolplan.patrols.surroundings import MIN_STOP_METRES_TO_BARRED, Surroundings, compute_speed
from patrolplan.patrols.tasked_places import TASKED_METRES, SchoolPlaces, find_near


@dataclass(frozen=True, eq=False)
class Candidates:
    """(k,) visits that patrols of one school may make: a place that may be visited twice is two."""

    stops: Positions  # (k,) on the streets around the gate
    places: NDArray[np.int64]  # (k,) number of the place: 0 is the gate; visits of one place agree
    hotspot_rows: NDArray[np.int64]  # (k,) of the hotspot that it is at, or -1
    tasked_rows: NDArray[np.int64]  # (k,) of the place to visit that it is, or -1
    rates: NDArray[np.float64]  # (k, T) worth of each minute
    begins: NDArray[np.float64]  # (k, 2) between which a dwell has enough own pupils, -inf and inf
    outside_rows: NDArray[np.int64]  # rows of the places to visit beyond the school's streets


def find_candidates(
    inputs: PlanningInputs,
    row: int,
    around: Surroundings,
    tasked: SchoolPlaces,
    watch: Sequence[str] = (),
) -> Candidates:
    """The gate, hotspots and corners on own ways that a patrol has time for, and places to visit.

    A place to visit on a hotspot's stretch, or in its polygon, is part of that hotspot, and the
    officer stands at the place. Other places near a barred one are not candidates, nor are those
    that are closed (`StudyArea.closed`) and hotspots designated for other days or hours. Hotspots
    to watch, feared and designated ones are candidates wherever they are within the radius: they
    have a reason of their own.
    """
    hotspots, settings, must_visit = inputs.hotspots, inputs.area.settings.patrol, tasked.must_visit
    prizes, hours = inputs.prizes[row], around.hours
    inside = np.flatnonzero(_is_on_own_streets(around, must_visit))
    tasked_of, on_hotspot = _match_places_to_stretches(
        find_territories(inputs.area, hotspots), must_visit, inside
    )
    school = inputs.area.schools.iloc[row]
    wanted_names = {*watch, *(name for urn, name in inputs.feared if urn == school["urn"])}
    is_wanted = (
        hotspots["hotspot"].isin(wanted_names) | (hotspots["kind"] != OWN) | (tasked_of >= 0)
    )
    at = prizes.hotspot_rows
    wanted = np.append(is_wanted, False)[at]  # the last entry is that of corners, row -1
    chosen = prizes.is_own | wanted
    lines = np.array(shapely.points(inputs.area.network.xy(prizes.positions)), dtype=object)
    lines[at >= 0] = np.asarray(hotspots.geometry.values, dtype=object)[at[at >= 0]]
    chosen &= ~find_near(lines, tasked.barred, MIN_STOP_METRES_TO_BARRED).any(axis=0)
    chosen &= np.append(_is_in_force(inputs, around), True)[at]
    piece = np.searchsorted(around.pieces, prizes.positions.piece)
    spare = hours.latest_back_minutes - hours.gate_until_minutes - settings.dwell_minutes
    chosen &= around.round_trip_metres[piece] <= max(0.0, spare) * compute_speed(settings)
    if inputs.area.closed:
        ids = name_places(inputs.area.network.xy(prizes.positions), inputs.area.projection.crs)
        chosen &= ~np.isin(ids, list(inputs.area.closed))
    is_tasked = np.append(tasked_of >= 0, False)[at]
    chosen |= is_tasked
    has_gate = hours.gate_minutes > 0 or hours.gate_last_minutes > 0
    chosen[0] = has_gate and prizes.has_pupils
    if inputs.window.at_gate:
        chosen[:] = False
    elif has_gate and school["is_driven"]:
        chosen[1:] &= is_tasked[1:]
    visits = np.where(wanted & ~prizes.is_own, 1, PLACE_DWELLS)
    visits[is_tasked], visits[0] = 1, GATE_DWELLS
    kept = np.repeat(np.flatnonzero(chosen), visits[chosen])
    apart = inside[~on_hotspot[inside]]
    beyond = np.setdiff1d(np.unique(np.flatnonzero(tasked_of >= 0)), at)
    places = np.r_[kept, len(at) + np.arange(len(beyond) + len(apart))]
    hotspot_rows = np.r_[at[kept], beyond, np.full(len(apart), -1)].astype(np.int64)
    tasked_rows = np.append(tasked_of, -1)[at[kept]]
    tasked_rows = np.r_[tasked_rows, tasked_of[beyond], apart].astype(np.int64)
    own = prizes.positions.take(kept).map_to_subnetwork(around.pieces)
    points = shapely.get_coordinates(must_visit.geometry.values)
    there = around.network.snap(points) if len(points) else own.take(np.zeros(0, dtype=np.int64))
    both, number = concatenate_positions(own, there), np.arange(len(places))
    stops = both.take(np.where(tasked_rows >= 0, len(own) + tasked_rows, number))
    rates = np.zeros((len(places), prizes.rates.shape[1]))
    rates[: len(kept)] = prizes.rates[kept]
    begins = np.tile([-np.inf, np.inf], (len(places), 1))
    free = ~(wanted | is_tasked) & prizes.has_pupils
    free[0] = False
    for visit, place in enumerate(kept.tolist()):
        if free[place]:
            begins[visit] = prizes.find_begins(place, settings.dwell_minutes)
    return Candidates(
        stops,
        places,
        hotspot_rows,
        tasked_rows,
        rates,
        begins,
        np.setdiff1d(np.arange(len(must_visit)), inside),
    )


def _is_in_force(inputs: PlanningInputs, around: Surroundings) -> NDArray[np.bool_]:
    """Which hotspots apply on the day and in some of the patrol's hours; most always do."""
    resting, names = find_resting(inputs.area, inputs.date), inputs.hotspot_names
    dwell = inputs.area.settings.patrol.dwell_minutes
    spans = find_begin_spans(inputs.area, names, around.hours, dwell)
    return np.asarray(~np.isin(names, list(resting)) & (spans != NEVER).any(axis=1))


def _is_on_own_streets(around: Surroundings, places: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Which places have their nearest street among the school's own, and not far from them.

    The nearest of a school's streets may only seem to be the nearest, if a nearer one is not among
    them; it surely is the nearest only if all streets within that distance are among them.
    """
    xy = shapely.get_coordinates(places.geometry.values)
    if not len(xy):
        return np.zeros(0, dtype=bool)
    moved = around.network.snap(xy).moved_metres
    apart = np.hypot(*(xy - around.network.xy(around.gate)).T)
    spare = PIECE_METRES / 2  # streets are chosen by the middle of their pieces
    near = (moved <= MAX_SNAP_METRES) & (apart + moved + spare <= around.extent_metres)
    return np.asarray(near)


def _match_places_to_stretches(
    stretches: NDArray[np.object_], places: gpd.GeoDataFrame, inside: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The place on each stretch (-1: none), and which places are on a stretch."""
    place_rows = np.full(len(stretches), -1, dtype=np.int64)
    for row in inside:
        metres = shapely.distance(stretches, places.geometry.iloc[row])
        metres[place_rows >= 0] = np.inf
        if len(metres) and metres.min() <= TASKED_METRES:
            place_rows[int(np.argmin(metres))] = row
    return place_rows, np.isin(np.arange(len(places)), place_rows)
