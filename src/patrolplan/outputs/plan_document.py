"""`plan.json`: a plan in words, degrees and HH:MM, as declared here; nothing reads it back."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

import geopandas as gpd
from pydantic import Field, with_config

from patrolplan.area import StudyArea
from patrolplan.hotspots.carriers import Carrier, compute_shown_worth
from patrolplan.hotspots.reasons import list_reasons
from patrolplan.notes import list_texts
from patrolplan.outputs.facts import StopFacts, list_stop_facts
from patrolplan.outputs.reason_words import describe_certainty, describe_reasons
from patrolplan.outputs.wording import describe_tasking
from patrolplan.patrols import file_forms
from patrolplan.patrols.marking import find_marking
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan, Stop
from patrolplan.patrols.posts import Post
from patrolplan.patrols.surroundings import build_way_notes
from patrolplan.patrols.way_home import HARM_DIGITS, WayHome
from patrolplan.provenance import compute_area_provenance
from patrolplan.risk.day_kinds import DayKind
from patrolplan.risk.surface import Risk
from patrolplan.tables import LeftOutRow

SCHEMA = 1

Share = Annotated[float, Field(ge=0)]
NotInPlan = Annotated[None, file_forms.not_in_files(None), Field(exclude=True)]


@with_config(file_forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class MadeFrom:
    """What a result was made from: if these are equal, results are equal."""

    inputs: str
    settings: str
    """SHA-256 of the digests of all inputs, and of the settings."""
    seed: int
    version: str


@with_config(file_forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class LeftOutEntry:
    """What was left out."""

    source: str
    reason: str
    count: str
    """The number, suppressed if it is small, such as "fewer than 5"."""


@with_config(file_forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class HotspotEntry:
    """A hotspot with its stopping place."""

    hotspot: Annotated[str, Field(alias="id")]
    worth: Annotated[Share, file_forms.round_to(8)]
    """Share of the area's risk."""
    length_metres: Annotated[Share, file_forms.round_to(1)]
    stop: file_forms.Point
    place: str
    reasons: file_forms.Texts
    """In words, the most important first."""
    carried_by: Carrier | None = None
    """Its main basis."""
    how_sure: str


