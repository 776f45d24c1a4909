"""JSON Schemas of the documents, made from the declarations by which they are read and written."""

from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, core_schema

from patrolplan.outputs.plan_document import SCHEMA as PLAN_SCHEMA, PlanDocument
from patrolplan.patrols import file_forms
from patrolplan.patrols.patrol_backtest import HarmRatio
from patrolplan.risk.backtest import BacktestRow
from patrolplan.team.week import SCHEMA as WEEK_SCHEMA, Week


class BacktestDocument(file_forms.FileModel, use_attribute_docstrings=True):
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
