"""`fetched.json`: what came when from where, under which licence."""

import json
from collections.abc import Callable
from dataclasses import asdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from patrolplan.inputs.open_data.store import digest
from patrolplan.inputs.open_data.store import replaced

MANIFEST = "fetched.json"
OPEN_GOVERNMENT = "Open Government Licence v3.0"
OPEN_DATABASE = "Open Database Licence 1.0"
PUBLIC = "Contains public sector information licensed under the Open Government Licence v3.0"


@dataclass(frozen=True)
class Origin:
    """Where a file came from.

    Parameters
    ----------
    source
        Key under `[sources]`.
    url
        Address asked, without the fields.
    licence, attribution
        The licence, and the words that it wants on what is made from the data.
    months
        Months that the file holds, "YYYY-MM".
    rows
        Crimes, schools or ways in it.
    """

    source: str
    url: str
    licence: str
    attribution: str
    rows: int
    months: tuple[str, ...] = ()


class Manifest:
    """The record of a folder's fetched files; the only file that holds clock times.

    Parameters
    ----------
    folder
        Folder of the settings; files are named from there.
    area
        Digest of the limits that are fetched for.
    agent
        User agent that asks.
    now
        The clock, in UTC.
    """

    def __init__(self, folder: Path, area: str, agent: str, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._area = area
        self._agent = agent
        self._now = now
        self._files = self._read()

    def add(self, path: Path, data: bytes, origin: Origin) -> None:
        """Record a file, then write it: a break between leaves no file without its record."""
        self._files[self._name(path)] = {
            **asdict(origin),
            "fetched_at": f"{self._now():%Y-%m-%dT%H:%M:%SZ}",
            "user_agent": self._agent,
            "area": self._area,
            "sha256": digest(data),
        }
        document = {"schema": 1, "files": dict(sorted(self._files.items()))}
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        replaced(self._folder / MANIFEST, text.encode("utf-8"))
        replaced(path, data)

    def doubt(self, path: Path) -> str:
        """Why a file that is there should not be relied on; empty where nothing says so."""
        if path.stat().st_size == 0:
            return "is empty"
        record = self._files.get(self._name(path))
        if record is None:
            return ""
        if record.get("sha256") != digest(path.read_bytes()):
            return "is not as it was fetched"
        if record.get("area") != self._area:
            return "was fetched for another area"
        return ""

    def _name(self, path: Path) -> str:
        try:
            return path.relative_to(self._folder).as_posix()
        except ValueError:
            return path.as_posix()

    def _read(self) -> dict[str, dict[str, Any]]:
        """Records of files that are still there."""
        try:
            document = json.loads((self._folder / MANIFEST).read_text(encoding="utf-8"))
            files = document["files"].items()
            records = {str(name): dict(record) for name, record in files}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
        return {name: record for name, record in records.items() if (self._folder / name).is_file()}
