"""Tables whose columns are declared once: their meaning, form and words for what is wrong.

Reader, checks, `build_area` and the reference come from it; all wrong values are reported together.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.arrays import Bools
from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problem
from patrolplan.inputs import table_reader
from patrolplan.inputs.formats import Columns, Files
from patrolplan.tables import SHAPE, Check, Column, Form, Schema
from patrolplan.times import TIME_OF_DAY, minutes_after_midnight

MIDNIGHT = r"[T ]00:00(:00(\.0+)?)?Z?$"
PLANNED_YEARS = (2000, 2099)  # Years in which terms, taskings and visits can be


class Made(NamedTuple):
    """A stored column that is made of others, and how from their text."""

    column: Column
    store: Callable[[pd.DataFrame], Any]


class Rule(NamedTuple):
    """A condition (a pattern matches the whole value), and the message where it is not met."""

    column: str
    check: Check | str
    what: str
    remedy: str


def _list_rules(column: Column) -> Iterator[Rule]:
    """What is asked of the cells of a column."""
    if column.missing is not None:
        yield Rule(column.name, is_given, *column.missing)
    if column.once:
        yield Rule(column.name, _is_first, "{value} is a duplicate", "keep one of the rows")
    form = column.form
    if form.good:
        yield Rule(column.name, form.good, form.what, column.remedy or form.remedy)


@dataclass(frozen=True)
class Table:
    """A table by its key under `[sources]`, with rules for several columns together."""

    source: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    made: tuple[Made, ...] = ()  # of others
    place: str = ""  # what its geometry means
    noun: str = ""  # what is there, where a point that the CRS does not reach is an error
    point: tuple[str, str] = ("longitude", "latitude")  # the columns that it is made of

    @cached_property
    def schema(self) -> Schema:
        """Its columns as they are stored."""
        kept = [column for column in self.columns if column.kept]
        made = [one.column for one in self.made]
        place = [Column("geometry", self.place, SHAPE)] if self.place else []
        return Schema(self.source, (*kept, *made, *place))

    def read(
        self,
        paths: Files,
        columns: Columns,
        extra_rules: Iterable[Rule] = (),
        read_file: Callable[..., pd.DataFrame] = table_reader.read_table,
    ) -> pd.DataFrame:
        """All files as checked text ("" where a cell is empty), with each row's `file`, `row`."""
        names = [one.name for one in self.columns]
        problems: list[Problem] = []
        tables: list[pd.DataFrame] = []
        for path in paths:
            try:
                table = read_file(path, self.columns, columns or {}, source=self.source)
            except InputError as error:
                problems += error.problems
            else:
                text = table.assign(**{name: "" for name in names if name not in table})
                text[names] = text[names].fillna("")
                tables.append(text.assign(file=str(path), row=table.index))
        cells = [*names, "file", "row"]
        text = pd.concat(tables or [pd.DataFrame(columns=cells, dtype="str")], ignore_index=True)
        if "urn" in text:
            text["urn"] = text["urn"].str.removesuffix(".0")  # as spreadsheets write a number
        problems += self.find_problems(text, extra_rules)
        if problems:
            order = [str(path) for path in paths]
            raise InputError(sorted(problems, key=lambda problem: order.index(str(problem.file))))
        return text

    def find_problems(self, text: pd.DataFrame, extra_rules: Iterable[Rule] = ()) -> list[Problem]:
        """A problem for every value that breaks a rule, rule by rule."""
        own = (rule for column in self.columns for rule in _list_rules(column))
        problems: list[Problem] = []
        for column, check, words, remedy in (*own, *self.rules, *extra_rules) if len(text) else ():
            is_good = check(text, column) if callable(check) else text[column].str.fullmatch(check)
            is_good = np.asarray(is_good, dtype=bool)
            if is_good.all():  # nearly always, and selecting no row of a small table takes longest
                continue
            wrong = text[~is_good]
            for file, row, value in zip(wrong["file"], wrong["row"], wrong[column], strict=True):
                what = words.format(value=table_reader.quote_value(value))
                place = table_reader.describe_cell(row, column)
                problems.append(Problem(file, what, remedy, place))
        return problems

    def store(self, text: pd.DataFrame) -> pd.DataFrame:
        """The columns that are kept, by their forms."""
        kept = {one.name: one.form.store(text[one.name]) for one in self.columns if one.kept}
        made = {one.column.name: one.store(text) for one in self.made}
        return pd.DataFrame({**kept, **made}, index=text.index)

    def locate(self, text: pd.DataFrame, projection: Projection) -> gpd.array.GeometryArray:
        """(n,) points in the area's CRS, from columns of decimal degrees."""
        longitude, latitude = (table_reader.parse_numbers(text[name]) for name in self.point)
        return gpd.points_from_xy(*projection.to_metres(longitude, latitude), crs=projection.crs)

    def load(self, paths: Files, *, columns: Columns = None) -> pd.DataFrame:
        """The stored table of files whose rows have no place."""
        return self.store(self.read(paths, columns))

    def load_places(
        self, paths: Files, projection: Projection, *, columns: Columns = None
    ) -> gpd.GeoDataFrame:
        """The stored table of files whose rows are points."""
        text = self.read(paths, columns, [reach(self.noun, projection)] if self.noun else ())
        return self.build(text, self.locate(text, projection))

    def build(self, text: pd.DataFrame, shapes: gpd.array.GeometryArray) -> gpd.GeoDataFrame:
        """The stored columns with their shapes, in order."""
        return gpd.GeoDataFrame(self.store(text), geometry=shapes)[self.schema.names]


