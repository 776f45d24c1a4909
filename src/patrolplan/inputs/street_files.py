"""Street files of every format, read, checked, joined, and cached by their content."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from patrolplan.arrays import Bools, Ints
from patrolplan.atomic import hash_content, hash_file
from patrolplan.cache import Store, decode_arrays, encode_arrays
from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.formats import check_size
from patrolplan.inputs.streets import Streets, build_crossing_arrays, read_osm_streets
from patrolplan.inputs.table_reader import read_each
from patrolplan.tables import LeftOut, LeftOutRow


def read_streets(paths: Sequence[Path], projection: Projection, left_out: LeftOut) -> Streets:
    """Read street files; a street in two of them counts once."""
    parts = read_each(paths, partial(_read_one, projection=projection, left_out=left_out))
    return _cross_squares(parts[0] if len(parts) == 1 else _join_files(parts))


def _read_one(path: Path, projection: Projection, left_out: LeftOut) -> Streets:
    if not path.is_file():
        raise InputError.one(path, "the file does not exist", "correct [sources] streets")
    if path.stat().st_size == 0:
        raise InputError.one(path, "the file is empty", "fetch it again")
    check_size(path)
    name = path.name.lower()
    if name.endswith((".graphml", ".graphml.gz")):
        from patrolplan.inputs.graphml import read_graphml  # noqa: PLC0415 - osmnx is heavy

        streets = read_graphml(path, projection)
    elif name.endswith((".osm", ".osm.gz", ".osm.pbf", ".pbf", ".osm.bz2")):
        streets = read_osm_streets(path, projection, left_out)
    else:
        remedy = "use .osm, .osm.gz, .osm.pbf, .graphml or .graphml.gz"
        raise InputError.one(path, f"'{path.suffix}' is not a street format", remedy)
    streets = _drop_infinite(streets, left_out)
    if streets.ways.empty:
        remedy = "use a file with ways that have a highway tag"
        raise InputError.one(path, "has no street that can be walked", remedy)
    return streets


def finish_streets(streets: Streets, left_out: LeftOut) -> Streets:
    """Streets of one source as they are used: within the CRS, with links across squares."""
    return _cross_squares(_drop_infinite(streets, left_out))


def hash_streets(streets: Streets) -> str:
    """SHA-256 of streets that were given in memory, features included."""
    return hash_content(_encode((streets, [])))


def _drop_infinite(streets: Streets, left_out: LeftOut) -> Streets:
    """Drop ways with a vertex outside the range of the area's CRS."""
    infinite = ~np.isfinite(streets.vertex_xy).all(axis=1)
    if not infinite.any():
        return streets
    good = np.ones(len(streets.ways), dtype=bool)
    good[streets.vertex_way[infinite]] = False
    left_out.add("streets", "coordinates outside the CRS (ways)", int((~good).sum()))
    return _select_ways(streets, good)


def _select_ways(streets: Streets, chosen: Bools) -> Streets:
    """The chosen (n,) ways and their vertices, renumbered."""
    vertices = chosen[streets.vertex_way]
    return replace(
        streets,
        ways=streets.ways[chosen].reset_index(drop=True),
        vertex_way=(np.cumsum(chosen) - 1)[streets.vertex_way[vertices]],
        vertex_node=streets.vertex_node[vertices],
        vertex_xy=streets.vertex_xy[vertices],
    )


def _join_files(parts: Sequence[Streets]) -> Streets:
    """Several files as one; of a street in more than one file, the first is used."""
    ways, vertices, start, lowest = [], [], 0, 0
    crossings: dict[int, Any] = {}
    for part in parts:
        # Inner points of a graph's edges have negative numbers, which start at -1 in every file.
        node = part.vertex_node
        vertices.append((part.vertex_way + start, np.where(node < 0, node + lowest, node)))
        ways.append(part.ways)
        start, lowest = start + len(part.ways), lowest + min(0, int(node.min()))
        for number, kind in zip(part.crossing_nodes.tolist(), part.crossing_kinds, strict=True):
            crossings.setdefault(number, kind)
    tables = {
        name: pd.concat([getattr(part, name) for part in parts], ignore_index=True)
        for name in FEATURE_TABLES
    }
    vertex_way, vertex_node = (np.concatenate(of_parts) for of_parts in zip(*vertices, strict=True))
    streets = Streets(
        ways=pd.concat(ways, ignore_index=True),
        vertex_way=vertex_way,
        vertex_node=vertex_node,
        vertex_xy=np.concatenate([part.vertex_xy for part in parts]),
        **{
            name: gpd.GeoDataFrame(table.drop_duplicates(), crs=parts[0].features.crs)
            for name, table in tables.items()
        },
        walking_extract=all(part.walking_extract for part in parts),
        closed_nodes=np.unique(np.concatenate([part.closed_nodes for part in parts])),
        **build_crossing_arrays(crossings),
    )
    file = np.repeat(np.arange(len(parts)), [len(part.ways) for part in parts])
    # A row of a graph is an edge, and a way may have many. So two rows are the same if they have
    # the same way, the same end nodes in either order, and the same middle to 0.1 m.
    count = np.bincount(streets.vertex_way, minlength=len(streets.ways))
    last = np.cumsum(count) - 1
    nodes = streets.vertex_node
    ends = np.sort(np.column_stack([nodes[last - count + 1], nodes[last]]), axis=1)
    x, y = (np.bincount(streets.vertex_way, weights=axis) / count for axis in streets.vertex_xy.T)
    names = ["osm_id", "from", "to", "x", "y"]
    cells = [streets.ways["osm_id"], *ends.T, np.round(x, 1), np.round(y, 1)]
    key = pd.DataFrame(dict(zip(names, map(np.asarray, cells), strict=True)))
    earliest = key.assign(file=file).groupby(names)["file"].transform("min")
    return _select_ways(streets, ~np.asarray(earliest < file))


