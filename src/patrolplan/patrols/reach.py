"""What a school's patrols can reach: hotspots worth a stop, and walks between them."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.area import StudyArea
from patrolplan.network import Positions, StreetNetwork, concatenate_positions
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.paths import WalkFinder
from patrolplan.network.pieces import PIECE_METRES
from patrolplan.patrols.surroundings import Surroundings
from patrolplan.patrols.windows import compute_speed
from patrolplan.risk.estimate import Risk

BARRED_METRES = 150.0
"""A hotspot whose stretch comes this near to a barred place is no candidate."""

CLOSED_STREET_METRES = 60.0
"""Streets this near to a barred place are not walked along."""

TASKED_METRES = 60.0
"""A tasked place this near to a hotspot's stretch is that hotspot."""


@dataclass(frozen=True, eq=False)
class ReachableStops:
    """Streets and stops around one gate.

    Parameters
    ----------
    around
        What lies around the gate.
    stops
        (k,) stopping places, on `network`.
    walks
        Walks (or rides) between them: the gate is position 0, candidate i is position i + 1, and a
        base comes last.
    candidates
        (k,) rows of the hotspots, most risk first, and -1 for each tasked place that is no
        hotspot's.
    worth
        (k,) risk of each candidate's stretch as a share of the risk within reach; 0 for a tasked
        place that is no hotspot's.
    tasked
        (k,) row of the tasked places that must be visited there, -1 where none.
    beyond
        Rows of the places to visit that lie beyond the school's streets: no stop stands for them.
    passed
        Rows of the barred places whose streets are open: gate or base lie there, or are reached
        only past them.
    start, end
        Position where patrols start and end: 0 is the gate, k + 1 the base.
    """

    surroundings: Surroundings
    stops: Positions
    walks: WalkFinder
    hotspot_rows: NDArray[np.int64]
    worth: NDArray[np.float64]
    tasked_rows: NDArray[np.int64]
    outside_rows: NDArray[np.int64]
    unavoidable_rows: NDArray[np.int64]
    start_position: int = 0
    end_position: int = 0

    @property
    def network(self) -> StreetNetwork:
        """Streets around the gate."""
        return self.surroundings.network

    @property
    def pieces(self) -> NDArray[np.int64]:
        """(q,) pieces of the area's network that `network` consists of."""
        return self.surroundings.pieces

    @property
    def gate(self) -> Positions:
        """The gate, on `network`."""
        return self.surroundings.gate


def find_reachable_stops(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    surroundings: Surroundings,
    *,
    must_visit: gpd.GeoDataFrame,
    barred: gpd.GeoDataFrame,
) -> ReachableStops:
    """The stops within the radius of a gate that a patrol has time for.

    Parameters
    ----------
    area, risk, hotspots
        As they come from the rooms above.
    around
        What lies around the gate.
    must_visit, barred
        Tasked places of this school. A place to visit that lies on a hotspot's stretch is that
        hotspot; a hotspot whose stretch is near a barred place is no candidate, and walks go round
        the streets there.
    """
    settings = area.settings.patrol
    local, pieces, base = surroundings.network, surroundings.pieces, surroundings.base
    in_radius = surroundings.gate_metres <= settings.radius_metres
    within = float(risk.joined[pieces][in_radius].sum())
    in_time = surroundings.round_trip_metres <= _compute_range_metres(
        area, surroundings.hours.after_gate_minutes
    )

    rows = _find_hotspot_rows(hotspots, pieces, in_time & in_radius)
    rows = rows[~_is_near_any(hotspots.geometry.iloc[rows].values, barred, BARRED_METRES)]
    demanded, on_hotspot = _match_places_to_stretches(hotspots.geometry.iloc[rows], must_visit)
    order = np.argsort(-hotspots["worth"].to_numpy()[rows], kind="stable")
    order = order[(np.arange(len(order)) < settings.candidates) | (demanded[order] >= 0)]
    rows, demanded = rows[order], demanded[order]
    apart, placed = np.flatnonzero(~on_hotspot), _is_on_own_streets(surroundings, must_visit)
    beyond = apart[~placed[apart]]
    apart = apart[placed[apart]]
    stops = local.middles(np.searchsorted(pieces, hotspots["stop_piece"].to_numpy()[rows]))
    if len(apart):
        extra = local.snap(shapely.get_coordinates(must_visit.geometry.iloc[apart].values))
        stops = concatenate_positions(stops, extra)

    walks, passed = _find_walks(surroundings, stops, barred)
    worth = hotspots["worth"].to_numpy()[rows] / within if within > 0 else np.zeros(len(rows))
    return ReachableStops(
        surroundings=surroundings,
        stops=stops,
        walks=walks,
        hotspot_rows=np.concatenate([rows, np.full(len(apart), -1)]).astype(np.int64),
        worth=np.concatenate([worth, np.zeros(len(apart))]),
        tasked_rows=np.concatenate([demanded, apart]).astype(np.int64),
        outside_rows=beyond,
        unavoidable_rows=passed,
        start_position=len(stops) + 1 if base is not None and base.is_start else 0,
        end_position=len(stops) + 1 if base is not None and base.is_end else 0,
    )


