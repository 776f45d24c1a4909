"""Apply one function to many items by an executor or threads, with results in the same order.

An executor is any `concurrent.futures.Executor`: a pool of processes of this computer (`Workers`),
the workers of a Dask cluster (`connect_cluster`), or another. What workers need goes to them in
memory, and no file of it is written. Threads are for work in compiled code; Ctrl-C ends the wait
for them at once, even while they are busy.
"""

import contextlib
import functools
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from importlib import import_module
from multiprocessing import get_context, parent_process
from typing import Any, ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

from patrolplan.errors import ClusterError, describe_install
from patrolplan.provenance import list_versions

Common = TypeVar("Common")
Item = TypeVar("Item")
Answer = TypeVar("Answer")
P = ParamSpec("P")

ProgressCallback = Callable[[str, int, int], None]
"""Called with a label, the number of items done and their total."""

MAX_TRIES = 4  # Maximum attempts at work whose worker was lost; more would only lose more workers

CHUNKS_PER_WORKER = 4
"""Parts into which the work of each is divided: few, as what all items need goes with each part,
but several, as some items take longer than others."""

UNKNOWN_WORKERS = 16  # Number of workers that an executor of another kind is taken to have
POLL_SECONDS = 0.2  # Interval at which waits are interrupted so that Ctrl-C works on Windows

SCHOOLS_PER_WORKER = 24
"""Minimum schools per worker: it takes some seconds to start, a school less than one."""

MAX_WORKERS = 61  # Maximum number of processes for which Windows can wait at once
CONNECT_SECONDS = 30  # Maximum time for a cluster to answer, and to have a worker


