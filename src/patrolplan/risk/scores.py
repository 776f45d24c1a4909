"""How good a ranking of streets is: what its top slices capture, and the best that is possible.

Scores per metre that agree to `TIE_DIGITS` are tied and follow a permutation drawn from the seed.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patrolplan.risk.history import History
from patrolplan.risk.shrinkage import MIN_HELD, compute_expected_counts, fit_gamma_shape

COVERAGES = (0.01, 0.02, 0.03, 0.05, 0.10)
"""Shares of the street length that are scored, fixed in advance."""

TIE_DIGITS = 9  # scores that agree to so many digits are tied: rounding errors must not break a tie
SPARE = 2.5  # this many times a share of the places nearly always covers that share of street
REFERENCE_DRAWS = 200

PRIOR_MONTHS = 12


@dataclass(frozen=True, eq=False)
class UnitStreets:
    """Which pieces of street places consist of."""

    # `metres`, `piece_metres`: (c,) and (p,) length.
    metres: NDArray[np.float64]
    piece_metres: NDArray[np.float64]
    piece_unit: NDArray[np.int64]  # (p,) place of each piece
    tie_order: NDArray[np.int64]  # (p,) pieces in the order in which ties are broken


def round_significant(values: NDArray[np.float64], digits: int = TIE_DIGITS) -> NDArray[np.float64]:
    """Values rounded to significant digits; zero stays zero."""
    size = np.where(values == 0, 1.0, np.abs(values))
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(size)))
    return np.asarray(np.round(values * scale) / scale)


def append_harm(amounts: NDArray[np.float64], harm: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., j + 1) amounts (..., j) of the categories, then all of them weighted by harm (j,)."""
    weighted = (amounts * harm).sum(axis=-1, keepdims=True)
    return np.asarray(np.concatenate([amounts, weighted], axis=-1))


def divide(part: ArrayLike, whole: ArrayLike, *, empty: float = np.nan) -> NDArray[np.float64]:
    """Part over whole, broadcast; `empty` where the whole is zero."""
    parts, wholes = np.broadcast_arrays(part, whole)
    unknown = np.full(parts.shape, empty)
    return np.asarray(np.divide(parts, wholes, out=unknown, where=wholes > 0))


def compute_pai(
    hits: NDArray[np.float64], totals: NDArray[np.float64], *, empty: float = np.nan
) -> NDArray[np.float64]:
    """PAI of (..., j, q) hits out of (..., j) totals; `empty` where nothing happened.

    The prediction accuracy index is the share of crime captured over the share of street covered
    (Chainey, Tompson and Uhlig 2008, Security Journal 21: 4-28).
    """
    return np.asarray(divide(hits, totals[..., None], empty=empty) / np.asarray(COVERAGES))


