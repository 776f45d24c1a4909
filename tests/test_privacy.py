"""Groups of reports: none small, nothing lost untold, the same whatever the order."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrolplan.inputs.reports import BEHAVIOUR_FACTORS
from patrolplan.inputs.reports import PLACE_FACTORS
from patrolplan.inputs.reports import TIME_BANDS
from patrolplan.privacy import FACTORS
from patrolplan.privacy import MERGE_METRES
from patrolplan.privacy import ReportGroups
from patrolplan.privacy import group_reports
from patrolplan.tables import LeftOut

PLACE = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda p: (p[0] * 130, p[1] * 130))


@st.composite
def returns(draw):
    """Catchments anywhere, reports on them, and a threshold."""
    xy = np.array(draw(st.lists(PLACE, min_size=1, max_size=15, unique=True)), dtype=float)
    row = st.tuples(
        st.integers(0, len(xy) - 1),
        st.sampled_from(TIME_BANDS),
        st.sampled_from((*PLACE_FACTORS[:3], "none")),
        st.sampled_from((*BEHAVIOUR_FACTORS[:2], "none")),
    )
    rows = draw(st.lists(row, max_size=60))
    reports = pd.DataFrame([row[1:] for row in rows], columns=list(FACTORS), dtype=object)
    catchment = np.array([row[0] for row in rows], dtype=np.int64)
    return reports, catchment, xy, draw(st.integers(2, 9))


def _group(reports, catchment, xy, threshold):
    left_out = LeftOut()
    groups = group_reports(reports, catchment, xy, left_out, threshold=threshold)
    return groups, left_out


def _members(groups, catchment):
    """Rows of the reports in each group."""
    of_report = groups.group_of_catchment[catchment]
    return [np.flatnonzero(of_report == number) for number in range(len(groups))]


@given(returns())
def test_no_group_is_below_the_threshold(case):
    """Whatever comes in, a group that leaves holds at least the threshold of reports."""
    groups, _ = _group(*case)
    threshold = case[3]
    assert all(len(rows) >= threshold for rows in _members(groups, case[1]))
    assert (groups.counts >= threshold).all()


@given(returns())
def test_counts_are_rounded_down_to_multiples(case):
    """The count told is the true one rounded down to a multiple of the threshold."""
    groups, _ = _group(*case)
    threshold = case[3]
    true = [len(rows) for rows in _members(groups, case[1])]
    assert list(groups.counts) == [count // threshold * threshold for count in true]


@given(returns())
def test_nothing_is_lost_but_what_is_counted(case):
    """Every report is in a group or in the count of those left out."""
    groups, left_out = _group(*case)
    grouped = sum(len(rows) for rows in _members(groups, case[1]))
    assert grouped + sum(row.count for row in left_out.rows) == len(case[0])
    assert all(row.shown_from == case[3] for row in left_out.rows)


@given(returns())
def test_only_near_catchments_are_merged(case):
    """A group hangs together by steps of at most the merging distance."""
    groups, _ = _group(*case)
    for number in range(len(groups)):
        xy = case[2][groups.group_of_catchment == number]
        reached, frontier = {0}, [0]
        while frontier:
            here = frontier.pop()
            near = np.flatnonzero(np.hypot(*(xy - xy[here]).T) <= MERGE_METRES)
            frontier += [k for k in near if k not in reached]
            reached |= set(near)
        assert len(reached) == len(xy)


@given(returns())
def test_a_catchment_with_enough_reports_is_never_left_out(case):
    """Reports are left out only where they and all near them are too few."""
    groups, _ = _group(*case)
    _, catchment, xy, threshold = case
    held = np.bincount(catchment, minlength=len(xy))
    assert (groups.group_of_catchment[held >= threshold] >= 0).all()
    lost = (held > 0) & (groups.group_of_catchment < 0)
    kept = groups.group_of_catchment >= 0
    for here in np.flatnonzero(lost):
        apart = np.hypot(*(xy - xy[here]).T)
        assert not (kept & (apart <= MERGE_METRES)).any()
        assert held[apart <= MERGE_METRES].sum() < threshold


@given(returns())
def test_reasons_are_those_that_the_threshold_gave(case):
    """A factor is told exactly when at least the threshold of the group's reports gave it."""
    groups, _ = _group(*case)
    reports, catchment, _, threshold = case
    for rows, told in zip(_members(groups, catchment), groups.reasons, strict=True):
        given_ = Counter(
            factor for name in FACTORS for factor in reports[name].iloc[rows] if factor != "none"
        )
        assert set(told) == {factor for factor, count in given_.items() if count >= threshold}
        bands = [given_[factor] // threshold for factor in told]
        assert bands == sorted(bands, reverse=True)


@given(returns(), st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_rows(case, random):
    """The same reports in another order give the same groups, counts and reasons."""
    reports, catchment, xy, threshold = case
    order = list(range(len(reports)))
    random.shuffle(order)
    one, _ = _group(reports, catchment, xy, threshold)
    other, _ = _group(reports.iloc[order], catchment[order], xy, threshold)
    np.testing.assert_array_equal(one.group_of_catchment, other.group_of_catchment)
    np.testing.assert_array_equal(one.counts, other.counts)
    assert one.reasons == other.reasons


def test_groups_below_the_threshold_cannot_be_made():
    """The type itself refuses a group that is too small, or a count that tells too much."""
    nowhere = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="smaller than the threshold of 5"):
        ReportGroups(5, nowhere, np.array([4]), ((),))
    with pytest.raises(ValueError, match="multiples of the threshold of 5"):
        ReportGroups(5, nowhere, np.array([7]), ((),))
    assert len(ReportGroups(5, nowhere, np.array([10]), ((),))) == 1


def test_no_reports_give_no_groups():
    """An area without reports has no group on any catchment."""
    groups = ReportGroups.none(7, 5)
    assert len(groups) == 0
    assert (groups.group_of_catchment == -1).all()
    assert len(groups.group_of_catchment) == 7


def test_groups_hold_nothing_of_a_single_report():
    """What leaves the door are counts and factors: no row, no coordinates, no identifier."""
    names = set(ReportGroups.__dataclass_fields__)
    assert names == {"threshold", "group_of_catchment", "counts", "reasons"}
