"""Officers: their schools, hours by weekday, and where they set out.

Places tasked by intelligence: to be visited, or barred, for a time and with a reason.

Term dates: when schools are open, for all of them or one.

Visits on paper, typed into a table: who was where, when, for how many minutes.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.table_reader import Field, build_row_checker, parse_numbers, read_table
from patrolplan.tables import OFFICERS, TASKED_PLACES, TERM_DATES
from patrolplan.times import TIME_OF_DAY

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
MODES = ("walk", "bicycle")
OFFICER_FIELDS = (
    Field("officer", required=True),
    Field("school_urns", required=True),
    *(Field(day, required=True) for day in WEEKDAYS),
    Field("max_patrols_per_week", required=True),
    Field("mode", required=True),
    Field("base_longitude", required=True),
    Field("base_latitude", required=True),
)
HOURS = re.compile(rf"{TIME_OF_DAY.pattern}-{TIME_OF_DAY.pattern}")


def read_officers(
    paths: Sequence[Path], projection: Projection, *, columns: Mapping[str, str] | None = None
) -> gpd.GeoDataFrame:
    """Read officers, see `patrolplan.tables.OFFICERS`.

    Raises
    ------
    InputError
        With every value that is not as the contracts say.
    """
    problems = Problems()
    parts: list[pd.DataFrame] = []
    for path in paths:
        with problems.collect():
            table = read_table(path, OFFICER_FIELDS, columns or {}, source="officers")
            _check_officer_rows(table, path, parts, problems)
            parts.append(table)
    problems.raise_if_any()
    if not parts:
        empty: dict[str, list[str]] = {name: [] for name in OFFICERS.columns if name != "geometry"}
        frame = gpd.GeoDataFrame(empty, geometry=[], crs=projection.crs)
        return frame.astype({"max_patrols_per_week": "int64"})
    table = pd.concat(parts, ignore_index=True)
    longitude, latitude = (
        parse_numbers(table["base_longitude"]),
        parse_numbers(table["base_latitude"]),
    )
    x, y = projection.to_metres(longitude, latitude)
    urns = table["school_urns"].fillna("").str.split(";")
    data = {
        "officer": table["officer"],
        "school_urns": urns.map(lambda row: [urn.strip() for urn in row if urn.strip()]),
        **{day: table[day].fillna("") for day in WEEKDAYS},
        "max_patrols_per_week": table["max_patrols_per_week"].astype("int64"),
        "mode": table["mode"],
    }
    geometry = gpd.points_from_xy(x, y, crs=projection.crs)
    return OFFICERS.check(gpd.GeoDataFrame(data, geometry=geometry))


def _check_officer_rows(
    table: pd.DataFrame, path: Path, earlier_tables: Sequence[pd.DataFrame], problems: Problems
) -> None:
    tell = build_row_checker(table, path, problems)
    name = table["officer"]
    tell(name.isna(), "officer", "is no name for an officer", "write one, such as SSO-01")
    earlier = {officer for part in earlier_tables for officer in part["officer"]}
    again = name.notna() & (name.duplicated() | name.isin(earlier))
    tell(again, "officer", "stands twice", "keep one of the rows")
    for day in WEEKDAYS:
        hours = table[day].fillna("")
        good = hours.str.fullmatch(HOURS) & (hours.str[:5] < hours.str[6:])
        remedy = "write HH:MM-HH:MM, or nothing for a day off"
        tell((hours != "") & ~good, day, "are no hours of duty", remedy)
    most = table["max_patrols_per_week"].fillna("").str.fullmatch(r"\d{1,2}")
    tell(~most, "max_patrols_per_week", "is no number of patrols", "write a whole number")
    tell(~table["mode"].isin(MODES), "mode", "is no mode", "write walk or bicycle")
    for column, limit in (("base_longitude", 180), ("base_latitude", 90)):
        degrees = pd.Series(parse_numbers(table[column]), index=table.index)
        wrong = ~(degrees.abs() <= limit)
        tell(wrong, column, "is no coordinate", "write decimal degrees")


NAMES = (
    "place_id",
    "longitude",
    "latitude",
    "must_visit",
    "schools",
    "from",
    "to",
    "reason",
    "by",
)
TASKED_FIELDS = tuple(Field(name, required=True) for name in NAMES)


def read_tasked_places(
    paths: Sequence[Path], projection: Projection, *, columns: Mapping[str, str] | None = None
) -> gpd.GeoDataFrame:
    """Read tasked places, see `patrolplan.tables.TASKED_PLACES`.

    Raises
    ------
    InputError
        With every value that is missing or not as the contracts say.
    """
    problems = Problems()
    parts = []
    for path in paths:
        with problems.collect():
            table = read_table(path, TASKED_FIELDS, columns or {}, source="tasked_places")
            parts.append(_check_tasked_rows(table, path, problems))
    problems.raise_if_any()
    if not parts:
        return _build_empty_table(projection)
    table = pd.concat(parts, ignore_index=True)
    x, y = projection.to_metres(parse_numbers(table["longitude"]), parse_numbers(table["latitude"]))
    schools = table["schools"].str.split(";")
    table = table.assign(
        must_visit=table["must_visit"].str.casefold() == "true",
        schools=schools.map(lambda row: [urn.strip() for urn in row if urn.strip()]),
    ).drop(columns=["longitude", "latitude"])
    geometry = gpd.points_from_xy(x, y, crs=projection.crs)
    return TASKED_PLACES.check(gpd.GeoDataFrame(table, geometry=geometry))


def _build_empty_table(projection: Projection) -> gpd.GeoDataFrame:
    data: dict[str, list[object]] = {
        name: [] for name in TASKED_PLACES.columns if name != "geometry"
    }
    frame = gpd.GeoDataFrame(data, geometry=[], crs=projection.crs)
    kinds = {"must_visit": "bool", "from": "datetime64[ns]", "to": "datetime64[ns]"}
    return frame.astype(kinds)


def _check_tasked_rows(table: pd.DataFrame, path: Path, problems: Problems) -> pd.DataFrame:
    tell = build_row_checker(table, path, problems)
    place = table["place_id"]
    tell(place.isna(), "place_id", "names no place", "write a short name, such as T1")
    tell(place.notna() & place.duplicated(), "place_id", "stands twice", "keep one of the rows")
    for column, limit in (("longitude", 180), ("latitude", 90)):
        degrees = pd.Series(parse_numbers(table[column]), index=table.index)
        tell(~(degrees.abs() <= limit), column, "is no coordinate", "write decimal degrees")
    must = table["must_visit"].fillna("").str.casefold().isin(["true", "false"])
    tell(~must, "must_visit", "is neither true nor false", "write true, or false for barred")
    tell(table["schools"].isna(), "schools", "names no school", "write URNs with ;, or * for all")
    dates = {
        name: pd.to_datetime(table[name], format="%Y-%m-%d", errors="coerce")
        for name in ("from", "to")
    }
    for name, values in dates.items():
        tell(values.isna(), name, "is no date", "write YYYY-MM-DD")
    tell(dates["to"] < dates["from"], "to", "is before the first day", "swap the two dates")
    for column, remedy in (("reason", "say why"), ("by", "say who asks for it")):
        tell(table[column].isna(), column, "is missing", remedy)
    return table.assign(**dates)


TERM_FIELDS = (
    Field("urn", ("urn or *",), required=True),
    Field("from", required=True),
    Field("to", required=True),
    Field("kind", required=True),
)
KINDS = ("term", "closed")


def read_term_dates(
    paths: Sequence[Path], *, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read term dates, see `patrolplan.tables.TERM_DATES`.

    Raises
    ------
    InputError
        With every value that is no date or kind, and every span that ends before it begins.
    """
    problems = Problems()
    parts = []
    for path in paths:
        with problems.collect():
            table = read_table(path, TERM_FIELDS, columns or {}, source="term_dates")
            parts.append(_check_term_rows(table, path, problems))
    problems.raise_if_any()
    if not parts:
        empty = pd.DataFrame({"urn": [], "from": [], "to": [], "kind": []}, dtype="str")
        parts = [empty.astype({"from": "datetime64[ns]", "to": "datetime64[ns]"})]
    return TERM_DATES.check(pd.concat(parts, ignore_index=True))


