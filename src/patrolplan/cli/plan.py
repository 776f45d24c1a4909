"""The commands that plan patrols: plan and demo."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.errors import InputError
from patrolplan.travel import PATROL_WAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patrolplan.tables import LeftOutRow


MAX_POSTS = 50  # maximum number of posts


@dataclass(frozen=True)
class _PlanRequest:
    """Which patrols to plan; by default every school's, from the bell."""

    schools: list[str] | None = None
    window: str | None = None
    start: dt.time | None = None
    minutes: float | None = None
    date: dt.date | None = None
    way: str | None = None
    posts: int | None = None


@command
def demo(
    config: Path | None = options.option(
        "Accepted, but not read: the demo has its own settings.", hidden=True
    ),
    out: options.Out = Path("patrolplan-demo"),
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Plan a fictional borough: needs no data."""
    if config is not None:
        console.stderr.print(
            f"{config} is not read: the demo has its own settings; `plan` reads it"
        )
    settings = pp.load_settings(pp.demo_settings())
    _run_plan(settings, out, _PlanRequest(), (workers, None), as_json=as_json)


@command
def plan(
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.Out = Path("patrolplan-out"),
    school: list[str] | None = options.option("One school only; may be repeated.", options.URN),
    window: options.WindowName = None,
    start: options.Start = None,
    minutes: options.Minutes = None,
    date: dt.date | None = options.day(
        "--date", "Day of the patrol; tasked places count only on their days."
    ),
    way: str | None = options.option(
        "On foot or by bicycle; default: as in the settings.", **options.choose_from(*PATROL_WAYS)
    ),
    posts: int | None = options.option(
        "Adults who stand at posts after the bell, for each school.", min=0, max=MAX_POSTS
    ),
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    as_json: options.Json = False,
    notes: options.Notes = False,
) -> None:
    """Plan each school's patrol: cards, phone map, GPX, layers."""
    options.check_worker_options(workers, cluster)
    settings = pp.load_settings(config)
    if way is not None:
        patrol = settings.patrol.model_copy(update={"way": way})
        settings = settings.model_copy(update={"patrol": patrol})
    request = _PlanRequest(school, window, start, minutes, date, way, posts)
    _run_plan(settings, out, request, (workers, cluster), as_json=as_json, notes=notes)


def _find_open_schools(
    area: pp.StudyArea, request: _PlanRequest
) -> tuple[Sequence[str] | None, list[LeftOutRow]]:
    """The schools to plan for on the requested day, and those that are closed then."""
    if request.date is None:
        return request.schools, []
    from patrolplan.area.school_days import SATURDAY, find_open_days
    from patrolplan.tables import LeftOutRow

    day = f"{request.date:%A} {request.date.day} {request.date:%B %Y}"
    where, remedy = "--date", "choose a school day, or correct [sources] term_dates"
    if request.date.weekday() >= SATURDAY:
        raise InputError.one(where, f"{day} is not a school day", remedy)
    urns = list(area.schools["urn"])
    is_open = find_open_days(area.term_dates, urns, [request.date])[:, 0]
    closed = [urn for urn, open_then in zip(urns, is_open, strict=True) if not open_then]
    named = [urn for urn in request.schools or () if urn in closed]
    if named or len(closed) == len(urns):
        which = f"URN {', '.join(named)}" if named else "every school"
        raise InputError.one(where, f"{which} is closed on {day}", remedy)
    if not closed:
        return request.schools, []
    rows = [LeftOutRow("schools", f"URN {urn} is closed on {day}", 1, urn=urn) for urn in closed]
    return [urn for urn in request.schools or urns if urn not in closed], rows


def _run_plan(
    settings: pp.Settings,
    out: Path,
    request: _PlanRequest,
    worker_options: options.WorkerOptions,
    *,
    as_json: bool,
    notes: bool = False,
) -> None:
    from patrolplan.area.patrol_window import resolve_window
    from patrolplan.area.relations import check_age
    from patrolplan.outputs.notes_file import collect_plan_notes
    from patrolplan.outputs.plan_document import build_plan_document
    from patrolplan.patrols.planning import check_request

    steps.check_out(out)
    window = resolve_window(
        settings.patrol, name=request.window, start=request.start, minutes=request.minutes
    )
    area = check_age(steps.load_study_area(settings), request.date)
    check_request(area, window, request.schools)  # before the slow part
    schools, closed = _find_open_schools(area, request)
    risk = steps.estimate_area_risk(area, window, request.date)
    hotspots = steps.find_area_hotspots(area, risk)
    count = len(area.schools if schools is None else schools)
    with steps.open_executor(*worker_options, count) as executor:
        with console.report_stage("Planning patrols") as report:
            planned = pp.plan_patrols(
                area,
                risk,
                hotspots,
                urns=schools,
                window=window,
                date=request.date,
                posts=request.posts or 0,
                for_week=False,
                executor=executor,
                report_progress=report,
            )
        planned = replace(planned, left_out=(*planned.left_out, *closed))
        with console.report_stage("Writing cards, map, GPX and layers") as report:
            given = {name: value for name, value in vars(request).items() if value}
            entry = json.loads(json.dumps(given, default=str))
            pp.write_pack(planned, out, request=entry, executor=executor, report_progress=report)
    parts = console.list_patrols(planned, out)
    if notes:
        parts += console.list_all(collect_plan_notes(planned), planned.left_out)
    console.print_result(build_plan_document(planned), parts, as_json=as_json)
