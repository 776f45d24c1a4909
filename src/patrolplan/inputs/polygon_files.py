"""Files of polygons: GeoJSON, GeoPackage and shapefiles, opened only where their content is one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import geopandas as gpd
import pyogrio
import pyogrio.errors

from patrolplan.errors import InputError
from patrolplan.inputs.table_reader import check_size
from patrolplan.text import list_first

FILE_STARTS = {
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".gpkg": (b"SQLite format 3\0",),
    ".shp": (b"\x00\x00\x27\x0a",),
}
"""Formats: the ending of the file's name, and how its content begins."""

REMEDY = "use GeoJSON, GeoPackage or a shapefile"


def read_polygon_file(
    path: Path,
    *,
    key: str,
    choose_columns: Callable[[Sequence[str]], Sequence[str]] | None = None,
) -> gpd.GeoDataFrame:
    """Every feature of a file, of whatever shape, in the file's own CRS.

    Parameters
    ----------
    key
        Setting that names the file, for messages.
    choose_columns
        Which of the file's columns to read; default all.

    Raises
    ------
    InputError
        When the file is missing, too large, of another format or broken, or has several layers, no
        shape or no CRS.
    """
    if not path.is_file():
        raise InputError.one(path, "the file does not exist", f"correct {key}")
    check_size(path)
    _check_format(path)
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        if len(layers) > 1:
            what = (
                f"has {len(layers)} layers ({list_first(layers)}), so it is not clear which counts"
            )
            raise InputError.one(path, what, "save the layer of polygons in a file of its own")
        columns = None
        if choose_columns is not None:
            columns = list(
                choose_columns([str(name) for name in pyogrio.read_info(path)["fields"]])
            )
        shapes = gpd.read_file(path, columns=columns)
    except InputError:
        raise
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        ValueError,
        OSError,
    ) as error:
        what = f"is not a file of polygons ({error})"
        raise InputError.one(path, what, REMEDY) from None
    if not isinstance(shapes, gpd.GeoDataFrame):
        raise InputError.one(path, "has no polygon", REMEDY)
    if shapes.crs is None:
        raise InputError.one(path, "has no CRS", "save it with its CRS")
    return shapes


def _check_format(path: Path) -> None:
    """Refuse a file of any other format before GDAL sees it.

    GDAL goes by the content, whatever the name: a virtual format (VRT) could have it open other
    files, or an address on the internet.
    """
    starts = FILE_STARTS.get(path.suffix.lower(), ())
    with path.open("rb") as stream:
        start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not any(start.startswith(known) for known in starts):
        raise InputError.one(path, "is not a file of polygons", REMEDY)
