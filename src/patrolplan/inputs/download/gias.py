"""Schools of the area from Get Information about Schools (GIAS), without names of people."""

import io
from datetime import date, timedelta

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import BRITISH_GRID, Projection
from patrolplan.errors import FetchError
from patrolplan.inputs.download.client import Answer, UnusableError, WebClient, format_failure
from patrolplan.inputs.table_reader import parse_numbers

COLUMNS = (
    "URN",
    "LA (code)",
    "LA (name)",
    "EstablishmentNumber",
    "EstablishmentName",
    "TypeOfEstablishment (name)",
    "EstablishmentTypeGroup (name)",
    "EstablishmentStatus (name)",
    "OpenDate",
    "CloseDate",
    "PhaseOfEducation (name)",
    "StatutoryLowAge",
    "StatutoryHighAge",
    "Gender (name)",
    "SchoolCapacity",
    "NumberOfPupils",
    "Street",
    "Locality",
    "Town",
    "Postcode",
    "Easting",
    "Northing",
)
"""Columns that are kept: the school and its place. Heads, telephones and the rest are dropped."""

NEEDED = ("URN", "EstablishmentName", "EstablishmentStatus (name)", "Easting", "Northing")
DAYS_BACK = 7
MAX_ANSWER_BYTES = 512 * 2**20


def fetch_schools(
    web: WebClient, url: str, today: date, limits: BaseGeometry, projection: Projection
) -> tuple[pd.DataFrame, str]:
    """Schools in the area, and the address of the day's file that they came from.

    The file is made daily under the day's name: the newest of the last days is taken.

    Raises
    ------
    FetchError
        When none comes, or what comes is no such file.
    """
    for back in range(DAYS_BACK + 1):
        day = today - timedelta(days=back)
        address = f"{url.rstrip('/')}/edubasealldata{day:%Y%m%d}.csv"
        table = web.fetch(
            address, {}, _read_answer, what="the register of schools", max_bytes=MAX_ANSWER_BYTES
        )
        if table is not None:
            return _select_inside(table, limits, projection), address
    why = f"has no file of the last {DAYS_BACK} days"
    raise FetchError(format_failure(url, "the register of schools", why))


def _read_answer(answer: Answer) -> pd.DataFrame | None:
    """The kept columns as text; None where the day has no file."""
    if answer.status == 404:  # noqa: PLR2004 - not found
        return None
    if answer.status != 200:  # noqa: PLR2004 - well
        raise UnusableError(why=f"answers {answer.status}")
    try:
        table = _parse_csv(answer.body)
    except ValueError as error:  # pandas' parser errors are among them
        raise UnusableError(why=f"sends no CSV table ({error})") from None
    missing = [name for name in NEEDED if name not in table.columns]
    if missing or table.empty:
        what = f"without the columns {', '.join(missing)}" if missing else "without a school"
        raise UnusableError(why=f"sends a table {what}")
    return table.reindex(columns=list(COLUMNS), fill_value="")


def _parse_csv(body: bytes) -> pd.DataFrame:
    """Windows-1252, as GIAS writes, unless the file is UTF-8 after all."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", errors="replace")
    return pd.read_csv(
        io.StringIO(text),
        usecols=lambda name: name in COLUMNS,
        dtype=str,
        keep_default_na=False,
        index_col=False,
    )


def _select_inside(
    table: pd.DataFrame, limits: BaseGeometry, projection: Projection
) -> pd.DataFrame:
    """Schools in the area, by URN; a number is sorted as a number."""
    easting, northing = parse_numbers(table["Easting"]), parse_numbers(table["Northing"])
    x, y = projection.to_metres(easting, northing, BRITISH_GRID)
    placed = np.isfinite(x) & np.isfinite(y)
    within = placed.copy()
    within[placed] = shapely.contains_xy(limits, x[placed], y[placed])
    found = table[within]
    order = found["URN"].str.zfill(12).argsort(kind="stable")
    return found.iloc[order].reset_index(drop=True)
