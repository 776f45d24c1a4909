"""The command that opens the team lead's page: board."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from patrolplan.cli import console
from patrolplan.cli.app import command
from patrolplan.cli.trial import check_trial_is_named, load_trial_draw
from patrolplan.errors import InputError

if TYPE_CHECKING:
    from patrolplan.board.shared_week import SharedWeek


REQUIRED_PACKAGES = ("fastapi", "uvicorn")


@command
def board(
    config: console.Config = console.DEFAULT_CONFIG,
    week: Annotated[
        Path,
        typer.Option(
            "--week",
            metavar=console.FOLDER,
            help="The week's folder; without a week in it, one is planned.",
        ),
    ] = console.DEFAULT_WEEK_FOLDER,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar=console.DAY,
            help="First day of the week to plan; default next Monday.",
        ),
    ] = None,
    trial: Annotated[
        Path | None,
        typer.Option(
            metavar=console.FILE, help="The file of the trial that the week in --week is part of."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on this computer; 0 chooses a free one.")
    ] = 0,
    host: Annotated[
        str, typer.Option(help="Only this computer's own address; any other is refused.")
    ] = "127.0.0.1",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, do not open a browser.")
    ] = False,
    as_json: console.Json = False,
) -> None:
    """Open the week in the browser: change, lock, plan again and print it."""
    _check_packages()
    import secrets
    import webbrowser

    from patrolplan.board.board import Board
    from patrolplan.board.security import write_redirect_file
    from patrolplan.board.server import open_listener, serve
    from patrolplan.board.views import build_map_document

    day = None if start is None else console.parse_date(start, "--from")
    with open_listener(host, port) as listener:
        shared = _open_shared_week(config, week, day, trial)
        with console.report_stage("Drawing the map"):
            build_map_document(shared.state.planned_area)
        token, code = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        name, number = listener.getsockname()[:2]
        shown = f"[{name}]" if ":" in name else name
        address = f"http://{shown}:{number}/"
        full = f"{address}?token={token}"
        if as_json:
            console.print_json({"address": full})
        else:
            console.stdout.print(full, soft_wrap=True)
        console.stderr.print("The board serves this computer only. Stop it with Ctrl+C.")
        try:
            with ExitStack() as stack:
                if not no_browser:
                    page = stack.enter_context(write_redirect_file(address, code))
                    webbrowser.open(page.as_uri())
                serve(Board(shared), listener, token, code=code)
        finally:
            console.stderr.print("The board is closed; every change was saved when it was made.")


def _check_packages() -> None:
    """Raise where the board's own libraries are not installed."""
    missing = [name for name in REQUIRED_PACKAGES if find_spec(name) is None]
    if missing:
        what = f"the board needs {' and '.join(missing)}, which are not installed"
        where = "board"
        raise InputError.one(where, what, "install them with: pip install 'patrolplan[board]'")


def _open_shared_week(
    config: Path, folder: Path, start: dt.date | None, trial: Path | None
) -> SharedWeek:
    """Open the week of a folder, or plan one and write it there; see `open_shared_week`."""
    from patrolplan.atomic import WEEK_FILE
    from patrolplan.board.shared_week import PlannedArea, open_shared_week
    from patrolplan.outputs.output_folder import check_folder
    from patrolplan.team.rota import check_officers
    from patrolplan.team.week import list_school_days
    from patrolplan.team.week_file import read_week_entry

    check_folder(folder)
    if (folder / WEEK_FILE).is_file():
        days = tuple(read_week_entry(folder).days)
        if start is not None and start not in days:
            what = f"holds the week from {days[0]}, not the one of {start}"
            remedy = "name another folder with --week, or leave --from out"
            raise InputError.one(folder, what, remedy)
        recorded = read_week_entry(folder).trial
    else:
        recorded = None
        days = list_school_days(start or _next_monday(dt.date.today()))  # noqa: DTZ011 - of this desk
    area = console.load_study_area(config)
    check_officers(area)
    if not (folder / WEEK_FILE).is_file():
        console.check_term(area, days)
    console.ensure_secret(area.settings)
    check_trial_is_named(folder, recorded, trial)
    drawn = None if trial is None else load_trial_draw(trial, area, days, recorded)
    planned = PlannedArea(area, *console.plan_area_days(area, days, (1, None), drawn))
    with console.report_stage("Opening the week"):
        return open_shared_week(planned, folder)


def _next_monday(today: dt.date) -> dt.date:
    """The Monday after a day.

    Examples
    --------
    >>> _next_monday(dt.date(2026, 11, 27)).isoformat()
    '2026-11-30'
    """
    return today + dt.timedelta(days=7 - today.weekday())
