"""Points of GIS files and frames as columns of coordinates, as a CSV file would have them."""

from collections.abc import Mapping, Set as AbstractSet

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.crs import BRITISH_GRID, DEGREES
from patrolplan.errors import InputError
from patrolplan.inputs.cell_text import write_cells
from patrolplan.inputs.table_sources import TableSource
from patrolplan.text import list_rows

COORDINATES = (
    *("longitude", "latitude", "base_longitude", "base_latitude"),
    *("easting", "northing"),
)
"""Our names of columns that points replace."""

Axes = Mapping[str, tuple[str, str]]
"""Names of the columns that points are written to, by their CRS: degrees, or the British grid where
the table has columns for it."""

DECIMALS = {DEGREES: 9, BRITISH_GRID: 4}
"""Decimals of a tenth of a millimetre, to round off the noise of a transformation."""

POINT_TYPES = (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)
REMEDY = "give each row one point, or columns of coordinates instead of shapes"


def choose_axes(names: AbstractSet[str], columns: Mapping[str, str]) -> Axes:
    """The columns of coordinates of a table with these columns; none where it has no place.

    Parameters
    ----------
    columns
        The settings' mapping: easting and northing that it maps are in the area's CRS.
    """
    axes: dict[str, tuple[str, str]] = {}
    for pair in (("longitude", "latitude"), ("base_longitude", "base_latitude")):
        if names >= set(pair):
            axes[DEGREES] = pair
    if {"easting", "northing"} <= names and "easting" not in columns:
        axes[BRITISH_GRID] = ("easting", "northing")
    return axes


def write_points(
    shapes: gpd.GeoSeries, source: TableSource, axes: Axes, first_row: int
) -> dict[str, pd.Series]:
    """Points as columns of text; NA where a row has none.

    Parameters
    ----------
    shapes
        In any CRS; a multipoint of one point is one.
    first_row
        Number of the first row, for messages.

    Raises
    ------
    InputError
        Where there is no CRS, or a shape is not a point.
    """
    if shapes.crs is None:
        remedy = "save it with its CRS, or give columns of coordinates instead of shapes"
        raise InputError.one(source, "has shapes without a CRS", remedy)
    values = np.asarray(shapes.array, dtype=object)
    has_place = ~(shapely.is_missing(values) | shapely.is_empty(values))
    is_point = np.isin(shapely.get_type_id(values), POINT_TYPES)
    is_point &= shapely.get_num_coordinates(values) == 1
    if wrong := np.flatnonzero(has_place & ~is_point).tolist():
        what = f"has a {values[wrong[0]].geom_type} where a point should be"
        raise InputError.one(source, what, REMEDY, list_rows([first_row + row for row in wrong]))
    crs = BRITISH_GRID if BRITISH_GRID in axes and shapes.crs == BRITISH_GRID else DEGREES
    xy = shapely.get_coordinates(shapes[has_place].to_crs(crs).array)
    placed = np.full((len(values), 2), np.nan)
    placed[has_place] = np.round(xy, DECIMALS[crs])
    placed[~np.isfinite(placed).all(axis=1)] = np.nan  # beyond the CRS
    return {
        name: write_cells(pd.Series(axis, index=shapes.index))
        for name, axis in zip(axes[crs], placed.T, strict=True)
    }
