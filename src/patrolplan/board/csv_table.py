"""A table of the settings that the board writes to: unchanged parts stay the same, byte by byte."""

from __future__ import annotations

import csv
import io
import tempfile
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from patrolplan.area import format_input_name
from patrolplan.atomic import TEMPORARY_PREFIX, hash_content, replace_file
from patrolplan.board.edits import refuse
from patrolplan.errors import OutputError
from patrolplan.inputs.small_tables import read_duties, read_tasked_places
from patrolplan.inputs.table_reader import quote_value
from patrolplan.team.week_editor import InvalidEditError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from patrolplan.area import StudyArea
    from patrolplan.settings import Settings


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First letters of a cell that a spreadsheet would read as a formula."""

READERS = {"tasked_places": read_tasked_places, "duties": read_duties}
"""How each table that can be written is read, by its key under `[sources]`."""

NAMES = {"tasked_places": "tasked places", "duties": "officers' appointments"}


@dataclass(frozen=True)
class CsvTable:
    """A table of the settings as it is on disk: its file and its bytes."""

    source: str
    """Its key under `[sources]`."""
    path: Path
    content: bytes
    columns: Mapping[str, str] = field(default_factory=dict)
    """The table's headings by our names, where they differ."""

    @classmethod
    def from_settings(cls, settings: Settings, source: str) -> CsvTable | None:
        """The settings' first file of a table that can be written; None where there is none."""
        for path in settings.find_files(source):
            if path.suffix == ".csv" and path.is_file():
                columns = settings.columns.get(source, {})
                return cls(source, path, path.read_bytes(), columns)
        return None

    def with_row(self, values: Mapping[str, str]) -> CsvTable:
        """The table with one more row; every other byte stays.

        A column that only this row needs is added to the header, and an empty cell to every row.
        """
        form = _CsvFormat.detect(self.content)
        texts = {self.columns.get(name, name): text for name, text in values.items()}
        headings = [name.strip().casefold() for name in form.header]
        missing = [name for name, text in texts.items() if text and name.casefold() not in headings]
        text = form.add_columns(missing)
        by_heading = {name.casefold(): text for name, text in texts.items()}
        cells = [by_heading.get(name.strip().casefold(), "") for name in (*form.header, *missing)]
        end = "" if text.endswith(("\n", "\r")) else form.line_end
        return self._with_text(form, text + end + form.format_row(cells))

    def without_rows(self, is_removed: Callable[[dict[str, str]], bool]) -> CsvTable:
        """The table without some rows; every other byte stays."""
        form = _CsvFormat.detect(self.content)
        header, *rows = form.list_rows()
        others = [text for text, row in rows if not row or not is_removed(self._name(form, row))]
        return self._with_text(form, header[0] + "".join(others))

    def list_rows(self) -> list[dict[str, str]]:
        """Every row by our names of the columns."""
        form = _CsvFormat.detect(self.content)
        return [self._name(form, row) for _, row in form.list_rows()[1:] if row]

    def _name(self, form: _CsvFormat, row: Sequence[str]) -> dict[str, str]:
        """The cells of a row by our names of the columns."""
        ours = {name.casefold(): own for own, name in self.columns.items()}
        headings = [name.strip().casefold() for name in form.header]
        names = [ours.get(name, name) for name in headings]
        return dict(zip(names, map(str.strip, row), strict=False))

    def _with_text(self, form: _CsvFormat, text: str) -> CsvTable:
        try:
            return replace(self, content=form.byte_order_mark + text.encode(form.encoding))
        except UnicodeEncodeError as error:
            what = quote_value(text[error.start : error.end])
            message = f"{self.path.name} is written in {form.encoding}, which cannot hold {what}"
            raise InvalidEditError(message) from None

    def overwrite(self, before: CsvTable) -> None:
        """Write this table; raises OutputError unless the file still holds the earlier one."""
        try:
            is_changed = self.path.read_bytes() != before.content
            if not is_changed:
                replace_file(self.path, self.content)
        except OSError as error:
            message = f"{self.path}: cannot be written ({error.strerror or error})"
            raise OutputError(message) from None
        if is_changed:
            message = f"{self.path}: was changed outside the board; start the board again to see it"
            raise OutputError(message)


