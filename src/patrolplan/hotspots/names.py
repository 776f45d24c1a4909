"""Names of hotspots: H1, H2, ... by risk, or those that the same places had in an earlier plan."""

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

NEAR_METRES = 5.0
"""Lines within this distance are the same street: a new extract may draw it a little elsewhere."""

MIN_SHARED = 1 / 3
"""Minimum share of the shorter of two stretches in common for them to be the same place."""


def name_hotspots(lines: ArrayLike, earlier: gpd.GeoSeries | None = None) -> list[str]:
    """(h,) a name for each stretch, given as lines in metres, most risk first.

    A stretch gets the name of the earlier one that it shares most street with: the pair that shares
    most is matched first, then the next of the remaining ones, so that each name is given once.
    Other stretches get new numbers, higher than all earlier ones. Naming them again from their own
    names and the remaining earlier ones, see `list_former_hotspots`, gives the same names.
    `earlier` has lines by name, those of the last plan first.

    Examples
    --------
    >>> here, there = shapely.linestrings([[[0, 0], [90, 0]], [[0, 500], [90, 500]]])
    >>> name_hotspots([there, here])
    ['H1', 'H2']
    >>> name_hotspots([there, here], gpd.GeoSeries([here], index=["H7"]))
    ['H8', 'H7']
    """
    stretches = np.asarray(lines, dtype=object)
    if earlier is None:
        return [f"H{number}" for number in range(1, len(stretches) + 1)]
    match = _match_stretches(stretches, np.asarray(earlier.array, dtype=object))
    number = max((int(name[1:]) for name in earlier.index), default=0)
    names = []
    for row in match:
        number += row < 0
        names.append(str(earlier.index[row]) if row >= 0 else f"H{number}")
    return names


def list_former_hotspots(
    hotspots: gpd.GeoDataFrame, earlier: gpd.GeoSeries | None
) -> gpd.GeoDataFrame:
    """Name and line of the earlier places that are not hotspots now: they keep their names."""
    names = [] if earlier is None else earlier.index.difference(hotspots["hotspot"], sort=False)
    lines = gpd.GeoSeries([] if earlier is None else earlier[names].array, crs=hotspots.crs)
    return gpd.GeoDataFrame({"hotspot": np.asarray(names, dtype=object)}, geometry=lines)


def _match_stretches(lines: NDArray[np.object_], earlier: NDArray[np.object_]) -> NDArray[np.int64]:
    """(h,) row of the earlier stretch that each is the same place as, -1 where there is none."""
    match = np.full(len(lines), -1, dtype=np.int64)
    row, other = shapely.STRtree(earlier).query(lines, predicate="dwithin", distance=NEAR_METRES)
    shared = _measure_shared(lines[row], earlier[other])
    shorter = np.minimum(shapely.length(lines[row]), shapely.length(earlier[other]))
    same = shared >= MIN_SHARED * shorter
    row, other, shared = row[same], other[same], shared[same]
    is_matched = np.zeros(len(earlier), dtype=bool)
    # Of pairs that share as much, the one with most risk now comes first, on every machine.
    for pair in np.lexsort((other, row, -np.round(shared, 2))):
        if match[row[pair]] < 0 and not is_matched[other[pair]]:
            match[row[pair]] = other[pair]
            is_matched[other[pair]] = True
    return match


def _measure_shared(lines: NDArray[np.object_], others: NDArray[np.object_]) -> NDArray[np.float64]:
    """(k,) metres of street that two lines share, the smaller of both views."""
    one = shapely.length(shapely.intersection(lines, shapely.buffer(others, NEAR_METRES)))
    two = shapely.length(shapely.intersection(others, shapely.buffer(lines, NEAR_METRES)))
    return np.asarray(np.minimum(one, two))
