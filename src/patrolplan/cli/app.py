"""The command line itself: its help, and the options before a command.

An option's name means the same in all commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from patrolplan.cli.failures import open_log
from patrolplan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., None]")

COMMANDS = {
    "Every day": ("init", "check", "brief", "plan", "week", "board", "record", "survey"),
    "More": (
        *("demo", "fetch", "risk", "hotspots", "backtest", "ways"),
        *("governance", "purge", "schema"),
    ),
}
"""Every command, in its panel of the help; the first line of its docstring says what it does."""


class Plain:
    """Shows help texts verbatim, and no type of value for flags."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(*args, **kwargs)
        show_plainly(self)

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's context
        """The options and arguments, as help shows them."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
        return parameters


class Command(Plain, TyperCommand):
    """A command with the value in a message on a wrong one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's context
        """Read the options."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            name_wrong_value(error)
            raise


class CommandGroup(Plain, TyperGroup):
    """All commands, in the order of the panels."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's context
        """The names in the order of the help."""
        return sorted(super().list_commands(ctx), key=COMMAND_ORDER.index)


COMMAND_ORDER = [name for names in COMMANDS.values() for name in names]


def show_plainly(command: Any) -> None:  # noqa: ANN401 - a command or group of typer
    """Show `[section]` in help verbatim: typer would treat it as a style."""
    command.help = escape(command.help or "")
    for parameter in command.params:
        if text := getattr(parameter, "help", None):
            parameter.help = escape(text)


def name_wrong_value(error: Any) -> None:  # noqa: ANN401 - of any version of typer
    """Add the invalid value to a message of the validating library, which leaves it out."""
    list_errors = getattr(error.__cause__, "errors", None)
    if list_errors is not None:
        value, rule = list_errors()[0]["input"], error.message.partition(",")[0]
        error.message = f"'{value}' is not valid; {rule.replace('Input should', 'it must')}"


app = typer.Typer(
    name="patrolplan",
    cls=CommandGroup,
    help="Patrol planning for Safer Schools Officers: from recorded crime to a printed route.",
    epilog="`patrolplan COMMAND --help` has the options of a command.",
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    no_args_is_help=True,
    rich_markup_mode="rich",  # the default in some versions only
    pretty_exceptions_enable=False,
)


def command(function: F) -> F:
    """Add a function to the command line, in its panel of the help."""
    name = function.__name__
    panel = next(panel for panel, names in COMMANDS.items() if name in names)
    return app.command(cls=Command, rich_help_panel=panel)(function)


def print_version(*, wanted: bool) -> None:
    """Print the version and exit, if requested."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"patrolplan {version('patrolplan')}")
        raise typer.Exit


@app.callback()
def start_run(
    ctx: typer.Context,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more: what was read, versions, seconds.")
    ] = False,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log", metavar="FILE", help="Append what was read, and the seconds, to a file."
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - printed by its own callback
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            callback=lambda wanted: print_version(wanted=wanted),
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Open the log of this run."""
    try:
        open_log(log, ctx.invoked_subcommand or "", verbose=verbose)
    except OSError as error:
        message = f"{log}: cannot be written ({error.strerror}); name another file with --log"
        raise OutputError(message) from None
