"""What takes longer than a click: it runs beside the board, says how far it is, one at a time.

Solve again round the locks, in a process that can be ended at any moment.
"""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass, replace
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from patrolplan.board.edits import list_differences
from patrolplan.errors import PatrolplanError
from patrolplan.team.reasons import check_locks, check_locks_and_bans
from patrolplan.team.rota import build_week
from patrolplan.team.solve import RotaSolution, solve_rota
from patrolplan.team.week_editor import WeekEditor, get_slot
from patrolplan.terminal import stderr_console

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from threading import Event

    from patrolplan.team.problem import RotaProblem
    from patrolplan.team.rota_inputs import RotaInputs
    from patrolplan.team.week import Week


MAX_RUNNING_SHARE = 0.95
"""A share is an estimate from how long it took before: it stops here until the work is done."""


class BusyError(PatrolplanError, OSError):
    """The board is at work on something that must end first."""


@dataclass(frozen=True)
class JobStatus:
    """How far a work is.

    Parameters
    ----------
    kind
        "solving", "planning" or "printing"; empty before the first.
    running
        Whether it goes on.
    began
        When, as `time.monotonic` tells it.
    seconds
        How long it took, once it has ended.
    said
        What it does or did, in words.
    problem
        Why it failed; empty when it did not.
    """

    kind: str = ""
    running: bool = False
    started_at: float = 0.0
    seconds: float = 0.0
    message: str = ""
    problem: str = ""


class BackgroundJob:
    """One work at a time, in a thread of its own.

    Parameters
    ----------
    expected_seconds
        How long the first is thought to take, for the share told; later ones as the last one.
    """

    def __init__(self, expected_seconds: float = 5.0) -> None:
        self._expected = expected_seconds
        self._lock = Lock()
        self._status = JobStatus()
        self._thread: Thread | None = None

    @property
    def status(self) -> JobStatus:
        """How far it is."""
        return self._status

    def start(self, kind: str, description: str, action: Callable[[], str]) -> None:
        """Begin; `do` gives what was done, in words.

        Raises
        ------
        BusyError
            When the last one goes on.
        """
        with self._lock:
            if self._status.running:
                message = f"{self._status.message}: wait until it is done, or cancel it"
                raise BusyError(message)
            self._status = JobStatus(
                kind, running=True, started_at=time.monotonic(), message=description
            )
            self._thread = Thread(target=self._run, args=(action,), name=kind, daemon=True)
            self._thread.start()

    def say(self, said: str) -> None:
        """Tell what is going on now."""
        self._status = replace(self._status, message=said)

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, action: Callable[[], str]) -> None:
        problem = ""
        try:
            said = action()
        except PatrolplanError as error:
            said, problem = "", str(error)
        except Exception as error:  # noqa: BLE001 - the board goes on; the terminal says more
            stderr_console.print_exception()
            said, problem = "", f"the board itself is at fault ({type(error).__name__})"
        seconds = time.monotonic() - self._status.started_at
        if not problem:
            self._expected = max(0.5, seconds)
        told = said or problem
        self._status = replace(
            self._status, running=False, seconds=seconds, message=told, problem=problem
        )

    def document(self) -> dict[str, Any]:
        """How far it is, for the page."""
        now = self._status
        seconds = time.monotonic() - now.started_at if now.running else now.seconds
        share = min(MAX_RUNNING_SHARE, seconds / self._expected) if now.running else 1.0
        return {
            "kind": now.kind,
            "running": now.running,
            "seconds": round(seconds, 1),
            "share": round(share, 3),
            "said": now.message,
            "problem": now.problem,
        }


POLL_SECONDS = 0.1
JOIN_SECONDS = 0.5


class CancelledError(PatrolplanError):
    """Solving was cancelled."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """A week that was solved, not taken yet.

    Parameters
    ----------
    inputs
        What it was solved from: it is void once locks, bans or routes are others.
    week
        The week.
    """

    inputs: RotaInputs
    week: Week


def solve_week(editor: WeekEditor, week: Week, cancel: Event) -> Proposal:
    """The week of most worth that keeps locks and bans.

    Parameters
    ----------
    hand
        What the week may become.
    week
        The week as it stands: patrols that stay the same keep their walk as it was handed out.
    cancel
        Set to stop.

    Raises
    ------
    CancelledError
        When it was stopped.
    InputError
        When the locks cannot be fulfilled together.
    """
    inputs = _drop_unplanned(editor)
    check_locks_and_bans(inputs)
    check_locks(inputs)
    solution = _solve_in_process(inputs.problem, editor.inputs.area.settings.seed, cancel)
    found = build_week(inputs, inputs.problem, solution)
    now = {(get_slot(duty), editor.inputs.find_route(duty.patrol)): duty for duty in week.duties}
    duties = [
        now.get((get_slot(duty), editor.inputs.find_route(duty.patrol)), duty)
        for duty in found.duties
    ]
    return Proposal(editor.inputs, editor.build_week(duties, bound=solution.bound))


def _drop_unplanned(editor: WeekEditor) -> RotaInputs:
    """The options without patrols that the plan knows no more, but for those that are locked."""
    choice = editor.inputs
    held = tuple(duty for duty in choice.held if editor.find_lock(duty) is not None)
    if held == choice.held == ():
        return choice
    theirs = [editor.find_lock(duty) for duty in held]
    locks = tuple(lock for lock in choice.locks if lock not in theirs)
    return replace(choice, held=held, locks=locks)


def _solve_in_process(problem: RotaProblem, seed: int, cancel: Event) -> RotaSolution:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    worker = context.Process(target=_run_solver, args=(theirs, problem, seed), daemon=True)
    worker.start()
    theirs.close()
    try:
        while not ours.poll(POLL_SECONDS):
            if cancel.is_set():
                message = "cancelled; the week is as it was"
                raise CancelledError(message)
        answer = ours.recv()
    except EOFError:
        message = "solving broke off; the week is as it was"
        raise CancelledError(message) from None
    finally:
        ours.close()
        worker.terminate()
        worker.join(JOIN_SECONDS)
        if worker.is_alive():
            worker.kill()
    if not isinstance(answer, RotaSolution):
        message = "solving gave no week; the week is as it was"
        raise CancelledError(message)
    return answer


def _run_solver(answer: Connection, problem: RotaProblem, seed: int) -> None:
    answer.send(solve_rota(problem, seed=seed))
    answer.close()


def compute_gains(before: Week, after: Week) -> dict[str, float]:
    """What a proposal changes for the better or worse: signed differences."""
    worth = after.worth - before.worth
    return {
        "worth": worth,
        "worth_percent": 100 * worth / before.worth if before.worth else 0.0,
        "doses": _count_doses(after) - _count_doses(before),
        "short": len(after.short) - len(before.short),
        "patrols": len(after.duties) - len(before.duties),
        "cards": len(list_differences(before, after)),
    }


def _count_doses(week: Week) -> int:
    """Hotspots with a dose, over all days."""
    return len({(stop.hotspot, d.date) for d in week.duties for stop in d.patrol.stops})
