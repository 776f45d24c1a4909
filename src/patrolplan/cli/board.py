"""The team lead's page: board."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from patrolplan.cli.console import (
    DEFAULT_CONFIG,
    DEFAULT_WEEK_FOLDER,
    Config,
    Json,
    app,
    parse_date,
)
from patrolplan.errors import InputError
from patrolplan.terminal import print_json, report_stage, stderr_console, stdout_console

REQUIRED_PACKAGES = ("fastapi", "uvicorn")


@app.command()
def board(
    config: Config = DEFAULT_CONFIG,
    week: Annotated[
        Path, typer.Option("--week", help="The week's folder: opened, or planned into.")
    ] = DEFAULT_WEEK_FOLDER,
    start: Annotated[
        str | None,
        typer.Option("--from", help="A day of the week to plan, YYYY-MM-DD; default next Monday."),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on this computer; 0 takes a free one.")
    ] = 0,
    host: Annotated[
        str, typer.Option(help="Only this computer's own address; any other is refused.")
    ] = "127.0.0.1",
    token: Annotated[str | None, typer.Option(hidden=True)] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, open nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Open the week in the browser: change, lock, solve again and print it."""
    _check_extra()
    import secrets
    import webbrowser

    from patrolplan.board.board import Board
    from patrolplan.board.server import open_listener, serve
    from patrolplan.board.session import open_session

    day = None if start is None else parse_date(start, "--from")
    with open_listener(host, port) as listener:
        made = Board(open_session(config, week, day))
        with report_stage("Drawing the map"):
            made.build_map()
        secret = token or secrets.token_urlsafe(32)
        name, number = listener.getsockname()[:2]
        shown = f"[{name}]" if ":" in name else name
        address = f"http://{shown}:{number}/?token={secret}"
        if as_json:
            print_json({"address": address})
        else:
            stdout_console.print(address, soft_wrap=True)
        stderr_console.print("The board is for this computer alone. Stop it with Ctrl+C.")
        if not no_browser:
            webbrowser.open(address)
        serve(made, listener, secret)


def _check_extra() -> None:
    """Say what to install where the board's own libraries are not there."""
    missing = [name for name in REQUIRED_PACKAGES if find_spec(name) is None]
    if missing:
        what = f"the board needs {' and '.join(missing)}, which are not installed"
        where = "board"
        raise InputError.one(where, what, "install them with: pip install 'patrolplan[board]'")
