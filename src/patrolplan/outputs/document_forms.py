"""Declarations of documents that are only read by others: plan, manifest, back-test, check.

Parts of a plan that a week also has are declared in `patrolplan.patrols.plan`; those that differ,
and all others, are here; the schemas are made from these declarations, see
`patrolplan.outputs.schemas`.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from patrolplan.hotspots.carriers import Carrier
from patrolplan.patrols.file_forms import (
    Amount,
    Day,
    FileModel,
    IsList,
    Minutes,
    Month,
    Point,
    Texts,
    also_writes,
)
from patrolplan.patrols.patrol_backtest import HarmRatio
from patrolplan.patrols.plan import BarredPlace, Patrol, Stop
from patrolplan.patrols.posts import Post
from patrolplan.plausibility import Alarm
from patrolplan.risk.backtest import BacktestRow
from patrolplan.risk.day_kinds import DayKind
from patrolplan.tables import TableCount

Share = Annotated[float, Field(ge=0)]


class Origin(FileModel):
    """What a result was made from: if these are equal, results are equal."""

    inputs: str
    settings: str
    """SHA-256 of the digests of all inputs, and of the settings."""
    seed: int
    version: str


class LeftOutEntry(FileModel):
    """What was left out."""

    source: str
    reason: str
    count: str
    """The number, suppressed if it is small, such as "fewer than 5"."""


class HotspotEntry(FileModel):
    """A hotspot with its stopping place."""

    hotspot: str = Field(alias="id")
    worth: Share
    """Share of the area's risk."""
    length_metres: Share
    stop: Point
    place: str
    reasons: list[str]
    """In words, the most important first."""
    carried_by: Carrier | None = None
    """Its main basis."""
    how_sure: str


class WindowEntry(FileModel):
    """When patrols take place."""

    start: Minutes | None = Field(alias="from")
    """Null means at each school's bell."""
    minutes: Share


class RiskEntry(FileModel):
    """How the risk was estimated."""

    model: str
    margin: float | None = None
    """Null: a plan tests no model; a back-test does."""
    months: Annotated[list[Month], Field(min_length=2, max_length=2)]
    """The first and the last of the recorded crime."""
    times_known: bool
    snapped: bool
    """Whether the place of any crime is only a snap point."""
    window: WindowEntry | None = None
    day: DayKind | None = None


class WayHomeEntry(FileModel):
    """How much of the way home patrols meet, rounded."""

    pupil_share: Share | None
    """Share of the pupils' minutes on the way; null where it must not be shown."""
    harm_share: Share
    elsewhere_share: Share
    """Share of the school's pupils who are not on the streets on foot."""
    assumed: list[str]


@also_writes(tasked=str | None, stands=bool)
@dataclass(frozen=True, kw_only=True)
class PlanStop(Stop):
    """A stop whose reasons are in words."""

    why: Texts  # type: ignore[assignment]  # in words


@also_writes(place_id=str, why=str)
@dataclass(frozen=True, kw_only=True)
class PlanBarredPlace(BarredPlace):
    """A place to keep away from, with the reason in words."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PlanPatrol(Patrol):
    """A patrol whose reasons and notes are in words."""

    stops: Annotated[tuple[PlanStop, ...], IsList]
    keep_away: Annotated[tuple[PlanBarredPlace, ...], IsList] = ()
    notes: Texts  # type: ignore[assignment]  # in words
    way_home: WayHomeEntry | None = None  # type: ignore[assignment]  # as it may be shown


class PlanDocument(FileModel):
    """`plan.json`: what was planned, in the form that people see."""

    schema_number: int = Field(alias="schema")
    area: str
    date: Day | None
    """Day of the patrols; null means any school day."""
    created_from: Origin
    risk: RiskEntry
    stands_out: int = 0
    """How many hotspots have more than chance would give."""
    hotspots: list[HotspotEntry]
    """Those with most risk first."""
    way_home: WayHomeEntry | None = None
    """How much all patrols meet, on average over pupils."""
    patrols: list[PlanPatrol]
    posts: list[Post] = Field(default=[])
    """Where adults stand after the bell."""
    left_out: list[LeftOutEntry]
    notes: list[str]


class ManifestDocument(FileModel):
    """`manifest.json`: what is in a folder of outputs, and what it was made from."""

    schema_number: int = Field(alias="schema")
    created_from: Origin
    versions: dict[str, str]
    """Versions of Python and of the packages that results depend on."""
    settings: dict[str, Any]
    """All settings, by section, as in a settings file."""
    inputs: dict[str, str]
    """SHA-256 of each input; for reports and origins, of their counts."""
    left_out: list[LeftOutEntry]
    notes: list[str]
    requested: dict[str, Any] = Field(default={}, alias="asked")
    """For a plan: the options that it was made with."""
    part: dict[str, str] = Field(default={})
    """For a week: the officer or day that its papers are for; empty for the whole week."""
    printed: dict[str, str] = Field(default={})
    """For a week that the board wrote: a digest of what its papers show."""
    papers: dict[str, str] = Field(default={})
    """For a week: a digest of what each paper was made from; if it is equal, the paper is
    copied."""
    out_of_date: list[str] = Field(default=[])
    """Papers that show an earlier week."""
    marking: str = ""
    reason: str = ""
    """For the ways that pupils walk: who may see them, and why they were written."""
    files: dict[str, str]
    """SHA-256 of each file, by its name in the folder."""


class BacktestDocument(FileModel):
    """`backtest.json`: how much of the crime of hold-out months risk and patrols captured."""

    results: list[BacktestRow]
    patrols: list[HarmRatio]


class ForceMonth(FileModel):
    """A force in a month that the data should contain."""

    force: str
    month: Month


class ForceCount(ForceMonth):
    """Incidents of a force in a month, suppressed if there are few."""

    incidents: int


class CheckDocument(FileModel):
    """What `check` prints: what was read, what was left out, and what was assumed."""

    area: str
    street_km: Amount
    incidents: int
    months: Annotated[list[Month], Field(min_length=2, max_length=2)]
    times_known: bool
    snapped: bool
    groups_of_reports: int
    schools: int
    officers: int
    tables: list[TableCount]
    forces: list[ForceCount]
    missing: list[ForceMonth]
    """Months for which a force's crime is missing."""
    left_out: list[LeftOutEntry]
    alarms: list[Alarm]
    notes: list[str]
