"""Files that are no plain text: GIS files and spreadsheets, and bounds on the size of all files.

GeoPackage, GeoJSON, shapefiles and GeoParquet are opened only if their content has that format.
"""

import bz2
import functools
import gzip
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely
from pyproj.exceptions import CRSError

from patrolplan.atomic import hash_content, hash_file
from patrolplan.errors import InputError, describe_install
from patrolplan.settings.kinds import name_argument
from patrolplan.text import list_first

SIDECARS = (".dbf", ".prj", ".cpg")  # Files that belong to a shapefile, and hold what it means


@dataclass(frozen=True, eq=False)
class MemoryTable:
    """A table given as an argument, whose name messages show in place of a file's."""

    source: str
    frame: pd.DataFrame
    number: int = 0  # among the tables of an argument from 1; 0 where there is only one
    suffix = ".frame"  # The ending of its name: none, for readers that decide by that of a file

    def __str__(self) -> str:
        return name_argument(self.source) + (f", table {self.number}" if self.number else "")

    name = property(__str__)  # as a file has one

    def is_file(self) -> bool:
        """It is not a file, so it is not looked up in a cache of files."""
        return False


TableSource = Path | MemoryTable  # A source that readers of tables accept
Files = Sequence[TableSource]
Columns = Mapping[str, str] | None  # `[columns.SOURCE]` of the settings, ours -> theirs


def hash_source(source: TableSource) -> str:
    """SHA-256 of a file's content, or of a frame's as text; a shapefile's files count together."""
    if isinstance(source, MemoryTable):
        frame, crs = source.frame, ""  # names of columns and text of values: no index
        if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
            crs = "" if frame.crs is None else frame.crs.to_wkt()
            frame = frame.to_wkb(hex=True)
        return hash_content(crs, frame.to_csv(index=False))
    if source.suffix.lower() != ".shp":
        return hash_file(source)
    sidecars = [source.with_suffix(ending) for ending in SIDECARS]
    return hash_content(*(hash_file(one) for one in (source, *sidecars) if one.is_file()))


FILE_STARTS = {
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".gpkg": (b"SQLite format 3\0",),
    ".shp": (b"\x00\x00\x27\x0a",),
}  # Formats: the ending of the file's name, and how its content begins
GEOJSON = (".geojson", ".json")
PARQUET = (".parquet", ".geoparquet")
GIS_SUFFIXES = (*FILE_STARTS, *PARQUET)
SPREADSHEET = ".xlsx"
NEEDED = "python-calamine"  # It reads spreadsheets; an extra, since many users have none
MAX_FILE_BYTES = 4 * 2**30  # Unpacked. A year of crime of England and Wales is about a tenth
MAX_EXPANSION_RATIO = 100  # Unpacked to packed size: tables and streets reach 5 to 30
SMALL_BYTES = 64 * 2**20  # The ratio does not apply to files that unpack to at most this size
CHUNK_BYTES = 2**20
UNPACKERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}
BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""Errors of files that cannot be unpacked."""


def check_size(path: Path) -> None:
    """Refuse a file that is too large, or that unpacks to far more than tables and streets do."""
    # The size that a packed file states itself cannot be trusted. A broken file passes here.
    with suppress(*BROKEN):
        for _ in _unpack_to_bound(path):
            pass


def read_content(path: Path) -> bytes:
    """The content of a file, unpacked where its name ends in .gz; refused as by `check_size`."""
    content = b"".join(_unpack_to_bound(path))
    return content if path.suffix.lower() == ".gz" else path.read_bytes()


def read_bounded(path: Path, max_bytes: int, remedy: str) -> bytes:
    """The content of a file, of which no more is read than it may have."""
    if not path.is_file():  # such as a pipe, which might never end
        raise InputError.one(path, "the file does not exist", "check the path")
    try:
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        raise InputError.one(path, what, "check that you may read it") from None
    if len(content) > max_bytes:
        raise InputError.one(path, f"is larger than {max_bytes / 1e6:.0f} MB", remedy)
    return content


def _unpack_to_bound(path: Path) -> Iterator[bytes]:
    """What is packed in a file, in chunks; it is refused as soon as it is too large."""
    packed, unpacked, remedy = path.stat().st_size, 0, "use a smaller extract, of the area only"
    if packed > MAX_FILE_BYTES:
        raise InputError.one(path, f"is larger than {MAX_FILE_BYTES / 2**30:g} GiB", remedy)
    bound = min(MAX_FILE_BYTES, max(SMALL_BYTES, packed * MAX_EXPANSION_RATIO))
    for packed_stream in _open_streams(path):
        with packed_stream as stream:
            while chunk := stream.read(CHUNK_BYTES):
                unpacked += len(chunk)
                if unpacked > bound:
                    size = f"{bound / 2**20:,.0f} MiB from {packed / 2**20:,.1f}"
                    raise InputError.one(path, f"unpacks to more than {size}", remedy)
                yield chunk


def _open_streams(path: Path) -> Iterator[IO[bytes]]:
    """What is packed in a file; nothing of one that is not packed."""
    suffix = path.suffix.lower()
    if suffix in UNPACKERS:
        yield UNPACKERS[suffix](path)
    elif suffix == SPREADSHEET:
        with zipfile.ZipFile(path) as archive:
            yield from map(archive.open, archive.namelist())


def _list_errors() -> tuple[type[Exception], ...]:
    """Errors that a broken file may cause."""
    from pyogrio import errors  # noqa: PLC0415 - GDAL is heavy, and most inputs are CSV files

    return (
        *(errors.DataSourceError, errors.DataLayerError, errors.FeatureError),
        *(errors.GeometryError, errors.FieldError, errors.CRSError),
        *(CRSError, ValueError, OSError, KeyError, shapely.errors.ShapelyError, pa.ArrowException),
    )


GIS_REMEDY = "save it again, such as GeoPackage"
Choose = Callable[[Sequence[str], bool], Iterable[str]]
"""Given the header without the column of shapes, and whether there is one: names to read."""


def read_layer(source: TableSource, name: str, choose: Choose) -> pd.DataFrame:
    """Chosen columns, by row number, of a frame or of a file's one table; others are not loaded."""
    # Of several sheets or layers the one with the table's `name` counts; shapes: a GeoDataFrame.
    if isinstance(source, MemoryTable):
        return _take_frame(source, choose)
    check_size(source)
    suffix = source.suffix.lower()
    try:
        if suffix == SPREADSHEET:
            return _read_sheet(source, name, choose)
        return (_read_parquet if suffix in PARQUET else _read_gdal)(source, name, choose)
    except InputError:
        raise
    except _list_errors() as error:
        noun = "Parquet" if suffix in PARQUET else "GIS"
        raise InputError.one(source, f"is not a {noun} file ({error})", GIS_REMEDY) from None


