"""Visits, and which place each belongs to.

Each plan names its hotspots from scratch: H3 of one month need not be H3 of the next, while the
streets stay. So a dose never finds its hotspot by name. The rule: a dose belongs to the hotspot
whose stretch is nearest to the stop where it was given, if that is within 50 m; otherwise its
place is no longer a hotspot.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.crs import Projection

MAX_VISIT_MINUTES = 720.0
"""More minutes than this in one place on one day are a slip of the pen."""

SAME_PLACE_METRES = 50.0
"""A stop within so many metres of a stretch is on it: half a short street."""


@dataclass(frozen=True)
class Visit:
    """Minutes that an officer spent at a hotspot on a day; 0 where it was not visited.

    Parameters
    ----------
    officer, date, urn
        Who, when, and for which school.
    hotspot, place, longitude, latitude
        Which hotspot of the week handed out; place and stop identify it when names change.
    minutes
        Minutes delivered.
    engagements
        People spoken to; None where nobody recorded it.
    source
        "keyboard", "csv" or "gpx".
    """

    officer: str
    date: dt.date
    urn: str
    hotspot: str
    place: str
    longitude: float
    latitude: float
    minutes: float
    engagements: int | None
    source: str


@dataclass(frozen=True)
class VisitEntry:
    """What became of a visit: "new", "same" as in the ledger, or "corrected"."""

    visit: Visit
    outcome: str
    revision: int
    minutes_before: float | None = None


def match_stretches(xy: ArrayLike, stretches: ArrayLike) -> NDArray[np.int64]:
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
    >>> match_stretches([[120, 30], [120, 80]], [street]).tolist()
    [0, -1]
    """
    points = shapely.points(np.asarray(xy, dtype=np.float64).reshape(-1, 2))
    rows = np.full(len(points), -1, dtype=np.int64)
    shapes = np.asarray(stretches, dtype=object)
    if len(shapes) and len(points):
        matched, nearest = shapely.STRtree(shapes).query_nearest(
            points, max_distance=SAME_PLACE_METRES, all_matches=False
        )
        rows[matched] = nearest
    return rows


def project_to_metres(stretches: ArrayLike, projection: Projection) -> NDArray[np.object_]:
    """(m,) stretches in the area's metres, of their WKT in degrees."""
    shapes = shapely.from_wkt(np.asarray(stretches, dtype=object))
    return np.asarray(
        shapely.transform(shapes, lambda xy: np.column_stack(projection.to_metres(*xy.T))),
        dtype=object,
    )


def project_stops(table: pd.DataFrame, projection: Projection) -> NDArray[np.float64]:
    """(k, 2) metres of a table's `longitude` and `latitude`."""
    return np.column_stack(projection.to_metres(table["longitude"], table["latitude"]))
