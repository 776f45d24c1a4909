"""Polygons, from files or frames: the area's outline, and hotspots that a force designates."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.formats import open_layer
from patrolplan.inputs.small_tables import (
    NO_TIME,
    OPTIONAL_TIME,
    Lookup,
    Rule,
    find_problems,
    is_given,
    once,
    optional,
    required,
)
from patrolplan.inputs.table_reader import match_columns, parse_numbers
from patrolplan.inputs.table_sources import TableSource
from patrolplan.inputs.typed_cells import write_cells
from patrolplan.settings import Settings
from patrolplan.settings.kinds import name_argument
from patrolplan.tables import DESIGNATED, LeftOut

REMEDY = "use GeoJSON, GeoPackage or a shapefile"


def read_polygon_file(
    path: TableSource,
    *,
    key: str,
    choose_columns: Callable[[Sequence[str]], Sequence[str]] | None = None,
) -> gpd.GeoDataFrame:
    """Every feature of a file, of whatever shape, in the file's own CRS.

    `key` is the setting that names the file, for messages; all columns are read by default.
    """
    if isinstance(path, Path) and not path.is_file():
        raise InputError.one(path, "the file does not exist", f"correct {key}")
    layer = open_layer(
        path, name=key.rsplit(maxsplit=1)[-1], noun="a file of polygons", remedy=REMEDY
    )
    columns = layer.header if choose_columns is None else choose_columns(layer.header)
    shapes = layer.read(columns)
    if not isinstance(shapes, gpd.GeoDataFrame):
        raise InputError.one(path, "has no polygon", REMEDY)
    if shapes.crs is None:
        raise InputError.one(path, "has no CRS", "save it with its CRS")
    return shapes


def read_polygon_rows(
    table: Lookup,
    paths: Sequence[TableSource],
    projection: Projection,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """The features of several files as one checked table of text with shapes.

    It has a column of text for each field, "" where a cell is empty, `file` and `row` (from 1) of
    each feature, and its shape, of whatever kind, in the CRS of the projection.
    """
    problems = Problems()
    names = [*(one.name for one in table.fields), "file", "row"]
    empty = pd.DataFrame(columns=names, dtype="str")
    parts = [gpd.GeoDataFrame(empty, geometry=[], crs=projection.crs)]
    for path in paths:
        with problems.collect():
            parts.append(_read_rows(table, path, projection, columns or {}))
    rows = pd.concat(parts[1:] or parts, ignore_index=True)
    problems.extend(find_problems(rows, table.rules))
    problems.raise_if_any()
    return rows


def _read_rows(
    table: Lookup, path: TableSource, projection: Projection, columns: Mapping[str, str]
) -> gpd.GeoDataFrame:
    """The features of one file, see `read_polygon_rows`."""
    theirs: dict[str, str] = {}

    def choose(header: Sequence[str]) -> list[str]:
        theirs.update(match_columns(path, header, table.fields, columns, table.source))
        return list(dict.fromkeys(theirs.values()))

    shapes = read_polygon_file(path, key=f"[sources] {table.source}", choose_columns=choose)
    text = {
        one.name: write_cells(shapes[theirs[one.name]], one.name).fillna("").str.strip()
        if one.name in theirs
        else pd.Series("", index=shapes.index, dtype="str")
        for one in table.fields
    }
    rows = pd.DataFrame(text).assign(file=str(path), row=np.arange(1, len(shapes) + 1))
    geometry = shapes.geometry.to_crs(projection.crs).array
    return gpd.GeoDataFrame(rows, geometry=geometry, crs=projection.crs)


def read_limits(
    settings: Settings, street_xy: NDArray[np.float64], given: gpd.GeoDataFrame | None = None
) -> BaseGeometry:
    """Polygon of the area, in metres.

    It is that of the given polygons, else of `[area]`, else the extent of the streets, (v, 2)
    metres.
    """
    projection = Projection(settings.area.crs)
    if given is not None:
        return _join_polygons(given, projection, name_argument("boundary"))
    if settings.area.boundary is not None:
        path = settings.folder / settings.area.boundary
        shapes = read_polygon_file(path, key="[area] boundary")
        return _join_polygons(shapes, projection, path)
    if settings.area.bounds is not None:
        west, south, east, north = settings.area.bounds
        edge = shapely.segmentize(shapely.box(west, south, east, north), (east - west) / 50)
        degrees = shapely.get_coordinates(edge)
        return shapely.Polygon(np.column_stack(projection.to_metres(degrees[:, 0], degrees[:, 1])))
    low, high = street_xy.min(axis=0), street_xy.max(axis=0)
    return shapely.box(low[0] - 1, low[1] - 1, high[0] + 1, high[1] + 1)


def _join_polygons(
    shapes: gpd.GeoDataFrame, projection: Projection, where: str | Path
) -> BaseGeometry:
    """One shape of all polygons, in metres."""
    if shapes.crs is None:
        raise InputError.one(where, "has no CRS", "give it its CRS")
    shapes = shapes[shapes.geom_type.isin(["Polygon", "MultiPolygon"])]
    if shapes.empty:
        raise InputError.one(where, "has no polygon", "save the area's outline as a polygon")
    return shapes.to_crs(projection.crs).make_valid().union_all()


ALL_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLACE_ID = re.compile(r"[^\W_][\w ./()&'-]{0,23}")
"""An id that fits on every paper, and in the name of a file."""

OWN_NAME = re.compile(r"H\d+", re.IGNORECASE)
"""Names that patrolplan gives to the hotspots that it finds."""

TIME_REMEDY = "write HH:MM in both from and to, or nothing in both"


def _is_not_own_name(table: pd.DataFrame, column: str) -> pd.Series:
    return ~table[column].str.fullmatch(OWN_NAME)


def _has_other_end(table: pd.DataFrame, column: str) -> pd.Series:
    other = table["from" if column == "to" else "to"]
    return (table[column] != "") | (other == "")


def _is_other_time(table: pd.DataFrame, column: str) -> pd.Series:
    return (table[column] == "") | (table[column] != table["from"])


_DAY = f"({'|'.join(ALL_DAYS)})"

# fmt: off
DESIGNATED_TABLE = Lookup("designated", (
    *required("place_id", "name"), *optional("days", "from", "to", "minutes", "drawn"),
), (
    Rule("place_id", is_given,
         "the place's id is missing", "write the force's own, such as HO-12"),
    Rule("place_id", rf"({PLACE_ID.pattern})?", "{value} is not an id",
         "write 1 to 24 letters, digits, spaces or . - / &"),
    Rule("place_id", _is_not_own_name,
         "{value} is how hotspots are called that patrolplan finds itself",
         "write it another way, such as HO-12"),
    once("place_id"),
    Rule("name", r".{0,60}", "{value} is too long", "write at most 60 letters"),
    Rule("days", rf"({_DAY}(;{_DAY})*)?", "{value} is not a list of days",
         "write such as mon;wed;sat, or nothing for every day"),
    *(rule for column in ("from", "to") for rule in (
        Rule(column, OPTIONAL_TIME, NO_TIME, TIME_REMEDY),
        Rule(column, _has_other_end, "the time is missing while the other one is there",
             TIME_REMEDY),
    )),
    Rule("to", _is_other_time, "{value} is both the first and the last time", TIME_REMEDY),
    Rule("minutes", r"([1-9]\d{0,3})?", "{value} is not a number of minutes a week",
         "write a whole number of 1 or more, or nothing"),
    Rule("drawn", r"(\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?",
         "{value} is not a valid date", "write YYYY-MM or YYYY-MM-DD, or nothing"),
))
# fmt: on


def read_designated(
    paths: Sequence[TableSource],
    projection: Projection,
    left_out: LeftOut,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame | None:
    """Read the hotspots that a force designates, see `patrolplan.tables.DESIGNATED`."""
    if not paths:
        return None
    rows = read_polygon_rows(DESIGNATED_TABLE, paths, projection, columns=columns)
    left_out.count_rows("designated", len(rows))
    is_polygon = rows.geom_type.isin(["Polygon", "MultiPolygon"])
    left_out.add("designated", "without a polygon", int((~is_polygon).sum()))
    rows = rows[is_polygon].reset_index(drop=True)
    split = [[day for day in cell.split(";") if day] or list(ALL_DAYS) for cell in rows["days"]]
    table = gpd.GeoDataFrame(
        {
            **{name: rows[name] for name in ("place_id", "name")},
            "days": pd.Series(split, index=rows.index, dtype=object),
            **{name: rows[name] for name in ("from", "to")},
            "minutes": pd.Series(parse_numbers(rows["minutes"]), index=rows.index, dtype="float64"),
            "drawn": rows["drawn"],
        },
        geometry=rows.make_valid().array,
        crs=projection.crs,
    )
    return DESIGNATED.check(table)
