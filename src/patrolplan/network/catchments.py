"""Snap points and the pieces of street that belong to them.

data.police.uk moves every crime to one of a fixed set of points. Such a point stands for the pieces
whose midpoint is nearest to it, an exact place for its piece; under a threshold, squares are used.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from patrolplan.arrays import find_unique_points
from patrolplan.crs import find_squares, locate_in_squares, number_squares
from patrolplan.network.network import StreetNetwork

MAX_SNAP_METRES = 250.0  # maximum distance of a point from a street that it belongs to


@dataclass(frozen=True, eq=False)
class Catchments:
    """The pieces of street nearest each point."""

    xy: NDArray[np.float64]  # (c, 2) metres; the snap point, or an exact place's piece's midpoint
    piece_catchment: NDArray[np.int64]  # (p,) catchment of each piece
    piece_share: NDArray[np.float64]  # (p,) the piece's share of its catchment's street length
    # Whether everything counted on them is open data, so that results may be cached.
    public: bool = True
    # (c,) month in which crime was first recorded on each snap point, where points were replaced
    # within the data: a back-test knows no points of later months. None in one era, where nearly
    # all points are seen in the months that every origin has before it.
    first_month: NDArray[np.datetime64] | None = None

    def __len__(self) -> int:
        return len(self.xy)

    def spread(self, amounts: ArrayLike) -> NDArray[np.float64]:
        """(p,) or (p, k) of amounts (c,) or (c, k), spread evenly along each catchment's street."""
        spread = np.asarray(amounts, dtype=np.float64)[self.piece_catchment]
        spread *= self.piece_share if spread.ndim == 1 else self.piece_share[:, None]
        return spread


def build_catchments(
    network: StreetNetwork, points: ArrayLike | None, *, within_metres: float = np.inf
) -> Catchments:
    """Catchments of snap points (k, 2) in metres, or of exact places where `points` is None."""
    middle = network.piece_middle
    if points is None:
        alone = np.arange(len(network))
        return Catchments(middle, alone, np.ones(len(network)), public=False)
    xy = find_unique_points(np.asarray(points, dtype=np.float64).reshape(-1, 2))[0]
    tree = shapely.STRtree(shapely.points(xy))
    nearest = tree.query_nearest(shapely.points(middle), all_matches=False)[1]
    mixed = bool(np.isfinite(within_metres))
    if mixed:
        far = np.hypot(*(xy[nearest] - middle).T) > within_metres
        nearest = np.where(far, len(xy) + np.arange(len(middle)), nearest)
        xy = np.concatenate([xy, middle])
    used, of_piece = np.unique(nearest, return_inverse=True)
    return Catchments(xy[used], of_piece, _compute_shares(network, of_piece), public=not mixed)


def build_square_catchments(network: StreetNetwork) -> Catchments:
    """Squares of the fixed grid with street, for crime under a threshold."""
    crs = network.projection.crs
    squares, of_piece = number_squares(find_squares(network.piece_middle, crs))
    centres = locate_in_squares(squares, 0.5, 0.5, crs)
    return Catchments(centres, of_piece, _compute_shares(network, of_piece), public=False)


def _compute_shares(network: StreetNetwork, of_piece: NDArray[np.int64]) -> NDArray[np.float64]:
    """(p,) each piece's share of its catchment's street length."""
    metres = np.bincount(of_piece, weights=network.piece_metres)
    return np.asarray(network.piece_metres / metres[of_piece])


def note_first_months(
    catchments: Catchments, catchment: NDArray[np.int64], months: pd.Series
) -> Catchments:
    """The catchments with the month in which crime was first recorded on each."""
    first_month = np.full(len(catchments), months.min().to_datetime64())
    used = catchment >= 0
    by_catchment = months[used].groupby(catchment[used]).min()
    first_month[by_catchment.index.to_numpy()] = by_catchment.to_numpy()
    return replace(catchments, first_month=first_month)


def assign_catchments(
    network: StreetNetwork, catchments: Catchments, xy: ArrayLike
) -> NDArray[np.int64]:
    """(k,) catchment of places: of their snap point or the nearest street, -1 for none near."""
    count, places = len(catchments), np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    distinct, number = find_unique_points(np.concatenate([catchments.xy, places]))
    of_point = np.full(len(distinct), -1)
    of_point[number[:count][::-1]] = np.arange(count)[::-1]
    on_street = network.snap(distinct)
    nearest = catchments.piece_catchment[on_street.piece]
    of_point = np.where(of_point < 0, nearest, of_point)
    of_point[on_street.moved_metres > MAX_SNAP_METRES] = -1
    return np.asarray(of_point[number[count:]])
