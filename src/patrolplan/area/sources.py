"""Read every source of an area separately: files that the settings name, or tables in memory.

The problems of all sources are reported together. A wrong file pattern or column name is reported
once, before any file is read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from patrolplan import privacy
from patrolplan.area.checks import list_own_categories
from patrolplan.area.incidents import suppress_small_counts
from patrolplan.area.load_report import LoadReport
from patrolplan.crs import BRITISH_GRID, BRITISH_GRID_CODE, Projection, find_local_codes
from patrolplan.errors import InputError, Problem, Problems, SettingsError
from patrolplan.inputs.crimes import FIELDS as CRIME_FIELDS, Crimes, read_crimes
from patrolplan.inputs.duties import find_duty_span, read_all_duties
from patrolplan.inputs.earlier_hotspots import (
    note_earlier_plan,
    read_earlier_hotspots,
    take_earlier_hotspots,
)
from patrolplan.inputs.origins import ORIGINS, read_origins
from patrolplan.inputs.places import PLACE_FIELDS, STOP_FIELDS, read_places, read_stops
from patrolplan.inputs.polygons import DESIGNATED_TABLE, read_designated, read_limits
from patrolplan.inputs.reports import FIELDS as REPORT_FIELDS, read_reports
from patrolplan.inputs.schools import FIELDS as SCHOOL_FIELDS, read_schools
from patrolplan.inputs.small_tables import (
    DUTIES_TABLE,
    LOOKUPS,
    read_bell_times,
    read_gates,
    read_officers,
    read_tasked_places,
    read_term_dates,
)
from patrolplan.inputs.street_files import finish_streets, load_cached_streets
from patrolplan.inputs.streets import Streets
from patrolplan.inputs.table_sources import MemoryTable, TableSource
from patrolplan.inputs.way_home import AREA_FIELDS, CLOCK, WayHomeTables, read_areas, read_clock
from patrolplan.network import StreetNetwork
from patrolplan.network.build import load_or_build_network
from patrolplan.settings import Settings, format_unknown
from patrolplan.settings.kinds import name_argument
from patrolplan.tables import LeftOut

if TYPE_CHECKING:
    import networkx as nx

MAX_SCALE_ERROR = 0.005
"""Maximum error of lengths in a CRS: a UTM zone has 0.1 %, its neighbour 0.5 %."""


def check_scale(projection: Projection, limits: BaseGeometry) -> None:
    """Refuse a CRS that stretches lengths at the centre of the area.

    The limits are the area's polygon in the metres of the CRS.
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

    >>> suggest_crs(-0.13, 51.5)
    'EPSG:27700 (British National Grid)'
    >>> suggest_crs(8.68, 50.1)
    'EPSG:32632 (UTM zone 32N)'
    """
    code = int(find_local_codes([longitude], [latitude])[0])
    if code == BRITISH_GRID_CODE:
        return f"{BRITISH_GRID} (British National Grid)"
    side = "N" if latitude >= 0 else "S"
    return f"EPSG:{code} (UTM zone {code % 100}{side})"


FURTHER_LOOKUPS = (DUTIES_TABLE, ORIGINS, CLOCK, DESIGNATED_TABLE)
SOURCE_FIELDS = {
    "crimes": CRIME_FIELDS,
    "schools": SCHOOL_FIELDS,
    "reports": REPORT_FIELDS,
    **{lookup.source: lookup.fields for lookup in (*LOOKUPS, *FURTHER_LOOKUPS)},
    "areas": AREA_FIELDS,
    "stops": STOP_FIELDS,
    "places": PLACE_FIELDS,
}
"""Columns of every source that is a table."""


def find_source_files(settings: Settings, source: str) -> tuple[Path, ...]:
    """Files of a source; none where its key is not set."""
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
    """`[columns.SOURCE]`: our name = "their name"; empty where it is not set."""
    fields = [field.name for field in SOURCE_FIELDS[source]]
    columns = settings.columns.get(source, {})
    problems = [
        Problem(
            settings.file,
            format_unknown("unknown column", name, fields),
            "correct or remove it; patrolplan's name goes before the =, your file's after it",
            f"key 'columns.{source}.{name}'",
        )
        for name in columns
        if name not in fields
    ]
    if problems:
        raise SettingsError(problems)
    return columns


def read_school_urns(settings: Settings) -> frozenset[str]:
    """URNs of the open schools that the settings select; a survey may be of one of them."""
    schools = read_schools(
        find_source_files(settings, "schools"),
        Projection(settings.area.crs),
        LeftOut(),
        selection=settings.schools,
        columns=get_column_mapping(settings, "schools"),
    )
    return frozenset(schools["urn"])


@dataclass(frozen=True, eq=False)
class Sources:
    """Every source as read separately; `reports` is None where there is no file.

    `given_streets` are the streets where they were given in memory.
    """

    limits: BaseGeometry
    network: StreetNetwork
    features: gpd.GeoDataFrame
    street_places: gpd.GeoDataFrame
    walking_extract: bool
    crimes: Crimes
    schools: gpd.GeoDataFrame
    bell_times: pd.DataFrame
    gates: gpd.GeoDataFrame
    officers: gpd.GeoDataFrame
    term_dates: pd.DataFrame
    tasked_places: gpd.GeoDataFrame
    duties: gpd.GeoDataFrame
    origins: pd.DataFrame
    areas: gpd.GeoDataFrame
    stops: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    clock: pd.DataFrame
    reports: privacy.ReportTable | None
    earlier_hotspots: gpd.GeoSeries | None
    designated: gpd.GeoDataFrame | None
    given_streets: Streets | None = None

    @property
    def way_home(self) -> WayHomeTables:
        """The tables of ways home, as they were read."""
        return WayHomeTables(self.origins, self.areas, self.stops, self.places, self.clock)


@dataclass(frozen=True, eq=False)
class GivenSources:
    """What was given in memory instead of files.

    `tables`: by their keys under `[sources]`. `streets`: none where the settings name their files.
    `earlier`: hotspots of an earlier plan; None where `[hotspots] earlier` names it, if it does.
    `boundary`: the area's outline; None where `[area]` has it.
    """

    tables: Mapping[str, tuple[MemoryTable, ...]] = field(default_factory=dict)
    streets: "gpd.GeoDataFrame | nx.Graph | Streets | None" = None
    earlier: gpd.GeoDataFrame | None = None
    boundary: gpd.GeoDataFrame | None = None


def read_sources(
    settings: Settings,
    projection: Projection,
    report: LoadReport,
    given: GivenSources | None = None,
) -> Sources:
    """Read every source separately."""
    given = GivenSources() if given is None else given
    crimes_left_out = LeftOut()
    parts: dict[str, Any] = {}
    with report.problems.collect():
        parts |= _read_streets(settings, projection, report.left_out, given)
    readers: dict[str, Callable[..., object]] = {
        "crimes": partial(
            read_crimes,
            projection=projection,
            left_out=crimes_left_out,
            leave_out_forces=settings.crimes.leave_out_forces,
            categories=list_own_categories(settings),
            alarms=report.alarms,
        ),
        "schools": partial(
            read_schools,
            projection=projection,
            left_out=report.left_out,
            left_out_urns=report.schools_left_out,
            selection=settings.schools,
            alarms=report.alarms,
        ),
        "bell_times": read_bell_times,
        "gates": partial(read_gates, projection=projection),
        "officers": partial(read_officers, projection=projection),
        "term_dates": read_term_dates,
        "tasked_places": partial(read_tasked_places, projection=projection),
        "origins": read_origins,
        "areas": partial(read_areas, projection=projection, left_out=report.left_out),
        "stops": partial(
            read_stops, projection=projection, left_out=report.left_out, alarms=report.alarms
        ),
        "places": partial(
            read_places, projection=projection, left_out=report.left_out, alarms=report.alarms
        ),
        "clock": partial(
            read_clock, left_out=report.left_out, categories=list_own_categories(settings)
        ),
        "designated": partial(read_designated, projection=projection, left_out=report.left_out),
        "reports": partial(
            read_reports, step=privacy.get_rounding_step(settings.privacy.threshold)
        ),
    }
    for source, read in readers.items():
        with report.problems.collect():
            paths, columns = _find_table(settings, source, given)
            is_absent = source == "reports" and not paths
            parts[source] = None if is_absent else read(paths, columns=columns)
        if source == "crimes":
            min_crime_count = settings.privacy.min_crime_count
            report.left_out.extend(suppress_small_counts(crimes_left_out.rows, min_crime_count))
            report.left_out.rows_read |= crimes_left_out.rows_read
    with report.problems.collect():
        table = _find_table(settings, "duties", given)
        parts["duties"] = _read_duties(*table, projection, parts, report.left_out)
    with report.problems.collect():
        if given.earlier is None:
            parts["earlier_hotspots"] = read_earlier_hotspots(settings, projection)
            report.notes.extend(note_earlier_plan(settings))
        else:
            parts["earlier_hotspots"] = take_earlier_hotspots(given.earlier, projection)
    report.raise_if_any()
    return Sources(**parts)


def _read_duties(
    paths: Sequence[TableSource],
    columns: Mapping[str, str],
    projection: Projection,
    parts: Mapping[str, Any],
    left_out: LeftOut,
) -> gpd.GeoDataFrame:
    """Officers' duties, read after the officers, and after crimes for the years."""
    officers, crimes = parts.get("officers"), parts.get("crimes")
    newest = None if crimes is None else crimes.incidents["month"].max()
    return read_all_duties(
        paths,
        projection,
        columns=columns,
        officers=None if officers is None else list(officers["officer"]),
        span=find_duty_span(newest),
        left_out=left_out,
    )


