"""Tables that are changed on the board: officers' appointments, and places tasked by intelligence.

A row is added or removed; days that a tasked place affects are planned again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from patrolplan.board.csv_table import check_hours, check_text, require_table
from patrolplan.board.edits import refuse
from patrolplan.board.requests import AddAppointment, ReleasePlace, RemoveAppointment, TaskPlace
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.inputs.table_reader import quote_value
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.week import format_day
from patrolplan.team.week_editor import InvalidEditError, WeekEditor, get_slot
from patrolplan.text import format_count
from patrolplan.times import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from patrolplan.area import StudyArea
    from patrolplan.board.csv_table import CsvTable
    from patrolplan.board.shared_week import BoardState
    from patrolplan.team.week import Duty, Week
    from patrolplan.team.week_records import Lock


DUTIES, TASKED = "duties", "tasked_places"
"""Their keys under `[sources]`."""


def change_duties_table(state: BoardState, change: AddAppointment | RemoveAppointment) -> CsvTable:
    """The table of officers' duties after a change; nothing is written yet."""
    table = require_table(state.tables.get(DUTIES), DUTIES)
    if isinstance(change, AddAppointment):
        _check_appointment(change, state)
        hours = {"from": change.from_, "to": change.to}
        cells = {"officer": change.officer, "date": f"{change.date}", **hours}
        return table.with_row({**cells, "kind": change.what, "urn": change.urn or ""})
    wanted = (change.officer, f"{change.date}", change.from_)
    after = table.without_rows(lambda row: _find_key(row) == wanted)
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
    table = state.tables.get(DUTIES)
    ours = set() if table is None else {_find_key(row) for row in table.list_rows()}
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


def change_tasked_table(state: BoardState, change: TaskPlace | ReleasePlace) -> CsvTable:
    """The table of tasked places after a change; nothing is written yet."""
    area, table = state.planned_area.area, require_table(state.tables.get(TASKED), TASKED)
    if isinstance(change, TaskPlace):
        _check_tasked_place(change, area)
        return table.with_row(_list_cells(change))
    if change.place_id not in set(area.tasked_places["place_id"]):
        refuse(f"there is no tasked place '{change.place_id}'")
    after = table.without_rows(lambda row: row.get("place_id") == change.place_id)
    if after == table:
        refuse(
            f"'{change.place_id}' is in another table, not in {table.path.name}; remove it there"
        )
    return after


def describe_tasked_change(change: TaskPlace | ReleasePlace) -> str:
    """The change in words."""
    if isinstance(change, ReleasePlace):
        return f"Removed: the tasked place {change.place_id}"
    kind = "to be visited" if change.must_visit else "barred"
    return f"Tasked: {change.place_id} is {kind} until {change.to}"


def _list_cells(task: TaskPlace) -> dict[str, str]:
    """The row of a place, by our names of the columns; values that the settings have are empty."""
    weekdays = [day for day in WEEKDAYS if day in task.weekdays]
    return {
        "place_id": task.place_id,
        "longitude": f"{task.longitude:.6f}",
        "latitude": f"{task.latitude:.6f}",
        "must_visit": "true" if task.must_visit else "false",
        "schools": ";".join(task.schools),
        "from": f"{task.from_}",
        "to": f"{task.to}",
        "reason": task.reason.strip(),
        "by": task.by.strip(),
        "hours": task.hours,
        "minutes": "" if task.minutes is None else f"{task.minutes}",
        "visits": "" if task.visits == 1 else f"{task.visits}",
        "officers": "" if task.officers == 1 else f"{task.officers}",
        "weekdays": "" if len(weekdays) == len(WEEKDAYS) else ";".join(weekdays),
    }


def _check_tasked_place(task: TaskPlace, area: StudyArea) -> None:
    """Raise for a place that could not be written or planned."""
    if task.place_id in set(area.tasked_places["place_id"]):
        refuse(f"place {quote_value(task.place_id)} already exists; remove it first")
    if task.to < task.from_:
        refuse("the last day is before the first")
    check_hours(task.hours)
    for name in ("place_id", "reason", "by"):
        check_text(name, getattr(task, name))
    urns = {"*", *area.schools["urn"]}
    for urn in task.schools:
        if urn not in urns:
            refuse(f"there is no school with URN {quote_value(urn)}")
    x, y = area.projection.to_metres([task.longitude], [task.latitude])
    place = area.network.snap([(x[0], y[0])])
    if not place.moved_metres[0] <= MAX_SNAP_METRES:  # NaN is outside as well
        refuse(f"no walkable street within {MAX_SNAP_METRES:.0f} m of that place")


def replan_tasked_places(state: BoardState, table: CsvTable) -> tuple[BoardState, str]:
    """Plan the days again that a changed table of tasked places affects; keep the rest of the week.

    A patrol whose route is no longer planned takes the route of most worth at the same school, day
    and officer; where there is none it is removed. Its lock stays with it. Returns the board, and
    what became of the patrols in words; the table is not written yet.
    """
    before, week = state.planned_area, state.week
    planned = before.with_table(table)
    area, plans = planned.area, planned.plans
    week = renew_origin(week, before.area, area)
    # Locks are opened first, since the routes that they name may have other numbers now.
    open_locks = tuple(replace(lock, variant=None) for lock in week.locks)
    editor = WeekEditor.from_week(replace(week, locks=open_locks), area, plans)
    editor = replace(editor, own_notes=state.editor.own_notes)
    # A patrol that was fixed before the change stays fixed; one that only this change removed from
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
        planned_area=planned,
        editor=editor,
        week=editor.build_week(duties, bound=compute_loosest_bound(editor.problem)),
        tables={**state.tables, TASKED: table},
    )
    return after, _describe_outcome(len(lost) - len(removed), removed)


def renew_origin(week: Week, before: StudyArea, area: StudyArea) -> Week:
    """A week that is made from the present tables; one of other data or settings stays so."""
    origin = compute_short_id(compute_area_provenance(before))
    if compute_short_id(week.created_from) != origin:
        return week
    return replace(week, created_from=compute_area_provenance(area))


def describe_visits(week: Week, place: str) -> str:
    """On how many days a tasked place is met."""
    mine = [one for one in week.demands if (one.kind, one.place) == ("tasked", place)]
    met = sum(one.is_met for one in mine)
    return f"; met on {met} of {format_count(len(mine), 'day')}" if mine else ""


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
