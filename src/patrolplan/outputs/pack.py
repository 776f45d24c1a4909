"""The folder of papers and files that people use, for a plan or for a week."""

import datetime as dt
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patrolplan.atomic import WEEK_FILE, format_json
from patrolplan.doors import Day, read_day
from patrolplan.errors import InputError, OutputError
from patrolplan.outputs import output_folder
from patrolplan.outputs.card.card import render_cards
from patrolplan.outputs.geopackage import build_plan_layers, write_layers
from patrolplan.outputs.gis.project import GEOPACKAGE, render_project
from patrolplan.outputs.gpx import render_gpx
from patrolplan.outputs.notes_file import render_notes
from patrolplan.outputs.plan_document import build_plan_document
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.plan import Plan

if TYPE_CHECKING:
    from patrolplan.team.week import Week

ROUTE_FORMATS: Mapping[str, Callable[[Plan, str], bytes]] = {"gpx": render_gpx}
"""What writes a school's patrols for other programs, by folder and ending of its files."""


def write_pack(
    plan_or_week: "Plan | Week",
    out: str | Path,
    *,
    officer: str | None = None,
    date: Day | None = None,
    request: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> Path:
    """Write all papers and files of a plan or a week, completely or not at all.

    Parameters
    ----------
    plan_or_week
        The files of a plan and of a week are listed in `patrolplan.outputs.papers`.
    out
        Folder; an earlier pack in it is replaced.
    officer, date
        For a week only: print the cards, task sheets and school sheets of this officer or day, into
        a folder of their own. Tables and map always show the whole week.
    request
        For a plan only: what was requested in addition to the settings. It goes into the manifest.
    executor, report_progress
        Workers that render the cards, and a callback for progress. The files are the same.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        When the officer or the day is not in the week, or is given for a plan.
    OutputError
        When the folder cannot be written, or holds other files, or a whole week instead of a part.
    """
    out = Path(out)
    if not isinstance(plan_or_week, Plan):
        # Imported late, so that a plan loads nothing that only a week's papers and ledger need.
        from patrolplan.outputs.earlier_papers import PAPERS_KEY  # noqa: PLC0415
        from patrolplan.outputs.week.roster import Roster, check_officer_and_date  # noqa: PLC0415
        from patrolplan.outputs.week.week_pack import write_week_files  # noqa: PLC0415

        roster, day = Roster(plan_or_week), None if date is None else read_day(date)
        names = [one.name for one in roster.officers]
        check_officer_and_date(names, plan_or_week.days, officer, day)
        check_partial_pack(out, officer, day)
        details = output_folder.build_manifest_header(plan_or_week.plan.area)
        details |= {"part": part} if (part := _describe_part(officer, day)) else {}
        with output_folder.replace_folder(out, details) as folder:
            details[PAPERS_KEY] = write_week_files(
                roster,
                folder,
                officer=officer,
                date=day,
                earlier=out,
                executor=executor,
                report_progress=report_progress,
            )
        return out
    if officer is not None or date is not None:
        which, what = "officer and date", "apply to a week only, and this is a plan"
        raise InputError.one(which, what, "leave them out")
    details = output_folder.build_manifest_header(plan_or_week.area)
    details |= {} if request is None else {"asked": dict(request)}
    with output_folder.replace_folder(out, details) as folder:
        layers = build_plan_layers(plan_or_week)
        write_layers(folder / GEOPACKAGE, layers)
        document = build_plan_document(plan_or_week)
        files = {
            **render_cards(plan_or_week, executor=executor, report_progress=report_progress),
            **_render_routes(plan_or_week),
            "map.html": render_map(plan_or_week),
            "plan.qgs": render_project(plan_or_week, layers=layers),
            "notes.txt": render_notes(plan_or_week),
            "plan.json": format_json(document).encode("utf-8"),
        }
        output_folder.write_files(folder, files)
    return out


def _render_routes(plan: Plan) -> dict[str, bytes]:
    """A file a school in each format for other programs."""
    urns = dict.fromkeys(patrol.urn for patrol in plan.patrols)
    return {
        f"{name}/{urn}.{name}": render(plan, urn)
        for name, render in ROUTE_FORMATS.items()
        for urn in urns
    }


def check_partial_pack(out: str | Path, officer: str | None, date: dt.date | None) -> None:
    """Check that the papers of a part would not replace those of a whole week."""
    manifest, part = output_folder.read_manifest(Path(out)), _describe_part(officer, date)
    if part and WEEK_FILE in manifest.get("files", {}) and manifest.get("part", {}) != part:
        message = (
            f"{out}: holds the papers of a whole week, and the papers of one officer or day would "
            "replace them; name another folder with --out, or leave out --officer and --date "
            "(each officer's cards are in cards/ anyway)"
        )
        raise OutputError(message)


def _describe_part(officer: str | None, date: dt.date | None) -> dict[str, str]:
    """A part of a week for the manifest; empty for the whole week."""
    part = {"officer": officer, "date": None if date is None else date.isoformat()}
    return {name: value for name, value in part.items() if value is not None}
