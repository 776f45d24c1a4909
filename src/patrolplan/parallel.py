"""Apply one function to many items by an executor or threads, with results in the same order.

An executor is any `concurrent.futures.Executor`: a pool of processes of this computer
(`patrolplan.worker_pool`), the workers of a Dask cluster (`connect_cluster`), or another. Work that
is lost with a worker is repeated. Threads are for work in compiled code; Ctrl-C ends the wait for
them at once, even while they are busy.
"""

import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from patrolplan.errors import ClusterError, describe_install
from patrolplan.provenance import list_versions
from patrolplan.worker_pool import CONNECT_SECONDS, get_sender, run_item

Common = TypeVar("Common")
Item = TypeVar("Item")
Answer = TypeVar("Answer")

ProgressCallback = Callable[[str, int, int], None]
"""Called with a label, the number of items done and their total."""

MAX_TRIES = 4
"""Maximum attempts at work whose worker was lost; more would only lose more workers."""

RESTART_SECONDS = 1.0
"""Pause after workers were lost, in which a cluster starts new ones."""

POLL_SECONDS = 0.2
"""Interval at which waits are interrupted so that Ctrl-C works on Windows."""


def map_parallel(
    function: Callable[[Common, Item], Answer],
    common: Common,
    items: Sequence[Item],
    *,
    executor: Executor | None = None,
    report_progress: Callable[[int], None] | None = None,
) -> list[Answer]:
    """Apply a function to every item, by the workers of an executor.

    Parameters
    ----------
    function
        Called with `common` and an item. It must be importable by name, change neither, and its
        result must depend on nothing else, so that it is the same in any process.
    common
        Data that every item needs; large compared with an item.
    executor
        By default this process computes one item after the other.
    report_progress
        Called with the number of items done.

    Raises
    ------
    ClusterError
        When workers are lost repeatedly.

    Examples
    --------
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
    answers: dict[int, Answer] = {}
    for _ in range(MAX_TRIES):
        missing = [number for number in range(len(items)) if number not in answers]
        if not missing:
            break
        try:
            send = _build_submit(executor, function, common)
            started = {send(items[number]): number for number in missing}
        except BrokenExecutor:
            warnings.warn(_BROKEN_EXECUTOR, RuntimeWarning, stacklevel=2)
            for number in missing:
                answers[number] = function(common, items[number])
                report(len(answers))
            break
        except Exception as error:
            if not _is_worker_lost(error):
                raise
            time.sleep(RESTART_SECONDS)
            continue
        _gather(started, answers, report)
    if len(answers) < len(items):
        message = (
            f"worker processes ended before they were done, {MAX_TRIES} times in a row, probably "
            "because memory ran out; use fewer (--workers 1 needs none)"
        )
        raise ClusterError(message)
    return [answers[number] for number in range(len(items))]


_BROKEN_EXECUTOR = (
    "the executor lost a worker and accepts no more work: the rest is done in this process "
    "(patrolplan.worker_pool.Workers replaces lost workers)"
)


def _build_submit(
    executor: Executor, function: Callable[[Common, Item], Answer], common: Common
) -> Callable[[Item], Future[Answer]]:
    """A function that submits an item, after sending the common part (threads share it)."""
    if isinstance(executor, ThreadPoolExecutor):
        return lambda item: executor.submit(function, common, item)
    network, payload = get_sender(executor).send(common)
    return lambda item: executor.submit(run_item, function, item, network, payload)


def label_progress(
    label: str, items: Sized, report_progress: ProgressCallback | None
) -> Callable[[int], None] | None:
    """A callback for the number of items done, which reports them with a label."""
    if report_progress is None:
        return None
    return lambda done: report_progress(label, done, len(items))


def _gather(
    started: dict[Future[Answer], int],
    answers: dict[int, Answer],
    report_progress: Callable[[int], None],
) -> None:
    """Collect results as they arrive; those of lost workers are missing afterwards."""
    waiting = set(started)
    try:
        while waiting:
            ended, waiting = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in ended:
                try:
                    answers[started[future]] = future.result()
                except (BrokenExecutor, CancelledError):
                    continue
                except Exception as error:
                    if not _is_worker_lost(error):
                        raise
            if ended:
                report_progress(len(answers))
    finally:
        for future in waiting:
            future.cancel()


def _is_worker_lost(error: Exception) -> bool:
    """Whether this error from Dask means that a worker, or data only on it, is lost."""
    return type(error).__module__.partition(".")[0] == "distributed"


@contextmanager
def connect_cluster(address: str) -> Iterator[Executor]:
    """Workers of a Dask cluster.

    Parameters
    ----------
    address
        Address of its scheduler, such as "tcp://10.0.0.5:8786".

    Raises
    ------
    ClusterError
        When it cannot be reached or has no worker, Dask is not installed, or workers have other
        versions than this computer, so that their results could differ.
    """
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        message = f"Dask is not installed; install it with: {describe_install('distributed')}"
        raise ClusterError(message) from None
    try:
        client = dask.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        message = f"{address}: no Dask scheduler answers ({error}); check the address of --cluster"
        raise ClusterError(message) from None
    with client:
        _check_cluster(client, address)
        yield client.get_executor(pure=False)


def _check_cluster(client: Any, address: str) -> None:  # noqa: ANN401 - of an extra
    """Refuse a cluster without workers, or with other versions, whose results could differ."""
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        versions = client.run(_read_versions)
    except TimeoutError:
        message = f"{address}: no workers yet; start some with `dask worker {address}`"
        raise ClusterError(message) from None
    except ImportError as error:
        message = f"{address}: {error}; install the same patrolplan on every worker"
        raise ClusterError(message) from None
    for worker, theirs in sorted(versions.items()):
        other = [
            f"{name} {theirs.get(name)} there, {number} here"
            for name, number in list_versions().items()
            if name != "system" and theirs.get(name) != number  # systems may differ in name
        ]
        if other:
            message = (
                f"worker {worker}: versions differ ({'; '.join(other[:4])}); "
                "install the same versions on every worker"
            )
            raise ClusterError(message)


def _read_versions() -> dict[str, str]:
    """Versions of a worker, from the code that is installed there."""
    return list_versions()


DEFAULT_THREADS = 2
"""Number of threads; each may need the memory of one item, and more would mostly wait."""


def map_in_threads(
    function: Callable[[Item], Answer], items: Iterable[Item], *, threads: int = DEFAULT_THREADS
) -> Iterator[Future[Answer]]:
    """Apply a function to items in threads, with results in the same order.

    On an interrupt, an executor would wait for its threads, and compiled code cannot be stopped
    before it ends. These threads are abandoned, and end with the process.

    Parameters
    ----------
    function
        It must release the GIL, like compiled code.
    items
        All are read at once.
    threads
        Maximum number.

    Yields
    ------
    Future
        Each as soon as it and those before it are done.

    Examples
    --------
    >>> [one.result() for one in map_in_threads(abs, [-3, 2])]
    [3, 2]
    """
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


class _OneThread:
    """The limit of `limit_to_one_thread`, shared by all threads that work under it."""

    def __init__(self) -> None:
        self._lock, self._depth = threading.Lock(), 0
        self._limits: threadpool_limits | None = None

    def enter(self) -> None:
        """Set the limit, unless another thread has done so."""
        with self._lock:
            if self._depth == 0:
                self._limits = threadpool_limits(limits=1, user_api="blas")
            self._depth += 1

    def leave(self) -> None:
        """Remove the limit, unless other threads still need it."""
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._limits is not None:
                self._limits.restore_original_limits()


_ONE_THREAD = _OneThread()


@contextmanager
def limit_to_one_thread() -> Iterator[None]:
    """Limit libraries of linear algebra to one thread each: sums of several differ in last digits.

    The limit applies to the process. The first thread in the block sets it and the last one removes
    it, as finding the libraries takes some milliseconds.
    """
    _ONE_THREAD.enter()
    try:
        yield
    finally:
        _ONE_THREAD.leave()
