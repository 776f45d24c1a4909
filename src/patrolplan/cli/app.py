"""The command line itself: help by person, the options before a command, and earlier names.

A newcomer reads the help from top to bottom: how to begin, then a panel for each person, with
commands in the order in which that person works. An option's name means the same in all commands;
earlier names still work, but are hidden.
"""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from patrolplan.cli.console import stderr
from patrolplan.cli.run_log import open_log
from patrolplan.compiled import CLOCK
from patrolplan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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

EARLIER_OPTIONS = {
    "plan": {"--from": "--start"},
    "risk": {"--from": "--start"},
    "hotspots": {"--from": "--start"},
    "backtest": {"--from": "--first-month", "--to": "--last-month"},
    "record": {"--minutes": "--answers"},
    "governance": {"--audit": "--deciles"},
    "purge": {"--out": "--folder"},
}
"""Earlier names of options, by command. The new names have the same meaning in all commands:
`--from` and `--to` are days, `--minutes` is how long a patrol lasts, `--out` is what is written,
`--audit` checks whether a week was drawn as recorded."""

TYPED_NAMES = "patrolplan.typed_names"
LOG_OPTION = "--log"
RUN_FLAGS = ("-v", "--verbose")


class Command(TyperCommand):
    """A command that accepts earlier names of options, and shows help texts verbatim."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(*args, **kwargs)
        show_plainly(self)

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's context
        """The options and arguments, as help shows them."""
        return hide_flag_values(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's context
        """Read the options, by their current or earlier names."""
        names = EARLIER_OPTIONS.get(ctx.info_name, {})
        typed = {arg.partition("=")[0] for arg in args}
        ctx.meta[TYPED_NAMES] = {new: old for old, new in names.items() if old in typed}
        try:
            return super().parse_args(ctx, rename_options(args, names))
        except typer.BadParameter as error:
            name_wrong_value(error)
            raise

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's context
        """Run the command; a message on a value names its option as it was typed."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.param_hint = ctx.meta[TYPED_NAMES].get(error.param_hint, error.param_hint)
            raise


class CommandGroup(TyperGroup):
    """All commands, in the order of the panels; common options may also follow a command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(*args, **kwargs)
        show_plainly(self)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's context
        """The names in the order of the help."""
        return sorted(super().list_commands(ctx), key=COMMAND_ORDER.index)

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's context
        """The options and arguments, as help shows them."""
        return hide_flag_values(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's context
        """Read the common options at any position."""
        return super().parse_args(ctx, move_run_options(args))


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


def rename_options(args: Sequence[str], names: dict[str, str]) -> list[str]:
    """Arguments with the current names of options.

    Examples
    --------
    >>> rename_options(["--from=15:40", "--minutes", "40"], {"--from": "--start"})
    ['--start=15:40', '--minutes', '40']
    """
    renamed = []
    for arg in args:
        name, sign, value = arg.partition("=")
        renamed.append(f"{names.get(name, name)}{sign}{value}")
    return renamed


def move_run_options(args: Sequence[str]) -> list[str]:
    """Arguments with the common options moved in front of the command.

    Examples
    --------
    >>> move_run_options(["plan", "--log", "run.log", "--json", "-v"])
    ['--log', 'run.log', '-v', 'plan', '--json']
    """
    first, rest = list[str](), list[str]()
    waiting = iter(args)
    for arg in waiting:
        if arg == "--":
            rest += [arg, *waiting]
        elif arg == LOG_OPTION:
            file = next(waiting, "-")
            if file.startswith("-"):  # no file is named: typer reports it
                return [LOG_OPTION]
            first += [LOG_OPTION, file]
        elif arg in RUN_FLAGS or arg.startswith(f"{LOG_OPTION}="):
            first.append(arg)
        else:
            rest.append(arg)
    return [*first, *rest]


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


def select_command(args: Sequence[str]) -> typer.Typer:
    """The command line with only the command that is called, as typer needs 3 ms to build each.

    All commands if none is called, or one that does not exist: help and messages list them.
    """
    waiting = iter(move_run_options(args))
    called = next(waiting, "")
    while called.startswith("-"):
        if called == LOG_OPTION:
            next(waiting, "")
        called = next(waiting, "")
    wanted = [one for one in app.registered_commands if one.callback.__name__ == called]  # type: ignore[union-attr]
    if not wanted:
        return app
    selected = copy(app)
    selected.registered_commands = wanted
    return selected


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
            LOG_OPTION,
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
    CLOCK.announce = stderr.print
    try:
        open_log(log, ctx.invoked_subcommand or "", verbose=verbose)
    except OSError as error:
        message = f"{log}: cannot be written ({error.strerror}); name another file with --log"
        raise OutputError(message) from None
