"""One table written in every format that is read."""

import warnings
import zipfile
from xml.sax.saxutils import escape

import geopandas as gpd
import pandas as pd
import pytest

NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table")
)
MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
    'manifest:full-path="/" '
    'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
)
FORMATS = ("xlsx", "ods", "gpkg", "geojson", "shp", "parquet", "geoparquet")
SPREADSHEETS = ("xlsx", "ods")
PLACED = ("gpkg", "geojson", "shp", "geoparquet")
"""Formats that have points instead of columns of coordinates."""


def write_ods(path, sheets):
    """Write sheets, name -> rows of cells, as a spreadsheet of other office programs."""
    tables = "".join(
        f'<table:table table:name="{escape(name)}">{"".join(map(_format_row, rows))}</table:table>'
        for name, rows in sheets.items()
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMESPACES} '
            f'office:version="1.2"><office:body><office:spreadsheet>{tables}</office:spreadsheet>'
            "</office:body></office:document-content>",
        )


def _format_row(cells):
    return f"<table:table-row>{''.join(map(_format_cell, cells))}</table:table-row>"


def _format_cell(value):
    if pd.isna(value):
        return "<table:table-cell/>"
    if isinstance(value, float | int):
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
    text = escape(str(value))
    return (
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    )


def write_table(path, frame, *, points=("longitude", "latitude"), given="EPSG:4326", crs=None):
    """Write a frame in the format of the path's ending; formats with shapes lose its coordinates.

    Parameters
    ----------
    points
        Columns of coordinates, where it has them.
    given, crs
        The CRS that they are in, and the one that points are saved in; the same by default.
    """
    kind = path.suffix[1:]
    if kind in SPREADSHEETS:
        pytest.importorskip("python_calamine", reason="spreadsheets are an extra")
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "xlsx":
        frame.to_excel(path, index=False)
    elif kind == "ods":
        write_ods(
            path, {"Sheet1": [list(frame.columns), *frame.astype(object).to_numpy().tolist()]}
        )
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        _write_layer(path, place_points(frame, points, given, crs or given))


def place_points(frame, points=("longitude", "latitude"), given="EPSG:4326", crs="EPSG:4326"):
    """A frame whose points stand instead of its columns of coordinates."""
    if not set(points) <= set(frame.columns):
        return gpd.GeoDataFrame(frame, geometry=[None] * len(frame), crs=crs)
    places = gpd.points_from_xy(frame[points[0]], frame[points[1]], crs=given)
    places[frame[points[0]].isna().to_numpy()] = None
    rest = frame.drop(columns=list(points))
    return gpd.GeoDataFrame(rest, geometry=places).to_crs(crs)


def _write_layer(path, frame):
    if path.suffix == ".geoparquet":
        frame.to_parquet(path)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a shapefile cuts names of columns
        frame.to_file(path)
