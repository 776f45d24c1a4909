"""The proof behind a week: the search continues after an answer was shown at the requested gap.

It ends with a week that is proven best, or with a better one, which becomes a proposal: the week on
the board is never changed. Any change of the week ends it, and there is none for a week whose
options are no longer those that it was drawn from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from patrolplan.board.jobs import BackgroundJob
from patrolplan.board.solving import CancelledError, solve_week
from patrolplan.errors import PatrolplanError
from patrolplan.team.search_limits import PROOF_LIMITS
from patrolplan.team.solve import PROVEN_GAP

if TYPE_CHECKING:
    from collections.abc import Callable

    from patrolplan.board.board_state import BoardState
    from patrolplan.board.shared_week import SharedWeek
    from patrolplan.board.solving import Proposal

OPEN_PERCENT = 1e-3
"""Gap above which a better week counts as possible; worths are rounded in files."""

ProofStatus = Literal["none", "running", "proven", "better", "open"]
"""Not wanted or not possible, running, ended with a proof, with a better week, or with neither."""


@dataclass(frozen=True)
class _Outdated:
    """Whether the week has changed since the proof began, or the board is closed."""

    shared: SharedWeek
    version: int
    is_closed: Callable[[], bool]

    def is_set(self) -> bool:
        return self.is_closed() or self.shared.version != self.version


class Proof:
    """Continues the search in the background, one version of the week at a time.

    `offer` is given a better week as soon as one is found.
    """

    def __init__(self, shared: SharedWeek, offer: Callable[[Proposal], None]) -> None:
        self._shared, self._offer = shared, offer
        self._job = BackgroundJob()
        self._is_closed = False
        self._found: ProofStatus = "none"
        self._version = 0
        """The version of the week that is or was searched."""

    def close(self) -> None:
        """Stop searching."""
        self._is_closed = True

    @property
    def status(self) -> ProofStatus:
        """What is known of the present week."""
        if self._version == self._shared.version:
            return self._found
        is_next = self._job.status.running and is_open(self._shared.state)
        return "running" if is_next else "none"

    def start(self) -> None:
        """Continue the search, unless the week is proven best or this version was searched."""
        state, version = self._shared.state, self._shared.version
        done = self._version == version or self._job.status.running
        if done or self._is_closed or not is_open(state):
            return
        self._version, self._found = version, "running"
        cancel = _Outdated(self._shared, version, lambda: self._is_closed)

        def search() -> str:
            try:
                proposal = solve_week(state.editor, state.week, cancel, stop=PROOF_LIMITS)
            except CancelledError:
                return ""
            except PatrolplanError:
                self._found = "open"
                raise
            self._finish(state, version, proposal)
            return "searched"

        self._job.start("proving", "Looking for a better week", search)

    def _finish(self, state: BoardState, version: int, proposal: Proposal) -> None:
        week, draw = proposal.week, proposal.week.draw
        shown = state.week.draw
        if draw is None or shown is None or self._shared.version != version:
            return
        if draw.best_worth > shown.best_worth + PROVEN_GAP * max(1.0, abs(week.bound)):
            self._offer(proposal)
            self._found = "better"
            return
        self._shared.note_bound(state, week.bound, is_proven=week.status == "optimal")
        self._found = "proven" if week.status == "optimal" else "open"


def is_open(state: BoardState) -> bool:
    """Whether it is open if a better week exists: one was drawn of these options, at a gap."""
    week, inputs = state.week, state.editor.inputs
    return (
        week.draw is not None
        and week.gap_percent > OPEN_PERCENT
        and not week.absent
        and (week.draw.limits is None or week.draw.limits.gap_percent > 0)
        and (set(week.draw.locks), set(week.draw.bans)) == (set(inputs.locks), set(inputs.bans))
    )
