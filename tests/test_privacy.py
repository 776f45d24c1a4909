"""Groups of reports: none small, nothing lost untold, the same whatever the order."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, strategies as st

from patrolplan.inputs.reports import BEHAVIOUR_FACTORS, PLACE_FACTORS, TIME_BANDS
from patrolplan.outputs.note_words import describe_notes
from patrolplan.privacy import (
    FACTORS,
    SQUARE_METRES,
    ReportGroups,
    extend_to_squares,
    group_reports,
    note_report_grouping,
    suppress_and_round,
)
from patrolplan.tables import LeftOut

PLACE = st.tuples(st.integers(-300, 1200), st.integers(-300, 1200))
EVERYWHERE = shapely.box(-10_000, -10_000, 10_000, 10_000)
COLUMNS = ["x", "y", *FACTORS]


@st.composite
def returns(draw):
    """Pieces of street anywhere, reports anywhere, and a threshold."""
    pieces = np.array(draw(st.lists(PLACE, min_size=1, max_size=15, unique=True)), dtype=float)
    row = st.tuples(
        st.sampled_from([p for piece in pieces for p in (piece, piece + 7)]).map(tuple)
        | PLACE.map(lambda place: (float(place[0]), float(place[1]))),
        st.sampled_from(TIME_BANDS),
        st.sampled_from((*PLACE_FACTORS[:3], "none")),
        st.sampled_from((*BEHAVIOUR_FACTORS[:2], "none")),
    )
    rows = draw(st.lists(row, max_size=60))
    reports = pd.DataFrame([(*row[0], *row[1:]) for row in rows], columns=COLUMNS)
    return reports.astype({"x": float, "y": float}), pieces, draw(st.integers(2, 12))


def _group(reports, pieces, threshold, limits=EVERYWHERE):
    left_out = LeftOut()
    return group_reports(reports, pieces, limits, left_out, threshold=threshold), left_out


def _square(xy):
    return [tuple(row) for row in np.floor(np.asarray(xy).reshape(-1, 2) / SQUARE_METRES)]


def _held(reports, pieces):
    """Rows of the reports in each square that has a street, in the squares' order."""
    by_square = {square: [] for square in sorted(set(_square(pieces)))}
    for row, square in enumerate(_square(reports[["x", "y"]].to_numpy())):
        if square in by_square:
            by_square[square].append(row)
    return by_square


