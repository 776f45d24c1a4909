"""Streets cut into pieces of about 30 m, where a bicycle may go on them, and what that costs."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from patrolplan.crs import Projection
from patrolplan.inputs.streets import Streets, build_empty_features, build_ways_table
from patrolplan.network.pieces import (
    CLOSED,
    MIN_PIECE_METRES,
    PIECE_METRES,
    PUSH,
    classify_bicycle_ways,
    cut_pieces,
)


def _streets(places, ways):
    """Streets of nodes at these places; each way is a list of nodes."""
    nodes = np.array([node for way in ways for node in way])
    rows = [(number, f"Street {number}", "residential", "") for number in range(len(ways))]
    return Streets(
        ways=build_ways_table(rows),
        vertex_way=np.repeat(np.arange(len(ways)), [len(way) for way in ways]),
        vertex_node=nodes,
        vertex_xy=np.asarray(places, dtype=np.float64)[nodes],
        features=build_empty_features(Projection()),
    )


def test_a_way_ends_at_a_closed_node():
    """Whatever meets at a barrier is a dead end there, and stays as long as it was."""
    places = [(0, 0), (60, 0), (120, 0), (60, 60), (60, -60)]
    streets = _streets(places, [[0, 1, 2], [3, 1, 4], [1, 2]])
    open_pieces = cut_pieces(streets)
    closed = cut_pieces(replace(streets, closed_nodes=np.array([1, 99])))
    assert closed.piece_metres.sum() == open_pieces.piece_metres.sum()
    graph = nx.Graph(closed.piece_nodes.tolist())
    assert nx.number_connected_components(graph) == 4  # the second and the third way meet at 2
    assert np.allclose(closed.node_xy[closed.piece_nodes[:, 0]], closed.coordinates[closed.first])
    assert np.allclose(
        closed.node_xy[closed.piece_nodes[:, 1]], closed.coordinates[closed.last - 1]
    )


PLACES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda p: (p[0] * 7.3, p[1] * 7.3)),
    min_size=2,
    max_size=12,
)


@st.composite
def random_streets(draw):
    """Any streets: ways that cross, touch, turn back, stand still, lie on each other."""
    places = draw(PLACES)
    node = st.integers(0, len(places) - 1)
    ways = draw(st.lists(st.lists(node, min_size=2, max_size=6), min_size=1, max_size=8))
    return places, ways


def _length(places, ways):
    places = np.asarray(places)
    return sum(np.hypot(*np.diff(places[way], axis=0).T).sum() for way in ways)


def _line(pieces, number):
    return pieces.coordinates[pieces.first[number] : pieces.last[number]]


@given(random_streets())
def test_pieces_are_the_streets_cut_evenly(case):
    """Nothing is lost, pieces of a section are equal, 20 to 45 m or all of it, on their way."""
    places, ways = case
    pieces = cut_pieces(_streets(places, ways))
    metres, total = pieces.piece_metres, 0.0
    for number, (first, last) in enumerate(pieces.piece_nodes):
        line = _line(pieces, number)
        np.testing.assert_allclose(line[0], pieces.node_xy[first], atol=1e-6)
        np.testing.assert_allclose(line[-1], pieces.node_xy[last], atol=1e-6)
        drawn = np.hypot(*np.diff(line, axis=0).T).sum()
        assert metres[number] == pytest.approx(max(drawn, MIN_PIECE_METRES), abs=1e-6)
        whole = shapely.LineString(np.asarray(places)[ways[pieces.piece_way[number]]])
        assert shapely.distance(shapely.points(line), whole).max() < 1e-6
        total += drawn
    assert total == pytest.approx(_length(places, ways), abs=1e-6)
    in_section = np.bincount(pieces.piece_section)[pieces.piece_section]
    assert (metres > 0).all()
    assert (metres <= PIECE_METRES * 1.5 + 1e-9).all()
    assert (metres[in_section > 1] >= PIECE_METRES * 2 / 3 - 1e-9).all()
    for section in np.unique(pieces.piece_section):
        own = metres[pieces.piece_section == section]
        np.testing.assert_allclose(own, own[0], atol=1e-6)


@given(random_streets(), st.data())
def test_taking_pieces_keeps_their_order_and_drawing(case, data):
    """Pieces selected are the same pieces, on nodes of their own without gaps."""
    pieces = cut_pieces(_streets(*case))
    rows = np.arange(len(pieces.first))
    selected = np.array(data.draw(st.lists(st.sampled_from(rows), min_size=1, unique=True)))
    subset = pieces.take(selected)
    np.testing.assert_array_equal(subset.piece_metres, pieces.piece_metres[selected])
    assert set(subset.piece_nodes.ravel()) == set(range(len(subset.node_xy)))
    for new, old in enumerate(selected):
        np.testing.assert_array_equal(_line(subset, new), _line(pieces, old))
        np.testing.assert_array_equal(
            subset.node_xy[subset.piece_nodes[new]], pieces.node_xy[pieces.piece_nodes[old]]
        )


def test_ways_that_cross_without_a_shared_node_do_not_meet():
    """A bridge over a street is no junction."""
    places = [(-50, 0), (50, 0), (0, -50), (0, 50)]
    pieces = cut_pieces(_streets(places, [[0, 1], [2, 3]]))
    over = set(pieces.piece_nodes[pieces.piece_way == 0].ravel())
    under = set(pieces.piece_nodes[pieces.piece_way == 1].ravel())
    assert not over & under


def test_junction_in_the_middle_of_a_way_is_a_node():
    """Where a side street joins a way between its ends, walkers can turn."""
    places = [(0, 0), (20, 0), (40, 0), (20, 25)]
    pieces = cut_pieces(_streets(places, [[0, 1, 2], [1, 3]]))
    ends = {tuple(np.round(pieces.node_xy[node], 6)) for node in pieces.piece_nodes.ravel()}
    assert (20.0, 0.0) in ends
    assert sorted(np.round(pieces.piece_metres, 6)) == [20, 20, 25]


def _open(nodes, one_way, how=None):
    nodes = np.array(nodes)
    how = np.array(["ride"] * len(nodes) if how is None else how, dtype=object)
    return classify_bicycle_ways(nodes, how, np.array(one_way), nodes=int(nodes.max()) + 1).tolist()


@st.composite
def _one_way_streets(draw):
    """A connected network: a random tree and some streets more, each with its way of going."""
    size = draw(st.integers(2, 9))
    tree = [(draw(st.integers(0, node - 1)), node) for node in range(1, size)]
    node = st.integers(0, size - 1)
    nodes = tree + draw(st.lists(st.tuples(node, node), max_size=8))
    count = len(nodes)
    one_way = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=count, max_size=count))
    hows = st.sampled_from(["ride", "push", "carry"])
    return nodes, one_way, draw(st.lists(hows, min_size=count, max_size=count))


@given(_one_way_streets())
def test_every_place_is_reached_and_left_and_signs_are_obeyed_where_they_can_be(streets):
    """All nodes reach each other; against a one-way street only where there is no way round."""
    nodes, one_way, how = streets
    found = _open(nodes, one_way, how)
    obedient, all_ways = nx.DiGraph(), nx.DiGraph()
    for graph in (obedient, all_ways):
        graph.add_nodes_from(range(max(max(pair) for pair in nodes) + 1))
    for (a, b), sign, (ahead, back) in zip(nodes, one_way, found, strict=True):
        obedient.add_edges_from(([(a, b)] if sign >= 0 else []) + ([(b, a)] if sign <= 0 else []))
        all_ways.add_edges_from(([(a, b)] if ahead else []) + ([(b, a)] if back else []))
    assert nx.is_strongly_connected(all_ways)
    if nx.is_strongly_connected(obedient):
        assert obedient.edges == all_ways.edges
    for sign, (ahead, back) in zip(one_way, found, strict=True):
        assert sign <= 0 or back in {CLOSED, PUSH}
        assert sign >= 0 or ahead in {CLOSED, PUSH}
