"""Folders written whole or not at all, with a manifest of what is in them.

A new folder is written beside the old one and swapped for it by renaming. Killed at any moment,
either the old or the new one stands; where the kill falls between the two renames, `recover`
finishes the swap at the next command.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from patrolplan.errors import OutputError

MANIFEST = "manifest.json"


@contextmanager
def whole_folder(folder: Path, about: Mapping[str, Any]) -> Iterator[Path]:
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
        When the folder cannot be written, or holds files that are not in its manifest.
    """
    folder = _real(folder)
    check_folder(folder)
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.part-", dir=folder.parent))
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        yield part
        _write_manifest(part, about)
        part.chmod(0o755)
        _swap(part, folder)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise _unwritable(folder, error) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_folder(folder: Path) -> None:
    """Raise now what would keep `whole_folder` from writing later.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds what is not ours to replace.
    """
    folder = _real(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        recover(folder)
        if folder.exists() and not folder.is_dir():
            message = f"{folder}: is a file, not a folder; name another folder with --out"
            raise OutputError(message)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.part-", dir=folder.parent):
            pass
        strangers = _strangers(folder)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise _unwritable(folder, error) from None
    if strangers:
        named = ", ".join(strangers[:5]) + (" ..." if len(strangers) > 5 else "")  # noqa: PLR2004
        message = (
            f"{folder}: holds {len(strangers)} files that patrolplan did not write ({named}); "
            "move them away or name another folder with --out"
        )
        raise OutputError(message)


def recover(folder: Path) -> None:
    """Finish a swap that was interrupted, and clear away what a killed command left beside."""
    old, new = _beside(folder, "old"), _beside(folder, "new")
    if not folder.exists() and new.exists():
        new.rename(folder)
    elif not folder.exists() and old.exists():
        old.rename(folder)
    for left in (old, new, *folder.parent.glob(f".{_escaped(folder.name)}.part-*")):
        shutil.rmtree(left, ignore_errors=True)


def _swap(part: Path, folder: Path) -> None:
    """Complete under the name .new, then old out and new in."""
    old, new = _beside(folder, "old"), _beside(folder, "new")
    part.rename(new)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _real(folder: Path) -> Path:
    """The folder itself, also where it is named by a link, or by dots."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError) as error:  # a link that leads back to itself
        message = f"{folder}: leads nowhere ({error}); name another folder with --out"
        raise OutputError(message) from None


def _beside(folder: Path, kind: str) -> Path:
    return folder.parent / f".{folder.name}.{kind}"


def _escaped(name: str) -> str:
    """A name as a pattern that matches it alone."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def _write_manifest(part: Path, about: Mapping[str, Any]) -> None:
    files = {
        path.relative_to(part).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(part.rglob("*"))
        if path.is_file()
    }
    write_json(part / MANIFEST, {**about, "files": files})


def _strangers(folder: Path) -> list[str]:
    """Files in a folder that its manifest does not name."""
    if not folder.exists():
        return []
    there = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        ours = {MANIFEST, *manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        ours = set()
    return sorted(there - ours)


def _unwritable(folder: Path, error: OSError) -> OutputError:
    why = error.strerror or str(error)
    return OutputError(f"{folder}: cannot be written ({why}); name another folder with --out")


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write JSON, the same bytes for the same content."""
    path.write_text(json_text(document), encoding="utf-8", newline="\n")


def json_text(document: Mapping[str, Any]) -> str:
    """JSON with sorted keys nowhere and a line break at the end; NaN is an error."""
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
