"""Spreadsheets (.xlsx, .ods) as rows of cells, with the row numbers that the program shows."""

from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from patrolplan.errors import InputError, describe_install
from patrolplan.text import list_first

SUFFIXES = (".xlsx", ".ods")
SEARCHED_ROWS = 20
"""Number of rows that are searched for a header below titles."""

NEEDED = "python-calamine"
"""The package that reads spreadsheets; an extra, since many users have none."""


class Spreadsheet:
    """The one sheet of a file that counts.

    Parameters
    ----------
    path
        The file.
    source
        Key under `[sources]`: of several sheets, the one with this name counts.

    Raises
    ------
    InputError
        When the package for it is not installed, the file is broken or empty, or several sheets
        could be meant.
    """

    def __init__(self, path: Path, source: str) -> None:
        rows = _read_sheet(path, source)
        first = next((n for n, row in enumerate(rows) if any(map(_is_given, row))), None)
        if first is None:
            raise InputError.one(path, "the file is empty", "fetch or export it again")
        self.header = [str(cell).strip() for cell in rows[first]]
        self.first_row = first + 2
        self._rows = rows[first + 1 :]
        self.later_rows = [
            tuple(str(cell) for cell in row) for row in self._rows[: SEARCHED_ROWS - 1]
        ]

    def read(self, names: Sequence[str]) -> pd.DataFrame:
        """The cells of these columns, None where they are empty; the others are dropped."""
        width = len(self.header)
        columns = {}
        for name in names:
            position = self.header.index(name)
            cells = [row[position] if position < min(len(row), width) else "" for row in self._rows]
            columns[name] = [cell if _is_given(cell) else None for cell in cells]
        return pd.DataFrame(columns, dtype=object, index=range(len(self._rows)))

    def list_rows_in_use(self, rows: Sequence[int]) -> tuple[int, ...]:
        """Those of some row numbers whose rows hold anything in any column."""
        return tuple(row for row in rows if any(map(_is_given, self._rows[row - self.first_row])))


def _is_given(cell: object) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _read_sheet(path: Path, source: str) -> list[list[Any]]:
    """All rows of the sheet that counts, from row 1."""
    try:
        calamine = import_module("python_calamine")
    except ImportError:
        what = f"is a spreadsheet, and the package that reads it, {NEEDED}, is not installed"
        command = describe_install(NEEDED)
        remedy = f"save the table as CSV, or install the package with: {command}"
        raise InputError.one(path, what, remedy) from None
    sheets: dict[str, list[list[Any]]] = {}
    try:
        with path.open("rb") as stream:
            workbook = calamine.CalamineWorkbook.from_filelike(stream)
            for name in workbook.sheet_names:
                # A sheet of drawings or of a chart alone has no cells.
                with suppress(calamine.WorksheetNotFound):
                    sheets[name] = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        what = f"is broken or not a spreadsheet ({error})"
        raise InputError.one(path, what, "save it again, or as CSV") from None
    given = {name: rows for name, rows in sheets.items() if any(map(any, rows))}
    named = [name for name in given if name.strip().casefold().replace(" ", "_") == source]
    chosen = named or list(given)
    if len(chosen) > 1:
        what = f"has {len(chosen)} sheets ({list_first(chosen)}), so it is not clear which counts"
        remedy = f"name the sheet '{source}', or save it in a file of its own"
        raise InputError.one(path, what, remedy)
    return given[chosen[0]] if chosen else []
