"""The limits of the area: bounds, a polygon file, or the extent of the streets."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio.errors
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.settings import Settings


def read_limits(settings: Settings, street_xy: NDArray[np.float64]) -> BaseGeometry:
    """Polygon of the area, in metres.

    Parameters
    ----------
    settings
        With `[area]` bounds, boundary or neither.
    street_xy
        (v, 2) metres, whose extent is the area where neither is set.

    Raises
    ------
    InputError
        When the boundary file cannot be read or holds no polygon.
    """
    projection = Projection(settings.area.crs)
    if settings.area.boundary is not None:
        return _read_boundary(settings, projection)
    if settings.area.bounds is not None:
        west, south, east, north = settings.area.bounds
        edge = shapely.segmentize(shapely.box(west, south, east, north), (east - west) / 50)
        degrees = shapely.get_coordinates(edge)
        return shapely.Polygon(np.column_stack(projection.to_metres(degrees[:, 0], degrees[:, 1])))
    low, high = street_xy.min(axis=0), street_xy.max(axis=0)
    return shapely.box(low[0] - 1, low[1] - 1, high[0] + 1, high[1] + 1)


FILE_STARTS = {
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".gpkg": (b"SQLite format 3\0",),
    ".shp": (b"\x00\x00\x27\x0a",),
}
"""Formats of a boundary: the ending of the file's name, and how its content begins."""


def _check_format(path: Path, remedy: str) -> None:
    """Refuse a file of any other format before GDAL sees it.

    GDAL goes by the content, whatever the name: a virtual format (VRT) could have it open other
    files, or an address on the internet.
    """
    starts = FILE_STARTS.get(path.suffix.lower(), ())
    with path.open("rb") as stream:
        start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not any(start.startswith(known) for known in starts):
        what = "is not a file of polygons"
        raise InputError.one(path, what, remedy)


def _read_boundary(settings: Settings, projection: Projection) -> BaseGeometry:
    path = settings.folder / str(settings.area.boundary)
    if not path.is_file():
        raise InputError.one(path, "the file does not exist", "correct [area] boundary")
    remedy = "use GeoJSON, GeoPackage or a shapefile"
    _check_format(path, remedy)
    try:
        shapes = gpd.read_file(path)
    except (pyogrio.errors.DataSourceError, ValueError, OSError) as error:
        what = f"is not a file of polygons ({error})"
        raise InputError.one(path, what, remedy) from None
    if not isinstance(shapes, gpd.GeoDataFrame):
        raise InputError.one(path, "has no polygon", remedy)
    if shapes.crs is None:
        raise InputError.one(path, "has no CRS", "save it with its CRS")
    shapes = shapes[shapes.geom_type.isin(["Polygon", "MultiPolygon"])]
    if shapes.empty:
        raise InputError.one(path, "has no polygon", "save the area's outline as a polygon")
    return shapes.to_crs(projection.crs).make_valid().union_all()
