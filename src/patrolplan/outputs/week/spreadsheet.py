"""Tables for spreadsheets, without cells that could run as a formula.

A week as CSV and workbook, and a month's return (doses promised and delivered) as a folder of CSV.
"""

import csv
import datetime as dt
import io
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.output_folder import replace_folder
from patrolplan.outputs.week.roster import DEMANDS, Roster, format_duty_times
from patrolplan.outputs.wording import format_route_name
from patrolplan.team.ledger.monthly_return import (
    compare_doses,
    list_shortfalls,
    month_days,
    summarise_designated,
    summarise_doses,
)
from patrolplan.team.week import Duty, format_day
from patrolplan.team.week_records import DemandOutcome
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.team.ledger.ledger import Ledger

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
FURTHER_COLUMNS = {"window": 16, "crew": 24}
"""Columns that only some weeks need, and their widths."""
DATE_COLUMN = COLUMNS.index("date")
FIXED_CREATION_TIME = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed moment, so that equal weeks give equal bytes
LONGEST_CELL = 32_000
"""Maximum letters of a cell; spreadsheets allow 32,767."""
WIDTHS = (16, 24, 12, 9, 9, 9, 10, 36, 9, 90, 40)
"""Widths of the columns in letters."""


def render_week_csv(roster: Roster) -> bytes:
    """One row per duty, as CSV; UTF-8 with a byte order mark, which spreadsheets need."""
    stream = io.StringIO(newline="")
    table = csv.writer(stream, quoting=csv.QUOTE_ALL)
    table.writerow(_list_columns(roster))
    table.writerows(
        [escape_cell(cell) for cell in _build_duty_row(roster, duty)] for duty in roster.week.duties
    )
    return stream.getvalue().encode("utf-8-sig")


def render_week_xlsx(roster: Roster) -> bytes:
    """The week as a workbook: schools by day, officers by day, every duty, and gaps with reasons.

    Cells are written as text, never interpreted; equal weeks give equal bytes.
    """
    week, stream = roster.week, io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    days = [format_day(day) for day in week.days]
    across = [24] * len(days)
    duties = [_build_duty_row(roster, duty) for duty in week.duties]
    gaps = [
        [format_day(gap.date), gap.urn, roster.school_names.get(gap.urn, ""), gap.why]
        for gap in week.unmet
    ]
    demands = [_build_demand_row(roster, demand) for demand in week.demands]
    further = [FURTHER_COLUMNS[name] for name in _list_further_columns(roster)]
    tables = {  # columns, their widths, and rows
        "Schools": (["URN", "School", "Bell", *days], (10, 36, 12, *across), _list_schools(roster)),
        "Officers": (["Officer", *days, "Patrols"], (20, *across, 9), _list_officers(roster)),
        "Patrols": (_list_columns(roster), (*WIDTHS, *further), duties),
        "Not patrolled": (["Day", "URN", "School", "Why"], (24, 10, 36, 90), gaps),
    }
    if demands:
        tables["Demands"] = (DEMAND_COLUMNS, (22, 10, 44, 24, 9, 60, 90), demands)
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"title": "Week of patrols", "created": FIXED_CREATION_TIME})
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        cell = book.add_format({"text_wrap": True, "valign": "top"})
        dated = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"})
        for name, (columns, widths, rows) in tables.items():
            sheet = book.add_worksheet(name)
            _fill_sheet(sheet, columns, rows, (head, cell))
            _set_page(sheet, widths)
        sheet = book.get_worksheet_by_name("Patrols")
        for number, duty in enumerate(week.duties, start=1):
            # A date instead of text, so that a spreadsheet can sort and filter by it.
            date = dt.datetime.combine(duty.date, dt.time())
            sheet.write_datetime(number, DATE_COLUMN, date, dated)
        if duties:
            sheet.autofilter(0, 0, len(duties), len(_list_columns(roster)) - 1)
    return stream.getvalue()


def escape_cell(text: str) -> str:
    r"""The text of a cell, escaped so that no spreadsheet runs it as a formula.

    Examples
    --------
    >>> escape_cell("=1+1"), escape_cell("Market Place"), escape_cell("\tx")
    ("'=1+1", 'Market Place', "'\tx")
    """
    wide = unicodedata.normalize("NFKC", text)  # some treat full-width characters as plain ones
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
    """Freeze the head on the screen, and fit the sheet to the width of the page."""
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _list_schools(roster: Roster) -> list[list[str]]:
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
    return "\n".join(
        f"{roster.name_officer(duty.officer)} {format_duty_times(duty)}" for duty in duties
    )


