"""Tables of polygons, from files or frames: GeoJSON, GeoPackage, shapefiles and GeoParquet."""

from collections.abc import Callable, Sequence
from pathlib import Path

import geopandas as gpd

from patrolplan.errors import InputError
from patrolplan.inputs.gis_files import open_layer
from patrolplan.inputs.table_sources import TableSource

REMEDY = "use GeoJSON, GeoPackage or a shapefile"


def read_polygon_file(
    path: TableSource,
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
    if isinstance(path, Path) and not path.is_file():
        raise InputError.one(path, "the file does not exist", f"correct {key}")
    layer = open_layer(
        path, name=key.rsplit(maxsplit=1)[-1], noun="a file of polygons", remedy=REMEDY
    )
    columns = layer.header if choose_columns is None else choose_columns(layer.header)
    shapes = layer.read(columns)
    if not isinstance(shapes, gpd.GeoDataFrame):
        raise InputError.one(path, "has no polygon", REMEDY)
    if shapes.crs is None:
        raise InputError.one(path, "has no CRS", "save it with its CRS")
    return shapes
