"""GeoPackage, GeoJSON, shapefiles and GeoParquet, opened only if their content has that format."""

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely
from pyproj.exceptions import CRSError

from patrolplan.errors import InputError
from patrolplan.inputs.file_sizes import check_size
from patrolplan.inputs.table_sources import MemoryTable, TableSource
from patrolplan.text import list_first

FILE_STARTS = {
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".gpkg": (b"SQLite format 3\0",),
    ".shp": (b"\x00\x00\x27\x0a",),
}
"""Formats: the ending of the file's name, and how its content begins."""

GEOJSON = (".geojson", ".json")
PARQUET = (".parquet", ".geoparquet")
SUFFIXES = (*FILE_STARTS, *PARQUET)


def _list_gdal_errors() -> tuple[type[Exception], ...]:
    """Errors that a broken file may cause."""
    from pyogrio import errors  # noqa: PLC0415 - GDAL is heavy, and most inputs are CSV files

    return (
        *(errors.DataSourceError, errors.DataLayerError, errors.FeatureError),
        *(errors.GeometryError, errors.FieldError, errors.CRSError),
        *(CRSError, ValueError, OSError, shapely.errors.ShapelyError),
    )


@dataclass(frozen=True, eq=False)
class Layer:
    """One table of a GIS file, or a frame in memory, before its columns are chosen.

    Parameters
    ----------
    source
        The file, or the argument.
    header
        Names of the columns, without that of the shapes.
    has_shapes
        Whether rows have shapes.
    read
        Given names of columns, the rows: a GeoDataFrame where they have shapes. Other columns are
        never read into memory, as far as the format allows.
    """

    source: TableSource
    header: tuple[str, ...]
    has_shapes: bool
    read: Callable[[Sequence[str]], pd.DataFrame]


def open_layer(source: TableSource, *, name: str, noun: str, remedy: str) -> Layer:
    """The one layer of a GIS file that counts, or a frame as one.

    Parameters
    ----------
    name
        Of several layers, the one with this name counts.
    noun, remedy
        What the file should be, and what to do where it is not, for messages.

    Raises
    ------
    InputError
        When the file is too large, of another format or broken, or several layers could be meant.
    """
    if isinstance(source, MemoryTable):
        return _open_frame(source)
    check_size(source)
    try:
        if source.suffix.lower() in PARQUET:
            return _open_parquet(source)
        return _open_gdal(source, name, noun, remedy)
    except _list_gdal_errors() as error:
        if isinstance(error, InputError):
            raise
        raise InputError.one(source, f"is not {noun} ({error})", remedy) from None


def _open_frame(table: MemoryTable) -> Layer:
    frame = table.frame
    shapes = frame.active_geometry_name if isinstance(frame, gpd.GeoDataFrame) else None
    header = tuple(str(name) for name in frame.columns if name != shapes)

    def read(names: Sequence[str]) -> pd.DataFrame:
        chosen = [name for name in frame.columns if name != shapes and str(name) in names]
        rows = pd.DataFrame(frame[chosen]).rename(columns=str).reset_index(drop=True)
        if shapes is None:
            return rows
        placed: pd.DataFrame = gpd.GeoDataFrame(rows, geometry=frame.geometry.array, crs=frame.crs)
        return placed

    return Layer(table, header, shapes is not None, read)


def _open_parquet(path: Path) -> Layer:
    """A Parquet file; with GeoParquet's notes, its main column of shapes."""
    from pyarrow import parquet  # noqa: PLC0415 - as above

    try:
        schema = parquet.read_schema(path)
        notes = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
        shapes = str(notes.get("primary_column", "")) if isinstance(notes, dict) else ""
    except (OSError, pa.ArrowException, UnicodeDecodeError, ValueError) as error:
        raise _refuse_parquet(path, error) from None
    shapes = shapes if shapes in schema.names else ""

    def read(names: Sequence[str]) -> pd.DataFrame:
        try:
            frame: pd.DataFrame
            if shapes:
                frame = gpd.read_parquet(path, columns=[*names, shapes])
            else:
                frame = parquet.read_table(path, columns=list(names)).to_pandas()
        except (*_list_gdal_errors(), pa.ArrowException, UnicodeDecodeError, KeyError) as error:
            raise _refuse_parquet(path, error) from None
        return frame

    return Layer(path, tuple(name for name in schema.names if name != shapes), bool(shapes), read)


def _refuse_parquet(path: Path, error: Exception) -> InputError:
    return InputError.one(path, f"is not a Parquet file ({error})", "write it again")


def _open_gdal(path: Path, name: str, noun: str, remedy: str) -> Layer:
    _check_format(path, noun, remedy)
    import pyogrio  # noqa: PLC0415 - as above

    is_geojson = path.suffix.lower() in GEOJSON
    # The name of the driver before the path: GDAL would otherwise detect it by the content, and
    # other kinds of JSON file make it open further files, or addresses.
    address: str | Path = f"GeoJSON:{path}" if is_geojson else path
    found = [str(layer) for layer, _ in pyogrio.list_layers(address)]
    layers = [layer for layer in found if layer.casefold() == name] if len(found) > 1 else found
    if len(layers) != 1:
        what = f"has {len(found)} layers ({list_first(found)}), so it is not clear which counts"
        raise InputError.one(
            path, what, f"name the layer '{name}', or save it in a file of its own"
        )
    # Dates as they are written: GDAL would read text such as 15:10 as a time.
    options = {"DATE_AS_STRING": "YES"} if is_geojson else {}
    about = pyogrio.read_info(address, layer=layers[0], **options)
    has_shapes = about["geometry_type"] is not None

    def read(names: Sequence[str]) -> pd.DataFrame:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of shapes that are none: those rows have no place
                frame: pd.DataFrame = pyogrio.read_dataframe(
                    address,
                    layer=layers[0],
                    columns=list(names),
                    read_geometry=has_shapes,
                    **options,
                )
        except _list_gdal_errors() as error:
            raise InputError.one(path, f"is not {noun} ({error})", remedy) from None
        text = {
            name: _drop_midnight(frame[name])
            for name in names
            if pd.api.types.is_string_dtype(frame[name].dtype) or frame[name].dtype == object
        }
        return frame.assign(**text)

    return Layer(path, tuple(str(field) for field in about["fields"]), has_shapes, read)


MIDNIGHT = r"(\d{4})[-/](\d{2})[-/](\d{2})[T ]00:00:00(?:\.0+)?Z?"


def _drop_midnight(column: pd.Series) -> pd.Series:
    """A column of days without the midnights that GDAL writes as text where a format has no days.

    Where one value has another time of day, all are times.
    """
    text = column[column.notna()]
    if (
        len(text)
        and all(isinstance(one, str) for one in text)
        and text.str.fullmatch(MIDNIGHT).all()
    ):
        return column.where(column.isna(), column.str.replace(MIDNIGHT, r"\1-\2-\3", regex=True))
    return column


def _check_format(path: Path, noun: str, remedy: str) -> None:
    """Refuse a file of any other format before GDAL sees it.

    GDAL detects formats by content, whatever the name: a virtual format (VRT) could make it open
    other files, or an address on the internet.
    """
    starts = FILE_STARTS.get(path.suffix.lower(), ())
    with path.open("rb") as stream:
        start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not any(start.startswith(form) for form in starts):
        raise InputError.one(path, f"is not {noun}", remedy)
