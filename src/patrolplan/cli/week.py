"""The team lead's commands: week."""

from __future__ import annotations

from typing import Annotated

import typer

from patrolplan.cli.app import HERE
from patrolplan.cli.app import Config
from patrolplan.cli.app import Json
from patrolplan.cli.app import MaybeOut
from patrolplan.cli.app import app
from patrolplan.cli.app import check_out
from patrolplan.cli.app import estimated
from patrolplan.cli.app import loaded
from patrolplan.cli.app import parsed_date
from patrolplan.terminal import print_json
from patrolplan.terminal import print_week
from patrolplan.terminal import say_written
from patrolplan.terminal import stage


@app.command()
def week(
    start: Annotated[str, typer.Option("--from", help="A day of the week to plan, YYYY-MM-DD.")],
    config: Config = HERE,
    out: MaybeOut = None,
    officer: Annotated[
        str | None, typer.Option(help="With --out: print the papers of this officer alone.")
    ] = None,
    date: Annotated[
        str | None, typer.Option(help="With --out: print the papers of this day alone.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Choose who patrols which school on which day; with --out, write the papers."""
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.pack import write_pack
    from patrolplan.outputs.week.roll import check_choice
    from patrolplan.patrols.planner import plan_patrols
    from patrolplan.team.open_days import school_week
    from patrolplan.team.rota import plan_week
    from patrolplan.team.week import week_document

    day = parsed_date(start, "--from")
    printed = None if date is None else parsed_date(date, "--date")
    if out is None and (officer or date):
        message = "nothing is printed without --out"
        raise typer.BadParameter(message, param_hint="--officer, --date")
    check_out(out)
    area = loaded(config)
    check_choice(list(area.officers["officer"]), school_week(day), officer, printed)
    surface = estimated(area)
    with stage("Planning patrols"):
        planned = plan_patrols(area, surface, find_hotspots(area, surface))
    with stage("Choosing the week"):
        chosen = plan_week(area, planned, start=day)
    if out is not None:
        with stage("Writing tables, map, sheets and cards"):
            write_pack(chosen, out, officer=officer, date=printed)
    if as_json:
        print_json(week_document(chosen))
        return
    print_week(chosen)
    say_written(out)
