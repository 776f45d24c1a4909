"""Schools -> schools at their gates: inside the area, with bell and gate, on a street.

URNs that optional tables name, held against the schools that are planned for.

A row of a school that is not there has no effect, so it is told: a mistyped URN would make a bell
time, or a place to keep away from, vanish.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.errors import Problems
from patrolplan.inputs.table_reader import describe_cell
from patrolplan.network import Positions, StreetNetwork
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.network import load_or_snap
from patrolplan.settings import Settings
from patrolplan.tables import SCHOOLS, LeftOut
from patrolplan.text import format_count, pluralise

FAR_METRES = 1000.0
"""A gate farther than this from its school's own point is told: it may be mistyped or swapped."""

OUTSIDE = "outside the area"
OFF_STREET = "without a walkable street near"


@dataclass(frozen=True)
class GateAssigner:
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
    left_out_urns: dict[str, str]

    def assign_gates(
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
            As `patrolplan.inputs.schools` and `patrolplan.inputs.lookups` read them.
        network, limits
            The streets, and the polygon of the area.
        """
        schools = self._select_inside(schools, limits)
        site = schools.geometry
        known = schools["urn"].map(gates.geometry).astype(object)  # of no school they would be text
        gate = gpd.GeoSeries(known.where(known.notna(), site), crs=schools.crs)
        places = load_or_snap(network, shapely.get_coordinates(gate.values))
        near = places.moved_metres <= MAX_SNAP_METRES
        far = gate.distance(site).to_numpy()
        self._report_off_street(schools[~near], gates, far[~near])
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

    def _select_inside(self, schools: gpd.GeoDataFrame, limits: BaseGeometry) -> gpd.GeoDataFrame:
        site = shapely.get_coordinates(schools.geometry.values)
        inside = shapely.contains_xy(limits, site[:, 0], site[:, 1])
        self.left_out.add("schools", OUTSIDE, int((~inside).sum()))
        for urn in schools["urn"][~inside]:
            self.left_out_urns[urn] = OUTSIDE
            if urn in self.settings.schools.urns:
                what = f"the school {urn} that is asked for lies outside the area"
                self.problems.add("[schools] urns", what, "check its place, or widen [area]")
        return schools[inside]

    def _report_off_street(
        self, schools: gpd.GeoDataFrame, gates: gpd.GeoDataFrame, far: NDArray[np.float64]
    ) -> None:
        """Schools without a street near; where a gate is to blame, its row and value are named."""
        rows = gates.to_dict("index")
        for urn, name, metres in zip(schools["urn"], schools["name"], far, strict=True):
            self.left_out_urns[urn] = OFF_STREET
            reason = f"URN {urn} ({name}): no walkable street within {MAX_SNAP_METRES:.0f} m"
            asked = urn in self.settings.schools.urns
            if urn in rows:
                reason += f" of its gate, {_describe_gate(rows[urn], metres)}"
            self.left_out.add("schools", reason, 1)
            if asked and urn in rows:
                remedy = "mend the gate: decimal degrees, longitude and latitude"
                place = describe_cell(rows[urn]["row"], "longitude")
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
                    f"The gate of URN {urn} ({name}) is taken as it is, "
                    f"{_describe_gate(rows[urn], metres)}"
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
                have = pluralise(count, "has", "have")
                self.notes.append(
                    f"{count} of {format_count(len(schools), 'school')} {have} no {what}: {taken}."
                )


def _describe_gate(gate: Mapping[Hashable, object], metres: float) -> str:
    """Where a gate was read and how far from its school it lies."""
    name = Path(str(gate["file"])).name  # no folder: equal files are told alike anywhere
    apart = f"{metres / 1000:,.1f} km" if metres >= FAR_METRES else f"{metres:.0f} m"
    return f"{gate['value']} ({name}, row {gate['row']}), {apart} from the school's own point"


ALL_SCHOOLS = "*"
MOST_NAMED = 5
"""With more URNs or places in a table the others are only counted."""


@dataclass(frozen=True)
class UrnCheck:
    """Holds URNs against schools; what has no effect gathers in rows left out and notes.

    Parameters
    ----------
    planned
        URNs of the schools that are planned for.
    passed_over
        Why other schools of the files are left out, by URN.
    """

    planned: frozenset[str]
    left_out_urns: Mapping[str, str]
    left_out: LeftOut
    notes: list[str]
    _nearest_urns: dict[str, str | None] = field(default_factory=dict, init=False, repr=False)

    def check_table(self, source: str, urns: Iterable[str]) -> None:
        """URNs of a table's rows, `*` for all schools."""
        rows = pd.Series(list(urns), dtype=object)
        rows = rows[~rows.isin([ALL_SCHOOLS, *self.planned])]
        mild = rows.isin(list(self.left_out_urns))
        if mild.any():
            why = ", ".join(sorted({self.left_out_urns[urn] for urn in rows[mild]}))
            self._leave_out(source, f"of schools that are left out ({why})", int(mild.sum()))
        unknown = list(dict.fromkeys(rows[~mild]))
        if unknown:
            named = self._format_urns(unknown)
            self._leave_out(source, f"their URN is no school's: {named}", int((~mild).sum()))
            what = f"[sources] {source} names URNs that no school has, without effect: {named}"
            self.notes.append(f"{what}. Mend them.")

    def check_tasked_places(self, tasked: pd.DataFrame) -> None:
        """Tasked places: those whose URN no school has are told by their name."""
        rows = tasked[["place_id", "schools"]].explode("schools").dropna()
        rows = rows[~rows["schools"].isin([ALL_SCHOOLS, *self.planned])]
        why = rows["schools"].map(dict(self.left_out_urns))
        for reason, mild in rows["place_id"].groupby(why, sort=True):
            named = _format_first(list(dict.fromkeys(mild)))
            what = f"for schools that are left out ({reason}): {named}"
            self._leave_out("tasked_places", what, len(mild))
        unknown = rows[why.isna()].groupby("place_id", sort=False)["schools"].agg(list)
        for place, urns in unknown.iloc[:MOST_NAMED].items():
            named = self._format_urns(urns)
            self._leave_out("tasked_places", f"{place}: no school has the URN {named}", 1)
            others = tasked["schools"][tasked["place_id"] == place].iloc[0]
            effect = "has no effect there" if len(others) > len(urns) else "has no effect"
            what = f"Tasked place {place} is for URN {named}, which no school has"
            self.notes.append(f"{what}: it {effect}. Mend [sources] tasked_places.")
        more = len(unknown) - MOST_NAMED
        if more > 0:
            self._leave_out("tasked_places", "more places for URNs that no school has", more)

    def _leave_out(self, source: str, reason: str, count: int) -> None:
        self.left_out.add(source.replace("_", " "), reason, count)

    def _format_urns(self, urns: list[str]) -> str:
        """The first few URNs, each with the nearest that there is."""
        near = {urn: self._find_nearest(urn) for urn in urns[:MOST_NAMED]}
        return _format_first(
            [f"{urn} (nearest: {near[urn]})" if near.get(urn) else urn for urn in urns]
        )

    def _find_nearest(self, urn: str) -> str | None:
        """Looked for among the schools that are planned for before all others of a register."""
        if urn not in self._nearest_urns:
            among = (sorted(self.planned), sorted(self.left_out_urns))
            found = (get_close_matches(urn, there, n=1, cutoff=0.6) for there in among)
            self._nearest_urns[urn] = next((near[0] for near in found if near), None)
        return self._nearest_urns[urn]


def _format_first(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