def is_given(table: pd.DataFrame, column: str) -> pd.Series:
    """Which cells hold a value."""
    return table[column] != ""


def _is_first(table: pd.DataFrame, column: str) -> pd.Series:
    return (table[column] == "") | ~table[column].duplicated()


def one_of(words: Iterable[str], noun: str, remedy: str = "", *, default: str = "") -> Form:
    """Cells with one of some words; with a default they may be empty, which means it."""
    words = tuple(words)
    pattern = f"({'|'.join(map(re.escape, words))}){'?' if default else ''}"
    remedy = remedy or f"write {', '.join(words)}"
    return Form(pattern, f"{{value}} is not {noun}", remedy, lambda text: text.replace("", default))


def some_of(words: Iterable[str], noun: str, remedy: str) -> Form:
    """Lists of words; an empty cell means all of them."""
    words = tuple(words)
    pattern, what = f"({'|'.join(words)})", f"{{value}} is not a list of {noun}"
    return Form(
        f"({pattern}(;{pattern})*)?",
        what,
        remedy,
        lambda text: split_list(text).map(lambda given: given or list(words)),
        "list",
    )


def number(noun: str, remedy: str, *, most: float = np.inf) -> Form:
    """Numbers from 0 on, NaN where a cell is empty."""

    def check(table: pd.DataFrame, column: str) -> Bools:
        numbers = table_reader.parse_numbers(table[column])
        return np.asarray((table[column] == "") | ((numbers >= 0) & (numbers <= most)))

    return Form(check, f"{{value}} is not {noun}", remedy, table_reader.parse_numbers, "float64")


def whole(pattern: str, noun: str, remedy: str, *, empty: str = "") -> Form:
    """Whole numbers of a pattern; where it lets a cell be empty, that means another number."""
    what = f"{{value}} is not {noun}"
    return Form(
        pattern, what, remedy, lambda text: text.replace("", empty).astype("int64"), "int64"
    )


def flag(remedy: str, *, empty: bool = True) -> Form:
    """Cells of true and false; an empty one means false, where there may be one."""
    pattern = f"(?i:true|false){'?' if empty else ''}"
    what = "{value} is neither true nor false"
    return Form(pattern, what, remedy, lambda text: text.str.casefold() == "true", "bool")


def split_list(text: pd.Series) -> pd.Series:
    """(n,) lists of URNs or words, from cells that separate them by semicolons."""
    lists = [[one.strip().removesuffix(".0") for one in cell.split(";")] for cell in text]
    return pd.Series([[*filter(None, one)] for one in lists], index=text.index, dtype=object)


def parse_dates(text: pd.Series) -> pd.Series:
    """Dates of YYYY-MM-DD, without a midnight after it; NaT for others and implausible years."""
    if any(len(str(one)) > len("2026-12-07") for one in text):
        text = text.astype("str").str.replace(MIDNIGHT, "", regex=True)
    dates = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    return dates.where(dates.dt.year.between(*PLANNED_YEARS))


def parse_times(text: pd.Series) -> pd.Series:
    """Minutes after midnight of HH:MM, NaN for an empty cell."""
    minutes = [minutes_after_midnight(time) if time else np.nan for time in text]
    return pd.Series(minutes, index=text.index, dtype="float64")


def _is_span(table: pd.DataFrame, column: str) -> pd.Series:
    hours = table[column]
    return (hours == "") | (hours.str.fullmatch(TIME_RANGE) & (hours.str[:5] < hours.str[6:]))


def reach(noun: str, projection: Projection) -> Rule:
    """That the area's CRS reaches each point; rows without coordinates fail another rule."""

    def check(table: pd.DataFrame, _column: str) -> Bools:
        degrees = [table_reader.parse_axis(table[one], one) for one in ("longitude", "latitude")]
        x, _ = projection.to_metres(degrees[0], degrees[1])
        return ~(np.isfinite(degrees).all(axis=0) & np.isnan(x))

    what = f"{{value}} puts the {noun} far outside the area"
    remedy = "check that longitude and latitude are in their own columns"
    return Rule("longitude", check, what, remedy)


def is_degrees(table: pd.DataFrame, column: str) -> Bools:
    """(n,) whether each cell of a column of longitudes or latitudes is one."""
    return np.isfinite(table_reader.parse_axis(table[column], column.removeprefix("base_")))


TIME_RANGE = rf"{TIME_OF_DAY.pattern}-{TIME_OF_DAY.pattern}"
NO_POINT = "{value} is not a valid coordinate"
LIST = Form(store=split_list, kind="list")
NO_DATE = "{value} is not a valid date"
DATE = Form(
    lambda t, c: parse_dates(t[c]).notna(), NO_DATE, "write YYYY-MM-DD", parse_dates, "datetime"
)
TIME = Form(TIME_OF_DAY.pattern, "{value} is not a valid time", "write HH:MM")
OPTIONAL_TIME = Form(f"({TIME_OF_DAY.pattern})?", TIME.what, "write HH:MM, or nothing")
SPAN = Form(_is_span, "{value} is not a span of hours")
DEGREES = Form(is_degrees, NO_POINT, "write decimal degrees", table_reader.parse_numbers, "float64")