def _round_by_hand(count, threshold):
    """The shown count, computed in another way: the largest multiple that the steps passed."""
    step = min(5, threshold)
    passed = max(steps * step for steps in range(count // step + 1))
    return max(k * threshold for k in range(passed // threshold + 1))


@given(returns())
def test_groups_are_the_squares_that_reach_the_threshold(case):
    """Counted one by one, the groups are the squares with enough reports, rounded down."""
    groups, _ = _group(*case)
    _, pieces, threshold = case
    counts = {
        square: _round_by_hand(len(rows), threshold) for square, rows in _held(*case[:2]).items()
    }
    assert list(groups.counts) == [count for count in counts.values() if count]
    assert (groups.counts >= threshold).all()
    enough = [square for square, count in counts.items() if count]
    expected = [enough.index(s) if s in enough else -1 for s in _square(pieces)]
    assert list(groups.group_of_piece) == expected


@given(st.integers(0, 200), st.integers(2, 60))
def test_told_counts_never_tell_more(count, threshold):
    """A shown count is no larger than the true one, and 0 wherever that is under the threshold."""
    shown = int(suppress_and_round(count, threshold))
    assert shown == _round_by_hand(count, threshold) <= count
    assert shown == 0 or shown >= threshold
    if threshold % 5 == 0 or threshold < 5:
        assert count - shown < threshold


@given(returns())
def test_nothing_is_lost_but_what_is_counted(case):
    """Reports without a group are recorded for two reasons, in steps, also where there are none."""
    _, left_out = _group(*case)
    reports, pieces, threshold = case
    held = [len(rows) for rows in _held(reports, pieces).values()]
    few = sum(count for count in held if not _round_by_hand(count, threshold))
    assert {row.reason: row.count for row in left_out.rows} == {
        "no walkable street near": _round_by_hand(len(reports) - sum(held), threshold),
        "in a group under the threshold": _round_by_hand(few, threshold),
    }
    assert all(row.shown_from == threshold for row in left_out.rows)


@given(returns())
def test_the_most_a_group_may_hold_is_true_and_told_from_its_count_alone(case):
    """The upper end of a group's band is at least its true count, and the next count's start."""
    groups, _ = _group(*case)
    _, _, threshold = case
    true = [len(rows) for rows in _held(*case[:2]).values() if _round_by_hand(len(rows), threshold)]
    assert (groups.max_counts >= np.array(true, dtype=int)).all()
    for count, most in zip(groups.counts, groups.max_counts, strict=True):
        reach = [n for n in range(200) if _round_by_hand(n, threshold) == count]
        assert most >= max(reach)
        assert most - max(reach) < 5


@given(returns())
def test_reasons_are_those_that_the_threshold_gave(case):
    """A factor is named exactly when enough of the group's reports gave it, the most first."""
    groups, _ = _group(*case)
    reports, pieces, threshold = case
    large = [
        rows for rows in _held(reports, pieces).values() if _round_by_hand(len(rows), threshold)
    ]
    for rows, shown in zip(large, groups.reasons, strict=True):
        given_ = Counter(
            factor for name in FACTORS for factor in reports[name].iloc[rows] if factor != "none"
        )
        counts = {factor: _round_by_hand(count, threshold) for factor, count in given_.items()}
        assert set(shown) == {factor for factor, count in counts.items() if count}
        order = [(-counts[factor], factor) for factor in shown]
        assert order == sorted(order)


@given(returns(), st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_rows(case, random):
    """The same reports in another order give the same groups, counts and reasons."""
    reports, pieces, threshold = case
    order = list(range(len(reports)))
    random.shuffle(order)
    one, _ = _group(reports, pieces, threshold)
    other, _ = _group(reports.iloc[order], pieces, threshold)
    assert one.digest == other.digest
    np.testing.assert_array_equal(one.group_of_piece, other.group_of_piece)


def test_the_part_of_a_square_within_the_area_is_told():
    """Of a square that the limits cut, the share within them is given with the whole count."""
    reports = pd.DataFrame([[30.0, 30.0, *["none"] * 3]] * 6, columns=COLUMNS)
    groups, _ = _group(reports, [[10.0, 10.0]], 5, shapely.box(0, 0, 50, 1000))
    assert groups.counts.tolist() == [5]
    assert groups.share_inside.tolist() == pytest.approx([0.2])


def test_limits_are_widened_to_whole_squares():
    """Limits that lie in a square are widened to it, in any quarter of the plane."""
    assert extend_to_squares(shapely.box(-10, 3, 260, 240)).bounds == (-250, 0, 500, 250)


def test_groups_below_the_threshold_cannot_be_made():
    """The type itself refuses a group that is too small, or a count that tells too much."""
    nowhere = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="smaller than the threshold of 5"):
        ReportGroups(5, nowhere, np.array([4]), np.ones(1), ((),))
    with pytest.raises(ValueError, match="multiples of the threshold of 5"):
        ReportGroups(5, nowhere, np.array([7]), np.ones(1), ((),))
    assert len(ReportGroups(5, nowhere, np.array([10]), np.ones(1), ((),))) == 1


def test_no_reports_give_no_groups():
    """An area without reports has no group on any piece of street."""
    groups = ReportGroups.empty(7, 5)
    assert len(groups) == 0
    assert (groups.group_of_piece == -1).all()
    assert len(groups.group_of_piece) == 7


def test_groups_hold_nothing_of_a_single_report():
    """Only counts and factors leave the module: no row, no coordinates, no identifier."""
    names = set(ReportGroups.__dataclass_fields__)
    assert names == {"threshold", "group_of_piece", "counts", "share_inside", "reasons"}


def test_a_threshold_under_the_steps_is_announced():
    """Readers learn how reports are counted, and warned where the threshold is a low one."""
    assert len(note_report_grouping(5)) == len(note_report_grouping(10)) == 1
    (how,) = describe_notes(note_report_grouping(10))
    assert "in 250 m squares. A square counts only if it has 10 reports or more" in how
    assert "under 5" in describe_notes(note_report_grouping(3))[1]
