"""Files and folders that are written completely or not at all, locks, and hashes of content.

A file is renamed into place, a folder by two renames; `recover_swap` ends a swap that was killed.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import filelock

from patrolplan.errors import OutputError, PatrolplanError

TEMPORARY_PREFIX = "patrolplan-"  # Prefix of our folders in the system's temporary folder
WAIT_SECONDS = 10.0  # How long a run waits for another one that is writing the same folder
WEEK_FILE = "week.json"  # It may have changes by hand, so only another week replaces it


def hash_content(*parts: str | bytes | memoryview) -> str:
    """SHA-256 of some content."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part.encode("utf-8") if isinstance(part, str) else part)
    return hashed.hexdigest()


def hash_json(content: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """SHA-256 of content as JSON, independent of the order of keys."""
    return hash_content(json.dumps(content, sort_keys=True, ensure_ascii=False))


def hash_file(path: Path) -> str:
    """SHA-256 of an input file's content, computed once per run."""
    status = path.stat()
    return _hash_file(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _hash_file(path: Path, size: int, written: int) -> str:  # noqa: ARG001 - they show a change
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def explain_os_errors(path: Path, remedy: str) -> Iterator[None]:
    """Turn a system error about a file or folder into an `OutputError` with a remedy."""
    try:
        yield
    except PatrolplanError:
        raise
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror or error}); {remedy}"
        raise OutputError(message) from None


@contextlib.contextmanager
def hold_lock(path: Path, in_use: PatrolplanError, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock file; the system releases it when this process is killed."""
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


@contextlib.contextmanager
def lock_folder(path: Path, remedy: str) -> Iterator[None]:
    """Hold the lock of a folder or file, so that no other run checks or writes it meanwhile."""
    in_use = f"{path}: another patrolplan is writing to it; try again when it has finished, or "
    with contextlib.ExitStack() as stack:
        with explain_os_errors(path, remedy):
            lock, error = sibling_path(path, "lock"), OutputError(in_use + remedy)
            stack.enter_context(hold_lock(lock, error, wait_seconds=WAIT_SECONDS))
        yield


def format_json(document: Mapping[str, Any]) -> str:
    """JSON with keys in the order given and a line break at the end; NaN is an error."""
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and flush it to disk, not only to the system's memory."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextlib.contextmanager
def write_beside(path: Path, part: Path) -> Iterator[Path]:
    """Yield a path to write to; the file is renamed to `path` on success, otherwise removed."""
    try:
        yield part
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def replace_file(path: Path, content: bytes) -> None:
    """Write a file completely, flushed to disk, or not at all."""
    # No pattern that ends in .csv matches the name of the part.
    with write_beside(path, sibling_path(path, "part")) as part:
        write_synced(part, content)


def write_file_atomically(path: Path, data: bytes) -> None:
    """Like `replace_file`, but create the folder if there is none."""
    with explain_os_errors(path, "free some disk space or choose another folder"):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)


def replace_together(files: Mapping[Path, bytes]) -> None:
    """Replace files of a folder, or none: all are complete on disk before the first is renamed."""
    # The last one is the record of the others: after a kill it tells whether all had been written.
    paths = [*files]
    finish_replacing(paths, is_complete=False)  # writing would follow a link of a part's name
    try:
        for path, content in files.items():
            write_synced(sibling_path(path, "part"), content)
    except BaseException:
        with contextlib.suppress(OSError):
            finish_replacing(paths, is_complete=False)
        raise
    finish_replacing(paths, is_complete=True)
    sync_folder(paths[-1].parent)


def finish_replacing(paths: Iterable[Path], *, is_complete: bool) -> None:
    """Rename new files into place in this order, or drop them if not all had been written."""
    # Those that are renamed are passed over, so a second kill leaves the same to finish.
    for path in paths:
        part = sibling_path(path, "part")
        if is_complete and part.exists():
            part.replace(path)
        else:
            part.unlink(missing_ok=True)


def create_part_folder(folder: Path) -> Path:
    """Create a new folder next to the one that it will replace, see `swap_folders`."""
    return Path(tempfile.mkdtemp(prefix=f".{folder.name}.part-", dir=folder.parent))


def swap_folders(part: Path, folder: Path) -> None:
    """Replace a folder by a part folder, flushed to disk: it becomes `.new`, the old one `.old`."""
    part.chmod(0o755)  # other users may read it, unlike a temporary folder
    for path in part.rglob("*"):  # so that a power cut cannot leave empty files
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("r+b") as stream:  # Windows syncs only files that are open for writing
                os.fsync(stream.fileno())
    sync_folder(part)
    old, new = sibling_path(folder, "old"), sibling_path(folder, "new")
    part.rename(new)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def recover_swap(folder: Path) -> None:
    """Finish an interrupted swap, and remove what a killed command left next to it."""
    old, new = sibling_path(folder, "old"), sibling_path(folder, "new")
    if not folder.exists() and new.exists():
        new.rename(folder)
    elif not folder.exists() and old.exists():
        old.rename(folder)
    for leftover in list_leftovers(folder):
        shutil.rmtree(leftover, ignore_errors=True)


def list_leftovers(folder: Path) -> list[Path]:
    """Names that killed commands may have left next to a folder."""
    name = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in folder.name)
    parts = folder.parent.glob(f".{name}.part-*")
    return [*parts, sibling_path(folder, "old"), sibling_path(folder, "new")]


def sibling_path(path: Path, kind: str) -> Path:
    """Path of a lock, of the old and new folders during a swap, or of the new part of a file."""
    return path.parent / f".{path.name}.{kind}"


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to disk, if the system allows opening a folder."""
    with contextlib.suppress(OSError):  # Windows does not, and flushes names itself
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