def _take_frame(table: MemoryTable, choose: Choose) -> pd.DataFrame:
    frame = table.frame
    shapes = frame.active_geometry_name if isinstance(frame, gpd.GeoDataFrame) else None
    own = [name for name in frame.columns if name != shapes]
    names = {*choose(list(map(str, own)), shapes is not None)}
    rows = pd.DataFrame(frame[[name for name in own if str(name) in names]])
    rows = rows.rename(columns=str).reset_index(drop=True)
    if shapes is None:
        return rows
    placed: pd.DataFrame = gpd.GeoDataFrame(rows, geometry=frame.geometry.array, crs=frame.crs)
    return placed


def _read_parquet(path: Path, _name: str, choose: Choose) -> pd.DataFrame:
    """A Parquet file; with GeoParquet's notes, its main column of shapes."""
    from pyarrow import parquet  # noqa: PLC0415 - as above

    schema = parquet.read_schema(path)
    notes = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
    shapes = str(notes.get("primary_column", "")) if isinstance(notes, dict) else ""
    has_shapes = shapes in schema.names
    names = list(choose([name for name in schema.names if name != shapes], has_shapes))
    frame: pd.DataFrame
    if has_shapes:
        frame = gpd.read_parquet(path, columns=[*names, shapes])
    else:
        frame = parquet.read_table(path, columns=names).to_pandas()
    return frame.set_axis(pd.RangeIndex(2, len(frame) + 2))


