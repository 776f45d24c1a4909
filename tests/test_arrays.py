"""Distinct places against numpy's own, and rows of many ranges as one array."""

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from patrolplan.arrays import expand_ranges, find_unique_points


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.integers(-3, 3))
)
def test_as_numpy_tells_them(xy):
    """Places and their numbers are those of numpy.unique over rows."""
    places, number = find_unique_points(xy)
    expected, back = np.unique(xy, axis=0, return_inverse=True)
    assert np.array_equal(places, expected)
    assert np.array_equal(number, back.reshape(-1))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=12))
def test_ranges_are_those_of_a_plain_loop(rows):
    """All ranges in sequence equal the result of a loop over them, including empty ones."""
    starts = np.array([start for start, _ in rows], dtype=np.int64)
    counts = np.array([count for _, count in rows], dtype=np.int64)
    slow = [number for start, count in rows for number in range(start, start + count)]
    assert expand_ranges(starts, counts).tolist() == slow


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6), st.booleans()), max_size=12))
def test_turned_ranges_are_told_backwards(rows):
    """A range that is turned comes from its last number to its first."""
    starts, counts = (np.array([row[at] for row in rows], dtype=np.int64) for at in (0, 1))
    turned = np.array([row[2] for row in rows], dtype=bool)
    slow = []
    for start, count, back in rows:
        numbers = list(range(start, start + count))
        slow += numbers[::-1] if back else numbers
    assert expand_ranges(starts, counts, is_reversed=turned).tolist() == slow
