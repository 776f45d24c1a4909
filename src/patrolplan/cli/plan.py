"""Commands about patrols: demo and plan."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from patrolplan.cli.console import (
    HERE,
    Cluster,
    Config,
    Json,
    Out,
    Workers,
    app,
    check_crew,
    check_out,
    crew,
    estimated,
    loaded,
    parsed_date,
    parsed_minutes,
    parsed_time,
)
from patrolplan.terminal import (
    bar,
    print_json,
    print_left_out,
    print_patrols,
    printed,
    progress,
    stage,
)

if TYPE_CHECKING:
    from patrolplan.settings import Settings


class Way(StrEnum):
    """How patrols go."""

    WALK = "walk"
    BICYCLE = "bicycle"


@dataclass(frozen=True)
class _Wish:
    """Which patrols are asked for; by default every school's, from the bell."""

    schools: list[str] | None = None
    window: str | None = None
    start: dt.time | None = None
    minutes: float | None = None
    date: dt.date | None = None
    together: bool = False
    way: Way | None = None

    def settings(self, settings: Settings) -> Settings:
        """The settings under which these patrols are planned."""
        if self.way is None:
            return settings
        patrol = settings.patrol.model_copy(update={"way": self.way.value})
        return settings.model_copy(update={"patrol": patrol})

    @property
    def said(self) -> dict[str, Any]:
        """As it stands in the manifest; what was not asked for is left out."""
        wish = {name: value for name, value in vars(self).items() if value}
        return json.loads(json.dumps(wish, default=str))  # type: ignore[no-any-return]


@app.command()
def demo(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Taken as by every command, not read: the demo has its own."),
    ] = None,
    out: Out = Path("patrolplan-demo"),
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Plan the patrols of the fictional demo borough."""
    from patrolplan.settings.load import demo_settings

    if config is not None:
        progress.print(f"{config} is not read: the demo has settings of its own; `plan` reads it")
    _plan(demo_settings(), out, _Wish(), (workers, None), as_json=as_json)


@app.command()
def plan(
    config: Config = HERE,
    out: Out = Path("patrolplan-out"),
    school: Annotated[
        list[str] | None, typer.Option("--school", help="URN of one school; may be repeated.")
    ] = None,
    window: Annotated[str | None, typer.Option(help="A named window of the settings.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Start at short notice, HH:MM.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Length of the window.")] = None,
    date: Annotated[
        str | None, typer.Option(help="Day, YYYY-MM-DD: tasked places count on their days.")
    ] = None,
    together: Annotated[
        bool, typer.Option("--together", help="No hotspot twice: schools that share are one team.")
    ] = False,
    way: Annotated[
        Way | None, typer.Option(help="On foot or by bicycle; default as the settings say.")
    ] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    as_json: Json = False,
) -> None:
    """Plan the patrols of every school and write cards, map, GPX, layers and plan."""
    wish = _Wish(
        school,
        window,
        parsed_time(start),
        parsed_minutes(minutes),
        None if date is None else parsed_date(date, "--date"),
        together,
        way,
    )
    check_crew(workers, cluster)
    _plan(config, out, wish, (workers, cluster), as_json=as_json)


def _stands(out: Path, origin: dict[str, Any], wish: _Wish, *, as_json: bool) -> bool:
    """Say so, if the plan that is asked for is there already."""
    from patrolplan.outputs.output_folder import stands

    if not stands(out, origin, wish.said):
        return False
    if as_json:
        print_json(json.loads((out / "plan.json").read_text(encoding="utf-8")))
    else:
        printed.print(f"Nothing has changed since the plan in {out} was made: it stands.")
    return True


def _origin(settings: Settings) -> dict[str, Any]:
    """What a plan would be created from; nothing where it takes the reports' groups to know."""
    from patrolplan.area import input_digests
    from patrolplan.area.provenance import origin_of

    try:
        return {} if settings.sources.reports else origin_of(settings, input_digests(settings))
    except OSError:  # the readers tell what is missing
        return {}


def _plan(
    config: Path, out: Path, wish: _Wish, who: tuple[int | None, str | None], *, as_json: bool
) -> None:
    from patrolplan.area.provenance import created_from
    from patrolplan.patrols.windows import window_of
    from patrolplan.settings import load_settings

    check_out(out)
    settings = wish.settings(load_settings(config))
    window = window_of(settings.patrol, name=wish.window, start=wish.start, minutes=wish.minutes)
    if _stands(out, _origin(settings), wish, as_json=as_json):
        return
    area = loaded(settings)
    if _stands(out, created_from(area), wish, as_json=as_json):
        return
    surface = estimated(area)
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.pack import write_pack
    from patrolplan.outputs.planfile import plan_document
    from patrolplan.patrols.planner import plan_patrols
    from patrolplan.patrols.windows import way_notes

    with stage("Finding hotspots"):
        found = find_hotspots(area, surface)
    asked = len(area.schools) if wish.schools is None else len(wish.schools)
    with crew(*who, asked) as executor:
        with stage("Planning patrols"), bar() as tell:
            planned = plan_patrols(
                area,
                surface,
                found,
                urns=wish.schools,
                window=window,
                date=wish.date,
                together=wish.together,
                executor=executor,
                tell=tell,
            )
        with stage("Writing cards, map, GPX and layers"), bar() as tell:
            write_pack(planned, out, asked=wish.said, executor=executor, tell=tell)
    if as_json:
        print_json(plan_document(planned))
        return
    print_left_out(planned.left_out, (*surface.notes, *way_notes(area)))
    print_patrols(planned, out)