@dataclass(frozen=True)
class _CsvFormat:
    """How the table is written, so that a new row looks like the others."""

    byte_order_mark: bytes
    encoding: str
    text: str
    delimiter: str
    line_end: str
    header: tuple[str, ...]

    @classmethod
    def detect(cls, content: bytes) -> _CsvFormat:
        mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
        body = content.removeprefix(mark)
        try:
            text, encoding = body.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            text, encoding = body.decode("cp1252"), "cp1252"
        first_line = next((line for line in text.splitlines() if line.strip()), "")
        delimiter = max(",;\t", key=first_line.count)
        header = tuple(next(csv.reader([first_line], delimiter=delimiter), []))
        line_end = "\r\n" if "\r\n" in text else "\n"
        return cls(mark, encoding, text, delimiter, line_end, header)

    def list_rows(self) -> list[tuple[str, list[str]]]:
        """Every row as its exact text, which may span lines, and as its cells."""
        lines = list(io.StringIO(self.text, newline=""))
        reader = csv.reader(iter(lines), delimiter=self.delimiter)
        rows = []
        begin = 0
        for row in reader:
            rows.append(("".join(lines[begin : reader.line_num]), row))
            begin = reader.line_num
        return rows

    def format_row(self, cells: Sequence[str]) -> str:
        """A row with its line end."""
        row = io.StringIO(newline="")
        csv.writer(row, delimiter=self.delimiter, lineterminator=self.line_end).writerow(cells)
        return row.getvalue()

    def add_columns(self, names: Sequence[str]) -> str:
        """The text with further columns at the end, with only their names."""
        if not names:
            return self.text
        heading = self.delimiter + self.format_row(names).removesuffix(self.line_end)
        rows = self.list_rows()
        first = next(number for number, (_, row) in enumerate(rows) if row)
        parts = []
        for number, (text, row) in enumerate(rows):
            bare = text.rstrip("\r\n")
            further = heading if number == first else self.delimiter * len(names)
            parts.append(f"{bare}{further}{text[len(bare) :]}" if row else text)
        return "".join(parts)


def require_table(table: CsvTable | None, source: str) -> CsvTable:
    """The table; raises InvalidEditError with what to write where the settings name none."""
    if table is None:
        header = {
            "tasked_places": "place_id,longitude,latitude,must_visit,schools,from,to,reason,by",
            "duties": "officer,date,from,to,kind,urn",
        }[source]
        refuse(
            f"no table of {NAMES[source]} can be written: make a file {source}.csv with the first "
            f"line {header}, and name it in the settings, [sources] {source} = "
            f'"{source}.csv"; then start the board again'
        )
    return table


def check_text(name: str, text: str) -> None:
    """Raise for text that is not to be written into a cell of a table."""
    message = ""
    if not text.strip():
        message = f"{name}: is empty; write a few words"
    elif any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in text):
        message = f"{name}: holds characters that cannot be printed; write it on one line"
    elif text.strip().startswith(FORMULA_STARTS):
        message = f"{name}: a spreadsheet would read this as a formula; start with a letter"
    if message:
        raise InvalidEditError(message)


def check_hours(hours: str) -> None:
    """Raise for hours, HH:MM-HH:MM, that do not end after they begin; empty ones are right."""
    begin, _, end = hours.partition("-")
    if hours and end <= begin:
        refuse(f"the hours {hours} do not end after they begin")


def read_area_table(area: StudyArea, table: CsvTable) -> StudyArea:
    """The area with the rows of a table that is not written yet."""
    settings = area.settings
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
        draft = Path(folder) / table.path.name
        draft.write_bytes(table.content)
        paths = [
            draft if path == table.path else path for path in settings.find_files(table.source)
        ]
        rows = READERS[table.source](paths, area.projection, columns=table.columns)
    name = format_input_name(table.source, table.path, settings)
    inputs = {**area.inputs, name: hash_content(table.content)}
    return replace(area, **{table.source: rows}, inputs=inputs)
