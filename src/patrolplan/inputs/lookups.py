"""The small optional tables: bell times, gates, officers, term dates, tasked places, visits."""

from collections.abc import Mapping, Sequence
from functools import partial

import geopandas as gpd
import pandas as pd

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.lookup_rules import (
    DATE,
    DEGREES,
    HOURS,
    ONCE,
    OPTIONAL_TIME,
    POINT_RULES,
    SPAN_OF_HOURS,
    SPAN_RULES,
    URN_RULES,
    Lookup,
    Rule,
    build_fields,
    build_points,
    find_problems,
    given,
    is_within_reach,
    matching,
    parse_dates,
    parse_times,
    read_lookup,
)
from patrolplan.inputs.table_reader import Field, parse_numbers, read_table
from patrolplan.inputs.table_sources import TableSource
from patrolplan.tables import OFFICERS, REASONS, TASKED_PLACES, TERM_DATES
from patrolplan.times import TIME_OF_DAY

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
DAY_OF_WEEK = f"({'|'.join(WEEKDAYS)})"
MAX_VISIT_MINUTES = 720
"""Maximum minutes in one place on one day: more are a typing error."""


def _is_visit_length(table: pd.DataFrame, column: str) -> pd.Series:
    minutes = parse_numbers(table[column])
    return pd.Series((minutes >= 0) & (minutes <= MAX_VISIT_MINUTES), index=table.index)


def _is_place_given(table: pd.DataFrame, _column: str) -> pd.Series:
    return (table["hotspot"] != "") | (table["stop"] != "")


BELL_TIME_REMEDY = "write HH:MM, such as 15:10"
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
"""Roles that patrol alone by default."""

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
    """`finish_time` and `start_time`, "HH:MM" by URN; the latter is empty where not known."""
    table = read_lookup(BELL_TIMES, paths, columns).set_index("urn")
    return table[["finish_time", "start_time"]]


def read_gates(
    paths: Sequence[TableSource],
    projection: Projection,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Gates by URN: `file`, `row` and `value` (the cells' text) for messages, and the point."""
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
    """Read officers, see `patrolplan.tables.OFFICERS`."""
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

    `with` are the officers who came with `officer`, joined by ";", `people` how many came, `reason`
    why a visit was not made or not wholly, and `window` the patrol window where a school has
    several a day. `date` is a date, `minutes` a number, `stop`, `engagements` and `people` whole
    numbers or NA, the others text or NA. The index is the row number in the file.
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


def _split_urns(text: pd.Series) -> pd.Series:
    """(n,) lists of URNs, from cells that separate them by semicolons."""
    lists = [
        [urn.strip().removesuffix(".0") for urn in cell.split(";") if urn.strip()] for cell in text
    ]
    return pd.Series(lists, index=text.index, dtype=object)
