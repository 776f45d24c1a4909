"""What is known of places at an origin: only points seen before it, only streets with data.

A point that is first seen later takes streets from the points around it. Were it used, these would
look smaller, and their crime denser, than was known at the origin: with later points a back-test
flatters every model. So expected and recorded crime are counted by the catchments of the points
seen before the origin. Streets without data for the month are neither ranked nor counted.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import sparse

from patrolplan.risk.history import History


@dataclass(frozen=True, eq=False)
class OriginStreets:
    """Places as they are known at an origin."""

    metres: NDArray[np.float64]  # (n,) street in each of the n places
    # (n, c) share of each place's street that lies in each known one; None where they are equal.
    shares: sparse.csr_array | None = None

    def gather(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) or (n, k) amounts of the known places, from (c,) or (c, k)."""
        return amounts if self.shares is None else np.asarray(self.shares @ amounts)


def find_origin_streets(history: History, row: int) -> OriginStreets:
    """What is known of a history's places before the month of a row, and held in it."""
    is_seen, held, units = _find_seen_points(history, row), history.is_held(row), history.units
    if is_seen.all() and held.all():
        return OriginStreets(units.metres)
    catchments, metres = units.catchments, units.network.piece_metres
    own = catchments.piece_catchment
    seen, lost = np.flatnonzero(is_seen), np.flatnonzero(~is_seen[own])
    nearest = scipy.spatial.cKDTree(catchments.xy[seen]).query(units.network.piece_middle[lost])[1]
    known = own.copy()
    known[lost] = seen[nearest]
    kept = held[own]
    used, number = np.unique(known[kept], return_inverse=True)
    ends = number.reshape(-1), own[kept]
    shares = sparse.csr_array((catchments.piece_share[kept], ends), (len(used), len(units)))
    length = np.bincount(ends[0], metres[kept], minlength=len(used)).astype(np.float64)
    return OriginStreets(length, shares)


def _find_seen_points(history: History, row: int) -> NDArray[np.bool_]:
    """(c,) whether each place's point was seen before the month of a row.

    If the era of points begins in the month or later, all of its points count as known.
    """
    first_month = history.units.catchments.first_month
    month = history.months[row].to_datetime64()
    if first_month is None or first_month.min() >= month:
        return np.ones(len(history.units), dtype=bool)
    return np.asarray(first_month < month)
