"""Officers' duties besides patrols: tables (.csv) and calendars (.ics) together."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.atomic import hash_content
from patrolplan.crs import Projection
from patrolplan.errors import Problems
from patrolplan.inputs.calendars import CalendarDuty, read_calendars
from patrolplan.inputs.declared import PLANNED_YEARS, parse_dates
from patrolplan.inputs.formats import Columns, Files
from patrolplan.inputs.small_tables import coarsen_visits, read_duties
from patrolplan.tables import LeftOut

SUFFIX = ".ics"
YEARS_BEFORE, YEARS_AFTER = 1, 5
"""Years before and after the newest crime within which duties may count."""


def find_duty_span(newest: pd.Timestamp | None) -> tuple[dt.date, dt.date]:
    """First and last day of duties that count, by the month of the newest crime."""
    if newest is None or pd.isna(newest):
        first, last = PLANNED_YEARS
        return dt.date(first, 1, 1), dt.date(last, 12, 31)
    month = dt.date(newest.year, newest.month, 1)
    return month.replace(year=month.year - YEARS_BEFORE), month.replace(
        year=month.year + YEARS_AFTER
    )


def read_all_duties(
    paths: Files,
    projection: Projection,
    *,
    columns: Columns = None,
    officers: Sequence[str] | None = None,
    span: tuple[dt.date, dt.date],
    left_out: LeftOut,
) -> gpd.GeoDataFrame:
    """Read officers' duties, see `small_tables.DUTIES`, from tables and calendars (`.ics`)."""
    # `officers` are the names of the officers table, None where it cannot be read.
    first, last = span
    problems = Problems()
    files = [path for path in paths if isinstance(path, Path)]
    calendars = [path for path in files if path.suffix.lower() == SUFFIX]
    tables = [path for path in paths if path not in calendars]
    with problems.collect():
        duties = read_duties(tables, projection, columns=columns, officers=officers)
    with problems.collect():
        events, reasons = read_calendars(calendars, officers or (), first=first, last=last)
        for reason, count in sorted(reasons.items()):
            left_out.add("duties", reason, count)
            left_out.count_rows("duties", count)
    problems.raise_if_any()
    left_out.count_rows("duties", len(duties) + len(events))
    dates = duties["date"].dt.date
    inside = (dates >= first) & (dates <= last) if len(duties) else dates.astype(bool)
    left_out.add("duties", f"dated outside {first} to {last}", int((~inside).sum()))
    found = pd.concat([duties[inside], _build_frame(events, projection)], ignore_index=True)
    return gpd.GeoDataFrame(found, geometry="geometry", crs=projection.crs)


def digest_duties(duties: gpd.GeoDataFrame) -> str:
    """SHA-256 of who is away when and why, without the place."""
    # That of a file would reveal the place of a home visit: the rest is on the lead's sheet, and
    # the points of a street can be tried one after another.
    known = duties[["officer", "date", "from_minutes", "to_minutes", "kind"]]
    return hash_content(known.to_json(orient="values", date_format="iso"))


def _build_frame(events: Sequence[CalendarDuty], projection: Projection) -> gpd.GeoDataFrame:
    """Duties of calendars as rows of the table."""
    types = dict.fromkeys(("officer", "date", "kind", "urn"), "str")
    types |= dict.fromkeys(("from_minutes", "to_minutes", "longitude", "latitude"), "float64")
    table = pd.DataFrame(events, columns=[one.name for one in fields(CalendarDuty)]).astype(types)
    longitude, latitude = (table.pop(name).to_numpy() for name in ("longitude", "latitude"))
    x, y = projection.to_metres(longitude, latitude)
    points = coarsen_visits(gpd.points_from_xy(x, y, crs=projection.crs), table["kind"])
    points[np.isnan(x)] = shapely.Point()
    return gpd.GeoDataFrame(table.assign(date=parse_dates(table["date"])), geometry=points)
