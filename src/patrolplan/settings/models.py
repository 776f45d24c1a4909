"""The keys of `patrolplan.toml` as frozen models; those of patrols and pupils: `patrol.py`."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pyproj import CRS
from pyproj.exceptions import CRSError

from patrolplan.settings.kinds import (
    DISCOVERED_CATEGORIES,
    PATROL_RELEVANT,
    Box,
    NeededPaths,
    Paths,
    RiskModel,
    Section,
    key,
    name_argument,
)
from patrolplan.settings.messages import format_unknown
from patrolplan.settings.patrol import AFTER_SCHOOL, PatrolSettings, ReportSettings, WayHomeSettings

MAX_SEED = 500_000_000  # Maximum seed, so that seeds counted up from one are still valid for numpy


class AreaSettings(Section):
    """The area: its printed name, its metric CRS, and its limits."""

    name: str = key("name of the area, printed on the outputs", "")
    crs: str = key("projected CRS in metres that all geometry is in", "EPSG:27700")
    bounds: Box | None = key(
        "[lon_min, lat_min, lon_max, lat_max]; default: extent of the streets",
        None,
        examples=[(-0.149, 51.513, -0.1212, 51.5302)],
    )
    boundary: str | None = key(
        "polygon file that limits the area", None, examples=["boundary.geojson"]
    )

    @pydantic.field_validator("crs")
    @classmethod
    def _check_metric_crs(cls, value: str) -> str:
        try:
            crs = CRS.from_user_input(value)
        except CRSError:
            message = f"'{value}' is not a CRS that PROJ knows; write for example EPSG:27700"
            raise ValueError(message) from None
        unit = crs.axis_info[0].unit_name if crs.axis_info else "none"
        if not crs.is_projected or unit not in {"metre", "meter"}:
            message = (
                f"'{value}' is not in metres (unit: {unit}); use a projected CRS such as EPSG:27700"
            )
            raise ValueError(message)
        return value

    @pydantic.model_validator(mode="after")
    def _check_limits(self) -> Self:
        if self.bounds is not None and self.boundary is not None:
            message = "bounds and boundary are both set; remove one of them"
            raise ValueError(message)
        west, south, east, north = self.bounds or (0, 0, 1, 1)
        if west >= east or south >= north:
            message = (
                f"bounds {[west, south, east, north]} are not [lon_min, lat_min, lon_max, lat_max]"
            )
            raise ValueError(message)
        return self


def _source(meaning: str, *examples: str) -> Any:  # noqa: ANN401 - as pydantic's Field
    """An optional table: what it holds, and paths for a file to start from."""
    return key(meaning, (), examples=[*examples])


class SourceSettings(Section):
    """Input files: a path, a glob or a list of them, relative to the settings file."""

    crimes: NeededPaths = key(
        "recorded crime: data.police.uk CSVs or a force's extract",
        ...,
        examples=["crimes/*/*-street.csv*"],
    )
    schools: NeededPaths = key(
        "schools: GIAS, or a table mapped by [columns.schools]", ..., examples=["schools.csv"]
    )
    streets: NeededPaths = key(
        "streets: .osm, .osm.gz, .osm.pbf, .graphml, .graphml.gz", ..., examples=["streets.osm.pbf"]
    )
    reports: Paths = _source("pupils' reports", "reports.csv")
    bell_times: Paths = _source("when each school ends", "bell_times.csv")
    officers: Paths = _source("officers, their schools and hours", "officers.csv")
    gates: Paths = _source("where each school's gate is", "gates.csv")
    term_dates: Paths = _source("terms and closed days", "term_dates.csv")
    tasked_places: Paths = _source("places tasked by intelligence", "tasked_places.csv")
    origins: Paths = _source("where each school's pupils live, by area", "origins.csv")
    counts: Paths = _source("pupils counted at corners as they leave", "counts.csv")
    areas: Paths = _source("polygons of small areas, with their residents", "areas.geojson")
    stops: Paths = _source("bus stops and stations; default: those of the streets", "stops.csv")
    duties: Paths = _source(
        "officers' leave, training, courts and appointments", "duties.csv", "calendars/*.ics"
    )
    places: Paths = _source("pubs, bars and takeaways; default: those of the streets", "places.csv")
    clock: Paths = _source("share of each category's day, by kind of place and time", "clock.csv")
    designated: Paths = _source("polygons that the force designates as hotspots", "hexagons.gpkg")

    @pydantic.model_serializer(mode="wrap")
    def _keep_codes(self, write: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Without counts settings are written, and name plans, as before there were any."""
        return {name: one for name, one in write(self).items() if one or name != "counts"}


