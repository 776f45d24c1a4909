"""The command that opens the team lead's page: board."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.cli.trial import load_trial_draw
from patrolplan.errors import InputError

if TYPE_CHECKING:
    from patrolplan.board.shared_week import SharedWeek

DEMO_WEEK_FOLDER = Path("patrolplan-demo-week")  # where there are no settings


@command
def board(
    config: options.Config = options.DEFAULT_CONFIG,
    week: Path = options.option(
        "The week's folder; without a week in it, one is planned.",
        options.FOLDER,
        default=options.DEFAULT_WEEK_FOLDER,
    ),
    start: dt.date | None = options.day(
        "--from", "First day of the week to plan; default next Monday."
    ),
    trial: Path | None = options.option(
        "The file of the trial that the week in --week is part of.", options.FILE
    ),
    port: int = options.option(
        "Port on this computer; 0 chooses a free one.", default=0, min=0, max=65535
    ),
    host: str = options.option(
        "Only this computer's own address; any other is refused.", default="127.0.0.1"
    ),
    no_browser: bool = options.flag("--no-browser", "Print the address, do not open a browser."),
    as_json: options.Json = False,
) -> None:
    """Open the week in the browser, to change and print it."""
    import secrets
    import webbrowser
    from threading import Thread

    from patrolplan.board.board import Board
    from patrolplan.board.security import write_redirect_file
    from patrolplan.board.server import open_listener, serve
    from patrolplan.board.views import build_map_document

    settings: Path | pp.Settings = config
    if config == options.DEFAULT_CONFIG and not config.exists():
        settings = _load_demo_settings()
        week = DEMO_WEEK_FOLDER if week == options.DEFAULT_WEEK_FOLDER else week
        console.stderr.print(
            f"There is no {config} here, so this is the fictional borough of Eastmere. "
            "`patrolplan init` begins one of your own."
        )
    with open_listener(host, port) as listener:
        shared = _open_shared_week(settings, week, start, trial)
        with console.report_stage("Drawing the map"):
            build_map_document(shared.state.planned_area)
        token, code = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        name, number = listener.getsockname()[:2]
        shown = f"[{name}]" if ":" in name else name
        address = f"http://{shown}:{number}/"
        full = f"{address}?token={token}"
        console.print_result({"address": full}, [full], as_json=as_json)
        console.stderr.print("The board serves this computer only. Stop it with Ctrl+C.")
        try:
            with ExitStack() as stack:
                if not no_browser:
                    page = stack.enter_context(write_redirect_file(address, code))
                    # In a thread: what BROWSER names may stay in front until it is closed.
                    Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True).start()
                serve(Board(shared), listener, token, code=code)
        finally:
            console.stderr.print("The board is closed; every change was saved when it was made.")


def _load_demo_settings() -> pp.Settings:
    """The demo's settings, with the secret and the ledger here: its own folder may be read-only."""
    settings, here = pp.load_settings(pp.demo_settings()), Path.cwd()
    own = {
        "week": {"secret": str(here / "patrolplan-demo.secret")},
        "ledger": {"url": f"sqlite:///{(here / 'patrolplan-demo.sqlite').as_posix()}"},
    }
    sections = {name: getattr(settings, name).model_copy(update=own[name]) for name in own}
    return settings.model_copy(update=sections)


def _open_shared_week(
    config: Path | pp.Settings, folder: Path, start: dt.date | None, trial: Path | None
) -> SharedWeek:
    """Open the week in a folder, or plan one and write it there; see `open_shared_week`."""
    from patrolplan.atomic import WEEK_FILE
    from patrolplan.board.shared_week import PlannedArea, open_shared_week
    from patrolplan.outputs.output_folder import check_folder
    from patrolplan.team.free_time import list_school_days
    from patrolplan.team.rota import check_officers
    from patrolplan.team.week_file import read_week_alone

    check_folder(folder)
    entry = read_week_alone(folder) if (folder / WEEK_FILE).is_file() else None
    recorded = None if entry is None else entry.trial
    if entry is None:
        today = dt.date.today()  # noqa: DTZ011 - of this desk
        days = list_school_days(start or today + dt.timedelta(days=7 - today.weekday()))
    else:
        days = tuple(entry.days)
        if start is not None and start not in days:
            what = f"holds the week from {days[0]}, not the one of {start}"
            remedy = "name another folder with --week, or leave --from out"
            raise InputError.one(folder, what, remedy)
    area = steps.load_study_area(config)
    check_officers(area)
    if entry is None:
        steps.check_term(area, days)
    steps.ensure_secret(area.settings)
    drawn = load_trial_draw(trial, days, folder, recorded)
    planned = PlannedArea(area, *steps.plan_area_days(area, days, (1, None), drawn))
    with console.report_stage("Opening the week"):
        return open_shared_week(planned, folder)
