"""Visits typed into a table: all that is wrong is told, by row and column."""

import datetime as dt

import pandas as pd
import pytest

from patrolplan.errors import InputError
from patrolplan.inputs.lookups import read_visits


@pytest.fixture
def visits(tmp_path):
    """Write a table and read it."""

    def call(*lines):
        path = tmp_path / "visits.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        return read_visits(path)

    return call


def test_a_table_by_the_numbers_on_the_card(visits):
    """Stops by number, engagements where they were counted, and row numbers of the file."""
    table = visits("officer,date,stop,minutes,engagements", "SSO-01,2026-12-01,2,12.5,3",
                   "SSO-01,2026-12-01,3,0,")  # fmt: skip
    assert table.index.tolist() == [2, 3]
    assert table["date"].tolist() == [dt.date(2026, 12, 1)] * 2
    assert table["stop"].tolist() == [2, 3]
    assert table["minutes"].tolist() == [12.5, 0.0]
    assert table["engagements"].tolist() == [3, pd.NA]
    assert table["urn"].isna().all()


def test_everything_wrong_is_told(visits):
    """One message for each wrong value, with its row, column, the value, and what to do."""
    with pytest.raises(InputError) as raised:
        visits("officer,date,hotspot,stop,minutes,engagements", ",2026-12-01,H1,,15,",
               "SSO-01,01/12/2026,H1,,15,", "SSO-01,2026-12-01,,,15,", "SSO-01,2026-12-01,H1,,900,",
               "SSO-01,2026-12-01,H1,,many,", "SSO-01,2026-12-01,H1,x,15,-1")  # fmt: skip
    told = [str(problem) for problem in raised.value.problems]
    for row, column, value in [
        (2, "officer", "''"), (3, "date", "'01/12/2026'"), (4, "hotspot", "''"),
        (5, "minutes", "'900'"), (6, "minutes", "'many'"), (7, "stop", "'x'"),
        (7, "engagements", "'-1'"),
    ]:  # fmt: skip
        assert any(f"row {row}, column '{column}': {value}" in line for line in told), column
    assert len(told) == 7


def test_a_table_without_places_is_refused(visits):
    """A visit is somewhere."""
    with pytest.raises(InputError, match="neither 'hotspot' nor 'stop'"):
        visits("officer,date,minutes", "SSO-01,2026-12-01,15")
