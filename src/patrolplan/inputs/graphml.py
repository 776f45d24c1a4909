"""Street graphs as osmnx makes them, in `.graphml(.gz)` files or in memory."""

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
from pyproj.exceptions import CRSError

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.osm_tags import (
    CROSSING_TAGS,
    CYCLING_TAGS,
    ONE_WAY_FORWARD,
    PASSAGE_TAGS,
    PATROL_TAGS,
    SIDEWALK_TAGS,
    CrossingKind,
    classify_crossing_node,
    classify_riding,
    is_closed_barrier,
    is_walkable,
)
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

FOOT_TAGS = (*CROSSING_TAGS, *SIDEWALK_TAGS, *PASSAGE_TAGS)
"""Keys that matter only to people on foot."""

_GRAPH_ERRORS = (
    *(OSError, EOFError, zlib.error, ParseError, KeyError, ValueError, TypeError, SyntaxError),
    *(AttributeError, OverflowError, RecursionError, CRSError, nx.NetworkXException),
)
"""Errors that a broken file, or a graph from another program, may cause."""


def read_graphml(path: Path, projection: Projection) -> Streets:
    """Read an osmnx graph; a street has one row, whichever way it may be driven.

    An edge that osmnx made from several ways has the first one's number and name. Inner points of
    an edge are not junctions: they get their own numbers, which are negative. Barriers close the
    way if the graph has their tags: by default osmnx drops `barrier`.
    """
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
    """The streets of a graph in memory, which is not changed; see `read_graphml`.

    It has `graph.graph["crs"]`, nodes with `x` and `y`, and edges with osmnx' attributes; a
    `geometry`, an `osmid` and names may be missing.
    """
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
    graph.remove_nodes_from(
        [node for node, at in graph.nodes(data=True) if not _has_coordinates(at)]
    )
    closed_nodes = [
        node for node, tags in graph.nodes(data=True) if is_closed_barrier(_get_texts(tags))
    ]
    crossings = {
        int(node): kind
        for node, tags in graph.nodes(data=True)
        if (kind := classify_crossing_node(_get_texts(tags)))
    }
    edges = osmnx.convert.graph_to_gdfs(graph, nodes=False).reset_index()
    edges, kinds = select_walkable(edges)
    streets = build_edge_streets(
        edges, crossings, projection, walking_extract=is_walking_extract(kinds)
    )
    return replace(streets, closed_nodes=np.array(closed_nodes, dtype=np.int64))


def _has_coordinates(node: Mapping[str, float]) -> bool:
    return math.isfinite(node["x"]) and math.isfinite(node["y"])


def select_walkable(edges: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, set[str]]:
    """One direction of each street open to people on foot, and the kinds of all streets.

    osmnx reverses one-way streets where needed, so that every edge follows the traffic.
    """
    keys = list(dict.fromkeys(("highway", "access", "foot", "indoor", *CYCLING_TAGS, *PATROL_TAGS)))
    tags = {
        key: edges[key].map(_get_first_value) if key in edges else ""
        for key in ("name", "lit", "footway", "incline", "reversed", *keys, *FOOT_TAGS)
    }
    edges = edges.assign(**tags, osm_id=edges["osmid"].map(_get_first_value).astype("int64"))
    is_one_way = edges["oneway"].str.lower().isin(ONE_WAY_FORWARD)
    edges["oneway"] = np.where(is_one_way, "yes", "no")
    # Many edges have the same tags: the rules are applied to each different set of tags once.
    group = edges.groupby(keys, sort=False).ngroup().to_numpy()
    tag_sets = edges[keys][~pd.Series(group).duplicated().to_numpy()].to_dict("records")
    riding = [classify_riding(tags) for tags in tag_sets]
    edges = edges.assign(riding=[riding[row] for row in group])
    edges = edges[np.array([is_walkable(tags) for tags in tag_sets], dtype=bool)[group]]
    low = edges[["u", "v"]].min(axis=1)
    high = edges[["u", "v"]].max(axis=1)
    middle = shapely.line_interpolate_point(edges.geometry.values, 0.5, normalized=True)
    place = np.round(shapely.get_coordinates(middle), 6)
    # Not by osm_id: where an edge joins several ways, its two directions may name different ones.
    key = pd.DataFrame({"low": low, "high": high, "x": place[:, 0], "y": place[:, 1]})
    return edges[~key.duplicated().to_numpy()], {classify_way(tags) for tags in tag_sets}


def build_edge_streets(
    edges: gpd.GeoDataFrame,
    crossings: Mapping[int, CrossingKind],
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
    columns = list(dict.fromkeys(("name", "lit", "footway", "incline", *PATROL_TAGS, *FOOT_TAGS)))
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
