"""Streets read once, kept by the content of their files in the user's cache folder.

Arrays that cost time, kept by the content of all that they rest on in the user's cache folder.

Nothing of reports, or of a force's own extract, may be handed over here: what is kept is written.
"""

import hashlib
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import platformdirs
from numpy.typing import NDArray

FETCH_FOLDER = ".fetch"
"""Folder beside the settings that holds what came of a fetch that is not done."""


def cache_folder() -> Path:
    """Where patrolplan keeps its copies: the variable PATROLPLAN_CACHE, or the user's cache."""
    named = os.environ.get("PATROLPLAN_CACHE", "")
    return Path(named or platformdirs.user_cache_dir("patrolplan", appauthor=False))


def write_cache_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file of the cache beside and rename it, so that an entry is whole or not there.

    A cache that cannot be written is passed over: it only saves time.

    Parameters
    ----------
    path
        Where the entry is kept.
    write
        Is given the open file.
    """
    beside = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        Path(beside).replace(path)
    except OSError:
        if beside:
            Path(beside).unlink(missing_ok=True)


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, worked out once in a run.

    In another run the bytes are read again: a date and a size do not prove that they are the same.
    """
    at = path.stat()
    return _hash_file(path.absolute(), at.st_size, at.st_mtime_ns)


@lru_cache(maxsize=4096)
def _hash_file(path: Path, size: int, written: int) -> str:  # noqa: ARG001 - they tell a change
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


ARRAY_FOLDER = "arrays"
"""The folder in the cache folder."""

ARRAY_ENTRY_PATTERN = re.compile(r"[0-9a-f]{40}\.npz|\.new-\w+")
"""Names of its files, whole and interrupted."""

Arrays = Mapping[str, NDArray[Any]]


def load_or_compute_arrays(key: str, depends_on: Arrays, compute: Callable[[], Arrays]) -> Arrays:
    """Arrays from the cache where they are known, else worked out and kept.

    A cache that cannot be read or written is passed over: it only saves time.

    Parameters
    ----------
    key
        What the arrays are, in which version, and the plain values that they rest on.
    rests_on
        The arrays that they rest on.
    work_out
        Gives the arrays.
    """
    told = hashlib.sha256(key.encode())
    for name, array in depends_on.items():
        told.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        told.update(np.ascontiguousarray(array).data)
    path = cache_folder() / ARRAY_FOLDER / f"{told.hexdigest()[:40]}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        found = compute()
    named: dict[str, Any] = dict(found)
    write_cache_file(path, lambda stream: np.savez(stream, **named))
    return found
