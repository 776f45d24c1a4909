"""Load a study area: read every source that the settings name, then match them.

Each source is read on its own first, so that the problems of all of them are reported together. A
wrong file pattern or column name is reported once, before any file is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan import privacy
from patrolplan.area.incidents import place_incidents, suppress_small_counts
from patrolplan.area.school_gates import assign_gates, check_urns
from patrolplan.area.study_area import LoadReport, StudyArea, compute_input_digests
from patrolplan.crs import BRITISH_GRID, Projection
from patrolplan.errors import InputError, Problem, Problems, SettingsError
from patrolplan.inputs.boundary import read_limits
from patrolplan.inputs.crimes import FIELDS as CRIME_FIELDS, Crimes, read_crimes
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
from patrolplan.network import StreetNetwork
from patrolplan.network.network import load_or_build_network
from patrolplan.settings import Settings, format_unknown, load_settings
from patrolplan.tables import LeftOut

MAX_SCALE_ERROR = 0.005
"""Largest error of a length that a CRS may have: a UTM zone has 0.1 %, its neighbour 0.5 %."""

GREAT_BRITAIN = (-8.7, 49.8, 1.8, 60.9)
"""Degrees: west, south, east, north."""


def check_scale(projection: Projection, limits: BaseGeometry) -> None:
    """Refuse a CRS that stretches lengths at the centre of the area.

    The limits are the area's polygon in the metres of the CRS.

    Raises
    ------
    InputError
        Naming the key, how much a metre is off, and a CRS that fits.
    """
    x, y = np.mean(np.asarray(limits.bounds).reshape(2, 2), axis=0)
    scale = projection.compute_scale_factor(x, y) if np.isfinite([x, y]).all() else np.nan
    if abs(scale - 1) <= MAX_SCALE_ERROR:
        return
    where, remedy = "[area] crs", "use a projected CRS that is made for it"
    longitude, latitude = (float(value[0]) for value in projection.to_degrees([x], [y]))
    if not np.isfinite([scale, longitude, latitude]).all():
        what = f"'{projection.crs}' does not cover this place"
        raise InputError.one(where, what, f"{remedy}, such as {BRITISH_GRID} in Great Britain")
    what = (
        f"'{projection.crs}' is not made for this place: at longitude {longitude:.3f}, latitude "
        f"{latitude:.3f} it makes 1 km on the ground {scale:.3g} km long"
    )
    raise InputError.one(where, what, f"{remedy}, such as {suggest_crs(longitude, latitude)}")


def suggest_crs(longitude: float, latitude: float) -> str:
    """A CRS that fits a place in degrees, and its name.

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
        Naming every pattern that matches no file.
    """
    remedy = f"correct [sources] {source}; paths are relative to the settings file's folder"
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
        Naming every column that patrolplan does not have.
    """
    known = [field.name for field in SOURCE_FIELDS[source]]
    columns = settings.columns.get(source, {})
    problems = [
        Problem(
            settings.file,
            format_unknown("unknown column", name, known),
            "correct or remove it; patrolplan's name goes before the =, your file's after it",
            f"key 'columns.{source}.{name}'",
        )
        for name in columns
        if name not in known
    ]
    if problems:
        raise SettingsError(problems)
    return columns


EVERYWHERE = shapely.box(-1e8, -1e8, 1e8, 1e8)
"""Stands in for the limits of an area whose streets cannot be read, to check the reports."""


@dataclass(frozen=True, eq=False)
class Sources:
    """Every source as it was read on its own; `reports` is None where there is no file."""

    limits: BaseGeometry
    network: StreetNetwork
    features: gpd.GeoDataFrame
    walking_extract: bool
    crimes: Crimes
    schools: gpd.GeoDataFrame
    bell_times: pd.Series
    gates: gpd.GeoDataFrame
    officers: gpd.GeoDataFrame
    term_dates: pd.DataFrame
    tasked_places: gpd.GeoDataFrame
    reports: pd.DataFrame | None
    reports_left_out: LeftOut


