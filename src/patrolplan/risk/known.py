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
        self._around = _around_by_month(history)

    def _over(
        self, counts: NDArray[np.int32], month: int, horizon: int, rows: PlaceRows
    ) -> NDArray[np.float64]:
        """(r, k) counts in the `horizon` months before a month, scaled where fewer are known."""
        known = min(horizon, month)
        seen = counts[month - known : month, rows].sum(axis=0, dtype=np.int64)
        return np.asarray(seen * (horizon / max(known, 1)))

    def features(
        self, month: int, target: int, rows: PlaceRows = EVERY_PLACE
    ) -> NDArray[np.float64]:
        """(r, f) all that is known of one category before a month, at these places.

        Of the category alone: counts there over all horizons, and around. Then what all categories
        have in common: every category's count and that of all over the last months, all around,
        street length and kind, season.
        """
        places, counts, around = self.history.places, self.history.counts, self._around
        there = [self._over(counts[..., target], month, span, rows) for span in HORIZONS]
        beside = [self._over(around[..., target], month, span, rows) for span in (SHORT, LONG)]
        long, short = (self._over(counts, month, span, rows) for span in (LONG, SHORT))
        in_all = [long.sum(axis=1), short.sum(axis=1)]
        all_around = [self._over(around[..., -1], month, span, rows) for span in (LONG, SHORT)]
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


def _around_by_month(history: History) -> NDArray[np.int32]:
    """(t, c, j + 1) incidents around each place, of each target and of all categories."""
    kept, targets = history.places.kept, len(history.targets)
    found = []
    for digest, counts in zip(history.month_digests, history.counts, strict=True):
        key = f"around {targets} {digest}"
        if key not in kept:
            amounts = np.column_stack([counts[:, :targets], counts.sum(axis=1)])
            kept[key] = np.rint(history.places.around(amounts.astype(np.float64))).astype(np.int32)
        found.append(kept[key])
    shape = (0, len(history.places), targets + 1)
    return np.stack(found) if found else np.empty(shape, dtype=np.int32)
