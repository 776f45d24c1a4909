"""Helpers for arrays: joined ranges, equal rows, distinct points and numbers, pair counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]


def expand_ranges(starts: Ints, counts: Ints, *, is_reversed: Bools | None = None) -> Ints:
    """The numbers of (k,) ranges one after the other; reversed ones run back to their first.

    >>> expand_ranges(np.array([5, 0]), np.array([3, 2]))
    array([5, 6, 7, 0, 1])
    >>> expand_ranges(np.array([5, 0]), np.array([3, 2]), is_reversed=np.array([True, False]))
    array([7, 6, 5, 0, 1])
    """
    inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    if is_reversed is None:
        return np.asarray(np.repeat(starts, counts) + inside)
    first, step = np.where(is_reversed, starts + counts - 1, starts), np.where(is_reversed, -1, 1)
    return np.asarray(np.repeat(first, counts) + np.repeat(step, counts) * inside)


def match_rows(wanted: Ints, numbers: Ints) -> tuple[Ints, Ints]:
    """Every pair of a row of `wanted` and a row of `numbers` that are equal."""
    # Rows of equal numbers are a range of the sorted ones.
    order = np.argsort(numbers, kind="stable")
    begin, end = (np.searchsorted(numbers[order], wanted, side) for side in ("left", "right"))
    return np.repeat(np.arange(len(wanted)), end - begin), order[expand_ranges(begin, end - begin)]


def find_unique_points(xy: Floats) -> tuple[Floats, Ints]:
    """Distinct places of (k, 2), by x and then y, and for each row the number of its place."""
    # As `numpy.unique(xy, axis=0, return_inverse=True)`, by hashing instead of sorting all rows:
    # millions of crimes are on about ten thousand snap points.
    number, places = pd.factorize(  # complex numbers are sorted by real part first
        np.ascontiguousarray(xy, dtype=np.float64).view(np.complex128)[:, 0], sort=True
    )
    return np.ascontiguousarray(places).view(np.float64).reshape(-1, 2), number


POWERS_OF_TEN = np.array([float(f"1e{power}") for power in range(-300, 301)])


def round_significant(values: Floats, digits: int = 9) -> Floats:
    """Values rounded to significant digits; zero stays zero.

    Processors differ in the last digits of sums and logarithms. Rounded, what is compared is tied,
    or better, on all of them.

    >>> round_significant(np.array([0.123456, 0.0, 98765.4]), 3)
    array([1.23e-01, 0.00e+00, 9.88e+04])
    """
    size = np.where(np.abs(values) > 0, np.abs(values), 1.0)
    power = digits - 1 - np.floor(np.log10(size)).astype(np.int64)
    scale = POWERS_OF_TEN.take(power + 300, mode="clip")  # numpy's own may err in the last digit
    return np.asarray(np.round(values * scale) / scale)


def find_used_numbers(numbers: Ints, size: int) -> tuple[Ints, Ints]:
    """`numpy.unique(numbers, return_inverse=True)` without sorting; numbers are below `size`.

    >>> find_used_numbers(np.array([7, 2, 7]), 9)
    (array([2, 7]), array([1, 0, 1]))
    """
    is_used = np.zeros(size, dtype=bool)
    is_used[numbers] = True
    used, rank = np.flatnonzero(is_used), np.empty(size, dtype=np.int64)
    rank[used] = np.arange(len(used))
    return used, rank[numbers]


def count_pairs(rows: Ints, columns: Ints, shape: tuple[int, int]) -> Ints:
    """How often each pair of a row and a column occurs, as a table of this shape.

    >>> count_pairs(np.array([0, 0, 1]), np.array([1, 1, 0]), (2, 2))
    array([[0, 2],
           [1, 0]])
    """
    cells = np.ravel_multi_index((rows, columns), shape)
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)


def gather(rates: Floats, first_minute: int, begin: float, end: float) -> float:
    """The sum of (T,) rates of whole minutes between two times after midnight."""
    gathered = np.concatenate([[0.0], np.cumsum(rates)])
    minutes = first_minute + np.arange(len(gathered))
    return float(np.diff(np.interp([begin, end], minutes, gathered))[0])
