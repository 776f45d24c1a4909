"""Tables of polygons, from files or frames: GeoJSON, GeoPackage, shapefiles and GeoParquet."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.formats import open_layer
from patrolplan.inputs.small_tables import Lookup, find_problems
from patrolplan.inputs.table_reader import match_columns
from patrolplan.inputs.table_sources import TableSource
from patrolplan.inputs.typed_cells import write_cells

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
