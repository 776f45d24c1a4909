"""A cache of slow results, by the content of everything that they depend on.

Nothing of reports, or of a force's own extract, may be stored: entries remain after the run.
"""

import contextlib
import io
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from patrolplan.atomic import hash_content, write_beside

Result = TypeVar("Result")


def cache_folder(variable: str = "PATROLPLAN_CACHE") -> Path:
    """The cache folder: that which an environment variable names, or ours in the user's cache."""
    if named := os.environ.get(variable):
        return Path(named)
    users = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME")
    return Path(users or os.path.expanduser("~/.cache"), "patrolplan")  # noqa: PTH111 - no error without a home


# Folders in the cache folder with their content, and names of files, complete and interrupted
STORES = {
    "streets": "street cache",
    "crimes": "crime cache",
    "arrays": "cache of streets in pieces",
}
ENTRY_PATTERN = re.compile(r"[0-9a-f]{40}\.entry|\.new-\w+")


@dataclass(frozen=True)
class Store:
    """Results of one kind (a name of `STORES`) and `version` in the cache, each with a checksum."""

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
        digest = hash_content(key)
        path = cache_folder() / self.name / f"{digest[:40]}.entry"

        def seal(content: bytes | memoryview) -> bytes:
            words = ("patrolplan", self.name, self.version, digest, hash_content(content))
            return f"{' '.join(words)}\n".encode()

        # Entries of another version of a library may raise anything.
        with contextlib.suppress(Exception), path.open("rb") as stream:
            first, content = stream.readline(), stream.read()
            if first == seal(content):
                return decode(content)
        result = compute()
        encoded = encode(result)
        if encoded is not None:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                # Two runs may write the same entry at once, so each has its own part file.
                with write_beside(path, path.with_name(f".new-{uuid4().hex}")) as part:
                    part.touch(mode=0o600)
                    with part.open("wb") as written:
                        written.write(seal(encoded))
                        written.write(encoded)
        return result


Arrays = Mapping[str, NDArray[Any]]


def hash_arrays(key: str, arrays: Arrays) -> str:
    """SHA-256 of a text and of arrays with their names, types and shapes."""
    parts: list[str | memoryview] = [key]
    for name, array in arrays.items():
        parts += [f"\n{name} {array.dtype} {array.shape}\n", np.ascontiguousarray(array).data]
    return hash_content(*parts)


def encode_arrays(arrays: Arrays) -> memoryview:
    """Arrays as the bytes of an `.npz` file."""
    stream, named = io.BytesIO(), dict[str, Any](arrays)
    np.savez(stream, **named)
    return stream.getbuffer()


def decode_arrays(content: bytes) -> Arrays:
    """Arrays from the bytes of an `.npz` file."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
