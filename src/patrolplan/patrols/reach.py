"""What a school's patrols can reach: streets, hotspots worth a stop, and walks between them.

The radius, and with it what a stop is worth, is measured on foot whichever way a patrol goes, so
that patrols on foot and by bicycle compare.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.catchments import FARTHEST_METRES
from patrolplan.network import Positions
from patrolplan.network import StreetNetwork
from patrolplan.network import joined_positions
from patrolplan.riding import effort
from patrolplan.risk.surface import Risk
from patrolplan.settings import PatrolSettings
from patrolplan.walks import Walks

BARRED_METRES = 150.0
"""A hotspot whose stretch comes this near to a barred place is no candidate."""

TASKED_METRES = 60.0
"""A tasked place this near to a hotspot's stretch is that hotspot."""

MARGIN = 1.2
"""Walks between stops may lead this much farther from the gate than the radius."""


@dataclass(frozen=True, eq=False)
class Reach:
    """Streets and stops around one gate.

    Parameters
    ----------
    network
        Streets around the gate.
    pieces
        (q,) pieces of the area's network that `network` consists of.
    gate, stops
        The gate, and the (k,) stopping places, on `network`.
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
    start, end
        Position where patrols start and end: 0 is the gate, k + 1 the base.
    """

    network: StreetNetwork
    pieces: NDArray[np.int64]
    gate: Positions
    stops: Positions
    walks: Walks
    candidates: NDArray[np.int64]
    worth: NDArray[np.float64]
    tasked: NDArray[np.int64]
    start: int = 0
    end: int = 0


@dataclass(frozen=True, eq=False)
class Base:
    """The base of a school's officer, and what patrols do there.

    Parameters
    ----------
    place
        One position on the area's network.
    starts, ends
        Whether patrols start and end there.
    """

    place: Positions
    starts: bool
    ends: bool


def speed_of(settings: PatrolSettings) -> float:
    """Metres a minute at full speed, the way that patrols go."""
    by_bicycle = settings.way == "bicycle"
    return metres_per_minute(
        settings.cycling_speed_kmh if by_bicycle else settings.walking_speed_kmh
    )


