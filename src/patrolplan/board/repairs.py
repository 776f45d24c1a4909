"""Changes after which a week is repaired, as on the command line: leave, appointments, places."""

import datetime as dt
from collections.abc import Callable, Mapping, Set as AbstractSet
from dataclasses import replace

import numpy as np

from patrolplan.board import requests
from patrolplan.board.edits import refuse_first
from patrolplan.board.shared_week import BoardState
from patrolplan.board.table_changes import change_table
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.repair import MAX_MOVES, Move, meet_demands, note_absence, repair_week
from patrolplan.team.rota import walk_new_patrols
from patrolplan.team.solve import ChangeLimits, find_few_changes
from patrolplan.team.week import Duty, format_day
from patrolplan.team.week_editor import InvalidEditError, WeekEditor, refuse
from patrolplan.text import format_count

Repaired = tuple[BoardState, str, tuple[Move, ...]]
"""The board after a change and the repair, what was done in words, and what may be done next."""


def prepare_change(
    change: requests.RepairedChange, state: BoardState
) -> tuple[str, Callable[[], Repaired]]:
    """A change in words, and the slow work that makes it; raises InvalidEditError at once."""
    if isinstance(change, requests.SetAway):
        return _prepare_absence(change, state)
    table, message = change_table(state, change)

    def carry_out() -> Repaired:
        after = state.with_table(table)
        if isinstance(change, requests.TaskPlace | requests.ReleasePlace):
            after, words = _keep_patrols(after, state.editor)
            if isinstance(change, requests.TaskPlace) and change.must_visit:
                planned = after.planned_area
                after = after.with_week(meet_demands(after.week, planned.area, planned.plans).week)
                is_met = [
                    demand.is_met
                    for demand in after.week.demands
                    if (demand.kind, demand.place) == ("tasked", change.place_id)
                ]
                if is_met:
                    words += f"; met on {sum(is_met)} of {format_count(len(is_met), 'day')}"
            return after, message + words, ()
        if isinstance(change, requests.AddAppointment):
            return _repair(after, message, {})
        return _fill(after, message, change.officer, {change.date})

    return message, carry_out


def _prepare_absence(
    change: requests.SetAway, state: BoardState
) -> tuple[str, Callable[[], Repaired]]:
    officer = change.officer
    if officer not in state.editor.inputs.officers:
        refuse(f"there is no officer '{officer}'")
    days = [day for day in state.week.days if change.from_ <= day <= change.to]
    if not days:
        refuse(f"{change.from_} to {change.to} holds no day of this week")
    spell = f"on {format_day(days[0])}"
    if len(days) > 1:
        spell = f"from {format_day(days[0])} to {format_day(days[-1])}"
    already = state.week.absent.get(officer, frozenset())
    freed, goes = already & set(days), change.kind == "away"
    refuse_first(
        (goes and set(days) <= already, f"{officer} is away {spell} already"),
        (not goes and not freed, f"{officer} is not away {spell}"),
    )
    if goes:
        message = f"{officer} is away {spell}"
        return message, lambda: _repair(state, message, {officer: frozenset(days)})
    message = f"{officer} is back again {spell}"
    absent = {**state.week.absent, officer: already - freed}
    away = {note_absence(name, day) for name, days in absent.items() for day in days}
    notes = tuple(one for one in state.week.notes if one.key != "officer_away" or one in away)
    absent = {name: days for name, days in absent.items() if days}
    after = replace(state, week=replace(state.week, absent=absent, notes=notes))
    return message, lambda: _fill(after, message, officer, freed)


def _repair(state: BoardState, message: str, away: Mapping[str, AbstractSet[dt.date]]) -> Repaired:
    """The week with possible patrols unchanged and free days filled, and the moves offered."""
    area, plans = state.planned_area.area, state.planned_area.plans
    repair = repair_week(state.week, area, plans, absent=away, max_moves=MAX_MOVES)
    return state.with_week(repair.week), message, repair.moves


def _fill(state: BoardState, message: str, officer: str, days: AbstractSet[dt.date]) -> Repaired:
    """The week with an officer's free days filled; nothing else moves."""
    after = state.with_week(state.week)
    editor, inputs, problem = after.editor, after.editor.inputs, after.editor.problem
    stands = np.zeros(len(problem), dtype=bool)
    stands[editor.find_rows(after.week.duties)] = True
    mine = problem.officer == inputs.officers.index(officer)
    mine &= np.isin(problem.day, [inputs.days.index(day) for day in days])
    offered = np.flatnonzero(stands | mine)
    limits = ChangeLimits(stands[offered], max_out=0, max_new=len(days))
    rows = find_few_changes(problem.select(offered), limits)
    rows = np.flatnonzero(stands) if rows is None else offered[rows]
    week = editor.build_chosen(rows, after.week, compute_loosest_bound(problem))
    week = walk_new_patrols(inputs, after.week, week)
    return replace(after, week=week), message, ()


def _keep_patrols(state: BoardState, before: WeekEditor) -> tuple[BoardState, str]:
    """The week under new plans, and what became of its patrols in words."""
    # A patrol whose route is no longer planned takes the one of most worth at the same school, day
    # and officer; where there is none it is removed. Its lock stays with it.
    planned, week = state.planned_area, state.week
    # Locks are opened first, since the routes that they name may have other numbers now.
    open_locks = tuple(replace(lock, variant=None) for lock in week.locks)
    editor = WeekEditor.from_week(replace(week, locks=open_locks), planned.area, planned.plans)
    editor = replace(editor, own_notes=before.own_notes)
    # A patrol that was fixed before the change stays fixed; one that only this change removed from
    # the plan gets another route below.
    lost = [duty for duty in editor.inputs.held if duty not in before.inputs.held]
    editor = editor.with_held_duties([duty for duty in editor.inputs.held if duty not in lost])
    inputs = editor.inputs
    duties: list[Duty] = []
    for duty in week.duties:
        if duty not in lost:
            route = inputs.find_route(duty.patrol)
            number = int(inputs.variant[inputs.days.index(duty.date), route])
            duties.append(duty if number == duty.variant else replace(duty, variant=number))
    removed: list[str] = []
    for duty in lost:
        try:
            duties.append(editor.place_patrol(duty.slot, duties))
        except InvalidEditError:
            removed.append(f"{duty.slot}")
    present = {duty.slot: duty for duty in duties}
    slots = {before.find_lock(duty): duty.slot for duty in week.duties}
    locks = []
    for lock in before.inputs.locks:
        slot = slots.get(lock)
        if slot is None or (slot in present and lock.variant is None):
            locks.append(lock)
        elif slot in present:
            locks.append(replace(lock, variant=present[slot].variant))
    editor = editor.with_locks_and_bans(locks=locks)
    week = editor.build_week(duties, bound=compute_loosest_bound(editor.problem))
    rerouted = len(lost) - len(removed)
    words = f"; {format_count(rerouted, 'patrol takes', 'patrols take')} another route"
    words = (words if rerouted else "") + (f"; removed: {', '.join(removed)}" if removed else "")
    return replace(state, editor=editor, week=week), words
