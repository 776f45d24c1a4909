"""Recorded crime as incidents, from data.police.uk files or a force's own extract.

Files of open data, which give months and no times, are cached by their content, so that each is
parsed once; a force's own extract is never copied to the cache.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pandas.api.types import union_categoricals

from patrolplan.arrays import find_unique_points
from patrolplan.atomic import hash_file
from patrolplan.cache import Store
from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.table_reader import POINT_FIELDS, Field, project_coordinates, read_table
from patrolplan.inputs.timestamps import (
    NO_TIME,
    classify_precision,
    drop_implausible_years,
    is_isolated_month,
    is_time_known,
    parse_timestamps,
)
from patrolplan.parallel import map_in_threads
from patrolplan.tables import INCIDENTS, LeftOut

CRIMES = Store("crimes", version="5")
"""Change the version when what is read from a file changes."""

Reader = Callable[[Path, Projection, Mapping[str, str]], pd.DataFrame]


def read_cached_crimes(
    path: Path, projection: Projection, columns: Mapping[str, str], read: Reader
) -> pd.DataFrame:
    """A file's rows from the cache where the same bytes were read before, else from the file.

    Parameters
    ----------
    path, projection, columns
        As the reader takes them; all that the rows hang on.
    read
        Reads a file; the rows hold `month` and `occurred_at`.
    """
    if not path.is_file():
        return read(path, projection, columns)
    key = json.dumps([projection.crs, dict(sorted(columns.items())), hash_file(path)])
    return CRIMES.load_or_compute(
        key,
        lambda: read(path, projection, columns),
        encode=_encode_if_open,
        decode=lambda content: pd.read_parquet(BytesIO(content)),
    )


def _encode_if_open(table: pd.DataFrame) -> bytes | None:
    """Rows as Parquet; None where one has a time, as in a force's own extract."""
    if table["occurred_at"].notna().any():
        return None
    content: bytes = table.to_parquet()
    return content


FIELDS = (
    Field("crime_id", ("Crime ID",)),
    Field("month", ("Month",)),
    Field("occurred_at", ("date_time", "datetime")),
    Field("category", ("Crime type",), required=True),
    Field("force", ("Reported by",)),
    *POINT_FIELDS,
)

NO_ID = 0
"""The number of rows without a Crime ID."""

COLUMNS = ("crime_id", "month", "occurred_at", "precision", "category", "force", "x", "y")
"""Columns of a file that was read; `precision` as in `timestamps.classify_precision`."""

COLUMN_DTYPES = {
    "crime_id": "uint64",
    "month": "datetime64[ns]",
    "occurred_at": "datetime64[ns]",
    "precision": "uint8",
    "x": "float64",
    "y": "float64",
}
"""numpy's types of the columns that are not text."""


@dataclass(frozen=True, eq=False)
class Crimes:
    """Incidents, and how exact their places are.

    Parameters
    ----------
    incidents
        See `patrolplan.tables.INCIDENTS`; all categories and places in the files.
    is_exact
        (i,) whether an incident's place is exact: most rows of its file have a date. A file of
        months alone, as open data is, gives snap points.
    places
        (m, 2) metres, the distinct places of all incidents, sorted by x and then y.
    place_index
        (i,) row of `places` for each incident.
    files
        Names of the files.
    file_index
        (i,) position in `files` for each incident.
    """

    incidents: gpd.GeoDataFrame
    is_exact: NDArray[np.bool_]
    places: NDArray[np.float64]
    place_index: NDArray[np.int64]
    files: tuple[str, ...]
    file_index: NDArray[np.int64]


def read_crimes(
    paths: Sequence[Path],
    projection: Projection,
    left_out: LeftOut,
    *,
    columns: Mapping[str, str] | None = None,
    leave_out_forces: Sequence[str] = (),
) -> Crimes:
    """Read recorded crime from any number of files.

    Rows without coordinates, month or category are left out and counted, and so are the few rows
    of a month far from all others, which is a typing error. A row is a duplicate when an earlier
    file has the same Crime ID, month, category and point. Rows of the same file are never
    duplicates (offences may share an ID), nor are rows without an ID.

    Raises
    ------
    InputError
        With the problems of all files that cannot be read, or when no row is left.
    """
    tables = _read_all(paths, projection, columns or {})
    table = _join_tables(tables)
    good = _is_complete(table, left_out)
    good &= _is_first_copy(table, good, left_out)
    excluded = good & table["force"].isin(leave_out_forces).to_numpy()
    left_out.add("crimes", f"recorded by {', '.join(leave_out_forces)}", int(excluded.sum()))
    good &= ~excluded
    good[good] = _is_in_plausible_month(table.loc[good, "month"], left_out)
    if not good.any():
        what = "no row with a category, month and place remains"
        raise InputError.one(paths[0], what, "check the file, and leave_out_forces")
    # Millions of rows share some ten thousand snap points, so each point is built only once.
    places, place = find_unique_points(
        np.column_stack([table["x"].array[good], table["y"].array[good]])
    )
    incidents = _build_incidents(table, good, shapely.points(places)[place], projection)
    file = table["file"].to_numpy()[good]
    return Crimes(
        incidents,
        is_exact=np.array([_is_exact(one) for one in tables])[file],
        places=places,
        place_index=place,
        files=tuple(path.name for path in paths),
        file_index=file,
    )


def _is_exact(table: pd.DataFrame) -> bool:
    """Whether a file's places are exact: most rows have a time, as open data's never have.

    A majority, so that a single odd row cannot turn snap points into exact places or vice versa.
    """
    return bool(table["occurred_at"].count() > len(table) / 2)


