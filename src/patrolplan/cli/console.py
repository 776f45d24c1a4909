"""What every command shares: its options, what it reads, and what it prints.

Progress goes to standard error, results to standard output. Rooms are imported where they are
used, so that help and usage errors come at once.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
import time
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from patrolplan.cli.run_log import log_area, log_line
from patrolplan.text import format_percent
from patrolplan.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor

    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.area.patrol_window import Window
    from patrolplan.notes import Note
    from patrolplan.patrols.patrol_backtest import PatrolBacktest
    from patrolplan.patrols.plan import Plan
    from patrolplan.patrols.posts import Posts
    from patrolplan.risk.backtest import Backtest
    from patrolplan.risk.surface import Risk
    from patrolplan.settings import Settings
    from patrolplan.tables import LeftOutRow
    from patrolplan.team.trial.trial_file import Trial
    from patrolplan.team.week import Week, WeekTrial


stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
stdout = Console(highlight=False, markup=False)

MAX_PROCESSES = 1024
"""More processors than any computer that this is for has."""

CONFIG_VARIABLE = "PATROLPLAN_CONFIG"
DEFAULT_CONFIG = Path("patrolplan.toml")


def find_config(ctx: typer.Context, config: Path) -> Path:
    """The settings file: as it is named, else in this folder or the nearest one above."""
    source = ctx.get_parameter_source("config")
    if source is None or source.name != "DEFAULT" or config.exists():
        return config
    for folder in Path.cwd().parents:
        if (found := folder / config).is_file():
            announce(f"Settings: {found}")
            return found
    return config


FILE, FOLDER, DAY, MONTH, URN = "FILE", "FOLDER", "YYYY-MM-DD", "YYYY-MM", "URN"
"""What help shows for the value of an option."""

Config = Annotated[
    Path,
    typer.Option(
        "--config",
        metavar=FILE,
        envvar=CONFIG_VARIABLE,
        callback=find_config,
        show_default=False,
        help=f"The settings file; by default {DEFAULT_CONFIG}, here or in a folder above.",
    ),
]
Out = Annotated[
    Path, typer.Option("--out", metavar=FOLDER, help="Folder to write; replaced whole.")
]
OptionalOut = Annotated[
    Path | None, typer.Option("--out", metavar=FOLDER, help="Folder to write; replaced whole.")
]
WindowName = Annotated[
    str | None, typer.Option("--window", metavar="NAME", help="A window named in the settings.")
]
Start = Annotated[
    str | None,
    typer.Option("--start", metavar="HH:MM", help="When the window starts, at short notice."),
]
Minutes = Annotated[
    float | None,
    typer.Option("--minutes", metavar="MINUTES", help="How long the patrol may last."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=MAX_PROCESSES,
        help="Processes that share the work; default: as many as speed it up.",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", help="Dask scheduler whose workers share the work, tcp://HOST:8786."),
]
WorkerOptions = tuple[int | None, str | None]
TrialDraw: TypeAlias = "tuple[Trial, WeekTrial]"
"""A trial, and what it draws for a week."""
"""Values of `--workers` and `--cluster`."""

DEFAULT_WEEK_FOLDER = Path("patrolplan-week")
"""Default folder of the board's week, and of the week that `week --replan` repairs."""
FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years that records and plans can be of, as the readers of tables have them."""


def parse_time(text: str | None) -> dt.time | None:
    """A time of day as typed; a wrong one is wrong usage."""
    from patrolplan import times

    if text is None:
        return None
    try:
        return times.parse_time(text.zfill(len("HH:MM")))
    except ValueError:
        message = f"'{text}' is not a valid time; write HH:MM, such as 15:40"
        raise typer.BadParameter(message, param_hint="--start") from None


Choice = TypeVar("Choice", bound=StrEnum)


def format_choices(choices: type[StrEnum]) -> str:
    """What help shows for an option that takes one of these words."""
    return f"[{'|'.join(choices)}]"


def complete(choices: type[StrEnum]) -> Callable[[str], list[str]]:
    """What a shell offers for such an option, given the letters typed so far."""

    def list_matches(incomplete: str) -> list[str]:
        return [word for word in choices if word.startswith(incomplete)]

    return list_matches


def parse_choice(text: str, choices: type[Choice], option: str) -> Choice:
    """One of a few words as typed; another is wrong usage.

    typer could do it, but its message for an enumeration differs from version to version.
    """
    try:
        return choices(text)
    except ValueError:
        message = f"'{text}' is not valid; write one of: {', '.join(choices)}"
        raise typer.BadParameter(message, param_hint=option) from None


def parse_minutes(minutes: float | None) -> float | None:
    """Length of a window as typed; one that no patrol can last is wrong usage, and so is NaN."""
    from patrolplan.settings import MAX_WINDOW_MINUTES as LONGEST

    if minutes is None or 0 < minutes <= LONGEST:
        return minutes
    message = (
        f"{minutes:g} is not a valid length of a patrol; give minutes above 0, up to {LONGEST}"
    )
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
    message = f"'{typed}' is not a valid {wanted}"
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
        try:
            date = dt.date.fromisoformat(day)
        except ValueError:
            raise typer.BadParameter(message, param_hint=option) from None
        if FIRST_YEAR <= date.year <= LAST_YEAR:
            return date
        message = f"'{typed}' is outside the years {FIRST_YEAR} to {LAST_YEAR}"
    raise typer.BadParameter(message, param_hint=option)


def check_out(out: Path | None) -> None:
    """Raise at once, not after the work is done, when a folder cannot be written."""
    if out is not None:
        from patrolplan.outputs.output_folder import check_folder

        check_folder(out)


def ensure_secret(settings: Settings) -> None:
    """Create the team's secret where it is missing, and say so."""
    from patrolplan.errors import OutputError
    from patrolplan.team.secret import create_secret, find_secret_path, read_secret

    path = find_secret_path(settings)
    if read_secret(settings) is not None:
        return
    try:
        create_secret(path)
    except OutputError as error:
        stderr.print(f"{error}; the week is drawn without a secret", soft_wrap=True)
        return
    stderr.print(
        f"Created {path}, the secret that weeks are drawn with. Let only the team's lead read it, "
        "and keep a copy in a safe place: without it no draw can be audited.",
        soft_wrap=True,
    )