def map_parallel(
    function: Callable[[Common, Item], Answer],
    common: Common,
    items: Sequence[Item],
    *,
    executor: Executor | None = None,
    report_progress: Callable[[int], None] | None = None,
) -> list[Answer]:
    """Apply a function to what all items need and every item, by the workers of an executor.

    The function is importable by name, changes nothing that it is given, and depends on nothing
    else, so that its result is the same in any process. Without an executor this process computes
    one item after the other. Progress is the number of items done. ClusterError is raised when
    workers are lost repeatedly.

    >>> map_parallel(pow, 2, [3, 4])
    [8, 16]
    """
    report = report_progress or (lambda _: None)
    if executor is None:
        done = []
        for item in items:
            done.append(function(common, item))
            report(len(done))
        return done
    count = CHUNKS_PER_WORKER * getattr(executor, "count", UNKNOWN_WORKERS)
    size = -(-len(items) // count) or 1
    chunks = {start: items[start : start + size] for start in range(0, len(items), size)}
    work = functools.partial(_run_chunk, pickle.dumps((function, common), protocol=5))
    answers: dict[int, list[Answer]] = {}
    for _ in range(MAX_TRIES):
        missing = [start for start in chunks if start not in answers]
        try:
            started = {executor.submit(work, chunks[start]): start for start in missing}
            _gather(started, answers, report)
        except BrokenExecutor:  # it takes no more
            continue
        if len(answers) == len(chunks):
            return [answer for start in chunks for answer in answers[start]]
    message = (
        f"worker processes ended before they were done, {MAX_TRIES} times in a row, probably "
        "because memory ran out; use fewer (--workers 1 needs none)"
    )
    raise ClusterError(message)


def _run_chunk(payload: bytes, items: Sequence[Item]) -> list[Any]:
    function, common = _restore(payload)
    return [function(common, item) for item in items]


@functools.lru_cache(maxsize=1)
def _restore(payload: bytes) -> tuple[Callable[[Any, Any], Any], Any]:
    """What was sent: once in each worker, with all that it caches, however many parts come."""
    function, common = pickle.loads(payload)  # noqa: S301 - our own
    return function, common


def _gather(
    started: dict[Future[list[Answer]], int],
    answers: dict[int, list[Answer]],
    report_progress: Callable[[int], None],
) -> None:
    """Collect results as they arrive; those of lost workers are missing afterwards."""
    waiting = set(started)
    try:
        while waiting:
            ended, waiting = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in ended:
                with contextlib.suppress(BrokenExecutor):
                    answers[started[future]] = future.result()
            if ended:
                report_progress(sum(map(len, answers.values())))
    finally:
        for future in waiting:
            future.cancel()


def label_progress(
    label: str, items: Sized, report_progress: ProgressCallback | None
) -> Callable[[int], None] | None:
    """A callback for the number of items done, which reports them with a label."""
    if report_progress is None:
        return None
    return lambda done: report_progress(label, done, len(items))


class Workers(Executor):
    """A pool of processes on this computer; a lost one is replaced.

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
        self._pool = self._create_pool()

    def __repr__(self) -> str:
        return f"<Workers: {self.count}>"

    def _create_pool(self) -> ProcessPoolExecutor:
        context = get_context("spawn")  # the same on every system, and safe with threads
        return ProcessPoolExecutor(self.count, context, _initialise_worker)

    def submit(
        self, fn: Callable[P, Answer], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Answer]:
        """Call a function in a worker; see `concurrent.futures.Executor.submit`."""
        with _ignore_interrupts():  # as a process that starts here would receive Ctrl-C as well
            try:
                return self._pool.submit(fn, *args, **kwargs)
            except BrokenExecutor:
                self._pool.shutdown(wait=True)
                self._pool = self._create_pool()
                return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as its base has it
        """End the workers after their work is done, see `concurrent.futures.Executor.shutdown`."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            for process in dict(self._pool._processes or {}).values():  # noqa: SLF001 - from Python 3.14 on: terminate_workers
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


@contextlib.contextmanager
def _ignore_interrupts() -> Iterator[None]:
    """Make processes that start in this block ignore Ctrl-C from the beginning."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def choose_worker_count(schools: int) -> int:
    """Number of processes that are worth starting for this number of schools."""
    processors = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )
    return max(1, min(processors or 1, schools // SCHOOLS_PER_WORKER, MAX_WORKERS))


@contextlib.contextmanager
def connect_cluster(address: str) -> Iterator[Executor]:
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
            _check_versions(client.run(list_versions))
        except (OSError, ValueError, ImportError) as error:  # no answer or worker; not patrolplan
            message = (
                f"{address}: no Dask scheduler with workers that have this patrolplan ({error}); "
                f"check --cluster, install the same there, start some with `dask worker {address}`"
            )
            raise ClusterError(message) from None
        try:
            yield client.get_executor(pure=False)
        except dask.KilledWorker as error:
            message = f"{address}: workers ended before they were done ({error})"
            raise ClusterError(message) from None


def _check_versions(versions: dict[str, dict[str, str]]) -> None:
    """Refuse workers with other versions; systems may differ in name."""
    ours = {name: number for name, number in list_versions().items() if name != "system"}
    for worker, theirs in sorted(versions.items()):
        other = [f"{name} {theirs.get(name)}" for name in ours if theirs.get(name) != ours[name]]
        if other:
            message = (
                f"worker {worker} has other versions than here ({', '.join(other[:4])}); "
                "install the same on every worker"
            )
            raise ClusterError(message)


DEFAULT_THREADS = 2
"""Number of threads; each may need the memory of one item, and more would mostly wait."""


def map_in_threads(
    function: Callable[[Item], Answer], items: Iterable[Item], *, threads: int = DEFAULT_THREADS
) -> Iterator[Future[Answer]]:
    """Apply a function to items, all of which are read at once, in threads; in their order."""
    # The function must release the GIL, like compiled code. On an interrupt, an executor would wait
    # for its threads, and compiled code cannot be stopped before it ends. These threads are
    # abandoned, and end with the process.
    todo = [(Future[Answer](), item) for item in items]
    waiting, lock, stopped = iter(todo), threading.Lock(), threading.Event()

    def work() -> None:
        while not stopped.is_set():
            with lock:
                future, item = next(waiting, (None, None))
            if future is None:
                return
            try:
                future.set_result(function(item))  # type: ignore[arg-type]
            except Exception as error:  # noqa: BLE001 - raised where the result is read
                future.set_exception(error)

    for _ in range(min(threads, len(todo))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for future, _ in todo:
            while not future.done():
                wait([future], timeout=POLL_SECONDS)
            yield future
    finally:
        stopped.set()


_LINEAR_ALGEBRA = threading.RLock()


@contextlib.contextmanager
def limit_to_one_thread() -> Iterator[None]:
    """Limit linear algebra to one thread, for one block at a time of the whole process.

    Sums of several threads differ in their last digits.
    """
    with _LINEAR_ALGEBRA, threadpool_limits(limits=1, user_api="blas"):
        yield
