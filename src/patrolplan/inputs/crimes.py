"""Recorded crime as incidents, from data.police.uk files or a force's own extract.

Open data is cached by the content of its files; a force's own extract is never copied there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import partial
from io import BytesIO
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pandas.api.types import union_categoricals

from patrolplan.arrays import Bools, Floats, Ints, find_unique_points, find_used_numbers
from patrolplan.cache import Store
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import crime_checks, table_reader, timestamps
from patrolplan.inputs.delimited import CountedTable, Unreadable
from patrolplan.inputs.formats import Columns, Files, TableSource, hash_source
from patrolplan.inputs.table_reader import POINT
from patrolplan.plausibility import Alarms
from patrolplan.tables import Column, LeftOut

CRIMES = Store("crimes", version="12")  # Change the version when what is read from a file changes
WORDS = ("category", "force")
NO_ID = 0  # The number of rows without a Crime ID

# fmt: off
COLUMNS = (
    Column("crime_id", "the same in every file that has the crime", needed=False,
           known_names=("Crime ID",)),
    Column("month", "month that it was recorded in, YYYY-MM", needed=False,
           known_names=("Month",)),
    Column("occurred_at", "when, YYYY-MM-DD HH:MM", needed=False,
           known_names=("date_time", "datetime")),
    Column("committed_from", "first possible time, where when is not known", needed=False),
    Column("committed_to", "last possible time", needed=False),
    Column("category", "its category", known_names=("Crime type",)),
    Column("force", "police force that recorded it", needed=False, known_names=("Reported by",)),
    *POINT,
)
# fmt: on


@dataclass(frozen=True, eq=False)
class Crimes:
    """Incidents, and how exact their places are."""

    incidents: gpd.GeoDataFrame  # see `patrolplan.tables.INCIDENTS`; all that the files have
    is_exact: Bools  # (i,) places: not of files of months alone, as open data is (snap points)
    places: Floats  # (m, 2) metres, the distinct places sorted by x and then y
    place_index: Ints  # (i,) rows of `places`
    files: tuple[str, ...]
    file_index: Ints  # (i,) rows of `files`
    # (i,) numbers of the Crime IDs, 0 without; and all forces that the files have
    ids: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    forces: frozenset[str] = frozenset()
    categories: crime_checks.CategoryCheck = field(default_factory=crime_checks.CategoryCheck)


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
    table, files = _load_files(paths, projection, columns or {})
    for name in WORDS:
        table[name] = _use_objects(table[name])
    table_reader.check_accounts("crimes", files, left_out, alarms)
    xy = table[["x", "y"]].to_numpy()
    is_placed = np.isfinite(xy).all(axis=1)
    table["place"] = crime_checks.NOWHERE
    all_places, table.loc[is_placed, "place"] = find_unique_points(xy[is_placed])
    crime_checks.check_places(files, table["place"], table["is_coarse"].to_numpy(), alarms)
    table["category"], respelled = crime_checks.rename_categories(table["category"], categories)
    repeated = table[table["crime_id"].duplicated(keep=False)]  # and those without an ID
    crime_checks.check_overlap(table["file"], repeated, paths, alarms)
    good = _is_complete(table, left_out)
    crime_checks.check_clock(table[good], paths, alarms)
    shared = repeated[good[repeated.index] & (repeated["crime_id"] != NO_ID)]
    same = ["crime_id", "month", "category", "place"]
    first_file = shared.groupby(same, observed=True)["file"].transform("min")
    duplicates = shared.index[shared["file"] > first_file]
    left_out.add("crimes", "also in an earlier file", len(duplicates))
    good[duplicates] = False
    excluded = good & table["force"].isin(leave_out_forces).to_numpy()
    left_out.add("crimes", f"recorded by {', '.join(leave_out_forces)}", int(excluded.sum()))
    good &= ~excluded
    dated = table.loc[good]
    good[good] = _is_in_plausible_month(dated["month"], dated["file"], paths, left_out, alarms)
    if not good.any():
        if problems := alarms.take_problems():  # they say why
            raise InputError(problems)
        what = "no row with a category, month and place remains"
        raise InputError.one(paths[0], what, "check the file, and leave_out_forces")
    used, place = find_used_numbers(table["place"].to_numpy()[good], len(all_places))
    places = all_places[used]
    incidents = _build_incidents(table, good, shapely.points(places)[place], projection)
    file = table["file"].to_numpy()[good]
    # A file's places are exact if most rows have a time, as open data's never have: a majority, so
    # that one odd row cannot turn snap points into exact places.
    timed = np.bincount(table["file"], table["occurred_at"].notna())
    return Crimes(
        incidents,
        is_exact=(timed > np.bincount(table["file"]) / 2)[file],
        places=places,
        place_index=place,
        files=tuple(path.name for path in paths),
        file_index=file,
        ids=table["crime_id"].to_numpy(dtype=np.uint64)[good],
        forces=frozenset(map(str, table["force"].cat.categories)),
        categories=crime_checks.check_categories(incidents, respelled, categories),
    )


def _load_files(
    paths: Files, projection: Projection, columns: Mapping[str, str]
) -> tuple[pd.DataFrame, list[CountedTable]]:
    """The rows of all files with the `file` of each, from the cache if there, and file by file."""
    read = partial(_read_files, paths, projection, columns)
    if not all(path.is_file() for path in paths):
        return read()
    key = json.dumps([projection.crs, dict(columns), *map(hash_source, paths)], sort_keys=True)
    return CRIMES.load_or_compute(key, read, encode=_encode_if_open, decode=partial(_decode, paths))


def _read_files(
    paths: Files, projection: Projection, columns: Mapping[str, str]
) -> tuple[pd.DataFrame, list[CountedTable]]:
    read = partial(_read_one, projection=projection, columns=columns)
    files = table_reader.read_each(paths, read)
    columns_of = {name: [_use_objects(file.rows[name]) for file in files] for name in WORDS}
    words = {name: union_categoricals(of, sort_categories=True) for name, of in columns_of.items()}
    numbers = [file.rows.drop(columns=[*WORDS]).assign(file=n) for n, file in enumerate(files)]
    return pd.concat(numbers, ignore_index=True).assign(**words), files


def _use_objects(column: pd.Series) -> pd.Categorical:
    """A column of words with categories of one type, whatever the file and the cache gave."""
    return pd.Categorical.from_codes(column.cat.codes, column.cat.categories.astype(object))


def _encode_if_open(content: tuple[pd.DataFrame, list[CountedTable]]) -> memoryview | None:
    """All as JSON and Feather; None where a row has a time, as in a force's own extract."""
    table, files = content
    if table["occurred_at"].notna().any():
        return None
    accounts = [
        (len(one.rows), one.malformed, one.unread, one.is_cut, [*map(astuple, one.unreadable)])
        for one in files
    ]
    stream = BytesIO()
    stream.write(json.dumps(accounts).encode() + b"\n")
    table.to_feather(stream)
    return stream.getbuffer()


