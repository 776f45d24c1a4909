"""Streets read once, kept by the content of their files in the user's cache folder."""

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.atomic import hash_content, hash_file
from patrolplan.cache import cache_folder
from patrolplan.crs import Projection
from patrolplan.errors import InputError, Problems
from patrolplan.inputs.streets import Streets, _is_duplicate, read_osm_streets
from patrolplan.inputs.table_reader import check_size
from patrolplan.tables import LeftOut, LeftOutRow


def read_streets(paths: Sequence[Path], projection: Projection, left_out: LeftOut) -> Streets:
    """Read street files; a street that stands in two of them is taken once.

    Raises
    ------
    InputError
        When a file is missing, is of no known kind, is broken, or holds no walkable street.
    """
    problems = Problems()
    parts = []
    for path in paths:
        with problems.collect():
            parts.append(_read_one(path, projection, left_out))
    problems.raise_if_any()
    return parts[0] if len(parts) == 1 else _join_files(parts)


def _read_one(path: Path, projection: Projection, left_out: LeftOut) -> Streets:
    from patrolplan.inputs.graphml import read_graphml  # noqa: PLC0415 - osmnx is slow to import

    if not path.is_file():
        raise InputError.one(path, "there is no such file", "mend [sources] streets")
    if path.stat().st_size == 0:
        raise InputError.one(path, "the file is empty", "fetch it again")
    check_size(path)
    name = path.name.lower()
    if name.endswith((".graphml", ".graphml.gz")):
        streets = read_graphml(path, projection)
    elif name.endswith((".osm", ".osm.gz", ".osm.pbf", ".pbf", ".osm.bz2")):
        streets = read_osm_streets(path, projection, left_out)
    else:
        remedy = "give .osm, .osm.gz, .osm.pbf, .graphml or .graphml.gz"
        raise InputError.one(path, f"'{path.suffix}' is no street format", remedy)
    streets = _drop_infinite(streets, left_out)
    if streets.ways.empty:
        remedy = "give a file with ways that have a highway tag"
        raise InputError.one(path, "holds no street that can be walked", remedy)
    return streets


def _drop_infinite(streets: Streets, left_out: LeftOut) -> Streets:
    """Streets without those that have a corner nowhere on earth."""
    nowhere = ~np.isfinite(streets.vertex_xy).all(axis=1)
    if not nowhere.any():
        return streets
    good = np.ones(len(streets.ways), dtype=bool)
    good[streets.vertex_way[nowhere]] = False
    left_out.add("streets", "coordinates are nowhere (ways)", int((~good).sum()))
    kept = good[streets.vertex_way]
    return replace(
        streets,
        ways=streets.ways[good].reset_index(drop=True),
        vertex_way=(np.cumsum(good) - 1)[streets.vertex_way[kept]],
        vertex_node=streets.vertex_node[kept],
        vertex_xy=streets.vertex_xy[kept],
    )


def _join_files(parts: Sequence[Streets]) -> Streets:
    """Several files as one; of a street that stands in more than one, the first is kept.

    A graph's row is an edge, of which a way has many: a row is known again by its way and by
    its ends, in either direction, and its middle.
    """
    starts = np.cumsum([0, *(len(part.ways) for part in parts)])
    ways = pd.concat([part.ways for part in parts], ignore_index=True)
    vertex_way = np.concatenate(
        [part.vertex_way + start for part, start in zip(parts, starts, strict=False)]
    )
    # Inner points of a graph's edges are numbered below zero, in every file anew.
    below = np.cumsum([0, *(min(0, int(part.vertex_node.min())) for part in parts)])
    vertex_node = np.concatenate(
        [
            np.where(part.vertex_node < 0, part.vertex_node + low, part.vertex_node)
            for part, low in zip(parts, below, strict=False)
        ]
    )
    vertex_xy = np.concatenate([part.vertex_xy for part in parts])
    file = np.repeat(np.arange(len(parts)), [len(part.ways) for part in parts])
    first = ~_is_duplicate(ways["osm_id"].to_numpy(), file, vertex_way, vertex_node, vertex_xy)
    kept = first[vertex_way]
    renumbered = np.cumsum(first) - 1
    features = pd.concat([part.features for part in parts], ignore_index=True)
    return Streets(
        ways=ways[first].reset_index(drop=True),
        vertex_way=renumbered[vertex_way[kept]],
        vertex_node=vertex_node[kept],
        vertex_xy=vertex_xy[kept],
        features=gpd.GeoDataFrame(features.drop_duplicates(), crs=parts[0].features.crs),
        walking_extract=all(part.walking_extract for part in parts),
    )


def load_cached_streets(
    paths: Sequence[Path], projection: Projection, left_out: LeftOut
) -> Streets:
    """Streets from the cache when the same files were read before, else from the files.

    A cache that cannot be read or written is passed over: it only saves time.
    """
    if not all(path.is_file() for path in paths):
        return read_streets(paths, projection, left_out)
    key = "\n".join([STREET_FORMAT, projection.crs, *(hash_file(path) for path in paths)])
    folder = cache_folder() / f"{STREET_FORMAT}-{hash_content(key)[:32]}"
    try:
        streets, rows = _read_entry(folder, projection)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        told = LeftOut()
        streets, rows = read_streets(paths, projection, told), told.rows
        _write_entry(folder, streets, rows)
    left_out.extend(rows)
    return streets


def _read_entry(folder: Path, projection: Projection) -> tuple[Streets, list[LeftOutRow]]:
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


def _write_entry(folder: Path, streets: Streets, rows: Sequence[LeftOutRow]) -> None:
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


STREET_FORMAT = "streets-3"
"""Change this when `Streets`, or the rule of what is walked or ridden, changes."""


STREET_ENTRY_PATTERN = re.compile(r"streets-\d+-[0-9a-f]{32}|\.new-\w+")
"""Names of the cache's folders, whole and interrupted."""


STREET_ENTRY_FILES = frozenset(
    {"features.parquet", "ways.parquet", "vertices.npz", "left_out.json"}
)
"""What a folder of the cache may hold."""
