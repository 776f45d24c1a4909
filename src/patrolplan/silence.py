"""Silence for compiled code that prints to standard output, where `--json` needs only JSON."""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_OUTPUT_LOCK = threading.Lock()


def _flush_c_output() -> None:
    """Flush the output of C code, which a pipe would otherwise get only at exit."""
    ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None).fflush(None)


@contextmanager
def silence_output() -> Iterator[None]:
    """Drop what compiled code prints, and what other threads print meanwhile.

    HiGHS in SciPy 1.17 prints a line when it repairs a solution, whatever its options.

    Only one thread at a time may use it: otherwise the last of two would restore the first one's
    silence permanently.
    """
    out = 1
    with _OUTPUT_LOCK:
        try:
            sys.stdout.flush()
            saved = os.dup(out)
            nowhere = os.open(os.devnull, os.O_WRONLY)
        except (OSError, AttributeError):  # a windowed program without streams
            yield
            return
        try:
            os.dup2(nowhere, out)
            yield
        finally:
            _flush_c_output()
            os.dup2(saved, out)
            os.close(saved)
            os.close(nowhere)
