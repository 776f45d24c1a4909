"""Rows of a file of crimes as Arrow's columns, their cache, and all files as one table.

A year of open data is a dozen files or more, so each of them is processed as plain columns;
categories, forces and places are processed once for all files, by their distinct values. Places
stay as they are given until then: millions of crimes are on some ten thousand points, and only
these are projected.

Files of open data, which give months and no times, are cached by their content, so that each is
parsed once; a force's own extract is never copied to the cache, nor is a file with faults, which a
message must name again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from patrolplan.arrays import Bools, Floats, Ints, find_unique_points
from patrolplan.cache import Store
from patrolplan.crs import DEGREES
from patrolplan.inputs import row_account, table_reader, timestamps
from patrolplan.inputs.formats import hash_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from patrolplan.crs import Projection
    from patrolplan.inputs.formats import TableSource

CRIMES = Store("crimes", version="10")  # Change the version when what is read from a file changes
NO_ID = 0  # The number of rows without a Crime ID
NOWHERE = -1  # The place of rows without coordinates
GRID = b"grid"  # Key of a table's metadata with the CRS of its coordinates


@dataclass(frozen=True, eq=False)
class CrimeFile:
    """One file as it was read: its rows, see `build_rows`, and an account of the others."""

    rows: pa.Table
    account: row_account.RowAccount


@dataclass(frozen=True, eq=False)
class CrimeTable:
    """The rows of all files.

    `rows` has `crime_id` (a number, `NO_ID` without), `month`, `occurred_at`, `occurred_until` (see
    `read_times`), `precision` (see `timestamps.classify_precision`), `category`, `force`,
    `place` (row of `places`, `NOWHERE` without) and `file` (position). `places` are (m, 2) distinct
    places in the area's metres, sorted by x and then y; `is_coarse` is (n,) whether a row's is
    rounded, see `row_account.find_coarse`.
    """

    rows: pd.DataFrame
    places: Floats
    is_coarse: Bools


def build_rows(table: pd.DataFrame, times: Mapping[str, Any], grid: str) -> pa.Table:
    """Rows of one file from its text, its times (see `read_times`) and the CRS of its places."""
    # A table without a force has no names; without `occurred_at` there are no times at all.
    from pyarrow import Table, array, dictionary, int32, nulls, string, timestamp  # noqa: PLC0415 - as pandas does

    size, time, words = len(table), timestamp("ns"), dictionary(int32(), string())
    rows: dict[str, Any] = {
        "crime_id": _hash_ids(table.get("crime_id", pd.Series("", index=table.index))),
        "precision": times.get("precision", np.full(size, timestamps.NO_TIME, dtype=np.uint8)),
    }
    for name in ("month", "occurred_at", "occurred_until"):
        is_given = name in times
        rows[name] = array(times[name], time, from_pandas=True) if is_given else nulls(size, time)
    for name in ("category", "force"):
        if name in table:
            rows[name] = array(table[name], string(), from_pandas=True).dictionary_encode()
        else:
            rows[name] = nulls(size, words)
    x, y = table_reader.parse_coordinates(table)
    return Table.from_pydict(rows | {"x": x, "y": y}, metadata={GRID: grid})


def _hash_ids(column: pd.Series) -> NDArray[np.uint64]:
    """A 64-bit number for each Crime ID: they are only compared, and text takes memory."""
    ids = column.to_numpy(dtype=object, na_value="")
    numbers = pd.util.hash_array(ids, categorize=False)
    return np.where(ids == "", NO_ID, np.maximum(numbers, 1)).astype(np.uint64)


def load_or_read(
    path: TableSource, depends_on: Sequence[Any], read: Callable[[], CrimeFile]
) -> CrimeFile:
    """A file's rows from the cache if the same bytes were read before, otherwise from the file."""
    if not path.is_file():
        return read()
    key = json.dumps([*depends_on, hash_source(path)], sort_keys=True)
    decode = partial(_decode, path)
    return CRIMES.load_or_compute(key, read, encode=_encode_if_open, decode=decode)


def _encode_if_open(file: CrimeFile) -> memoryview | None:
    """Rows as Arrow; None where one has a time, as in a force's own extract, or has faults."""
    from pyarrow import BufferOutputStream, ipc  # noqa: PLC0415 - as pandas does

    times = file.rows["occurred_at"]
    if times.null_count < len(times) or file.account.has_faults:
        return None
    stream = BufferOutputStream()
    options = ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with ipc.new_stream(stream, file.rows.schema, options=options) as to:
        to.write_table(file.rows)
    return memoryview(stream.getvalue())


def _decode(path: TableSource, content: bytes) -> CrimeFile:
    from pyarrow import ipc  # noqa: PLC0415 - as pandas does

    rows = ipc.open_stream(content, options=ipc.IpcReadOptions(use_threads=False)).read_all()
    return CrimeFile(rows, row_account.RowAccount(path, len(rows)))


def join_files(files: Sequence[CrimeFile], projection: Projection) -> CrimeTable:
    """All files as one table."""
    from pyarrow import concat_tables  # noqa: PLC0415 - as pandas does

    sizes = [len(file.rows) for file in files]
    grids = [file.rows.schema.metadata[GRID].decode() for file in files]
    table = concat_tables([file.rows.replace_schema_metadata() for file in files])
    table = table.unify_dictionaries()
    names = ("crime_id", "month", "occurred_at", "occurred_until", "precision")
    columns: dict[str, Any] = {name: table[name].to_numpy() for name in names}
    columns["category"] = _order_words(table["category"])
    columns["force"] = _order_words(table["force"], "")
    xy = np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()])
    places, columns["place"], coarse = _locate(xy, grids, sizes, projection)
    columns["file"] = np.repeat(np.arange(len(files)), sizes)
    return CrimeTable(pd.DataFrame(columns, copy=False), places, coarse)


