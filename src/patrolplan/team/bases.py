"""Officers' bases and modes: how they come to a gate, and whose base a patrol begins or ends at.

Patrols are planned from the base of the school's first officer. Others of the school may have the
same base or another one: a patrol that leads to a colleague's base always says so.

Some officers have another mode than `[patrol] way`: they cycle where patrols walk, or the reverse.
Those who come by public transport or by car patrol on foot. With `[week] way_by_officer`, patrols
of their mode are planned for their schools alone, in a plan of their own next to the plan of all
schools (`Plan.other_mode`). Without it all patrols have the area's mode, and an officer's own only
decides how they come to the gate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely

from patrolplan.area import StudyArea
from patrolplan.errors import InputError
from patrolplan.notes import Note
from patrolplan.patrols.plan import Patrol
from patrolplan.tables import STAFF
from patrolplan.team.problem import Bools, Floats
from patrolplan.team.travel import compute_straight_minutes

SAME_BASE_METRES = 5.0
"""Bases within this distance are the same: files hold places to less than a metre."""


@dataclass(frozen=True, eq=False)
class Bases:
    """Officers' bases (k) against those where patrols (r) begin or end."""

    area: StudyArea
    """With officers."""
    patrols: Sequence[Patrol]
    """As planned for their schools."""

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
        """(k, r) whether the patrol leads to no base other than the officer's."""
        return np.asarray(self.apart_metres <= SAME_BASE_METRES)

    def set_out_minutes(self, travel: Floats) -> Floats:
        """(k, r) when each officer leaves their base for each patrol.

        A patrol from their own base says so itself, to the minute of its card. To a gate they leave
        by (k, r) `travel` minutes earlier, so as to be there at the start; to a colleague's base,
        where a patrol without a presence at the gate begins, as between places off the streets.
        """
        start = np.array([patrol.start_minutes for patrol in self.patrols], dtype=np.float64)
        own_start = np.array([patrol.set_out_minutes for patrol in self.patrols], dtype=np.float64)
        at_base = np.array([patrol.starts_at == "base" for patrol in self.patrols], dtype=bool)
        no_gate = np.array([patrol.from_base for patrol in self.patrols], dtype=bool)
        across = compute_straight_minutes(self.area, self.apart_metres)
        elsewhere = start - np.where(no_gate, across, travel)
        return np.where(at_base & self.is_own, own_start, elsewhere)

    def find_owner(self, officer: int, patrol: int) -> str:
        """Name of the colleague whose base the patrol leads to; empty for the officer's own."""
        if self.is_own[officer, patrol]:
            return ""
        officers, urn = self.area.officers, self.patrols[patrol].urn
        cares = np.array([urn in urns for urns in officers["school_urns"]], dtype=bool)
        cares &= (officers["role"] != STAFF).to_numpy()
        owners = officers["officer"][self.is_own[:, patrol] & cares]
        return str(owners.iloc[0]) if len(owners) else "a colleague"

    def adapt_patrol(self, officer: int, patrol: int, walk: Patrol) -> tuple[Patrol, list[str]]:
        """The patrol as this officer's card has it, and whether it leads to a colleague's base.

        It "starts" there, "ends" there, or both.

        The way to the gate from a colleague's base is left out: the officer comes from another
        place. Where the patrol itself begins or ends there, its notes say so. `officer` and
        `patrol` are rows, `walk` is the patrol, either way round.
        """
        owner = self.find_owner(officer, patrol)
        if not owner:
            return walk, []
        ends = (("starts", walk.from_base), ("ends", walk.ends_at == "base"))
        does = [verb for verb, at_base in ends if at_base]
        notes = walk.notes
        if walk.approach is not None:
            walk = replace(walk, approach=None, starts_at="gate")
            notes += (Note("approach_for_colleague", {"owner": owner}),)
        if does:
            name = str(self.area.officers["officer"].iloc[officer])
            metres = float(self.apart_metres[officer, patrol])
            who = {"owner": owner, "officer": name}
            notes += (Note("colleague_base", {"does": does, "metres": metres, **who}),)
        return replace(walk, notes=notes), does


def find_base_owner(area: StudyArea, officer: str, patrol: Patrol) -> str:
    """Name of the school's officer whose base a patrol leads to; empty for this officer's own."""
    names = list(area.officers["officer"])
    return Bases(area, [patrol]).find_owner(names.index(officer), 0) if officer in names else ""


OTHER_MODE = {"walk": "bicycle", "bicycle": "walk"}

MODE_WORDS = {
    "walk": "on foot",
    "bicycle": "by bicycle",
    "transport": "by public transport",
    "car": "by car",
}
"""Each mode in words."""


def find_patrol_way(mode: str) -> str:
    """How an officer of a mode patrols: by bicycle if they come by it, otherwise on foot."""
    return "bicycle" if mode == "bicycle" else "walk"


def find_other_mode(area: StudyArea) -> Bools:
    """(k,) whether each officer leads patrols in the other mode than `[patrol] way`."""
    way = area.settings.patrol.way
    other = [find_patrol_way(mode) != way for mode in area.officers["mode"]]
    leads = (area.officers["role"] != STAFF).to_numpy(dtype=bool)
    return np.asarray(np.array(other, dtype=bool) & leads)


def build_other_mode_area(area: StudyArea) -> StudyArea | None:
    """The area with only the officers of the other mode, and that mode as its `[patrol] way`.

    None where every officer has the area's mode, or all patrols are to have it; an `InputError`
    where the settings have a bicycle slower than a walk.
    """
    mode = OTHER_MODE[area.settings.patrol.way]
    officers = area.officers[find_other_mode(area)]
    if officers.empty or not area.settings.week.way_by_officer:
        return None
    patrol = area.settings.patrol
    if mode == "bicycle" and patrol.cycling_speed_kmh < patrol.walking_speed_kmh:
        names = ", ".join(officers["officer"])
        what = (
            f"cycling_speed_kmh {patrol.cycling_speed_kmh:g} is below "
            f"walking_speed_kmh {patrol.walking_speed_kmh:g}, and {names} goes by bicycle"
        )
        where, remedy = "[patrol]", "make it faster, or write walk as their mode"
        raise InputError.one(where, what, remedy)
    patrol = patrol.model_copy(update={"way": mode})
    settings = area.settings.model_copy(update={"patrol": patrol})
    return replace(area, settings=settings, officers=officers.reset_index(drop=True))


def list_other_mode_schools(
    area: StudyArea, lent: Iterable[tuple[str, str]] = ()
) -> tuple[str, ...]:
    """Schools that are planned in the other mode, in the order of the schools table.

    Those of officers of another mode than the area's, and those that such officers are lent to
    (pairs of officer and school); none where all patrols are to have the area's mode.
    """
    if not area.settings.week.way_by_officer:
        return ()
    others = area.officers[find_other_mode(area)]
    names = set(others["officer"])
    theirs = {urn for urns in others["school_urns"] for urn in urns}
    theirs |= {urn for officer, urn in lent if officer in names}
    return tuple(urn for urn in area.schools["urn"] if urn in theirs)


def note_modes(area: StudyArea) -> tuple[Note, ...]:
    """A note about officers whose patrols have another mode than theirs, if there are any."""
    way = area.settings.patrol.way
    others = area.officers["officer"][find_other_mode(area)]
    if others.empty or area.settings.week.way_by_officer:
        return ()
    names = list(map(str, others))
    return (Note("mode_not_planned", {"officers": names, "way": OTHER_MODE[way]}),)
