"""Places tasked by intelligence: a row of their table added or removed, and its days replanned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from patrolplan.board.csv_table import check_hours, check_text, require_table
from patrolplan.board.edits import refuse
from patrolplan.board.requests import ReleasePlace, TaskPlace
from patrolplan.inputs.small_tables import WEEKDAYS
from patrolplan.inputs.table_reader import quote_value
from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.week_editor import InvalidEditError, WeekEditor, get_slot
from patrolplan.text import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.area import StudyArea
    from patrolplan.board.csv_table import CsvTable
    from patrolplan.board.shared_week import BoardState
    from patrolplan.team.week import Duty, Week
    from patrolplan.team.week_records import Lock


SOURCE = "tasked_places"


def change_tasked_table(state: BoardState, change: TaskPlace | ReleasePlace) -> CsvTable:
    """The table of tasked places after a change; nothing is written yet."""
    area, table = state.planned_area.area, require_table(state.tables.get(SOURCE), SOURCE)
    columns = area.settings.columns.get(SOURCE, {})
    if isinstance(change, TaskPlace):
        _check_tasked_place(change, area)
        return table.with_row(_list_cells(change), columns)
    if change.place_id not in set(area.tasked_places["place_id"]):
        refuse(f"there is no tasked place '{change.place_id}'")
    after = table.without_rows(lambda row: row.get("place_id") == change.place_id, columns)
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
    old_provenance = compute_short_id(compute_area_provenance(before.area))
    if compute_short_id(week.created_from) == old_provenance:
        week = replace(week, created_from=compute_area_provenance(area))
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
        tables={**state.tables, SOURCE: table},
    )
    return after, _describe_outcome(len(lost) - len(removed), removed)


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
