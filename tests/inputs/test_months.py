"""Months that stand alone, far from the rest."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.inputs.crimes import read_crimes
from patrolplan.inputs.timestamps import GAP_MONTHS, alone
from patrolplan.tables import LeftOut

FIRST = pd.Period("2024-10", freq="M")


def _months(rows):
    """Rows of months, by the number of months after the first."""
    told = [FIRST + number for number, count in rows.items() for _ in range(count)]
    return pd.Series([month.to_timestamp() for month in told], dtype="datetime64[ns]")


def _left(rows):
    months = _months(rows)
    return sorted(months[alone(months)].dt.strftime("%Y-%m"))


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
def test_a_gap_in_the_records_is_taken_as_it_is(rows):
    """Where more than next to nothing stands beyond a gap, or the gap is short, all rows count."""
    assert _left(rows) == []


@given(st.dictionaries(st.integers(-40, 40), st.integers(1, 60), max_size=12))
def test_only_the_ends_beyond_long_gaps_are_left_out(rows):
    """What is kept is one span, less than a hundredth falls out at a gap, and none falls twice."""
    months = _months(rows)
    out = alone(months)
    assert out.sum() <= 0.01 * len(months) * 2
    if out.any():
        kept, gone = months[~out], months[out]
        assert not gone.between(kept.min(), kept.max()).any()
        number = np.sort((months.dt.year * 12 + months.dt.month).unique())
        assert (np.diff(number) > GAP_MONTHS).any()


def test_a_slip_in_a_month_is_told_and_changes_nothing(tmp_path):
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
