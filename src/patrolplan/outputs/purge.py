"""Remove old files that patrolplan wrote, and nothing that anybody else wrote.

Caches, leftovers of killed runs, recorded layers of pupils' ways, and unchanged files of manifests.
"""

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from patrolplan.atomic import TEMPORARY_PREFIX, explain_os_errors, list_leftovers, lock_folder
from patrolplan.cache import ENTRY_PATTERN, STORES, cache_folder
from patrolplan.errors import OutputError
from patrolplan.outputs import output_folder
from patrolplan.outputs.ways_layer import WAYS_FILE, list_shown_folders

RECORD_FILE = "purged.jsonl"
IN_USE_SECONDS = 3600  # a younger temporary folder may be that of a command which still runs


@dataclass(frozen=True)
class PurgeEntry:
    """A file or folder that was old enough: what it is, whether it was removed, and why."""

    path: str
    what: str
    removed: bool
    why: str


def purge(
    older_than: dt.timedelta,
    out_folders: Sequence[Path] = (),
    *,
    home: Path | None = None,
    record: Path | None = None,
    dry_run: bool = False,
    now: dt.datetime | None = None,
) -> list[PurgeEntry]:
    """Remove what patrolplan wrote longer ago, and list all that is; `home` has the settings."""
    now = dt.datetime.now(dt.UTC) if now is None else now
    cutoff, entries = (now - older_than).timestamp(), list[PurgeEntry]()

    def remove(path: Path, what: str, fault: str = "") -> None:
        if not (fault or dry_run):
            with explain_os_errors(path, "remove it by hand"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        why = fault or f"older than {older_than.days} days"
        entries.append(PurgeEntry(f"{path}", what, removed=not fault, why=why))

    stores = [cache_folder() / name for name in sorted(STORES)]
    for path, what in [*_list_entries(stores), *_list_temporary(now.timestamp() - IN_USE_SECONDS)]:
        if path.lstat().st_mtime < cutoff:
            remove(path, what)
    shown = () if home is None else list_shown_folders(home)
    held = [out for out in shown if WAYS_FILE in output_folder.read_manifest(out).get("files", {})]
    outs = list(dict.fromkeys((*held, *map(output_folder.resolve_folder, out_folders))))
    for out in outs:
        _purge_output_folder(out, cutoff, remove)
    if not dry_run:
        _remove_empty(stores)
    removed = [entry for entry in entries if entry.removed]
    if removed and not dry_run:
        path = cache_folder() / RECORD_FILE if record is None else record
        at = {"at": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        with explain_os_errors(path, "name it with --record"):
            output_folder.append_records(path, [at | asdict(entry) for entry in removed])
    return entries


def _list_entries(stores: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Entries of the caches; any other file is left alone, and so is its folder."""
    for store in stores:
        for path in sorted(store.iterdir()) if store.is_dir() and not store.is_symlink() else ():
            is_ours = ENTRY_PATTERN.fullmatch(path.name) and path.is_file()
            if is_ours and not path.is_symlink():
                yield path, STORES[store.name]


def _list_temporary(in_use: float) -> Iterator[tuple[Path, str]]:
    """What killed commands, and reports of errors, left in the system's temporary folder."""
    for path in sorted(Path(tempfile.gettempdir()).glob(f"{TEMPORARY_PREFIX}*")):
        status = path.lstat()
        is_ours = not hasattr(os, "getuid") or status.st_uid == os.getuid()
        if is_ours and not path.is_symlink() and status.st_mtime < in_use:
            yield path, "temporary file"


def _purge_output_folder(out: Path, cutoff: float, remove: Callable[..., None]) -> None:
    """Remove an output folder's files, and what interrupted runs left next to it."""
    if not out.is_dir():
        message = f"{out}: folder not found; correct --folder"
        raise OutputError(message)
    with lock_folder(out, output_folder.REMEDY):
        for path in sorted(list_leftovers(out)):
            if path.is_dir() and not path.is_symlink() and path.stat().st_mtime < cutoff:
                remove(path, "left by an interrupted run")
        manifest = out / output_folder.MANIFEST
        if manifest.is_symlink() or not output_folder.read_manifest(out):
            remove(out, "output", "holds no manifest.json of patrolplan, which did not write it")
        elif manifest.stat().st_mtime < cutoff:
            for name, fault in output_folder.find_faults(out).items():
                remove(out / name, "output", fault and f"is a file {fault}")
            remove(manifest, "output")
            if not manifest.exists():
                _remove_empty(sorted((out, *out.rglob("*")), reverse=True))


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()
