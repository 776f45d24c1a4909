"""The commands that read no data: init, purge and schema."""

import datetime as dt
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import patrolplan as pp
from patrolplan.cli import console, options
from patrolplan.cli.app import command
from patrolplan.errors import OutputError


@command
def init(
    config: Path = options.option(
        "The settings file to write.", options.FILE, default=options.DEFAULT_CONFIG
    ),
    demo: bool = options.flag(
        "--demo", "The fictional borough's settings and files, to try every command on."
    ),
    as_json: options.Json = False,
) -> None:
    """Write a settings file to start from, and a secret."""
    from patrolplan.settings.load import build_settings_template, copy_demo_files
    from patrolplan.settings.models import WeekSettings
    from patrolplan.team.secret import create_secret

    text = pp.demo_settings().read_text(encoding="utf-8") if demo else build_settings_template()
    try:
        if demo and not config.exists():  # otherwise nothing is copied either
            copy_demo_files(config.parent)
        with config.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        why, remedy = f"cannot be written ({error.strerror})", "name another file with --config"
        if isinstance(error, FileExistsError):
            why = "already exists"
            remedy = "begin in an empty folder" if demo else remedy
        message = f"{error.filename or config}: {why}; {remedy}"
        raise OutputError(message) from None
    secret = config.parent / WeekSettings().secret
    is_new = create_secret(secret)
    next_step = "Name your files under [sources], then run `patrolplan check`."
    if demo:
        next_step = "Its files are next to it: run `patrolplan check`, then any other command."
    lines = [f"Created {config}. {next_step}"]
    if is_new:
        lines.append(f"Created {secret}, with which weeks are drawn: let nobody else read it.")
    document = {"written": str(config), "secret": str(secret)}
    console.print_result(document, lines, as_json=as_json)


def _parse_age(text: str) -> dt.timedelta:
    """Days or weeks as typed; anything else is a usage error."""
    match = re.fullmatch(r"(\d{1,5})([dw]?)", text.strip())
    if match is None:
        options.refuse(f"'{text}' is not a valid age; write days or weeks, such as 90d or 12w")
    return dt.timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))


@command
def purge(
    older_than: dt.timedelta = options.option(
        "Such as 90d or 12w.", "AGE", default=..., parser=_parse_age
    ),
    folder: list[Path] | None = options.option(
        "Output folder to purge; may be repeated.", options.FOLDER
    ),
    record: Path | None = options.option(
        "File to add the record to; default in the cache folder.", options.FILE
    ),
    dry_run: bool = options.flag("--dry-run", "Only list what would be removed."),
    config: options.Config = options.DEFAULT_CONFIG,
    as_json: options.Json = False,
) -> None:
    """Remove old caches and outputs, never your own files."""
    from patrolplan.outputs.purge import purge as remove

    items = remove(older_than, folder or [], home=config.parent, record=record, dry_run=dry_run)
    removed = "would be removed" if dry_run else "removed"
    lines = [
        f"{removed if item.removed else 'kept'}: {item.path} ({item.what}; {item.why})"
        for item in items
    ]
    count = sum(item.removed for item in items)
    document = {"dry_run": dry_run, "found": [asdict(item) for item in items]}
    console.print_result(document, [*lines, f"{count or 'Nothing'} {removed}."], as_json=as_json)


@command
def schema(
    document: Annotated[str, typer.Argument(**options.choose_from("plan", "week", "backtest"))],
    config: options.Config = options.DEFAULT_CONFIG,
    as_json: options.Json = False,
) -> None:
    """Print the JSON Schema of a document that other programs read, to check it with."""
    from patrolplan.outputs.schemas import build_schema

    del config, as_json  # common options: a schema is JSON, and the same for all areas
    console.print_json(build_schema(document))  # type: ignore[arg-type]  # its parser checks it
