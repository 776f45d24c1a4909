"""Any delimited or Parquet table, read as text under our own column names.

The row number of a value is its line in the file where no cell holds a line break: the header is
row 1. It is kept as the index, so that every later message can name the row.

How large a file may be: a bound that no real one meets, told before memory or time run out.

Coordinates of a table's rows in the area's metres, whichever columns hold them.
"""

import bz2
import csv
import difflib
import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from patrolplan.crs import BRITISH_GRID, Projection
from patrolplan.errors import InputError, Problems

MAX_FILE_BYTES = 4 * 2**30
"""Largest file, unpacked. All crime of England and Wales in a year is about a tenth of it."""

MAX_EXPANSION_RATIO = 100
"""So many times its packed size a file may unpack to. Tables and streets reach 5 to 30."""

SMALL_BYTES = 64 * 2**20
"""Up to this size a packed file may be as dense as it likes."""

CHUNK_BYTES = 2**20


def check_size(path: Path) -> None:
    """Refuse a file that is too large, or that unpacks to far more than tables and streets do.

    A packed file is unpacked once, chunk by chunk, and no further than to the bound: its own word
    on its size is not to be trusted. A broken one passes; its reader tells what is wrong with it.

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
    raise InputError.one(path, what, "give a smaller extract, of the area alone")


SNIFFED_BYTES = 65536


@dataclass(frozen=True)
class Field:
    """A column that a reader wants: our name, the names it has in known layouts, if it must be."""

    name: str
    known_names: tuple[str, ...] = ()
    required: bool = False


def read_table(
    path: Path, fields: Sequence[Field], columns: Mapping[str, str], *, source: str
) -> pd.DataFrame:
    """Read the wanted columns of one table as text; the others never enter memory.

    Parameters
    ----------
    path
        `.csv`, `.csv.gz` (comma, semicolon or tab; UTF-8 or Windows-1252) or `.parquet`.
    fields
        Columns wanted.
    columns
        The settings' `[columns.SOURCE]`: our name = "their name", see `get_column_mapping`.
    source
        Key under `[sources]`, for messages.

    Returns
    -------
    pandas.DataFrame
        Our names; text or NA; index is the row number in the file. Wanted columns that the file
        lacks and that are not required are absent.

    Raises
    ------
    InputError
        When the file is missing, empty, of another kind or broken, or lacks a required column.
    """
    if not path.is_file():
        raise InputError.one(path, "there is no such file", f"mend [sources] {source}")
    check_size(path)
    if path.suffix == ".parquet":
        return _read_parquet(path, fields, columns, source)
    form = _detect_format(path)
    theirs = _match_columns(path, form.header, fields, columns, source)
    try:
        try:
            table = _read_csv(path, form, theirs, form.encoding)
        except UnicodeDecodeError:  # plain ASCII at its head, Windows-1252 further down
            table = _read_csv(path, form, theirs, "cp1252")
    except pd.errors.ParserError as error:
        line = str(error).split("C error: ")[-1].strip()
        raise InputError.one(path, f"is not a regular table ({line})", "mend that line") from None
    except ValueError:  # pandas ends its lines elsewhere than the header that was sniffed
        what = "has no header that can be told from its first lines"
        raise InputError.one(path, what, "mend its line ends") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError.one(path, f"is broken ({error})", "fetch it again") from None
    return _rename_columns(table, theirs, first_row=form.blank_lines + 2)


@dataclass(frozen=True)
class _TableFormat:
    """How a delimited file is written."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    blank_lines: int
    """Blank lines before the header."""


def _read_csv(
    path: Path, form: _TableFormat, column_names: Mapping[str, str], encoding: str
) -> pd.DataFrame:
    return pd.read_csv(
        path,
        sep=form.delimiter,
        encoding=encoding,
        encoding_errors="replace" if encoding == "cp1252" else "strict",
        usecols=list(column_names.values()),
        dtype=str,
        skiprows=form.blank_lines,
        skip_blank_lines=False,
        keep_default_na=False,
        na_values=[""],
        index_col=False,
    )


def _rename_columns(
    table: pd.DataFrame, column_names: Mapping[str, str], *, first_row: int
) -> pd.DataFrame:
    table = table.set_axis(pd.RangeIndex(first_row, first_row + len(table), name="row"))
    table = pd.DataFrame({ours: table[name].str.strip() for ours, name in column_names.items()})
    return table.replace("", pd.NA).dropna(how="all")


