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

from patrolplan.outputs.output_folder import replace_folder
from patrolplan.outputs.week.roster import Roster, format_duty_times
from patrolplan.outputs.wording import format_route_name
from patrolplan.patrols.plan import format_time
from patrolplan.team.ledger.ledger import Ledger
from patrolplan.team.ledger.monthly_return import compare_doses, month_days, summarise_doses
from patrolplan.team.week import Duty, format_day

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
DATE_COLUMN = COLUMNS.index("date")
FIXED_CREATION_TIME = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed moment, so that equal weeks give equal bytes
LONGEST_CELL = 32_000
"""Letters; a spreadsheet holds 32,767 in a cell."""
WIDTHS = (16, 24, 12, 9, 9, 9, 10, 36, 9, 90, 40)
"""Letters across of the columns."""


def render_week_csv(roster: Roster) -> bytes:
    """One row a duty, as a table that spreadsheets open; UTF-8 with a mark that says so."""
    stream = io.StringIO(newline="")
    table = csv.writer(stream, quoting=csv.QUOTE_ALL)
    table.writerow(_list_columns(roster))
    table.writerows(
        [escape_cell(cell) for cell in _build_duty_row(roster, duty)] for duty in roster.week.duties
    )
    return stream.getvalue().encode("utf-8-sig")


def render_week_xlsx(roster: Roster) -> bytes:
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
        book.set_properties({"title": "Week of patrols", "created": FIXED_CREATION_TIME})
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        cell = book.add_format({"text_wrap": True, "valign": "top"})
        days = [format_day(day) for day in roster.week.days]
        across = [24] * len(days)
        sheet = book.add_worksheet("Schools")
        _fill_sheet(
            sheet, ("URN", "School", "Bell", *days), _build_school_rows(roster), (head, cell)
        )
        _set_page(sheet, (10, 36, 12, *across))
        sheet = book.add_worksheet("Officers")
        _fill_sheet(sheet, ("Officer", *days, "Patrols"), _build_officer_rows(roster), (head, cell))
        _set_page(sheet, (20, *across, 9))
        sheet = book.add_worksheet("Patrols")
        rows = [_build_duty_row(roster, duty) for duty in roster.week.duties]
        _fill_sheet(sheet, _list_columns(roster), rows, (head, cell))
        _set_page(sheet, (*WIDTHS, 12) if roster.week.has_mixed_modes else WIDTHS)
        dated = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"})
        for number, duty in enumerate(roster.week.duties, start=1):
            sheet.write_datetime(
                number, DATE_COLUMN, dt.datetime.combine(duty.date, dt.time()), dated
            )  # a date, so that a spreadsheet can sort and filter by it
        if rows:
            sheet.autofilter(0, 0, len(rows), len(_list_columns(roster)) - 1)
        sheet = book.add_worksheet("Not patrolled")
        gaps = [
            [format_day(gap.date), gap.urn, roster.school_names.get(gap.urn, ""), gap.why]
            for gap in roster.week.unmet
        ]
        _fill_sheet(sheet, ("Day", "URN", "School", "Why"), gaps, (head, cell))
        _set_page(sheet, (24, 10, 36, 90))
    return stream.getvalue()


def escape_cell(text: str) -> str:
    r"""A cell that no spreadsheet runs as a formula.

    Examples
    --------
    >>> escape_cell("=1+1"), escape_cell("Market Place"), escape_cell("\tx")
    ("'=1+1", 'Market Place', "'\tx")
    """
    wide = unicodedata.normalize("NFKC", text)  # some spreadsheets read full-width signs alike
    risky = wide.lstrip()[:1] in {"=", "+", "-", "@"} or text[:1] in {"\t", "\r", "\n"}
    return f"'{text}" if risky else text


def _fill_sheet(
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


def _set_page(sheet: Worksheet, widths: Sequence[int]) -> None:
    """On the screen the head stays in sight; on paper the sheet is as wide as the page."""
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _build_school_rows(roster: Roster) -> list[list[str]]:
    return [
        [
            school.urn,
            school.name,
            school.bell,
            *(_describe_school_day(roster, school.urn, day) for day in roster.week.days),
        ]
        for school in roster.schools
    ]


def _describe_school_day(roster: Roster, urn: str, day: dt.date) -> str:
    duties = roster.school_duties(urn, day)
    if not duties:
        return "closed" if (urn, day) in roster.closed_days else ""
    return "\n".join(f"{duty.officer} {format_duty_times(duty)}" for duty in duties)


def _build_officer_rows(roster: Roster) -> list[list[str]]:
    rows = []
    for officer in roster.officers:
        days = [roster.officer_duties(officer.name, day) for day in roster.week.days]
        said = [
            "\n".join(f"{format_duty_times(duty)} {duty.patrol.school}" for duty in day)
            for day in days
        ]
        rows.append([officer.name, *said, str(sum(map(len, days)))])
    return rows


def _list_columns(roster: Roster) -> tuple[str, ...]:
    """The columns; how each patrol goes is told where not all go the way of the settings."""
    return (*COLUMNS, "way") if roster.week.has_mixed_modes else COLUMNS


def _build_duty_row(roster: Roster, duty: Duty) -> list[str]:
    return [
        duty.officer,
        format_day(duty.date),
        f"{duty.date}",
        format_time(duty.leave_minutes),
        format_time(duty.start_minutes),
        format_time(duty.end_minutes),
        duty.urn,
        duty.patrol.school,
        format_route_name(duty.variant),
        "; ".join(f"{format_time(stop.arrive_minutes)} {stop.place}" for stop in duty.patrol.stops),
        roster.card_path(duty),
        *([duty.patrol.way] if roster.week.has_mixed_modes else []),
    ]


TABLES = {
    "return": ["urn", "school", "hotspot", "place"],
    "by-hotspot": ["hotspot", "place"],
    "by-school": ["urn", "school"],
    "by-officer": ["officer"],
    "by-week": ["week"],
}
"""Each table and what its rows are."""


def build_return_tables(ledger: Ledger, month: str) -> dict[str, pd.DataFrame]:
    """Plan against delivered of a month (YYYY-MM), by each of `TABLES`."""
    table = compare_doses(ledger, *month_days(month))
    return {name: summarise_doses(table, by) for name, by in TABLES.items()}


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
    tables = build_return_tables(ledger, month)
    out = Path(out)
    about = {"schema": 1, "area": ledger.area, "month": month}
    with replace_folder(out, about) as folder:
        for name, table in tables.items():
            file = f"return-{month}.csv" if name == "return" else f"{name}.csv"
            with (folder / file).open("w", encoding="utf-8-sig", newline="") as stream:
                sheet = csv.writer(stream)
                sheet.writerow(table.columns)
                sheet.writerows(_format_cells(table))
    return out


def _format_cells(table: pd.DataFrame) -> list[list[str]]:
    """Every cell as text, nothing for what is not known."""
    filled = table.astype(object).where(table.notna(), "")
    return [[escape_cell(str(value)) for value in row] for row in filled.to_numpy().tolist()]
