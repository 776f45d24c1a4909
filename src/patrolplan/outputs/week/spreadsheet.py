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
from patrolplan.settings.patrol import AFTER_SCHOOL
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

COLUMNS = {
    "officer": 16,
    "day": 24,
    "date": 12,
    "set_out": 9,
    "start": 9,
    "end": 9,
    "urn": 10,
    "school": 36,
    "route": 9,
    "stops": 90,
    "card": 40,
}
"""Columns of the patrols, and their widths in letters."""
FURTHER_COLUMNS = {"window": 16, "crew": 24}
"""Columns that only some weeks need, and their widths."""
DATE_COLUMN = [*COLUMNS].index("date")
FIXED_CREATION_TIME = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed moment, so that equal weeks give equal bytes
LONGEST_CELL = 32_000
"""Maximum letters of a cell; spreadsheets allow 32,767."""


def render_week_csv(roster: Roster) -> bytes:
    """One row per duty, as CSV; UTF-8 with a byte order mark, which spreadsheets need."""
    stream = io.StringIO(newline="")
    table = csv.writer(stream, quoting=csv.QUOTE_ALL)
    table.writerow(_list_columns(roster))
    for duty in roster.week.duties:
        table.writerow(map(escape_cell, _build_duty_row(roster, duty)))
    return stream.getvalue().encode("utf-8-sig")


def render_week_xlsx(roster: Roster) -> bytes:
    """The week as a workbook of text: schools and officers by day, duties, gaps with reasons."""
    week, stream = roster.week, io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    days, columns = [format_day(day) for day in week.days], _list_columns(roster)
    across = [24] * len(days)
    names = {school.urn: school.name for school in roster.schools}
    gaps = [[format_day(row.date), row.urn, names.get(row.urn, ""), row.why] for row in week.unmet]
    duties = [_build_duty_row(roster, duty) for duty in week.duties]
    demands = [_build_demand_row(roster, demand) for demand in week.demands]
    tables = {  # columns, their widths, and rows
        "Schools": (["URN", "School", "Bell", *days], (10, 36, 12, *across), _list_schools(roster)),
        "Officers": (["Officer", *days, "Patrols"], (20, *across, 9), _list_officers(roster)),
        "Patrols": ([*columns], [*columns.values()], duties),
        "Not patrolled": (["Day", "URN", "School", "Why"], (24, 10, 36, 90), gaps),
    }
    if demands:
        tables["Demands"] = (DEMAND_COLUMNS, (22, 10, 44, 24, 9, 60, 90), demands)
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"title": "Week of patrols", "created": FIXED_CREATION_TIME})
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        cell = book.add_format({"text_wrap": True, "valign": "top"})
        dated = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"})
        for name, (heads, widths, rows) in tables.items():
            sheet = book.add_worksheet(name)
            _fill_sheet(sheet, heads, rows, (head, cell))
            _set_page(sheet, widths)
        sheet = book.get_worksheet_by_name("Patrols")
        for number, duty in enumerate(week.duties, start=1):
            # A date instead of text, so that a spreadsheet can sort and filter by it.
            date = dt.datetime.combine(duty.date, dt.time())
            sheet.write_datetime(number, DATE_COLUMN, date, dated)
        if duties:
            sheet.autofilter(0, 0, len(duties), len(columns) - 1)
    return stream.getvalue()


def escape_cell(text: str) -> str:
    r"""The text of a cell, escaped so that no spreadsheet runs it as a formula.

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
    def describe_day(urn: str, day: dt.date) -> str:
        lines = [
            f"{roster.name_officer(duty.officer)} {format_duty_times(duty)}"
            for duty in roster.select_duties(urn=urn, date=day)
        ]
        return "\n".join(lines or ["closed"] * ((urn, day) in roster.closed_days))

    return [
        [one.urn, one.name, one.bell, *(describe_day(one.urn, day) for day in roster.week.days)]
        for one in roster.schools
    ]


def _list_officers(roster: Roster) -> list[list[str]]:
    def describe_day(officer: str, day: dt.date) -> str:
        duties = roster.select_duties(officer, day)
        return "\n".join(f"{format_duty_times(duty)} {duty.patrol.school}" for duty in duties)

    return [
        [
            roster.name_officer(one.name),
            *(describe_day(one.name, day) for day in roster.week.days),
            str(len(roster.select_duties(one.name))),
        ]
        for one in roster.officers
    ]


DEMAND_COLUMNS = ["Kind", "Sign", "Place", "Day", "Visits", "Met by", "Why not"]


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


def _list_columns(roster: Roster) -> dict[str, int]:
    """The columns, including those of `FURTHER_COLUMNS` in which patrols differ, and widths."""
    duties = roster.week.duties
    shown = {
        "window": any(duty.window != AFTER_SCHOOL for duty in duties),
        "crew": any(duty.crew for duty in duties),
    }
    return COLUMNS | {name: width for name, width in FURTHER_COLUMNS.items() if shown[name]}


def _build_duty_row(roster: Roster, duty: Duty) -> list[str]:
    cells = {
        "officer": roster.name_officer(duty.officer),
        "day": format_day(duty.date),
        "date": f"{duty.date}",
        "set_out": format_time(duty.leave_minutes),
        "start": format_time(duty.start_minutes),
        "end": format_time(duty.end_minutes),
        "urn": duty.urn,
        "school": duty.patrol.school,
        "route": format_route_name(duty.variant),
        "stops": "; ".join(
            f"{stop.arrive} {stop.place}"
            for stop in list_stop_facts(duty.patrol, roster.week.plan.area.projection.crs)
        ),
        "card": roster.card_path(duty),
        "window": duty.window,
        "crew": roster.describe_others(duty.officer, duty),
    }
    return [cells[name] for name in _list_columns(roster)]


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
            texts = table.astype(object).where(table.notna(), "")
            texts = texts.map(lambda value: escape_cell(str(value)))
            texts.to_csv(folder / file, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    return out