def _read_all(
    paths: Sequence[Path], projection: Projection, columns: Mapping[str, str]
) -> list[pd.DataFrame]:
    problems = Problems()
    tables = []
    for future in map_in_threads(
        lambda path: read_cached_crimes(path, projection, columns, _read_one), paths
    ):
        with problems.collect():
            tables.append(future.result())
    problems.raise_if_any()
    return tables


def _read_one(path: Path, projection: Projection, columns: Mapping[str, str]) -> pd.DataFrame:
    table = read_table(path, FIELDS, columns, source="crimes")
    x, y = project_coordinates(table, projection, columns, path=path, source="crimes")
    table = _add_month(table.assign(x=x, y=y), path)
    force = table["force"].fillna("") if "force" in table else ""
    table = table.assign(
        crime_id=_hash_ids(table["crime_id"]) if "crime_id" in table else NO_ID, force=force
    )
    return table[list(COLUMNS)].astype({"category": "category", "force": "category"})


def _hash_ids(ids: pd.Series) -> NDArray[np.uint64]:
    """A 64-bit number for each Crime ID: IDs are only compared, and text takes more memory."""
    numbers = pd.util.hash_array(ids.to_numpy(dtype=object, na_value=""), categorize=False)
    return np.where(ids.isna(), NO_ID, np.maximum(numbers, 1)).astype(np.uint64)


def _join_tables(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """All tables as one, with the position of each row's `file`."""
    columns: dict[str, Any] = {
        name: np.concatenate([table[name].to_numpy(dtype=kind) for table in tables])
        for name, kind in COLUMN_DTYPES.items()
    }
    for name in ("category", "force"):
        words = [_make_categorical(table[name]) for table in tables]
        columns[name] = union_categoricals(words, sort_categories=True)
    columns["file"] = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    return pd.DataFrame(columns, copy=False)


def _add_month(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Add each row's time, its precision, and its month: from the time, else the month's column."""
    if not {"occurred_at", "month"} & set(table.columns):
        what = "has neither a Month nor a date and time"
        remedy = "map one under [columns.crimes], occurred_at = 'their name'"
        raise InputError.one(path, what, remedy)
    occurred = month = pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns]")
    precision: NDArray[np.uint8] | int = NO_TIME
    if "occurred_at" in table:
        occurred = parse_timestamps(table["occurred_at"])
        precision = classify_precision(table["occurred_at"], occurred)
        month = occurred.dt.to_period("M").dt.to_timestamp().astype("datetime64[ns]")
    if "month" in table:
        given = pd.to_datetime(table["month"], format="%Y-%m", errors="coerce")
        month = month.fillna(drop_implausible_years(given))
    return table.assign(month=month, occurred_at=occurred, precision=precision)


def _make_categorical(column: pd.Series) -> pd.Categorical:
    """A column as categories of one type in every file, also where the column is empty."""
    categorical = pd.Categorical(column)
    return pd.Categorical.from_codes(categorical.codes, categorical.categories.astype(object))


def _is_complete(table: pd.DataFrame, left_out: LeftOut) -> NDArray[np.bool_]:
    """Whether each row has a category, a month and a place."""
    faults = {
        "without a crime type": table["category"].isna(),
        "without a month or time that can be read": table["month"].isna(),
        "without coordinates": table["x"].isna(),
    }
    good = np.ones(len(table), dtype=bool)
    for reason, fault in faults.items():
        left_out.add("crimes", reason, int((good & fault).sum()))
        good &= ~fault.to_numpy()
    return good


def _is_first_copy(
    table: pd.DataFrame, good: NDArray[np.bool_], left_out: LeftOut
) -> NDArray[np.bool_]:
    """Whether each row is in no earlier file; only good rows with a Crime ID are compared."""
    ids = table["crime_id"]
    shared = table[good & (ids != NO_ID) & ids.duplicated(keep=False)]
    same = ["crime_id", "month", "category", "x", "y"]
    first_file = shared.groupby(same, observed=True)["file"].transform("min")
    duplicates = shared.index[shared["file"] > first_file]
    left_out.add("crimes", "also in an earlier file", len(duplicates))
    is_first = np.ones(len(table), dtype=bool)
    is_first[duplicates] = False
    return is_first


def _is_in_plausible_month(months: pd.Series, left_out: LeftOut) -> NDArray[np.bool_]:
    """Whether each row's month is plausible, see `timestamps.is_isolated_month`."""
    isolated = is_isolated_month(months)
    for month, rows in months[isolated].value_counts().sort_index().items():
        reason = f"of {month:%Y-%m}, alone and far from all other months"
        left_out.add("crimes", reason, int(rows))
    return ~isolated


def _build_incidents(
    table: pd.DataFrame,
    good: NDArray[np.bool_],
    points: NDArray[np.object_],
    projection: Projection,
) -> gpd.GeoDataFrame:
    """The good rows as incidents at these points."""
    data = {name: table[name].array[good] for name in ("category", "month", "occurred_at", "force")}
    for name in ("category", "force"):
        data[name] = data[name].remove_unused_categories()
    times, precision = pd.Series(data["occurred_at"]), table["precision"].to_numpy()[good]
    data["timed"] = is_time_known(precision, times, data["category"].codes.astype(np.int64))
    frame = gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(points, crs=projection.crs))
    return INCIDENTS.check(frame)
