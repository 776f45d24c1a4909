"""Streets read once, kept by the content of their files in the user's cache folder."""

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import geopandas as gpd
import numpy as np
import pandas as pd
import platformdirs

from patrolplan.inputs.streets import Streets
from patrolplan.inputs.streets import read_streets
from patrolplan.projection import Projection
from patrolplan.tables import LeftOut
from patrolplan.tables import LeftOutRow

FORMAT = "streets-3"
"""Change this when `Streets`, or the rule of what is walked or ridden, changes."""


WORKSPACE = ".fetch"
"""Folder beside the settings that holds what came of a fetch that is not done."""

ENTRY = re.compile(r"streets-\d+-[0-9a-f]{32}|\.new-\w+")
"""Names of the cache's folders, whole and interrupted."""

FILES = frozenset({"features.parquet", "ways.parquet", "vertices.npz", "left_out.json"})
"""What a folder of the cache may hold."""


def cache_folder() -> Path:
    """Where patrolplan keeps its copies: the variable PATROLPLAN_CACHE, or the user's cache."""
    named = os.environ.get("PATROLPLAN_CACHE", "")
    return Path(named or platformdirs.user_cache_dir("patrolplan", appauthor=False))


def keep_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file of the cache beside and rename it, so that an entry is whole or not there.

    A cache that cannot be written is passed over: it only saves time.

    Parameters
    ----------
    path
        Where the entry is kept.
    write
        Is given the open file.
    """
    beside = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        Path(beside).replace(path)
    except OSError:
        if beside:
            Path(beside).unlink(missing_ok=True)


def digest(path: Path) -> str:
    """SHA-256 of a file's content, worked out once in a run.

    In another run the bytes are read again: a date and a size do not prove that they are the same.
    """
    at = path.stat()
    return _digest(path.absolute(), at.st_size, at.st_mtime_ns)


@lru_cache(maxsize=4096)
def _digest(path: Path, size: int, written: int) -> str:  # noqa: ARG001 - they tell a change
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cached_streets(paths: Sequence[Path], projection: Projection, left_out: LeftOut) -> Streets:
    """Streets from the cache when the same files were read before, else from the files.

    A cache that cannot be read or written is passed over: it only saves time.
    """
    if not all(path.is_file() for path in paths):
        return read_streets(paths, projection, left_out)
    key = "\n".join([FORMAT, projection.crs, *(digest(path) for path in paths)])
    folder = cache_folder() / f"{FORMAT}-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    try:
        streets, rows = _load(folder, projection)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        told = LeftOut()
        streets, rows = read_streets(paths, projection, told), told.rows
        _keep(folder, streets, rows)
    left_out.extend(rows)
    return streets


def _load(folder: Path, projection: Projection) -> tuple[Streets, list[LeftOutRow]]:
    features = gpd.read_parquet(folder / "features.parquet")
    with np.load(folder / "vertices.npz") as arrays:
        streets = Streets(
            ways=pd.read_parquet(folder / "ways.parquet"),
            vertex_way=arrays["vertex_way"],
            vertex_node=arrays["vertex_node"],
            vertex_xy=arrays["vertex_xy"],
            features=features.set_crs(projection.crs, allow_override=True),  # the same, by name
            walking_extract=bool(arrays["walking_extract"]),
        )
    rows = json.loads((folder / "left_out.json").read_text(encoding="utf-8"))
    return streets, [LeftOutRow(**row) for row in rows]


def _keep(folder: Path, streets: Streets, rows: Sequence[LeftOutRow]) -> None:
    """Write beside and rename, so that a cache entry is whole or not there."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    except OSError:
        return
    try:
        np.savez(
            beside / "vertices.npz",
            vertex_way=streets.vertex_way,
            vertex_node=streets.vertex_node,
            vertex_xy=streets.vertex_xy,
            walking_extract=np.array(streets.walking_extract),
        )
        streets.ways.to_parquet(beside / "ways.parquet")
        streets.features.to_parquet(beside / "features.parquet")
        text = json.dumps([asdict(row) for row in rows])
        (beside / "left_out.json").write_text(text, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    except OSError:
        shutil.rmtree(beside, ignore_errors=True)
