"""Reading delimited and Parquet tables as text, under our own column names.

A table's index is the row number in the file, so that every later message can name the row: the
header is row 1, and a row is a line where no cell contains a line break. Every row of the file is
accounted for: it fits the header, or its number is known (`delimited.CountedTable`). Files beyond
any real size are refused before memory or time run out.
"""

import bz2
import difflib
import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from patrolplan.crs import BRITISH_GRID, Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.delimited import CountedTable, open_delimited, split_rows, strip_cells
from patrolplan.text import pluralise

MAX_FILE_BYTES = 4 * 2**30
"""Largest file, unpacked. All crime of England and Wales in a year is about a tenth of it."""

MAX_EXPANSION_RATIO = 100
"""Largest ratio of unpacked to packed size. Tables and streets reach 5 to 30."""

SMALL_BYTES = 64 * 2**20
"""Files that unpack to no more than this are not held to the ratio."""

CHUNK_BYTES = 2**20


def check_size(path: Path) -> None:
    """Refuse a file that is too large, or that unpacks to far more than tables and streets do.

    A packed file is unpacked once, chunk by chunk and only up to the bound: the size that it states
    itself cannot be trusted. A broken file passes; its reader reports what is wrong with it.

    Raises
    ------
    InputError
        When the file is too large.
    """
    packed = path.stat().st_size
    if packed > MAX_FILE_BYTES:
        _refuse(path, f"is larger than {MAX_FILE_BYTES / 2**30:g} GiB")
    suffix = path.suffix.lower()
    if suffix not in {".gz", ".bz2"}:
        return
    bound = min(MAX_FILE_BYTES, max(SMALL_BYTES, packed * MAX_EXPANSION_RATIO))
    unpacked = 0
    try:
        with gzip.open(path) if suffix == ".gz" else bz2.open(path) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                unpacked += len(chunk)
                if unpacked > bound:
                    break
    except (OSError, EOFError, zlib.error):
        return
    if unpacked > bound:
        _refuse(path, f"unpacks to more than {bound / 2**20:,.0f} MiB from {packed / 2**20:,.1f}")


def _refuse(path: Path, what: str) -> None:
    raise InputError.one(path, what, "use a smaller extract, of the area only")


@dataclass(frozen=True)
class Field:
    """A column to read: our name, its names in known layouts, and whether it is required."""

    name: str
    known_names: tuple[str, ...] = ()
    required: bool = False


def read_table(
    path: Path, fields: Sequence[Field], columns: Mapping[str, str], *, source: str
) -> pd.DataFrame:
    """Read a table of which every row must fit the header; see `read_counted_table`.

    Raises
    ------
    InputError
        As `read_counted_table`, and naming the rows with more or fewer fields than the header.
    """
    table = read_counted_table(path, fields, columns, source=source)
    if table.malformed:
        what = describe_malformed(table)
        raise InputError.one(path, what, MALFORMED_REMEDY, list_rows(table.malformed))
    return table.rows


MALFORMED_REMEDY = "put cells that hold a comma in quotes, and export the table again"


def read_counted_table(
    path: Path, fields: Sequence[Field], columns: Mapping[str, str], *, source: str
) -> CountedTable:
    """Read the given columns of one table as text; the others are dropped.

    Parameters
    ----------
    path
        `.csv`, `.csv.gz` (comma, semicolon, tab or bar; UTF-8 or Windows-1252) or `.parquet`.
    columns
        The settings' `[columns.SOURCE]`: our name = "their name".
    source
        Key under `[sources]`, for messages.

    Returns
    -------
    CountedTable
        Rows of text or NA under our names; columns that are not required and not in the file are
        absent.

    Raises
    ------
    InputError
        When the file is missing, empty, of another kind or broken, has a quote out of place, lacks
        a required column, or has one twice.
    """
    if not path.is_file():
        key = source if source.startswith("--") else f"[sources] {source}"
        raise InputError.one(path, "the file does not exist", f"correct {key}")
    check_size(path)
    if path.suffix == ".parquet":
        return _read_parquet(path, fields, columns, source)
    text = open_delimited(path)
    theirs = match_columns(path, text.header, fields, columns, source, later_rows=text.first_rows)
    table = split_rows(text, tuple(dict.fromkeys(theirs.values())))
    return replace(table, rows=_rename_columns(table.rows, theirs))


def describe_malformed(table: CountedTable) -> str:
    """What is wrong with the rows of a table that do not fit its header."""
    if table.is_cut:
        return "the file ends in the middle of its last row, so it was cut short"
    count = len(table.malformed)
    return f"{pluralise(count, 'has', 'have')} more or fewer fields than the header"


MAX_LISTED_ROWS = 3


def list_rows(rows: Sequence[int]) -> str:
    """Row numbers for a message: the first few, and how many more.

    Examples
    --------
    >>> list_rows([4]), list_rows(range(2, 2002))
    ('row 4', 'rows 2, 3, 4 and 1,997 more')
    """
    named = ", ".join(f"{row:,}" for row in rows[:MAX_LISTED_ROWS])
    more = len(rows) - MAX_LISTED_ROWS
    return f"{pluralise(len(rows), 'row', 'rows')} {named}" + (f" and {more:,} more" * (more > 0))


