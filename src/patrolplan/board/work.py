"""What takes longer than a click: it runs beside the board, says how far it is, one at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from dataclasses import replace
from threading import Lock
from threading import Thread
from typing import TYPE_CHECKING
from typing import Any

from patrolplan.errors import PatrolplanError
from patrolplan.terminal import progress

if TYPE_CHECKING:
    from collections.abc import Callable

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
