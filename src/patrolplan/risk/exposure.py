"""How much the presence of pupils raises the risk of a street, minute by minute.

Where more pupils are, more of them can be harmed, but not in proportion: crowds also watch. Crime
of a category grows with a power of the pupils present (`[way_home] exposure`). That of violence and
anti-social behaviour, 0.36, is measured in Chicago (City of Chicago, "Crimes - 2001 to Present",
2012 to 2018, violence in streets near high schools; `benchmarks/after_school.py`): 0.44 (95 %
interval 0.33 to 0.55) on the northern half of the city, on which this program was developed, and
0.31 (0.23 to 0.39) on the other, which was held out; pooled by inverse variance 0.36 (0.29 to
0.42). At the same hours without school, and in the evening, it is 0. No such growth is shown for
robbery or any other category, so none is assumed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from patrolplan.pupils.flows import Ways
    from patrolplan.pupils.presence import Presence


FLOOR = 0.05
"""Share of the mean presence that streets without modelled pupils have: there may be some."""


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
        self, powers: Collection[float], minutes: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> dict[float, NDArray[np.float64]]:
        """(p,) weighted sum over some minutes, not many, of the exposure to each power."""
        # The mean of a power is not the power of the mean: a street that is full for five minutes
        # has less risk than one with as many pupils spread over an hour. So each minute is raised.
        first = int(minutes[0])
        counts = self.presence.count_each(first, int(minutes[-1]) + 1)[:, minutes - first]
        busy = np.flatnonzero(counts.any(axis=1))  # on half of a city's streets nobody is
        relative = self.floor + counts[busy] * self.per_pupil[busy, None]
        sums = {power: np.full(len(counts), self.floor**power * weights.sum()) for power in powers}
        for power, total in sums.items():
            total[busy] = relative**power @ weights
        return sums


def build_exposure(
    ways: "Ways",
    presence: "Presence",
    metres: NDArray[np.float64],
    floor: float,
    minutes: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> PupilExposure | None:
    """Exposure relative to its mean over all streets and a window; None where no pupil is out."""
    first = int(minutes[0])
    counts = presence.count_all(first, int(minutes[-1]) + 1)
    mean = float((counts[minutes - first] * weights).sum())
    if mean <= 0:
        return None
    # Pupils a metre over their mean: what counts is how densely a street is walked, not how long it
    # is; and its risk is compared with other streets of the area, so no pupil adds harm to the sum.
    per_metre = mean / metres.sum()
    return PupilExposure(ways, presence, floor, (1 - floor) / (metres * per_metre))


def get_powers(categories: Sequence[str], exposure: Mapping[str, float]) -> NDArray[np.float64]:
    """(j,) power of the pupils present that each category grows with; 0 where none is set."""
    return np.array([exposure.get(name, 0.0) for name in categories], dtype=np.float64)
