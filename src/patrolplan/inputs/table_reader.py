"""Tables of every format as text under our own column names, and an account of every row.

The index is the row number in the file: below a header from 2, in GIS files from 1, in frames from
0. Of values that cannot be read nothing is guessed, as 03/04 may be in March or April.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.arrays import Bools, Floats
from patrolplan.audit_guard import is_for_audit, is_marked
from patrolplan.crs import BRITISH_GRID, DEGREES, Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs import delimited, formats
from patrolplan.inputs.formats import MemoryTable, TableSource
from patrolplan.plausibility import Alarms, exceeds_bound
from patrolplan.tables import Column, LeftOut
from patrolplan.text import find_similar, format_count, list_rows

MAX_WHOLE = 2.0**53  # Whole numbers beyond this are not exact as floating-point numbers
MIDNIGHT = dt.time()
MONTH_COLUMN = "month"  # Spreadsheets write its months as days, each the first of one


def write_cells(column: pd.Series, ours: str = "") -> pd.Series:
    """A column as text, NA where a cell is empty; `ours` is our name of it."""
    values = column.astype(object).where(column.notna(), "")
    if not isinstance(column.dtype, pd.StringDtype):  # as most columns of most frames are
        days = [value for value in values if isinstance(value, dt.date)]
        # Dates of a column are written without a time where none of them has one, so that a day
        # with a time of 00:00 among true times stays what it says.
        has_times = any(isinstance(day, dt.datetime) and day.time() != MIDNIGHT for day in days)
        are_months = ours == MONTH_COLUMN and days and all(day.day == 1 for day in days)
        form = "" if has_times else "%Y-%m" if are_months else "%Y-%m-%d"
        values = values.map(lambda value: _write_value(value, form)).astype(object)
    return values.astype("str").mask(values == "", pd.NA)


def _write_value(value: object, date_form: str = "") -> str:  # noqa: PLR0911 - one for each kind
    if date_form and isinstance(value, dt.date):
        return f"{value:{date_form}}"
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | np.ndarray):
        return ";".join(map(_write_value, value))
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        number = float(value)  # in the fewest digits that give it back; whole ones without a point
        return str(int(number)) if number.is_integer() and abs(number) < MAX_WHOLE else repr(number)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.time):
        is_minute = value.replace(hour=0, minute=0) == MIDNIGHT
        return value.strftime("%H:%M" if is_minute else "%H:%M:%S")
    if isinstance(value, dt.timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return str(value)


COORDINATES = ("longitude", "latitude", "base_longitude", "base_latitude", "easting", "northing")
"""Our names of columns that points replace."""

DECIMALS = {DEGREES: 9, BRITISH_GRID: 4}  # A tenth of a millimetre: noise of the transformation
POINT_TYPES = (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)
REMEDY = "give each row one point, or columns of coordinates instead of shapes"


def choose_axes(names: AbstractSet[str], columns: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """By CRS the columns of coordinates of a table with these columns; none without a place."""
    # Easting and northing that the settings map are in the area's CRS.
    axes: dict[str, tuple[str, str]] = {}
    for pair in (("longitude", "latitude"), ("base_longitude", "base_latitude")):
        if names >= set(pair):
            axes[DEGREES] = pair
    if {"easting", "northing"} <= names and "easting" not in columns:
        axes[BRITISH_GRID] = ("easting", "northing")
    return axes


def write_points(
    shapes: gpd.GeoSeries, source: TableSource, axes: Mapping[str, tuple[str, str]]
) -> dict[str, pd.Series]:
    """Points in any CRS as columns of text, whose names are `axes` by CRS; NA without a point."""
    # A multipoint of one point is one. Shapes without a CRS, and others, are refused.
    if shapes.crs is None:
        remedy = "save it with its CRS, or give columns of coordinates instead of shapes"
        raise InputError.one(source, "has shapes without a CRS", remedy)
    values = np.asarray(shapes.array, dtype=object)
    has_place = ~(shapely.is_missing(values) | shapely.is_empty(values))
    is_point = np.isin(shapely.get_type_id(values), POINT_TYPES)
    is_point &= shapely.get_num_coordinates(values) == 1
    if wrong := np.flatnonzero(has_place & ~is_point).tolist():
        what = f"has a {values[wrong[0]].geom_type} where a point should be"
        raise InputError.one(source, what, REMEDY, list_rows([shapes.index[row] for row in wrong]))
    crs = BRITISH_GRID if BRITISH_GRID in axes and shapes.crs == BRITISH_GRID else DEGREES
    xy = shapely.get_coordinates(shapes[has_place].to_crs(crs).array)
    placed = np.full((len(values), 2), np.nan)
    placed[has_place] = np.round(xy, DECIMALS[crs])
    placed[~np.isfinite(placed).all(axis=1)] = np.nan  # beyond the CRS
    return {
        name: write_cells(pd.Series(axis, index=shapes.index))
        for name, axis in zip(axes[crs], placed.T, strict=True)
    }


Read = TypeVar("Read")


def read_each(paths: Iterable[TableSource], read: Callable[[Any], Read]) -> list[Read]:
    """What each file gives; the problems of all of them are raised together."""
    problems, found = Problems(), list[Read]()
    for path in paths:
        with problems.collect():
            found.append(read(path))
    problems.raise_if_any()
    return found


def read_table(
    path: TableSource, wanted: Sequence[Column], columns: Mapping[str, str], *, source: str
) -> pd.DataFrame:
    """Read a table whose rows must all fit the header; see `read_counted_table`."""
    table = read_counted_table(path, wanted, columns, source=source)
    if table.malformed:
        what = CUT_SHORT if table.is_cut else "more or fewer fields than the header"
        raise InputError.one(path, what, MALFORMED_REMEDY, list_rows(table.malformed))
    return table.rows


MALFORMED_REMEDY = "put cells that hold a comma in quotes, and export the table again"
CUT_SHORT = "the file ends in the middle of its last row, so it was cut short"


def read_counted_table(
    path: TableSource, wanted: Sequence[Column], columns: Mapping[str, str], *, source: str
) -> delimited.CountedTable:
    """Read the given columns of one table as text or NA under our names; others are dropped."""
    # Points, in whatever CRS, replace columns of coordinates. Columns that are not required and not
    # in the file are absent. `columns` are the settings' `[columns.SOURCE]`.
    if isinstance(path, Path) and not path.is_file():
        key = source if source.startswith("--") else f"[sources] {source}"
        raise InputError.one(path, "the file does not exist", f"correct {key}")
    suffix = path.suffix.lower()
    if isinstance(path, MemoryTable) or suffix in (formats.SPREADSHEET, *formats.GIS_SUFFIXES):
        table = _read_layer(path, wanted, columns, source)
    else:
        text = delimited.open_delimited(path)
        theirs = match_columns(path, text.header, wanted, columns, source)
        table = delimited.split_rows(text, tuple(dict.fromkeys(theirs.values())))
        rows = pd.DataFrame({ours: table.rows[name] for ours, name in theirs.items()})
        table = replace(table, rows=rows)
    if {*POINT} <= {*wanted} and find_axes(table.rows) is None:
        what = "has no coordinates: neither Longitude and Latitude nor Easting and Northing"
        raise InputError.one(path, what, f"add them or map them under [columns.{source}]")
    return table


def _read_layer(
    path: TableSource, wanted: Sequence[Column], columns: Mapping[str, str], source: str
) -> delimited.CountedTable:
    """A layer, sheet or frame as a table; rows with nothing in any column are only counted."""
    theirs: dict[str, str] = {}
    axes: dict[str, tuple[str, str]] = {}

    def choose(header: Sequence[str], has_shapes: bool) -> Iterable[str]:  # noqa: FBT001
        given, mapping = wanted, columns
        if has_shapes:
            axes.update(choose_axes({column.name for column in wanted}, columns))
        if axes:
            given = [column for column in wanted if column.name not in COORDINATES]
            mapping = {ours: name for ours, name in columns.items() if ours not in COORDINATES}
        theirs.update(match_columns(path, header, given, mapping, source))
        return dict.fromkeys(theirs.values())

    frame = formats.read_layer(path, source, choose)
    cells = {ours: write_cells(frame[name], ours) for ours, name in theirs.items()}
    text = pd.DataFrame(cells, index=frame.index)
    if isinstance(frame, gpd.GeoDataFrame) and axes:
        text = text.assign(**write_points(frame.geometry, path, axes))
    table = delimited.strip_cells(text.rename_axis("row"))
    empty = table.index[table.isna().all(axis=1)]
    return delimited.CountedTable(path, table.drop(index=empty), unread=tuple(map(int, empty)))


def match_columns(
    path: TableSource,
    header: Sequence[Any],
    wanted: Sequence[Column],
    columns: Mapping[str, str],
    source: str,
) -> dict[str, str]:
    """Our name -> the file's name, by the settings, else by known layouts (any case)."""
    by_fold = {_fold(name): str(name) for name in reversed(header)}
    theirs, missing, problems = dict[str, str](), dict[str, str](), Problems()
    for column in wanted:
        is_mapped = column.name in columns
        names = [columns[column.name]] if is_mapped else [*column.known_names, column.name]
        match = next((by_fold[_fold(name)] for name in names if _fold(name) in by_fold), "")
        if match:
            theirs[column.name] = match
        elif column.needed or is_mapped:
            missing[column.name] = names[0]
    for ours, name in theirs.items():
        if is_marked(name) or (ours in columns and is_for_audit(name)):
            what = f"column '{name.strip()}' is for audit only and cannot be read as {ours}"
            problems.add(path, what, "give another column: risk and patrols must not depend on it")
    folded = [_fold(name) for name in header]
    for name in dict.fromkeys(theirs.values()):
        if folded.count(_fold(name)) > 1:
            what = f"has two columns '{name.strip()}', so it is not clear which one counts"
            problems.add(path, what, "rename or remove one of them")
    for ours, name in missing.items():
        # The first line of a file without a header has values, which a message must not show.
        close = find_similar(name, [str(one) for one in header] if theirs else [])
        hint = f" (nearest: '{close}')" if close else ""
        remedy = f"add it to the header or map it under [columns.{source}], {ours} = 'their name'"
        remedy = "add it" if source.startswith("--") else remedy  # an option has no mapping
        problems.add(path, f"no column '{name}'{hint}", remedy)
    problems.raise_if_any()
    return theirs


