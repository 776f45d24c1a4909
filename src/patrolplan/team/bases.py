"""Officers' bases and modes: how they come to a gate, and whose base a patrol begins or ends at.

Patrols are planned from the base of the school's first officer. Others of the school may have the
same base or another one: a patrol that leads to a colleague's base always says so.

All patrols are made the way of `[patrol] way`; an officer's own mode only decides how they come to
the gate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely

from patrolplan.area import StudyArea
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
