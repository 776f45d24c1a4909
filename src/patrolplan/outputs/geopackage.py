"""Layers for QGIS: those of a plan, and how a GeoPackage is written."""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pyogrio

from patrolplan.outputs import frames
from patrolplan.outputs.gis.geopackage_tables import LAYERS, UNKNOWN, write_tables
from patrolplan.outputs.gis.project import build_styles
from patrolplan.patrols.plan import Plan
from patrolplan.times import minutes_after_midnight


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
