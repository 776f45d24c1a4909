"""What is known and noted while an area is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from patrolplan.errors import Problems
from patrolplan.plausibility import Alarms
from patrolplan.tables import LeftOut

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

    from patrolplan.area.incidents import PlacedIncidents
    from patrolplan.inputs.crimes import Crimes
    from patrolplan.inputs.streets import Streets
    from patrolplan.network import StreetNetwork
    from patrolplan.notes import Note
    from patrolplan.privacy import ReportTable
    from patrolplan.settings import Settings


@dataclass(frozen=True, eq=False)
class AreaTables:
    """Every table under `[sources]` as it was read."""

    crimes: Crimes
    schools: gpd.GeoDataFrame
    bell_times: pd.DataFrame
    gates: gpd.GeoDataFrame
    officers: gpd.GeoDataFrame
    term_dates: pd.DataFrame
    tasked_places: gpd.GeoDataFrame
    origins: pd.DataFrame
    areas: gpd.GeoDataFrame
    stops: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    clock: pd.DataFrame
    counts: gpd.GeoDataFrame
    designated: gpd.GeoDataFrame | None  # None where there is none, as for reports
    reports: ReportTable | None
    duties: gpd.GeoDataFrame


@dataclass(eq=False)
class Loading:
    """An area while it is loaded; `tables` are as they were read, `schools` as they are used."""

    settings: Settings
    problems: Problems = field(default_factory=Problems)
    left_out: LeftOut = field(default_factory=LeftOut)
    notes: list[Note] = field(default_factory=list)
    schools_left_out: dict[str, str] = field(default_factory=dict)
    alarms: Alarms = field(init=False)
    streets: Streets = field(init=False)
    network: StreetNetwork = field(init=False)
    limits: BaseGeometry = field(init=False)
    tables: AreaTables = field(init=False)
    placed: PlacedIncidents = field(init=False)
    schools: gpd.GeoDataFrame = field(init=False)

    def __post_init__(self) -> None:
        self.alarms = Alarms(self.settings.accept.reasons)

    def raise_if_any(self) -> None:
        """Raise an `InputError` with all problems and alarms that are not accepted, if any."""
        self.problems.extend(self.alarms.take_problems())
        self.problems.raise_if_any()
