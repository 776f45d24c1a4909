"""Reference pages generated from the code, so that they are always true.

Classes come from annotations, settings from the pydantic models, commands from the command line
itself, tables and documents from their schemas. The pages are written into `reference/` at every
build and are not stored.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import time
from pathlib import Path
from typing import Any, get_args

import typer
from class_pages import build_classes_page
from pydantic import BaseModel
from sphinx.application import Sphinx

from patrolplan import tables
from patrolplan.area.sources import SOURCES
from patrolplan.cli import app
from patrolplan.cli.app import COMMANDS
from patrolplan.inputs.polygons import DESIGNATED
from patrolplan.inputs.small_tables import DUTIES, OFFICERS, TASKED_PLACES, TERM_DATES
from patrolplan.outputs import schemas
from patrolplan.settings import Settings, SourceSettings
from patrolplan.tables import Column


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}


def _write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "reference"
    changelog = (Path(app.srcdir).parent / "CHANGELOG.md").read_text(encoding="utf-8")
    pages = {"classes.rst": build_classes_page(), "changes.md": build_changes_page(changelog)}
    for name, build in (
        ("settings", list_settings),
        ("commands", list_commands),
        ("inputs", list_inputs),
        ("tables", list_tables),
        ("documents", list_documents),
    ):
        pages[f"{name}.md"] = "\n".join([f"# {name.capitalize()}", "", *build(), ""])
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")


def build_changes_page(changelog: str) -> str:
    """The changelog, with its links as they are from here; those that leave the site are text."""
    text = re.sub(r"\[([^\]]+)\]\((?!docs/|https?:)[^)]*\)", r"\1", changelog)
    text = text.replace("](docs/", "](../")
    return f"---\nmyst:\n  heading_anchors: 0\n---\n\n{text}"


def _list_table(head: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a table."""
    yield f"| {head} |"
    yield "| --- | --- | --- |"
    for row in rows:
        cells = (re.sub(r"([|*])", r"\\\1", cell).replace("<", "&lt;") for cell in row)
        yield f"| {' | '.join(cells)} |".replace("\n", " ")
    yield ""


def list_settings() -> Iterator[str]:
    """Every key of `patrolplan.toml`, its default and its meaning."""
    yield "Every key of `patrolplan.toml`; `patrolplan init` writes those that most teams set.\n"
    for name, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield f"## `[{name}]`\n\n{(model.__doc__ or '').strip()}\n"
            yield from _list_table("key | default | meaning", _list_keys(model))
        else:
            yield f"## `{name}`\n\n{field.description}; default `{_format_default(field)}`.\n"


def _list_keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        default = "needed" if field.is_required() else f"`{_format_default(field)}`"
        yield f"`{key}`", default, field.description or ""
        for nested in (field.annotation, *get_args(field.annotation)):
            if isinstance(nested, type) and issubclass(nested, BaseModel):
                yield from _list_keys(nested, f"{key}.NAME.")


def _format_default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel):
        return "none" if value is None else "..."
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    value = list(value) if isinstance(value, tuple) else value
    return json.dumps(value, ensure_ascii=False, default=str)


def list_commands() -> Iterator[str]:
    """Every command with its options, as the command line has them."""
    group = typer.main.get_command(app)
    yield f"""{_unescape(group.help)}

Exit code 0: done. 1: a problem with the input, one message a problem on standard error. 2: wrong
usage. Progress goes to standard error, results to standard output. With `--json` problems and wrong
usage are one object on standard output as well: `{{"problems": [{{"where", "what", "remedy"}}]}}`.

## Options of all commands

They stand before the command.
"""
    yield from _list_options(group.params)
    for panel, names in COMMANDS.items():
        yield f"## {panel}\n"
        for name in names:
            yield f"### `patrolplan {name}`\n\n{_unescape(group.commands[name].help)}\n"
            yield from _list_options(group.commands[name].params)


def _list_options(parameters: Iterable[Any]) -> Iterator[str]:
    shown = [one for one in parameters if not getattr(one, "hidden", False)]
    return _list_table("option | default | meaning", map(_describe_option, shown))


def _describe_option(parameter: Any) -> tuple[str, str, str]:
    value = "" if getattr(parameter, "is_flag", False) else parameter.metavar or ""
    names = ", ".join(f"`{f'{name} {value}'.strip()}`" for name in parameter.opts)
    default = f"`{parameter.default}`" if parameter.default not in {None, False, ()} else ""
    meaning = _unescape(getattr(parameter, "help", None))
    if parameter.envvar:
        meaning += f" Also by the environment variable {parameter.envvar}."
    return names, "needed" if parameter.required else default, meaning


def _unescape(text: str | None) -> str:
    """A help text without the escapes that keep typer from taking brackets for a style."""
    return (text or "").replace("\\[", "[").strip()


def list_inputs() -> Iterator[str]:
    """The tables of `[sources]`, and their columns in a file."""
    yield "What each table of `[sources]` holds, and its columns in a file.\n"
    for name, field in SourceSettings.model_fields.items():
        if name in SOURCES:
            yield f"## `{name}`\n\n{field.description}; such as `{', '.join(field.examples)}`.\n"
            rows = map(_describe_column, SOURCES[name])
            yield from _list_table("column | needed | meaning", rows)


def _describe_column(column: Column) -> tuple[str, str, str]:
    """Its names, whether a file needs it, and its meaning."""
    names = ", ".join(f"`{name}`" for name in (column.name, *column.known_names))
    return names, "yes" if column.needed else "no", column.meaning


def list_tables() -> Iterator[str]:
    """The tables that pass between the rooms, and what their columns mean."""
    yield "Columns of the tables that the calls give, with their kinds and meanings.\n"
    declared = [one.schema for one in (OFFICERS, DUTIES, TERM_DATES, TASKED_PLACES, DESIGNATED)]
    for schema in (*vars(tables).values(), *declared):
        if isinstance(schema, tables.Schema):
            rows = ((f"`{one.name}`", one.form.kind, one.meaning) for one in schema.columns)
            yield f"## `{schema.name}`\n"
            yield from _list_table("column | kind | meaning", rows)


def list_documents() -> Iterator[str]:
    """The JSON Schema of each document that other programs read."""
    yield """What `plan.json`, `week.json` and `backtest.json` hold:
JSON Schemas (draft 2020-12), which `patrolplan schema plan` prints too. `$id` has the version, and
a key that it does not have is not written.
"""
    for name in schemas.DOCUMENTS:
        schema = json.dumps(schemas.build_schema(name), indent=2, ensure_ascii=False)
        yield f"## {name}\n\n```json\n{schema}\n```\n"
