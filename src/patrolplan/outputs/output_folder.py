"""Folders written whole or not at all, with a manifest of what is in them.

A new folder is written beside the old one, synced to the disk, and swapped for it by renaming.
Killed at any moment, either the old or the new one stands; where the kill falls between the two
renames, `recover` finishes the swap at the next command. A lock beside the folder keeps two runs
apart; the system lets go of it when a run is killed.

Whether the plan in a folder is the one that would be made now, so that it need not be made.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from patrolplan.atomic import (
    create_part_folder,
    explain_os_errors,
    hash_content,
    hold_lock,
    recover_swap,
    sibling_path,
    swap_folders,
    sync_folder,
    write_synced,
)
from patrolplan.errors import OutputError
from patrolplan.provenance import read_package_versions

MANIFEST = "manifest.json"
PENDING_SUFFIX = ".coming"
"""Ends the name of a file that is about to replace another."""

WAIT_SECONDS = 10.0
"""So long a run waits for another one that is writing the same folder."""

REMEDY = "name another folder with --out"
"""What to do where a folder cannot be written."""

WEEK_FILE = "week.json"
"""No other output takes the place of a folder with this file."""


@contextmanager
def replace_folder(folder: Path, details: Mapping[str, Any]) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of `folder` when all went well.

    Parameters
    ----------
    folder
        The output folder; made where it does not exist.
    about
        What the manifest says beside the names and hashes of the files.

    Raises
    ------
    OutputError
        When the folder cannot be written, holds files that are not in its manifest, or a week
        that would be lost.
    """
    folder = resolve_folder(folder)
    with lock_folder(folder):
        _prepare_folder(folder)
        with explain_os_errors(folder, REMEDY):
            part = create_part_folder(folder)
        try:
            with explain_os_errors(folder, REMEDY):
                yield part
                _check_week_is_kept(folder, part)
                _write_manifest(part, details)
                swap_folders(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _check_week_is_kept(folder: Path, part: Path) -> None:
    """Raise where a week, which may have been changed by hand, would give way to something else."""
    manifest = _load_manifest(folder) or {"files": {}}
    if WEEK_FILE in manifest["files"] and not (part / WEEK_FILE).exists():
        message = (
            f"{folder}: holds a week ({WEEK_FILE}) with what was set by hand, which would be lost; "
            "name another folder with --out, or remove that one yourself"
        )
        raise OutputError(message)


def check_folder(folder: Path) -> None:
    """Raise now what would keep `replace_folder` from writing later.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds what is not ours to replace.
    """
    folder = resolve_folder(folder)
    with lock_folder(folder):
        _prepare_folder(folder)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that no other run checks, mends or writes it meanwhile."""
    message = (
        f"{folder}: another patrolplan is writing there; try again when it has ended, or "
        "name another folder with --out"
    )
    with ExitStack() as stack:
        with explain_os_errors(folder, REMEDY):
            path = sibling_path(folder, "lock")
            stack.enter_context(hold_lock(path, OutputError(message), wait_seconds=WAIT_SECONDS))
        yield


def _prepare_folder(folder: Path) -> None:
    """Finish what was interrupted, and raise when the folder is not ours to write."""
    with explain_os_errors(folder, REMEDY):
        recover_folder(folder)
        if folder.exists() and not folder.is_dir():
            message = f"{folder}: is a file, not a folder; name another folder with --out"
            raise OutputError(message)
        create_part_folder(folder).rmdir()  # shows whether the folder can be written
        strangers = _find_foreign_files(folder)
    if strangers:
        named = ", ".join(strangers[:5]) + (" ..." if len(strangers) > 5 else "")  # noqa: PLR2004
        message = (
            f"{folder}: holds {len(strangers)} files that patrolplan did not write ({named}); "
            "move them away or name another folder with --out"
        )
        raise OutputError(message)


def replace_files(folder: Path, files: Mapping[str, bytes], changes: Mapping[str, Any]) -> None:
    """Replace some files of a folder that `replace_folder` wrote; the others stay as they are.

    The new files and a manifest that names them are complete beside the old ones before the first
    takes its place; killed at any moment, the next command finishes or forgets the rest. No other
    file is touched, so that a paper may be open in a viewer. Hold the folder `alone` meanwhile.

    Parameters
    ----------
    folder
        The folder.
    files
        Contents by name, relative to the folder.
    about
        Keys of the manifest that change.

    Raises
    ------
    OutputError
        When the folder cannot be written, or is none of ours.
    """
    folder = resolve_folder(folder)
    with explain_os_errors(folder, REMEDY):
        _finish_replacement(folder)
        manifest = _load_manifest(folder)
        if manifest is None:
            message = f"{folder}: holds no manifest of ours; write the week again with --out"
            raise OutputError(message)
        hashes = {name: hash_content(content) for name, content in files.items()}
        new = {**manifest, **changes, "files": {**manifest["files"], **hashes}}
        new["files"] = dict(sorted(new["files"].items()))
        for name, content in files.items():
            write_synced(folder / f"{name}{PENDING_SUFFIX}", content)
        write_synced(folder / f"{MANIFEST}{PENDING_SUFFIX}", format_json(new).encode("utf-8"))
        _finish_replacement(folder)
        sync_folder(folder)


def _finish_replacement(folder: Path) -> None:
    """Finish files that were being replaced, or forget them where not all had been written."""
    coming = folder / f"{MANIFEST}{PENDING_SUFFIX}"
    manifest = _load_manifest(folder, coming.name)
    hashes = {} if manifest is None else manifest["files"]
    ours = {*hashes, *(_load_manifest(folder) or {"files": {}})["files"]}
    for path in folder.glob(f"*{PENDING_SUFFIX}"):
        name = path.name.removesuffix(PENDING_SUFFIX)
        if name not in ours:
            continue
        if hashes.get(name) == hash_content(path.read_bytes()):
            path.replace(folder / name)
        else:
            path.unlink()
    if manifest is None:  # not there, or broken off while it was written
        coming.unlink(missing_ok=True)
    else:
        coming.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder; empty where it holds none of ours."""
    return _load_manifest(resolve_folder(folder)) or {}


def _load_manifest(folder: Path, name: str = MANIFEST) -> dict[str, Any] | None:
    try:
        manifest = json.loads((folder / name).read_text(encoding="utf-8"))
        return manifest if isinstance(manifest["files"], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def recover_folder(folder: Path) -> None:
    """Finish what was interrupted, and clear away what a killed command left beside."""
    if folder.is_dir():
        _finish_replacement(folder)
    recover_swap(folder)


def resolve_folder(folder: Path) -> Path:
    """The folder itself, also where it is named by a link, or by dots."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError) as error:  # a link that leads back to itself
        message = f"{folder}: leads nowhere ({error}); name another folder with --out"
        raise OutputError(message) from None


def _write_manifest(part: Path, details: Mapping[str, Any]) -> None:
    files = {
        path.relative_to(part).as_posix(): hash_content(path.read_bytes())
        for path in sorted(part.rglob("*"))
        if path.is_file()
    }
    write_json(part / MANIFEST, {**details, "files": files})


def _find_foreign_files(folder: Path) -> list[str]:
    """Files in a folder that its manifest does not name."""
    if not folder.exists():
        return []
    there = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    manifest = _load_manifest(folder)
    ours = set() if manifest is None else {MANIFEST, *manifest["files"]}
    return sorted(there - ours)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write JSON, the same bytes for the same content."""
    path.write_text(format_json(document), encoding="utf-8", newline="\n")


def format_json(document: Mapping[str, Any]) -> str:
    """JSON with sorted keys nowhere and a line break at the end; NaN is an error."""
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def is_up_to_date(folder: Path, origin: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Whether a folder holds, whole and untouched, the plan that was asked for.

    The plan's settings, seed, version and the bytes of every input must be those of now, and so
    must the packages that it was made with; every file must be the one that was written.

    Parameters
    ----------
    folder
        The output folder.
    origin
        What a plan would be created from, see `patrolplan.provenance`.
    asked
        What is asked for beside them, see `patrolplan.outputs.pack.write_pack`.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        same = (
            manifest.get("asked") == dict(request)
            and manifest["versions"] == read_package_versions()
            and manifest["created_from"] == dict(origin)
        )
        return bool(
            same
            and "plan.json" in manifest["files"]
            and _has_exact_files(folder, manifest["files"])
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _has_exact_files(folder: Path, files: Mapping[str, str]) -> bool:
    there = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    there.pop(MANIFEST)
    return there.keys() == files.keys() and all(
        hash_content(path.read_bytes()) == files[name] for name, path in there.items()
    )
