"""The command that fetches open data: fetch."""

import patrolplan as pp
from patrolplan.cli import console, options
from patrolplan.cli.app import command


@command
def fetch(
    config: options.Config = options.DEFAULT_CONFIG,
    months: int | None = options.option(
        "Months of crime; default: months of the settings.", min=1, max=240
    ),
    only: list[str] | None = options.option(
        "Fetch only this; may be repeated.", **options.choose_from("crimes", "streets", "schools")
    ),
    again: bool = options.flag("--again", "Fetch again what is already there."),
    as_json: options.Json = False,
) -> None:
    """Fetch open data that is missing: crimes, streets, schools.

    Asks data.police.uk, OpenStreetMap (Overpass) and Get Information about Schools about the area
    in the settings; sends them nothing else. The only command that uses the internet.
    """
    from patrolplan.inputs.download.download import SOURCES, fetch_open_data

    settings = pp.load_settings(config)
    wanted = [source for source in SOURCES if source in (only or ())] or None
    try:
        with console.report_stage("Fetching") as report:
            fetched = fetch_open_data(
                settings, months=months, only=wanted, again=again, report_progress=report
            )
    except KeyboardInterrupt:
        console.stderr.print(
            "patrolplan: stopped; what was downloaded so far is saved; fetch again to carry on"
        )
        raise SystemExit(130) from None
    lines = [f"Written {name}" for name in fetched.files] or ["Nothing was missing."]
    if fetched.existing:
        lines.append(f"{fetched.existing} files were already there.")
    lines += [f"note: {note}" for note in fetched.notes]
    if fetched.files:
        where = "Where each came from and its licence: fetched.json."
        lines.append(f"{where} Next: run `patrolplan check`.")
    document = {"written": fetched.files, "kept": fetched.existing, "notes": fetched.notes}
    console.print_result(document, lines, as_json=as_json)
