"""An area from tables in memory: frames take the place of files, with the same checks."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from patrolplan.area.load import gather_area
from patrolplan.area.sources import SOURCES, GivenSources
from patrolplan.area.study_area import StudyArea
from patrolplan.audit_guard import refuse_audit_columns
from patrolplan.inputs.formats import MemoryTable
from patrolplan.settings import Settings, format_unknown, load_settings, parse_settings
from patrolplan.settings.kinds import name_argument
from patrolplan.settings.models import SourceSettings

if TYPE_CHECKING:
    import networkx as nx

    from patrolplan.inputs.streets import Streets

Frames = pd.DataFrame | Sequence[pd.DataFrame]
"""A table, or several that count as several files; a GeoDataFrame's points are its places."""


def build_area(
    *,
    crimes: Frames | None = None,
    schools: Frames | None = None,
    streets: "gpd.GeoDataFrame | nx.Graph | Streets | None" = None,
    reports: Frames | None = None,
    boundary: gpd.GeoDataFrame | None = None,
    settings: Settings | Mapping[str, Any] | str | Path | None = None,
    **tables: Frames,
) -> StudyArea:
    """Build a study area from tables in memory, checked like those of files.

    Tables that are not given come from the files that the settings name, if any. Messages name the
    argument in place of a file, and number rows from 0, as `iloc` does.

    Parameters
    ----------
    crimes, schools, reports
        Frames with the columns of the files, or those that `[columns]` maps. Numbers and dates may
        be of their own types. The points of a GeoDataFrame, in any CRS, stand for columns of
        coordinates. Of reports only the wanted columns are looked at, and they become groups at
        once, see `patrolplan.privacy`. A list of frames counts as several files do: crimes with an
        ID that an earlier one also has are duplicates.
    streets
        LineStrings in any CRS that join where they share a vertex, `highway` and `name` optional
        (a table of lines has no bus stops, parks or shops, which maps and stopping places use); a
        graph as osmnx makes them; or the streets that `patrolplan.inputs` read from a file.
    boundary
        Polygons in any CRS, which are the area; they stand for `[area]` bounds and boundary.
    settings
        A mapping of sections as in `patrolplan.toml` (relative paths start at the current folder),
        settings, or a file of them. Default: no settings but the defaults.
    **tables
        The optional tables, by their keys under `[sources]`.

    Returns
    -------
    StudyArea
        As `load_area` gives; its inputs have a digest of each table, named "in memory".

    Raises
    ------
    InputError
        With all problems found, not only the first; or when a table has columns for audit.
    TypeError
        When an argument is not a frame, or not a table that there is.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd, shapely
    >>> import patrolplan as pp
    >>> lane = shapely.LineString([(-0.13, 51.52), (-0.1, 51.52)])
    >>> streets = gpd.GeoDataFrame({"name": ["Long Lane"]}, geometry=[lane], crs="EPSG:4326")
    >>> crimes = pd.DataFrame({"Month": ["2024-05"], "Crime type": ["Robbery"]})
    >>> schools = pd.DataFrame({"urn": [100001], "name": ["Mill School"]})
    >>> pp.build_area(
    ...     crimes=crimes.assign(Longitude=-0.128, Latitude=51.52),
    ...     schools=schools.assign(longitude=-0.12, latitude=51.5201),
    ...     streets=streets,
    ... )
    <StudyArea: Study area, 2.1 km of street, 1 incident, 0 groups of reports, 1 school>
    """
    given: dict[str, Frames | None] = {"crimes": crimes, "schools": schools, "reports": reports}
    for name in tables:
        optional = [one for one in SourceSettings.model_fields if one not in (*given, "streets")]
        if name not in optional:
            raise TypeError(format_unknown(f"there is no table '{name}'", name, optional))
    given |= tables
    refuse_audit_columns("build_area", given, streets)
    frames_of = {name: _list_frames(name, one) for name, one in given.items() if one is not None}
    if boundary is not None and not isinstance(boundary, gpd.GeoDataFrame):
        message = f"{name_argument('boundary')} is a {type(boundary).__name__}; give a GeoDataFrame"
        raise TypeError(message)
    checked = _name_arguments(settings, [*frames_of, *(["streets"] if streets is not None else [])])
    memory = {
        name: tuple(
            MemoryTable(name, _select_wanted(frame, name, checked), number if len(of) > 1 else 0)
            for number, frame in enumerate(of, start=1)
        )
        for name, of in frames_of.items()
    }
    return gather_area(checked, GivenSources(memory, streets, boundary))


def _list_frames(name: str, frames: Frames) -> list[pd.DataFrame]:
    """An argument as a list of frames."""
    listed = [frames] if isinstance(frames, pd.DataFrame) else list(frames)
    wrong = next((one for one in listed if not isinstance(one, pd.DataFrame)), None)
    if wrong is not None or not listed:
        kind = "an empty list" if not listed else f"a {type(wrong).__name__}"
        message = f"{name_argument(name)} is {kind}; give a DataFrame or a list of them"
        raise TypeError(message)
    return listed


def _name_arguments(
    settings: Settings | Mapping[str, Any] | str | Path | None, names: Iterable[str]
) -> Settings:
    """The settings, with the arguments' names in place of the files of their sources."""
    arguments = {name: (name_argument(name),) for name in names}
    if settings is None or isinstance(settings, Mapping):
        data = dict(settings or {})
        sources = data.get("sources", {})
        if isinstance(sources, Mapping):
            data["sources"] = {**sources, **arguments}
        return parse_settings(data, folder=Path())
    checked = settings if isinstance(settings, Settings) else load_settings(settings)
    sources = checked.sources.model_copy(update=arguments)
    return checked.model_copy(update={"sources": sources})


def _select_wanted(frame: pd.DataFrame, source: str, settings: Settings) -> pd.DataFrame:
    """The columns of a frame that a reader may want, and its shapes: others may be of people."""
    mapping = settings.columns.get(source, {})
    wanted = {name for field in SOURCES[source] for name in (field.name, *field.known_names)}
    folded = {str(name).strip().casefold() for name in (*wanted, *mapping.values())}
    shapes = frame.active_geometry_name if isinstance(frame, gpd.GeoDataFrame) else None
    is_wanted = [name == shapes or str(name).strip().casefold() in folded for name in frame.columns]
    return frame.loc[:, is_wanted]
