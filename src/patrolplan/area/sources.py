"""Read every source of an area separately: files that the settings name, or tables in memory.

Problems are reported together; a wrong pattern or column once, before any file is read.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
from shapely.geometry.base import BaseGeometry

from patrolplan import privacy
from patrolplan.area.checks import list_own_categories
from patrolplan.area.incidents import suppress_small_counts
from patrolplan.area.loading import Loading
from patrolplan.crs import BRITISH_GRID, Projection, find_local_codes
from patrolplan.errors import InputError, Problem, Problems, SettingsError
from patrolplan.inputs import small_tables, way_home
from patrolplan.inputs.crimes import FIELDS as CRIME_FIELDS, read_crimes
from patrolplan.inputs.duties import find_duty_span, read_all_duties
from patrolplan.inputs.formats import Files, MemoryTable, TableSource
from patrolplan.inputs.origins import ORIGINS, read_origins
from patrolplan.inputs.polygons import AREAS, DESIGNATED, read_areas, read_designated, read_limits
from patrolplan.inputs.reports import FIELDS as REPORT_FIELDS, ODD, find_odd_files, read_reports
from patrolplan.inputs.schools import FIELDS as SCHOOL_FIELDS, read_schools
from patrolplan.inputs.street_files import finish_streets, load_cached_streets
from patrolplan.inputs.streets import Streets
from patrolplan.inputs.table_reader import Field
from patrolplan.network.build import load_or_build_network
from patrolplan.settings import Settings, format_unknown
from patrolplan.settings.kinds import name_argument
from patrolplan.tables import LeftOut

if TYPE_CHECKING:
    import networkx as nx

MAX_SCALE_ERROR = 0.005  # Of lengths in a CRS: a UTM zone has 0.1 %, its neighbour 0.5 %


def check_scale(projection: Projection, limits: BaseGeometry) -> None:
    """Refuse a CRS that stretches lengths at the centre of the area."""
    x, y = np.mean(np.asarray(limits.bounds).reshape(2, 2), axis=0)
    longitude, latitude = (float(value[0]) for value in projection.to_degrees([x], [y]))
    scale = projection.compute_scale_factor(longitude, latitude)
    if abs(scale - 1) <= MAX_SCALE_ERROR:
        return
    where, remedy = "[area] crs", "use a projected CRS that is made for it"
    if not np.isfinite([scale, longitude, latitude]).all():
        what = f"'{projection.crs}' does not cover this place"
        raise InputError.one(where, what, f"{remedy}, such as {BRITISH_GRID} in Great Britain")
    what = (
        f"'{projection.crs}' is not made for this place: at longitude {longitude:.3f}, latitude "
        f"{latitude:.3f} it makes 1 km on the ground {scale:.3g} km long"
    )
    code = find_local_codes([longitude], [latitude])[0]
    raise InputError.one(where, what, f"{remedy}, such as EPSG:{code}")


@dataclass(frozen=True)
class Source:
    """A table under `[sources]`: its columns and reader, which is given what it asks for."""

    fields: tuple[Field, ...]
    reader: Callable[..., Any]
    is_none: bool = False

    def read(self, paths: Files, columns: Mapping[str, str], known: Mapping[str, object]) -> Any:  # noqa: ANN401 - of its kind
        """The table; of what is known, the reader gets its own parameters by their names."""
        asked = inspect.signature(self.reader).parameters
        own = {name: value for name, value in known.items() if name in asked}
        return self.reader(paths, columns=columns, **own)


SOURCES = {
    "crimes": Source(CRIME_FIELDS, read_crimes),
    "schools": Source(SCHOOL_FIELDS, read_schools),
    "bell_times": Source(small_tables.BELL_TIMES.fields, small_tables.read_bell_times),
    "gates": Source(small_tables.GATES.fields, small_tables.read_gates),
    "officers": Source(small_tables.OFFICERS.fields, small_tables.read_officers),
    "term_dates": Source(small_tables.TERM_DATES.fields, small_tables.read_term_dates),
    "tasked_places": Source(small_tables.TASKED_PLACES.fields, small_tables.read_tasked_places),
    "origins": Source(ORIGINS.fields, read_origins),
    "areas": Source(AREAS.fields, read_areas),
    "stops": Source(way_home.STOP_FIELDS, way_home.read_stops),
    "places": Source(way_home.PLACE_FIELDS, way_home.read_places),
    "clock": Source(way_home.CLOCK.fields, way_home.read_clock),
    "counts": Source(small_tables.COUNTS.fields, small_tables.read_counts),
    "designated": Source(DESIGNATED.fields, read_designated, is_none=True),
    "reports": Source(REPORT_FIELDS, read_reports, is_none=True),
    "duties": Source(small_tables.DUTIES.fields, read_all_duties),
}
"""Every source that is a table, in the order in which they are read.

