"""Commands of those who answer for the data: purge and governance."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from patrolplan.cli.app import HERE
from patrolplan.cli.app import Config
from patrolplan.cli.app import Json
from patrolplan.cli.app import Out
from patrolplan.cli.app import app
from patrolplan.cli.app import check_out
from patrolplan.cli.app import estimated
from patrolplan.cli.app import loaded
from patrolplan.terminal import print_json
from patrolplan.terminal import printed
from patrolplan.terminal import say_written
from patrolplan.terminal import stage


@app.command()
def purge(
    older_than: Annotated[str, typer.Option("--older-than", help="Age, such as 90d or 12w.")],
    out: Annotated[
        list[Path] | None, typer.Option("--out", help="Output folder to purge; may be repeated.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="File to add the record to; default in the cache folder.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go.")] = False,
    config: Config = HERE,
    as_json: Json = False,
) -> None:
    """Remove old caches and outputs that patrolplan wrote, never your own files; record what."""
    from patrolplan.outputs.purge import purge as purged

    found = purged(_age(older_than), out or [], home=config.parent, record=record, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "found": [asdict(one) for one in found]})
        return
    gone = "would go" if dry_run else "removed"
    for one in found:
        state = gone if one.removed else "kept"
        printed.print(f"{state}: {one.path} ({one.what}; {one.why})", soft_wrap=True)
    printed.print(f"{sum(one.removed for one in found)} {gone}.")


def _age(text: str) -> dt.timedelta:
    match = re.fullmatch(r"(\d{1,5})([dw]?)", text.strip())
    if match is None:
        message = f"'{text}' is no age; write days or weeks, such as 90d or 12w"
        raise typer.BadParameter(message, param_hint="--older-than")
    return dt.timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))


@app.command()
def governance(
    config: Config = HERE,
    out: Out = Path("patrolplan-governance"),
    backtest: Annotated[
        Path | None,
        typer.Option("--backtest", help="Folder of `patrolplan backtest --out`; else it is run."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write impact assessment annex, transparency record and model card, filled with the facts."""
    from patrolplan.outputs.governance.facts import read_backtest
    from patrolplan.outputs.governance.pack import PAPERS
    from patrolplan.outputs.governance.pack import write_governance

    check_out(out)
    area = loaded(config)
    risk = estimated(area)
    if backtest is not None:
        tested = read_backtest(backtest)
    else:
        from patrolplan.outputs.tested import backtest_document
        from patrolplan.patrols.backtest import backtest_patrols
        from patrolplan.risk.backtest import backtest_risk

        with stage("Testing risk models and patrols"):
            trials = backtest_risk(area)
            patrols = backtest_patrols(area, origins=list(trials.trials.origins))
            tested = backtest_document(trials, patrols)
    write_governance(area, risk, tested, out)
    if as_json:
        print_json({"written": [(out / name).as_posix() for name in PAPERS]})
        return
    say_written(out)