class CrimeSettings(Section):
    """Which recorded crime counts."""

    categories: tuple[str, ...] = key(
        "patrol-relevant categories, as named in the data", PATROL_RELEVANT
    )
    include_discovered: bool = key(
        "let categories that patrols discover feed the risk", default=False
    )
    reason: str = key("why include_discovered is on; printed on the outputs", "")
    leave_out_forces: tuple[str, ...] = key(
        "forces whose crimes others patrol", ("British Transport Police",)
    )

    @pydantic.model_validator(mode="after")
    def _require_reason(self) -> Self:
        if self.include_discovered and not self.reason.strip():
            message = 'include_discovered = true needs a reason; write why in reason = "..."'
            raise ValueError(message)
        return self

    @property
    def risk_categories(self) -> tuple[str, ...]:
        """Categories that feed the risk, after the feedback guard."""
        if self.include_discovered:
            return tuple(dict.fromkeys((*self.categories, *DISCOVERED_CATEGORIES)))
        return tuple(name for name in self.categories if name not in DISCOVERED_CATEGORIES)


class SchoolSettings(Section):
    """Which schools."""

    phases: tuple[str, ...] = key("phases of education; default all", ())
    urns: tuple[str, ...] = key("only these schools; default all open ones", ())

    @pydantic.field_validator("urns", mode="before")
    @classmethod
    def _convert_urns(cls, value: object) -> object:
        """URNs may be written as numbers."""
        if isinstance(value, list | tuple):
            return tuple(str(urn) if type(urn) is int else urn for urn in value)
        return value


Days = Annotated[float, pydantic.Field(ge=0, le=1_000_000)]


class RiskSettings(Section):
    """How recorded crime and reports become risk."""

    model: RiskModel = key("risk model; auto: the shrunk count", "auto")
    crime_weight: float = key("weight of crime against reports", 0.7, 0, 1)
    harm: dict[str, Days] = key("your own harm weights by category (days)", {})


class HotspotSettings(Section):
    """How hotspots are found."""

    method: Literal["network", "dbscan", "hdbscan"] = key("how pieces are grouped", "network")
    max_length_metres: float = key("longest stretch", 300, 30, 10_000)
    count: Literal["auto"] | Annotated[int, pydantic.Field(ge=1, le=100_000)] = key(
        "how many hotspots", "auto"
    )


class WeekSettings(Section):
    """What the weekly rota must achieve."""

    min_patrols_per_school: int = key("minimum patrols for each school", 1, 0, 5)
    max_dose_minutes_per_day: float = key("maximum dose at a hotspot per day", 30, 1, 10_000)
    give: float = key("share of the best week's worth that the draw may give up", 0.02, 0, 0.5)
    secret: str = key("file of the secret that weeks are drawn with", "week.secret")
    crew: int = key("people on a patrol", 1, 1, 2)
    windows: tuple[str, ...] = pydantic.Field(
        (AFTER_SCHOOL,),
        min_length=1,
        description="windows of the week: after_school, and names under [patrol.windows]",
    )


SAFE_THRESHOLD = 5  # Minimum group of reports that may be used without a written reason


class PrivacySettings(Section):
    """The threshold below which nothing is shown."""

    threshold: int = key(
        f"smallest group of reports that is used; under {SAFE_THRESHOLD} give a reason",
        SAFE_THRESHOLD,
        2,
        100_000,
    )
    reason: str = key(f"why the threshold is under {SAFE_THRESHOLD}; printed on the outputs", "")
    threshold_for_crime: bool = key("apply it to crime as well", default=False)

    @pydantic.model_validator(mode="after")
    def _require_reason(self) -> Self:
        if self.threshold < SAFE_THRESHOLD and not self.reason.strip():
            message = (
                f"threshold = {self.threshold} is under {SAFE_THRESHOLD} and needs a reason, "
                'write why in reason = "..."'
            )
            raise ValueError(message)
        return self

    @property
    def min_crime_count(self) -> int:
        """Minimum group of recorded crimes that is used, and minimum number that is shown."""
        return self.threshold if self.threshold_for_crime else 1


class LedgerSettings(Section):
    """Where doses are recorded; its password appears in no file and no message."""

    url: str = pydantic.Field(
        "sqlite:///patrolplan-ledger.sqlite",
        repr=False,
        description="SQLite file in this folder, or postgresql+pg8000://USER@HOST/DATABASE; "
        "the environment variable PATROLPLAN_LEDGER_URL overrides it",
    )

    @pydantic.field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if not re.match(r"(sqlite|postgresql)(\+\w+)?://", value):
            kind = value.split(":", maxsplit=1)[0][:20]
            message = (
                f"an address that begins with '{kind}' is not a ledger; "
                "write sqlite:///FILE or postgresql+pg8000://USER:PASSWORD@HOST/DATABASE"
            )
            raise ValueError(message)
        return value

    @pydantic.field_serializer("url")
    def _hide_password(self, value: str) -> str:
        """Hide the password: manifests contain the settings, and many people read them."""
        return re.sub(r"://([^:/@]*):.*@", r"://\1:***@", value.split("?", maxsplit=1)[0])

    @property
    def address(self) -> str:
        """The address to use: the environment's if it is set, otherwise this one."""
        return os.environ.get("PATROLPLAN_LEDGER_URL") or self.url


