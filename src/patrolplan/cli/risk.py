"""The commands for what patrols are planned from: risk and hotspots."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.text import format_count, format_percent

if TYPE_CHECKING:
    import geopandas as gpd
    from rich.table import Table


@command
def risk(
    config: options.Config = options.DEFAULT_CONFIG,
    out: Path | None = options.option(
        "Folder to write; with --hexagons a file that ends in .gpkg.", options.FOLDER
    ),
    hexagons: str | None = options.option(
        "Add it up by the cells of H3, such as h3:9.", "h3:RESOLUTION"
    ),
    window: options.WindowName = None,
    start: options.Start = None,
    minutes: options.Minutes = None,
    date: options.Date = None,
    as_json: options.Json = False,
) -> None:
    """Estimate the risk of every piece of street; --out writes a layer."""
    from patrolplan.notes import list_texts
    from patrolplan.outputs.hexagons import write_hexagons
    from patrolplan.outputs.plan_document import tell_risk
    from patrolplan.patrols.file_forms import write_record

    resolution = None if hexagons is None else _parse_hexagons(hexagons, out)
    if resolution is None:
        steps.check_out(out)
    area, surface = _estimate_for_window(config, window, start, minutes, date)
    if resolution is not None and out is not None:
        with console.report_stage(f"Writing {out.name}"):
            write_hexagons(out, pp.risk_on_hexagons(area, surface, h3_resolution=resolution))
    elif out is not None:
        _write_layers(area, out, "risk.gpkg", {"risk": surface.frame(area.network)})
    notes = list_texts(surface.notes)
    months = f"{surface.months[0]:%B %Y} to {surface.months[1]:%B %Y}"
    pieces = f"{len(surface.joined):,} pieces of street"
    lines = [
        f"Risk on {pieces}, from crime recorded {months}. Model: {surface.model}.",
        *(f"note: {note}" for note in notes),
        *console.list_written(out, "risk.gpkg" if resolution is None else ""),
    ]
    told = write_record(tell_risk(surface), area.projection)
    document = {"area": area.name, **told, "notes": notes}
    console.print_result(document, lines, as_json=as_json)


def _parse_hexagons(text: str, out: Path | None) -> int:
    """The resolution of H3 as typed, after a check that the file can be written."""
    from patrolplan.outputs.hexagons import check_file_name, check_resolution

    if out is None:
        options.refuse("needs --out FILE, such as risk.gpkg", "--hexagons")
    check_file_name(out)
    grid, _, resolution = text.lower().partition(":")
    what = f"'{text}' is not a size of hexagons; write a resolution of H3, such as h3:9"
    options.refuse_if((grid != "h3" or not resolution.isdecimal(), what, "--hexagons"))
    check_resolution(int(resolution))
    return int(resolution)


@command
def hotspots(
    config: options.Config = options.DEFAULT_CONFIG,
    out: options.OptionalOut = None,
    window: options.WindowName = None,
    start: options.Start = None,
    minutes: options.Minutes = None,
    date: options.Date = None,
    as_json: options.Json = False,
) -> None:
    """Find the hotspots of a window; --out writes a layer."""
    from patrolplan.notes import list_texts
    from patrolplan.outputs.plan_document import tell_hotspots
    from patrolplan.patrols.file_forms import write_record
    from patrolplan.risk.history import note_guard

    steps.check_out(out)
    area, surface = _estimate_for_window(config, window, start, minutes, date)
    spots = steps.find_area_hotspots(area, surface)
    if out is not None:
        layer = pp.frame_hotspots(area, surface, spots)
        _write_layers(area, out, "hotspots.gpkg", {"hotspots": layer})
    documents = [
        write_record(entry, area.projection) for entry in tell_hotspots(area, surface, spots)
    ]
    rows = [
        (
            *(row["id"], format_percent(row["worth"], 1), f"{row['length_metres']:.0f}"),
            *(row["place"], "; ".join(row["reasons"])),
        )
        for row in documents[:20]
    ]
    parts: list[str | Table] = [
        f"{format_count(len(spots), 'hotspot')}; those with the most risk:",
        console.build_table("hotspot", "share of risk", "metres", "place", "why", rows=rows),
        *(f"note: {note}" for note in list_texts(note_guard(area.settings))),
        *console.list_written(out, "hotspots.gpkg"),
    ]
    document = {"area": area.name, "hotspots": documents, "notes": list_texts(surface.notes)}
    console.print_result(document, parts, as_json=as_json)


def _estimate_for_window(
    path: Path, name: str | None, start: dt.time | None, minutes: float | None, date: dt.date | None
) -> tuple[pp.StudyArea, pp.Risk]:
    """The area and its risk in the window of the options."""
    from patrolplan.area.patrol_window import resolve_window

    settings = pp.load_settings(path)
    window = resolve_window(settings.patrol, name=name, start=start, minutes=minutes)
    area = steps.load_study_area(settings)
    return area, steps.estimate_area_risk(area, window, date)


def _write_layers(
    area: pp.StudyArea, out: Path, name: str, layers: dict[str, gpd.GeoDataFrame]
) -> None:
    """Write a layer, with a style file that QGIS finds by name."""
    from patrolplan.outputs.geopackage import write_layers
    from patrolplan.outputs.gis.project import build_styles
    from patrolplan.outputs.output_folder import build_manifest_header, replace_folder

    with (
        console.report_stage(f"Writing {name}"),
        replace_folder(out, build_manifest_header(area)) as folder,
    ):
        write_layers(folder / name, layers)
        for style in build_styles(layers).values():
            (folder / name).with_suffix(".qml").write_text(style, encoding="utf-8", newline="\n")
