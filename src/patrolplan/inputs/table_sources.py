"""Where a table comes from: a file, or a frame in memory in place of one.

Readers accept both. A frame enters at the same place as a file's rows: its wanted columns become
text, like those of a CSV file, so that every later check is the same.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from patrolplan.atomic import hash_content, hash_file
from patrolplan.settings.kinds import name_argument

SIDECARS = (".dbf", ".prj", ".cpg")
"""Files that belong to a shapefile, and hold what it means."""


@dataclass(frozen=True, eq=False)
class MemoryTable:
    """A table given as an argument instead of a file.

    Its text is the argument's name, which messages show in place of a file: the table's key under
    `[sources]`, and its number from 1 where the argument has several (0 where it is the only one).
    """

    source: str
    frame: pd.DataFrame
    number: int = 0

    suffix = ".frame"
    """The ending of its name: none, for readers that decide by that of a file."""

    def __str__(self) -> str:
        return name_argument(self.source) + (f", table {self.number}" if self.number else "")

    @property
    def name(self) -> str:
        """The same, as a file has a name."""
        return str(self)

    def is_file(self) -> bool:
        """It is not a file, so it is not looked up in a cache of files."""
        return False


TableSource = Path | MemoryTable
"""A source that readers of tables accept."""


def hash_source(source: TableSource) -> str:
    """SHA-256 of a file's content, or of a frame's as text; a shapefile's files count together."""
    if isinstance(source, MemoryTable):
        return _hash_frame(source.frame)
    if source.suffix.lower() != ".shp":
        return hash_file(source)
    sidecars = [source.with_suffix(ending) for ending in SIDECARS]
    return hash_content(*(hash_file(one) for one in (source, *sidecars) if one.is_file()))


def _hash_frame(frame: pd.DataFrame) -> str:
    """SHA-256 of the columns' names, types' own text and values; the index does not count."""
    parts: list[str | bytes] = [json.dumps([str(name) for name in frame.columns])]
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
        parts.append("" if frame.crs is None else frame.crs.to_wkt())
        parts += [b"" if wkb is None else wkb for wkb in frame.geometry.to_wkb()]
        frame = pd.DataFrame(frame.drop(columns=frame.active_geometry_name))
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        text = column.astype(object).where(column.notna(), "").map(str)
        parts.append(json.dumps(text.tolist()))
    return hash_content(*parts)
