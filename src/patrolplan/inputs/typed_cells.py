"""Typed values as the text that a CSV file would have in their place.

Spreadsheets, GIS files, Parquet and frames in memory have numbers, dates and times. They are
written as text once, without loss, so that everything after reads one kind of table: 900001.0 is
"900001", midnight of a day is the day, 15:10:00 of a bell is "15:10", and a list of schools has
semicolons between them, so that a table of an area can be given back.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Set as AbstractSet

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.crs import BRITISH_GRID, DEGREES
from patrolplan.errors import InputError
from patrolplan.inputs.table_sources import TableSource
from patrolplan.text import list_rows

MAX_WHOLE = 2.0**53
"""Whole numbers beyond this are not exact as floating-point numbers."""

LIST_SIGN = ";"
MIDNIGHT = dt.time()
MONTH_COLUMN = "month"
"""The column whose days, each the first of a month, stand for months: spreadsheets make them so."""


def write_cells(column: pd.Series, ours: str = "") -> pd.Series:
    """A column as text, NA where a cell is empty; the index stays.

    Dates of a column are written without a time where none of them has one, so that a day with a
    time of 00:00 among true times stays what it says. `ours` is our name of the column.

    Examples
    --------
    >>> write_cells(pd.Series([900001.0, 0.25])).tolist()
    ['900001', '0.25']
    >>> write_cells(pd.Series(pd.to_datetime(["2024-05-01", "2024-06-01"])), "month").tolist()
    ['2024-05', '2024-06']
    """
    if isinstance(column.dtype, pd.StringDtype):  # most columns of most frames
        return _empty_to_missing(column.astype(object).where(column.notna(), ""))
    values = column.astype(object).where(column.notna(), None).tolist()
    write = _choose_form(values, ours)
    text = ["" if value is None else write(value) for value in values]
    return _empty_to_missing(pd.Series(text, index=column.index, dtype=object, name=column.name))


def _empty_to_missing(text: pd.Series) -> pd.Series:
    """Text of the type that delimited files give, NA where it is empty."""
    return text.astype("str").mask(text == "", pd.NA)


def _choose_form(values: list[object], ours: str) -> Callable[[object], str]:
    """How the values of one column are written, which depends on all of its dates together."""
    times = [value for value in values if isinstance(value, dt.datetime)]
    are_days = all(value.time() == MIDNIGHT for value in times)
    days = [value for value in values if isinstance(value, dt.date)]
    if ours == MONTH_COLUMN and days and are_days and all(day.day == 1 for day in days):
        return _write_month
    return _write_day if are_days else _write_value


def _write_month(value: object) -> str:
    return f"{value:%Y-%m}" if isinstance(value, dt.date) else _write_value(value)


def _write_day(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, dt.date) else _write_value(value)


def _write_value(value: object) -> str:  # noqa: PLR0911 - one return for each kind of value
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | np.ndarray):
        return LIST_SIGN.join(map(_write_value, value))
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        return _write_number(float(value))
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.time):
        return value.strftime(
            "%H:%M" if value.replace(hour=0, minute=0) == MIDNIGHT else "%H:%M:%S"
        )
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        clock = f"{minutes // 60:02}:{minutes % 60:02}"
        return clock if seconds == 0 else f"{clock}:{seconds:02}"
    return str(value)


def _write_number(value: float) -> str:
    """A number in the fewest digits that give it back; whole ones without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < MAX_WHOLE else repr(value)


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

    Easting and northing that the settings (`columns`) map are in the area's CRS.
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
    """Points in any CRS as columns of text, NA where a row has none; `first_row` is for messages.

    A multipoint of one point is one. Shapes without a CRS, and others than points, are refused.
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
