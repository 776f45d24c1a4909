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
    build_return_tables,
    escape_cell,
    render_week_csv,
    render_week_xlsx,
    write_return,
)
from patrolplan.team.ledger.monthly_return import FIGURE_COLUMNS
from patrolplan.team.ledger.promised import PromisedWeek
from patrolplan.team.ledger.visits import Visit

DAY = dt.date(2026, 12, 1)


def test_no_cell_of_the_return_runs_as_a_formula(tmp_path, demo_area):
    """Names from files are text in every table, and a row sums what was promised and given."""
    spot = {"id": "P1", "sees": "", "hotspot": "=H1", "place": "@High Street",
            "longitude": 0.87, "latitude": 51.53,
            "shape": "POINT (0.87 51.53)"}  # fmt: skip
    dose = {"officer": "+SSO", "date": DAY, "urn": "-900001", "stop": 1, "school": "=1+1",
            "id": "P1", "arrive": "15:30", "minutes": 15.0}  # fmt: skip
    url = f"sqlite:///{tmp_path / 'l.sqlite'}"
    with pp.Ledger(url, "Eastmere", demo_area.projection) as ledger:
        ledger.hand_out(PromisedWeek((DAY,), (dose,), (spot,)))
        ledger.record([Visit("+SSO", DAY, "-900001", "P1", "=H1", "@High Street", 0.87, 51.53,
                             9.5, 2, "csv")])  # fmt: skip
        folder = tmp_path / "return"
        write_return(build_return_tables(ledger, "2026-12"), "Eastmere", "2026-12", folder)
    cells = []
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as stream:
            cells += [cell for row in csv.reader(stream) for cell in row]
    assert {"'=H1", "'@High Street", "'+SSO", "'-900001", "'=1+1"} <= set(cells)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    text = (folder / "by-officer.csv").read_text(encoding="utf-8-sig").splitlines()
    heading, row = csv.reader(text)
    assert heading == ["officer", *FIGURE_COLUMNS, "delivered_percent"]
    assert ",".join(row) == "'+SSO,1,1,0,0,15.0,9.5,9.5,15.0,9.5,2,63.3"


FORMULA = '=HYPERLINK("http://x")'


def book_of(roll):
    """The workbook, read by another library."""
    return openpyxl.load_workbook(io.BytesIO(render_week_xlsx(roll)))


def test_no_cell_is_a_formula_or_link(hostile):
    """With any names of officers and schools, the workbook has only text and dates."""
    roll = Roster(hostile)
    book = book_of(roll)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s", "d"}
    assert not any(cell.hyperlink for cell in cells)
    assert FORMULA in {cell.value for cell in cells}
    with ZipFile(io.BytesIO(render_week_xlsx(roll))) as parts:
        sheets = [name for name in parts.namelist() if "worksheets/sheet" in name]
        assert not any(b"<f>" in parts.read(name) for name in sheets)


def test_no_csv_cell_begins_like_a_formula(hostile):
    """In the CSV no cell begins with a sign that a spreadsheet runs, blanks before it or not."""
    rows = csv.reader(io.StringIO(render_week_csv(Roster(hostile)).decode("utf-8-sig"), newline=""))
    cells = [cell for row in rows for cell in row]
    assert f"'{FORMULA}" in cells
    for cell in cells:
        assert cell.lstrip()[:1] not in {"=", "+", "-", "@"}
        assert cell[:1] not in {"\t", "\r", "\n"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\tx", "\r=1", "\uff1d1"])
def test_risky_cells_become_text(cell):
    """A cell that a spreadsheet would run is written as text."""
    assert escape_cell(cell) == f"'{cell}"
