"""The limits of the area: bounds, polygons of a file or in memory, or the extent of the streets."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.polygon_files import read_polygon_file
from patrolplan.settings import Settings
from patrolplan.settings.kinds import name_argument


def read_limits(
    settings: Settings, street_xy: NDArray[np.float64], given: gpd.GeoDataFrame | None = None
) -> BaseGeometry:
    """Polygon of the area, in metres.

    It is that of the given polygons, else of `[area]`, else the extent of the streets, (v, 2)
    metres.
    """
    projection = Projection(settings.area.crs)
    if given is not None:
        return _join_polygons(given, projection, name_argument("boundary"))
    if settings.area.boundary is not None:
        path = settings.folder / settings.area.boundary
        shapes = read_polygon_file(path, key="[area] boundary")
        return _join_polygons(shapes, projection, path)
    if settings.area.bounds is not None:
        west, south, east, north = settings.area.bounds
        edge = shapely.segmentize(shapely.box(west, south, east, north), (east - west) / 50)
        degrees = shapely.get_coordinates(edge)
        return shapely.Polygon(np.column_stack(projection.to_metres(degrees[:, 0], degrees[:, 1])))
    low, high = street_xy.min(axis=0), street_xy.max(axis=0)
    return shapely.box(low[0] - 1, low[1] - 1, high[0] + 1, high[1] + 1)


def _join_polygons(
    shapes: gpd.GeoDataFrame, projection: Projection, where: str | Path
) -> BaseGeometry:
    """One shape of all polygons, in metres."""
    if shapes.crs is None:
        raise InputError.one(where, "has no CRS", "give it its CRS")
    shapes = shapes[shapes.geom_type.isin(["Polygon", "MultiPolygon"])]
    if shapes.empty:
        raise InputError.one(where, "has no polygon", "save the area's outline as a polygon")
    return shapes.to_crs(projection.crs).make_valid().union_all()
