"""Names of squares of the fixed grid, as coarse as the squares themselves: by their streets."""

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from patrolplan.crs import BRITISH_GRID, SQUARE_METRES, Projection, find_squares
from patrolplan.network.network import StreetNetwork

PARTS = 5  # A square has so many parts of 50 m a side, each with a letter
PART_METRES = round(SQUARE_METRES / PARTS)
MAX_STREETS = 2  # Streets that the name of a square gives
GRID_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # of 500 km and 100 km squares, row by row
GRID_METRES = (700_000, 1_300_000)  # Extent of the British National Grid, eastwards and northwards


def name_places(xy: ArrayLike, crs: str) -> list[str]:
    """The ID of each of (k, 2) places: its part of a square, and the metres in it east and north.

    It depends on the place alone, so it is the same next month, whatever else is found.

    >>> name_places([[529_510.5, 181_760.5]], "EPSG:27700")
    ['P2118-727a1010']
    """
    metres = _find_metres(xy, crs)
    inside = (metres % PART_METRES).tolist()
    names = zip(_name_parts(metres // PART_METRES), inside, strict=True)
    return [f"{name}{east:02d}{north:02d}" for name, (east, north) in names]


def name_parts(xy: ArrayLike, crs: str) -> list[str]:
    """The part of a square in which each of (k, 2) places is: the square, and a letter.

    >>> name_parts([[529_510.5, 181_760.5]], "EPSG:27700")
    ['P2118-727a']
    """
    return _name_parts(_find_metres(xy, crs) // PART_METRES)


def get_part(name: str) -> str:
    """The part of a square in which a place is, by its ID.

    >>> get_part("P2118-727a1010")
    'P2118-727a'
    """
    return name[: -len("1010")]


def _find_metres(xy: ArrayLike, crs: str) -> NDArray[np.int64]:
    """(k, 2) whole metres of the fixed grid, east and north."""
    # Rounded as files round degrees: a place that is read again has the same name.
    degrees = Projection(crs).to_degrees(*np.asarray(xy, dtype=np.float64).reshape(-1, 2).T)
    return find_squares(np.column_stack(degrees), side_metres=1.0)[:, 1:]


def _name_parts(parts: NDArray[np.int64]) -> list[str]:
    """The names of (k, 2) parts, by column and row."""
    letters = parts[:, 1] % PARTS * PARTS + parts[:, 0] % PARTS
    return [
        f"P{column}-{row}{chr(ord('a') + letter)}"
        for (column, row), letter in zip((parts // PARTS).tolist(), letters.tolist(), strict=True)
    ]


def name_squares(network: StreetNetwork, squares: ArrayLike) -> list[tuple[str, ...]]:
    """The names of most length in each (s, 3) square, at most `MAX_STREETS`, the longest first."""
    wanted = np.asarray(squares, dtype=np.int64).reshape(-1, 3)
    of_piece = find_squares(network.piece_middle, network.projection.crs)
    named = np.asarray(network.piece_name, dtype=object)
    found = []
    for square in wanted:
        inside = (of_piece == square).all(axis=1) & (named != "")
        metres = pd.Series(network.piece_metres[inside]).groupby(named[inside]).sum().round()
        ranked = sorted((-length, str(name)) for name, length in metres.items())
        found.append(tuple(name for _, name in ranked[:MAX_STREETS]))
    return found


def format_grid_reference(x: float, y: float, *, crs: str = BRITISH_GRID) -> str:
    """Grid reference of the 10 m square around a point, for the radio; empty off the grid."""
    if crs.upper() != BRITISH_GRID or not (0 <= x < GRID_METRES[0] and 0 <= y < GRID_METRES[1]):
        return ""
    # The lettering starts one 500 km square west and two south of the true origin (square S).
    east, north = math.floor(x), math.floor(y)
    big = GRID_LETTERS[(3 - north // 500_000) * 5 + east // 500_000 + 2]
    small = GRID_LETTERS[(4 - north % 500_000 // 100_000) * 5 + east % 500_000 // 100_000]
    return f"{big}{small} {east % 100_000 // 10:04d} {north % 100_000 // 10:04d}"
