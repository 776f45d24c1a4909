"""`StudyArea`: network, incidents, reports by group and schools, loaded and validated.

The same area under other settings, or with another gate, without reading files again.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area.incidents import IncidentPlacer
from patrolplan.area.load import SourceReader
from patrolplan.area.school_gates import GateAssigner, UrnCheck
from patrolplan.atomic import hash_file
from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.network import Positions, StreetNetwork
from patrolplan.network.catchments import MAX_SNAP_METRES, Catchments
from patrolplan.privacy import (
    ReportGroups,
    describe_report_grouping as privacy_notes,
    group_reports,
)
from patrolplan.settings import Settings, SourceSettings, load_settings, parse_settings
from patrolplan.tables import LeftOut, LeftOutRow, render_html_table
from patrolplan.text import format_count


@dataclass(frozen=True, eq=False)
class StudyArea:
    """Everything that a plan rests on, in the area's metric CRS.

    Parameters
    ----------
    settings
        The settings it was loaded with.
    network
        Walkable streets.
    catchments
        The pieces of street that belong to each snap point.
    incidents
        See `patrolplan.tables.INCIDENTS`; every category, the guard is the risk models' business.
    incident_catchment
        (i,) catchment of each incident, aligned with `incidents`.
    times_known, snapped
        Whether the time of day is known of enough incidents; whether any of their places are snap
        points.
    reports
        Pupils' reports, as groups at the threshold or above.
    schools
        See `patrolplan.tables.SCHOOLS`.
    gates
        Where each school's patrols start, on a street; aligned with `schools`.
    features
        What a map needs beside the streets: `kind`, `name`, geometry.
    officers, term_dates, tasked_places
        See `patrolplan.tables`; empty where no file was given.
    left_out
        What was left out while loading, by source and reason.
    notes
        Defaults that were taken, said as a reader should see them.
    inputs
        Digest (SHA-256) of every file read, by source and file name; for reports, of their groups.
    walking_extract
        Whether the streets seem to be an extract for walking: roads may be missing.
    """

    settings: Settings
    network: StreetNetwork
    catchments: Catchments
    incidents: gpd.GeoDataFrame
    incident_catchment: NDArray[np.int64]
    times_known: bool
    snapped: bool
    reports: ReportGroups
    schools: gpd.GeoDataFrame
    gates: Positions
    features: gpd.GeoDataFrame
    officers: gpd.GeoDataFrame
    term_dates: pd.DataFrame
    tasked_places: gpd.GeoDataFrame
    left_out: tuple[LeftOutRow, ...]
    notes: tuple[str, ...]
    inputs: dict[str, str]
    walking_extract: bool = False

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
        """Name of the area, as it stands on papers."""
        return self.settings.area.name or "Study area"

    def without_incidents(self) -> "StudyArea":
        """The area without its incidents, which no single school's patrols or papers need."""
        return replace(
            self, incidents=self.incidents.iloc[:0], incident_catchment=self.incident_catchment[:0]
        )

    @property
    def projection(self) -> Projection:
        """The area's CRS."""
        return self.network.projection


def load_area(settings: Settings | str | Path) -> StudyArea:
    """Read and validate everything that the settings name.

    Parameters
    ----------
    settings
        Settings, or the path of a `patrolplan.toml`.

    Returns
    -------
    StudyArea
        With what was left out, by source and reason, and the defaults that were taken.

    Raises
    ------
    InputError
        With all problems found, not only the first.

    Examples
    --------
    >>> import patrolplan as pp
    >>> pp.load_area(pp.demo_settings())
    <StudyArea: Eastmere (fictional), ... 12 schools>
    """
    if not isinstance(settings, Settings):
        settings = load_settings(settings)
    return _Loader(settings).load()


def compute_input_digests(
    settings: Settings, reports: ReportGroups | None = None
) -> dict[str, str]:
    """Digest of every file that the settings name; two of one name in different folders stay two.

    For reports it is the digest of what `privacy` let through: a file could be guessed from its
    own. Without the groups, reports files are not told at all.

    Raises
    ------
    FileNotFoundError
        When a file is not there.
    """
    files = {source: settings.find_files(source) for source in SourceSettings.model_fields}
    if settings.area.boundary is not None:
        files["boundary"] = (settings.folder / settings.area.boundary,)
    return {
        format_input_name(source, path, settings): (
            hash_file(path) if source != "reports" else reports.digest if reports else ""
        )
        for source, paths in files.items()
        for path in paths
    }


def format_input_name(source: str, path: Path, settings: Settings) -> str:
    """What a file is called among the inputs of an area."""
    return f"{source}: {_relative(path, settings.folder)}"


