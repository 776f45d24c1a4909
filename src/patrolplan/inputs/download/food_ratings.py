"""Food hygiene ratings of local authorities, from the Food Standards Agency."""

import io
from http import HTTPStatus

from patrolplan.errors import FetchError, InputError
from patrolplan.inputs.download.client import (
    MAX_ANSWER_BYTES,
    Answer,
    UnusableError,
    WebClient,
    format_failure,
)
from patrolplan.inputs.food_ratings import parse_food_ratings


def build_file_name(authority: int) -> str:
    """Name of an authority's file, as the agency publishes it.

    Examples
    --------
    >>> build_file_name(533)
    'FHRS533en-GB.xml'
    """
    return f"FHRS{authority:03}en-GB.xml"


def fetch_food_ratings(web: WebClient, url: str, authority: int) -> tuple[bytes, int, str]:
    """The file of an authority, how many establishments it has, and its address.

    Raises
    ------
    FetchError
        When there is no such file, or it cannot be fetched.
    """
    address = f"{url.rstrip('/')}/{build_file_name(authority)}"
    what = f"food hygiene ratings of authority {authority}"
    found = web.fetch(address, {}, _read_answer, what=what, max_bytes=MAX_ANSWER_BYTES)
    if found is None:
        why = "has no such file; check [fetch] food_authorities at ratings.food.gov.uk/open-data"
        raise FetchError(format_failure(url, what, why))
    return *found, address


def _read_answer(answer: Answer) -> tuple[bytes, int] | None:
    """The whole file and its establishments; None where the server has no such file."""
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    if answer.status != HTTPStatus.OK:
        raise UnusableError(why=f"answers {answer.status}")
    try:
        establishments = parse_food_ratings(io.BytesIO(answer.body), "the answer")
    except InputError as error:
        raise UnusableError(why=f"sends a file that {error.problems[0].what}") from None
    return answer.body, len(establishments)
