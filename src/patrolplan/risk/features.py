"""Features of places before a month, and the rows of place and month to learn from.

What is known of a place in a month rests on the months before alone.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from patrolplan.area.missing_months import MIN_HELD_SHARE
from patrolplan.risk.history import History, fill_missing
from patrolplan.risk.regression import MIN_RATE, PoissonFit, TrainingRows
from patrolplan.risk.shrinkage import compute_shrunk_rates

Number = TypeVar("Number", np.int32, np.float64)
Rows = Sequence[tuple[int, NDArray[np.int64] | slice]]
"""Rows of places, by month; a slice means all of them."""

HORIZONS = (1, 3, 6, 12)  # months over which the category's counts in a place are summed
AROUND = (3, 12)  # months over which the category's counts around a place are summed
ALL_SPANS = (12, 3)  # months over which the counts of all categories are summed

MAX_ROWS = 20_000
"""Where there are more rows, those without incidents are thinned, and weigh more instead."""

MAX_EVENT_ROWS = 20_000
"""Where more rows than these have incidents, they are thinned in the same way."""


def thin_rows(
    events: NDArray[np.int64], size: int, max_rows: int = MAX_ROWS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cells of months and places to learn from, in order, and how many cells each stands for.

    Cells with incidents and cells without are thinned separately, each only where there are too
    many, to every n-th.

    `events`: Numbers of the cells with incidents, in order.
    """
    every = max(1, -(-size // max_rows))
    nth = max(1, -(-len(events) // MAX_EVENT_ROWS))
    grid, used = np.arange(0, size, every), events[::nth]
    if len(events):
        at = np.minimum(np.searchsorted(events, grid), len(events) - 1)
        grid = grid[events[at] != grid]
    cells = np.concatenate([grid, used])
    weights = np.repeat([float(every), float(nth)], [len(grid), len(used)])
    order = np.argsort(cells)
    return cells[order], weights[order]


class FeatureBuilder:
    """Features and rates of places, for any month up to the one after the history's last.

    Counts enter as log(1 + count), so that a rate may be a product of powers of them. Where fewer
    months are known than a count is summed over, it is scaled up; a place's missing months are
    filled with the expected count. The features of a month depend only on the history's months
    before it.

    Features, by row: counts of the category in the place over all `HORIZONS`, and around it. Of
    all categories: each one's count over twelve months, and the sum of all, in the place and around
    it. Then street length and kind, and the season as an angle.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self._so_far = _accumulate_counts(history)
        self._events = _find_events(history)
        self._missing: dict[tuple[int, int], NDArray[np.float64]] = {}
        self._common: dict[int, NDArray[np.float64]] = {}
        units = history.units
        self._streets = np.vstack([np.log(units.metres), units.kinds.T])
        first = history.months[0].month if len(history) else 1
        angle = 2 * np.pi * ((first - 1 + np.arange(len(history) + 1)) % 12 + 1) / 12
        self._season = np.stack([np.sin(angle), np.cos(angle)])
        self._streets_count = len(self._streets) + len(self._season)
        every = len(history.categories)
        self._common_counts = [
            *((max(HORIZONS), category) for category in range(every)),
            *((span, every) for span in ALL_SPANS),
            *((span, -1) for span in ALL_SPANS),
        ]
        self._memory = np.empty(0)

    def compute_rates(self, month: int) -> NDArray[np.float64]:
        """(c, j) shrunk counts of the months before, a month; each target asks for them."""
        return np.maximum(compute_shrunk_rates(self.history, months=month), MIN_RATE)

    def build_features(
        self, month: int, target: int, units: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """(r, f) all that is known of one category before a month, in these places or in all."""
        units = np.arange(len(self.history.units)) if units is None else units
        wanted = [*self._list_own_counts(target), *self._common_counts]
        columns = np.empty((len(wanted) + self._streets_count, len(units)))
        self._fill(columns, [(month, units)], wanted)
        return columns.T

    def predict(self, fit: PoissonFit, month: int, target: int) -> NDArray[np.float64]:
        """(c,) factor of each place in a month, by all that is known of one category before it.

        What all categories have in common is computed once.
        """
        everywhere = [(month, slice(None))]
        places, wanted = len(self.history.units), self._list_own_counts(target)
        if month not in self._common:
            self._common[month] = np.empty((len(self._common_counts) + self._streets_count, places))
            self._fill(self._common[month], everywhere, self._common_counts)
        own = np.empty((len(wanted), places))
        self._fill_counts(own, everywhere, wanted)
        linear = fit.coefficients[: len(own)] @ own + fit.intercept
        linear += fit.coefficients[len(own) :] @ self._common[month]
        return np.exp(linear, out=linear)

    def build_rows(self, months: range, target: int) -> TrainingRows:
        """Rows to learn one category from: these months, every place that is held, thinned.

        Their features are valid until the next rows are built, which reuse the same memory: getting
        new memory from the system takes longer than the fit.
        """
        history = self.history
        month, unit, weights = self._choose_rows(months, target)
        ends = np.searchsorted(month, np.arange(months.start, months.stop + 1))
        rows = [
            (number, unit[start:end])
            for number, start, end in zip(months, ends[:-1], ends[1:], strict=True)
        ]
        wanted = [*self._list_own_counts(target), *self._common_counts]
        columns = self._reserve(len(wanted) + self._streets_count, len(unit))
        self._fill(columns, rows, wanted)
        rates = [
            compute_shrunk_rates(history, months=number)[units, target] for number, units in rows
        ]
        exposure = np.maximum(np.concatenate([*rates, np.empty(0)]), MIN_RATE)
        if history.exposure is not None:
            exposure *= history.exposure[month, unit]
        counts = history.counts[month, unit, target].astype(np.float64)
        return TrainingRows(columns.T, exposure, counts, weights)

    def _choose_rows(
        self, months: range, target: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Month, place and weight of each row to learn one category from."""
        history, places = self.history, len(self.history.units)
        events = [(month - months.start) * places + self._events[month][target] for month in months]
        cells, weights = thin_rows(
            np.concatenate([*events, np.empty(0, dtype=np.int64)]), len(months) * places
        )
        month, unit = np.divmod(cells, places)
        month += months.start
        if history.exposure is None:
            return month, unit, weights
        held = history.exposure[month, unit] >= MIN_HELD_SHARE
        return month[held], unit[held], weights[held]

    def _reserve(self, features: int, rows: int) -> NDArray[np.float64]:
        """(f, r) memory for the features of this many rows, reused while it is large enough."""
        if len(self._memory) < features * rows:
            self._memory = np.empty(features * rows)
        return self._memory[: features * rows].reshape(features, rows)

    def _list_own_counts(self, target: int) -> list[tuple[int, int]]:
        """Span and column of each count of one category alone: there, and around."""
        near = len(self.history.categories) + 1 + target
        return [*((span, target) for span in HORIZONS), *((span, near) for span in AROUND)]

    def _fill(
        self, columns: NDArray[np.float64], rows: Rows, wanted: Sequence[tuple[int, int]]
    ) -> None:
        """Write features (f, r) of places in months: the counts wanted, then street and season.

        Feature by feature, as they are used.
        """
        self._fill_counts(columns[: len(wanted)], rows, wanted)
        streets, season = np.split(columns[len(wanted) :], [len(self._streets)])
        end = 0
        for month, units in rows:
            here = self._streets[:, units]
            start, end = end, end + here.shape[1]
            streets[:, start:end] = here
            season[:, start:end] = self._season[:, month, None]

    def _fill_counts(
        self, columns: NDArray[np.float64], rows: Rows, wanted: Sequence[tuple[int, int]]
    ) -> None:
        """Write logarithms (n, r) of counts over spans, scaled up where fewer months are known."""
        of_span = {
            span: [row for row, (of, _) in enumerate(wanted) if of == span] for span, _ in wanted
        }
        end = 0
        for month, units in rows:
            now = _take(self._so_far[month], units)
            start, end = end, end + len(now)
            for span, numbers in of_span.items():
                months = min(span, month)
                counts: NDArray[Any] = now - _take(self._so_far[month - months], units)
                if self.history.exposure is not None:
                    counts = counts + _take(self._estimate_missing(month, months), units)
                if months < span:
                    counts = counts * (span / max(months, 1))
                columns[numbers, start:end] = counts.T[[wanted[number][1] for number in numbers]]
        np.log1p(columns, out=columns)

    def _estimate_missing(self, month: int, months: int) -> NDArray[np.float64]:
        """(c, n) expected counts of the missing ones among this many months before a month.

        From the mean of all earlier months with data.
        """
        if (month, months) not in self._missing:
            history, units = self.history, self.history.units
            held = history.count_held_months(month, before=month)
            so_far = self._so_far[month][:, : len(history.categories)].astype(np.float64)
            monthly = fill_missing(so_far, held, float(month), units.metres) / max(month, 1)
            missing = months - history.count_held_months(months, before=month)
            own = _append_sum(missing[:, None] * monthly)
            around = units.sum_around(_pick_targets(own, history))
            self._missing[month, months] = np.column_stack([own, around])
        return self._missing[month, months]


def _take(counts: NDArray[Number], units: NDArray[np.int64] | slice) -> NDArray[Number]:
    """(r, n) rows of (c, n) counts."""
    return counts[units] if isinstance(units, slice) else counts.take(units, axis=0)


def _accumulate_counts(history: History) -> list[NDArray[np.int32]]:
    """(c, k + j + 2) cumulative counts before each month.

    Of each category and all in each place, then of each target and all around it.
    """
    units = history.units
    width = len(history.categories) + len(history.targets) + 2
    so_far = [np.zeros((len(units), width), dtype=np.int32)]
    for number, counts in enumerate(history.counts, start=1):
        key = f"so far {history.digest(number)}"
        if key not in units.cache:
            own = _append_sum(counts)
            month = np.column_stack([own, history.count_around(number - 1)])
            units.cache[key] = so_far[-1] + month
        so_far.append(units.cache[key])
    return so_far


def _find_events(history: History) -> list[list[NDArray[np.int64]]]:
    """For each month and target the places with incidents."""
    cache, targets = history.units.cache, range(len(history.targets))
    found = []
    for number, counts in enumerate(history.counts, start=1):
        keys = [f"events {target} {history.digest(number)}" for target in targets]
        for key, column in zip(keys, counts.T, strict=False):  # further categories are no targets
            if key not in cache:
                cache[key] = np.flatnonzero(column)
        found.append([cache[key] for key in keys])
    return found


def _append_sum(amounts: NDArray[Number]) -> NDArray[Number]:
    """(c, k + 1) amounts of each category, and of all of them."""
    return np.column_stack([amounts, amounts.sum(axis=1, dtype=amounts.dtype)])


def _pick_targets(amounts: NDArray[Number], history: History) -> NDArray[Number]:
    """(c, j + 1) of amounts (c, k + 1) those of the targets, and of all categories."""
    return amounts[:, [*range(len(history.targets)), -1]]
