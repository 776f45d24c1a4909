"""Whose base a patrol begins or ends at, and when its officer sets out.

Patrols are planned from the base of the school's first officer. Others of the school may have the
same base or another one: they are never led to a colleague's base without a word.

Minutes from an officer's base to the gates of schools.

Officers who do not go the way of `[patrol] way`: by bicycle where that says on foot, or on foot.

With `[week] way_by_officer` their patrols are planned the way that they go, at their schools alone.
They stand in a plan of their own, beside the plan of all schools: `Plan.other_mode`. Without it all
patrols go the area's way, and a mode tells how an officer comes to the gate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely
from scipy.sparse import csgraph

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.network import concatenate_positions
from patrolplan.network.graph import build_street_graph
from patrolplan.patrols.plan import Patrol
from patrolplan.patrols.surroundings import metres_per_minute
from patrolplan.team.problem import Bools, Floats

OFF_STREET_FACTOR = 1.3
"""Walking distance over the straight line, for what lies off the streets that are known."""

MAX_SEARCH_METRES = 12_000.0
"""Farther gates are as far as the straight line times `OUTSIDE`: nobody goes there before a bell,
and in a city all streets would be looked at for every officer."""


def compute_minutes_from_base(area: StudyArea) -> Floats:
    """(k, s) minutes from each officer's base to each school's gate.

    Along the streets, up to `MAX_SEARCH_METRES`; where the base lies off them, the straight line to
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
    ends = concatenate_positions(gates, bases.take(first))
    graph = build_street_graph(network, ends, None)
    metres = np.empty((len(unique), len(gates)))
    for row, base in enumerate(graph.places[len(gates) :]):  # one by one: memory for one only
        away = csgraph.dijkstra(graph.costs, indices=base, limit=MAX_SEARCH_METRES)
        metres[row] = away[graph.places[: len(gates)]]
    xy = network.xy(ends)
    straight = np.hypot(*(xy[len(gates) :, None] - xy[: len(gates)]).transpose(2, 0, 1))
    metres = np.where(np.isfinite(metres), metres, OFF_STREET_FACTOR * straight)
    total = metres[which.ravel()] + OFF_STREET_FACTOR * bases.moved_metres[:, None]
    return np.asarray(total / compute_officer_speeds(area)[:, None])


def compute_officer_speeds(area: StudyArea) -> Floats:
    """(k,) how fast each officer comes from their base, by their mode."""
    settings = area.settings.patrol
    walk = metres_per_minute(settings.walking_speed_kmh)
    ride = metres_per_minute(settings.cycling_speed_kmh)
    return np.where(area.officers["mode"] == "bicycle", ride, walk)


SAME_BASE_METRES = 5.0
"""Bases so near to each other are one: files hold places to less than a metre."""


@dataclass(frozen=True, eq=False)
class Bases:
    """Officers' bases beside those where patrols begin or end.

    Parameters
    ----------
    area
        With officers.
    patrols
        (r,) patrols, as planned for their schools.
    """

    area: StudyArea
    patrols: Sequence[Patrol]

    @cached_property
    def apart_metres(self) -> Floats:
        """(k, r) straight line from each officer's base to the patrol's; 0 where it has none."""
        network, officers = self.area.network, self.area.officers
        own = network.xy(network.snap(shapely.get_coordinates(officers.geometry.values)))
        theirs = [patrol.base_xy or (np.nan, np.nan) for patrol in self.patrols]
        xy = np.array(theirs, dtype=np.float64).reshape(-1, 2)
        apart = np.hypot(*(own[:, None] - xy).transpose(2, 0, 1))
        return np.asarray(np.nan_to_num(apart, nan=0.0))

    @cached_property
    def is_own(self) -> Bools:
        """(k, r) whether the patrol leads to no other base than the officer's."""
        return np.asarray(self.apart_metres <= SAME_BASE_METRES)

    def set_out_minutes(self, travel: Floats) -> Floats:
        """(k, r) when each officer leaves their base for each patrol.

        From their own base as the patrol itself says, to the minute of its card; to a gate so as
        to be there at the start; to a colleague's base, where it begins without a presence at the
        gate, by 1.3 times the straight line.

        Parameters
        ----------
        travel
            (k, r) minutes from base to gate.
        """
        start = np.array([patrol.start_minutes for patrol in self.patrols], dtype=np.float64)
        own_start = np.array([patrol.set_out_minutes for patrol in self.patrols], dtype=np.float64)
        at_base = np.array([patrol.starts_at == "base" for patrol in self.patrols], dtype=bool)
        no_gate = np.array([patrol.from_base for patrol in self.patrols], dtype=bool)
        across = OFF_STREET_FACTOR * self.apart_metres / compute_officer_speeds(self.area)[:, None]
        elsewhere = start - np.where(no_gate, across, travel)
        return np.where(at_base & self.is_own, own_start, elsewhere)

    def find_owner(self, officer: int, patrol: int) -> str:
        """Name of the school's officer whose base the patrol leads to; empty for one's own."""
        if self.is_own[officer, patrol]:
            return ""
        officers, urn = self.area.officers, self.patrols[patrol].urn
        cares = np.array([urn in urns for urns in officers["school_urns"]], dtype=bool)
        there = officers["officer"][self.is_own[:, patrol] & cares]
        return str(there.iloc[0]) if len(there) else "a colleague"

    def adapt_patrol(self, officer: int, patrol: int, walk: Patrol) -> tuple[Patrol, str]:
        """The patrol as this officer's card tells it, and what it does at a colleague's base.

        The way to the gate from a colleague's base is left out: the officer comes from another
        place. Where the patrol itself begins or ends there, its notes say so.

        Parameters
        ----------
        officer, patrol
            Rows.
        walk
            The patrol, either way round.
        """
        whose = self.find_owner(officer, patrol)
        if not whose:
            return walk, ""
        does = [
            word
            for word, there in (("starts", walk.from_base), ("ends", walk.ends_at == "base"))
            if there
        ]
        said = f"{' and '.join(does)} at the base of {whose}" if does else ""
        notes = walk.notes
        if walk.approach is not None:
            walk = replace(walk, approach=None, starts_at="gate")
            notes += (f"The way from the base to the gate is planned for {whose} alone.",)
        if said:
            name = self.area.officers["officer"].iloc[officer]
            metres = self.apart_metres[officer, patrol]
            notes += (f"{said[0].upper()}{said[1:]}, {metres:.0f} m from that of {name}.",)
        return replace(walk, notes=notes), said


