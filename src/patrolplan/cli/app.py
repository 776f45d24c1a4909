"""The command line itself: its help, and the options before a command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from patrolplan.cli.failures import open_log
from patrolplan.errors import OutputError

F = TypeVar("F", bound=Callable[..., None])

COMMANDS = {
    "Every day": ("init", "check", "brief", "plan", "week", "board", "record", "survey"),
    "More": (
        *("demo", "fetch", "risk", "hotspots", "backtest", "ways"),
        *("governance", "purge", "schema"),
    ),
}
"""Every command, in its panel of the help; the first line of its docstring says what it does."""


class Plain:
    """Shows `[section]` in help verbatim, not as a style, and no type of value for flags."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(*args, **kwargs)
        shown: Any = self
        shown.help = escape(shown.help or "")
        for parameter in shown.params:
            if text := getattr(parameter, "help", None):
                parameter.help = escape(text)

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
            # The validating library leaves the value out.
            list_errors = getattr(error.__cause__, "errors", None)
            if list_errors is not None:
                value, rule = list_errors()[0]["input"], error.message.partition(",")[0]
                rule = rule.replace("Input should", "it must")
                error.message = f"'{value}' is not valid; {rule}"
            raise


class CommandGroup(Plain, TyperGroup):
    """All commands, in the order of the panels."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's context
        """The names in the order of the help."""
        order = [name for names in COMMANDS.values() for name in names]
        return sorted(super().list_commands(ctx), key=order.index)


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


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"patrolplan {version('patrolplan')}")
        raise typer.Exit


@app.callback()
def start_run(
    ctx: typer.Context,
    verbose: bool = typer.Option(
        False, "--verbose", "-v", help="Say more: what was read, versions, seconds."
    ),
    log: Path | None = typer.Option(
        None, metavar="FILE", help="Append what was read, and the seconds, to a file."
    ),
    version: bool = typer.Option(  # noqa: ARG001 - printed by its own callback
        False,
        "--version",
        help="Print the version and exit.",
        callback=_print_version,
        is_eager=True,
    ),
) -> None:
    """Open the log of this run."""
    try:
        open_log(log, ctx.invoked_subcommand or "", verbose=verbose)
    except OSError as error:
        message = f"{log}: cannot be written ({error.strerror}); name another file with --log"
        raise OutputError(message) from None
