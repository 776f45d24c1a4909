"""The small optional tables: bell times, gates, officers, terms, tasked places, duties, visits.

A table is declared once: its columns, and rules for their values, in order. Every wrong value of
every file is reported together.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

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
from patrolplan.tables import DUTIES, OFFICERS, REASONS, TASKED_PLACES, TERM_DATES, Schema
from patrolplan.text import MAX_NAMED
from patrolplan.times import TIME_OF_DAY, minutes_after_midnight

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
PLANNED_YEARS = (2000, 2099)
"""Years in which terms, taskings and visits can be."""

MAX_LATE_MINUTES = 240  # longest time after the bell at which pupils leave a club, on average
LEAVING_COLUMNS = ("late_share", "late_minutes", "walk_share", "bus_share")
"""Columns of bell times that say when and how pupils leave; NaN where a cell is empty."""

MAX_VISIT_MINUTES = 720
"""Maximum minutes in one place on one day: more are a typing error."""

DUTY_KINDS = (
    *("leave", "sick", "court", "training", "assembly", "meeting"),
    *("interview", "home_visit", "event", "away"),
)
"""Kinds of duties; `away` is one from a calendar that shows only that the officer is busy."""

ROLES_ALONE = ("officer", "pcso")
"""Roles that patrol alone by default."""

Check = Callable[[pd.DataFrame, str], pd.Series | NDArray[np.bool_]]
"""Given a table of text ("" where a cell is empty) and a column: (n,) whether each value is good.

It sees the rows of all files together, so that it finds duplicates across files.
"""


class Rule(NamedTuple):
    """A condition on the values of a column, and the message if it is not met.

    A pattern must match the whole value; `{value}` in the message quotes it.
    """

    column: str
    check: Check | str | re.Pattern[str]
    what: str
    remedy: str


@dataclass(frozen=True)
class Lookup:
    """An optional table: its key under `[sources]`, its columns, and rules in order."""

    source: str
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...]


def is_given(table: pd.DataFrame, column: str) -> pd.Series:
    """Which cells hold a value."""
    return table[column] != ""


def _is_first(table: pd.DataFrame, column: str) -> pd.Series:
    return (table[column] == "") | ~table[column].duplicated()


def _is_time_range(table: pd.DataFrame, column: str) -> pd.Series:
    hours = table[column]
    in_order = hours.str[:5] < hours.str[6:]
    return (hours == "") | (hours.str.fullmatch(TIME_RANGE) & in_order)


def _is_date(table: pd.DataFrame, column: str) -> pd.Series:
    return parse_dates(table[column]).notna()


def _is_not_before_from(table: pd.DataFrame, column: str) -> pd.Series:
    return ~(parse_dates(table[column]) < parse_dates(table["from"]))


def _is_degrees(table: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    return np.isfinite(parse_axis(table[column], column.removeprefix("base_")))


def _is_whole_point(table: pd.DataFrame, column: str) -> pd.Series:
    """Whether a point has both its coordinates, each in degrees, or neither."""
    is_left_out = (table["longitude"] == "") & (table["latitude"] == "")
    return is_left_out | _is_degrees(table, column)


def _is_within_reach(
    table: pd.DataFrame, _column: str, *, projection: Projection
) -> NDArray[np.bool_]:
    """Whether the area's CRS reaches the point; rows without coordinates fail another rule."""
    longitude = parse_axis(table["longitude"], "longitude")
    latitude = parse_axis(table["latitude"], "latitude")
    x, _ = projection.to_metres(longitude, latitude)
    return ~(np.isfinite(longitude) & np.isfinite(latitude) & np.isnan(x))


def _is_after_start(table: pd.DataFrame, column: str) -> pd.Series:
    """Whether a time is after `from`; times that are none fail another rule."""
    times = table[[column, "from"]].apply(lambda cells: cells.str.fullmatch(TIME_OF_DAY))
    is_good: pd.Series = (table[column] > table["from"]) | ~times.all(axis=1)
    return is_good


def _has_one_place(table: pd.DataFrame, _column: str) -> pd.Series:
    has_point = (table["longitude"] != "") | (table["latitude"] != "")
    return (table["urn"] == "") | ~has_point


def _is_number(table: pd.DataFrame, column: str, *, most: float) -> NDArray[np.bool_]:
    """Whether a cell is empty, or a number from 0 to the largest that is allowed."""
    numbers = parse_numbers(table[column])
    return np.asarray((table[column] == "") | ((numbers >= 0) & (numbers <= most)))


