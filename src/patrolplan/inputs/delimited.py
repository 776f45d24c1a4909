"""Delimited text row by row: its encoding, delimiter and header, and which rows fit the header.

A row with more or fewer fields than the header has its values in the wrong columns: it is not used.
"""

import csv
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from patrolplan.errors import InputError
from patrolplan.inputs.formats import TableSource, read_content

SNIFFED_BYTES = 65536
DELIMITERS = ",;\t|"
MAX_BLOCK_BYTES = 2**31 - 1

MALFORMED = "with more or fewer fields than the header"  # Reason for which such a row is left out
MAX_CELL_LINES = 100  # More lines than this in one cell are rows behind a quote that is not closed
WRONG_FORMATS = {
    b"pk\x03\x04": "a ZIP archive or Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"<?xml": "an XML file",
    b"%pdf": "a PDF",
    b"\x1f\x8b": "a gzip file without the ending .gz",
    b"{": "a JSON file",
}
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class DelimitedText:
    """A delimited file in memory."""

    path: Path
    content: bytes
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_row: int


@dataclass(frozen=True)
class Unreadable:
    """Values of one column that cannot be read, of those given, and the first one."""

    column: str
    count: int
    given: int
    row: int
    value: str
    remedy: str


@dataclass(frozen=True, eq=False)
class CountedTable:
    """Rows that fit the header, as text or NA by row number, and an account of the others."""

    path: TableSource
    rows: pd.DataFrame
    malformed: tuple[int, ...] = ()  # those that do not fit it
    unread: tuple[int, ...] = ()  # those with nothing in the columns that are read
    is_cut: bool = False  # whether the file ends within a row
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def row_count(self) -> int:
        """Rows in the file, without blank ones."""
        return len(self.rows) + len(self.malformed) + len(self.unread)


def open_delimited(path: Path) -> DelimitedText:
    """Read a delimited file and find how it is written; anything else is refused."""
    try:
        content = read_content(path)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError.one(path, f"is broken ({error})", "fetch it again") from None
    if not content or content.isspace():
        raise InputError.one(path, "the file is empty", "fetch or export it again")
    _refuse_other_formats(path, content)
    text, encoding = decode_text(content[:SNIFFED_BYTES], is_cut=len(content) > SNIFFED_BYTES)
    lines = text.splitlines()
    if len(content) > SNIFFED_BYTES and len(lines) == 1:
        what = f"has a first line of more than {SNIFFED_BYTES:,} bytes, so it has no header"
        raise InputError.one(path, what, "export only the columns that are needed")
    first_line = next((line for line in lines if line.strip(DELIMITERS + " ")), lines[0])
    delimiter = max(DELIMITERS, key=first_line.count)
    if encoding != "cp1252" and not content.isascii():
        encoding = decode_text(content)[1]  # a head of plain ASCII may be followed by Windows-1252
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, record in enumerate(reader, start=1):
            if any(cell.strip() for cell in record):
                return DelimitedText(path, content, encoding, delimiter, tuple(record), number)
    except csv.Error as error:
        raise InputError.one(path, f"has no header ({error})", "correct its first line") from None
    raise InputError.one(path, "the file is empty", "fetch or export it again")


def decode_text(content: bytes, *, is_cut: bool = False) -> tuple[str, str]:
    """Text and its encoding: UTF-8, or else Windows-1252, as older spreadsheets and GIAS write."""
    # Content that `is_cut` may end inside a letter.
    try:
        return content.decode("utf-8-sig"), "utf-8-sig"
    except UnicodeDecodeError as error:
        encoding = "utf-8-sig" if is_cut and error.start > len(content) - 4 else "cp1252"
        return content.decode(encoding, errors="replace"), encoding


