"""The command that brings open data: fetch."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from typing import Annotated

import typer

from patrolplan.cli.app import HERE
from patrolplan.cli.app import Config
from patrolplan.cli.app import Json
from patrolplan.cli.app import app
from patrolplan.terminal import bar
from patrolplan.terminal import print_json
from patrolplan.terminal import printed
from patrolplan.terminal import progress

if TYPE_CHECKING:
    from patrolplan.inputs.open_data.bring import Brought


class Part(StrEnum):
    """What can be fetched by itself."""

    CRIMES = "crimes"
    STREETS = "streets"
    SCHOOLS = "schools"


@app.command()
def fetch(
    config: Config = HERE,
    months: Annotated[
        int | None,
        typer.Option(
            "--months", min=1, max=240, help="Months of crime; default: months of the settings."
        ),
    ] = None,
    only: Annotated[
        list[Part] | None, typer.Option("--only", help="Fetch only this; may be given again.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Fetch anew what is there already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring open data that is missing: street crimes, walking streets, schools.

    Asks data.police.uk, OpenStreetMap (Overpass) and Get Information about Schools about the area
    in the settings, and tells them nothing else. The only command that uses the internet.
    """
    from patrolplan.inputs.open_data.bring import SOURCES
    from patrolplan.inputs.open_data.bring import bring
    from patrolplan.settings import load_settings

    settings = load_settings(config)
    wanted = [source for source in SOURCES if not only or Part(source) in only]
    try:
        with bar() as tell:
            brought = bring(settings, months=months, only=wanted, again=again, tell=tell)
    except KeyboardInterrupt:
        progress.print("patrolplan: stopped; what came so far is kept, fetch again to go on")
        raise SystemExit(130) from None
    if as_json:
        print_json({"written": brought.files, "kept": brought.kept, "notes": brought.notes})
        return
    _say(brought)


def _say(brought: Brought) -> None:
    """Name what was written, what stays, and what should be known."""
    for name in brought.files:
        printed.print(f"Written {name}")
    if not brought.files:
        printed.print("Nothing was missing.")
    if brought.kept:
        printed.print(f"{brought.kept} files were there already.")
    for note in brought.notes:
        printed.print(f"note: {note}")
    if brought.files:
        printed.print("Where each came from and its licence: fetched.json. Now `patrolplan check`.")
