"""The commands that look at the data: init, check, risk, hotspots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from patrolplan.cli import console
from patrolplan.errors import OutputError
from patrolplan.tables import list_left_out
from patrolplan.text import format_count

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from patrolplan.area import StudyArea


@console.app.command()
def init(config: console.Config = console.DEFAULT_CONFIG, as_json: console.Json = False) -> None:
    """Write a settings file to start from, with every key and its meaning."""
    from patrolplan.settings.load import build_settings_template

    try:
        with config.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(build_settings_template())
    except OSError as error:
        why = f"cannot be written ({error.strerror})"
        if isinstance(error, FileExistsError):
            why = "already exists"
        message = f"{config}: {why}; name another file with --config"
        raise OutputError(message) from None
    if as_json:
        console.print_json({"written": str(config)})
        return
    console.stdout.print(
        f"Written {config}: name your files under [sources], then `patrolplan check`."
    )


@console.app.command()
def check(config: console.Config = console.DEFAULT_CONFIG, as_json: console.Json = False) -> None:
    """Read everything and say what came in, what was left out, and what was assumed."""
    area = console.load_study_area(config)
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
        "left_out": list_left_out(area.left_out),
        "notes": list(area.notes),
    }
    if as_json:
        console.print_json(document)
        return
    table = Table("what came in", "", title=area.name, title_justify="left")
    for name, value in document.items():
        if name not in {"area", "left_out", "notes"}:
            shown = " to ".join(value) if isinstance(value, list) else str(value)
            table.add_row(name.replace("_", " "), shown)
    console.stdout.print(table)
    console.print_left_out(area.left_out, area.notes)


@console.app.command()
def risk(
    config: console.Config = console.DEFAULT_CONFIG,
    out: console.OptionalOut = None,
    as_json: console.Json = False,
) -> None:
    """Estimate the risk of every piece of street; with --out, write it as a layer."""
    from patrolplan.outputs.geopackage import build_risk_document, build_risk_layer

    console.check_out(out)
    area = console.load_study_area(config)
    surface = console.estimate_area_risk(area)
    if out is not None:
        _write_layers(area, out, "risk.gpkg", {"risk": build_risk_layer(area, surface)})
    if as_json:
        console.print_json(
            {"area": area.name, **build_risk_document(surface), "notes": list(surface.notes)}
        )
        return
    console.stdout.print(repr(surface))
    console.print_notes(surface.notes)
    console.print_written_to(out)


@console.app.command()
def hotspots(
    config: console.Config = console.DEFAULT_CONFIG,
    out: console.OptionalOut = None,
    as_json: console.Json = False,
) -> None:
    """Find the hotspots; with --out, write them as a layer."""
    from patrolplan.outputs.geopackage import build_hotspot_documents, build_hotspot_layer
    from patrolplan.risk.history import describe_guard

    console.check_out(out)
    area = console.load_study_area(config)
    surface = console.estimate_area_risk(area)
    spots = console.find_area_hotspots(area, surface)
    if out is not None:
        _write_layers(
            area, out, "hotspots.gpkg", {"hotspots": build_hotspot_layer(area, surface, spots)}
        )
    documents = build_hotspot_documents(area, surface, spots)
    if as_json:
        notes = list(surface.notes)
        console.print_json({"area": area.name, "hotspots": documents, "notes": notes})
        return
    table = Table("hotspot", "share of risk", "metres", "place", "why")
    for row in documents[:20]:
        share, metres = f"{row['worth']:.1%}", f"{row['length_metres']:.0f}"
        table.add_row(row["id"], share, metres, row["place"], "; ".join(row["reasons"]))
    console.stdout.print(f"{format_count(len(spots), 'hotspot')}; those with the most risk:")
    console.stdout.print(table)
    console.print_notes(describe_guard(area.settings))
    console.print_written_to(out)


def _write_layers(
    area: StudyArea, out: Path, name: str, layers: dict[str, gpd.GeoDataFrame]
) -> None:
    from patrolplan.outputs.geopackage import write_layers
    from patrolplan.outputs.output_folder import replace_folder
    from patrolplan.provenance import build_manifest_header

    with (
        console.report_stage(f"Writing {name}"),
        replace_folder(out, build_manifest_header(area)) as folder,
    ):
        write_layers(folder / name, layers)
