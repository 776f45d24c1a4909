"""Tables written line by line, and one table in every format that is read."""

import warnings

import geopandas as gpd
import pytest

FORMATS = ("xlsx", "gpkg", "geojson", "shp", "parquet", "geoparquet")
PLACED = ("gpkg", "geojson", "shp", "geoparquet")
"""Formats that have points instead of columns of coordinates."""


def write_content(folder, content, name="table.csv"):
    """Write text or bytes; gives the file's path."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_lines(folder, *lines, name="table.csv"):
    """Write the lines of a table; gives its path."""
    return write_content(folder, "\n".join(lines), name)


def write_sheets(path, sheets):
    """Write sheets, name -> rows of cells, as a spreadsheet, where they can be read."""
    pytest.importorskip("python_calamine", reason="spreadsheets are an extra")
    book = pytest.importorskip("openpyxl").Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


def write_table(path, frame, *, points=("longitude", "latitude"), given="EPSG:4326", crs=None):
    """Write a frame in the format of the path's ending, with shapes in place of coordinates."""
    kind = path.suffix[1:]
    if kind == "xlsx":
        pytest.importorskip("python_calamine", reason="spreadsheets are an extra")
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "xlsx":
        frame.to_excel(path, index=False)
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