def _decode(paths: Files, content: bytes) -> tuple[pd.DataFrame, list[CountedTable]]:
    head, _, rows = content.partition(b"\n")
    table = pd.read_feather(BytesIO(rows))
    files, start = list[CountedTable](), 0
    for path, (size, malformed, unread, is_cut, found) in zip(paths, json.loads(head), strict=True):
        of_file, start = table.iloc[start : start + size], start + size
        unreadable = tuple(Unreadable(*one) for one in found)
        counts = tuple(malformed), tuple(unread)
        files.append(CountedTable(path, of_file, *counts, is_cut, unreadable))
    return table, files


def _read_one(
    path: TableSource, projection: Projection, columns: Mapping[str, str]
) -> CountedTable:
    """A file's rows: number of the ID, times, `precision`, words, `x`, `y`, `is_coarse`."""
    counted = table_reader.read_placed_table(path, COLUMNS, columns, projection, source="crimes")
    table = counted.rows
    if not {"month", *TIMES} & {*table}:
        what = "has neither a Month nor a date and time"
        remedy = "map one under [columns.crimes], occurred_at = 'their name'"
        raise InputError.one(path, what, remedy)
    blank = pd.Series("", index=table.index, dtype="str")
    ids = table.get("crime_id", blank).to_numpy(dtype=object, na_value="")
    # A 64-bit number for each Crime ID: they are only compared, and text takes memory.
    numbers = np.maximum(pd.util.hash_array(ids, categorize=False), 1)
    times, unreadable = _read_times(table, path)
    rows = table[["x", "y", "is_coarse"]].assign(
        crime_id=np.where(ids == "", NO_ID, numbers).astype(np.uint64),
        **times,
        category=table["category"].astype("category"),
        force=table.get("force", blank).fillna("").astype("category"),
    )
    found = (*unreadable, *counted.unreadable)
    return replace(counted, rows=rows.reset_index(drop=True), unreadable=found)


