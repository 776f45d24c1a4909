"""The limits of the area: bounds, a polygon file, or the extent of the streets."""

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.polygon_files import read_polygon_file
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


def _read_boundary(settings: Settings, projection: Projection) -> BaseGeometry:
    path = settings.folder / str(settings.area.boundary)
    shapes = read_polygon_file(path, key="[area] boundary")
    shapes = shapes[shapes.geom_type.isin(["Polygon", "MultiPolygon"])]
    if shapes.empty:
        raise InputError.one(path, "has no polygon", "save the area's outline as a polygon")
    return shapes.to_crs(projection.crs).make_valid().union_all()
