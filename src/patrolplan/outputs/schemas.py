"""JSON Schemas of the documents, made from the declarations by which they are read and written.

The package includes them as files, so that other programs need not run patrolplan;
`python -m patrolplan.outputs.schemas` writes them, and a test fails if one is out of date. A
document with an undeclared key is invalid.

Documents that are only read by others (plan, manifest, back-test, check) are declared here; parts
that a week also has are in `patrolplan.patrols.plan`.
"""

import ast
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, Literal, NoReturn, cast

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, core_schema

from patrolplan.hotspots.carriers import Carrier
from patrolplan.outputs.geopackage import SCHEMA as PLAN_SCHEMA
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
from patrolplan.team.week import SCHEMA as WEEK_SCHEMA, Week

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


DocumentName = Literal["plan", "week", "manifest", "backtest", "check"]

FOLDER = Path(__file__).parents[1] / "schemas"


DOCUMENTS: Mapping[DocumentName, tuple[type, int]] = {
    "plan": (PlanDocument, PLAN_SCHEMA),
    "week": (Week, WEEK_SCHEMA),
    "manifest": (ManifestDocument, 1),
    "backtest": (BacktestDocument, 1),
    "check": (CheckDocument, 1),
}
"""The declaration of each, and its version: incremented when earlier documents become invalid."""


class _FormSchema(GenerateJsonSchema):
    """Leaves out fields that are not in files, see `patrolplan.patrols.file_forms.not_in_files`."""

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> NoReturn:
        del schema  # the same for all
        raise PydanticOmit

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _describe_fields(super().dataclass_schema(schema), schema)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _describe_fields(super().model_schema(schema), schema)


def _describe_fields(
    schema: JsonSchemaValue, declared: core_schema.DataclassSchema | core_schema.ModelSchema
) -> JsonSchemaValue:
    """A schema with the docstrings of the declaration: of each field, and of the class itself."""
    if "description" in schema:
        schema["description"] = schema["description"].partition("\n\n")[0]
    words = _read_descriptions(declared["cls"])
    for name, field in _list_fields(declared["schema"]):
        shown = schema["properties"].get(field.get("validation_alias", name))
        if shown is not None and name in words:
            shown.setdefault("description", words[name])
    return schema


def _list_fields(schema: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Name and declaration of each field."""
    fields = schema.get("fields", {})
    return (
        list(fields.items()) if isinstance(fields, dict) else [(one["name"], one) for one in fields]
    )


def _read_descriptions(cls: type) -> dict[str, str]:
    """The docstring below each field of a class, and of its base classes."""
    words = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith(("patrolplan", "__main__")):
            (tree,) = ast.parse(dedent(inspect.getsource(base))).body
            for line, after in pairwise(cast("ast.ClassDef", tree).body):
                match line, after:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str(text))),
                    ):
                        words[name] = " ".join(text.split())
    return words


def build_schema(name: DocumentName) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document, whose `$id` names its version."""
    declaration, version = DOCUMENTS[name]
    schema = TypeAdapter(declaration).json_schema(schema_generator=_FormSchema)
    if "schema" in schema["properties"]:
        schema["properties"]["schema"] = {"const": version}
    _close(schema)
    head = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:patrolplan:schema:{find_schema_file(name).stem}",
    }
    return {**head, **schema}


def format_schema(name: DocumentName) -> str:
    """The schema as text for a file: a line for each key, and for each part that it defines."""
    schema = build_schema(name)
    parts = _format_lines(schema.pop("$defs", {}))
    return _format_lines(schema, **{"$defs": parts}) + "\n"


def _format_lines(node: Mapping[str, Any], **formatted: str) -> str:
    """An object with a line for each key; values in `formatted` are JSON already."""
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in node.items()}
    lines = [f"{json.dumps(key)}: {text}" for key, text in {**texts, **formatted}.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def find_schema_file(name: DocumentName) -> Path:
    """Path of a document's schema in the package."""
    return FOLDER / f"{name}-{DOCUMENTS[name][1]}.json"


def _close(node: object) -> None:
    """Forbid undeclared keys, and require those that give the kind of a part."""
    if isinstance(node, list):
        for one in node:
            _close(one)
    if not isinstance(node, dict):
        return
    if "properties" in node:
        node.setdefault("additionalProperties", False)
        for name, field in node["properties"].items():
            field.pop("title", None)
            if "const" in field and name not in node.setdefault("required", []):
                node["required"].append(name)
    for one in node.values():
        _close(one)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in DOCUMENTS:
        find_schema_file(each).write_text(format_schema(each), encoding="utf-8", newline="\n")
