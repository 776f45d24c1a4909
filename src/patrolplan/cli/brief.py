"""The command that says what is new around a school: brief."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command

if TYPE_CHECKING:
    from patrolplan.outputs.brief.brief import WeekVisits


@command
def brief(
    school: str = options.option(..., "--school", "Which school.", options.URN),
    since: dt.date = options.option(
        ..., "--since", "First month or day.", "YYYY-MM[-DD]", parser=options.parse_first_day
    ),
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    week: Path | None = options.option(
        None,
        "--week",
        "Folder of the week, to say which patrols go where it is new; default "
        f"./{options.DEFAULT_WEEK_FOLDER}, if it covers the coming days.",
        options.FOLDER,
    ),
    as_json: options.Json = False,
) -> None:
    """Report what is new around a school since a day: recorded crime against typical counts."""
    from patrolplan.outputs.brief.brief import check_brief_request
    from patrolplan.outputs.brief.brief_render import (
        build_brief_document,
        format_brief_lines,
        write_brief,
    )

    steps.check_out(out)
    area = steps.load_study_area(config)
    check_brief_request(area, school, since)  # before the slow part
    visits = _find_week(area, week)
    hotspots = steps.find_area_hotspots(area, steps.estimate_area_risk(area))
    document = pp.build_brief(area, hotspots, school, since, week=visits)
    if out is not None:
        write_brief(document, out)
    if as_json:
        console.print_json(build_brief_document(document))
        return
    console.print_lines(format_brief_lines(document))
    console.print_written_to(out)


def _find_week(area: pp.StudyArea, folder: Path | None) -> WeekVisits | None:
    """The week in a folder; if none is given, that of the default folder, unless it is over."""
    from patrolplan.atomic import WEEK_FILE
    from patrolplan.outputs.brief.brief import read_week_visits

    if folder is not None:
        return read_week_visits(folder, area)
    folder = options.DEFAULT_WEEK_FOLDER
    if not (folder / WEEK_FILE).is_file():
        return None
    visits = read_week_visits(folder, area)
    is_over = visits.week.days[-1] < dt.date.today()  # noqa: DTZ011 - of this desk
    return None if is_over else visits
