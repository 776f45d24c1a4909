"""The week on the board: one state that all windows share, saved at every change."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any

from patrolplan.atomic import UNDO_FILE, WEEK_FILE, hash_content
from patrolplan.board.board_state import BoardState, PlannedArea
from patrolplan.board.csv_table import READERS, CsvTable
from patrolplan.board.edits import apply_change, describe_difference
from patrolplan.board.undo_file import (
    SnapshotMaker,
    UndoOrigin,
    UndoStep,
    format_undo_file,
    restore_state,
)
from patrolplan.board.week_store import WeekStore
from patrolplan.errors import OutputError, PatrolplanError
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.team.ledger.dose_history import load_delivered_before
from patrolplan.team.rota import plan_week, walk_new_patrols
from patrolplan.team.week_editor import InvalidEditError, WeekEditor
from patrolplan.team.week_file import read_week

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from patrolplan.board.requests import WeekChange
    from patrolplan.team.week import Foreseen, Week


__all__ = ["BoardState", "ConflictError", "PlannedArea", "SharedWeek", "open_shared_week"]

MAX_UNDO_STEPS = 200
"""Maximum number of changes that can be undone; fewer after the board was started again."""
NOT_UNDONE = "what was changed before the board was started cannot be undone"


class ConflictError(PatrolplanError):
    """The week was changed elsewhere in the meantime; `by_others` describes it."""

    def __init__(self, by_others: list[str]) -> None:
        super().__init__("changed")
        self.by_others = by_others


class SharedWeek:
    """The week that all windows of the board share, with its history.

    Every method may be called from any thread. A page names the version that it shows; a change to
    any other version is refused with `ConflictError`. One that the rules do not allow raises
    `InvalidEditError`, one that cannot be saved `OutputError`; then nothing is changed.
    """

    def __init__(self, state: BoardState, store: WeekStore) -> None:
        self.store = store
        self.lock = RLock()
        self.state = state
        self.version = 1
        self.save_problem = ""
        self._known_digest = store.read_digest()
        self._snapshots = SnapshotMaker()
        self._snapshot = self._snapshots.take(store.read_week_files(), state.tables)
        self._undo_stack: list[UndoStep] = []
        self._redo_stack: list[UndoStep] = []
        self._version_messages: list[str] = [""]  # what made each version, from version 1 on
        self.undo_note = self._load_steps()
        """Why nothing can be undone after a start; empty if it can, or if nothing was changed."""

    def _load_steps(self) -> str:
        """Take over what the last board left to undo; returns why it cannot be undone."""
        content = self.store.read_undo_file()
        if content is None:
            gone = f"{NOT_UNDONE}: the week was written again outside the board"
            return gone if self.state.week.history else ""
        try:
            origin, undo, redo = self._snapshots.read(content)
        except ValueError as error:
            return f"{NOT_UNDONE}: {UNDO_FILE} {error}"
        present = self._find_origin(self._known_digest, self.state)
        if origin.week != present.week:
            return f"{NOT_UNDONE}: the week was changed outside the board"
        if origin.data != present.data:
            return f"{NOT_UNDONE}: data, settings or version have changed"
        self._undo_stack, self._redo_stack = undo, redo
        return ""

    @staticmethod
    def _find_origin(digest: str, state: BoardState) -> UndoOrigin:
        provenance = compute_area_provenance(state.planned_area.area)
        return UndoOrigin(digest, compute_short_id(provenance))

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""
        return bool(self._undo_stack)

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to make again."""
        return bool(self._redo_stack)

    def change(self, version: int, change: WeekChange) -> str:
        """Make a change and save it; returns what was done, in words."""

        def edit(state: BoardState) -> tuple[BoardState, str]:
            result = apply_change(change, state.editor, state.week)
            week = walk_new_patrols(result.editor.inputs, state.week, result.week)
            return replace(state, editor=result.editor, week=week), result.message

        return self.apply_step(version, edit)

    def apply_step(
        self, version: int, build_state: Callable[[BoardState], tuple[BoardState, str]]
    ) -> str:
        """Replace the state by one built from it, and save it."""
        with self.lock, self.store.lock_folder():
            self.check_version(version)
            before = self.state
            after, message = build_state(before)
            step = UndoStep(message, self._snapshot, before)
            self._save(after, message, [*self._undo_stack, step][-MAX_UNDO_STEPS:], [])
            return message

    def apply_outside_history(self, version: int, action: Callable[[BoardState], str]) -> str:
        """Do something that is not part of the week's file: a new version that cannot be undone."""
        with self.lock:
            self.check_version(version)
            message = action(self.state)
            self._add_version(message)
            return message

    def undo(self, version: int) -> str:
        """Undo the last change."""
        with self.lock, self.store.lock_folder():
            step, here = self._find_step(version, self._undo_stack, "undo")
            message = f"Undone: {step.message}"
            undo, redo = self._undo_stack[:-1], [*self._redo_stack, here]
            self._save(self._restore(step), message, undo, redo)
            return message

    def redo(self, version: int) -> str:
        """Make the change again that was undone last."""
        with self.lock, self.store.lock_folder():
            step, here = self._find_step(version, self._redo_stack, "redo")
            message = f"Redone: {step.message}"
            undo, redo = [*self._undo_stack, here], self._redo_stack[:-1]
            self._save(self._restore(step), message, undo, redo)
            return message

    def _find_step(
        self, version: int, stack: Sequence[UndoStep], action: str
    ) -> tuple[UndoStep, UndoStep]:
        """The last step of one stack, and the present one, which goes on the other."""
        self.check_version(version)
        if not stack:
            message = f"there is nothing to {action}"
            raise InvalidEditError(message)
        return stack[-1], UndoStep(stack[-1].message, self._snapshot, self.state)

    def _restore(self, step: UndoStep) -> BoardState:
        return restore_state(self.state, step.snapshot) if step.state is None else step.state

    def check_version(self, version: int) -> None:
        """Raise where the page does not show the last change, made here or outside the board."""
        self.reload_if_changed()
        if version != self.version:
            first = min(max(version, 0), len(self._version_messages))
            raise ConflictError([text for text in self._version_messages[first:] if text])

    def reload_if_changed(self) -> None:
        """Read the week again if it was written outside the board."""
        with self.lock:
            digest = self.store.read_digest()
            if digest == self._known_digest:
                return
            planned, before = self.state.planned_area, self.state.week
            try:
                week = read_week(self.store.folder, planned.area, planned.plans)
                same_days = week.days == before.days
                message = f"Changed outside the board: {describe_difference(before, week)}"
            except PatrolplanError as error:
                same_days, message = False, str(error)
            if not same_days:
                self.save_problem = (
                    f"{self.store.folder} holds a different week from the one on the board; "
                    f"start the board again ({message})"
                )
                raise OutputError(self.save_problem)
            self._known_digest = digest
            editor = WeekEditor.from_week(week, planned.area, planned.plans)
            self.state = replace(self.state, editor=editor, week=week)
            self._snapshot = self._snapshots.take(self.store.read_week_files(), self.state.tables)
            self._undo_stack, self._redo_stack = [], []
            self._add_version(message)

    def _save(
        self, state: BoardState, message: str, undo: list[UndoStep], redo: list[UndoStep]
    ) -> None:
        """Write a state's week with a line of history, and what can be undone and redone then.

        On failure everything stays as it was.
        """
        when = f"{dt.datetime.now():%Y-%m-%d %H:%M}"  # noqa: DTZ005 - the clock on the wall
        week = replace(state.week, history=(*self.state.week.history, (when, message)))
        editor = replace(state.editor, before=week)
        self._write_state(replace(state, editor=editor, week=week), undo, redo)
        self._add_version(message)

    def _write_state(self, state: BoardState, undo: list[UndoStep], redo: list[UndoStep]) -> None:
        """Write a state and its steps, and make it the present one."""
        snapshot = self._snapshot

        def format_steps(files: Mapping[str, bytes]) -> bytes:
            nonlocal snapshot
            snapshot = self._snapshots.take(files, state.tables)
            origin = self._find_origin(hash_content(files[WEEK_FILE]), state)
            return format_undo_file(origin, undo, redo)

        try:
            self._known_digest = self._write(state.week, state.tables, format_steps)
        except OutputError as error:
            self.save_problem = str(error)
            raise
        self.save_problem = ""
        self.undo_note = ""
        self.state = state
        self._snapshot, self._undo_stack, self._redo_stack = snapshot, undo, redo

    def _write(
        self,
        week: Week,
        tables: Mapping[str, CsvTable],
        format_steps: Callable[[Mapping[str, bytes]], bytes],
    ) -> str:
        """Write the tables and a week, all or none; returns the week's digest."""
        with ExitStack() as undo:
            for source, old in self.state.tables.items():
                table = tables.get(source, old)
                if table != old:
                    table.overwrite(old)
                    undo.callback(old.overwrite, table)
            digest = self.store.save(week, self.state.week, format_steps)
            undo.pop_all()
        return digest

    def note_foreseen(self, counted: BoardState, foreseen: Foreseen) -> None:
        """Save how well the week is foreseen, as long as it is the one that was counted."""
        self._note(counted, foreseen=foreseen)

    def note_bound(self, searched: BoardState, bound: float, *, is_proven: bool) -> None:
        """Save the bound on all weeks, as long as it is still the week that was searched."""
        status = "optimal" if is_proven else searched.week.status
        self._note(searched, bound=min(bound, searched.week.bound), status=status)

    def _note(self, searched: BoardState, **facts: Any) -> None:  # noqa: ANN401 - fields of a week
        """Save what was found out about the patrols of a state, as long as they are the week's.

        That is no change of the week: neither a version nor a step to undo.
        """
        with self.lock, self.store.lock_folder():
            self.reload_if_changed()
            if self.state.week.duties is not searched.week.duties:
                return
            week = replace(self.state.week, **facts)
            self._write_state(
                replace(self.state, editor=replace(self.state.editor, before=week), week=week),
                self._undo_stack,
                self._redo_stack,
            )

    def mark_written(self) -> None:
        """Note that the board itself wrote the week's folder."""
        self._known_digest = self.store.read_digest()

    def _add_version(self, message: str) -> None:
        self.version += 1
        self._version_messages.append(message)


def open_shared_week(planned_area: PlannedArea, folder: Path) -> SharedWeek:
    """The board for a planned area, with the week of a folder, or a new one that is saved there.

    Raises InputError when the week in the folder cannot be used, OutputError when the folder
    cannot be written.
    """
    store = WeekStore(folder)
    area, plans = planned_area.area, planned_area.plans
    if (folder / WEEK_FILE).is_file():
        week = read_week(folder, area, plans)
    else:
        first = next(iter(plans))
        delivered = load_delivered_before(area, planned_area.hotspots, first)
        week = plan_week(area, plans, start=first, delivered=delivered)
        store.create(week)
    editor = WeekEditor.from_week(week, area, plans)
    found = {source: CsvTable.from_settings(area.settings, source) for source in READERS}
    tables = {source: table for source, table in found.items() if table is not None}
    return SharedWeek(BoardState(planned_area, editor, week, tables), store)
