"""Places tasked by intelligence, written to the settings' own table: a row added or taken off."""

from __future__ import annotations

import csv
import io
import tempfile
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from patrolplan.area import format_input_name
from patrolplan.atomic import hash_content, replace_file
from patrolplan.errors import OutputError
from patrolplan.inputs.lookups import TASKED_COLUMNS, read_tasked_places
from patrolplan.inputs.table_reader import quote_value
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.team.week_editor import InvalidEditError

if TYPE_CHECKING:
    from patrolplan.area import StudyArea
    from patrolplan.board.requests import TaskPlace
    from patrolplan.settings import Settings


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula at the head of a cell."""


@dataclass(frozen=True)
class TaskedTable:
    """The table of tasked places as it is on the disk: its file and its bytes."""

    path: Path
    content: bytes

    @classmethod
    def from_settings(cls, settings: Settings) -> TaskedTable | None:
        """The settings' first table that can be written; None where there is none."""
        for path in settings.find_files("tasked_places"):
            if path.suffix == ".csv" and path.is_file():
                return cls(path, path.read_bytes())
        return None

    def with_place(self, task: TaskPlace, columns: dict[str, str]) -> TaskedTable:
        """The table with one more place; every other byte stays."""
        form = _CsvFormat.detect(self.content)
        values = {
            "place_id": task.place_id,
            "longitude": f"{task.longitude:.6f}",
            "latitude": f"{task.latitude:.6f}",
            "must_visit": "true" if task.must_visit else "false",
            "schools": ";".join(task.schools),
            "from": f"{task.from_}",
            "to": f"{task.to}",
            "reason": task.reason.strip(),
            "by": task.by.strip(),
        }
        named = {columns.get(name, name).casefold(): values[name] for name in TASKED_COLUMNS}
        row = io.StringIO(newline="")
        writer = csv.writer(row, delimiter=form.delimiter, lineterminator=form.line_end)
        writer.writerow([named.get(name.strip().casefold(), "") for name in form.header])
        end = "" if form.text.endswith(("\n", "\r")) else form.line_end
        return self._now(form, form.text + end + row.getvalue())

    def without_place(self, place_id: str, columns: dict[str, str]) -> TaskedTable:
        """The table without a place; every other byte stays."""
        form = _CsvFormat.detect(self.content)
        name = columns.get("place_id", "place_id").casefold()
        column = [head.strip().casefold() for head in form.header].index(name)
        kept = [
            part
            for part, row in form.records()
            if len(row) <= column or row[column].strip() != place_id
        ]
        return self._now(form, "".join(kept))

    def _now(self, form: _CsvFormat, text: str) -> TaskedTable:
        try:
            return replace(self, content=form.byte_order_mark + text.encode(form.encoding))
        except UnicodeEncodeError as error:
            what = quote_value(text[error.start : error.end])
            message = f"{self.path.name} is in {form.encoding}, which has no {what}"
            raise InvalidEditError(message) from None

    def overwrite(self, before: TaskedTable) -> None:
        """Take the place of the table as it was.

        Raises
        ------
        OutputError
            When it cannot be written, or is not as it was.
        """
        try:
            if self.path.read_bytes() != before.content:
                message = (
                    f"{self.path}: was changed outside the board; start the board again to see it"
                )
                raise OutputError(message)
            replace_file(self.path, self.content)
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            message = f"{self.path}: cannot be written ({error.strerror or error})"
            raise OutputError(message) from None


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
        head = next((line for line in text.splitlines() if line.strip()), "")
        delimiter = max(",;\t", key=head.count)
        header = tuple(next(csv.reader([head], delimiter=delimiter), []))
        line_end = "\r\n" if "\r\n" in text else "\n"
        return cls(mark, encoding, text, delimiter, line_end, header)

    def records(self) -> list[tuple[str, list[str]]]:
        """Every row with the very text that it is written in."""
        lines = list(io.StringIO(self.text, newline=""))
        reader = csv.reader(iter(lines), delimiter=self.delimiter)
        found = []
        begin = 0
        for row in reader:
            found.append(("".join(lines[begin : reader.line_num]), row))
            begin = reader.line_num
        return found


def check_tasked_place(task: TaskPlace, area: StudyArea) -> None:
    """Refuse a place that could not be written or not be planned.

    Raises
    ------
    CannotBeError
        With the reason.
    """
    if task.place_id in set(area.tasked_places["place_id"]):
        message = f"there is a place {quote_value(task.place_id)} already; take it off first"
        raise InvalidEditError(message)
    if task.to < task.from_:
        message = "the last day is before the first"
        raise InvalidEditError(message)
    for name in ("place_id", "reason", "by"):
        _check_text(name, getattr(task, name))
    urns = set(area.schools["urn"])
    for urn in task.schools:
        if urn != "*" and urn not in urns:
            message = f"there is no school with URN {quote_value(urn)}"
            raise InvalidEditError(message)
    x, y = area.projection.to_metres([task.longitude], [task.latitude])
    place = area.network.snap([(x[0], y[0])])
    if not place.moved_metres[0] <= MAX_SNAP_METRES:
        message = f"no walkable street within {MAX_SNAP_METRES:.0f} m of that place"
        raise InvalidEditError(message)


def _check_text(name: str, text: str) -> None:
    if not text.strip():
        message = f"{name}: is empty; say it in a few words"
        raise InvalidEditError(message)
    if any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in text):
        message = f"{name}: holds signs that cannot be printed; write it on one line"
        raise InvalidEditError(message)
    if text.strip().startswith(FORMULA_STARTS):
        message = f"{name}: a spreadsheet would take this for a formula; begin with a letter"
        raise InvalidEditError(message)


def with_tasked_places(area: StudyArea, table: TaskedTable) -> StudyArea:
    """The area with the tasked places of a table that is not written yet."""
    settings = area.settings
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / table.path.name
        draft.write_bytes(table.content)
        paths = [
            draft if path == table.path else path for path in settings.find_files("tasked_places")
        ]
        columns = settings.columns.get("tasked_places")
        places = read_tasked_places(paths, area.projection, columns=columns)
    name = format_input_name("tasked_places", table.path, settings)
    inputs = {**area.inputs, name: hash_content(table.content)}
    return replace(area, tasked_places=places, inputs=inputs)
