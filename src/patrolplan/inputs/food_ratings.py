"""Pubs, bars and takeaways from the Food Standards Agency's food hygiene ratings.

The agency publishes one XML file for each local authority, such as `FHRS533en-GB.xml` (Open
Government Licence). A file is read as a stream and need not fit into memory; one that declares a
document type is refused before anything of it is expanded, so it can define no entities.
"""

from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

import pandas as pd

from patrolplan.errors import InputError
from patrolplan.inputs.delimited import CountedTable
from patrolplan.inputs.file_sizes import CHUNK_BYTES, check_size

BUSINESS_KINDS = {"Pub/bar/nightclub": "pub", "Takeaway/sandwich shop": "takeaway"}
"""Kind of place by `BusinessType`; the ratings do not tell pubs, bars and nightclubs apart."""

OTHER_BUSINESS = "other"
"""Kind of every other business."""

READ_ELEMENTS = {"BusinessType": "kind", "Longitude": "longitude", "Latitude": "latitude"}
ESTABLISHMENT = "EstablishmentDetail"
REMEDY = "download it again from ratings.food.gov.uk/open-data"
MAX_TEXT = 200
"""Maximum length of a value that is read."""


class _DocumentTypeError(Exception):
    """The file declares a document type."""


class _Reader:
    """Collects the establishments of one file while it is parsed."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self._row: dict[str, str] | None = None
        self._column = ""
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._add_text

    def _refuse(self, *_: object) -> None:
        raise _DocumentTypeError

    def _start(self, name: str, _attributes: object) -> None:
        if name == ESTABLISHMENT:
            self._row = {}
        self._column = READ_ELEMENTS.get(name, "") if self._row is not None else ""

    def _add_text(self, text: str) -> None:
        if self._column and self._row is not None:
            whole = self._row.get(self._column, "") + text
            self._row[self._column] = whole[:MAX_TEXT]

    def _end(self, name: str) -> None:
        self._column = ""
        if name == ESTABLISHMENT and self._row is not None:
            self.rows.append(self._row)
            self._row = None


def read_food_ratings(path: Path) -> CountedTable:
    """Every establishment of a file: `kind`, `longitude` and `latitude` as text or NA.

    `kind` is one of `BUSINESS_KINDS`, or `OTHER_BUSINESS`. The index counts establishments from 1.

    Raises
    ------
    InputError
        When the file is missing or too large, not XML, declares a document type, or has no
        establishment.
    """
    if not path.is_file():
        raise InputError.one(path, "the file does not exist", "correct [sources] places")
    check_size(path)
    with path.open("rb") as stream:
        return CountedTable(parse_food_ratings(stream, path))


def parse_food_ratings(stream: BinaryIO, file: str | Path) -> pd.DataFrame:
    """The establishments of a file that is open; `file` is its name in messages."""
    reader = _Reader()
    try:
        while chunk := stream.read(CHUNK_BYTES):
            reader.parser.Parse(chunk, False)  # noqa: FBT003 - whether it is the last
        reader.parser.Parse(b"", True)  # noqa: FBT003 - the last
    except _DocumentTypeError:
        what = "declares a document type, which the food hygiene ratings do not"
        raise InputError.one(file, what, REMEDY) from None
    except expat.ExpatError as error:
        raise InputError.one(file, f"is cut short or not XML ({error})", REMEDY) from None
    if not reader.rows:
        raise InputError.one(file, f"has no element '{ESTABLISHMENT}'", REMEDY)
    table = pd.DataFrame(reader.rows, columns=list(READ_ELEMENTS.values()), dtype="str")
    table = table.set_index(pd.RangeIndex(1, len(table) + 1, name="row"))
    text = {str(name): values.str.strip() for name, values in table.items()}
    given = pd.DataFrame({name: values.where(values != "") for name, values in text.items()})
    return given.assign(kind=given["kind"].map(BUSINESS_KINDS).fillna(OTHER_BUSINESS))
