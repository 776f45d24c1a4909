"""How good a ranking of streets is: hits in the top slice, and the measures made of them.

What a model that knew the true rates would get: the fair ceiling, chance included.

"Best possible" ranks streets by the very crimes that are to come. Nobody can know those: even with
the true rate of every street known, months differ by chance. So rates are drawn that fit what was
recorded, months are drawn from the rates, and streets are ranked by the rates themselves.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from patrolplan.risk.history import History
from patrolplan.risk.shrinkage import compute_expected_counts, fit_gamma_shape

COVERAGES = (0.01, 0.02, 0.03, 0.05, 0.10)
"""Shares of the street length that are looked at, fixed in advance."""

TIE_DIGITS = 9
"""Scores that agree to so many digits are tied: arithmetic must not break a tie."""


SPARE = 2.5
"""So many times the share of street that is wanted, that share of places holds it nearly always."""


@dataclass(frozen=True, eq=False)
class UnitStreets:
    """Which pieces of street places consist of.

    Parameters
    ----------
    metres, piece_metres
        (c,) and (p,) length.
    of_piece
        (p,) place of each piece.
    drawn
        (p,) pieces in the order in which equals are taken.
    """

    metres: NDArray[np.float64]
    piece_metres: NDArray[np.float64]
    piece_unit: NDArray[np.int64]
    tie_order: NDArray[np.int64]

    @cached_property
    def place_drawn(self) -> NDArray[np.int64]:
        """(p,) place of each piece in the order of the draw."""
        return self.piece_unit[self.tie_order]


def round_significant(values: NDArray[np.float64], digits: int = TIE_DIGITS) -> NDArray[np.float64]:
    """Values to so many significant digits; zero stays zero."""
    size = np.where(values == 0, 1.0, np.abs(values))
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(size)))
    return np.asarray(np.round(values * scale) / scale)


def rank_streets(
    scores: NDArray[np.float64], metres: NDArray[np.float64], ties: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Order of streets, most score per metre first.

    Parameters
    ----------
    scores, metres
        (p,) expected harm, and length.
    ties
        (p,) a permutation drawn from the seed: among equals the lower number comes first.
    """
    return np.lexsort((ties, -round_significant(scores / metres)))


def sum_slices(
    order: NDArray[np.int64],
    metres: NDArray[np.float64],
    amounts: NDArray[np.float64],
    coverages: tuple[float, ...] = COVERAGES,
) -> NDArray[np.float64]:
    """Amount inside the top slice of exactly so much street; of the last street a part is taken.

    Parameters
    ----------
    order
        (p,) streets, first the ones that are taken first.
    metres
        (p,) length.
    amounts
        (p,) or (p, n) what is counted, even along each street.
    coverages
        Shares of all street length.

    Returns
    -------
    NDArray
        (coverages,) or (coverages, n).
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
    """Do as `ranking` and `sum_slices` do, where scores and amounts are even along each place.

    Whole places stand in order then, and only where a slice ends among equal ones are their
    pieces looked at one by one.

    Parameters
    ----------
    scores
        (c,) expected harm.
    streets
        How the c places consist of pieces.
    amounts
        (c, n) what is counted.
    coverages
        Shares of all street length.

    Returns
    -------
    NDArray
        (coverages, n).
    """
    value = round_significant(scores / streets.metres)
    order = _select_top_units(value, streets.metres, max(coverages))
    value = -value[order]
    along = np.concatenate([[0.0], np.cumsum(streets.metres[order])])
    held = np.concatenate([np.zeros((1, amounts.shape[1])), np.cumsum(amounts[order], axis=0)])
    found = []
    for wanted in np.asarray(coverages) * streets.metres.sum():
        at = int(np.clip(np.searchsorted(along, wanted, side="right") - 1, 0, len(order) - 1))
        first = int(np.searchsorted(value, value[at], side="left"))
        last = int(np.searchsorted(value, value[at], side="right"))
        left = wanted - along[first]
        if last - first == 1:
            part = left / streets.metres[order[first]] * amounts[order[first]]
        else:
            part = _sum_tied_units(streets, order[first:last], left, amounts)
        found.append(held[first] + part)
    return np.stack(found)


def _select_top_units(
    value: NDArray[np.float64], metres: NDArray[np.float64], coverage: float
) -> NDArray[np.int64]:
    """Places in falling order, from the first to the last that such a share of street touches.

    All places, where the slice ends among many equal ones. To put the rest in order costs most.
    """
    rank = int(len(value) * min(1.0, SPARE * coverage))
    least = np.partition(value, -rank)[-rank] if rank else -np.inf
    first = np.flatnonzero(value >= least)
    if metres[first].sum() <= coverage * metres.sum() * (1 + 1e-9):
        first = np.arange(len(value))
    return first[np.argsort(-value[first], kind="stable")]


def _sum_tied_units(
    streets: UnitStreets,
    places: NDArray[np.int64],
    metres: float,
    amounts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n,) amounts on the first so many metres of these places, in the order of the draw."""
    if not amounts[places].any():
        return np.zeros(amounts.shape[1])
    tied = np.zeros(len(streets.metres), dtype=bool)
    tied[places] = True
    for upto in (
        len(streets.tie_order) // 8,
        len(streets.tie_order),
    ):  # the first ones often suffice
        pieces = streets.tie_order[:upto][tied[streets.place_drawn[:upto]]]
        along = np.concatenate([[0.0], np.cumsum(streets.piece_metres[pieces])])
        if along[-1] > metres:
            break
    full = min(int(np.searchsorted(along, metres, side="right") - 1), len(pieces) - 1)
    taken = streets.piece_metres[pieces[: full + 1]].copy()
    taken[full] = min(metres - along[full], taken[full])
    at = streets.piece_unit[pieces[: full + 1]]
    share = np.bincount(at, taken, minlength=len(streets.metres)) / streets.metres
    return np.asarray(share @ amounts)


