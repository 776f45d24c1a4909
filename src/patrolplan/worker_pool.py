"""A pool of worker processes on this computer, and how shared data reaches workers.

Data that all items need is sent to the workers once, as a payload. The street network has a
separate payload, which is reused for later work. On this computer a payload is a file that workers
map into their memory, so that its arrays are in memory once. A killed run leaves the file behind,
so it has only arrays of numbers in plain form; everything else, such as the reason of a tasked
place, is encrypted with a key that exists only in memory.
"""

import hashlib
import io
import itertools
import mmap
import os
import pickle
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar, ParamSpec, TypeVar
from uuid import uuid4

import numpy as np

from patrolplan.atomic import TEMPORARY_PREFIX

Item = TypeVar("Item")
Answer = TypeVar("Answer")

CONNECT_SECONDS = 30
"""Maximum time for a cluster to answer, and to have a worker."""

WORKER_CACHE_SIZE = 3
"""Maximum payloads that a worker stores: the network, and those of the last and current work."""


@dataclass(frozen=True)
class _Payload:
    """A pickled object, with its arrays stored separately: in `parts`, or in the file `path`.

    `sizes` are the bytes of the pickle and of each array. With a file the payload itself is small,
    and is sent with every item.
    """

    name: str
    sizes: tuple[int, ...]
    parts: tuple[Any, ...] = ()
    path: str = ""
    key: bytes = b""
    """With a file: the key with which its pickle is encrypted."""

    def load(self, network: object | None) -> Any:  # noqa: ANN401 - whatever was sent
        """Restore the object, with the network; arrays of a file are mapped, not read."""
        parts: Sequence[Any] = [bytearray(part) for part in self.parts]
        if self.path:
            with Path(self.path).open("rb") as stream:
                # All processes share pages that none writes to.
                whole = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY))
            ends = list(itertools.accumulate(map(_pad_size, self.sizes), initial=0))
            parts = [
                whole[start : start + size] for start, size in zip(ends, self.sizes, strict=False)
            ]
        body = _encrypt(parts[0], self.key) if self.key else bytes(parts[0])
        return _Unpickler(body, parts[1:], network).load()


def _encrypt(content: bytes | memoryview, key: bytes) -> bytes:
    """Encrypt or decrypt bytes, with SHAKE-256 of a key that is used once as the key stream."""
    stream = hashlib.shake_256(key).digest(len(content))
    return (np.frombuffer(content, np.uint8) ^ np.frombuffer(stream, np.uint8)).tobytes()


NUMBER_FORMATS = frozenset("?hHiIlLqQnNfdg")
"""Formats of numbers, as in `struct`; buffers of text have the format of bytes."""


def _is_for_body(buffer: pickle.PickleBuffer) -> bool:
    """Whether a buffer may have text, like columns of text, and so belongs in the pickle."""
    return memoryview(buffer).format not in NUMBER_FORMATS


def _pad_size(size: int) -> int:
    """Size with padding, so that arrays start at a cache line."""
    return -(-size // 64) * 64


def _collect_numbers(arrays: list[pickle.PickleBuffer]) -> Callable[[pickle.PickleBuffer], bool]:
    """A callback for pickling that separates arrays of numbers and leaves everything else."""

    def collect(buffer: pickle.PickleBuffer) -> bool:
        in_body = _is_for_body(buffer)
        if not in_body:
            arrays.append(buffer)
        return in_body

    return collect


class EncipheredFields:
    """Mixin for fields of which no number may be in plain form in the file of a killed run.

    When it is pickled each of them becomes one block of bytes, which is encrypted in the file;
    their arrays are then in memory once for each worker.
    """

    ENCIPHERED: ClassVar[tuple[str, ...]] = ()
    """Names of the fields; none of them contains the street network."""

    def __getstate__(self) -> dict[str, Any]:
        sealed = {name: pickle.dumps(vars(self)[name], protocol=5) for name in self.ENCIPHERED}
        return vars(self) | sealed

    def __setstate__(self, state: dict[str, Any]) -> None:
        opened = {name: pickle.loads(state[name]) for name in self.ENCIPHERED}  # noqa: S301 - ours
        vars(self).update(state | opened)


class _Pickler(pickle.Pickler):
    """Leaves out the street network, and records which one it is."""

    network: object | None = None

    def persistent_id(self, obj: object) -> str | None:
        if not getattr(type(obj), "SENT_APART", False):
            return None
        if self.network is not None and self.network is not obj:
            message = "two street networks cannot travel together"
            raise ValueError(message)
        self.network = obj
        return "network"


class _Unpickler(pickle.Unpickler):
    """Restores the street network."""

    def __init__(self, body: bytes, arrays: Sequence[Any], network: object | None) -> None:
        super().__init__(io.BytesIO(body), buffers=arrays)
        self._network = network

    def persistent_load(self, _: str) -> object | None:
        return self._network


class Sender:
    """Sends payloads to the workers of one executor, and remembers which network they have."""

    def __init__(self, executor: Executor) -> None:
        # Dask's executor has no public name for its client.
        self._client = getattr(executor, "_client", None)
        self._folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX))
        self.close = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        """Removes the files after workers have ended."""
        self._network: tuple[object, Any] | None = None

    def send(self, common: object) -> tuple[Any, Any]:
        """The payloads of the network and of everything else, for `run_item`."""
        body, arrays = io.BytesIO(), list[pickle.PickleBuffer]()
        pickler = _Pickler(body, protocol=5, buffer_callback=_collect_numbers(arrays))
        pickler.dump(common)
        network = pickler.network
        if network is None:
            return None, self._send_payload(body.getvalue(), arrays)
        if self._network is None or self._network[0] is not network or self._is_network_lost():
            apart: list[pickle.PickleBuffer] = []
            callback = _collect_numbers(apart)
            pickled = pickle.dumps(network, protocol=5, buffer_callback=callback)
            self._network = (network, self._send_payload(pickled, apart))
        return self._network[1], self._send_payload(body.getvalue(), arrays)

    def _is_network_lost(self) -> bool:
        """Whether a cluster has lost the network together with its workers."""
        return self._client is not None and self._network[1].status != "finished"  # type: ignore[index]

    def _send_payload(self, body: bytes, arrays: list[pickle.PickleBuffer]) -> Any:  # noqa: ANN401
        parts = [memoryview(body), *(array.raw() for array in arrays)]
        name, sizes = uuid4().hex, tuple(part.nbytes for part in parts)
        if self._client is not None:
            payload = _Payload(name, sizes, tuple(bytes(part) for part in parts))
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            return _send_to_all(self._client, payload)
        path, key = self._folder / name, secrets.token_bytes(32)
        parts[0] = memoryview(_encrypt(body, key))
        with path.open("wb") as stream:
            for part in parts:
                stream.write(part)
                stream.write(bytes(_pad_size(part.nbytes) - part.nbytes))
        return _Payload(name, sizes, path=str(path), key=key)


