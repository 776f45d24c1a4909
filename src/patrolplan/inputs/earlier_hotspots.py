"""Hotspots of an earlier plan, so that a place keeps its name from month to month."""

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio.errors

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.settings import Settings

LAYER = "hotspots"
PLAN_FILE = "plan.gpkg"
GEOPACKAGE_START = b"SQLite format 3\0"

HOTSPOT_NAME = re.compile(r"H[1-9][0-9]{0,5}")
"""How hotspots are named."""

REMEDY = "correct [hotspots] earlier: it names the plan.gpkg of an earlier plan, or its folder"


def find_earlier_plan(settings: Settings) -> Path | None:
    """The GeoPackage that `[hotspots] earlier` names, itself or by its folder; None if not set."""
    if settings.hotspots.earlier is None:
        return None
    path = settings.folder / settings.hotspots.earlier
    return path / PLAN_FILE if path.is_dir() else path


def read_earlier_hotspots(settings: Settings, projection: Projection) -> gpd.GeoSeries | None:
    """Lines of the hotspots of an earlier plan by their names, in the order of the file.

    Parameters
    ----------
    settings
        With `[hotspots] earlier`; None comes back where it is not set.
    projection
        The area's CRS, which the lines are converted to.

    Raises
    ------
    InputError
        When the file does not exist, is no GeoPackage, or has no layer of hotspots with names.
    """
    path = find_earlier_plan(settings)
    if path is None:
        return None
    if not path.is_file():
        raise InputError.one(path, "the file does not exist", REMEDY)
    # GDAL goes by the content, whatever the name, and some formats have it open other files.
    with path.open("rb") as stream:
        start = stream.read(len(GEOPACKAGE_START))
    if start != GEOPACKAGE_START:
        raise InputError.one(path, "is not a GeoPackage", REMEDY)
    try:
        layers = pyogrio.list_layers(path)[:, 0].tolist()
        if LAYER not in layers:
            has = ", ".join(map(str, layers[:6])) or "none"
            raise InputError.one(path, f"has no layer '{LAYER}' (its layers: {has})", REMEDY)
        frame = gpd.read_file(path, layer=LAYER)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise InputError.one(path, f"cannot be read ({error})", REMEDY) from None
    _check_hotspots(path, frame)
    lines = frame.geometry.to_crs(projection.crs)
    return gpd.GeoSeries(lines.array, index=frame["hotspot"].to_numpy(dtype=object))


def _check_hotspots(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Refuse a layer that is not one of ours: its names come onto every paper."""
    where = f"{path}, layer '{LAYER}'"
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        raise InputError.one(where, "has no lines in a known CRS", REMEDY)
    if "hotspot" not in frame:
        raise InputError.one(where, "has no column 'hotspot'", REMEDY)
    names = pd.Series([str(name) for name in frame["hotspot"]], dtype=str)
    wrong = ~names.str.fullmatch(HOTSPOT_NAME)
    if wrong.any():
        what = f"{names[wrong].iloc[0][:30]!r} is not the name of a hotspot (H1, H2, ...)"
        raise InputError.one(where, what, REMEDY)
    if names.duplicated().any():
        what = f"two hotspots have the name {names[names.duplicated()].iloc[0]}"
        raise InputError.one(where, what, REMEDY)
    is_line = frame.geom_type.isin(["LineString", "MultiLineString"]).to_numpy()
    if not is_line.all():
        what = f"{names.iloc[int(np.argmin(is_line))]} is not a line along streets"
        raise InputError.one(where, what, REMEDY)
