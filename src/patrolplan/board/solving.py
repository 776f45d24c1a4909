"""The week solved and drawn again around changes by hand, in a process that can be stopped."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from patrolplan.errors import PatrolplanError
from patrolplan.team.draw import make_draw_key
from patrolplan.team.obstacle_finder import check_locks_and_bans
from patrolplan.team.rota import build_drawn_week
from patrolplan.team.solve import RotaSolution, solve_rota
from patrolplan.team.week_editor import get_slot

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from threading import Event

    from patrolplan.team.problem import RotaProblem
    from patrolplan.team.rota_inputs import RotaInputs
    from patrolplan.team.week import Week
    from patrolplan.team.week_editor import WeekEditor


POLL_SECONDS = 0.1
JOIN_SECONDS = 0.5


class CancelledError(PatrolplanError):
    """Solving was cancelled."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """A solved week that has not been accepted yet."""

    inputs: RotaInputs
    """What it was solved from: once locks, bans or routes change, the proposal is void."""
    week: Week


def solve_week(
    editor: WeekEditor, week: Week, cancel: Event, *, draw_again: bool = False
) -> Proposal:
    """A week drawn among those of most worth that keep locks and bans.

    By the draw that the week has, or by the next one. Patrols that are locked keep their walk as
    it was handed out. Raises CancelledError when it was stopped, InputError when the locks
    contradict each other.
    """
    area = editor.inputs.area
    number = (1 if week.draw is None else week.draw.number) + int(draw_again)
    key = make_draw_key(area, week.days[0], number)
    inputs = replace(_drop_unplanned(editor), key=key)
    check_locks_and_bans(inputs)
    best = _solve_in_process(inputs.problem, area.settings.seed, cancel)
    drawn = build_drawn_week(inputs, best)
    locked = {get_slot(duty): duty for duty in week.duties if editor.find_lock(duty) is not None}
    duties = [
        replace(locked.get(get_slot(duty), duty), crew=duty.crew)
        if editor.find_lock(duty) is not None
        else duty
        for duty in drawn.duties
    ]
    proposed = editor.build_week(duties, bound=best.bound)
    proposed = replace(
        proposed,
        status=drawn.status,
        draw=drawn.draw,
        foreseen=drawn.foreseen,
        chances=drawn.chances,
    )
    return Proposal(editor.inputs, proposed)


def _drop_unplanned(editor: WeekEditor) -> RotaInputs:
    """The options without patrols that are no longer in the plan, except those that are locked."""
    inputs = editor.inputs
    locked = tuple(duty for duty in inputs.held if editor.find_lock(duty) is not None)
    if locked == inputs.held == ():
        return inputs
    their_locks = [editor.find_lock(duty) for duty in locked]
    locks = tuple(lock for lock in inputs.locks if lock not in their_locks)
    return replace(inputs, held=locked, locks=locks)


def _solve_in_process(problem: RotaProblem, seed: int, cancel: Event) -> RotaSolution:
    """Solve in a process, which unlike a thread can be stopped at any time."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    worker = context.Process(target=_run_solver, args=(theirs, problem, seed), daemon=True)
    worker.start()
    theirs.close()
    try:
        while not ours.poll(POLL_SECONDS):
            if cancel.is_set():
                message = "cancelled; the week is unchanged"
                raise CancelledError(message)
        answer = ours.recv()
    except EOFError:
        message = "planning failed unexpectedly; the week is unchanged: try again"
        raise CancelledError(message) from None
    finally:
        ours.close()
        worker.terminate()
        worker.join(JOIN_SECONDS)
        if worker.is_alive():
            worker.kill()
    if not isinstance(answer, RotaSolution):
        message = "planning again found no week; the week is unchanged"
        raise CancelledError(message)
    return answer


def _run_solver(answer: Connection, problem: RotaProblem, seed: int) -> None:
    answer.send(solve_rota(problem, seed=seed))
    answer.close()