def _send_to_all(client: Any, payload: _Payload) -> Any:  # noqa: ANN401 - of an extra
    """Send a payload to one worker of a cluster, from which all others fetch it.

    Dask's own `broadcast` never returns if a worker is lost meanwhile (distributed 2026.8,
    `Scheduler.replicate`); a task for such a worker runs elsewhere.
    """
    sent = client.scatter([payload], hash=False)[0]
    fetched = [
        client.submit(id, sent, workers=[address], allow_other_workers=True, pure=False)
        for address in client.nthreads()
    ]
    client.gather(fetched, errors="skip")
    return sent


senders: weakref.WeakKeyDictionary[Executor, Sender] = weakref.WeakKeyDictionary()


def get_sender(executor: Executor) -> Sender:
    """The one sender to an executor's workers."""
    if executor not in senders:
        senders[executor] = Sender(executor)
    return senders[executor]


_payload_cache: dict[str, Any] = {}
_payload_lock = threading.Lock()
"""Workers of a cluster may have several threads."""


def run_item(
    function: Callable[[Any, Item], Answer], item: Item, network: _Payload | None, payload: _Payload
) -> Answer:
    """One item's result, computed in a worker from the payloads."""
    return function(_load_payload(payload, _load_payload(network, None)), item)


def _load_payload(payload: _Payload | None, network: object | None) -> Any:  # noqa: ANN401
    if payload is None:
        return None
    with _payload_lock:
        if payload.name not in _payload_cache:
            _payload_cache[payload.name] = payload.load(network)
        content = _payload_cache.pop(payload.name)
        _payload_cache[payload.name] = content  # the most recently used is last
        while len(_payload_cache) > WORKER_CACHE_SIZE:
            del _payload_cache[next(iter(_payload_cache))]
        return content


P = ParamSpec("P")

SCHOOLS_PER_WORKER = 24
"""Minimum schools per worker: it takes some seconds to start, a school less than one."""

MAX_WORKERS = 61
"""Maximum number of processes for which Windows can wait at once."""


class Workers(Executor):
    """A pool of processes on this computer; a lost one is replaced.

    They end with this process, however it ends, and at once when the `with` block ends by an error
    or by Ctrl-C. Each has one end of a pipe through which nothing is sent: when the other end is
    closed, by this process or by its death, they exit.

    Examples
    --------
    >>> with Workers(1) as workers:
    ...     workers.submit(pow, 2, 3).result()
    8
    """

    def __init__(self, count: int) -> None:
        self.count = min(count, MAX_WORKERS) if sys.platform == "win32" else count
        self._context = get_context("spawn")  # the same on every system, and safe with threads
        self._lifeline_reader, self._lifeline_writer = self._context.Pipe(duplex=False)
        self._pool = self._create_pool()
        self._starting = self.count

    def __repr__(self) -> str:
        return f"<Workers: {self.count}>"

    def _create_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.count,
            mp_context=self._context,
            initializer=_initialise_worker,
            initargs=(self._lifeline_reader,),
        )

    def submit(
        self, fn: Callable[P, Answer], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Answer]:
        """Call a function in a worker; see `concurrent.futures.Executor.submit`."""
        try:
            return self._submit_once(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown(wait=True)
            self._pool, self._starting = self._create_pool(), self.count
            return self._submit_once(fn, *args, **kwargs)

    def _submit_once(
        self, fn: Callable[P, Answer], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Answer]:
        """Submit; the first calls start the processes, which must not receive Ctrl-C meanwhile."""
        if not self._starting:
            return self._pool.submit(fn, *args, **kwargs)
        self._starting -= 1
        with _ignore_interrupts():
            return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as its base has it
        """End the workers after their work is done, see `concurrent.futures.Executor.shutdown`."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait and self in senders:
            senders.pop(self).close()

    def stop(self) -> None:
        """End the workers at once."""
        self._lifeline_writer.close()
        self.shutdown(cancel_futures=True)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.shutdown()
        else:
            self.stop()
        self._lifeline_writer.close()
        self._lifeline_reader.close()


def _initialise_worker(lifeline: Connection) -> None:
    """Ignore Ctrl-C, which the parent process handles, and exit when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, args=(lifeline,), daemon=True).start()


def _exit_with_parent(lifeline: Connection) -> None:
    """Wait for the other end of the pipe to close; nothing is ever sent."""
    try:
        lifeline.poll(None)
    finally:
        os._exit(1)


@contextmanager
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
