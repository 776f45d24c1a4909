"""The command that writes papers for a force's assessment: governance."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command


@command
def governance(
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.Out = Path("patrolplan-governance"),
    backtest: Path | None = options.option(
        "Folder of `patrolplan backtest --out`; without it, the back-test is run.", options.FOLDER
    ),
    by: Path | None = options.option(
        "Polygons with residents, to count patrol minutes by; default [sources] areas.",
        options.FILE,
    ),
    deciles: Path | None = options.option(
        "Table with area, decile: minutes by decile of deprivation.", options.FILE
    ),
    week: Path | None = options.option(
        "Count the minutes of this week's folder, not the ledger's.", options.FOLDER
    ),
    first: dt.date | None = options.day("--from", "First day of the ledger to count."),
    last: dt.date | None = options.day("--to", "Last day to count."),
    as_json: options.Json = False,
) -> None:
    """Write papers for a force's assessment.

    The annex to an impact assessment, the transparency record, the model card, and a page for
    residents and schools; with polygons also who gets the patrols, by area and by decile.
    """
    from patrolplan.outputs import governance as papers
    from patrolplan.outputs.output_folder import read_manifest

    steps.check_out(out)
    area = steps.load_study_area(config)
    burden = _measure_burden(area, by, deciles, week, (first, last))
    risk = steps.estimate_area_risk(area)
    if backtest is None:
        tested = papers.build_backtest_document(*steps.run_backtest(area))
    else:
        tested = papers.read_backtest(backtest)
    papers.write_governance(area, risk, tested, out, burden=burden)
    written = [(out / name).as_posix() for name in read_manifest(out)["files"]]
    note = "note: Who gets the patrols is not counted: that needs polygons (--by) and a week."
    lines = [*([note] if burden is None else []), *console.list_written(out)]
    console.print_result({"written": written}, lines, as_json=as_json)


def _measure_burden(
    area: pp.StudyArea,
    polygon_file: Path | None,
    audit_file: Path | None,
    week: Path | None,
    days: tuple[dt.date | None, dt.date | None],
) -> pp.Burden | None:
    """Who gets the patrols; None if no option requests it with polygons or minutes."""
    from patrolplan.area.sources import get_column_mapping
    from patrolplan.inputs.polygons import read_areas
    from patrolplan.tables import LeftOut
    from patrolplan.team.burden import EVER
    from patrolplan.team.ledger.address import has_ledger
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
        raise pp.InputError.one(where, what, f"name them with {where}")
    span = (days[0] or EVER[0], days[1] or EVER[1])
    audit = None if audit_file is None else pp.read_audit_columns(audit_file)
    if week is None:
        ledger = pp.open_ledger(area.settings)
    else:  # entered into a ledger in memory, so that its minutes are counted equally
        promised = read_promised_week(week)
        ledger = pp.Ledger("sqlite://", area.name, area.projection)
        ledger.hand_out(promised)
    with ledger:
        return pp.measure_burden(area, ledger, polygons, days=span, audit=audit)
