"""Street crimes from the data.police.uk API, as rows of its own monthly files."""

from collections.abc import Callable
from typing import Annotated
from typing import Literal
from typing import TypeVar

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import TypeAdapter
from pydantic import ValidationError

from patrolplan.inputs.open_data.web import Answer
from patrolplan.inputs.open_data.web import UnusableError
from patrolplan.inputs.open_data.web import Web

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

CATEGORIES = {
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
Crimes = dict[int, Row]
"""Rows in the order of `COLUMNS`, by the API's number of the crime."""

Month = Annotated[str, Field(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")]
Degrees = Annotated[str, Field(pattern=r"^-?\d{1,3}(\.\d{1,12})?$")]
Words = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x08\x0e-\x1f]*$")]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class _Street(_Shape):
    name: Words


class _Location(_Shape):
    latitude: Degrees
    longitude: Degrees
    street: _Street


class _Outcome(_Shape):
    category: Words


class _Crime(_Shape):
    id: int
    category: Words
    persistent_id: Words
    month: Month
    location: _Location
    location_type: Words | None = None
    context: Words = ""
    outcome_status: _Outcome | None = None

    @property
    def row(self) -> Row:
        """The crime in the columns of the monthly files.

        The API does not say the force, save that the railway's is another, nor the LSOA.
        """
        force = RAILWAY_FORCE if self.location_type == "BTP" else ""
        named = CATEGORIES.get(self.category, self.category.replace("-", " ").capitalize())
        outcome = self.outcome_status.category if self.outcome_status else ""
        place, street = self.location, " ".join(self.location.street.name.split())
        cells = (self.persistent_id, self.month, force, force, place.longitude, place.latitude)
        return (*cells, street, "", "", named, outcome, " ".join(self.context.split()))


class _Offered(_Shape):
    date: Month


_CRIMES = TypeAdapter(list[_Crime])
_MONTHS = TypeAdapter(list[_Offered])


class PoliceApi:
    """The API at an address, asked through a session."""

    def __init__(self, web: Web, url: str) -> None:
        self.web = web
        self.url = url.rstrip("/")

    def months(self) -> list[str]:
        """Months that the API offers, "YYYY-MM", in order.

        Raises
        ------
        FetchError
            When it does not say.
        """
        url = f"{self.url}/crimes-street-dates"
        return self.web.ask(url, {}, _months, what="the list of months")

    def crimes(self, ring: str, month: str) -> Crimes | TooMany | Gone:
        """Crimes of a month within an outline ("latitude,longitude:..."), or why there are none.

        Raises
        ------
        FetchError
            When patience with the server has ended.
        """
        url = f"{self.url}/crimes-street/all-crime"
        fields = {"date": month, "poly": ring}
        return self.web.ask(url, fields, _reader(month), what=f"crime of {month}")


def _reader(month: str) -> Callable[[Answer], Crimes | TooMany | Gone]:
    """What reads the answers to one question, and counts how often they were a 503."""
    refused = 0

    def read(answer: Answer) -> Crimes | TooMany | Gone:
        nonlocal refused
        if answer.status == 404:  # noqa: PLR2004 - not found
            return "gone"
        if answer.status == 503:  # noqa: PLR2004 - more than the API gives at once
            refused += 1
            if refused >= TRIES_OF_503:
                return "too many"
            raise UnusableError(why="answers 503")
        crimes = _checked(_CRIMES, answer)
        if any(crime.month != month for crime in crimes):
            raise UnusableError(why="sends crimes of another month")
        return {crime.id: crime.row for crime in crimes}

    return read


def _months(answer: Answer) -> list[str]:
    months = sorted({offered.date for offered in _checked(_MONTHS, answer)})
    if not months:
        raise UnusableError(why="offers no month")
    return months


def _checked(adapter: TypeAdapter[T], answer: Answer) -> T:
    if answer.status != 200:  # noqa: PLR2004 - well
        raise UnusableError(why=f"answers {answer.status}")
    try:
        return adapter.validate_json(answer.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        where = f" at {at}" if at else ""
        raise UnusableError(why=f"sends another shape of answer ({first['msg']}{where})") from None
