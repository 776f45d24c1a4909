"""Fetching an area's open data: crimes, schools and streets, as far as files are missing."""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan import atomic
from patrolplan.crs import Projection
from patrolplan.errors import FetchError, SettingsError
from patrolplan.inputs.download import gias, police
from patrolplan.inputs.download.client import WebClient
from patrolplan.inputs.download.police import encode_csv
from patrolplan.inputs.fetched import MANIFEST, list_corrections
from patrolplan.inputs.polygons import read_limits
from patrolplan.inputs.timestamps import list_spans
from patrolplan.settings import Settings

OPEN_GOVERNMENT = "Open Government Licence v3.0"
OPEN_DATABASE = "Open Database Licence 1.0"
CREDIT = f"Contains public sector information licensed under the {OPEN_GOVERNMENT}"


@dataclass(frozen=True)
class Origin:
    """Where a file came from: URL without its fields, and the words that the licence requires."""

    source: str
    url: str
    licence: str
    attribution: str
    rows: int
    months: tuple[str, ...] = ()
    crimes: str = ""  # digest of a month's crimes without their outcomes, which change all the time


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
        name, now = self.relative_name(path), f"{self.now():%Y-%m-%dT%H:%M:%SZ}"
        before = self._files.get(name, {})
        corrected = before.get("corrected", "")
        if before.get("area") == self.area and before.get("crimes", "") != origin.crimes:
            earlier = f"{before['rows']:,} crimes on {before['fetched_at'][:10]}"
            corrected = f"Crime of {origin.months[0]} was corrected after it was published: "
            corrected += f"{earlier}, {origin.rows:,} on {now[:10]}."
        self._files[name] = {
            **asdict(origin),
            "fetched_at": now,
            "corrected": corrected,
            "user_agent": self.agent,
            "area": self.area,
            "sha256": atomic.hash_content(data),
        }
        document = {"schema": 1, "files": dict(sorted(self._files.items()))}
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        atomic.write_file_atomically(self.folder / MANIFEST, text.encode("utf-8"))
        atomic.write_file_atomically(path, data)

    def find_doubt(self, path: Path) -> str:
        """Why an existing file should not be relied on; empty where it may be."""
        if path.stat().st_size == 0:
            return "is empty"
        record = self._files.get(self.relative_name(path))
        if record is None:
            return ""
        if record.get("sha256") != atomic.hash_content(path.read_bytes()):
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


def find_target(settings: Settings, source: str, month: str = "") -> Path:
    """The file of a source, or of a month's crimes, such as `crimes/2026-09/2026-09-street.csv`."""
    # A plain name of the settings, or our own name below the folder where a pattern begins.
    stems = (f"{month}/{month}-street", f"{month}-street") if month else (source,)
    kinds = STREET_SUFFIXES if source == "streets" else TABLE_SUFFIXES
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
    """The month in a file's name, empty where there is none."""
    match = MONTH.search(path.name)
    return match.group() if match else ""


Source = Literal["streets", "schools", "crimes"]
SOURCES: tuple[Source, ...] = ("streets", "schools", "crimes")
ProgressCallback = Callable[[str, int, int, str], None]  # What, done, of how many, next


@dataclass(frozen=True)
class Servers:
    """Base addresses of the servers."""

    police: str = "https://data.police.uk/api"
    schools: str = "https://ea-edubase-api-prod.azurewebsites.net/edubase/downloads/public"
    streets: str = "https://overpass-api.de/api"


@dataclass
class FetchResult:
    """Files written, from the settings' folder on, how many existed, and notes for the user."""

    files: list[str] = field(default_factory=list)
    existing: int = 0
    notes: list[str] = field(default_factory=list)


