"""The tables of pupils' ways home: readers of the clock, of stops and of places."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import geopandas as gpd
import pandas as pd

from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs import table_reader
from patrolplan.inputs.crime_checks import rename_categories
from patrolplan.inputs.declared import Rule, Table, one_of
from patrolplan.inputs.formats import Columns, Files, TableSource
from patrolplan.inputs.table_reader import POINT, parse_numbers
from patrolplan.plausibility import Alarms
from patrolplan.tables import Column, Form, LeftOut
from patrolplan.text import format_count, list_first


@dataclass(frozen=True, eq=False)
class WayHomeTables:
    """Tables about pupils' ways home, and about places where crime happens at night.

    `origins`: `urn`, `area`, `pupils`, see `patrolplan.inputs.origins`. `areas`: see
    `patrolplan.inputs.polygons.AREAS`. `stops`: `kind` ("bus_stop", "station"), `boardings` (NaN:
    not given), points. `places`: `kind` (of `LATE_KINDS`), points. `clock`: `category`, `kind` (of
    `PLACE_KINDS` or `*`), `from_minutes` (start of a half-hour after midnight), `share` (of the day
    of that category and kind). `counts`: see `patrolplan.inputs.small_tables.COUNTS`. Those not
    given are empty; stops and places are then those of the streets file.
    """

    origins: pd.DataFrame
    areas: gpd.GeoDataFrame
    stops: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    clock: pd.DataFrame
    counts: gpd.GeoDataFrame = field(default_factory=lambda: gpd.GeoDataFrame({"urn": []}))


PLACE_KINDS = ("none", "1-2", "3-5", "6-11", "12+")  # Licensed places within 150 m
ALL_KINDS = "*"  # Means every kind of place in the clock
HALF_HOURS = tuple(f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30"))
HALF_HOUR_MINUTES = 30
CLOCK_GROUP = ["category", "kind"]


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
           Form(lambda t, c: parse_numbers(t[c]) >= 0, "{value} is not a share",
                "write a number of 0 or more", parse_numbers)),
), (Rule("from", lambda t, c: ~t.duplicated([*CLOCK_GROUP, c]),
         "{value} is a duplicate for this category and kind", "keep one of the rows"),))
# fmt: on


def read_clock(
    paths: Files, left_out: LeftOut, *, columns: Columns = None, categories: Sequence[str] = ()
) -> pd.DataFrame:
    """How each category spreads over the day, by kind of place; see `WayHomeTables`."""
    # Shares may be of any sum, such as counts or per cent. Names of categories that differ by case
    # and spaces alone are the same.
    table = CLOCK.read(paths, columns)
    left_out.count_rows("clock", len(table))
    renamed, _ = rename_categories(table["category"].astype("category"), categories)
    table = table.assign(
        category=renamed.astype(object),
        kind=table["kind"].astype(object),
        share=parse_numbers(table["share"]),
    )
    problems = Problems()
    for (category, kind), rows in table.groupby(CLOCK_GROUP, sort=False):
        missing = [start for start in HALF_HOURS if start not in set(rows["from"])]
        what = remedy = ""
        if len(rows) > len(HALF_HOURS):  # rows of one spelling alone are seen by the rule above
            what, remedy = "has half-hours twice, under two spellings", "keep one of the two"
        elif missing:
            what = f"lacks {len(missing)} of {len(HALF_HOURS)} half-hours ({list_first(missing)})"
            remedy = "add them, with 0 for none"
        elif not rows["share"].sum() > 0:
            what, remedy = "has shares of 0 alone", "write its shares, or remove it"
        if what:
            where = f"category '{category}', kind '{kind}'"
            problems.add(rows["file"].iloc[0], f"{where} {what}", remedy)
    problems.raise_if_any()
    half_hour = pd.Index(HALF_HOURS).get_indexer(pd.Index(table["from"]))
    table = table.assign(from_minutes=HALF_HOUR_MINUTES * half_hour.astype("int64"))
    total = table.groupby(CLOCK_GROUP)["share"].transform("sum")
    table = table.assign(share=table["share"] / total)
    names = [*CLOCK_GROUP, "from_minutes", "share"]
    return table.sort_values(names, kind="stable")[names].reset_index(drop=True)


# fmt: off
STOP_COLUMNS = (
    Column("kind", "bus_stop or station", needed=False, known_names=("StopType",)),
    Column("code", "official code", needed=False, known_names=("Naptan_Atco", "ATCOCode")),
    Column("virtual", "1 where there is no stop on the street", needed=False,
           known_names=("Virtual_Bus_Stop",)),
    Column("boardings", "passengers who board", needed=False),
    *POINT,
)  # Columns of stops: ours, those of NaPTAN, or those of Transport for London's bus stops
# fmt: on
PLACE_COLUMNS = (Column("kind", "pub, bar, nightclub or takeaway", needed=False), *POINT)
LATE_KINDS = ("pub", "bar", "nightclub", "takeaway")
KINDS = {
    "stops": {
        "bus_stop": "bus_stop",
        "station": "station",
        **dict.fromkeys(("bct", "bcs", "bcq"), "bus_stop"),
        **dict.fromkeys(("rly", "met"), "station"),
    },
    "places": {kind: kind for kind in LATE_KINDS},
}
"""Our kind by the kind in the file. NaPTAN has a stop's type in three letters: a station has one
`RLY` or `MET`, and further rows for its entrances and platforms."""

NAPTAN = "air gat ftd fer fbt rse rpl tmu plt bce bst txr str sda lse lcb lce lpl"
OTHER_KINDS = {"stops": NAPTAN.split(), "places": ["other"]}
"""Kinds that are known and do not count: of stops, NaPTAN's other types."""

