"""Files of recorded crime that are regular, read column by column.

Months of open data have ten thousand rows with the same few categories and forces, so each of these
columns is read as codes of its distinct values, and only these are checked. No deviation is
accepted here. A file with a quote below its header, a line of another length, a time of day, a
value that cannot be read or has spaces around it, or in another encoding is left to the row-exact
reader, which can name its rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from patrolplan.inputs.crime_rows import build_rows, hash_ids
from patrolplan.inputs.delimited import has_plain_signs
from patrolplan.inputs.table_reader import MAX_DEGREES, find_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from patrolplan.inputs.delimited import DelimitedText

MAX_BYTES = 2**31 - 2
"""Maximum size of a block of text for pyarrow."""

MONTH = re.compile(r"2[01]\d\d-(0[1-9]|1[0-2])")
"""A month within `timestamps.PLAUSIBLE_YEARS`."""

ID = "crime_id"
CODED = ("month", "category", "force")
"""Columns that are read as codes of their distinct values."""


def read_regular_rows(text: DelimitedText, theirs: Mapping[str, str], grid: str) -> pa.Table | None:
    """Rows of a regular file as the row-exact reader gives them; None where it is anything else.

    Parameters
    ----------
    text
        The file.
    theirs
        Our name -> the file's name of each column that is read.
    grid
        CRS of its coordinates.
    """
    axes = find_axes(theirs)
    if axes is None or "month" not in theirs or "occurred_at" in theirs:
        return None
    cells = _parse(text, {name: theirs[name] for name in (*CODED, ID, *axes) if name in theirs})
    if cells is None:
        return None
    x, y = (_check_axis(cells[axis], axis) for axis in axes)
    month = _parse_months(cells["month"])
    is_empty = np.logical_and.reduce([cell.is_null() for name, cell in cells.items() if name != ID])
    if x is None or y is None or month is None or is_empty.any():
        return None
    columns = {"month": month, "category": cells["category"], "force": cells.get("force")}
    if ID in cells:
        columns["crime_id"] = hash_ids(cells[ID].fill_null("").to_numpy(zero_copy_only=False))
    return build_rows(columns, (x, y), grid)


def _parse(text: DelimitedText, wanted: Mapping[str, str]) -> dict[str, pa.Array] | None:
    """The columns by our names: codes, text or numbers; None where the text is not regular."""
    from pyarrow import ArrowInvalid, compute, csv, dictionary, float64, int32, py_buffer, string  # noqa: PLC0415 - heavy, and only where not cached

    is_first = text.header_row == 1 and text.encoding == "utf-8-sig"
    is_each_once = len({*wanted.values()}) == len(wanted)
    if not is_first or not is_each_once or len(text.content) > MAX_BYTES:
        return None
    # Some programs quote the names of columns and nothing else.
    rows_start = text.content.find(b"\n") + 1
    has_whole_header = text.content.count(b'"', 0, rows_start) % 2 == 0
    if not has_whole_header or not has_plain_signs(text, start=rows_start):
        return None
    kinds = {name: float64() for name in wanted} | {ID: string()}
    kinds |= dict.fromkeys(CODED, dictionary(int32(), string()))
    try:
        table = csv.read_csv(
            py_buffer(text.content),
            csv.ReadOptions(
                use_threads=False,
                block_size=len(text.content) + 1,
                skip_rows=1,
                column_names=list(text.header),
            ),
            csv.ParseOptions(delimiter=text.delimiter, quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types={theirs: kinds[ours] for ours, theirs in wanted.items()},
                include_columns=list(wanted.values()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (ArrowInvalid, KeyError):
        return None
    if table.num_rows == 0:
        return None
    cells = {ours: table[theirs].chunk(0) for ours, theirs in wanted.items()}
    for name in cells.keys() & {*CODED, ID}:
        words = cells[name] if name == ID else cells[name].dictionary
        if not compute.utf8_trim_whitespace(words).equals(words):
            return None
    return cells


def _check_axis(cells: pa.Array, axis: str) -> NDArray[np.float64] | None:
    """(n,) numbers of a coordinate, NaN where a cell is empty; None if one is not a coordinate."""
    numbers: NDArray[np.float64] = cells.to_numpy(zero_copy_only=False)
    is_number = np.isfinite(numbers) & (np.abs(numbers) <= MAX_DEGREES.get(axis, np.inf))
    return numbers if is_number.sum() + cells.null_count == len(numbers) else None


def _parse_months(cells: pa.DictionaryArray) -> NDArray[np.datetime64] | None:
    """(n,) first day of each row's month, NaT where it is empty; None if one is not a month."""
    words = cells.dictionary.to_pylist()
    if not all(MONTH.fullmatch(word) for word in words):
        return None
    months = np.array([*words, "NaT"], dtype="M8[ns]")
    return np.asarray(months[cells.indices.fill_null(-1).to_numpy()])
