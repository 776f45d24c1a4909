"""The commands that care for the data: fetch, purge and governance."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from patrolplan.cli import console


class FetchPart(StrEnum):
    """What can be fetched by itself."""

    CRIMES = "crimes"
    STREETS = "streets"
    SCHOOLS = "schools"
    PLACES = "places"


@console.app.command()
def fetch(
    config: console.Config = console.DEFAULT_CONFIG,
    months: Annotated[
        int | None,
        typer.Option(
            "--months", min=1, max=240, help="Months of crime; default: months of the settings."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar=console.format_choices(FetchPart),
            help="Fetch only this; may be repeated.",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Fetch again what is already there.")
    ] = False,
    as_json: console.Json = False,
) -> None:
    """Fetch open data that is missing: street crimes, walking streets, schools, pubs.

    Asks data.police.uk, OpenStreetMap (Overpass) and Get Information about Schools about the area
    in the settings, and the Food Standards Agency for the ratings of the authorities under [fetch]
    food_authorities; sends them nothing else. The only command that uses the internet.
    """
    from patrolplan.inputs.download.download import SOURCES, fetch_open_data
    from patrolplan.settings import load_settings

    chosen = [console.parse_choice(part, FetchPart, "--only") for part in only or ()]
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


@console.app.command()
def purge(
    older_than: Annotated[str, typer.Option("--older-than", help="Age, such as 90d or 12w.")],
    out: Annotated[
        list[Path] | None, typer.Option("--out", help="Output folder to purge; may be repeated.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="File to add the record to; default in the cache folder.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be removed.")
    ] = False,
    config: console.Config = console.DEFAULT_CONFIG,
    as_json: console.Json = False,
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
    console.stdout.print(f"{sum(item.removed for item in items)} {removed}.")


def _parse_age(text: str) -> dt.timedelta:
    match = re.fullmatch(r"(\d{1,5})([dw]?)", text.strip())
    if match is None:
        message = f"'{text}' is not a valid age; write days or weeks, such as 90d or 12w"
        raise typer.BadParameter(message, param_hint="--older-than")
    return dt.timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))


@console.app.command()
def governance(
    config: console.Config = console.DEFAULT_CONFIG,
    out: console.Out = Path("patrolplan-governance"),
    backtest: Annotated[
        Path | None,
        typer.Option(
            "--backtest", help="Folder of `patrolplan backtest --out`; else a test is run."
        ),
    ] = None,
    as_json: console.Json = False,
) -> None:
    """Write the impact assessment annex, transparency record and model card, filled in."""
    from patrolplan.outputs.backtest_report import build_backtest_document
    from patrolplan.outputs.governance import PAPERS, read_backtest, write_governance

    console.check_out(out)
    area = console.load_study_area(config)
    risk = console.estimate_area_risk(area)
    if backtest is None:
        tested = build_backtest_document(*console.run_backtest(area))
    else:
        tested = read_backtest(backtest)
    write_governance(area, risk, tested, out)
    if as_json:
        console.print_json({"written": [(out / name).as_posix() for name in PAPERS]})
        return
    console.print_written_to(out)
