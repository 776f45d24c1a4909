"""Bus stops and stations that pupils go to, and how likely each is."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.network import Positions, StreetNetwork

STOP_SPREAD_METRES = 200.0
"""A stop this much farther away is a third as likely: pupils need the stop of their own line."""


@dataclass(frozen=True, eq=False)
class Stops:
    """Bus stops or stations on streets, and how many board there, relative to each other."""

    positions: Positions
    boardings: NDArray[np.float64]


def find_stops(network: StreetNetwork, stops: gpd.GeoDataFrame, kind: str) -> Stops:
    """Stops of a kind at their nearest street; those without a street near are left out."""
    chosen = stops[stops["kind"] == kind]
    xy = np.column_stack([chosen.geometry.x, chosen.geometry.y]).reshape(-1, 2)
    positions = network.snap(xy)
    near = positions.moved_metres <= MAX_SNAP_METRES
    boardings = chosen["boardings"].to_numpy(dtype=np.float64)[near]
    has_count = np.isfinite(boardings)
    mean = boardings[has_count].mean() if has_count.any() else 0.0
    weight = np.ones(len(boardings))  # a stop with unknown boardings counts as the mean
    if mean > 0:
        weight[has_count] = boardings[has_count] / mean
    return Stops(positions.take(near), weight)


def choose_stops(
    metres: NDArray[np.float64], boardings: NDArray[np.float64], reach_metres: float
) -> NDArray[np.float64]:
    """(s,) share of riders who go to each stop; all 0 where none is within reach.

    The odds fall with walking distance and grow with the number who board there.
    """
    within = metres <= reach_metres
    odds = np.zeros(len(metres))
    if not within.any():
        return odds
    away = metres[within]
    odds[within] = boardings[within] * np.exp(-(away - away.min()) / STOP_SPREAD_METRES)
    if odds.sum() <= 0:
        odds[within] = 1.0
    return np.asarray(odds / odds.sum())
