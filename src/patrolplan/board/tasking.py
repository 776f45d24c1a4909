"""Places tasked by intelligence: a row of their table added or removed, and its days replanned."""

from __future__ import annotations

import csv
import io
import tempfile
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from patrolplan.area import format_input_name
from patrolplan.atomic import TEMPORARY_PREFIX, hash_content, replace_file
from patrolplan.board.requests import ReleasePlace, TaskPlace
from patrolplan.errors import OutputError
from patrolplan.inputs.lookups import TASKED_COLUMNS, read_tasked_places
from patrolplan.inputs.table_reader import quote_value
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.day_plans import replan_days
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.week_editor import InvalidEditError, WeekEditor, get_slot
from patrolplan.text import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.area import StudyArea
    from patrolplan.board.shared_week import BoardState
    from patrolplan.settings import Settings
    from patrolplan.team.week import Duty, Lock


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First letters of a cell that a spreadsheet would read as a formula."""


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
        by_heading = {columns.get(name, name).casefold(): values[name] for name in TASKED_COLUMNS}
        row = io.StringIO(newline="")
        writer = csv.writer(row, delimiter=form.delimiter, lineterminator=form.line_end)
        writer.writerow([by_heading.get(name.strip().casefold(), "") for name in form.header])
        end = "" if form.text.endswith(("\n", "\r")) else form.line_end
        return self._with_text(form, form.text + end + row.getvalue())

    def without_place(self, place_id: str, columns: dict[str, str]) -> TaskedTable:
        """The table without a place; every other byte stays."""
        form = _CsvFormat.detect(self.content)
        name = columns.get("place_id", "place_id").casefold()
        column = [heading.strip().casefold() for heading in form.header].index(name)
        others = [
            text
            for text, row in form.list_rows()
            if len(row) <= column or row[column].strip() != place_id
        ]
        return self._with_text(form, "".join(others))

    def _with_text(self, form: _CsvFormat, text: str) -> TaskedTable:
        try:
            return replace(self, content=form.byte_order_mark + text.encode(form.encoding))
        except UnicodeEncodeError as error:
            what = quote_value(text[error.start : error.end])
            message = f"{self.path.name} is written in {form.encoding}, which cannot hold {what}"
            raise InvalidEditError(message) from None

    def overwrite(self, before: TaskedTable) -> None:
        """Write this table; raises OutputError unless the file still holds the earlier one."""
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


def change_tasked_table(state: BoardState, change: TaskPlace | ReleasePlace) -> TaskedTable:
    """The table of tasked places after a change; nothing is written yet."""
    area, table = state.planned_area.area, state.tasked_table
    if table is None:
        message = (
            "no table of tasked places can be written: name a .csv file in the settings, "
            '[sources] tasked_places = "tasked_places.csv"'
        )
        raise InvalidEditError(message)
    columns = area.settings.columns.get("tasked_places", {})
    if isinstance(change, TaskPlace):
        _check_tasked_place(change, area)
        return table.with_place(change, columns)
    if change.place_id not in set(area.tasked_places["place_id"]):
        message = f"there is no tasked place '{change.place_id}'"
        raise InvalidEditError(message)
    after = table.without_place(change.place_id, columns)
    if after == table:
        message = (
            f"'{change.place_id}' is in another table, not in {table.path.name}; remove it there"
        )
        raise InvalidEditError(message)
    return after


def _check_tasked_place(task: TaskPlace, area: StudyArea) -> None:
    """Raise for a place that could not be written or not be planned."""
    if task.place_id in set(area.tasked_places["place_id"]):
        message = f"place {quote_value(task.place_id)} already exists; remove it first"
        raise InvalidEditError(message)
    if task.to < task.from_:
        message = "the last day is before the first"
        raise InvalidEditError(message)
    for name in ("place_id", "reason", "by"):
        _check_text(name, getattr(task, name))
    urns = {"*", *area.schools["urn"]}
    for urn in task.schools:
        if urn not in urns:
            message = f"there is no school with URN {quote_value(urn)}"
            raise InvalidEditError(message)
    x, y = area.projection.to_metres([task.longitude], [task.latitude])
    place = area.network.snap([(x[0], y[0])])
    if not place.moved_metres[0] <= MAX_SNAP_METRES:  # NaN is outside as well
        message = f"no walkable street within {MAX_SNAP_METRES:.0f} m of that place"
        raise InvalidEditError(message)


def _check_text(name: str, text: str) -> None:
    message = ""
    if not text.strip():
        message = f"{name}: is empty; write a few words"
    elif any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in text):
        message = f"{name}: holds characters that cannot be printed; write it on one line"
    elif text.strip().startswith(FORMULA_STARTS):
        message = f"{name}: a spreadsheet would read this as a formula; start with a letter"
    if message:
        raise InvalidEditError(message)


def replan_tasked_places(state: BoardState, table: TaskedTable) -> tuple[BoardState, str]:
    """Plan again the days that another table of tasked places touches; keep the rest of the week.

    A patrol whose route is no longer planned takes the route of most worth at the same school, day
    and officer; where there is none it is removed. Its lock stays with it. Returns the board, and
    what became of the patrols in words; the table is not written yet.
    """
    before, week = state.planned_area, state.week
    area = _with_tasked_places(before.area, table)
    plans = replan_days(before.plans, area, before.risk, before.hotspots)
    old_provenance = compute_short_id(compute_area_provenance(before.area))
    if compute_short_id(week.created_from) == old_provenance:
        week = replace(week, created_from=compute_area_provenance(area))
    # Locks are opened first, since the routes that they name may have other numbers now.
    open_locks = tuple(replace(lock, variant=None) for lock in week.locks)
    editor = WeekEditor.from_week(replace(week, locks=open_locks), area, plans)
    editor = replace(editor, own_notes=state.editor.own_notes)
    # A patrol that was held before the change stays held; one that only this change took out of
    # the plan gets another route below.
    was_held = set(state.editor.inputs.held)
    unplanned = set(editor.inputs.held) - was_held
    editor = editor.with_held_duties([duty for duty in editor.inputs.held if duty in was_held])
    duties = [_renumber_route(editor, duty) for duty in week.duties if duty not in unplanned]
    lost = [duty for duty in week.duties if duty in unplanned]
    removed: list[Duty] = []
    for duty in lost:
        try:
            duties.append(editor.place_patrol(get_slot(duty), duties))
        except InvalidEditError:
            removed.append(duty)
    editor = editor.with_locks_and_bans(locks=_update_locks(state.editor, week.duties, duties))
    after = replace(
        state,
        planned_area=replace(before, area=area, plans=plans),
        editor=editor,
        week=editor.build_week(duties, bound=compute_loosest_bound(editor.problem)),
        tasked_table=table,
    )
    return after, _describe_outcome(len(lost) - len(removed), removed)


def _with_tasked_places(area: StudyArea, table: TaskedTable) -> StudyArea:
    """The area with the tasked places of a table that is not written yet."""
    settings = area.settings
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
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


def _renumber_route(editor: WeekEditor, duty: Duty) -> Duty:
    """The patrol under the number that its route has in the present plan."""
    route = editor.inputs.find_route(duty.patrol)
    number = editor.inputs.variant[editor.inputs.days.index(duty.date), route]
    return duty if number == duty.variant else replace(duty, variant=int(number))


def _update_locks(before: WeekEditor, old: Sequence[Duty], new: Sequence[Duty]) -> list[Lock]:
    """The locks with their patrols' present routes; those of removed patrols are left out."""
    present = {get_slot(duty): duty for duty in new}
    locked_slots = {before.find_lock(duty): get_slot(duty) for duty in old}
    locks = []
    for lock in before.inputs.locks:
        slot = locked_slots.get(lock)
        if slot is None or (slot in present and lock.variant is None):
            locks.append(lock)
        elif slot in present:
            locks.append(replace(lock, variant=present[slot].variant))
    return locks


def _describe_outcome(rerouted: int, removed: Sequence[Duty]) -> str:
    text = ""
    if rerouted:
        text = f"; {format_count(rerouted, 'patrol takes', 'patrols take')} another route"
    if removed:
        text += f"; removed: {', '.join(str(get_slot(duty)) for duty in removed)}"
    return text
