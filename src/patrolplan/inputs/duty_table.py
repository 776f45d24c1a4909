"""The table of officers' duties besides patrols: leave, courts, training, appointments."""

from collections.abc import Mapping, Sequence
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.crs import Projection
from patrolplan.inputs.lookup_rules import (
    DATE,
    Lookup,
    Rule,
    build_fields,
    build_points,
    given,
    is_degrees,
    is_within_reach,
    matching,
    parse_dates,
    parse_times,
    read_lookup,
)
from patrolplan.inputs.table_reader import Field
from patrolplan.inputs.table_sources import TableSource
from patrolplan.tables import DUTIES
from patrolplan.text import MAX_NAMED
from patrolplan.times import TIME_OF_DAY


def _is_after_start(table: pd.DataFrame, column: str) -> pd.Series:
    """Whether a time is after `from`; times that are none fail another rule."""
    times = table[[column, "from"]].apply(lambda cells: cells.str.fullmatch(TIME_OF_DAY))
    return pd.Series((table[column] > table["from"]) | ~times.all(axis=1), index=table.index)


def _has_one_place(table: pd.DataFrame, _column: str) -> pd.Series:
    has_point = (table["longitude"] != "") | (table["latitude"] != "")
    return (table["urn"] == "") | ~has_point


def _is_whole_point(table: pd.DataFrame, column: str) -> pd.Series:
    """Whether a point has both its coordinates, each in degrees, or neither."""
    other = "latitude" if column == "longitude" else "longitude"
    is_left_out = (table[column] == "") & (table[other] == "")
    return is_left_out | is_degrees(table, column)


def _is_one_of(table: pd.DataFrame, column: str, *, names: Sequence[str]) -> pd.Series:
    return table[column].isin([*names, ""])


WHOLE_POINT = Rule(
    _is_whole_point,
    "{value} is not a valid coordinate",
    "write decimal degrees in both columns, or neither",
)
DUTY_KINDS = (
    *("leave", "sick", "court", "training", "assembly", "meeting"),
    *("interview", "home_visit", "event", "away"),
)
"""Kinds of duties; `away` is one from a calendar that shows only that the officer is busy."""
DUTIES_TABLE = Lookup(
    "duties",
    (
        *build_fields("officer", "date", "from", "to", "kind"),
        *(Field(name) for name in ("urn", "longitude", "latitude")),
    ),
    (
        ("officer", given("the officer's name is missing", "write one, such as SSO-01")),
        ("date", DATE),
        ("from", matching(TIME_OF_DAY, "{value} is not a valid time", "write HH:MM")),
        ("to", matching(TIME_OF_DAY, "{value} is not a valid time", "write HH:MM")),
        (
            "to",
            Rule(
                _is_after_start,
                "{value} is not after the start",
                "write the later time; what goes on past midnight has a row for each day",
            ),
        ),
        (
            "urn",
            Rule(
                _has_one_place,
                "a duty at {value} has coordinates as well",
                "write the school's URN, or longitude and latitude, or neither",
            ),
        ),
        *((name, WHOLE_POINT) for name in ("longitude", "latitude")),
        (
            "kind",
            matching(
                "|".join(DUTY_KINDS), "{value} is not a kind", f"write {', '.join(DUTY_KINDS)}"
            ),
        ),
    ),
)


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
    reach = Rule(
        partial(is_within_reach, projection=projection),
        "{value} puts the duty far outside the area",
        "check that longitude and latitude are in their own columns",
    )
    rules: list[tuple[str, Rule]] = [("longitude", reach)]
    if officers is not None:
        some = ", ".join(officers[:MAX_NAMED])
        rule = Rule(
            partial(_is_one_of, names=officers),
            "there is no officer {value}",
            f"write a name of the officers table, such as {some}"
            if some
            else "name officers there",
        )
        rules.append(("officer", rule))
    table = read_lookup(DUTIES_TABLE, paths, columns, extra_rules=rules)
    geometry = build_points(table["longitude"], table["latitude"], projection)
    geometry[np.isnan(geometry.x)] = shapely.Point()
    table = table.assign(
        date=parse_dates(table["date"]),
        from_minutes=parse_times(table["from"]),
        to_minutes=parse_times(table["to"]),
    )
    names = [name for name in DUTIES.columns if name != "geometry"]
    return DUTIES.check(gpd.GeoDataFrame(table[names], geometry=geometry))
