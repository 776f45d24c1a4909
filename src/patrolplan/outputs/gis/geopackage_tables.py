"""Meanings of columns (OGC 12-128r19, annex F.9) and styles for QGIS, as tables of a GeoPackage."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from patrolplan.tables import HOTSPOTS, SCHOOLS

NO_DAY_WORDS = "local time; on 1 January 2000 where the plan is for no day"


@dataclass(frozen=True)
class LayerMeaning:
    """A layer in a sentence, its kind of shape, and the meanings of its columns by their names."""

    about: str
    shape: str
    columns: Mapping[str, str]


_DUTY = {
    "urn": "unique reference number of the school",
    "number": "1 for the first officer at this school, 2 for the second",
}

_INNER = {"pieces", "stop_piece", "stop_metres", "stop"}
_HOTSPOT = {column.name: column.meaning for column in HOTSPOTS.columns if column.name not in _INNER}

_WAYS = {
    "pupils": "pupils who walk along the piece of street",
    "marking": "protective marking",
    "reason": "what the layer was written for",
}

LAYERS: Mapping[str, LayerMeaning] = {
    "risk": LayerMeaning(
        "Risk in the patrol window on each piece of street, without where pupils are",
        "LineString",
        {
            "name": "street; empty where it has no name",
            "highway": "class of street as in OpenStreetMap",
            "metres": "length of the piece, metres",
            "crime": "share of the area's risk from recorded crime, 0 to 1",
            "reports": "share of the area's risk from pupils' reports, 0 to 1",
            "risk": "both joined by their weights, share of the area's, 0 to 1",
            "risk_per_metre": "risk by length, share of the area's per metre",
            "risk_class": "4 the 5 % of street with most risk, 3 the next 10 %, 2 the next 15 %, "
            "1 the next 20 %, 0 other streets",
            "disagreement": "-1 recorded but not feared, 1 feared but not recorded, 0 in agreement",
            "expected": "incidents expected in the window on one day, all categories; "
            "times 190 for a school year",
            "expected_low": "lower end of the 80 % band of expected, incidents a day",
            "expected_high": "upper end of the 80 % band of expected, incidents a day",
        },
    ),
    "hotspots": LayerMeaning(
        "Stretches of street that hold the most risk, with their reasons",
        "MultiLineString",
        _HOTSPOT
        | {
            "reasons": "why it is one, in words",
            "how_sure": "how sure that is, in words",
            "stop_x": "where one stands, metres east in the layer's CRS",
            "stop_y": "where one stands, metres north in the layer's CRS",
            "incidents": "patrol-relevant incidents recorded; missing where not to be shown",
            "incident_months": "months that incidents were counted in",
            "reports_low": "pupils' reports, rounded: at least so many; missing where none count",
            "reports_high": "pupils' reports, rounded: at most so many; missing where none count",
        },
    ),
    "patrols": LayerMeaning(
        "One patrol of one officer, with all of its way; empty where it stays at the gate",
        "MultiLineString",
        _DUTY
        | {
            "school": "name of the school",
            "start": "at the gate from, HH:MM local",
            "end": "at its end, HH:MM local",
            "starts": f"at the gate from, {NO_DAY_WORDS}",
            "ends": f"at its end, {NO_DAY_WORDS}",
            "stops": "number of stops",
            "worth": "share of the risk to the school's own pupils within reach, in steps of 0.05",
            "bound": "no patrol of this school and window can be worth more, in steps of 0.05",
            "proven": "no better patrol exists",
            "walked_metres": "length of its way, metres",
            "kind": "patrol; reference, as an experienced officer would walk; or gate",
        },
    ),
    "stops": LayerMeaning(
        "Where an officer stands, when, and why",
        "Point",
        _DUTY
        | {
            "stop": "order on the patrol, from 1",
            "id": "the place's own, the same next month",
            "hotspot": "hotspot, or name of the tasked place, or the id of another",
            "kind": "hotspot, corner, gate, tasked or designated",
            "tasked": "place_id of a tasked place",
            "arrive": "from, HH:MM local",
            "leave": "until, HH:MM local",
            "arrives": f"from, {NO_DAY_WORDS}",
            "leaves": f"until, {NO_DAY_WORDS}",
            "place": "street and nearest junction",
            "stand": "what one stands at",
            "stands_at": "name of the street that joins, of the bus stop or station there",
            "lit": "street lighting there: yes, no or unknown",
            "tasked_metres": "from a tasked place to where one stands, metres",
            "why": "reasons in words",
        },
    ),
    "legs": LayerMeaning(
        "From stop to stop, along the streets",
        "LineString",
        _DUTY
        | {
            "leg": "order on the patrol: 1 leads to the first stop, the last one back",
            "metres": "length, metres",
            "minutes": "time it takes, minutes",
            "streets": "streets in the order of the way",
        },
    ),
    "schools": LayerMeaning(
        "Schools at their gates",
        "Point",
        {
            **{column.name: column.meaning for column in SCHOOLS.columns},
            "opens": f"opening bell, {NO_DAY_WORDS}",
            "finishes": f"bell, {NO_DAY_WORDS}",
        },
    ),
    "ways": LayerMeaning("Pupils' ways home of all schools, as modelled", "LineString", _WAYS),
    "ways_by_school": LayerMeaning(
        "Pupils' ways home by school, as modelled",
        "LineString",
        {"urn": _DUTY["urn"], "gate_metres": "walking distance from the gate, metres"} | _WAYS,
    ),
}

UNKNOWN = LayerMeaning("", "Unknown", {})  # A layer of others
WRITTEN_AT = "2000-01-01T00:00:00.000Z"  # A fixed time, since equal layers give equal bytes
SCHEMA_EXTENSION = "http://www.geopackage.org/spec/#extension_schema"

_TABLES = """
CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT,
 extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
 CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT,
 title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT,
 CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
 CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL,
 constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC,
 max_is_inclusive BOOLEAN, description TEXT,
 CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
"""

_STYLES = """
CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
 f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30),
 styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30),
 ui TEXT(30), update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
"""


def write_tables(path: Path, styles: Mapping[str, str]) -> None:
    """Add both to a GeoPackage that has only layers; without styles there is no table of them."""
    try:
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY")
            database.executescript(_TABLES)
            _write_meanings(database)
            if styles:
                database.executescript(_STYLES)
                _write_styles(database, styles)
    except sqlite3.Error as error:
        message = f"{path.name}: {error}"
        raise OSError(message) from None


def _write_meanings(database: sqlite3.Connection) -> None:
    tables = ("gpkg_data_columns", "gpkg_data_column_constraints")
    extensions = [(one, None, "gpkg_schema", SCHEMA_EXTENSION, "read-write") for one in tables]
    database.executemany("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, ?)", extensions)
    for layer, meaning in LAYERS.items():
        rows = database.execute("SELECT name FROM pragma_table_info(?)", (layer,))
        database.executemany(
            "INSERT INTO gpkg_data_columns (table_name, column_name, description) VALUES (?, ?, ?)",
            [(layer, name, meaning.columns[name]) for (name,) in rows if name in meaning.columns],
        )


def _write_styles(database: sqlite3.Connection, styles: Mapping[str, str]) -> None:
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 'How QGIS draws the layers', ?)",
        (WRITTEN_AT,),
    )
    columns = database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns")
    geometry = dict(columns.fetchall())
    database.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
        "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner, "
        "update_time) VALUES ('', '', ?, ?, 'patrolplan', ?, '', 1, '', '', ?)",
        [(layer, geometry[layer], style, WRITTEN_AT) for layer, style in styles.items()],
    )
