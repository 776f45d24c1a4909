"""Silence for compiled code that prints to standard output, where `--json` wants JSON alone."""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_OUTPUT_LOCK = threading.Lock()


def _flush_c_output() -> None:
    """Flush what C code has printed: into a pipe it would come only at the very end."""
    ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None).fflush(None)


@contextmanager
def silence_output() -> Iterator[None]:
    """Drop what compiled code prints past Python, and with it what other threads print meanwhile.

    The HiGHS of SciPy 1.17 prints a line where it repairs a solution, whatever its options.

    One thread at a time: of two at once, the last would restore the silence of the first for good.
    """
    out = 1
    with _OUTPUT_LOCK:
        try:
            sys.stdout.flush()
            saved = os.dup(out)
            nowhere = os.open(os.devnull, os.O_WRONLY)
        except (OSError, AttributeError):  # a window without streams
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
