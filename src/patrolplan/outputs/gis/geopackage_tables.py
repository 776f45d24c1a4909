"""Further tables of a GeoPackage: meanings of the layers' columns, and styles for QGIS.

Meanings are the schema extension of the GeoPackage standard (OGC 12-128r19, annex F.9); styles are
the table `layer_styles`, which QGIS reads when a layer is opened.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from patrolplan.outputs.gis.meanings import LAYERS

WRITTEN_AT = "2000-01-01T00:00:00.000Z"
"""A fixed time, since equal layers give equal bytes."""

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
    layers = [name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")]
    extensions = [
        (table, None, "gpkg_schema", SCHEMA_EXTENSION, "read-write")
        for table in ("gpkg_data_columns", "gpkg_data_column_constraints")
    ]
    database.executemany("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, ?)", extensions)
    for layer in layers:
        if layer not in LAYERS:
            continue
        meaning = LAYERS[layer]
        database.execute(
            "UPDATE gpkg_contents SET description = ? WHERE table_name = ?", (meaning.about, layer)
        )
        rows = database.execute("SELECT name FROM pragma_table_info(?)", (layer,))
        columns = [name for (name,) in rows if name in meaning.columns]
        database.executemany(
            "INSERT INTO gpkg_data_columns (table_name, column_name, description) VALUES (?, ?, ?)",
            [(layer, name, meaning.columns[name]) for name in columns],
        )


def _write_styles(database: sqlite3.Connection, styles: Mapping[str, str]) -> None:
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 'How QGIS draws the layers', ?)",
        (WRITTEN_AT,),
    )
    geometry = dict(
        database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
    )
    database.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
        "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner, "
        "update_time) VALUES ('', '', ?, ?, 'patrolplan', ?, '', 1, '', '', ?)",
        [(layer, geometry[layer], style, WRITTEN_AT) for layer, style in styles.items()],
    )
