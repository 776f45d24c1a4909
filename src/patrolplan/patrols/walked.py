"""Which pieces of street a patrol walks, and which main roads it crosses without help."""

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan.arrays import Bools, Ints
from patrolplan.inputs.osm_tags import CrossingKind
from patrolplan.network import StreetNetwork
from patrolplan.patrols.plan import Patrol

ON_WALK_METRES = 4.0  # the middle of a piece that is walked lies within this of the walk
NEAR_WALK_METRES = 40.0  # a street of which no piece is walked is named within this of the walk
UNGUARDED: tuple[CrossingKind, ...] = ("unmarked", "unknown")
"""Crossings of main roads that need care; the other kinds stop or slow the traffic."""

Crossings = dict[CrossingKind, dict[str, list[int]]]
"""By kind of crossing and road: rows of the legs that cross it, in their order."""


def find_walked_pieces(patrol: Patrol, network: StreetNetwork) -> Ints:
    """(n,) pieces that legs follow or cross, by their lines: legs from a file have no pieces."""
    is_walked = _is_within(_join_legs(patrol), network, ON_WALK_METRES)
    return np.flatnonzero(is_walked)


def find_walked_streets(patrol: Patrol, network: StreetNetwork) -> dict[str, Ints]:
    """The pieces of each street of the directions that are walked, or else those near the walk."""
    walk = _join_legs(patrol)
    is_walked, is_near = (
        _is_within(walk, network, metres) for metres in (ON_WALK_METRES, NEAR_WALK_METRES)
    )
    streets = {}
    for street in dict.fromkeys(step.street for leg in patrol.legs for step in leg.steps):
        pieces = network.pieces_by_name.get(street)
        if pieces is not None:
            is_shown = is_walked if is_walked[pieces].any() else is_near
            streets[street] = pieces[is_shown[pieces]]
    return streets


def find_unguarded_crossings(patrol: Patrol) -> Crossings:
    """Main roads that are crossed without lights or priority."""
    found: Crossings = {}
    for row, leg in enumerate(patrol.legs):
        for crossing in (crossing for step in leg.steps for crossing in step.crossings):
            if crossing.kind in UNGUARDED:
                legs = found.setdefault(crossing.kind, {}).setdefault(crossing.road, [])
                legs += [] if row in legs else [row]
    return found


def _join_legs(patrol: Patrol) -> BaseGeometry:
    lines = (leg.line for leg in patrol.legs if len(leg.line) > 1)
    return shapely.union_all([shapely.LineString(line) for line in lines])


def _is_within(walk: BaseGeometry, network: StreetNetwork, metres: float) -> Bools:
    shapely.prepare(walk)
    return np.asarray(shapely.dwithin(walk, shapely.points(network.piece_middle), metres))
