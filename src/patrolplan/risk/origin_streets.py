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

from patrolplan.atomic import hash_content
from patrolplan.risk.history import History
from patrolplan.risk.scores import UnitStreets


@dataclass(frozen=True, eq=False)
class OriginStreets:
    """Places as they are known at an origin."""

    units: UnitStreets  # The n places, and their pieces
    # (n, c) share of each place's street that lies in each known one; None where they are equal.
    shares: sparse.csr_array | None
    # (p,) whether each piece's month is held; a slice of all where it is everywhere.
    held_pieces: NDArray[np.bool_] | slice

    def gather(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) or (n, k) amounts of the known places, from (c,) or (c, k)."""
        return amounts if self.shares is None else np.asarray(self.shares @ amounts)


def find_origin_streets(history: History, streets: UnitStreets, row: int) -> OriginStreets:
    """What is known of a history's places before the month of a row, and held in it."""
    is_seen, held = _find_seen_points(history, row), history.is_held(row)
    if is_seen.all() and held.all():
        return OriginStreets(streets, None, slice(None))
    catchments, metres = history.units.catchments, streets.piece_metres
    of_piece = streets.piece_unit
    if not is_seen.all():
        seen = np.flatnonzero(is_seen)
        lost = np.flatnonzero(~is_seen[of_piece])
        middle = history.units.network.piece_middle[lost]
        of_piece = of_piece.copy()
        of_piece[lost] = seen[scipy.spatial.cKDTree(catchments.xy[seen]).query(middle)[1]]
    held_pieces = held[streets.piece_unit]
    used, number = np.unique(of_piece[held_pieces], return_inverse=True)
    whose = streets.piece_unit[held_pieces], number.reshape(-1)
    shape = (len(used), len(history.units))
    shares = sparse.csr_array((catchments.piece_share[held_pieces], whose[::-1]), shape=shape)
    length = np.bincount(whose[1], metres[held_pieces], minlength=len(used)).astype(np.float64)
    rank = np.empty(len(metres), dtype=np.int64)
    rank[streets.tie_order] = np.arange(len(metres))
    order = np.argsort(rank[held_pieces])
    units = UnitStreets(length, metres[held_pieces], whose[1], order)
    return OriginStreets(units, shares, slice(None) if held.all() else held_pieces)


def find_origin_digest(history: History, row: int) -> str:
    """Digest of the points known before the month of a row; empty where all are."""
    is_seen = _find_seen_points(history, row)
    return "" if is_seen.all() else hash_content(is_seen.tobytes())


def _find_seen_points(history: History, row: int) -> NDArray[np.bool_]:
    """(c,) whether each place's point was seen before the month of a row.

    If the era of points begins in the month or later, all of its points count as known.
    """
    first_month = history.units.catchments.first_month
    month = history.months[row].to_datetime64()
    if first_month is None or first_month.min() >= month:
        return np.ones(len(history.units), dtype=bool)
    return np.asarray(first_month < month)
