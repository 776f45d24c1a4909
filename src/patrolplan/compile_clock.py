"""A clock for time limits that stops while code is compiled or loaded, and a callback for that.

The first run on a computer compiles functions for some seconds, in which no search makes progress;
each later process loads numba and the machine code for almost a second. A limit of one second must
give a search that second, so that its answer depends on neither. Compiling affects the whole
process, so there is one clock per process. It is separate from `patrolplan.compiled`, so that
reading it does not load numba.
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
        """Called once with each text to show to users."""
        self._announced: set[str] = set()
        self._lock = threading.Lock()
        self._depth, self._begun, self._compiling = 0, 0.0, 0.0

    def begin(self) -> None:
        """Stop the clock for the compilation of a function, which may be nested."""
        self.say_once(COMPILING)
        self._stop()

    def _stop(self) -> None:
        with self._lock:
            if not self._depth:
                self._begun = time.perf_counter()
            self._depth += 1

    def end(self) -> None:
        """Restart the clock after a compilation."""
        with self._lock:
            self._depth -= 1
            if not self._depth:
                self._compiling += time.perf_counter() - self._begun

    @contextmanager
    def stand_still(self) -> Iterator[None]:
        """Stop the clock while numba, or its cached machine code, is loaded."""
        self._stop()
        try:
            yield
        finally:
            self.end()

    def read(self) -> float:
        """Seconds since an arbitrary moment; only differences are meaningful."""
        with self._lock:
            now = self._begun if self._depth else time.perf_counter()
            return now - self._compiling

    def say_once(self, text: str) -> None:
        """Announce a text, unless that was done before or there is no callback."""
        if self.announce is not None and text not in self._announced:
            self._announced.add(text)
            self.announce(text)


CLOCK = CompileClock()
"""The one clock of the process."""
