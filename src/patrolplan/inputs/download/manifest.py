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

from patrolplan.atomic import digest, replaced
from patrolplan.errors import SettingsError
from patrolplan.settings import Settings

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


MONTH = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?!\d)")
TABLES = (".csv", ".csv.gz")
MAPS = (".osm.pbf", ".osm.gz", ".osm")
ADVICE = {
    "crimes": 'write crimes = ["crimes/*/*.csv"]',
    "schools": 'write schools = "schools.csv"',
    "streets": 'write streets = "streets.osm.pbf"',
}


def month_file(settings: Settings, month: str) -> Path:
    """The file of a month's crimes.

    Raises
    ------
    SettingsError
        When no name of a month's file matches a pattern.

    Examples
    --------
    >>> from patrolplan.settings import settings_from
    >>> sources = {"crimes": "crimes/*/*.csv", "schools": "s.csv", "streets": "s.osm"}
    >>> settings = settings_from({"sources": sources}, folder=Path("here"))
    >>> month_file(settings, "2026-09").as_posix()
    'here/crimes/2026-09/2026-09-street.csv'
    """
    for pattern in settings.sources.crimes:
        name = _filled(pattern, month, f"{month}-street", TABLES)
        if name and MONTH.search(Path(name).name):
            return settings.folder / name
    raise _unfit(settings, source="crimes", what="no file for each month")


def single_file(settings: Settings, source: str) -> Path:
    """The file of schools or streets.

    Raises
    ------
    SettingsError
        When the settings name none of a kind that fetch writes.
    """
    kinds = MAPS if source == "streets" else TABLES
    for pattern in getattr(settings.sources, source):
        name = _filled(pattern, source, source, kinds)
        if name:
            return settings.folder / name
    raise _unfit(settings, source=source, what=f"no {' or '.join(kinds)} file")


def month_of(path: Path) -> str:
    """The month in a file's name, empty where there is none.

    Examples
    --------
    >>> month_of(Path("crimes/2026-09/2026-09-metropolitan-street.csv"))
    '2026-09'
    """
    found = MONTH.search(path.name)
    return found.group() if found else ""


def _filled(pattern: str, folder: str, stem: str, kinds: tuple[str, ...]) -> str:
    """A name of one of the kinds that the pattern matches, empty where none does."""
    *above, last = Path(pattern).parts
    names = (last, *(f"{stem}{kind}" for kind in kinds), last.replace("*", stem))
    name = next((one for one in names if _fits(one, last) and one.endswith(kinds)), "")
    folders = [_folder(part, folder) for part in above]
    return str(Path(*folders, name)) if name and all(folders) else ""


def _folder(part: str, filler: str) -> str:
    """A folder's name that a part of a pattern matches, empty where none does."""
    if part == "**":
        return filler
    return next((one for one in (part, filler, part.replace("*", filler)) if _fits(one, part)), "")


def _fits(name: str, pattern: str) -> bool:
    return not set(name) & set("*?[") and fnmatch.fnmatchcase(name, pattern)


def _unfit(settings: Settings, *, source: str, what: str) -> SettingsError:
    named = ", ".join(f"'{pattern}'" for pattern in getattr(settings.sources, source))
    place = f"[sources] {source}"
    return SettingsError.one(place, f"{named} has room for {what}", ADVICE[source])
