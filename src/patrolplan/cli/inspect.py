"""The commands that look at data and documents: init, check, risk, hotspots, schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.errors import OutputError
from patrolplan.text import format_count, format_percent

if TYPE_CHECKING:
    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.risk.surface import Risk


Date = Annotated[
    str | None,
    typer.Option(
        metavar=options.DAY, help="Day: its kind (school day, holiday) follows from term dates."
    ),
]


@command
def init(
    config: Path = options.option(
        options.DEFAULT_CONFIG, "--config", "The settings file to write.", options.FILE
    ),
    demo: bool = options.option(
        False, "--demo", "The fictional borough's settings and files, to try every command on."
    ),
    as_json: options.Json = False,
) -> None:
    """Write a settings file to start from, with every key and its meaning, and a secret."""
    from patrolplan.settings.load import build_settings_template, copy_demo_files, demo_settings
    from patrolplan.settings.models import WeekSettings
    from patrolplan.team.secret import create_secret

    text = demo_settings().read_text(encoding="utf-8") if demo else build_settings_template()
    try:
        if demo and not config.exists():  # otherwise nothing is copied either
            copy_demo_files(config.parent)
        with config.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        why, remedy = f"cannot be written ({error.strerror})", "name another file with --config"
        if isinstance(error, FileExistsError):
            why = "already exists"
            remedy = "begin in an empty folder" if demo else remedy
        message = f"{error.filename or config}: {why}; {remedy}"
        raise OutputError(message) from None
    secret = config.parent / WeekSettings().secret
    is_new = create_secret(secret)
    if as_json:
        console.print_json({"written": str(config), "secret": str(secret)})
        return
    next_step = "Name your files under [sources], then run `patrolplan check`."
    if demo:
        next_step = "Its files are next to it: run `patrolplan check`, then any other command."
    console.stdout.print(f"Created {config}. {next_step}")
    if is_new:
        console.stdout.print(
            f"Created {secret}, with which weeks are drawn: let nobody else read it."
        )


@command
def check(config: options.Config = options.DEFAULT_CONFIG, as_json: options.Json = False) -> None:
    """Read everything and say what came in, what was left out, and what was assumed."""
    from patrolplan.area.relations import check_age
    from patrolplan.inputs.fetched import list_corrections
    from patrolplan.outputs.note_words import describe_notes
    from patrolplan.outputs.wording import SNAPPED_ACCURACY
    from patrolplan.pupils.rolls import count_pupils
    from patrolplan.tables import list_left_out

    area = check_age(steps.load_study_area(config), None)
    assumed = (*area.notes, *count_pupils(area.schools).notes)
    corrections = list_corrections(area.settings.folder)
    first, last = area.incidents["month"].min(), area.incidents["month"].max()
    document = {
        "area": area.name,
        "street_km": round(area.network.metres / 1000, 1),
        "incidents": len(area.incidents),
        "months": [f"{first:%Y-%m}", f"{last:%Y-%m}"],
        "times_known": area.times_known,
        "snapped": area.snapped,
        "groups_of_reports": len(area.reports),
        "schools": len(area.schools),
        "officers": len(area.officers),
        "tables": [asdict(one) for one in area.tables],
        "forces": build_force_counts(area),
        "missing": [
            {"force": one.force, "month": f"{one.month:%Y-%m}"} for one in area.exposure.missing
        ],
        "left_out": list_left_out(area.left_out),
        "alarms": [asdict(one) for one in area.alarms],
        "notes": [*describe_notes(assumed), *corrections],
    }
    if as_json:
        console.print_json(document)
        return
    facts = {
        "streets": f"{document['street_km']:,} km",
        "incidents of crime": f"{len(area.incidents):,}, {first:%Y-%m} to {last:%Y-%m}",
        "places of crimes": SNAPPED_ACCURACY if area.snapped else "exact",
        "times of crimes": "known" if area.times_known else "only the month is known",
        "groups of pupils' reports": f"{len(area.reports):,}",
        "schools": f"{len(area.schools):,}",
        "officers": f"{len(area.officers):,}",
    }
    table = Table("what came in", "", title=area.name, title_justify="left")
    for row in facts.items():
        table.add_row(*row)
    console.stdout.print(table)
    rows = Table("table", "rows", "used", "left out")
    for one in area.tables:
        rows.add_row(one.source, f"{one.rows:,}", f"{one.used:,}", f"{one.left_out:,}")
    console.stdout.print(rows)
    console.print_left_out(area.left_out, assumed)
    console.print_notes(corrections)


def build_force_counts(area: StudyArea) -> list[dict[str, object]]:
    """Incidents in the area by force and month, suppressed if there are few."""
    from patrolplan.privacy import suppress_and_round

    exposure, least = area.exposure, area.settings.privacy.min_crime_count
    counts = exposure.incidents if least == 1 else suppress_and_round(exposure.incidents, least)
    return [
        {"force": force, "month": f"{month:%Y-%m}", "incidents": int(counts[t, f])}
        for f, force in enumerate(exposure.forces)
        for t, month in enumerate(exposure.months)
        if exposure.held[t, f] or exposure.incidents[t, f]
    ]


@command
def risk(
    config: options.Config = options.DEFAULT_CONFIG,
    out: Path | None = options.option(
        None,
        "--out",
        "Folder to write; with --hexagons a file, .gpkg, .geojson or .parquet.",
        options.FOLDER,
    ),
    hexagons: str | None = options.option(
        None, "--hexagons", "Add it up by the cells of H3, such as h3:9.", "h3:RESOLUTION"
    ),
    window: options.WindowName = None,
    start: options.Start = None,
    minutes: options.Minutes = None,
    date: Date = None,
    as_json: options.Json = False,
) -> None:
    """Estimate the risk of every piece of street in a window; --out writes a layer for QGIS."""
    from patrolplan.outputs.geopackage import build_risk_document
    from patrolplan.outputs.note_words import describe_notes

    resolution = None if hexagons is None else _parse_hexagons(hexagons, out)
    if resolution is None:
        steps.check_out(out)
    area, surface = _estimate_for_window(config, window, start, minutes, date)
    if resolution is not None and out is not None:
        _write_hexagons(area, surface, resolution, out)
    elif out is not None:
        _write_layers(area, out, "risk.gpkg", {"risk": surface.frame(area.network)})
    notes = describe_notes(surface.notes)
    if as_json:
        console.print_json({"area": area.name, **build_risk_document(surface), "notes": notes})
        return
    months = f"{surface.months[0]:%B %Y} to {surface.months[1]:%B %Y}"
    console.stdout.print(
        f"Risk on {len(surface.joined):,} pieces of street, from crime recorded {months}. "
        f"Model: {surface.model}."
    )
    console.print_notes(notes)
    console.print_written_to(out, "risk.gpkg" if resolution is None else "")


def _parse_hexagons(text: str, out: Path | None) -> int:
    """The resolution of H3 as typed, after a check that the file can be written."""
    from patrolplan.outputs.hexagons import check_frame_name, check_resolution

    if out is None:
        options.refuse("needs --out FILE, such as risk.gpkg", "--hexagons")
    check_frame_name(out)
    grid, _, resolution = text.lower().partition(":")
    if grid != "h3" or not resolution.isdecimal():
        options.refuse(
            f"'{text}' is not a size of hexagons; write a resolution of H3, such as h3:9",
            "--hexagons",
        )
    check_resolution(int(resolution))
    return int(resolution)


def _write_hexagons(area: StudyArea, surface: Risk, resolution: int, out: Path) -> None:
    from patrolplan.outputs.hexagons import risk_on_hexagons, write_frame

    with console.report_stage(f"Writing {out.name}"):
        cells = risk_on_hexagons(area, surface, h3_resolution=resolution)
        write_frame(out, cells, "risk_hexagons")


@command
def hotspots(
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    window: options.WindowName = None,
    start: options.Start = None,
    minutes: options.Minutes = None,
    date: Date = None,
    as_json: options.Json = False,
) -> None:
    """Find the hotspots of a window; --out writes them as a layer for QGIS."""
    from patrolplan.outputs.frames import frame_hotspots
    from patrolplan.outputs.geopackage import build_hotspot_documents
    from patrolplan.outputs.note_words import describe_notes
    from patrolplan.risk.history import note_guard

    steps.check_out(out)
    area, surface = _estimate_for_window(config, window, start, minutes, date)
    spots = steps.find_area_hotspots(area, surface)
    if out is not None:
        _write_layers(
            area, out, "hotspots.gpkg", {"hotspots": frame_hotspots(area, surface, spots)}
        )
    documents = build_hotspot_documents(area, surface, spots)
    if as_json:
        notes = describe_notes(surface.notes)
        console.print_json({"area": area.name, "hotspots": documents, "notes": notes})
        return
    table = Table("hotspot", "share of risk", "metres", "place", "why")
    for row in documents[:20]:
        share, metres = format_percent(row["worth"], 1), f"{row['length_metres']:.0f}"
        table.add_row(row["id"], share, metres, row["place"], "; ".join(row["reasons"]))
    console.stdout.print(f"{format_count(len(spots), 'hotspot')}; those with the most risk:")
    console.stdout.print(table)
    console.print_notes(describe_notes(note_guard(area.settings)))
    console.print_written_to(out, "hotspots.gpkg")


def _estimate_for_window(
    config: Path, name: str | None, start: str | None, minutes: float | None, date: str | None
) -> tuple[StudyArea, Risk]:
    """The area and its risk in the window of the options."""
    from patrolplan.area.patrol_window import resolve_window
    from patrolplan.settings import load_settings

    at, length = options.parse_time(start), options.parse_minutes(minutes)
    day = None if date is None else options.parse_date(date, "--date")
    settings = load_settings(config)
    window = resolve_window(settings.patrol, name=name, start=at, minutes=length)
    area = steps.load_study_area(settings)
    return area, steps.estimate_area_risk(area, window, day)


def _write_layers(
    area: StudyArea, out: Path, name: str, layers: dict[str, gpd.GeoDataFrame]
) -> None:
    """Write a layer, with a style file that QGIS finds by name."""
    from patrolplan.outputs.geopackage import write_layers
    from patrolplan.outputs.gis.styles import build_styles
    from patrolplan.outputs.output_folder import build_manifest_header, replace_folder

    with (
        console.report_stage(f"Writing {name}"),
        replace_folder(out, build_manifest_header(area)) as folder,
    ):
        write_layers(folder / name, layers)
        for style in build_styles(layers).values():
            (folder / name).with_suffix(".qml").write_text(style, encoding="utf-8", newline="\n")


class Document(StrEnum):
    """The documents that have a schema."""

    PLAN = "plan"
    WEEK = "week"
    MANIFEST = "manifest"
    BACKTEST = "backtest"
    CHECK = "check"


@command
def schema(
    document: Annotated[str, typer.Argument(metavar=options.format_choices(Document))],
    config: options.Config = options.DEFAULT_CONFIG,
    as_json: options.Json = False,
) -> None:
    """Print the JSON Schema of a document that other programs read, to check it with."""
    from patrolplan.outputs.schemas import find_schema_file

    del config, as_json  # common options: a schema is JSON, and the same for all areas
    name = options.parse_choice(document, Document, "DOCUMENT")
    console.print_json(json.loads(find_schema_file(name.value).read_text(encoding="utf-8")))
