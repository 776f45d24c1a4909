"""Minutes from an officer's base to the gates of schools."""

import numpy as np
import shapely
from scipy.sparse import csgraph

from patrolplan.area import StudyArea
from patrolplan.network import joined_positions
from patrolplan.network.graph import street_graph
from patrolplan.patrols.way import metres_per_minute
from patrolplan.team.problem import Floats

OUTSIDE = 1.3
"""Walking distance over the straight line, for what lies off the streets that are known."""

LOOKED_FOR_METRES = 12_000.0
"""Farther gates are as far as the straight line times `OUTSIDE`: nobody goes there before a bell,
and in a city all streets would be looked at for every officer."""


def minutes_from_base(area: StudyArea) -> Floats:
    """(k, s) minutes from each officer's base to each school's gate.

    Along the streets, up to `LOOKED_FOR_METRES`; where the base lies off them, the straight line to
    the nearest street counts 1.3 times. Officers on bicycles ride at `[patrol] cycling_speed_kmh`,
    the others walk at `walking_speed_kmh`.

    Parameters
    ----------
    area
        With officers.
    """
    network, officers, gates = area.network, area.officers, area.gates
    bases = network.snap(shapely.get_coordinates(officers.geometry.values))
    unique, first, which = np.unique(
        np.stack([bases.piece, bases.offset_metres], 1),
        axis=0,
        return_index=True,
        return_inverse=True,
    )
    ends = joined_positions(gates, bases.take(first))
    graph = street_graph(network, ends, None)
    metres = np.empty((len(unique), len(gates)))
    for row, base in enumerate(graph.places[len(gates) :]):  # one by one: memory for one only
        away = csgraph.dijkstra(graph.costs, indices=base, limit=LOOKED_FOR_METRES)
        metres[row] = away[graph.places[: len(gates)]]
    xy = network.xy(ends)
    straight = np.hypot(*(xy[len(gates) :, None] - xy[: len(gates)]).transpose(2, 0, 1))
    metres = np.where(np.isfinite(metres), metres, OUTSIDE * straight)
    total = metres[which.ravel()] + OUTSIDE * bases.moved_metres[:, None]
    return np.asarray(total / metres_per_minute_of(area)[:, None])


def metres_per_minute_of(area: StudyArea) -> Floats:
    """(k,) how fast each officer comes from their base, by their mode."""
    settings = area.settings.patrol
    walk = metres_per_minute(settings.walking_speed_kmh)
    ride = metres_per_minute(settings.cycling_speed_kmh)
    return np.where(area.officers["mode"] == "bicycle", ride, walk)