def _rename_columns(table: pd.DataFrame, column_names: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({ours: table[name] for ours, name in column_names.items()})


def _read_parquet(
    path: Path, fields: Sequence[Field], columns: Mapping[str, str], source: str
) -> CountedTable:
    try:
        schema = parquet.read_schema(path)
        theirs = match_columns(path, schema.names, fields, columns, source)
        frame = parquet.read_table(path, columns=list(theirs.values())).to_pandas()
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError.one(path, f"is not a Parquet file ({error})", "write it again") from None
    text = frame.astype(object).where(frame.notna(), None).map(lambda v: v if v is None else str(v))
    text = text.set_axis(pd.RangeIndex(2, 2 + len(text), name="row"))
    table = strip_cells(_rename_columns(text, theirs))
    empty = table.index[table.isna().all(axis=1)]
    return CountedTable(table.drop(index=empty), unread=tuple(map(int, empty)))


def match_columns(
    path: Path,
    header: Sequence[Any],
    fields: Sequence[Field],
    columns: Mapping[str, str],
    source: str,
    *,
    later_rows: Sequence[Sequence[str]] = (),
) -> dict[str, str]:
    """Our name -> the file's name, by the settings, else by known layouts (any case).

    Where columns are missing, the `later_rows` are searched for the header: exports of
    spreadsheets often have titles above it.

    Raises
    ------
    InputError
        When a required column is missing, a name is there twice, or the header is farther down.
    """
    theirs, missing = _find_columns(header, fields, columns)
    problems = Problems()
    folded = [_fold(name) for name in header]
    for name in dict.fromkeys(theirs.values()):
        if folded.count(_fold(name)) > 1:
            what = f"has two columns '{name.strip()}', so it is not clear which one counts"
            problems.add(path, what, "rename or remove one of them")
    for number, row in enumerate(later_rows, start=2) if missing else ():
        if not _find_columns(row, fields, columns)[1]:
            what = f"has its header in row {number}, below other rows"
            raise InputError.one(path, what, "remove the rows above the header")
    for ours, name in missing.items():
        # The first line of a file without a header has values, which a message must not show.
        candidates = [str(one) for one in header] if theirs else []
        close = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
        hint = f" (nearest: '{close[0]}')" if close else ""
        remedy = f"add it or map it under [columns.{source}], {ours} = 'their name'"
        remedy = "add it" if source.startswith("--") else remedy  # an option has no mapping
        problems.add(path, f"no column '{name}'{hint}", remedy)
    problems.raise_if_any()
    return theirs


def _find_columns(
    header: Sequence[Any], fields: Sequence[Field], columns: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Our name -> the file's name of the columns in a header, and of those that are missing."""
    folded = {_fold(name): str(name) for name in reversed(header)}
    theirs: dict[str, str] = {}
    missing: dict[str, str] = {}
    for field in fields:
        mapped = field.name in columns
        names = [columns[field.name]] if mapped else [*field.known_names, field.name]
        match = next((folded[_fold(name)] for name in names if _fold(name) in folded), "")
        if match:
            theirs[field.name] = match
        elif field.required or mapped:
            missing[field.name] = names[0]
    return theirs, missing


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


POINT_FIELDS = (
    Field("longitude", ("Longitude",)),
    Field("latitude", ("Latitude",)),
    Field("easting", ("Easting",)),
    Field("northing", ("Northing",)),
)


def project_coordinates(
    table: pd.DataFrame,
    projection: Projection,
    columns: Mapping[str, str],
    *,
    path: Path,
    source: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) x and y of each row in the area's metres; NaN where it has no valid coordinates.

    Easting and northing in a known UK layout are on the British National Grid; those that the
    settings map are in the area's CRS. Where a table has both pairs, degrees are used.

    Raises
    ------
    InputError
        When the table has neither pair of columns.
    """
    if {"longitude", "latitude"} <= set(table.columns):
        return projection.to_metres(
            parse_degrees(table["longitude"], "longitude"),
            parse_degrees(table["latitude"], "latitude"),
        )
    if {"easting", "northing"} <= set(table.columns):
        grid = projection.crs if "easting" in columns else BRITISH_GRID
        return projection.to_metres(
            parse_numbers(table["easting"]), parse_numbers(table["northing"]), grid
        )
    what = "has no coordinates: neither Longitude and Latitude nor Easting and Northing"
    raise InputError.one(path, what, f"add them or map them under [columns.{source}]")


def parse_numbers(values: pd.Series) -> NDArray[np.float64]:
    """(n,) numbers of a text column; NaN where there is none, or an infinite one."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


MAX_DEGREES = {"longitude": 180, "latitude": 90}


def parse_degrees(values: pd.Series, axis: str) -> NDArray[np.float64]:
    """(n,) degrees of a text column, NaN where it holds none; `axis` is a key of `MAX_DEGREES`."""
    degrees = parse_numbers(values)
    return np.where(np.abs(degrees) <= MAX_DEGREES[axis], degrees, np.nan)
