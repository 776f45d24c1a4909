"""Changes after which a week is repaired: leave, appointments, and places of intelligence.

Possible patrols stay. The functions of the command line fill what has become free, so that both
give the same week.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from patrolplan.board.edits import refuse
from patrolplan.board.requests import (
    AddAppointment,
    ReleasePlace,
    RemoveAppointment,
    SetAway,
    TaskPlace,
)
from patrolplan.board.table_changes import (
    change_duties_table,
    change_tasked_table,
    describe_appointment_change,
    describe_tasked_change,
    describe_visits,
    renew_origin,
    replan_tasked_places,
)
from patrolplan.outputs.facts import describe_crew
from patrolplan.team.objective import compute_loosest_bound
from patrolplan.team.repair import (
    MAX_MOVES,
    Gap,
    list_changes,
    meet_demands,
    note_absence,
    repair_week,
    suggest_swaps,
)
from patrolplan.team.rota import build_week, walk_new_patrols
from patrolplan.team.solve import ChangeLimits, RotaSolution, find_few_changes
from patrolplan.team.week import format_day
from patrolplan.team.week_editor import WeekEditor
from patrolplan.text import pick_fields
from patrolplan.times import format_time

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet

    from patrolplan.area import StudyArea
    from patrolplan.board.requests import OffersRequest
    from patrolplan.board.shared_week import BoardState
    from patrolplan.team.repair import Change
    from patrolplan.team.week import Week


@dataclass(frozen=True, eq=False)
class Offer:
    """A further change: the week with it, its cards, and what it adds to the worth."""

    week: Week
    cards: tuple[Change, ...]
    gain_percent: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a change did, and what may be done next; valid for one version of the week."""

    version: int
    number: int
    """Which of the board's outcomes it is."""
    message: str
    cards: tuple[Change, ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, eq=False)
class Repaired:
    """The board after a change and the repair, and what may be done next."""

    state: BoardState
    message: str
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, eq=False)
class Preparation:
    """A change that can be made: in words, and the work that makes it."""

    message: str
    carry_out: Callable[[], Repaired]


@singledispatch
def prepare_change(change: object, state: BoardState) -> Preparation:  # noqa: ARG001 - for those below
    """Check quickly whether a change can be made; raises InvalidEditError with the reason."""
    message = f"no change with a repair: {type(change).__name__}"
    raise TypeError(message)


@prepare_change.register(TaskPlace)
@prepare_change.register(ReleasePlace)
def _prepare_tasking(change: TaskPlace | ReleasePlace, state: BoardState) -> Preparation:
    table, message = change_tasked_table(state, change), describe_tasked_change(change)

    def carry_out() -> Repaired:
        after, words = replan_tasked_places(state, table)
        if isinstance(change, TaskPlace) and change.must_visit:
            planned = after.planned_area
            met = meet_demands(after.week, planned.area, planned.plans)
            after = _with_week(after, met.week)
            words += describe_visits(met.week, change.place_id)
        return Repaired(after, message + words)

    return Preparation(message, carry_out)


@prepare_change.register(SetAway)
def _prepare_absence(change: SetAway, state: BoardState) -> Preparation:
    days = _find_days(change, state)
    spell = f"on {format_day(days[0])}"
    if len(days) > 1:
        spell = f"from {format_day(days[0])} to {format_day(days[-1])}"
    already = state.week.absent.get(change.officer, frozenset())
    if change.kind == "away":
        if set(days) <= already:
            refuse(f"{change.officer} is away {spell} already")
        message, absent = f"{change.officer} is away {spell}", {change.officer: frozenset(days)}
        return Preparation(message, lambda: _repair(state, state, message, absent))
    freed = already & set(days)
    if not freed:
        refuse(f"{change.officer} is not away {spell}")
    message = f"{change.officer} is back again {spell}"
    absent = {**state.week.absent, change.officer: already - freed}
    return Preparation(
        message, lambda: _fill(_with_absences(state, absent), state, message, change.officer, freed)
    )


@prepare_change.register(AddAppointment)
@prepare_change.register(RemoveAppointment)
def _prepare_appointment(
    change: AddAppointment | RemoveAppointment, state: BoardState
) -> Preparation:
    table, message = change_duties_table(state, change), describe_appointment_change(change)

    def carry_out() -> Repaired:
        planned = state.planned_area.with_table(table)
        after = replace(state, planned_area=planned, tables={**state.tables, table.source: table})
        if isinstance(change, AddAppointment):
            return _repair(after, state, message, {})
        return _fill(after, state, message, change.officer, {change.date})

    return Preparation(message, carry_out)


