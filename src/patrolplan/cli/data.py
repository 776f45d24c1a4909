"""The command that brings open data: fetch.

Commands of those who answer for the data: purge and governance.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from patrolplan.cli.console import (
    DEFAULT_CONFIG,
    Config,
    Json,
    Out,
    app,
    check_out,
    estimate_area_risk,
    load_study_area,
)
from patrolplan.terminal import (
    print_json,
    print_written_to,
    report_stage,
    show_progress_bar,
    stderr_console,
    stdout_console,
)

if TYPE_CHECKING:
    from patrolplan.inputs.download.download import FetchResult


class FetchPart(StrEnum):
    """What can be fetched by itself."""

    CRIMES = "crimes"
    STREETS = "streets"
    SCHOOLS = "schools"


@app.command()
def fetch(
    config: Config = DEFAULT_CONFIG,
    months: Annotated[
        int | None,
        typer.Option(
            "--months", min=1, max=240, help="Months of crime; default: months of the settings."
        ),
    ] = None,
    only: Annotated[
        list[FetchPart] | None, typer.Option("--only", help="Fetch only this; may be given again.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Fetch anew what is there already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring open data that is missing: street crimes, walking streets, schools.

    Asks data.police.uk, OpenStreetMap (Overpass) and Get Information about Schools about the area
    in the settings, and tells them nothing else. The only command that uses the internet.
    """
    from patrolplan.inputs.download.download import SOURCES, fetch_open_data
    from patrolplan.settings import load_settings

    settings = load_settings(config)
    wanted = [source for source in SOURCES if not only or FetchPart(source) in only]
    try:
        with show_progress_bar() as tell:
            brought = fetch_open_data(
                settings, months=months, only=wanted, again=again, report_progress=tell
            )
    except KeyboardInterrupt:
        stderr_console.print("patrolplan: stopped; what came so far is kept, fetch again to go on")
        raise SystemExit(130) from None
    if as_json:
        print_json({"written": brought.files, "kept": brought.existing, "notes": brought.notes})
        return
    _print_fetched(brought)


def _print_fetched(brought: FetchResult) -> None:
    """Name what was written, what stays, and what should be known."""
    for name in brought.files:
        stdout_console.print(f"Written {name}")
    if not brought.files:
        stdout_console.print("Nothing was missing.")
    if brought.existing:
        stdout_console.print(f"{brought.existing} files were there already.")
    for note in brought.notes:
        stdout_console.print(f"note: {note}")
    if brought.files:
        stdout_console.print(
            "Where each came from and its licence: fetched.json. Now `patrolplan check`."
        )


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
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Remove old caches and outputs that patrolplan wrote, never your own files; record what."""
    from patrolplan.outputs.purge import purge as purged

    found = purged(
        _parse_age(older_than), out or [], home=config.parent, record=record, dry_run=dry_run
    )
    if as_json:
        print_json({"dry_run": dry_run, "found": [asdict(one) for one in found]})
        return
    gone = "would go" if dry_run else "removed"
    for one in found:
        state = gone if one.removed else "kept"
        stdout_console.print(f"{state}: {one.path} ({one.what}; {one.why})", soft_wrap=True)
    stdout_console.print(f"{sum(one.removed for one in found)} {gone}.")


def _parse_age(text: str) -> dt.timedelta:
    match = re.fullmatch(r"(\d{1,5})([dw]?)", text.strip())
    if match is None:
        message = f"'{text}' is no age; write days or weeks, such as 90d or 12w"
        raise typer.BadParameter(message, param_hint="--older-than")
    return dt.timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))


@app.command()
def governance(
    config: Config = DEFAULT_CONFIG,
    out: Out = Path("patrolplan-governance"),
    backtest: Annotated[
        Path | None,
        typer.Option("--backtest", help="Folder of `patrolplan backtest --out`; else it is run."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write impact assessment annex, transparency record and model card, filled with the facts."""
    from patrolplan.outputs.governance import PAPERS, read_backtest, write_governance

    check_out(out)
    area = load_study_area(config)
    risk = estimate_area_risk(area)
    if backtest is not None:
        tested = read_backtest(backtest)
    else:
        from patrolplan.outputs.backtest_report import build_backtest_document
        from patrolplan.patrols.patrol_backtest import backtest_patrols
        from patrolplan.risk.backtest import backtest_risk

        with report_stage("Testing risk models and patrols"):
            trials = backtest_risk(area)
            patrols = backtest_patrols(area, origins=list(trials.trials.origins))
            tested = build_backtest_document(trials, patrols)
    write_governance(area, risk, tested, out)
    if as_json:
        print_json({"written": [(out / name).as_posix() for name in PAPERS]})
        return
    print_written_to(out)
