"""What a school's patrols can reach: streets, hotspots worth a stop, and walks between them."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.network import Positions
from patrolplan.network import StreetNetwork
from patrolplan.risk.surface import Risk
from patrolplan.walks import Walks

MARGIN = 1.2
"""Walks between stops may lead this much farther from the gate than the radius."""


@dataclass(frozen=True, eq=False)
class Reach:
    """Streets and hotspots around one gate.

    Parameters
    ----------
    network
        Streets around the gate.
    pieces
        (q,) pieces of the area's network that `network` consists of.
    gate
        The gate, on `network`.
    walks
        Walks between positions: the gate is position 0, candidate i is position i + 1.
    candidates
        (k,) rows of the hotspots, most risk first.
    worth
        (k,) risk of each candidate's stretch as a share of the risk within reach.
    """

    network: StreetNetwork
    pieces: NDArray[np.int64]
    gate: Positions
    walks: Walks
    candidates: NDArray[np.int64]
    worth: NDArray[np.float64]


def metres_per_minute(speed_kmh: float) -> float:
    """Walking speed in metres a minute.

    Examples
    --------
    >>> metres_per_minute(4.8)
    80.0
    """
    return speed_kmh * 1000 / 60


def reach_of(
    area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame, gate: Positions
) -> Reach:
    """Streets within the radius of a gate, and the hotspots there that a patrol has time for.

    Parameters
    ----------
    area, risk, hotspots
        As they come from the rooms above.
    gate
        One position on `area.network`.
    """
    settings = area.settings.patrol
    whole = area.network
    pieces = whole.around(whole.xy(gate)[0], settings.radius_metres * MARGIN)
    local = whole.take(pieces)
    here = Positions(np.searchsorted(pieces, gate.piece), gate.offset_metres, gate.moved_metres)
    from_gate = Walks(local, here, limit_metres=settings.radius_metres)
    piece_metres = from_gate.piece_metres(0)
    within = risk.joined[pieces][piece_metres <= settings.radius_metres].sum()

    stop_piece = hotspots["stop_piece"].to_numpy()
    inside = np.isin(stop_piece, pieces)
    rows = np.flatnonzero(inside)
    local_stop = np.searchsorted(pieces, stop_piece[rows])
    farthest = _farthest_metres(area)
    near = piece_metres[local_stop] <= min(settings.radius_metres, farthest)
    rows, local_stop = rows[near], local_stop[near]
    order = np.argsort(-hotspots["worth"].to_numpy()[rows], kind="stable")[: settings.candidates]
    rows, local_stop = rows[order], local_stop[order]

    stops = local.middles(local_stop)
    both = Positions(
        np.concatenate([here.piece, stops.piece]),
        np.concatenate([here.offset_metres, stops.offset_metres]),
        np.concatenate([here.moved_metres, stops.moved_metres]),
    )
    worth = hotspots["worth"].to_numpy()[rows] / within if within > 0 else np.zeros(len(rows))
    return Reach(local, pieces, here, Walks(local, both), rows, worth)


def _farthest_metres(area: StudyArea) -> float:
    """Farthest stop that leaves time for its dwell and the way back."""
    settings = area.settings.patrol
    minutes = settings.window_minutes - settings.gate_minutes - settings.dwell_minutes
    return max(0.0, minutes / 2 * metres_per_minute(settings.walking_speed_kmh))
