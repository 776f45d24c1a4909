"""Why a hotspot is one."""

import numpy as np
from hypothesis import given, strategies as st

from patrolplan.hotspots.reasons import _build_reports_reasons, _find_widest_group
from patrolplan.privacy import FACTOR_NAMES, ReportGroups
from patrolplan.times import SchoolTerm


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


def test_reasons_of_reports_give_number_and_latest_term():
    """A group's reason has its range, the latest term shown, and whether there are others."""
    spring, autumn = SchoolTerm(2025, 0), SchoolTerm(2024, 2)
    gave = {"after_school": 10, "before_school": 75, "isolated": 5, "traffic": 10}
    by_factor = np.array([[gave.get(name, 0) for name in FACTOR_NAMES]] * 3)
    groups = ReportGroups(
        5,
        np.arange(3),
        np.array([75, 10, 5]),
        np.ones(3),
        by_factor,
        {spring: np.array([5, 10, 0]), autumn: np.array([70, 0, 0])},
        {spring: 15, autumn: 70},
    )
    found = _build_reports_reasons(groups, ["after_school"])
    assert [(one.reports, one.max_reports) for one in found] == [(75, 79), (10, 14), (5, 9)]
    assert [(one.term, one.year) for one in found] == [("spring", 2025)] * 2 + [(None, None)]
    assert [one.earlier for one in found] == [True, False, False]
    assert {one.time_band for one in found} == {"after_school"}
    assert found[0].factors == ("traffic", "isolated")
    assert (
        _build_reports_reasons(groups, ["lunch", "before_school"])[0].time_band == "before_school"
    )
