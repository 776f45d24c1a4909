"""The tables of the settings that the board writes to: appointments, and places of intelligence.

Rows and the order of columns stay; once written a table is comma-separated and in UTF-8.
"""

import csv
import io
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patrolplan.area import StudyArea, format_input_name
from patrolplan.atomic import TEMPORARY_PREFIX, hash_content, replace_file
from patrolplan.board.edits import refuse_first
from patrolplan.board.requests import AddAppointment, ReleasePlace, RemoveAppointment, TaskPlace
from patrolplan.errors import OutputError
from patrolplan.inputs.small_tables import WEEKDAYS, read_duties, read_tasked_places
from patrolplan.inputs.table_reader import quote_value
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.settings import Settings
from patrolplan.team.week import format_day
from patrolplan.team.week_editor import refuse
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.board.shared_week import BoardState


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # of cells that spreadsheets compute

WRITABLE: dict[str, tuple[Callable[..., Any], str, str]] = {
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
    columns: Mapping[str, str] = field(default_factory=dict)  # headings by our names

    @classmethod
    def from_settings(cls, settings: Settings, source: str) -> "CsvTable | None":
        """The settings' first file of a table that can be written; None where there is none."""
        for path in settings.find_files(source):
            if path.suffix == ".csv" and path.is_file():
                columns = settings.columns.get(source, {})
                return cls(source, path, path.read_bytes(), columns)
        return None

    def with_row(self, values: Mapping[str, str]) -> "CsvTable":
        """The table with one more row, and with the columns that only this row needs."""
        header, *rows = self._read() or [[]]
        names = self._name_columns(header)
        missing = [name for name, text in values.items() if text and name not in names]
        header = [*header, *(self.columns.get(name, name) for name in missing)]
        new = [values.get(name, "") for name in (*names, *missing)]
        return self._with_rows([header, *rows, new])

    def without_rows(self, wanted: Mapping[str, str]) -> "CsvTable":
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

    def _with_rows(self, rows: Sequence[Sequence[str]]) -> "CsvTable":
        """The table with other rows, as long as its header: comma-separated, in UTF-8."""
        text, width = io.StringIO(newline=""), len(rows[0])
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([*row, *[""] * (width - len(row))] for row in rows)
        # Excel takes what has no mark for the encoding of Windows.
        encoding = "utf-8" if self.content == _decode(self.content).encode() else "utf-8-sig"
        return replace(self, content=text.getvalue().encode(encoding))

    def overwrite(self, before: "CsvTable") -> None:
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
        paths = [draft if one == table.path else one for one in settings.find_files(table.source)]
        rows = read(paths, area.projection, columns=table.columns)
    name = format_input_name(table.source, table.path, settings)
    inputs = {**area.inputs, name: hash_content(table.content)}
    return replace(area, **{table.source: rows}, inputs=inputs)


def change_table(
    state: "BoardState", change: AddAppointment | RemoveAppointment | TaskPlace | ReleasePlace
) -> tuple[CsvTable, str]:
    """A table after a change, which is not written yet, and the change in words."""
    source = "duties" if isinstance(change, AddAppointment | RemoveAppointment) else "tasked_places"
    if source not in state.tables:
        _, name, header = WRITABLE[source]
        refuse(
            f"no table of {name} can be written: make a file {source}.csv with the first "
            f"line {header}, and name it in the settings, [sources] {source} = "
            f'"{source}.csv"; then start the board again'
        )
    table = state.tables[source]
    if isinstance(change, AddAppointment):
        cells, words = _build_appointment(change, state)
        return table.with_row(cells), words
    if isinstance(change, TaskPlace):
        cells, words = _build_place(change, state.planned_area.area)
        return table.with_row(cells), words
    if isinstance(change, RemoveAppointment):
        day = f"{change.date}"
        cells = {"officer": change.officer, "date": day, "from": change.from_}
        words = f"appointment of {change.officer} on {format_day(change.date)} at {change.from_}"
    else:
        cells, words = {"place_id": change.place_id}, f"tasked place {change.place_id}"
    after = table.without_rows(cells)
    if after is table:
        refuse(f"{table.path.name} holds no {words}; remove it where it was written")
    return after, f"Removed: the {words}"


def _build_appointment(change: AddAppointment, state: "BoardState") -> tuple[dict[str, str], str]:
    """The row of an appointment, and it in words; raises for one that cannot be written."""
    area, officer, begins = state.planned_area.area, change.officer, change.from_
    there = state.editor.inputs.free_time.appointments
    taken = {(one.officer, one.date, format_time(one.from_minutes)) for one in there}
    again = f"{officer} has an appointment at {begins} already; remove it first"
    refuse_first(
        (officer not in set(area.officers["officer"]), f"there is no officer '{officer}'"),
        (change.date not in state.week.days, f"{change.date} is not a day of this week"),
        _check_hours(f"{begins}-{change.to}"),
        _check_schools([change.urn or "*"], area),
        ((officer, change.date, begins) in taken, again),
    )
    check_text("officer", officer)
    cells = {"officer": officer, "date": f"{change.date}", "from": begins, "to": change.to}
    what = change.what.replace("_", " ")
    words = f"{officer}, {what} on {format_day(change.date)}, {begins} to {change.to}"
    return {**cells, "kind": change.what, "urn": change.urn or ""}, f"Entered: {words}"


def _build_place(change: TaskPlace, area: StudyArea) -> tuple[dict[str, str], str]:
    """The row of a tasked place, and it in words; raises for one that cannot be written."""
    for name in ("place_id", "reason", "by"):
        check_text(name, getattr(change, name))
    x, y = area.projection.to_metres([change.longitude], [change.latitude])
    moved = area.network.snap([(x[0], y[0])]).moved_metres[0]
    far = f"no walkable street within {MAX_SNAP_METRES:.0f} m of that place"
    name, known = quote_value(change.place_id), set(area.tasked_places["place_id"])
    refuse_first(
        (change.place_id in known, f"place {name} already exists; remove it first"),
        (change.to < change.from_, "the last day is before the first"),
        _check_hours(change.hours),
        _check_schools(change.schools, area),
        (not moved <= MAX_SNAP_METRES, far),  # NaN is outside as well
    )
    weekdays = [day for day in WEEKDAYS if day in change.weekdays]
    cells = {
        "place_id": change.place_id,
        "longitude": f"{change.longitude:.6f}",
        "latitude": f"{change.latitude:.6f}",
        "must_visit": f"{change.must_visit}".lower(),
        "schools": ";".join(change.schools),
        "from": f"{change.from_}",
        "to": f"{change.to}",
        "reason": change.reason.strip(),
        "by": change.by.strip(),
        "hours": change.hours,
        # What the settings have is empty, so that it needs no column.
        "minutes": "" if change.minutes is None else f"{change.minutes}",
        "visits": "" if change.visits == 1 else f"{change.visits}",
        "officers": "" if change.officers == 1 else f"{change.officers}",
        "weekdays": "" if len(weekdays) == len(WEEKDAYS) else ";".join(weekdays),
    }
    kind = "to be visited" if change.must_visit else "barred"
    return cells, f"Tasked: {change.place_id} is {kind} until {change.to}"


def _check_hours(hours: str) -> tuple[object, str]:
    """Whether hours, HH:MM-HH:MM or none, end before they begin, and the words for it."""
    begin, _, end = hours.partition("-")
    return hours and end <= begin, f"the hours {hours} do not end after they begin"


def _check_schools(urns: Iterable[str], area: StudyArea) -> tuple[object, str]:
    """Whether a school is unknown, and the words for it."""
    unknown = [urn for urn in urns if urn not in {"*", *area.schools["urn"]}]
    return unknown, f"there is no school with URN {', '.join(map(quote_value, unknown))}"
