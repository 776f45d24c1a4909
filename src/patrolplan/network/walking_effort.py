"""The cost of a metre on foot: seconds spent at crossings, and streets that are avoided.

Seconds are real: they count in the time that a walk takes. The other factors, and the metres of a
turn, only affect the choice of the way, not its length or its time.
"""

import numpy as np
from numpy.typing import NDArray

from patrolplan.inputs.osm_tags import MAIN_ROADS, ROADS
from patrolplan.network.network import StreetNetwork
from patrolplan.network.pieces import SAFEST_FIRST

CROSSING_SECONDS = {"signals": 15.0, "zebra": 5.0, "island": 20.0, "unmarked": 40.0}
"""What it costs to cross a main road on foot, assumed; unmarked also where the kind is unknown."""

ROAD_FACTOR, DARK_FACTOR = 1.25, 1.5
"""How much longer a metre counts where a street has no pavement of its own, and on unlit streets
after dark."""

TURN_METRES = 15.0  # so many metres longer is a walk that spares a turn

STREET_FACTOR, ALLEY_FACTOR = 1.02, 1.1
"""How much longer a metre counts on streets that are not main roads, and on alleys and paths."""

SECLUDED_FACTOR = 1000.0
"""The same after dark on footpaths, underpasses and covered passages: they are the last resort."""

PAVEMENT_METRES = 30.0
"""Maximum distance between the middles of a separately mapped pavement and its street's piece."""


def compute_crossing_effort(
    network: StreetNetwork, metres_per_minute: float
) -> NDArray[np.float64]:
    """(p,) what a metre of each piece costs, in metres walked, with the waiting at main roads.

    A street is a line along its middle, so which pavement is used is not known. Half of a crossing
    is counted on each piece that meets a main road and is not part of it: a walk straight over the
    road or along a footway across it has two such pieces and pays once, and a walk that turns into
    the road or off it pays half. Two main roads that cross each other cost nothing, since no piece
    stands for that alone.
    """
    arms = network.main_arms
    nodes, count = np.unique(arms.node, return_counts=True)
    through = nodes[count > 1]  # where a main road only ends, nothing is crossed
    costs = CROSSING_SECONDS | {"unknown": CROSSING_SECONDS["unmarked"]}
    at_node, near = np.zeros(len(network.node_xy)), network.near_crossings
    at_node[through] = [
        costs[SAFEST_FIRST[near[node][0][1]] if node in near else "unknown"]
        for node in through.tolist()
    ]
    ends = at_node[network.piece_nodes]
    # The kind of a footway across the road comes before what is near its node.
    meets = np.isin(network.piece_nodes, through)
    for kind, cost in CROSSING_SECONDS.items():
        is_kind = network.piece_crossing == kind
        ends = np.where(is_kind[:, None] & meets, cost, ends)
    ends[arms.road_of_piece != ""] = 0.0
    metres = ends.sum(axis=1) / 2 * metres_per_minute / 60
    return np.asarray(1 + metres / network.piece_metres)


def compute_preference(network: StreetNetwork, *, is_dark: bool) -> NDArray[np.float64]:
    """(p,) how much longer a metre counts on streets that are avoided: 1 or more."""
    is_bare = (network.main_arms.road_of_piece != "") & (network.piece_sidewalk == "no")
    apart = np.flatnonzero(network.piece_sidewalk == "separate")
    pavements = network.piece_middle[network.piece_is_sidewalk]
    if len(apart) and len(pavements):
        from scipy.spatial import KDTree  # noqa: PLC0415 - heavy, and rarely needed

        metres, _ = KDTree(pavements).query(network.piece_middle[apart])
        is_bare[apart[metres <= PAVEMENT_METRES]] = True
    kind, is_pavement = network.piece_highway.astype(str), network.piece_is_sidewalk
    is_street = np.isin(kind, list(ROADS - MAIN_ROADS - {"service"}))
    is_best = np.isin(kind, [*MAIN_ROADS, "pedestrian"]) | is_pavement | network.piece_is_crossing
    factor = np.where(is_best, 1.0, np.where(is_street, STREET_FACTOR, ALLEY_FACTOR))
    factor *= np.where(is_bare, ROAD_FACTOR, 1.0)
    if not is_dark:
        return np.asarray(factor)
    factor *= np.where(network.piece_lit == "no", DARK_FACTOR, 1.0)
    return np.asarray(factor * np.where(network.piece_is_secluded, SECLUDED_FACTOR, 1.0))
