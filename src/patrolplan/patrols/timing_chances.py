"""Probabilities of the timings of a patrol that make it hardest to predict.

An observer who knows the route but not its timing does best by guessing, for every stop, its most
likely quarter of an hour. So the chances minimise the sum over the stops of these maximum chances:
a small linear programme, as for security games. Unpredictability has a cost, since most stops are
worth less later. The mean loss is bounded, and timings that lose much are not drawn: see
`MEAN_SHARE` and `patrolplan.patrols.orders.MIN_ORDER_SHARE`.

Timings with the same order and the same quarters are one pattern. The programme has a column per
pattern, and timings within a pattern have equal chances, so that the start minute varies, too.
"""

import numpy as np
from numpy.typing import NDArray

MEAN_SHARE = 0.95
"""Minimum mean share of a patrol's worth over all timings, weighted by their chances."""

QUARTER_MINUTES = 15.0

DECIMALS = 6  # decimals of chances, so that rounding in the solver has no effect


def spread_chances(
    worth_share: NDArray[np.float64],
    order: NDArray[np.int64],
    stops: NDArray[np.int64],
    middle_minutes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(t,) chances of timings that are together hardest to predict.

    `worth_share` (t,) is relative to the patrol as planned; `order` (t,) is the index of the order
    of stops, `stops` (t, n) the stops in it, `middle_minutes` (t, n) the middle of each dwell.
    """
    from scipy.optimize import linprog  # noqa: PLC0415 - heavy, and of weeks alone

    quarter = (middle_minutes // QUARTER_MINUTES).astype(np.int64)
    _, pattern, size = np.unique(
        np.column_stack([order, quarter]), axis=0, return_inverse=True, return_counts=True
    )
    pattern = pattern.ravel()
    count, many = len(size), stops.shape[1]
    mean = np.bincount(pattern, worth_share) / size
    first = np.unique(pattern, return_index=True)[1]
    cells, row = np.unique(
        np.stack([stops[first].ravel(), quarter[first].ravel()]), axis=1, return_inverse=True
    )
    # Columns: the chance of each pattern, then the highest chance of a quarter of each stop.
    share = np.zeros((cells.shape[1], count + many))
    share[row.ravel(), np.repeat(np.arange(count), many)] = 1.0
    share[np.arange(len(share)), count + cells[0]] = -1.0
    worth = np.r_[-mean, np.zeros(many)]
    answer = linprog(
        np.r_[np.zeros(count), np.ones(many)],
        A_ub=np.vstack([share, worth]),
        b_ub=np.r_[np.zeros(len(share)), -min(MEAN_SHARE, float(mean.max()))],
        A_eq=np.r_[np.ones(count), np.zeros(many)][None],
        b_eq=[1.0],
        bounds=(0.0, 1.0),
        method="highs-ds",
    )
    chances = np.round(np.maximum(answer.x[:count], 0.0), DECIMALS)
    return np.asarray(chances[pattern] / size[pattern] / chances.sum())
