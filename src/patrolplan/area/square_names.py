"""Names of squares of the fixed grid, as coarse as the squares themselves: by their streets."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from patrolplan.crs import SQUARE_METRES, find_squares
from patrolplan.network.network import StreetNetwork

PARTS = 5  # A square has so many parts of 50 m a side, each with a letter
MAX_STREETS = 2  # Streets that the name of a square gives


def name_places(xy: ArrayLike, crs: str) -> list[str]:
    """The ID of each of (k, 2) places: its square, and the letter of its part of it.

    It depends on the place alone, so it is the same next month, whatever else is found.

    >>> name_places([[529_510.0, 181_760.0]], "EPSG:27700")
    ['P2118-727a']
    """
    parts = find_squares(xy, crs, side_metres=SQUARE_METRES / PARTS)[:, 1:]
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
