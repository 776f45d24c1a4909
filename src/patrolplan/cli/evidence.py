"""Commands that tell what is known and how sure it is: brief and backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from patrolplan.cli.console import (
    HERE,
    Config,
    Json,
    MaybeOut,
    app,
    check_out,
    estimated,
    loaded,
    parsed_first_day,
    parsed_month,
)
from patrolplan.terminal import print_json, printed, say_written, stage

if TYPE_CHECKING:
    from pathlib import Path

    from patrolplan.area import StudyArea
    from patrolplan.patrols.patrol_backtest import PatrolBacktest
    from patrolplan.risk.backtest import Backtest


@app.command()
def brief(
    school: Annotated[str, typer.Option("--school", help="URN of the school.")],
    since: Annotated[str, typer.Option("--since", help="First month or day, YYYY-MM[-DD].")],
    config: Config = HERE,
    out: MaybeOut = None,
    as_json: Json = False,
) -> None:
    """Say what was recorded around a school since a day, against what is usual there."""
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.brief.brief import brief_of, check_asked
    from patrolplan.outputs.brief.brief_render import brief_document, brief_lines

    first = parsed_first_day(since, "--since")
    check_out(out)
    area = loaded(config)
    check_asked(area, school, first)  # before the work, not after it
    found = find_hotspots(area, estimated(area))
    told = brief_of(area, found, school, first)
    if out is not None:
        from patrolplan.outputs.brief.brief_render import write_brief

        write_brief(told, out)
    if as_json:
        print_json(brief_document(told))
        return
    for line in brief_lines(told):
        printed.print(line, soft_wrap=True)
    say_written(out)


@app.command()
def backtest(
    config: Config = HERE,
    out: MaybeOut = None,
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
        origins = (parsed_month(first, "--from"), parsed_month(last, "--to"))
    check_out(out)
    area = loaded(config)
    with stage("Testing risk models"):
        tested = backtest_risk(area, origins=origins)
    with stage("Testing patrols"):
        patrols = backtest_patrols(area, origins=list(tested.trials.origins))
    if out is not None:
        _write_backtest(area, tested, patrols, out)
    if as_json:
        from patrolplan.outputs.backtest_report import backtest_document

        print_json(backtest_document(tested, patrols))
        return
    printed.print(str(tested))
    printed.print("Patrols, harm met an officer-hour in the stretches dwelt in:")
    printed.print(str(patrols))
    say_written(out)


def _write_backtest(area: StudyArea, tested: Backtest, patrols: PatrolBacktest, out: Path) -> None:
    from patrolplan.area.provenance import about
    from patrolplan.outputs.backtest_report import write_backtest
    from patrolplan.outputs.output_folder import whole_folder

    with whole_folder(out, about(area)) as folder:
        write_backtest(tested, patrols, folder)
