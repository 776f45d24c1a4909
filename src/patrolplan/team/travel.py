"""How long officers take from their base to gates and appointments, by their mode.

On foot and by bicycle along the streets, which the network knows; by public transport and by car on
the straight line. All patrols are made the way of `[patrol] way`: an officer's own mode only
decides how they come to the gate.
"""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csgraph

from patrolplan.area import StudyArea
from patrolplan.network import Positions, concatenate_positions
from patrolplan.network.graph import build_street_graph
from patrolplan.network.pieces import join_both_ways
from patrolplan.notes import Note
from patrolplan.patrols.surroundings import CYCLING_SPEED_KMH, metres_per_minute
from patrolplan.tables import STAFF
from patrolplan.team.problem import Floats

OFF_STREET_FACTOR = 1.3
"""Walking distance over the straight line, for places off the mapped streets."""

DOOR_TO_DOOR = {"transport": (14.0, 8.0), "car": (18.0, 6.0)}
"""Speed in km/h, and minutes for the walk to the stop or car, waiting and parking; assumed."""

MAX_SEARCH_METRES = 12_000.0
"""Beyond this, the straight line times `OFF_STREET_FACTOR` counts: officers do not come from so far
before a bell, and in a city the search would cover all streets for every officer."""


def compute_minutes_from_base(area: StudyArea) -> Floats:
    """(k, s) minutes from each officer's base to each school's gate."""
    return _compute_minutes(area, area.gates, area.network.xy(area.gates))


def compute_minutes_to_places(area: StudyArea, places_xy: NDArray[np.float64]) -> Floats:
    """(k, n) minutes from each officer's base to each of (n, 2) places, on streets or off them."""
    if not len(places_xy):
        return np.zeros((len(area.officers), 0))
    return _compute_minutes(area, area.network.walkable.snap(places_xy), places_xy)


def _compute_minutes(area: StudyArea, places: Positions, places_xy: NDArray[np.float64]) -> Floats:
    """(k, n) minutes from each officer's base to places, given where they are on the streets."""
    # Along the streets, up to `MAX_SEARCH_METRES`; where base or place is off them, the straight
    # line to the nearest street counts 1.3 times. Officers on bicycles ride at `CYCLING_SPEED_KMH`,
    # those on foot walk at `[patrol] walking_speed_kmh`.
    network = area.network.walkable
    bases_xy = shapely.get_coordinates(area.officers.geometry.values)
    bases = network.snap(bases_xy)
    unique, first, which = np.unique(
        np.stack([bases.piece, bases.offset_metres], 1),
        axis=0,
        return_index=True,
        return_inverse=True,
    )
    ends = concatenate_positions(places, bases.take(first))
    graph = build_street_graph(network, ends, None)
    costs, _, _ = join_both_ways(graph.ends, graph.costs, graph.size)
    metres = np.empty((len(unique), len(places)))
    for row, base in enumerate(graph.places[len(places) :]):  # one by one, to save memory
        distance = csgraph.dijkstra(costs, indices=base, limit=MAX_SEARCH_METRES)
        metres[row] = distance[graph.places[: len(places)]]
    xy = network.xy(ends)
    straight = np.hypot(*(xy[len(places) :, None] - xy[: len(places)]).transpose(2, 0, 1))
    metres = np.where(np.isfinite(metres), metres, OFF_STREET_FACTOR * straight)
    moved = np.hypot(*(network.xy(places) - places_xy).T)
    total = metres[which.ravel()] + OFF_STREET_FACTOR * (bases.moved_metres[:, None] + moved)
    along = total / compute_officer_speeds(area)[:, None]
    direct = np.hypot(*(bases_xy[:, None] - places_xy).transpose(2, 0, 1))
    is_declared = area.officers["mode"].isin(["transport", "car"]).to_numpy()
    return np.where(is_declared[:, None], compute_straight_minutes(area, direct), along)


def compute_straight_minutes(area: StudyArea, metres: Floats) -> Floats:
    """(k, n) minutes that each officer takes between places (k, n) metres apart off the streets."""
    # For public transport and cars nothing else is known of the journey; no distance takes no time.
    minutes = OFF_STREET_FACTOR * metres / compute_officer_speeds(area)[:, None]
    for mode, (speed_kmh, overhead) in DOOR_TO_DOOR.items():
        rows = (area.officers["mode"] == mode).to_numpy()
        ride = overhead + metres[rows] / metres_per_minute(speed_kmh)
        minutes[rows] = np.where(metres[rows] > 0, ride, 0.0)
    return np.asarray(minutes)


def compute_officer_speeds(area: StudyArea) -> Floats:
    """(k,) metres a minute of each officer along streets: those on bicycles ride, others walk."""
    settings = area.settings.patrol
    walk = metres_per_minute(settings.walking_speed_kmh)
    ride = metres_per_minute(CYCLING_SPEED_KMH)
    return np.where(area.officers["mode"] == "bicycle", ride, walk)


MODE_WORDS = {
    "walk": "on foot",
    "bicycle": "by bicycle",
    "transport": "by public transport",
    "car": "by car",
}
"""Each mode in words."""


def note_modes(area: StudyArea) -> tuple[Note, ...]:
    """A note about officers who come by bicycle to patrols on foot, or the reverse."""
    way = area.settings.patrol.way
    leads = area.officers[area.officers["role"] != STAFF]
    others = leads["officer"][(leads["mode"] == "bicycle") != (way == "bicycle")]
    if others.empty:
        return ()
    return (Note("other_mode", {"officers": list(map(str, others)), "way": way}),)
