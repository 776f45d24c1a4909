"""Where an officer is during a stop: at one place, or up and down the stretches of a beat."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patrolplan.network import StreetNetwork


@dataclass(frozen=True, eq=False)
class Visit:
    """Places where an officer is for part of the time between two times."""

    places_xy: NDArray[np.float64]
    """(n, 2) metres."""
    shares: NDArray[np.float64]
    """(n,) share of the time spent at each: one is at one place at a time."""
    start: float
    end: float
    """After midnight."""

    @classmethod
    def at(cls, point_xy: ArrayLike, start: float, end: float) -> Self:
        """All the time at one place."""
        place = np.asarray(point_xy, dtype=np.float64).reshape(1, 2)
        return cls(place, np.ones(1), start, end)

    @classmethod
    def along(
        cls, network: StreetNetwork, pieces: NDArray[np.int64], start: float, end: float
    ) -> Self:
        """Up and down some pieces of street, with time on each in proportion to its length."""
        metres = network.piece_metres[pieces]
        return cls(network.piece_middle[pieces], metres / metres.sum(), start, end)
