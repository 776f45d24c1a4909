"""Whose base a patrol begins or ends at, and when its officer sets out.

Patrols are planned from the base of the school's first officer. Others of the school may have the
same base or another one: they are never led to a colleague's base without a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property

import numpy as np
import shapely

from patrolplan.area import StudyArea
from patrolplan.patrols.plans import Patrol
from patrolplan.team.problem import Bools
from patrolplan.team.problem import Floats
from patrolplan.team.travel import OUTSIDE
from patrolplan.team.travel import metres_per_minute_of

SAME_METRES = 5.0
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
    def own(self) -> Bools:
        """(k, r) whether the patrol leads to no other base than the officer's."""
        return np.asarray(self.apart_metres <= SAME_METRES)

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
        across = OUTSIDE * self.apart_metres / metres_per_minute_of(self.area)[:, None]
        elsewhere = start - np.where(no_gate, across, travel)
        return np.where(at_base & self.own, own_start, elsewhere)

    def whose(self, officer: int, patrol: int) -> str:
        """Name of the school's officer whose base the patrol leads to; empty for one's own."""
        if self.own[officer, patrol]:
            return ""
        officers, urn = self.area.officers, self.patrols[patrol].urn
        cares = np.array([urn in urns for urns in officers["school_urns"]], dtype=bool)
        there = officers["officer"][self.own[:, patrol] & cares]
        return str(there.iloc[0]) if len(there) else "a colleague"

    def led(self, officer: int, patrol: int, walk: Patrol) -> tuple[Patrol, str]:
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
        whose = self.whose(officer, patrol)
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


def whose_base(area: StudyArea, officer: str, patrol: Patrol) -> str:
    """Name of the school's officer whose base a patrol leads to; empty for this officer's own."""
    names = list(area.officers["officer"])
    return Bases(area, [patrol]).whose(names.index(officer), 0) if officer in names else ""
