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
    DEFAULT_CONFIG,
    Cluster,
    Config,
    Json,
    Out,
    Workers,
    app,
    check_out,
    check_worker_options,
    estimate_area_risk,
    load_study_area,
    open_executor,
    parse_date,
    parse_minutes,
    parse_time,
)
from patrolplan.terminal import (
    print_json,
    print_left_out,
    print_patrols,
    report_stage,
    show_progress_bar,
    stderr_console,
    stdout_console,
)

if TYPE_CHECKING:
    from patrolplan.settings import Settings


class TravelMode(StrEnum):
    """How patrols go."""

    WALK = "walk"
    BICYCLE = "bicycle"


@dataclass(frozen=True)
class _PlanRequest:
    """Which patrols are asked for; by default every school's, from the bell."""

    schools: list[str] | None = None
    window: str | None = None
    start: dt.time | None = None
    minutes: float | None = None
    date: dt.date | None = None
    way: TravelMode | None = None

    def apply_to(self, settings: Settings) -> Settings:
        """The settings under which these patrols are planned."""
        if self.way is None:
            return settings
        patrol = settings.patrol.model_copy(update={"way": self.way.value})
        return settings.model_copy(update={"patrol": patrol})

    @property
    def as_manifest_entry(self) -> dict[str, Any]:
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
        stderr_console.print(
            f"{config} is not read: the demo has settings of its own; `plan` reads it"
        )
    _run_plan(demo_settings(), out, _PlanRequest(), (workers, None), as_json=as_json)


@app.command()
def plan(
    config: Config = DEFAULT_CONFIG,
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
    way: Annotated[
        TravelMode | None, typer.Option(help="On foot or by bicycle; default as the settings say.")
    ] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    as_json: Json = False,
) -> None:
    """Plan the patrols of every school and write cards, map, GPX, layers and plan."""
    wish = _PlanRequest(
        school,
        window,
        parse_time(start),
        parse_minutes(minutes),
        None if date is None else parse_date(date, "--date"),
        way,
    )
    check_worker_options(workers, cluster)
    _run_plan(config, out, wish, (workers, cluster), as_json=as_json)


def _print_if_current(
    out: Path, origin: dict[str, Any], request: _PlanRequest, *, as_json: bool
) -> bool:
    """Say so, if the plan that is asked for is there already."""
    from patrolplan.outputs.output_folder import is_up_to_date

    if not is_up_to_date(out, origin, request.as_manifest_entry):
        return False
    if as_json:
        print_json(json.loads((out / "plan.json").read_text(encoding="utf-8")))
    else:
        stdout_console.print(f"Nothing has changed since the plan in {out} was made: it stands.")
    return True


def _find_origin(settings: Settings) -> dict[str, Any]:
    """What a plan would be created from; nothing where it takes the reports' groups to know."""
    from patrolplan.area import compute_input_digests
    from patrolplan.area.provenance import compute_provenance

    try:
        return (
            {}
            if settings.sources.reports
            else compute_provenance(settings, compute_input_digests(settings))
        )
    except OSError:  # the readers tell what is missing
        return {}


def _run_plan(
    config: Path,
    out: Path,
    request: _PlanRequest,
    worker_options: tuple[int | None, str | None],
    *,
    as_json: bool,
) -> None:
    from patrolplan.area.provenance import compute_area_provenance
    from patrolplan.patrols.surroundings import resolve_window
    from patrolplan.settings import load_settings

    check_out(out)
    settings = request.apply_to(load_settings(config))
    window = resolve_window(
        settings.patrol, name=request.window, start=request.start, minutes=request.minutes
    )
    if _print_if_current(out, _find_origin(settings), request, as_json=as_json):
        return
    area = load_study_area(settings)
    if _print_if_current(out, compute_area_provenance(area), request, as_json=as_json):
        return
    surface = estimate_area_risk(area)
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.pack import write_pack
    from patrolplan.outputs.planfile import build_plan_document
    from patrolplan.patrols.patrol_backtest import compare_with_past
    from patrolplan.patrols.planner import plan_patrols
    from patrolplan.patrols.surroundings import build_way_notes

    with report_stage("Finding hotspots"):
        found = find_hotspots(area, surface)
    asked = len(area.schools) if request.schools is None else len(request.schools)
    with open_executor(*worker_options, asked) as executor:
        with report_stage("Planning patrols"), show_progress_bar() as tell:
            planned = plan_patrols(
                area,
                surface,
                found,
                urns=request.schools,
                window=window,
                date=request.date,
                executor=executor,
                report_progress=tell,
            )
            planned = compare_with_past(planned, executor=executor, report_progress=tell)
        with report_stage("Writing cards, map, GPX and layers"), show_progress_bar() as tell:
            write_pack(
                planned,
                out,
                request=request.as_manifest_entry,
                executor=executor,
                report_progress=tell,
            )
    if as_json:
        print_json(build_plan_document(planned))
        return
    print_left_out(planned.left_out, (*surface.notes, *build_way_notes(area)))
    print_patrols(planned, out)