MAX_ENTRANCES = 40  # Of a square: there is a link for each pair of them
EDGE_METRES = 0.1  # Links that run along the outline within this distance are left out


def _cross_squares(streets: Streets) -> Streets:
    """Streets with links straight across squares, from entrance to entrance."""
    # A square is mapped by its outline, but people walk across it. Its entrances are the nodes that
    # it shares with other ways; a link is inside it, and is a way like the outline.
    is_area = streets.ways["is_area"].to_numpy(dtype=bool)
    ways_at = pd.Series(streets.vertex_way).groupby(streets.vertex_node).nunique()
    shared = ways_at.index[ways_at.to_numpy() > 1].to_numpy()
    shared = np.setdiff1d(shared, streets.closed_nodes)
    is_entrance = np.isin(streets.vertex_node, shared)
    links: list[tuple[int, Ints]] = []
    for way in np.flatnonzero(is_area).tolist():
        rows = np.flatnonzero(streets.vertex_way == way)
        if len(rows) > 3 and streets.vertex_node[rows[0]] == streets.vertex_node[rows[-1]]:  # noqa: PLR2004 - a ring
            links += [(way, pair) for pair in _link_entrances(streets, rows, is_entrance)]
    if not links:
        return streets
    ends = np.concatenate([pair for _, pair in links])
    ways = streets.ways.iloc[[way for way, _ in links]]
    number = len(streets.ways) + np.repeat(np.arange(len(links)), 2)
    return replace(
        streets,
        ways=pd.concat([streets.ways, ways], ignore_index=True),
        vertex_way=np.r_[streets.vertex_way, number],
        vertex_node=np.r_[streets.vertex_node, streets.vertex_node[ends]],
        vertex_xy=np.concatenate([streets.vertex_xy, streets.vertex_xy[ends]]),
    )


def _link_entrances(streets: Streets, rows: Ints, is_entrance: Bools) -> Ints:
    """(k, 2) vertices of the links across a square, whose outline is these vertices."""
    square = shapely.make_valid(shapely.Polygon(streets.vertex_xy[rows]))
    entrances = rows[:-1][is_entrance[rows[:-1]]]
    if len(entrances) > MAX_ENTRANCES:
        chosen = np.linspace(0, len(entrances) - 1, MAX_ENTRANCES).round().astype(np.int64)
        entrances = entrances[chosen]
    one, other = np.triu_indices(len(entrances), k=1)
    pairs = np.column_stack([entrances[one], entrances[other]])
    lines = shapely.linestrings(streets.vertex_xy[pairs]) if len(pairs) else np.empty(0)
    inside = shapely.covers(square.buffer(EDGE_METRES / 2), lines)
    along = shapely.covers(square.boundary.buffer(EDGE_METRES), lines)
    return np.asarray(pairs[inside & ~along], dtype=np.int64)


def load_cached_streets(
    paths: Sequence[Path], projection: Projection, left_out: LeftOut
) -> Streets:
    """Streets from the cache if the same files were read before, otherwise from the files."""
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


STREETS = Store("streets", version="9")  # Change it when `Streets`, or rules of walking, change
FEATURE_TABLES = ("features", "places")
ARRAYS = (
    *("vertex_way", "vertex_node", "vertex_xy", "closed_nodes"),
    *("crossing_nodes", "crossing_kinds"),
)


def _encode(content: tuple[Streets, list[LeftOutRow]]) -> memoryview:
    streets, rows = content
    arrays = {name: getattr(streets, name) for name in ARRAYS}
    for name in ("ways", *FEATURE_TABLES):  # Feather is loaded faster than the reader of Parquet
        stream = BytesIO()
        getattr(streets, name).to_feather(stream)
        arrays[name] = np.frombuffer(stream.getvalue(), dtype=np.uint8)
    arrays["walking_extract"] = np.array(streets.walking_extract)
    arrays["left_out"] = np.array(json.dumps([asdict(row) for row in rows]))
    return encode_arrays(arrays)


def _decode(content: bytes, projection: Projection) -> tuple[Streets, list[LeftOutRow]]:
    arrays = decode_arrays(content)
    tables = {name: gpd.read_feather(BytesIO(arrays[name].data)) for name in FEATURE_TABLES}
    streets = Streets(
        ways=pd.read_feather(BytesIO(arrays["ways"].data)),
        **{
            name: table.set_crs(projection.crs, allow_override=True)  # the same, by name
            for name, table in tables.items()
        },
        walking_extract=bool(arrays["walking_extract"]),
        **{name: arrays[name] for name in ARRAYS},
    )
    return streets, [LeftOutRow(**row) for row in json.loads(str(arrays["left_out"]))]
