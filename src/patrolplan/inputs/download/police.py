"""Street crimes from the data.police.uk API, as rows of its own monthly files.

A month's crimes, gathered cell by cell; the same bytes however it was cut or broken off.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from shapely.geometry.base import BaseGeometry

from patrolplan.cache import AnswerCache
from patrolplan.crs import Projection
from patrolplan.errors import FetchError
from patrolplan.inputs.download.cells import Cell, halve_cell, is_inside, split_into_cells
from patrolplan.inputs.download.client import Answer, UnusableError, WebClient

COLUMNS = (
    "Crime ID",
    "Month",
    "Reported by",
    "Falls within",
    "Longitude",
    "Latitude",
    "Location",
    "LSOA code",
    "LSOA name",
    "Crime type",
    "Last outcome category",
    "Context",
)
"""Columns of the monthly files of data.police.uk."""

CATEGORY_NAMES = {
    "anti-social-behaviour": "Anti-social behaviour",
    "bicycle-theft": "Bicycle theft",
    "burglary": "Burglary",
    "criminal-damage-arson": "Criminal damage and arson",
    "drugs": "Drugs",
    "other-crime": "Other crime",
    "other-theft": "Other theft",
    "possession-of-weapons": "Possession of weapons",
    "public-disorder-weapons": "Public disorder and weapons",
    "public-order": "Public order",
    "robbery": "Robbery",
    "shoplifting": "Shoplifting",
    "theft-from-the-person": "Theft from the person",
    "vehicle-crime": "Vehicle crime",
    "violent-crime": "Violence and sexual offences",
}
"""The API's short names and the names in the monthly files."""

T = TypeVar("T")

RAILWAY_FORCE = "British Transport Police"

TRIES_OF_503 = 2
"""A 503 may be a fault that passes; said again, it means more than 10,000 crimes."""

TooMany = Literal["too many"]
Gone = Literal["gone"]
Row = tuple[str, ...]
CrimeRows = dict[int, Row]
"""Rows in the order of `COLUMNS`, by the API's number of the crime."""

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
        """The crime in the columns of the monthly files.

        The API does not say the force, save that the railway's is another, nor the LSOA.
        """
        force = RAILWAY_FORCE if self.location_type == "BTP" else ""
        named = CATEGORY_NAMES.get(self.category, self.category.replace("-", " ").capitalize())
        outcome = self.outcome_status.category if self.outcome_status else ""
        place, street = self.location, " ".join(self.location.street.name.split())
        cells = (self.persistent_id, self.month, force, force, place.longitude, place.latitude)
        return (*cells, street, "", "", named, outcome, " ".join(self.context.split()))


class _Offered(_ApiModel):
    date: Month


_CRIMES = TypeAdapter(list[_Crime])
_MONTHS = TypeAdapter(list[_Offered])


class PoliceApi:
    """The API at an address, asked through a session."""

    def __init__(self, web: WebClient, url: str) -> None:
        self.web = web
        self.url = url.rstrip("/")

    def fetch_months(self) -> list[str]:
        """Months that the API offers, "YYYY-MM", in order.

        Raises
        ------
        FetchError
            When it does not say.
        """
        url = f"{self.url}/crimes-street-dates"
        return self.web.fetch(url, {}, _read_months, what="the list of months")

    def fetch_crimes(self, ring: str, month: str) -> CrimeRows | TooMany | Gone:
        """Crimes of a month within an outline ("latitude,longitude:..."), or why there are none.

        Raises
        ------
        FetchError
            When patience with the server has ended.
        """
        url = f"{self.url}/crimes-street/all-crime"
        fields = {"date": month, "poly": ring}
        return self.web.fetch(url, fields, _build_crime_reader(month), what=f"crime of {month}")


def _build_crime_reader(month: str) -> Callable[[Answer], CrimeRows | TooMany | Gone]:
    """What reads the answers to one question, and counts how often they were a 503."""
    refused = 0

    def read(answer: Answer) -> CrimeRows | TooMany | Gone:
        nonlocal refused
        if answer.status == 404:  # noqa: PLR2004 - not found
            return "gone"
        if answer.status == 503:  # noqa: PLR2004 - more than the API gives at once
            refused += 1
            if refused >= TRIES_OF_503:
                return "too many"
            raise UnusableError(why="answers 503")
        crimes = _parse_answer(_CRIMES, answer)
        if any(crime.month != month for crime in crimes):
            raise UnusableError(why="sends crimes of another month")
        return {crime.id: crime.row for crime in crimes}

    return read


def _read_months(answer: Answer) -> list[str]:
    months = sorted({offered.date for offered in _parse_answer(_MONTHS, answer)})
    if not months:
        raise UnusableError(why="offers no month")
    return months


