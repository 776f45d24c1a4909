"""Files of recorded crime that are regular, read by their distinct values.

Months of open data have ten thousand rows that name the same few categories and forces and stand
on the same few thousand points. So each column is read as codes of its distinct values, and only
these are looked at: parsed, checked and projected. Nothing is forgiven here. A file with a quote,
a line of another length, a time of day, a value that cannot be read or has spaces around it, or in
another encoding is left to the row-exact reader, which can name its rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.crs import Projection
from patrolplan.inputs.delimited import DelimitedText, has_plain_signs
from patrolplan.inputs.row_account import is_coarse
from patrolplan.inputs.table_reader import parse_degrees, parse_numbers, project_coordinates
from patrolplan.inputs.timestamps import NO_TIME, parse_months

AXES = (("longitude", "latitude"), ("easting", "northing"))
MAX_BYTES = 2**31 - 2
"""A block of text that pyarrow parses is no longer."""

NO_ID = 0
"""The number of rows without a Crime ID."""


@dataclass(frozen=True, eq=False)
class Coded:
    """A column by its distinct values.

    Parameters
    ----------
    codes
        (n,) position in `distinct` for each row; -1 where the cell is empty.
    distinct
        The texts, none with spaces around it.
    """

    codes: NDArray[np.int64]
    distinct: list[str]

    def spread(self, each: NDArray[Any], missing: object) -> NDArray[Any]:
        """(n,) what was found for each value, in each row; or what stands for an empty cell."""
        return np.append(each, np.array([missing], dtype=each.dtype))[self.codes]

    def to_categorical(self) -> pd.Categorical:
        """The same with its values in order."""
        order = sorted(range(len(self.distinct)), key=self.distinct.__getitem__)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        words = pd.Index([self.distinct[number] for number in order], dtype=str)
        return cast("pd.Categorical", pd.Categorical.from_codes(self.spread(rank, -1), words))


def read_regular_rows(
    text: DelimitedText,
    theirs: Mapping[str, str],
    columns: Mapping[str, str],
    projection: Projection,
) -> pd.DataFrame | None:
    """Rows of a regular file as the row-exact reader gives them; None where it is anything else.

    Parameters
    ----------
    text
        The file.
    theirs
        Our name -> the file's name of each column that is read.
    columns, projection
        As `patrolplan.inputs.table_reader.project_coordinates` takes them.
    """
    axes = next((pair for pair in AXES if {*pair} <= theirs.keys()), None)
    if axes is None or "occurred_at" in theirs or "month" not in theirs:
        return None
    ids = theirs.get("crime_id")
    coded = {name: theirs[name] for name in ("month", "category", "force", *axes) if name in theirs}
    table = _parse(text, coded, ids)
    if table is None:
        return None
    cells, crime_id = table
    month = np.array([_parse_month(one) for one in cells["month"].distinct], "M8[ns]")
    numbers = [_parse_axis(cells[axis].distinct, axis) for axis in axes]
    is_empty = np.logical_and.reduce([cell.codes < 0 for cell in cells.values()])
    if any(np.isnat(month)) or any(np.isnan(each).any() for each in numbers) or is_empty.any():
        return None
    points, place = _find_distinct_points(cells[axes[0]], cells[axes[1]], numbers)
    distinct = pd.DataFrame(dict(zip(axes, points, strict=True)))
    x, y = project_coordinates(distinct, projection, columns, path=text.path, source="crimes")
    force = cells.get("force", Coded(np.full(len(place), -1), []))
    if (force.codes < 0).any():
        unnamed = np.where(force.codes < 0, len(force.distinct), force.codes)
        force = Coded(unnamed, [*force.distinct, ""])
    return pd.DataFrame(
        {
            "crime_id": crime_id if ids else NO_ID,
            "month": cells["month"].spread(month, np.datetime64("NaT", "ns")),
            "occurred_at": np.full(len(place), np.datetime64("NaT", "ns")),
            "precision": NO_TIME,
            "category": cells["category"].to_categorical(),
            "force": force.to_categorical(),
            "x": x[place],
            "y": y[place],
            "is_coarse": is_coarse(distinct)[place],
        },
    )


def hash_ids(ids: NDArray[np.object_]) -> NDArray[np.uint64]:
    """A 64-bit number for each Crime ID or "": they are only compared, and text takes memory."""
    numbers = pd.util.hash_array(ids, categorize=False)
    return np.where(ids == "", NO_ID, np.maximum(numbers, 1)).astype(np.uint64)


def _parse(
    text: DelimitedText, coded: Mapping[str, str], ids: str | None
) -> tuple[dict[str, Coded], NDArray[np.uint64]] | None:
    """The coded columns and the numbers of Crime IDs; None where the text is not regular."""
    from pyarrow import ArrowInvalid, array, compute, csv, dictionary, int32, py_buffer, string  # noqa: PLC0415 - heavy, and only where not cached

    is_first = text.header_row == 1 and text.encoding == "utf-8-sig"
    if not is_first or len(text.content) > MAX_BYTES or not has_plain_signs(text):
        return None
    kinds = dict.fromkeys(coded.values(), dictionary(int32(), string()))
    if ids:
        kinds[ids] = string()
    try:
        table = csv.read_csv(
            py_buffer(text.content),
            csv.ReadOptions(use_threads=False, block_size=len(text.content) + 1),
            csv.ParseOptions(delimiter=text.delimiter, quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=kinds,
                include_columns=list(kinds),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (ArrowInvalid, KeyError):
        return None
    if table.num_rows == 0:
        return None
    parts = {ours: table.column(name).chunk(0) for ours, name in coded.items()}
    texts = table.column(ids).chunk(0).fill_null("") if ids else array([], string())
    for part in (texts, *(part.dictionary for part in parts.values())):
        if not compute.utf8_trim_whitespace(part).equals(part):
            return None
    cells = {}
    for ours, part in parts.items():
        codes = part.indices.fill_null(-1).to_numpy().astype(np.int64)
        cells[ours] = Coded(codes, part.dictionary.to_pylist())
    return cells, hash_ids(texts.to_numpy(zero_copy_only=False))


@cache
def _parse_month(text: str) -> np.datetime64:
    """First day of a month, or NaT."""
    month: np.datetime64 = parse_months(pd.Series([text], dtype=str)).to_numpy()[0]
    return month


def _parse_axis(values: list[str], axis: str) -> NDArray[np.float64]:
    """(v,) numbers of a coordinate's distinct texts; NaN where one cannot be read."""
    text = pd.Series(values, dtype=object)
    return parse_degrees(text, axis) if axis in AXES[0] else parse_numbers(text)


def _find_distinct_points(
    first: Coded, second: Coded, numbers: list[NDArray[np.float64]]
) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Two (m,) coordinates of the distinct points, NaN where empty, and (n,) each row's point."""
    width = len(second.distinct) + 1
    place, pairs = pd.factorize((first.codes + 1) * width + second.codes + 1)
    positions = (pairs // width - 1, pairs % width - 1)
    return [np.append(one, np.nan)[at] for one, at in zip(numbers, positions, strict=True)], place
