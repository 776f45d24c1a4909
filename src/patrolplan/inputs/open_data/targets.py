"""Where fetched files go: names that the patterns under `[sources]` match."""

import fnmatch
import re
from pathlib import Path

from patrolplan.errors import SettingsError
from patrolplan.settings import Settings

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
