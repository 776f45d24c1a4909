"""The commands that show what was recorded and how sure the estimates are: brief and backtest."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command

if TYPE_CHECKING:
    from patrolplan.area import StudyArea
    from patrolplan.outputs.brief.brief import WeekVisits
    from patrolplan.patrols.patrol_backtest import PatrolBacktest
    from patrolplan.risk.backtest import Backtest


@command
def brief(
    school: str = options.option(..., "--school", "Which school.", options.URN),
    since: str = options.option(..., "--since", "First month or day.", "YYYY-MM[-DD]"),
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
    from patrolplan.outputs.brief.brief import build_brief, check_brief_request
    from patrolplan.outputs.brief.brief_render import (
        build_brief_document,
        format_brief_lines,
        write_brief,
    )

    first = options.parse_first_day(since, "--since")
    steps.check_out(out)
    area = steps.load_study_area(config)
    check_brief_request(area, school, first)  # before the slow part
    visits = _find_week(area, week)
    hotspots = steps.find_area_hotspots(area, steps.estimate_area_risk(area))
    document = build_brief(area, hotspots, school, first, week=visits)
    if out is not None:
        write_brief(document, out)
    if as_json:
        console.print_json(build_brief_document(document))
        return
    console.print_lines(format_brief_lines(document))
    console.print_written_to(out)


def _find_week(area: StudyArea, folder: Path | None) -> WeekVisits | None:
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


@command
def backtest(
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    first: str | None = options.option(
        None, "--first-month", "First hold-out month.", options.MONTH
    ),
    last: str | None = options.option(None, "--last-month", "Last hold-out month.", options.MONTH),
    window: options.WindowName = None,
    as_json: options.Json = False,
) -> None:
    """Test on past months which risk model and which patrols to trust, with uncertainty.

    With --window the risk alone is tested, on crime inside that window on school days.
    """
    from patrolplan.outputs.backtest_report import build_backtest_document

    if (first is None) != (last is None):
        options.refuse("give both --first-month and --last-month, or neither")
    origins = None
    if first is not None and last is not None:
        origins = (
            options.parse_month(first, "--first-month"),
            options.parse_month(last, "--last-month"),
        )
    steps.check_out(out)
    area = steps.load_study_area(config)
    risk_test, patrol_test = steps.run_backtest(area, origins, window)
    if out is not None:
        _write_backtest(area, risk_test, patrol_test, out)
    if as_json:
        console.print_json(build_backtest_document(risk_test, patrol_test))
        return
    console.stdout.print(str(risk_test))
    if patrol_test is not None:
        console.stdout.print(
            "Patrols: harm recorded per officer-hour on the stretches where they stop:"
        )
        console.stdout.print(str(patrol_test))
    console.print_written_to(out)


def _write_backtest(
    area: StudyArea, risk_test: Backtest, patrol_test: PatrolBacktest | None, out: Path
) -> None:
    from patrolplan.outputs.backtest_report import write_backtest
    from patrolplan.outputs.output_folder import build_manifest_header, replace_folder

    with replace_folder(out, build_manifest_header(area)) as folder:
        write_backtest(risk_test, patrol_test, folder)
