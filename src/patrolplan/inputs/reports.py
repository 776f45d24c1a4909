"""Pupils' reports: read as a whole, counted by square, and dropped; see `patrolplan.privacy`.

Free text never enters memory. Only paths, names of columns and the step may come in, no row go out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from patrolplan.arrays import Bools, Floats, Ints, count_pairs
from patrolplan.crs import GREAT_BRITAIN, NOWHERE, find_squares, is_within, number_squares
from patrolplan.errors import InputError, Problems
from patrolplan.inputs import table_reader
from patrolplan.inputs.delimited import MALFORMED
from patrolplan.inputs.formats import Columns, Files, TableSource, hash_source
from patrolplan.inputs.survey_form import check_surveys_differ, has_record
from patrolplan.inputs.table_reader import parse_axis, parse_numbers, read_counted_table
from patrolplan.inputs.timestamps import parse_days
from patrolplan.plausibility import CheckName
from patrolplan.privacy import FACTOR_NAMES, FACTORS, ROUNDING_STEP, ReportTable, suppress_and_round
from patrolplan.tables import Column
from patrolplan.times import MONTHS_A_TERM, SchoolTerm

NONE_GIVEN = "none"  # The value of a report without a place factor, or without a behaviour factor
UNKNOWN_BAND = "unknown"  # Time of a report without one, such as a survey rounded away
ALLOWED_VALUES = {
    column: (*names, UNKNOWN_BAND if column == "time_band" else NONE_GIVEN)
    for column, names in FACTORS.items()
}
MEANINGS = {
    "report_id": "the same where a report is there twice",
    "reported_on": "day, YYYY-MM-DD",
    **{column: " or ".join(allowed) for column, allowed in ALLOWED_VALUES.items()},
    **dict.fromkeys(("longitude", "latitude"), "degrees"),
}
COLUMNS = tuple(Column(name, meaning) for name, meaning in MEANINGS.items())


def read_reports(
    paths: Files, *, columns: Columns = None, step: int = ROUNDING_STEP
) -> ReportTable:
    """Count the reports of all files; wrong rows are refused and counted, never corrected."""
    problems = Problems()
    tables, by_digest = [], dict[str, TableSource]()
    for path in paths:
        with problems.collect():
            tables.append(read_counted_table(path, COLUMNS, columns or {}, source="reports"))
            digest = hash_source(path)
            if digest in by_digest:  # reports without an ID would count several times
                what = f"has the same content as {by_digest[digest]}"
                raise InputError.one(path, what, "name it once in [sources] reports")
            by_digest[digest] = path
    check_surveys_differ([path for path in paths if isinstance(path, Path)], problems)
    problems.raise_if_any()
    typed = [not has_record(path) for path in paths]
    check_copied_rows(paths, [one.rows for one in tables], typed, problems)
    problems.raise_if_any()
    rows = pd.concat([one.rows for one in tables], ignore_index=True)
    return count_reports(rows, step, malformed=sum(len(one.malformed) for one in tables))


ODD: dict[CheckName, str] = {
    "report_places": "most reports have coordinates of only two or three decimals",
    "report_pin": "a quarter of the reports or more are at one point",
    "report_days": "most reports are of one day",
    "report_words": "most reports have the same words in every column",
    "report_bands": "most reports have an unknown time band",
}  # Checks of a file as a whole, whose messages show no number and no value


MIN_ALIKE, MANY_ALIKE, HALF, TENTH = 2, 5, 0.5, 0.1
"""Reports alike that are a copy if they are half of a file, and if they are a tenth of it."""

MIN_JUDGED = 50  # Fewer reports than this may be alike by chance
DAY_AND_WORDS = ("reported_on", *FACTORS)


def check_copied_rows(
    paths: Files, tables: Sequence[pd.DataFrame], typed: Sequence[bool], problems: Problems
) -> None:
    """Refuse reports alike in place, day and words: the same children again, whatever their IDs."""
    # Two files of `survey --read`, which are not `typed`, are compared by their surveys instead:
    # their reports are all at the middle of a square.
    every = list(range(2 + len(DAY_AND_WORDS)))
    counts = [_count_alike(_list_places(rows), every) for rows in tables]
    remedy = "name each report once: delete the copy"
    for number, (path, own) in enumerate(zip(paths, counts, strict=True)):
        again = own.sum() - len(own)
        if typed[number] and len(own) >= MIN_KINDS and again > max(MANY_ALIKE, FEW * own.sum()):
            what = "holds its reports more than once, alike in place, day and words"
            problems.add(path, what, remedy)
        for other, theirs in zip(paths[:number], counts[:number], strict=True):
            if not typed[number] and not typed[paths.index(other)]:
                continue
            both = pd.concat([own, theirs], axis=1, join="inner").min(axis=1).sum()
            share = both / max(1, min(own.sum(), theirs.sum()))
            if (both >= MIN_ALIKE and share >= HALF) or (both >= MANY_ALIKE and share > TENTH):
                what = f"has reports alike in place, day and words to those of {other}"
                problems.add(path, what, remedy)


MIN_KINDS, FEW, QUARTER = 20, 0.03, 0.25
"""Kinds of reports by which rows pasted twice are noticed, and the share of rows that may be."""


def find_odd_files(
    paths: Files, columns: Columns = None
) -> Iterator[tuple[CheckName, TableSource]]:
    """Checks by which files are wrong as a whole, see `ODD`; no row or number leaves it either."""
    for path in paths:
        if has_record(path):
            continue
        table = _list_places(
            read_counted_table(path, COLUMNS, columns or {}, source="reports").rows
        )
        if len(table) < MIN_JUDGED:
            continue
        coarse = table_reader.find_coarse(table[[0, 1]].to_numpy(dtype=float), in_degrees=True)
        shares: dict[CheckName, tuple[float, float]] = {"report_places": (coarse.mean(), HALF)}
        for name, numbers, most in ALIKE:
            shares[name] = _count_alike(table, numbers).max() / len(table), most
        shares["report_bands"] = (table[3] == UNKNOWN_BAND).mean(), HALF
        yield from ((name, path) for name, (share, most) in shares.items() if share > most)


def _list_places(rows: pd.DataFrame) -> pd.DataFrame:
    """The place to a metre, day and words of each report with a place."""
    degrees = (parse_axis(rows[axis], "longitude") for axis in ("longitude", "latitude"))
    words = [rows[name].fillna("").to_numpy() for name in DAY_AND_WORDS]
    return pd.DataFrame(dict(enumerate([*(one.round(5) for one in degrees), *words]))).dropna()


def _count_alike(table: pd.DataFrame, columns: list[int]) -> pd.Series:
    """How many rows have the same values in some columns, by a hash of these."""
    return pd.util.hash_pandas_object(table[columns], index=False).value_counts()


ALIKE: tuple[tuple[CheckName, list[int], float], ...] = (
    ("report_pin", [0, 1], QUARTER),
    ("report_days", [2], HALF),
    ("report_words", [3, 4, 5], HALF),
)


def count_reports(rows: pd.DataFrame, step: int, *, malformed: int = 0) -> ReportTable:
    """The suppressed and rounded counts of raw rows (`MEANINGS` as text, a row a report)."""
    longitude, latitude = parse_numbers(rows["longitude"]), parse_numbers(rows["latitude"])
    squares = find_squares(np.column_stack([longitude, latitude]))
    good = np.ones(len(rows), dtype=bool)
    refused = {MALFORMED: int(suppress_and_round(malformed, step))} if malformed else {}
    for reason, fault in _find_faults(rows, longitude, latitude, squares).items():
        if count := int((good & fault).sum()):
            refused[reason] = int(suppress_and_round(count, step))
        good &= ~fault
    held, of_row = number_squares(squares[good])
    counts = np.bincount(of_row, minlength=len(held))
    is_large = counts >= step
    by_factor = np.zeros((len(held), len(FACTOR_NAMES)), dtype=np.int64)
    for column in FACTORS:
        number = pd.Index(FACTOR_NAMES).get_indexer(pd.Index(rows[column][good]))
        by_factor += count_pairs(of_row[number >= 0], number[number >= 0], by_factor.shape)
    shown = suppress_and_round(counts[is_large], step)
    in_small_squares = int(suppress_and_round(counts[~is_large].sum(), step))
    days = parse_days(rows["reported_on"][good])
    by_term = {
        term: rounded
        for term, count in _count_terms(days, of_row, len(held)).items()
        if (rounded := suppress_and_round(count[is_large], step)).any()
    }
    return ReportTable(
        step=step,
        squares=held[is_large],
        counts=shown,
        factor_counts=suppress_and_round(by_factor[is_large], step),
        in_small_squares=in_small_squares,
        refused=refused,
        by_year=_count_years(days, by_term, step, most=int(shown.sum()) + in_small_squares),
        by_term=by_term,
    )


def _count_terms(days: pd.Series, square: Ints, squares: int) -> dict[SchoolTerm, Ints]:
    """(s,) reports of each square, by the school term that they were made in."""
    number = (days.dt.month.to_numpy(dtype=np.int64) - 1) // MONTHS_A_TERM
    pairs = np.column_stack([days.dt.year.to_numpy(dtype=np.int64), number])
    terms, of_row = np.unique(pairs, axis=0, return_inverse=True)
    counts = count_pairs(of_row.reshape(-1), square, (len(terms), squares))
    return {
        SchoolTerm(int(year), int(number)): count
        for (year, number), count in zip(terms, counts, strict=True)
    }


def _count_years(
    days: pd.Series, by_term: dict[SchoolTerm, Ints], step: int, *, most: int
) -> dict[int, int]:
    """Reports of each year, suppressed and rounded; years without a group are left out."""
    # Together at most the counts by square: a larger sum would reveal how much those were rounded
    # down. A year shows at least what its terms do, so that comparing the two reveals nothing.
    years, counts = np.unique(days.dt.year.to_numpy(), return_counts=True)
    shown = suppress_and_round(counts, step)
    in_terms = np.zeros_like(shown)
    for term, of_square in by_term.items():
        in_terms[np.searchsorted(years, term.year)] += of_square.sum()
    # Squares show at least what their terms do, so there is always a year that can show less.
    while shown.sum() > most:
        shown[np.argmax(shown - in_terms)] -= step
    return {int(year): int(count) for year, count in zip(years, shown, strict=True) if count}


def _find_faults(
    rows: pd.DataFrame, longitude: Floats, latitude: Floats, squares: Ints
) -> dict[str, Bools]:
    """(n,) whether each fault applies to each row; a row counts under the first that does."""
    # By the files alone: with a fault by a setting, two outputs could be subtracted.
    dates = parse_days(rows["reported_on"])
    ids = rows["report_id"]
    is_swapped = is_within(GREAT_BRITAIN, latitude, longitude)
    is_swapped &= ~is_within(GREAT_BRITAIN, longitude, latitude)
    return {
        "duplicate report": (ids.notna() & ids.duplicated()).to_numpy(),
        "without coordinates": np.isnan(longitude) | np.isnan(latitude),
        "coordinates are zero": (longitude == 0) & (latitude == 0),
        "longitude and latitude are swapped": is_swapped,
        "without coordinates that exist": (squares == NOWHERE).all(axis=1),
        "without a date that exists": dates.isna().to_numpy(),
        **{
            f"unknown {column.replace('_', ' ')}": ~rows[column].isin(allowed).to_numpy()
            for column, allowed in ALLOWED_VALUES.items()
        },
    }
