"""The return as tables that open anywhere and run nothing.

The week as tables: every duty in them, and no cell that runs.
"""

import csv
import datetime as dt
import io
from zipfile import ZipFile

import openpyxl
import pytest

import patrolplan as pp
from patrolplan.outputs.week.roster import Roster
from patrolplan.outputs.week.spreadsheet import (
    escape_cell,
    render_week_csv,
    render_week_xlsx,
    write_return,
)
from patrolplan.team.ledger.monthly_return import FIGURE_COLUMNS
from patrolplan.team.ledger.promised import PromisedWeek
from patrolplan.team.ledger.visits import Visit
from patrolplan.times import format_time

DAY = dt.date(2026, 12, 1)


def test_no_cell_of_the_return_runs_as_a_formula(tmp_path, demo_area):
    """Names from files are text in every table, and a row sums what was promised and given."""
    spot = {"hotspot": "=H1", "place": "@High Street", "longitude": 0.87, "latitude": 51.53,
            "stretch": "LINESTRING (0.87 51.53, 0.871 51.53)"}  # fmt: skip
    dose = {"officer": "+SSO", "date": DAY, "urn": "-900001", "stop": 1, "school": "=1+1",
            "hotspot": "=H1", "arrive": "15:30", "minutes": 15.0}  # fmt: skip
    url = f"sqlite:///{tmp_path / 'l.sqlite'}"
    with pp.Ledger(url, "Eastmere", demo_area.projection) as ledger:
        ledger.hand_out(PromisedWeek((DAY,), (dose,), (spot,)))
        ledger.record([Visit("+SSO", DAY, "-900001", "=H1", "@High Street", 0.87, 51.53, 9.5, 2,
                             "csv")])  # fmt: skip
        folder = write_return(ledger, "2026-12", tmp_path / "return")
    cells = []
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as stream:
            cells += [cell for row in csv.reader(stream) for cell in row]
    assert {"'=H1", "'@High Street", "'+SSO", "'-900001", "'=1+1"} <= set(cells)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    text = (folder / "by-officer.csv").read_text(encoding="utf-8-sig").splitlines()
    assert text[0].split(",") == ["officer", *FIGURE_COLUMNS, "delivered_percent"]
    assert text[1:] == ["'+SSO,1,1,0,0,15.0,9.5,9.5,15.0,9.5,2,63.3"]


OFFICERS = ('=HYPERLINK("http://x")', "@SUM", "+1", "\tTAB", "\rCR", "-2", "../../up", "con")


def book_of(roll):
    """The workbook, read by another library."""
    return openpyxl.load_workbook(io.BytesIO(render_week_xlsx(roll)))


def test_csv_has_a_row_for_each_duty(roll):
    """Every duty is a row with officer, day, hours, school and card."""
    rows = list(csv.DictReader(io.StringIO(render_week_csv(roll).decode("utf-8-sig"))))
    assert [(r["officer"], r["date"], r["urn"], r["start"], r["set_out"]) for r in rows] == [
        (d.officer, str(d.date), d.urn, format_time(d.start_minutes), format_time(d.leave_minutes))
        for d in roll.week.duties
    ]
    assert len({row["card"] for row in rows}) == len(rows)
    assert [row["route"] for row in rows] == [f"route {d.variant + 1}" for d in roll.week.duties]


def test_workbook_shows_the_week_by_school_and_by_officer(roll):
    """Schools and officers stand against days, every duty is a row, days are dates."""
    book = book_of(roll)
    assert book.sheetnames == ["Schools", "Officers", "Patrols", "Not patrolled", "Demands"]
    schools = list(book["Schools"].values)
    assert [row[0] for row in schools[1:]] == [school.urn for school in roll.schools]
    for row, school in zip(schools[1:], roll.schools, strict=True):
        for cell, day in zip(row[3:], roll.week.days, strict=True):
            for duty in roll.school_duties(school.urn, day):
                assert f"{duty.officer} {format_time(duty.start_minutes)}" in cell
    patrols = list(book["Patrols"].values)
    assert [row[2].date() for row in patrols[1:]] == [duty.date for duty in roll.week.duties]
    gaps = list(book["Not patrolled"].values)
    assert [row[3] for row in gaps[1:]] == [gap.why for gap in roll.week.unmet]


def test_no_cell_is_a_formula_or_link(hostile):
    """With any names of officers and schools, the workbook has only text and dates."""
    roll = Roster(hostile)
    book = book_of(roll)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s", "d"}
    assert not any(cell.hyperlink for cell in cells)
    assert OFFICERS[0] in {cell.value for cell in cells}
    with ZipFile(io.BytesIO(render_week_xlsx(roll))) as parts:
        sheets = [name for name in parts.namelist() if "worksheets/sheet" in name]
        assert not any(b"<f>" in parts.read(name) for name in sheets)


def test_no_csv_cell_begins_like_a_formula(hostile):
    """In the CSV no cell begins with a sign that a spreadsheet runs, blanks before it or not."""
    rows = csv.reader(io.StringIO(render_week_csv(Roster(hostile)).decode("utf-8-sig"), newline=""))
    cells = [cell for row in rows for cell in row]
    assert f"'{OFFICERS[0]}" in cells
    for cell in cells:
        assert cell.lstrip()[:1] not in {"=", "+", "-", "@"}
        assert cell[:1] not in {"\t", "\r", "\n"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\tx", "\r=1", "\uff1d1"])
def test_risky_cells_become_text(cell):
    """A cell that a spreadsheet would run is written as text."""
    assert escape_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["SSO-01", "15:10", "St Zoé's", "", "a=1"])
def test_plain_cells_are_left_alone(cell):
    """A cell that nothing would run is written as it is."""
    assert escape_cell(cell) == cell


def test_equal_weeks_give_equal_tables(roll):
    """Writing again changes no byte, and the workbook holds no moment of its own."""
    assert render_week_xlsx(roll) == render_week_xlsx(roll)
    assert book_of(roll).properties.created == dt.datetime(2000, 1, 1)  # noqa: DTZ001 - as stored
