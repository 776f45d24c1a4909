"""Minutes from an officer's base to the gates of schools."""

import numpy as np
import shapely
from scipy.sparse import csgraph

from patrolplan.area import StudyArea
from patrolplan.patrols.way import metres_per_minute
from patrolplan.team.problem import Floats

OUTSIDE = 1.3
"""Walking distance over the straight line, for what lies off the streets that are known."""


def minutes_from_base(area: StudyArea) -> Floats:
    """(k, s) minutes from each officer's base to each school's gate.

    Along the streets; where the base lies off them, the straight line to the nearest street
    counts 1.3 times. Officers on bicycles ride at `[patrol] cycling_speed_kmh`, the others walk at
    `walking_speed_kmh`.

    Parameters
    ----------
    area
        With officers.
    """
    network, officers = area.network, area.officers
    bases = network.snap(shapely.get_coordinates(officers.geometry.values))
    unique, which = np.unique(
        np.stack([bases.piece, bases.offset_metres], 1), axis=0, return_inverse=True
    )
    piece, offset = unique[:, 0].astype(np.int64), unique[:, 1]
    ends = np.stack([offset, network.piece_metres[piece] - offset], axis=1)
    gates = area.gates
    gate_ends = np.stack(
        [gates.offset_metres, network.piece_metres[gates.piece] - gates.offset_metres], axis=1
    )
    metres = np.empty((len(unique), len(gates)))
    for row in range(len(unique)):
        nodes = network.piece_nodes[piece[row]]
        apart = csgraph.dijkstra(network.node_graph, indices=nodes)
        to_node = (apart + ends[row][:, None]).min(axis=0)
        over = (to_node[network.piece_nodes[gates.piece]] + gate_ends).min(axis=1)
        along = np.abs(gates.offset_metres - offset[row])
        metres[row] = np.where(gates.piece == piece[row], np.minimum(over, along), over)
    settings = area.settings.patrol
    walk = metres_per_minute(settings.walking_speed_kmh)
    ride = metres_per_minute(settings.cycling_speed_kmh)
    speed = np.where(officers["mode"] == "bicycle", ride, walk)
    total = metres[which.ravel()] + OUTSIDE * bases.moved_metres[:, None]
    return np.asarray(total / speed[:, None])
