"""Streets as graphs of osmnx, in `.graphml(.gz)` files or in memory, or as a table of lines.

Lines of a table join where they share a vertex, at their ends or along them; lines that cross
without one (a bridge, or lines that were never joined) do not.
"""

import ast
import gzip
import math
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs import osm_tags
from patrolplan.inputs.streets import (
    Streets,
    build_crossing_arrays,
    build_empty_features,
    build_ways_table,
    classify_way,
    complete_crossing,
    describe_way,
    is_walking_extract,
)
from patrolplan.tables import LeftOut

FOOT_TAGS = (*osm_tags.CROSSING_TAGS, *osm_tags.SIDEWALK_TAGS, *osm_tags.PASSAGE_TAGS)
"""Keys that matter only to people on foot."""

_GRAPH_ERRORS = (
    *(OSError, EOFError, zlib.error, ParseError, KeyError, ValueError, TypeError, SyntaxError),
    *(AttributeError, OverflowError, RecursionError, CRSError, nx.NetworkXException),
)
"""Errors that a broken file, or a graph from another program, may cause."""


def read_graphml(path: Path, projection: Projection) -> Streets:
    """Read an osmnx graph; a street has one row, whichever way it may be driven."""
    # An edge of several ways has the first one's number and name. Its inner points are no
    # junctions: their numbers are negative. Barriers count if the graph has their tags, which osmnx
    # drops by default.
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # networkx warns of keys that it does not know
            graph = osmnx.load_graphml(graphml_str=text)
        return build_graph_streets(graph, projection)
    except _GRAPH_ERRORS as error:
        what = f"is broken or not a street graph from osmnx ({type(error).__name__}: {error})"
        raise InputError.one(path, what, "save it again with osmnx.save_graphml") from None


def read_graph(graph: nx.Graph, projection: Projection, source: str) -> Streets:
    """The streets of a graph in memory, which is not changed; see `read_graphml`."""
    # A `geometry`, an `osmid` and names may be missing.
    try:
        graph = nx.MultiDiGraph(graph)
        if not all(isinstance(node, int) for node in graph):
            graph = nx.convert_node_labels_to_integers(graph)
        for number, (*_, tags) in enumerate(graph.edges(data=True)):
            tags.setdefault("osmid", number)
        return build_graph_streets(graph, projection)
    except _GRAPH_ERRORS as error:
        what = f"is not a street graph as osmnx makes them ({type(error).__name__}: {error})"
        remedy = "give its nodes x and y, its edges highway, and graph.graph['crs']"
        raise InputError.one(source, what, remedy) from None


def build_graph_streets(graph: nx.MultiDiGraph, projection: Projection) -> Streets:
    """The streets of a graph; whatever is wrong with it, networkx, pandas or osmnx raise."""
    nodes = graph.nodes(data=True)
    placed = {node for node, at in nodes if math.isfinite(at["x"]) and math.isfinite(at["y"])}
    graph.remove_nodes_from(set(graph) - placed)
    closed_nodes = [
        node
        for node, tags in graph.nodes(data=True)
        if osm_tags.is_closed_barrier(_get_texts(tags))
    ]
    crossings = {
        int(node): kind
        for node, tags in graph.nodes(data=True)
        if (kind := osm_tags.classify_crossing_node(_get_texts(tags)))
    }
    edges = osmnx.convert.graph_to_gdfs(graph, nodes=False).reset_index()
    edges, kinds = select_walkable(edges)
    streets = build_edge_streets(
        edges, crossings, projection, walking_extract=is_walking_extract(kinds)
    )
    return replace(streets, closed_nodes=np.array(closed_nodes, dtype=np.int64))


def select_walkable(edges: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, set[str]]:
    """One direction of each street open to people on foot, and the kinds of all streets."""
    # osmnx reverses one-way streets where needed, so that every edge follows the traffic.
    keys = list(
        dict.fromkeys(
            ("highway", "access", "foot", "indoor", *osm_tags.CYCLING_TAGS, *osm_tags.PATROL_TAGS)
        )
    )
    tags = {
        key: edges[key].map(_get_first_value) if key in edges else ""
        for key in ("name", "lit", "footway", "incline", "reversed", *keys, *FOOT_TAGS)
    }
    edges = edges.assign(**tags, osm_id=edges["osmid"].map(_get_first_value).astype("int64"))
    is_one_way = edges["oneway"].str.lower().isin(osm_tags.ONE_WAY_FORWARD)
    edges["oneway"] = np.where(is_one_way, "yes", "no")
    # Many edges have the same tags: the rules are applied to each different set of tags once.
    group = edges.groupby(keys, sort=False).ngroup().to_numpy()
    tag_sets = edges[keys][~pd.Series(group).duplicated().to_numpy()].to_dict("records")
    riding = [osm_tags.classify_riding(tags) for tags in tag_sets]
    edges = edges.assign(riding=[riding[row] for row in group])
    edges = edges[np.array([osm_tags.is_walkable(tags) for tags in tag_sets], dtype=bool)[group]]
    low = edges[["u", "v"]].min(axis=1)
    high = edges[["u", "v"]].max(axis=1)
    middle = shapely.line_interpolate_point(edges.geometry.values, 0.5, normalized=True)
    place = np.round(shapely.get_coordinates(middle), 6)
    # Not by osm_id: where an edge joins several ways, its two directions may name different ones.
    key = pd.DataFrame({"low": low, "high": high, "x": place[:, 0], "y": place[:, 1]})
    return edges[~key.duplicated().to_numpy()], {classify_way(tags) for tags in tag_sets}


