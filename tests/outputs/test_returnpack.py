"""The return as tables that open anywhere and run nothing."""

import csv
import datetime as dt

import patrolplan as pp
from patrolplan.outputs.week.spreadsheet import write_return
from patrolplan.team.ledger.monthly_return import FIGURES
from patrolplan.team.ledger.promised import HandOut, Visit

DAY = dt.date(2026, 12, 1)


def test_no_cell_of_the_return_runs_as_a_formula(tmp_path, demo_area):
    """Names from files are text in every table, and a row sums what was promised and given."""
    spot = {"hotspot": "=H1", "place": "@High Street", "longitude": 0.87, "latitude": 51.53,
            "stretch": "LINESTRING (0.87 51.53, 0.871 51.53)"}  # fmt: skip
    dose = {"officer": "+SSO", "date": DAY, "urn": "-900001", "stop": 1, "school": "=1+1",
            "hotspot": "=H1", "arrive": "15:30", "minutes": 15.0}  # fmt: skip
    url = f"sqlite:///{tmp_path / 'l.sqlite'}"
    with pp.Ledger(url, "Eastmere", demo_area.projection) as ledger:
        ledger.hand_out(HandOut((DAY,), (dose,), (spot,)))
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
    assert text[0].split(",") == ["officer", *FIGURES, "delivered_percent"]
    assert text[1:] == ["'+SSO,1,1,0,15.0,9.5,2,63.3"]
