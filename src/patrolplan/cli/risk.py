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


@command
def risk(
    config: options.Config = options.DEFAULT_CONFIG,
    out: Path | None = options.option(
        None, "--out", "Folder to write; with --hexagons a file that ends in .gpkg.", options.FOLDER
    ),
    hexagons: str | None = options.option(
        None, "--hexagons", "Add it up by the cells of H3, such as h3:9.", "h3:RESOLUTION"
    ),
    window: options.WindowName = None,
    start: options.Start = None,
    minutes: options.Minutes = None,
    date: options.Date = None,
    as_json: options.Json = False,
) -> None:
    """Estimate the risk of every piece of street; --out writes a layer."""
    from patrolplan.notes import list_texts
    from patrolplan.outputs.geopackage import build_risk_document

    resolution = None if hexagons is None else _parse_hexagons(hexagons, out)
    if resolution is None:
        steps.check_out(out)
    area, surface = _estimate_for_window(config, window, start, minutes, date)
    if resolution is not None and out is not None:
        _write_hexagons(area, surface, resolution, out)
    elif out is not None:
        _write_layers(area, out, "risk.gpkg", {"risk": surface.frame(area.network)})
    notes = list_texts(surface.notes)
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
    from patrolplan.outputs.hexagons import check_file_name, check_resolution

    if out is None:
        options.refuse("needs --out FILE, such as risk.gpkg", "--hexagons")
    check_file_name(out)
    grid, _, resolution = text.lower().partition(":")
    if grid != "h3" or not resolution.isdecimal():
        options.refuse(
            f"'{text}' is not a size of hexagons; write a resolution of H3, such as h3:9",
            "--hexagons",
        )
    check_resolution(int(resolution))
    return int(resolution)


def _write_hexagons(area: pp.StudyArea, surface: pp.Risk, resolution: int, out: Path) -> None:
    from patrolplan.outputs.hexagons import write_hexagons

    with console.report_stage(f"Writing {out.name}"):
        cells = pp.risk_on_hexagons(area, surface, h3_resolution=resolution)
        write_hexagons(out, cells)


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
    from patrolplan.outputs.geopackage import build_hotspot_documents
    from patrolplan.risk.history import note_guard

    steps.check_out(out)
    area, surface = _estimate_for_window(config, window, start, minutes, date)
    spots = steps.find_area_hotspots(area, surface)
    if out is not None:
        _write_layers(
            area, out, "hotspots.gpkg", {"hotspots": pp.frame_hotspots(area, surface, spots)}
        )
    documents = build_hotspot_documents(area, surface, spots)
    if as_json:
        notes = list_texts(surface.notes)
        console.print_json({"area": area.name, "hotspots": documents, "notes": notes})
        return
    rows = [
        (
            *(row["id"], format_percent(row["worth"], 1), f"{row['length_metres']:.0f}"),
            *(row["place"], "; ".join(row["reasons"])),
        )
        for row in documents[:20]
    ]
    console.stdout.print(f"{format_count(len(spots), 'hotspot')}; those with the most risk:")
    console.print_table("hotspot", "share of risk", "metres", "place", "why", rows=rows)
    console.print_notes(list_texts(note_guard(area.settings)))
    console.print_written_to(out, "hotspots.gpkg")


def _estimate_for_window(
    config: Path,
    name: str | None,
    start: dt.time | None,
    minutes: float | None,
    date: dt.date | None,
) -> tuple[pp.StudyArea, pp.Risk]:
    """The area and its risk in the window of the options."""
    from patrolplan.area.patrol_window import resolve_window

    settings = pp.load_settings(config)
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