def _find_walks(
    surroundings: Surroundings, stops: Positions, barred: gpd.GeoDataFrame
) -> tuple[WalkFinder, NDArray[np.int64]]:
    """Walks between gate, stops and base that keep away from barred places; and which they pass.

    The streets at a barred place stay open where the gate or the base itself is so near to it:
    the officer has to get there. Where barred places would cut gate and base off from each other,
    as many as can be stay closed, those far from the gate first.
    """
    bases = () if surroundings.base is None else (surroundings.base.position,)
    places = concatenate_positions(surroundings.gate, stops, *bases)
    ends = [0, len(places) - 1] if bases else [0]
    at = _is_near_each(surroundings.network.piece_lines, barred, CLOSED_STREET_METRES)
    open_effort = np.ones((at.shape[1], 2)) if surroundings.effort is None else surroundings.effort

    def walks(closed: NDArray[np.int64]) -> WalkFinder:
        near = np.asarray(at[closed].any(axis=0))
        effort = np.where(near[:, None], np.inf, open_effort) if near.any() else surroundings.effort
        return WalkFinder(surroundings.network, places, effort=effort)

    def joins(walks: WalkFinder) -> bool:
        return bool(np.isfinite(walks.metres[np.ix_(ends, ends)]).all())

    here = np.flatnonzero(at.any(axis=1))
    may_close = here[~at[np.ix_(here, places.piece[ends])].any(axis=1)]
    found = walks(may_close)
    if not joins(found):
        gate = shapely.points(surroundings.network.xy(surroundings.gate)[0])
        order = np.argsort(-shapely.distance(barred.geometry.values[may_close], gate))
        closed = may_close[:0]
        for place in may_close[order]:
            more = np.append(closed, place)
            closed = more if joins(walks(more)) else closed
        found, may_close = walks(closed), closed
    return found, np.setdiff1d(here, may_close)


def _is_near_each(lines: ArrayLike, places: gpd.GeoDataFrame, metres: float) -> NDArray[np.bool_]:
    """(n, q) which lines come so near to each place."""
    streets = np.asarray(lines)
    near = np.zeros((len(places), len(streets)), dtype=bool)
    for row, place in enumerate(places.geometry):
        near[row] = np.asarray(shapely.distance(streets, place)) <= metres
    return near


def _find_hotspot_rows(
    hotspots: gpd.GeoDataFrame, pieces: NDArray[np.int64], near: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Hotspots whose stopping place is on a piece that is near enough."""
    stop_piece = hotspots["stop_piece"].to_numpy()
    at = np.minimum(np.searchsorted(pieces, stop_piece), len(pieces) - 1)
    return np.flatnonzero((pieces[at] == stop_piece) & near[at])


def _is_on_own_streets(surroundings: Surroundings, places: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Which places have their nearest street among the school's own, and not far from them.

    The nearest of a school's streets may stand in for one that lies beyond them; only where all
    streets so near lie within is it the nearest indeed.
    """
    xy = shapely.get_coordinates(places.geometry.values)
    if not len(xy):
        return np.zeros(0, dtype=bool)
    moved = surroundings.network.snap(xy).moved_metres
    apart = np.hypot(*(xy - surroundings.network.xy(surroundings.gate)).T)
    spare = PIECE_METRES / 2  # streets are taken by the middle of their pieces
    return np.asarray(
        (moved <= MAX_SNAP_METRES) & (apart + moved + spare <= surroundings.extent_metres)
    )


def _is_near_any(lines: ArrayLike, places: gpd.GeoDataFrame, metres: float) -> NDArray[np.bool_]:
    """Which lines come so near to any of the places."""
    return np.asarray(_is_near_each(lines, places, metres).any(axis=0))


def _match_places_to_stretches(
    stretches: gpd.GeoSeries, places: gpd.GeoDataFrame
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The place that each stretch stands for (-1: none), and which places a stretch stands for."""
    of_stretch = np.full(len(stretches), -1, dtype=np.int64)
    found = np.zeros(len(places), dtype=bool)
    for row, place in enumerate(places.geometry):
        metres = shapely.distance(stretches.values, place)
        metres[of_stretch >= 0] = np.inf
        if len(metres) and metres.min() <= TASKED_METRES:
            of_stretch[int(np.argmin(metres))] = row
            found[row] = True
    return of_stretch, found


def _compute_range_metres(area: StudyArea, minutes: float) -> float:
    """Metres there and back, at full speed, that a single stop leaves time for."""
    settings = area.settings.patrol
    return max(0.0, (minutes - settings.dwell_minutes) * compute_speed(settings))
