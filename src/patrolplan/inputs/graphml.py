"""Streets as graphs of osmnx, in `.graphml(.gz)` files or in memory, or as a table of lines.

Lines of a table join where they share a vertex; those that cross without one, as a bridge, do not.
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
from patrolplan.inputs import osm_tags, streets
from patrolplan.inputs.streets import Streets
from patrolplan.tables import LeftOut

TAGS = frozenset(
    (
        *("name", "lit", "footway", "incline", "reversed", "access", "foot", "indoor"),
        *(*osm_tags.CYCLING_TAGS, *osm_tags.PATROL_TAGS),
        *(*osm_tags.CROSSING_TAGS, *osm_tags.SIDEWALK_TAGS, *osm_tags.PASSAGE_TAGS),
    )
)  # Keys that decide what a street is
_GRAPH_ERRORS = (
    *(OSError, EOFError, zlib.error, ParseError, KeyError, ValueError, TypeError, SyntaxError),
    *(AttributeError, OverflowError, RecursionError, CRSError, nx.NetworkXException),
)  # Errors that a broken file, or a graph from another program, may cause


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
    closed_nodes: list[int] = []
    crossings: dict[int, osm_tags.CrossingKind] = {}
    for node, attributes in graph.nodes(data=True):
        tags = {key: value for key, value in attributes.items() if isinstance(value, str)}
        if osm_tags.is_closed_barrier(tags):
            closed_nodes.append(node)
        if kind := osm_tags.classify_crossing_node(tags):
            crossings[int(node)] = kind
    edges = osmnx.convert.graph_to_gdfs(graph, nodes=False).reset_index()
    built = _build_streets(edges, crossings, projection)
    return replace(built, closed_nodes=np.array(closed_nodes, dtype=np.int64))


def _build_streets(
    edges: gpd.GeoDataFrame, crossings: Mapping[int, osm_tags.CrossingKind], projection: Projection
) -> Streets:
    """One direction of each street open to people on foot, of edges between nodes `u` and `v`."""
    blank = pd.Series("", edges.index)
    tags = {key: edges.get(key, blank).map(_get_first_value) for key in TAGS}
    # osmnx reverses one-way streets where needed, so that every edge follows the traffic.
    is_one_way = tags["oneway"].str.lower().isin(osm_tags.ONE_WAY_FORWARD)
    tags["oneway"] = is_one_way.map({True: "yes", False: "no"})
    records = [dict(zip(tags, cells, strict=True)) for cells in zip(*tags.values(), strict=True)]
    is_open = pd.Series([osm_tags.is_walkable(of_edge) for of_edge in records], dtype=bool)
    middle = shapely.line_interpolate_point(edges.geometry.values, 0.5, normalized=True)
    place = np.round(shapely.get_coordinates(middle), 6)
    # Not by osmid: where an edge joins several ways, its two directions may name different ones.
    key = pd.DataFrame(np.column_stack([np.sort(edges[["u", "v"]], axis=1), place]))
    chosen = key.index[is_open & ~key.where(is_open).duplicated()]
    edges = edges.iloc[chosen]
    ends, riders = edges[["u", "v"]].to_numpy(), [records[row] for row in chosen]
    rows = []
    for osm_id, of_edge, nodes in zip(edges["osmid"], riders, ends.tolist(), strict=True):
        riding = osm_tags.classify_riding(of_edge)
        row = streets.describe_way(int(_get_first_value(osm_id)), of_edge, riding)
        incline = -row.incline if of_edge["reversed"] == "True" else row.incline
        rows.append(streets.complete_crossing(row._replace(incline=incline), nodes, crossings))
    degrees, vertex_way = shapely.get_coordinates(edges.geometry.values, return_index=True)
    x, y = projection.to_metres(degrees[:, 0], degrees[:, 1], source=str(edges.crs))
    last = np.cumsum(np.bincount(vertex_way, minlength=len(edges))) - 1
    vertex_node = -1 - np.arange(len(vertex_way), dtype=np.int64)
    vertex_node[np.append(0, last[:-1] + 1)[: len(last)]] = ends[:, 0]
    vertex_node[last] = ends[:, 1]
    return Streets(
        ways=streets.build_ways_table(rows),
        vertex_way=vertex_way.astype(np.int64),
        vertex_node=vertex_node,
        vertex_xy=np.column_stack([x, y]),
        features=streets.build_empty_features(projection),
        places=streets.build_empty_features(projection),
        walking_extract=streets.is_walking_extract({*map(streets.classify_way, records)}),
        **streets.build_crossing_arrays(crossings),
    )


def _get_first_value(value: object) -> str:
    """First of an attribute's values; osmnx has a list, or its text, where it joined ways."""
    if isinstance(value, str) and value.startswith("["):
        value = ast.literal_eval(value)
    if isinstance(value, list):
        value = value[0] if value else ""
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaN


PLAIN_STREET = "unclassified"  # The `highway` of lines of a table without this column
JOIN_METRES = 0.01  # Vertices within this distance are one place
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
    number = next((lines[name] for name in ("osmid", "osm_id") if name in lines), None)
    found = lines.index.to_series() if number is None else number.map(_get_first_value)
    ids = pd.to_numeric(found, errors="coerce").fillna(lines.index.to_series()).astype("int64")
    missing = {"highway": PLAIN_STREET} if "highway" not in lines else {}
    degrees, line = shapely.get_coordinates(lines.geometry.array, return_index=True)
    x, y = projection.to_metres(degrees[:, 0], degrees[:, 1], source=str(lines.crs))
    node = _number_places(np.column_stack([x, y]))
    last = np.cumsum(np.bincount(line, minlength=len(lines))) - 1
    edges = lines.assign(osmid=ids, **missing, u=node[np.append(0, last[:-1] + 1)], v=node[last])
    built = _build_streets(edges, {}, projection)
    if built.ways.empty:
        remedy = "give its lines a highway tag of streets, or no such column"
        raise InputError.one(source, "has no street that can be walked", remedy)
    closed = len(edges) - len(built.ways)
    left_out.add("streets", "not open to people on foot, or there twice (rows)", closed)
    return replace(built, vertex_node=_number_places(built.vertex_xy))


def _number_places(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """(v,) a number for each place, the same for vertices at one place."""
    cells = np.round(np.nan_to_num(xy, nan=np.inf) / JOIN_METRES)
    _, number = np.unique(cells, axis=0, return_inverse=True)
    return np.asarray(number.reshape(-1), dtype=np.int64)
