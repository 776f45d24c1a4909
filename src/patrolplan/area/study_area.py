"""`StudyArea`: everything that a plan rests on, read and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from patrolplan.area.missing_months import Exposure
from patrolplan.arrays import Ints
from patrolplan.crs import WORLD, Projection, is_within
from patrolplan.doors import Urn, read_urn
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.way_home import WayHomeTables
from patrolplan.network import Positions, StreetNetwork, concatenate_positions
from patrolplan.network.catchments import MAX_SNAP_METRES, Catchments
from patrolplan.notes import Note
from patrolplan.plausibility import Alarm
from patrolplan.privacy import ReportGroups
from patrolplan.settings import LedgerSettings, Settings, parse_settings
from patrolplan.tables import Drawn, LeftOutRow, TableCount, render_html_table
from patrolplan.text import format_count, list_first

RISK_SECTIONS = ("crimes", "risk", "reports", "way_home", "schools")
WEEK_SOURCES = ("officers", "duties", "tasked_places", "designated")
"""Sections of the settings that a risk rests on, and sources that it does not."""

PUPILS_SETTINGS = ("modes", "leave_minutes", "late_share", "late_minutes")
NOT_OF_PUPILS = {
    *("crimes", "selection of crimes", "reports", "clock", "places", "term_dates"),
    *("officers", "duties", "tasked_places", "designated"),
}
"""Keys of `[way_home]` that where pupils are rests on, and inputs that it does not."""

GATE_RECORD = "gate of URN"  # Among an area's inputs, one for each gate that `with_gate` moved

PRINTED_EVERYWHERE = frozenset({"crime_old", "check_accepted", "incidents_selected"})
"""Keys of notes that change what a paper may be taken for."""


@dataclass(frozen=True, eq=False)
class StudyArea(Drawn):
    """Everything that a plan rests on, in the area's metric CRS.

    Parameters
    ----------
    settings, network
        The settings that it was loaded with, and the walkable streets.
    catchments, incident_catchment
        The pieces of street that belong to each snap point, and (i,) the one of each incident.
    incidents
        See `patrolplan.tables.INCIDENTS`; every category, the guard is the risk models' business.
    exposure
        Which months are held of each force, and so of each catchment.
    times_known, snapped
        Whether the time of day is known of enough incidents; whether any of their places are snap
        points.
    reports
        Pupils' reports, as groups at the threshold or above.
    schools, gates
        See `patrolplan.tables.SCHOOLS`; where each one's patrols start, on a street.
    features
        What a map needs besides the streets: `kind`, `name`, geometry.
    officers, term_dates, tasked_places, duties
        See `patrolplan.inputs.small_tables`; empty where no file was given.
    way_home
        What is known of pupils' ways home.
    left_out, notes
        What was left out while loading, by source and reason; defaults that were chosen, and rows
        to check.
    inputs
        Digest (SHA-256) of every file read, by source and file name, and of every table given in
        memory; for reports, of their groups, and for origins, of their rounded counts.
    walking_extract
        Whether the streets seem to be an extract for walking: roads may be missing.
    tables
        Rows of each table, used and left out.
    alarms
        Plausibility checks whose bound is passed and that are accepted, or that stop nothing.
    designated
        Hotspots that the force designates, with a street of the area each, see
        `patrolplan.inputs.polygons.DESIGNATED`; None where no table was given.
    closed
        Parts of squares where nobody is to stand, see `patrolplan.area.square_names.name_parts`:
        those without patrols in a trial.
    """

    settings: Settings
    network: StreetNetwork
    catchments: Catchments
    incidents: gpd.GeoDataFrame
    incident_catchment: Ints
    exposure: Exposure
    times_known: bool
    snapped: bool
    reports: ReportGroups
    schools: gpd.GeoDataFrame
    gates: Positions
    features: gpd.GeoDataFrame
    officers: gpd.GeoDataFrame
    term_dates: pd.DataFrame
    tasked_places: gpd.GeoDataFrame
    duties: gpd.GeoDataFrame
    way_home: WayHomeTables
    left_out: tuple[LeftOutRow, ...]
    notes: tuple[Note, ...]
    inputs: dict[str, str]
    walking_extract: bool = False
    tables: tuple[TableCount, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    designated: gpd.GeoDataFrame | None = None
    closed: frozenset[str] = frozenset()

    @property
    def basis(self) -> dict[str, Any]:
        """What a risk rests on: digests of its inputs, and settings."""
        inputs = self.inputs.items()
        return {
            **{f"[{name}]": getattr(self.settings, name) for name in RISK_SECTIONS},
            "its incidents": len(self.incidents),
            **{name: one for name, one in inputs if name.partition(":")[0] not in WEEK_SOURCES},
        }

    @property
    def pupils_basis(self) -> dict[str, Any]:
        """What the model of pupils rests on: digests of its inputs, and settings."""
        settings = self.settings
        inputs = self.inputs.items()
        return {
            **{f"[way_home] {key}": getattr(settings.way_home, key) for key in PUPILS_SETTINGS},
            "[schools]": settings.schools,
            **{
                name: digest
                for name, digest in inputs
                if name.partition(":")[0] not in NOT_OF_PUPILS
            },
        }

    def _get_drawn(self) -> tuple[gpd.GeoDataFrame, None]:
        return self.network.frame(), None

    def __repr__(self) -> str:
        return (
            f"<StudyArea: {self.name}, {self.network.metres / 1000:,.1f} km of street, "
            f"{format_count(len(self.incidents), 'incident')}, "
            f"{format_count(len(self.reports), 'group')} of reports, "
            f"{format_count(len(self.schools), 'school')}>"
        )

    def _repr_html_(self) -> str:
        months = self.incidents["month"]
        facts = {
            "streets": f"{self.network.metres / 1000:,.1f} km",
            "incidents": f"{len(self.incidents):,}, {months.min():%Y-%m} to {months.max():%Y-%m}",
            "places": "map points that stand for a few streets" if self.snapped else "exact",
            "times": "known" if self.times_known else "only the month is known",
            "groups of reports": len(self.reports),
            "schools": len(self.schools),
            "officers": len(self.officers),
            "left out": "; ".join(map(str, self.left_out)) or "nothing",
        }
        return render_html_table(self.name, facts, next_call="risk = pp.estimate_risk(area)")

    @property
    def name(self) -> str:
        """Name of the area, as printed on every sheet."""
        return self.settings.area.name or "Study area"

    @property
    def accepted_checks(self) -> tuple[Note, ...]:
        """The notes that every paper prints: accepted checks, and that only some crime counts."""
        return tuple(note for note in self.notes if note.key in PRINTED_EVERYWHERE)

    def where(
        self, mask: ArrayLike | None = None, *, months: str | Sequence[str] | None = None
    ) -> "StudyArea":
        """The area with some of its recorded crime; every paper made from it says so.

        Crime that is not selected counts as not known. So months that are not selected are no
        months without crime: those that are named, or else all of which the mask has an incident.

        Parameters
        ----------
        mask
            (i,) whether each row of `incidents` is selected.
        months
            Such as "2025-11", or a span "2025-12 to 2026-02"; one or several.

        Raises
        ------
        InputError
            With every value that is not valid or not in the data; or when nothing is left of a
            category that counts.

        Examples
        --------
        >>> import patrolplan as pp
        >>> area = pp.load_area(pp.demo_settings())
        >>> robbery = area.incidents["category"] == "Robbery"
        >>> winter = area.where(robbery, months="2025-12 to 2026-02")
        >>> print(winter.accepted_checks[-1].text)
        Of recorded crime only a part counts here: incidents of a mask (...); 2025-12 to 2026-02.
        """
        from patrolplan.area.selection import select_incidents  # noqa: PLC0415 - it builds areas

        return select_incidents(self, mask, months)

    def strip_for_workers(self) -> "StudyArea":
        """The area without what the patrols and papers of one school do not need."""
        # Incidents are large; names and hours of officers, where pupils live, and the address of
        # the ledger, which may hold a password, need not leave this process; counts neither.
        where_from = {name: getattr(self.way_home, name).iloc[:0] for name in ("origins", "counts")}
        return replace(
            self,
            incidents=self.incidents.iloc[:0],
            incident_catchment=self.incident_catchment[:0],
            officers=self.officers[["school_urns", "mode", "role", "geometry"]],
            duties=self.duties.iloc[:0],
            way_home=replace(self.way_home, **where_from),
            settings=self.settings.model_copy(update={"ledger": LedgerSettings()}),
        )

    @property
    def projection(self) -> Projection:
        """The area's CRS."""
        return self.network.projection


