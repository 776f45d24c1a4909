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
from patrolplan.board.edits import difference, done
from patrolplan.board.tasking import Sheet
from patrolplan.board.week_store import Store
from patrolplan.errors import InputError, OutputError, PatrolplanError
from patrolplan.hotspots.find import find_hotspots
from patrolplan.outputs.output_folder import check_folder
from patrolplan.risk.estimate import estimate_risk
from patrolplan.team.day_plans import plan_days
from patrolplan.team.ledger.monthly_return import doses_before
from patrolplan.team.ledger.promised import WEEK_FILE
from patrolplan.team.rota import check_officers, plan_week
from patrolplan.team.week import school_week
from patrolplan.team.week_editor import CannotBeError, Hand
from patrolplan.team.week_file import read_week, week_entry
from patrolplan.terminal import stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.board.edits import Done
    from patrolplan.board.requests import ByHandChange
    from patrolplan.board.week_store import Seen
    from patrolplan.patrols.plan import Plan
    from patrolplan.risk.surface import Risk
    from patrolplan.team.week import Week


@dataclass(frozen=True, eq=False)
class Ground:
    """Area, risk, hotspots and the plan of each day, as they are now."""

    area: StudyArea
    risk: Risk
    hotspots: gpd.GeoDataFrame
    plans: Mapping[dt.date, Plan]

    @property
    def days(self) -> tuple[dt.date, ...]:
        """The days that are planned."""
        return tuple(self.plans)


LONGEST_PAST = 200
"""Changes that can be undone."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The board at one moment; never changed, only followed by another."""

    ground: Ground
    hand: Hand
    week: Week
    sheet: Sheet | None = None
    """The table of tasked places that the ground was planned with."""


class ConflictError(PatrolplanError):
    """Somebody else changed the week in the meantime; `by_others` says what."""

    def __init__(self, by_others: list[str]) -> None:
        super().__init__("changed")
        self.by_others = by_others


