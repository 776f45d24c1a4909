"""`fetched.json`: what came when from where, under which licence.

Where fetched files go: names that the patterns under `[sources]` match.
"""

import fnmatch
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
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
        self._files[self._relative_name(path)] = {
            **asdict(origin),
            "fetched_at": f"{self._now():%Y-%m-%dT%H:%M:%SZ}",
            "user_agent": self._agent,
            "area": self._area,
            "sha256": hash_content(data),
        }
        document = {"schema": 1, "files": dict(sorted(self._files.items()))}
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        write_file_atomically(self._folder / MANIFEST, text.encode("utf-8"))
        write_file_atomically(path, data)

    def find_doubt(self, path: Path) -> str:
        """Why a file that is there should not be relied on; empty where nothing says so."""
        if path.stat().st_size == 0:
            return "is empty"
        record = self._files.get(self._relative_name(path))
        if record is None:
            return ""
        if record.get("sha256") != hash_content(path.read_bytes()):
            return "is not as it was fetched"
        if record.get("area") != self._area:
            return "was fetched for another area"
        return ""

    def _relative_name(self, path: Path) -> str:
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


MONTH = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?!\d)")
TABLE_SUFFIXES = (".csv", ".csv.gz")
STREET_SUFFIXES = (".osm.pbf", ".osm.gz", ".osm")
ADVICE = {
    "crimes": 'write crimes = ["crimes/*/*.csv"]',
    "schools": 'write schools = "schools.csv"',
    "streets": 'write streets = "streets.osm.pbf"',
}


def build_month_path(settings: Settings, month: str) -> Path:
    """The file of a month's crimes.

    Raises
    ------
    SettingsError
        When no name of a month's file matches a pattern.

    Examples
    --------
    >>> from patrolplan.settings import parse_settings
    >>> sources = {"crimes": "crimes/*/*.csv", "schools": "s.csv", "streets": "s.osm"}
    >>> settings = parse_settings({"sources": sources}, folder=Path("here"))
    >>> build_month_path(settings, "2026-09").as_posix()
    'here/crimes/2026-09/2026-09-street.csv'
    """
    for pattern in settings.sources.crimes:
        name = _fill_pattern(pattern, month, f"{month}-street", TABLE_SUFFIXES)
        if name and MONTH.search(Path(name).name):
            return settings.folder / name
    raise _build_pattern_error(settings, source="crimes", what="no file for each month")


def build_source_path(settings: Settings, source: str) -> Path:
    """The file of schools or streets.

    Raises
    ------
    SettingsError
        When the settings name none of a kind that fetch writes.
    """
    kinds = STREET_SUFFIXES if source == "streets" else TABLE_SUFFIXES
    for pattern in getattr(settings.sources, source):
        name = _fill_pattern(pattern, source, source, kinds)
        if name:
            return settings.folder / name
    raise _build_pattern_error(settings, source=source, what=f"no {' or '.join(kinds)} file")


def parse_month(path: Path) -> str:
    """The month in a file's name, empty where there is none.

    Examples
    --------
    >>> parse_month(Path("crimes/2026-09/2026-09-metropolitan-street.csv"))
    '2026-09'
    """
    found = MONTH.search(path.name)
    return found.group() if found else ""


def _fill_pattern(pattern: str, folder: str, stem: str, kinds: tuple[str, ...]) -> str:
    """A name of one of the kinds that the pattern matches, empty where none does."""
    *above, last = Path(pattern).parts
    names = (last, *(f"{stem}{kind}" for kind in kinds), last.replace("*", stem))
    name = next((one for one in names if _is_match(one, last) and one.endswith(kinds)), "")
    folders = [_fill_folder(part, folder) for part in above]
    return str(Path(*folders, name)) if name and all(folders) else ""


def _fill_folder(part: str, filler: str) -> str:
    """A folder's name that a part of a pattern matches, empty where none does."""
    if part == "**":
        return filler
    return next(
        (one for one in (part, filler, part.replace("*", filler)) if _is_match(one, part)), ""
    )


def _is_match(name: str, pattern: str) -> bool:
    return not set(name) & set("*?[") and fnmatch.fnmatchcase(name, pattern)


def _build_pattern_error(settings: Settings, *, source: str, what: str) -> SettingsError:
    named = ", ".join(f"'{pattern}'" for pattern in getattr(settings.sources, source))
    place = f"[sources] {source}"
    return SettingsError.one(place, f"{named} has room for {what}", ADVICE[source])
