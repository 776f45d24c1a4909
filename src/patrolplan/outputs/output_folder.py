"""Output folders, written completely or not at all, with a manifest of what is in them.

A new folder is written next to the old one and swapped for it, see `patrolplan.atomic`; a lock file
excludes a second run. The manifest lists the files that patrolplan wrote, with their hashes, so
that other files, and files edited since, are never lost.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patrolplan.atomic import (
    WEEK_FILE,
    create_part_folder,
    explain_os_errors,
    finish_replacing,
    hash_content,
    hold_lock,
    recover_swap,
    replace_together,
    sibling_path,
    swap_folders,
)
from patrolplan.errors import OutputError
from patrolplan.notes import list_texts
from patrolplan.outputs.papers import is_output_name
from patrolplan.provenance import compute_area_provenance, read_package_versions
from patrolplan.tables import list_left_out
from patrolplan.text import format_count

if TYPE_CHECKING:
    from patrolplan.area import StudyArea

MANIFEST = "manifest.json"

WAIT_SECONDS = 10.0
"""How long a run waits for another one that is writing the same folder."""

REMEDY = "name another folder with --out"
"""What to do if a folder cannot be written."""

MAX_NAMED_FILES = 5
"""Number of files that an error message names."""


@contextmanager
def replace_folder(folder: Path, details: Mapping[str, Any]) -> Iterator[Path]:
    """Yield an empty folder to write into; it replaces `folder` when the block ends without error.

    A folder that holds files which patrolplan did not write or that were changed since, or a week
    that would be lost, is refused. `details` are further keys of the manifest.
    """
    folder = resolve_folder(folder)
    with lock_folder(folder):
        _prepare_folder(folder)
        with explain_os_errors(folder, REMEDY):
            part = create_part_folder(folder)
        try:
            with explain_os_errors(folder, REMEDY):
                yield part
                old = read_manifest(folder).get("files", {})
                if WEEK_FILE in old and not (part / WEEK_FILE).exists():
                    message = (
                        f"{folder}: holds a week ({WEEK_FILE}) with changes made by hand, which "
                        "would be lost; name another folder with --out, or remove this one yourself"
                    )
                    raise OutputError(message)
                write_json(part / MANIFEST, {**details, "files": _hash_files(part)})
                swap_folders(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def check_folder(folder: Path) -> None:
    """Check beforehand that `replace_folder` will be able to write."""
    folder = resolve_folder(folder)
    with lock_folder(folder):
        _prepare_folder(folder)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that no other run checks, repairs or writes it meanwhile."""
    message = (
        f"{folder}: another patrolplan is writing to it; try again when it has finished, or "
        "name another folder with --out"
    )
    with hold_lock_beside(folder, message, REMEDY):
        yield


@contextmanager
def hold_lock_beside(path: Path, in_use: str, remedy: str) -> Iterator[None]:
    """Hold the lock of a folder or file; raises with `in_use` if another run does not end soon."""
    with ExitStack() as stack:
        with explain_os_errors(path, remedy):
            lock = hold_lock(
                sibling_path(path, "lock"), OutputError(in_use), wait_seconds=WAIT_SECONDS
            )
            stack.enter_context(lock)
        yield


def _prepare_folder(folder: Path) -> None:
    """Finish an interrupted swap, and raise when the folder must not be written."""
    with explain_os_errors(folder, REMEDY):
        recover_folder(folder)
        if folder.exists() and not folder.is_dir():
            message = f"{folder}: is a file, not a folder; name another folder with --out"
            raise OutputError(message)
        create_part_folder(folder).rmdir()  # shows whether the folder can be written
        foreign, edited = _find_others_files(folder)
    for names, what in (
        (foreign, "that patrolplan did not write"),
        (edited, "that were changed after patrolplan wrote them"),
    ):
        if names:
            listed = ", ".join(names[:MAX_NAMED_FILES])
            listed += " ..." if len(names) > MAX_NAMED_FILES else ""
            message = (
                f"{folder}: holds {format_count(len(names), 'file')} {what} ({listed}); "
                "move them away or name another folder with --out"
            )
            raise OutputError(message)


