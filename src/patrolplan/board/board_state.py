"""The board at one moment: the inputs of its weeks, the week, and the tables it writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from patrolplan.board.csv_table import read_area_table
from patrolplan.team.day_plans import replan_days

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.board.csv_table import CsvTable
    from patrolplan.patrols.plan import Plan
    from patrolplan.risk.surface import Risk
    from patrolplan.team.week import Week
    from patrolplan.team.week_editor import WeekEditor


@dataclass(frozen=True, eq=False)
class PlannedArea:
    """The inputs of the board's weeks: area, risk, hotspots and the plan of each day."""

    area: StudyArea
    risk: Risk
    hotspots: gpd.GeoDataFrame
    plans: Mapping[dt.date, Plan]

    def with_table(self, table: CsvTable) -> PlannedArea:
        """Planned again where a changed table, not yet written, makes a difference."""
        area = read_area_table(self.area, table)
        plans = replan_days(self.plans, area, self.risk, self.hotspots)
        return replace(self, area=area, plans=plans)


@dataclass(frozen=True, eq=False)
class BoardState:
    """The board at one moment; it never changes, the next state replaces it."""

    planned_area: PlannedArea
    editor: WeekEditor
    week: Week
    tables: Mapping[str, CsvTable] = field(default_factory=dict)
    """The tables that the board writes to, as the area was read with them, by their source."""
