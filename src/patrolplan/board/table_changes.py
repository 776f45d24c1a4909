"""Rows that the board adds to its tables and removes: appointments, and places of intelligence."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, NamedTuple

from patrolplan.board.csv_table import check_text, require_table
from patrolplan.board.edits import refuse, refuse_first
from patrolplan.board.requests import AddAppointment, ReleasePlace, RemoveAppointment, TaskPlace
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.inputs.table_reader import quote_value
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.team.week import format_day
from patrolplan.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from patrolplan.area import StudyArea
    from patrolplan.board.csv_table import CsvTable
    from patrolplan.board.shared_week import BoardState


class RowEdit(NamedTuple):
    """A row that is added to a table, or removed from it."""

    source: str  # the table's key under `[sources]`
    cells: dict[str, str]
    """By our names of the columns: the new row, or what the rows to remove have."""
    words: str  # what is done, or the row that goes


def change_table(
    state: BoardState, change: AddAppointment | RemoveAppointment | TaskPlace | ReleasePlace
) -> tuple[CsvTable, str]:
    """A table after a change, which is not written yet, and the change in words."""
    edit = build_row_edit(change, state)
    table = require_table(state.tables, edit.source)
    if isinstance(change, AddAppointment | TaskPlace):
        return table.with_row(edit.cells), edit.words
    after = table.without_rows(edit.cells)
    if after is table:
        refuse(f"{table.path.name} holds no {edit.words}; remove it where it was written")
    return after, f"Removed: the {edit.words}"


@singledispatch
def build_row_edit(change: object, state: BoardState) -> RowEdit:  # noqa: ARG001 - for those below
    """The row of a change; raises InvalidEditError for one that cannot be written."""
    message = f"no change of a table: {type(change).__name__}"
    raise TypeError(message)


@build_row_edit.register(AddAppointment)
def _(change: AddAppointment, state: BoardState) -> RowEdit:
    area, begins = state.planned_area.area, change.from_
    there = state.editor.inputs.free_time.appointments
    taken = {(one.officer, one.date, format_time(one.from_minutes)) for one in there}
    refuse_first(
        (
            change.officer not in set(area.officers["officer"]),
            f"there is no officer '{change.officer}'",
        ),
        (change.date not in state.week.days, f"{change.date} is not a day of this week"),
        _check_hours(f"{begins}-{change.to}"),
        _check_schools([change.urn or "*"], area),
        (
            (change.officer, change.date, begins) in taken,
            f"{change.officer} has an appointment at {begins} already; remove it first",
        ),
    )
    check_text("officer", change.officer)
    cells = {"officer": change.officer, "date": f"{change.date}", "from": begins, "to": change.to}
    what = change.what.replace("_", " ")
    words = f"{change.officer}, {what} on {format_day(change.date)}, {begins} to {change.to}"
    return RowEdit(
        "duties", {**cells, "kind": change.what, "urn": change.urn or ""}, f"Entered: {words}"
    )


@build_row_edit.register(RemoveAppointment)
def _(change: RemoveAppointment, state: BoardState) -> RowEdit:  # noqa: ARG001
    cells = {"officer": change.officer, "date": f"{change.date}", "from": change.from_}
    words = f"appointment of {change.officer} on {format_day(change.date)} at {change.from_}"
    return RowEdit("duties", cells, words)


@build_row_edit.register(TaskPlace)
def _(change: TaskPlace, state: BoardState) -> RowEdit:
    area = state.planned_area.area
    for name in ("place_id", "reason", "by"):
        check_text(name, getattr(change, name))
    x, y = area.projection.to_metres([change.longitude], [change.latitude])
    moved = area.network.snap([(x[0], y[0])]).moved_metres[0]
    far = f"no walkable street within {MAX_SNAP_METRES:.0f} m of that place"
    name = quote_value(change.place_id)
    refuse_first(
        (
            change.place_id in set(area.tasked_places["place_id"]),
            f"place {name} already exists; remove it first",
        ),
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
    words = f"Tasked: {change.place_id} is {kind} until {change.to}"
    return RowEdit("tasked_places", cells, words)


@build_row_edit.register(ReleasePlace)
def _(change: ReleasePlace, state: BoardState) -> RowEdit:  # noqa: ARG001
    words = f"tasked place {change.place_id}"
    return RowEdit("tasked_places", {"place_id": change.place_id}, words)


def _check_hours(hours: str) -> tuple[object, str]:
    """Whether hours, HH:MM-HH:MM or none, end before they begin, and the words for it."""
    begin, _, end = hours.partition("-")
    return hours and end <= begin, f"the hours {hours} do not end after they begin"


def _check_schools(urns: Iterable[str], area: StudyArea) -> tuple[object, str]:
    """Whether a school is unknown, and the words for it."""
    unknown = [urn for urn in urns if urn not in {"*", *area.schools["urn"]}]
    return unknown, f"there is no school with URN {', '.join(map(quote_value, unknown))}"
