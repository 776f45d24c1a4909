"""The command line itself: help by person, and the options before a command.

A newcomer reads the help from top to bottom: how to begin, then a panel for each person, with
commands in the order in which that person works. An option's name means the same in all commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from patrolplan.cli.run_log import open_log
from patrolplan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., None]")

PANELS = {
    "Start here": ("demo", "init", "fetch", "check"),
    "Officer: today's patrol": ("brief", "plan", "record"),
    "Team lead: next week": ("week", "board", "survey"),
    "Analyst: which streets, and how sure": ("risk", "hotspots", "backtest", "ways", "schema"),
    "Data protection": ("governance", "purge"),
}
"""The commands of each person, in working order."""

EXAMPLES = """\
For example:

  To try all of it:     patrolplan init --demo, in an empty folder

  This afternoon:       patrolplan plan --school URN, then print cards.pdf

  Next week, on screen: patrolplan board

  Next week, on paper:  patrolplan week --from DAY --out FOLDER

  Somebody on leave:    with week --absent OFFICER:DAY; on the board by mouse

  A layer for QGIS:     patrolplan hotspots --out FOLDER

  The month's return:   patrolplan record --return YYYY-MM

  What to trust:        patrolplan backtest

`patrolplan COMMAND --help` has the options of a command; `patrolplan demo` needs no data."""


class Command(TyperCommand):
    """A command that shows help texts verbatim, and the value in a message on a wrong one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(*args, **kwargs)
        show_plainly(self)

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's context
        """The options and arguments, as help shows them."""
        return hide_flag_values(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's context
        """Read the options."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            name_wrong_value(error)
            raise


class CommandGroup(TyperGroup):
    """All commands, in the order of the panels."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(*args, **kwargs)
        show_plainly(self)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's context
        """The names in the order of the help."""
        return sorted(super().list_commands(ctx), key=COMMAND_ORDER.index)

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's context
        """The options and arguments, as help shows them."""
        return hide_flag_values(super().get_params(ctx))


def hide_flag_values(parameters: list[Any]) -> list[Any]:
    """Hide the type of value of flags in the help."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False) or parameter.name.endswith("_completion"):
            parameter.metavar = ""
    return parameters


COMMAND_ORDER = [name for names in PANELS.values() for name in names]


def show_plainly(command: TyperCommand | TyperGroup) -> None:
    """Show `[section]` in help verbatim: typer would treat it as a style."""
    command.help = escape(command.help or "")
    for parameter in command.params:
        if text := getattr(parameter, "help", None):
            parameter.help = escape(text)  # type: ignore[attr-defined]


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
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["--help", "-h"]},
    no_args_is_help=True,
    rich_markup_mode="rich",  # the default in some versions only
    pretty_exceptions_enable=False,
)


def command(function: F) -> F:
    """Add a function to the command line, in the panel of the person who uses it."""
    name = function.__name__
    panel = next(panel for panel, names in PANELS.items() if name in names)
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
        bool,
        typer.Option(
            "--verbose", "-v", help="Say more on standard error: what was read, versions, seconds."
        ),
    ] = False,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="Append what was read and the seconds of each stage to a file; no report's value.",
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
