"""An account of every row of a table's files: what fits, what does not, what cannot be read.

The rows that cannot be used are counted with file and row number; more of them than typing errors
explain are reported to `patrolplan.plausibility.Alarms`; of values that cannot be read nothing is
guessed, as 03/04 may be in March or April. Not for pupils' reports, whose rows are never named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from patrolplan.arrays import Bools, Floats
from patrolplan.crs import BRITISH_GRID, DEGREES, Projection
from patrolplan.inputs import table_reader
from patrolplan.inputs.delimited import MALFORMED, CountedTable, Unreadable
from patrolplan.inputs.formats import TableSource
from patrolplan.inputs.table_reader import AXES, find_axes, parse_axis, read_counted_table
from patrolplan.plausibility import Alarms, exceeds_bound
from patrolplan.tables import LeftOut
from patrolplan.text import format_count, list_rows

EMPTY_WORDS = ("null", "n/a", "na", "none", "nan", "-", "unknown", "not known")
"""Words for an empty cell, in lower case."""

MONTH_REMEDY = "write months as YYYY-MM"
TIME_REMEDY = "write times as YYYY-MM-DD HH:MM, with hours from 00 to 23"
DEGREES_REMEDY = "write decimal degrees with a point, such as -0.1276"
METRES_REMEDY = "write whole metres without commas, such as 530000"


def read_placed_table(
    path: TableSource,
    fields: Sequence[table_reader.Field],
    columns: Mapping[str, str],
    projection: Projection,
    *,
    source: str,
) -> CountedTable:
    """A table with the place of each row: `x` and `y` in metres (NaN: none), and `is_coarse`."""
    table = read_counted_table(path, fields, columns, source=source)
    axes = find_axes(table.rows) or AXES[0]
    xy = np.column_stack([parse_axis(table.rows[axis], axis) for axis in axes])
    # Easting and northing in a known UK layout are on the British National Grid; those that the
    # settings map are in the area's CRS.
    in_degrees, grid = axes == AXES[0], projection.crs if "easting" in columns else BRITISH_GRID
    x, y = projection.to_metres(*xy.T, DEGREES if in_degrees else grid)
    remedy = DEGREES_REMEDY if in_degrees else METRES_REMEDY
    wrong = [
        one
        for axis, is_read in zip(axes, np.isfinite(xy).T, strict=True)
        for one in find_unreadable(table.rows[axis], is_read, remedy)
    ]
    rows = table.rows.assign(x=x, y=y, is_coarse=find_coarse(xy, in_degrees=in_degrees))
    return replace(table, rows=rows, unreadable=tuple(wrong))


def find_unreadable(text: pd.Series, is_read: Bools, remedy: str) -> list[Unreadable]:
    """The values of a column that are not empty and were not read: none, or one entry for all."""
    wrong = text[~is_read]
    wrong = wrong[is_given(wrong)]
    if wrong.empty:
        return []
    row, value, given = int(wrong.index[0]), str(wrong.iloc[0]), int(is_given(text).sum())
    return [Unreadable(str(text.name), len(wrong), given, row, value, remedy)]


def is_given(text: pd.Series) -> Bools:
    """(n,) whether each cell of text or NA holds a value: not one of `EMPTY_WORDS`."""
    return (text.notna() & ~text.str.lower().isin(EMPTY_WORDS)).to_numpy(dtype=bool)


MAX_COARSE_DECIMALS = 3  # Decimals of a degree at which it is a hundred metres
COARSE_METRES = 100
MAX_COARSE_SHARE = 0.5  # Maximum share of rows whose places are rounded to a hundred metres or more
ROUNDING = 1e-6  # Numbers closer than this to a whole one are whole


def check_accounts(
    source: str, accounts: Sequence[CountedTable], left_out: LeftOut, alarms: Alarms
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
            what = (
                f"{table_reader.quote_value(first.value)} cannot be read "
                f"({format_count(count, 'such value')} in {format_count(total, 'row')})"
            )
            place = table_reader.describe_cell(f"{first.row:,}", column)
            alarms.add("refused_rows", path, what, first.remedy, place)


def _check_shape(
    source: str, uneven: Sequence[CountedTable], total: int, left_out: LeftOut, alarms: Alarms
) -> None:
    """Rows with more or fewer fields than their header, and files that end in mid-row."""
    first, count = uneven[0], sum(len(account.malformed) for account in uneven)
    rows = list_rows(first.malformed)
    more = f", and {format_count(len(uneven) - 1, 'more file')}" if len(uneven) > 1 else ""
    reason = f"{MALFORMED} ({first.path.name}, {rows}{more})"
    left_out.add(source, reason, count, fix=table_reader.MALFORMED_REMEDY)
    if exceeds_bound(count, total):
        what = f"{count:,} of {total:,} rows have more or fewer fields than the header"
        alarms.add("malformed_rows", first.path, what, table_reader.MALFORMED_REMEDY, rows)
    for account in uneven:
        if account.is_cut:
            place, remedy = list_rows(account.malformed[-1:]), "fetch or export it again"
            alarms.add("malformed_rows", account.path, table_reader.CUT_SHORT, remedy, place)


def check_resolution(
    source: str, path: TableSource, coarse: Bools, alarms: Alarms, *, min_rows: int
) -> None:
    """Check that most (n,) places of a table are not rounded to a hundred metres or more."""
    if len(coarse) >= min_rows and coarse.mean() > MAX_COARSE_SHARE:
        what = (
            f"{coarse.sum():,} of {len(coarse):,} {source} have coordinates rounded to 100 m or "
            "more, too coarse for streets"
        )
        remedy = "export longitude and latitude with six decimals, or metres"
        alarms.add("coordinate_resolution", path, what, remedy)


def find_coarse(points: Floats, *, in_degrees: bool) -> Bools:
    """(n,) whether both coordinates (n, 2) of a point, NaN where there is none, are rounded so."""
    scaled = points * 10.0**MAX_COARSE_DECIMALS if in_degrees else points / COARSE_METRES
    return np.asarray((np.abs(scaled - np.round(scaled)) < ROUNDING).all(axis=1))