def fetch_open_data(
    settings: Settings,
    *,
    months: int | None = None,
    only: Sequence[Source] | None = None,
    again: bool = False,
    report_progress: ProgressCallback = lambda _what, _done, _of, _detail: None,
    web: WebClient | None = None,
    servers: Servers | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FetchResult:
    """Fetch what is missing of an area: street crimes, schools and streets."""
    # Each file is written completely or not at all, and no existing one is overwritten, but with
    # `again` those that were fetched. After an interruption the same call continues with the next
    # month, and ends with the same bytes as an uninterrupted run.
    if settings.area.bounds is None and settings.area.boundary is None:
        what = "has neither bounds nor boundary, so it is unclear what to fetch"
        raise SettingsError.one("[area]", what, "write bounds = [west, south, east, north]")  # noqa: EM101 - a place
    limits = read_limits(settings, np.empty((0, 2)))
    targets = {  # settings without a place for one fail before any request
        source: find_target(settings, source, "2026-09" if source == "crimes" else "")
        for source in SOURCES
        if source in (only or SOURCES)
    }
    folder = settings.folder
    in_use = FetchError(f"{folder}: another fetch is running here; wait until it has finished")
    with (
        atomic.explain_os_errors(folder, "check the folder's permissions"),
        atomic.hold_lock(folder / ".fetch.lock", in_use),
        web or WebClient(settings.fetch.contact) as session,
    ):
        shape = shapely.to_wkb(shapely.set_precision(limits, 0.01))
        area = atomic.hash_content(shape, settings.area.crs)
        manifest = Manifest(folder, area, session.agent, now)
        servers = servers or Servers()
        fetch = _Fetch(settings, limits, session, servers, manifest, again, report_progress)
        for source, path in targets.items():
            if source == "crimes":
                fetch.fetch_crimes(months or settings.fetch.months)
            else:
                fetch.fetch_file(source, path)
    return fetch.result


OUTCOME = police.COLUMNS.index("Last outcome category")


@dataclass
class _Fetch:
    """One fetch: its settings and session, and what it did so far."""

    settings: Settings
    limits: BaseGeometry
    web: WebClient
    servers: Servers
    manifest: Manifest
    again: bool
    report_progress: ProgressCallback
    result: FetchResult = field(default_factory=FetchResult)

    def __post_init__(self) -> None:
        self.projection = Projection(self.settings.area.crs)

    def fetch_file(self, source: Literal["streets", "schools"], path: Path) -> None:
        """Write the file of streets or of schools, unless one exists."""
        if self._has_files(self.settings.find_files(source), path):
            return
        self.report_progress(source, 0, 1, "")
        fetch = self._fetch_streets if source == "streets" else self._fetch_schools
        self._write(path, *fetch(path))
        self.report_progress(source, 1, 1, "")

    def _fetch_streets(self, path: Path) -> tuple[bytes, Origin]:
        from patrolplan.inputs.download.overpass import fetch_street_file  # noqa: PLC0415 - slow to import

        kind = next(kind for kind in STREET_SUFFIXES if path.name.endswith(kind))
        url = self.servers.streets
        data, rows = fetch_street_file(self.web, url, self.limits, self.projection, kind)
        if not rows:
            message = "OpenStreetMap has no street in the area; check [area] bounds and boundary."
            raise FetchError(message)
        credit = "© OpenStreetMap contributors, openstreetmap.org/copyright"
        return data, Origin("streets", f"{url}/interpreter", OPEN_DATABASE, credit, rows)

    def _fetch_schools(self, path: Path) -> tuple[bytes, Origin]:
        today = self.manifest.now().date()
        where = self.limits, self.projection
        table, url = gias.fetch_schools(self.web, self.servers.schools, today, *where)
        if table.empty:
            self.result.notes.append("The register has no school in the area.")
        rows = list(table.itertuples(index=False, name=None))
        credit = f"{CREDIT} (Department for Education)"
        origin = Origin("schools", url, OPEN_GOVERNMENT, credit, len(rows))
        return encode_csv(tuple(table.columns), rows, path), origin

    def fetch_crimes(self, count: int) -> None:
        """Write a file for each month that is missing here and offered by the API."""
        self.report_progress("the months offered", 0, 1, "")
        api = police.PoliceApi(self.web, self.servers.police)
        offered = api.fetch_months()
        self.report_progress("the months offered", 1, 1, "")
        newest = pd.period_range(end=offered[-1], periods=count, freq="M")[::-1]
        missing = self._find_missing_months([*map(str, newest)])
        todo = [month for month in missing if month in offered]
        gone = [month for month in missing if month not in offered]
        for done, month in enumerate(todo):
            self.report_progress("crime", done, len(todo), f"of {month}")
            rows = police.fetch_month(api, month, self.limits, self.projection)
            if rows is None:
                gone.append(month)
                continue
            if not rows:
                self.result.notes.append(f"No crime was recorded in the area in {month}.")
            path, credit = find_target(self.settings, "crimes", month), f"{CREDIT} (data.police.uk)"
            url = f"{self.servers.police}/crimes-street/all-crime"
            digest = atomic.hash_json([row[:OUTCOME] + row[OUTCOME + 1 :] for row in rows])
            origin = Origin("crimes", url, OPEN_GOVERNMENT, credit, len(rows), (month,), digest)
            self._write(path, encode_csv(police.COLUMNS, rows, path), origin)
        if gone:
            months = ", ".join(list_spans(pd.DatetimeIndex(sorted(gone))))
            self.result.notes.append(f"data.police.uk does not offer crime of {months} (any more).")
        self.report_progress("crime", len(todo), len(todo), "")
        self.result.notes += list_corrections(self.settings.folder)

    def _find_missing_months(self, months: Sequence[str]) -> list[str]:
        """Months to fetch, newest first: those without a file, or all of ours with `again`."""
        files: dict[str, list[Path]] = {}
        for path in self.settings.find_files("crimes"):
            files.setdefault(parse_month(path), []).append(path)
        target = partial(find_target, self.settings, "crimes")
        return [one for one in months if not self._has_files(files.get(one, []), target(one))]

    def _has_files(self, paths: Sequence[Path], target: Path) -> bool:
        """Whether a source has files that are not to be fetched again; notes doubtful ones."""
        existing = [path for path in paths if path.is_file()]
        if self.again and set(existing) <= {target}:
            return False
        for path in existing:
            name = self.manifest.relative_name(path)
            if doubt := self.manifest.find_doubt(path):
                note = f"{name} {doubt}, and was not replaced; remove it, or fetch it with --again."
                self.result.notes.append(note)
            elif self.again:
                other = self.manifest.relative_name(target)
                note = f"{name} was not replaced: fetch would write a second file ({other}); "
                self.result.notes.append(f"{note}remove it first.")
        self.result.existing += len(existing)
        return bool(existing)

    def _write(self, path: Path, data: bytes, origin: Origin) -> None:
        self.manifest.add(path, data, origin)
        self.result.files.append(self.manifest.relative_name(path))
