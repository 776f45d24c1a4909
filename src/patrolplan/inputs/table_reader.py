"""Reading delimited and Parquet tables as text, under our own column names.

A table's index is the row number in the file, so that every later message can name the row: the
header is row 1, and a row is a line where no cell contains a line break. Files beyond any real size
are refused before memory or time run out.
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


SNIFFED_BYTES = 65536


@dataclass(frozen=True)
class Field:
    """A column to read: our name, its names in known layouts, and whether it is required."""

    name: str
    known_names: tuple[str, ...] = ()
    required: bool = False


def read_table(
    path: Path, fields: Sequence[Field], columns: Mapping[str, str], *, source: str
) -> pd.DataFrame:
    """Read the given columns of one table as text; the others never enter memory.

    Parameters
    ----------
    path
        `.csv`, `.csv.gz` (comma, semicolon or tab; UTF-8 or Windows-1252) or `.parquet`.
    columns
        The settings' `[columns.SOURCE]`: our name = "their name".
    source
        Key under `[sources]`, for messages.

    Returns
    -------
    pandas.DataFrame
        Text or NA under our names; the index is the row number in the file. Columns that are not
        required and not in the file are absent.

    Raises
    ------
    InputError
        When the file is missing, empty, of another kind or broken, or lacks a required column.
    """
    if not path.is_file():
        key = source if source.startswith("--") else f"[sources] {source}"
        raise InputError.one(path, "the file does not exist", f"correct {key}")
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
        raise InputError.one(
            path, f"is not a regular table ({line})", "correct that line"
        ) from None
    except ValueError:  # pandas sees other line ends than our sniffing of the header
        what = "has a header that cannot be recognised"
        raise InputError.one(path, what, "correct its line endings") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError.one(path, f"is broken ({error})", "fetch it again") from None
    return _rename_columns(table, theirs, first_row=form.blank_lines + 2)


@dataclass(frozen=True)
class _TableFormat:
    """How a delimited file is written; `blank_lines` come before its header."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    blank_lines: int


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
        raise InputError.one(path, f"is not a Parquet file ({error})", "write it again") from None
    text = frame.astype(object).where(frame.notna(), None).map(lambda v: v if v is None else str(v))
    return _rename_columns(text, theirs, first_row=2)


def _detect_format(path: Path) -> _TableFormat:
    """Find how a delimited file is written; refuse one that is something else."""
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
        raise InputError.one(
            path, "contains NUL bytes, so it is not text", "save it as CSV in UTF-8"
        )
    text, encoding = decode_text(head, is_cut=True)
    lines = text.splitlines()
    if len(head) == SNIFFED_BYTES and len(lines) == 1:
        what = f"has a first line of more than {SNIFFED_BYTES:,} bytes, so it has no header"
        raise InputError.one(path, what, "export only the columns that are needed")
    blank_lines = next(number for number, line in enumerate(lines) if line.strip())
    delimiter = max(",;\t", key=lines[blank_lines].count)
    rows = csv.reader(io.StringIO("\n".join(lines[blank_lines:])), delimiter=delimiter)
    try:
        header = tuple(next(rows))
    except csv.Error as error:
        raise InputError.one(path, f"has no header ({error})", "correct its first line") from None
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
    theirs: dict[str, str] = {}
    missing: dict[str, str] = {}
    for field in fields:
        mapped = field.name in columns
        names = [columns[field.name]] if mapped else [*field.known_names, field.name]
        match = next((folded[name.casefold()] for name in names if name.casefold() in folded), "")
        if match:
            theirs[field.name] = match
        elif field.required or mapped:
            missing[field.name] = names[0]
    problems = Problems()
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
