"""Street crimes from the data.police.uk API, as rows of its monthly files.

The API refuses a polygon of more than 10,000 crimes of a month: cells are halved. A month's file is
the same however its area was cut: crimes count by number, those outside drop, the rest is sorted.
"""

import csv
import gzip
import io
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from shapely.geometry.base import BaseGeometry

from patrolplan.crs import DEGREES, Projection
from patrolplan.errors import FetchError
from patrolplan.inputs.download.client import Answer, UnusableError, WebClient, format_failure

COLUMNS = (
    *("Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location"),
    *("LSOA code", "LSOA name", "Crime type", "Last outcome category", "Context"),
)  # Columns of the monthly files of data.police.uk
OTHER_NAMES = {
    "anti-social-behaviour": "Anti-social behaviour",
    "criminal-damage-arson": "Criminal damage and arson",
    "public-disorder-weapons": "Public disorder and weapons",
    "violent-crime": "Violence and sexual offences",
}  # Names of the monthly files that are not the API's own with spaces


def name_category(short: str) -> str:
    """The name in the monthly files of an API's short name."""
    return OTHER_NAMES.get(short, short.replace("-", " ").capitalize())


T = TypeVar("T")

RAILWAY_FORCE = "British Transport Police"

Refusal = Literal["too many", "gone"]
Row = tuple[str, ...]
CrimeRows = dict[int, Row]  # Rows in the order of `COLUMNS`, by the API's number of the crime

