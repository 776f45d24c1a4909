"""The command that prints the JSON Schema of a document: schema."""

from typing import Annotated

import typer

from patrolplan.cli import console, options
from patrolplan.cli.app import command


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
