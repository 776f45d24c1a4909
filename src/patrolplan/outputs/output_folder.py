"""Output folders, written completely or not at all, with a manifest of what is in them.

The manifest lists files with their hashes, so that others, and edited ones, are never lost.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patrolplan import atomic
from patrolplan.errors import OutputError
from patrolplan.notes import list_texts
from patrolplan.outputs.papers import is_output_name
from patrolplan.provenance import compute_area_provenance, read_package_versions
from patrolplan.tables import list_left_out
from patrolplan.text import format_count, list_first

if TYPE_CHECKING:
    from patrolplan.area import StudyArea

MANIFEST = "manifest.json"
REMEDY = "name another folder with --out"  # What to do if a folder cannot be written
FOREIGN, EDITED = "that patrolplan did not write", "that were changed after patrolplan wrote them"


@contextmanager
def replace_folder(folder: Path, details: Mapping[str, Any]) -> Iterator[Path]:
    """Yield an empty folder; it replaces `folder` unless a foreign or edited file would be lost."""
    folder = resolve_folder(folder)
    with atomic.lock_folder(folder, REMEDY):
        _prepare_folder(folder)
        with atomic.explain_os_errors(folder, REMEDY):
            part = atomic.create_part_folder(folder)
        try:
            with atomic.explain_os_errors(folder, REMEDY):
                yield part
                old = read_manifest(folder).get("files", {})
                if atomic.WEEK_FILE in old and not (part / atomic.WEEK_FILE).exists():
                    message = (
                        f"{folder}: holds a week ({atomic.WEEK_FILE}) with changes made by hand, "
                        "which would be lost; name another folder with --out, or remove this one "
                        "yourself"
                    )
                    raise OutputError(message)
                files = {
                    path.relative_to(part).as_posix(): atomic.hash_content(path.read_bytes())
                    for path in sorted(part.rglob("*"))
                    if path.is_file()
                }
                write_json(part / MANIFEST, {**details, "files": files})
                atomic.swap_folders(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def check_folder(folder: Path) -> None:
    """Check beforehand that `replace_folder` will be able to write."""
    folder = resolve_folder(folder)
    with atomic.lock_folder(folder, REMEDY):
        _prepare_folder(folder)


def _prepare_folder(folder: Path) -> None:
    """Finish an interrupted swap, and raise when the folder must not be written."""
    with atomic.explain_os_errors(folder, REMEDY):
        if folder.is_dir():
            _finish_replacement(folder)
        atomic.recover_swap(folder)
        if folder.exists() and not folder.is_dir():
            message = f"{folder}: is a file, not a folder; {REMEDY}"
            raise OutputError(message)
        atomic.create_part_folder(folder).rmdir()  # shows whether the folder can be written
        faults = find_faults(folder)
    # A week may have been edited: the commands that write its folder have read it before.
    faults |= {atomic.WEEK_FILE: ""} if faults.get(atomic.WEEK_FILE) == EDITED else {}
    for fault in (FOREIGN, EDITED):
        if names := [name for name, own in faults.items() if own == fault]:
            message = (
                f"{folder}: holds {format_count(len(names), 'file')} {fault} "
                f"({list_first(names)}); move them away or {REMEDY}"
            )
            raise OutputError(message)


def replace_files(folder: Path, files: Mapping[str, bytes], changes: Mapping[str, Any]) -> None:
    """Replace some files, and keys of the manifest, of a folder whose lock the caller holds."""
    # If the run is killed, the next command finishes or drops the work.
    folder = resolve_folder(folder)
    with atomic.explain_os_errors(folder, REMEDY):
        _finish_replacement(folder)
        manifest = read_manifest(folder)
        if not manifest:
            message = f"{folder}: holds no {MANIFEST}; write the week again with --out"
            raise OutputError(message)
        hashes = {name: atomic.hash_content(content) for name, content in files.items()}
        hashes = dict(sorted({**manifest["files"], **hashes}.items()))
        new = atomic.format_json({**manifest, **changes, "files": hashes}).encode("utf-8")
        contents = {folder / name: content for name, content in files.items()}
        atomic.replace_together({**contents, folder / MANIFEST: new})


def _finish_replacement(folder: Path) -> None:
    """Finish a replacement of files, or drop it where not all of them had been written."""
    new = _load_manifest(atomic.sibling_path(folder / MANIFEST, "part"))
    names = [part.name[1:].removesuffix(".part") for part in sorted(folder.glob(".*.part"))]
    ours = [folder / name for name in names if is_output_name(name)]
    atomic.finish_replacing([*ours, folder / MANIFEST], is_complete=bool(new))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder; empty if the folder has none from patrolplan."""
    return _load_manifest(resolve_folder(folder) / MANIFEST)


def _load_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return manifest if isinstance(manifest["files"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def resolve_folder(folder: Path) -> Path:
    """The folder itself, if the path is a link or has dots."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError) as error:  # a link that leads back to itself
        message = f"{folder}: cannot be resolved ({error}); name another folder with --out"
        raise OutputError(message) from None


def find_faults(folder: Path) -> dict[str, str]:
    """Whether each file in a folder is `FOREIGN`, `EDITED`, or as patrolplan wrote it (empty)."""
    # Anybody can write a manifest: a file is ours if it also has one of our names.
    manifest = _load_manifest(folder / MANIFEST)
    hashes = manifest.get("files", {})
    faults = {}
    for path in sorted(folder.rglob("*")):
        name, is_link = path.relative_to(folder).as_posix(), path.is_symlink()
        if not is_link and (path.is_dir() or (manifest and name == MANIFEST)):
            continue
        if is_link or name not in hashes or not is_output_name(name):
            faults[name] = FOREIGN
        else:
            faults[name] = "" if atomic.hash_content(path.read_bytes()) == hashes[name] else EDITED
    return faults


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
    path.write_text(atomic.format_json(document), encoding="utf-8", newline="\n")


def append_records(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Add lines of JSON to a record that only grows, which its owner alone may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("a", encoding="utf-8", newline="\n") as stream:
        stream.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
