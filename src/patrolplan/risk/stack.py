"""A pooled stack: the risk models' weighted mean that would have predicted earlier months best.

No single model is best everywhere: where there is much crime, counts of the place itself say most;
where there is little, one must borrow from the surroundings. Which mix is right can be read from
months that the models had not seen, by the **log score**: the more of the next month's crime a mix
expected in the places where it then was recorded, the higher the logarithm of its shares there.
Unlike the crime captured in the top streets, this score uses every crime, also those off the top,
and it punishes a model that calls a place impossible.

1. Each model's rates before a month are made shares of the month's crime over the places. With
   shares p_mc of model m in place c, and n_c incidents, a mix of weights w scores
   sum_c n_c log(sum_m w_m p_mc). This is concave in w: there is one best mix (`fit_weights`).
2. Weights learned from few incidents would follow chance. So they start from declared weights that
   count as much as some incidents: one mix for all categories together first, shrunk towards
   `DECLARED_WEIGHTS`; then each category's own, shrunk towards that common one (`fit_stack`).
   Without any incident they are the declared ones. Averaging forecasts at weights of highest
   log score is known as stacking (Yao, Vehtari, Simpson and Gelman 2018, Bayesian Analysis 13:
   917-1007).
3. The mix of shares is scaled to the recent level of each category (`patrolplan.risk.calibration`).

The **smoothed prior count**, which the stack is compared with, comes from the same function: last
year's count mixed with an even spread over the streets, with a share learned for each category from
earlier months. It is a strong baseline: the raw count is far worse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.calibration import calibrate
from patrolplan.risk.history import History

EVEN = "even along the streets"
"""Crime spread evenly over the length of street: the floor under every rate."""

DECLARED_WEIGHTS: Mapping[str, float] = {
    "poisson": 0.35,
    "shrunk count": 0.15,
    "recent shrunk count": 0.25,
    "decayed count": 0.24,
    EVEN: 0.01,
}
"""Weights before any data: a third for the regression, a quarter for decayed counts.

Models and weights were chosen on six areas of London outside the Bloomsbury box and two of Chicago,
by log score and, of mixes that tie in it, by the crime captured.
"""

STACK_MONTHS = 12
"""Months that the weights are learned from: the last ones held, so that all seasons are in them."""

COMMON_INCIDENTS = 100.0
"""Number of incidents that the declared weights count as, in the mix of all categories together."""

CATEGORY_INCIDENTS = 300.0
"""Number of incidents that the common weights count as, in each category's mix.

Both were chosen on six areas of London outside the Bloomsbury box and two of Chicago; the score
hardly changes between 100 and 1,000.
"""

DECLARED_EVEN = 0.2  # share of the even spread in the smoothed prior count before any data
SMOOTHING_INCIDENTS = 10.0  # ...which counts as this many incidents

MIN_RATE = 1e-4
"""Minimum of incidents expected a month when a model is scored: no place has a rate of zero."""

MAX_STEPS = 100
TOLERANCE = 1e-13

BLOCK_CELLS = 4096  # cells whose products are summed at a time; they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class StackMonth:
    """What the models expected of a month, in the places where incidents were then recorded."""

    # For each of the j categories (m + 1, n), each model's share of the month's crime in those
    # places, `EVEN` last but one, and that of the prior count.
    shares: tuple[NDArray[np.float64], ...]
    counts: tuple[NDArray[np.float64], ...]  # For each category (n,) incidents recorded there


@dataclass(frozen=True, eq=False)
class Stack:
    """Weights of the models, learned from some months."""

    names: tuple[str, ...]  # (m,) the models, `EVEN` last
    weights: NDArray[np.float64]  # (j, m) weights in each category; each row sums to 1
    smoothing: NDArray[np.float64]  # (j,) share of the even spread in the smoothed prior count
    months: int  # How many months they were learned from

    def combine(
        self, rates: Sequence[NDArray[np.float64]], history: History
    ) -> NDArray[np.float64]:
        """(c, j) incidents expected, from (c, j) rates of each model but `EVEN`.

        Above 0 everywhere, scaled to the recent total.
        """
        metres = history.units.metres
        even = metres / metres.sum()
        mixed = even[:, None] * self.weights[:, -1]
        for each, weights in zip(rates, self.weights[:, :-1].T, strict=True):
            total = each.sum(axis=0)
            mixed += each * np.divide(weights, total, out=np.zeros_like(total), where=total > 0)
            if not total.all():  # a model that expects nothing at all is taken as the even spread
                mixed += even[:, None] * np.where(total > 0, 0.0, weights)
        return calibrate(mixed, history)

    def smooth(
        self, prior: NDArray[np.float64], metres: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(c, j) shares of the smoothed prior count, from (c, j) prior counts."""
        count, even = compute_shares([prior], metres, prior.shape[1])
        return np.asarray((1 - self.smoothing) * count + self.smoothing * even)


def compute_shares(
    rates: Sequence[NDArray[np.float64]], metres: NDArray[np.float64], targets: int
) -> NDArray[np.float64]:
    """(m, c, j) each model's share of each category in each place, those of `EVEN` last.

    A model that expects nothing at all is taken as the even spread.

    `rates`: (c, j) of each model. `metres`: (c,) street in each place.
    """
    even = np.broadcast_to((metres / metres.sum())[:, None], (len(metres), targets))
    stacked = np.stack([*rates, even])
    total = stacked.sum(axis=1, keepdims=True)
    shares = np.broadcast_to(even, stacked.shape).copy()
    return np.asarray(np.divide(stacked, total, out=shares, where=total > 0))


