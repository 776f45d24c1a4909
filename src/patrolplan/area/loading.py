"""What is known and noted while an area is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from patrolplan.errors import Problems
from patrolplan.plausibility import Alarms
from patrolplan.tables import LeftOut

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from patrolplan.area.incidents import PlacedIncidents
    from patrolplan.inputs.streets import Streets
    from patrolplan.network import StreetNetwork
    from patrolplan.notes import Note
    from patrolplan.settings import Settings


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
    tables: Mapping[str, Any] = field(init=False)
    placed: PlacedIncidents = field(init=False)
    schools: gpd.GeoDataFrame = field(init=False)

    def __post_init__(self) -> None:
        self.alarms = Alarms(self.settings.accept.reasons)

    def __getitem__(self, source: str) -> Any:  # noqa: ANN401 - a table of its kind
        return self.tables[source]

    def raise_if_any(self) -> None:
        """Raise an `InputError` with all problems and alarms that are not accepted, if any."""
        self.problems.extend(self.alarms.take_problems())
        self.problems.raise_if_any()
