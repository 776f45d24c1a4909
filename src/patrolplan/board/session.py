"""The week on the board: one state that all windows share, saved at every change.

What the board's weeks are chosen from: the area, its risk, and a plan for each day.

Everything before the first page: the area, its plans, and the week that is opened or planned.
"""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import RLock
from typing import TYPE_CHECKING

from patrolplan.area import load_area
from patrolplan.board.edits import apply_change, describe_difference
from patrolplan.board.tasking import TaskedTable
from patrolplan.board.week_store import WeekStore
from patrolplan.errors import InputError, OutputError, PatrolplanError
from patrolplan.hotspots.find import find_hotspots
from patrolplan.outputs.output_folder import check_folder
from patrolplan.risk.estimate import estimate_risk
from patrolplan.team.day_plans import plan_days
from patrolplan.team.ledger.monthly_return import load_delivered_before
from patrolplan.team.ledger.promised import WEEK_FILE
from patrolplan.team.rota import check_officers, plan_week
from patrolplan.team.week import list_school_days
from patrolplan.team.week_editor import InvalidEditError, WeekEditor
from patrolplan.team.week_file import read_week, read_week_entry
from patrolplan.terminal import report_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.board.edits import EditResult
    from patrolplan.board.requests import WeekChange
    from patrolplan.board.week_store import FileDigest
    from patrolplan.patrols.plan import Plan
    from patrolplan.risk.estimate import Risk
    from patrolplan.team.week import Week


@dataclass(frozen=True, eq=False)
class PlannedArea:
    """Area, risk, hotspots and the plan of each day, as they are now."""

    area: StudyArea
    risk: Risk
    hotspots: gpd.GeoDataFrame
    plans: Mapping[dt.date, Plan]

    @property
    def days(self) -> tuple[dt.date, ...]:
        """The days that are planned."""
        return tuple(self.plans)


MAX_UNDO_STEPS = 200
"""Changes that can be undone."""


@dataclass(frozen=True, eq=False)
class BoardState:
    """The board at one moment; never changed, only followed by another."""

    planned_area: PlannedArea
    editor: WeekEditor
    week: Week
    tasked_table: TaskedTable | None = None
    """The table of tasked places that the ground was planned with."""


class ConflictError(PatrolplanError):
    """Somebody else changed the week in the meantime; `by_others` says what."""

    def __init__(self, by_others: list[str]) -> None:
        super().__init__("changed")
        self.by_others = by_others


