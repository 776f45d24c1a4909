"""Which places of a school its patrols may visit on an occasion: one rule a function.

Free places are the best of the own ways. A place with a reason of its own is a candidate, too:
watched or designated wherever it is within the radius, feared on the own ways, and tasked wherever
the school has streets. No two are in sight of each other: what is free gives way to the gate and to
what is asked for, which takes over what standing there is worth. Only two places that patrols are
sent for may be so near: neither is lost.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from patrolplan.area.square_names import get_part
from patrolplan.arrays import Bools
from patrolplan.hotspots import OWN
from patrolplan.network import concatenate_positions
from patrolplan.network.graph import look_around
from patrolplan.patrols.designated import find_resting
from patrolplan.patrols.places import Place, StandingPlaces
from patrolplan.patrols.surroundings import MIN_STOP_METRES_TO_BARRED, PatrolHours, Surroundings
from patrolplan.patrols.tasked_places import SchoolPlaces, find_near

if TYPE_CHECKING:
    from patrolplan.patrols.planner import Occasion, Planner

GATE_DWELLS, PLACE_DWELLS = 3, 4  # how often at most at the gate again, and at a free place
SAME_METRES = 1.0  # a tasked place within this distance of another is there


@dataclass(frozen=True, eq=False)
class Case:
    """What decides where a school's officers may stand on an occasion."""

    planner: "Planner"
    row: int  # of the area's schools
    occasion: "Occasion"
    hours: PatrolHours
    tasked: SchoolPlaces
    watch: tuple[str, ...]  # names of hotspots that patrols are sent for

    @cached_property
    def around(self) -> Surroundings:
        """The streets around the gate."""
        return self.planner.get_streets(self.row)

    @cached_property
    def standing(self) -> StandingPlaces:
        """All places of the school in the window."""
        return self.planner.get_places(self.row, self.occasion.window)

    @cached_property
    def feared(self) -> frozenset[str]:
        """The hotspots nearest to the gate in the squares where pupils feel least safe."""
        return frozenset(square.hotspot for square in self.planner.find_near_squares(self.row))

    @cached_property
    def resting(self) -> frozenset[str]:
        """The designated hotspots that are for other days."""
        return find_resting(self.planner.area, self.occasion.date)

    @property
    def has_gate(self) -> bool:
        """Whether the window has a presence at the gate."""
        return self.hours.gate_minutes > 0 or self.hours.gate_last_minutes > 0

    @cached_property
    def spare_metres(self) -> float:
        """Longest way to a stop and back that leaves time for a dwell there."""
        settings = self.planner.area.settings.patrol
        minutes = self.hours.latest_back_minutes - self.hours.gate_until_minutes
        return max(0.0, minutes - settings.dwell_minutes) * settings.metres_per_minute


def is_in_reach(case: Case, place: Place) -> bool:
    """Whether there is time to go there, for a dwell, and back."""
    (piece,) = np.searchsorted(case.around.pieces, place.position.piece)
    return bool(case.around.round_trip_metres[piece] <= case.spare_metres)


def is_in_force(case: Case, place: Place) -> bool:
    """Whether it applies on the day, and its hours meet those of the patrol."""
    return place.hours is not None and place.name not in case.resting


def is_not_closed(case: Case, place: Place) -> bool:
    """Whether officers may stand there: a trial leaves some places without patrols."""
    return get_part(place.id) not in case.planner.area.closed


def is_away_from_barred(case: Case, place: Place) -> bool:
    """Whether the whole stretch, or the place, keeps its distance from barred places."""
    if case.tasked.barred.empty:
        return True
    shape = shapely.Point(place.xy)
    if place.hotspot_row >= 0:
        shape = case.planner.hotspots.geometry.iloc[place.hotspot_row]
    return not find_near([shape], case.tasked.barred, MIN_STOP_METRES_TO_BARRED).any()


def may_stay_at_gate(case: Case) -> bool:
    """Whether the gate is a stop again: own pupils pass it, and there is a presence."""
    return case.has_gate and case.standing.has_pupils


