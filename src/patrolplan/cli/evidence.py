"""Commands that tell what is known and how sure it is: brief and backtest."""

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
    load_study_area,
    parse_first_day,
    parse_month,
)
from patrolplan.terminal import print_json, print_written_to, report_stage, stdout_console

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
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.brief.brief import build_brief, check_brief_request
    from patrolplan.outputs.brief.brief_render import build_brief_document, format_brief_lines

    first = parse_first_day(since, "--since")
    check_out(out)
    area = load_study_area(config)
    check_brief_request(area, school, first)  # before the work, not after it
    found = find_hotspots(area, estimate_area_risk(area))
    told = build_brief(area, found, school, first)
    if out is not None:
        from patrolplan.outputs.brief.brief_render import write_brief

        write_brief(told, out)
    if as_json:
        print_json(build_brief_document(told))
        return
    for line in format_brief_lines(told):
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
    from patrolplan.patrols.patrol_backtest import backtest_patrols
    from patrolplan.risk.backtest import backtest_risk

    if (first is None) != (last is None):
        message = "give both --from and --to, or neither"
        raise typer.BadParameter(message)
    origins = None
    if first is not None and last is not None:
        origins = (parse_month(first, "--from"), parse_month(last, "--to"))
    check_out(out)
    area = load_study_area(config)
    with report_stage("Testing risk models"):
        tested = backtest_risk(area, origins=origins)
    with report_stage("Testing patrols"):
        patrols = backtest_patrols(area, origins=list(tested.trials.origins))
    if out is not None:
        _write_backtest(area, tested, patrols, out)
    if as_json:
        from patrolplan.outputs.backtest_report import build_backtest_document

        print_json(build_backtest_document(tested, patrols))
        return
    stdout_console.print(str(tested))
    stdout_console.print("Patrols, harm met an officer-hour in the stretches dwelt in:")
    stdout_console.print(str(patrols))
    print_written_to(out)


def _write_backtest(area: StudyArea, tested: Backtest, patrols: PatrolBacktest, out: Path) -> None:
    from patrolplan.outputs.backtest_report import write_backtest
    from patrolplan.outputs.output_folder import replace_folder
    from patrolplan.provenance import build_manifest_header

    with replace_folder(out, build_manifest_header(area)) as folder:
        write_backtest(tested, patrols, folder)
