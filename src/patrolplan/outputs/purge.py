"""Remove old files that patrolplan wrote, and nothing that anybody else wrote.

It removes entries of the caches; leftovers of killed runs next to an output folder or in the
system's temporary folder; layers of pupils' ways home in the folders that the record next to the
settings names; and files of the given output folders, if the folder's manifest names them and their
content has not changed since. Everything else stays and is reported. Reports that `survey --read`
wrote are an input of the settings, and stay like any other input.
"""

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from patrolplan.atomic import TEMPORARY_PREFIX, explain_os_errors, list_leftovers
from patrolplan.cache import ENTRY_PATTERN, STORES, cache_folder
from patrolplan.errors import OutputError
from patrolplan.outputs.output_folder import (
    MANIFEST,
    append_records,
    find_faults,
    lock_folder,
    read_manifest,
    resolve_folder,
)
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
    """Remove what patrolplan wrote longer ago, and list all that is, removed or not, with why.

    `home` is the folder of the settings, with the record of folders where pupils' ways were
    written. `record` is a file to which a JSON line is added for everything removed, without
    content; by default one in the cache folder. A dry run removes nothing. Raises OutputError when
    an output folder does not exist or is in use, or something cannot be removed.
    """
    now = dt.datetime.now(dt.UTC) if now is None else now
    run = _PurgeRun((now - older_than).timestamp(), f"older than {older_than.days} days", dry_run)
    in_use = now.timestamp() - IN_USE_SECONDS
    entries = [*run.purge_caches(cache_folder()), *run.purge_temporary_files(in_use)]
    shown = () if home is None else list_shown_folders(home)
    held = [out for out in shown if WAYS_FILE in read_manifest(out).get("files", {})]
    for out in dict.fromkeys((*held, *map(resolve_folder, out_folders))):
        entries += run.purge_output_folder(out)
    removed = [entry for entry in entries if entry.removed]
    if removed and not dry_run:
        path = cache_folder() / RECORD_FILE if record is None else record
        at = {"at": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        with explain_os_errors(path, "name it with --record"):
            append_records(path, [at | asdict(entry) for entry in removed])
    return entries


@dataclass(frozen=True)
class _PurgeRun:
    """One purge: what was written before `cutoff_timestamp` is old; a dry run removes nothing."""

    cutoff_timestamp: float
    reason: str
    dry_run: bool

    def purge_caches(self, folder: Path) -> Iterator[PurgeEntry]:
        """Entries of all stores; any other file is left alone, and so is its folder."""
        for name, kind in sorted(STORES.items()):
            store = folder / name
            if not store.is_dir() or store.is_symlink():
                continue
            for path in sorted(store.iterdir()):
                ours = ENTRY_PATTERN.fullmatch(path.name) and path.is_file()
                if ours and not path.is_symlink() and self._is_old(path):
                    yield self._remove(path, kind)
            if not self.dry_run and not any(store.iterdir()):
                store.rmdir()

    def purge_temporary_files(self, in_use: float) -> Iterator[PurgeEntry]:
        """What killed commands, and reports of errors, left in the system's temporary folder."""
        for path in sorted(Path(tempfile.gettempdir()).glob(f"{TEMPORARY_PREFIX}*")):
            status = path.lstat()
            is_ours = not hasattr(os, "getuid") or status.st_uid == os.getuid()
            is_old = status.st_mtime < min(self.cutoff_timestamp, in_use)
            if is_ours and not path.is_symlink() and is_old:
                yield self._remove(path, "temporary file")

    def purge_output_folder(self, out: Path) -> Iterator[PurgeEntry]:
        """An output folder, and what interrupted runs left next to it."""
        if not out.is_dir():
            message = f"{out}: folder not found; correct --folder"
            raise OutputError(message)
        with lock_folder(out):
            for leftover in sorted(list_leftovers(out)):
                if leftover.is_dir() and not leftover.is_symlink() and self._is_old(leftover):
                    yield self._remove(leftover, "left by an interrupted run")
            manifest = out / MANIFEST
            if manifest.is_symlink() or not read_manifest(out):
                why = "holds no manifest.json of patrolplan, which did not write it"
                yield PurgeEntry(f"{out}", "output", removed=False, why=why)
            elif self._is_old(manifest):
                yield from self._purge_output_files(out)

    def _purge_output_files(self, out: Path) -> Iterator[PurgeEntry]:
        for name, fault in find_faults(out).items():
            if fault:
                yield PurgeEntry(f"{out / name}", "output", removed=False, why=f"is a file {fault}")
            else:
                yield self._remove(out / name, "output")
        yield self._remove(out / MANIFEST, "output")
        if not self.dry_run:
            for folder in sorted((out, *out.rglob("*")), reverse=True):
                if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
                    folder.rmdir()

    def _is_old(self, path: Path) -> bool:
        return path.stat().st_mtime < self.cutoff_timestamp

    def _remove(self, path: Path, what: str) -> PurgeEntry:
        if not self.dry_run:
            with explain_os_errors(path, "remove it by hand"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return PurgeEntry(f"{path}", what, removed=True, why=self.reason)
