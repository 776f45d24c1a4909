"""The week on the board: one state that all windows share, saved at every change."""

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Literal

import geopandas as gpd

from patrolplan.area import StudyArea
from patrolplan.atomic import WEEK_FILE, lock_folder
from patrolplan.board.edits import apply_change
from patrolplan.board.requests import WeekChange
from patrolplan.board.table_changes import WRITABLE, CsvTable, read_area_table
from patrolplan.board.week_folder import WeekStore
from patrolplan.errors import OutputError, PatrolplanError
from patrolplan.outputs.output_folder import REMEDY
from patrolplan.patrols.plan import Plan
from patrolplan.provenance import compute_area_provenance, compute_short_id
from patrolplan.risk.surface import Risk
from patrolplan.team.calendar_state import follow_calendars
from patrolplan.team.day_plans import plan_days
from patrolplan.team.ledger.monthly_return import load_delivered_before
from patrolplan.team.rota import plan_week, walk_new_patrols
from patrolplan.team.week import Week
from patrolplan.team.week_editor import WeekEditor, refuse
from patrolplan.team.week_file import read_week
from patrolplan.team.week_records import HandChange

MAX_UNDO_STEPS = 200  # maximum number of changes that can be undone, until the board closes


@dataclass(frozen=True, eq=False)
class PlannedArea:
    """The inputs of the board's weeks: area, risk, hotspots and the plan of each day."""

    area: StudyArea
    risk: Risk
    hotspots: gpd.GeoDataFrame
    plans: Mapping[dt.date, Plan]


@dataclass(frozen=True, eq=False)
class BoardState:
    """The board at one moment; it never changes, the next state replaces it."""

    planned_area: PlannedArea
    editor: WeekEditor
    week: Week
    tables: Mapping[str, CsvTable] = field(default_factory=dict)  # written by the board, by source

    def with_week(self, week: Week) -> "BoardState":
        """Another week of this area, with an editor of its own."""
        planned = self.planned_area
        editor = WeekEditor.from_week(week, planned.area, planned.plans)
        return replace(self, editor=editor, week=week)

    def with_table(self, table: CsvTable) -> "BoardState":
        """Planned again where a changed table, not yet written, makes a difference."""
        before, week = self.planned_area, self.week
        area = read_area_table(before.area, table)
        plans = plan_days(area, before.risk, before.hotspots, [*before.plans], earlier=before.plans)
        # Made from the present tables; one of other data or settings stays so.
        origin = compute_short_id(compute_area_provenance(before.area))
        if compute_short_id(week.created_from) == origin:
            week = replace(week, created_from=compute_area_provenance(area))
        return replace(
            self,
            planned_area=replace(before, area=area, plans=plans),
            week=week,
            tables={**self.tables, table.source: table},
        )


class ConflictError(PatrolplanError):
    """The week was changed elsewhere in the meantime; `by_others` describes it."""

    def __init__(self, by_others: list[str]) -> None:
        super().__init__("changed")
        self.by_others = by_others


class SharedWeek:
    """The week that all windows of the board share; methods may be called from any thread."""

    def __init__(self, state: BoardState, store: WeekStore) -> None:
        self.store = store
        self.lock = RLock()
        self.state = state
        self.version = 1
        self.save_problem = ""
        self.known_digest = store.read_digest()  # of the week as the board itself wrote it
        self.undo_stack: list[tuple[str, BoardState]] = []  # a change, and the state before
        self.redo_stack: list[tuple[str, BoardState]] = []
        self._version_messages: list[str] = [""]  # what made each version, from version 1 on

    def change(self, version: int, change: WeekChange) -> str:
        """Make a change and save it; returns what was done, in words."""

        def edit(state: BoardState) -> tuple[BoardState, str]:
            editor, week, message = apply_change(change, state.editor, state.week)
            week = walk_new_patrols(editor.inputs, state.week, week)
            return replace(state, editor=editor, week=week), message

        return self.apply_step(version, edit)

    def apply_step(
        self, version: int, build_state: Callable[[BoardState], tuple[BoardState, str]]
    ) -> str:
        """Replace the state by one built from it, and save it."""
        with self.lock, lock_folder(self.store.folder, REMEDY):
            self.check_version(version)
            before = self.state
            after, message = build_state(before)
            self._save(after, message)
            self.undo_stack = [*self.undo_stack, (message, before)][-MAX_UNDO_STEPS:]
            self.redo_stack.clear()
            return message

    def step_back(self, version: int, action: Literal["undo", "redo"]) -> str:
        """Undo the last change, or make the one again that was undone last."""
        with self.lock, lock_folder(self.store.folder, REMEDY):
            self.check_version(version)
            stacks = (self.undo_stack, self.redo_stack)
            taken, given = stacks if action == "undo" else stacks[::-1]
            if not taken:
                refuse(f"there is nothing to {action}")
            present, (done, state) = self.state, taken[-1]
            message = f"{action.capitalize()}ne: {done}"
            self._save(state, message)
            taken.pop()
            given.append((done, present))
            return message

    def read(self, version: int) -> "BoardState":
        """The state, where the page shows the last change."""
        with self.lock:
            self.check_version(version)
            return self.state

    def check_version(self, version: int) -> None:
        """Raise where the page does not show the last change, or another program made one."""
        self.check_folder()
        if version != self.version:
            first = min(max(version, 0), len(self._version_messages))
            raise ConflictError([text for text in self._version_messages[first:] if text])

    def check_folder(self) -> None:
        """Raise if the week was written outside the board: what is there is never overwritten."""
        with self.lock:
            if self.store.read_digest() != self.known_digest:
                what = "holds another week than the board, written by another program"
                self.save_problem = f"{self.store.folder} {what}; start the board again"
                raise OutputError(self.save_problem)

    def _save(self, state: BoardState, message: str) -> None:
        """Write a state's week with a line of history; on failure everything stays as it was."""
        when = f"{dt.datetime.now():%Y-%m-%d %H:%M}"  # noqa: DTZ005 - the clock on the wall
        week = replace(state.week, history=(*self.state.week.history, HandChange(when, message)))
        week = follow_calendars(week, self.state.week)
        try:
            with ExitStack() as undo:  # the tables and the week are written, all or none
                for source, old in self.state.tables.items():
                    table = state.tables.get(source, old)
                    if table != old:
                        table.overwrite(old)
                        undo.callback(old.overwrite, table)
                self.known_digest = self.store.save(week, self.state.week)
                undo.pop_all()
        except OutputError as error:
            self.save_problem = str(error)
            raise
        self.save_problem = ""
        self.state = replace(state, editor=replace(state.editor, before=week), week=week)
        self.add_version(message)

    def add_version(self, message: str) -> None:
        """Note that something changed; what is not in the week's file cannot be undone."""
        self.version += 1
        self._version_messages.append(message)


def open_shared_week(planned_area: PlannedArea, folder: Path) -> SharedWeek:
    """The board for a planned area, with the week of a folder, or a new one that is saved there."""
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
    found = {source: CsvTable.from_settings(area.settings, source) for source in WRITABLE}
    tables = {source: table for source, table in found.items() if table is not None}
    return SharedWeek(BoardState(planned_area, editor, week, tables), store)