def _is_part(table: pd.DataFrame, _column: str) -> NDArray[np.bool_]:
    """Whether those who walk and ride are no more than all; shares over 1 fail another rule."""
    walk, ride = (parse_numbers(table[name]) for name in ("walk_share", "bus_share"))
    return np.asarray(~((walk + ride > 1 + 1e-9) & (walk <= 1) & (ride <= 1)))


def _is_visit_length(table: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    minutes = parse_numbers(table[column])
    return (minutes >= 0) & (minutes <= MAX_VISIT_MINUTES)


def _is_place_given(table: pd.DataFrame, _column: str) -> pd.Series:
    return (table["hotspot"] != "") | (table["stop"] != "")


def once(column: str) -> Rule:
    """A rule: no value is there twice."""
    return Rule(column, _is_first, "{value} is a duplicate", "keep one of the rows")


def _date(column: str) -> Rule:
    return Rule(column, _is_date, "{value} is not a valid date", "write YYYY-MM-DD")


def _degrees(column: str) -> Rule:
    return Rule(column, _is_degrees, "{value} is not a valid coordinate", "write decimal degrees")


def _reaching(noun: str, projection: Projection) -> Rule:
    what = f"{{value}} puts the {noun} far outside the area"
    remedy = "check that longitude and latitude are in their own columns"
    return Rule("longitude", partial(_is_within_reach, projection=projection), what, remedy)


def required(*names: str) -> tuple[Field, ...]:
    """Columns that are required, under our own names alone."""
    return tuple(Field(name, required=True) for name in names)


def optional(*names: str) -> tuple[Field, ...]:
    """Columns that may be missing, under our own names alone."""
    return tuple(Field(name) for name in names)


TIME_RANGE = re.compile(rf"{TIME_OF_DAY.pattern}-{TIME_OF_DAY.pattern}")
OPTIONAL_TIME = re.compile(rf"({TIME_OF_DAY.pattern})?")
DAY_OF_WEEK = f"({'|'.join(WEEKDAYS)})"
NO_TIME, NO_SPAN = "{value} is not a valid time", "{value} is not a span of hours"
NO_TRUTH, NO_POINT = "{value} is neither true nor false", "{value} is not a valid coordinate"
URN_RULES = (Rule("urn", is_given, "the URN is missing", "write the school's URN"), once("urn"))
SPAN_RULES = (
    _date("from"),
    _date("to"),
    Rule("to", _is_not_before_from, "{value} is before the first day", "swap the two dates"),
)
POINT_RULES = (_degrees("longitude"), _degrees("latitude"))
WHOLE = "write a whole number, or nothing"

# fmt: off
BELL_TIMES = Lookup("bell_times", (
    *required("urn", "finish_time"), *optional("start_time", *LEAVING_COLUMNS),
), (
    *URN_RULES,
    Rule("finish_time", TIME_OF_DAY, NO_TIME, "write HH:MM, such as 15:10"),
    Rule("start_time", OPTIONAL_TIME, NO_TIME, "write HH:MM, such as 08:45, or nothing"),
    *(Rule(name, partial(_is_number, most=1), "{value} is not a share of pupils",
           "write a number from 0 to 1, such as 0.25, or nothing")
      for name in LEAVING_COLUMNS if name.endswith("share")),
    Rule("late_minutes", partial(_is_number, most=MAX_LATE_MINUTES),
         "{value} is not a number of minutes after the bell",
         f"write 0 to {MAX_LATE_MINUTES}, or nothing"),
    Rule("bus_share", _is_part, "{value} and walk_share are more than 1 together",
         "write shares of all pupils of the school; those left over are driven"),
))
GATES = Lookup("gates", required("urn", "longitude", "latitude"), (*URN_RULES, *POINT_RULES))
OFFICERS_TABLE = Lookup("officers", (
    *required("officer", "school_urns", *WEEKDAYS, "max_patrols_per_week"),
    *required("mode", "base_longitude", "base_latitude"),
    *optional("role", "alone", "gate_only"),
), (
    Rule("officer", is_given, "the officer's name is missing", "write one, such as SSO-01"),
    once("officer"),
    *(Rule(day, _is_time_range, NO_SPAN, "write HH:MM-HH:MM, or nothing for a day off")
      for day in WEEKDAYS),
    Rule("max_patrols_per_week", r"\d{1,2}",
         "{value} is not a number of patrols", "write a whole number"),
    Rule("mode", "walk|bicycle|transport|car",
         "{value} is not a mode", "write walk, bicycle, transport or car"),
    Rule("role", "(officer|pcso|warden|staff)?", "{value} is not a role",
         "write officer, pcso, warden or staff, or nothing for an officer"),
    Rule("alone", "(?i:true|false)?", NO_TRUTH,
         "write true (may patrol alone) or false, or nothing: officers and PCSOs may, others may "
         "not"),
    Rule("gate_only", "(?i:true|false)?", NO_TRUTH,
         "write true (stays at the gate) or false, or nothing for false"),
    _degrees("base_longitude"),
    _degrees("base_latitude"),
))
TERM_DATES_TABLE = Lookup("term_dates", (
    Field("urn", ("urn or *",), required=True), *required("from", "to", "kind"),
), (
    *SPAN_RULES,
    Rule("urn", is_given, "the school is missing", "write a URN, or * for all schools"),
    Rule("kind", "term|closed", "{value} is not a kind", "write term or closed"),
))
TASKED_PLACES_TABLE = Lookup("tasked_places", (
    *required("place_id", "longitude", "latitude", "must_visit", "schools"),
    *required("from", "to", "reason", "by"),
    *optional("hours", "minutes", "visits", "officers", "weekdays"),
), (
    Rule("place_id", is_given, "the place's name is missing", "write a short one, such as T1"),
    once("place_id"),
    *POINT_RULES,
    Rule("must_visit", "(?i:true|false)", NO_TRUTH,
         "write true (a place to visit) or false (a place to keep away from)"),
    Rule("schools", is_given, "the schools are missing", "separate URNs by ;, or write * for all"),
    *SPAN_RULES,
    Rule("reason", is_given, "the reason is missing", "write why"),
    Rule("by", is_given, "the requester is missing", "write who asks for it"),
    Rule("hours", _is_time_range, NO_SPAN,
         "write HH:MM-HH:MM, the earlier time first, or nothing for any time"),
    Rule("minutes", r"([1-9]\d{0,2})?", "{value} is not a number of minutes", "write 1 to 999"),
    Rule("visits", "[1-9]?", "{value} is not a number of visits a day", "write 1 to 9"),
    Rule("officers", "[12]?", "{value} is not a number of people", "write 1 or 2"),
    Rule("weekdays", rf"({DAY_OF_WEEK}(;{DAY_OF_WEEK})*)?", "{value} is not a list of weekdays",
         "write such as mon;wed, or nothing for every day"),
))
DUTIES_TABLE = Lookup("duties", (
    *required("officer", "date", "from", "to", "kind"), *optional("urn", "longitude", "latitude"),
), (
    Rule("officer", is_given, "the officer's name is missing", "write one, such as SSO-01"),
    _date("date"),
    Rule("from", TIME_OF_DAY, NO_TIME, "write HH:MM"),
    Rule("to", TIME_OF_DAY, NO_TIME, "write HH:MM"),
    Rule("to", _is_after_start, "{value} is not after the start",
         "write the later time; what goes on past midnight has a row for each day"),
    Rule("urn", _has_one_place, "a duty at {value} has coordinates as well",
         "write the school's URN, or longitude and latitude, or neither"),
    *(Rule(name, _is_whole_point, NO_POINT, "write decimal degrees in both columns, or neither")
      for name in ("longitude", "latitude")),
    Rule("kind", "|".join(DUTY_KINDS), "{value} is not a kind", f"write {', '.join(DUTY_KINDS)}"),
))
VISITS = Lookup("--csv", (
    *required("officer", "date"), *optional("urn", "hotspot", "stop"), *required("minutes"),
    Field("engagements"), Field("with", ("together",)), *optional("people", "arrive"),
    Field("reason", ("not_made",)), Field("window"),
), (
    _date("date"),
    Rule("minutes", _is_visit_length, "{value} is not a valid number of minutes",
         f"write 0 to {MAX_VISIT_MINUTES} minutes, and 0 where the place was not visited"),
    Rule("stop", r"(\d{1,3})?", "{value} is not the number of a stop", WHOLE),
    Rule("engagements", r"(\d{1,3})?", "{value} is not a number of engagements", WHOLE),
    Rule("people", r"([1-9]\d?)?", "{value} is not a number of people, 1 to 99", WHOLE),
    Rule("arrive", OPTIONAL_TIME, NO_TIME, "write HH:MM, or nothing"),
    Rule("reason", f"({'|'.join(REASONS)})?",
         "{value} is not a reason", f"write {', '.join(REASONS)}, or nothing"),
))
# fmt: on
LOOKUPS = (BELL_TIMES, OFFICERS_TABLE, GATES, TERM_DATES_TABLE, TASKED_PLACES_TABLE)
"""The optional tables that the settings may name."""


def read_lookup(
    lookup: Lookup,
    paths: Sequence[TableSource],
    columns: Mapping[str, str] | None,
    *,
    extra_rules: Iterable[Rule] = (),
) -> pd.DataFrame:
    """All files of a table as text ("" where a cell is empty), with each row's `file` and `row`.

    Without a file the table is empty, with the same columns.
    """
    names = [field.name for field in lookup.fields]
    problems: list[Problem] = []
    tables = [pd.DataFrame(columns=[*names, "file", "row"], dtype="str")]
    for path in paths:
        try:
            table = read_table(path, lookup.fields, columns or {}, source=lookup.source)
        except InputError as error:
            problems += error.problems
        else:
            missing = {name: "" for name in names if name not in table}
            text = table.assign(**missing)[names].fillna("")
            tables.append(text.assign(file=str(path), row=table.index))
    text = pd.concat(tables[1:] or tables, ignore_index=True)
    if "urn" in text:
        text["urn"] = text["urn"].str.removesuffix(".0")  # as spreadsheets write a number
    problems += find_problems(text, (*lookup.rules, *extra_rules))
    if problems:
        order = [str(path) for path in paths]
        raise InputError(sorted(problems, key=lambda problem: order.index(str(problem.file))))
    return text


def find_problems(text: pd.DataFrame, rules: Iterable[Rule]) -> list[Problem]:
    """A problem for every value that breaks a rule, rule by rule."""
    problems: list[Problem] = []
    for column, check, words, remedy in rules if len(text) else ():
        is_good = check(text, column) if callable(check) else text[column].str.fullmatch(check)
        wrong = text[~np.asarray(is_good, dtype=bool)]
        for file, row, value in zip(wrong["file"], wrong["row"], wrong[column], strict=True):
            what = words.format(value=quote_value(value))
            problems.append(Problem(file, what, remedy, describe_cell(row, column)))
    return problems


def parse_dates(text: pd.Series) -> pd.Series:
    """Dates written as YYYY-MM-DD, NaT for anything else and for implausible years."""
    dates = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    return dates.where(dates.dt.year.between(*PLANNED_YEARS))


def _parse_times(text: pd.Series) -> pd.Series:
    """Minutes after midnight of HH:MM, NaN for an empty cell."""
    minutes = [minutes_after_midnight(time) if time else np.nan for time in text]
    return pd.Series(minutes, index=text.index, dtype="float64")


def _build_points(
    table: pd.DataFrame, projection: Projection, prefix: str = ""
) -> gpd.array.GeometryArray:
    """(n,) points in the area's CRS, from columns of decimal degrees."""
    longitude = parse_numbers(table[f"{prefix}longitude"])
    latitude = parse_numbers(table[f"{prefix}latitude"])
    return gpd.points_from_xy(*projection.to_metres(longitude, latitude), crs=projection.crs)


def _split_urns(text: pd.Series) -> pd.Series:
    """(n,) lists of URNs, from cells that separate them by semicolons."""
    lists = [
        [urn.strip().removesuffix(".0") for urn in cell.split(";") if urn.strip()] for cell in text
    ]
    return pd.Series(lists, index=text.index, dtype=object)


def read_bell_times(
    paths: Sequence[TableSource], *, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """`finish_time` and `start_time`, "HH:MM" by URN, and the numbers of `LEAVING_COLUMNS`.

    What is not known is empty, or NaN.
    """
    table = read_lookup(BELL_TIMES, paths, columns).set_index("urn")
    numbers = {name: parse_numbers(table[name]) for name in LEAVING_COLUMNS}
    return table.assign(**numbers)[["finish_time", "start_time", *LEAVING_COLUMNS]]


def read_gates(
    paths: Sequence[TableSource],
    projection: Projection,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Gates by URN: `file`, `row` and `value` (the cells' text) for messages, and the point."""
    rules = [_reaching("gate", projection)]
    table = read_lookup(GATES, paths, columns, extra_rules=rules).set_index("urn")
    table["value"] = table["longitude"] + ", " + table["latitude"]
    gates = _build_points(table, projection)
    return gpd.GeoDataFrame(table[["file", "row", "value"]], geometry=gates)


def read_officers(
    paths: Sequence[TableSource],
    projection: Projection,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Read officers, see `patrolplan.tables.OFFICERS`."""
    table = read_lookup(OFFICERS_TABLE, paths, columns)
    geometry = _build_points(table, projection, "base_")
    table["role"] = table["role"].where(table["role"] != "", "officer")
    alone = table["alone"].str.casefold()
    table = table.assign(
        school_urns=_split_urns(table["school_urns"]),
        max_patrols_per_week=table["max_patrols_per_week"].astype("int64"),
        alone=(alone == "true") | ((alone == "") & table["role"].isin(ROLES_ALONE)),
        gate_only=table["gate_only"].str.casefold() == "true",
    )
    return _check_columns(OFFICERS, table, geometry)


def read_term_dates(
    paths: Sequence[TableSource], *, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read term dates, see `patrolplan.tables.TERM_DATES`."""
    table = read_lookup(TERM_DATES_TABLE, paths, columns)[["urn", "from", "to", "kind"]]
    dates = {name: parse_dates(table[name]) for name in ("from", "to")}
    return TERM_DATES.check(table.assign(**dates))


def read_tasked_places(
    paths: Sequence[TableSource],
    projection: Projection,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Read tasked places, see `patrolplan.tables.TASKED_PLACES`."""
    table = read_lookup(TASKED_PLACES_TABLE, paths, columns)
    geometry = _build_points(table, projection)
    table = table.assign(
        must_visit=table["must_visit"].str.casefold() == "true",
        schools=_split_urns(table["schools"]),
        from_minutes=_parse_times(table["hours"].str[:5]),
        to_minutes=_parse_times(table["hours"].str[6:]),
        minutes=parse_numbers(table["minutes"]),
        visits=table["visits"].replace("", "1").astype("int64"),
        officers=table["officers"].replace("", "1").astype("int64"),
        weekdays=_split_urns(table["weekdays"]).map(lambda days: days or list(WEEKDAYS)),
        **{name: parse_dates(table[name]) for name in ("from", "to")},
    )
    return _check_columns(TASKED_PLACES, table, geometry)


def read_duties(
    paths: Sequence[TableSource],
    projection: Projection,
    *,
    columns: Mapping[str, str] | None = None,
    officers: Sequence[str] | None = None,
) -> gpd.GeoDataFrame:
    """Read tables of officers' duties besides patrols, see `patrolplan.tables.DUTIES`.

    `patrolplan.inputs.duties` reads them with calendars. A duty may have any name where `officers`
    is None.
    """
    rules = [_reaching("duty", projection)]
    if officers is not None:
        some = ", ".join(officers[:MAX_NAMED])
        remedy = f"write a name of the officers table, such as {some}"
        remedy = remedy if some else "name officers there"
        names = [*officers, ""]
        rules.append(
            Rule("officer", lambda t, c: t[c].isin(names), "there is no officer {value}", remedy)
        )
    table = read_lookup(DUTIES_TABLE, paths, columns, extra_rules=rules)
    geometry = _build_points(table, projection)
    geometry[np.isnan(geometry.x)] = shapely.Point()
    table = table.assign(
        date=parse_dates(table["date"]),
        from_minutes=_parse_times(table["from"]),
        to_minutes=_parse_times(table["to"]),
    )
    return _check_columns(DUTIES, table, geometry)


def _check_columns(
    schema: Schema, table: pd.DataFrame, geometry: gpd.array.GeometryArray
) -> gpd.GeoDataFrame:
    names = [name for name in schema.columns if name != "geometry"]
    return schema.check(gpd.GeoDataFrame(table[names], geometry=geometry))


def read_visits(path: TableSource) -> pd.DataFrame:
    """Read visits recorded on paper: who was where, when, for how many minutes.

    `with` are the officers who came with `officer`, joined by ";", `people` how many came, `reason`
    why a visit was not made or not wholly, and `window` the patrol window where a school has
    several a day. `date` is a date, `minutes` a number, `stop`, `engagements` and `people` whole
    numbers or NA, the others text or NA. The index is the row number in the file.
    """
    table = read_table(path, VISITS.fields, {}, source=VISITS.source)
    if not {"hotspot", "stop"} & set(table.columns):
        what = "does not say where the visits were: neither 'hotspot' nor 'stop' is a column"
        raise InputError.one(path, what, "add one of them")
    table = table.reindex(columns=[field.name for field in VISITS.fields]).astype(object)
    text = table.astype("str").where(table.notna(), "").assign(file=str(path), row=table.index)
    place = "hotspot" if table["hotspot"].notna().any() else "stop"
    remedy = "write the stop's number or the hotspot's name"
    rules = (
        Rule("officer", is_given, "the officer is missing", "write who it was, such as SSO-01"),
        Rule(place, _is_place_given, "the place is missing", remedy),
    )
    if problems := find_problems(text, (*rules, *VISITS.rules)):
        raise InputError(problems)
    return table.assign(
        date=parse_dates(text["date"]).dt.date,
        minutes=parse_numbers(text["minutes"]),
        **{
            name: pd.to_numeric(text[name], errors="coerce").astype("Int64")
            for name in ("stop", "engagements", "people")
        },
    )