CHANGEABLE = ("risk", "hotspots", "patrol", "way_home", "reports", "week", "output", "seed")
"""Settings that apply to an area already loaded; the others decide what is read."""


def with_settings(area: StudyArea, **changes: Any) -> StudyArea:  # noqa: ANN401 - any setting
    """The area under other settings, checked like those of a file.

    Parameters
    ----------
    area
        The area.
    changes
        Sections of the settings with the keys that change, such as `patrol={"dwell_minutes": 20}`;
        or `seed`.

    Raises
    ------
    InputError
        When a section decides what is read from files: load the area again for that.
    SettingsError
        When a key is unknown or a value wrong.

    Examples
    --------
    >>> import patrolplan as pp
    >>> area = pp.load_area(pp.demo_settings())
    >>> pp.with_settings(area, patrol={"dwell_minutes": 20}).settings.patrol.dwell_minutes
    20.0
    """
    problems = Problems()
    free = ", ".join(CHANGEABLE)
    for name in changes:
        if name not in CHANGEABLE:
            what = f"[{name}] cannot be changed once the area is loaded"
            remedy = f"change it in the settings file and load again; only {free} can change here"
            problems.add("with_settings", what, remedy)
    problems.raise_if_any()
    data = area.settings.model_dump(by_alias=True, exclude_none=True)
    for name, change in changes.items():
        data[name] = {**data[name], **change} if isinstance(change, Mapping) else change
    checked = parse_settings(data, folder=area.settings.folder, file="with_settings")
    # A ledger's password is masked in the dump, so only sections that may change are taken over.
    update = {name: getattr(checked, name) for name in CHANGEABLE}
    return replace(area, settings=area.settings.model_copy(update=update))


