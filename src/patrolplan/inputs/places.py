"""Points that a way home leads to or past: bus stops and stations, pubs, bars and takeaways.

Both tables usually come from a publisher, with thousands of rows. So a row without a place is left
out and counted, as with crime; an unknown kind, which would drop its row silently, is reported with
its row.
"""

from collections.abc import Mapping, Sequence

import geopandas as gpd
import pandas as pd

from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.row_account import (
    build_account,
    check_accounts,
    check_resolution,
    is_coarse,
    is_given,
)
from patrolplan.inputs.table_reader import (
    POINT_FIELDS,
    Field,
    describe_cell,
    parse_numbers,
    project_coordinates,
    quote_value,
    read_counted_table,
)
from patrolplan.inputs.table_sources import TableSource
from patrolplan.plausibility import Alarms
from patrolplan.tables import LeftOut
from patrolplan.text import format_count

STOP_FIELDS = (
    Field("kind", ("StopType",), meaning="bus_stop or station"),
    Field("code", ("Naptan_Atco", "ATCOCode"), meaning="official code"),
    Field("virtual", ("Virtual_Bus_Stop",), meaning="1 where there is no stop on the street"),
    Field("boardings", meaning="passengers who board"),
    *POINT_FIELDS,
)
"""Columns of stops: ours, those of NaPTAN, or those of Transport for London's bus stops."""

PLACE_FIELDS = (Field("kind", meaning="pub, bar, nightclub or takeaway"), *POINT_FIELDS)

STOP_KINDS = {
    "bus_stop": "bus_stop",
    "station": "station",
    **dict.fromkeys(("bct", "bcs", "bcq"), "bus_stop"),
    **dict.fromkeys(("rly", "met"), "station"),
}
"""Our kind by the kind in the file. NaPTAN has a stop's type in three letters: a station has one
`RLY` or `MET`, and further rows for its entrances and platforms."""

OTHER_STOP_KINDS = frozenset(
    {
        *("air", "gat", "ftd", "fer", "fbt", "rse", "rpl", "tmu", "plt", "bce", "bst"),
        *("txr", "str", "sda", "lse", "lcb", "lce", "lpl"),
    }
)
"""NaPTAN's other types."""

OTHER_PLACE = "other"
PLACE_KINDS = {kind: kind for kind in ("pub", "bar", "nightclub", "takeaway")}
MIN_COARSE_ROWS = 10
"""Minimum number of rows to judge round coordinates: fewer may have them by chance."""


def read_stops(
    paths: Sequence[TableSource],
    projection: Projection,
    left_out: LeftOut,
    *,
    columns: Mapping[str, str] | None = None,
    alarms: Alarms | None = None,
) -> gpd.GeoDataFrame:
    """Read bus stops and stations: `kind`, `boardings` (NaN where not given), points.

    A table without kinds has bus stops if it is Transport for London's, with `Naptan_Atco`; its
    virtual stops, which only time buses, are left out.
    """
    rows = _read_points(
        "stops", STOP_FIELDS, paths, projection, columns or {}, left_out=left_out, alarms=alarms
    )
    is_virtual = rows["virtual"].isin(["1", "1.0"])
    left_out.add("stops", "virtual, with no stop on the street", int(is_virtual.sum()))
    rows = rows[~is_virtual]
    return gpd.GeoDataFrame(
        {"kind": rows["kind"].astype(object), "boardings": parse_numbers(rows["boardings"])},
        geometry=gpd.points_from_xy(rows["x"], rows["y"], crs=projection.crs),
    )


def read_places(
    paths: Sequence[TableSource],
    projection: Projection,
    left_out: LeftOut,
    *,
    columns: Mapping[str, str] | None = None,
    alarms: Alarms | None = None,
) -> gpd.GeoDataFrame:
    """Read pubs, bars, nightclubs and takeaways: `kind` and points."""
    rows = _read_points(
        "places", PLACE_FIELDS, paths, projection, columns or {}, left_out=left_out, alarms=alarms
    )
    return gpd.GeoDataFrame(
        {"kind": rows["kind"].astype(object)},
        geometry=gpd.points_from_xy(rows["x"], rows["y"], crs=projection.crs),
    )


