"""Crimes with a first and a last possible time."""

import pandas as pd
import pytest

from patrolplan.crs import Projection
from patrolplan.inputs.crimes import read_crimes
from patrolplan.plausibility import Alarms
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")
FROM = "2026-03-06 22:00"
MANY = 40


def _read(tmp_path, rows, alarms=None):
    """The last crime of a file, after many with an exact time; None where it was left out."""
    lines = ["committed_from,committed_to,category,longitude,latitude"]
    lines += [f"{row},Robbery,-0.13,51.52" for row in [f"{FROM},{FROM}"] * MANY + rows]
    path = tmp_path / "extract.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    left_out = LeftOut()
    incidents = read_crimes([path], BNG, left_out, alarms=alarms).incidents
    return incidents.iloc[-1] if len(incidents) > MANY else None, left_out


@pytest.mark.parametrize(
    ("row", "at", "until", "timed"),
    [
        (f"{FROM},{FROM}", FROM, None, True),
        (f"{FROM},", FROM, None, True),
        (f",{FROM}", FROM, None, True),
        (f"{FROM},2026-03-07 07:30", FROM, "2026-03-07 07:30", False),
        (f"{FROM},2026-03-07 22:00", FROM, "2026-03-07 22:00", False),
        (f"{FROM},2026-03-07 22:01", FROM, None, False),
        (f"{FROM},2026-04-06 22:00", FROM, None, False),
        ("2026-03-06,2026-03-07", "2026-03-06", None, False),
        (f"2026-03-06,{FROM}", "2026-03-06", None, False),
    ],
)
def test_one_time_or_a_span_of_a_day_is_known(tmp_path, row, at, until, timed):
    """Alike, or one alone: a time. Up to 24 hours: a span. Longer, or dates: neither."""
    crime, left_out = _read(tmp_path, [row])
    assert crime["occurred_at"] == pd.Timestamp(at)
    assert crime["occurred_until"] is pd.NaT if until is None else pd.Timestamp(until)
    assert pd.isna(crime["occurred_until"]) == (until is None)
    assert crime["timed"] == timed
    assert crime["month"] == pd.Timestamp("2026-03-01")
    assert not left_out.rows


@pytest.mark.parametrize("last", ["2026-03-06 21:59", "2026-04-06 22:01", "soon"])
def test_a_last_time_that_cannot_be_true_counts_for_nothing(tmp_path, last):
    """Before the first or more than a month later: left out, unless the month is known."""
    crime, left_out = _read(tmp_path, [f"{FROM},{last}"])
    if last == "soon":
        assert crime["timed"]
        return
    assert crime is None
    assert [row.count for row in left_out.rows] == [1]
    path = tmp_path / "months.csv"
    head = "committed_from,committed_to,month,category,longitude,latitude"
    path.write_text(f"{head}\n{FROM},{last},2026-03,Robbery,-0.13,51.52\n", encoding="utf-8")
    crimes = read_crimes([path], BNG, LeftOut()).incidents
    assert crimes["month"].tolist() == [pd.Timestamp("2026-03-01")]
    assert crimes["occurred_at"].isna().all()


def test_many_wrong_spans_stop_the_command(tmp_path):
    """The message names the row, the column and what to write."""
    alarms = Alarms()
    _read(tmp_path, [f"{FROM},2026-03-06 21:00"] * MANY, alarms=alarms)
    problem, *_ = alarms.take_problems()  # others: copies, a file of one time
    words = str(problem)
    assert "'2026-03-06 21:00' cannot be read (40 such values in 80 rows)" in words
    assert "row 42, column 'committed_to'" in words
    assert "at most 31 days after the first, not before it" in words


def test_an_exact_time_wins_over_a_span(tmp_path):
    """Where a table has both, occurred_at counts, and the span where it is empty."""
    header = "occurred_at,committed_from,committed_to"
    path = tmp_path / "both.csv"
    rows = ["2026-03-07 01:00", ""]
    lines = [f"{row},{FROM},2026-03-07 07:30,Robbery,-0.13,51.52" for row in rows]
    path.write_text("\n".join([f"{header},category,longitude,latitude", *lines]))
    crimes = read_crimes([path], BNG, LeftOut()).incidents
    assert crimes["timed"].tolist() == [True, False]
    assert crimes["occurred_until"].notna().tolist() == [False, True]
    assert crimes["occurred_at"].tolist() == [pd.Timestamp(rows[0]), pd.Timestamp(FROM)]


def test_a_column_named_committed_from_may_be_the_time(tmp_path):
    """A settings file that maps occurred_at to it works as before."""
    path = tmp_path / "mapped.csv"
    path.write_text(f"committed_from,category,longitude,latitude\n{FROM},Robbery,-0.13,51.52\n")
    columns = {"occurred_at": "committed_from"}
    crimes = read_crimes([path], BNG, LeftOut(), columns=columns).incidents
    assert crimes["timed"].all()