def check_worker_options(workers: int | None, cluster: str | None) -> None:
    """Refuse two kinds of workers at once."""
    if workers is not None and cluster is not None:
        message = "give only one of them: processes of this computer, or those of a cluster"
        raise typer.BadParameter(message, param_hint="--workers, --cluster")


@contextmanager
def open_executor(
    workers: int | None, cluster: str | None, schools: int
) -> Iterator[Executor | None]:
    """Workers that share the work on so many schools; None where this process does it alone."""
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
    stderr.print(f"{count} processes share the work")
    with Processes(count) as executor:
        yield executor


def load_study_area(config: Path | Settings) -> StudyArea:
    """The study area of a settings file, or of settings that were read from one."""
    with report_stage("Reading"):
        from patrolplan.area import load_area

        area = load_area(config)
    log_area(area)
    return area


def estimate_area_risk(
    area: StudyArea, window: Window | None = None, date: dt.date | None = None
) -> Risk:
    """The risk of an area's streets in a window; by default from the bell, on a school day."""
    with report_stage("Estimating risk"):
        from patrolplan.risk.estimate import estimate_risk

        return estimate_risk(area, window=window, date=date)


def find_area_hotspots(area: StudyArea, risk: Risk) -> gpd.GeoDataFrame:
    """The hotspots of an area."""
    with report_stage("Finding hotspots"):
        from patrolplan.hotspots.find import find_hotspots

        return find_hotspots(area, risk)


