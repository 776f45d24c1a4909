"""How much the presence of pupils raises the risk of a street, minute by minute.

Where more pupils are, more of them can be harmed, but not in proportion: crowds also watch. Crime
of a category grows with a power of the pupils present, which the settings give for each category
(`[way_home] exposure`). On streets of Chicago near schools, violence on school days grew with the
power 0.52 (standard error 0.02) of an exposure that was modelled from the schools' places and
bells, and did not on the same streets at the same hours without school (City of Chicago, "Crimes -
2001 to Present", 2012 to 2018). Robbery showed no such growth; its 0.25 is a decision, as pupils
are about a quarter of its victims.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from patrolplan.pupils.flows import Ways
    from patrolplan.pupils.presence import Presence

BLOCK_PIECES = 2048
"""Pieces whose minutes are processed together; they fit in the processor's cache."""


@dataclass(frozen=True, eq=False)
class PupilExposure:
    """Pupils present on each piece of street, relative to the mean over area and window."""

    # `ways`, `presence`: The ways home of each school, and where pupils are, minute by minute.
    ways: "Ways"
    presence: "Presence"
    # Exposure of streets without modelled pupils, as a share of the mean: there may be some.
    floor: float
    # (p,) what a pupil adds on each piece: more on a short one, and where few are on the whole.
    per_pupil: NDArray[np.float64]

    def compute_relative(self, minute: int) -> NDArray[np.float64]:
        """(p,) floor + (1 - floor) x pupils a metre in that minute over their mean."""
        return self.floor + self.presence.count_at(minute) * self.per_pupil

    def sum_powers(
        self, powers: Sequence[float], minutes: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> dict[float, NDArray[np.float64]]:
        """(p,) weighted sum over some minutes, not many, of the exposure to each power."""
        first = int(minutes[0])
        counts = self.presence.count_each(first, int(minutes[-1]) + 1)
        deserted = np.full(len(minutes), self.floor)
        sums = {
            power: np.full(len(counts), raise_to_power(deserted, power) @ weights)
            for power in powers
        }
        busy = np.flatnonzero(counts.any(axis=1))  # on half of a city's streets nobody is
        for start in range(0, len(busy), BLOCK_PIECES):
            block = busy[start : start + BLOCK_PIECES]
            relative = counts[block].take(minutes - first, axis=1)
            relative *= self.per_pupil[block, None]
            relative += self.floor
            for power, total in sums.items():
                total[block] = raise_to_power(relative, power) @ weights
        return sums


def build_exposure(
    ways: "Ways",
    presence: "Presence",
    metres: NDArray[np.float64],
    floor: float,
    minutes: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> PupilExposure | None:
    """Exposure relative to the mean over all streets and a window; None where no pupil is out.

    `metres`: (p,) length of the patrolled pieces of street. `minutes`, `weights`: (m,) minutes of
    the window, and how much each counts, which sums to 1.
    """
    first = int(minutes[0])
    counts = presence.count_all(first, int(minutes[-1]) + 1)
    mean = float((counts[minutes - first] * weights).sum())
    if mean <= 0:
        return None
    per_metre = mean / metres.sum()
    return PupilExposure(ways, presence, floor, (1 - floor) / (metres * per_metre))


def get_powers(categories: Sequence[str], exposure: Mapping[str, float]) -> NDArray[np.float64]:
    """(j,) power of the pupils present that each category grows with; 0 where none is set."""
    return np.array([exposure.get(name, 0.0) for name in categories], dtype=np.float64)


def raise_to_power(values: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """Values to a power; the common ones by square roots, which are exact and quick.

    Examples
    --------
    >>> raise_to_power(np.array([1.0, 16.0]), 0.25).tolist()
    [1.0, 2.0]
    """
    half, quarter = 0.5, 0.25
    if power == 0:
        return np.ones_like(values)
    if power == half:
        return np.sqrt(values)
    if power == quarter:
        return np.sqrt(np.sqrt(values))
    return np.power(values, power)
