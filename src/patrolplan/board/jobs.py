"""Slow work of the board, in its own threads; a week is solved in a process that can be stopped."""

import multiprocessing
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from threading import Event, Lock, Thread
from typing import Any

from patrolplan.errors import PatrolplanError
from patrolplan.team.draw import make_draw_key
from patrolplan.team.obstacle_finder import check_locks_and_bans
from patrolplan.team.problem import RotaProblem
from patrolplan.team.rota import build_drawn_week
from patrolplan.team.rota_inputs import RotaInputs
from patrolplan.team.solve import RotaSolution, solve_rota
from patrolplan.team.week import Week
from patrolplan.team.week_editor import WeekEditor

POLL_SECONDS = 0.1


class BusyError(PatrolplanError, OSError):
    """The board is busy with a job that must end first."""


@dataclass(frozen=True)
class JobStatus:
    """The progress of a job, or how it ended."""

    kind: str = ""  # "solving", "planning" or "printing"; empty before the first
    running: bool = False
    seconds: float = 0.0
    message: str = ""  # what it does or did, in words
    problem: str = ""  # why it failed; empty when it did not


class BackgroundJob:
    """One job at a time, in its own thread."""

    def __init__(self) -> None:
        self._began = 0.0
        self._lock = Lock()
        self._thread: Thread | None = None
        self.status = JobStatus()

    def start(self, kind: str, description: str, action: Callable[[], str]) -> None:
        """Begin; `action` returns what was done, in words. Raises BusyError while one runs."""
        with self._lock:
            if self.status.running:
                message = f"{self.status.message}: wait until it is done, or cancel it"
                raise BusyError(message)
            self._began = time.monotonic()
            self.status = JobStatus(kind, running=True, message=description)
            self._thread = Thread(target=self._run, args=(action,), name=kind, daemon=True)
            self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end, up to a time limit."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, action: Callable[[], str]) -> None:
        problem = message = ""
        try:
            message = action()
        except PatrolplanError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - the board goes on; the terminal says more
            traceback.print_exc()
            what = f"the board failed ({type(error).__name__})"
            problem = f"{what}; the window in which it was started says more"
        status = JobStatus(self.status.kind, message=message or problem, problem=problem)
        self.status = replace(status, seconds=self.document()["seconds"])

    def document(self) -> dict[str, Any]:
        """The progress, with the seconds so far, for the page."""
        status, seconds = self.status, round(time.monotonic() - self._began, 1)
        return asdict(status) | ({"seconds": seconds} if status.running else {})


@dataclass(frozen=True, eq=False)
class Proposal:
    """A solved week that has not been accepted yet."""

    inputs: RotaInputs  # what it was solved from: void once locks, bans or routes change
    week: Week


def solve_week(editor: WeekEditor, week: Week, cancel: Event, *, draw_again: bool) -> Proposal:
    """A week drawn, by the same draw or the next, among those of most worth with locks and bans."""
    area = editor.inputs.area
    number = (1 if week.draw is None else week.draw.number) + int(draw_again)
    key = make_draw_key(area, week.days[0], number)
    inputs = _drop_unplanned(editor)
    check_locks_and_bans(inputs)
    best = _solve_in_process(inputs.problem, area.settings.seed, cancel)
    drawn = build_drawn_week(inputs, best, key)
    # Patrols that are locked keep their walk as it was handed out.
    locked = {duty.slot: duty for duty in week.duties if editor.find_lock(duty) is not None}
    duties = [replace(locked.get(duty.slot, duty), crew=duty.crew) for duty in drawn.duties]
    proposed = editor.build_week(duties, bound=best.bound)
    more = {name: getattr(drawn, name) for name in ("status", "draw", "foreseen")}
    return Proposal(editor.inputs, replace(proposed, **more))


def _drop_unplanned(editor: WeekEditor) -> RotaInputs:
    """The options without patrols that are no longer in the plan, except those that are locked."""
    inputs = editor.inputs
    locks = {duty: editor.find_lock(duty) for duty in inputs.held}
    if not locks:
        return inputs
    kept = tuple(lock for lock in inputs.locks if lock not in locks.values())
    held = tuple(duty for duty, lock in locks.items() if lock is not None)
    return replace(inputs, held=held, locks=kept)


def _solve_in_process(problem: RotaProblem, seed: int, cancel: Event) -> RotaSolution:
    """Solve in a process, which unlike a thread can be stopped at any time."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    worker = context.Process(target=_run_solver, args=(theirs, problem, seed), daemon=True)
    worker.start()
    theirs.close()
    message = "planning found no week; the week is unchanged"
    try:
        while not ours.poll(POLL_SECONDS):
            if cancel.is_set():
                message = "cancelled; the week is unchanged"
                raise PatrolplanError(message)
        solution: RotaSolution = ours.recv()
    except EOFError:  # it failed, or was killed
        raise PatrolplanError(message) from None
    finally:
        ours.close()
        worker.kill()
        worker.join()
    return solution


def _run_solver(answer: Connection, problem: RotaProblem, seed: int) -> None:
    answer.send(solve_rota(problem, seed=seed))
