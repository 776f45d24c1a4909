"""Candidates for stops of a patrol: hotspots and tasked places, and where to stand there."""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.patrols.designated import NEVER, find_begin_spans, find_resting, find_territories
from patrolplan.patrols.planning_inputs import PlanningInputs
from patrolplan.patrols.surroundings import MIN_STOP_METRES_TO_BARRED, Surroundings, compute_speed
from patrolplan.patrols.tasked_places import find_near

TASKED_METRES = 60.0
"""A tasked place within this distance of a hotspot's stretch is part of that hotspot."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Possible stops of one school's patrols: k hotspots and tasked places."""

    stops: Positions
    """(k,) stopping places, on the streets around the gate."""
    hotspot_rows: NDArray[np.int64]
    """(k,) rows of the hotspots or beats, most risk first; -1 for a tasked place outside of
    hotspots."""
    amounts: NDArray[np.float64]
    """(k,) risk of each candidate's stretch, the mean over the patrol's hours; 0 without one."""
    tasked_rows: NDArray[np.int64]
    """(k,) row of the place to visit at each candidate, -1 if none."""
    outside_rows: NDArray[np.int64]
    """Rows of the places to visit that are beyond the school's streets."""
    is_idle: bool
    """Whether no hotspot within the radius is worth walking."""


def find_candidates(
    inputs: PlanningInputs,
    around: Surroundings,
    must_visit: gpd.GeoDataFrame,
    barred: gpd.GeoDataFrame,
    watch: Sequence[str] = (),
) -> Candidates:
    """The hotspots within the radius that a patrol has time for, and the tasked places to visit.

    A place to visit on a hotspot's stretch, or in its polygon, is part of that hotspot, and the
    officer stands at the place. Other hotspots with a stretch near a barred place are not
    candidates, nor are those designated for other days or hours. Hotspots to watch are candidates
    wherever they are on the school's streets.
    """
    hotspots, settings = inputs.hotspots, inputs.area.settings.patrol
    in_radius = around.gate_metres <= settings.radius_metres
    walking_minutes = around.hours.after_gate_minutes - settings.dwell_minutes
    in_time = around.round_trip_metres <= max(0.0, walking_minutes * compute_speed(settings))
    covered = zip(hotspots["hotspot"], hotspots["beat"], strict=True)
    is_watched = np.array(
        [not {name, *beat}.isdisjoint(watch) for name, beat in covered], dtype=bool
    )
    is_candidate = _find_near_stops(hotspots, around.pieces, in_time & in_radius)
    is_candidate |= is_watched & _find_near_stops(
        hotspots, around.pieces, np.ones(len(around.pieces), dtype=bool)
    )
    near_barred = find_near(hotspots.geometry.values, barred, MIN_STOP_METRES_TO_BARRED)
    is_candidate &= ~near_barred.any(axis=0)
    is_candidate &= _is_in_force(inputs, around)
    inside = np.flatnonzero(_is_on_own_streets(around, must_visit))
    tasked_rows, on_hotspot = _match_places_to_stretches(
        find_territories(inputs.area, hotspots), must_visit, inside
    )
    rows = np.flatnonzero(is_candidate | (tasked_rows >= 0))
    amounts = hotspots["worth"].to_numpy()[rows]
    if inputs.timed_risk is not None:
        amounts = inputs.timed_risk.compute_mean_rates(rows, around.hours)
    order = np.argsort(-amounts, kind="stable")
    is_worth_walking = hotspots["is_worth_walking"].to_numpy()
    is_wanted = (tasked_rows[rows] >= 0) | is_watched[rows]
    order = order[(is_worth_walking[rows] | is_wanted)[order]]
    order = order[(np.arange(len(order)) < settings.candidates) | is_wanted[order]]
    rows, amounts = rows[order], amounts[order]
    apart = inside[~on_hotspot[inside]]
    return Candidates(
        stops=_find_stops(around, hotspots, rows, must_visit, tasked_rows[rows], apart),
        hotspot_rows=np.concatenate([rows, np.full(len(apart), -1)]).astype(np.int64),
        amounts=np.concatenate([amounts, np.zeros(len(apart))]),
        tasked_rows=np.concatenate([tasked_rows[rows], apart]).astype(np.int64),
        outside_rows=np.setdiff1d(np.arange(len(must_visit)), inside),
        is_idle=not is_worth_walking[_find_near_stops(hotspots, around.pieces, in_radius)].any(),
    )


def _is_in_force(inputs: PlanningInputs, around: Surroundings) -> NDArray[np.bool_]:
    """Which hotspots apply on the day and in some of the patrol's hours; most always do."""
    names = inputs.hotspot_names
    resting = find_resting(inputs.area, inputs.date)
    dwell = inputs.area.settings.patrol.dwell_minutes
    spans = find_begin_spans(inputs.area, names, around.hours, dwell)
    awake = np.array([name not in resting for name in names], dtype=bool)
    return np.asarray(awake & (spans != NEVER).any(axis=1))


def _find_near_stops(
    hotspots: gpd.GeoDataFrame, pieces: NDArray[np.int64], near: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which hotspots have their stopping place on one of `pieces` that is `near`, both (q,)."""
    stop_piece = hotspots["stop_piece"].to_numpy()
    at = np.minimum(np.searchsorted(pieces, stop_piece), len(pieces) - 1)
    return np.asarray((pieces[at] == stop_piece) & near[at])


def _find_stops(
    around: Surroundings,
    hotspots: gpd.GeoDataFrame,
    rows: NDArray[np.int64],
    must_visit: gpd.GeoDataFrame,
    tasked_rows: NDArray[np.int64],
    apart: NDArray[np.int64],
) -> Positions:
    """Where to stand: at the stopping places of hotspots, and at tasked places themselves.

    `rows` are the hotspots, `tasked_rows` the tasked places on them (-1: none), `apart` the other
    tasked places.
    """
    standing = Positions(
        hotspots["stop_piece"].to_numpy()[rows],
        hotspots["stop_metres"].to_numpy()[rows],
        np.zeros(len(rows)),
    ).map_to_subnetwork(around.pieces)
    if not len(must_visit):
        return standing
    tasked = around.network.snap(shapely.get_coordinates(must_visit.geometry.values))
    free, wanted = np.flatnonzero(tasked_rows < 0), np.flatnonzero(tasked_rows >= 0)
    stops = concatenate_positions(
        standing.take(free), tasked.take(tasked_rows[wanted]), tasked.take(apart)
    )
    order = np.argsort(np.r_[free, wanted], kind="stable")
    return stops.take(np.r_[order, len(order) + np.arange(len(apart))])


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
    """The place on each stretch (-1: none), and which places are on a stretch.

    `inside` are the places that can be visited. Whether a place is on a stretch does not depend on
    the stopping place, so that visits count for the same hotspot for all schools.
    """
    place_rows = np.full(len(stretches), -1, dtype=np.int64)
    for row in inside:
        metres = shapely.distance(stretches, places.geometry.iloc[row])
        metres[place_rows >= 0] = np.inf
        if len(metres) and metres.min() <= TASKED_METRES:
            place_rows[int(np.argmin(metres))] = row
    return place_rows, np.isin(np.arange(len(places)), place_rows)