def load_area(settings: Settings | str | Path) -> StudyArea:
    """Read and validate everything that the settings name.

    Parameters
    ----------
    settings
        Settings, or the path of a `patrolplan.toml`.

    Returns
    -------
    StudyArea
        With the rows left out, by source and reason, and the defaults that were chosen.

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
    projection, report = Projection(settings.area.crs), LoadReport()
    sources = read_sources(settings, projection, report)
    network, limits = sources.network, sources.limits
    placed = place_incidents(sources.crimes, network, limits, settings, report)
    at_gates, gates = assign_gates(
        sources.schools,
        sources.gates,
        sources.bell_times,
        network,
        limits,
        settings=settings,
        report=report,
    )
    check_urns(
        at_gates["urn"],
        {
            "bell_times": sources.bell_times.index,
            "gates": sources.gates.index,
            "term_dates": sources.term_dates["urn"],
            "officers": sources.officers["school_urns"].explode().dropna(),
        },
        sources.tasked_places,
        report,
    )
    threshold = settings.privacy.threshold
    groups = privacy.ReportGroups.empty(len(network), threshold)
    if sources.reports is not None:
        left_out, pieces = sources.reports_left_out, network.piece_middle
        groups = privacy.group_reports(
            sources.reports, pieces, limits, left_out, threshold=threshold
        )
        report.left_out.extend(left_out.rows)
        report.notes.extend(privacy.note_report_grouping(threshold))
    report.problems.raise_if_any()
    return StudyArea(
        settings=settings,
        network=network,
        catchments=placed.catchments,
        incidents=placed.incidents,
        incident_catchment=placed.incident_catchment,
        exposure=placed.exposure,
        times_known=placed.times_known,
        snapped=placed.snapped,
        reports=groups,
        schools=at_gates,
        gates=gates,
        features=sources.features,
        officers=sources.officers,
        term_dates=sources.term_dates,
        tasked_places=sources.tasked_places,
        left_out=tuple(report.left_out.rows),
        notes=tuple(report.notes),
        inputs=compute_input_digests(settings, groups),
        walking_extract=sources.walking_extract,
    )


def read_sources(settings: Settings, projection: Projection, report: LoadReport) -> Sources:
    """Read every source on its own.

    Raises
    ------
    InputError
        With the problems of all sources.
    """
    crimes_left_out, reports_left_out = LeftOut(), LeftOut()
    parts: dict[str, Any] = {"limits": EVERYWHERE, "reports_left_out": reports_left_out}
    with report.problems.collect():
        parts |= _read_streets(settings, projection, report.left_out)
    readers: dict[str, Callable[..., object]] = {
        "crimes": partial(
            read_crimes,
            projection=projection,
            left_out=crimes_left_out,
            leave_out_forces=settings.crimes.leave_out_forces,
        ),
        "schools": partial(
            read_schools,
            projection=projection,
            left_out=report.left_out,
            left_out_urns=report.schools_left_out,
            selection=settings.schools,
        ),
        "bell_times": read_bell_times,
        "gates": partial(read_gates, projection=projection),
        "officers": partial(read_officers, projection=projection),
        "term_dates": read_term_dates,
        "tasked_places": partial(read_tasked_places, projection=projection),
        "reports": partial(
            read_reports,
            projection=projection,
            limits=privacy.extend_to_squares(parts["limits"]),
            left_out=reports_left_out,
            threshold=settings.privacy.threshold,
        ),
    }
    for source, read in readers.items():
        with report.problems.collect():
            paths, columns = _find_table(settings, source)
            is_absent = source == "reports" and not paths
            parts[source] = None if is_absent else read(paths, columns=columns)
        if source == "crimes":
            min_crime_count = settings.privacy.min_crime_count
            report.left_out.extend(suppress_small_counts(crimes_left_out.rows, min_crime_count))
    report.problems.raise_if_any()
    return Sources(**parts)


def _read_streets(settings: Settings, projection: Projection, left_out: LeftOut) -> dict[str, Any]:
    """Network, limits and map features of an area; its CRS is checked as soon as it can be."""
    streets = load_cached_streets(find_source_files(settings, "streets"), projection, left_out)
    limits = read_limits(settings, streets.vertex_xy)
    check_scale(projection, limits)
    network = load_or_build_network(streets, projection, left_out, limits=limits)
    if not len(network):
        where, what = "[area]", "no walkable street lies inside the area"
        raise InputError.one(where, what, "check bounds and boundary against the streets")
    return {
        "limits": limits,
        "network": network,
        "features": streets.features,
        "walking_extract": streets.walking_extract,
    }


def _find_table(settings: Settings, source: str) -> tuple[tuple[Path, ...], Mapping[str, str]]:
    """Files and columns of a table; the problems of both are collected."""
    problems = Problems()
    with problems.collect():
        columns = get_column_mapping(settings, source)
    with problems.collect():
        paths = find_source_files(settings, source)
    problems.raise_if_any()
    return paths, columns
