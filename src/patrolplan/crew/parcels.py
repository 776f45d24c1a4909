"""What all items of a work need, sent to the workers once.

The street network travels apart from the rest, once however many kinds of work follow. On this
computer a parcel lies in a file that workers map into their memory: the computer holds its arrays
once.
"""

import io
import itertools
import mmap
import pickle
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import TypeVar
from uuid import uuid4

from patrolplan.network import StreetNetwork

Item = TypeVar("Item")
Answer = TypeVar("Answer")

CONNECT_SECONDS = 30
"""So long a cluster may take to answer, and to have a worker."""

KEPT = 3
"""Parcels that a worker keeps: the network and what the work before and this one need."""


@dataclass(frozen=True)
class _Parcel:
    """Something pickled, its arrays apart.

    On this computer it lies in a file, and the parcel is small: it goes along with every item.

    Parameters
    ----------
    name
        Its own.
    sizes
        Bytes of the pickle and of each array.
    parts
        The pickle and the arrays; none where they lie in a file.
    path
        The file.
    """

    name: str
    sizes: tuple[int, ...]
    parts: tuple[Any, ...] = ()
    path: str = ""

    def opened(self, network: StreetNetwork | None) -> Any:  # noqa: ANN401 - whatever was sent
        """What was sent, with the network in its place; arrays of a file are mapped, not read."""
        parts: Sequence[Any] = [bytearray(part) for part in self.parts]
        if self.path:
            with Path(self.path).open("rb") as stream:
                # Pages that nobody writes to are shared by all processes.
                whole = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY))
            ends = list(itertools.accumulate(map(_padded, self.sizes), initial=0))
            parts = [
                whole[start : start + size] for start, size in zip(ends, self.sizes, strict=False)
            ]
        return _Unpickler(bytes(parts[0]), parts[1:], network).load()


def _padded(size: int) -> int:
    """Arrays start at whole cache lines."""
    return -(-size // 64) * 64


class _Pickler(pickle.Pickler):
    """Leaves out the street network, and finds which it is."""

    network: StreetNetwork | None = None

    def persistent_id(self, thing: object) -> str | None:
        if not isinstance(thing, StreetNetwork):
            return None
        if self.network is not None and self.network is not thing:
            message = "two street networks cannot travel together"
            raise ValueError(message)
        self.network = thing
        return "network"


class _Unpickler(pickle.Unpickler):
    """Puts the street network back."""

    def __init__(self, body: bytes, arrays: Sequence[Any], network: StreetNetwork | None) -> None:
        super().__init__(io.BytesIO(body), buffers=arrays)
        self._network = network

    def persistent_load(self, _: str) -> StreetNetwork | None:
        return self._network


class Sender:
    """Sends to the workers of one executor, and remembers which network they have."""

    def __init__(self, executor: Executor) -> None:
        # Dask's executor has no public name for its client.
        self._client = getattr(executor, "_client", None)
        self._folder = Path(tempfile.mkdtemp(prefix="patrolplan-"))
        self.close = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        """Clears away what was written; workers have ended by then."""
        self._network: tuple[StreetNetwork, Any] | None = None

    def send(self, common: object) -> tuple[Any, Any]:
        """The network and all else, as `_done` takes them."""
        body, arrays = io.BytesIO(), list[pickle.PickleBuffer]()
        pickler = _Pickler(body, protocol=5, buffer_callback=arrays.append)
        pickler.dump(common)
        network = pickler.network
        if network is None:
            return None, self._sent(body.getvalue(), arrays)
        if self._network is None or self._network[0] is not network or self._gone():
            apart: list[pickle.PickleBuffer] = []
            told = pickle.dumps(network, protocol=5, buffer_callback=apart.append)
            self._network = (network, self._sent(told, apart))
        return self._network[1], self._sent(body.getvalue(), arrays)

    def _gone(self) -> bool:
        """Whether a cluster has lost the network together with its workers."""
        return self._client is not None and self._network[1].status != "finished"  # type: ignore[index]

    def _sent(self, body: bytes, arrays: list[pickle.PickleBuffer]) -> Any:  # noqa: ANN401
        parts = [memoryview(body), *(array.raw() for array in arrays)]
        name, sizes = uuid4().hex, tuple(part.nbytes for part in parts)
        if self._client is not None:
            parcel = _Parcel(name, sizes, tuple(bytes(part) for part in parts))
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            return self._client.scatter([parcel], broadcast=True, hash=False)[0]
        path = self._folder / name
        with path.open("wb") as stream:
            for part in parts:
                stream.write(part)
                stream.write(bytes(_padded(part.nbytes) - part.nbytes))
        return _Parcel(name, sizes, path=str(path))


senders: weakref.WeakKeyDictionary[Executor, Sender] = weakref.WeakKeyDictionary()


def sender_of(executor: Executor) -> Sender:
    """The one sender to an executor's workers."""
    if executor not in senders:
        senders[executor] = Sender(executor)
    return senders[executor]


_held: dict[str, Any] = {}
_opening = threading.Lock()
"""Workers of a cluster may have several threads."""


def done(
    function: Callable[[Any, Item], Answer],
    item: Item,
    network: _Parcel | None,
    parcel: _Parcel,
) -> Answer:
    """One item's answer, worked out from what was sent."""
    return function(_opened(parcel, _opened(network, None)), item)


def _opened(parcel: _Parcel | None, network: StreetNetwork | None) -> Any:  # noqa: ANN401
    if parcel is None:
        return None
    with _opening:
        if parcel.name not in _held:
            _held[parcel.name] = parcel.opened(network)
        held = _held[parcel.name] = _held.pop(parcel.name)  # the last used comes last
        while len(_held) > KEPT:
            del _held[next(iter(_held))]
        return held
