"""A clock for time limits that stands still while code is made ready, and who hears of compiling.

The first run on a computer compiles what it needs, for some seconds in which no search gets any
further; each later process loads numba and what is compiled, for most of a second. A limit of one
second must leave a search that second, so that its answer depends on neither. Making code ready is
a matter of the whole process, and so is this clock. It is apart from `patrolplan.compiled`, so that
nobody has to load numba to read it.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPILING = "Compiling for this computer, once: about 10 s for patrols, 20 s with a week ..."
NOT_STORED = (
    "What is compiled cannot be stored ({folder}: not writable), so every run compiles again; "
    "set NUMBA_CACHE_DIR to a folder that can be written."
)


class CompileClock:
    """Seconds of this process, without those in which functions were compiled or loaded."""

    def __init__(self) -> None:
        self.announce: Callable[[str], None] | None = None
        """Called once with each text that people should know."""
        self._announced: set[str] = set()
        self._lock = threading.Lock()
        self._depth, self._begun, self._compiling = 0, 0.0, 0.0

    def begin(self) -> None:
        """A function is being compiled, perhaps within another."""
        self.say_once(COMPILING)
        self._stop()

    def _stop(self) -> None:
        with self._lock:
            if not self._depth:
                self._begun = time.perf_counter()
            self._depth += 1

    def end(self) -> None:
        """It is compiled."""
        with self._lock:
            self._depth -= 1
            if not self._depth:
                self._compiling += time.perf_counter() - self._begun

    @contextmanager
    def stand_still(self) -> Iterator[None]:
        """Let no time pass while numba, or what it has compiled before, is loaded."""
        self._stop()
        try:
            yield
        finally:
            self.end()

    def read(self) -> float:
        """Seconds from some point in time on; only differences mean anything."""
        with self._lock:
            now = self._begun if self._depth else time.perf_counter()
            return now - self._compiling

    def say_once(self, text: str) -> None:
        """Announce a text, unless that was done before or nobody listens."""
        if self.announce is not None and text not in self._announced:
            self._announced.add(text)
            self.announce(text)


CLOCK = CompileClock()
"""The one clock of the process."""