class Desk:
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

    def __init__(self, scene: Scene, store: Store) -> None:
        self.store = store
        self.lock = RLock()
        self.scene = scene
        self.version = 1
        self.save_problem = ""
        self._seen = store.seen()
        self._past: list[tuple[Scene, str]] = []
        self._future: list[tuple[Scene, str]] = []
        self._said: list[str] = [""]  # what made each version, from version 1 on

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to make again."""
        return bool(self._future)

    def check(self, change: ByHandChange) -> Done:
        """What a change would come to; nothing changes.

        Raises
        ------
        CannotBeError
            When it cannot be, with the reason.
        """
        scene = self.scene
        return done(change, scene.hand, scene.week)

    def change(self, version: int, change: ByHandChange) -> str:
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

        def made(scene: Scene) -> tuple[Scene, str]:
            found = done(change, scene.hand, scene.week)
            return replace(scene, hand=found.hand, week=found.week), found.said

        return self.enter(version, made)

    def follow(self, scene: Scene, said: str) -> None:
        """Save a scene and go on from it; the one before can be had back."""
        before = self.scene
        self._save(scene, said)
        self._past = [*self._past[-LONGEST_PAST:], (before, said)]
        self._future = []

    def enter(self, version: int, do: Callable[[Scene], tuple[Scene, str]]) -> str:
        """Go on to a scene that a call makes of the present one, and save it; as `change`."""
        with self.lock, self.store.turn():
            self.check_version(version)
            scene, said = do(self.scene)
            self.follow(scene, said)
            return said

    def tell(self, version: int, do: Callable[[Scene], str]) -> str:
        """Do something that the week's own file does not hold; a version of its own, no undoing."""
        with self.lock:
            self.check_version(version)
            said = do(self.scene)
            self._next(said)
            return said

    def undo(self, version: int) -> str:
        """Take the last change back, see `change` for what may be raised."""
        with self.lock, self.store.turn():
            self.check_version(version)
            if not self._past:
                message = "there is nothing to undo"
                raise CannotBeError(message)
            scene, said = self._past[-1]
            before = self.scene
            told = f"Undone: {said}"
            self._save(scene, told)
            self._past.pop()
            self._future.append((before, said))
            return told

    def redo(self, version: int) -> str:
        """Make a change again that was taken back, see `change` for what may be raised."""
        with self.lock, self.store.turn():
            self.check_version(version)
            if not self._future:
                message = "there is nothing to do again"
                raise CannotBeError(message)
            scene, said = self._future[-1]
            before = self.scene
            told = f"Done again: {said}"
            self._save(scene, told)
            self._future.pop()
            self._past.append((before, said))
            return told

    def check_version(self, version: int) -> None:
        """Raise where the page does not know what happened last, here or outside the board."""
        self.look()
        if version != self.version:
            begin = min(max(version, 0), len(self._said))
            raise ConflictError([said for said in self._said[begin:] if said])

    def look(self) -> None:
        """Take over a week that was written outside the board since."""
        with self.lock:
            seen = self.store.seen()
            if seen == self._seen:
                return
            ground, before = self.scene.ground, self.scene.week
            try:
                found = read_week(self.store.folder, ground.area, ground.plans)
                known = found.days == before.days
                told = f"Changed outside the board: {difference(before, found)}"
            except PatrolplanError as error:
                known, told = False, str(error)
            if not known:
                self.save_problem = (
                    f"{self.store.folder} holds another week than the one on the board; "
                    f"start the board again ({told})"
                )
                raise OutputError(self.save_problem)
            self._seen = seen
            hand = Hand.on(found, ground.area, ground.plans)
            self.scene = replace(self.scene, hand=hand, week=found)
            self._past, self._future = [], []
            self._next(told)

    def _save(self, scene: Scene, said: str) -> None:
        """Write a scene's week with a line of history; on failure everything stays as it was."""
        when = f"{dt.datetime.now():%Y-%m-%d %H:%M}"  # noqa: DTZ005 - the clock on the wall
        week = replace(scene.week, history=(*self.scene.week.history, (when, said)))
        hand = replace(scene.hand, before=week)
        try:
            self._seen = self._write(week, scene)
        except OutputError as error:
            self.save_problem = str(error)
            raise
        self.save_problem = ""
        self.scene = replace(scene, hand=hand, week=week)
        self._next(said)

    def _write(self, week: Week, scene: Scene) -> Seen:
        """Write a scene's table of tasked places and its week; both or none."""
        before = self.scene
        if scene.sheet is None or before.sheet is None or scene.sheet == before.sheet:
            return self.store.save(week, before.week)
        scene.sheet.write_over(before.sheet)
        with ExitStack() as put_back:  # whatever goes wrong
            put_back.callback(before.sheet.write_over, scene.sheet)
            seen = self.store.save(week, before.week)
            put_back.pop_all()
        return seen

    def wrote(self) -> None:
        """Note that the board itself wrote the week's folder."""
        self._seen = self.store.seen()

    def _next(self, said: str) -> None:
        self.version += 1
        self._said.append(said)


def opened(config: Path, folder: Path, start: dt.date | None = None) -> Desk:
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
    days = week_entry(folder).days if there else school_week(start or next_monday(dt.date.today()))  # noqa: DTZ011 - the day on the wall
    if there and start is not None and start not in days:
        what = f"holds the week from {days[0]}, not the one of {start}"
        raise InputError.one(folder, what, "name another folder with --week, or leave --from out")
    with stage("Reading"):
        area = load_area(config)
    check_officers(area)
    with stage("Estimating risk"):
        risk = estimate_risk(area)
        hotspots = find_hotspots(area, risk)
    with stage("Planning patrols"):
        plans = plan_days(area, risk, hotspots, days)
    return desk_on(Ground(area, risk, hotspots, plans), folder)


def desk_on(ground: Ground, folder: Path) -> Desk:
    """The board on a ground that is planned, with the week of a folder or a new one."""
    store = Store(folder)
    if (folder / WEEK_FILE).is_file():
        week = read_week(folder, ground.area, ground.plans)
    else:
        with stage("Choosing the week"):
            first = ground.days[0]
            delivered = doses_before(ground.area, ground.hotspots, first)
            week = plan_week(ground.area, ground.plans, start=first, delivered=delivered)
        store.begin(week)
    hand = Hand.on(week, ground.area, ground.plans)
    return Desk(Scene(ground, hand, week, Sheet.of(ground.area.settings)), store)


def next_monday(today: dt.date) -> dt.date:
    """The Monday after a day.

    Examples
    --------
    >>> next_monday(dt.date(2026, 11, 27)).isoformat()
    '2026-11-30'
    """
    return today + dt.timedelta(days=7 - today.weekday())
