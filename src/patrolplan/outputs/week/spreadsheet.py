"""A week and a month's return for spreadsheets, without cells that could run as a formula."""

import csv
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from patrolplan.outputs import wording
from patrolplan.outputs.facts import list_stop_facts
from patrolplan.outputs.output_folder import replace_folder
from patrolplan.outputs.week.roster import DEMANDS, Roster
from patrolplan.settings.patrol import AFTER_SCHOOL
from patrolplan.team.ledger import monthly_return
from patrolplan.team.week import format_day
from patrolplan.times import format_time

if TYPE_CHECKING:
    from patrolplan.team.ledger.ledger import Ledger


def render_week_tables(roster: Roster) -> dict[str, bytes]:
    """CSV files of patrols, what is not met and demands where there are any."""
    further = {"unmet.csv": _list_unmet(roster), "demands.csv": _list_demands(roster)}
    some = {name: _format_csv(table) for name, table in further.items() if len(table)}
    return {"week.csv": _format_csv(_list_duties(roster))} | some


def escape_cell(text: str) -> str:
    r"""The text of a cell, escaped so that no spreadsheet runs it as a formula.

    >>> escape_cell("=1+1"), escape_cell("Market Place"), escape_cell("\tx")
    ("'=1+1", 'Market Place', "'\tx")
    """
    wide = unicodedata.normalize("NFKC", text)  # some treat full-width characters as plain ones
    risky = wide.lstrip()[:1] in {"=", "+", "-", "@"} or text[:1] in {"\t", "\r", "\n"}
    return f"'{text}" if risky else text


def _format_csv(table: pd.DataFrame) -> bytes:
    """A table as CSV: UTF-8 with a byte order mark, which spreadsheets need."""
    texts = table.astype(object).where(table.notna(), "")
    texts = texts.map(lambda value: escape_cell(str(value)))
    content = texts.to_csv(index=False, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    return content.encode("utf-8-sig")


def _list_unmet(roster: Roster) -> pd.DataFrame:
    """A row for all that is not met, and why."""
    rows = [
        (
            *(row.kind, row.what, "any" if row.date is None else format_day(row.date)),
            *(row.urn or "", row.why, row.fix),
        )
        for row in roster.week.unmet
        if row.kind != "closed"
    ]
    return pd.DataFrame(rows, columns=["kind", "what", "day", "urn", "why", "what_to_do"])


def _list_demands(roster: Roster) -> pd.DataFrame:
    """A row per demand: what meets it, or why nothing does."""
    return pd.DataFrame(
        {
            "kind": DEMANDS[demand.kind].short,
            "sign": demand.place,
            "place": roster.place_words.get(demand.place, ""),
            "day": "any" if demand.date is None else format_day(demand.date),
            "visits": demand.visits,
            "met_by": "; ".join(
                f"{visit.date:%a} {visit.arrive} {roster.name_officer(visit.officer)}"
                for visit in demand.met_by
            ),
            "why_not": "" if demand.why is None else demand.why.tell_lead(),
        }
        for demand in roster.week.demands
    )


def _list_duties(roster: Roster) -> pd.DataFrame:
    """A row per duty; window and crew only where patrols differ in them."""
    week, crs = roster.week, roster.week.plan.area.projection.crs
    rows = [
        {
            "officer": roster.name_officer(duty.officer),
            "day": format_day(duty.date),
            "date": duty.date,  # no text, so that a spreadsheet can sort by it
            "set_out": format_time(duty.leave_minutes),
            "start": format_time(duty.start_minutes),
            "end": format_time(duty.end_minutes),
            "urn": duty.urn,
            "school": duty.patrol.school,
            "route": wording.format_route_name(duty.variant),
            "stops": "; ".join(f"{stop.arrive} {stop.place}" for stop in stops),
            "card": roster.card_path(duty),
            "window": duty.window,
            "crew": roster.describe_others(duty.officer, duty),
        }
        for duty in week.duties
        for stops in [list_stop_facts(duty.patrol, crs)]
    ]
    has_windows = any(duty.window != AFTER_SCHOOL for duty in week.duties)
    left_out = [] if has_windows else ["window"]
    left_out += [] if any(duty.crew for duty in week.duties) else ["crew"]
    return pd.DataFrame(rows, columns=DUTY_COLUMNS).drop(columns=left_out)


DUTY_COLUMNS = [
    *("officer", "day", "date", "set_out", "start", "end"),
    *("urn", "school", "route", "stops", "card", "window", "crew"),
]

TABLES = {
    "return": ["urn", "school", "hotspot", "place"],
    "by-hotspot": ["hotspot", "place"],
    "by-school": ["urn", "school"],
    "by-officer": ["officer"],
    "by-week": ["week"],
}  # Tables of a month's return, and the columns that identify a row

STAFF_ROW = "school staff"  # Label for all school staff together in a return


def build_return_tables(
    ledger: "Ledger",
    month: str,
    *,
    staff: Collection[str] = (),
    polygons: gpd.GeoDataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Doses promised and delivered in a month (YYYY-MM), for each of `TABLES` and some others.

    Names of `staff` are not shown: they are counted together.
    """
    first, last = monthly_return.month_days(month)
    table = monthly_return.compare_doses(ledger, first, last, polygons=polygons)
    table["officer"] = table["officer"].where(~table["officer"].isin(list(staff)), STAFF_ROW)
    keys = TABLES if polygons is None else TABLES | {"by-polygon": ["polygon"]}
    tables = {name: monthly_return.summarise_doses(table, by) for name, by in keys.items()}
    tables["by-reason"] = monthly_return.list_shortfalls(ledger, first, last)
    designated = monthly_return.summarise_designated(ledger, first, last, tables["by-hotspot"])
    return tables if designated.empty else tables | {"by-designated": designated}


def write_return(tables: Mapping[str, pd.DataFrame], area: str, month: str, out: Path) -> None:
    """Write a month's return completely or not at all; equal doses give equal bytes."""
    with replace_folder(out, {"schema": 1, "area": area, "month": month}) as folder:
        for name, table in tables.items():
            file = f"return-{month}.csv" if name == "return" else f"{name}.csv"
            (folder / file).write_bytes(_format_csv(table))
