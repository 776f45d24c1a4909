"""A cache of slow results, by the content of everything that they depend on.

Nothing that depends on reports, or on a force's own extract, may be stored here: entries are
written into the user's cache folder, where they remain after the run.
"""

import contextlib
import hashlib
import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
import platformdirs
from numpy.typing import NDArray

from patrolplan.atomic import hash_content, write_beside

Result = TypeVar("Result")


def cache_folder() -> Path:
    """The cache folder: the environment variable PATROLPLAN_CACHE, or the user's cache."""
    named = os.environ.get("PATROLPLAN_CACHE", "")
    return Path(named or platformdirs.user_cache_dir("patrolplan", appauthor=False))


STORES = {
    "streets": "street cache",
    "crimes": "crime cache",
    "arrays": "cache of streets in pieces",
}
"""Folders in the cache folder, and their content."""

ENTRY_PATTERN = re.compile(r"[0-9a-f]{40}\.entry|\.new-\w+")
"""Names of their files, complete and interrupted."""

BROKEN_ENTRY_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    # Python before 3.11.9 and 3.12.2 sometimes raises it if two threads read arrays at once, as
    # numpy parses their headers (python/cpython#106905).
    SystemError,
)
"""Errors when reading a missing entry, or one from another version of a library."""


@dataclass(frozen=True)
class Store:
    """Results of one kind (a name of `STORES`) in the cache folder, each a file with a checksum.

    A changed `version`, key or content means that the result is computed again and the entry
    replaced. A cache that cannot be read or written only costs time.
    """

    name: str
    version: str

    def load_or_compute(
        self,
        key: str,
        compute: Callable[[], Result],
        *,
        encode: Callable[[Result], bytes | memoryview | None],
        decode: Callable[[bytes], Result],
    ) -> Result:
        """The result from its entry, otherwise computed and stored (None encoded: never stored)."""
        content = self.read(key)
        if content is not None:
            with contextlib.suppress(*BROKEN_ENTRY_ERRORS):
                return decode(content)
        result = compute()
        encoded = encode(result)
        if encoded is not None:
            self.write(key, encoded)
        return result

    def read(self, key: str) -> bytes | None:
        """The content of an entry; None if it is absent or damaged."""
        digest = hash_content(key)
        with contextlib.suppress(*BROKEN_ENTRY_ERRORS), self._find(digest).open("rb") as stream:
            seal, content = stream.readline(), stream.read()
            if seal == self._seal(digest, content):
                return content
        return None

    def write(self, key: str, content: bytes | memoryview) -> None:
        """Store the content of an entry, if possible."""
        digest = hash_content(key)
        path = self._find(digest)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Two runs may write the same entry at once, so each has its own part file.
            with write_beside(path, path.with_name(f".new-{uuid4().hex}")) as part:
                part.touch(mode=0o600)
                with part.open("wb") as stream:
                    stream.write(self._seal(digest, content))
                    stream.write(content)

    def _find(self, digest: str) -> Path:
        return cache_folder() / self.name / f"{digest[:40]}.entry"

    def _seal(self, digest: str, content: bytes | memoryview) -> bytes:
        return f"patrolplan {self.name} {self.version} {digest} {hash_content(content)}\n".encode()


Arrays = Mapping[str, NDArray[Any]]


def hash_arrays(key: str, arrays: Arrays) -> str:
    """SHA-256 of a text and of arrays with their names, types and shapes."""
    hashed = hashlib.sha256(key.encode())
    for name, array in arrays.items():
        hashed.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        hashed.update(np.ascontiguousarray(array).data)
    return hashed.hexdigest()


def encode_arrays(arrays: Arrays) -> memoryview:
    """Arrays as the bytes of an `.npz` file."""
    stream, named = io.BytesIO(), dict[str, Any](arrays)
    np.savez(stream, **named)
    return stream.getbuffer()


def decode_arrays(content: bytes) -> Arrays:
    """Arrays from the bytes of an `.npz` file."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


def load_or_compute_arrays(store: Store, key: str, compute: Callable[[], Arrays]) -> Arrays:
    """Arrays from a store, see `Store.load_or_compute`; `hash_arrays` makes a key of arrays."""
    return store.load_or_compute(key, compute, encode=encode_arrays, decode=decode_arrays)
