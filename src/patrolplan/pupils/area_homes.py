"""Where the homes of small areas are: on the streets in them, or beyond the known streets."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from patrolplan.network.network import StreetNetwork
from patrolplan.pupils.covered import SQUARE_METRES, Covered, find_square_numbers


@dataclass(frozen=True, eq=False)
class AreaHomes:
    """Where homes of areas are: shares of each area on pieces, and in places beyond the streets."""

    areas: dict[str, int]  # Number of each area, by its name
    # (a,) residents (those aged 5 to 16 where given); all zero where neither is known.
    residents: NDArray[np.float64]
    # `piece_area`, `piece_share`: (p,) area that holds each piece, -1 for none, and the share of
    # its homes there.
    piece_area: NDArray[np.int64]
    piece_share: NDArray[np.float64]
    # `place_area`, `place_share`, `place_xy`: (b,) places beyond the streets.
    place_area: NDArray[np.int64]
    place_share: NDArray[np.float64]
    place_xy: NDArray[np.float64]


def locate_area_homes(
    network: StreetNetwork, areas: gpd.GeoDataFrame, homes: NDArray[np.float64], covered: Covered
) -> AreaHomes:
    """Spread each area over the streets in it, and over its squares that have none."""
    polygons = areas.geometry.to_numpy()
    tree = shapely.STRtree(shapely.points(network.piece_middle))
    area, piece = tree.query(polygons, predicate="intersects")
    piece_area = np.full(len(network), -1)
    piece_area[piece[::-1]] = area[::-1]  # of areas that overlap the first one counts
    sample_area, sample_xy = _sample_squares(polygons)
    beyond = ~covered.find(sample_xy)
    samples = np.bincount(sample_area, minlength=len(areas))
    share_beyond = np.bincount(sample_area[beyond], minlength=len(areas)) / samples
    held = piece_area >= 0
    metres = np.bincount(piece_area[held], homes[held], minlength=len(areas))
    weight = np.where(held, homes, 0.0)
    # An area whose streets are all of kinds without homes has them spread by length instead.
    length = np.bincount(piece_area[held], network.piece_metres[held], minlength=len(areas))
    is_bare = held & (metres[piece_area] <= 0)
    weight[is_bare] = network.piece_metres[is_bare]
    total = np.where(metres > 0, metres, length)
    share = np.zeros(len(network))
    share[held] = ((1 - share_beyond) / np.where(total > 0, total, 1.0))[piece_area[held]]
    share *= weight
    # Houses off the known streets, between them: at the nearest.
    lost = np.flatnonzero((total <= 0) & (share_beyond < 1))
    nearest = network.snap(shapely.get_coordinates(shapely.point_on_surface(polygons[lost])))
    free = ~held[nearest.piece]
    piece_area[nearest.piece[free]] = lost[free]
    share[nearest.piece[free]] = 1 - share_beyond[lost[free]]
    return AreaHomes(
        {str(name): number for number, name in enumerate(areas["area"])},
        _count_residents(areas),
        piece_area,
        share,
        sample_area[beyond],
        1.0 / samples[sample_area[beyond]],
        sample_xy[beyond],
    )


def _count_residents(areas: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(a,) residents aged 5 to 16, for some areas estimated from all residents; 0 if not known."""
    young: NDArray[np.float64] = areas["aged_5_16"].to_numpy(dtype=np.float64)
    everyone: NDArray[np.float64] = areas["residents"].to_numpy(dtype=np.float64)
    if np.isnan(young).all():
        return np.asarray(np.nan_to_num(everyone))
    both = ~np.isnan(young) & (everyone > 0)
    ratio = young[both].sum() / everyone[both].sum() if both.any() else 0.0
    return np.asarray(np.nan_to_num(np.where(np.isnan(young), everyone * ratio, young)))


def _sample_squares(polygons: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Centres of the squares in each polygon, or a point on it: (k,) polygon and (k, 2) metres."""
    corners = find_square_numbers(shapely.bounds(polygons).reshape(-1, 2)).reshape(-1, 2, 2)
    numbers, points = [], []
    for number, (first, last) in enumerate(corners.tolist()):
        column, row = np.meshgrid(
            np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1), indexing="ij"
        )
        centres = (np.column_stack([column.ravel(), row.ravel()]) + 0.5) * SQUARE_METRES
        within = centres[shapely.contains_xy(polygons[number], *centres.T)]
        if not len(within):
            within = shapely.get_coordinates(shapely.point_on_surface(polygons[number]))
        numbers.append(np.full(len(within), number))
        points.append(within)
    return np.concatenate(numbers), np.concatenate(points)