def effort_of(area: StudyArea, pieces: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """What a metre of these pieces costs the way that patrols go; None on foot, where all is 1."""
    settings = area.settings.patrol
    if settings.way == "walk":
        return None
    return effort(
        area.network.bicycle_ways[pieces],
        riding_kmh=settings.cycling_speed_kmh,
        walking_kmh=settings.walking_speed_kmh,
    )


def way_notes(area: StudyArea) -> tuple[str, ...]:
    """What the streets file cannot say about riding; nothing where patrols go on foot."""
    if area.settings.patrol.way == "walk":
        return ()
    notes = []
    if area.walking_extract:
        notes.append(
            "The streets file seems to be an extract for walking: "
            "roads and tracks for bicycles may be missing from it."
        )
    if not (area.network.parts.ways["one_way"] != 0).any():
        notes.append("The streets file names no one-way street: look out for them.")
    return tuple(notes)


def metres_per_minute(speed_kmh: float) -> float:
    """Speed in metres a minute.

    Examples
    --------
    >>> metres_per_minute(4.8)
    80.0
    """
    return speed_kmh * 1000 / 60


def base_of(area: StudyArea, urn: str) -> tuple[Positions | None, str]:
    """The base of a school's first officer, and else why patrols are without one."""
    has = np.array([urn in urns for urns in area.officers["school_urns"]], dtype=bool)
    if not has.any():
        return None, "No officer has this school"
    place = area.officers.geometry.iloc[int(np.argmax(has))]
    base = area.network.snap([(place.x, place.y)])
    if base.moved_metres[0] > FARTHEST_METRES:
        return None, "No walkable street is near the officer's base"
    return base, ""


def reach_of(
    area: StudyArea,
    risk: Risk,
    hotspots: gpd.GeoDataFrame,
    gate: Positions,
    *,
    minutes: float,
    must_visit: gpd.GeoDataFrame,
    barred: gpd.GeoDataFrame,
    base: Base | None = None,
) -> Reach:
    """Streets within the radius of a gate, and the stops there that a patrol has time for.

    Parameters
    ----------
    area, risk, hotspots
        As they come from the rooms above.
    gate
        One position on `area.network`.
    minutes
        From the end of the presence at the gate to the end of the window.
    must_visit, barred
        Tasked places of this school. A place to visit that lies on a hotspot's stretch is that
        hotspot; a hotspot whose stretch is near a barred place is no candidate.
    base
        Where patrols start or end; default the gate.
    """
    settings = area.settings.patrol
    whole = area.network
    bases = () if base is None else (base.place,)
    pieces = _pieces_around(area, gate, bases)
    local, efforts = whole.take(pieces), effort_of(area, pieces)
    here = _moved(gate, pieces)
    there = tuple(_moved(place, pieces) for place in bases)
    from_gate = Walks(local, here, limit_metres=settings.radius_metres)
    piece_metres = from_gate.piece_metres(0)
    within = float(risk.joined[pieces][piece_metres <= settings.radius_metres].sum())

    start = there[0] if base is not None and base.starts else here
    end = there[0] if base is not None and base.ends else here
    fits = _there_and_back(local, start, end, efforts) <= _gone_metres(area, minutes)
    near = fits & (piece_metres <= settings.radius_metres)
    rows = _hotspot_rows(hotspots, pieces, near)
    rows = rows[~_near(hotspots.geometry.iloc[rows], barred)]
    demanded, on_hotspot = _demanded(hotspots.geometry.iloc[rows], must_visit)
    order = np.argsort(-hotspots["worth"].to_numpy()[rows], kind="stable")
    order = order[(np.arange(len(order)) < settings.candidates) | (demanded[order] >= 0)]
    rows, demanded = rows[order], demanded[order]
    apart = np.flatnonzero(~on_hotspot)
    extra = local.snap(shapely.get_coordinates(must_visit.geometry.iloc[apart].values))

    stops = local.middles(np.searchsorted(pieces, hotspots["stop_piece"].to_numpy()[rows]))
    stops = joined_positions(stops, extra)
    worth = hotspots["worth"].to_numpy()[rows] / within if within > 0 else np.zeros(len(rows))
    return Reach(
        network=local,
        pieces=pieces,
        gate=here,
        stops=stops,
        walks=Walks(local, joined_positions(here, stops, *there), effort=efforts),
        candidates=np.concatenate([rows, np.full(len(apart), -1)]).astype(np.int64),
        worth=np.concatenate([worth, np.zeros(len(apart))]),
        tasked=np.concatenate([demanded, apart]).astype(np.int64),
        start=len(stops) + 1 if base is not None and base.starts else 0,
        end=len(stops) + 1 if base is not None and base.ends else 0,
    )


def _there_and_back(
    network: StreetNetwork,
    start: Positions,
    end: Positions,
    effort: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """(p,) least cost of going from the start to each piece and on to the end."""
    out = Walks(network, start, effort=effort)
    if effort is None:
        back = out if start is end else Walks(network, end)
    else:
        back = Walks(network, end, effort=effort[:, ::-1])  # the way there, told backwards
    return out.piece_metres(0) + back.piece_metres(0)


def _pieces_around(
    area: StudyArea, gate: Positions, bases: tuple[Positions, ...]
) -> NDArray[np.int64]:
    """Pieces that patrols may walk: within the radius of the gate, and as far as the base is."""
    whole = area.network
    centre = whole.xy(gate)[0]
    away = [float(np.hypot(*(whole.xy(base)[0] - centre))) for base in bases]
    around = whole.around(centre, MARGIN * max(area.settings.patrol.radius_metres, *away, 0.0))
    # However small the radius, gate and base are on a street.
    return np.unique(np.concatenate([around, gate.piece, *(base.piece for base in bases)]))


def _moved(place: Positions, pieces: NDArray[np.int64]) -> Positions:
    """A position on the network of these pieces alone."""
    piece = np.searchsorted(pieces, place.piece)
    return Positions(piece, place.offset_metres, place.moved_metres)


def _hotspot_rows(
    hotspots: gpd.GeoDataFrame, pieces: NDArray[np.int64], near: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Hotspots whose stopping place is on a piece that is near enough."""
    stop_piece = hotspots["stop_piece"].to_numpy()
    rows = np.flatnonzero(np.isin(stop_piece, pieces))
    return np.asarray(rows[near[np.searchsorted(pieces, stop_piece[rows])]])


def _near(stretches: gpd.GeoSeries, places: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Stretches that come near any of the places."""
    if places.empty:
        return np.zeros(len(stretches), dtype=bool)
    metres = shapely.distance(stretches.values, places.geometry.union_all())
    return np.asarray(metres <= BARRED_METRES)


def _demanded(
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


def _gone_metres(area: StudyArea, minutes: float) -> float:
    """Metres there and back, at full speed, that a single stop leaves time for."""
    settings = area.settings.patrol
    return max(0.0, (minutes - settings.dwell_minutes) * speed_of(settings))