def _fold(name: object) -> str:
    """A column's name without regard to case, and to spaces around it."""
    return str(name).strip().casefold()


def quote_value(value: object) -> str:
    """A value for a message: short, on one line, in quotes."""
    text = " ".join(str(value).split())
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"  # noqa: PLR2004


def describe_cell(row: object, column: str) -> str:
    """The place of a value in a table, for a message."""
    return f"row {row}, column '{column}'"


POINT = tuple(
    Column(name, meaning, needed=False, known_names=known_names)
    for name, meaning, known_names in (
        ("longitude", "degrees; or easting and northing", ("Longitude",)),
        ("latitude", "degrees", ("Latitude",)),
        ("easting", "metres on the British grid", ("Easting", "Location_Easting")),
        ("northing", "metres on the British grid", ("Northing", "Location_Northing")),
    )
)
"""Columns of a point, in one of two pairs."""


AXES = (("longitude", "latitude"), ("easting", "northing"))
"""Our names of both pairs of columns; the first that a table has counts."""


def find_axes(names: Iterable[object]) -> tuple[str, str] | None:
    """The pair of coordinates among a table's columns; None where it has neither."""
    present = set(names)
    return next((pair for pair in AXES if present >= {*pair}), None)


def parse_axis(values: pd.Series, axis: str) -> Floats:
    """(n,) numbers of one of `AXES`; NaN where a cell holds none, or no such degrees."""
    numbers = parse_numbers(values)
    return np.where(np.abs(numbers) <= MAX_DEGREES.get(axis, np.inf), numbers, np.nan)