def _read_parquet(
    path: Path, fields: Sequence[Field], columns: Mapping[str, str], source: str
) -> pd.DataFrame:
    try:
        header = parquet.read_schema(path).names
        theirs = _match_columns(path, header, fields, columns, source)
        frame = parquet.read_table(path, columns=list(theirs.values())).to_pandas()
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError.one(path, f"is no Parquet file ({error})", "write it again") from None
    text = frame.astype(object).where(frame.notna(), None).map(lambda v: v if v is None else str(v))
    return _rename_columns(text, theirs, first_row=2)


def _detect_format(path: Path) -> _TableFormat:
    """How a delimited file is written, or what it really is."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            head = stream.read(SNIFFED_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError.one(path, f"is broken ({error})", "fetch it again") from None
    if not head.strip():
        raise InputError.one(path, "the file is empty", "fetch or export it again")
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower()
    for start, what in _WRONG_FORMATS.items():
        if begins.startswith(start):
            raise InputError.one(path, f"is {what}, not a CSV table", "unpack it or save it as CSV")
    if b"\0" in head:
        raise InputError.one(path, "holds NUL bytes, so is no text", "save it as CSV in UTF-8")
    text, encoding = decode_text(head, is_cut=True)
    lines = text.splitlines()
    if len(head) == SNIFFED_BYTES and len(lines) == 1:
        what = f"has a first line of more than {SNIFFED_BYTES:,} bytes, so no header of a table"
        raise InputError.one(path, what, "keep the columns that are needed")
    blank_lines = next(number for number, line in enumerate(lines) if line.strip())
    delimiter = max(",;\t", key=lines[blank_lines].count)
    rows = csv.reader(io.StringIO("\n".join(lines[blank_lines:])), delimiter=delimiter)
    try:
        header = tuple(next(rows))
    except csv.Error as error:
        raise InputError.one(path, f"has no header ({error})", "mend its first line") from None
    return _TableFormat(encoding, delimiter, header, blank_lines)


def decode_text(content: bytes, *, is_cut: bool = False) -> tuple[str, str]:
    """Text and its encoding: UTF-8, or else Windows-1252, as older spreadsheets and GIAS write.

    With `is_cut` the content may end inside a letter.
    """
    try:
        return content.decode("utf-8-sig"), "utf-8-sig"
    except UnicodeDecodeError as error:
        encoding = "utf-8-sig" if is_cut and error.start > len(content) - 4 else "cp1252"
        return content.decode(encoding, errors="replace"), encoding


_WRONG_FORMATS = {
    b"pk\x03\x04": "a ZIP archive or Excel workbook",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"<?xml": "an XML file",
    b"%pdf": "a PDF",
    b"\x1f\x8b": "a gzip file without the ending .gz",
    b"{": "a JSON file",
}


def _match_columns(
    path: Path,
    header: Sequence[Any],
    fields: Sequence[Field],
    columns: Mapping[str, str],
    source: str,
) -> dict[str, str]:
    """Our name -> the file's name, by the settings, else by known layouts (any case)."""
    folded = {str(name).strip().casefold(): str(name) for name in reversed(header)}
    found: dict[str, str] = {}
    missing: list[tuple[str, str]] = []
    problems = Problems()
    for field in fields:
        wanted = (
            (columns[field.name],) if field.name in columns else (*field.known_names, field.name)
        )
        match = next((folded[name.casefold()] for name in wanted if name.casefold() in folded), "")
        if match:
            found[field.name] = match
        elif field.required or field.name in columns:
            missing.append((field.name, wanted[0]))
    for name, wanted_name in missing:
        # A file without a header has values there: they are no business of a message.
        names = [str(given) for given in header] if found else []
        near = difflib.get_close_matches(wanted_name, names, n=1, cutoff=0.6)
        hint = f" (nearest: '{near[0]}')" if near else ""
        remedy = f"add it or map it under [columns.{source}], {name} = 'their name'"
        problems.add(path, f"no column '{wanted_name}'{hint}", remedy)
    problems.raise_if_any()
    return found


def quote_value(value: object) -> str:
    """A value as it may stand in a message: short, on one line, in quotes."""
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
    """Metres of each row; NaN where a row has no coordinates or none that are numbers.

    Easting and northing that a known UK layout holds are on the British National Grid; those
    that the settings map are in the area's CRS. Degrees are taken where both stand.

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
    """Numbers of a text column, NaN where there is none; infinity is none."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


MAX_DEGREES = {"longitude": 180, "latitude": 90}


def parse_degrees(values: pd.Series, axis: str) -> NDArray[np.float64]:
    """(n,) degrees of a text column, NaN where it holds none; `axis` is a key of `MAX_DEGREES`."""
    degrees = parse_numbers(values)
    return np.where(np.abs(degrees) <= MAX_DEGREES[axis], degrees, np.nan)
