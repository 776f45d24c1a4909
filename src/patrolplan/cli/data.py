"""The commands for data: fetch, purge and governance."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command

if TYPE_CHECKING:
    from patrolplan.area import StudyArea
    from patrolplan.team.burden import Burden


class FetchPart(StrEnum):
    """Parts that can be fetched separately."""

    CRIMES = "crimes"
    STREETS = "streets"
    SCHOOLS = "schools"


@command
def fetch(
    config: options.Config = options.DEFAULT_CONFIG,
    months: int | None = options.option(
        None, "--months", "Months of crime; default: months of the settings.", min=1, max=240
    ),
    only: list[str] | None = options.option(
        None, "--only", "Fetch only this; may be repeated.", options.format_choices(FetchPart)
    ),
    again: bool = options.option(False, "--again", "Fetch again what is already there."),
    as_json: options.Json = False,
) -> None:
    """Fetch open data that is missing: street crimes, walking streets, schools.

    Asks data.police.uk, OpenStreetMap (Overpass) and Get Information about Schools about the area
    in the settings; sends them nothing else. The only command that uses the internet.
    """
    from patrolplan.inputs.download.download import SOURCES, fetch_open_data
    from patrolplan.settings import load_settings

    chosen = [options.parse_choice(part, FetchPart, "--only") for part in only or ()]
    settings = load_settings(config)
    wanted = [source for source in SOURCES if FetchPart(source) in chosen] or None
    try:
        with console.show_progress_bar() as report:
            fetched = fetch_open_data(
                settings, months=months, only=wanted, again=again, report_progress=report
            )
    except KeyboardInterrupt:
        console.stderr.print(
            "patrolplan: stopped; what was downloaded so far is saved; fetch again to carry on"
        )
        raise SystemExit(130) from None
    if as_json:
        console.print_json(
            {"written": fetched.files, "kept": fetched.existing, "notes": fetched.notes}
        )
        return
    for name in fetched.files:
        console.stdout.print(f"Written {name}")
    if not fetched.files:
        console.stdout.print("Nothing was missing.")
    if fetched.existing:
        console.stdout.print(f"{fetched.existing} files were already there.")
    console.print_notes(fetched.notes)
    if fetched.files:
        console.stdout.print(
            "Where each came from and its licence: fetched.json. Next: run `patrolplan check`."
        )


@command
def purge(
    older_than: str = options.option(..., "--older-than", "Such as 90d or 12w.", "AGE"),
    out: list[Path] | None = options.option(
        None, "--folder", "Output folder to purge; may be repeated.", options.FOLDER
    ),
    record: Path | None = options.option(
        None, "--record", "File to add the record to; default in the cache folder.", options.FILE
    ),
    dry_run: bool = options.option(False, "--dry-run", "Only list what would be removed."),
    config: options.Config = options.DEFAULT_CONFIG,
    as_json: options.Json = False,
) -> None:
    """Remove old caches and outputs that patrolplan wrote, never your own files; keep a record."""
    from patrolplan.outputs.purge import purge as purge_files

    items = purge_files(
        _parse_age(older_than), out or [], home=config.parent, record=record, dry_run=dry_run
    )
    if as_json:
        console.print_json({"dry_run": dry_run, "found": [asdict(item) for item in items]})
        return
    removed = "would be removed" if dry_run else "removed"
    for item in items:
        state = removed if item.removed else "kept"
        console.stdout.print(f"{state}: {item.path} ({item.what}; {item.why})", soft_wrap=True)
    count = sum(item.removed for item in items)
    console.stdout.print(f"{count or 'Nothing'} {removed}.")


def _parse_age(text: str) -> dt.timedelta:
    match = re.fullmatch(r"(\d{1,5})([dw]?)", text.strip())
    if match is None:
        options.refuse(
            f"'{text}' is not a valid age; write days or weeks, such as 90d or 12w", "--older-than"
        )
    return dt.timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))


@command
def governance(
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.Out = Path("patrolplan-governance"),
    backtest: Path | None = options.option(
        None,
        "--backtest",
        "Folder of `patrolplan backtest --out`; without it, the back-test is run.",
        options.FOLDER,
    ),
    areas: Path | None = options.option(
        None,
        "--by",
        "Polygons with residents, to count patrol minutes by; default [sources] areas.",
        options.FILE,
    ),
    audit: Path | None = options.option(
        None,
        "--deciles",
        "Table with area, decile: minutes by decile of deprivation.",
        options.FILE,
    ),
    week: Path | None = options.option(
        None, "--week", "Count the minutes of this week's folder, not the ledger's.", options.FOLDER
    ),
    first: str | None = options.option(
        None, "--from", "First day of the ledger to count.", options.DAY
    ),
    last: str | None = options.option(None, "--to", "Last day to count.", options.DAY),
    as_json: options.Json = False,
) -> None:
    """Write papers for a force's assessment, and a page for residents and schools.

    The annex to an impact assessment, the transparency record, the model card; with polygons also
    who gets the patrols, by area and by decile.
    """
    from patrolplan.outputs.backtest_report import build_backtest_document
    from patrolplan.outputs.governance import read_backtest, write_governance
    from patrolplan.outputs.output_folder import read_manifest

    steps.check_out(out)
    days = [
        None if day is None else options.parse_date(day, name)
        for day, name in ((first, "--from"), (last, "--to"))
    ]
    area = steps.load_study_area(config)
    burden = _measure_burden(area, areas, audit, week, days)
    risk = steps.estimate_area_risk(area)
    if backtest is None:
        tested = build_backtest_document(*steps.run_backtest(area))
    else:
        tested = read_backtest(backtest)
    write_governance(area, risk, tested, out, burden=burden)
    if as_json:
        written = [(out / name).as_posix() for name in read_manifest(out)["files"]]
        console.print_json({"written": written})
        return
    if burden is None:
        note = "Who gets the patrols is not counted: that needs polygons (--by) and a week."
        console.print_notes([note])
    console.print_written_to(out)


def _measure_burden(
    area: StudyArea,
    polygon_file: Path | None,
    audit_file: Path | None,
    week: Path | None,
    days: list[dt.date | None],
) -> Burden | None:
    """Who gets the patrols; None if no option requests it with polygons or minutes.

    A week's folder is entered into a ledger in memory, so that its minutes are counted equally.
    """
    from patrolplan.area.sources import get_column_mapping
    from patrolplan.errors import InputError
    from patrolplan.inputs.polygons import read_areas
    from patrolplan.tables import LeftOut
    from patrolplan.team.audit_columns import read_audit_columns
    from patrolplan.team.burden import EVER, measure_burden
    from patrolplan.team.ledger.address import has_ledger
    from patrolplan.team.ledger.ledger import Ledger, open_ledger
    from patrolplan.team.ledger.promised import read_promised_week

    polygons = area.way_home.areas
    if polygon_file is not None:
        mapping = get_column_mapping(area.settings, "areas")
        polygons = read_areas([polygon_file], area.projection, LeftOut(), columns=mapping)
    has_minutes = week is not None or has_ledger(area.settings)
    if polygons.empty or not has_minutes:
        if not any((polygon_file, audit_file, week, *days)):
            return None
        where = "--by" if polygons.empty else "--week"
        what = "there are no polygons" if polygons.empty else "no week is handed out"
        raise InputError.one(where, what, f"name them with {where}")
    span = (days[0] or EVER[0], days[1] or EVER[1])
    audit = None if audit_file is None else read_audit_columns(audit_file)
    promised = None if week is None else read_promised_week(week)
    ledger = (
        Ledger("sqlite://", area.name, area.projection) if promised else open_ledger(area.settings)
    )
    with ledger:
        if promised is not None:
            ledger.hand_out(promised)
        return measure_burden(area, ledger, polygons, days=span, audit=audit)
