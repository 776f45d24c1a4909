"""What every command shares: its options, what it reads, and how it begins."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from patrolplan.terminal import report_stage, stderr_console

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from patrolplan.area import StudyArea
    from patrolplan.risk.surface import Risk
    from patrolplan.settings import Settings


app = typer.Typer(
    name="patrolplan",
    help="Patrol planning for Safer Schools Officers: from recorded crime to a printed route.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

MAX_PROCESSES = 1024
"""More than any computer that this is for has processors."""

Config = Annotated[Path, typer.Option("--config", help="The settings file.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write; replaced whole.")]
OptionalOut = Annotated[Path | None, typer.Option("--out", help="Folder to write; replaced whole.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=MAX_PROCESSES,
        help="Processes that share the work; default: as many as are worth it.",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", help="Dask scheduler whose workers share it, tcp://HOST:8786."),
]
DEFAULT_CONFIG = Path("patrolplan.toml")
FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years that records and plans can be of, as the readers of tables have them."""

DEFAULT_WEEK_FOLDER = Path("patrolplan-week")
"""Where the board keeps the week, and `week --replan` looks for it, unless told otherwise."""


def parse_time(text: str | None) -> dt.time | None:
    """A time of day as typed; a wrong one is wrong usage."""
    from patrolplan import times

    if text is None:
        return None
    try:
        return times.parse_time(text.zfill(len("HH:MM")))
    except ValueError:
        message = f"'{text}' is no time of day; write HH:MM, such as 15:40"
        raise typer.BadParameter(message, param_hint="--from") from None


def parse_minutes(minutes: float | None) -> float | None:
    """Length of a window as typed; one that no patrol can last, or no number, is wrong usage."""
    from patrolplan.settings import MAX_WINDOW_MINUTES as LONGEST

    if minutes is None or 0 < minutes <= LONGEST:
        return minutes
    message = f"{minutes:g} is no length of a patrol; give minutes above 0, up to {LONGEST}"
    raise typer.BadParameter(message, param_hint="--minutes")


def parse_date(text: str, option: str) -> dt.date:
    """A day as typed; a wrong one is wrong usage."""
    return _parse_day(text, text, option, "date; write YYYY-MM-DD")


def parse_month(text: str, option: str) -> str:
    """A month as typed; a wrong one is wrong usage."""
    return f"{_parse_day(f'{text}-01', text, option, 'month; write YYYY-MM'):%Y-%m}"


def parse_first_day(text: str, option: str) -> dt.date:
    """A day as typed, or the first of a month; a wrong one is wrong usage."""
    day = f"{text}-01" if text.count("-") == 1 else text
    return _parse_day(day, text, option, "month or day; write YYYY-MM or YYYY-MM-DD")


def _parse_day(day: str, typed: str, option: str, wanted: str) -> dt.date:
    message = f"'{typed}' is no {wanted}"
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
        try:
            found = dt.date.fromisoformat(day)
        except ValueError:
            raise typer.BadParameter(message, param_hint=option) from None
        if FIRST_YEAR <= found.year <= LAST_YEAR:
            return found
        message = f"'{typed}' is not of the years {FIRST_YEAR} to {LAST_YEAR}"
    raise typer.BadParameter(message, param_hint=option)


def check_out(out: Path | None) -> None:
    """Say at once, not after the work is done, that a folder cannot be written."""
    if out is not None:
        from patrolplan.outputs.output_folder import check_folder

        check_folder(out)


def load_study_area(config: Path | Settings) -> StudyArea:
    """The study area of a settings file, or of settings that were read from one."""
    with report_stage("Reading"):
        from patrolplan.area import load_area

        return load_area(config)


def estimate_area_risk(area: StudyArea) -> Risk:
    """The risk of an area's streets."""
    with report_stage("Estimating risk"):
        from patrolplan.risk.estimate import estimate_risk

        return estimate_risk(area)


@contextmanager
def open_executor(
    workers: int | None, cluster: str | None, schools: int
) -> Iterator[Executor | None]:
    """Those who share the work on so many schools; None where this process does it alone."""
    if cluster is not None:
        from patrolplan.parallel import connect_cluster

        with connect_cluster(cluster) as executor:
            yield executor
        return
    from patrolplan.worker_pool import Workers as Processes, choose_worker_count

    count = choose_worker_count(schools) if workers is None else workers
    if count == 1:
        yield None
        return
    stderr_console.print(f"{count} processes share the work")
    with Processes(count) as executor:
        yield executor


def check_worker_options(workers: int | None, cluster: str | None) -> None:
    """Refuse two kinds of workers at once."""
    if workers is not None and cluster is not None:
        message = "give one of them: processes of this computer, or those of a cluster"
        raise typer.BadParameter(message, param_hint="--workers, --cluster")