def _list_officers(roster: Roster) -> list[list[str]]:
    rows = []
    for officer in roster.officers:
        days = [roster.officer_duties(officer.name, day) for day in roster.week.days]
        cells = [
            "\n".join(f"{format_duty_times(duty)} {duty.patrol.school}" for duty in duties)
            for duties in days
        ]
        rows.append([roster.name_officer(officer.name), *cells, str(sum(map(len, days)))])
    return rows


DEMAND_COLUMNS = ("Kind", "Sign", "Place", "Day", "Visits", "Met by", "Why not")


def _build_demand_row(roster: Roster, demand: DemandOutcome) -> list[str]:
    met_by = (
        f"{visit.date:%a} {visit.arrive} {roster.name_officer(visit.officer)}"
        for visit in demand.met_by
    )
    return [
        DEMANDS[demand.kind].short,
        demand.place,
        roster.find_place_words(demand.place),
        "any" if demand.date is None else format_day(demand.date),
        str(demand.visits),
        "; ".join(met_by),
        "" if demand.why is None else demand.why.tell_lead(),
    ]


def _list_columns(roster: Roster) -> tuple[str, ...]:
    """The columns, including those of `FURTHER_COLUMNS` in which patrols differ."""
    return (*COLUMNS, *_list_further_columns(roster))


def _list_further_columns(roster: Roster) -> list[str]:
    week = roster.week
    has_crews = any(duty.crew for duty in week.duties)
    shown = {"window": roster.has_windows, "crew": has_crews}
    return [name for name in FURTHER_COLUMNS if shown[name]]


def _build_duty_row(roster: Roster, duty: Duty) -> list[str]:
    further = {"window": duty.patrol.window, "crew": roster.describe_others(duty.officer, duty)}
    return [
        roster.name_officer(duty.officer),
        format_day(duty.date),
        f"{duty.date}",
        format_time(duty.leave_minutes),
        format_time(duty.start_minutes),
        format_time(duty.end_minutes),
        duty.urn,
        duty.patrol.school,
        format_route_name(duty.variant),
        "; ".join(
            f"{stop.arrive} {stop.place}"
            for stop in list_stop_facts(duty.patrol, roster.week.plan.area.projection.crs)
        ),
        roster.card_path(duty),
        *(further[name] for name in _list_further_columns(roster)),
    ]


TABLES = {
    "return": ["urn", "school", "hotspot", "place"],
    "by-hotspot": ["hotspot", "place"],
    "by-school": ["urn", "school"],
    "by-officer": ["officer"],
    "by-week": ["week"],
}
"""Tables of a month's return, and the columns that identify a row."""


STAFF_ROW = "school staff"
"""Label for all school staff together in a return."""


def build_return_tables(
    ledger: "Ledger",
    month: str,
    *,
    staff: Collection[str] = (),
    polygons: gpd.GeoDataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Doses promised and delivered in a month (YYYY-MM), for each of `TABLES`.

    Also "by-reason", why promised doses were not delivered; and if the force designates hotspots,
    "by-designated", one row for each, including those without a visit. `staff` are names in the
    officers table that are not shown: they are counted together. `polygons`, such as wards, add
    "by-polygon", see `compare_doses`.
    """
    first, last = month_days(month)
    table = compare_doses(ledger, first, last, polygons=polygons)
    table["officer"] = table["officer"].where(~table["officer"].isin(list(staff)), STAFF_ROW)
    tables = {name: summarise_doses(table, by) for name, by in TABLES.items()}
    if polygons is not None:
        tables["by-polygon"] = summarise_doses(table, ["polygon"])
    tables["by-reason"] = list_shortfalls(ledger, first, last)
    designated = summarise_designated(ledger, first, last, tables["by-hotspot"])
    return tables if designated.empty else tables | {"by-designated": designated}


def write_return(
    ledger: "Ledger",
    month: str,
    out: str | Path,
    *,
    staff: Collection[str] = (),
    polygons: gpd.GeoDataFrame | None = None,
) -> Path:
    """Write a month's return completely or not at all; equal doses give equal bytes.

    `staff` are names of school staff in the officers table: they are counted together, not shown.
    `polygons` are wards, beats or others to sum by, see `compare_doses`.
    """
    tables = build_return_tables(ledger, month, staff=staff, polygons=polygons)
    out = Path(out)
    details = {"schema": 1, "area": ledger.area, "month": month}
    with replace_folder(out, details) as folder:
        for name, table in tables.items():
            file = f"return-{month}.csv" if name == "return" else f"{name}.csv"
            texts = table.astype(object).where(table.notna(), "").map(_format_cell)
            texts.to_csv(folder / file, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    return out


def _format_cell(value: object) -> str:
    return escape_cell(str(value))