KINDS = {"stops": STOP_KINDS, "places": PLACE_KINDS}
OTHER_KINDS = {"stops": OTHER_STOP_KINDS, "places": frozenset({OTHER_PLACE})}
KINDS_REMEDY = {
    "stops": "write bus_stop or station",
    "places": f"write {', '.join(PLACE_KINDS)}, or {OTHER_PLACE} for one that does not count",
}


def _read_points(
    source: str,
    fields: Sequence[Field],
    paths: Sequence[TableSource],
    projection: Projection,
    columns: Mapping[str, str],
    *,
    left_out: LeftOut,
    alarms: Alarms | None,
) -> pd.DataFrame:
    """The rows of all files with a known kind and a place: `kind`, `x`, `y`, and text."""
    problems, alarms = Problems(), Alarms() if alarms is None else alarms
    parts, accounts = [], []
    for path in paths:
        with problems.collect():
            counted = read_counted_table(path, fields, columns, source=source)
            table = counted.rows
            if source == "stops" and "kind" not in table:
                table = _assume_buses(table, path)
            x, y = project_coordinates(table, projection, columns, path=path, source=source)
            table = table.reindex(columns=["kind", "virtual", "boardings"]).astype(object)
            kind = table["kind"].map(_fold_kind)
            is_known = kind.isin({*KINDS[source], *OTHER_KINDS[source]})
            remedy = KINDS_REMEDY[source]
            _add_wrong(table["kind"][~is_known], "kind", path, remedy, problems)
            given = table["boardings"].astype("str").where(table["boardings"].notna())
            is_wrong = is_given(given) & ~(parse_numbers(given) >= 0)
            remedy = "write a number of passengers, or nothing"
            _add_wrong(given[is_wrong], "number", path, remedy, problems)
            place = {"x": x, "y": y, "is_coarse": is_coarse(counted.rows)}
            parts.append(table.assign(kind=kind.map(KINDS[source]), **place))
            accounts.append(build_account(path, counted))
    problems.raise_if_any()
    check_accounts(source, accounts, left_out, alarms)
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    has_kind, has_place = rows["kind"].notna(), rows["x"].notna()
    left_out.add(source, "of another kind", int((~has_kind).sum()))
    left_out.add(source, "without coordinates", int((has_kind & ~has_place).sum()))
    rows = rows[has_kind & has_place].reset_index(drop=True)
    coarse = rows["is_coarse"].to_numpy(dtype=bool)
    if len(rows):
        check_resolution(source, paths[0], coarse, alarms, min_rows=MIN_COARSE_ROWS)
    return rows


def _assume_buses(table: pd.DataFrame, path: TableSource) -> pd.DataFrame:
    """Stops of a table without kinds, which must be that of Transport for London."""
    if "code" not in table:
        what = "does not say which stops are of buses: no column 'kind'"
        remedy = "add it, with bus_stop or station, or map it under [columns.stops]"
        raise InputError.one(path, what, remedy)
    return table.assign(kind="bus_stop")


COLUMNS = ["kind", "virtual", "boardings", "x", "y", "is_coarse"]


def _fold_kind(kind: object) -> str:
    """A kind without regard to case, spaces and hyphens; empty where there is none."""
    return "_".join(kind.casefold().replace("-", " ").split()) if isinstance(kind, str) else ""


def _add_wrong(
    values: pd.Series, noun: str, path: TableSource, remedy: str, problems: Problems
) -> None:
    """A problem for each different value that is wrong, with the first row that has it."""
    text = values.astype(object).where(values.notna(), "")
    for value, rows in text.groupby(text, sort=False):
        what = f"{quote_value(value)} is not a {noun}" if value else f"the {noun} is missing"
        what += f" ({format_count(len(rows), 'row')})"
        place = describe_cell(rows.index[0], str(values.name))
        problems.add(path, what, remedy, place)
