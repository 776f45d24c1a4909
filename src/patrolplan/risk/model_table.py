"""The table that a user's own model learns from: a row a place and month, one category at a time.

scikit-learn's estimators take a table X of features and a column y of outcomes. Here a row of X is
a place in a month, and all of its columns depend only on the months before it; y is the category's
incidents there in that month. No estimator can look ahead: the month to predict and those after it
are not in the history that the table is built from.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.risk.history import History
from patrolplan.risk.shrinkage import compute_shrunk_rates, prepare_rates

FIRST_MONTH = 3  # rows begin with the fourth month: features then use at least three months

SPANS = (1, 3, 6, 12)
"""Numbers of earlier months over which the category's incidents in a place are averaged."""

WIDE_SPANS = (3, 12)
"""The same for the category around a place, and for all categories in it and around it."""

KIND_NAMES = ("main", "secondary", "pedestrian", "path", "service")
"""Names of the `patrolplan.risk.spatial_units.STREET_KINDS`, for columns."""

ROW_NAMES = ("month", "place")  # names of the levels of the tables' index


class ModelTables:
    """Tables of a history, for each of its targets.

    The columns of X, all numbers and none missing:

    - `mean_1_month`, `mean_3_months`, `mean_6_months`, `mean_12_months`: incidents of the category
      a month, over so many months before (over those there are, where they are fewer). Months that
      were not published are filled, see `patrolplan.risk.history.fill_missing`.
    - `around_3_months`, `around_12_months`: the same in the other places within 300 m.
    - `all_3_months`, `all_12_months`, `all_around_3_months`, `all_around_12_months`: of all
      categories together, in the place and around it.
    - `shrunk`: our own shrunk count of the months before, see `patrolplan.risk.shrinkage`.
    - `other: NAME`: incidents a month of each category in the place, over twelve months.
    - `metres`, and the share of street that is `main`, `secondary`, `pedestrian`, `path`,
      `service`; the rest is residential.
    - `easting`, `northing`: where the place is, in metres of the area's CRS.
    - `month_of_year` (1 to 12) and `month_number`, counted from the first month of the data.

    The index has the levels `month` (first day) and `place` (number of the catchment).

    `history`: The months that may be known.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self._months = range(min(FIRST_MONTH, len(history)), len(history))
        prepare_rates(history, range(self._months.start, len(history) + 1))
        self._means: dict[tuple[int, int], tuple[NDArray[np.float64], NDArray[np.float64]]] = {}

    def build_training(self, target: int) -> tuple[pd.DataFrame, pd.Series]:
        """X and y of a target: each month from the fourth on, in every place where it is held.

        A place's month that was not published is no row. Where only a part was, y is what the whole
        would have been.
        """
        tables = [self._build_month(month, target) for month in self._months]
        held = [self.history.is_held(month) for month in self._months]
        rows = [table[one] for table, one in zip(tables, held, strict=True)]
        counts = [
            self._get_whole_counts(month, target)[one]
            for month, one in zip(self._months, held, strict=True)
        ]
        if not rows:
            empty = self._build_month(len(self.history), target).iloc[:0]
            return empty, pd.Series([], index=empty.index, dtype=np.float64, name="incidents")
        table = pd.concat(rows)
        return table, pd.Series(np.concatenate(counts), index=table.index, name="incidents")

    def build_next(self, target: int) -> pd.DataFrame:
        """X of the month after the history: one row a place, in their order."""
        return self._build_month(len(self.history), target)

    def _get_whole_counts(self, month: int, target: int) -> NDArray[np.float64]:
        """(c,) incidents of a month, divided by the share of it that is held."""
        counts = self.history.counts[month, :, target].astype(np.float64)
        if self.history.exposure is None:
            return counts
        share = self.history.exposure[month]
        return np.asarray(np.divide(counts, share, out=counts, where=share > 0))

    def _build_month(self, month: int, target: int) -> pd.DataFrame:
        """What is known of a target in every place before a month."""
        history, units = self.history, self.history.units
        start = history.months[0] + pd.DateOffset(months=month)
        columns: dict[str, NDArray[np.float64] | float] = {}
        for span in SPANS:
            plural = "" if span == 1 else "s"
            columns[f"mean_{span}_month{plural}"] = self._average(month, span)[0][:, target]
        for span in WIDE_SPANS:
            columns[f"around_{span}_months"] = self._average(month, span)[1][:, target]
        for span in WIDE_SPANS:
            columns[f"all_{span}_months"] = self._average(month, span)[0].sum(axis=1)
            columns[f"all_around_{span}_months"] = self._average(month, span)[1].sum(axis=1)
        columns["shrunk"] = compute_shrunk_rates(history, months=month)[:, target]
        year = self._average(month, max(SPANS))[0]
        columns |= {f"other: {name}": year[:, k] for k, name in enumerate(history.categories)}
        columns["metres"] = units.metres
        columns |= dict(zip(KIND_NAMES, units.kinds.T, strict=True))
        columns["easting"], columns["northing"] = units.catchments.xy.T
        columns["month_of_year"], columns["month_number"] = float(start.month), float(month)
        rows = pd.MultiIndex.from_product([[start], range(len(units))], names=ROW_NAMES)
        return pd.DataFrame(columns, index=rows)

    def _average(self, month: int, span: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(c, k) incidents a month over the `span` months before, in each place and around it."""
        if (month, span) not in self._means:
            months = max(1, min(span, month))
            mean = self.history.estimate_last(span, before=month) / months
            self._means[month, span] = mean, self.history.units.sum_around(mean)
        return self._means[month, span]
