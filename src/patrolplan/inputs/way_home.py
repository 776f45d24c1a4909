"""The tables of pupils' ways home, and the readers of two of them: areas and the clock.

`patrolplan.inputs.origins` reads where pupils live, `patrolplan.inputs.places` stops and pubs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problem
from patrolplan.inputs.categories import rename_categories
from patrolplan.inputs.polygons import read_polygon_rows
from patrolplan.inputs.small_tables import Lookup, Rule, is_given, once, read_lookup, required
from patrolplan.inputs.table_reader import Field, describe_cell, parse_numbers
from patrolplan.inputs.table_sources import TableSource
from patrolplan.tables import LeftOut
from patrolplan.text import list_first


@dataclass(frozen=True, eq=False)
class WayHomeTables:
    """Tables about pupils' ways home, and about places where crime happens at night.

    `origins`: `urn`, `area`, `pupils` (float64), who live in each area, in steps of five, see
    `patrolplan.inputs.origins.join_and_round`. `areas`: `area`, `residents`, `aged_5_16` (float64,
    NaN where not given), polygons in the CRS of the study area; they may be beyond its limits.
    `stops`: `kind` ("bus_stop", "station"), `boardings` (float64, NaN where not given), points.
    `places`: `kind` ("pub", "bar", "nightclub", "takeaway"), points. Stops and places are those of
    the streets file where no table is given.

    `clock`: `category`, `kind` (kind of place, see `patrolplan.risk.clock`), `from_minutes` (int64,
    start of a half-hour after midnight), `share` (float64, of the day of that category and kind, 48
    rows that add up to 1). The others are empty where not given.
    """

    origins: pd.DataFrame
    areas: gpd.GeoDataFrame
    stops: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    clock: pd.DataFrame


def _is_count(table: pd.DataFrame, column: str) -> pd.Series:
    return (table[column] == "") | (parse_numbers(table[column]) >= 0)


def _is_part_of_residents(table: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    return ~(parse_numbers(table[column]) > parse_numbers(table["residents"]))


AREA_FIELDS = (
    Field("area", ("OA21CD", "OA11CD", "LSOA21CD", "LSOA11CD"), required=True),
    Field("residents", ("USUALRES",)),
    Field("aged_5_16"),
)
"""Columns of areas: ours, or those of the Office for National Statistics, the smallest first."""

# fmt: off
AREAS = Lookup("areas", AREA_FIELDS, (
    Rule("area", is_given, "the area's name is missing", "write it, such as its official code"),
    once("area"),
    *(Rule(name, _is_count, "{value} is not a number of people", "write a number, or nothing")
      for name in ("residents", "aged_5_16")),
    Rule("aged_5_16", _is_part_of_residents,
         "{value} is more than all residents of the area", "correct one of the two"),
))
# fmt: on


def read_areas(
    paths: Sequence[TableSource],
    projection: Projection,
    left_out: LeftOut,
    *,
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Read the polygons of small areas, with their residents where the files have them.

    Columns are `area`, `residents` and `aged_5_16` (NaN where not given). In messages, row 1 is the
    first feature of a file.
    """
    table = read_polygon_rows(AREAS, paths, projection, columns=columns)
    areas = gpd.GeoDataFrame(
        {
            "area": table["area"].astype(object),
            "residents": parse_numbers(table["residents"]),
            "aged_5_16": parse_numbers(table["aged_5_16"]),
        },
        geometry=table.geometry.array,
        crs=projection.crs,
    )
    left_out.count_rows("areas", len(areas))
    is_polygon = areas.geom_type.isin(["Polygon", "MultiPolygon"])
    left_out.add("areas", "without a polygon", int((~is_polygon).sum()))
    areas = areas[is_polygon].reset_index(drop=True)
    return areas.set_geometry(areas.make_valid())


PLACE_KINDS = ("none", "1-2", "3-5", "6-11", "12+")
"""Kinds of place in the clock: licensed places within 150 m."""

ALL_KINDS = "*"
"""Means every kind of place in the clock."""

HALF_HOURS = tuple(f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30"))
HALF_HOUR_MINUTES = 30
CLOCK_GROUP = ["category", "kind"]


def _is_share(table: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    return parse_numbers(table[column]) >= 0


def _is_first_in_clock(table: pd.DataFrame, column: str) -> pd.Series:
    return ~table.duplicated([*CLOCK_GROUP, column])


# fmt: off
CLOCK = Lookup("clock", required("category", "kind", "from", "share"), (
    Rule("category", is_given, "the category is missing", "write it as in the crimes' table"),
    Rule("kind", r"none|1-2|3-5|6-11|12\+|\*", "{value} is not a kind of place",
         f"write {', '.join(PLACE_KINDS)} (licensed places within 150 m) or {ALL_KINDS} for all; a "
         "spreadsheet turns 1-2 into a date unless the column is text"),
    Rule("from", r"([01]\d|2[0-3]):(00|30)", "{value} is not the start of a half-hour",
         "write HH:MM, from 00:00 to 23:30"),
    Rule("share", _is_share, "{value} is not a share", "write a number of 0 or more"),
    Rule("from", _is_first_in_clock,
         "{value} is a duplicate for this category and kind", "keep one of the rows"),
))
# fmt: on


def read_clock(
    paths: Sequence[TableSource],
    left_out: LeftOut,
    *,
    columns: Mapping[str, str] | None = None,
    categories: Sequence[str] = (),
) -> pd.DataFrame:
    """Read how each category spreads over the day, by kind of place, see `WayHomeTables`.

    Shares may be of any sum, such as counts or per cent: those of each category and kind are
    divided by their sum. Names of categories that differ by case and spaces alone are the same.
    Rows are sorted by category, kind and half-hour.
    """
    table = read_lookup(CLOCK, paths, columns)
    left_out.count_rows("clock", len(table))
    renamed, _ = rename_categories(table["category"].astype("category"), categories)
    table = table.assign(
        category=renamed.astype(object),
        kind=table["kind"].astype(object),
        share=parse_numbers(table["share"]),
    )
    problems = []
    for (category, kind), rows in table.groupby(CLOCK_GROUP, sort=False):
        what = f"category '{category}', kind '{kind}'"
        missing = [start for start in HALF_HOURS if start not in set(rows["from"])]
        again = rows["from"].duplicated()
        if again.any():  # under two spellings, which the rules for values do not detect
            place = describe_cell(rows["row"][again].iloc[0], "category")
            what += f" has {rows['from'][again].iloc[0]} twice, under two spellings"
            problems.append(
                Problem(rows["file"][again].iloc[0], what, "remove one of the two", place)
            )
            continue
        if missing:
            what += f" lacks {len(missing)} of {len(HALF_HOURS)} half-hours ({list_first(missing)})"
            problems.append(Problem(rows["file"].iloc[0], what, "add them, with 0 for none"))
        elif not rows["share"].sum() > 0:
            what += " has shares of 0 alone"
            problems.append(Problem(rows["file"].iloc[0], what, "write its shares, or remove it"))
    if problems:
        raise InputError(problems)
    half_hour = pd.Index(HALF_HOURS).get_indexer(pd.Index(table["from"]))
    table = table.assign(from_minutes=HALF_HOUR_MINUTES * half_hour.astype("int64"))
    total = table.groupby(CLOCK_GROUP)["share"].transform("sum")
    table = table.assign(share=table["share"] / total)
    names = [*CLOCK_GROUP, "from_minutes", "share"]
    return table.sort_values(names, kind="stable")[names].reset_index(drop=True)
