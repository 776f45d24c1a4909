"""Rules that the values of small tables must meet, and the function that reads and checks them all.

A table is declared once, as a `Lookup`: its columns, and rules for them. Every wrong value of every
file is reported together.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problem
from patrolplan.inputs.table_reader import (
    Field,
    describe_cell,
    parse_axis,
    parse_numbers,
    quote_value,
    read_table,
)
from patrolplan.inputs.table_sources import TableSource
from patrolplan.times import TIME_OF_DAY, minutes_after_midnight

TIME_RANGE = re.compile(rf"{TIME_OF_DAY.pattern}-{TIME_OF_DAY.pattern}")
PLANNED_YEARS = (2000, 2099)
"""Years in which terms, taskings and visits can be."""

Check = Callable[[pd.DataFrame, str], pd.Series]
"""Given a table of text ("" where a cell is empty) and a column: (n,) whether each value is good.

It sees the rows of all files together, so that it finds duplicates across files.
"""


@dataclass(frozen=True)
class Rule:
    """A condition on a value, and the message if it is not met; `{value}` quotes the value."""

    is_good: Check
    what: str
    remedy: str


@dataclass(frozen=True)
class Lookup:
    """An optional table: its key under `[sources]`, its columns, and rules for columns in order."""

    source: str
    fields: tuple[Field, ...]
    rules: tuple[tuple[str, Rule], ...]


def _is_given(table: pd.DataFrame, column: str) -> pd.Series:
    return table[column] != ""


def _is_first(table: pd.DataFrame, column: str) -> pd.Series:
    return (table[column] == "") | ~table[column].duplicated()


def _matches(table: pd.DataFrame, column: str, *, pattern: str | re.Pattern[str]) -> pd.Series:
    return table[column].str.fullmatch(pattern)


def _is_time_range(table: pd.DataFrame, column: str) -> pd.Series:
    hours = table[column]
    in_order = hours.str[:5] < hours.str[6:]
    return (hours == "") | (hours.str.fullmatch(TIME_RANGE) & in_order)


def _is_date(table: pd.DataFrame, column: str) -> pd.Series:
    return parse_dates(table[column]).notna()


def _is_not_before_from(table: pd.DataFrame, column: str) -> pd.Series:
    return ~(parse_dates(table[column]) < parse_dates(table["from"]))


def is_degrees(table: pd.DataFrame, column: str) -> pd.Series:
    """Which values are valid degrees."""
    axis = column.removeprefix("base_")
    return pd.Series(np.isfinite(parse_axis(table[column], axis)), index=table.index)


def is_within_reach(table: pd.DataFrame, column: str, *, projection: Projection) -> pd.Series:
    """Whether the area's CRS reaches the point; rows without coordinates fail another rule."""
    longitude = parse_axis(table[column], "longitude")
    latitude = parse_axis(table["latitude"], "latitude")
    x, _ = projection.to_metres(longitude, latitude)
    unreachable = np.isfinite(longitude) & np.isfinite(latitude) & np.isnan(x)
    return pd.Series(~unreachable, index=table.index)


def given(what: str, remedy: str) -> Rule:
    """A rule: there is a value."""
    return Rule(_is_given, what, remedy)


def matching(pattern: str | re.Pattern[str], what: str, remedy: str) -> Rule:
    """A rule: the whole value matches this pattern."""
    return Rule(partial(_matches, pattern=pattern), what, remedy)


ONCE = Rule(_is_first, "{value} is a duplicate", "keep one of the rows")
DATE = Rule(_is_date, "{value} is not a valid date", "write YYYY-MM-DD")
NOT_BEFORE = Rule(_is_not_before_from, "{value} is before the first day", "swap the two dates")
DEGREES = Rule(is_degrees, "{value} is not a valid coordinate", "write decimal degrees")
HOURS = Rule(
    _is_time_range, "{value} is not a span of hours", "write HH:MM-HH:MM, or nothing for a day off"
)
SPAN_OF_HOURS = Rule(
    _is_time_range,
    "{value} is not a span of hours",
    "write HH:MM-HH:MM, the earlier time first, or nothing for any time",
)
URN_RULES = (("urn", given("the URN is missing", "write the school's URN")), ("urn", ONCE))
SPAN_RULES = (("from", DATE), ("to", DATE), ("to", NOT_BEFORE))
POINT_RULES = (("longitude", DEGREES), ("latitude", DEGREES))


def build_fields(*names: str) -> tuple[Field, ...]:
    """Columns that are required, under our own names alone."""
    return tuple(Field(name, required=True) for name in names)


OPTIONAL_TIME = re.compile(rf"({TIME_OF_DAY.pattern})?")


def read_lookup(
    lookup: Lookup,
    paths: Sequence[TableSource],
    columns: Mapping[str, str] | None,
    *,
    extra_rules: Iterable[tuple[str, Rule]] = (),
) -> pd.DataFrame:
    """All files of a table as text ("" where a cell is empty), with each row's `file` and `row`.

    Without a file the table is empty, with the same columns.
    """
    names = [field.name for field in lookup.fields]
    problems: list[Problem] = []
    tables: list[pd.DataFrame] = []
    for path in paths:
        try:
            table = read_table(path, lookup.fields, columns or {}, source=lookup.source)
        except InputError as error:
            problems += error.problems
        else:
            missing = {name: "" for name in names if name not in table}
            text = table.assign(**missing)[names].fillna("")
            tables.append(text.assign(file=str(path), row=table.index))
    if tables:
        text = pd.concat(tables, ignore_index=True)
    else:
        text = pd.DataFrame(columns=[*names, "file", "row"], dtype="str")
    if "urn" in text:
        text["urn"] = text["urn"].str.removesuffix(".0")  # as spreadsheets write a number
    problems += find_problems(text, (*lookup.rules, *extra_rules))
    if problems:
        order = [str(path) for path in paths]
        raise InputError(sorted(problems, key=lambda problem: order.index(str(problem.file))))
    return text


def find_problems(text: pd.DataFrame, rules: Iterable[tuple[str, Rule]]) -> list[Problem]:
    """A problem for every value that breaks a rule, rule by rule."""
    problems: list[Problem] = []
    for column, rule in rules if len(text) else ():
        is_good = rule.is_good(text, column).to_numpy(dtype=bool)
        if is_good.all():
            continue
        wrong = text[~is_good]
        for file, row, value in zip(wrong["file"], wrong["row"], wrong[column], strict=True):
            what = rule.what.format(value=quote_value(value))
            problems.append(Problem(file, what, rule.remedy, describe_cell(row, column)))
    return problems


def parse_dates(text: pd.Series) -> pd.Series:
    """Dates written as YYYY-MM-DD, NaT for anything else and for implausible years."""
    dates = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    return dates.where(dates.dt.year.between(*PLANNED_YEARS))


def parse_times(text: pd.Series) -> pd.Series:
    """Minutes after midnight of HH:MM, NaN for an empty cell."""
    minutes = [minutes_after_midnight(time) if time else np.nan for time in text]
    return pd.Series(minutes, index=text.index, dtype="float64")


def build_points(
    longitude: pd.Series, latitude: pd.Series, projection: Projection
) -> gpd.array.GeometryArray:
    """(n,) points in the area's CRS, from columns of decimal degrees."""
    x, y = projection.to_metres(parse_numbers(longitude), parse_numbers(latitude))
    return gpd.points_from_xy(x, y, crs=projection.crs)
