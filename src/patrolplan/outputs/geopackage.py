"""A plan for other programs: `plan.json` in degrees and HH:MM, `plan.gpkg` as layers for QGIS."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pydantic import TypeAdapter

from patrolplan.area import StudyArea
from patrolplan.hotspots.carriers import compute_shown_worth
from patrolplan.hotspots.reasons import list_reasons
from patrolplan.notes import list_texts
from patrolplan.outputs import frames
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.gis.geopackage_tables import LAYERS, UNKNOWN, write_tables
from patrolplan.outputs.gis.project import build_styles
from patrolplan.outputs.reason_words import describe_certainty, describe_reasons
from patrolplan.outputs.wording import describe_tasking
from patrolplan.patrols.file_forms import arrange, convert_to_degrees
from patrolplan.patrols.marking import find_marking
from patrolplan.patrols.plan import BarredPlace, Patrol, Plan, build_patrol_document
from patrolplan.patrols.posts import Post
from patrolplan.patrols.surroundings import build_way_notes
from patrolplan.patrols.way_home import WayHome
from patrolplan.provenance import compute_area_provenance
from patrolplan.risk.surface import Risk
from patrolplan.tables import list_left_out
from patrolplan.times import format_time, minutes_after_midnight

SCHEMA = 1


def build_plan_document(plan: Plan) -> dict[str, Any]:
    """Build the content of `plan.json`; equal plans give equal documents."""
    projection = plan.area.projection
    return {
        "schema": SCHEMA,
        "area": plan.area.name,
        "date": None if plan.date is None else f"{plan.date}",
        "created_from": compute_area_provenance(plan.area),
        "risk": build_risk_document(plan.risk),
        "stands_out": int(plan.hotspots["stands_out"].sum()),
        "hotspots": build_hotspot_documents(plan.area, plan.risk, plan.hotspots),
        "way_home": _build_way_home_document(plan.way_home),
        "patrols": [_build_patrol_document(patrol, plan.area) for patrol in plan.patrols],
        "posts": TypeAdapter(tuple[Post, ...]).dump_python(
            plan.posts, mode="json", by_alias=True, context={"projection": projection}
        ),
        "left_out": list_left_out(plan.left_out),
        "notes": list_texts([*plan.risk.notes, *build_way_notes(plan.area)]),
    }


def _build_way_home_document(way_home: WayHome | None) -> dict[str, Any] | None:
    """What patrols meet of the way home, rounded, and what was assumed; None if unknown."""
    if way_home is None:
        return None
    return way_home.write() | {"assumed": list_texts(way_home.assumed)}


def build_risk_document(risk: Risk) -> dict[str, Any]:
    """The risk's model and months, how exact it is, and its window, from null for the bell."""
    window = risk.window
    start = None if window is None else window.start_minutes
    return {
        "model": risk.model,
        "margin": None,  # a plan tests no model
        "months": [f"{month:%Y-%m}" for month in risk.months],
        "times_known": risk.times_known,
        "snapped": risk.snapped,
        "window": window
        and {"from": None if start is None else format_time(start), "minutes": window.minutes},
        "day": risk.day,
    }


def _build_patrol_document(patrol: Patrol, area: StudyArea) -> dict[str, Any]:
    """A patrol with its notes and reasons in words: nothing reads `plan.json` back."""
    document = build_patrol_document(patrol, area.projection)
    pairs = zip(document["stops"], list_stop_facts(patrol, area.projection.crs), strict=True)
    told = {
        "gate": {
            "id": patrol.gate_id,
            "place": patrol.gate_place,
            "point": document["gate"],
            "assumed": patrol.is_gate_assumed,
        },
        "stops": [
            arrange(row, ["why"])
            | {"why": facts.list_sentences("short"), "why_long": facts.list_sentences()}
            for row, facts in pairs
        ],
        "taskings": [*patrol.taskings],
        "keep_away": [_build_barred_document(barred, area) for barred in patrol.keep_away],
        "marking": find_marking(area, [patrol]),
        "notes": list_texts(patrol.notes),
        "way_home": _build_way_home_document(patrol.way_home),
    }
    return arrange(document, ["gate_id", "gate_place", "barred"]) | told


def _build_barred_document(barred: BarredPlace, area: StudyArea) -> dict[str, Any]:
    """A place to keep away from, in degrees, and why."""
    (point,) = convert_to_degrees(np.array([barred.point]), area.projection)
    why = describe_tasking(barred.tasking)
    return {"id": barred.tasking.place_id, "place": barred.place, "point": point, "why": why}


def build_hotspot_documents(
    area: StudyArea, risk: Risk, hotspots: gpd.GeoDataFrame
) -> list[dict[str, Any]]:
    """One entry per hotspot, its stop in degrees; `worth` is its share of the area's risk."""
    columns = {
        "id": hotspots["hotspot"],
        "worth": [round(worth, 8) for worth in compute_shown_worth(risk, hotspots)],
        "length_metres": [round(length, 1) for length in hotspots["length_metres"]],
        "stop": convert_to_degrees(hotspots[["stop_x", "stop_y"]].to_numpy(), area.projection),
        "place": hotspots["place"],
        "reasons": [describe_reasons(reasons) for reasons in list_reasons(hotspots)],
        "carried_by": hotspots["carried_by"],
        "how_sure": describe_certainty(area, risk, hotspots),
    }
    return pd.DataFrame(columns).to_dict("records")  # type: ignore[return-value]  # keys are text


def write_layers(path: Path, layers: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Write layers into a GeoPackage, always as the same bytes; ours with meanings and styles."""
    pyogrio.set_gdal_config_options(GDAL_OPTIONS)
    try:
        for name, frame in layers.items():
            meaning = LAYERS.get(name, UNKNOWN)
            kinds = list(frame.geom_type.unique()) or [meaning.shape]
            kind = "MultiLineString" if len(kinds) > 1 else kinds[0]
            options = {"driver": "GPKG", "append": path.exists(), "geometry_type": kind}
            pyogrio.write_dataframe(frame, path, layer=name, **options, DESCRIPTION=meaning.about)
    except RuntimeError as error:  # how GDAL reports a full disk
        message = f"{path.name}: {error}"
        raise OSError(message) from None
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(GDAL_OPTIONS))
    if any(name in LAYERS for name in layers):
        # The table of styles counts as a layer: a file with one other layer could then no longer be
        # read without naming it.
        write_tables(path, build_styles(layers) if len(layers) > 1 else {})


def build_plan_layers(plan: Plan) -> dict[str, gpd.GeoDataFrame]:
    """The layers of `plan.gpkg` by name, in the area's CRS; bells are times."""
    schools = plan.area.schools
    bells = {
        name: [frames.build_time(plan.date, minutes_after_midnight(bell)) for bell in schools[own]]
        for name, own in (("opens", "start_time"), ("finishes", "finish_time"))
    }
    return {
        "risk": plan.risk.frame(plan.area.network),
        "hotspots": frames.frame_hotspots(plan.area, plan.risk, plan.hotspots),
        "patrols": frames.frame_patrols(plan),
        "stops": frames.frame_stops(plan),
        "legs": frames.frame_legs(plan),
        "schools": schools.assign(**bells),
    }


GDAL_OPTIONS = {
    "OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z",
    "OGR_SQLITE_SYNCHRONOUS": "OFF",
    "OGR_SQLITE_JOURNAL": "MEMORY",
}
"""A fixed date in GeoPackages instead of the time of writing, and no flush to disk after each step:
a folder is flushed once, before it replaces the old one."""
