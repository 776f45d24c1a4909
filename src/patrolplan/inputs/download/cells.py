"""The area in cells that a server will answer for, halved where it holds too much."""

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import Projection

MARGIN_METRES = 25
"""Asked for beyond the area, so that outlines may be made simpler; what lies outside is dropped."""

SIMPLIFY_METRES = 10
OVERLAP_METRES = 5
MAX_SEGMENT_METRES = 2000
"""Edges are straight in metres here and in degrees there: 0.1 m apart over this length."""


@dataclass(frozen=True)
class Cell:
    """A part of the area.

    Parameters
    ----------
    key
        Name of the cell: the way of halving that leads to it, such as "0-1-0".
    shape
        Polygon without holes, in the area's metres.
    """

    key: str
    shape: shapely.Polygon

    @property
    def longer_side_metres(self) -> float:
        """The longer side of its extent."""
        west, south, east, north = self.shape.bounds
        return float(max(east - west, north - south))

    def format_ring(self, projection: Projection) -> str:
        """The outline as data.police.uk takes it: "latitude,longitude:latitude,longitude:..."."""
        edge = shapely.get_coordinates(shapely.segmentize(self.shape.exterior, MAX_SEGMENT_METRES))
        longitude, latitude = projection.to_degrees(edge[:-1, 0], edge[:-1, 1])
        points = zip(latitude, longitude, strict=True)
        return ":".join(f"{lat:.6f},{lon:.6f}" for lat, lon in points)


def widen_limits(limits: BaseGeometry) -> BaseGeometry:
    """The area and a little more, in a simpler outline that leaves nothing of it out."""
    return limits.buffer(MARGIN_METRES, join_style="mitre").simplify(SIMPLIFY_METRES)


def split_into_cells(limits: BaseGeometry) -> list[Cell]:
    """One cell for each part of the area, from west to east.

    Examples
    --------
    >>> [cell.key for cell in split_into_cells(shapely.box(0, 0, 1000, 500))]
    ['0']
    """
    parts = [part for part in shapely.get_parts(widen_limits(limits)) if not part.is_empty]
    parts.sort(key=lambda part: part.bounds)
    return [Cell(str(place), _drop_holes(part)) for place, part in enumerate(parts)]


def halve_cell(cell: Cell) -> list[Cell]:
    """A cell cut across its longer side; the halves overlap a little, and leave nothing out."""
    west, south, east, north = cell.shape.bounds
    if east - west >= north - south:
        middle = (west + east) / 2
        boxes = [
            (west, south, middle + OVERLAP_METRES, north),
            (middle - OVERLAP_METRES, south, east, north),
        ]
    else:
        middle = (south + north) / 2
        boxes = [
            (west, south, east, middle + OVERLAP_METRES),
            (west, middle - OVERLAP_METRES, east, north),
        ]
    cut = [cell.shape.intersection(shapely.box(*box)) for box in boxes]
    return [
        Cell(f"{cell.key}-{place}", _drop_holes(half))
        for place, half in enumerate(cut)
        if half.area > 0
    ]


def _drop_holes(shape: BaseGeometry) -> shapely.Polygon:
    """One polygon that holds the shape: a ring is all that a server takes."""
    if not isinstance(shape, shapely.Polygon):
        hull = shape.convex_hull
        return shapely.Polygon(hull.exterior)
    return shapely.Polygon(shape.exterior)


def is_inside(
    limits: BaseGeometry, projection: Projection, longitude: list[float], latitude: list[float]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) which points in degrees lie in the area, by the rule that loading an area keeps."""
    x, y = projection.to_metres(longitude, latitude)
    return np.asarray(shapely.contains_xy(limits, x, y))
