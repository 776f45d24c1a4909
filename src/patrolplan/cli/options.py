"""Options, whose names mean the same in every command, and parsing: with usage errors."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from patrolplan.cli import console

MAX_PROCESSES = 1024  # maximum number of processes; no expected computer has more processors
FIRST_YEAR, LAST_YEAR = 1900, 2199  # valid years of records and plans, as in the readers of tables
DEFAULT_CONFIG = Path("patrolplan.toml")
DEFAULT_WEEK_FOLDER = Path("patrolplan-week")  # of the board, and of `week --replan`
FILE, FOLDER, MONTH, URN = "FILE", "FOLDER", "YYYY-MM", "URN"  # in help


def option(text: str, metavar: str | None = None, *names: str, **further: Any) -> Any:  # noqa: ANN401 - typer's own
    """An option: its text and placeholder in help; without a name it has its parameter's."""
    default = further.pop("default", None)
    return typer.Option(default, *names, help=text, metavar=metavar, **further)


def named(name: str, text: str, metavar: str | None = None, **further: Any) -> Any:  # noqa: ANN401 - typer's own
    """The same for an option of several commands, whose default is in the command."""
    return typer.Option(name, help=text, metavar=metavar, **further)


def flag(name: str, text: str) -> Any:  # noqa: ANN401 - typer's own
    """An option without a value."""
    return typer.Option(False, name, help=text)


def day(name: str, text: str) -> Any:  # noqa: ANN401 - typer's own
    """An option whose value is a day."""
    return typer.Option(None, name, help=text, metavar="YYYY-MM-DD", parser=parse_date)


def month(name: str, text: str) -> Any:  # noqa: ANN401 - typer's own
    """An option whose value is a month."""
    return typer.Option(None, name, help=text, metavar=MONTH, parser=parse_month)


def refuse(message: str, option: str | None = None) -> NoReturn:
    """Raise for wrong usage, of an option or of the command."""
    raise typer.BadParameter(message, param_hint=option)


def refuse_if(*checks: tuple[object, str] | tuple[object, str, str]) -> None:
    """Refuse for the first reason that holds: whether it does, the message, and the option."""
    for is_so, *words in checks:
        if is_so:
            refuse(*words)


def find_config(ctx: typer.Context, config: Path) -> Path:
    """The settings file: the given one, otherwise in this folder or the nearest one above."""
    source = ctx.get_parameter_source("config")
    if source is None or source.name != "DEFAULT" or config.exists():
        return config
    for folder in Path.cwd().parents:
        if (found := folder / config).is_file():
            console.announce(f"Settings: {found}")
            return found
    return config


def choose_from(*choices: str) -> dict[str, Any]:
    """Placeholder and parser of an option with choices; typer's words differ between versions."""

    def parse(text: str) -> str:
        if text not in choices:
            refuse(f"'{text}' is not valid; write one of: {', '.join(choices)}")
        return text

    return {"metavar": f"[{'|'.join(choices)}]", "parser": parse}


def parse_time(text: str) -> dt.time:
    """A time of day as typed; an invalid one is a usage error."""
    from patrolplan import times

    try:
        return times.parse_time(text.zfill(len("HH:MM")))
    except ValueError:
        refuse(f"'{text}' is not a valid time; write HH:MM, such as 15:40")


def check_minutes(minutes: float | None) -> float | None:
    """The length of a window as typed; an impossible one, and NaN, is a usage error."""
    from patrolplan.settings import MAX_WINDOW_MINUTES as LONGEST

    if minutes is None or 0 < minutes <= LONGEST:
        return minutes
    refuse(f"{minutes:g} is not a valid length of a patrol; give minutes above 0, up to {LONGEST}")


def parse_date(text: str) -> dt.date:
    """A day as typed; an invalid one is a usage error."""
    return _parse_day(text, text, "date; write YYYY-MM-DD")


def parse_month(text: str) -> str:
    """A month as typed; an invalid one is a usage error."""
    return f"{_parse_day(f'{text}-01', text, 'month; write YYYY-MM'):%Y-%m}"


def parse_first_day(text: str) -> dt.date:
    """A day as typed, or the first of a month; an invalid one is a usage error."""
    first = f"{text}-01" if text.count("-") == 1 else text
    return _parse_day(first, text, "month or day; write YYYY-MM or YYYY-MM-DD")


def _parse_day(text: str, typed: str, wanted: str) -> dt.date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        with suppress(ValueError):
            date = dt.date.fromisoformat(text)
            if FIRST_YEAR <= date.year <= LAST_YEAR:
                return date
            refuse(f"'{typed}' is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    refuse(f"'{typed}' is not a valid {wanted}")


def check_worker_options(workers: int | None, cluster: str | None) -> None:
    """Refuse both kinds of workers at once."""
    what = "give only one of them: processes of this computer, or those of a cluster"
    refuse_if((workers is not None and cluster is not None, what, "--workers, --cluster"))


CONFIG_TEXT = f"The settings file; by default {DEFAULT_CONFIG}, here or in a folder above."
Config = Annotated[
    Path,
    named(
        *("--config", CONFIG_TEXT, FILE),
        envvar="PATROLPLAN_CONFIG",
        callback=find_config,
        show_default=False,
    ),
]
Out = Annotated[Path, named("--out", "Folder to write; replaced whole.", FOLDER)]
OptionalOut = Annotated[Path | None, named("--out", "Folder to write; replaced whole.", FOLDER)]
WindowName = Annotated[str | None, named("--window", "A window named in the settings.", "NAME")]
START_TEXT = "When the window starts, for a patrol at short notice."
Start = Annotated[dt.time | None, named("--start", START_TEXT, "HH:MM", parser=parse_time)]
LASTS_TEXT = "How long the patrol may last."
Minutes = Annotated[float | None, named("--minutes", LASTS_TEXT, "MINUTES", callback=check_minutes)]
DATE_TEXT = "Day: its kind (school day, holiday) follows from term dates."
Date = Annotated[dt.date | None, named("--date", DATE_TEXT, "YYYY-MM-DD", parser=parse_date)]
Json = Annotated[bool, named("--json", "Print one JSON object on standard output.")]
NOTES_TEXT = "Also print every note, and what was left out or not met."
Notes = Annotated[bool, named("--notes", NOTES_TEXT)]
WORKERS_TEXT = "Processes that share the work; default: as many as speed it up."
Workers = Annotated[int | None, named("--workers", WORKERS_TEXT, min=1, max=MAX_PROCESSES)]
CLUSTER_TEXT = "Dask scheduler whose workers share the work, tcp://HOST:8786."
Cluster = Annotated[str | None, named("--cluster", CLUSTER_TEXT)]
WorkerOptions = tuple[int | None, str | None]  # values of `--workers` and `--cluster`
