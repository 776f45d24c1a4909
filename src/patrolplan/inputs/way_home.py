"""The tables of pupils' ways home, and the readers of two of them: areas and the clock.

`patrolplan.inputs.origins` reads where pupils live, `patrolplan.inputs.places` stops and pubs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patrolplan.errors import InputError, Problem
from patrolplan.inputs.categories import rename_categories
from patrolplan.inputs.declared import Column, Form, Rule, Table, one_of
from patrolplan.inputs.table_reader import describe_cell, parse_numbers
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
CLOCK = Table("clock", (
    Column("category", "category of crime",
           missing=("the category is missing", "write it as in the crimes' table")),
    Column("kind", "licensed places within 150 m, or * for any number",
           one_of((*PLACE_KINDS, ALL_KINDS), "a kind of place",
                  f"write {', '.join(PLACE_KINDS)} (licensed places within 150 m) or {ALL_KINDS} "
                  "for all; a spreadsheet turns 1-2 into a date unless the column is text")),
    Column("from", "start of a half-hour, HH:MM",
           one_of(HALF_HOURS, "the start of a half-hour", "write HH:MM, from 00:00 to 23:30")),
    Column("share", "share of the day; of any sum",
           Form(_is_share, "{value} is not a share", "write a number of 0 or more", parse_numbers)),
), (Rule("from", _is_first_in_clock,
         "{value} is a duplicate for this category and kind", "keep one of the rows"),))
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
    table = CLOCK.read(paths, columns)
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
