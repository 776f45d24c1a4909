"""Streets from a table of lines: any GeoDataFrame of where the streets run.

Lines join where they share a vertex, at their ends or along them; lines that cross without one
(a bridge, or lines that were never joined) do not.
"""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.graphml import build_edge_streets, select_walkable
from patrolplan.inputs.streets import Streets, is_walking_extract
from patrolplan.tables import LeftOut

PLAIN_STREET = "unclassified"
"""The `highway` of every line of a table that does not have this column."""

JOIN_METRES = 0.01
"""Vertices within this distance are one place."""

ID_COLUMNS = ("osmid", "osm_id")
REMEDY = "give a GeoDataFrame of LineStrings with a CRS"


def read_street_frame(
    frame: gpd.GeoDataFrame, projection: Projection, left_out: LeftOut, source: str
) -> Streets:
    """Streets of a table of lines in any CRS; `source` is the argument's name, for messages.

    `highway` and `name` may be missing; tags of OpenStreetMap in other columns, such as `foot`,
    `access`, `bridge` or `layer`, count as they do there.
    """
    if frame.active_geometry_name is None or frame.crs is None:
        raise InputError.one(source, "has no lines in a known CRS", REMEDY)
    lines = frame.explode(ignore_index=True)
    lines = lines.rename_geometry("geometry") if lines.active_geometry_name != "geometry" else lines
    is_line = (lines.geom_type == "LineString").to_numpy() & ~lines.is_empty.to_numpy()
    left_out.add("streets", "without a line (rows)", int((~is_line).sum()))
    lines = lines[is_line].reset_index(drop=True)
    if lines.empty:
        raise InputError.one(source, "has no line", REMEDY)
    edges = _number_ends(_complete_columns(lines), projection)
    walkable, kinds = select_walkable(edges)
    if walkable.empty:
        remedy = "give its lines a highway tag of streets, or no such column"
        raise InputError.one(source, "has no street that can be walked", remedy)
    closed = len(edges) - len(walkable)
    left_out.add("streets", "not open to people on foot, or there twice (rows)", closed)
    extract = is_walking_extract(kinds)
    streets = build_edge_streets(walkable, {}, projection, walking_extract=extract)
    return replace(streets, vertex_node=_number_places(streets.vertex_xy))


def _complete_columns(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The lines with the columns that every street has; values that are missing are empty."""
    number = next((name for name in ID_COLUMNS if name in lines), None)
    numbers = pd.Series(np.nan, lines.index) if number is None else lines[number]
    own = pd.Series(np.arange(len(lines)), lines.index)
    found = numbers.map(lambda value: value[0] if isinstance(value, list) else value)
    ids = pd.to_numeric(found, errors="coerce").fillna(own).astype("int64")
    missing = {"highway": PLAIN_STREET} if "highway" not in lines else {}
    return lines.assign(osmid=ids, **missing)


def _number_ends(lines: gpd.GeoDataFrame, projection: Projection) -> gpd.GeoDataFrame:
    """The lines with the numbers of the places where they begin and end, `u` and `v`."""
    degrees, line = shapely.get_coordinates(lines.geometry.array, return_index=True)
    x, y = projection.to_metres(degrees[:, 0], degrees[:, 1], source=str(lines.crs))
    node = _number_places(np.column_stack([x, y]))
    last = np.cumsum(np.bincount(line, minlength=len(lines))) - 1
    first = np.concatenate([[0], last[:-1] + 1])
    return lines.assign(u=node[first], v=node[last])


def _number_places(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """(v,) a number for each place, the same for vertices at one place."""
    cells = np.round(np.nan_to_num(xy, nan=np.inf) / JOIN_METRES)
    _, number = np.unique(cells, axis=0, return_inverse=True)
    return np.asarray(number.reshape(-1), dtype=np.int64)
