"""What the documents hold that only readers need: `plan.json`, manifest, back-test, check.

The parts of a plan that a week holds too are declared where they are made, see
`patrolplan.patrols.plan`; here are those that differ, and the rest. `read_plan` reads by these
declarations, and the schemas are made from them, see `patrolplan.outputs.schemas`.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, with_config

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
from patrolplan.patrols.hotspot_backtest import ComparisonRow
from patrolplan.patrols.patrol_backtest import HarmRatio
from patrolplan.patrols.plan import BarredPlace, Patrol, Stop
from patrolplan.patrols.posts import Post
from patrolplan.patrols.reports_change import WithoutReports
from patrolplan.plausibility import Alarm
from patrolplan.risk.backtest import BacktestRow
from patrolplan.risk.day_kinds import DayKind
from patrolplan.tables import TableCount

Share = Annotated[float, Field(ge=0)]


class Origin(FileModel):
    """What a result was made from: with these equal, results are equal."""

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
    """As it may be shown, such as "fewer than 5"."""


class HotspotEntry(FileModel):
    """A hotspot with its stopping place."""

    hotspot: str = Field(alias="id")
    worth: Share
    """Share of the area's risk."""
    length_metres: Share
    stop: Point
    place: str
    reasons: list[str]
    """The most important first, in words."""
    carried_by: Carrier | None = None
    """What it is based on most."""
    how_sure: str


class WindowEntry(FileModel):
    """When patrols are."""

    start: Minutes | None = Field(alias="from")
    """Null: at each school's bell."""
    minutes: Share


class RiskEntry(FileModel):
    """How the risk was estimated."""

    model: str
    margin: float | None
    """How much more crime it captured than the prior count in hold-out months, as a share."""
    months: Annotated[list[Month], Field(min_length=2, max_length=2)]
    """The first and the last of the recorded crime."""
    times_known: bool
    snapped: bool
    """Whether any crime is recorded at a snap point only."""
    window: WindowEntry | None = None
    day: DayKind | None = None


class WayHomeEntry(FileModel):
    """What patrols meet of the way home, rounded."""

    pupil_share: Share | None
    """Of the pupils' minutes on the way; null where it must not be shown."""
    harm_share: Share
    harm_share_low: Share | None
    harm_share_high: Share | None
    elsewhere_share: Share
    """Of the school's pupils: not on the streets on foot."""
    assumed: list[str]


@with_config(also_writes(tasked=str | None))
@dataclass(frozen=True, kw_only=True)
class PlanStop(Stop):
    """A stop whose reasons are in words."""

    why: Texts  # type: ignore[assignment]  # in words


@with_config(also_writes(place_id=str, why=str))
@dataclass(frozen=True, kw_only=True)
class PlanBarredPlace(BarredPlace):
    """A place to keep away from, with why in words."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PlanPatrol(Patrol):
    """A patrol whose reasons and notes are in words."""

    stops: Annotated[tuple[PlanStop, ...], IsList]
    keep_away: Annotated[tuple[PlanBarredPlace, ...], IsList] = ()
    notes: Texts  # type: ignore[assignment]  # in words
    way_home: WayHomeEntry | None = None  # type: ignore[assignment]  # as it may be shown


class PlanDocument(FileModel):
    """`plan.json`: what was planned, as people were given it."""

    schema_number: int = Field(alias="schema")
    area: str
    date: Day | None
    """Of the patrols; null: any school day."""
    created_from: Origin
    risk: RiskEntry
    hotspots: list[HotspotEntry]
    """Most risk first."""
    way_home: WayHomeEntry | None = None
    """What all patrols meet, on average by pupil."""
    patrols: list[PlanPatrol]
    posts: list[Post] = Field(default=[])
    """Where adults stand after the bell."""
    posts_gap_percent: Share | None = None
    without_reports: WithoutReports | None = None
    """How the plan would differ without pupils' reports."""
    left_out: list[LeftOutEntry]
    notes: list[str]


class ManifestDocument(FileModel):
    """`manifest.json`: what is in a folder of outputs, and what it was made from."""

    schema_number: int = Field(alias="schema")
    created_from: Origin
    versions: dict[str, str]
    """Of Python and of the packages that results depend on."""
    settings: dict[str, Any]
    """All of them, by section, as in a settings file."""
    inputs: dict[str, str]
    """SHA-256 of each input; of reports and origins, of their counts."""
    left_out: list[LeftOutEntry]
    notes: list[str]
    requested: dict[str, Any] = Field(default={}, alias="asked")
    """Of a plan: the options it was made with."""
    part: dict[str, str] = Field(default={})
    """Of a week: the officer or day that its papers are for; empty for the whole week."""
    printed: dict[str, str] = Field(default={})
    """Of a week that the board wrote: what its papers show, by a digest."""
    papers: dict[str, str] = Field(default={})
    """Of a week: what each paper was made from, by a digest: an equal one is copied."""
    out_of_date: list[str] = Field(default=[])
    """Papers that show an earlier week."""
    marking: str = ""
    reason: str = ""
    """Of the ways that pupils walk: who may see them, and why they were written."""
    files: dict[str, str]
    """SHA-256 of each file, by its name in the folder."""


@dataclass(frozen=True)
class DesignatedRow(ComparisonRow):
    """A row of the comparison of a force's own hotspots with ours."""

    flattered_months: int | None
    """Hold-out months that had begun when theirs were drawn; null where that is not known."""


class BacktestDocument(FileModel):
    """`backtest.json`: what risk and patrols held of the crime of hold-out months."""

    results: list[BacktestRow]
    patrols: list[HarmRatio]
    designated: list[DesignatedRow] = Field(default=[])
    """Theirs against ours, by category; empty without designated hotspots."""


class ForceMonth(FileModel):
    """A force in a month that the data should hold."""

    force: str
    month: Month


class ForceCount(ForceMonth):
    """Incidents of a force in a month, as they may be shown."""

    incidents: int


class CheckDocument(FileModel):
    """What `check` prints: what came in, what was left out, and what was assumed."""

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
    """Months of which a force's crime is missing."""
    left_out: list[LeftOutEntry]
    alarms: list[Alarm]
    notes: list[str]