class OutputSettings(Section):
    """What is printed on the outputs."""

    marking: str = key("protective marking", "OFFICIAL")
    tiles: str | None = key(
        "tile layer address; maps come from its server",
        None,
        examples=["https://tiles.example.org/{z}/{x}/{y}.png"],
    )
    contacts: tuple[Annotated[str, pydantic.Field(max_length=80)], ...] = pydantic.Field(
        (), max_length=4, description="whom to call, such as a desk and its number; on cards"
    )


class FetchSettings(Section):
    """What `patrolplan fetch` downloads."""

    months: int = key("how many months of crime fetch downloads", 36, 1, 240)
    contact: str = pydantic.Field(
        "", max_length=200, description="email or web address that fetch gives to the servers"
    )


Reason = Annotated[str, pydantic.Field(max_length=300)]


class AcceptSettings(Section):
    """Plausibility checks that are accepted: CHECK = "why", a reason that outputs print.

    An empty reason accepts nothing. A name of which there is no check is refused as an area is
    loaded (`patrolplan.area.relations.check_names`).
    """

    model_config = pydantic.ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Reason]

    @property
    def reasons(self) -> dict[str, str]:
        """Reason by check, for accepted checks."""
        given = {name: " ".join(reason.split()) for name, reason in self}
        return {name: reason for name, reason in given.items() if reason}


def expand_pattern(folder: Path, pattern: str) -> tuple[Path, ...]:
    """Files that match a pattern: none for an invalid one, and for a plain path that path."""
    path = folder / pattern
    if path.is_file() or not any(sign in pattern for sign in "*?["):
        return (path,)
    anchor = Path(pattern).anchor  # "C:\\" or "/": glob takes relative patterns only
    root = Path(anchor) if anchor else folder
    try:
        matches = root.glob(pattern[len(anchor) :])
        return tuple(sorted(match for match in matches if match.is_file()))
    except ValueError:
        return ()


class Settings(Section):
    """The whole settings file; `folder` is where its relative paths start."""

    _folder: Path = pydantic.PrivateAttr(Path())
    _file: str = pydantic.PrivateAttr("settings")
    area: AreaSettings = AreaSettings()
    sources: SourceSettings
    columns: dict[str, dict[str, str]] = key('[columns.SOURCE]: our name = "their name"', {})
    crimes: CrimeSettings = CrimeSettings()
    schools: SchoolSettings = SchoolSettings()
    risk: RiskSettings = RiskSettings()
    hotspots: HotspotSettings = HotspotSettings()
    patrol: PatrolSettings = PatrolSettings()
    way_home: WayHomeSettings = WayHomeSettings()
    reports: ReportSettings = ReportSettings()
    week: WeekSettings = WeekSettings()
    ledger: LedgerSettings = LedgerSettings()
    privacy: PrivacySettings = PrivacySettings()
    accept: AcceptSettings = AcceptSettings()
    output: OutputSettings = OutputSettings()
    fetch: FetchSettings = FetchSettings()
    seed: int = key("seed of all random numbers", 1, 0, MAX_SEED)

    @pydantic.model_validator(mode="after")
    def _check_week_windows(self) -> Self:
        """Check that every window of the week is one of `[patrol.windows]`, without duplicates."""
        names = (AFTER_SCHOOL, *self.patrol.windows)
        for number, name in enumerate(self.week.windows):
            message = f"[week] windows names '{name}' twice; keep one of them"
            if name not in names:
                what = format_unknown("[week] windows: there is no window", name, names)
                message = f"{what}; add [patrol.windows.{name}], or correct the name"
            if name not in names or name in self.week.windows[:number]:
                raise ValueError(message)
        return self

    @pydantic.field_validator("columns")
    @classmethod
    def _check_column_sources(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        sources = tuple(name for name in SourceSettings.model_fields if name != "streets")
        for source in (one for one in value if one not in sources):
            message = format_unknown(f"[columns.{source}] is not a source", source, sources)
            if source == "streets":
                message = "[columns.streets] has no effect: streets are not a table"
            raise ValueError(message)
        return value

    @property
    def folder(self) -> Path:
        """Folder of the settings file, where relative paths start."""
        return self._folder

    @property
    def file(self) -> str:
        """Name of the settings file, for messages."""
        return self._file

    def find_files(self, source: str) -> tuple[Path, ...]:
        """Files of one source in a fixed order, without duplicates."""
        matches = self.match_files(source).values()
        return tuple(dict.fromkeys(path for paths in matches for path in paths))

    def name_file(self, source: str) -> Path:
        """The first file of a source, for messages; its key where there is none."""
        return next(iter(self.find_files(source)), Path(source))

    def match_files(self, source: str) -> dict[str, tuple[Path, ...]]:
        """Files by each pattern of a source: globs are expanded, a plain name is not checked."""
        return {
            # An argument is not a file: a table was given in memory.
            pattern: (Path(pattern),)
            if pattern == name_argument(source)
            else expand_pattern(self.folder, pattern)
            for pattern in getattr(self.sources, source)
        }
