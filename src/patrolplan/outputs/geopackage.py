"""`plan.gpkg`: risk, hotspots, patrols, stops, legs and schools as layers for QGIS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from patrolplan.area import StudyArea
from patrolplan.patrols.plan import Plan, format_time
from patrolplan.risk.estimate import Risk


def write_layers(path: Path, layers: dict[str, gpd.GeoDataFrame]) -> None:
    """Write layers into one GeoPackage; the same layers give the same bytes.

    Raises
    ------
    OSError
        When the file cannot be written, such as on a full disk.
    """
    with _fix_gdal_date():
        for name, frame in layers.items():
            try:
                pyogrio.write_dataframe(
                    frame,
                    path,
                    layer=name,
                    driver="GPKG",
                    append=path.exists(),
                    geometry_type=_find_geometry_type(frame),
                )
            except RuntimeError as error:  # what GDAL makes of a full disk
                message = f"{path.name}: {error}"
                raise OSError(message) from None


def build_plan_layers(plan: Plan) -> dict[str, gpd.GeoDataFrame]:
    """The layers of the contracts, in the area's CRS."""
    return {
        "risk": build_risk_layer(plan.area, plan.risk),
        "hotspots": build_hotspot_layer(plan.hotspots),
        "patrols": _build_patrol_layer(plan),
        "stops": _build_stop_layer(plan),
        "legs": _build_leg_layer(plan),
        "schools": plan.area.schools,
    }


def build_risk_layer(area: StudyArea, risk: Risk) -> gpd.GeoDataFrame:
    """One row a piece of street: risk by voice, joined, per metre, and where voices disagree."""
    frame = area.network.frame()
    return frame.assign(
        crime=risk.crime,
        reports=risk.reports,
        risk=risk.joined,
        risk_per_metre=risk.joined / area.network.piece_metres,
        disagreement=risk.disagreement,
    )


def build_hotspot_layer(hotspots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Hotspots with their reasons as text; the stopping place as two columns."""
    stops = gpd.GeoSeries(hotspots["stop"])
    frame = hotspots.drop(columns=["pieces", "stop_piece", "stop"])
    frame = frame.assign(reasons=hotspots["reasons"].map("; ".join), stop_x=stops.x, stop_y=stops.y)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=hotspots.crs)


def _build_patrol_layer(plan: Plan) -> gpd.GeoDataFrame:
    rows = [
        {
            "urn": patrol.urn,
            "school": patrol.school,
            "number": patrol.number,
            "start": format_time(patrol.start_minutes),
            "end": format_time(patrol.end_minutes),
            "worth": patrol.worth,
            "bound": patrol.bound,
            "proven": patrol.proven,
            "walked_metres": patrol.walked_metres,
            "geometry": shapely.MultiLineString(
                [leg.line for leg in patrol.legs if len(leg.line) > 1]
            ),
        }
        for patrol in plan.patrols
    ]
    return _build_frame(rows, plan)


def _build_stop_layer(plan: Plan) -> gpd.GeoDataFrame:
    rows = [
        {
            "urn": patrol.urn,
            "number": patrol.number,
            "stop": order,
            "hotspot": stop.hotspot,
            "arrive": format_time(stop.arrive_minutes),
            "leave": format_time(stop.leave_minutes),
            "place": stop.place,
            "why": "; ".join(stop.why),
            "geometry": shapely.Point(stop.x, stop.y),
        }
        for patrol in plan.patrols
        for order, stop in enumerate(patrol.stops, start=1)
    ]
    return _build_frame(rows, plan)


def _build_leg_layer(plan: Plan) -> gpd.GeoDataFrame:
    rows = [
        {
            "urn": patrol.urn,
            "number": patrol.number,
            "leg": order,
            "metres": leg.metres,
            "minutes": leg.minutes,
            "streets": ", ".join(step.street for step in leg.steps),
            "geometry": shapely.LineString(leg.line),
        }
        for patrol in plan.patrols
        for order, leg in enumerate(patrol.legs, start=1)
        if len(leg.line) > 1
    ]
    return _build_frame(rows, plan)


def _build_frame(rows: list[dict[str, object]], plan: Plan) -> gpd.GeoDataFrame:
    crs = plan.area.projection.crs
    if not rows:
        return gpd.GeoDataFrame({"urn": pd.Series(dtype="str")}, geometry=[], crs=crs)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=crs)


def _find_geometry_type(frame: gpd.GeoDataFrame) -> str:
    """Type of a layer that may hold single and multiple shapes, or nothing."""
    kinds = set(np.unique(frame.geom_type))
    if not kinds:
        return "Unknown"
    return kinds.pop() if len(kinds) == 1 else "MultiLineString"


@contextmanager
def _fix_gdal_date() -> Iterator[None]:
    """GeoPackages hold the time of writing: give them one that does not change."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
