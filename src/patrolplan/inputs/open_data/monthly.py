"""A month's crimes, gathered cell by cell; the same bytes however it was cut or broken off."""

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from shapely.geometry.base import BaseGeometry

from patrolplan.errors import FetchError
from patrolplan.inputs.open_data.cells import Cell
from patrolplan.inputs.open_data.cells import first_cells
from patrolplan.inputs.open_data.cells import halves
from patrolplan.inputs.open_data.cells import inside
from patrolplan.inputs.open_data.police import COLUMNS
from patrolplan.inputs.open_data.police import Crimes
from patrolplan.inputs.open_data.police import PoliceApi
from patrolplan.inputs.open_data.police import Row
from patrolplan.inputs.open_data.store import Kept
from patrolplan.projection import Projection

SMALLEST_METRES = 250
"""No cell of this size holds 10,000 crimes a month: a server that says so is overloaded."""

LONGITUDE, LATITUDE = COLUMNS.index("Longitude"), COLUMNS.index("Latitude")
CUT = "halved.json"


class MonthlyCrimes:
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
        self, api: PoliceApi, limits: BaseGeometry, projection: Projection, kept: Kept
    ) -> None:
        self._api = api
        self._limits = limits
        self._projection = projection
        self._kept = kept
        cut = kept.read(CUT)
        self._halved: set[str] = set(cut) if isinstance(cut, list) else set()
        for name in kept.names("*/*.json"):  # what came of a month tells how it was cut
            way = Path(name).stem.split("-")
            self._halved |= {"-".join(way[:steps]) for steps in range(1, len(way))}

    def rows(self, month: str) -> list[Row] | None:
        """Rows of a month in a fixed order, None where the API no longer offers it.

        A crime on the border of cells is taken once, by the API's number of it.

        Raises
        ------
        FetchError
            When a cell does not come.
        """
        found: Crimes = {}
        for crimes in self._cells(month):
            if crimes is None:
                self._kept.forget(month)
                return None
            found |= crimes
        if not found and month not in self._api.months():
            self._kept.forget(month)
            return None
        self._kept.write(CUT, sorted(self._halved))
        rows = list(found.values())
        within = inside(
            self._limits,
            self._projection,
            [float(row[LONGITUDE]) for row in rows],
            [float(row[LATITUDE]) for row in rows],
        )
        return sorted(row for row, taken in zip(rows, within, strict=True) if taken)

    def done(self, month: str) -> None:
        """Forget the cells of a month that is written."""
        self._kept.forget(month)

    def _cells(self, month: str) -> Iterator[Crimes | None]:
        """Crimes of each cell, halved as far as the API wants; None where the month is gone."""
        waiting = first_cells(self._limits)
        while waiting:
            cell = waiting.pop(0)
            if cell.key in self._halved:
                waiting = halves(cell) + waiting
                continue
            crimes = self._read(month, cell)
            if crimes is None:
                answer = self._api.crimes(cell.ring(self._projection), month)
                if answer == "gone":
                    self._confirm_gone(month)
                    yield None
                    return
                if answer == "too many":
                    self._halve(cell, month)
                    waiting = halves(cell) + waiting
                    continue
                crimes = answer
                self._kept.write(f"{month}/{cell.key}.json", sorted(crimes.items()))
            yield crimes

    def _halve(self, cell: Cell, month: str) -> None:
        if cell.longer_metres < SMALLEST_METRES:
            message = (
                f"{self._host}: crime of {month} could not be fetched, the server answers 503 even "
                "for a small cell, so it is overloaded; what came so far is kept, run "
                "`patrolplan fetch` again later to go on from there."
            )
            raise FetchError(message)
        self._halved.add(cell.key)

    def _confirm_gone(self, month: str) -> None:
        """Make sure that a month is gone, not only said to be not found."""
        if month in self._api.months():
            message = (
                f"{self._host}: crime of {month} could not be fetched, the server says both that "
                "it has the month and that it has not; run `patrolplan fetch` again later."
            )
            raise FetchError(message)

    @property
    def _host(self) -> str:
        return urlsplit(self._api.url).netloc

    def _read(self, month: str, cell: Cell) -> Crimes | None:
        """A cell that came before a break."""
        pairs = self._kept.read(f"{month}/{cell.key}.json")
        if not isinstance(pairs, list):
            return None
        try:
            crimes = {int(number): tuple(str(text) for text in row) for number, row in pairs}
        except (TypeError, ValueError):
            return None
        return crimes if all(len(row) == len(COLUMNS) for row in crimes.values()) else None


def table_bytes(columns: tuple[str, ...], rows: list[Row], path: Path) -> bytes:
    """A table as CSV, packed where the name ends in .gz; equal rows give equal bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    data = text.getvalue().encode("utf-8")
    return gzip.compress(data, mtime=0) if path.suffix == ".gz" else data