def _order_words(column: pa.ChunkedArray, *missing: str) -> pd.Categorical:
    """Names as pandas' categories, in order; `missing` stands for those that are not given."""
    part = column.combine_chunks()
    words = np.array([*part.dictionary.to_pylist(), *missing], dtype=object)
    order = np.argsort(words)
    rank = np.append(np.argsort(order), -1)
    codes = rank[part.indices.fill_null(len(part.dictionary)).to_numpy()]
    return pd.Categorical.from_codes(codes, pd.Index(words[order], dtype=object))


def _locate(
    xy: Floats, grids: Sequence[str], sizes: Sequence[int], projection: Projection
) -> tuple[Floats, Ints, Bools]:
    """(m, 2) distinct places in metres, (n,) place of each row, and whether it is coarse."""
    # `grids` and `sizes` are the CRS of each file's coordinates, and its rows.
    row_grid = np.repeat([grids.index(grid) for grid in grids], sizes)
    is_given = np.isfinite(xy).all(axis=1)
    point = np.full(len(xy), NOWHERE)
    found, coarse = [np.empty((0, 2))], [np.empty(0, dtype=bool)]
    for number in dict.fromkeys(map(grids.index, grids)):
        rows = np.flatnonzero(is_given & (row_grid == number))
        points, at = find_unique_points(xy[rows])
        point[rows] = at + sum(map(len, found))
        x, y = points.T
        found.append(np.column_stack(projection.to_metres(x, y, grids[number])))
        coarse.append(row_account.find_coarse(points, in_degrees=grids[number] == DEGREES))
    metres = np.concatenate(found)
    is_place = np.isfinite(metres).all(axis=1)
    place = np.full(len(metres) + 1, NOWHERE)
    places, place[:-1][is_place] = find_unique_points(metres[is_place])
    return places, place[point], np.append(np.concatenate(coarse), False)[point]


TIMES = ("occurred_at", "committed_from", "committed_to")
MAX_SPAN = pd.Timedelta("24h")
MAX_APART = pd.Timedelta("31D")
SPAN_REMEDY = "give a last possible time at most 31 days after the first, not before it"


def read_times(
    table: pd.DataFrame, path: TableSource
) -> tuple[dict[str, Any], list[row_account.Unreadable]]:
    """Month, first and last possible time of each row, the first's precision; what is unreadable.

    Without columns of times there is only the month. Where `occurred_at` is empty, `committed_from`
    and `committed_to` count:

    - Both alike, or only one given: the crime happened then.
    - Up to 24 hours apart: it happened in that span. Which half-hour is not known, so such a crime
      counts as one in all, shared out by the clock (`patrolplan.risk.known_times`).
    - Up to 31 days apart: a span that says nothing about the hour; the date and the month are those
      of the first time.
    - The last before the first, or more than 31 days after it: a typing error. Neither time counts;
      the row is left out unless it has a month of its own, and many such rows stop the command.
    """
    unreadable: list[row_account.Unreadable] = []
    columns: dict[str, Any] = {}
    if {*TIMES} & {*table}:
        columns, unreadable = _read_span(table, path)
        month = columns["occurred_at"].dt.to_period("M").dt.to_timestamp().astype("datetime64[ns]")
    if "month" in table:
        given = timestamps.parse_months(table["month"])
        unreadable += row_account.find_unreadable(
            table["month"], given.notna().to_numpy(), row_account.MONTH_REMEDY
        )
        month = month.fillna(given) if columns else given
    return {**columns, "month": month}, unreadable


def _read_span(
    table: pd.DataFrame, path: TableSource
) -> tuple[dict[str, Any], list[row_account.Unreadable]]:
    """The times of a table that has some, see `read_times`."""
    empty = pd.Series(pd.NA, index=table.index, dtype="string")
    unreadable, times, precise = [], [], []
    for text in (table.get(name, empty) for name in TIMES):
        timestamps.check_day_first(text, path)
        times.append(timestamps.parse_timestamps(text))
        precise.append(timestamps.classify_precision(text, times[-1]))
        unreadable += row_account.find_unreadable(
            text, times[-1].notna().to_numpy(), row_account.TIME_REMEDY
        )
    (exact, first, last), no_time = times, timestamps.NO_TIME
    apart = last - first
    wrong = ((apart < pd.Timedelta(0)) | (apart > MAX_APART)).to_numpy()
    if wrong.any():
        text = table["committed_to"][wrong]
        unreadable += row_account.find_unreadable(text, np.zeros(len(text), bool), SPAN_REMEDY)
    is_span = (apart > pd.Timedelta(0)).to_numpy() & ~wrong
    has_times = is_span & (precise[1] != no_time) & (precise[2] != no_time)
    has_times &= (apart <= MAX_SPAN).to_numpy() & exact.isna().to_numpy()
    precision = np.where(first.notna(), precise[1], precise[2])
    precision = np.where(is_span | wrong, no_time, precision)
    return {
        "occurred_at": exact.fillna(first.fillna(last).mask(wrong)),
        "occurred_until": last.where(has_times),
        "precision": np.where(exact.notna(), precise[0], precision).astype(np.uint8),
    }, unreadable
