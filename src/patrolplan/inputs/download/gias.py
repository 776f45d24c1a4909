"""Schools of the area from Get Information about Schools (GIAS), without names of people."""

import io
from datetime import date, timedelta
from http import HTTPStatus

import pandas as pd
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import BRITISH_GRID, Projection
from patrolplan.errors import FetchError
from patrolplan.inputs.delimited import decode_text
from patrolplan.inputs.download.client import Answer, UnusableError, WebClient, format_failure
from patrolplan.inputs.download.police import is_inside
from patrolplan.inputs.schools import build_urn_sort_key
from patrolplan.inputs.table_reader import parse_numbers

COLUMNS = (
    *("URN", "LA (code)", "LA (name)", "EstablishmentNumber", "EstablishmentName"),
    *("TypeOfEstablishment (name)", "EstablishmentTypeGroup (name)", "EstablishmentStatus (name)"),
    *("OpenDate", "CloseDate", "PhaseOfEducation (name)", "StatutoryLowAge", "StatutoryHighAge"),
    *("Gender (name)", "SchoolCapacity", "NumberOfPupils", "Street", "Locality", "Town"),
    *("Postcode", "Easting", "Northing"),
)  # The columns to keep: the school and its place. Names of heads, telephones etc. are dropped
NEEDED = ("URN", "EstablishmentName", "EstablishmentStatus (name)", "Easting", "Northing")
DAYS_BACK = 7
REGISTER = "the register of schools"


def fetch_schools(
    web: WebClient, url: str, today: date, limits: BaseGeometry, projection: Projection
) -> tuple[pd.DataFrame, str]:
    """Schools in the area, and the address of the newest daily file, which they came from."""
    for back in range(DAYS_BACK + 1):
        day = today - timedelta(days=back)
        address = f"{url.rstrip('/')}/edubasealldata{day:%Y%m%d}.csv"
        table = web.fetch(address, {}, _read_answer, what=REGISTER, is_large=True)
        if table is not None:
            x, y = (parse_numbers(table[axis]) for axis in ("Easting", "Northing"))
            inside = is_inside(limits, projection, x, y, BRITISH_GRID)
            schools = table[inside].sort_values("URN", key=build_urn_sort_key, kind="stable")
            return schools.reset_index(drop=True), address
    why = f"has no file of the last {DAYS_BACK} days"
    raise FetchError(format_failure(url, REGISTER, why))


def _read_answer(answer: Answer) -> pd.DataFrame | None:
    """The wanted columns as text; None where the day has no file."""
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    if answer.status != HTTPStatus.OK:
        raise UnusableError(why=f"answers {answer.status}")
    try:
        table = pd.read_csv(
            io.StringIO(decode_text(answer.body)[0]),
            usecols=lambda name: name in COLUMNS,
            dtype=str,
            keep_default_na=False,
            index_col=False,
        )
    except ValueError as error:  # pandas' parser errors are among them
        raise UnusableError(why=f"does not send a CSV table ({error})") from None
    missing = [name for name in NEEDED if name not in table.columns]
    if missing or table.empty:
        what = f"without the columns {', '.join(missing)}" if missing else "without a school"
        raise UnusableError(why=f"sends a table {what}")
    return table.reindex(columns=list(COLUMNS), fill_value="")
