"""Appointments of officers: rows of the settings' table of duties, added and removed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from patrolplan.board.csv_table import check_hours, check_text, require_table
from patrolplan.board.edits import refuse
from patrolplan.board.requests import AddAppointment, RemoveAppointment
from patrolplan.inputs.table_reader import quote_value
from patrolplan.team.week import format_day
from patrolplan.times import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from patrolplan.board.csv_table import CsvTable
    from patrolplan.board.shared_week import BoardState


SOURCE = "duties"


def change_duties_table(state: BoardState, change: AddAppointment | RemoveAppointment) -> CsvTable:
    """The table of officers' duties after a change; nothing is written yet."""
    area, table = state.planned_area.area, require_table(state.tables.get(SOURCE), SOURCE)
    columns = area.settings.columns.get(SOURCE, {})
    if isinstance(change, AddAppointment):
        _check_appointment(change, state)
        cells = {
            "officer": change.officer,
            "date": f"{change.date}",
            "from": change.from_,
            "to": change.to,
            "kind": change.what,
            "urn": change.urn or "",
        }
        return table.with_row(cells, columns)
    wanted = (change.officer, f"{change.date}", change.from_)
    after = table.without_rows(lambda row: _find_key(row) == wanted, columns)
    if after == table:
        refuse(
            f"{table.path.name} holds no appointment of {change.officer} on "
            f"{format_day(change.date)} at {change.from_}; remove it where it was written"
        )
    return after


def describe_appointment_change(change: AddAppointment | RemoveAppointment) -> str:
    """The change in words."""
    day = format_day(change.date)
    if isinstance(change, RemoveAppointment):
        return f"Removed: the appointment of {change.officer} on {day} at {change.from_}"
    what = change.what.replace("_", " ")
    return f"Entered: {change.officer}, {what} on {day}, {change.from_} to {change.to}"


def _check_appointment(change: AddAppointment, state: BoardState) -> None:
    """Raise for an appointment that could not be written or attended."""
    area, hours = state.planned_area.area, f"{change.from_}-{change.to}"
    if change.officer not in set(area.officers["officer"]):
        refuse(f"there is no officer '{change.officer}'")
    check_text("officer", change.officer)
    if change.date not in state.week.days:
        refuse(f"{change.date} is not a day of this week")
    check_hours(hours)
    if change.urn is not None and change.urn not in set(area.schools["urn"]):
        refuse(f"there is no school with URN {quote_value(change.urn)}")
    rows = area.duties[area.duties["officer"] == change.officer]
    same = (rows["date"].dt.date == change.date) & (
        rows["from_minutes"].map(format_time) == change.from_
    )
    if same.any():
        refuse(f"{change.officer} has an appointment at {change.from_} already; remove it first")


def _find_key(row: Mapping[str, str]) -> tuple[str, str, str]:
    return row.get("officer", ""), row.get("date", ""), row.get("from", "")


def list_appointments(state: BoardState) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Officers' appointments, by officer and day; only kind, hours and school."""
    table = state.tables.get(SOURCE)
    columns = state.planned_area.area.settings.columns.get(SOURCE, {})
    ours = frozenset() if table is None else _list_keys(table, tuple(sorted(columns.items())))
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for one in state.editor.inputs.free_time.appointments:
        begin, day = format_time(one.from_minutes), f"{one.date}"
        found.setdefault(one.officer, {}).setdefault(day, []).append(
            {
                "kind": one.kind,
                "from": begin,
                "to": format_time(one.to_minutes),
                "urn": one.urn,
                "removable": (one.officer, day, begin) in ours,
            }
        )
    return found


@lru_cache(maxsize=4)
def _list_keys(
    table: CsvTable, columns: tuple[tuple[str, str], ...]
) -> frozenset[tuple[str, str, str]]:
    """Officer, day and start of every row of the table that the board writes."""
    return frozenset(map(_find_key, table.list_rows(dict(columns))))
