"""What each stretch holds."""

import numpy as np
from hypothesis import given, strategies as st

from patrolplan.hotspots.clusters import catchment_shares, flat, summed


@given(st.integers(0, 2**32), st.lists(st.integers(1, 300), max_size=12))
def test_sums_are_those_of_one_stretch_after_the_other_to_the_last_bit(seed, sizes):
    """Stretches summed together give exactly what each gives alone, short ones and long ones."""
    rng = np.random.default_rng(seed)
    values = rng.gamma(0.3, size=1000)
    stretches = [rng.choice(1000, size, replace=False) for size in sizes]
    assert summed(values, stretches).tolist() == [values[one].sum() for one in stretches]


def test_laid_flat_stretches_can_be_cut_apart_again():
    """Pieces in a row and their numbers hold all of the stretches."""
    pieces, size = flat([np.array([3, 1]), np.array([2])])
    assert pieces.tolist() == [3, 1, 2]
    assert size.tolist() == [2, 1]
    assert len(flat([])[0]) == len(flat([])[1]) == 0


def test_the_whole_area_holds_every_catchment(demo_area):
    """All pieces together hold all street of each catchment."""
    whole = catchment_shares(demo_area.catchments, [np.arange(len(demo_area.network))])
    assert np.allclose(whole.toarray(), 1)