def strip_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Cells without the spaces around them; NA where nothing is left."""
    stripped = {name: table[name].str.strip() for name in table}
    return pd.DataFrame(stripped, index=table.index).replace("", pd.NA)


def _refuse_other_formats(path: Path, content: bytes) -> None:
    begins = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower()
    for start, what in WRONG_FORMATS.items():
        if begins.startswith(start):
            raise InputError.one(path, f"is {what}, not a CSV table", "unpack it or save it as CSV")
    if content.startswith(UTF16_MARKS):
        what = "is UTF-16 text ('Unicode text' of a spreadsheet)"
        raise InputError.one(path, what, "save it as CSV in UTF-8")
    if (at := content.find(b"\0")) >= 0:
        line = content.count(b"\n", 0, at) + 1
        what = "contains NUL bytes, so it is not text"
        raise InputError.one(path, what, "save it as CSV in UTF-8", f"line {line:,}")


def split_rows(text: DelimitedText, names: tuple[str, ...]) -> CountedTable:
    """The named columns of the rows that fit the header; a quote out of place is an error."""
    # Arrow would read every column where none is named.
    return (_split_plain if names and b'"' not in text.content else _split_quoted)(text, names)


def _split_plain(text: DelimitedText, names: tuple[str, ...]) -> CountedTable:
    """Split a file without quotes, of which only the named columns are read."""
    from pyarrow import csv as arrow, string  # noqa: PLC0415 - as pandas does

    wanted = {f"{text.header.index(name)}": name for name in names}
    others: dict[int, str] = {}

    def pass_over(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow
        others[row.number] = row.text
        return "skip"

    content, sides = text.content, f"{text.delimiter} \t\xa0"
    if text.encoding == "cp1252":
        content = content.decode("cp1252", errors="replace").encode()
    is_ended = content.endswith((b"\n", b"\r"))
    rows = arrow.read_csv(
        io.BytesIO(content if is_ended else content + b"\n"),
        arrow.ReadOptions(
            use_threads=False,  # so that rows have numbers
            block_size=min(len(content) + 2, MAX_BLOCK_BYTES),  # a whole file: lines may be long
            skip_rows=text.header_row,
            column_names=list(map(str, range(len(text.header)))),
        ),
        arrow.ParseOptions(
            delimiter=text.delimiter,
            quote_char=False,
            ignore_empty_lines=False,
            invalid_row_handler=pass_over,
        ),
        arrow.ConvertOptions(
            include_columns=list(wanted),
            column_types=dict.fromkeys(wanted, string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    first, last = text.header_row + 1, text.header_row + len(rows) + len(others)
    numbers = np.setdiff1d(np.arange(first, last + 1), [*others])
    table = rows.rename_columns(list(names)).to_pandas().set_axis(pd.Index(numbers, name="row"))
    table = strip_cells(table)
    malformed = tuple(number for number, row in others.items() if row.strip(sides))
    empty = table.index[table.isna().all(axis=1)]
    lines = content.splitlines() if len(empty) else []
    unread = tuple(int(row) for row in empty if lines[row - 1].decode().strip(sides))
    is_cut = malformed[-1:] == (last,) and not is_ended
    return CountedTable(text.path, table.drop(index=empty), malformed, unread, is_cut)


def _split_quoted(text: DelimitedText, names: tuple[str, ...]) -> CountedTable:
    """Split a file record by record."""
    width = len(text.header)
    wanted = [text.header.index(name) for name in names]
    decoded = text.content.decode(text.encoding, errors="replace")
    rows: dict[int, list[str]] = {}
    malformed: list[int] = []
    number = 0
    for number, record in enumerate(_iterate_records(text, decoded), start=1):
        if number > text.header_row and any(map(str.strip, record)):
            if len(record) == width:
                rows[number] = [record[column].strip() for column in wanted]
            else:
                malformed.append(number)
    index = pd.Index(list(rows), dtype=np.int64, name="row")
    table = pd.DataFrame([*rows.values()], columns=list(names), index=index).astype("str")
    table = table.replace("", pd.NA)
    unread = table.index[table.isna().all(axis=1)]
    is_cut = malformed[-1:] == [number] and not decoded.endswith(("\n", "\r"))
    fitting = table.drop(index=unread)
    return CountedTable(text.path, fitting, tuple(malformed), tuple(unread.tolist()), is_cut)


def _iterate_records(text: DelimitedText, decoded: str) -> Iterator[list[str]]:
    """The records of a file, header and blank ones included."""
    # A record whose quoted cell seems to hold further rows, or that does not fit the header
    # although it spans several lines, shows a misplaced quote: then no later row can be trusted.
    reader = csv.reader(io.StringIO(decoded, newline=""), delimiter=text.delimiter, strict=True)
    width = len(text.header)
    number = line = 0
    try:
        for number, record in enumerate(reader, start=1):
            if reader.line_num > line + 1 and (
                len(record) != width
                or any(_holds_rows(cell, width, text.delimiter) for cell in record)
            ):
                raise _build_quote_error(text.path, number)
            line = reader.line_num
            yield record
    except csv.Error:
        raise _build_quote_error(text.path, number + 1) from None


def _build_quote_error(path: Path, row: int) -> InputError:
    what = "a quotation mark is out of place, so the rows from here on cannot be read"
    remedy = 'write a cell that holds a comma or a quote in quotes ("..."), and a quote in it twice'
    return InputError.one(path, what, remedy, f"row {row:,}")


def _holds_rows(cell: str, width: int, delimiter: str) -> bool:
    """Whether a cell of several lines holds the end of one row and the start of another."""
    # Then its opening quote belongs to one row and its closing quote to another.
    lines = cell.splitlines()
    if len(lines) <= 1:
        return False
    first, *between, last = (line.count(delimiter) for line in lines)
    is_like_rows = first + last == width - 1 and all(count == width - 1 for count in between)
    return len(lines) > MAX_CELL_LINES or (width > 1 and is_like_rows)
