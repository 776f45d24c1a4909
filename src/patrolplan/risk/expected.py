"""Expected incidents by piece of street and category in a patrol window, with 80 % bands.

Risk is a share of harm; this is how many incidents of each category it rests on. They are few: a
window is an hour or two of one day. The band shows how well the rate of a place is known, not how
many incidents will be recorded there: usually there will be none.

The rate of a place is a gamma variable around what the model expects, of the shape that the
shrinkage gives it (`patrolplan.risk.shrinkage`): a + n, with n incidents on record there and a the
more, the less places differ from what their surroundings say. The more there are, the surer the
rate. The band is that of the place, if the model is right: how its incidents are spread along its
streets is assumed, and not in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from patrolplan.network import StreetNetwork
from patrolplan.risk.history import History
from patrolplan.risk.shrinkage import compute_shrunk_rates

BAND_ENDS = (0.1, 0.9)
"""Probabilities at the lower and upper end of the band: the rate of 80 % of places is inside."""


@dataclass(frozen=True, eq=False)
class ExpectedIncidents:
    """Incidents expected in one window, computed when first wanted; without pupils' presence."""

    network: StreetNetwork  # The p pieces of street
    history: History  # What was learned from; names the j categories
    # Gives (p, j) incidents expected in the window on one day.
    count: Callable[[], NDArray[np.float64]]

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """(p, j) incidents expected in the window on one day."""
        return self.count()

    @cached_property
    def shapes(self) -> NDArray[np.float64]:
        """(p, j) shape of the gamma variable that each place's rate is."""
        by_place = compute_shrunk_rates(self.history).shapes
        return by_place[self.history.units.catchments.piece_catchment]

    def frame(self, share: float | None = None) -> pd.DataFrame:
        """(p, j) the counts, or the limit that the rate stays below with this probability."""
        values = (
            self.counts if share is None else scale_to_quantile(self.counts, self.shapes, share)
        )
        rows = pd.RangeIndex(len(values), name="piece")
        return pd.DataFrame(values, index=rows, columns=pd.Index(self.history.targets))

    def sum_categories(self) -> pd.DataFrame:
        """`expected`, `low` and `high` of all categories together, one row a piece."""
        # A sum of gamma variables is none, but nearly: the one with the sum of their means and of
        # their variances. The categories' rates are taken as independent.
        total = self.counts.sum(axis=1)
        variance = (self.counts**2 / self.shapes).sum(axis=1)
        shape = np.divide(total**2, variance, out=np.ones_like(total), where=variance > 0)
        low, high = (scale_to_quantile(total, shape, share) for share in BAND_ENDS)
        rows = pd.RangeIndex(len(total), name="piece")
        return pd.DataFrame({"expected": total, "low": low, "high": high}, index=rows)


def scale_to_quantile(
    means: NDArray[np.float64], shapes: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Quantile of gamma variables of these means and shapes, all of one form.

    Examples
    --------
    >>> scale_to_quantile(np.array([2.0]), np.array([1.0]), 0.5).round(3)  # 2 log(2)
    array([1.386])
    """
    return np.asarray(means * scipy.special.gammaincinv(shapes, share) / shapes)