def rank_streets(
    scores: NDArray[np.float64], metres: NDArray[np.float64], ties: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(p,) order of streets, most score per metre first; among ties the lower `ties` first."""
    return np.lexsort((ties, -round_significant(scores / metres)))


def sum_slices(
    order: NDArray[np.int64],
    metres: NDArray[np.float64],
    amounts: NDArray[np.float64],
    coverages: tuple[float, ...] = COVERAGES,
) -> NDArray[np.float64]:
    """Amounts in the top slices of exactly so much street; the last street counts in part.

    `order`, `metres`: (p,) streets, best first, and their length. `amounts`: (p,) or (p, n), even
    along each street. `coverages`: (q,) shares of all street length. Returns (q,) or (q, n).
    """
    along = np.concatenate([[0.0], np.cumsum(metres[order])])
    held = np.concatenate([np.zeros((1, *amounts.shape[1:])), np.cumsum(amounts[order], axis=0)])
    wanted = np.asarray(coverages) * along[-1]
    before = np.clip(np.searchsorted(along, wanted, side="right") - 1, 0, len(order) - 1)
    part = (wanted - along[before]) / (along[before + 1] - along[before])
    part = part.reshape(-1, *([1] * (amounts.ndim - 1)))
    return np.asarray(held[before] + part * (held[before + 1] - held[before]))


def sum_unit_slices(
    scores: NDArray[np.float64],
    streets: UnitStreets,
    amounts: NDArray[np.float64],
    coverages: tuple[float, ...] = COVERAGES,
) -> NDArray[np.float64]:
    """(q, n) amounts in the top slices, as `rank_streets` and `sum_slices` give them.

    For scores (c,) and amounts (c, n) that are even along each place. Whole places are ranked, and
    only where a slice ends among tied places are their pieces ranked one by one. There are many
    more pieces than places, so this takes half the time of ranking pieces on the demo borough, and
    less in a city.
    """
    value = round_significant(scores / streets.metres)
    order = _select_top_units(value, streets.metres, max(coverages))
    value = -value[order]
    along = np.concatenate([[0.0], np.cumsum(streets.metres[order])])
    held = np.concatenate([np.zeros((1, amounts.shape[1])), np.cumsum(amounts[order], axis=0)])
    sums = []
    for wanted in np.asarray(coverages) * streets.metres.sum():
        row = int(np.clip(np.searchsorted(along, wanted, side="right") - 1, 0, len(order) - 1))
        first = int(np.searchsorted(value, value[row], side="left"))
        last = int(np.searchsorted(value, value[row], side="right"))
        remaining = wanted - along[first]
        if last - first == 1:
            part = remaining / streets.metres[order[first]] * amounts[order[first]]
        else:
            part = _sum_tied_units(streets, order[first:last], remaining, amounts)
        sums.append(held[first] + part)
    return np.stack(sums)


def _select_top_units(
    value: NDArray[np.float64], metres: NDArray[np.float64], coverage: float
) -> NDArray[np.int64]:
    """Places by falling value, from the first to the last that the largest slice touches.

    Only the best are sorted, which saves most of the time; all places, where the slice may end
    beyond them.
    """
    rank = int(len(value) * min(1.0, SPARE * coverage))
    lowest = np.partition(value, -rank)[-rank] if rank else -np.inf
    best = np.flatnonzero(value >= lowest)
    if metres[best].sum() <= coverage * metres.sum() * (1 + 1e-9):
        best = np.arange(len(value))
    return best[np.argsort(-value[best], kind="stable")]


def _sum_tied_units(
    streets: UnitStreets, units: NDArray[np.int64], metres: float, amounts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) amounts on the first so many metres of tied places, piece by piece in `tie_order`."""
    if not amounts[units].any():
        return np.zeros(amounts.shape[1])
    is_tied = np.zeros(len(streets.metres), dtype=bool)
    is_tied[units] = True
    pieces = streets.tie_order[is_tied[streets.piece_unit[streets.tie_order]]]
    along = np.concatenate([[0.0], np.cumsum(streets.piece_metres[pieces])])
    last = min(int(np.searchsorted(along, metres, side="right") - 1), len(pieces) - 1)
    pieces = pieces[: last + 1]
    covered = streets.piece_metres[pieces].copy()
    covered[last] = min(metres - along[last], covered[last])
    share = np.bincount(streets.piece_unit[pieces], covered, minlength=len(streets.metres))
    return np.asarray(share / streets.metres @ amounts)


def compute_hits(
    scores: NDArray[np.float64],
    metres: NDArray[np.float64],
    amounts: NDArray[np.float64],
    ties: NDArray[np.int64],
    coverages: tuple[float, ...] = COVERAGES,
) -> NDArray[np.float64]:
    """Amounts in the top slices of streets ranked by score; see `sum_slices`."""
    return sum_slices(rank_streets(scores, metres, ties), metres, amounts, coverages)


@dataclass(frozen=True, eq=False)
class Reference:
    """PAI of a model that knew the true rates, over the months that are scored."""

    # `pai`, `low`, `high`: (j + 1, q) mean over the draws, and the interval that holds 95 % of
    # them.
    pai: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    # (j + 1, q) mean PAI over that of twelve months' counts drawn from the same rates: all that
    # any model could gain on prior counts if rates stood still.
    ratio: NDArray[np.float64]

    @classmethod
    def unknown(cls, categories: int) -> Self:
        """The reference of some categories where the true rates cannot be simulated."""
        nothing = np.full((categories, len(COVERAGES)), np.nan)
        return cls(nothing, nothing, nothing, nothing)


def simulate_reference(
    history: History, harm: NDArray[np.float64], months: int, *, seed: int
) -> Reference:
    """What a model that knew the true rates would get: a fair ceiling, chance included.

    Ranking streets by the very crimes to come is a ceiling out of reach: even with known
    rates, months differ by chance. So rates are drawn from the gamma posterior of Gamma-Poisson
    shrinkage on all months, which makes them as uneven as the records say rates are; months are
    drawn from the rates, and streets are ranked by the rates themselves.

    `history`: All months, those that are scored included: nothing is predicted here. `harm`: (j,)
    weight of each target in all of them together. `months`: How many months are scored.
    """
    rng = np.random.default_rng(seed)
    counts = history.count_last(len(history))
    metres = history.units.metres
    ties = rng.permutation(len(metres))
    held_months = np.maximum(history.count_held_months(len(history)), MIN_HELD * len(history))
    held = None if history.exposure is None else held_months / len(history)
    expected = compute_expected_counts(counts, len(history.targets), history.units, held)
    shapes, scales = np.empty_like(expected), np.empty_like(expected)
    for target, expected_count in enumerate(expected.T):
        shape = fit_gamma_shape(counts[:, target], expected_count)
        shapes[:, target] = shape + counts[:, target]
        scales[:, target] = 1.0 / (shape / expected_count + 1.0) / held_months
    by_rate: list[NDArray[np.float64]] = []
    by_count: list[NDArray[np.float64]] = []
    for _ in range(REFERENCE_DRAWS):
        rates = rng.gamma(shapes, scales)
        amounts = append_harm(rng.poisson(rates * months).astype(np.float64), harm)
        before = append_harm(rng.poisson(rates * PRIOR_MONTHS).astype(np.float64), harm)
        for scores, drawn in ((append_harm(rates, harm), by_rate), (before, by_count)):
            pairs = zip(scores.T, amounts.T, strict=True)
            hits = [compute_hits(score, metres, amount, ties) for score, amount in pairs]
            drawn.append(compute_pai(np.array(hits), amounts.sum(axis=0), empty=0.0))
    pai = np.mean(by_rate, axis=0)
    low, high = np.quantile(by_rate, [0.025, 0.975], axis=0)
    return Reference(pai, low, high, divide(pai, np.mean(by_count, axis=0)))
