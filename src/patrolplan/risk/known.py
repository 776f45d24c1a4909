"""What a regression may know of a place at the start of a month: everything from before it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.risk.history import History
from patrolplan.risk.regression import HELD_BACK_MONTHS
from patrolplan.risk.regression import Rows
from patrolplan.risk.regression import thin
from patrolplan.risk.shrinkage import shrunk_rates

HORIZONS = (1, 3, 6, 12)
"""Months that counts are looked back over."""

LONG, SHORT = 12, 3

LEAST_RATE = 1e-4
"""Incidents a month; no place is held to be without any."""


class Known:
    """Features and rates of places, for any month up to the one after the history's last.

    Counts enter as log(1 + count), so that a rate may be a product of powers of them. Where fewer
    months are known than a horizon holds, the count is scaled up to it.

    Parameters
    ----------
    history
        The months that may be looked at. What is told of a month rests on those before it.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        counts = history.counts
        self._before = np.zeros((counts.shape[0] + 1, *counts.shape[1:]))
        np.cumsum(counts, axis=0, out=self._before[1:])
        self._kept: dict[tuple[str, int], NDArray[np.float64]] = {}

    def _over(self, month: int, horizon: int) -> NDArray[np.float64]:
        """(c, k) incidents in the `horizon` months before a month, scaled where fewer are known."""
        known = min(horizon, month)
        seen = self._before[month] - self._before[month - known]
        return np.asarray(seen * (horizon / max(known, 1)))

    def shared(self, month: int) -> NDArray[np.float64]:
        """(c, f) features that all categories have in common.

        Every category's count and that of all over the last months, all around, street length
        and kind, season.
        """
        places = self.history.places
        long, short = self._over(month, LONG), self._over(month, SHORT)
        in_all = np.column_stack([long.sum(axis=1), short.sum(axis=1)])
        at = self.history.months[0] + pd.DateOffset(months=month)
        angle = 2 * np.pi * at.month / 12
        season = np.broadcast_to([np.sin(angle), np.cos(angle)], (len(places), 2))
        around = np.log1p(places.around(in_all))
        length = np.log(places.metres)
        return np.column_stack(
            [np.log1p(long), np.log1p(in_all), around, length, places.kinds, season]
        )

    def own(self, month: int) -> NDArray[np.float64]:
        """(c, j, f) features of each target alone: counts there and around."""
        targets = len(self.history.targets)
        there = {span: self._over(month, span)[:, :targets] for span in HORIZONS}
        around = [self.history.places.around(there[span]) for span in (SHORT, LONG)]
        return np.asarray(np.log1p(np.stack([*there.values(), *around], axis=2)))

    def rates(self, month: int) -> NDArray[np.float64]:
        """(c, j) shrunk counts of the months before, a month."""
        before = self.history.until(self.history.months[0] + pd.DateOffset(months=month))
        return np.maximum(shrunk_rates(before), LEAST_RATE)

    def features(self, month: int, target: int) -> NDArray[np.float64]:
        """(c, f) all that is known of one category before a month."""
        own, shared = self._once("own", month), self._once("shared", month)
        return np.column_stack([own[:, target], shared])

    def _once(self, what: str, month: int) -> NDArray[np.float64]:
        """What one of the methods above gives for a month, worked out once."""
        if (what, month) not in self._kept:
            self._kept[what, month] = getattr(self, what)(month)
        return self._kept[what, month]

    def rows(self, months: Sequence[int], target: int) -> Rows:
        """Rows to learn one category from: these months, every place."""
        counts = self.history.counts[list(months), :, target]
        weights = thin(counts)
        kept = weights > 0
        held_back = len(months) - min(HELD_BACK_MONTHS, len(months) // 3)
        number = np.broadcast_to(np.arange(len(months))[:, None], counts.shape)
        return Rows(
            features=np.concatenate(
                [self.features(month, target)[kept[at]] for at, month in enumerate(months)]
            ),
            exposure=np.concatenate(
                [self._once("rates", month)[kept[at], target] for at, month in enumerate(months)]
            ),
            counts=counts[kept].astype(np.float64),
            weights=weights[kept],
            held_back=number[kept] >= held_back,
        )