MAX_DEGREES = {"longitude": 180, "latitude": 90}


def parse_numbers(values: pd.Series) -> Floats:
    """(n,) numbers of a text column; NaN where there is none, or an infinite one."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


EMPTY_WORDS = ("null", "n/a", "na", "none", "nan", "-", "unknown", "not known")  # lower case
MONTH_REMEDY = "write months as YYYY-MM"
TIME_REMEDY = "write times as YYYY-MM-DD HH:MM, with hours from 00 to 23"
DEGREES_REMEDY = "write decimal degrees with a point, such as -0.1276"
METRES_REMEDY = "write whole metres without commas, such as 530000"


def read_placed_table(
    path: TableSource,
    wanted: Sequence[Column],
    columns: Mapping[str, str],
    projection: Projection,
    *,
    source: str,
) -> delimited.CountedTable:
    """A table with the place of each row: `x` and `y` in metres (NaN: none), and `is_coarse`."""
    table = read_counted_table(path, wanted, columns, source=source)
    axes = find_axes(table.rows) or AXES[0]
    xy = np.column_stack([parse_axis(table.rows[axis], axis) for axis in axes])
    # Easting and northing in a known UK layout are on the British National Grid; those that the
    # settings map are in the area's CRS.
    in_degrees, grid = axes == AXES[0], projection.crs if "easting" in columns else BRITISH_GRID
    x, y = projection.to_metres(xy[:, 0], xy[:, 1], DEGREES if in_degrees else grid)
    remedy = DEGREES_REMEDY if in_degrees else METRES_REMEDY
    is_read = zip(axes, np.isfinite(xy).T, strict=True)
    wrong = [find_unreadable(table.rows[axis], good, remedy) for axis, good in is_read]
    rows = table.rows.assign(x=x, y=y, is_coarse=find_coarse(xy, in_degrees=in_degrees))
    return replace(table, rows=rows, unreadable=(*wrong[0], *wrong[1]))


def find_unreadable(text: pd.Series, is_read: Bools, remedy: str) -> list[delimited.Unreadable]:
    """The values of a column that are not empty and were not read: none, or one entry for all."""
    wrong = text[~is_read]
    wrong = wrong[is_given(wrong)]
    if wrong.empty:
        return []
    row, value, given = int(wrong.index[0]), str(wrong.iloc[0]), int(is_given(text).sum())
    return [delimited.Unreadable(str(text.name), len(wrong), given, row, value, remedy)]


def is_given(text: pd.Series) -> Bools:
    """(n,) whether each cell of text or NA holds a value: not one of `EMPTY_WORDS`."""
    return (text.notna() & ~text.str.lower().isin(EMPTY_WORDS)).to_numpy(dtype=bool)


MAX_COARSE_DECIMALS = 3  # Decimals of a degree at which it is a hundred metres
COARSE_METRES = 100
MAX_COARSE_SHARE = 0.5  # Maximum share of rows whose places are rounded to a hundred metres or more
ROUNDING = 1e-6  # Numbers closer than this to a whole one are whole


def check_accounts(
    source: str, accounts: Sequence[delimited.CountedTable], left_out: LeftOut, alarms: Alarms
) -> None:
    """Count the rows of all files of a table, and check what does not fit or cannot be read."""
    total = sum(account.row_count for account in accounts)
    left_out.count_rows(source, total)
    unread = sum(len(account.unread) for account in accounts)
    left_out.add(source, "with nothing in the columns that are read", unread)
    uneven = [account for account in accounts if account.malformed]
    if uneven:
        _check_shape(source, uneven, total, left_out, alarms)
    for column in dict.fromkeys(one.column for file in accounts for one in file.unreadable):
        found = [(f.path, one) for f in accounts for one in f.unreadable if one.column == column]
        count = sum(one.count for _, one in found)
        all_files = len(found) == len(accounts)
        is_every_value = all_files and all(one.count == one.given for _, one in found)
        if is_every_value or exceeds_bound(count, total):
            path, first = found[0]
            counts = f"{format_count(count, 'such value')} in {format_count(total, 'row')}"
            what = f"{quote_value(first.value)} cannot be read ({counts})"
            place = describe_cell(f"{first.row:,}", column)
            alarms.add("refused_rows", path, what, first.remedy, place)


def _check_shape(
    source: str,
    uneven: Sequence[delimited.CountedTable],
    total: int,
    left_out: LeftOut,
    alarms: Alarms,
) -> None:
    """Rows with more or fewer fields than their header, and files that end in mid-row."""
    first, count = uneven[0], sum(len(account.malformed) for account in uneven)
    rows = list_rows(first.malformed)
    more = f", and {format_count(len(uneven) - 1, 'more file')}" if len(uneven) > 1 else ""
    reason = f"{delimited.MALFORMED} ({first.path.name}, {rows}{more})"
    left_out.add(source, reason, count, fix=MALFORMED_REMEDY)
    if exceeds_bound(count, total):
        what = f"{count:,} of {total:,} rows have more or fewer fields than the header"
        alarms.add("malformed_rows", first.path, what, MALFORMED_REMEDY, rows)
    for account in uneven:
        if account.is_cut:
            place, remedy = list_rows(account.malformed[-1:]), "fetch or export it again"
            alarms.add("malformed_rows", account.path, CUT_SHORT, remedy, place)


def check_resolution(
    source: str, path: TableSource, coarse: Bools, alarms: Alarms, *, min_rows: int
) -> None:
    """Check that most (n,) places of a table are not rounded to a hundred metres or more."""
    if len(coarse) >= min_rows and coarse.mean() > MAX_COARSE_SHARE:
        what = f"{coarse.sum():,} of {len(coarse):,} {source} have coordinates rounded to 100 m or "
        what += "more, too coarse for streets"
        remedy = "export longitude and latitude with six decimals, or metres"
        alarms.add("coordinate_resolution", path, what, remedy)


def find_coarse(points: Floats, *, in_degrees: bool) -> Bools:
    """(n,) whether both coordinates (n, 2) of a point, NaN where there is none, are rounded so."""
    scaled = points * 10.0**MAX_COARSE_DECIMALS if in_degrees else points / COARSE_METRES
    return np.asarray((np.abs(scaled - np.round(scaled)) < ROUNDING).all(axis=1))
