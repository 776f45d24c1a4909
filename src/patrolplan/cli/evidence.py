"""The commands that show what was recorded and how sure the estimates are: brief and backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from patrolplan.cli.console import (
    DEFAULT_CONFIG,
    Config,
    Json,
    OptionalOut,
    app,
    check_out,
    estimate_area_risk,
    find_area_hotspots,
    load_study_area,
    parse_first_day,
    parse_month,
    print_json,
    print_written_to,
    report_stage,
    stdout_console,
)

if TYPE_CHECKING:
    from pathlib import Path

    from patrolplan.area import StudyArea
    from patrolplan.patrols.patrol_backtest import PatrolBacktest
    from patrolplan.risk.backtest import Backtest


@app.command()
def brief(
    school: Annotated[str, typer.Option("--school", help="URN of the school.")],
    since: Annotated[str, typer.Option("--since", help="First month or day, YYYY-MM[-DD].")],
    config: Config = DEFAULT_CONFIG,
    out: OptionalOut = None,
    as_json: Json = False,
) -> None:
    """Say what was recorded around a school since a day, against what is usual there."""
    from patrolplan.outputs.brief.brief import build_brief, check_brief_request
    from patrolplan.outputs.brief.brief_render import (
        build_brief_document,
        format_brief_lines,
        write_brief,
    )

    first = parse_first_day(since, "--since")
    check_out(out)
    area = load_study_area(config)
    check_brief_request(area, school, first)  # before the work, not after it
    hotspots = find_area_hotspots(area, estimate_area_risk(area))
    document = build_brief(area, hotspots, school, first)
    if out is not None:
        write_brief(document, out)
    if as_json:
        print_json(build_brief_document(document))
        return
    for line in format_brief_lines(document):
        stdout_console.print(line, soft_wrap=True)
    print_written_to(out)


@app.command()
def backtest(
    config: Config = DEFAULT_CONFIG,
    out: OptionalOut = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First month that is held out, YYYY-MM.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Last month that is held out, YYYY-MM.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Test risk and patrols on months that nothing was learned from."""
    from patrolplan.outputs.backtest_report import build_backtest_document

    if (first is None) != (last is None):
        message = "give both --from and --to, or neither"
        raise typer.BadParameter(message)
    origins = None
    if first is not None and last is not None:
        origins = (parse_month(first, "--from"), parse_month(last, "--to"))
    check_out(out)
    area = load_study_area(config)
    risk_test, patrol_test = run_backtest(area, origins)
    if out is not None:
        _write_backtest(area, risk_test, patrol_test, out)
    if as_json:
        print_json(build_backtest_document(risk_test, patrol_test))
        return
    stdout_console.print(str(risk_test))
    stdout_console.print("Patrols, harm met an officer-hour in the stretches dwelt in:")
    stdout_console.print(str(patrol_test))
    print_written_to(out)


def run_backtest(
    area: StudyArea, origins: tuple[str, str] | None = None
) -> tuple[Backtest, PatrolBacktest]:
    """Test risk models, and patrols planned with them, on hold-out months."""
    from patrolplan.patrols.patrol_backtest import backtest_patrols
    from patrolplan.risk.backtest import backtest_risk

    with report_stage("Testing risk models"):
        risk_test = backtest_risk(area, origins=origins)
    with report_stage("Testing patrols"):
        return risk_test, backtest_patrols(area, origins=list(risk_test.trials.origins))


def _write_backtest(
    area: StudyArea, risk_test: Backtest, patrol_test: PatrolBacktest, out: Path
) -> None:
    from patrolplan.area.provenance import build_manifest_header
    from patrolplan.outputs.backtest_report import write_backtest
    from patrolplan.outputs.output_folder import replace_folder

    with replace_folder(out, build_manifest_header(area)) as folder:
        write_backtest(risk_test, patrol_test, folder)
