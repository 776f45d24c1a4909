"""How the week was drawn, and how well it is foreseen with the changes by hand since then."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

from patrolplan.board.jobs import BackgroundJob
from patrolplan.board.solving import CancelledError, solve_in_process
from patrolplan.errors import PatrolplanError
from patrolplan.team.chances import (
    FORESEEN_DIGITS,
    compute_foreseen,
    estimate_chances,
    find_foreseen,
)
from patrolplan.team.week import Foreseen

if TYPE_CHECKING:
    from patrolplan.board.board_state import BoardState
    from patrolplan.board.shared_week import SharedWeek


class ForeseenCounter:
    """Counts in the background, one week at a time; what it finds is saved with that week.

    A week whose locks or bans have changed since its draw has no `Week.foreseen` until then.
    """

    def __init__(self, shared: SharedWeek) -> None:
        self._shared = shared
        self._job = BackgroundJob()
        self._cancel = Event()
        self._free: dict[str, float] = {}
        """Share foreseen without changes by hand, by the digest of the draw."""
        self._failed_version = 0

    def close(self) -> None:
        """Stop counting."""
        self._cancel.set()

    def start(self) -> None:
        """Begin to count, unless the result is known or being computed for this week."""
        state, version = self._shared.state, self._shared.version
        has_answer = state.week.draw is None or state.week.foreseen is not None
        if has_answer or self._failed_version == version or self._job.status.running:
            return
        self._cancel.clear()

        def count() -> str:
            try:
                foreseen = self._count(state)
            except CancelledError:
                return ""
            except PatrolplanError:  # such as locks that contradict each other
                self._failed_version = version
                raise
            self._shared.note_foreseen(state, foreseen)
            return "counted"

        self._job.start("counting", "Counting how well the week is foreseen", count)

    def _count(self, state: BoardState) -> Foreseen:
        inputs, seed = state.editor.inputs, state.planned_area.area.settings.seed
        best = solve_in_process(inputs.problem, seed, self._cancel)
        chances = estimate_chances(inputs, best)
        free = self._find_free(state)
        if free is None:
            return find_foreseen(inputs, chances)
        return Foreseen(free, round(compute_foreseen(chances), FORESEEN_DIGITS))

    def _find_free(self, state: BoardState) -> float | None:
        draw = state.week.draw
        return None if draw is None else self._free.get(draw.digest)

    def build_draw_document(self, state: BoardState) -> dict[str, Any] | None:
        """How the week was drawn, for the page; None where it was not."""
        week, draw = state.week, state.week.draw
        if draw is None:
            return None
        if week.foreseen is not None:
            self._free[draw.digest] = week.foreseen.hotspot_quarter
        free = self._free.get(draw.digest)
        return {
            "number": draw.number,
            "commitment": draw.commitment,
            "give_percent": week.give_percent,
            "give_most_percent": 100 * draw.give,
            "foreseen": free,
            "with_locks": None if week.foreseen is None else week.foreseen.with_locks,
            "failed": self._failed_version == self._shared.version,
        }