def _read_gdal(path: Path, name: str, choose: Choose) -> pd.DataFrame:
    _check_format(path)
    import pyogrio  # noqa: PLC0415 - as above

    is_geojson = path.suffix.lower() in GEOJSON
    # The name of the driver before the path: GDAL would otherwise detect it by the content, and
    # other kinds of JSON file make it open further files, or addresses.
    address: str | Path = f"GeoJSON:{path}" if is_geojson else path
    layer = _choose_one(path, name, "layer", [str(one) for one, _ in pyogrio.list_layers(address)])
    # Dates as they are written: GDAL would read text such as 15:10 as a time.
    options = {"DATE_AS_STRING": "YES"} if is_geojson else {}
    about = pyogrio.read_info(address, layer=layer, **options)
    has_shapes = about["geometry_type"] is not None
    names = list(choose(list(map(str, about["fields"])), has_shapes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of shapes that are none: those rows have no place
        frame: pd.DataFrame = pyogrio.read_dataframe(
            address, layer=layer, columns=names, read_geometry=has_shapes, **options
        )
    text = {
        name: _drop_midnight(frame[name])
        for name in names
        if pd.api.types.is_string_dtype(frame[name].dtype) or frame[name].dtype == object
    }
    return frame.assign(**text).set_axis(pd.RangeIndex(1, len(frame) + 1))


def _choose_one(path: Path, name: str, noun: str, found: Sequence[str]) -> str:
    """Of several layers or sheets the one of a name; which counts is not guessed."""
    named = [one for one in found if one.strip().casefold().replace(" ", "_") == name]
    chosen = named if len(found) > 1 and named else found
    if len(chosen) != 1:
        what = f"has {len(found)} {noun}s ({list_first(found)}), so it is not clear which counts"
        remedy = f"name the {noun} '{name}', or save it in a file of its own"
        raise InputError.one(path, what, remedy)
    return chosen[0]


MIDNIGHT = r"(\d{4})[-/](\d{2})[-/](\d{2})[T ]00:00:00(?:\.0+)?Z?"


def _drop_midnight(column: pd.Series) -> pd.Series:
    """Days without the midnights that GDAL writes, unless one value has another time of day."""
    text = column[column.notna()]
    if (
        len(text)
        and all(isinstance(one, str) for one in text)
        and text.str.fullmatch(MIDNIGHT).all()
    ):
        return column.where(column.isna(), column.str.replace(MIDNIGHT, r"\1-\2-\3", regex=True))
    return column


def _check_format(path: Path) -> None:
    """Refuse a file of any other format before GDAL sees it."""
    # GDAL detects formats by content: a virtual one could make it open other files, or addresses.
    starts = FILE_STARTS.get(path.suffix.lower(), ())
    with path.open("rb") as stream:
        start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not any(start.startswith(form) for form in starts):
        raise InputError.one(path, "is not a GIS file", GIS_REMEDY)


def _read_sheet(path: Path, name: str, choose: Choose) -> pd.DataFrame:
    """The rows of a sheet below its header, without blank ones."""
    rows = {
        number: row
        for number, row in enumerate(_load_sheet(path, name), start=1)
        if any(map(_is_given, row))
    }
    if not rows:
        raise InputError.one(path, "the file is empty", "fetch or export it again")
    header = [str(cell).strip() for cell in rows.pop(min(rows))]
    columns = {}
    for one in choose(header, False):  # noqa: FBT003 - a sheet has no shapes
        at = header.index(one)
        cells = [row[at] if at < min(len(row), len(header)) else "" for row in rows.values()]
        columns[one] = [_drop_seconds(cell) if _is_given(cell) else None for cell in cells]
    return pd.DataFrame(columns, dtype=object, index=list(rows))


WHOLE_MINUTE = re.compile(r"(\d{2}:\d{2}):00")


def _drop_seconds(cell: object) -> object:
    """A cell without the seconds of a time of day, which some spreadsheets store, not show."""
    whole = WHOLE_MINUTE.fullmatch(cell.strip()) if isinstance(cell, str) else None
    return whole[1] if whole else cell


def _is_given(cell: object) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


MAX_CELLS = 20_000_000  # From the first cell of a sheet to its last: all are held in memory
CELL = re.compile(rb"""r=["']([A-Z]{1,3})(\d{1,7})["']""")


def _check_extent(path: Path) -> None:
    """Refuse a sheet with a cell so far away that the cells before it do not fit into memory."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            cells = CELL.findall(archive.read(name)) if name.startswith("xl/worksheets/") else []
            rows = max((int(row) for _, row in cells), default=0)
            letters = max({column for column, _ in cells}, key=lambda c: (len(c), c), default=b"")
            columns = functools.reduce(lambda n, letter: 26 * n + letter - 64, letters, 0)
            if rows * columns > MAX_CELLS:
                what = f"has a sheet of {rows:,} rows and {columns:,} columns"
                remedy = "delete what stands far from the table, or save the table as CSV"
                raise InputError.one(path, what, remedy)


def _load_sheet(path: Path, source: str) -> list[list[Any]]:
    """All rows of the sheet that counts, from row 1."""
    try:
        calamine = import_module("python_calamine")
    except ImportError:
        what = f"is a spreadsheet, and the package that reads it, {NEEDED}, is not installed"
        command = describe_install(NEEDED)
        remedy = f"save the table as CSV, or install the package with: {command}"
        raise InputError.one(path, what, remedy) from None
    with suppress(*BROKEN):
        _check_extent(path)
    sheets: dict[str, list[list[Any]]] = {}
    try:
        with path.open("rb") as stream:
            workbook = calamine.CalamineWorkbook.from_filelike(stream)
            for name in workbook.sheet_names:
                # A sheet of drawings or of a chart alone has no cells.
                with suppress(calamine.WorksheetNotFound):
                    sheets[name] = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        what = f"is broken or not a spreadsheet ({error})"
        raise InputError.one(path, what, "save it again, or as CSV") from None
    given = {name: rows for name, rows in sheets.items() if any(map(any, rows))}
    return given[_choose_one(path, source, "sheet", list(given))] if given else []