KINDS_REMEDY = {
    "stops": "write bus_stop or station",
    "places": f"write {', '.join(LATE_KINDS)}, or other for one that does not count",
}
MIN_COARSE_ROWS = 10  # Fewer rows may have round coordinates by chance


def _read_points(
    source: str,
    paths: Files,
    projection: Projection,
    left_out: LeftOut,
    *,
    columns: Columns = None,
    alarms: Alarms | None = None,
) -> gpd.GeoDataFrame:
    """Stops or places of a known kind: `kind`, of stops `boardings` (NaN: not given), points."""
    # Both tables usually come from a publisher, with thousands of rows. So a row without a place is
    # left out and counted; an unknown kind, which would drop its row silently, is reported.
    alarms, problems = alarms or Alarms(), Problems()
    wanted = STOP_COLUMNS if source == "stops" else PLACE_COLUMNS
    tables = [pd.DataFrame(columns=["kind", "virtual", "boardings", "x", "y", "is_coarse"])]
    accounts, how = [], (wanted, columns or {}, projection)
    for path in paths:
        with problems.collect():
            counted = table_reader.read_placed_table(path, *how, source=source)
            table = counted.rows
            if "kind" not in table and "code" not in table:
                what = "does not say which stops are of buses: no column 'kind'"
                remedy = "add it, with bus_stop or station, or map it under [columns.stops]"
                raise InputError.one(path, what, remedy)
            table = table if "kind" in table else table.assign(kind="bus_stop")
            table = table.reindex(columns=tables[0].columns)
            is_known = table["kind"].map(_fold_kind).isin({*KINDS[source], *OTHER_KINDS[source]})
            _add_wrong(table["kind"][~is_known], "kind", path, KINDS_REMEDY[source], problems)
            given = table["boardings"].astype("str").where(table["boardings"].notna())
            is_wrong = table_reader.is_given(given) & ~(parse_numbers(given) >= 0)
            remedy = "write a number of passengers, or nothing"
            _add_wrong(given[is_wrong], "number", path, remedy, problems)
            tables.append(table)
            accounts.append(counted)
    problems.raise_if_any()
    table_reader.check_accounts(source, accounts, left_out, alarms)
    rows = pd.concat(tables[1:] or tables, ignore_index=True)
    rows["kind"] = rows["kind"].map(_fold_kind).map(KINDS[source]).astype(object)
    rows["boardings"] = parse_numbers(rows["boardings"])
    faults = {
        "of another kind": rows["kind"].isna(),
        "without coordinates": rows["x"].isna(),
        # London's table has stops that only time buses.
        "virtual, with no stop on the street": rows["virtual"].isin(["1", "1.0"]),
    }
    good = pd.Series(data=True, index=rows.index)
    for reason, fault in faults.items():
        fix = "fill in their coordinates" if reason == "without coordinates" else ""
        left_out.add(source, reason, int((good & fault).sum()), fix=fix)
        good &= ~fault
    rows = rows[good].reset_index(drop=True)
    coarse = rows["is_coarse"].to_numpy(dtype=bool)
    if len(rows):
        table_reader.check_resolution(source, paths[0], coarse, alarms, min_rows=MIN_COARSE_ROWS)
    points = gpd.points_from_xy(rows["x"], rows["y"], crs=projection.crs)
    own = ["kind", "boardings"] if source == "stops" else ["kind"]
    return gpd.GeoDataFrame(rows[own], geometry=points)


read_stops, read_places = partial(_read_points, "stops"), partial(_read_points, "places")


def _fold_kind(kind: object) -> str:
    """A kind without regard to case, spaces and hyphens; empty where there is none."""
    return "_".join(kind.casefold().replace("-", " ").split()) if isinstance(kind, str) else ""


def _add_wrong(
    values: pd.Series, noun: str, path: TableSource, remedy: str, problems: Problems
) -> None:
    """A problem for each different value that is wrong, with the first row that has it."""
    text = values.astype(object).where(values.notna(), "")
    for value, rows in text.groupby(text, sort=False):
        quoted = table_reader.quote_value(value)
        what = f"{quoted} is not a {noun}" if value else f"the {noun} is missing"
        place = table_reader.describe_cell(rows.index[0], str(values.name))
        problems.add(path, f"{what} ({format_count(len(rows), 'row')})", remedy, place)
