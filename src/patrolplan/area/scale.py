"""Whether a metre of the area's CRS is one on the ground, where the area lies."""

import numpy as np
from shapely.geometry.base import BaseGeometry

from patrolplan.errors import InputError
from patrolplan.projection import BRITISH_GRID
from patrolplan.projection import Projection

MOST_STRETCHED = 0.005
"""A CRS may be so wrong about a length: a UTM zone is at most by 0.1 %, its neighbour by 0.5 %."""

GREAT_BRITAIN = (-8.7, 49.8, 1.8, 60.9)
"""Degrees: west, south, east, north."""


def check_scale(projection: Projection, limits: BaseGeometry) -> None:
    """Refuse a CRS that stretches lengths at the centre of the area.

    Parameters
    ----------
    projection
        The area's CRS.
    limits
        Polygon of the area in its metres.

    Raises
    ------
    InputError
        Naming the key, how much a metre is off, and a CRS that fits.
    """
    x, y = np.mean(np.asarray(limits.bounds).reshape(2, 2), axis=0)
    scale = projection.scale(x, y) if np.isfinite([x, y]).all() else np.nan
    if abs(scale - 1) <= MOST_STRETCHED:
        return
    where, remedy = "[area] crs", "use the projected CRS of the place"
    longitude, latitude = (float(value[0]) for value in projection.to_degrees([x], [y]))
    if not np.isfinite([scale, longitude, latitude]).all():
        what = f"'{projection.crs}' does not reach the area"
        raise InputError.one(where, what, f"{remedy}, such as {BRITISH_GRID} in Great Britain")
    what = (
        f"'{projection.crs}' takes 1 km on the ground for {scale:.3g} km at the area's centre "
        f"({longitude:.3f}, {latitude:.3f})"
    )
    raise InputError.one(where, what, f"{remedy}, such as {fitting(longitude, latitude)}")


def fitting(longitude: float, latitude: float) -> str:
    """A CRS that fits a place, and its name.

    Examples
    --------
    >>> fitting(-0.13, 51.5)
    'EPSG:27700 (British National Grid)'
    >>> fitting(8.68, 50.1)
    'EPSG:32632 (UTM zone 32N)'
    """
    west, south, east, north = GREAT_BRITAIN
    if west <= longitude <= east and south <= latitude <= north:
        return f"{BRITISH_GRID} (British National Grid)"
    zone = int((longitude + 180) % 360 // 6) + 1
    base, side = (32600, "N") if latitude >= 0 else (32700, "S")
    return f"EPSG:{base + zone} (UTM zone {zone}{side})"
