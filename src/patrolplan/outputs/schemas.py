"""JSON Schemas of the documents, made from the declarations by which they are read and written.

The package includes them as files, so that other programs need not run patrolplan;
`python -m patrolplan.outputs.schemas` writes them, and a test fails if one is out of date. A
document with an undeclared key is invalid.
"""

import ast
import inspect
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal, NoReturn, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, core_schema

from patrolplan.outputs.document_forms import (
    BacktestDocument,
    CheckDocument,
    ManifestDocument,
    PlanDocument,
)
from patrolplan.outputs.geopackage import SCHEMA as PLAN_SCHEMA
from patrolplan.team.week import SCHEMA as WEEK_SCHEMA, Week

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
        if base.__module__.startswith("patrolplan"):
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
