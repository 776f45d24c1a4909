"""Fetched files: the record `fetched.json`, and file names that fit the settings' patterns.

The record says of each file where and when it was fetched, under which licence, and its digest.
"""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from patrolplan.atomic import hash_content, write_file_atomically
from patrolplan.errors import SettingsError
from patrolplan.settings import Settings

MANIFEST = "fetched.json"
OPEN_GOVERNMENT = "Open Government Licence v3.0"
OPEN_DATABASE = "Open Database Licence 1.0"
OPEN_GOVERNMENT_CREDIT = (
    "Contains public sector information licensed under the Open Government Licence v3.0"
)


@dataclass(frozen=True)
class Origin:
    """Where a file came from: URL without its fields, and the words that the licence requires."""

    source: str
    url: str
    licence: str
    attribution: str
    rows: int
    months: tuple[str, ...] = ()


@dataclass
class Manifest:
    """The record of a folder's fetched files; the only file that contains clock times (UTC)."""

    folder: Path
    area: str
    agent: str
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        self._files: dict[str, dict[str, Any]] = {}
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # no good record
            document = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            records = {str(name): dict(record) for name, record in document["files"].items()}
            self._files = {n: one for n, one in records.items() if (self.folder / n).is_file()}

    def add(self, path: Path, data: bytes, origin: Origin) -> None:
        """Record a file, then write it: an interruption leaves no file without a record."""
        name = self.relative_name(path)
        self._files[name] = {
            **asdict(origin),
            "fetched_at": f"{self.now():%Y-%m-%dT%H:%M:%SZ}",
            "user_agent": self.agent,
            "area": self.area,
            "sha256": hash_content(data),
        }
        document = {"schema": 1, "files": dict(sorted(self._files.items()))}
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        write_file_atomically(self.folder / MANIFEST, text.encode("utf-8"))
        write_file_atomically(path, data)

    def find_doubt(self, path: Path) -> str:
        """Why an existing file should not be relied on; empty where it may be."""
        if path.stat().st_size == 0:
            return "is empty"
        record = self._files.get(self.relative_name(path))
        if record is None:
            return ""
        if record.get("sha256") != hash_content(path.read_bytes()):
            return "was changed after it was fetched"
        if record.get("area") != self.area:
            return "was fetched for another area"
        return ""

    def relative_name(self, path: Path) -> str:
        """A file's path relative to the settings' folder, or absolute if it is elsewhere."""
        try:
            return path.relative_to(self.folder).as_posix()
        except ValueError:
            return path.as_posix()


MONTH = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?!\d)")
TABLE_SUFFIXES = (".csv", ".csv.gz")
STREET_SUFFIXES = (".osm.pbf", ".osm.gz", ".osm")
ADVICE = {
    "crimes": 'write crimes = ["crimes/*/*.csv"]',
    "schools": 'write schools = "schools.csv"',
    "streets": 'write streets = "streets.osm.pbf"',
}


def build_month_path(settings: Settings, month: str) -> Path:
    """The file of a month's crimes, such as `crimes/2026-09/2026-09-street.csv`."""
    stems = (f"{month}/{month}-street", f"{month}-street")
    return _find_target(settings, "crimes", stems, TABLE_SUFFIXES)


def build_source_path(settings: Settings, source: str) -> Path:
    """The file of schools or streets."""
    kinds = STREET_SUFFIXES if source == "streets" else TABLE_SUFFIXES
    return _find_target(settings, source, (source,), kinds)


def _find_target(
    settings: Settings, source: str, stems: Sequence[str], kinds: tuple[str, ...]
) -> Path:
    """A plain name of the settings, or our own name below the folder where a pattern begins."""
    patterns: Sequence[str] = getattr(settings.sources, source)
    for pattern in patterns:
        parts = Path(pattern).parts
        plain = [*takewhile(lambda part: not set(part) & set("*?["), parts)]
        folder, rest = settings.folder.joinpath(*plain), Path(*parts[len(plain) :])
        if len(plain) == len(parts) and len(stems) == 1 and pattern.endswith(kinds):
            return folder
        for name in (Path(f"{stem}{kind}") for stem in stems for kind in kinds):
            if len(name.parts) == len(rest.parts) and name.match(str(rest)):
                return folder / name
    where, what = f"[sources] {source}", "is not set, so it is unclear where to write"
    if patterns:
        what = f"cannot name what is fetched ({', '.join(map(repr, patterns))})"
    raise SettingsError.one(where, what, ADVICE[source])


def parse_month(path: Path) -> str:
    """The month in a file's name, empty where there is none.

    >>> parse_month(Path("crimes/2026-09/2026-09-metropolitan-street.csv"))
    '2026-09'
    """
    match = MONTH.search(path.name)
    return match.group() if match else ""