def plan_area_days(
    area: StudyArea,
    days: Sequence[dt.date],
    worker_options: WorkerOptions,
    trial: TrialDraw | None = None,
) -> tuple[Risk, gpd.GeoDataFrame, Mapping[dt.date, Plan]]:
    """The risk and the hotspots of the first of the week's windows, and the plan for each day.

    Days of a trial are planned without the hotspots that have no patrols on them. Without one, the
    plan of the first day says how its first window would be without pupils' reports.
    """
    from patrolplan.area.patrol_window import resolve_window
    from patrolplan.patrols.without_reports import compare_without_reports
    from patrolplan.team.day_plans import plan_days
    from patrolplan.team.trial.trial_week import plan_trial_days

    settings = area.settings
    risks = {
        name: estimate_area_risk(area, resolve_window(settings.patrol, name=name))
        for name in settings.week.windows
    }
    risk = risks.pop(settings.week.windows[0])
    hotspots = find_area_hotspots(area, risk)
    with (
        open_executor(*worker_options, len(area.schools)) as executor,
        report_stage("Planning patrols"),
        show_progress_bar() as report,
    ):

        def plan_some(some: gpd.GeoDataFrame, of: Sequence[dt.date]) -> dict[dt.date, Plan]:
            return plan_days(
                area,
                risk,
                some,
                of,
                further_risks=risks,
                executor=executor,
                report_progress=report,
            )

        if trial is not None:
            return risk, hotspots, plan_trial_days(area, hotspots, days, *trial, plan_some)
        plans = plan_some(hotspots, days)
        first = compare_without_reports(plans[days[0]], assign_tasked=False, executor=executor)
    return risk, hotspots, {**plans, days[0]: first}


def run_backtest(
    area: StudyArea, origins: tuple[str, str] | None = None, window: str | None = None
) -> tuple[Backtest, PatrolBacktest | None]:
    """Test risk models, and patrols planned with them, on hold-out months.

    Inside a window of the day the risk alone is tested.
    """
    from patrolplan.patrols.patrol_backtest import backtest_patrols
    from patrolplan.risk.backtest import backtest_risk

    with report_stage("Testing risk models"):
        risk_test = backtest_risk(area, origins=origins, window=window)
    if window is not None:
        return risk_test, None
    with report_stage("Testing patrols"):
        return risk_test, backtest_patrols(area, origins=list(risk_test.trials.origins))


def check_term(area: StudyArea, days: Sequence[dt.date]) -> None:
    """Raise where no school is open on any of the days of a week."""
    from patrolplan.errors import InputError
    from patrolplan.team.week import find_open_days, format_day

    if not find_open_days(area.term_dates, list(area.schools["urn"]), days).any():
        span = " to ".join(dict.fromkeys(format_day(day) for day in (days[0], days[-1])))
        where, what = "--from", f"every school is closed ({span})"
        raise InputError.one(where, what, "choose a week of term, or correct [sources] term_dates")


@contextmanager
def report_stage(stage: str) -> Iterator[None]:
    """Print what is going on, and how long it took."""
    start = time.perf_counter()
    announce(f"{stage} ...")
    yield
    announce(f"{stage}: {time.perf_counter() - start:.1f} s")


def announce(line: str) -> None:
    """Print a line about the run on standard error, and write it down."""
    stderr.print(line)
    log_line(line)


