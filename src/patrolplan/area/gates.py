"""Schools -> schools at their gates: inside the area, with bell and gate, on a street."""

from collections.abc import Hashable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.counted import agreeing
from patrolplan.counted import counted
from patrolplan.errors import Problems
from patrolplan.inputs.tabular import in_row
from patrolplan.network import Positions
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import FARTHEST_METRES
from patrolplan.network.kept import cached_snap
from patrolplan.settings import Settings
from patrolplan.tables import SCHOOLS
from patrolplan.tables import LeftOut

FAR_METRES = 1000.0
"""A gate farther than this from its school's own point is told: it may be mistyped or swapped."""

OUTSIDE = "outside the area"
OFF_STREET = "without a walkable street near"


@dataclass(frozen=True)
class Gatekeeper:
    """Leads schools to their gates; what is left out or wrong gathers as it goes.

    Parameters
    ----------
    passed_over
        Is told why a school that is there is left out, by URN.
    """

    settings: Settings
    problems: Problems
    left_out: LeftOut
    notes: list[str]
    passed_over: dict[str, str]

    def at_gates(
        self,
        schools: gpd.GeoDataFrame,
        gates: gpd.GeoDataFrame,
        bells: pd.Series,
        network: StreetNetwork,
        limits: BaseGeometry,
    ) -> tuple[gpd.GeoDataFrame, Positions]:
        """Schools inside the area with bell and gate, and their gates on the street.

        Parameters
        ----------
        schools, gates, bells
            As `patrolplan.inputs.schools` reads them.
        network, limits
            The streets, and the polygon of the area.
        """
        schools = self._inside(schools, limits)
        site = schools.geometry
        known = schools["urn"].map(gates.geometry).astype(object)  # of no school they would be text
        gate = gpd.GeoSeries(known.where(known.notna(), site), crs=schools.crs)
        places = cached_snap(network, shapely.get_coordinates(gate.values))
        near = places.moved_metres <= FARTHEST_METRES
        far = gate.distance(site).to_numpy()
        self._tell_off_street(schools[~near], gates, far[~near])
        self._note_far(schools[near], gates, far[near])
        bell = schools["urn"].map(bells).astype(object)
        default = f"{self.settings.patrol.default_finish_time:%H:%M}"
        schools = schools.assign(
            finish_time=bell.fillna(default).astype("str"),
            finish_assumed=bell.isna(),
            gate_assumed=known.isna(),
        ).set_geometry(gate.rename("geometry"))
        if not near.any():
            what = "no school in the area can be reached on a street"
            self.problems.add("[sources] schools", what, "check schools against [area] and streets")
        self._note_defaults(schools[near], default)
        return SCHOOLS.check(schools[near].reset_index(drop=True)), places.take(near)

    def _inside(self, schools: gpd.GeoDataFrame, limits: BaseGeometry) -> gpd.GeoDataFrame:
        site = shapely.get_coordinates(schools.geometry.values)
        inside = shapely.contains_xy(limits, site[:, 0], site[:, 1])
        self.left_out.add("schools", OUTSIDE, int((~inside).sum()))
        for urn in schools["urn"][~inside]:
            self.passed_over[urn] = OUTSIDE
            if urn in self.settings.schools.urns:
                what = f"the school {urn} that is asked for lies outside the area"
                self.problems.add("[schools] urns", what, "check its place, or widen [area]")
        return schools[inside]

    def _tell_off_street(
        self, schools: gpd.GeoDataFrame, gates: gpd.GeoDataFrame, far: NDArray[np.float64]
    ) -> None:
        """Schools without a street near; where a gate is to blame, its row and value are named."""
        rows = gates.to_dict("index")
        for urn, name, metres in zip(schools["urn"], schools["name"], far, strict=True):
            self.passed_over[urn] = OFF_STREET
            reason = f"URN {urn} ({name}): no walkable street within {FARTHEST_METRES:.0f} m"
            asked = urn in self.settings.schools.urns
            if urn in rows:
                reason += f" of its gate, {_said(rows[urn], metres)}"
            self.left_out.add("schools", reason, 1)
            if asked and urn in rows:
                remedy = "mend the gate: decimal degrees, longitude and latitude"
                place = in_row(rows[urn]["row"], "longitude")
                self.problems.add(str(rows[urn]["file"]), reason, remedy, place)
            elif asked:
                self.problems.add("[schools] urns", reason, "check its place against the streets")

    def _note_far(
        self, schools: gpd.GeoDataFrame, gates: gpd.GeoDataFrame, far: NDArray[np.float64]
    ) -> None:
        rows = gates.to_dict("index")
        for urn, name, metres in zip(schools["urn"], schools["name"], far, strict=True):
            if metres > FAR_METRES:
                said = (
                    f"The gate of URN {urn} ({name}) is taken as it is, {_said(rows[urn], metres)}"
                )
                self.notes.append(f"{said}: check the row.")

    def _note_defaults(self, schools: gpd.GeoDataFrame, default: str) -> None:
        bells, gates = int(schools["finish_assumed"].sum()), int(schools["gate_assumed"].sum())
        lacking = (
            (bells, "bell time", f"{default} taken"),
            (gates, "gate", "the nearest walkable street taken"),
        )
        for count, what, taken in lacking:
            if count:
                have = agreeing(count, "has", "have")
                self.notes.append(
                    f"{count} of {counted(len(schools), 'school')} {have} no {what}: {taken}."
                )


def _said(gate: Mapping[Hashable, object], metres: float) -> str:
    """Where a gate was read and how far from its school it lies."""
    name = Path(str(gate["file"])).name  # no folder: equal files are told alike anywhere
    apart = f"{metres / 1000:,.1f} km" if metres >= FAR_METRES else f"{metres:.0f} m"
    return f"{gate['value']} ({name}, row {gate['row']}), {apart} from the school's own point"
