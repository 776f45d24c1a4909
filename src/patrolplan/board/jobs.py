"""Slow work of the board, in its own threads: solve, plan, print."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, replace
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from patrolplan.errors import PatrolplanError

if TYPE_CHECKING:
    from collections.abc import Callable


MAX_RUNNING_SHARE = 0.95
"""Maximum share of progress until the work is done, as it is estimated from earlier runs."""


class BusyError(PatrolplanError, OSError):
    """The board is busy with a job that must end first."""


@dataclass(frozen=True)
class JobStatus:
    """The progress of a job."""

    kind: str = ""  # "solving", "planning" or "printing"; empty before the first
    running: bool = False
    started_at: float = 0.0  # by time.monotonic
    seconds: float = 0.0  # how long it took, once it has ended
    message: str = ""  # what it does or did, in words
    problem: str = ""  # why it failed; empty when it did not


class BackgroundJob:
    """One job at a time, in its own thread.

    `expected_seconds` says how long the first will take, for its share done; later ones are
    expected to take as long as the last one.
    """

    def __init__(self, expected_seconds: float = 5.0) -> None:
        self._expected = expected_seconds
        self._lock = Lock()
        self._thread: Thread | None = None
        self.status = JobStatus()

    def start(self, kind: str, description: str, action: Callable[[], str]) -> None:
        """Begin; `action` returns what was done, in words. Raises BusyError while one runs."""
        with self._lock:
            if self.status.running:
                message = f"{self.status.message}: wait until it is done, or cancel it"
                raise BusyError(message)
            now = time.monotonic()
            self.status = JobStatus(kind, running=True, started_at=now, message=description)
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
        seconds = time.monotonic() - self.status.started_at
        if not problem:
            self._expected = max(0.5, seconds)
        self.status = replace(
            self.status, running=False, seconds=seconds, message=message or problem, problem=problem
        )

    def document(self) -> dict[str, Any]:
        """The progress, for the page."""
        status = self.status
        seconds = time.monotonic() - status.started_at if status.running else status.seconds
        share = min(MAX_RUNNING_SHARE, seconds / self._expected) if status.running else 1.0
        return {
            "kind": status.kind,
            "running": status.running,
            "seconds": round(seconds, 1),
            "share": round(share, 3),
            "message": status.message,
            "problem": status.problem,
        }
