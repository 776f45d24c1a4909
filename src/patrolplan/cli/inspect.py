"""Commands that look at the data: init, check, risk, hotspots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from patrolplan.cli.console import (
    DEFAULT_CONFIG,
    Config,
    Json,
    OptionalOut,
    app,
    check_out,
    estimate_area_risk,
    load_study_area,
)
from patrolplan.errors import OutputError
from patrolplan.terminal import (
    list_left_out,
    print_json,
    print_left_out,
    print_written_to,
    report_stage,
    stdout_console,
)
from patrolplan.text import format_count

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from patrolplan.area import StudyArea


@app.command()
def init(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Write a settings file to start from, with every key and its meaning."""
    from patrolplan.settings.load import build_settings_template

    try:
        with config.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(build_settings_template())
    except FileExistsError:
        message = f"{config}: is there already; name another file with --config"
        raise OutputError(message) from None
    except OSError as error:
        message = f"{config}: cannot be written ({error.strerror}); name another file with --config"
        raise OutputError(message) from None
    if as_json:
        print_json({"written": str(config)})
        return
    stdout_console.print(
        f"Written {config}: name your files under [sources], then `patrolplan check`."
    )


@app.command()
def check(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Read everything and say what came in, what was left out, and what was assumed."""
    area = load_study_area(config)
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
        print_json(document)
        return
    table = Table("what came in", "", title=area.name, title_justify="left")
    for name, value in document.items():
        if name not in {"area", "left_out", "notes"}:
            shown = " to ".join(value) if isinstance(value, list) else str(value)
            table.add_row(name.replace("_", " "), shown)
    stdout_console.print(table)
    print_left_out(area.left_out, area.notes)


@app.command()
def risk(config: Config = DEFAULT_CONFIG, out: OptionalOut = None, as_json: Json = False) -> None:
    """Estimate the risk of every piece of street; with --out, write it as a layer."""
    from patrolplan.outputs.geopackage import build_risk_layer
    from patrolplan.outputs.planfile import build_risk_document

    check_out(out)
    area = load_study_area(config)
    surface = estimate_area_risk(area)
    if out is not None:
        _write_layers(area, out, "risk.gpkg", {"risk": build_risk_layer(area, surface)})
    if as_json:
        print_json(
            {"area": area.name, **build_risk_document(surface), "notes": list(surface.notes)}
        )
        return
    stdout_console.print(repr(surface))
    for note in surface.notes:
        stdout_console.print(f"note: {note}")
    print_written_to(out)


@app.command()
def hotspots(
    config: Config = DEFAULT_CONFIG, out: OptionalOut = None, as_json: Json = False
) -> None:
    """Find the hotspots; with --out, write them as a layer."""
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.geopackage import build_hotspot_layer
    from patrolplan.outputs.planfile import build_hotspot_documents
    from patrolplan.risk.history import describe_guard

    check_out(out)
    area = load_study_area(config)
    surface = estimate_area_risk(area)
    with report_stage("Finding hotspots"):
        found = find_hotspots(area, surface)
    if out is not None:
        _write_layers(area, out, "hotspots.gpkg", {"hotspots": build_hotspot_layer(found)})
    if as_json:
        documents = build_hotspot_documents(found, area.projection)
        notes = list(surface.notes)
        print_json({"area": area.name, "hotspots": documents, "notes": notes})
        return
    table = Table("hotspot", "share of risk", "metres", "place", "why")
    for row in build_hotspot_documents(found, area.projection)[:20]:
        why = "; ".join(row["reasons"])
        table.add_row(
            row["id"], f"{row['worth']:.1%}", f"{row['length_metres']:.0f}", row["place"], why
        )
    stdout_console.print(f"{format_count(len(found), 'hotspot')}; those of most risk:")
    stdout_console.print(table)
    for note in describe_guard(area.settings):
        stdout_console.print(f"note: {note}")
    print_written_to(out)


def _write_layers(
    area: StudyArea, out: Path, name: str, layers: dict[str, gpd.GeoDataFrame]
) -> None:
    from patrolplan.area.provenance import build_manifest_header
    from patrolplan.outputs.geopackage import write_layers
    from patrolplan.outputs.output_folder import replace_folder

    with (
        report_stage(f"Writing {name}"),
        replace_folder(out, build_manifest_header(area)) as folder,
    ):
        write_layers(folder / name, layers)
