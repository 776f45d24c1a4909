"""Distinct places against numpy's own."""

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from patrolplan.arrays import distinct


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.integers(-3, 3))
)
def test_as_numpy_tells_them(xy):
    """Places and their numbers are those of numpy.unique over rows."""
    places, number = distinct(xy)
    expected, back = np.unique(xy, axis=0, return_inverse=True)
    assert np.array_equal(places, expected)
    assert np.array_equal(number, back.reshape(-1))
