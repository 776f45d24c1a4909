"""How good a ranking of streets is: hits in the top slice, and the measures made of them."""

import numpy as np
from numpy.typing import NDArray

COVERAGES = (0.01, 0.02, 0.03, 0.05, 0.10)
"""Shares of the street length that are looked at, fixed in advance."""

DIGITS = 9
"""Scores that agree to so many digits are tied: arithmetic must not break a tie."""


def rounded(values: NDArray[np.float64], digits: int = DIGITS) -> NDArray[np.float64]:
    """Values to so many significant digits; zero stays zero."""
    size = np.where(values == 0, 1.0, np.abs(values))
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(size)))
    return np.asarray(np.round(values * scale) / scale)


def ranking(
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
    return np.lexsort((ties, -rounded(scores / metres)))


def slice_sums(
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


def hits(
    scores: NDArray[np.float64],
    metres: NDArray[np.float64],
    amounts: NDArray[np.float64],
    ties: NDArray[np.int64],
    coverages: tuple[float, ...] = COVERAGES,
) -> NDArray[np.float64]:
    """Amount in the top slices of streets ranked by score; see `ranking` and `slice_sums`."""
    return slice_sums(ranking(scores, metres, ties), metres, amounts, coverages)
