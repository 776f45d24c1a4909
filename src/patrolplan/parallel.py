"""Apply one function to many items by an executor or threads, with results in the same order.

Of any kind: `Workers`, a Dask cluster's (`connect_cluster`). What they need goes there in memory,
never as a file. Threads are for work in compiled code.
"""

import contextlib
import functools
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent import futures
from importlib import import_module
from multiprocessing import get_context, parent_process, resource_tracker
from typing import Any, ParamSpec, TypeVar

from patrolplan.errors import ClusterError, describe_install
from patrolplan.provenance import list_versions

Common = TypeVar("Common")
Item = TypeVar("Item")
Answer = TypeVar("Answer")
P = ParamSpec("P")
ProgressCallback = Callable[[str, int, int], None]  # A label, items done, their total
CHUNKS_PER_WORKER = 4  # Few, as what all need goes with each; several, as items differ in time
UNKNOWN_WORKERS = 16  # Number of workers that an executor of another kind is taken to have
POLL_SECONDS = 0.2  # Interval at which waits are interrupted so that Ctrl-C works on Windows
SCHOOLS_PER_WORKER = 24  # At least: a worker takes seconds to start, a school less than one
MAX_WORKERS = 61  # Maximum number of processes for which Windows can wait at once
CONNECT_SECONDS = 30  # Maximum time for a cluster to answer, and to have a worker


def map_parallel(
    function: Callable[[Common, Item], Answer],
    common: Common,
    items: Sequence[Item],
    *,
    executor: futures.Executor | None = None,
    report_progress: Callable[[int], None] | None = None,
) -> list[Answer]:
    """Apply a function, importable by name, to what all items need and every item."""
    # Without an executor one after the other. Progress is of items done.
    report = report_progress or (lambda _: None)
    if executor is None:
        done = []
        for item in items:
            done.append(function(common, item))
            report(len(done))
        return done
    size = -(-len(items) // (CHUNKS_PER_WORKER * getattr(executor, "count", UNKNOWN_WORKERS))) or 1
    work = functools.partial(_run_chunk, pickle.dumps((function, common), protocol=5))
    started: list[futures.Future[list[Answer]]] = []
    try:
        parts = (items[start : start + size] for start in range(0, len(items), size))
        started.extend(executor.submit(work, part) for part in parts)
        waiting, number = set(started), 0
        while waiting:
            ended, waiting = futures.wait(
                waiting, timeout=POLL_SECONDS, return_when=futures.FIRST_COMPLETED
            )
            number += sum(len(future.result()) for future in ended)
            if ended:
                report(number)
        return [answer for future in started for answer in future.result()]
    except futures.BrokenExecutor:
        message = (
            "a worker process ended before it was done, probably because memory ran out; use fewer "
            "(--workers 1 needs none)"
        )
        raise ClusterError(message) from None
    finally:
        for future in started:
            future.cancel()


def _run_chunk(payload: bytes, items: Sequence[Item]) -> list[Any]:
    function, common = _restore(payload)
    return [function(common, item) for item in items]


@functools.lru_cache(maxsize=1)
def _restore(payload: bytes) -> tuple[Callable[[Any, Any], Any], Any]:
    """What was sent: once in each worker, with all that it caches, however many parts come."""
    function, common = pickle.loads(payload)  # noqa: S301 - our own
    return function, common


def label_progress(
    label: str, items: Sized, report_progress: ProgressCallback | None
) -> Callable[[int], None] | None:
    """A callback for the number of items done, which reports them with a label."""
    if report_progress is None:
        return None
    return lambda done: report_progress(label, done, len(items))


class Workers(futures.ProcessPoolExecutor):
    """A pool of processes on this computer.

    They end with this process, however it ends, and at once when the `with` block ends by an error
    or by Ctrl-C.

    Examples
    --------
    >>> with Workers(1) as workers:
    ...     workers.submit(pow, 2, 3).result()
    8
    """

    def __init__(self, count: int) -> None:
        self.count = min(count, MAX_WORKERS) if sys.platform == "win32" else count
        # Spawned: the same on every system, and safe with threads.
        super().__init__(self.count, get_context("spawn"), _initialise_worker)

    def __repr__(self) -> str:
        return f"<Workers: {self.count}>"

    def submit(
        self, fn: Callable[P, Answer], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[Answer]:
        """Call a function in a worker; see `concurrent.futures.Executor.submit`."""
        if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
            return super().submit(fn, *args, **kwargs)
        # A process that starts here would receive Ctrl-C as well: it waits until workers ignore it.
        resource_tracker.ensure_running()  # where it starts, it lets signals through again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            # From Python 3.14 on: terminate_workers.
            for process in list((self._processes or {}).values()):
                process.terminate()
        self.shutdown(cancel_futures=kind is not None)


def _initialise_worker() -> None:
    """Ignore Ctrl-C, which the parent process handles, and exit when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def choose_worker_count(schools: int) -> int:
    """Number of processes that are worth starting for this number of schools."""
    processors = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )
    return max(1, min(processors or 1, schools // SCHOOLS_PER_WORKER, MAX_WORKERS))


@contextlib.contextmanager
def connect_cluster(address: str) -> Iterator[futures.Executor]:
    """Workers of the Dask cluster at an address such as "tcp://10.0.0.5:8786"."""
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        message = f"Dask is not installed; install it with: {describe_install('distributed')}"
        raise ClusterError(message) from None
    with contextlib.ExitStack() as stack:
        try:
            client = dask.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
            stack.enter_context(client)
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            versions = client.run(list_versions)
        except (OSError, ValueError, ImportError) as error:  # no answer or worker; not patrolplan
            message = (
                f"{address}: no Dask scheduler with workers that have this patrolplan ({error}); "
                f"check --cluster, install the same there, start some with `dask worker {address}`"
            )
            raise ClusterError(message) from None
        _check_versions(versions)
        try:
            yield client.get_executor(pure=False)
        except dask.KilledWorker as error:
            message = f"{address}: workers ended before they were done ({error})"
            raise ClusterError(message) from None


def _check_versions(versions: dict[str, dict[str, str]]) -> None:
    """Refuse workers with other versions; systems may differ in name."""
    ours = list_versions()
    for worker, theirs in sorted(versions.items()):
        other = [f"{name} {one}" for name, one in theirs.items() if one != ours.get(name, one)]
        other = [one for one in other if not one.startswith("system ")]
        if other:
            what = f"worker {worker} has other versions than here ({', '.join(other[:4])})"
            message = f"{what}; install the same on every worker"
            raise ClusterError(message)


def map_in_threads(
    function: Callable[[Item], Answer], items: Iterable[Item], *, threads: int = 2
) -> Iterator[futures.Future[Answer]]:
    """Apply a function that releases the GIL to items, in order; Ctrl-C waits for those at work."""
    pool = futures.ThreadPoolExecutor(threads)
    try:
        for future in [pool.submit(function, item) for item in items]:
            while not future.done():
                futures.wait([future], timeout=POLL_SECONDS)
            yield future
    finally:
        pool.shutdown(cancel_futures=True)