class BoardSession:
    """The week that all windows of the board see, with what came before it.

    Every method may be called from any thread. What a version held stays as it was: a later one
    follows it.

    Parameters
    ----------
    scene
        What the board opens with.
    store
        Where it is saved.
    """

    def __init__(self, scene: BoardState, store: WeekStore) -> None:
        self.store = store
        self.lock = RLock()
        self.state = scene
        self.version = 1
        self.save_problem = ""
        self._known_digest = store.read_digest()
        self._undo_stack: list[tuple[BoardState, str]] = []
        self._redo_stack: list[tuple[BoardState, str]] = []
        self._version_messages: list[str] = [""]  # what made each version, from version 1 on

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._undo_stack)

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to make again."""
        return bool(self._redo_stack)

    def preview_change(self, change: WeekChange) -> EditResult:
        """What a change would come to; nothing changes.

        Raises
        ------
        CannotBeError
            When it cannot be, with the reason.
        """
        scene = self.state
        return apply_change(change, scene.editor, scene.week)

    def change(self, version: int, change: WeekChange) -> str:
        """Make a change and save it; gives what was done, in words.

        Raises
        ------
        ConflictError
            When the version is not the present one.
        CannotBeError
            When the rules do not allow it.
        OutputError
            When it cannot be saved; then nothing is changed.
        """

        def made(scene: BoardState) -> tuple[BoardState, str]:
            found = apply_change(change, scene.editor, scene.week)
            return replace(scene, editor=found.editor, week=found.week), found.message

        return self.apply_step(version, made)

    def advance_to(self, state: BoardState, message: str) -> None:
        """Save a scene and go on from it; the one before can be had back."""
        before = self.state
        self._save(state, message)
        self._undo_stack = [*self._undo_stack[-MAX_UNDO_STEPS:], (before, message)]
        self._redo_stack = []

    def apply_step(
        self, version: int, build_state: Callable[[BoardState], tuple[BoardState, str]]
    ) -> str:
        """Go on to a scene that a call makes of the present one, and save it; as `change`."""
        with self.lock, self.store.lock_folder():
            self.check_version(version)
            scene, said = build_state(self.state)
            self.advance_to(scene, said)
            return said

    def apply_outside_history(self, version: int, action: Callable[[BoardState], str]) -> str:
        """Do something that the week's own file does not hold; a version of its own, no undoing."""
        with self.lock:
            self.check_version(version)
            said = action(self.state)
            self._add_version(said)
            return said

    def undo(self, version: int) -> str:
        """Take the last change back, see `change` for what may be raised."""
        with self.lock, self.store.lock_folder():
            self.check_version(version)
            if not self._undo_stack:
                message = "there is nothing to undo"
                raise InvalidEditError(message)
            scene, said = self._undo_stack[-1]
            before = self.state
            told = f"Undone: {said}"
            self._save(scene, told)
            self._undo_stack.pop()
            self._redo_stack.append((before, said))
            return told

    def redo(self, version: int) -> str:
        """Make a change again that was taken back, see `change` for what may be raised."""
        with self.lock, self.store.lock_folder():
            self.check_version(version)
            if not self._redo_stack:
                message = "there is nothing to do again"
                raise InvalidEditError(message)
            scene, said = self._redo_stack[-1]
            before = self.state
            told = f"Done again: {said}"
            self._save(scene, told)
            self._redo_stack.pop()
            self._undo_stack.append((before, said))
            return told

    def check_version(self, version: int) -> None:
        """Raise where the page does not know what happened last, here or outside the board."""
        self.reload_if_changed()
        if version != self.version:
            begin = min(max(version, 0), len(self._version_messages))
            raise ConflictError([said for said in self._version_messages[begin:] if said])

    def reload_if_changed(self) -> None:
        """Take over a week that was written outside the board since."""
        with self.lock:
            seen = self.store.read_digest()
            if seen == self._known_digest:
                return
            ground, before = self.state.planned_area, self.state.week
            try:
                found = read_week(self.store.folder, ground.area, ground.plans)
                known = found.days == before.days
                told = f"Changed outside the board: {describe_difference(before, found)}"
            except PatrolplanError as error:
                known, told = False, str(error)
            if not known:
                self.save_problem = (
                    f"{self.store.folder} holds another week than the one on the board; "
                    f"start the board again ({told})"
                )
                raise OutputError(self.save_problem)
            self._known_digest = seen
            hand = WeekEditor.from_week(found, ground.area, ground.plans)
            self.state = replace(self.state, editor=hand, week=found)
            self._undo_stack, self._redo_stack = [], []
            self._add_version(told)

    def _save(self, state: BoardState, message: str) -> None:
        """Write a scene's week with a line of history; on failure everything stays as it was."""
        when = f"{dt.datetime.now():%Y-%m-%d %H:%M}"  # noqa: DTZ005 - the clock on the wall
        week = replace(state.week, history=(*self.state.week.history, (when, message)))
        hand = replace(state.editor, before=week)
        try:
            self._known_digest = self._write(week, state)
        except OutputError as error:
            self.save_problem = str(error)
            raise
        self.save_problem = ""
        self.state = replace(state, editor=hand, week=week)
        self._add_version(message)

    def _write(self, week: Week, state: BoardState) -> FileDigest:
        """Write a scene's table of tasked places and its week; both or none."""
        before = self.state
        if (
            state.tasked_table is None
            or before.tasked_table is None
            or state.tasked_table == before.tasked_table
        ):
            return self.store.save(week, before.week)
        state.tasked_table.overwrite(before.tasked_table)
        with ExitStack() as put_back:  # whatever goes wrong
            put_back.callback(before.tasked_table.overwrite, state.tasked_table)
            seen = self.store.save(week, before.week)
            put_back.pop_all()
        return seen

    def mark_written(self) -> None:
        """Note that the board itself wrote the week's folder."""
        self._known_digest = self.store.read_digest()

    def _add_version(self, message: str) -> None:
        self.version += 1
        self._version_messages.append(message)


def open_session(config: Path, folder: Path, start: dt.date | None = None) -> BoardSession:
    """Open the week of a folder, or plan one and write it there.

    Parameters
    ----------
    config
        The settings file.
    folder
        The week's folder, as `patrolplan week --out` writes it.
    start
        A day of the week to plan where the folder holds none; by default next Monday.

    Raises
    ------
    InputError
        When the inputs cannot be used, or the folder holds another week than the one asked for.
    OutputError
        When the folder cannot be written.
    """
    check_folder(folder)
    there = (folder / WEEK_FILE).is_file()
    days = (
        read_week_entry(folder).days
        if there
        else list_school_days(start or next_monday(dt.date.today()))  # noqa: DTZ011 - of this desk
    )
    if there and start is not None and start not in days:
        what = f"holds the week from {days[0]}, not the one of {start}"
        raise InputError.one(folder, what, "name another folder with --week, or leave --from out")
    with report_stage("Reading"):
        area = load_area(config)
    check_officers(area)
    with report_stage("Estimating risk"):
        risk = estimate_risk(area)
        hotspots = find_hotspots(area, risk)
    with report_stage("Planning patrols"):
        plans = plan_days(area, risk, hotspots, days)
    return start_session(PlannedArea(area, risk, hotspots, plans), folder)


def start_session(planned_area: PlannedArea, folder: Path) -> BoardSession:
    """The board on a ground that is planned, with the week of a folder or a new one."""
    store = WeekStore(folder)
    if (folder / WEEK_FILE).is_file():
        week = read_week(folder, planned_area.area, planned_area.plans)
    else:
        with report_stage("Choosing the week"):
            first = planned_area.days[0]
            delivered = load_delivered_before(planned_area.area, planned_area.hotspots, first)
            week = plan_week(
                planned_area.area, planned_area.plans, start=first, delivered=delivered
            )
        store.create(week)
    hand = WeekEditor.from_week(week, planned_area.area, planned_area.plans)
    return BoardSession(
        BoardState(planned_area, hand, week, TaskedTable.from_settings(planned_area.area.settings)),
        store,
    )


def next_monday(today: dt.date) -> dt.date:
    """The Monday after a day.

    Examples
    --------
    >>> next_monday(dt.date(2026, 11, 27)).isoformat()
    '2026-11-30'
    """
    return today + dt.timedelta(days=7 - today.weekday())
