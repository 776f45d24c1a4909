"""Hotspots of an earlier plan, so that a place keeps its name from month to month.

Former hotspots of earlier months are read too: their names are not given to other places, and a
place that returns gets its own again.
"""

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.atomic import hash_json
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.notes import Note
from patrolplan.settings import Settings
from patrolplan.settings.kinds import name_argument

LAYER = "hotspots"
FORMER_LAYER = "former_hotspots"
PLAN_FILE = "plan.gpkg"
GEOPACKAGE_START = b"SQLite format 3\0"

HOTSPOT_NAME = re.compile(r"H[1-9][0-9]{0,5}")
"""Names of hotspots that patrolplan finds; others, such as a force's own, have other names."""

REMEDY = "correct [hotspots] earlier: it names the folder of an earlier plan, or its plan.gpkg"
FRAME_REMEDY = "give the hotspots of an earlier plan, as find_hotspots or the layer has them"


def find_earlier_plan(settings: Settings) -> Path | None:
    """The GeoPackage that `[hotspots] earlier` names, itself or by its folder.

    None if it is not set, or names a folder that holds no plan yet.
    """
    if settings.hotspots.earlier is None:
        return None
    path = settings.folder / settings.hotspots.earlier
    if path.is_file() or (path.suffix.lower() == ".gpkg" and not path.is_dir()):
        return path
    return path / PLAN_FILE if (path / PLAN_FILE).is_file() else None


def note_earlier_plan(settings: Settings) -> list[Note]:
    """A note that there is no earlier plan yet, if one is named: hotspots are numbered without."""
    if settings.hotspots.earlier is None or find_earlier_plan(settings) is not None:
        return []
    return [Note("no_earlier_plan", {"folder": settings.hotspots.earlier})]


def read_earlier_hotspots(settings: Settings, projection: Projection) -> gpd.GeoSeries | None:
    """Lines of the hotspots of an earlier plan by their names, then those of former hotspots.

    Both are in the order of the file; None where `[hotspots] earlier` is not set, or there is no
    plan yet.
    """
    path = find_earlier_plan(settings)
    if path is None:
        return None
    import pyogrio.errors  # noqa: PLC0415 - only where there is an earlier plan

    if not path.is_file():
        raise InputError.one(path, "the file does not exist", REMEDY)
    # GDAL detects formats by content, whatever the name, and some make it open other files.
    with path.open("rb") as stream:
        start = stream.read(len(GEOPACKAGE_START))
    if start != GEOPACKAGE_START:
        raise InputError.one(path, "is not a GeoPackage", REMEDY)
    try:
        layers = [name for name, shape in pyogrio.list_layers(path) if shape is not None]
        wanted = [layer for layer in (LAYER, FORMER_LAYER) if layer in layers]
        frames = {layer: gpd.read_file(path, layer=layer) for layer in wanted}
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise InputError.one(path, f"cannot be read ({error})", REMEDY) from None
    if LAYER not in frames:
        has = ", ".join(map(str, layers[:6])) or "none"
        raise InputError.one(path, f"has no layer '{LAYER}' (its layers: {has})", REMEDY)
    parts = [
        _check_hotspots(frame, f"{path}, layer '{layer}'", REMEDY, projection)
        for layer, frame in frames.items()
    ]
    names = pd.Index(np.concatenate([part.index for part in parts]), dtype=object)
    _check_names(names, f"{path}", REMEDY)
    return gpd.GeoSeries(
        np.concatenate([part.array for part in parts]), index=names, crs=projection.crs
    )


def take_earlier_hotspots(frame: gpd.GeoDataFrame, projection: Projection) -> gpd.GeoSeries:
    """Lines by their names of a table in memory, checked as the layer of a file is."""
    where = name_argument("earlier")
    lines = _check_hotspots(frame, where, FRAME_REMEDY, projection)
    _check_names(lines.index, where, FRAME_REMEDY)
    return lines


def digest_hotspots(lines: gpd.GeoSeries) -> str:
    """Digest of names and lines: nothing else in a plan's file affects names."""
    return hash_json([lines.index.tolist(), shapely.to_wkb(lines.array, hex=True).tolist()])


def _check_hotspots(
    frame: gpd.GeoDataFrame, where: str, remedy: str, projection: Projection
) -> gpd.GeoSeries:
    """Lines of our own hotspots by name; refuse a table without names, as all papers print them."""
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        raise InputError.one(where, "has no lines in a known CRS", remedy)
    if "hotspot" not in frame:
        raise InputError.one(where, "has no column 'hotspot'", remedy)
    if "kind" in frame:  # a force's own places may be called like ours
        frame = frame[frame["kind"] != "designated"]
    names = pd.Series([str(name) for name in frame["hotspot"]], dtype=str)
    is_ours = names.str.fullmatch(HOTSPOT_NAME).to_numpy(dtype=bool)
    if len(names) and not is_ours.any():
        what = f"{names.iloc[0][:30]!r} is not the name of a hotspot (H1, H2, ...)"
        raise InputError.one(where, what, remedy)
    is_line = frame.geom_type.isin(["LineString", "MultiLineString"]).to_numpy()
    if (is_wrong := is_ours & ~is_line).any():
        what = f"{names.iloc[int(np.argmax(is_wrong))]} is not a line along streets"
        raise InputError.one(where, what, remedy)
    lines = frame.geometry[is_ours].to_crs(projection.crs)
    return gpd.GeoSeries(lines.array, index=names[is_ours].to_numpy(dtype=object))


def _check_names(names: pd.Index, where: str, remedy: str) -> None:
    """Refuse a name that two places have."""
    if names.has_duplicates:
        what = f"two hotspots have the name {names[names.duplicated()][0]}"
        raise InputError.one(where, what, remedy)
