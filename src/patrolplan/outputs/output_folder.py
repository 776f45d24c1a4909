"""Output folders, written whole or not at all, with a manifest of what is in them.

A new folder is written next to the old one, synced to the disk, and swapped for it by two renames.
If the run is killed at any moment, either the old or the new folder is complete on the disk; where
the kill falls between the two renames, `recover_folder` finishes the swap at the next command. A
lock file next to the folder keeps two runs apart; the system releases it when a run is killed.

The manifest also tells whether the plan in a folder is the one that would be made now, so that
planning can be skipped.
"""

import contextlib
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock

from patrolplan.area.provenance import read_package_versions
from patrolplan.errors import OutputError

MANIFEST = "manifest.json"
PENDING_SUFFIX = ".coming"
"""Ending of a file that is about to replace another."""

WAIT_SECONDS = 10.0
"""How long a run waits for another one that is writing the same folder."""

WEEK_FILE = "week.json"
"""A folder with this file is only replaced by one that has it too."""

MAX_NAMED_FILES = 5
"""Number of files that an error message names."""


@contextmanager
def replace_folder(folder: Path, details: Mapping[str, Any]) -> Iterator[Path]:
    """Yield an empty folder to write into; it replaces `folder` when the block ends without error.

    Parameters
    ----------
    folder
        The output folder; created where it does not exist.
    details
        What the manifest says in addition to the names and hashes of the files.

    Raises
    ------
    OutputError
        When the folder cannot be written, holds files that are not in its manifest, or holds a
        week that would be lost.
    """
    folder = resolve_folder(folder)
    with lock_folder(folder):
        _prepare_folder(folder)
        with _explain_os_errors(folder):
            part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.part-", dir=folder.parent))
        try:
            with _explain_os_errors(folder):
                yield part
                _check_week_is_replaced(folder, part)
                write_json(part / MANIFEST, {**details, "files": _hash_files(part)})
                part.chmod(0o755)
                _sync_tree(part)
                _swap_folders(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _check_week_is_replaced(folder: Path, part: Path) -> None:
    """Raise if a week, which may have been edited by hand, would be replaced by something else."""
    if WEEK_FILE in _read_hashes(folder) and not (part / WEEK_FILE).exists():
        message = (
            f"{folder}: holds a week ({WEEK_FILE}) with what was set by hand, which would be lost; "
            "name another folder with --out, or remove that one yourself"
        )
        raise OutputError(message)


def check_folder(folder: Path) -> None:
    """Check beforehand that `replace_folder` will be able to write.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds files that are not in its manifest.
    """
    folder = resolve_folder(folder)
    with lock_folder(folder):
        _prepare_folder(folder)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that no other run checks, repairs or writes it meanwhile."""
    path = _sibling_path(folder, "lock")
    with _explain_os_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path, timeout=WAIT_SECONDS)
        try:
            lock.acquire()
        except filelock.Timeout:
            message = (
                f"{folder}: another patrolplan is writing there; try again when it has ended, or "
                "name another folder with --out"
            )
            raise OutputError(message) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows only deletes it after the release
            path.unlink(missing_ok=True)
        lock.release()


@contextmanager
def _explain_os_errors(folder: Path) -> Iterator[None]:
    """Turn an error of the system into a message that names the folder and says what to do."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        why = error.strerror or str(error)
        message = f"{folder}: cannot be written ({why}); name another folder with --out"
        raise OutputError(message) from None


def _prepare_folder(folder: Path) -> None:
    """Finish an interrupted swap, and raise when the folder is not ours to write."""
    with _explain_os_errors(folder):
        recover_folder(folder)
        if folder.exists() and not folder.is_dir():
            message = f"{folder}: is a file, not a folder; name another folder with --out"
            raise OutputError(message)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.part-", dir=folder.parent):
            pass
        foreign = _find_foreign_files(folder)
    if foreign:
        named = ", ".join(foreign[:MAX_NAMED_FILES])
        named += " ..." if len(foreign) > MAX_NAMED_FILES else ""
        message = (
            f"{folder}: holds {len(foreign)} files that patrolplan did not write ({named}); "
            "move them away or name another folder with --out"
        )
        raise OutputError(message)


def replace_files(folder: Path, files: Mapping[str, bytes], changes: Mapping[str, Any]) -> None:
    """Replace some files of a folder that `replace_folder` wrote; the others stay as they are.

    All new files, and a manifest that names them, are complete next to the old ones before the
    first is renamed over its predecessor. If the run is killed, the next command finishes the
    renames or drops the new files. No other file is touched, so that a paper may be open in a
    viewer. The caller holds `lock_folder` meanwhile.

    Parameters
    ----------
    folder
        The folder.
    files
        Contents by name, relative to the folder.
    changes
        Keys of the manifest that change.

    Raises
    ------
    OutputError
        When the folder cannot be written, or has no manifest of patrolplan.
    """
    folder = resolve_folder(folder)
    with _explain_os_errors(folder):
        _finish_replacement(folder)
        manifest = _load_manifest(folder)
        if manifest is None:
            message = f"{folder}: holds no manifest of ours; write the week again with --out"
            raise OutputError(message)
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        new = {**manifest, **changes, "files": {**manifest["files"], **hashes}}
        new["files"] = dict(sorted(new["files"].items()))
        for name, content in files.items():
            _write_and_sync(folder / f"{name}{PENDING_SUFFIX}", content)
        _write_and_sync(folder / f"{MANIFEST}{PENDING_SUFFIX}", format_json(new).encode("utf-8"))
        _finish_replacement(folder)
        _sync_folder(folder)


def _finish_replacement(folder: Path) -> None:
    """Finish a replacement of files, or drop it where not all of them had been written.

    The pending manifest is written last. If it is complete, every pending file with the hash that
    it names is complete too and is renamed into place; any other pending file is dropped, and the
    old one stays. The manifest is renamed last, so a second kill leaves the same state to finish.
    """
    pending = folder / f"{MANIFEST}{PENDING_SUFFIX}"
    hashes = _read_hashes(folder, pending.name)
    ours = {*hashes, *_read_hashes(folder)}
    for path in folder.glob(f"*{PENDING_SUFFIX}"):
        name = path.name.removesuffix(PENDING_SUFFIX)
        if name not in ours:
            continue
        if hashes.get(name) == hash_file(path):
            path.replace(folder / name)
        else:
            path.unlink()
    if _load_manifest(folder, pending.name) is None:  # absent, or not written to its end
        pending.unlink(missing_ok=True)
    else:
        pending.replace(folder / MANIFEST)


def _write_and_sync(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk, not only in the system's memory."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Replace a single file whole or not at all."""
    part = path.with_name(f"{path.name}{PENDING_SUFFIX}")
    try:
        _write_and_sync(part, content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder; empty where the folder has none of patrolplan."""
    return _load_manifest(resolve_folder(folder)) or {}


def _load_manifest(folder: Path, name: str = MANIFEST) -> dict[str, Any] | None:
    """A manifest; None where it is absent, unreadable or not of patrolplan."""
    try:
        manifest = json.loads((folder / name).read_text(encoding="utf-8"))
        return manifest if isinstance(manifest["files"], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_hashes(folder: Path, name: str = MANIFEST) -> dict[str, str]:
    """SHA-256 by file name, as a manifest lists them; empty without a manifest."""
    manifest = _load_manifest(folder, name)
    return {} if manifest is None else manifest["files"]


def recover_folder(folder: Path) -> None:
    """Finish a swap that was interrupted, and remove what killed runs left next to the folder."""
    if folder.is_dir():
        _finish_replacement(folder)
    old, new = _sibling_path(folder, "old"), _sibling_path(folder, "new")
    if not folder.exists() and new.exists():
        new.rename(folder)
    elif not folder.exists() and old.exists():
        old.rename(folder)
    for leftover in list_leftovers(folder):
        shutil.rmtree(leftover, ignore_errors=True)


def list_leftovers(folder: Path) -> list[Path]:
    """Where a killed run may have left folders next to an output folder."""
    parts = folder.parent.glob(f".{glob.escape(folder.name)}.part-*")
    return sorted((*parts, _sibling_path(folder, "old"), _sibling_path(folder, "new")))


def _swap_folders(part: Path, folder: Path) -> None:
    """Rename the complete folder to .new, the old one to .old, and .new to the folder's name."""
    old, new = _sibling_path(folder, "old"), _sibling_path(folder, "new")
    part.rename(new)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    _sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_tree(part: Path) -> None:
    """Sync every file and folder to the disk, so that a power cut cannot leave empty ones."""
    for path in part.rglob("*"):
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("r+b") as stream:  # Windows only syncs files open for writing
                os.fsync(stream.fileno())
    _sync_folder(part)


def _sync_folder(folder: Path) -> None:
    """Sync a folder's entries to the disk, on systems that can open a folder for that."""
    with contextlib.suppress(OSError):  # Windows cannot, and syncs entries by itself
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def resolve_folder(folder: Path) -> Path:
    """The folder itself, where it is given by a link or with dots."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError) as error:  # a link that leads back to itself
        message = f"{folder}: leads nowhere ({error}); name another folder with --out"
        raise OutputError(message) from None


def _sibling_path(folder: Path, kind: str) -> Path:
    """Path of the lock, the old or the new folder while one is swapped for the other."""
    return folder.parent / f".{folder.name}.{kind}"


def hash_file(path: Path) -> str:
    """SHA-256 of a file, as manifests hold it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 by name of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hash_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _find_foreign_files(folder: Path) -> list[str]:
    """Files and links in a folder that its manifest does not name."""
    files = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    manifest = _load_manifest(folder)
    ours = set() if manifest is None else {MANIFEST, *manifest["files"]}
    return sorted(files - ours)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their names relative to a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write JSON, the same bytes for the same content."""
    path.write_text(format_json(document), encoding="utf-8", newline="\n")


def format_json(document: Mapping[str, Any]) -> str:
    """JSON with keys in the order given and a line break at the end; NaN is an error."""
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def is_up_to_date(folder: Path, origin: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Whether a folder holds, complete and unchanged, the plan that would be made now.

    Settings, seed, version, package versions and the bytes of every input must be the same as when
    the plan was made, and every file must be as it was written.

    Parameters
    ----------
    folder
        The output folder.
    origin
        Provenance of the plan that would be made now.
    request
        What is requested in addition, see `patrolplan.outputs.pack.write_pack`.
    """
    manifest = _load_manifest(folder) or {}
    if (
        manifest.get("asked") != dict(request)
        or manifest.get("versions") != read_package_versions()
        or manifest.get("created_from") != dict(origin)
        or "plan.json" not in manifest["files"]
    ):
        return False
    try:
        hashes = _hash_files(folder)
    except OSError:
        return False
    del hashes[MANIFEST]
    return hashes == _read_hashes(folder)
