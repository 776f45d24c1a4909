"""What patrolplan wrote and is older than allowed, removed; never what is somebody else's.

Removed are entries of the caches, what a broken-off fetch left beside the settings and killed runs
beside an output folder, and the files of output folders that are named: those files alone that the
folder's manifest names and whose content is still the one written. Whatever else lies there is kept
and told.
"""

import datetime as dt
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from patrolplan.atomic import hash_content, list_leftovers
from patrolplan.cache import ENTRY_PATTERN, FETCH_FOLDER, STORE_FOLDER_PATTERN, STORES, cache_folder
from patrolplan.errors import OutputError
from patrolplan.outputs.output_folder import MANIFEST, lock_folder, resolve_folder

RECORD_FILE = "purged.jsonl"


@dataclass(frozen=True)
class PurgeEntry:
    """One thing that was looked at: what it is, whether it went, and why."""

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
    """Remove what patrolplan wrote before a moment, and record it.

    Parameters
    ----------
    older_than
        Age from which on files go, by the time they were written.
    outs
        Output folders.
    home
        Folder of the settings: what a fetch that is not done left there goes as well.
    record
        File that a JSON line is added to for everything removed: when, what, why, and no content;
        by default `purged.jsonl` in the cache folder.
    dry_run
        Say what would go and remove nothing.
    now
        The present, for tests.

    Returns
    -------
    list of Purged
        Everything that was old enough, removed or kept, with the reason.

    Raises
    ------
    OutputError
        When an output folder is not there or in use, or something cannot be removed.
    """
    now = dt.datetime.now(dt.UTC) if now is None else now
    run = _PurgeRun((now - older_than).timestamp(), f"older than {older_than.days} days", dry_run)
    found = list(run.purge_caches(cache_folder()))
    if home is not None:
        found += run.purge_unfinished_fetch(home / FETCH_FOLDER)
    for out in out_folders:
        found += run.purge_output_folder(resolve_folder(out))
    gone = [one for one in found if one.removed]
    if gone and not dry_run:
        _write_record(cache_folder() / RECORD_FILE if record is None else record, gone, now)
    return found


def _write_record(path: Path, removed: Sequence[PurgeEntry], now: dt.datetime) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            for one in removed:
                line = {"at": f"{now:%Y-%m-%dT%H:%M:%SZ}", **asdict(one)}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    except OSError as error:
        message = f"{path}: the record cannot be written ({error.strerror}); name it with --record"
        raise OutputError(message) from None


@dataclass(frozen=True)
class _PurgeRun:
    """One purge: the moment before which things are old, the reason, and whether it is for show."""

    cutoff_timestamp: float
    reason: str
    dry_run: bool

    def purge_caches(self, folder: Path) -> Iterator[PurgeEntry]:
        """Entries of all stores; any other file is left alone, and so is its folder."""
        for store in sorted(folder.iterdir()) if folder.is_dir() else []:
            name = STORE_FOLDER_PATTERN.fullmatch(store.name)
            if name is None or not store.is_dir() or store.is_symlink():
                continue
            kind = STORES[name[1] or "streets"]
            for path in sorted(store.iterdir()):
                ours = ENTRY_PATTERN.fullmatch(path.name) and path.is_file()
                if ours and not path.is_symlink() and self._is_old(path):
                    yield self._remove(path, kind)
            if not self.dry_run and not any(store.iterdir()):
                store.rmdir()

    def purge_unfinished_fetch(self, workspace: Path) -> Iterator[PurgeEntry]:
        """Crimes that came before a fetch broke off; a young one may still go on."""
        if workspace.is_dir() and not workspace.is_symlink() and self._is_old(workspace):
            yield self._remove(workspace, "left by a fetch that broke off")

    def purge_output_folder(self, out: Path) -> Iterator[PurgeEntry]:
        """An output folder and what killed runs left beside it."""
        if not out.is_dir():
            message = f"{out}: there is no such folder; mend --out"
            raise OutputError(message)
        with lock_folder(out):
            for left in sorted(list_leftovers(out)):
                if left.is_dir() and not left.is_symlink() and self._is_old(left):
                    yield self._remove(left, "left by a run that was killed")
            manifest = out / MANIFEST
            if not manifest.is_file():
                yield PurgeEntry(
                    f"{out}", "output", removed=False, why="has no manifest of patrolplan"
                )
            elif self._is_old(manifest):
                yield from self._purge_output_files(out)

    def _purge_output_files(self, out: Path) -> Iterator[PurgeEntry]:
        named = _read_file_hashes(out)
        for path in sorted(path for path in out.rglob("*") if path.is_symlink() or path.is_file()):
            name = path.relative_to(out).as_posix()
            if name == MANIFEST:
                continue
            if path.is_symlink() or name not in named:
                why = "patrolplan did not write it"
                yield PurgeEntry(f"{path}", "output", removed=False, why=why)
            elif hash_content(path.read_bytes()) != named[name]:
                why = "was changed after it was written"
                yield PurgeEntry(f"{path}", "output", removed=False, why=why)
            else:
                yield self._remove(path, "output")
        yield self._remove(out / MANIFEST, "output")
        if not self.dry_run:
            for folder in sorted((out, *out.rglob("*")), reverse=True):
                if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
                    folder.rmdir()

    def _is_old(self, path: Path) -> bool:
        return path.stat().st_mtime < self.cutoff_timestamp

    def _remove(self, path: Path, what: str) -> PurgeEntry:
        if not self.dry_run:
            try:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            except OSError as error:
                message = f"{path}: cannot be removed ({error.strerror}); remove it by hand"
                raise OutputError(message) from None
        return PurgeEntry(f"{path}", what, removed=True, why=self.reason)


def _read_file_hashes(out: Path) -> dict[str, str]:
    """Files that a manifest names, with their hashes; nothing where it cannot be read."""
    try:
        manifest: Any = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
