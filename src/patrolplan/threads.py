"""Threads for work that is done in compiled code: Ctrl-C is heard at once, whatever they are at."""

import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import wait
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

TOGETHER = 2
"""Threads, of which each may need the memory of one item; more would mostly wait."""

LOOK_SECONDS = 0.2
"""Waiting is broken off so often: on Windows nothing else lets Ctrl-C through."""


def side_by_side(
    function: Callable[[Item], Answer], items: Iterable[Item], *, threads: int = TOGETHER
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
    >>> [one.result() for one in side_by_side(abs, [-3, 2])]
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
                wait([future], timeout=LOOK_SECONDS)
            yield future
    finally:
        over.set()
