"""`.graphml(.gz)` street graphs, as osmnx writes them -> `Streets`."""

import ast
import gzip
import math
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import networkx as nx  # type: ignore[import-untyped]
import numpy as np
import osmnx
import shapely
from pyproj.exceptions import CRSError

from patrolplan.errors import InputError
from patrolplan.inputs.streets import Streets
from patrolplan.inputs.streets import no_features
from patrolplan.inputs.streets import ways_table
from patrolplan.inputs.walkable import is_walkable
from patrolplan.projection import Projection

_NOT_OURS = (
    OSError,
    EOFError,
    zlib.error,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    SyntaxError,
    AttributeError,
    OverflowError,
    RecursionError,
    CRSError,
    nx.NetworkXException,
)
"""What a broken file, or a graph that osmnx did not make, ends in."""


def read_graphml(path: Path, projection: Projection) -> Streets:
    """Read an osmnx graph; each street once, whichever way it may be driven.

    An edge that osmnx made from several ways keeps the first one's number and name. Inner points
    of an edge are no junctions: they get numbers of their own, below zero.

    Raises
    ------
    InputError
        When the file is broken, or no osmnx graph.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # networkx wonders at keys that it does not know
            graph = osmnx.load_graphml(graphml_str=text)
        graph.remove_nodes_from([node for node, at in graph.nodes(data=True) if not _placed(at)])
        edges = osmnx.convert.graph_to_gdfs(graph, nodes=False).reset_index()
        edges = _walkable_once(edges)
    except _NOT_OURS as error:
        what = f"is broken or no street graph of osmnx ({type(error).__name__}: {error})"
        raise InputError.one(path, what, "save it again with osmnx.save_graphml") from None
    return _streets(edges, projection)


def _placed(node: Mapping[str, float]) -> bool:
    return math.isfinite(node["x"]) and math.isfinite(node["y"])


def _walkable_once(edges: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Keep one direction of each street, and only streets open to people on foot."""
    tags = {
        key: edges[key].map(_first) if key in edges else ""
        for key in ("name", "highway", "access", "foot", "indoor", "lit")
    }
    edges = edges.assign(**tags, osm_id=edges["osmid"].map(_first).astype("int64"))
    keys = ["highway", "access", "foot", "indoor"]
    kinds = edges.groupby(keys, sort=False).ngroup()
    rule = [is_walkable(tags) for tags in edges[keys][~kinds.duplicated()].to_dict("records")]
    edges = edges[np.array(rule, dtype=bool)[kinds]]
    low = edges[["u", "v"]].min(axis=1)
    high = edges[["u", "v"]].max(axis=1)
    middle = shapely.line_interpolate_point(edges.geometry.values, 0.5, normalized=True)
    place = np.round(shapely.get_coordinates(middle), 6)
    same = edges.assign(low=low, high=high, x=place[:, 0], y=place[:, 1])
    # Not by osm_id: of an edge made from several ways, each direction names another one first.
    return edges[~same.duplicated(["low", "high", "x", "y"]).to_numpy()]


def _streets(edges: gpd.GeoDataFrame, projection: Projection) -> Streets:
    degrees, vertex_way = shapely.get_coordinates(edges.geometry.values, return_index=True)
    x, y = projection.to_metres(degrees[:, 0], degrees[:, 1], source=str(edges.crs))
    count = np.bincount(vertex_way, minlength=len(edges))
    last = np.cumsum(count) - 1
    nodes = -1 - np.arange(len(vertex_way), dtype=np.int64)
    nodes[last - count + 1] = edges["u"].to_numpy()
    nodes[last] = edges["v"].to_numpy()
    rows = zip(*(edges[key] for key in ("osm_id", "name", "highway", "lit")), strict=True)
    return Streets(
        ways=ways_table(list(rows)),
        vertex_way=vertex_way.astype(np.int64),
        vertex_node=nodes,
        vertex_xy=np.column_stack([x, y]),
        features=no_features(projection),
    )


def _first(value: object) -> str:
    """First of an attribute's values; osmnx keeps a list, or a list's text, where ways merged."""
    if isinstance(value, str) and value.startswith("["):
        value = ast.literal_eval(value)
    if isinstance(value, list):
        value = value[0] if value else ""
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaN
