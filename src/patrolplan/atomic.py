"""Files written whole or not at all, and what a broken-off fetch keeps to go on from."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from patrolplan.cache import FETCH_FOLDER
from patrolplan.errors import FetchError, OutputError


def write_file_atomically(path: Path, data: bytes) -> None:
    """Write a file beside and swap it in, so that it is whole or not there.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")  # no pattern that ends in .csv matches it
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        why = error.strerror or str(error)
        message = f"{path}: cannot be written ({why}); make room, or name another place"
        raise OutputError(message) from None


def hash_content(*parts: str | bytes) -> str:
    """SHA-256 of some content."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part.encode("utf-8") if isinstance(part, str) else part)
    return hashed.hexdigest()


@contextlib.contextmanager
def lock_fetch_folder(folder: Path) -> Iterator[Path]:
    """The workspace of a folder, for one fetch at a time.

    Raises
    ------
    FetchError
        When another fetch is at work there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / f"{FETCH_FOLDER}.lock")
        with lock.acquire(timeout=0):
            yield folder / FETCH_FOLDER
    except filelock.Timeout:
        message = f"{folder}: another fetch is at work here; wait until it is done"
        raise FetchError(message) from None
    except OSError as error:
        if isinstance(error, FetchError | OutputError):
            raise
        message = f"{folder}: cannot be written ({error.strerror or error}); check its rights"
        raise OutputError(message) from None


class AnswerCache:
    """Answers kept on disk until the file that they are for is written.

    Parameters
    ----------
    workspace
        The folder of `alone`.
    source, key
        What the answers are for; those kept under another key are of another area or state of
        the data, so they are thrown away.
    """

    def __init__(self, workspace: Path, source: str, key: str) -> None:
        self.folder = workspace / f"{source}-{hash_content(key)[:16]}"
        for other in workspace.glob(f"{source}-*"):
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)

    def read(self, name: str) -> Any:  # noqa: ANN401 - whatever was kept
        """What was kept under a name, None where nothing whole was."""
        try:
            return json.loads((self.folder / name).read_bytes())
        except (OSError, ValueError):
            return None

    def list_names(self, pattern: str) -> list[str]:
        """Names of what is kept that match a pattern."""
        return [path.relative_to(self.folder).as_posix() for path in self.folder.glob(pattern)]

    def write(self, name: str, content: Any) -> None:  # noqa: ANN401 - whatever is to be kept
        """Keep something under a name."""
        write_file_atomically(
            self.folder / name, json.dumps(content, ensure_ascii=False).encode("utf-8")
        )

    def discard(self, name: str = "") -> None:
        """Throw away what was kept under a name (of a folder), or all of it."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        if not name:
            with contextlib.suppress(OSError):  # other sources' answers may be there
                self.folder.parent.rmdir()
