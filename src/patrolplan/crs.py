"""Degrees to metres and back, only here, and the fixed grid of squares."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Proj, Transformer
from pyproj.enums import TransformDirection

DEGREES = "EPSG:4326"
BRITISH_GRID = "EPSG:27700"
BRITISH_GRID_CODE = 27700

GREAT_BRITAIN = (-8.7, 49.8, 1.8, 60.9)
WORLD = (-180.0, -90.0, 180.0, 90.0)  # Degrees: west, south, east, north


@dataclass(frozen=True)
class Projection:
    """The area's metric CRS, and transformations to and from longitude and latitude.

    >>> x, y = Projection("EPSG:27700").to_metres([-0.1346], [51.5205])
    >>> round(float(x[0])), round(float(y[0]))
    (529520, 181825)
    """

    # Without the Ordnance Survey's OSTN15 grid, which is in no wheel, PROJ transforms to the
    # British grid with seven parameters, accurate to about 2 m: enough for a patrol, and the same
    # on every machine because PROJ's downloads are never enabled.
    crs: str = BRITISH_GRID

    def to_metres(
        self, x: ArrayLike, y: ArrayLike, source: str = DEGREES
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates (by default longitude, latitude) in the area's metres; NaN stays NaN."""
        return _transform(source, self.crs, x, y)

    def to_degrees(
        self, x: ArrayLike, y: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitude and latitude of points in metres, rounded to 6 decimals (about 0.1 m)."""
        longitude, latitude = _transform(self.crs, DEGREES, x, y)
        return np.round(longitude, 6), np.round(latitude, 6)

    def compute_scale_factor(self, longitude: float, latitude: float) -> float:
        """Metres on the plane per metre on the ground, east or north, whichever is further from 1.

        >>> round(Projection("EPSG:3857").compute_scale_factor(-0.12, 51.5), 2)
        1.61
        """
        factors = Proj(self.crs).get_factors(longitude, latitude)
        scales = np.array([factors.meridional_scale, factors.parallel_scale])
        return float(scales[np.argmax(np.abs(scales - 1))])


def is_within(
    box: tuple[float, float, float, float], longitude: ArrayLike, latitude: ArrayLike
) -> NDArray[np.bool_]:
    """(k,) whether each place is in a box of degrees (west, south, east, north)."""
    x, y = np.asarray(longitude, dtype=np.float64), np.asarray(latitude, dtype=np.float64)
    west, south, east, north = box
    return np.asarray((west <= x) & (x <= east) & (south <= y) & (y <= north))


def find_local_codes(longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.int64]:
    """(k,) EPSG code of the British grid, elsewhere of the UTM zone; 0 for an invalid place.

    >>> find_local_codes([-0.13, 8.68, 151.2, float("nan")], [51.5, 50.1, -33.9, 51.5])
    array([27700, 32632, 32756,     0])
    """
    exists = is_within(WORLD, longitude, latitude)
    east = np.where(exists, np.asarray(longitude, dtype=np.float64) + 180, 0.0)
    side = np.where(np.asarray(latitude, dtype=np.float64) >= 0, 32600, 32700)
    utm = side + (east % 360 // 6).astype(np.int64) + 1
    is_british = is_within(GREAT_BRITAIN, longitude, latitude)
    return np.where(exists, np.where(is_british, BRITISH_GRID_CODE, utm), 0)


SQUARE_METRES = 250.0  # Of the fixed grid; no setting: counts of two sizes could be subtracted
NOWHERE = (0, 0, 0)  # The square of an invalid place


def find_squares(
    xy: ArrayLike, crs: str = DEGREES, *, side_metres: float = SQUARE_METRES
) -> NDArray[np.int64]:
    """(k, 3) square of the fixed grid, EPSG code, column and row, of each (k, 2) place in `crs`.

    The grid is the British grid's in Great Britain and elsewhere that of the place's UTM zone: a
    place has the same square in any CRS. Other sides are for names alone, never for counts.

    >>> find_squares([[-0.1346, 51.5205], [8.68, 50.1]])
    array([[27700,  2118,   727],
           [32632,  1908, 22199]])
    """
    x, y = np.asarray(xy, dtype=np.float64).reshape(-1, 2).T
    codes = find_local_codes(*_transform(crs, DEGREES, x, y))
    squares = np.tile(np.array(NOWHERE, dtype=np.int64), (len(x), 1))
    for code in np.unique(codes[codes > 0]):
        here = np.flatnonzero(codes == code)
        metres = np.stack(_transform(crs, f"EPSG:{code}", x[here], y[here]), axis=1)
        exists = np.isfinite(metres).all(axis=1)
        squares[here[exists], 0] = code
        squares[here[exists], 1:] = np.floor(metres[exists] / side_metres)
    return squares


def number_squares(squares: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct squares in order, (s, 3), and (k,) for each row the number of its square."""
    distinct, number = np.unique(squares, axis=0, return_inverse=True)
    return distinct, number.reshape(-1)


def locate_in_squares(
    squares: NDArray[np.int64], across: float, up: float, crs: str
) -> NDArray[np.float64]:
    """(s, 2) coordinates in `crs` of a place in each (s, 3) square, by shares of its side.

    >>> locate_in_squares(np.array([[27700, 2118, 727]]), 0.5, 0.5, "EPSG:27700")
    array([[529625., 181875.]])
    """
    places = np.full((len(squares), 2), np.nan)
    for code in np.unique(squares[:, 0]):
        here = squares[:, 0] == code
        if code:
            metres = (squares[here, 1:] + np.array([across, up])) * SQUARE_METRES
            places[here] = np.stack(_transform(f"EPSG:{code}", crs, *metres.T), axis=1)
    return places


_transformer = lru_cache(maxsize=32)(partial(Transformer.from_crs, always_xy=True))


def _transform(
    source: str, target: str, x: ArrayLike, y: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
    if source == target:
        return x, y
    valid = np.isfinite(x) & np.isfinite(y)
    out = np.full((2, *x.shape), np.nan)
    # The same object serves both directions: PROJ takes 20 ms to create one.
    ends, direction = (source, target), TransformDirection.FORWARD
    if target == DEGREES:
        ends, direction = (target, source), TransformDirection.INVERSE
    out[:, valid] = _transformer(*ends).transform(x[valid], y[valid], direction=direction)
    out[:, ~np.isfinite(out).all(axis=0)] = np.nan
    return out[0], out[1]
