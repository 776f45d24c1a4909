"""Dates and times as people write them, and which of them tell the time of day."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.inputs.crimes import read_crimes
from patrolplan.inputs.timestamps import (
    MIN_GAP_MONTHS,
    classify_precision,
    is_isolated_month,
    is_time_known,
    parse_timestamps,
)
from patrolplan.tables import LeftOut


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-01 10:00", "2024-07-01 10:00"),
        ("2024-07-01T10:00:30", "2024-07-01 10:00:30"),
        ("2024-07-01T10:00Z", "2024-07-01 11:00"),
        ("2024-01-01T10:00:00+00:00", "2024-01-01 10:00"),
        ("2024-07-01 10:00+0100", "2024-07-01 10:00"),
        ("2024-07-01 10:00:00.5+02:00", "2024-07-01 09:00:00.5"),
        ("03/04/2024 10:00", "2024-04-03 10:00"),
        ("03/04/2024 10:00:07", "2024-04-03 10:00:07"),
        ("25/12/2024", "2024-12-25"),
        ("12/25/2024 10:00", None),
        ("2024-02-30", None),
        ("yesterday", None),
        ("2924-05-03 10:00", None),
        ("03/05/0024 10:00", None),
        ("9999-12-31T23:00Z", None),
        ("", None),
    ],
)
def test_clock_times(text, expected):
    """Times are ISO or day first, in UK time where they say their distance from UTC."""
    wanted = pd.NaT if expected is None else pd.Timestamp(expected)
    mixed = parse_timestamps(pd.Series(["2024-01-01T00:00+00:00", text, "01/06/2024 12:00"]))
    assert mixed[1] is wanted or mixed[1] == wanted
    assert list(mixed[[0, 2]]) == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-06-01 12:00")]


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("2024-07-01", 0),
        ("25/12/2024", 0),
        ("", 0),
        ("9999-12-31 10:00", 0),
        ("2024-07-01 00:00", 1),
        ("2024-07-01T00:00:00.000Z", 1),
        ("2024-06-30T23:00Z", 1),
        ("03/04/2024 00:00:00", 1),
        ("20240701T1000", 2),
        ("2024-07-01 00:01", 2),
        ("2024-07-01 10:00:00+00:00", 2),
        ("03/04/2024 10:00", 2),
    ],
)
def test_precision_of_a_text(text, precision):
    """A date alone has no time; midnight, written or local, differs from other times."""
    column = pd.Series(["2024-07-01 12:00", text])
    assert classify_precision(column, parse_timestamps(column)).tolist() == [2, precision]


def _find_known_times(**counts):
    """Whether the times of one kind are known, where each is recorded so many times."""
    text = [f"2024-07-{1 + k % 28:02d} {at[1:].replace('_', ':')}" for at, count in counts.items()
            for k in range(count)]  # fmt: skip
    times = parse_timestamps(pd.Series(text))
    return is_time_known(
        classify_precision(pd.Series(text), times), times, np.zeros(len(text), dtype=int)
    )


def test_too_common_midnight_means_unknown():
    """00:00 that is far more common than 23:00 and 01:00 means unknown; other times are known."""
    is_known = _find_known_times(t00_00=44, t23_00=20, t01_00=10, t15_30=5)
    assert is_known.tolist() == [False] * 44 + [True] * 35


@pytest.mark.parametrize("counts", [{"t00_00": 43, "t23_00": 20}, {"t00_00": 3, "t15_30": 9}])
def test_midnight_that_may_be_true_is_a_time(counts):
    """Where 00:00 is not much more common than 23:00 or 01:00, or may be chance, it is a time."""
    assert _find_known_times(**counts).all()


def test_midnight_alone_means_unknown():
    """Where no other time is ever given, 00:00 is how a date alone is written."""
    assert not _find_known_times(t00_00=2).any()


def test_each_kind_has_its_own_midnights():
    """A category with properly recorded times has true midnights, whatever other ones have."""
    text = pd.Series(["2024-07-01 00:00"] * 8 + ["2024-07-01 15:30"] * 4)
    kind = np.array([0] * 6 + [1] * 2 + [0, 0, 1, 1])
    times = parse_timestamps(text)
    is_known = is_time_known(classify_precision(text, times), times, kind)
    assert is_known.tolist() == [False] * 6 + [True] * 6


FIRST = pd.Period("2024-10", freq="M")


def _months(rows):
    """Rows of months, by the number of months after the first."""
    numbers = [FIRST + number for number, count in rows.items() for _ in range(count)]
    return pd.Series([month.to_timestamp() for month in numbers], dtype="datetime64[ns]")


def _left(rows):
    months = _months(rows)
    return sorted(months[is_isolated_month(months)].dt.strftime("%Y-%m"))


USUAL = dict.fromkeys(range(24), 500)


@pytest.mark.parametrize(
    "slips", [{451: 1}, {451: 1, 800: 2}, {451: 3, 452: 2}, {-300: 1}, {30: 1}]
)
def test_rows_far_from_all_others_are_left_out(slips):
    """A row or a few beyond a gap at either end are left out, one gap after the other."""
    wanted = sorted(f"{FIRST + number}" for number, count in slips.items() for _ in range(count))
    assert _left(USUAL | slips) == wanted


@pytest.mark.parametrize(
    "rows",
    [
        USUAL | {24: 1},  # a month that has just begun
        USUAL | {26: 1},  # two months that were not fetched
        USUAL | {40: 500},  # recording goes on after more than a year
        USUAL | {30: 200},  # and so it does where its first month has just begun
        USUAL | dict.fromkeys(range(-60, -48), 480),  # an older time
        {0: 1, 100: 1},  # nothing says which of them is wrong
        {0: 1},
        {0: 3, 10: 2, 30: 4},
        {},
    ],
)
def test_a_gap_in_the_records_is_accepted(rows):
    """Where more than a few rows lie beyond a gap, or the gap is short, all rows count."""
    assert _left(rows) == []


@given(st.dictionaries(st.integers(-40, 40), st.integers(1, 60), max_size=12))
def test_only_the_ends_beyond_long_gaps_are_left_out(rows):
    """The remaining months are one span, and less than a hundredth is cut off at each gap."""
    months = _months(rows)
    out = is_isolated_month(months)
    assert out.sum() <= 0.01 * len(months) * 2
    if out.any():
        inside, outside = months[~out], months[out]
        assert not outside.between(inside.min(), inside.max()).any()
        number = np.sort((months.dt.year * 12 + months.dt.month).unique())
        assert (np.diff(number) > MIN_GAP_MONTHS).any()


def test_a_wrong_month_is_reported_and_changes_nothing(tmp_path):
    """One row of 2062 leaves incidents and months as they are, and is counted with its month."""
    header = "Crime ID,Month,Reported by,Longitude,Latitude,Crime type"
    rows = [f",{FIRST + n % 24},Met,-0.128,51.52,Robbery" for n in range(480)]
    good, slip = tmp_path / "good.csv", tmp_path / "slip.csv"
    good.write_text("\n".join([header, *rows]), encoding="utf-8")
    slip.write_text(f"{header}\n,2062-05,Met,-0.128,51.52,Robbery\n", encoding="utf-8")
    left_out = LeftOut()
    crimes = read_crimes([good, slip], Projection(), left_out)
    assert len(crimes.incidents) == 480
    assert f"{crimes.incidents['month'].max():%Y-%m}" == "2026-09"
    assert [str(row) for row in left_out.rows] == [
        "crimes: 1 left out, of 2062-05, alone and far from all other months"
    ]
