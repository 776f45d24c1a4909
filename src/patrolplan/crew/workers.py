"""Processes of this computer that work is shared out to."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from concurrent.futures import Executor
from concurrent.futures import Future
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import ParamSpec
from typing import TypeVar

from patrolplan.crew.parcels import senders

P = ParamSpec("P")
Answer = TypeVar("Answer")

SCHOOLS_A_WORKER = 24
"""A worker takes some seconds to start, a school with its card under one: fewer do not pay."""

MOST_WORKERS = 61
"""Windows waits for no more at once."""


class Workers(Executor):
    """Processes of this computer that do what they are told; a lost one is replaced.

    They end with this process, however it ends, and at once when the block that uses them is left
    by an error or by Ctrl-C.

    Parameters
    ----------
    count
        How many.

    Examples
    --------
    >>> with Workers(1) as workers:
    ...     workers.submit(pow, 2, 3).result()
    8
    """

    def __init__(self, count: int) -> None:
        self.count = min(count, MOST_WORKERS) if sys.platform == "win32" else count
        self._context = get_context("spawn")  # alike on every system, and safe beside threads
        self._hold, self._alive = self._context.Pipe(duplex=False)
        self._pool = self._fresh()
        self._starting = self.count

    def __repr__(self) -> str:
        return f"<Workers: {self.count}>"

    def _fresh(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.count,
            mp_context=self._context,
            initializer=_begin_work,
            initargs=(self._hold,),
        )

    def submit(
        self, fn: Callable[P, Answer], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Answer]:
        """Have a worker call a function; see `concurrent.futures.Executor.submit`."""
        try:
            return self._submitted(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown(wait=True)
            self._pool, self._starting = self._fresh(), self.count
            return self._submitted(fn, *args, **kwargs)

    def _submitted(
        self, fn: Callable[P, Answer], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Answer]:
        """Processes start with the first calls."""
        if not self._starting:
            return self._pool.submit(fn, *args, **kwargs)
        self._starting -= 1
        with _interrupts_kept_from_children():
            return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as its base has it
        """End the workers once their work is done, see `concurrent.futures.Executor.shutdown`."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait and self in senders:
            senders.pop(self).close()

    def stop(self) -> None:
        """End the workers at once."""
        self._alive.close()
        self.shutdown(cancel_futures=True)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.shutdown()
        else:
            self.stop()
        self._alive.close()
        self._hold.close()


def _begin_work(hold: Connection) -> None:
    """Leave Ctrl-C to the process that gave the work, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(hold,), daemon=True).start()


def _end_with(hold: Connection) -> None:
    """Nothing is ever sent: an answer means that the other end is closed, or its process gone."""
    try:
        hold.poll(None)
    finally:
        os._exit(1)


@contextmanager
def _interrupts_kept_from_children() -> Iterator[None]:
    """Have processes that start now ignore Ctrl-C from their first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def fitting_workers(schools: int) -> int:
    """How many processes are worth starting for so many schools."""
    processors = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )
    return max(1, min(processors or 1, schools // SCHOOLS_A_WORKER, MOST_WORKERS))