Month = Annotated[str, Field(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")]
Degrees = Annotated[str, Field(pattern=r"^-?\d{1,3}(\.\d{1,12})?$")]
ApiText = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x08\x0e-\x1f]*$")]


class _ApiModel(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class _Street(_ApiModel):
    name: ApiText


class _Location(_ApiModel):
    latitude: Degrees
    longitude: Degrees
    street: _Street


class _Outcome(_ApiModel):
    category: ApiText


class _Crime(_ApiModel):
    id: int
    category: ApiText
    persistent_id: ApiText
    month: Month
    location: _Location
    location_type: ApiText | None = None
    context: ApiText = ""
    outcome_status: _Outcome | None = None

    @property
    def row(self) -> Row:
        """The crime in the columns of the monthly files; the API gives no LSOA."""
        force = RAILWAY_FORCE if self.location_type == "BTP" else ""
        category = name_category(self.category)
        outcome = self.outcome_status.category if self.outcome_status else ""
        place, street = self.location, " ".join(self.location.street.name.split())
        cells = (self.persistent_id, self.month, force, force, place.longitude, place.latitude)
        return (*cells, street, "", "", category, outcome, " ".join(self.context.split()))


class _Offered(_ApiModel):
    date: Month


@dataclass
class PoliceApi:
    """The API at a URL, called through a session."""

    web: WebClient
    url: str

    def fetch_months(self) -> list[str]:
        """Months that the API offers, "YYYY-MM", in order; `FetchError` where it fails."""
        url = f"{self.url}/crimes-street-dates"
        return self.web.fetch(url, {}, _read_months, what="the list of months")

    def fetch_crimes(self, ring: str, month: str) -> CrimeRows | Refusal:
        """Crimes of a month in a polygon ("latitude,longitude:..."), or why there are none."""
        url = f"{self.url}/crimes-street/all-crime"
        fields = {"date": month, "poly": ring}
        return self.web.fetch(url, fields, partial(_read_crimes, month), what=f"crime of {month}")


def _read_crimes(month: str, answer: Answer) -> CrimeRows | Refusal:
    if answer.status == HTTPStatus.NOT_FOUND:
        return "gone"
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:  # too many, or a fault: then half will do
        return "too many"
    crimes = _parse_answer(TypeAdapter(list[_Crime]), answer)
    if any(crime.month != month for crime in crimes):
        raise UnusableError(why="sends crimes of another month")
    return {crime.id: crime.row for crime in crimes}


def _read_months(answer: Answer) -> list[str]:
    months = sorted({one.date for one in _parse_answer(TypeAdapter(list[_Offered]), answer)})
    if not months:
        raise UnusableError(why="offers no month")
    return months


def _parse_answer(adapter: TypeAdapter[T], answer: Answer) -> T:
    if answer.status != HTTPStatus.OK:
        raise UnusableError(why=f"answers {answer.status}")
    try:
        return adapter.validate_json(answer.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(["", *map(str, first["loc"])])
        raise UnusableError(why=f"sends an unexpected answer ({first['msg']} {where})") from None


MARGIN_METRES = 25  # Margin of requests around the area, so that outlines may be simplified
SIMPLIFY_METRES = 10
OVERLAP_METRES = 5
MAX_SEGMENT_METRES = 2000  # Straight in metres here, in degrees for the server: 0.1 m apart


def format_ring(cell: shapely.Polygon, projection: Projection) -> str:
    """An outline as data.police.uk takes it: "latitude,longitude:latitude,longitude:..."."""
    edge = shapely.get_coordinates(shapely.segmentize(cell.exterior, MAX_SEGMENT_METRES))
    longitude, latitude = projection.to_degrees(edge[:-1, 0], edge[:-1, 1])
    return ":".join(f"{lat:.6f},{lon:.6f}" for lat, lon in zip(latitude, longitude, strict=True))


def widen_limits(limits: BaseGeometry) -> BaseGeometry:
    """The area and a little more, in a simpler outline that contains all of it."""
    return limits.buffer(MARGIN_METRES, join_style="mitre").simplify(SIMPLIFY_METRES)


def split_into_cells(limits: BaseGeometry) -> list[shapely.Polygon]:
    """A polygon without holes for each part of the area (in metres), from west to east."""
    parts = [part for part in shapely.get_parts(widen_limits(limits)) if not part.is_empty]
    return [_drop_holes(part) for part in sorted(parts, key=lambda part: part.bounds)]


def halve_cell(cell: shapely.Polygon) -> list[shapely.Polygon]:
    """A cell cut across its longer side; the halves overlap a little, so that no crime is lost."""
    west, south, east, north = cell.bounds
    x, y, lap = (west + east) / 2, (south + north) / 2, OVERLAP_METRES
    boxes = [(west, south, x + lap, north), (x - lap, south, east, north)]
    if east - west < north - south:
        boxes = [(west, south, east, y + lap), (west, y - lap, east, north)]
    cut = shapely.intersection(cell, shapely.box(*np.transpose(boxes)))
    return [_drop_holes(half) for half in cut if half.area > 0]


def _drop_holes(shape: BaseGeometry) -> shapely.Polygon:
    """One polygon that contains the shape: the server takes a single ring."""
    polygon = shape if isinstance(shape, shapely.Polygon) else shape.convex_hull
    return shapely.Polygon(polygon.exterior)


def is_inside(
    limits: BaseGeometry, projection: Projection, x: ArrayLike, y: ArrayLike, source: str = DEGREES
) -> NDArray[np.bool_]:
    """(n,) which points are in the area, by the same rule as when an area is loaded."""
    return np.asarray(shapely.contains_xy(limits, *projection.to_metres(x, y, source)))


MIN_CELL_METRES = 250  # A server that refuses such a cell is overloaded: 10,000 crimes are in none
LONGITUDE, LATITUDE = COLUMNS.index("Longitude"), COLUMNS.index("Latitude")


def fetch_month(
    api: PoliceApi, month: str, limits: BaseGeometry, projection: Projection
) -> list[Row] | None:
    """Rows of an area's month in a fixed order, None where the API no longer offers it."""
    crimes: CrimeRows = {}
    waiting, why = split_into_cells(limits), ""
    while waiting and not why:
        cell, *waiting = waiting
        part = api.fetch_crimes(format_ring(cell, projection), month)
        if part == "gone":
            if month not in api.fetch_months():
                return None
            why = "lists the month, but has no data of it"
        elif part == "too many":
            west, south, east, north = cell.bounds
            if max(east - west, north - south) < MIN_CELL_METRES:
                why = "answers 503 even for a small cell, so it is overloaded"
            waiting = halve_cell(cell) + waiting
        else:
            crimes |= part  # a crime on the border of cells has one number, so it counts once
    if why:
        raise FetchError(format_failure(api.url, f"crime of {month}", why))
    if not crimes and month not in api.fetch_months():
        return None
    rows = list(crimes.values())
    longitude = [float(row[LONGITUDE]) for row in rows]
    inside = is_inside(limits, projection, longitude, [float(row[LATITUDE]) for row in rows])
    return sorted(row for row, good in zip(rows, inside, strict=True) if good)


def encode_csv(columns: tuple[str, ...], rows: list[Row], path: Path) -> bytes:
    """A table as CSV, compressed where the name ends in .gz; equal rows give equal bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    data = text.getvalue().encode("utf-8")
    return gzip.compress(data, mtime=0) if path.suffix == ".gz" else data
