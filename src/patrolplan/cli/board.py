"""The team lead's page: board."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from patrolplan.cli.console import HANDED_OUT, HERE, Config, Json, app, parsed_date
from patrolplan.errors import InputError
from patrolplan.terminal import print_json, printed, progress, stage

NEEDED = ("fastapi", "uvicorn")


@app.command()
def board(
    config: Config = HERE,
    week: Annotated[
        Path, typer.Option("--week", help="The week's folder: opened, or planned into.")
    ] = HANDED_OUT,
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
    from patrolplan.board.server import listening, serve
    from patrolplan.board.session import opened

    day = None if start is None else parsed_date(start, "--from")
    with listening(host, port) as listener:
        made = Board(opened(config, week, day))
        with stage("Drawing the map"):
            made.map()
        secret = token or secrets.token_urlsafe(32)
        name, number = listener.getsockname()[:2]
        shown = f"[{name}]" if ":" in name else name
        address = f"http://{shown}:{number}/?token={secret}"
        if as_json:
            print_json({"address": address})
        else:
            printed.print(address, soft_wrap=True)
        progress.print("The board is for this computer alone. Stop it with Ctrl+C.")
        if not no_browser:
            webbrowser.open(address)
        serve(made, listener, secret)


def _check_extra() -> None:
    """Say what to install where the board's own libraries are not there."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        what = f"the board needs {' and '.join(missing)}, which are not installed"
        where = "board"
        raise InputError.one(where, what, "install them with: pip install 'patrolplan[board]'")