def _read_streets(
    settings: Settings, projection: Projection, left_out: LeftOut, given: GivenSources
) -> dict[str, Any]:
    """Network, limits and map features of an area; its CRS is checked as early as possible."""
    if given.streets is None:
        streets = load_cached_streets(find_source_files(settings, "streets"), projection, left_out)
    else:
        streets = _take_streets(given.streets, projection, left_out)
    limits = read_limits(settings, streets.vertex_xy, given.boundary)
    check_scale(projection, limits)
    network = load_or_build_network(streets, projection, left_out, limits=limits)
    if not len(network):
        where, what = "[area]", "no walkable street lies inside the area"
        raise InputError.one(where, what, "check bounds and boundary against the streets")
    return {
        "limits": limits,
        "network": network,
        "features": streets.features,
        "street_places": streets.places,
        "walking_extract": streets.walking_extract,
        "given_streets": None if given.streets is None else streets,
    }


def _take_streets(
    streets: "gpd.GeoDataFrame | nx.Graph | Streets", projection: Projection, left_out: LeftOut
) -> Streets:
    """Streets that were given in memory, as those of a file."""
    from patrolplan.inputs.graphml import read_graph  # noqa: PLC0415 - osmnx is slow to import
    from patrolplan.inputs.street_frames import read_street_frame  # noqa: PLC0415

    source = name_argument("streets")
    if isinstance(streets, Streets):
        return streets
    if isinstance(streets, gpd.GeoDataFrame):
        read = read_street_frame(streets, projection, left_out, source)
    else:
        read = read_graph(streets, projection, source)
    finished = finish_streets(read, left_out)
    if finished.ways.empty:
        remedy = "give streets within its CRS that have a highway tag"
        raise InputError.one(source, "has no street that can be walked", remedy)
    return finished


def _find_table(
    settings: Settings, source: str, given: GivenSources
) -> tuple[tuple[TableSource, ...], Mapping[str, str]]:
    """Files and columns of a table; the problems of both are collected."""
    problems = Problems()
    with problems.collect():
        columns = get_column_mapping(settings, source)
    with problems.collect():
        paths = given.tables.get(source) or find_source_files(settings, source)
    problems.raise_if_any()
    return paths, columns
