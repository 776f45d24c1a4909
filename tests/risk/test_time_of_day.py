"""The share of harm in the window, from the crimes whose time of day is known."""

import numpy as np
import pandas as pd
import pytest

from patrolplan.notes import Note
from patrolplan.risk.time_of_day import MIN_IN_WINDOW, estimate_timing

TARGETS = ("Robbery", "Other theft")


def _rows(category, hours, *, timed=True):
    """A crime of a category on a Wednesday at each of these hours."""
    at = pd.Timestamp("2022-06-01")
    return [
        {"piece": 1, "category": category, "month": at, "timed": timed,
         "occurred_at": at + pd.Timedelta(hours=hour)} for hour in hours
    ]  # fmt: skip


def test_dates_alone_do_not_count_as_midnight(make):
    """Crimes of which only the date is known change no share, however many there are."""
    timed = _rows("Robbery", [16, 23] * 60) + _rows("Other theft", [16, 11, 12, 13] * 60)
    plain = estimate_timing(make.area(timed), TARGETS)
    dates = _rows("Robbery", [0] * 500, timed=False)
    more = estimate_timing(make.area(timed + dates), TARGETS)
    np.testing.assert_array_equal(more.by_category, plain.by_category)
    pd.testing.assert_frame_equal(more.shares, plain.shares)
    assert more.shrunk_categories == ()


def test_a_category_without_times_has_the_share_of_all_timed_crime(make):
    """Where only dates are known of a category it is taken to be like all others, and named."""
    timed = _rows("Other theft", [16, 11, 12, 13] * 60)
    timing = estimate_timing(make.area(timed + _rows("Robbery", [0] * 90, timed=False)), TARGETS)
    assert timing.by_category == pytest.approx([0.25, 0.25])
    assert timing.shrunk_categories == ("Robbery",)
    expected = {"categories": ["Robbery"], "times": MIN_IN_WINDOW}
    assert timing.notes[1] == Note("window_shares_shrunk", expected)


def test_a_category_of_few_times_is_drawn_towards_all(make):
    """A few known times move a category's share only a little from that of all timed crime."""
    rows = _rows("Other theft", [16, 11, 12, 13] * 60) + _rows("Robbery", [16] * 10)
    timing = estimate_timing(make.area(rows), TARGETS)
    usual = 70 / 250
    assert timing.by_category[0] == pytest.approx((10 + 50 * usual) / 60)
    assert timing.shrunk_categories == ("Robbery",)


def test_no_times_tell_nothing(make):
    """From dates alone no share is estimated."""
    assert estimate_timing(make.area(_rows("Robbery", [0] * 99, timed=False)), TARGETS) is None