def build_edge_streets(
    edges: gpd.GeoDataFrame,
    crossings: Mapping[int, osm_tags.CrossingKind],
    projection: Projection,
    *,
    walking_extract: bool,
) -> Streets:
    """Streets from the edges of `select_walkable`, whose nodes are `u` and `v`."""
    degrees, vertex_way = shapely.get_coordinates(edges.geometry.values, return_index=True)
    x, y = projection.to_metres(degrees[:, 0], degrees[:, 1], source=str(edges.crs))
    count = np.bincount(vertex_way, minlength=len(edges))
    last = np.cumsum(count) - 1
    nodes = -1 - np.arange(len(vertex_way), dtype=np.int64)
    nodes[last - count + 1] = edges["u"].to_numpy()
    nodes[last] = edges["v"].to_numpy()
    columns = list(
        dict.fromkeys(("name", "lit", "footway", "incline", *osm_tags.PATROL_TAGS, *FOOT_TAGS))
    )
    tags = edges[columns].to_dict("records")
    rows = [describe_way(*way) for way in zip(edges["osm_id"], tags, edges["riding"], strict=True)]
    is_reversed = (edges["reversed"] == "True").tolist()
    ends = edges[["u", "v"]].to_numpy().tolist()
    rows = [
        complete_crossing(
            row._replace(incline=-row.incline if against else row.incline), at, crossings
        )
        for row, against, at in zip(rows, is_reversed, ends, strict=True)
    ]
    return Streets(
        ways=build_ways_table(rows),
        vertex_way=vertex_way.astype(np.int64),
        vertex_node=nodes,
        vertex_xy=np.column_stack([x, y]),
        features=build_empty_features(projection),
        places=build_empty_features(projection),
        walking_extract=walking_extract,
        **build_crossing_arrays(crossings),
    )


def _get_texts(tags: Mapping[str, object]) -> dict[str, str]:
    """Tags of a node, without its coordinates and other numbers."""
    return {key: value for key, value in tags.items() if isinstance(value, str)}


def _get_first_value(value: object) -> str:
    """First of an attribute's values; osmnx has a list, or its text, where it joined ways."""
    if isinstance(value, str) and value.startswith("["):
        value = ast.literal_eval(value)
    if isinstance(value, list):
        value = value[0] if value else ""
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaN


PLAIN_STREET = "unclassified"
"""The `highway` of every line of a table that does not have this column."""

JOIN_METRES = 0.01  # Vertices within this distance are one place
ID_COLUMNS = ("osmid", "osm_id")
REMEDY = "give a GeoDataFrame of LineStrings with a CRS"


def read_street_frame(
    frame: gpd.GeoDataFrame, projection: Projection, left_out: LeftOut, source: str
) -> Streets:
    """Streets of a table of lines in any CRS; `source` is the argument's name, for messages."""
    # Tags of OpenStreetMap in other columns, such as `foot` or `layer`, count as they do there.
    if frame.active_geometry_name is None or frame.crs is None:
        raise InputError.one(source, "has no lines in a known CRS", REMEDY)
    lines = frame.explode(ignore_index=True)
    lines = lines.rename_geometry("geometry") if lines.active_geometry_name != "geometry" else lines
    is_line = (lines.geom_type == "LineString").to_numpy() & ~lines.is_empty.to_numpy()
    left_out.add("streets", "without a line (rows)", int((~is_line).sum()))
    lines = lines[is_line].reset_index(drop=True)
    if lines.empty:
        raise InputError.one(source, "has no line", REMEDY)
    edges = _number_ends(_complete_columns(lines), projection)
    walkable, kinds = select_walkable(edges)
    if walkable.empty:
        remedy = "give its lines a highway tag of streets, or no such column"
        raise InputError.one(source, "has no street that can be walked", remedy)
    closed = len(edges) - len(walkable)
    left_out.add("streets", "not open to people on foot, or there twice (rows)", closed)
    extract = is_walking_extract(kinds)
    streets = build_edge_streets(walkable, {}, projection, walking_extract=extract)
    return replace(streets, vertex_node=_number_places(streets.vertex_xy))


def _complete_columns(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The lines with the columns that every street has; values that are missing are empty."""
    number = next((name for name in ID_COLUMNS if name in lines), None)
    numbers = pd.Series(np.nan, lines.index) if number is None else lines[number]
    own = pd.Series(np.arange(len(lines)), lines.index)
    found = numbers.map(lambda value: value[0] if isinstance(value, list) else value)
    ids = pd.to_numeric(found, errors="coerce").fillna(own).astype("int64")
    missing = {"highway": PLAIN_STREET} if "highway" not in lines else {}
    return lines.assign(osmid=ids, **missing)


def _number_ends(lines: gpd.GeoDataFrame, projection: Projection) -> gpd.GeoDataFrame:
    """The lines with the numbers of the places where they begin and end, `u` and `v`."""
    degrees, line = shapely.get_coordinates(lines.geometry.array, return_index=True)
    x, y = projection.to_metres(degrees[:, 0], degrees[:, 1], source=str(lines.crs))
    node = _number_places(np.column_stack([x, y]))
    last = np.cumsum(np.bincount(line, minlength=len(lines))) - 1
    first = np.concatenate([[0], last[:-1] + 1])
    return lines.assign(u=node[first], v=node[last])


def _number_places(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """(v,) a number for each place, the same for vertices at one place."""
    cells = np.round(np.nan_to_num(xy, nan=np.inf) / JOIN_METRES)
    _, number = np.unique(cells, axis=0, return_inverse=True)
    return np.asarray(number.reshape(-1), dtype=np.int64)