def compute_hits(
    scores: NDArray[np.float64],
    metres: NDArray[np.float64],
    amounts: NDArray[np.float64],
    ties: NDArray[np.int64],
    coverages: tuple[float, ...] = COVERAGES,
) -> NDArray[np.float64]:
    """Amount in the top slices of streets ranked by score; see `ranking` and `sum_slices`."""
    return sum_slices(rank_streets(scores, metres, ties), metres, amounts, coverages)


REFERENCE_DRAWS = 200

PRIOR_MONTHS = 12


@dataclass(frozen=True, eq=False)
class Reference:
    """PAI of a model that knew the rates, over so many months.

    Parameters
    ----------
    pai, low, high
        (j + 1, q) mean over the draws, and the interval that holds 95 % of them.
    ratio
        (j + 1, q) mean PAI over that of twelve months' counts drawn from the same rates: all that
        any model could gain on prior counts if rates stood still.
    """

    pai: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    ratio: NDArray[np.float64]


def simulate_reference(
    history: History, harm: NDArray[np.float64], months: int, *, seed: int
) -> Reference:
    """Draw rates and months, and score the rates.

    Rates are drawn from the gamma posterior of Gamma-Poisson shrinkage on all months, so they are
    as uneven as the records say rates are, no more and no less.

    Parameters
    ----------
    history
        All months, those that are scored included: this is no model.
    harm
        (j,) weight of each target, for all of them together.
    months
        How many months are scored.
    seed
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    counts = history.count_last(len(history))
    metres = history.units.metres
    ties = rng.permutation(len(metres))
    posterior = []
    around = compute_expected_counts(counts, len(history.targets), history.units)
    for target, expected in enumerate(around.T):
        shape = fit_gamma_shape(counts[:, target], expected)
        rate = shape / expected + 1.0
        posterior.append((shape + counts[:, target], 1.0 / rate / len(history)))
    shapes, scales = (np.column_stack(part) for part in zip(*posterior, strict=True))
    knowing, counting = [], []
    for _ in range(REFERENCE_DRAWS):
        rates = rng.gamma(shapes, scales)
        came = _append_harm(rng.poisson(rates * months).astype(np.float64), harm)
        before = _append_harm(rng.poisson(rates * PRIOR_MONTHS).astype(np.float64), harm)
        knowing.append(_score_pai(_append_harm(rates, harm), came, metres, ties))
        counting.append(_score_pai(before, came, metres, ties))
    found = np.array(knowing)
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    usual = np.array(counting).mean(axis=0)
    ratio = np.divide(found.mean(axis=0), usual, out=np.full(usual.shape, np.nan), where=usual > 0)
    return Reference(found.mean(axis=0), low, high, ratio)


def _append_harm(amounts: NDArray[np.float64], harm: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([amounts, (amounts * harm).sum(axis=1)])


def _score_pai(
    scores: NDArray[np.float64],
    came: NDArray[np.float64],
    metres: NDArray[np.float64],
    ties: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(j + 1, q) PAI of each category."""
    caught = np.array(
        [
            compute_hits(score, metres, amount, ties)
            for score, amount in zip(scores.T, came.T, strict=True)
        ]
    )
    total = np.maximum(came.sum(axis=0), 1e-12)[:, None]
    return np.asarray(caught / total / np.asarray(COVERAGES))
