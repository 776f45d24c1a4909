"""The command that says what is new around a school: brief."""

import datetime as dt
from pathlib import Path

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command


@command
def brief(
    school: str = options.option("Which school.", options.URN, default=...),
    since: dt.date = options.option(
        "First month or day.", "YYYY-MM[-DD]", default=..., parser=options.parse_first_day
    ),
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    week: Path | None = options.option(
        "Folder of the week, to say which patrols go there.", options.FOLDER
    ),
    as_json: options.Json = False,
) -> None:
    """Say what is new around a school since a day."""
    from patrolplan.outputs.brief import brief_render
    from patrolplan.team.brief import check_brief_request, read_week_visits

    steps.check_out(out)
    area = steps.load_study_area(config)
    check_brief_request(area, school, since)  # before the slow part
    visits = None if week is None else read_week_visits(week, area)
    hotspots = steps.find_area_hotspots(area, steps.estimate_area_risk(area))
    document = pp.build_brief(area, hotspots, school, since, week=visits)
    if out is not None:
        brief_render.write_brief(document, out)
    lines = [*brief_render.format_brief_lines(document), *console.list_written(out)]
    console.print_result(brief_render.build_brief_document(document), lines, as_json=as_json)
