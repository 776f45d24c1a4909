"""Rows of many ranges as one array."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from patrolplan.ranges import ranges


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=12))
def test_ranges_are_those_of_a_plain_loop(rows):
    """All ranges end to end are what a loop over them gives, empty ones too."""
    starts = np.array([start for start, _ in rows], dtype=np.int64)
    counts = np.array([count for _, count in rows], dtype=np.int64)
    slow = [number for start, count in rows for number in range(start, start + count)]
    assert ranges(starts, counts).tolist() == slow
