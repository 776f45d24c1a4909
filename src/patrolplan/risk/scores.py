"""How good a ranking of streets is: what its top slices capture, and the best that is possible.

Slices are shares of the street length, so what is compared always has equal metres.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patrolplan.arrays import round_significant
from patrolplan.risk.history import PRIOR_MONTHS, History
from patrolplan.risk.shrinkage import fit_rates

COVERAGES = (0.01, 0.02, 0.03, 0.05, 0.10)
"""Shares of the street length that are scored, fixed in advance."""

REFERENCE_DRAWS = 200
DECILES = 10

MIN_RATE = 1e-4
"""Minimum of incidents expected a month when a model is scored: no place has a rate of zero."""


def append_harm(
    amounts: NDArray[np.float64], harm: NDArray[np.float64] | float = 1.0
) -> NDArray[np.float64]:
    """(..., j + 1) amounts (..., j) of the categories, then all of them weighted by harm (j,)."""
    weighted = (amounts * harm).sum(axis=-1, keepdims=True)
    return np.asarray(np.concatenate([amounts, weighted], axis=-1))


def divide(part: ArrayLike, whole: ArrayLike, *, empty: float = np.nan) -> NDArray[np.float64]:
    """Part over whole, broadcast; `empty` where the whole is zero."""
    parts, wholes = np.broadcast_arrays(part, whole)
    unknown = np.full(parts.shape, empty)
    return np.asarray(np.divide(parts, wholes, out=unknown, where=wholes > 0))


def sum_slices(
    scores: NDArray[np.float64],
    metres: NDArray[np.float64],
    amounts: NDArray[np.float64],
    coverages: tuple[float, ...] = COVERAGES,
) -> NDArray[np.float64]:
    """(q, n) amounts (p, n) in the top slices of streets (p,) ranked by score per metre."""
    # Streets that are tied are one long street: of what a slice takes of them each has the same
    # share, as in the mean over all orders. So has the last street, which is partly in the slice.
    _, rank = np.unique(-round_significant(scores / metres), return_inverse=True)
    along, *held = (
        np.concatenate([[0.0], np.cumsum(np.bincount(rank, column))])
        for column in (metres, *amounts.T)
    )
    wanted = np.asarray(coverages) * along[-1]
    return np.column_stack([np.interp(wanted, along, column) for column in held])


def score_shares(rates: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(j,) log score in bits: sum of incidents (c, j) times log2 of the share expected there."""
    # Unlike the crime captured in the top streets, it uses every crime, also those off the top, and
    # punishes a model that calls a place impossible: without a floor, with minus infinity.
    floored = np.maximum(rates, MIN_RATE)
    return np.asarray((counts * np.log2(floored / floored.sum(axis=0))).sum(axis=0))


def sum_deciles(
    expected: NDArray[np.float64], observed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, 10) observed incidents by tenth of the expected ones (c, n), lowest expected first."""
    sums = np.empty((expected.shape[1], DECILES))
    for column, (mean, count) in enumerate(zip(expected.T, observed.T, strict=True)):
        # Ten groups that each hold a tenth of what is expected, not of the places: nearly all of
        # these expect nearly nothing. A place on a border counts partly in both.
        order = np.argsort(mean, kind="stable")
        along = np.concatenate([[0.0], np.cumsum(mean[order])])
        so_far = np.concatenate([[0.0], np.cumsum(count[order])])
        inner = np.linspace(0.0, along[-1], DECILES + 1)[1:-1]
        # Incidents where none was expected fall into the lowest tenth.
        at = np.concatenate([[0.0], np.interp(inner, along, so_far), so_far[-1:]])
        sums[column] = np.diff(at)
    return sums


def simulate_reference(
    history: History, harm: NDArray[np.float64], months: int, *, seed: int
) -> dict[str, NDArray[np.float64]]:
    """What a model that knew the true rates would get: a fair ceiling, chance included.

    `history`: All months, those that are scored included: nothing is predicted here. `harm`: (j,)
    weight of each target in all of them together. `months`: How many months are scored. Returns
    (j + 1, q) mean PAI over the draws as "reference", with the interval that holds 95 % of them,
    and as "reference_ratio" the mean over that of prior counts.
    """
    rng = np.random.default_rng(seed)
    size, metres = len(history), history.units.metres
    counts, held = history.count_last(size), history.count_held_months(size)
    rates = fit_rates(counts, held, len(history.targets), history.units)
    by_rate: list[NDArray[np.float64]] = []
    by_count: list[NDArray[np.float64]] = []
    # Ranking streets by the very crimes to come is a ceiling out of reach: even with known rates,
    # months differ by chance. So rates are drawn from the posterior of the shrinkage on all months,
    # which makes them as uneven as the records say rates are; months are drawn from the rates, and
    # streets are ranked by the rates themselves. Ranked by twelve months' counts drawn from the
    # same rates, they show all that any model could gain on prior counts if rates stood still.
    for _ in range(REFERENCE_DRAWS):
        drawn = rng.gamma(rates.shapes, rates.means / rates.shapes)
        came = append_harm(rng.poisson(drawn * months).astype(np.float64), harm)
        before = append_harm(rng.poisson(drawn * PRIOR_MONTHS).astype(np.float64), harm)
        for scores, found in ((append_harm(drawn, harm), by_rate), (before, by_count)):
            pairs = zip(scores.T, came.T, strict=True)
            hits = [sum_slices(score, metres, each[:, None])[:, 0] for score, each in pairs]
            found.append(divide(hits, came.sum(axis=0)[:, None], empty=0.0) / COVERAGES)
    pai = np.mean(by_rate, axis=0)
    low, high = np.quantile(by_rate, [0.025, 0.975], axis=0)
    names = ("reference", "reference_low", "reference_high", "reference_ratio")
    return dict(zip(names, (pai, low, high, divide(pai, np.mean(by_count, axis=0))), strict=True))
