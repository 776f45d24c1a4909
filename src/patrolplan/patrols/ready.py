"""Everything that schools are planned from, as it is sent to those who share the work."""

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.area import StudyArea
from patrolplan.patrols.case import SchoolCase
from patrolplan.patrols.case import school_case
from patrolplan.patrols.rhythm import Rhythm
from patrolplan.patrols.surroundings import Surroundings
from patrolplan.patrols.surroundings import surroundings_of
from patrolplan.patrols.windows import Window
from patrolplan.risk.surface import Risk


@dataclass(frozen=True, eq=False)
class Ground:
    """What stays the same for every school, whatever the risk.

    Parameters
    ----------
    area
        See `StudyArea.for_schools`.
    labels
        (p,) what each piece of the area's network is called.
    window
        Of the patrols.
    """

    area: StudyArea
    labels: NDArray[np.object_]
    window: Window

    def around(self, row: int) -> Surroundings:
        """What lies around one school's gate; `row` is that of the area's schools."""
        return surroundings_of(self.area, row, self.window)


@dataclass(frozen=True, eq=False)
class Ready:
    """Everything that one school after the other is planned from."""

    ground: Ground
    risk: Risk
    hotspots: gpd.GeoDataFrame
    date: dt.date | None = None
    rhythm: Rhythm | None = None

    def case(self, row: int, around: Surroundings | None = None) -> SchoolCase:
        """What one school's patrols are made from; `row` is that of the area's schools."""
        return school_case(
            self.ground.area,
            self.risk,
            self.hotspots,
            row,
            labels=self.ground.labels,
            window=self.ground.window,
            date=self.date,
            rhythm=self.rhythm,
            around=around,
        )
