"""Officers: their schools, hours by weekday, and where they set out."""

import re
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from patrolplan.errors import Problems
from patrolplan.inputs.points import number
from patrolplan.inputs.tabular import Field
from patrolplan.inputs.tabular import read_table
from patrolplan.inputs.tabular import teller
from patrolplan.projection import Projection
from patrolplan.settings import TIME_OF_DAY
from patrolplan.tables import OFFICERS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
MODES = ("walk", "bicycle")
FIELDS = (
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
        with problems.collecting():
            table = read_table(path, FIELDS, columns or {}, source="officers")
            _check(table, path, parts, problems)
            parts.append(table)
    problems.raise_if_any()
    if not parts:
        empty: dict[str, list[str]] = {name: [] for name in OFFICERS.columns if name != "geometry"}
        frame = gpd.GeoDataFrame(empty, geometry=[], crs=projection.crs)
        return frame.astype({"max_patrols_per_week": "int64"})
    table = pd.concat(parts, ignore_index=True)
    longitude, latitude = number(table["base_longitude"]), number(table["base_latitude"])
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


def _check(
    table: pd.DataFrame, path: Path, before: Sequence[pd.DataFrame], problems: Problems
) -> None:
    tell = teller(table, path, problems)
    name = table["officer"]
    tell(name.isna(), "officer", "is no name for an officer", "write one, such as SSO-01")
    earlier = {officer for part in before for officer in part["officer"]}
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
        degrees = pd.Series(number(table[column]), index=table.index)
        wrong = ~(degrees.abs() <= limit)
        tell(wrong, column, "is no coordinate", "write decimal degrees")