def refuse_other_area(
    basis: Mapping[str, Any], made_from: Mapping[str, Any] | None, where: str, remedy: str
) -> None:
    """Raise `InputError` for what was made from other inputs or settings than an area's basis."""
    own = basis
    differs = [name for name, value in (made_from or own).items() if own.get(name) != value]
    differs += [name for name in own if made_from is not None and name not in made_from]
    if differs:
        what = f"was made from another area, which differs in {list_first(differs)}"
        raise InputError.one(where, what, remedy)


def find_school(area: StudyArea, urn: Urn, *, where: str = "school") -> int:
    """Row of a school in the area's tables."""
    urn = read_urn(urn)
    urns = list(area.schools["urn"])
    if urn not in urns:
        what, names = f"there is no school with URN '{urn}' in the area", area.schools["name"]
        schools = [f"{one} ({name})" for one, name in zip(urns, names, strict=True)]
        similar = [one for one in schools if urn.casefold() in one.casefold()]
        similar = similar or get_close_matches(urn, schools, cutoff=0.5)
        raise InputError.one(where, what, f"choose from: {list_first(similar or schools)}")
    return urns.index(urn)


def with_gate(area: StudyArea, urn: Urn, longitude: float, latitude: float) -> StudyArea:
    """The area with another gate for one school.

    Pupils walk from their gate, so a risk rests on it: estimate it again for this area.

    Parameters
    ----------
    area
        The area.
    urn
        The school.
    longitude, latitude
        Degrees; patrols start at the nearest place on a street.

    Raises
    ------
    InputError
        When the area has no such school, the place is not one in degrees, or no walkable street is
        near it.
    """
    where = "with_gate"
    row = find_school(area, urn, where=where)
    if not is_within(WORLD, longitude, latitude):
        what = f"longitude {longitude}, latitude {latitude} is not a place on the earth"
        raise InputError.one(where, what, "give degrees: -180 to 180, and -90 to 90")
    xy = np.column_stack(area.projection.to_metres([longitude], [latitude]))
    gate = area.network.snap(xy)
    if not gate.moved_metres[0] <= MAX_SNAP_METRES:
        what = f"no walkable street within {MAX_SNAP_METRES:.0f} m of {longitude}, {latitude}"
        raise InputError.one(where, what, "choose a place on a street of the area")
    rows = np.arange(len(area.schools))
    is_school = rows == row
    both = concatenate_positions(area.gates, gate)
    gates = both.take(np.where(is_school, len(rows), rows))
    point = gpd.GeoSeries.from_xy(*xy.T, crs=area.schools.crs)[0]
    schools = area.schools.assign(
        gate_assumed=area.schools["gate_assumed"] & ~is_school,
        geometry=area.schools.geometry.where(~is_school, point),
    )
    record = {f"{GATE_RECORD} {schools['urn'].iloc[row]}": f"{longitude:.6f}, {latitude:.6f}"}
    return replace(area, gates=gates, schools=schools, inputs=area.inputs | record)
