"""A place tasked or taken off: plan the days that it touches again, keep the rest of the week."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from patrolplan.board.session import PlannedArea
from patrolplan.board.tasking import with_tasked_places
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.day_plans import replan_days
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.week_editor import InvalidEditError, WeekEditor, get_slot
from patrolplan.text import format_count

if TYPE_CHECKING:
    from patrolplan.board.session import BoardState
    from patrolplan.board.tasking import TaskedTable
    from patrolplan.team.week import Duty, Lock


def replan_tasked_places(state: BoardState, tasked_table: TaskedTable) -> tuple[BoardState, str]:
    """The board under another table of tasked places.

    A patrol whose route is planned no more takes the route of most worth at the same school, day
    and officer; where there is none it is taken back. Its lock stays with it.

    Parameters
    ----------
    scene
        The board.
    sheet
        The table, not written yet.

    Returns
    -------
    Scene, str
        The board, and what became of the patrols, in words.
    """
    before = state.planned_area
    area = with_tasked_places(before.area, tasked_table)
    plans = replan_days(before.plans, area, before.risk, before.hotspots)
    ground = PlannedArea(area, before.risk, before.hotspots, plans)
    week = state.week
    if compute_short_id(week.created_from) == compute_short_id(
        compute_area_provenance(before.area)
    ):
        week = replace(week, created_from=compute_area_provenance(area))
    open_locks = tuple(replace(lock, variant=None) for lock in week.locks)
    hand = WeekEditor.from_week(replace(week, locks=open_locks), area, plans)
    hand = replace(hand, own_notes=state.editor.own_notes)
    known = set(state.editor.inputs.held)
    kept = [duty for duty in week.duties if duty in known or duty not in hand.inputs.held]
    lost = [duty for duty in week.duties if duty not in kept]
    hand = hand.with_held_duties([duty for duty in hand.inputs.held if duty in known])
    duties = [_renumber_route(hand, duty) for duty in kept]
    gone: list[Duty] = []
    for duty in lost:
        try:
            duties.append(hand.place_patrol(get_slot(duty), duties))
        except InvalidEditError:
            gone.append(duty)
    hand = hand.with_locks_and_bans(locks=_update_locks(state.editor, week.duties, duties))
    made = hand.build_week(duties, bound=compute_loosest_bound(hand.problem))
    after = replace(state, planned_area=ground, editor=hand, week=made, tasked_table=tasked_table)
    return after, _describe_outcome(len(lost) - len(gone), gone)


def _renumber_route(editor: WeekEditor, duty: Duty) -> Duty:
    """The patrol under the number that its route has in the plan as it is now."""
    route = editor.inputs.find_route(duty.patrol)
    number = editor.inputs.variant[editor.inputs.days.index(duty.date), route]
    return duty if number == duty.variant else replace(duty, variant=int(number))


def _update_locks(before: WeekEditor, old: tuple[Duty, ...], new: list[Duty]) -> list[Lock]:
    """The locks, with the routes that their patrols take now; without those of patrols gone."""
    now = {get_slot(duty): duty for duty in new}
    fulfilled = {before.find_lock(duty): get_slot(duty) for duty in old}
    locks = []
    for lock in before.inputs.locks:
        post = fulfilled.get(lock)
        if post is None or (post in now and lock.variant is None):
            locks.append(lock)
        elif post in now:
            locks.append(replace(lock, variant=now[post].variant))
    return locks


def _describe_outcome(rerouted: int, gone: list[Duty]) -> str:
    told = ""
    if rerouted:
        told = f"; {format_count(rerouted, 'patrol takes', 'patrols take')} another route"
    if gone:
        told += f"; taken back: {', '.join(str(get_slot(duty)) for duty in gone)}"
    return told
