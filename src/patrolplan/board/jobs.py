"""What takes longer than a click: it runs beside the board, says how far it is, one at a time.

Solve again round the locks, in a process that can be ended at any moment.
"""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass, replace
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from patrolplan.board.edits import differences
from patrolplan.errors import PatrolplanError
from patrolplan.team.rota import check_hand, check_locks, week_of
from patrolplan.team.solve import RotaSolution, solve_rota
from patrolplan.team.week_editor import Hand, Options, post_of
from patrolplan.terminal import progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from threading import Event

    from patrolplan.team.problem import RotaProblem
    from patrolplan.team.week import Week


ALMOST = 0.95
"""A share is an estimate from how long it took before: it stops here until the work is done."""


class BusyError(PatrolplanError, OSError):
    """The board is at work on something that must end first."""


@dataclass(frozen=True)
class Progress:
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
    began: float = 0.0
    seconds: float = 0.0
    said: str = ""
    problem: str = ""


class Work:
    """One work at a time, in a thread of its own.

    Parameters
    ----------
    expected_seconds
        How long the first is thought to take, for the share told; later ones as the last one.
    """

    def __init__(self, expected_seconds: float = 5.0) -> None:
        self._expected = expected_seconds
        self._lock = Lock()
        self._now = Progress()
        self._thread: Thread | None = None

    @property
    def now(self) -> Progress:
        """How far it is."""
        return self._now

    def start(self, kind: str, said: str, do: Callable[[], str]) -> None:
        """Begin; `do` gives what was done, in words.

        Raises
        ------
        BusyError
            When the last one goes on.
        """
        with self._lock:
            if self._now.running:
                message = f"{self._now.said}: wait until it is done, or cancel it"
                raise BusyError(message)
            self._now = Progress(kind, running=True, began=time.monotonic(), said=said)
            self._thread = Thread(target=self._run, args=(do,), name=kind, daemon=True)
            self._thread.start()

    def say(self, said: str) -> None:
        """Tell what is going on now."""
        self._now = replace(self._now, said=said)

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, do: Callable[[], str]) -> None:
        problem = ""
        try:
            said = do()
        except PatrolplanError as error:
            said, problem = "", str(error)
        except Exception as error:  # noqa: BLE001 - the board goes on; the terminal says more
            progress.print_exception()
            said, problem = "", f"the board itself is at fault ({type(error).__name__})"
        seconds = time.monotonic() - self._now.began
        if not problem:
            self._expected = max(0.5, seconds)
        told = said or problem
        self._now = replace(self._now, running=False, seconds=seconds, said=told, problem=problem)

    def document(self) -> dict[str, Any]:
        """How far it is, for the page."""
        now = self._now
        seconds = time.monotonic() - now.began if now.running else now.seconds
        share = min(ALMOST, seconds / self._expected) if now.running else 1.0
        return {
            "kind": now.kind,
            "running": now.running,
            "seconds": round(seconds, 1),
            "share": round(share, 3),
            "said": now.said,
            "problem": now.problem,
        }


LOOK_SECONDS = 0.1
END_SECONDS = 0.5


class CancelledError(PatrolplanError):
    """Solving was cancelled."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """A week that was solved, not taken yet.

    Parameters
    ----------
    options
        What it was solved from: it is void once locks, bans or routes are others.
    week
        The week.
    """

    options: Options
    week: Week


def solved(hand: Hand, week: Week, cancel: Event) -> Proposal:
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
    options = _solvable(hand)
    check_hand(options.choice)
    check_locks(options.choice, options.problem)
    solution = _in_process(options.problem, hand.choice.area.settings.seed, cancel)
    found = week_of(options.choice, options.problem, solution)
    now = {(post_of(duty), hand.choice.route_of(duty.patrol)): duty for duty in week.duties}
    duties = [
        now.get((post_of(duty), hand.choice.route_of(duty.patrol)), duty) for duty in found.duties
    ]
    return Proposal(hand.options, hand.week(duties, bound=solution.bound))


def _solvable(hand: Hand) -> Options:
    """The options without patrols that the plan knows no more, but for those that are locked."""
    choice = hand.choice
    held = tuple(duty for duty in choice.held if hand.lock_of(duty) is not None)
    if held == choice.held == ():
        return hand.options
    theirs = [hand.lock_of(duty) for duty in held]
    locks = tuple(lock for lock in choice.locks if lock not in theirs)
    return Options(replace(choice, held=held, locks=locks))


def _in_process(problem: RotaProblem, seed: int, cancel: Event) -> RotaSolution:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    worker = context.Process(target=_work, args=(theirs, problem, seed), daemon=True)
    worker.start()
    theirs.close()
    try:
        while not ours.poll(LOOK_SECONDS):
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
        worker.join(END_SECONDS)
        if worker.is_alive():
            worker.kill()
    if not isinstance(answer, RotaSolution):
        message = "solving gave no week; the week is as it was"
        raise CancelledError(message)
    return answer


def _work(answer: Connection, problem: RotaProblem, seed: int) -> None:
    answer.send(solve_rota(problem, seed=seed))
    answer.close()


def gains(before: Week, after: Week) -> dict[str, float]:
    """What a proposal changes for the better or worse: signed differences."""
    worth = after.worth - before.worth
    return {
        "worth": worth,
        "worth_percent": 100 * worth / before.worth if before.worth else 0.0,
        "doses": _doses(after) - _doses(before),
        "short": len(after.short) - len(before.short),
        "patrols": len(after.duties) - len(before.duties),
        "cards": len(differences(before, after)),
    }


def _doses(week: Week) -> int:
    """Hotspots with a dose, over all days."""
    return len({(stop.hotspot, d.date) for d in week.duties for stop in d.patrol.stops})
