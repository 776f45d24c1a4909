"""Which places pupils feel unsafe at: one rule for the cards, `map.html` and the board."""

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from patrolplan.hotspots.reasons import BeatReason, Reason, ReportsReason

NOT_FEARED, REPORTED, CARRIED = 0, 1, 2
"""No group of pupils reports a hotspot; one does; reports carry it more than crime does."""


def is_feared(reasons: Iterable[Reason]) -> bool:
    """Whether a group of pupils reports that they feel unsafe at a place, or on part of a beat.

    Examples
    --------
    >>> reports = ReportsReason(time_band=None, factors=())
    >>> beat = BeatReason(hotspot="H2", place="A", reasons=(reports,))
    >>> is_feared([reports]), is_feared([beat]), is_feared([])
    (True, True, False)
    """
    return any(
        isinstance(reason, ReportsReason)
        or (isinstance(reason, BeatReason) and is_feared(reason.reasons))
        for reason in reasons
    )


def classify_fear(hotspots: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """(h,) `NOT_FEARED`, `REPORTED` or `CARRIED` for each hotspot."""
    reported = np.array([is_feared(reasons) for reasons in hotspots["reasons"]], dtype=bool)
    return np.where(hotspots["mainly_reports"], CARRIED, np.where(reported, REPORTED, NOT_FEARED))
