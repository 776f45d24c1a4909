"""One function over many items by the workers of an executor, the answers in the items' order.

The workers are those of any `concurrent.futures.Executor`: processes of this computer
(`patrolplan.crew.workers`), a Dask cluster (`patrolplan.crew.cluster`), or another. Work that is
lost with a worker is done again.
"""

import time
import warnings
from collections.abc import Callable
from collections.abc import Sequence
from collections.abc import Sized
from concurrent.futures import FIRST_COMPLETED
from concurrent.futures import BrokenExecutor
from concurrent.futures import CancelledError
from concurrent.futures import Executor
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from typing import TypeVar

from patrolplan.crew.parcels import done
from patrolplan.crew.parcels import sender_of
from patrolplan.errors import ClusterError

Common = TypeVar("Common")
Item = TypeVar("Item")
Answer = TypeVar("Answer")

Tell = Callable[[str, int, int], None]
"""Is told what is done, how many of them, and of how many."""

TRIES = 4
"""So often work is begun whose worker was lost; more would only lose more workers."""

WAIT_SECONDS = 1.0

LOOK_SECONDS = 0.2
"""Waiting is broken off so often: on Windows nothing else lets Ctrl-C through."""


def shared_out(
    function: Callable[[Common, Item], Answer],
    common: Common,
    items: Sequence[Item],
    *,
    executor: Executor | None = None,
    tell: Callable[[int], None] | None = None,
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
    >>> shared_out(pow, 2, [3, 4])
    [8, 16]
    """
    told = tell or (lambda _: None)
    if executor is None:
        answers = []
        for item in items:
            answers.append(function(common, item))
            told(len(answers))
        return answers
    found: dict[int, Answer] = {}
    for _ in range(TRIES):
        left = [number for number in range(len(items)) if number not in found]
        if not left:
            break
        try:
            send = _sending(executor, function, common)
            started = {send(items[number]): number for number in left}
        except BrokenExecutor:
            warnings.warn(_NOT_MENDED, RuntimeWarning, stacklevel=2)
            for number in left:
                found[number] = function(common, items[number])
                told(len(found))
            break
        except Exception as error:
            if not _lost(error):
                raise
            time.sleep(WAIT_SECONDS)  # a cluster starts other workers in place of those lost
            continue
        _gather(started, found, told)
    if len(found) < len(items):
        message = (
            f"workers were lost {TRIES} times in a row; there may be too little memory for them: "
            "use fewer --workers, or none"
        )
        raise ClusterError(message)
    return [found[number] for number in range(len(items))]


_NOT_MENDED = (
    "the executor lost a worker and takes no more work: what is left is done in this process "
    "(patrolplan.crew.workers.Workers replaces workers that are lost)"
)


def _sending(
    executor: Executor, function: Callable[[Common, Item], Answer], common: Common
) -> Callable[[Item], Future[Answer]]:
    """Give an item to the workers, who have got what all items need; threads have it already."""
    if isinstance(executor, ThreadPoolExecutor):
        return lambda item: executor.submit(function, common, item)
    network, parcel = sender_of(executor).send(common)
    return lambda item: executor.submit(done, function, item, network, parcel)


def told_as(what: str, items: Sized, tell: Tell | None) -> Callable[[int], None] | None:
    """Tell of these items under a name."""
    return None if tell is None else lambda done: tell(what, done, len(items))


def _gather(
    started: dict[Future[Answer], int], found: dict[int, Answer], told: Callable[[int], None]
) -> None:
    """Collect answers as they come; those of lost workers stay out."""
    waiting = set(started)
    try:
        while waiting:
            ended, waiting = wait(waiting, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in ended:
                try:
                    found[started[future]] = future.result()
                except (BrokenExecutor, CancelledError):
                    continue
                except Exception as error:
                    if not _lost(error):
                        raise
            if ended:
                told(len(found))
    finally:
        for future in waiting:
            future.cancel()


def _lost(error: Exception) -> bool:
    """Whether Dask tells by this error that a worker is gone, or what it alone held."""
    return type(error).__module__.partition(".")[0] == "distributed"