def build_stack_month(
    rates: Sequence[NDArray[np.float64]],
    prior: NDArray[np.float64],
    metres: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> StackMonth:
    """Compare what the models expected with what was recorded.

    `rates`: (c, j) of each model but `EVEN`. `prior`: (c, j) prior count. `metres`, `counts`: (c,)
    street and (c, j) incidents of the month in each place.
    """
    recorded = [np.flatnonzero(column) for column in counts.T]
    totals = [each.sum(axis=0) for each in (*rates, prior)]
    shares = []
    for column, rows in enumerate(recorded):
        even = metres[rows] / metres.sum()
        models = [
            each[rows, column] / total[column] if total[column] > 0 else even
            for each, total in zip((*rates, prior), totals, strict=True)
        ]
        shares.append(np.stack([*models[:-1], even, models[-1]]))
    return StackMonth(
        shares=tuple(shares),
        counts=tuple(counts[rows, column] for column, rows in enumerate(recorded)),
    )


def fit_stack(names: Sequence[str], targets: int, months: Sequence[StackMonth]) -> Stack:
    """Learn weights from months that the models had not seen.

    `names`: The models, some of `DECLARED_WEIGHTS`, `EVEN` last. `months`: The months; without any
    the weights are the declared ones.
    """
    declared = np.array([DECLARED_WEIGHTS[name] for name in names])
    declared /= declared.sum()
    smoothing_prior = np.array([1 - DECLARED_EVEN, DECLARED_EVEN])
    if not months:
        weights = np.tile(declared, (targets, 1))
        return Stack(tuple(names), weights, np.full(targets, DECLARED_EVEN), 0)
    shares = [np.hstack([month.shares[k] for month in months]) for k in range(targets)]
    counts = [np.concatenate([month.counts[k] for month in months]) for k in range(targets)]
    pooled = np.hstack(shares)[:-1], np.concatenate(counts)
    common = fit_weights(*pooled, COMMON_INCIDENTS * declared)
    by_category = [
        fit_weights(share[:-1], count, CATEGORY_INCIDENTS * common)
        for share, count in zip(shares, counts, strict=True)
    ]
    # The last two rows are the even spread and the prior count.
    smoothing = [
        fit_weights(share[:-3:-1], count, SMOOTHING_INCIDENTS * smoothing_prior)[1]
        for share, count in zip(shares, counts, strict=True)
    ]
    return Stack(tuple(names), np.array(by_category), np.array(smoothing), len(months))


def fit_weights(
    shares: NDArray[np.float64], counts: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(m,) weights of highest log score plus the logarithm of their prior.

    The objective is f(w) = sum_i n_i log(sum_m w_m p_mi) + sum_m a_m log(w_m), where the prior's
    incidents a_m keep every weight above 0. At its maximum over all positive w with fixed sums of n
    and a, minus (sum n + sum a) times the sum of w, the sum of w is 1 anyway; so the simplex needs
    no constraint, and Newton's method with a step that is halved until f rises ends in a few steps:
    f is concave.

    `shares`: (m, n) of each model. `counts`: (n,) incidents. `prior`: (m,) incidents that the prior
    counts as, above 0.
    """
    total = float(counts.sum() + prior.sum())
    blocks = [slice(start, start + BLOCK_CELLS) for start in range(0, len(counts), BLOCK_CELLS)]

    def measure(weights: NDArray[np.float64]) -> float:
        score = sum(float(counts[cells] @ np.log(weights @ shares[:, cells])) for cells in blocks)
        return score + float((prior * np.log(weights)).sum()) - total * float(weights.sum())

    def differentiate(weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        slope, curve = prior / weights - total, np.diag(prior / weights**2)
        for cells in blocks:
            root, part = np.sqrt(counts[cells]), shares[:, cells]
            scaled = part * (root / (weights @ part))
            slope += scaled @ root
            curve += scaled @ scaled.T
        return slope, curve

    weights = prior / prior.sum()
    value = measure(weights)
    for _ in range(MAX_STEPS):
        slope, curve = differentiate(weights)
        step = np.linalg.solve(curve, slope)
        decrement = float(slope @ step)
        if decrement < TOLERANCE * total:
            break
        size = 1.0
        while True:
            moved = weights + size * step
            if (moved > 0).all():
                gained = measure(moved)
                if gained >= value + size * decrement / 4:
                    break
            size /= 2
            if size < TOLERANCE:
                return np.asarray(weights / weights.sum())
        weights, value = moved, gained
    return np.asarray(weights / weights.sum())


def score_shares(rates: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(j,) log score in bits: sum over places of incidents times log2 of the share expected there.

    `rates`: (c, j) incidents expected, on any scale. `counts`: (c, j) incidents recorded.
    """
    total = rates.sum(axis=0)
    rows, columns = np.nonzero(counts)  # most places have none
    shares = np.full(len(rows), 1 / len(rates))
    np.divide(rates[rows, columns], total[columns], out=shares, where=total[columns] > 0)
    bits = counts[rows, columns] * np.log2(shares)
    return np.bincount(columns, bits, minlength=len(total)).astype(np.float64)
