"""Recorded crime as incidents, from data.police.uk files or a force's own extract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from patrolplan.arrays import Bools, Floats, Ints, find_used_numbers
from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs import crime_checks, crime_rows, row_account, table_reader, timestamps
from patrolplan.inputs.crime_checks import CategoryCheck, check_categories, rename_categories
from patrolplan.inputs.formats import Columns, Files, TableSource
from patrolplan.parallel import map_in_threads
from patrolplan.plausibility import Alarms
from patrolplan.tables import LeftOut

FIELDS = (
    table_reader.Field(
        "crime_id", ("Crime ID",), meaning="the same in every file that has the crime"
    ),
    table_reader.Field("month", ("Month",), meaning="month that it was recorded in, YYYY-MM"),
    table_reader.Field("occurred_at", ("date_time", "datetime"), meaning="when, YYYY-MM-DD HH:MM"),
    table_reader.Field("committed_from", meaning="first possible time, where when is not known"),
    table_reader.Field("committed_to", meaning="last possible time"),
    table_reader.Field("category", ("Crime type",), required=True, meaning="its category"),
    table_reader.Field("force", ("Reported by",), meaning="police force that recorded it"),
    *table_reader.POINT_FIELDS,
)


@dataclass(frozen=True, eq=False)
class Crimes:
    """Incidents, and how exact their places are.

    `incidents` (see `patrolplan.tables.INCIDENTS`) have all categories and places in the files.
    `is_exact` is (i,) whether an incident's place is exact: most rows of its file have a date; a
    file of months alone, as open data is, gives snap points. `places` are (m, 2) metres, the
    distinct places sorted by x and then y; `place_index` and `file_index` are (i,) rows of `places`
    and `files`. `ids` are (i,) numbers of the Crime IDs, 0 without, and `forces` all that the files
    have.
    """

    incidents: gpd.GeoDataFrame
    is_exact: Bools
    places: Floats
    place_index: Ints
    files: tuple[str, ...]
    file_index: Ints
    ids: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    forces: frozenset[str] = frozenset()
    categories: CategoryCheck = field(default_factory=CategoryCheck)


def read_crimes(
    paths: Files,
    projection: Projection,
    left_out: LeftOut,
    *,
    columns: Columns = None,
    leave_out_forces: Sequence[str] = (),
    categories: Sequence[str] = (),
    alarms: Alarms | None = None,
) -> Crimes:
    """Read recorded crime; rows that cannot be used are left out and counted by reason."""
    # A row is a duplicate when an earlier file has the same Crime ID, month, category and point.
    # Rows of the same file are never duplicates (offences may share an ID), nor are rows without an
    # ID.
    alarms = Alarms() if alarms is None else alarms
    files = _read_all(paths, projection, columns or {})
    row_account.check_accounts("crimes", [file.account for file in files], left_out, alarms)
    crimes = crime_rows.join_files(files, projection)
    table = crimes.rows
    crime_checks.check_places(
        [file.account for file in files], table["place"], crimes.is_coarse, alarms
    )
    table["category"], respelled = rename_categories(table["category"], categories)
    repeated = table[table["crime_id"].duplicated(keep=False)]  # and those without an ID
    crime_checks.check_overlap(table["file"], repeated, paths, alarms)
    good = _is_complete(table, left_out)
    crime_checks.check_clock(table[good], paths, alarms)
    good &= _is_first_copy(repeated[good[repeated.index]], len(table), left_out)
    excluded = good & table["force"].isin(leave_out_forces).to_numpy()
    left_out.add("crimes", f"recorded by {', '.join(leave_out_forces)}", int(excluded.sum()))
    good &= ~excluded
    good[good] = _is_in_plausible_month(
        table.loc[good, "month"], table.loc[good, "file"], paths, left_out, alarms
    )
    if not good.any():
        if problems := alarms.take_problems():  # they say why
            raise InputError(problems)
        what = "no row with a category, month and place remains"
        raise InputError.one(paths[0], what, "check the file, and leave_out_forces")
    used, place = find_used_numbers(table["place"].to_numpy()[good], len(crimes.places))
    places = crimes.places[used]
    incidents = _build_incidents(table, good, shapely.points(places)[place], projection)
    file = table["file"].to_numpy()[good]
    return Crimes(
        incidents,
        is_exact=_is_exact(table)[file],
        places=places,
        place_index=place,
        files=tuple(path.name for path in paths),
        file_index=file,
        ids=table["crime_id"].to_numpy(dtype=np.uint64)[good],
        forces=frozenset(map(str, table["force"].cat.categories)),
        categories=check_categories(incidents, respelled, categories),
    )


def _is_exact(table: pd.DataFrame) -> Bools:
    """(f,) whether a file's places are exact: most rows have a time, as open data's never have."""
    # A majority, so that one odd row cannot turn snap points into exact places.
    timed = np.bincount(table["file"], table["occurred_at"].notna())
    return np.asarray(timed > np.bincount(table["file"]) / 2)


def _read_all(
    paths: Files, projection: Projection, columns: Mapping[str, str]
) -> list[crime_rows.CrimeFile]:
    def read(path: TableSource) -> crime_rows.CrimeFile:
        depends_on = (projection.crs, dict(columns))
        return crime_rows.load_or_read(
            path, depends_on, partial(_read_one, path, projection, columns)
        )

    problems, files = Problems(), []
    for future in map_in_threads(read, paths):
        with problems.collect():
            files.append(future.result())
    problems.raise_if_any()
    return files


def _read_one(
    path: TableSource, projection: Projection, columns: Mapping[str, str]
) -> crime_rows.CrimeFile:
    counted = table_reader.read_counted_table(path, FIELDS, columns, source="crimes")
    grid = table_reader.find_grid(counted.rows, projection, columns)
    table = counted.rows
    if not {"month", *crime_rows.TIMES} & {*table}:
        what = "has neither a Month nor a date and time"
        remedy = "map one under [columns.crimes], occurred_at = 'their name'"
        raise InputError.one(path, what, remedy)
    times, unreadable = crime_rows.read_times(table, path)
    rows = crime_rows.build_rows(table, times, grid)
    return crime_rows.CrimeFile(rows, row_account.build_account(path, counted, unreadable))


def _is_complete(table: pd.DataFrame, left_out: LeftOut) -> Bools:
    """Whether each row has a category, a month and a place."""
    faults = {
        "without a crime type": table["category"].isna(),
        "without a month or time that can be read": table["month"].isna(),
        "without coordinates": table["place"] == crime_rows.NOWHERE,
    }
    good = np.ones(len(table), dtype=bool)
    for reason, fault in faults.items():
        # Open data gives some crimes no place; the rest is a slip of whoever exported the file.
        fix = "" if reason == "without coordinates" else "correct these rows"
        left_out.add("crimes", reason, int((good & fault).sum()), fix=fix)
        good &= ~fault.to_numpy()
    return good


def _is_first_copy(repeated: pd.DataFrame, rows: int, left_out: LeftOut) -> Bools:
    """Whether each of all rows is in no earlier file; only those with a Crime ID are compared."""
    shared = repeated[repeated["crime_id"] != crime_rows.NO_ID]
    same = ["crime_id", "month", "category", "place"]
    first_file = shared.groupby(same, observed=True)["file"].transform("min")
    duplicates = shared.index[shared["file"] > first_file]
    left_out.add("crimes", "also in an earlier file", len(duplicates))
    is_first = np.ones(rows, dtype=bool)
    is_first[duplicates] = False
    return is_first


def _is_in_plausible_month(
    months: pd.Series, files: pd.Series, paths: Files, left_out: LeftOut, alarms: Alarms
) -> Bools:
    """Whether each row's month is plausible: not in the future, and not alone far from others."""
    isolated = timestamps.is_isolated_month(months)
    for month, rows in months[isolated].value_counts().sort_index().items():
        reason = f"of {month:%Y-%m}, alone and far from all other months"
        left_out.add("crimes", reason, int(rows), fix="correct the month")
    future = ~isolated & (months > timestamps.find_newest_plausible_month()).to_numpy()
    if future.any():
        last = months[future].max()
        reason, count = f"of months in the future, up to {last:%Y-%m}", int(future.sum())
        left_out.add("crimes", reason, count, fix="correct the month")
        crime_checks.check_future(months[future], files, paths, alarms)
    return ~(isolated | future)


def _build_incidents(
    table: pd.DataFrame, good: Bools, points: NDArray[np.object_], projection: Projection
) -> gpd.GeoDataFrame:
    """The good rows as incidents at these points."""
    names = ("category", "month", "occurred_at", "occurred_until", "force")
    data = {name: table[name].array[good] for name in names}
    for name in ("category", "force"):
        data[name] = data[name].remove_unused_categories()
    times, precision = pd.Series(data["occurred_at"]), table["precision"].to_numpy()[good]
    data["timed"] = timestamps.is_time_known(
        precision, times, data["category"].codes.astype(np.int64)
    )
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(points, crs=projection.crs))