def find_base_owner(area: StudyArea, officer: str, patrol: Patrol) -> str:
    """Name of the school's officer whose base a patrol leads to; empty for this officer's own."""
    names = list(area.officers["officer"])
    return Bases(area, [patrol]).find_owner(names.index(officer), 0) if officer in names else ""


OTHER_MODE = {"walk": "bicycle", "bicycle": "walk"}
"""The other mode than each."""

MODE_WORDS = {"walk": "on foot", "bicycle": "by bicycle"}
"""Each mode as people say it."""


def build_other_mode_area(area: StudyArea) -> StudyArea | None:
    """The area of the officers who do not go the area's way, under the way that they go.

    Parameters
    ----------
    area
        With officers.

    Returns
    -------
    StudyArea or None
        None where every officer goes the area's way, or all patrols are to go it.

    Raises
    ------
    InputError
        When they go by bicycle, and the settings have a bicycle slower than a walk.
    """
    way = OTHER_MODE[area.settings.patrol.way]
    officers = area.officers[area.officers["mode"] == way]
    if officers.empty or not area.settings.week.way_by_officer:
        return None
    patrol = area.settings.patrol
    if way == "bicycle" and patrol.cycling_speed_kmh < patrol.walking_speed_kmh:
        names = ", ".join(officers["officer"])
        what = (
            f"cycling_speed_kmh {patrol.cycling_speed_kmh:g} is below "
            f"walking_speed_kmh {patrol.walking_speed_kmh:g}, and {names} goes by bicycle"
        )
        where, remedy = "[patrol]", "make it faster, or write walk as their mode"
        raise InputError.one(where, what, remedy)
    patrol = patrol.model_copy(update={"way": way})
    settings = area.settings.model_copy(update={"patrol": patrol})
    return replace(area, settings=settings, officers=officers.reset_index(drop=True))


def list_other_mode_schools(
    area: StudyArea, lent: Iterable[tuple[str, str]] = ()
) -> tuple[str, ...]:
    """Schools that are planned the other way, in the order of the schools table.

    Those of officers who do not go the area's way; none where all patrols are to go it.

    Parameters
    ----------
    area
        With officers.
    lent
        Officers and the schools that they are lent to beside their own.
    """
    if not area.settings.week.way_by_officer:
        return ()
    others = area.officers[area.officers["mode"] != area.settings.patrol.way]
    names = set(others["officer"])
    theirs = {urn for urns in others["school_urns"] for urn in urns}
    theirs |= {urn for officer, urn in lent if officer in names}
    return tuple(urn for urn in area.schools["urn"] if urn in theirs)


def describe_modes(area: StudyArea) -> tuple[str, ...]:
    """Say where officers are given patrols of another way than the one that they go."""
    way = area.settings.patrol.way
    others = area.officers["officer"][area.officers["mode"] != way]
    if others.empty or area.settings.week.way_by_officer:
        return ()
    goes, patrols = ("goes", "patrols") if len(others) == 1 else ("go", "patrol")
    said = MODE_WORDS[OTHER_MODE[way]]
    *first, last = others
    who = f"{', '.join(first)} and {last}" if first else last
    told = f"{who} {goes} {said} to the gate and between schools, and {patrols} {MODE_WORDS[way]}. "
    return (f"{told}The settings can have their patrols planned {said} ([week] way_by_officer).",)
