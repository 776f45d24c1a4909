"""The small optional tables: bell times, gates, officers, term dates, tasked places, visits.

Each is declared once, as a `Lookup`: its columns, and the rules that their values must meet. One
function reads and checks them all, so that every wrong value of every file is reported together.
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
from patrolplan.tables import OFFICERS, REASONS, TASKED_PLACES, TERM_DATES
from patrolplan.times import TIME_OF_DAY, minutes_after_midnight

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
DAY_OF_WEEK = f"({'|'.join(WEEKDAYS)})"
TIME_RANGE = re.compile(rf"{TIME_OF_DAY.pattern}-{TIME_OF_DAY.pattern}")
PLANNED_YEARS = (2000, 2099)
"""Years that terms, taskings and visits can be of."""

MAX_VISIT_MINUTES = 720
"""More minutes than this in one place on one day are a slip of the pen."""

Check = Callable[[pd.DataFrame, str], pd.Series]
"""Given a table of text ("" where a cell is empty) and a column: (n,) whether each value is good.

It sees the rows of all files together, so that it finds duplicates across files.
"""


@dataclass(frozen=True)
class Rule:
    """What a value must meet, and the message where it does not; `{value}` quotes the value."""

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
    """Which values are degrees that a place can have."""
    axis = column.removeprefix("base_")
    return pd.Series(np.isfinite(parse_axis(table[column], axis)), index=table.index)


def is_within_reach(table: pd.DataFrame, column: str, *, projection: Projection) -> pd.Series:
    """Whether the area's CRS reaches the point; rows without coordinates fail another rule."""
    longitude = parse_axis(table[column], "longitude")
    latitude = parse_axis(table["latitude"], "latitude")
    x, _ = projection.to_metres(longitude, latitude)
    unreachable = np.isfinite(longitude) & np.isfinite(latitude) & np.isnan(x)
    return pd.Series(~unreachable, index=table.index)


def _is_visit_length(table: pd.DataFrame, column: str) -> pd.Series:
    minutes = parse_numbers(table[column])
    return pd.Series((minutes >= 0) & (minutes <= MAX_VISIT_MINUTES), index=table.index)


def _is_place_given(table: pd.DataFrame, _column: str) -> pd.Series:
    return (table["hotspot"] != "") | (table["stop"] != "")


def given(what: str, remedy: str) -> Rule:
    """A rule: there is a value."""
    return Rule(_is_given, what, remedy)


def matching(pattern: str | re.Pattern[str], what: str, remedy: str) -> Rule:
    """A rule: the whole value is of this pattern."""
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


BELL_TIME_REMEDY = "write HH:MM, such as 15:10"
OPTIONAL_TIME = re.compile(rf"({TIME_OF_DAY.pattern})?")
BELL_TIMES = Lookup(
    "bell_times",
    (*build_fields("urn", "finish_time"), Field("start_time")),
    (
        *URN_RULES,
        ("finish_time", matching(TIME_OF_DAY, "{value} is not a valid time", BELL_TIME_REMEDY)),
        (
            "start_time",
            matching(
                OPTIONAL_TIME,
                "{value} is not a valid time",
                "write HH:MM, such as 08:45, or nothing",
            ),
        ),
    ),
)
GATES = Lookup("gates", build_fields("urn", "longitude", "latitude"), (*URN_RULES, *POINT_RULES))
OFFICERS_TABLE = Lookup(
    "officers",
    (
        *build_fields("officer", "school_urns", *WEEKDAYS, "max_patrols_per_week"),
        *build_fields("mode", "base_longitude", "base_latitude"),
        *(Field(name) for name in ("role", "alone")),
    ),
    (
        ("officer", given("the officer's name is missing", "write one, such as SSO-01")),
        ("officer", ONCE),
        *((day, HOURS) for day in WEEKDAYS),
        (
            "max_patrols_per_week",
            matching(r"\d{1,2}", "{value} is not a number of patrols", "write a whole number"),
        ),
        (
            "mode",
            matching(
                "walk|bicycle|transport|car",
                "{value} is not a mode",
                "write walk, bicycle, transport or car",
            ),
        ),
        (
            "role",
            matching(
                "(officer|pcso|warden|staff)?",
                "{value} is not a role",
                "write officer, pcso, warden or staff, or nothing for an officer",
            ),
        ),
        (
            "alone",
            matching(
                "(?i:true|false)?",
                "{value} is neither true nor false",
                "write true (may patrol alone) or false, or nothing: officers and PCSOs may, "
                "others may not",
            ),
        ),
        ("base_longitude", DEGREES),
        ("base_latitude", DEGREES),
    ),
)
ROLES_ALONE = ("officer", "pcso")
"""Roles that patrol alone where the table does not say."""
TERM_DATES_TABLE = Lookup(
    "term_dates",
    (Field("urn", ("urn or *",), required=True), *build_fields("from", "to", "kind")),
    (
        *SPAN_RULES,
        ("urn", given("the school is missing", "write a URN, or * for all schools")),
        ("kind", matching("term|closed", "{value} is not a kind", "write term or closed")),
    ),
)
MUST_VISIT_REMEDY = "write true (a place to visit) or false (a place to keep away from)"
TASKED_COLUMNS = (
    *("place_id", "longitude", "latitude", "must_visit", "schools"),
    *("from", "to", "reason", "by"),
)
TASKED_PLACES_TABLE = Lookup(
    "tasked_places",
    (
        *build_fields(*TASKED_COLUMNS),
        *(Field(name) for name in ("hours", "minutes", "visits", "officers", "weekdays")),
    ),
    (
        ("place_id", given("the place's name is missing", "write a short one, such as T1")),
        ("place_id", ONCE),
        *POINT_RULES,
        (
            "must_visit",
            matching("(?i:true|false)", "{value} is neither true nor false", MUST_VISIT_REMEDY),
        ),
        ("schools", given("the schools are missing", "separate URNs by ;, or write * for all")),
        *SPAN_RULES,
        ("reason", given("the reason is missing", "write why")),
        ("by", given("the requester is missing", "write who asks for it")),
        ("hours", SPAN_OF_HOURS),
        (
            "minutes",
            matching(r"([1-9]\d{0,2})?", "{value} is not a number of minutes", "write 1 to 999"),
        ),
        ("visits", matching("[1-9]?", "{value} is not a number of visits a day", "write 1 to 9")),
        ("officers", matching("[12]?", "{value} is not a number of people", "write 1 or 2")),
        (
            "weekdays",
            matching(
                rf"({DAY_OF_WEEK}(;{DAY_OF_WEEK})*)?",
                "{value} is not a list of weekdays",
                "write such as mon;wed, or nothing for every day",
            ),
        ),
    ),
)
LOOKUPS = (BELL_TIMES, OFFICERS_TABLE, GATES, TERM_DATES_TABLE, TASKED_PLACES_TABLE)
"""The optional tables that the settings may name."""


