"""Reference pages generated from the code, so that they are always true.

Classes come from annotations, settings from the pydantic models, commands from the command line
itself, tables and documents from their schemas. The pages are written into `reference/` at every
build and are not stored.
"""

import json
import re
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any, get_args

import typer
from class_pages import classes_pages
from pydantic import BaseModel
from sphinx.application import Sphinx

from patrolplan import tables
from patrolplan.cli import app
from patrolplan.cli.app import PANELS
from patrolplan.outputs import schemas
from patrolplan.settings import Settings

MAX_NAMED = 9
"""Values of a choice that are named."""

HEAD = "<!-- written by docs/_ext/reference_pages.py at every build -->\n\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}


def _write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "reference"
    for name, text in (
        *((name, HEAD + text) for name, text in classes_pages().items()),
        ("changes.md", changes_page(Path(app.srcdir).parent / "CHANGELOG.md")),
        ("settings.md", settings_page()),
        ("commands.md", commands_page()),
        ("tables.md", tables_page()),
        ("documents.md", documents_page()),
    ):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")


def changes_page(changelog: Path) -> str:
    """The changelog, with its links as they are from here; those that leave the site are text."""
    text = changelog.read_text(encoding="utf-8").replace("](docs/", "](../")
    text = re.sub(r"\[([^\]]+)\]\((?!\.\./|https?:)[^)]*\)", r"\1", text)
    return f"---\nmyst:\n  heading_anchors: 0\n---\n\n{HEAD}{text}"


def settings_page() -> str:
    """Every key of `patrolplan.toml`, its default and its meaning."""
    lines = [
        HEAD + "# Settings",
        "",
        "Every key of `patrolplan.toml`; `patrolplan init` writes them as a file to start from.",
        "",
    ]
    for name, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            lines += [f"## `[{name}]`", "", (model.__doc__ or "").strip(), ""]
            lines += ["| key | default | meaning |", "| --- | --- | --- |"]
            lines += list(_keys(model))
        else:
            lines += [f"## `{name}`", "", f"{field.description}; default `{_plain(field)}`."]
        lines.append("")
    return "\n".join(lines)


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        default = "needed" if field.is_required() else f"`{_plain(field)}`"
        yield f"| `{field.alias or name}` | {default} | {_cell(field.description or '')} |"
        for nested in (field.annotation, *get_args(field.annotation)):
            if isinstance(nested, type) and issubclass(nested, BaseModel):
                for row in _keys(nested):
                    yield row.replace("| `", f"| `{field.alias or name}.NAME.", 1)


def _plain(field) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, BaseModel):
        return "..."
    return json.dumps(
        list(value) if isinstance(value, tuple) else value, ensure_ascii=False, default=str
    )


def commands_page() -> str:
    """Every command with its options, as the command line has them."""
    group = typer.main.get_command(app)
    lines = [HEAD + "# Commands", "", _as_written(group.help), ""]
    lines += [
        "Exit code 0: done. 1: a problem with the input, one message a problem on standard error. ",
        "2: wrong usage. Progress goes to standard error, results to standard output. With",
        "`--json` problems and wrong usage are one object on standard output as well:",
        '`{"problems": [{"where", "what", "remedy"}]}`.',
        "",
        "## Options of all commands",
        "",
        "They stand before the command.",
        "",
        *_list_options(group.params),
        "",
    ]
    for panel, names in PANELS.items():
        lines += [f"## {panel}", ""]
        for name in names:
            command = group.commands[name]
            lines += [f"### `patrolplan {name}`", "", _as_written(command.help), ""]
            lines += [*_list_options(command.params), ""]
    return "\n".join(lines)


def _list_options(parameters) -> list[str]:
    shown = [one for one in parameters if not getattr(one, "hidden", False)]
    return ["| option | default | meaning |", "| --- | --- | --- |", *map(_option, shown)]


def _option(parameter) -> str:
    value = "" if getattr(parameter, "is_flag", False) else parameter.metavar or ""
    names = ", ".join(f"`{name} {value}`".replace(" `", "`") for name in parameter.opts)
    default = "needed" if parameter.required else parameter.default
    shown = default if default == "needed" else f"`{default}`"
    if default is None or default is False or default == ():
        shown = ""
    meaning = _as_written(getattr(parameter, "help", None))
    if parameter.envvar:
        meaning += f" Also by the environment variable {parameter.envvar}."
    return f"| {_cell(names)} | {shown} | {_cell(meaning)} |"


def _as_written(text: str | None) -> str:
    """A help text without the escapes that keep typer from taking brackets for a style."""
    return (text or "").replace("\\[", "[").strip()


def tables_page() -> str:
    """The tables that pass between the rooms, and what their columns mean."""
    lines = [
        HEAD + "# Tables",
        "",
        "Columns of the tables that the calls give, with their kinds and meanings.",
        "",
    ]
    for schema in vars(tables).values():
        if isinstance(schema, tables.Schema):
            lines += [
                f"## `{schema.name}`",
                "",
                "| column | kind | meaning |",
                "| --- | --- | --- |",
            ]
            lines += [
                f"| `{name}` | {column.kind} | {_cell(column.meaning)} |"
                for name, column in schema.columns.items()
            ]
            lines.append("")
    return "\n".join(lines)


def documents_page() -> str:
    """Every key of the documents that other programs read, by their JSON Schemas."""
    lines = [
        HEAD + "# Documents",
        "",
        "What `plan.json`, `week.json`, `manifest.json`, `backtest.json` and `check --json` hold.",
        "`patrolplan schema plan` prints the JSON Schema (draft 2020-12) that this page is made",
        "from; its `$id` has the version, and a key that it does not have is not written. In JSON",
        "None is null.",
        "",
    ]
    for name in schemas.DOCUMENTS:
        schema = schemas.build_schema(name)
        lines += [f"## {name}", "", f"`{schema['$id']}`", ""]
        parts = {None: schema, **schema.get("$defs", {})}
        for part, held in parts.items():
            if "properties" not in held:
                continue
            if part is not None:
                lines += [f"### {part} ({name})", ""]
            lines += [_cell(held.get("description", "")), ""]
            lines += ["| key | kind | meaning |", "| --- | --- | --- |"]
            lines += [
                f"| `{key}`{'' if key in held.get('required', ()) else ' (optional)'} | "
                f"{_cell(_kind(one))} | {_cell(one.get('description', ''))} |"
                for key, one in held["properties"].items()
            ]
            lines.append("")
    return "\n".join(lines)


def _kind(schema: dict[str, Any]) -> str:
    """What a value may be, in short."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1]
    values = [schema["const"]] if "const" in schema else schema.get("enum", ())
    if values:
        shown = [json.dumps(value) for value in values[:MAX_NAMED]]
        return ", ".join(shown) + (", ..." if len(values) > MAX_NAMED else "")
    if "examples" in schema:
        return f"text such as {schema['examples'][0]}"
    if choices := schema.get("anyOf", schema.get("oneOf")):
        return " or ".join(_kind(one) for one in choices)
    if schema.get("type") == "array":
        items = [_kind(one) for one in schema.get("prefixItems", ())]
        return f"[{', '.join(items)}]" if items else f"list of {_kind(schema['items'])}"
    return schema.get("format") or schema.get("pattern") or schema.get("type", "any")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("*", "\\*").replace("<", "&lt;")