TIMES = ("occurred_at", "committed_from", "committed_to")
MAX_SPAN = pd.Timedelta("24h")
MAX_APART = pd.Timedelta("31D")
SPAN_REMEDY = "give a last possible time at most 31 days after the first, not before it"


def _read_times(table: pd.DataFrame, path: TableSource) -> tuple[dict[str, Any], list[Unreadable]]:
    """Month, first and last possible time, its precision, of each row; what is unreadable."""
    # Where `occurred_at` is empty, `committed_from` and `committed_to` count: alike, or one alone,
    # as the time; up to 24 hours apart as a span, in which the crime counts as one in all, shared
    # out by the clock (`risk.learned_clock`); up to 31 days apart as the first date alone. Further
    # apart, or in the wrong order, they are a typing error: neither counts; the row is left out
    # unless it has a month of its own, and many such rows stop the command.
    never = pd.Series(pd.NaT, table.index, dtype="datetime64[ns]")
    times, no_time = dict.fromkeys(TIMES, never), timestamps.NO_TIME
    precise = dict.fromkeys(TIMES, np.full(len(table), no_time, dtype=np.uint8))
    unreadable: list[Unreadable] = []
    for name in (one for one in TIMES if one in table):
        text = table[name]
        timestamps.check_day_first(text, path)
        times[name] = timestamps.parse_timestamps(text)
        precise[name] = timestamps.classify_precision(text, times[name])
        is_read, remedy = times[name].notna().to_numpy(), table_reader.TIME_REMEDY
        unreadable += table_reader.find_unreadable(text, is_read, remedy)
    (exact, first, last), (of_exact, of_first, of_last) = times.values(), precise.values()
    apart = last - first
    wrong = ((apart < pd.Timedelta(0)) | (apart > MAX_APART)).to_numpy()
    if wrong.any():
        unreadable += table_reader.find_unreadable(table["committed_to"], ~wrong, SPAN_REMEDY)
    is_span = (apart > pd.Timedelta(0)).to_numpy() & ~wrong
    has_times = is_span & (of_first != no_time) & (of_last != no_time)
    has_times &= (apart <= MAX_SPAN).to_numpy() & exact.isna().to_numpy()
    precision = np.where(first.notna(), of_first, of_last)
    precision = np.where(is_span | wrong, no_time, precision)
    at = exact.fillna(first.fillna(last).mask(wrong))
    month = at.dt.to_period("M").dt.to_timestamp().astype("datetime64[ns]")
    if "month" in table:
        given = timestamps.parse_months(table["month"])
        is_read, remedy = given.notna().to_numpy(), table_reader.MONTH_REMEDY
        unreadable += table_reader.find_unreadable(table["month"], is_read, remedy)
        month = month.fillna(given)
    return {
        "occurred_at": at,
        "occurred_until": last.where(has_times),
        "precision": np.where(exact.notna(), of_exact, precision).astype(np.uint8),
        "month": month,
    }, unreadable


def _is_complete(table: pd.DataFrame, left_out: LeftOut) -> Bools:
    """Whether each row has a category, a month and a place."""
    faults = {
        "without a crime type": table["category"].isna(),
        "without a month or time that can be read": table["month"].isna(),
        "without coordinates": table["place"] == crime_checks.NOWHERE,
    }
    good = np.ones(len(table), dtype=bool)
    for reason, fault in faults.items():
        # Open data gives some crimes no place; the rest is a slip of whoever exported the file.
        fix = "" if reason == "without coordinates" else "correct these rows"
        left_out.add("crimes", reason, int((good & fault).sum()), fix=fix)
        good &= ~fault.to_numpy()
    return good


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
    category = data["category"].codes.astype(np.int64)
    data["timed"] = timestamps.is_time_known(precision, times, category)
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(points, crs=projection.crs))
