"""The week as tables for a spreadsheet, in which no cell can run as a formula.

A month's return as a folder of tables: plan against delivered, safe to open anywhere.
"""

import csv
import datetime as dt
import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from patrolplan.outputs.output_folder import whole_folder
from patrolplan.outputs.week.roster import Roll, span
from patrolplan.outputs.wording import route_name
from patrolplan.patrols.plan import clock
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.monthly_return import against, compared, month_days
from patrolplan.team.week import Duty, day_name

COLUMNS = (
    "officer",
    "day",
    "date",
    "set_out",
    "start",
    "end",
    "urn",
    "school",
    "route",
    "stops",
    "card",
)
DATE = COLUMNS.index("date")
MADE = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed moment, so that equal weeks give equal bytes
LONGEST_CELL = 32_000
"""Letters; a spreadsheet holds 32,767 in a cell."""
WIDTHS = (16, 24, 12, 9, 9, 9, 10, 36, 9, 90, 40)
"""Letters across of the columns."""


def week_csv(roll: Roll) -> bytes:
    """One row a duty, as a table that spreadsheets open; UTF-8 with a mark that says so."""
    stream = io.StringIO(newline="")
    table = csv.writer(stream, quoting=csv.QUOTE_ALL)
    table.writerow(_columns(roll))
    table.writerows([plain_cell(cell) for cell in _row(roll, duty)] for duty in roll.week.duties)
    return stream.getvalue().encode("utf-8-sig")


def week_xlsx(roll: Roll) -> bytes:
    """The week as a workbook: schools by day, officers by day, every duty, and what is not met.

    Cells are written as text, never guessed from it; equal weeks give equal bytes.
    """
    stream = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"title": "Week of patrols", "created": MADE})
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        cell = book.add_format({"text_wrap": True, "valign": "top"})
        days = [day_name(day) for day in roll.week.days]
        across = [24] * len(days)
        sheet = book.add_worksheet("Schools")
        _fill(sheet, ("URN", "School", "Bell", *days), _schools(roll), (head, cell))
        _page(sheet, (10, 36, 12, *across))
        sheet = book.add_worksheet("Officers")
        _fill(sheet, ("Officer", *days, "Patrols"), _officers(roll), (head, cell))
        _page(sheet, (20, *across, 9))
        sheet = book.add_worksheet("Patrols")
        rows = [_row(roll, duty) for duty in roll.week.duties]
        _fill(sheet, _columns(roll), rows, (head, cell))
        _page(sheet, (*WIDTHS, 12) if roll.week.modes_differ else WIDTHS)
        dated = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"})
        for number, duty in enumerate(roll.week.duties, start=1):
            sheet.write_datetime(
                number, DATE, dt.datetime.combine(duty.date, dt.time()), dated
            )  # a date, so that a spreadsheet can sort and filter by it
        if rows:
            sheet.autofilter(0, 0, len(rows), len(_columns(roll)) - 1)
        sheet = book.add_worksheet("Not patrolled")
        gaps = [
            [day_name(gap.date), gap.urn, roll.names.get(gap.urn, ""), gap.why]
            for gap in roll.week.unmet
        ]
        _fill(sheet, ("Day", "URN", "School", "Why"), gaps, (head, cell))
        _page(sheet, (24, 10, 36, 90))
    return stream.getvalue()


def plain_cell(text: str) -> str:
    r"""A cell that no spreadsheet runs as a formula.

    Examples
    --------
    >>> plain_cell("=1+1"), plain_cell("Market Place"), plain_cell("\tx")
    ("'=1+1", 'Market Place', "'\tx")
    """
    wide = unicodedata.normalize("NFKC", text)  # some spreadsheets read full-width signs alike
    risky = wide.lstrip()[:1] in {"=", "+", "-", "@"} or text[:1] in {"\t", "\r", "\n"}
    return f"'{text}" if risky else text


def _fill(
    sheet: Worksheet,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    styles: tuple[Format, Format],
) -> None:
    for column, word in enumerate(head):
        sheet.write_string(0, column, word, styles[0])
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text[:LONGEST_CELL], styles[1])


def _page(sheet: Worksheet, widths: Sequence[int]) -> None:
    """On the screen the head stays in sight; on paper the sheet is as wide as the page."""
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _schools(roll: Roll) -> list[list[str]]:
    return [
        [
            school.urn,
            school.name,
            school.bell,
            *(_at_school(roll, school.urn, day) for day in roll.week.days),
        ]
        for school in roll.schools
    ]


def _at_school(roll: Roll, urn: str, day: dt.date) -> str:
    duties = roll.at_school(urn, day)
    if not duties:
        return "closed" if (urn, day) in roll.closed else ""
    return "\n".join(f"{duty.officer} {span(duty)}" for duty in duties)


def _officers(roll: Roll) -> list[list[str]]:
    rows = []
    for officer in roll.officers:
        days = [roll.of_officer(officer.name, day) for day in roll.week.days]
        said = ["\n".join(f"{span(duty)} {duty.patrol.school}" for duty in day) for day in days]
        rows.append([officer.name, *said, str(sum(map(len, days)))])
    return rows


def _columns(roll: Roll) -> tuple[str, ...]:
    """The columns; how each patrol goes is told where not all go the way of the settings."""
    return (*COLUMNS, "way") if roll.week.modes_differ else COLUMNS


def _row(roll: Roll, duty: Duty) -> list[str]:
    return [
        duty.officer,
        day_name(duty.date),
        f"{duty.date}",
        clock(duty.leave_minutes),
        clock(duty.start_minutes),
        clock(duty.end_minutes),
        duty.urn,
        duty.patrol.school,
        route_name(duty.variant),
        "; ".join(f"{clock(stop.arrive_minutes)} {stop.place}" for stop in duty.patrol.stops),
        roll.card(duty),
        *([duty.patrol.way] if roll.week.modes_differ else []),
    ]


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
