"""What the board's weeks are chosen from: the area, its risk, and a plan for each day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.patrols.plans import Plan
    from patrolplan.risk.surface import Risk


@dataclass(frozen=True, eq=False)
class Ground:
    """Area, risk, hotspots and the plan of each day, as they are now."""

    area: StudyArea
    risk: Risk
    hotspots: gpd.GeoDataFrame
    plans: Mapping[dt.date, Plan]

    @property
    def days(self) -> tuple[dt.date, ...]:
        """The days that are planned."""
        return tuple(self.plans)
