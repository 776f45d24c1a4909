"""The compiled heart of the jitters: which moved snap point each piece of street is nearest to."""

import math

import numpy as np
from numpy.typing import NDArray

from patrolplan.jit import compiled

Ground = tuple[
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
]
"""Where each catchment starts among its pieces, middles of pieces; centre and diameter of each
catchment; where its near ones start, and the near ones. Pieces stand catchment by catchment."""

GROUND = "Tuple((i8[::1], f8[:,::1], f8[:,::1], f8[::1], i8[::1], i8[::1]))"

SPARE_METRES = 1e-3
"""Beyond any rounding of a distance, so that no point is left out by it."""


TIED = -1
"""Stands for the nearest point where several are exactly as near."""


@compiled(f"i8[::1]({GROUND}, f8[:,::1])")
def nearest_moved(ground: Ground, moved: NDArray[np.float64]) -> NDArray[np.int64]:
    """(p,) number of the moved point nearest each piece's middle, or `TIED`.

    For the pieces of a catchment only those near points are asked that are at most its diameter
    farther from its centre than the nearest one is: no other is nearest to any of its pieces.
    """
    starts, middle, centre, diameter, near_starts, near = ground
    nearest = np.empty(len(middle), dtype=np.int64)
    away = np.empty(len(starts))
    asked = np.empty(len(starts), dtype=np.int64)
    for own in range(len(starts) - 1):
        first, last = near_starts[own], near_starts[own + 1]
        least = np.inf
        for slot in range(first, last):
            x = moved[near[slot], 0] - centre[own, 0]
            y = moved[near[slot], 1] - centre[own, 1]
            away[slot - first] = math.sqrt(x * x + y * y)
            least = min(least, away[slot - first])
        found = 0
        for slot in range(first, last):
            asked[found] = near[slot]
            found += away[slot - first] <= least + diameter[own] + SPARE_METRES
        for piece in range(starts[own], starts[own + 1]):
            least = np.inf
            for k in range(found):
                x = middle[piece, 0] - moved[asked[k], 0]
                y = middle[piece, 1] - moved[asked[k], 1]
                if x * x + y * y < least:
                    least = x * x + y * y
                    nearest[piece] = asked[k]
                elif x * x + y * y == least:
                    nearest[piece] = TIED
    return nearest
