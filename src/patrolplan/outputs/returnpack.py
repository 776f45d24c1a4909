"""A month's return as a folder of tables: plan against delivered, safe to open anywhere."""

import csv
from pathlib import Path

import pandas as pd

from patrolplan.outputs.files import whole_folder
from patrolplan.outputs.week.table import plain_cell
from patrolplan.team.ledger.returns import against
from patrolplan.team.ledger.returns import compared
from patrolplan.team.ledger.returns import month_days
from patrolplan.team.ledger.store import Ledger

TABLES = {
    "return": ["urn", "school", "hotspot", "place"],
    "by-hotspot": ["hotspot", "place"],
    "by-school": ["urn", "school"],
    "by-officer": ["officer"],
    "by-week": ["week"],
}
"""Each table and what its rows are."""


def return_tables(ledger: Ledger, month: str) -> dict[str, pd.DataFrame]:
    """Plan against delivered of a month (YYYY-MM), by each of `TABLES`."""
    table = compared(ledger, *month_days(month))
    return {name: against(table, by) for name, by in TABLES.items()}


def write_return(ledger: Ledger, month: str, out: str | Path) -> Path:
    """Write a month's return whole or not at all; equal doses give equal bytes.

    Parameters
    ----------
    ledger
        What was promised and delivered.
    month
        YYYY-MM.
    out
        Folder: `return-MONTH.csv`, a row a school and hotspot, and `by-hotspot.csv`,
        `by-school.csv`, `by-officer.csv`, `by-week.csv`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds files that are not in its manifest.
    LedgerError
        When the ledger cannot be read.
    """
    tables = return_tables(ledger, month)
    out = Path(out)
    about = {"schema": 1, "area": ledger.area, "month": month}
    with whole_folder(out, about) as folder:
        for name, table in tables.items():
            file = f"return-{month}.csv" if name == "return" else f"{name}.csv"
            with (folder / file).open("w", encoding="utf-8-sig", newline="") as stream:
                sheet = csv.writer(stream)
                sheet.writerow(table.columns)
                sheet.writerows(_cells(table))
    return out


def _cells(table: pd.DataFrame) -> list[list[str]]:
    """Every cell as text, nothing for what is not known."""
    filled = table.astype(object).where(table.notna(), "")
    return [[plain_cell(str(value)) for value in row] for row in filled.to_numpy().tolist()]
