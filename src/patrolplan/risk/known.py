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


EVERY_PLACE = slice(None)

PlaceRows = NDArray[np.int64] | slice
"""Places that something is asked of."""


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
        self._there, self._around = _so_far(history)

    def _over(
        self, so_far: list[NDArray[np.int32]], month: int, horizon: int, rows: PlaceRows
    ) -> NDArray[np.float64]:
        """(r, k) counts in the `horizon` months before a month, scaled where fewer are known."""
        known = min(horizon, month)
        seen = so_far[month][rows] - so_far[month - known][rows]
        return np.asarray(seen * (horizon / max(known, 1)))

    def features(
        self, month: int, target: int, rows: PlaceRows = EVERY_PLACE
    ) -> NDArray[np.float64]:
        """(r, f) all that is known of one category before a month, at these places.

        Of the category alone: counts there over all horizons, and around. Then what all categories
        have in common: every category's count and that of all over the last months, all around,
        street length and kind, season.
        """
        places = self.history.places
        counts = {span: self._over(self._there, month, span, rows) for span in HORIZONS}
        around = {span: self._over(self._around, month, span, rows) for span in (SHORT, LONG)}
        there = [counts[span][:, target] for span in HORIZONS]
        beside = [around[span][:, target] for span in (SHORT, LONG)]
        long = counts[LONG]
        in_all = [long.sum(axis=1), counts[SHORT].sum(axis=1)]
        all_around = [around[span][:, -1] for span in (LONG, SHORT)]
        at = self.history.months[0] + pd.DateOffset(months=month)
        angle = 2 * np.pi * at.month / 12
        season = np.broadcast_to([np.sin(angle), np.cos(angle)], (len(long), 2))
        counted = np.log1p(np.column_stack([*there, *beside, long, *in_all, *all_around]))
        length = np.log(places.metres[rows])
        return np.column_stack([counted, length, places.kinds[rows], season])

    def rates(self, month: int, rows: PlaceRows = EVERY_PLACE) -> NDArray[np.float64]:
        """(r, j) shrunk counts of the months before, a month, at these places."""
        return np.maximum(shrunk_rates(self.history, months=month)[rows], LEAST_RATE)

    def rows(self, months: Sequence[int], target: int) -> Rows:
        """Rows to learn one category from: these months, every place."""
        counts = self.history.counts[list(months), :, target]
        weights = thin(counts)
        kept = weights > 0
        held_back = len(months) - min(HELD_BACK_MONTHS, len(months) // 3)
        number = np.broadcast_to(np.arange(len(months))[:, None], counts.shape)
        asked = [(month, np.flatnonzero(row)) for month, row in zip(months, kept, strict=True)]
        return Rows(
            features=np.concatenate([self.features(month, target, rows) for month, rows in asked]),
            exposure=np.concatenate([self.rates(month, rows)[:, target] for month, rows in asked]),
            counts=counts[kept].astype(np.float64),
            weights=weights[kept],
            held_back=number[kept] >= held_back,
        )


def _so_far(history: History) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]]:
    """(c, k) incidents there, and (c, j + 1) around, in all months before each and all of them.

    Around each place: of each target and of all categories.
    """
    places, targets = history.places, len(history.targets)
    there = [np.zeros(history.counts.shape[1:], dtype=np.int32)]
    around = [np.zeros((len(places), targets + 1), dtype=np.int32)]
    for number, counts in enumerate(history.counts, start=1):
        key = f"so far {history.digest(number)}"
        if key not in places.kept:
            amounts = np.column_stack([counts[:, :targets], counts.sum(axis=1)])
            near = np.rint(places.around(amounts.astype(np.float64))).astype(np.int32)
            places.kept[key] = np.column_stack([there[-1] + counts, around[-1] + near])
        both = places.kept[key]
        there.append(both[:, : counts.shape[1]])
        around.append(both[:, counts.shape[1] :])
    return there, around
