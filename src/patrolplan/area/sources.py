"""Read every source of an area separately: files that the settings name, or tables in memory.

Problems are reported together; a wrong pattern or column once, before any file is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from patrolplan import privacy
from patrolplan.area.checks import list_own_categories
from patrolplan.area.incidents import suppress_small_counts
from patrolplan.area.loading import AreaTables, Loading
from patrolplan.crs import BRITISH_GRID, Projection, find_local_codes
from patrolplan.errors import InputError, Problem, Problems, SettingsError
from patrolplan.inputs import origins, polygons, small_tables, way_home
from patrolplan.inputs.crimes import COLUMNS as CRIME_COLUMNS, Crimes, read_crimes
from patrolplan.inputs.duties import find_duty_span, read_all_duties
from patrolplan.inputs.formats import Files, MemoryTable, TableSource
from patrolplan.inputs.polygons import read_designated, read_limits
from patrolplan.inputs.reports import COLUMNS as REPORT_COLUMNS, ODD, find_odd_files, read_reports
from patrolplan.inputs.schools import COLUMNS as SCHOOL_COLUMNS, read_schools
from patrolplan.inputs.street_files import finish_streets, load_cached_streets
from patrolplan.inputs.streets import Streets
from patrolplan.network.build import load_or_build_network
from patrolplan.plausibility import Alarms
from patrolplan.privacy import ReportTable
from patrolplan.settings import Settings, format_unknown
from patrolplan.settings.kinds import name_argument
from patrolplan.tables import Column, LeftOut

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


Of = TypeVar("Of")
"""What a table is once it is read."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What is known when a table is read, besides those before it."""

    settings: Settings
    projection: Projection
    files: Files
    columns: Mapping[str, str]
    left_out: LeftOut = field(default_factory=LeftOut)
    alarms: Alarms = field(default_factory=Alarms)
    schools_left_out: dict[str, str] = field(default_factory=dict)
    crimes: Crimes | None = None  # None before they are read, and where they cannot be read...
    officers: gpd.GeoDataFrame | None = None  # ...as here


@dataclass(frozen=True)
class Source(Generic[Of]):
    """A table under `[sources]`: its key there, its columns, and its reader."""

    name: str
    columns: tuple[Column, ...]
    read: Callable[[Reading], Of]


def _read_crimes(a: Reading) -> Crimes:
    return read_crimes(
        a.files,
        a.projection,
        a.left_out,
        columns=a.columns,
        leave_out_forces=a.settings.crimes.leave_out_forces,
        categories=list_own_categories(a.settings),
        alarms=a.alarms,
    )


def _read_schools(a: Reading) -> gpd.GeoDataFrame:
    return read_schools(
        a.files,
        a.projection,
        a.left_out,
        columns=a.columns,
        selection=a.settings.schools,
        left_out_urns=a.schools_left_out,
        alarms=a.alarms,
    )


def _read_clock(a: Reading) -> pd.DataFrame:
    categories = list_own_categories(a.settings)
    return way_home.read_clock(a.files, a.left_out, columns=a.columns, categories=categories)


def _read_designated(a: Reading) -> gpd.GeoDataFrame | None:
    if not a.files:
        return None
    return read_designated(a.files, a.projection, a.left_out, columns=a.columns)


def _read_reports(a: Reading) -> ReportTable | None:
    """Pupils' reports, with an alarm for files that are wrong as a whole."""
    if not a.files:
        return None
    step = privacy.get_rounding_step(a.settings.privacy.threshold)
    reports = read_reports(a.files, columns=a.columns, step=step)
    for check, path in find_odd_files(a.files, a.columns):
        a.alarms.add(check, path, ODD[check], "export what each report gave")
    return reports


def _read_duties(a: Reading) -> gpd.GeoDataFrame:
    """Officers' appointments in the years about the newest crime."""
    newest = None if a.crimes is None else a.crimes.incidents["month"].max()
    return read_all_duties(
        a.files,
        a.projection,
        columns=a.columns,
        officers=None if a.officers is None else list(a.officers["officer"]),
        span=find_duty_span(newest),
        left_out=a.left_out,
    )


