"""Solve again round the locks, in a process that can be ended at any moment."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from patrolplan.board.words import differences
from patrolplan.errors import PatrolplanError
from patrolplan.team.byhand import Hand
from patrolplan.team.byhand import Options
from patrolplan.team.byhand import post_of
from patrolplan.team.hand_checks import check_hand
from patrolplan.team.rota import check_locks
from patrolplan.team.rota import week_of
from patrolplan.team.solve import RotaSolution
from patrolplan.team.solve import solve_rota

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from threading import Event

    from patrolplan.team.problem import RotaProblem
    from patrolplan.team.week import Week

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