def _parse_answer(adapter: TypeAdapter[T], answer: Answer) -> T:
    if answer.status != 200:  # noqa: PLR2004 - well
        raise UnusableError(why=f"answers {answer.status}")
    try:
        return adapter.validate_json(answer.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        where = f" at {at}" if at else ""
        raise UnusableError(why=f"sends another shape of answer ({first['msg']}{where})") from None


MIN_CELL_METRES = 250
"""No cell of this size holds 10,000 crimes a month: a server that says so is overloaded."""

LONGITUDE, LATITUDE = COLUMNS.index("Longitude"), COLUMNS.index("Latitude")
HALVED_CELLS_FILE = "halved.json"


class CrimeFetcher:
    """Asks for the crimes of an area, month by month.

    Parameters
    ----------
    api
        The API.
    limits
        The area, in metres.
    projection
        To and from the area's metres.
    kept
        Where the cells that came are kept until their month is written.
    """

    def __init__(
        self, api: PoliceApi, limits: BaseGeometry, projection: Projection, answers: AnswerCache
    ) -> None:
        self._api = api
        self._limits = limits
        self._projection = projection
        self._answers = answers
        cut = answers.read(HALVED_CELLS_FILE)
        self._halved: set[str] = set(cut) if isinstance(cut, list) else set()
        for name in answers.list_names("*/*.json"):  # what came of a month tells how it was cut
            way = Path(name).stem.split("-")
            self._halved |= {"-".join(way[:steps]) for steps in range(1, len(way))}

    def fetch_month(self, month: str) -> list[Row] | None:
        """Rows of a month in a fixed order, None where the API no longer offers it.

        A crime on the border of cells is taken once, by the API's number of it.

        Raises
        ------
        FetchError
            When a cell does not come.
        """
        found: CrimeRows = {}
        for crimes in self._fetch_cells(month):
            if crimes is None:
                self._answers.discard(month)
                return None
            found |= crimes
        if not found and month not in self._api.fetch_months():
            self._answers.discard(month)
            return None
        self._answers.write(HALVED_CELLS_FILE, sorted(self._halved))
        rows = list(found.values())
        within = is_inside(
            self._limits,
            self._projection,
            [float(row[LONGITUDE]) for row in rows],
            [float(row[LATITUDE]) for row in rows],
        )
        return sorted(row for row, taken in zip(rows, within, strict=True) if taken)

    def discard_month(self, month: str) -> None:
        """Forget the cells of a month that is written."""
        self._answers.discard(month)

    def _fetch_cells(self, month: str) -> Iterator[CrimeRows | None]:
        """Crimes of each cell, halved as far as the API wants; None where the month is gone."""
        waiting = split_into_cells(self._limits)
        while waiting:
            cell = waiting.pop(0)
            if cell.key in self._halved:
                waiting = halve_cell(cell) + waiting
                continue
            crimes = self._read_cached_cell(month, cell)
            if crimes is None:
                answer = self._api.fetch_crimes(cell.format_ring(self._projection), month)
                if answer == "gone":
                    self._confirm_gone(month)
                    yield None
                    return
                if answer == "too many":
                    self._mark_halved(cell, month)
                    waiting = halve_cell(cell) + waiting
                    continue
                crimes = answer
                self._answers.write(f"{month}/{cell.key}.json", sorted(crimes.items()))
            yield crimes

    def _mark_halved(self, cell: Cell, month: str) -> None:
        if cell.longer_side_metres < MIN_CELL_METRES:
            message = (
                f"{self._host}: crime of {month} could not be fetched, the server answers 503 even "
                "for a small cell, so it is overloaded; what came so far is kept, run "
                "`patrolplan fetch` again later to go on from there."
            )
            raise FetchError(message)
        self._halved.add(cell.key)

    def _confirm_gone(self, month: str) -> None:
        """Make sure that a month is gone, not only said to be not found."""
        if month in self._api.fetch_months():
            message = (
                f"{self._host}: crime of {month} could not be fetched, the server says both that "
                "it has the month and that it has not; run `patrolplan fetch` again later."
            )
            raise FetchError(message)

    @property
    def _host(self) -> str:
        return urlsplit(self._api.url).netloc

    def _read_cached_cell(self, month: str, cell: Cell) -> CrimeRows | None:
        """A cell that came before a break."""
        pairs = self._answers.read(f"{month}/{cell.key}.json")
        if not isinstance(pairs, list):
            return None
        try:
            crimes = {int(number): tuple(str(text) for text in row) for number, row in pairs}
        except (TypeError, ValueError):
            return None
        return crimes if all(len(row) == len(COLUMNS) for row in crimes.values()) else None


def encode_csv(columns: tuple[str, ...], rows: list[Row], path: Path) -> bytes:
    """A table as CSV, packed where the name ends in .gz; equal rows give equal bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    data = text.getvalue().encode("utf-8")
    return gzip.compress(data, mtime=0) if path.suffix == ".gz" else data
