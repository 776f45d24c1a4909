"""Shapes on the map: which pieces of street belong to them, how much of lines is in polygons."""

import numpy as np
import scipy
import shapely
from numpy.typing import NDArray

from patrolplan.network.catchments import MAX_SNAP_METRES
from patrolplan.network.graph import compute_walk_metres
from patrolplan.network.network import StreetNetwork

ALONG_METRES = 12.0
"""Streets run along a line if most of their length is within this distance of it."""

AROUND_METRES = 75.0  # a point means the streets within this walk of it


def find_pieces_of_shapes(
    network: StreetNetwork, shapes: NDArray[np.object_]
) -> list[NDArray[np.int64]]:
    """The pieces to patrol of each shape (k,) in the network's CRS, each of one shape at most."""
    owner, finders = np.full(len(network), -1), (_find_around, _find_along, _find_inside)
    for row, dimension in enumerate(shapely.get_dimensions(shapes).tolist()):
        if dimension >= 0:
            found = finders[dimension](network, shapes[row])
            owner[found[owner[found] < 0]] = row
    return [np.flatnonzero(owner == row) for row in range(len(shapes))]


def _find_inside(network: StreetNetwork, polygon: shapely.Geometry) -> NDArray[np.int64]:
    """The pieces with their middle in a polygon."""
    valid = polygon if polygon.is_valid else shapely.make_valid(polygon)
    shapely.prepare(valid)
    return np.flatnonzero(shapely.intersects_xy(valid, *network.piece_middle.T))


def _find_along(network: StreetNetwork, line: shapely.Geometry) -> NDArray[np.int64]:
    """The pieces most of whose length is near a line."""
    around = shapely.buffer(line, ALONG_METRES)
    lines = network.piece_lines
    near = shapely.STRtree(lines).query(around, predicate="intersects")
    share = shapely.length(shapely.intersection(lines[near], around))
    return np.sort(near[share > network.piece_metres[near] / 2])


def _find_around(network: StreetNetwork, points: shapely.Geometry) -> NDArray[np.int64]:
    """The pieces within a short walk of a point, or of several as one."""
    positions = network.snap(shapely.get_coordinates(points))
    reached = np.zeros(len(network), dtype=bool)
    for row in np.flatnonzero(positions.moved_metres <= MAX_SNAP_METRES):
        walk = compute_walk_metres(network.walkable, positions.take([row]), AROUND_METRES)
        reached |= np.isfinite(walk[: len(network)])
    return np.flatnonzero(reached)


SAME_METRES = 1e-6


def measure_parts(
    lines: NDArray[np.object_], polygons: NDArray[np.object_]
) -> "scipy.sparse.csr_array":
    """(n, k) metres of lines in polygons without overlaps, on a border in the first."""
    length = shapely.length(lines)
    shapely.prepare(polygons)
    line, polygon = shapely.STRtree(polygons).query(lines, predicate="intersects")
    order = np.lexsort((polygon, line))
    line, polygon = line[order], polygon[order]
    metres = shapely.length(shapely.intersection(lines[line], polygons[polygon]))
    is_point = length <= SAME_METRES
    metres = np.where(is_point[line], np.diff(line, prepend=-1) > 0, metres)
    # Only a line along a border has more metres in polygons than in total.
    in_all = np.bincount(line, metres, minlength=len(lines))
    for row in np.flatnonzero((in_all > length + SAME_METRES) & ~is_point).tolist():
        rest = lines[row]
        for part in np.flatnonzero(line == row).tolist():
            own = polygons[polygon[part]]
            metres[part] = shapely.length(shapely.intersection(rest, own))
            rest = shapely.difference(rest, own)
    return scipy.sparse.csr_array((metres, (line, polygon)), shape=(len(lines), len(polygons)))


def split_by_polygons(
    lines: NDArray[np.object_], polygons: NDArray[np.object_]
) -> NDArray[np.float64]:
    """(n, k + 1) metres of each line in each polygon, and outside all: see `measure_parts`."""
    metres, length = measure_parts(lines, polygons).toarray(), shapely.length(lines)
    whole = np.where(length <= SAME_METRES, 1.0, length)
    return np.column_stack([metres, np.maximum(whole - metres.sum(axis=1), 0.0)])