CRIMES = Source("crimes", CRIME_COLUMNS, _read_crimes)
SCHOOLS = Source("schools", SCHOOL_COLUMNS, _read_schools)
BELL_TIMES = Source(
    "bell_times",
    small_tables.BELL_TIMES.columns,
    lambda a: small_tables.read_bell_times(a.files, columns=a.columns),
)
GATES = Source(
    "gates",
    small_tables.GATES.columns,
    lambda a: small_tables.read_gates(a.files, a.projection, columns=a.columns),
)
OFFICERS = Source(
    "officers",
    small_tables.OFFICERS.columns,
    lambda a: small_tables.read_officers(a.files, a.projection, columns=a.columns),
)
TERM_DATES = Source(
    "term_dates",
    small_tables.TERM_DATES.columns,
    lambda a: small_tables.TERM_DATES.load(a.files, columns=a.columns),
)
TASKED_PLACES = Source(
    "tasked_places",
    small_tables.TASKED_PLACES.columns,
    lambda a: small_tables.TASKED_PLACES.load_places(a.files, a.projection, columns=a.columns),
)
ORIGINS = Source(
    "origins", origins.ORIGINS.columns, lambda a: origins.read_origins(a.files, columns=a.columns)
)
AREAS = Source(
    "areas",
    polygons.AREAS.columns,
    lambda a: polygons.read_areas(a.files, a.projection, a.left_out, columns=a.columns),
)
STOPS = Source(
    "stops",
    way_home.STOP_COLUMNS,
    lambda a: way_home.read_stops(a.files, a.projection, a.left_out, columns=a.columns),
)
PLACES = Source(
    "places",
    way_home.PLACE_COLUMNS,
    lambda a: way_home.read_places(a.files, a.projection, a.left_out, columns=a.columns),
)
CLOCK = Source("clock", way_home.CLOCK.columns, _read_clock)
COUNTS = Source(
    "counts",
    small_tables.COUNTS.columns,
    lambda a: small_tables.COUNTS.load_places(a.files, a.projection, columns=a.columns),
)
DESIGNATED = Source("designated", polygons.DESIGNATED.columns, _read_designated)
REPORTS = Source("reports", REPORT_COLUMNS, _read_reports)
DUTIES = Source("duties", small_tables.DUTIES.columns, _read_duties)

SOURCES: Mapping[str, tuple[Column, ...]] = {
    source.name: source.columns
    for source in (
        *(CRIMES, SCHOOLS, BELL_TIMES, GATES, OFFICERS, TERM_DATES, TASKED_PLACES, ORIGINS, AREAS),
        *(STOPS, PLACES, CLOCK, COUNTS, DESIGNATED, REPORTS, DUTIES),
    )
}
"""The columns of every source that is a table.

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
    known = [column.name for column in SOURCES[source]]
    columns = settings.columns.get(source, {})
    remedy = "correct or remove it; patrolplan's name goes before the =, your file's after it"
    problems = []
    for name in (one for one in columns if one not in known):
        what = format_unknown("unknown column", name, known)
        place = f"key 'columns.{source}.{name}'"
        problems.append(Problem(settings.file, what, remedy, place))
    if problems:
        raise SettingsError(problems)
    return columns


def read_source(settings: Settings, source: Source[Of]) -> Of:
    """One table of the settings alone."""
    files = find_source_files(settings, source.name)
    columns = get_column_mapping(settings, source.name)
    return source.read(Reading(settings, Projection(settings.area.crs), files, columns))


def read_school_urns(settings: Settings) -> frozenset[str]:
    """URNs of the open schools that the settings select; a survey may be of one of them."""
    return frozenset(read_source(settings, SCHOOLS)["urn"])


@dataclass(frozen=True, eq=False)
class GivenSources:
    """What was given in memory instead of files: tables by their keys, streets, boundary."""

    tables: Mapping[str, tuple[MemoryTable, ...]] = field(default_factory=dict)
    streets: "gpd.GeoDataFrame | nx.Graph | Streets | None" = None
    boundary: gpd.GeoDataFrame | None = None


def read_sources(a: Loading, given: GivenSources) -> None:
    """Read every source separately."""
    projection = Projection(a.settings.area.crs)
    with a.problems.collect():
        _read_streets(a, projection, given)
    a.tables = _TableReader(a, given, projection).read_all()
    a.raise_if_any()


@dataclass(eq=False)
class _TableReader:
    """Reads one table after another, and collects the problems of all."""

    area: Loading
    given: GivenSources
    projection: Projection
    crimes: Crimes | None = None
    officers: gpd.GeoDataFrame | None = None

    def read_all(self) -> AreaTables:
        """Every table; those with problems are None, and end the loading."""
        self.crimes = crimes = self.read(CRIMES)
        schools, bell_times, gates = self.read(SCHOOLS), self.read(BELL_TIMES), self.read(GATES)
        self.officers = officers = self.read(OFFICERS)
        return AreaTables(
            crimes=crimes,
            schools=schools,
            bell_times=bell_times,
            gates=gates,
            officers=officers,
            term_dates=self.read(TERM_DATES),
            tasked_places=self.read(TASKED_PLACES),
            origins=self.read(ORIGINS),
            areas=self.read(AREAS),
            stops=self.read(STOPS),
            places=self.read(PLACES),
            clock=self.read(CLOCK),
            counts=self.read(COUNTS),
            designated=self.read(DESIGNATED),
            reports=self.read(REPORTS),
            duties=self.read(DUTIES),
        )

    def read(self, source: Source[Of]) -> Of:
        """One table; None where it has problems, which are raised before anything uses it."""
        left_out, table = LeftOut(), None
        with self.area.problems.collect():
            files, columns = _find_table(self.area.settings, source.name, self.given)
            reading = Reading(
                settings=self.area.settings,
                projection=self.projection,
                files=files,
                columns=columns,
                left_out=left_out,
                alarms=self.area.alarms,
                schools_left_out=self.area.schools_left_out,
                crimes=self.crimes,
                officers=self.officers,
            )
            table = source.read(reading)
        rows = left_out.rows
        if source.name == CRIMES.name:
            rows = suppress_small_counts(rows, self.area.settings.privacy.min_crime_count)
        self.area.left_out.extend(rows)
        self.area.left_out.rows_read |= left_out.rows_read
        return table


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
