"""How likely each timing of a patrol is drawn, so that it is hardest to foresee.

Who knows a route but not its draw does best by naming, for every stop, the quarter of an hour in
which it is most likely made. So chances are chosen for which the sum of these highest chances over
the stops is as low as it can be: a small linear programme, as games against somebody who watches
are solved. Being hard to foresee has its price, since most stops are worth less later. What a
timing gives up on average is bounded, and no timing may be drawn that gives up much: see
`MEAN_SHARE` and `patrolplan.patrols.orders.MIN_ORDER_SHARE`.

Timings with the same order and the same quarters are one pattern. The programme has a column a
pattern, and the minutes within one are alike, so that the minute of leaving varies as well.
"""

import numpy as np
from numpy.typing import NDArray

MEAN_SHARE = 0.95
"""What a patrol keeps of its worth on average over all timings that may be drawn."""

QUARTER_MINUTES = 15.0

DECIMALS = 6
"""Of chances, so that rounding in the solver does not show."""


def spread_chances(
    worth_share: NDArray[np.float64],
    order: NDArray[np.int64],
    stops: NDArray[np.int64],
    middle_minutes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(t,) chances of timings that are together hardest to foresee.

    Parameters
    ----------
    worth_share
        (t,) worth of each timing, as a share of that of the patrol as planned.
    order
        (t,) which order of the stops each timing has.
    stops
        (t, n) the patrol's stops in this order.
    middle_minutes
        (t, n) the middle of each dwell, after midnight, in this order.
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
