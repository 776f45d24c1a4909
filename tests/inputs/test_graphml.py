"""Street graphs as osmnx writes them."""

import networkx as nx
import numpy as np
import osmnx
import pytest
import shapely

from patrolplan.crs import Projection
from patrolplan.errors import InputError
from patrolplan.inputs.graphml import read_graphml
from patrolplan.network import build_network
from patrolplan.tables import LeftOut

BNG = Projection("EPSG:27700")


def _graph(*edges):
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for node, x in ((1, -0.13), (2, -0.128), (3, -0.126)):
        graph.add_node(node, x=x, y=51.52)
    for u, v, attributes in edges:
        graph.add_edge(u, v, **({"osmid": 10 * u + v, "length": 1.0} | attributes))
    return graph


def _read(folder, graph, name="g.graphml"):
    osmnx.save_graphml(graph, folder / name)
    return read_graphml(folder / name, BNG)


def test_merged_street_is_read_once(tmp_path):
    """Each direction of a street merged from two ways names another way first: it is one."""
    there = {"osmid": [5, 6], "highway": "path"}
    back = {"osmid": [6, 5], "highway": "path"}
    streets = _read(tmp_path, _graph((1, 2, there), (2, 1, back)))
    assert len(streets.ways) == 1


def test_parallel_edges_of_one_way_stay_two(tmp_path):
    """Two edges of one way between the same nodes are two streets where they run apart."""
    there = shapely.LineString([(-0.13, 51.52), (-0.129, 51.521), (-0.128, 51.52)])
    back = shapely.LineString([(-0.13, 51.52), (-0.129, 51.519), (-0.128, 51.52)])
    edges = [(1, 2, {"osmid": 5, "highway": "path", "geometry": line}) for line in (there, back)]
    streets = _read(tmp_path, _graph(*edges))
    assert len(streets.ways) == 2
    inner = streets.vertex_node[streets.vertex_node < 0]
    assert len(np.unique(inner)) == 2


def test_barriers_that_the_graph_holds_close_the_way(tmp_path):
    """A node with a closed barrier parts the streets that meet there; without tags it does not."""
    street = {"highway": "footway"}
    graph = _graph((1, 2, street), (2, 1, street), (2, 3, street), (3, 2, street))
    assert len(build_network(_read(tmp_path, graph), BNG, LeftOut())) == 10
    graph.nodes[2].update(barrier="gate", access="private")
    assert len(build_network(_read(tmp_path, graph), BNG, LeftOut())) == 5


def test_crossings_are_read_from_what_the_columns_hold(tmp_path):
    """A crossing's kind comes from the edge, or from its node; pavements and bridges too."""
    road = {"highway": "tertiary", "sidewalk": "separate", "bridge": "yes"}
    graph = _graph((1, 2, {"highway": "footway", "footway": "crossing"}), (2, 3, road))
    graph.nodes[2].update(highway="crossing", crossing="traffic_signals")
    streets = _read(tmp_path, graph)
    found = streets.ways[["crossing", "sidewalk", "passage"]].to_numpy().tolist()
    assert found == [["signals", "", ""], ["", "separate", "bridge"]]
    assert streets.crossing_nodes.tolist() == [2]
    assert streets.crossing_kinds.tolist() == ["signals"]


def test_each_street_is_read_once_and_one_way_only_if_it_is(tmp_path):
    """A one-way edge keeps its direction; a street in both directions is one, one-way in none."""
    street = {"osmid": 5, "highway": "residential", "oneway": False, "name": "Mill Lane"}
    one_way = {"osmid": 6, "highway": "residential", "oneway": True, "reversed": True}
    streets = _read(tmp_path, _graph((1, 2, street), (2, 1, street), (3, 2, one_way)))
    row = int(streets.ways.index[streets.ways["osm_id"] == 6][0])
    assert streets.ways["one_way"].tolist() == [int(number == row) for number in range(2)]
    assert streets.vertex_node[streets.vertex_way == row].tolist() == [3, 2]
    assert sorted(streets.ways["osm_id"]) == [5, 6]
    assert build_network(streets, BNG, LeftOut()).metres == pytest.approx(277.6, abs=1)


def test_projected_graphs_are_read(tmp_path):
    """A graph saved in metres lies where the same graph in degrees does."""
    graph = _graph((1, 2, {"highway": "residential"}), (2, 3, {"highway": "path"}))
    degrees = _read(tmp_path, graph)
    metres = _read(tmp_path, osmnx.project_graph(graph, to_crs="EPSG:32630"), "m.graphml")
    np.testing.assert_allclose(metres.vertex_xy, degrees.vertex_xy, atol=0.05)


@pytest.mark.parametrize("lack", ["crs", "osmid", "x", "edges"])
def test_graphs_that_osmnx_did_not_make_are_refused(tmp_path, lack):
    """A graph without CRS, way numbers, coordinates or edges is refused as not a street graph."""
    graph = _graph((1, 2, {"highway": "residential"}))
    graph.graph = {} if lack == "crs" else graph.graph
    for attributes in (graph.edges[1, 2, 0], *graph.nodes.values()):
        attributes.pop(lack, None)
    graph.remove_edges_from(list(graph.edges) if lack == "edges" else ())
    path = tmp_path / "g.graphml"
    nx.write_graphml(graph, path)
    with pytest.raises(InputError, match="not a street graph from osmnx"):
        read_graphml(path, BNG)