class _Loader:
    """One load: problems, rows left out and notes gather here on the way."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.projection = Projection(settings.area.crs)
        self.problems = Problems()
        self.left_out = LeftOut()
        self.notes: list[str] = []

    def load(self) -> StudyArea:
        sources = SourceReader(self.settings, self.projection, self.problems, self.left_out).read()
        self.problems.raise_if_any()
        network, crimes = sources["network"], sources["crimes"]
        place = IncidentPlacer(
            self.settings, self.projection, self.problems, self.left_out, self.notes
        ).place
        placed = place(crimes, network, sources["limits"])
        passed_over = sources["passed_over"]
        schools, gates = GateAssigner(
            self.settings, self.problems, self.left_out, self.notes, passed_over
        ).assign_gates(
            sources["schools"], sources["gates"], sources["bells"], network, sources["limits"]
        )
        self._check_urns(sources, schools, passed_over)
        reports = self._group_reports(sources, network)
        self.problems.raise_if_any()
        return StudyArea(
            settings=self.settings,
            network=network,
            catchments=placed.catchments,
            incidents=placed.incidents,
            incident_catchment=placed.incident_catchment,
            times_known=placed.times_known,
            snapped=placed.snapped,
            reports=reports,
            schools=schools,
            gates=gates,
            features=sources["features"],
            officers=sources["officers"],
            term_dates=sources["term_dates"],
            tasked_places=sources["tasked_places"],
            left_out=tuple(self.left_out.rows),
            notes=tuple(self.notes),
            inputs=compute_input_digests(self.settings, reports),
            walking_extract=sources["walking_extract"],
        )

    def _group_reports(self, sources: dict[str, Any], network: StreetNetwork) -> ReportGroups:
        threshold = self.settings.privacy.threshold
        if "reports" not in sources:
            return ReportGroups.empty(len(network), threshold)
        reports, told = sources["reports"], sources["reports_left_out"]
        groups = group_reports(
            reports, network.piece_middle, sources["limits"], told, threshold=threshold
        )
        self.left_out.extend(told.rows)
        self.notes += privacy_notes(threshold)
        return groups

    def _check_urns(
        self,
        sources: dict[str, Any],
        schools: gpd.GeoDataFrame,
        passed_over: dict[str, str],
    ) -> None:
        """Tell of rows whose URN no school has that is planned for."""
        check = UrnCheck(frozenset(schools["urn"]), passed_over, self.left_out, self.notes)
        check.check_table("bell_times", sources["bells"].index)
        check.check_table("gates", sources["gates"].index)
        check.check_table("term_dates", sources["term_dates"]["urn"])
        check.check_table("officers", sources["officers"]["school_urns"].explode().dropna())
        check.check_tasked_places(sources["tasked_places"])


def _relative(path: Path, folder: Path) -> str:
    """A path from a folder on, the same on every machine where it can be."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return path.as_posix()


CHANGEABLE_SECTIONS = ("risk", "hotspots", "patrol", "week", "output", "seed")
"""Settings that work on an area as it was read; the others decide what is read."""


def with_settings(area: StudyArea, **changes: Any) -> StudyArea:  # noqa: ANN401 - any setting
    """The area under other settings, checked like those of a file.

    Parameters
    ----------
    area
        As it was read.
    changes
        Sections of the settings with the keys that change, such as `patrol={"dwell_minutes": 20}`;
        or `seed`.

    Raises
    ------
    InputError
        When a section decides what is read from files: load the area anew for that.
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
    for name in changes:
        if name not in CHANGEABLE_SECTIONS:
            what = f"[{name}] cannot be changed on an area that was read"
            remedy = (
                "change it in the settings file and load again; free: "
                f"{', '.join(CHANGEABLE_SECTIONS)}"
            )
            problems.add("with_settings", what, remedy)
    problems.raise_if_any()
    data = area.settings.model_dump(by_alias=True, exclude_none=True)
    for name, change in changes.items():
        data[name] = {**data[name], **change} if isinstance(change, Mapping) else change
    checked = parse_settings(data, folder=area.settings.folder, file="with_settings")
    free = {name: getattr(checked, name) for name in CHANGEABLE_SECTIONS}
    return replace(area, settings=area.settings.model_copy(update=free))


def with_gate(area: StudyArea, urn: str, longitude: float, latitude: float) -> StudyArea:
    """The area with another gate for one school.

    Parameters
    ----------
    area
        As it was read.
    urn
        The school.
    longitude, latitude
        Degrees; patrols start at the nearest place on a street.

    Raises
    ------
    InputError
        When there is no such school, or no walkable street near the place.
    """
    urns = list(area.schools["urn"])
    if urn not in urns:
        what = f"there is no school with URN '{urn}'"
        raise _error(what, f"choose from: {', '.join(urns)}")
    xy = np.column_stack(area.projection.to_metres([longitude], [latitude]))
    place = area.network.snap(xy)
    if not place.moved_metres[0] <= MAX_SNAP_METRES:
        what = f"no walkable street within {MAX_SNAP_METRES:.0f} m of {longitude}, {latitude}"
        raise _error(what, "choose a place on a street of the area")
    row = urns.index(urn)
    gates = Positions(
        np.where(np.arange(len(urns)) == row, place.piece, area.gates.piece),
        np.where(np.arange(len(urns)) == row, place.offset_metres, area.gates.offset_metres),
        np.where(np.arange(len(urns)) == row, place.moved_metres, area.gates.moved_metres),
    )
    mine = area.schools["urn"] == urn
    here = gpd.GeoSeries.from_xy(*xy.T, crs=area.schools.crs)[0]
    schools = area.schools.assign(
        gate_assumed=area.schools["gate_assumed"] & ~mine,
        geometry=area.schools.geometry.where(~mine, here),
    )
    return replace(area, gates=gates, schools=schools)


def _error(what: str, remedy: str) -> InputError:
    return InputError.one("with_gate", what, remedy)