def _check_term_rows(table: pd.DataFrame, path: Path, problems: Problems) -> pd.DataFrame:
    tell = build_row_checker(table, path, problems)
    dates = {
        name: pd.to_datetime(table[name], format="%Y-%m-%d", errors="coerce")
        for name in ("from", "to")
    }
    for name, values in dates.items():
        tell(values.isna(), name, "is no date", "write YYYY-MM-DD")
    tell(dates["to"] < dates["from"], "to", "is before the first day", "swap the two dates")
    tell(table["urn"].isna(), "urn", "names no school", "write a URN, or * for all schools")
    tell(~table["kind"].isin(KINDS), "kind", "is no kind", "write term or closed")
    return table.assign(**dates)


VISIT_FIELDS = (
    Field("officer", required=True),
    Field("date", required=True),
    Field("urn"),
    Field("hotspot"),
    Field("stop"),
    Field("minutes", required=True),
    Field("engagements"),
)
MAX_VISIT_MINUTES = 720
"""More minutes than this in one place on one day are a slip of the pen."""


def read_visits(path: Path) -> pd.DataFrame:
    """Read a table of visits.

    Parameters
    ----------
    path
        Columns `officer`, `date` (YYYY-MM-DD), `hotspot` (its name, such as H3) or `stop` (its
        number on the card), `minutes`, and where they are wanted `urn` and `engagements`.

    Returns
    -------
    pandas.DataFrame
        All seven columns: `date` as dates, `minutes` as numbers, `stop` and `engagements` whole
        numbers or NA, the others text or NA. The index is the row number in the file.

    Raises
    ------
    InputError
        With every value that is not as said.
    """
    table = read_table(path, VISIT_FIELDS, {}, source="--csv")
    if not {"hotspot", "stop"} & set(table.columns):
        what = "says of no visit where it was: neither 'hotspot' nor 'stop' is a column"
        raise InputError.one(path, what, "add one of them")
    table = table.reindex(columns=[field.name for field in VISIT_FIELDS]).astype(object)
    problems = Problems()
    tell = build_row_checker(table, path, problems)
    tell(table["officer"].isna(), "officer", "is no officer", "write who it was, such as SSO-01")
    where = table["hotspot"].isna() & table["stop"].isna()
    column = "hotspot" if table["hotspot"].notna().any() else "stop"
    tell(where, column, "names no place", "write the stop's number or the hotspot's name")
    date = pd.to_datetime(table["date"], format="%Y-%m-%d", errors="coerce")
    tell(date.isna(), "date", "is no date", "write YYYY-MM-DD")
    minutes = pd.Series(parse_numbers(table["minutes"]), index=table.index)
    good = (minutes >= 0) & (minutes <= MAX_VISIT_MINUTES)
    remedy = f"write minutes from 0 to {MAX_VISIT_MINUTES}, 0 where it was not visited"
    tell(~good, "minutes", "is no number of minutes", remedy)
    whole = {}
    for name, what in (("stop", "a stop"), ("engagements", "engagements")):
        text = table[name].astype("string").fillna("")
        tell((text != "") & ~text.str.fullmatch(r"\d{1,3}"), name, f"is no number of {what}",
             "write a whole number, or nothing")  # fmt: skip
        whole[name] = pd.to_numeric(text.where(text != ""), errors="coerce").astype("Float64")
    problems.raise_if_any()
    stop, spoken = (whole[name].astype("Int64") for name in ("stop", "engagements"))
    return table.assign(date=date.dt.date, minutes=minutes, stop=stop, engagements=spoken)
