"""Every source of an area read by itself, before one is held against another.

Whether a metre of the area's CRS is one on the ground, where the area lies.

What the settings give for one source: its files, and what their columns are called there.

Both are told wrong once, before a file is read, and not by every file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import BRITISH_GRID, Projection
from patrolplan.errors import InputError, Problem, Problems, SettingsError
from patrolplan.inputs.boundary import read_limits
from patrolplan.inputs.crimes import FIELDS as CRIME_FIELDS, read_crimes
from patrolplan.inputs.lookups import (
    LOOKUPS,
    read_bell_times,
    read_gates,
    read_officers,
    read_tasked_places,
    read_term_dates,
)
from patrolplan.inputs.reports import FIELDS as REPORT_FIELDS, read_reports
from patrolplan.inputs.schools import FIELDS as SCHOOL_FIELDS, read_schools
from patrolplan.inputs.street_files import load_cached_streets
from patrolplan.network.network import load_or_build_network
from patrolplan.privacy import extend_to_squares
from patrolplan.settings import Settings, format_unknown
from patrolplan.tables import LeftOut

MAX_SCALE_ERROR = 0.005
"""A CRS may be so wrong about a length: a UTM zone is at most by 0.1 %, its neighbour by 0.5 %."""

GREAT_BRITAIN = (-8.7, 49.8, 1.8, 60.9)
"""Degrees: west, south, east, north."""


def check_scale(projection: Projection, limits: BaseGeometry) -> None:
    """Refuse a CRS that stretches lengths at the centre of the area.

    Parameters
    ----------
    projection
        The area's CRS.
    limits
        Polygon of the area in its metres.

    Raises
    ------
    InputError
        Naming the key, how much a metre is off, and a CRS that fits.
    """
    x, y = np.mean(np.asarray(limits.bounds).reshape(2, 2), axis=0)
    scale = projection.compute_scale_factor(x, y) if np.isfinite([x, y]).all() else np.nan
    if abs(scale - 1) <= MAX_SCALE_ERROR:
        return
    where, remedy = "[area] crs", "use the projected CRS of the place"
    longitude, latitude = (float(value[0]) for value in projection.to_degrees([x], [y]))
    if not np.isfinite([scale, longitude, latitude]).all():
        what = f"'{projection.crs}' does not reach the area"
        raise InputError.one(where, what, f"{remedy}, such as {BRITISH_GRID} in Great Britain")
    what = (
        f"'{projection.crs}' takes 1 km on the ground for {scale:.3g} km at the area's centre "
        f"({longitude:.3f}, {latitude:.3f})"
    )
    raise InputError.one(where, what, f"{remedy}, such as {suggest_crs(longitude, latitude)}")


def suggest_crs(longitude: float, latitude: float) -> str:
    """A CRS that fits a place, and its name.

    Examples
    --------
    >>> suggest_crs(-0.13, 51.5)
    'EPSG:27700 (British National Grid)'
    >>> suggest_crs(8.68, 50.1)
    'EPSG:32632 (UTM zone 32N)'
    """
    west, south, east, north = GREAT_BRITAIN
    if west <= longitude <= east and south <= latitude <= north:
        return f"{BRITISH_GRID} (British National Grid)"
    zone = int((longitude + 180) % 360 // 6) + 1
    base, side = (32600, "N") if latitude >= 0 else (32700, "S")
    return f"EPSG:{base + zone} (UTM zone {zone}{side})"


SOURCE_FIELDS = {
    "crimes": CRIME_FIELDS,
    "schools": SCHOOL_FIELDS,
    "reports": REPORT_FIELDS,
    **{lookup.source: lookup.fields for lookup in LOOKUPS},
}
"""Columns of every source that is a table."""


def find_source_files(settings: Settings, source: str) -> tuple[Path, ...]:
    """Files of a source; none where its key is not set.

    Raises
    ------
    InputError
        With every pattern that no file matches.
    """
    remedy = f"mend [sources] {source}; paths start at the settings file's folder"
    problems = [
        Problem(pattern, "no file matches", remedy)
        for pattern, paths in settings.match_files(source).items()
        if not paths
    ]
    if problems:
        raise InputError(problems)
    return settings.find_files(source)


def get_column_mapping(settings: Settings, source: str) -> Mapping[str, str]:
    """`[columns.SOURCE]`: our name = "their name"; empty where it is not set.

    Raises
    ------
    SettingsError
        With every name that is none of ours.
    """
    known = [field.name for field in SOURCE_FIELDS[source]]
    columns = settings.columns.get(source, {})
    problems = [
        Problem(
            settings.file,
            format_unknown("no such column of ours", name, known),
            "mend or remove it; our name stands before the =, theirs after it",
            f"key 'columns.{source}.{name}'",
        )
        for name in columns
        if name not in known
    ]
    if problems:
        raise SettingsError(problems)
    return columns


EVERYWHERE = shapely.box(-1e8, -1e8, 1e8, 1e8)
"""Stands in for the limits of an area whose streets cannot be read, to check the rest."""


@dataclass(frozen=True)
class SourceReader:
    """Reads what the settings name; what is wrong and what is left out gathers as it goes."""

    settings: Settings
    projection: Projection
    problems: Problems
    left_out: LeftOut

    def read(self) -> dict[str, Any]:
        """Every source that stands by itself; all of their problems are collected."""
        found: dict[str, Any] = {"passed_over": {}}
        projection, left_out = self.projection, self.left_out
        with self.problems.collect():
            streets = load_cached_streets(
                find_source_files(self.settings, "streets"), projection, left_out
            )
            limits = read_limits(self.settings, streets.vertex_xy)
            check_scale(projection, limits)
            network = load_or_build_network(streets, projection, left_out, limits=limits)
            if not len(network):
                what = "no walkable street lies inside the area"
                remedy = "check bounds and boundary against the streets"
                raise InputError.one("[area]", what, remedy)  # noqa: EM101 - a place, no message
            found |= {"limits": limits, "network": network, "features": streets.features}
            found["walking_extract"] = streets.walking_extract
        with self.problems.collect():
            paths, columns = self._find_table("crimes")
            forces = self.settings.crimes.leave_out_forces
            found["crimes"] = read_crimes(
                paths, projection, left_out, columns=columns, leave_out_forces=forces
            )
        with self.problems.collect():
            paths, columns = self._find_table("schools")
            wanted = self.settings.schools
            found["schools"] = read_schools(
                paths,
                projection,
                left_out,
                selection=wanted,
                left_out_urns=found["passed_over"],
                columns=columns,
            )
        with self.problems.collect():
            paths, columns = self._find_table("bell_times")
            found["bells"] = read_bell_times(paths, columns=columns)
        with self.problems.collect():
            paths, columns = self._find_table("gates")
            found["gates"] = read_gates(paths, projection, columns=columns)
        with self.problems.collect():
            paths, columns = self._find_table("officers")
            found["officers"] = read_officers(paths, projection, columns=columns)
        with self.problems.collect():
            paths, columns = self._find_table("term_dates")
            found["term_dates"] = read_term_dates(paths, columns=columns)
        with self.problems.collect():
            paths, columns = self._find_table("tasked_places")
            found["tasked_places"] = read_tasked_places(paths, projection, columns=columns)
        with self.problems.collect():
            found |= self._read_reports(found.get("limits", EVERYWHERE))
        return found

    def _read_reports(self, limits: BaseGeometry) -> dict[str, Any]:
        """Reports inside the limits, and what was left out on the way; nothing without a file."""
        paths, columns = self._find_table("reports")
        told = LeftOut()
        if not paths:
            return {}
        reports = read_reports(
            paths,
            self.projection,
            extend_to_squares(limits),
            told,
            threshold=self.settings.privacy.threshold,
            columns=columns,
        )
        return {"reports": reports, "reports_left_out": told}

    def _find_table(self, source: str) -> tuple[tuple[Path, ...], Mapping[str, str]]:
        """Files and columns of a source that is a table; what is wrong with both is told."""
        problems = Problems()
        with problems.collect():
            columns = get_column_mapping(self.settings, source)
        with problems.collect():
            paths = find_source_files(self.settings, source)
        problems.raise_if_any()
        return paths, columns
