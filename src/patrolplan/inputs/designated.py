"""Hotspots that a force designates: polygons with an id, days, hours and minutes a week."""

import re
from collections.abc import Mapping, Sequence

import geopandas as gpd
import pandas as pd

from patrolplan.crs import Projection
from patrolplan.inputs.polygon_files import read_polygon_rows
from patrolplan.inputs.small_tables import (
    NO_TIME,
    OPTIONAL_TIME,
    Lookup,
    Rule,
    is_given,
    once,
    optional,
    required,
)
from patrolplan.inputs.table_reader import parse_numbers
from patrolplan.inputs.table_sources import TableSource
from patrolplan.tables import DESIGNATED, LeftOut

ALL_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLACE_ID = re.compile(r"[^\W_][\w ./()&'-]{0,23}")
"""An id that fits on every paper, and in the name of a file."""

OWN_NAME = re.compile(r"H\d+", re.IGNORECASE)
"""Names that patrolplan gives to the hotspots that it finds."""

TIME_REMEDY = "write HH:MM in both from and to, or nothing in both"


def _is_not_own_name(table: pd.DataFrame, column: str) -> pd.Series:
    return ~table[column].str.fullmatch(OWN_NAME)


def _has_other_end(table: pd.DataFrame, column: str) -> pd.Series:
    other = table["from" if column == "to" else "to"]
    return (table[column] != "") | (other == "")


def _is_other_time(table: pd.DataFrame, column: str) -> pd.Series:
    return (table[column] == "") | (table[column] != table["from"])


_DAY = f"({'|'.join(ALL_DAYS)})"

# fmt: off
DESIGNATED_TABLE = Lookup("designated", (
    *required("place_id", "name"), *optional("days", "from", "to", "minutes", "drawn"),
), (
    Rule("place_id", is_given,
         "the place's id is missing", "write the force's own, such as HO-12"),
    Rule("place_id", rf"({PLACE_ID.pattern})?", "{value} is not an id",
         "write 1 to 24 letters, digits, spaces or . - / &"),
    Rule("place_id", _is_not_own_name,
         "{value} is how hotspots are called that patrolplan finds itself",
         "write it another way, such as HO-12"),
    once("place_id"),
    Rule("name", r".{0,60}", "{value} is too long", "write at most 60 letters"),
    Rule("days", rf"({_DAY}(;{_DAY})*)?", "{value} is not a list of days",
         "write such as mon;wed;sat, or nothing for every day"),
    *(rule for column in ("from", "to") for rule in (
        Rule(column, OPTIONAL_TIME, NO_TIME, TIME_REMEDY),
        Rule(column, _has_other_end, "the time is missing while the other one is there",
             TIME_REMEDY),
    )),
    Rule("to", _is_other_time, "{value} is both the first and the last time", TIME_REMEDY),
    Rule("minutes", r"([1-9]\d{0,3})?", "{value} is not a number of minutes a week",
         "write a whole number of 1 or more, or nothing"),
    Rule("drawn", r"(\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?",
         "{value} is not a valid date", "write YYYY-MM or YYYY-MM-DD, or nothing"),
))
# fmt: on


def read_designated(
    paths: Sequence[TableSource],
    projection: Projection,
    left_out: LeftOut,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame | None:
    """Read the hotspots that a force designates, see `patrolplan.tables.DESIGNATED`."""
    if not paths:
        return None
    rows = read_polygon_rows(DESIGNATED_TABLE, paths, projection, columns=columns)
    left_out.count_rows("designated", len(rows))
    is_polygon = rows.geom_type.isin(["Polygon", "MultiPolygon"])
    left_out.add("designated", "without a polygon", int((~is_polygon).sum()))
    rows = rows[is_polygon].reset_index(drop=True)
    split = [[day for day in cell.split(";") if day] or list(ALL_DAYS) for cell in rows["days"]]
    table = gpd.GeoDataFrame(
        {
            **{name: rows[name] for name in ("place_id", "name")},
            "days": pd.Series(split, index=rows.index, dtype=object),
            **{name: rows[name] for name in ("from", "to")},
            "minutes": pd.Series(parse_numbers(rows["minutes"]), index=rows.index, dtype="float64"),
            "drawn": rows["drawn"],
        },
        geometry=rows.make_valid().array,
        crs=projection.crs,
    )
    return DESIGNATED.check(table)
