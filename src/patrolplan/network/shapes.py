"""The pieces of street that belong to shapes on the map: polygons, lines and points."""

import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.graph import compute_walk_metres
from patrolplan.network.network import StreetNetwork

ALONG_METRES = 12.0
"""Streets run along a line if most of their length is within this distance of it."""

AROUND_METRES = 75.0
"""A point means the streets within this walk of it."""


def find_pieces_of_shapes(
    network: StreetNetwork, shapes: NDArray[np.object_]
) -> list[NDArray[np.int64]]:
    """The pieces of street to patrol that belong to each shape, each to one shape at most.

    `shapes`: (k,) points, lines or polygons in the network's CRS; None and empty ones have no
    piece.
    """
    count = len(network)
    owner = np.full(count, -1, dtype=np.int64)
    dimension = shapely.get_dimensions(shapes)
    for row, shape in enumerate(shapes):
        if dimension[row] < 0:
            continue
        found = (
            _find_around(network, shape)
            if dimension[row] == 0
            else _find_along(network, shape)
            if dimension[row] == 1
            else _find_inside(network, shape)
        )
        owner[found[owner[found] < 0]] = row
    return [np.flatnonzero(owner == row) for row in range(len(shapes))]


def _find_inside(network: StreetNetwork, polygon: shapely.Geometry) -> NDArray[np.int64]:
    """The pieces with their middle in a polygon."""
    x, y = network.piece_middle[: len(network)].T
    valid = polygon if polygon.is_valid else shapely.make_valid(polygon)
    shapely.prepare(valid)
    return np.flatnonzero(shapely.intersects_xy(valid, x, y))


def _find_along(network: StreetNetwork, line: shapely.Geometry) -> NDArray[np.int64]:
    """The pieces most of whose length is near a line."""
    around = shapely.buffer(line, ALONG_METRES)
    lines = network.piece_lines[: len(network)]
    near = shapely.STRtree(lines).query(around, predicate="intersects")
    share = shapely.length(shapely.intersection(lines[near], around))
    return np.sort(near[share > network.piece_metres[near] / 2])


def _find_around(network: StreetNetwork, points: shapely.Geometry) -> NDArray[np.int64]:
    """The pieces within a short walk of a point, or of several as one."""
    xy = shapely.get_coordinates(points)
    positions = network.snap(xy)
    found: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    for row in np.flatnonzero(positions.moved_metres <= MAX_SNAP_METRES):
        place = positions.take(np.array([row]))
        walk = compute_walk_metres(network.walkable, place, AROUND_METRES)
        found.append(np.flatnonzero(np.isfinite(walk[: len(network)])))
    return np.unique(np.concatenate(found))
