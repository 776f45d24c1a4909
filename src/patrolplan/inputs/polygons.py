"""Polygons: the area's outline, small areas, and hotspots that a force designates."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from patrolplan.arrays import Floats
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import declared
from patrolplan.inputs.declared import OPTIONAL_TIME, Rule, Table
from patrolplan.inputs.formats import GIS_REMEDY, Choose, Columns, Files, TableSource, read_layer
from patrolplan.inputs.table_reader import match_columns, parse_numbers, write_cells
from patrolplan.settings import Settings
from patrolplan.settings.kinds import name_argument
from patrolplan.tables import Column, Form, LeftOut

POLYGONS = ["Polygon", "MultiPolygon"]


def read_polygon_file(
    path: TableSource, *, key: str, choose: Choose = lambda header, _: header
) -> gpd.GeoDataFrame:
    """Every feature of a file, in its own CRS; `key` is the setting that names it, for messages."""
    if isinstance(path, Path) and not path.is_file():
        raise InputError.one(path, "the file does not exist", f"correct {key}")
    shapes = read_layer(path, key.rsplit(maxsplit=1)[-1], choose)
    if not isinstance(shapes, gpd.GeoDataFrame):
        raise InputError.one(path, "has no polygon", GIS_REMEDY)
    if shapes.crs is None:
        raise InputError.one(path, "has no CRS", "save it with its CRS")
    return shapes


def _read_rows(
    path: TableSource,
    wanted: Sequence[Column],
    columns: Mapping[str, str],
    *,
    source: str,
    projection: Projection,
) -> gpd.GeoDataFrame:
    """The features of one file as text, by their number from 1, with shapes in metres."""
    theirs: dict[str, str] = {}

    def choose(header: Sequence[str], _has_shapes: bool) -> Iterable[str]:  # noqa: FBT001
        theirs.update(match_columns(path, header, wanted, columns, source))
        return dict.fromkeys(theirs.values())

    shapes = read_polygon_file(path, key=f"[sources] {source}", choose=choose)
    text = {
        ours: write_cells(shapes[name], ours).fillna("").str.strip()
        for ours, name in theirs.items()
    }
    rows = gpd.GeoDataFrame(text, geometry=shapes.geometry.to_crs(projection.crs).array)
    return rows.set_axis(np.arange(1, len(rows) + 1))


def read_limits(
    settings: Settings, street_xy: Floats, given: gpd.GeoDataFrame | None = None
) -> BaseGeometry:
    """Polygon of the area in metres: as given, or set, else the extent of the streets (v, 2)."""
    projection = Projection(settings.area.crs)
    if given is not None:
        return _join_polygons(given, projection, name_argument("boundary"))
    if settings.area.boundary is not None:
        path = settings.folder / settings.area.boundary
        return _join_polygons(read_polygon_file(path, key="[area] boundary"), projection, path)
    if settings.area.bounds is not None:
        west, south, east, north = settings.area.bounds
        edge = shapely.segmentize(shapely.box(west, south, east, north), (east - west) / 50)
        degrees = shapely.get_coordinates(edge)
        return shapely.Polygon(np.column_stack(projection.to_metres(degrees[:, 0], degrees[:, 1])))
    low, high = street_xy.min(axis=0), street_xy.max(axis=0)
    return shapely.box(low[0] - 1, low[1] - 1, high[0] + 1, high[1] + 1)


def _join_polygons(
    shapes: gpd.GeoDataFrame, projection: Projection, where: str | Path
) -> BaseGeometry:
    """One shape of all polygons, in metres."""
    if shapes.crs is None:
        raise InputError.one(where, "has no CRS", "give it its CRS")
    shapes = shapes[shapes.geom_type.isin(POLYGONS)]
    if shapes.empty:
        raise InputError.one(where, "has no polygon", "save the area's outline as a polygon")
    return shapes.to_crs(projection.crs).make_valid().union_all()


ALL_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLACE_ID = re.compile(r"[^\W_][\w ./()&'-]{0,23}")  # Fits on papers and in names of files
ONE_TIME = "the time is missing while the other one is there"
TIME_REMEDY = "write HH:MM in both from and to, or nothing in both"


# fmt: off
DESIGNATED = Table("designated", (
    Column("place_id", "the force's own id", Form(f"({PLACE_ID.pattern})?", "{value} is not an id",
                "write 1 to 24 letters, digits, spaces or . - / &"), once=True,
           missing=("the place's id is missing", "write the force's own, such as HO-12")),
    Column("name", "what it is called in words; may be empty",
           Form(r".{0,60}", "{value} is too long", "write at most 60 letters")),
    Column("days", "days on which it is to be patrolled, of mon to sun",
           declared.some_of(ALL_DAYS, "days",
                            "write such as mon;wed;sat, or nothing for every day"), needed=False),
    Column("from", "start of its hours, HH:MM; empty at any time",
           OPTIONAL_TIME, TIME_REMEDY, needed=False),
    Column("to", "end of its hours, HH:MM, on the next day where it is before from",
           OPTIONAL_TIME, TIME_REMEDY, needed=False),
    Column("minutes", "minutes a week that it is to have; NaN where not given",
           Form(r"([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600)?",
                "{value} is not a number of minutes that a week of five patrols can have",
                "write a whole number from 1 to 3600, or nothing", parse_numbers, "float64"),
           needed=False),
    Column("drawn", "month or day when it was drawn, YYYY-MM[-DD]; may be empty",
           Form(r"([0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?", declared.NO_DATE,
                "write YYYY-MM or YYYY-MM-DD, or nothing"), needed=False),
), (
    Rule("place_id", lambda t, c: ~t[c].str.fullmatch(r"(?i)H\d+"),
         "{value} is how hotspots are called that patrolplan finds itself",
         "write it another way, such as HO-12"),
    Rule("from", lambda t, c: (t[c] != "") | (t["to"] == ""), ONE_TIME, TIME_REMEDY),
    Rule("to", lambda t, c: (t[c] != "") | (t["from"] == ""), ONE_TIME, TIME_REMEDY),
    Rule("to", lambda t, c: (t[c] == "") | (t[c] != t["from"]),
         "{value} is both the first and the last time", TIME_REMEDY),
), place="polygon in the area's CRS")

PEOPLE = declared.number("a number of people", "write a number, or nothing")
AREAS = Table("areas", (
    Column("area", "its name or official code", Form(store=lambda text: text.astype(object)),
           once=True, missing=("the area's name is missing", "write it, such as its official code"),
           known_names=("OA21CD", "OA11CD", "LSOA21CD", "LSOA11CD")),
    Column("residents", "people who live there; NaN where not given", PEOPLE, needed=False,
           known_names=("USUALRES",)),
    Column("aged_5_16", "those of school age; NaN where not given", PEOPLE, needed=False),
), (Rule("aged_5_16", lambda t, c: ~(parse_numbers(t[c]) > parse_numbers(t["residents"])),
         "{value} is more than all residents of the area", "correct one of the two"),),
    place="polygon in the area's CRS; they may be beyond its limits")
# fmt: on


def read_polygons(
    table: Table,
    paths: Files,
    projection: Projection,
    left_out: LeftOut,
    *,
    columns: Columns = None,
) -> gpd.GeoDataFrame:
    """The polygons of a declared table's files; in messages, row 1 is a file's first feature."""
    text = table.read(paths, columns, read_file=partial(_read_rows, projection=projection))
    rows = gpd.GeoDataFrame(text, geometry="geometry" if paths else [], crs=projection.crs)
    left_out.count_rows(table.source, len(rows))
    is_polygon = rows.geom_type.isin(POLYGONS)
    count, fix = int((~is_polygon).sum()), "draw a polygon for each"
    left_out.add(table.source, "without a polygon", count, fix=fix)
    rows = rows[is_polygon].reset_index(drop=True)
    shapes = gpd.GeoSeries(rows.make_valid(), crs=projection.crs)
    return table.build(pd.DataFrame(rows), shapes.array)


read_designated, read_areas = partial(read_polygons, DESIGNATED), partial(read_polygons, AREAS)
