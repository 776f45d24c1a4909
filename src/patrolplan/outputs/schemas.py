"""JSON Schemas of the documents, made from the declarations by which they are read and written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NoReturn

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, core_schema

from patrolplan.hotspots.carriers import Carrier
from patrolplan.outputs.geopackage import SCHEMA as PLAN_SCHEMA
from patrolplan.patrols import file_forms
from patrolplan.patrols.patrol_backtest import HarmRatio
from patrolplan.patrols.plan import Patrol, Stop
from patrolplan.patrols.posts import Post
from patrolplan.risk.backtest import BacktestRow
from patrolplan.risk.day_kinds import DayKind
from patrolplan.team.week import SCHEMA as WEEK_SCHEMA, Week

Share = Annotated[float, Field(ge=0)]


class Entry(file_forms.FileModel, use_attribute_docstrings=True):
    """A document or a part of one, declared for its schema alone."""


class Origin(Entry):
    """What a result was made from: if these are equal, results are equal."""

    inputs: str
    settings: str
    """SHA-256 of the digests of all inputs, and of the settings."""
    seed: int
    version: str


class LeftOutEntry(Entry):
    """What was left out."""

    source: str
    reason: str
    count: str
    """The number, suppressed if it is small, such as "fewer than 5"."""


class HotspotEntry(Entry):
    """A hotspot with its stopping place."""

    hotspot: str = Field(alias="id")
    worth: Share
    """Share of the area's risk."""
    length_metres: Share
    stop: file_forms.Point
    place: str
    reasons: list[str]
    """In words, the most important first."""
    carried_by: Carrier | None = None
    """Its main basis."""
    how_sure: str


class WindowEntry(Entry):
    """When patrols take place."""

    start: file_forms.Minutes | None = Field(alias="from")
    """Null means at each school's bell."""
    minutes: Share


class RiskEntry(Entry):
    """How the risk was estimated."""

    model: str
    margin: float | None = None
    """Null: a plan tests no model; a back-test does."""
    months: Annotated[list[file_forms.Month], Field(min_length=2, max_length=2)]
    """The first and the last of the recorded crime."""
    times_known: bool
    snapped: bool
    """Whether the place of any crime is only a snap point."""
    window: WindowEntry | None = None
    day: DayKind | None = None


class WayHomeEntry(Entry):
    """How much of the way home patrols meet, rounded."""

    pupil_share: Share | None
    """Share of the pupils' minutes on the way; null where it must not be shown."""
    harm_share: Share
    elsewhere_share: Share
    """Share of the school's pupils who are not on the streets on foot."""
    assumed: list[str]


class GateEntry(Entry):
    """Where a patrol begins and ends."""

    gate: str = Field(alias="id")
    place: str
    point: file_forms.Point
    assumed: bool
    """Whether it is not known where the school's gate is."""


class BarredEntry(Entry):
    """A place to keep away from, to which an officer on the patrol might come."""

    barred: str = Field(alias="id")
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


NotInPlan = Annotated[None, file_forms.not_in_files(None), Field(exclude=True)]


@dataclass(frozen=True, eq=False, kw_only=True)
class PlanPatrol(Patrol):
    """A patrol as its papers tell it, in words."""

    point: Annotated[GateEntry, Field(alias="gate")]  # type: ignore[assignment]  # with its words
    gate_id: NotInPlan = None  # type: ignore[assignment]
    gate_place: NotInPlan = None  # type: ignore[assignment]
    barred: NotInPlan = None  # type: ignore[assignment]
    stops: Annotated[tuple[PlanStop, ...], file_forms.IsList]
    taskings: file_forms.Texts = field()  # which is no property here
    """Names of the tasked places at which it stands."""
    keep_away: tuple[BarredEntry, ...] = field()  # type: ignore[assignment]  # with reasons in words
    marking: str
    notes: file_forms.Texts  # type: ignore[assignment]  # in words
    way_home: WayHomeEntry | None = None  # type: ignore[assignment]  # as it may be shown


class PlanDocument(Entry):
    """`plan.json`: what was planned, in the form that people see."""

    schema_number: int = Field(alias="schema")
    area: str
    date: file_forms.Day | None
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


class BacktestDocument(Entry):
    """`backtest.json`: how much of the crime of hold-out months risk and patrols captured."""

    results: list[BacktestRow]
    patrols: list[HarmRatio]


DocumentName = Literal["plan", "week", "backtest"]

DOCUMENTS: Mapping[DocumentName, tuple[type, int]] = {
    "plan": (PlanDocument, PLAN_SCHEMA),
    "week": (Week, WEEK_SCHEMA),
    "backtest": (BacktestDocument, 1),
}
"""The declaration of each, and its version: incremented when earlier documents become invalid."""


class _FormSchema(GenerateJsonSchema):
    """Forbids undeclared keys, and leaves out fields that are `not_in_files`."""

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> NoReturn:
        del schema  # the same for all
        raise PydanticOmit

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        shown = super().dataclass_schema(schema)
        kinds = [name for name, one in shown["properties"].items() if "const" in one]
        required = sorted({*shown.get("required", []), *kinds})  # a part without its kind is none
        return shown | {"additionalProperties": False, "required": required}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return super().model_schema(schema) | {"additionalProperties": False}

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False


def build_schema(name: DocumentName) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document, whose `$id` names its version."""
    declaration, version = DOCUMENTS[name]
    # Other commands are spared the quarter of a second.
    file_forms.RECORD["use_attribute_docstrings"] = True
    schema = TypeAdapter(declaration).json_schema(schema_generator=_FormSchema)
    if "schema" in schema["properties"]:
        schema["properties"]["schema"] = {"const": version}
    address = f"urn:patrolplan:schema:{name}-{version}"
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": address, **schema}
