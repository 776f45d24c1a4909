"""How much of each line is in each of some polygons: wards, beats, hexagons."""

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

SAME_METRES = 1e-6


def measure_parts(lines: NDArray[np.object_], polygons: NDArray[np.object_]) -> sparse.csr_array:
    """(n, k) metres of each line in each polygon, sparse.

    What is on the border of several belongs to the first. A line without a length counts as one
    metre where it is.

    `lines`: (n,) lines or points. `polygons`: (k,) without overlaps, in the same CRS.
    """
    length = shapely.length(lines)
    shapely.prepare(polygons)
    line, polygon = shapely.STRtree(polygons).query(lines, predicate="intersects")
    pairs = pd.DataFrame({"line": line, "polygon": polygon}).sort_values(["line", "polygon"])
    line, polygon = pairs["line"].to_numpy(), pairs["polygon"].to_numpy()
    metres = shapely.length(shapely.intersection(lines[line], polygons[polygon]))
    is_point = length <= SAME_METRES
    at_point = is_point[line]
    metres[at_point] = ~pairs["line"].duplicated().to_numpy()[at_point]
    # Only a line along a border has more metres in polygons than in total.
    in_all = np.bincount(line, metres, minlength=len(lines))
    for row in np.flatnonzero((in_all > length + SAME_METRES) & ~is_point).tolist():
        rest = lines[row]
        for part in np.flatnonzero(line == row).tolist():
            own = polygons[polygon[part]]
            metres[part] = shapely.length(shapely.intersection(rest, own))
            rest = shapely.difference(rest, own)
    return sparse.csr_array((metres, (line, polygon)), shape=(len(lines), len(polygons)))


def split_by_polygons(
    lines: NDArray[np.object_], polygons: NDArray[np.object_]
) -> NDArray[np.float64]:
    """(n, k + 1) metres of each line in each polygon, and outside all of them.

    See `measure_parts`.
    """
    metres = measure_parts(lines, polygons).toarray()
    length = shapely.length(lines)
    whole = np.where(length <= SAME_METRES, 1.0, length)
    outside = np.maximum(whole - metres.sum(axis=1), 0.0)
    return np.column_stack([metres, outside])
