"""Distances from a gate are those of the shortest walks."""

import numpy as np
import pytest
from hypothesis import given
from small_networks import build_small_network, draw_network_and_positions

from patrolplan.network.paths import WalkFinder
from patrolplan.pupils.gate_tree import grow_tree

EXACT = 1e-6


@given(draw_network_and_positions())
def test_distances_are_those_of_walks(network_and_positions):
    """To every place, over whichever end of its piece, a walk is as long as the shortest."""
    network, positions = network_and_positions
    tree = grow_tree(network, positions.take([0]), 1e6)
    metres, node, after = tree.measure_to(positions)
    expected = WalkFinder(network, positions).metres[0]
    np.testing.assert_allclose(metres, expected, atol=EXACT)
    np.testing.assert_allclose(tree.node_metres[node] + after, metres, atol=EXACT)


@given(draw_network_and_positions())
def test_links_are_all_streets_once(network_and_positions):
    """Links are as long as the streets together, and run from their nearer end to the other."""
    network, positions = network_and_positions
    tree = grow_tree(network, positions.take([0]), 1e6)
    length = np.bincount(tree.link_piece, tree.link_metres, minlength=len(network))
    np.testing.assert_allclose(length, network.piece_metres, atol=EXACT)
    near, far = tree.node_metres[tree.link_nodes].T
    assert np.all(near <= far)
    assert np.all(far <= near + tree.link_metres + EXACT)


def test_nothing_lies_beyond_the_limit():
    """A link within the limit may lead out of it, and nothing beyond it is reached."""
    network = build_small_network([(0, 0), (300, 0)], [[0, 1]])
    tree = grow_tree(network, network.snap([(0, 0)]), 100.0)
    reached = tree.node_metres[np.isfinite(tree.node_metres)]
    assert reached.max() <= 100.0
    assert tree.link_metres.sum() == pytest.approx(120.0)
    metres, _, _ = tree.measure_to(network.snap([(95, 0), (200, 0)]))
    assert metres[0] == 95.0
    assert metres[1] == np.inf