def read_bell_times(
    paths: Sequence[TableSource], *, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """`finish_time` and `start_time`, "HH:MM" by URN; the latter is empty where not known.

    Raises
    ------
    InputError
        With every row whose time is not valid, or whose URN is missing or a duplicate.
    """
    table = read_lookup(BELL_TIMES, paths, columns).set_index("urn")
    return table[["finish_time", "start_time"]]


def read_gates(
    paths: Sequence[TableSource],
    projection: Projection,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Gates by URN: `file`, `row` and `value` (the cells' text) for messages, and the point.

    Raises
    ------
    InputError
        With every row without coordinates or URN, or whose URN is a duplicate.
    """
    reach = Rule(
        partial(is_within_reach, projection=projection),
        "{value} puts the gate far outside the area",
        "check that longitude and latitude are in their own columns",
    )
    table = read_lookup(GATES, paths, columns, extra_rules=[("longitude", reach)]).set_index("urn")
    table["value"] = table["longitude"] + ", " + table["latitude"]
    gates = build_points(table["longitude"], table["latitude"], projection)
    return gpd.GeoDataFrame(table[["file", "row", "value"]], geometry=gates)


def read_officers(
    paths: Sequence[TableSource],
    projection: Projection,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Read officers, see `patrolplan.tables.OFFICERS`.

    Raises
    ------
    InputError
        With every value that does not meet the rules.
    """
    table = read_lookup(OFFICERS_TABLE, paths, columns)
    geometry = build_points(table["base_longitude"], table["base_latitude"], projection)
    names = [name for name in OFFICERS.columns if name != "geometry"]
    table["role"] = table["role"].where(table["role"] != "", "officer")
    alone = table["alone"].str.casefold()
    table = table[names].assign(
        school_urns=_split_urns(table["school_urns"]),
        max_patrols_per_week=table["max_patrols_per_week"].astype("int64"),
        alone=(alone == "true") | ((alone == "") & table["role"].isin(ROLES_ALONE)),
    )
    return OFFICERS.check(gpd.GeoDataFrame(table, geometry=geometry))


def read_term_dates(
    paths: Sequence[TableSource], *, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read term dates, see `patrolplan.tables.TERM_DATES`.

    Raises
    ------
    InputError
        With every value that does not meet the rules.
    """
    table = read_lookup(TERM_DATES_TABLE, paths, columns)[["urn", "from", "to", "kind"]]
    dates = {name: parse_dates(table[name]) for name in ("from", "to")}
    return TERM_DATES.check(table.assign(**dates))


def read_tasked_places(
    paths: Sequence[TableSource],
    projection: Projection,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Read tasked places, see `patrolplan.tables.TASKED_PLACES`.

    Raises
    ------
    InputError
        With every value that does not meet the rules.
    """
    table = read_lookup(TASKED_PLACES_TABLE, paths, columns)
    geometry = build_points(table["longitude"], table["latitude"], projection)
    dates = {name: parse_dates(table[name]) for name in ("from", "to")}
    table = table.assign(
        must_visit=table["must_visit"].str.casefold() == "true",
        schools=_split_urns(table["schools"]),
        from_minutes=parse_times(table["hours"].str[:5]),
        to_minutes=parse_times(table["hours"].str[6:]),
        minutes=parse_numbers(table["minutes"]),
        visits=table["visits"].replace("", "1").astype("int64"),
        officers=table["officers"].replace("", "1").astype("int64"),
        weekdays=_split_urns(table["weekdays"]).map(lambda days: days or list(WEEKDAYS)),
        **dates,
    )
    names = [name for name in TASKED_PLACES.columns if name != "geometry"]
    return TASKED_PLACES.check(gpd.GeoDataFrame(table[names], geometry=geometry))


VISIT_FIELDS = (
    *build_fields("officer", "date"),
    *(Field(name) for name in ("urn", "hotspot", "stop")),
    *build_fields("minutes"),
    Field("engagements"),
    Field("with", ("together",)),
    *(Field(name) for name in ("people", "arrive")),
    Field("reason", ("not_made",)),
    Field("window"),
)

VISITED = Rule(
    _is_place_given, "the place is missing", "write the stop's number or the hotspot's name"
)
MINUTES = Rule(
    _is_visit_length,
    "{value} is not a valid number of minutes",
    f"write 0 to {MAX_VISIT_MINUTES} minutes, and 0 where the place was not visited",
)


def read_visits(path: TableSource) -> pd.DataFrame:
    """Read visits recorded on paper: who was where, when, for how many minutes.

    Parameters
    ----------
    path
        Columns `officer`, `date` (YYYY-MM-DD), `hotspot` (its name, such as H3) or `stop` (its
        number on the card), `minutes`, and optionally `urn`, `engagements`, `with` (or
        `together`): the officers who came with `officer`, joined by ";", `people`: how many came,
        `arrive` (HH:MM), `reason`: why it was not made or not wholly, and `window`, the name of
        the patrol window where a school has several a day.

    Returns
    -------
    pandas.DataFrame
        All columns: `date` as dates, `minutes` as numbers, `stop`, `engagements` and `people` whole
        numbers or NA, the others text or NA. The index is the row number in the file.

    Raises
    ------
    InputError
        With every value that does not meet the rules.
    """
    table = read_table(path, VISIT_FIELDS, {}, source="--csv")
    if not {"hotspot", "stop"} & set(table.columns):
        what = "does not say where the visits were: neither 'hotspot' nor 'stop' is a column"
        raise InputError.one(path, what, "add one of them")
    table = table.reindex(columns=[field.name for field in VISIT_FIELDS]).astype(object)
    text = table.astype("str").where(table.notna(), "").assign(file=str(path), row=table.index)
    place = "hotspot" if table["hotspot"].notna().any() else "stop"
    count_remedy = "write a whole number, or nothing"
    rules = (
        ("officer", given("the officer is missing", "write who it was, such as SSO-01")),
        (place, VISITED),
        ("date", DATE),
        ("minutes", MINUTES),
        ("stop", matching(r"(\d{1,3})?", "{value} is not the number of a stop", count_remedy)),
        (
            "engagements",
            matching(r"(\d{1,3})?", "{value} is not a number of engagements", count_remedy),
        ),
        (
            "people",
            matching("([1-9]\\d?)?", "{value} is not a number of people, 1 to 99", count_remedy),
        ),
        (
            "arrive",
            matching(OPTIONAL_TIME, "{value} is not a valid time", "write HH:MM, or nothing"),
        ),
        (
            "reason",
            matching(
                f"({'|'.join(REASONS)})?",
                "{value} is not a reason",
                f"write {', '.join(REASONS)}, or nothing",
            ),
        ),
    )
    problems = find_problems(text, rules)
    if problems:
        raise InputError(problems)
    return table.assign(
        date=parse_dates(text["date"]).dt.date,
        minutes=parse_numbers(text["minutes"]),
        **{
            name: pd.to_numeric(text[name], errors="coerce").astype("Int64")
            for name in ("stop", "engagements", "people")
        },
    )


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
    """Dates written as YYYY-MM-DD, NaT for anything else, and for years no plan can be of."""
    dates = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    return dates.where(dates.dt.year.between(*PLANNED_YEARS))


def parse_times(text: pd.Series) -> pd.Series:
    """Minutes after midnight of HH:MM, NaN for an empty cell."""
    minutes = [minutes_after_midnight(time) if time else np.nan for time in text]
    return pd.Series(minutes, index=text.index, dtype="float64")


def _split_urns(text: pd.Series) -> pd.Series:
    """(n,) lists of URNs, from cells that separate them by semicolons."""
    lists = [
        [urn.strip().removesuffix(".0") for urn in cell.split(";") if urn.strip()] for cell in text
    ]
    return pd.Series(lists, index=text.index, dtype=object)


def build_points(
    longitude: pd.Series, latitude: pd.Series, projection: Projection
) -> gpd.array.GeometryArray:
    """(n,) points in the area's CRS, from columns of decimal degrees."""
    x, y = projection.to_metres(parse_numbers(longitude), parse_numbers(latitude))
    return gpd.points_from_xy(x, y, crs=projection.crs)
