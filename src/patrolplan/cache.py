"""Results that cost time, stored by the content of everything that they depend on.

Nothing of reports, or of a force's own extract, may be handed over here: what is stored is written
into the user's cache folder, where it outlives the run.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import platformdirs
from numpy.typing import NDArray

from patrolplan.atomic import explain_os_errors, hash_content, hold_lock, write_file_atomically
from patrolplan.errors import FetchError


def cache_folder() -> Path:
    """Where patrolplan stores its copies: the variable PATROLPLAN_CACHE, or the user's cache."""
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


FETCH_FOLDER = ".fetch"
"""Folder beside the settings that holds the answers to a fetch that is not finished."""


@contextlib.contextmanager
def lock_fetch_folder(folder: Path) -> Iterator[Path]:
    """The workspace of a folder, for one fetch at a time.

    Raises
    ------
    FetchError
        When another fetch is at work there.
    OutputError
        When the folder cannot be written.
    """
    in_use = FetchError(f"{folder}: another fetch is at work here; wait until it is done")
    with (
        explain_os_errors(folder, "check its rights"),
        hold_lock(folder / f"{FETCH_FOLDER}.lock", in_use),
    ):
        yield folder / FETCH_FOLDER


class AnswerCache:
    """Answers of a data source, stored until the file that they are for is written.

    Parameters
    ----------
    workspace
        The folder of `lock_fetch_folder`.
    source, key
        What the answers are for; those stored under another key are of another area or state of
        the data, so they are thrown away.
    """

    def __init__(self, workspace: Path, source: str, key: str) -> None:
        self.folder = workspace / f"{source}-{hash_content(key)[:16]}"
        for other in workspace.glob(f"{source}-*"):
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)

    def read(self, name: str) -> Any:  # noqa: ANN401 - whatever was stored
        """What was stored under a name; None where there is nothing, or not all of it."""
        try:
            return json.loads((self.folder / name).read_bytes())
        except (OSError, ValueError):
            return None

    def list_names(self, pattern: str) -> list[str]:
        """Names of what is stored that match a pattern."""
        return [path.relative_to(self.folder).as_posix() for path in self.folder.glob(pattern)]

    def write(self, name: str, content: Any) -> None:  # noqa: ANN401 - whatever is to be stored
        """Store something under a name."""
        text = json.dumps(content, ensure_ascii=False)
        write_file_atomically(self.folder / name, text.encode("utf-8"))

    def discard(self, name: str = "") -> None:
        """Throw away what is stored under a name (of a folder), or all of it."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        if not name:
            with contextlib.suppress(OSError):  # other sources' answers may be there
                self.folder.parent.rmdir()