def is_asked_for(case: Case, place: Place) -> bool:
    """Whether a hotspot is watched, feared, or designated by the force."""
    # Where pupils feel unsafe far off or away from the own ways, the week sends somebody.
    is_feared = place.name in case.feared and place.is_on_own_way
    is_named = place.name in case.watch or is_feared
    return place.hotspot_row >= 0 and (is_named or place.kind != OWN)


def count_visits(place: Place) -> int:
    """How many dwells a patrol may make at a place: while it is best, one after the other."""
    if place.kind == "gate":
        return GATE_DWELLS
    return PLACE_DWELLS if place.is_free else 1


Rule = Callable[[Case, Place], bool]
RULES: tuple[Rule, ...] = (is_in_reach, is_in_force, is_not_closed, is_away_from_barred)
"""What holds of every place but the gate, and tasked ones, which decide for themselves."""


def choose_places(case: Case, tasked: Sequence[Place]) -> tuple[Place, ...]:
    """The places that patrols may visit, no two in sight of each other; see above."""
    usable = [] if case.occasion.window.at_gate else _list_usable(case)
    # The officer stands for a hotspot where it is tasked, and nowhere else.
    moved = {place.name for place in tasked}
    places = [*tasked, *(place for place in usable if place.name not in moved)]
    near = _find_near(case, places, is_known=not tasked)
    kept = keep_apart(places, near)
    chosen = []
    for number in kept:
        place = places[number]
        if place.tasking is not None:
            others = [other for other in np.flatnonzero(near[number]) if other not in kept]
            place = take_over(case, place, [places[other] for other in others])
        chosen.append(place)
    return tuple(chosen)


def _list_usable(case: Case) -> list[Place]:
    """The places of the table that may be visited, whatever else is near them."""
    # Pupils who are driven pass nowhere but at the gate.
    is_driven = bool(case.planner.area.schools["is_driven"].iloc[case.row])
    usable = [case.standing.gate] if may_stay_at_gate(case) else []
    for place in case.standing.places[1:]:
        is_asked = is_asked_for(case, place)
        if not (place.is_free or is_asked) or (is_driven and case.has_gate):
            continue
        if all(holds(case, place) for holds in RULES):
            usable.append(replace(place, is_asked=is_asked, must=place.name in case.watch))
    return usable


def _find_near(case: Case, places: Sequence[Place], *, is_known: bool) -> Bools:
    """(k, k) which places are in sight of each other; known of those of the table."""
    if is_known:
        numbers = {place.id: number for number, place in enumerate(case.standing.places)}
        rows = [numbers[place.id] for place in places]
        return np.asarray(case.standing.near[np.ix_(rows, rows)])
    positions = concatenate_positions(*(place.position for place in places))
    there = positions.map_to_subnetwork(case.around.pieces)
    return look_around(case.around.network, there)[1]


def keep_apart(places: Sequence[Place], near: Bools) -> list[int]:
    """The rows of places that stay; only those that patrols are sent for may be near each other."""
    kept = [number for number, place in enumerate(places) if place.must]
    others = [number for number, place in enumerate(places) if not place.must]
    others.sort(key=lambda number: (places[number].kind != "gate", not places[number].is_asked))
    for number in others:
        if not near[number, kept].any():
            kept.append(number)
    return sorted(kept)


def take_over(case: Case, tasked: Place, near: Sequence[Place]) -> Place:
    """A tasked place with the worth of its hotspot, or of the best place near it."""
    own = [place for place in case.standing.places if place.hotspot_row == tasked.hotspot_row >= 0]
    if not own and not near:
        return tasked
    there = own[0] if own else max(near, key=lambda place: float(place.rates.sum()))
    joined = replace(
        tasked,
        rates=there.rates,
        passing=there.passing,
        flow=there.flow,
        reasons=tasked.reasons or there.reasons,
    )
    if math.dist(there.xy, tasked.xy) >= SAME_METRES:
        return joined
    return replace(joined, words=there.words, stand=there.stand, at=there.at)
