"""Why a hotspot is one."""

import numpy as np
from hypothesis import given, strategies as st

from patrolplan.hotspots.reasons import _find_widest_group


@given(st.integers(0, 2**32), st.lists(st.integers(1, 9), max_size=12), st.integers(0, 6))
def test_widest_group_is_that_of_one_stretch_after_the_other(seed, sizes, groups):
    """The group named has most metres of the stretch, as when each is counted alone."""
    rng = np.random.default_rng(seed)
    group = rng.integers(-1, groups, size=60) if groups else np.full(60, -1)
    metres = rng.integers(10, 13, size=60).astype(float)
    stretches = [rng.choice(60, size, replace=False) for size in sizes]
    found = _find_widest_group(group, metres, stretches)
    for stretch, most in zip(stretches, found, strict=True):
        held = group[stretch] >= 0
        counted = np.bincount(group[stretch][held], metres[stretch][held])
        assert most == (np.argmax(counted) if held.any() else -1)
