"""The command on pupils' ways home: ways."""

from pathlib import Path

from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.text import pick_fields

ABSENCES = ("no_origins", "origin_areas_unknown", "no_stops")  # keys of notes on ways home


@command
def ways(
    config: options.Config = options.DEFAULT_CONFIG,
    show: bool = options.flag("--show", "Write where pupils walk as a layer; needs --reason."),
    reason: str | None = options.option("What the layer is needed for; it is recorded.", "TEXT"),
    out: Path = options.option(
        "Folder for the layer of --show; replaced whole.",
        options.FOLDER,
        default=Path("patrolplan-ways"),
    ),
    as_json: options.Json = False,
) -> None:
    """Say how many pupils are on the streets after the bell.

    No street is named. With --show and a written reason, where pupils walk is written
    for an analyst, and that is recorded next to the settings file.
    """
    from patrolplan.notes import list_texts
    from patrolplan.outputs.ways_layer import check_reason, write_ways
    from patrolplan.patrols.marking import raise_marking

    if show:
        check_reason(reason)
        steps.check_out(out)
    elif reason is not None:
        options.refuse("it says why pupils' ways are shown; give --show too", "--reason")
    area = steps.load_study_area(config)
    with console.report_stage("Modelling ways home"):
        from patrolplan.pupils.model import model_pupils

        pupils = model_pupils(area)
    if show:
        write_ways(area, pupils, out, reason=reason or "")
    absent = [note for note in area.notes if note.key in ABSENCES]
    notes = list_texts([*absent, *pupils.notes])
    schools = [pick_fields(one, "urn", "roll", "on_streets", "elsewhere") for one in pupils.schools]
    rows = [
        (one.urn, name, f"{one.roll:,.0f}", f"{one.on_streets:,.0f}", f"{one.elsewhere:,.0f}")
        for name, one in zip(area.schools["name"], pupils.schools, strict=True)
    ]
    table = console.build_table("URN", "school", "pupils", "on the streets", "elsewhere", rows=rows)
    lines = [f"note: {note}" for note in notes]
    if show:
        lines.append(f"Written to {out}: {raise_marking(area.settings.output.marking)}.")
        lines.append("It is recorded who wrote it and why; `purge` removes it.")
    document = {"area": area.name, "schools": schools, "notes": notes}
    console.print_result(document, [table, *lines], as_json=as_json)