@contextmanager
def show_progress_bar() -> Iterator[Callable[..., None]]:
    """A progress bar with the time left, and the function that updates it.

    The function is called with the stage, how many are done, of how many, and optionally which
    one is next. Each stage has a row of its own.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    stage_column = TextColumn("{task.description}", markup=False)
    left = (TimeRemainingColumn(compact=True), TextColumn("left", style="progress.remaining"))
    columns = (stage_column, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), *left)
    with Progress(*columns, console=stderr) as progress:
        tasks = {}

        def report(stage: str, done: int, total: int, detail: str = "") -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage)
            text = f"{stage} {detail}" if detail else stage
            progress.update(tasks[stage], description=text, completed=done, total=total)

        yield report


def print_left_out(rows: Sequence[LeftOutRow], notes: Iterable[Note]) -> None:
    """Print what was left out, and what was assumed."""
    from patrolplan.outputs.note_words import describe_notes
    from patrolplan.tables import list_left_out

    if rows:
        table = Table("left out", "how many", "why")
        for row in list_left_out(rows):
            table.add_row(row["source"], row["count"], row["reason"])
        stdout.print(table)
    print_notes(describe_notes(notes))


def print_notes(notes: Iterable[str]) -> None:
    """Print a line for each note."""
    for note in notes:
        stdout.print(f"note: {note}")


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON object and nothing else."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()  # the board runs on, and the program that started it waits for its address


def print_written_to(out: Path | None, layer: str = "") -> None:
    """Name the folder that was written, if one was, and the layer in it."""
    if out is not None:
        opened = f": {out / layer}, which QGIS opens with its style" if layer else ""
        stdout.print(f"Written to {out}{opened}", soft_wrap=True)


def print_patrols(plan: Plan, out: Path) -> None:
    """Print a line for each patrol, and what was written."""
    table = Table("URN", "school", "patrol", "stops", "share of risk", "how good")
    for patrol in plan.patrols:
        good = "best possible" if patrol.proven else f"within {patrol.gap_percent:.1f} %"
        good = good if patrol.stops else "gate alone: no priority street within reach"
        hours = f"{format_time(patrol.start_minutes)}-{format_time(patrol.end_minutes)}"
        stops = str(len(patrol.stops))
        table.add_row(
            patrol.urn, patrol.school, hours, stops, format_percent(patrol.worth, 1), good
        )
    stdout.print(table)
    if plan.posts is not None:
        print_posts(plan.posts)
    stdout.print(f"Written to {out}:")
    for name, what in (
        ("cards.pdf", "for printing: one A4 card for each patrol (single ones in cards/)"),
        ("map.html", "open in any browser, on a phone too; needs no network"),
        ("gpx/", "routes for a navigation app"),
        ("plan.qgs", "the plan in QGIS, from the layers of plan.gpkg"),
    ):
        stdout.print(f"  {out / name}  {what}")


def print_posts(posts: Posts) -> None:
    """Print where adults stand after the bell, and how many of the pupils they meet."""
    from patrolplan.patrols.posts import round_share

    table = Table("URN", "post", "from", "to", "pupils met so far")
    for post in posts.posts:
        hours = (format_time(post.start_minutes), format_time(post.end_minutes))
        share = format_percent(round_share(post.pupil_share))
        table.add_row(post.urn, post.place, *hours, share)
    stdout.print(table)
    stdout.print(
        "Posts meet the most together that so many can, weighted by risk "
        f"(within {posts.gap_percent:.2f} %); shares are of pupils' minutes on the way home."
    )


def _describe_draw(week: Week) -> str:
    """How far a week is from the best one, before how good that is."""
    if week.draw is None:
        return ""
    return f"{week.give_percent:.1f} % less than the best week found, which is "


def print_week(week: Week) -> None:
    """Print who patrols where and when, how good that is, and what could not be met."""
    from patrolplan.outputs.feared import name_feared_places
    from patrolplan.outputs.note_words import describe_note, describe_notes
    from patrolplan.outputs.wording import format_route_name
    from patrolplan.team.week import format_day

    table = Table("day", "officer", "patrol", "URN", "school", "route")
    for duty in week.duties:
        hours = f"{format_time(duty.start_minutes)}-{format_time(duty.end_minutes)}"
        cells = (format_day(duty.date), duty.officer, hours, duty.urn, duty.patrol.school)
        table.add_row(*cells, format_route_name(duty.variant))
    stdout.print(table)
    good = "best possible" if week.status == "optimal" else f"within {week.gap_percent:.2f} %"
    stdout.print(f"Worth {week.worth:.4f}, {_describe_draw(week)}{good}.")
    if week.draw is not None and week.draw.commitment:
        which = f"Draw number {week.draw.number}, commitment {week.draw.commitment}."
        stdout.print(which, soft_wrap=True)
    if week.foreseen is not None:
        share = format_percent(week.foreseen.with_locks)
        stdout.print(f"An insider without the secret could name {share} of the visits beforehand.")
    for missing in week.unmet:
        stdout.print(f"not met: {missing}")
    names = name_feared_places(week.plan.area)
    for demand in week.demands:
        if demand.why is not None:
            feared = f"pupils feel unsafe {names[demand.place]}: " if demand.place in names else ""
            day = feared if demand.date is None else f"{format_day(demand.date)}: "
            stdout.print(f"demand not met: {day}{describe_note(demand.why)}", soft_wrap=True)
    print_notes(describe_notes(week.notes))