def replace_files(folder: Path, files: Mapping[str, bytes], changes: Mapping[str, Any]) -> None:
    """Replace some files of a folder that `replace_folder` wrote; the others stay as they are.

    If the run is killed, the next command finishes the work or drops it. No other file is touched,
    so that a paper may be open in a viewer. The caller holds `lock_folder` meanwhile. `changes` are
    keys of the manifest.
    """
    folder = resolve_folder(folder)
    with explain_os_errors(folder, REMEDY):
        _finish_replacement(folder)
        manifest = read_manifest(folder)
        if not manifest:
            message = f"{folder}: holds no {MANIFEST}; write the week again with --out"
            raise OutputError(message)
        hashes = {name: hash_content(content) for name, content in files.items()}
        hashes = dict(sorted({**manifest["files"], **hashes}.items()))
        new = format_json({**manifest, **changes, "files": hashes}).encode("utf-8")
        contents = {folder / name: content for name, content in files.items()}
        replace_together({**contents, folder / MANIFEST: new})


def _finish_replacement(folder: Path) -> None:
    """Finish a replacement of files, or drop it where not all of them had been written."""
    new = _load_manifest(sibling_path(folder / MANIFEST, "part"))
    names = [part.name[1:].removesuffix(".part") for part in sorted(folder.glob(".*.part"))]
    ours = [folder / name for name in names if is_output_name(name)]
    finish_replacing([*ours, folder / MANIFEST], is_complete=bool(new))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder; empty if the folder has none from patrolplan."""
    return _load_manifest(resolve_folder(folder) / MANIFEST)


def _load_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return manifest if isinstance(manifest["files"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def recover_folder(folder: Path) -> None:
    """Finish an interrupted replacement or swap, and remove what killed runs left behind."""
    if folder.is_dir():
        _finish_replacement(folder)
    recover_swap(folder)


def resolve_folder(folder: Path) -> Path:
    """The folder itself, if the path is a link or has dots."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError) as error:  # a link that leads back to itself
        message = f"{folder}: cannot be resolved ({error}); name another folder with --out"
        raise OutputError(message) from None


def _hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 by name of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hash_content(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _find_others_files(folder: Path) -> tuple[list[str], list[str]]:
    """Files that patrolplan did not write into a folder, and those changed since it did.

    A manifest alone proves nothing, since anybody can write one: a file counts as written by
    patrolplan if it has one of our names and the manifest lists it. A week's file may have been
    edited: the commands that write its folder have read it before.
    """
    manifest = _load_manifest(folder / MANIFEST)
    hashes = manifest.get("files", {})
    foreign, edited = list[str](), list[str]()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        if manifest and name == MANIFEST and not path.is_symlink():
            continue
        if path.is_symlink() or name not in hashes or not is_output_name(name):
            foreign.append(name)
        elif name != WEEK_FILE and hash_content(path.read_bytes()) != hashes[name]:
            edited.append(name)
    return foreign, edited


def build_manifest_header(area: "StudyArea") -> dict[str, Any]:
    """Content of a manifest: origin, versions, settings, inputs, what was left out and why."""
    return {
        "schema": 1,
        "created_from": compute_area_provenance(area),
        "versions": read_package_versions(),
        "settings": area.settings.model_dump(mode="json", by_alias=True),
        "inputs": area.inputs,
        "left_out": list_left_out(area.left_out),
        "notes": list_texts(area.notes),
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, by name relative to a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write JSON; equal content gives equal bytes."""
    path.write_text(format_json(document), encoding="utf-8", newline="\n")


def format_json(document: Mapping[str, Any]) -> str:
    """JSON with keys in the order given and a line break at the end; NaN is an error."""
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
