"""Files and folders that are written completely or not at all, locks, and hashes of content.

A file is written next to its place and renamed into it. A folder is swapped for another by two
renames; killed at any moment, either the old or the new one stands, and where the kill falls
between the two, `recover_swap` finishes it at the next command.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import filelock

from patrolplan.errors import OutputError, PatrolplanError

TEMPORARY_PREFIX = "patrolplan-"
"""How the names of our folders in the system's temporary folder begin."""

WEEK_FILE = "week.json"
"""A week in its folder. It may hold changes made by hand, so it is replaced only by another."""

UNDO_FILE = "undo.json"
"""What can be undone on the board, in the week's folder; for its owner alone."""


def hash_content(*parts: str | bytes | memoryview) -> str:
    """SHA-256 of some content."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part.encode("utf-8") if isinstance(part, str) else part)
    return hashed.hexdigest()


def hash_json(content: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """SHA-256 of content as JSON, whatever the order of its keys."""
    return hash_content(json.dumps(content, sort_keys=True, ensure_ascii=False))


def hash_file(path: Path) -> str:
    """SHA-256 of an input file's content, computed once in a run.

    In another run the bytes are read again: a date and a size do not prove that they are the same.
    """
    status = path.stat()
    return _hash_file(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _hash_file(path: Path, size: int, written: int) -> str:  # noqa: ARG001 - they show a change
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def explain_os_errors(path: Path, remedy: str) -> Iterator[None]:
    """Turn what the system says of a file or folder into an `OutputError` with a remedy."""
    try:
        yield
    except PatrolplanError:
        raise
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror or error}); {remedy}"
        raise OutputError(message) from None


@contextlib.contextmanager
def hold_lock(path: Path, in_use: PatrolplanError, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock file; the system releases it when this process is killed.

    Parameters
    ----------
    path
        The lock file; it is removed at the end.
    in_use
        Raised where another process holds the lock for longer than the waiting time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path, timeout=wait_seconds)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise in_use from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows cannot remove it before the release
            path.unlink(missing_ok=True)
        lock.release()


def write_synced(path: Path, content: bytes) -> None:
    """Write a file to the disk itself, not only to the system's memory."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextlib.contextmanager
def write_beside(path: Path, part: Path) -> Iterator[Path]:
    """Give a file to write; it is renamed to `path` when all went well, else removed."""
    try:
        yield part
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that it is whole, and on the disk, or not there.

    Raises
    ------
    OSError
        When it cannot be written; nothing is left next to it.
    """
    # No pattern that ends in .csv matches the name of the part.
    with write_beside(path, path.with_name(f".{path.name}.part")) as part:
        write_synced(part, content)


def write_file_atomically(path: Path, data: bytes) -> None:
    """Do as `replace_file` does, making the folder where there is none.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    with explain_os_errors(path, "free some disk space or choose another folder"):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)


def create_part_folder(folder: Path) -> Path:
    """Make a new folder next to another that it may later replace, see `swap_folders`."""
    return Path(tempfile.mkdtemp(prefix=f".{folder.name}.part-", dir=folder.parent))


def swap_folders(part: Path, folder: Path) -> None:
    """Let a part folder take another's place, once all that is in it is on the disk.

    The new folder gets the name `.new`, the old one moves out to `.old`, the new one moves in.
    """
    part.chmod(0o755)  # other users may read it, unlike a temporary folder
    _sync_tree(part)
    old, new = sibling_path(folder, "old"), sibling_path(folder, "new")
    part.rename(new)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def recover_swap(folder: Path) -> None:
    """Finish a swap that was interrupted, and clear away what a killed command left next to it."""
    old, new = sibling_path(folder, "old"), sibling_path(folder, "new")
    if not folder.exists() and new.exists():
        new.rename(folder)
    elif not folder.exists() and old.exists():
        old.rename(folder)
    for leftover in list_leftovers(folder):
        shutil.rmtree(leftover, ignore_errors=True)


def list_leftovers(folder: Path) -> list[Path]:
    """Names that commands killed while writing a folder may have left next to it."""
    name = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in folder.name)
    parts = folder.parent.glob(f".{name}.part-*")
    return [*parts, sibling_path(folder, "old"), sibling_path(folder, "new")]


def sibling_path(folder: Path, kind: str) -> Path:
    """Where the lock, the old and the new folder lie while one takes the other's place."""
    return folder.parent / f".{folder.name}.{kind}"


def _sync_tree(part: Path) -> None:
    """Bring every file and folder to the disk, so that a power cut cannot leave empty ones."""
    for path in part.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("r+b") as stream:  # Windows syncs only what is open for writing
                os.fsync(stream.fileno())
    sync_folder(part)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, where the system lets one open a folder for that."""
    with contextlib.suppress(OSError):  # Windows does not, and keeps names safe by itself
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
