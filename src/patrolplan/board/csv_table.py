"""A table of the settings that the board writes to: rows and the order of columns stay.

Once written it is comma-separated and in UTF-8, whatever it was.
"""

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
from patrolplan.board.edits import refuse, refuse_first
from patrolplan.errors import OutputError
from patrolplan.inputs.small_tables import read_duties, read_tasked_places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from patrolplan.area import StudyArea
    from patrolplan.settings import Settings


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First letters of a cell that a spreadsheet would read as a formula."""

WRITABLE = {
    "tasked_places": (
        read_tasked_places,
        "tasked places",
        "place_id,longitude,latitude,must_visit,schools,from,to,reason,by",
    ),
    "duties": (read_duties, "officers' appointments", "officer,date,from,to,kind,urn"),
}
"""Reader, name and first line of each table that can be written, by its key under `[sources]`."""


@dataclass(frozen=True)
class CsvTable:
    """A table of the settings as it is on disk: its file and its bytes."""

    source: str  # its key under `[sources]`
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
        """The table with one more row, and with the columns that only this row needs."""
        header, *rows = self._read() or [[]]
        names = self._name_columns(header)
        missing = [name for name, text in values.items() if text and name not in names]
        header = [*header, *(self.columns.get(name, name) for name in missing)]
        new = [values.get(name, "") for name in (*names, *missing)]
        return self._with_rows([header, *rows, new])

    def without_rows(self, wanted: Mapping[str, str]) -> CsvTable:
        """The table without the rows that have all these values; the table itself if none has."""
        stays = [not wanted.items() <= row.items() for row in self.list_rows()]
        header, *rows = self._read() or [[]]
        kept = [row for row, is_kept in zip(rows, stays, strict=True) if is_kept]
        return self if all(stays) else self._with_rows([header, *kept])

    def list_rows(self) -> list[dict[str, str]]:
        """Every row by our names of the columns."""
        header, *rows = self._read() or [[]]
        names = self._name_columns(header)
        return [dict(zip(names, map(str.strip, row), strict=False)) for row in rows]

    def _name_columns(self, header: Sequence[str]) -> list[str]:
        """Our names of the columns."""
        ours = {name.casefold(): own for own, name in self.columns.items()}
        return [ours.get(name, name) for name in (text.strip().casefold() for text in header)]

    def _read(self) -> list[list[str]]:
        """The rows that are not empty, the header first."""
        text = _decode(self.content)
        first_line = next((line for line in text.splitlines() if line.strip()), "")
        delimiter = max(",;\t", key=first_line.count)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [row for row in rows if row]

    def _with_rows(self, rows: Sequence[Sequence[str]]) -> CsvTable:
        """The table with other rows, as long as its header: comma-separated, in UTF-8."""
        text, width = io.StringIO(newline=""), len(rows[0])
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([*row, *[""] * (width - len(row))] for row in rows)
        # Excel takes what has no mark for the encoding of Windows.
        encoding = "utf-8" if self.content == _decode(self.content).encode() else "utf-8-sig"
        return replace(self, content=text.getvalue().encode(encoding))

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


def _decode(content: bytes) -> str:
    """The text of a table in UTF-8, with or without its mark, or in the encoding of Windows."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def require_table(tables: Mapping[str, CsvTable], source: str) -> CsvTable:
    """The table; raises InvalidEditError with what to write where the settings name none."""
    if source not in tables:
        _, name, header = WRITABLE[source]
        refuse(
            f"no table of {name} can be written: make a file {source}.csv with the first "
            f"line {header}, and name it in the settings, [sources] {source} = "
            f'"{source}.csv"; then start the board again'
        )
    return tables[source]


def check_text(name: str, text: str) -> None:
    """Raise for text that is not to be written into a cell of a table."""
    unprintable = any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in text)
    is_formula = text.strip().startswith(FORMULA_STARTS)
    refuse_first(
        (not text.strip(), f"{name}: is empty; write a few words"),
        (unprintable, f"{name}: holds characters that cannot be printed; write it on one line"),
        (is_formula, f"{name}: a spreadsheet would read this as a formula; start with a letter"),
    )


def read_area_table(area: StudyArea, table: CsvTable) -> StudyArea:
    """The area with the rows of a table that is not written yet."""
    settings = area.settings
    read, *_ = WRITABLE[table.source]
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
        draft = Path(folder) / table.path.name
        draft.write_bytes(table.content)
        paths = [
            draft if path == table.path else path for path in settings.find_files(table.source)
        ]
        rows = read(paths, area.projection, columns=table.columns)
    name = format_input_name(table.source, table.path, settings)
    inputs = {**area.inputs, name: hash_content(table.content)}
    return replace(area, **{table.source: rows}, inputs=inputs)
