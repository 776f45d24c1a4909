"""Where a bicycle may go, and what that costs."""

import networkx as nx
import numpy as np
from hypothesis import given, strategies as st

from patrolplan.network.cycling import (
    CLOSED,
    PUSH,
    RIDE,
    classify_bicycle_ways,
    compute_cycling_effort,
)


def _open(nodes, one_way, how=None):
    nodes = np.array(nodes)
    how = np.array(["ride"] * len(nodes) if how is None else how, dtype=object)
    return classify_bicycle_ways(nodes, how, np.array(one_way), nodes=int(nodes.max()) + 1).tolist()


def test_one_way_ring_is_ridden_one_way():
    """A ring of one-way streets is closed the other way all round."""
    assert _open([(0, 1), (1, 2), (2, 0)], [1, 1, 1]) == [[RIDE, CLOSED]] * 3
    assert _open([(0, 1), (2, 1), (2, 0)], [1, -1, 1]) == [[RIDE, CLOSED], [CLOSED, RIDE], [1, 0]]


def test_nobody_is_stuck_in_a_one_way_dead_end():
    """Out of a one-way street that leads nowhere else, the bicycle is pushed back."""
    ring = [(0, 1), (1, 2), (2, 0)]
    assert _open([*ring, (2, 3)], [1, 1, 1, 1])[3] == [RIDE, PUSH]
    assert _open([*ring, (2, 3)], [1, 1, 1, -1])[3] == [PUSH, RIDE]


@st.composite
def _streets(draw):
    """A connected network: a random tree and some streets more, each with its way of going."""
    size = draw(st.integers(2, 9))
    tree = [(draw(st.integers(0, node - 1)), node) for node in range(1, size)]
    node = st.integers(0, size - 1)
    nodes = tree + draw(st.lists(st.tuples(node, node), max_size=8))
    count = len(nodes)
    one_way = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=count, max_size=count))
    hows = st.sampled_from(["ride", "push", "carry"])
    return nodes, one_way, draw(st.lists(hows, min_size=count, max_size=count))


@given(_streets())
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


def test_a_metre_pushed_takes_as_long_as_on_foot():
    """Costs are metres ridden in the same time: pushing at walking speed, steps slower still."""
    costs = compute_cycling_effort(np.array([[1, 2], [3, 0]]), riding_kmh=12.0, walking_kmh=4.8)
    np.testing.assert_allclose(costs, [[1.0, 2.5], [7.5, np.inf]])
