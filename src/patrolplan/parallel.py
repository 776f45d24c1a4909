"""One function over many items by the workers of an executor, the answers in the items' order.

The workers are those of any `concurrent.futures.Executor`: processes of this computer
(`patrolplan.worker_pool`), a Dask cluster (`patrolplan.parallel`), or another. Work that is
lost with a worker is done again.

Workers of a Dask cluster, as an executor.

Threads for work that is done in compiled code: Ctrl-C is heard at once, whatever they are at.
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

from patrolplan.errors import ClusterError
from patrolplan.provenance import list_versions
from patrolplan.worker_pool import CONNECT_SECONDS, get_sender, run_item

Common = TypeVar("Common")
Item = TypeVar("Item")
Answer = TypeVar("Answer")

ProgressCallback = Callable[[str, int, int], None]
"""Is told what is done, how many of them, and of how many."""

MAX_TRIES = 4
"""So often work is begun whose worker was lost; more would only lose more workers."""

WAIT_SECONDS = 1.0

POLL_SECONDS = 0.2
"""Waiting is broken off so often: on Windows nothing else lets Ctrl-C through."""


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
        Is given `common` and an item. It can be imported by name, changes neither, and its answer
        depends on nothing else, so that it is the same wherever it is worked out.
    common
        What every item needs.
    items
        Small beside it.
    executor
        Whose workers do it; default here, one item after the other.
    tell
        Is told how many are done.

    Returns
    -------
    list
        Answers in the order of the items.

    Raises
    ------
    ClusterError
        When workers are lost again and again.

    Examples
    --------
    >>> map_parallel(pow, 2, [3, 4])
    [8, 16]
    """
    told = report_progress or (lambda _: None)
    if executor is None:
        answers = []
        for item in items:
            answers.append(function(common, item))
            told(len(answers))
        return answers
    found: dict[int, Answer] = {}
    for _ in range(MAX_TRIES):
        left = [number for number in range(len(items)) if number not in found]
        if not left:
            break
        try:
            send = _build_submit(executor, function, common)
            started = {send(items[number]): number for number in left}
        except BrokenExecutor:
            warnings.warn(_BROKEN_EXECUTOR, RuntimeWarning, stacklevel=2)
            for number in left:
                found[number] = function(common, items[number])
                told(len(found))
            break
        except Exception as error:
            if not _is_worker_lost(error):
                raise
            time.sleep(WAIT_SECONDS)  # a cluster starts other workers in place of those lost
            continue
        _gather(started, found, told)
    if len(found) < len(items):
        message = (
            f"workers were lost {MAX_TRIES} times in a row; there may be too little memory for "
            "them: "
            "use fewer --workers, or none"
        )
        raise ClusterError(message)
    return [found[number] for number in range(len(items))]


_BROKEN_EXECUTOR = (
    "the executor lost a worker and takes no more work: what is left is done in this process "
    "(patrolplan.worker_pool.Workers replaces workers that are lost)"
)


def _build_submit(
    executor: Executor, function: Callable[[Common, Item], Answer], common: Common
) -> Callable[[Item], Future[Answer]]:
    """Give an item to the workers, who have got what all items need; threads have it already."""
    if isinstance(executor, ThreadPoolExecutor):
        return lambda item: executor.submit(function, common, item)
    network, parcel = get_sender(executor).send(common)
    return lambda item: executor.submit(run_item, function, item, network, parcel)


def label_progress(
    label: str, items: Sized, report_progress: ProgressCallback | None
) -> Callable[[int], None] | None:
    """Tell of these items under a name."""
    return (
        None if report_progress is None else lambda done: report_progress(label, done, len(items))
    )


def _gather(
    started: dict[Future[Answer], int],
    found: dict[int, Answer],
    report_progress: Callable[[int], None],
) -> None:
    """Collect answers as they come; those of lost workers stay out."""
    waiting = set(started)
    try:
        while waiting:
            ended, waiting = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in ended:
                try:
                    found[started[future]] = future.result()
                except (BrokenExecutor, CancelledError):
                    continue
                except Exception as error:
                    if not _is_worker_lost(error):
                        raise
            if ended:
                report_progress(len(found))
    finally:
        for future in waiting:
            future.cancel()


def _is_worker_lost(error: Exception) -> bool:
    """Whether Dask tells by this error that a worker is gone, or what it alone held."""
    return type(error).__module__.partition(".")[0] == "distributed"


@contextmanager
def connect_cluster(address: str) -> Iterator[Executor]:
    """Workers of a Dask cluster.

    Parameters
    ----------
    address
        Of its scheduler, such as "tcp://10.0.0.5:8786".

    Raises
    ------
    ClusterError
        When it cannot be reached or has no worker, Dask is not installed, or workers have other
        versions than this computer: their answers could be others.
    """
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        message = "Dask is not installed; pip install 'patrolplan[dask]'"
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
    """Refuse a cluster without workers, or whose answers could be others."""
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        there = client.run(_read_versions)
    except TimeoutError:
        message = f"{address}: has no worker; start some with `dask worker {address}`"
        raise ClusterError(message) from None
    except ImportError as error:
        message = f"{address}: {error}; install the same patrolplan on every worker"
        raise ClusterError(message) from None
    ours = _select_comparable(list_versions())
    for worker, theirs in sorted(there.items()):
        other = [
            f"{name} {_select_comparable(theirs).get(name)} there, {number} here"
            for name, number in ours.items()
            if _select_comparable(theirs).get(name) != number
        ]
        if other:
            message = (
                f"worker {worker}: other versions ({'; '.join(other[:4])}); "
                "install the same on every worker"
            )
            raise ClusterError(message)


def _read_versions() -> dict[str, str]:
    """Versions of a worker, as it answers for itself."""
    return list_versions()


def _select_comparable(there: dict[str, str]) -> dict[str, str]:
    """Versions by which answers can differ; the system's own name is none of them."""
    return {name: number for name, number in there.items() if name != "system"}


DEFAULT_THREADS = 2
"""Threads, of which each may need the memory of one item; more would mostly wait."""

POLL_SECONDS = 0.2
"""Waiting is broken off so often: on Windows nothing else lets Ctrl-C through."""


def map_in_threads(
    function: Callable[[Item], Answer], items: Iterable[Item], *, threads: int = DEFAULT_THREADS
) -> Iterator[Future[Answer]]:
    """Apply a function to items in threads; what comes out is in the items' order.

    The threads of an executor would be waited for when the work is broken off, and compiled code
    hears nothing until it is done. These are left behind, and end with the process.

    Parameters
    ----------
    function
        Lets other threads run while it works, as compiled code does.
    items
        All are read at once.
    threads
        At most so many.

    Yields
    ------
    Future
        Each as soon as it is done and those before it are.

    Examples
    --------
    >>> [one.result() for one in map_in_threads(abs, [-3, 2])]
    [3, 2]
    """
    todo = [(Future[Answer](), item) for item in items]
    waiting, taking, over = iter(todo), threading.Lock(), threading.Event()

    def work() -> None:
        while not over.is_set():
            with taking:
                future, item = next(waiting, (None, None))
            if future is None:
                return
            try:
                future.set_result(function(item))  # type: ignore[arg-type]
            except Exception as error:  # noqa: BLE001 - whoever asks for the result is told
                future.set_exception(error)

    for _ in range(min(threads, len(todo))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for future, _ in todo:
            while not future.done():
                wait([future], timeout=POLL_SECONDS)
            yield future
    finally:
        over.set()
