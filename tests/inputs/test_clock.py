"""Dates and times as people write them, and which of them tell the time of day."""

import numpy as np
import pandas as pd
import pytest

from patrolplan.inputs.timestamps import clock_times, times_of_day, told_by


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
    mixed = clock_times(pd.Series(["2024-01-01T00:00+00:00", text, "01/06/2024 12:00"]))
    assert mixed[1] is wanted or mixed[1] == wanted
    assert list(mixed[[0, 2]]) == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-06-01 12:00")]


@pytest.mark.parametrize(
    ("text", "told"),
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
def test_what_a_text_tells(text, told):
    """A date alone tells no time; midnight, written or local, is told from other times."""
    column = pd.Series(["2024-07-01 12:00", text])
    assert told_by(column, clock_times(column)).tolist() == [2, told]


def _known(**counts):
    """Whether the times of one kind are known, where each is recorded so many times."""
    text = [f"2024-07-{1 + k % 28:02d} {at[1:].replace('_', ':')}" for at, count in counts.items()
            for k in range(count)]  # fmt: skip
    times = clock_times(pd.Series(text))
    return times_of_day(told_by(pd.Series(text), times), times, np.zeros(len(text), dtype=int))


def test_midnight_that_abounds_stands_for_no_time():
    """00:00 far more often than the full hours beside it is no time; those stay known."""
    known = _known(t00_00=44, t23_00=20, t01_00=10, t15_30=5)
    assert known.tolist() == [False] * 44 + [True] * 35


@pytest.mark.parametrize("counts", [{"t00_00": 43, "t23_00": 20}, {"t00_00": 3, "t15_30": 9}])
def test_midnight_that_may_be_true_is_a_time(counts):
    """Where 00:00 is not much more common than 23:00 or 01:00, or may be chance, it is kept."""
    assert _known(**counts).all()


def test_midnight_alone_is_no_time():
    """Where no other time is ever given, 00:00 is how a date alone is written."""
    assert not _known(t00_00=2).any()


def test_each_kind_has_its_own_midnights():
    """A kind whose times are recorded properly keeps its midnights beside one whose are not."""
    text = pd.Series(["2024-07-01 00:00"] * 8 + ["2024-07-01 15:30"] * 4)
    kind = np.array([0] * 6 + [1] * 2 + [0, 0, 1, 1])
    times = clock_times(text)
    known = times_of_day(told_by(text, times), times, kind)
    assert known.tolist() == [False] * 6 + [True] * 6


def test_no_times_at_all():
    """No incident gives an empty answer."""
    times = pd.Series([], dtype="datetime64[ns]")
    assert len(times_of_day(np.empty(0, np.uint8), times, np.empty(0, np.int64))) == 0