Their names, meanings and examples are the keys of `patrolplan.settings.SourceSettings`.
"""


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
    fields = [field.name for field in SOURCES[source].fields]
    columns = settings.columns.get(source, {})
    remedy = "correct or remove it; patrolplan's name goes before the =, your file's after it"
    problems = []
    for name in (one for one in columns if one not in fields):
        what, place = (
            format_unknown("unknown column", name, fields),
            f"key 'columns.{source}.{name}'",
        )
        problems.append(Problem(settings.file, what, remedy, place))
    if problems:
        raise SettingsError(problems)
    return columns


def read_source(settings: Settings, source: str, **known: object) -> Any:  # noqa: ANN401 - of its kind
    """One table of the settings alone, with what its reader needs besides a projection."""
    paths, columns = find_source_files(settings, source), get_column_mapping(settings, source)
    known["projection"] = Projection(settings.area.crs)
    return SOURCES[source].read(paths, columns, known)


def read_school_urns(settings: Settings) -> frozenset[str]:
    """URNs of the open schools that the settings select; a survey may be of one of them."""
    schools = read_source(settings, "schools", left_out=LeftOut(), selection=settings.schools)
    return frozenset(schools["urn"])


@dataclass(frozen=True, eq=False)
class GivenSources:
    """What was given in memory instead of files: tables by their keys, streets, boundary."""

    tables: Mapping[str, tuple[MemoryTable, ...]] = field(default_factory=dict)
    streets: "gpd.GeoDataFrame | nx.Graph | Streets | None" = None
    boundary: gpd.GeoDataFrame | None = None


def read_sources(a: Loading, given: GivenSources) -> None:
    """Read every source separately."""
    settings, projection = a.settings, Projection(a.settings.area.crs)
    with a.problems.collect():
        _read_streets(a, projection, given)
    known: dict[str, Any] = {
        "projection": projection,
        "alarms": a.alarms,
        "leave_out_forces": settings.crimes.leave_out_forces,
        "categories": list_own_categories(settings),
        "left_out_urns": a.schools_left_out,
        "selection": settings.schools,
        "step": privacy.get_rounding_step(settings.privacy.threshold),
    }
    tables: dict[str, Any] = {}
    for name, source in SOURCES.items():
        left_out = known["left_out"] = LeftOut()
        if name == "duties":  # officers are None where they cannot be read
            crimes, officers = tables.get("crimes"), tables.get("officers")
            newest = None if crimes is None else crimes.incidents["month"].max()
            known["officers"] = None if officers is None else list(officers["officer"])
            known["span"] = find_duty_span(newest)
        with a.problems.collect():
            paths, columns = _find_table(settings, name, given)
            is_absent = source.is_none and not paths
            tables[name] = None if is_absent else source.read(paths, columns, known)
            for check, path in find_odd_files(paths, columns) if name == "reports" else ():
                a.alarms.add(check, path, ODD[check], "export what each report gave")
        rows = left_out.rows
        if name == "crimes":
            rows = suppress_small_counts(rows, settings.privacy.min_crime_count)
        a.left_out.extend(rows)
        a.left_out.rows_read |= left_out.rows_read
    a.raise_if_any()
    a.tables = tables


def _read_streets(a: Loading, projection: Projection, given: GivenSources) -> None:
    """Streets, network and limits of an area; its CRS is checked as early as possible."""
    if given.streets is None:
        files = find_source_files(a.settings, "streets")
        a.streets = load_cached_streets(files, projection, a.left_out)
    else:
        a.streets = _take_streets(given.streets, projection, a.left_out)
    a.limits = read_limits(a.settings, a.streets.vertex_xy, given.boundary)
    check_scale(projection, a.limits)
    a.network = load_or_build_network(a.streets, projection, a.left_out, limits=a.limits)
    if not len(a.network):
        where, what = "[area]", "no walkable street lies inside the area"
        raise InputError.one(where, what, "check bounds and boundary against the streets")


def _take_streets(
    streets: "gpd.GeoDataFrame | nx.Graph | Streets", projection: Projection, left_out: LeftOut
) -> Streets:
    """Streets that were given in memory, as those of a file."""
    from patrolplan.inputs import graphml  # noqa: PLC0415 - osmnx is slow to import

    source = name_argument("streets")
    if isinstance(streets, Streets):
        return streets
    if isinstance(streets, gpd.GeoDataFrame):
        read = graphml.read_street_frame(streets, projection, left_out, source)
    else:
        read = graphml.read_graph(streets, projection, source)
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
