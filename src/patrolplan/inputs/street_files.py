"""Streets read once, kept by the content of their files in the user's cache folder."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from io import BytesIO
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from patrolplan.atomic import hash_file
from patrolplan.cache import Store, decode_arrays, encode_arrays
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
    """Streets from the cache when the same files were read before, else from the files."""
    if not all(path.is_file() for path in paths):
        return read_streets(paths, projection, left_out)
    left_out_there = LeftOut()
    streets, rows = STREETS.load_or_compute(
        "\n".join([projection.crs, *(hash_file(path) for path in paths)]),
        lambda: (read_streets(paths, projection, left_out_there), left_out_there.rows),
        encode=_encode,
        decode=partial(_decode, projection=projection),
    )
    left_out.extend(rows)
    return streets


STREETS = Store("streets", version="4")
"""Change the version when `Streets`, or the rule of what is walked or ridden, changes."""

VERTEX_ARRAYS = ("vertex_way", "vertex_node", "vertex_xy")


def _encode(content: tuple[Streets, list[LeftOutRow]]) -> memoryview:
    streets, rows = content
    arrays = {name: getattr(streets, name) for name in VERTEX_ARRAYS}
    return encode_arrays(
        arrays
        | {
            "ways": np.frombuffer(streets.ways.to_parquet(), dtype=np.uint8),
            "features": np.frombuffer(_write_features(streets.features), dtype=np.uint8),
            "walking_extract": np.array(streets.walking_extract),
            "left_out": np.array(json.dumps([asdict(row) for row in rows])),
        }
    )


def _write_features(features: gpd.GeoDataFrame) -> bytes:
    stream = BytesIO()
    features.to_parquet(stream)
    return stream.getvalue()


def _decode(content: bytes, projection: Projection) -> tuple[Streets, list[LeftOutRow]]:
    arrays = decode_arrays(content)
    features = gpd.read_parquet(BytesIO(arrays["features"].tobytes()))
    streets = Streets(
        ways=pd.read_parquet(BytesIO(arrays["ways"].tobytes())),
        features=features.set_crs(projection.crs, allow_override=True),  # the same, by name
        walking_extract=bool(arrays["walking_extract"]),
        **{name: arrays[name] for name in VERTEX_ARRAYS},
    )
    return streets, [LeftOutRow(**row) for row in json.loads(str(arrays["left_out"]))]
