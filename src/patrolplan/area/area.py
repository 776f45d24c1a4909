"""`StudyArea`: network, incidents, reports by group and schools, loaded and validated."""

import os
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.area.gates import Gatekeeper
from patrolplan.area.placing import Placer
from patrolplan.area.sources import Reader
from patrolplan.area.urns import UrnCheck
from patrolplan.counted import counted
from patrolplan.errors import Problems
from patrolplan.inputs.cache import digest
from patrolplan.network import Positions
from patrolplan.network import StreetNetwork
from patrolplan.network.catchments import Catchments
from patrolplan.privacy import ReportGroups
from patrolplan.privacy import group_reports
from patrolplan.privacy import notes as privacy_notes
from patrolplan.projection import Projection
from patrolplan.settings import Settings
from patrolplan.settings import SourceSettings
from patrolplan.settings import load_settings
from patrolplan.shown import shown_as_table
from patrolplan.tables import LeftOut
from patrolplan.tables import LeftOutRow


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
            f"{counted(len(self.incidents), 'incident')}, "
            f"{counted(len(self.reports), 'group')} of reports, "
            f"{counted(len(self.schools), 'school')}>"
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
        return shown_as_table(self.name, facts, after="risk = pp.estimate_risk(area)")

    @property
    def name(self) -> str:
        """Name of the area, as it stands on papers."""
        return self.settings.area.name or "Study area"

    def for_schools(self) -> "StudyArea":
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


def input_digests(settings: Settings, reports: ReportGroups | None = None) -> dict[str, str]:
    """Digest of every file that the settings name; two of one name in different folders stay two.

    For reports it is the digest of what `privacy` let through: a file could be guessed from its
    own. Without the groups, reports files are not told at all.

    Raises
    ------
    FileNotFoundError
        When a file is not there.
    """
    files = {source: settings.paths(source) for source in SourceSettings.model_fields}
    if settings.area.boundary is not None:
        files["boundary"] = (settings.folder / settings.area.boundary,)
    return {
        input_name(source, path, settings): (
            digest(path) if source != "reports" else reports.digest if reports else ""
        )
        for source, paths in files.items()
        for path in paths
    }


def input_name(source: str, path: Path, settings: Settings) -> str:
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
        sources = Reader(self.settings, self.projection, self.problems, self.left_out).read()
        self.problems.raise_if_any()
        network, crimes = sources["network"], sources["crimes"]
        place = Placer(
            self.settings, self.projection, self.problems, self.left_out, self.notes
        ).place
        placed = place(crimes, network, sources["limits"])
        passed_over = sources["passed_over"]
        schools, gates = Gatekeeper(
            self.settings, self.problems, self.left_out, self.notes, passed_over
        ).at_gates(
            sources["schools"], sources["gates"], sources["bells"], network, sources["limits"]
        )
        self._check_urns(sources, schools, passed_over)
        reports = self._grouped(sources, network)
        self.problems.raise_if_any()
        return StudyArea(
            settings=self.settings,
            network=network,
            catchments=placed.catchments,
            incidents=placed.incidents,
            incident_catchment=placed.of_incident,
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
            inputs=input_digests(self.settings, reports),
            walking_extract=sources["walking_extract"],
        )

    def _grouped(self, sources: dict[str, Any], network: StreetNetwork) -> ReportGroups:
        threshold = self.settings.privacy.threshold
        if "reports" not in sources:
            return ReportGroups.none(len(network), threshold)
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
        check.table("bell_times", sources["bells"].index)
        check.table("gates", sources["gates"].index)
        check.table("term_dates", sources["term_dates"]["urn"])
        check.table("officers", sources["officers"]["school_urns"].explode().dropna())
        check.places(sources["tasked_places"])


def _relative(path: Path, folder: Path) -> str:
    """A path from a folder on, the same on every machine where it can be."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return path.as_posix()
