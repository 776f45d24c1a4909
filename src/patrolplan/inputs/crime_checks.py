"""Plausibility of recorded crime as a whole: rows, copies, clocks, the future, and categories.

A category in neither data.police.uk nor the settings has little weight: it must not go unnoticed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd

from patrolplan.arrays import Bools
from patrolplan.inputs.delimited import CountedTable
from patrolplan.inputs.formats import Files
from patrolplan.inputs.table_reader import AXES, check_resolution
from patrolplan.inputs.timestamps import TIMED
from patrolplan.plausibility import Alarms, exceeds_bound
from patrolplan.settings import CATEGORIES

NOWHERE = -1  # The place of rows without coordinates
MIN_COARSE_ROWS = 20  # Minimum number of rows to judge how places are rounded
MAX_EMPTY_SHARE = 0.5  # Maximum share of rows without coordinates: forces give none for a tenth
MAX_OVERLAP_SHARE = 0.5  # Maximum share of a file's rows that earlier files also have
MIN_CLOCK_ROWS = 50  # Minimum number of times to judge the clock
NOON = 12


def check_places(
    accounts: Sequence[CountedTable], places: pd.Series, is_coarse: Bools, alarms: Alarms
) -> None:
    """Check that most of (n,) crimes have a place, and one that is exact enough for streets."""
    is_placed = (places != NOWHERE).to_numpy()
    path = accounts[0].path
    check_resolution("crimes", path, is_coarse[is_placed], alarms, min_rows=MIN_COARSE_ROWS)
    total = sum(account.row_count for account in accounts)
    unreadable = (one for account in accounts for one in account.unreadable)
    empty = int((~is_placed).sum())
    empty -= sum(one.count for one in unreadable if one.column in {*AXES[0], *AXES[1]})
    if exceeds_bound(empty, total, MAX_EMPTY_SHARE):
        what = f"{empty:,} of {total:,} rows have no coordinates"
        alarms.add("refused_rows", path, what, "export them with coordinates")


def check_clock(table: pd.DataFrame, paths: Files, alarms: Alarms) -> None:
    """Notice a 12-hour clock without am and pm: no file of many times ends at 12:59."""
    timed = table[table["precision"] == TIMED]
    for file, of_file in timed["occurred_at"].dt.hour.groupby(timed["file"]):
        if len(of_file) < MIN_CLOCK_ROWS or of_file.max() > NOON or of_file.min() < 1:
            continue
        what = f"none of its {len(of_file):,} times is after 12:59 or before 01:00, "
        what += "as on a 12-hour clock without am and pm"
        remedy = "export the times with hours from 00 to 23"
        alarms.add("unusual_times", paths[int(str(file))], what, remedy)


def check_overlap(files: pd.Series, rows: pd.DataFrame, paths: Files, alarms: Alarms) -> None:
    """Notice a file most of whose rows earlier files have as well: those without ID count twice."""
    # `files` are of all rows; `rows` are those without an ID of their own.
    columns = ["crime_id", "month", "occurred_at", "category", "force", "place"]
    alike = pd.util.hash_pandas_object(rows[columns], index=False)
    first = rows["file"].groupby(alike, sort=False).transform("min")
    total = np.bincount(files, minlength=len(paths))
    again = np.bincount(rows["file"][first < rows["file"]], minlength=len(paths))
    for number in map(int, np.flatnonzero(again)):
        if exceeds_bound(int(again[number]), int(total[number]), MAX_OVERLAP_SHARE):
            what = f"{again[number]:,} of its {total[number]:,} rows are also in earlier files"
            alarms.add("duplicate_files", paths[number], what, "remove one of the files")


def check_future(months: pd.Series, files: pd.Series, paths: Files, alarms: Alarms) -> None:
    """Notice more months of the future than typing errors explain; `files` are of all crimes."""
    if exceeds_bound(len(months), len(files)):
        what = f"{len(months):,} of {len(files):,} crimes have months in the future, "
        what += f"up to {months.max():%Y-%m}"
        alarms.add("refused_rows", paths[int(files[months.index[0]])], what, "correct the months")


MIN_RENAMED_ROWS = 10  # Rarer categories than this begin and end by chance
MAX_RENAMING_GAP = pd.Timedelta(days=62)  # From a name's end to the start of its new one


@dataclass(frozen=True)
class UnknownCategory:
    """An unknown category, the nearest known name, and the known one that ends as it begins."""

    name: str
    count: int
    nearest: str
    replaces: str


@dataclass(frozen=True)
class CategoryCheck:
    """What is wrong with names of categories; `total` crimes have any."""

    respelled: tuple[tuple[str, str, int], ...] = ()  # name in the files, known name, rows
    unknown: tuple[UnknownCategory, ...] = ()  # the most frequent first
    total: int = 0


def rename_categories(
    column: pd.Series, own: Sequence[str]
) -> tuple[pd.Series, tuple[tuple[str, str, int], ...]]:
    """The column with known names, and what was renamed: name in the files, known name, rows."""
    # Only case and spaces may differ. A name that is exactly in `own` or data.police.uk stays.
    names = list(column.cat.categories)
    exact = {*own, *CATEGORIES}
    # The later of two names that differ by case counts: the settings' if the files have it.
    ranked = [*own, *CATEGORIES, *(name for name in own if name in names)]
    by_fold = {_fold(name): name for name in ranked}
    renamed = {one: one if one in exact else by_fold.get(_fold(one), one) for one in names}
    changed = ((old, new) for old, new in renamed.items() if old != new)
    found = tuple((old, new, int((column == old).sum())) for old, new in changed)
    if not found:
        return column, ()
    merged = pd.CategoricalDtype(pd.Index(dict.fromkeys(renamed.values()), dtype=object))
    return column.astype(object).map(renamed).astype(merged), found


def check_categories(
    incidents: pd.DataFrame, respelled: tuple[tuple[str, str, int], ...], own: Iterable[str]
) -> CategoryCheck:
    """The categories of all rows that are not known, with the nearest known name."""
    expected = tuple(dict.fromkeys((*CATEGORIES, *own)))
    months = incidents.groupby("category", observed=True)["month"].agg(["min", "max", "size"])
    ended = months[months.index.isin(expected) & (months["size"] >= MIN_RENAMED_ROWS)]
    ended = ended.loc[ended["max"] < incidents["month"].max(), "max"]
    unknown = []
    for name, first, count in zip(months.index, months["min"], months["size"], strict=True):
        if name in expected:
            continue
        nearest = get_close_matches(str(name), expected, n=1, cutoff=0.5)
        gap = (first - ended).abs()
        replaced = gap[(gap <= MAX_RENAMING_GAP) & (count >= MIN_RENAMED_ROWS)]
        replaces = str(replaced.idxmin()) if len(replaced) else ""
        unknown.append(UnknownCategory(str(name), int(count), "".join(nearest), replaces))
    unknown.sort(key=lambda one: (-one.count, one.name))
    return CategoryCheck(respelled, tuple(unknown), len(incidents))


def _fold(name: str) -> str:
    """A name without regard to case, and with single spaces."""
    return " ".join(name.split()).casefold()
