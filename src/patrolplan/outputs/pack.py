"""What people hold, as a folder: of a plan or of a week."""

import datetime as dt
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from patrolplan.errors import InputError, OutputError
from patrolplan.outputs.card.card import render_cards
from patrolplan.outputs.geopackage import build_plan_layers, write_layers
from patrolplan.outputs.gpx import render_gpx
from patrolplan.outputs.output_folder import WEEK_FILE, read_manifest, replace_folder, write_json
from patrolplan.outputs.planfile import build_plan_document
from patrolplan.outputs.webmap.map_page import render_map
from patrolplan.outputs.week.roster import Roster, check_officer_and_date
from patrolplan.outputs.week.week_pack import write_week_files
from patrolplan.parallel import ProgressCallback
from patrolplan.patrols.plan import Plan
from patrolplan.provenance import build_manifest_header
from patrolplan.team.week import Week


def write_pack(
    plan_or_week: Plan | Week,
    out: str | Path,
    *,
    officer: str | None = None,
    date: dt.date | None = None,
    request: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    report_progress: ProgressCallback | None = None,
) -> Path:
    """Write everything that people hold, whole or not at all.

    Parameters
    ----------
    made
        A plan: `plan.json`, `plan.gpkg`, `map.html`, `cards/URN.pdf`, `cards.pdf`, `gpx/URN.gpx`.
        A week: `week.json`, `hotspots.geojson`, `week.csv`, `week.xlsx`, `map.html`, `tasks.pdf`,
        `cards/OFFICER/DATE-URN.pdf`, `cards/OFFICER.pdf`, `schools/URN.pdf`.
    out
        Folder; an older pack in it is replaced.
    officer, date
        Of a week: print the cards, task sheets and school sheets of this officer or day alone,
        without the wall's pages. Tables and map are always of the whole week. Into a folder of
        their own: the papers of a whole week are not replaced by a part.
    asked
        Of a plan: what was asked for beside the settings. It goes into the manifest, by which
        `patrolplan.outputs.output_folder.stands` tells that the same plan need not be made again.
    executor, tell
        Whose workers share the cards, and who is told of them, as for
        `patrolplan.outputs.card.card.render_cards`. The files are the same, byte by byte.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        When the officer or the day is not of the week, or there is no week.
    OutputError
        When the folder cannot be written, holds files that are not in its manifest, or holds the
        papers of a whole week and a part is asked for.
    """
    out = Path(out)
    if isinstance(plan_or_week, Plan):
        if officer is not None or date is not None:
            which, what = "officer and date", "choose from a week, this is a plan"
            raise InputError.one(which, what, "leave them out")
        told = build_manifest_header(plan_or_week.area) | (
            {} if request is None else {"asked": dict(request)}
        )
        with replace_folder(out, told) as folder:
            _write_plan(plan_or_week, folder, executor, report_progress)
        return out
    roll = Roster(plan_or_week)
    check_officer_and_date([one.name for one in roll.officers], plan_or_week.days, officer, date)
    check_partial_pack(out, officer, date)
    part = _describe_part(officer, date)
    with replace_folder(
        out, build_manifest_header(plan_or_week.plan.area) | ({"part": part} if part else {})
    ) as folder:
        write_week_files(
            roll,
            folder,
            officer=officer,
            date=date,
            executor=executor,
            report_progress=report_progress,
        )
    return out


def check_partial_pack(out: str | Path, officer: str | None, date: dt.date | None) -> None:
    """Raise where the papers of a part would take the place of those of a whole week.

    Parameters
    ----------
    out
        The folder; a part may only follow a part of the same officer and day in it.
    officer, date
        Whose papers of which day are printed; None stands for all.

    Raises
    ------
    OutputError
        With what to do.
    """
    there, asked = read_manifest(Path(out)), _describe_part(officer, date)
    if asked and WEEK_FILE in there.get("files", {}) and there.get("part", {}) != asked:
        message = (
            f"{out}: holds the papers of a week, and those of one officer or day would take their "
            "place; give the part a folder of its own with --out, or leave --officer and --date "
            "out (each officer's cards are in cards/ of the whole week)"
        )
        raise OutputError(message)


def _describe_part(officer: str | None, date: dt.date | None) -> dict[str, str]:
    """A part as the manifest names it; empty for the whole week."""
    asked = {"officer": officer, "date": None if date is None else date.isoformat()}
    return {name: value for name, value in asked.items() if value is not None}


def _write_plan(
    plan: Plan, folder: Path, executor: Executor | None, report_progress: ProgressCallback | None
) -> None:
    write_json(folder / "plan.json", build_plan_document(plan))
    write_layers(folder / "plan.gpkg", build_plan_layers(plan))
    (folder / "map.html").write_bytes(render_map(plan))
    for urn in dict.fromkeys(patrol.urn for patrol in plan.patrols):
        _write_file(folder / "gpx" / f"{urn}.gpx", render_gpx(plan, urn))
    for name, pdf in render_cards(plan, executor=executor, report_progress=report_progress).items():
        _write_file(folder / name, pdf)


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