def _find_days(change: SetAway, state: BoardState) -> list[dt.date]:
    """The week's days from one day to another."""
    if change.officer not in state.editor.inputs.officers:
        refuse(f"there is no officer '{change.officer}'")
    days = [day for day in state.week.days if change.from_ <= day <= change.to]
    if not days:
        refuse(f"{change.from_} to {change.to} holds no day of this week")
    return days


def _repair(
    state: BoardState, before: BoardState, message: str, absent: Mapping[str, AbstractSet[dt.date]]
) -> Repaired:
    """The week with possible patrols unchanged and free days filled, and the moves offered.

    `state` has the tables as they are now, and the week as it was.
    """
    area, plans, was = state.planned_area.area, state.planned_area.plans, before.planned_area.area
    repair = repair_week(state.week, area, plans, absent=absent, max_moves=MAX_MOVES)
    after = _with_week(state, renew_origin(repair.week, was, area))
    moves = [renew_origin(move.week, was, area) for move in repair.moves]
    return Repaired(after, message, tuple(_build_offer(after.week, week) for week in moves))


def _fill(
    state: BoardState, before: BoardState, message: str, officer: str, days: AbstractSet[dt.date]
) -> Repaired:
    """The week with an officer's free days filled; nothing else moves."""
    was, area = before.planned_area.area, state.planned_area.area
    after = _with_week(state, renew_origin(state.week, was, area))
    editor, inputs, problem = after.editor, after.editor.inputs, after.editor.problem
    stands = np.zeros(len(problem), dtype=bool)
    stands[editor.find_rows(after.week.duties)] = True
    mine = problem.officer == inputs.officers.index(officer)
    mine &= np.isin(problem.day, [inputs.days.index(day) for day in days])
    offered = np.flatnonzero(stands | mine)
    limits = ChangeLimits(stands[offered], max_out=0, max_new=len(days))
    rows = find_few_changes(problem.select(offered), limits)
    duties = after.week.duties
    if rows is not None:
        solution = RotaSolution.rate(problem, offered[rows], after.week.bound)
        present = {duty.key: duty for duty in duties}
        filled = build_week(inputs, problem, solution).duties
        duties = tuple(present.get(duty.key, duty) for duty in filled)
    week = editor.build_week(duties, bound=compute_loosest_bound(problem))
    week = walk_new_patrols(inputs, after.week, week)
    return Repaired(replace(after, week=week), message)


def _with_absences(state: BoardState, absent: Mapping[str, frozenset[dt.date]]) -> BoardState:
    """The board with other absences, without notes of those that ended."""
    away = {note_absence(officer, day) for officer, days in absent.items() for day in days}
    notes = tuple(one for one in state.week.notes if one.key != "officer_away" or one in away)
    week = replace(state.week, absent={name: days for name, days in absent.items() if days})
    return replace(state, week=replace(week, notes=notes))


def _with_week(state: BoardState, week: Week) -> BoardState:
    planned = state.planned_area
    editor = WeekEditor.from_week(week, planned.area, planned.plans)
    return replace(state, editor=editor, week=week)


def _build_offer(before: Week, after: Week) -> Offer:
    """The offer of a week in the place of another."""
    gain = after.worth - before.worth
    percent = 100 * gain / before.worth if before.worth else 0.0
    return Offer(after, list_changes(before, after), percent)


def find_swaps(state: BoardState, request: OffersRequest) -> tuple[Offer, ...]:
    """The best swaps for a gap; raises InvalidEditError for one that the week cannot have."""
    gap = Gap(urn=request.urn, place=request.place, date=request.date)
    swaps = suggest_swaps(state.editor, state.week, gap)
    return tuple(_build_offer(state.week, swap.week) for swap in swaps)


def build_outcome_document(outcome: Outcome, area: StudyArea) -> dict[str, Any]:
    """An outcome, for the page."""

    def describe(cards: Sequence[Change]) -> list[dict[str, Any]]:
        return [
            {
                "kind": card.kind,
                **pick_fields(card.duty, "officer", "urn", "date", "window", "variant"),
                "start": format_time(card.duty.start_minutes),
                "company": describe_crew(area, card.duty.crew),
            }
            for card in cards
        ]

    return {
        "id": outcome.number,
        "message": outcome.message,
        "cards": describe(outcome.cards),
        "offers": [
            {"changes": describe(offer.cards), "gain_percent": offer.gain_percent}
            for offer in outcome.offers
        ],
    }
