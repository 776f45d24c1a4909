"""What a regression may know of a place at the start of a month: everything from before it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.risk.history import History
from patrolplan.risk.regression import HOLD_OUT_MONTHS, TrainingRows, thin_rows
from patrolplan.risk.shrinkage import compute_shrunk_rates
from patrolplan.risk.spatial_units import STREET_KINDS

HORIZONS = (1, 3, 6, 12)
"""Months that counts are looked back over."""

LONG, SHORT = 12, 3

AROUND = (SHORT, LONG)
"""Months that counts around are looked back over."""

SEASON = (np.sin, np.cos)
"""Of the month as an angle."""

MIN_RATE = 1e-4
"""Incidents a month; no place is held to be without any."""


EVERY_PLACE = slice(None)

UnitRows = NDArray[np.int64] | slice
"""Places that something is asked of."""


class FeatureBuilder:
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
        self._there, self._around = _accumulate_counts(history)

    def build_month(self, month: int, rows: UnitRows = EVERY_PLACE) -> "MonthFeatures":
        """What is known before a month, at these places."""
        return MonthFeatures(self, month, rows)

    def build_features(
        self, month: int, target: int, rows: UnitRows = EVERY_PLACE
    ) -> NDArray[np.float64]:
        """(r, f) all that is known of one category before a month, at these places."""
        return self.build_month(month, rows).build_for(target)

    def compute_rates(self, month: int) -> NDArray[np.float64]:
        """(c, j) shrunk counts of the months before, a month."""
        return np.maximum(compute_shrunk_rates(self.history, months=month), MIN_RATE)

    def build_rows(self, months: range, target: int) -> TrainingRows:
        """Rows to learn one category from: these months, every place."""
        counts = np.ascontiguousarray(self.history.counts[months.start : months.stop, :, target])
        weights = thin_rows(counts)
        kept = weights > 0
        held_back = len(months) - min(HOLD_OUT_MONTHS, len(months) // 3)
        number = np.repeat(np.arange(len(months)), kept.sum(axis=1))
        features = np.empty((len(number), self.width))
        exposure = np.empty(len(number))
        last = np.cumsum(kept.sum(axis=1))
        for month, row, end in zip(months, kept, last, strict=True):
            places = np.flatnonzero(row)
            part = slice(end - len(places), end)
            MonthFeatures(self, month, places, features[part]).build_for(target)
            rates = compute_shrunk_rates(self.history, months=month)[places, target]
            exposure[part] = np.maximum(rates, MIN_RATE)
        return TrainingRows(
            features=features,
            exposure=exposure,
            counts=counts[kept].astype(np.float64),
            weights=weights[kept],
            is_hold_out=number >= held_back,
        )

    @property
    def width(self) -> int:
        """How many features there are."""
        own, shared = len(HORIZONS) + len(AROUND), len(self.history.categories) + 2 * len(AROUND)
        return own + shared + 1 + len(STREET_KINDS) + len(SEASON)

    def sum_horizon(
        self, month: int, horizon: int, rows: UnitRows, columns: slice | int, *, around: bool
    ) -> NDArray[np.float64]:
        """(r,) or (r, n) counts there or around in the `horizon` months before a month.

        Scaled up where fewer months are known.
        """
        so_far = self._around if around else self._there
        known = min(horizon, month)
        seen = so_far[month][rows, columns] - so_far[month - known][rows, columns]
        return np.asarray(seen * (horizon / max(known, 1)))


class MonthFeatures:
    """Features of places before one month, of one category after the other.

    Of the category alone: counts there over all horizons, and around. Then what all categories
    have in common: every category's count and that of all over the last months, all around, street
    length and kind, season. That is looked up once.

    Parameters
    ----------
    known
        What is known.
    month, rows
        Before which month, and where.
    out
        (r, f) array to be filled; by default a new one.
    """

    def __init__(
        self,
        builder: FeatureBuilder,
        month: int,
        rows: UnitRows,
        out: NDArray[np.float64] | None = None,
    ) -> None:
        self.builder, self.month, self.rows = builder, month, rows
        places, kinds = builder.history.units, len(builder.history.categories)
        every, metres = slice(kinds), places.metres[rows]
        self._table = np.empty((len(metres), builder.width)) if out is None else out
        counts = {
            span: builder.sum_horizon(month, span, rows, every, around=False)
            for span in (LONG, SHORT)
        }
        in_all = [counts[span].sum(axis=1) for span in (LONG, SHORT)]
        beside = [builder.sum_horizon(month, span, rows, -1, around=True) for span in (LONG, SHORT)]
        own = len(HORIZONS) + len(AROUND)
        counted = self._table[:, own : own + kinds + 2 * len(AROUND)]
        np.log1p(np.column_stack([counts[LONG], *in_all, *beside]), out=counted)
        at = builder.history.months[0] + pd.DateOffset(months=month)
        angle = 2 * np.pi * at.month / 12
        rest = self._table[:, own + counted.shape[1] :]
        rest[:, 0] = np.log(metres)
        rest[:, 1 : -len(SEASON)] = places.kinds[rows]
        rest[:, -len(SEASON) :] = [turn(angle) for turn in SEASON]

    def build_for(self, target: int) -> NDArray[np.float64]:
        """(r, f) the features of one category; the next category's stand in the same array."""
        there = [
            self.builder.sum_horizon(self.month, span, self.rows, target, around=False)
            for span in HORIZONS
        ]
        around = [
            self.builder.sum_horizon(self.month, span, self.rows, target, around=True)
            for span in AROUND
        ]
        own = np.column_stack([*there, *around])
        np.log1p(own, out=self._table[:, : own.shape[1]])
        return self._table


def _accumulate_counts(history: History) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]]:
    """(c, k) incidents there, and (c, j + 1) around, in all months before each and all of them.

    Around each place: of each target and of all categories.
    """
    places, targets = history.units, len(history.targets)
    there = [np.zeros(history.counts.shape[1:], dtype=np.int32)]
    around = [np.zeros((len(places), targets + 1), dtype=np.int32)]
    for number, counts in enumerate(history.counts, start=1):
        key = f"so far {history.digest(number)}"
        if key not in places.cache:
            amounts = np.column_stack([counts[:, :targets], counts.sum(axis=1)])
            near = np.rint(places.sum_around(amounts.astype(np.float64))).astype(np.int32)
            places.cache[key] = np.column_stack([there[-1] + counts, around[-1] + near])
        both = places.cache[key]
        there.append(both[:, : counts.shape[1]])
        around.append(both[:, counts.shape[1] :])
    return there, around
