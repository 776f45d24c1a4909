"""The same place under another name: hotspots are named anew by every plan, streets stay.

H3 of one month need not be H3 of the next, so a dose never finds its hotspot by name. The rule: a
dose belongs to the hotspot whose stretch is nearest to the stop where it was given, if that is
within 50 m; else its place is no hotspot any more.
"""

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike
from numpy.typing import NDArray

from patrolplan.network import StreetNetwork
from patrolplan.projection import Projection

SAME_PLACE_METRES = 50.0
"""A stop within so many metres of a stretch is on it: half a short street."""

BESIDE_METRES = 1.0
"""A piece of street whose middle is this near to a stretch is part of it, degrees rounded."""

AROUND_METRES = 40.0
"""A place without a stretch, tasked by intelligence, is the street within so many metres."""


def same_place(xy: ArrayLike, stretches: ArrayLike) -> NDArray[np.int64]:
    """Which stretch each stop is on.

    Parameters
    ----------
    xy
        (k, 2) metres.
    stretches
        (m,) shapely lines or points in metres.

    Returns
    -------
    NDArray
        (k,) row of the nearest stretch within `SAME_PLACE_METRES`, else -1.

    Examples
    --------
    >>> street = shapely.LineString([(0, 0), (200, 0)])
    >>> same_place([[120, 30], [120, 80]], [street]).tolist()
    [0, -1]
    """
    points = shapely.points(np.asarray(xy, dtype=np.float64).reshape(-1, 2))
    found = np.full(len(points), -1, dtype=np.int64)
    shapes = np.asarray(stretches, dtype=object)
    if len(shapes) and len(points):
        asked, nearest = shapely.STRtree(shapes).query_nearest(
            points, max_distance=SAME_PLACE_METRES, all_matches=False
        )
        found[asked] = nearest
    return found


def in_metres(shapes: ArrayLike, projection: Projection) -> NDArray[np.object_]:
    """Shapes in degrees, or their WKT, in the area's metres."""
    given = np.asarray(shapes, dtype=object)
    degrees = shapely.from_wkt(given) if given.size and isinstance(given.flat[0], str) else given
    return np.asarray(
        shapely.transform(degrees, lambda xy: np.column_stack(projection.to_metres(*xy.T))),
        dtype=object,
    )


def stops_in_metres(table: pd.DataFrame, projection: Projection) -> NDArray[np.float64]:
    """(k, 2) metres of a table's `longitude` and `latitude`."""
    return np.column_stack(projection.to_metres(table["longitude"], table["latitude"]))


def pieces_on(network: StreetNetwork, stretches: NDArray[np.object_]) -> list[NDArray[np.int64]]:
    """Pieces of street that each stretch is made of; around a point, those nearby.

    Parameters
    ----------
    network
        The streets.
    stretches
        (m,) shapely lines or points in metres.
    """
    is_point = shapely.get_type_id(stretches) == 0
    tree = shapely.STRtree(shapely.points(network.piece_middle))
    reach = np.where(is_point, AROUND_METRES, BESIDE_METRES)
    asked, found = tree.query(stretches, predicate="dwithin", distance=reach)
    return [np.sort(found[asked == row]) for row in range(len(stretches))]
