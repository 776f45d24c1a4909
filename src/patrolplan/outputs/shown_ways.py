"""The record of who wrote the layer of pupils' ways home, why, and to which folder.

It is next to the settings file and only grows. `patrolplan.outputs.purge` removes the layers that
it names, so this module has no slow imports.
"""

import datetime as dt
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING

from patrolplan.errors import OutputError

if TYPE_CHECKING:
    from patrolplan.area import StudyArea

WAYS_FILE = "ways.gpkg"
RECORD_FILE = "ways-shown.jsonl"
"""File next to the settings, with a line for each time that the layer was written."""


def record_shown(area: "StudyArea", out: Path, reason: str) -> None:
    """Add a line to the record: when, who, why and to which folder."""
    path = area.settings.folder / RECORD_FILE
    line = {
        "at": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "by": _find_user(),
        "reason": reason,
        "written_to": str(out),
        "area": area.name,
        "schools": len(area.schools),
    }
    try:
        path.touch(mode=0o600)
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    except OSError as error:
        message = (
            f"{path}: the record of who saw pupils' ways cannot be written ({error.strerror}), so "
            "they are not shown; make the settings file's folder writable"
        )
        raise OutputError(message) from None


def _find_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # the user's number has no name
        return "unknown"


def list_shown_folders(home: Path) -> list[Path]:
    """Folders that the record next to the settings names, without duplicates; empty without one."""
    try:
        lines = (home / RECORD_FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders = []
    for line in lines:
        try:
            folders.append(Path(json.loads(line)["written_to"]))
        except (ValueError, KeyError, TypeError):  # a line that was changed by hand
            continue
    return list(dict.fromkeys(folders))