@with_config(file_forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class WindowEntry:
    """When patrols take place."""

    start_minutes: Annotated[file_forms.Minutes | None, Field(alias="from")]
    """Null means at each school's bell."""
    minutes: Share


@with_config(file_forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class RiskEntry:
    """How the risk was estimated."""

    model: str
    margin: float | None = None
    """Null: a plan tests no model; a back-test does."""
    months: Annotated[tuple[file_forms.Month, ...], Field(min_length=2, max_length=2)]
    """The first and the last of the recorded crime."""
    times_known: bool
    snapped: bool
    """Whether the place of any crime is only a snap point."""
    window: WindowEntry | None = None
    day: DayKind | None = None


@with_config(file_forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class WayHomeEntry:
    """How much of the way home patrols meet, rounded."""

    pupil_share: Share | None
    """Share of the pupils' minutes on the way; null where it must not be shown."""
    harm_share: Annotated[Share, file_forms.round_to(HARM_DIGITS)]
    elsewhere_share: Annotated[Share, file_forms.round_to(2)]
    """Share of the school's pupils who are not on the streets on foot."""
    assumed: file_forms.Texts


@with_config(file_forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class GateEntry:
    """Where a patrol begins and ends."""

    gate: Annotated[str, Field(alias="id")]
    place: str
    point: file_forms.Point
    assumed: bool
    """Whether it is not known where the school's gate is."""


@with_config(file_forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class BarredEntry:
    """A place to keep away from, to which an officer on the patrol might come."""

    barred: Annotated[str, Field(alias="id")]
    place: str
    point: file_forms.Point
    why: str
    """Hours and reason, who requests it and until when."""


@file_forms.also_writes(tasked=str | None, stands=bool)
@dataclass(frozen=True, kw_only=True)
class PlanStop(Stop):
    """A stop whose reasons are in words."""

    why: file_forms.Texts  # type: ignore[assignment]  # in words
    """The tasking and the reasons, as short as on the card."""
    why_long: file_forms.Texts
    """The same with numbers and months, as on the phone."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PlanPatrol(Patrol):
    """A patrol as its papers tell it, in words."""

    point: Annotated[GateEntry, Field(alias="gate")]  # type: ignore[assignment]  # with its words
    gate_id: NotInPlan = None  # type: ignore[assignment]
    gate_place: NotInPlan = None  # type: ignore[assignment]
    barred: NotInPlan = None  # type: ignore[assignment]
    stops: Annotated[tuple[PlanStop, ...], file_forms.IsList]
    tasked_places: Annotated[file_forms.Texts, Field(alias="taskings")]
    """Names of the tasked places at which it stands."""
    kept_away_from: Annotated[tuple[BarredEntry, ...], Field(alias="keep_away")]
    marking: str
    notes: file_forms.Texts  # type: ignore[assignment]  # in words
    way_home: WayHomeEntry | None = None  # type: ignore[assignment]  # as it may be shown


@with_config(file_forms.RECORD)
@dataclass(frozen=True, kw_only=True)
class PlanDocument:
    """`plan.json`: what was planned, in the form that people see."""

    schema_number: Annotated[int, Field(alias="schema")]
    area: str
    date: file_forms.Day | None
    """Day of the patrols; null means any school day."""
    created_from: MadeFrom
    risk: RiskEntry
    stands_out: int = 0
    """How many hotspots have more than chance would give."""
    hotspots: tuple[HotspotEntry, ...]
    """Those with most risk first."""
    way_home: WayHomeEntry | None = None
    """How much all patrols meet, on average over pupils."""
    patrols: tuple[PlanPatrol, ...]
    posts: tuple[Post, ...] = ()
    """Where adults stand after the bell."""
    left_out: tuple[LeftOutEntry, ...]
    notes: file_forms.Texts


def build_plan_document(plan: Plan) -> dict[str, Any]:
    """The content of `plan.json`; equal plans give equal documents."""
    area = plan.area
    document = PlanDocument(
        schema_number=SCHEMA,
        area=area.name,
        date=plan.date,
        created_from=MadeFrom(**compute_area_provenance(area)),
        risk=tell_risk(plan.risk),
        stands_out=int(plan.hotspots["stands_out"].sum()),
        hotspots=tell_hotspots(area, plan.risk, plan.hotspots),
        way_home=_tell_way_home(plan.way_home),
        patrols=tuple(_tell_patrol(patrol, area) for patrol in plan.patrols),
        posts=plan.posts,
        left_out=tuple(map(_tell_left_out, plan.left_out)),
        notes=tuple(list_texts([*plan.risk.notes, *build_way_notes(area)])),
    )
    return file_forms.write_record(document, area.projection)


def tell_risk(risk: Risk) -> RiskEntry:
    """The risk's model and months, how exact it is, and its window."""
    window: WindowEntry | None = None
    if risk.window is not None:
        window = WindowEntry(start_minutes=risk.window.start_minutes, minutes=risk.window.minutes)
    return RiskEntry(
        model=risk.model,
        months=tuple(f"{month:%Y-%m}" for month in risk.months),
        times_known=risk.times_known,
        snapped=risk.snapped,
        window=window,
        day=risk.day,
    )


def tell_hotspots(
    area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame
) -> tuple[HotspotEntry, ...]:
    """One entry a hotspot; `worth` is its share of the area's risk."""
    columns = zip(
        hotspots.itertuples(),
        compute_shown_worth(risk, hotspots),
        list_reasons(hotspots),
        describe_certainty(area, risk, hotspots),
        strict=True,
    )
    return tuple(
        HotspotEntry(
            hotspot=row.hotspot,
            worth=float(worth),
            length_metres=row.length_metres,
            stop=(row.stop_x, row.stop_y),
            place=row.place,
            reasons=tuple(describe_reasons(reasons)),
            carried_by=row.carried_by,
            how_sure=how_sure,
        )
        for row, worth, reasons, how_sure in columns
    )


def _tell_way_home(way_home: WayHome | None) -> WayHomeEntry | None:
    """What patrols meet of the way home, and what was assumed; None if unknown."""
    if way_home is None:
        return None
    return WayHomeEntry(
        pupil_share=way_home.shown_pupil_share,
        harm_share=way_home.harm_share,
        elsewhere_share=way_home.elsewhere_share,
        assumed=tuple(list_texts(way_home.assumed)),
    )


def _tell_patrol(patrol: Patrol, area: StudyArea) -> PlanPatrol:
    return PlanPatrol(
        **_pick_unchanged(patrol, PlanPatrol),
        point=GateEntry(
            gate=patrol.gate_id,
            place=patrol.gate_place,
            point=patrol.point,
            assumed=patrol.is_gate_assumed,
        ),
        stops=tuple(map(_tell_stop, list_stop_facts(patrol, area.projection.crs))),
        tasked_places=patrol.taskings,
        kept_away_from=tuple(map(_tell_barred, patrol.keep_away)),
        marking=find_marking(area, [patrol]),
        notes=tuple(list_texts(patrol.notes)),
        way_home=_tell_way_home(patrol.way_home),
    )


def _tell_stop(facts: StopFacts) -> PlanStop:
    return PlanStop(
        **_pick_unchanged(facts.stop, PlanStop),
        why=tuple(facts.list_sentences("short")),
        why_long=tuple(facts.list_sentences()),
    )


def _pick_unchanged(record: Patrol | Stop, told: type) -> dict[str, Any]:
    """The fields of a record that its form in words does not declare anew."""
    unchanged = [one.name for one in fields(record) if one.name not in told.__annotations__]
    return {name: getattr(record, name) for name in unchanged}


def _tell_barred(barred: BarredPlace) -> BarredEntry:
    return BarredEntry(
        barred=barred.tasking.place_id,
        place=barred.place,
        point=barred.point,
        why=describe_tasking(barred.tasking),
    )


def _tell_left_out(row: LeftOutRow) -> LeftOutEntry:
    return LeftOutEntry(source=row.source, reason=row.reason, count=row.count_text)
