"""Typed values become the text that a CSV file would have, without loss."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.inputs.table_reader import write_cells


def _written(values, ours="", **options):
    return write_cells(pd.Series(values, **options), ours).fillna("-").tolist()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([900001, 2], ["900001", "2"]),
        ([900001.0, np.nan], ["900001", "-"]),
        ([0.1, -0.1346, 1e-7], ["0.1", "-0.1346", "1e-07"]),
        (["007", None, " a "], ["007", "-", " a "]),
        ([True, False], ["true", "false"]),
        ([Decimal("12.50"), None], ["12.50", "-"]),
        ([dt.time(15, 10), dt.time(9, 5, 30)], ["15:10", "09:05:30"]),
        ([dt.timedelta(hours=15, minutes=10)], ["15:10"]),
        ([dt.date(2025, 9, 1), "2025-09-02"], ["2025-09-01", "2025-09-02"]),
        ([1, "x", 2.5, None], ["1", "x", "2.5", "-"]),
        ([["900001", 2.0], (), np.array([3])], ["900001;2", "-", "3"]),
    ],
)
def test_values_are_written_as_people_write_them(values, text):
    """Whole numbers have no point, times no seconds of zero, and empty cells stay empty."""
    assert _written(values, dtype=object) == text
    assert _written(values) == text


def test_days_have_no_time_unless_one_of_the_column_has():
    """A column of days is written as days; among true times, midnight stays a time."""
    days = pd.to_datetime(["2025-09-01", None, "2025-09-02"])
    assert _written(days) == ["2025-09-01", "-", "2025-09-02"]
    times = pd.to_datetime(["2025-09-01 00:00", "2025-09-02 15:10"])
    assert _written(times) == ["2025-09-01 00:00:00", "2025-09-02 15:10:00"]
    aware = times.tz_localize("Europe/London")
    assert _written(aware)[1] == "2025-09-02 15:10:00+01:00"


def test_first_days_of_months_are_months_in_a_column_of_months_alone():
    """A spreadsheet makes days of months; in any other column a day stays a day."""
    firsts = pd.to_datetime(["2025-09-01", "2025-10-01"])
    assert _written(firsts, "month") == ["2025-09", "2025-10"]
    assert _written([dt.date(2025, 9, 1)], "month", dtype=object) == ["2025-09"]
    assert _written(firsts, "from") == ["2025-09-01", "2025-10-01"]
    assert _written(pd.to_datetime(["2025-09-03"]), "month") == ["2025-09-03"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_come_back_from_their_text(numbers):
    """No digit of a number is lost."""
    text = _written(numbers, dtype="float64")
    assert [float(one) for one in text] == numbers


@given(st.lists(st.integers(min_value=-(2**63), max_value=2**63 - 1)))
def test_whole_numbers_come_back_digit_by_digit(numbers):
    """URNs and identifiers stay what they are."""
    assert _written(numbers, dtype="int64") == [str(number) for number in numbers]
